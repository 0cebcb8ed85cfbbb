//! Laws of the family.

use crate::exec::reference::{Rounding, gradcheck, interpret};
use crate::tape::{Builder, Dtype, Program, Type, Unary, gradient};

#[test]
fn table_is_complete() {
    let mut files: Vec<String> = std::path::Path::new(file!())
        .parent()
        .expect("this file lies in a folder")
        .read_dir()
        .expect("the folder of this file is there")
        .map(|entry| entry.expect("a folder can be read").file_name().to_string_lossy().replace(".rs", ""))
        .filter(|name| name != "mod" && name != "tests")
        .collect();
    files.sort();
    let mut names: Vec<&str> = Unary::ALL.iter().map(|f| f.function().name).collect();
    names.sort_unstable();
    assert_eq!(files, names);
}

fn program(f: Unary) -> Program {
    let mut b = Builder::new("y");
    let x = b.input("x", Type::new(Dtype::F64, []));
    let y = b.unary(f, x);
    b.output("y", y);
    b.finish()
}

/// `φ′` at `x`, with `φ` used twice so that the cotangent of `x` is a sum.
fn slope(f: Unary, x: f64) -> f64 {
    let mut b = Builder::new("slope");
    let input = b.input("x", Type::new(Dtype::F64, []));
    let y = b.unary(f, input);
    let three = b.scale(3.0, input);
    let y = b.add(y, three);
    let slope = gradient(&mut b, y, &[input])[0];
    interpret(b.program(), &[vec![x]], Rounding::Outputs)[slope.index()][0] - 3.0
}

#[test]
fn derivatives_are_those_of_differences() {
    for f in Unary::ALL {
        for &x in f.function().points {
            let [comparison] = &gradcheck(&program(f), 0, &[vec![x]], 1)[..] else { panic!("one input") };
            assert!(comparison.agrees(), "{f:?} at {x}: {comparison:?}");
            // The tolerance says something: a slope that is off by a thousandth is seen, where the
            // difference does not drown in the rounding of the value.
            let visible = (f.function().eval)(x).abs() * 1e-6 < comparison.difference.abs();
            assert!(
                !visible || comparison.tolerance < 1e-3 * comparison.difference.abs(),
                "{f:?} at {x}: {comparison:?}"
            );
        }
    }
}

#[test]
fn slopes_at_kinks_are_the_stated_ones() {
    for f in Unary::ALL {
        for &(x, expected) in f.function().kinks {
            assert_eq!(slope(f, x), expected, "{f:?} at {x}");
        }
    }
}

#[test]
fn second_derivatives_are_those_of_differences() {
    for f in Unary::ALL {
        let mut b = Builder::new("slope");
        let x = b.input("x", Type::new(Dtype::F64, []));
        let y = b.unary(f, x);
        let slope = gradient(&mut b, y, &[x])[0];
        b.output("slope", slope);
        let program = b.finish();
        for &x in f.function().points {
            let comparison = &gradcheck(&program, 0, &[vec![x]], 1)[0];
            assert!(comparison.agrees(), "{f:?}′ at {x}: {comparison:?}");
        }
    }
}

#[test]
fn nan_goes_through() {
    for f in Unary::ALL {
        let y = (f.function().eval)(f64::NAN);
        let tells = matches!(f, Unary::Step | Unary::IsFinite);
        assert!(if tells { y == 0.0 } else { y.is_nan() }, "{f:?} of NaN is {y}");
    }
}

/// Slopes in the tails to full relative accuracy, where forms taken from the value have lost it.
#[test]
fn slopes_keep_their_accuracy_in_the_tails() {
    for (f, x, expected) in [
        (Unary::Sigmoid, 40.0, (-40.0f64).exp()),
        (Unary::Sigmoid, -40.0, (-40.0f64).exp()),
        (Unary::Tanh, 30.0, 4.0 * (-60.0f64).exp()),
        (Unary::Tanh, -30.0, 4.0 * (-60.0f64).exp()),
        (Unary::Softplus, -700.0, (-700.0f64).exp()),
        (Unary::Softplus, 0.0, 0.5),
        (Unary::Softplus, 1e4, 1.0),
        (Unary::Expm1, -50.0, (-50.0f64).exp()),
    ] {
        let mut b = Builder::new("slope");
        let input = b.input("x", Type::new(Dtype::F64, []));
        let y = b.unary(f, input);
        let slope = gradient(&mut b, y, &[input])[0];
        let slope = interpret(b.program(), &[vec![x]], Rounding::Outputs)[slope.index()][0];
        assert!((slope / expected - 1.0).abs() < 8.0 * f64::EPSILON, "{f:?}′({x}) = {slope}, not {expected}");
    }
}
