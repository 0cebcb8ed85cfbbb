//! What is known to be convex: by how it is composed, and never what is not.

use std::path::Path;

use admmc::data::Memory;
use admmc::model::ir::{Leaf, PlayerId};
use admmc::model::{Lower, evaluate};
use admmc::split::atoms::is_convex;
use admmc::tape::philox::{self, Stream};
use admmc::tape::{Dtype, Tensor};

use crate::compile::model;

const HEAD: &str = "
let A = [1, -2; 0.5, 3; -1, 0.25]
let d = [2; 0.5]
var x: real[2]
minimize ";

/// Numbers of x.
const N: usize = 2;

fn known(objective: &str) -> bool {
    let model = model(Path::new("test.admm"), &format!("{HEAD}{objective}\n"), &Memory::default());
    (0..model.players[0].terms.len()).all(|at| is_convex(&model, PlayerId(0), at))
}

#[test]
fn what_is_composed_of_convex_functions_is_convex() {
    let convex = [
        "sum(x.^4)",
        "x[1]^4",
        "sum(exp(A*x))",
        "d'*exp(x)",
        "exp(sum_squares(x))",
        "max(square(x[1]), exp(x[2]))",
        "logsumexp(abs(x))",
        "square(max(x[1], 0))",
        "-sum(log(1 - x))",
        "-sum(sqrt(x + 1))",
        "sum(log(1 + exp(A*x)))",
        "sum(exp(square(x)) - 2*x)",
        "norm2(exp(x))",
        "norm1(A*x - 1) + exp(x[1])",
        "sum(log(1 + exp(square(x))))",
    ];
    for term in convex {
        assert!(known(term), "{term}");
    }
    let others = [
        "sum(x.^3)",
        "x[1]*x[2]",
        "sum(sin(x))",
        "sum(sqrt(abs(x)))",
        "exp(-sum_squares(x))",
        "square(exp(x[1]) - 1)",
        "norm2(exp(x) - 2)",
        "-norm1(x)",
        "d'*exp(x) - 2*sum(exp(x))",
        "min(x[1], x[2]) + square(x[1])",
        "sum(log(1 + exp(-square(x))))",
        "sum(d./(1 + exp(x)))",
        "[1; -1]'*exp(x)",
    ];
    for term in others {
        assert!(!known(term), "{term}");
    }
}

/// Random compositions; of those that count as convex, no chord lies below the function.
#[test]
fn what_counts_as_convex_is_convex() {
    let mut draws = Draws { stream: Stream::new(philox::key(11), 0), drawn: 0 };
    let (mut convex, mut bent) = (0, 0);
    for _ in 0..1500 {
        let term = format!("sum({})", composed(&mut draws, 3));
        let file = format!("{HEAD}{term}\n");
        let model = model(Path::new("test.admm"), &file, &Memory::default());
        let claimed = is_convex(&model, PlayerId(0), 0);
        convex += usize::from(claimed);
        let mut lower = Lower::new(&model, "term", Dtype::F64);
        let value = lower.expr(&model.players[0].terms[0].expr);
        lower.b.output("value", value);
        let (program, leaves) = lower.finish();
        let at = |x: &[f64]| {
            let input = |leaf: &Leaf| match leaf {
                Leaf::Data(id, _) => (*model.data[id.index()].tensor).clone(),
                _ => Tensor::f64([N], x.to_vec()),
            };
            let inputs: Vec<Tensor> = leaves.iter().map(input).collect();
            evaluate(&program, &inputs)[0].to_f64()[0]
        };
        let below = (0..20).any(|_| {
            let [a, b] = [0, 1].map(|_| (0..N).map(|_| draws.normal() * 2.0).collect::<Vec<f64>>());
            let middle: Vec<f64> = a.iter().zip(&b).map(|(a, b)| 0.5 * (a + b)).collect();
            let (chord, value) = (0.5 * (at(&a) + at(&b)), at(&middle));
            // What has no value somewhere says nothing there.
            chord.is_finite() && (value.is_nan() || value - chord > 1e-9 * (1.0 + value.abs().max(chord.abs())))
        });
        bent += usize::from(below);
        assert!(!(claimed && below), "{term}");
    }
    assert!(convex > 150 && bent > 150, "{convex} are known to be convex, and {bent} seen not to be");
}

struct Draws {
    stream: Stream,
    drawn: u64,
}

impl Draws {
    fn below(&mut self, n: usize) -> usize {
        self.drawn += 1;
        (self.stream.uniform(0, self.drawn, Dtype::F64) * n as f64) as usize
    }

    fn normal(&mut self) -> f64 {
        self.drawn += 1;
        self.stream.normal(0, self.drawn, Dtype::F64)
    }
}

/// An expression of the elements of x, of so many levels.
fn composed(draws: &mut Draws, levels: usize) -> String {
    if levels == 0 {
        return ["x", "x", "d.*x", "(1 - x)"][draws.below(4)].to_string();
    }
    let inner = composed(draws, levels - 1);
    match draws.below(15) {
        0 => format!("exp({inner})"),
        1 => format!("log({inner})"),
        2 => format!("sqrt({inner})"),
        3 => format!("square({inner})"),
        4 => format!("abs({inner})"),
        5 => format!("max({inner}, {})", composed(draws, levels - 1)),
        6 => format!("min({inner}, {})", composed(draws, levels - 1)),
        7 => format!("({inner} + {})", composed(draws, levels - 1)),
        8 => format!("({inner} - {})", composed(draws, levels - 1)),
        9 => format!("-{inner}"),
        10 => format!("softplus({inner})"),
        11 => format!("({inner}).^{}", ["2", "3", "4", "0.5", "1.5"][draws.below(5)]),
        12 => format!("log(1 + exp({inner}))"),
        13 => format!("({inner})/{}", ["2", "(-3)"][draws.below(2)]),
        _ => format!("d.*({inner})"),
    }
}
