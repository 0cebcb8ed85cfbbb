//! Every op that is not elementwise, in a small program: values where they can be said, derivatives
//! against differences, first and second.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Binary, ConvPart, Distribution, Op, Operand, Range, Reducer, Window};
use crate::exec::reference::{Rounding, gradcheck, interpret};
use crate::linalg::transform::Transform;
use crate::linalg::{Csr, Symbolic};
use crate::tape::philox::{Stream, key};
use crate::tape::{Builder, Dtype, Program, Shape, Type, Value, undifferentiable, verify, vjp};

const F: Dtype = Dtype::F64;

/// Files of ops without derivatives; they have tests of their own.
const UNDIFFERENTIABLE: [&str; 6] = ["assignment", "iterate", "pav", "svd", "symmetric", "taut_string"];

type Build = dyn Fn(&mut Builder, &[Value]) -> Value;

/// Builds the op from inputs of those shapes; the program's output is named after the op.
struct Case {
    file: &'static str,
    shapes: Vec<Shape>,
    build: Box<Build>,
}

fn case<const N: usize>(
    file: &'static str,
    shapes: [&[usize]; N],
    build: impl Fn(&mut Builder, &[Value]) -> Value + 'static,
) -> Case {
    Case { file, shapes: shapes.map(|shape| Shape(shape.to_vec())).to_vec(), build: Box::new(build) }
}

fn range(start: usize, len: usize, step: usize) -> Range {
    Range { start, len, step }
}

/// An index vector, made of what there is: `scale · position + offset`.
fn indices(b: &mut Builder, n: usize, scale: f64, offset: f64) -> Value {
    let positions = b.iota([n], 0);
    let scaled = b.scale(scale, positions);
    b.offset(scaled, offset)
}

/// `xxᵀ + 2I`, symmetric positive definite.
fn definite(b: &mut Builder, x: Value) -> Value {
    let n = b.shape(x).0[0];
    let product = b.matmul(x, x, false, true);
    let (row, column) = (b.iota([n, n], 0), b.iota([n, n], 1));
    let diagonal = b.binary(Binary::Equal, row, column);
    let diagonal = b.cast(diagonal, F);
    let shift = b.scale(2.0, diagonal);
    b.add(product, shift)
}

fn cases() -> Vec<Case> {
    let mut cases = vec![
        case("input", [&[3]], |_, v| v[0]),
        case("constant", [&[3]], |b, v| b.scale(2.5, v[0])),
        case("elementwise", [&[6], &[6], &[6]], |b, v| {
            let zero = b.constant_like(0.0, v[0]);
            let negative = b.binary(Binary::Less, v[0], zero);
            b.select(negative, v[1], v[2])
        }),
        case("broadcast", [&[3]], |b, v| b.broadcast(v[0], vec![1], Shape::from([2, 3, 4]))),
        case("broadcast", [&[]], |b, v| b.broadcast(v[0], vec![], Shape::from([2, 2]))),
        case("argmax", [&[2, 3]], |b, v| {
            let at = b.push(Op::ArgMax, vec![v[0]], Type::new(Dtype::Index, [2]));
            let at = b.cast(at, F);
            let sum = b.sum(at);
            b.mul(sum, v[0])
        }),
        case("iota", [&[3]], |b, v| {
            let at = indices(b, 3, 2.0, 1.0);
            let at = b.cast(at, F);
            b.mul(at, v[0])
        }),
        case("sort", [&[5]], |b, v| b.sort(v[0])),
        case("sort", [&[2, 4]], |b, v| b.sort(v[0])),
        case("sort", [&[2, 3]], |b, v| {
            let at = b.argsort(v[0]);
            let at = b.cast(at, F);
            b.mul(at, v[0])
        }),
        case("cumsum", [&[2, 4]], |b, v| b.cumsum(v[0])),
        case("cumsum", [&[5]], |b, v| b.push(Op::CumSum { reverse: true }, vec![v[0]], Type::new(F, [5]))),
        case("reshape", [&[2, 3]], |b, v| b.reshape(v[0], [3, 2])),
        case("transpose", [&[2, 3, 4]], |b, v| {
            b.push(Op::Transpose { perm: vec![2, 0, 1] }, vec![v[0]], Type::new(F, [4, 2, 3]))
        }),
        case("slice", [&[5, 4]], |b, v| b.slice(v[0], vec![range(1, 2, 2), range(0, 4, 1)])),
        case("slice", [&[2, 2]], |b, v| {
            b.push(Op::Unslice(vec![range(1, 2, 2), range(2, 2, 1)]), vec![v[0]], Type::new(F, [5, 4]))
        }),
        case("concat", [&[2, 3], &[2, 1]], |b, v| b.concat(vec![v[0], v[1], v[0]], 1)),
        case("gather", [&[5, 2]], |b, v| {
            let at = indices(b, 3, 2.0, 0.0);
            b.gather(v[0], at)
        }),
        case("gather", [&[4, 2]], |b, v| {
            let at = indices(b, 4, 2.0, 1.0);
            b.push(Op::ScatterAdd, vec![at, v[0]], Type::new(F, [8, 2]))
        }),
        case("cast", [&[3]], |b, v| b.cast(v[0], F)),
        case("random", [&[4]], |b, v| {
            let (key, step) = (b.iota([2], 0), b.constant(3.0, Dtype::Index));
            let op = Op::Random { distribution: Distribution::Normal, stream: 9 };
            let noise = b.push(op, vec![key, step], Type::new(F, [4]));
            b.mul(noise, v[0])
        }),
        case("cholesky", [&[3, 3]], |b, v| {
            let a = definite(b, v[0]);
            let ty = b.ty(a).clone();
            b.push(Op::Cholesky, vec![a], ty)
        }),
        case("cholesky", [&[3, 3], &[3, 2]], |b, v| {
            let ty = b.ty(v[1]).clone();
            b.push(Op::CholeskySolve, vec![v[0], v[1]], ty)
        }),
        case("cholesky", [&[2, 2], &[2]], |b, v| {
            let ty = b.ty(v[1]).clone();
            b.push(Op::CholeskySolve, vec![v[0], v[1]], ty)
        }),
    ];
    for reducer in [Reducer::Sum, Reducer::Max, Reducer::Min, Reducer::LogSumExp, Reducer::Norm2] {
        for axes in [vec![0], vec![1], vec![0, 2], vec![0, 1, 2]] {
            cases.push(case("reduce", [&[2, 3, 2]], move |b, v| b.reduce(reducer, v[0], axes.clone())));
        }
    }
    for (ta, tb) in [(false, false), (false, true), (true, false), (true, true)] {
        let a: &[usize] = if ta { &[3, 2] } else { &[2, 3] };
        let b: &[usize] = if tb { &[4, 3] } else { &[3, 4] };
        cases.push(case("matmul", [a, b], move |builder, v| builder.matmul(v[0], v[1], ta, tb)));
    }
    for transpose in [false, true] {
        // Rows start at 0, 2, 4 and end at 6; columns 0 to 5.
        let (x, y) = if transpose { (3, 6) } else { (6, 3) };
        cases.push(case("sparse", [&[x]], move |b, v| {
            let (starts, columns) = (indices(b, 4, 2.0, 0.0), indices(b, 6, 1.0, 0.0));
            let values = b.cast(columns, F);
            b.push(Op::SparseMatVec { transpose }, vec![starts, columns, values, v[0]], Type::new(F, [y]))
        }));
        cases.push(case("sparse", [&[x, 2]], move |b, v| {
            let (starts, columns) = (indices(b, 4, 2.0, 0.0), indices(b, 6, 1.0, 0.0));
            let values = b.cast(columns, F);
            b.push(Op::SparseMatVec { transpose }, vec![starts, columns, values, v[0]], Type::new(F, [y, 2]))
        }));
    }
    for transform in [Transform::Cosine, Transform::Hartley] {
        for inverse in [false, true] {
            cases.push(case("grid", [&[3, 4]], move |b, v| {
                let ty = b.ty(v[0]).clone();
                b.push(Op::Grid { transform, inverse }, vec![v[0]], ty)
            }));
        }
    }
    cases.push(case("sparse_factor", [&[3, 2]], |b, v| {
        let symbolic = arrow();
        let values = row(b, &[2.0, 3.0, 1.0, -0.5, -1.0]);
        let factor = b.push(Op::SparseFactor(symbolic.clone()), vec![values], Type::new(F, [symbolic.factor_len()]));
        b.push(Op::SparseSolve(symbolic), vec![factor, v[0]], Type::new(F, [3, 2]))
    }));
    for (window, [x, w, y]) in convolutions() {
        for (part, [a, b, result]) in
            [(ConvPart::Output, [x, w, y]), (ConvPart::Input, [y, w, x]), (ConvPart::Kernel, [x, y, w])]
        {
            cases.push(case("conv", [&a, &b], move |builder, v| {
                builder.push(Op::Conv { part, window }, vec![v[0], v[1]], Type::new(F, result))
            }));
        }
    }
    cases
}

/// The lower triangle of `[a 0 c; 0 b d; c d e]`, of which the last pivot is negative.
fn arrow() -> Arc<Symbolic> {
    let entries = [(0, 0), (1, 1), (2, 0), (2, 1), (2, 2)].map(|(i, j)| (i, j, 1.0));
    Arc::new(Symbolic::new(&Csr::from_triplets(3, 3, entries.to_vec()), 1))
}

/// Windows, each with shapes of input, kernel and output: plain; with margins, steps and gaps that
/// differ by axis, and a row and a column that no position reaches; in groups; wider than the image.
fn convolutions() -> [(Window, [[usize; 4]; 3]); 4] {
    let plain = Window { stride: [1, 1], padding: [0, 0], dilation: [1, 1], groups: 1 };
    [
        (plain, [[2, 2, 3, 4], [3, 2, 2, 3], [2, 3, 2, 2]]),
        (
            Window { stride: [2, 3], padding: [1, 0], dilation: [1, 2], groups: 1 },
            [[1, 2, 5, 9], [2, 2, 2, 3], [1, 2, 3, 2]],
        ),
        (Window { groups: 2, ..plain }, [[2, 4, 2, 2], [2, 2, 2, 1], [2, 2, 1, 2]]),
        (Window { padding: [1, 1], ..plain }, [[1, 1, 1, 1], [2, 1, 3, 3], [1, 2, 1, 1]]),
    ]
}

/// The case as a program; its output is multiplied by itself where that makes second derivatives.
fn program(case: &Case) -> Program {
    let mut b = Builder::new(case.file);
    let inputs: Vec<Value> = case
        .shapes
        .iter()
        .enumerate()
        .map(|(i, shape)| b.input(format!("x{i}"), Type::new(F, shape.clone())))
        .collect();
    let y = (case.build)(&mut b, &inputs);
    b.output("y", y);
    b.finish()
}

fn point(case: &Case, seed: u64) -> Vec<Vec<f64>> {
    let element = |i: usize, j: usize| Stream::new(key(seed), i as u32).normal(0, j as u64, F);
    case.shapes.iter().enumerate().map(|(i, shape)| (0..shape.numel()).map(|j| element(i, j)).collect()).collect()
}

#[test]
fn every_file_has_a_case() {
    let files: BTreeSet<String> = std::path::Path::new(file!())
        .parent()
        .expect("this file lies in a folder")
        .read_dir()
        .expect("the folder of this file is there")
        .filter_map(|entry| {
            entry.expect("a folder can be read").file_name().to_string_lossy().strip_suffix(".rs").map(str::to_owned)
        })
        .filter(|name| !["mod", "rule", "tests"].contains(&name.as_str()) && !UNDIFFERENTIABLE.contains(&name.as_str()))
        .collect();
    let covered: BTreeSet<String> = cases().iter().map(|case| case.file.to_owned()).collect();
    assert_eq!(files, covered);
}

#[test]
fn derivatives_are_those_of_differences() {
    for case in cases() {
        let program = program(&case);
        verify(&program).expect("a case is well formed");
        for seed in 0..3 {
            for comparison in gradcheck(&program, 0, &point(&case, seed), seed) {
                assert!(comparison.agrees(), "{}: {comparison:?}\n{program}", case.file);
                assert!(comparison.tolerance < 1e-4, "{}: {comparison:?}\n{program}", case.file);
            }
        }
    }
}

/// The gradient of `½‖y‖²`, differentiated once more, both ways. Its program is verified too.
#[test]
fn second_derivatives_are_those_of_differences() {
    for case in cases() {
        let mut program = program(&case);
        let mut b = Builder::new("gradient");
        let inputs: Vec<Value> =
            program.inputs.iter().map(|input| b.input(input.name.clone(), program.ty(input.value).clone())).collect();
        let y = b.inline(&program, &inputs)[0];
        let gradient = vjp(&mut b, y, y, &inputs);
        for (i, &part) in gradient.iter().enumerate() {
            b.output(format!("g{i}"), part);
        }
        program = b.finish();
        verify(&program).unwrap_or_else(|error| panic!("{error}\n{program}"));
        for output in 0..program.outputs.len() {
            for comparison in gradcheck(&program, output, &point(&case, 5), 5) {
                assert!(comparison.agrees(), "output {output} of {}: {comparison:?}\n{program}", case.file);
            }
        }
    }
}

fn run(build: impl FnOnce(&mut Builder) -> Value) -> Vec<f64> {
    let mut b = Builder::new("run");
    let y = build(&mut b);
    interpret(b.program(), &[], Rounding::Outputs).swap_remove(y.index())
}

fn row(b: &mut Builder, x: &[f64]) -> Value {
    let parts = x.iter().map(|&x| {
        let x = b.constant(x, F);
        b.reshape(x, [1])
    });
    let parts = parts.collect();
    b.concat(parts, 0)
}

#[test]
fn reductions_at_their_edges() {
    let reduce = |reducer, x: &[f64]| {
        run(|b| {
            let x = row(b, x);
            b.reduce(reducer, x, vec![0])
        })[0]
    };
    let (inf, nan) = (f64::INFINITY, f64::NAN);
    assert_eq!(reduce(Reducer::LogSumExp, &[1e4, 1e4]), 1e4 + 2f64.ln());
    assert_eq!(reduce(Reducer::LogSumExp, &[-1e4, -1e4]), -1e4 + 2f64.ln());
    assert_eq!(reduce(Reducer::LogSumExp, &[-inf, -inf]), -inf);
    assert_eq!(reduce(Reducer::LogSumExp, &[-inf, 3.0]), 3.0);
    assert_eq!(reduce(Reducer::LogSumExp, &[inf, 3.0]), inf);
    assert_eq!(reduce(Reducer::Norm2, &[3e300, 4e300]), 5e300);
    assert_eq!(reduce(Reducer::Norm2, &[3e-300, 4e-300]), 5e-300);
    assert_eq!(reduce(Reducer::Norm2, &[0.0, -0.0]), 0.0);
    for reducer in [Reducer::Sum, Reducer::Max, Reducer::Min, Reducer::LogSumExp, Reducer::Norm2] {
        for x in [[nan, 1.0, 2.0], [1.0, nan, 2.0], [2.0, 1.0, nan]] {
            assert!(reduce(reducer, &x).is_nan(), "{reducer:?} of {x:?}");
        }
    }
}

#[test]
fn slopes_of_reductions_at_ties_and_at_zero() {
    let slopes = |reducer, x: &[f64]| {
        run(|b| {
            let x = row(b, x);
            let y = b.reduce(reducer, x, vec![0]);
            crate::tape::gradient(b, y, &[x])[0]
        })
    };
    assert_eq!(slopes(Reducer::Max, &[2.0, 1.0, 2.0]), [0.5, 0.0, 0.5]);
    assert_eq!(slopes(Reducer::Min, &[2.0, 1.0, 2.0]), [0.0, 1.0, 0.0]);
    assert_eq!(slopes(Reducer::Norm2, &[0.0, 0.0]), [0.0, 0.0]);
    assert_eq!(slopes(Reducer::LogSumExp, &[1e4, 0.0]), [1.0, 0.0]);
}

#[test]
fn values_of_data_movement() {
    let argmax = |x: &[f64]| {
        run(|b| {
            let x = row(b, x);
            b.push(Op::ArgMax, vec![x], Type::new(Dtype::Index, []))
        })[0]
    };
    assert_eq!((argmax(&[1.0, 3.0, 3.0]), argmax(&[5.0, f64::NAN, 7.0])), (1.0, 1.0));
    let gathered = run(|b| {
        let x = row(b, &[10.0, 11.0, 12.0]);
        let at = indices(b, 3, 2.0, 0.0);
        b.gather(x, at)
    });
    assert_eq!(gathered[..2], [10.0, 12.0]);
    assert!(gathered[2].is_nan(), "a row past the end");
    let scattered = run(|b| {
        let x = row(b, &[10.0, 11.0, 12.0]);
        let at = indices(b, 3, 2.0, 0.0);
        b.push(Op::ScatterAdd, vec![at, x], Type::new(F, [3]))
    });
    assert_eq!(scattered, [10.0, 0.0, 11.0], "a row past the end");
    let cast = |x: f64| {
        run(|b| {
            let x = b.constant(x, F);
            b.cast(x, Dtype::Index)
        })[0]
    };
    assert_eq!((cast(2.9), cast(-3.0), cast(1e12), cast(f64::NAN)), (2.0, 0.0, u32::MAX.into(), 0.0));
    assert_eq!(
        run(|b| {
            let x = row(b, &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
            let x = b.reshape(x, [2, 3]);
            let x = b.transpose(x);
            b.slice(x, vec![range(0, 2, 2), range(1, 1, 1)])
        }),
        [3.0, 5.0]
    );
}

/// The example of PyTorch's own documentation of `conv2d` is too large to print; this one is done by hand.
#[test]
fn convolutions_by_hand() {
    let conv = |part, window, [a, b]: [(&[f64], [usize; 4]); 2], ty: [usize; 4]| {
        run(|builder| {
            let [a, b] = [a, b].map(|(x, shape)| {
                let x = row(builder, x);
                builder.reshape(x, shape)
            });
            builder.push(Op::Conv { part, window }, vec![a, b], Type::new(F, ty))
        })
    };
    let window = Window { stride: [2, 1], padding: [1, 0], dilation: [1, 1], groups: 1 };
    // A margin of a row of zeros stands above 1 2 3 / 4 5 6 and below; the kernel steps by two rows.
    let x: (&[f64], _) = (&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [1, 1, 2, 3]);
    let w: (&[f64], _) = (&[1.0, 10.0, 100.0, 1000.0], [1, 1, 2, 2]);
    let y: (&[f64], _) = (&[1.0, 2.0, 3.0, 4.0], [1, 1, 2, 2]);
    assert_eq!(conv(ConvPart::Output, window, [x, w], y.1), [2100.0, 3200.0, 54.0, 65.0]);
    assert_eq!(conv(ConvPart::Input, window, [y, w], x.1), [100.0, 1200.0, 2000.0, 3.0, 34.0, 40.0]);
    assert_eq!(conv(ConvPart::Kernel, window, [x, y], w.1), [32.0, 39.0, 5.0, 8.0]);
}

#[test]
fn a_window_counts_its_positions() {
    let window = Window { stride: [2, 3], padding: [1, 0], dilation: [1, 2], groups: 1 };
    assert_eq!((window.positions(0, 5, 2), window.positions(1, 9, 3)), (3, 2));
    assert_eq!((window.positions(0, 0, 4), window.positions(1, 4, 3)), (0, 0), "it does not fit");
    assert_eq!((window.extent(0, 3, 2), window.extent(1, 2, 3)), (Some(4), Some(8)), "the least that fit");
    assert_eq!((window.extent(0, 1, 2), window.extent(0, 0, 2)), (None, None), "nothing is left between the margins");
}

#[test]
fn a_sparse_system_by_hand() {
    let solved = |values: &[f64]| {
        run(|b| {
            let symbolic = arrow();
            let values = row(b, values);
            let factor =
                b.push(Op::SparseFactor(symbolic.clone()), vec![values], Type::new(F, [symbolic.factor_len()]));
            let rhs = row(b, &[1.0, 0.0, 2.0]);
            b.push(Op::SparseSolve(symbolic), vec![factor, rhs], Type::new(F, [3]))
        })
    };
    // [2 0 1; 0 1 0; 1 0 −1] x = [1, 0, 2]
    assert_eq!(solved(&[2.0, 1.0, 1.0, 0.0, -1.0]), [1.0, 0.0, -1.0]);
    for wrong in [[-2.0, 1.0, 1.0, 0.0, -1.0], [2.0, 1.0, 1.0, 0.0, 1.0], [0.0, 1.0, 1.0, 0.0, -1.0]] {
        assert!(solved(&wrong).iter().all(|x| x.is_nan()), "{wrong:?} has pivots of other signs");
    }
}

#[test]
fn grids_by_hand() {
    let of = |transform, inverse, x: &[f64], extents: [usize; 2]| {
        run(|b| {
            let x = row(b, x);
            let x = b.reshape(x, extents);
            let ty = b.ty(x).clone();
            b.push(Op::Grid { transform, inverse }, vec![x], ty)
        })
    };
    let near = |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(a, b)| (a - b).abs() <= 8.0 * f64::EPSILON);
    let half = 0.5f64.sqrt();
    // Constants are the first coefficient, here 3·√4.
    assert!(near(&of(Transform::Cosine, false, &[3.0; 4], [2, 2]), &[6.0, 0.0, 0.0, 0.0]));
    assert!(near(&of(Transform::Cosine, false, &[1.0, -1.0], [1, 2]), &[0.0, 2.0 * half]));
    assert!(near(&of(Transform::Cosine, true, &[0.0, 2.0 * half], [1, 2]), &[1.0, -1.0]));
    // cos + sin of a quarter turn, and of three.
    assert!(near(&of(Transform::Hartley, false, &[0.0, 2.0, 0.0, 0.0], [1, 4]), &[1.0, 1.0, -1.0, -1.0]));
    assert!(near(&of(Transform::Hartley, false, &[0.0, 2.0, 0.0, 0.0], [2, 2]), &[1.0, -1.0, 1.0, -1.0]));
}

#[test]
fn sorted_rows_and_running_sums() {
    let (inf, nan) = (f64::INFINITY, f64::NAN);
    let sorted = |x: &[f64]| {
        run(|b| {
            let x = row(b, x);
            b.sort(x)
        })
    };
    let at = |x: &[f64]| {
        run(|b| {
            let x = row(b, x);
            b.argsort(x)
        })
    };
    assert_eq!(sorted(&[3.0, -inf, 1.0, inf, 1.0]), [-inf, 1.0, 1.0, 3.0, inf]);
    assert_eq!(at(&[3.0, -inf, 1.0, inf, 1.0]), [1.0, 2.0, 4.0, 0.0, 3.0], "equal elements keep their order");
    assert_eq!(sorted(&[nan, 2.0, -nan, 1.0])[..2], [1.0, 2.0]);
    assert!(sorted(&[nan, 2.0, -nan, 1.0])[2..].iter().all(|x| x.is_nan()));
    assert_eq!(at(&[nan, 2.0, -nan, 1.0]), [3.0, 1.0, 0.0, 2.0], "NaN last, one like another");
    let sums = |reverse: bool, x: &[f64]| {
        run(|b| {
            let x = row(b, x);
            let ty = b.ty(x).clone();
            b.push(Op::CumSum { reverse }, vec![x], ty)
        })
    };
    assert_eq!(sums(false, &[1.0, 2.0, 3.0]), [1.0, 3.0, 6.0]);
    assert_eq!(sums(true, &[1.0, 2.0, 3.0]), [6.0, 5.0, 3.0]);
    assert_eq!(sums(false, &[1e16, 1.0, 1.0, -1e16]), [1e16, 1e16, 1e16 + 2.0, 2.0], "what is lost is kept");
    assert_eq!(sums(false, &[1.0, inf, 2.0])[1..], [inf, inf]);
    assert!(sums(false, &[1.0, nan, 2.0])[1..].iter().all(|x| x.is_nan()));
    let overflow = sums(false, &[f64::MAX, f64::MAX, -inf]);
    assert!(overflow[1] == inf && overflow[2].is_nan(), "{overflow:?}");
}

#[test]
fn loops() {
    // Halves until below 1, in every lane by itself: a lane that has stopped is left alone.
    let halved = run(|b| {
        let x = row(b, &[8.0, 3.0, 0.5, f64::NAN]);
        let half = b.constant(0.5, F);
        b.iterate_lanes("halve", &[x], &[half], 10, |b, state, fixed| {
            let next = b.mul(state[0], fixed[0]);
            let one = b.constant(1.0, F);
            let done = b.binary(Binary::Less, next, one);
            (vec![next], done)
        })
    });
    assert_eq!(halved[..3], [0.5, 0.75, 0.25]);
    assert!(halved[3].is_nan());
    // Until their sum is below 1, all of them; and no more often than it says.
    let whole = |count: usize| {
        run(|b| {
            let x = row(b, &[8.0, 3.0]);
            b.iterate_whole("halve", &[x], &[], count, |b, state, _| {
                let next = b.scale(0.5, state[0]);
                let sum = b.sum(next);
                let one = b.constant(1.0, F);
                let done = b.binary(Binary::Less, sum, one);
                (vec![next], done)
            })
        })
    };
    assert_eq!(whole(10), [0.5, 0.1875]);
    assert_eq!(whole(2), [2.0, 0.75]);
}

#[test]
fn loops_are_verified_and_printed() {
    let mut b = Builder::new("p");
    let x = b.input("x", Type::new(F, [3]));
    let y = b.iterate_lanes("twice", &[x], &[], 2, |b, state, _| {
        let next = b.scale(2.0, state[0]);
        (vec![next], b.constant(0.0, F))
    });
    b.output("y", y);
    let program = b.finish();
    expect_test::expect![[r#"
        program p(%0 x: f64[3]) {
          %1: f64[3] = iterate %0 carrying 1 up to 2 times
            program twice(%0 x0: f64) {
              %1: f64 = const 2.0
              %2: f64 = mul %1, %0
              %3: f64 = const 0.0
              return x0 = %2, done = %3
            }
          return y = %1
        }
    "#]]
    .assert_eq(&program.to_string());
    verify(&program).expect("the program is well formed");
    let broken = |change: fn(&mut super::Iteration)| {
        let mut program = program.clone();
        let Op::Iterate(iteration) = &mut program.insts[1].op else { unreachable!("the instruction is a loop") };
        change(iteration);
        verify(&program).expect_err("the break is seen")
    };
    let reasons = [
        broken(|it| it.carried = 0),
        broken(|it| it.body.outputs.truncate(1)),
        broken(|it| it.body.insts[2].ty.dtype = Dtype::F32),
        broken(|it| it.body.insts[0].ty.dtype = Dtype::F32),
        broken(|it| it.body.insts.iter_mut().for_each(|inst| inst.ty.shape = Shape::vector(2))),
    ];
    let reasons: Vec<&str> = reasons.iter().map(|reason| reason.rsplit('}').next().unwrap_or(reason)).collect();
    expect_test::expect![[r#"
        : 0 carried of 1
        : 1 results for 1 carried
        : twice: %2: f32 = mul %1, %0: gives f64, not f32
        : twice: %2: f64 = mul %1, %0: operands differ: f64 and f32
        : twice: %1: f64[2] = const 2.0: a constant is a scalar, not f64[2]"#]]
    .assert_eq(&reasons.join("\n"));
}

#[test]
fn isotonic_regression() {
    let fit = |v: &[f64], w: &[f64]| {
        run(|b| {
            let (v, w) = (row(b, v), row(b, w));
            b.isotonic(v, w)
        })
    };
    assert_eq!(fit(&[1.0, 3.0, 2.0, 4.0], &[1.0; 4]), [1.0, 2.5, 2.5, 4.0]);
    assert_eq!(fit(&[4.0, 3.0, 2.0], &[1.0, 1.0, 2.0]), [2.75; 3]);
    assert_eq!(fit(&[2.0, 2.0, 3.0], &[1.0; 3]), [2.0, 2.0, 3.0]);
    assert_eq!(fit(&[5.0, 1.0, 3.0], &[0.0, 1.0, 0.0]), [1.0, 1.0, 3.0], "a weight of 0 gives way");
    assert_eq!(fit(&[5.0, 1.0], &[0.0, 0.0]), [3.0; 2], "weights of 0 count alike");
    for (v, w) in [([1.0, f64::NAN], [1.0; 2]), ([1.0, 2.0], [1.0, -1.0]), ([1.0, 2.0], [f64::NAN, 1.0])] {
        assert!(fit(&v, &w).iter().all(|x| x.is_nan()), "{v:?} {w:?}");
    }
}

/// Whether `x` is the proximal step of `t·Σ│xᵢ₊₁ − xᵢ│` at `v`: the running sums `u` of `v − x` are within
/// `t` of 0, end at 0, and are `±t` where `x` falls or rises (`u = −t` where it rises).
fn assert_step_of_total_variation(x: &[f64], v: &[f64], t: f64, eps: f64) {
    let scale: f64 = v.iter().map(|v| v.abs()).sum::<f64>() + t.min(1e9);
    let tolerance = 8.0 * eps * scale * (v.len() as f64).sqrt();
    let mut u = 0.0;
    for i in 0..v.len() {
        u += v[i] - x[i];
        let Some(next) = x.get(i + 1) else { break };
        assert!(u.abs() <= t + tolerance, "{i}: {u} beyond {t}: {x:?} of {v:?}");
        let jump = next - x[i];
        if jump.abs() > tolerance {
            assert!((u + t * jump.signum()).abs() <= tolerance, "{i}: {u} at a jump of {jump}: {x:?} of {v:?}");
        }
    }
    assert!(u.abs() <= tolerance, "ends at {u}: {x:?} of {v:?}");
}

#[test]
fn taut_strings() {
    let step = |v: &[f64], t: f64| {
        run(|b| {
            let v = row(b, v);
            let t = b.constant(t, F);
            b.taut_string(v, t)
        })
    };
    assert_eq!(step(&[0.0, 4.0], 1.0), [1.0, 3.0]);
    assert_eq!(step(&[0.0, 4.0], 5.0), [2.0, 2.0]);
    assert_eq!(step(&[0.0, 4.0], f64::INFINITY), [2.0, 2.0]);
    assert_eq!(step(&[3.0, -1.0, 7.0], 0.0), [3.0, -1.0, 7.0]);
    assert_eq!(step(&[5.0], 2.0), [5.0]);
    assert_eq!(step(&[0.0, 6.0, 0.0], 1.0), [1.0, 4.0, 1.0]);
    for (v, t) in [([1.0, f64::NAN], 1.0), ([f64::INFINITY, 0.0], 1.0), ([1.0, 2.0], -1.0), ([1.0, 2.0], f64::NAN)] {
        assert!(step(&v, t).iter().all(|x| x.is_nan()), "{v:?} {t}");
    }
    for seed in 0..200 {
        let stream = Stream::new(key(seed), 3);
        let n = 1 + (seed as usize * 7) % 40;
        // Ties in every third; steps of a staircase in every fourth.
        let element = |j: usize| {
            let x = 3.0 * stream.normal(0, j as u64, F) + if seed % 4 == 0 { (j / 5) as f64 } else { 0.0 };
            if seed % 3 == 0 { x.round() } else { x }
        };
        let v: Vec<f64> = (0..n).map(element).collect();
        for t in [1e-3, 0.3, 1.0, 4.0, 30.0] {
            assert_step_of_total_variation(&step(&v, t), &v, t, f64::EPSILON);
        }
    }
}

#[test]
fn symmetric_matrices() {
    let matrix = [2.0, 1.0, 1.0, 2.0];
    let apply = |op: Op, shape: &[usize], x: &[f64]| {
        run(|b| {
            let x = row(b, x);
            let x = b.reshape(x, [2, 2]);
            b.push(op, vec![x], Type::new(F, Shape(shape.to_vec())))
        })
    };
    let close = |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-14);
    assert!(close(&apply(Op::SymmetricEigenvalues, &[2], &matrix), &[1.0, 3.0]));
    let root = apply(Op::PsdSqrt, &[2, 2], &matrix);
    let square = |i: usize, j: usize| root[2 * i] * root[j] + root[2 * i + 1] * root[2 + j];
    assert!(close(&[square(0, 0), square(0, 1), square(1, 0), square(1, 1)], &matrix));
    assert!(close(&apply(Op::PsdSqrt, &[2, 2], &[-4.0, 0.0, 0.0, 9.0]), &[0.0, 0.0, 0.0, 3.0]));
    assert!(apply(Op::Cholesky, &[2, 2], &[1.0, 2.0, 2.0, 1.0]).iter().all(|x| x.is_nan()), "not definite");
    // The eigenvalues of the tridiagonal matrix of second differences are 2 − 2cos(kπ/(n+1)).
    let n = 20usize;
    let tridiagonal: Vec<f64> = (0..n * n)
        .map(|at| match (at / n).abs_diff(at % n) {
            0 => 2.0,
            1 => -1.0,
            _ => 0.0,
        })
        .collect();
    let operand = Operand { ty: &Type::new(F, [n, n]), x: &tridiagonal };
    let values = Op::SymmetricEigenvalues.rule().eval(&[operand], &Type::new(F, [n]));
    for (k, value) in values.iter().enumerate() {
        let expected = 2.0 - 2.0 * ((k + 1) as f64 * std::f64::consts::PI / (n + 1) as f64).cos();
        assert!((value - expected).abs() < 1e-13, "{value} for {expected}");
    }
}

#[test]
fn eigenvectors_and_singular_vectors() {
    // Definite, indefinite, repeated, of rank 1, zero, of order 1.
    let symmetric: [(usize, &[f64]); 6] = [
        (3, &[4.0, 1.0, 0.5, 1.0, 3.0, -1.0, 0.5, -1.0, 2.0]),
        (2, &[0.0, 3.0, 3.0, 0.0]),
        (3, &[2.0, 0.0, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0, 2.0]),
        (3, &[1.0, 2.0, 3.0, 2.0, 4.0, 6.0, 3.0, 6.0, 9.0]),
        (2, &[0.0; 4]),
        (1, &[-5.0]),
    ];
    for (n, a) in symmetric {
        let y = run(|b| {
            let a = row(b, a);
            let a = b.reshape(a, [n, n]);
            let (values, vectors) = b.symmetric_eigen(a);
            let values = b.reshape(values, [1, n]);
            b.concat(vec![values, vectors], 0)
        });
        let (values, vectors) = y.split_at(n);
        assert!(values.is_sorted(), "{values:?}");
        assert_orthonormal(vectors, n, n);
        assert_product(vectors, values, vectors, n, n, a);
    }
    // Tall, wide, square, of rank 1, with a repeated value, zero, tiny and huge.
    let any: [(usize, usize, &[f64]); 9] = [
        (3, 2, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]),
        (2, 3, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]),
        (2, 2, &[0.0, -2.0, 2.0, 0.0]),
        (3, 3, &[1.0, 2.0, 3.0, 2.0, 4.0, 6.0, -1.0, -2.0, -3.0]),
        (3, 2, &[1.0, 1.0, 1.0, 1.0, 1.0, 1.0]),
        (2, 3, &[0.0; 6]),
        (1, 1, &[-3.0]),
        (2, 2, &[3e-300, 1e-300, -1e-300, 2e-300]),
        (2, 2, &[3e300, 1e300, -1e300, 2e300]),
    ];
    for (m, n, a) in any {
        let k = m.min(n);
        let y = run(|b| {
            let a = row(b, a);
            let a = b.reshape(a, [m, n]);
            let (u, s, v) = b.svd(a);
            let s = b.reshape(s, [1, k]);
            b.concat(vec![s, u, v], 0)
        });
        let (s, vectors) = y.split_at(k);
        let (u, v) = vectors.split_at(m * k);
        assert!(s.is_sorted_by(|a, b| a >= b) && s[k - 1] >= 0.0, "{s:?}");
        assert_orthonormal(u, m, k);
        assert_orthonormal(v, n, k);
        assert_product(u, s, v, m, n, a);
    }
    let nan = run(|b| {
        let a = row(b, &[1.0, f64::NAN, f64::NAN, 1.0]);
        let a = b.reshape(a, [2, 2]);
        let (u, s, v) = b.svd(a);
        let (values, vectors) = b.symmetric_eigen(a);
        let (s, values) = (b.reshape(s, [1, 2]), b.reshape(values, [1, 2]));
        b.concat(vec![s, u, v, values, vectors], 0)
    });
    assert!(nan.iter().all(|x| x.is_nan()), "{nan:?}");
}

/// Columns of an `m × k` matrix, to roundings.
fn assert_orthonormal(vectors: &[f64], m: usize, k: usize) {
    for i in 0..k {
        for j in 0..k {
            let dot: f64 = (0..m).map(|row| vectors[row * k + i] * vectors[row * k + j]).sum();
            assert!((dot - f64::from(i == j)).abs() < 1e-14, "{i}, {j}: {dot} in {vectors:?}");
        }
    }
}

/// `A = U diag(s) Vᵀ`, to roundings of its greatest entry.
fn assert_product(u: &[f64], s: &[f64], v: &[f64], m: usize, n: usize, a: &[f64]) {
    let most = a.iter().fold(0.0f64, |most, x| most.max(x.abs()));
    for i in 0..m {
        for j in 0..n {
            let k = s.len();
            let sum: f64 = (0..k).map(|l| u[i * k + l] * s[l] * v[j * k + l]).sum();
            assert!((sum - a[i * n + j]).abs() <= 1e-14 * most, "{sum} for {} at {i}, {j}", a[i * n + j]);
        }
    }
}

#[test]
fn what_has_no_derivative_says_so_and_gives_nan() {
    let mut b = Builder::new("spectrum");
    let a = b.input("a", Type::new(F, [2, 2]));
    let values = b.push(Op::SymmetricEigenvalues, vec![a], Type::new(F, [2]));
    let sum = b.sum(values);
    assert_eq!(undifferentiable(b.program(), sum, &[a]), Some(values));
    let other = b.sum(a);
    assert_eq!(undifferentiable(b.program(), other, &[a]), None);
    let gradient = crate::tape::gradient(&mut b, sum, &[a])[0];
    let values = interpret(b.program(), &[vec![1.0; 4]], Rounding::Outputs);
    assert!(values[gradient.index()].iter().all(|x| x.is_nan()));
}
