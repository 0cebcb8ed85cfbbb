//! Sparse matrices through the language: the same numbers as their dense twins, and no zeros stored.

use std::path::Path;

use admmc::data::Memory;
use admmc::exec::Status;
use admmc::model::fold;
use admmc::pipeline::Compiled;
use admmc::tape::Op;

use crate::compile::{compiled_with, execute, model};

/// `S`, 3 × 4 with an empty row, and `P`, symmetric and positive definite.
fn files() -> Memory {
    let general = "%%MatrixMarket matrix coordinate real general\n3 4 4\n1 1 2\n1 4 -1\n3 2 0.5\n3 3 3\n";
    let symmetric =
        "%%MatrixMarket matrix coordinate real symmetric\n4 4 6\n1 1 4\n2 2 3\n3 3 2\n4 4 5\n3 1 1\n4 2 -1\n";
    Memory::default().with("S.mtx", general).with("P.mtx", symmetric)
}

const SPARSE: &str = "data S = mtx(\"S.mtx\")\ndata P = mtx(\"P.mtx\")\n";

const DENSE: &str = "
let S = [2, 0, 0, -1; 0, 0, 0, 0; 0, 0.5, 3, 0]
let P = [4, 0, 1, 0; 0, 3, 0, -1; 1, 0, 2, 0; 0, -1, 0, 5]
";

const KNOWN: &str = "
let x = [1, -2, 3, 0.5]
let y = [2, 7, -1]
let X = [1, 2; 3, 4; 5, 6; 7, 8]
let Y = [1, 0, 2; 0, 1, -1]
";

/// What stays sparse, what is written out, and pieces.
#[test]
fn a_sparse_matrix_has_the_values_of_its_dense_twin() {
    for expression in [
        "sum(S*x) + 10*(S*x)[3]",
        "norm1(S'*y)",
        "sum_squares(S*X) + (S*X)[3, 2]",
        "sum_squares(Y*S) + (Y*S)[2, 3]",
        "y'*S*x",
        "(y'*S)[1, 4]",
        "sum(-S*x) + sum((2*S)*x) + sum((S*3)*x) + sum((S/4)'*y)",
        "quad_form(x, P) + quad_form(x, P/2)",
        "sum((S*P)*x) + sum_squares(S*S')",
        "sum(S) + norm_fro(S) + sum(abs(S)) + sum(S .* S) + sum(S + S)",
        "sum(2*S) + sum(S')",
        "nrows(S) + 10*ncols(S) + 100*numel(S)",
        "sum(S[1, :]) + 10*S[3, 3] + 100*sum(S[:, 4]) + 1000*S[2, 2]",
        "sum(S[2 to 3, 2 to 4]*x[1 to 3]) + sum(S'[4, :]) + sum(S'[1 to 2, :]*y) + sum((2*S)[3, :])",
        "sum(concat(S, S)) + sum(reshape(S, 4, 3)[2, :]) + sum(shard(S, 2, 3))",
        "sum_squares(S[3 to 3, :]) + sum(x'*P)",
    ] {
        let value = |data: &str| {
            let model = model(Path::new("made.admm"), &format!("{data}{KNOWN}minimize {expression}\n"), &files());
            let terms = model.players[0].terms.iter();
            terms
                .map(|term| fold(&model, &term.expr).and_then(|value| value.item()).expect("all of it is known"))
                .sum::<f64>()
        };
        let (found, expected) = (value(SPARSE), value(DENSE));
        assert!((found - expected).abs() <= 1e-13 * (1.0 + expected.abs()), "{expression}: {found}, dense {expected}");
    }
}

/// On the tape there is a sparse product, and no tensor of as many elements as the matrix has places.
fn assert_sparse(compiled: &Compiled, places: usize) {
    let programs = &compiled.schedule.programs;
    let all = || programs.iter().flat_map(|program| &program.insts);
    assert!(all().any(|inst| matches!(inst.op, Op::SparseMatVec { .. })), "a sparse product is somewhere");
    assert!(all().all(|inst| inst.ty.shape.numel() < places), "no tensor has {places} elements");
}

#[test]
fn problems_with_sparse_data_have_the_solutions_of_their_dense_twins() {
    for problem in [
        "var x, z: real[4]\nminimize sum_squares(S*x - [1, 2, 3])/2 + 0.1*sum_squares(z)\nsubject to x - z = 0\n",
        "var x, z: real[4]\nminimize quad_form(x, P)/2 + [1, -1, 2, 0.5]'*x + sum_squares(z - 1)\nsubject to x - z = 0\n",
        "var x: real[4]\nvar z: real[3]\nminimize sum_squares(x - [1, 2, 3, 4]) + norm1(z)\nsubject to S*x - z = 0\n",
        "var X, Z: real[4, 2]\nminimize sum_squares(S*X - 1) + sum_squares(Z - 2)/3\nsubject to X - Z = 0\n",
    ] {
        let text = |data: &str| format!("{data}{problem}solve admm {{ tol = 1e-9, iterations = 5000 }}\n");
        let [sparse, dense] = [SPARSE, DENSE].map(|data| {
            let outcome = execute(&compiled_with(&text(data), &files()));
            assert_eq!(outcome.status, Status::Solved, "{problem}: {outcome:?}");
            outcome
        });
        for (a, b) in sparse.answers.iter().zip(&dense.answers) {
            for (x, y) in a.tensor.to_f64().into_iter().zip(b.tensor.to_f64()) {
                assert!((x - y).abs() < 1e-6, "{problem}{}: {x}, dense {y}", a.name);
            }
        }
    }
}

/// Second differences of 50 000 points: 2.5·10⁹ places, of which three in a row are entries. Dense it would
/// take 20 GB.
#[test]
fn a_large_sparse_problem_is_solved() {
    const N: usize = 50_000;
    let mut text = format!("%%MatrixMarket matrix coordinate real symmetric\n{N} {N} {}\n", 2 * N - 1);
    for i in 1..=N {
        text += &format!("{i} {i} 2\n");
        if i < N {
            text += &format!("{} {i} -1\n", i + 1);
        }
    }
    let files = Memory::default().with("D.mtx", text);
    let problem = format!(
        "data D: real[{N}, {N}] = mtx(\"D.mtx\")\nvar x: real[{N}]\n\
         minimize quad_form(x, D)/2 + sum(x) + sum_squares(x)\nsolve lbfgs {{ tol = 1e-6 }}\n"
    );
    let compiled = compiled_with(&problem, &files);
    assert_sparse(&compiled, 100 * N);
    let outcome = execute(&compiled);
    assert!(matches!(outcome.status, Status::Solved | Status::Stationary), "{:?}", outcome.status);
    // (D + 2I)x = −1 far from the ends, where Dx = 0.
    let x = outcome.answer("x").expect("it is a variable").to_f64();
    assert!((x[N / 2] + 0.5).abs() < 1e-4, "{}", x[N / 2]);
}
