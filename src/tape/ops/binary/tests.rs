//! Laws of the family.

use crate::exec::reference::{Rounding, gradcheck, interpret};
use crate::tape::{Binary, Builder, Dtype, Type, gradient};

#[test]
fn table_is_complete() {
    let declared: Vec<&str> = include_str!("mod.rs").lines().filter_map(|line| line.strip_prefix("mod ")).collect();
    let mut files = vec!["compare"; 3];
    files.extend(
        declared.iter().map(|name| name.trim_end_matches(';')).filter(|&name| name != "compare" && name != "tests"),
    );
    let compare = ["less", "less_equal", "equal"];
    let mut names =
        Binary::ALL.map(|f| f.function().name).map(|name| if compare.contains(&name) { "compare" } else { name });
    files.sort_unstable();
    names.sort_unstable();
    assert_eq!(files, names);
}

#[test]
fn derivatives_are_those_of_differences() {
    for f in Binary::ALL {
        let mut b = Builder::new("y");
        let [x, y] = ["a", "b"].map(|name| b.input(name, Type::new(Dtype::F64, [])));
        let z = b.binary(f, x, y);
        b.output("z", z);
        // The slopes along fixed directions, for the second derivatives.
        let slopes = gradient(&mut b, z, &[x, y]);
        b.output("by a", slopes[0]);
        b.output("by b", slopes[1]);
        let program = b.finish();
        for &(x, y) in f.function().points {
            for output in 0..3 {
                for comparison in gradcheck(&program, output, &[vec![x], vec![y]], 1) {
                    assert!(comparison.agrees(), "output {output} of {f:?} at {x}, {y}: {comparison:?}");
                }
            }
        }
    }
}

#[test]
fn slopes_at_kinks_are_the_stated_ones() {
    for f in Binary::ALL {
        for &[(x, y), expected] in f.function().kinks {
            let mut b = Builder::new("slope");
            let inputs = ["a", "b"].map(|name| b.input(name, Type::new(Dtype::F64, [])));
            let z = b.binary(f, inputs[0], inputs[1]);
            let slopes = gradient(&mut b, z, &inputs);
            let values = interpret(b.program(), &[vec![x], vec![y]], Rounding::Outputs);
            assert_eq!((values[slopes[0].index()][0], values[slopes[1].index()][0]), expected, "{f:?} at {x}, {y}");
        }
    }
}

#[test]
fn nan_goes_through() {
    for f in Binary::ALL {
        let compares = matches!(f, Binary::Less | Binary::LessEqual | Binary::Equal);
        for (a, b) in [(f64::NAN, 1.0), (2.0, f64::NAN), (f64::NAN, f64::NAN)] {
            let y = (f.function().eval)(a, b);
            assert!(if compares { y == 0.0 } else { y.is_nan() }, "{f:?} of {a}, {b} is {y}");
        }
    }
}
