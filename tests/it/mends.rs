//! Repairs: each is applied to the text, and what comes out is checked and run.

use std::path::Path;

use admmc::data::{Files, Memory};
use admmc::diag::{Fix, fix};
use admmc::exec::Status;
use admmc::model::Inputs;
use admmc::pipeline::{self, Parsed};
use expect_test::{Expect, expect};

use crate::compile::{compiled_with, drawn, execute};

/// A text with all its solve blocks checked.
fn checked(text: &str, files: &dyn Files) -> Parsed {
    let mut parsed = pipeline::parse_text(Path::new("test.admm"), text, files);
    if !parsed.diags.has_errors() {
        pipeline::check_all(&mut parsed, &Inputs::new(files));
    }
    parsed
}

/// The text after one round of `admmc check --fix`.
fn round(parsed: &Parsed) -> String {
    let fixes: Vec<Fix> = parsed.diags.iter().filter_map(|diag| diag.fix.clone()).collect();
    let (id, file) = parsed.sources.iter().next().expect("there is a file");
    fix::apply(&fixes, id, &file.text)
}

#[test]
fn lab() {
    for text in [LAB5, LAB6, LAB7, LAB12, LAB13, LAB14, LAB15, LAB16] {
        let mut text = text.to_string();
        for _ in 0..4 {
            let files = Memory::default();
            let parsed = checked(&text, &files);
            println!("{text}-----\n{}", drawn(&parsed));
            let next = round(&parsed);
            if next == text {
                break;
            }
            text = next;
        }
        println!("=========");
    }
}

const LAB1: &str = "
var x, z: real[3]
minimize sum_squares(x - 1) + sum_squares(x - 2*z) + sum_squares(z)
subject to link: x - z = 0
solve admm { rho = 1 }
";
const LAB2: &str = "
var x: real[3]  # the first
var z, w: real[3]
minimize fit: sum_squares(x - 1)
    + both: sum_squares(x - 2*(z)) + more: norm1(z - x + w) # costs
    + sum_squares(z)   # the end
subject to
    link: x - z = 0  # a copy
    other: w - x = 0 # another
split x | z, w
solve admm { rho = 1 }
";
const LAB3: &str = "
let a = [1, 1, 1]
let b = [1, 1, 2]
let c = [1, 2, 2]
var x1, x2, x3: real
minimize 0
subject to a*x1 + b*x2 + c*x3 = [2, 5, 3]
";
const LAB4: &str = "
let A = [1, 1, 1; 1, 1, 2; 1, 2, 2]
var x, y, w: real[3]
minimize norm1(x) + norm2(y) + norm1(w)
subject to A*x + y - A'*w = [2, 5, 3]
solve admm { rho = 1 }
";
const LAB5: &str = "
var x, y, z: real[3]
minimize sum_squares(x - 1) + sum_squares(y) + sum_squares(z + 1)
subject to
    a: x - y = 0
    b: y - z = 0
    c: x - z = 0
solve admm { rho = 1 }
";
const LAB6: &str = "
let X = normal(20, 3, seed = 1)
let y = sign(X[:, 1])
var x: real[3]
var z: real[2]
let D = [1, -1, 0; 0, 1, -1]
minimize logistic(y, X*x) + norm1(x) + norm1(D*x) + sum_squares(z)
subject to D*x - z = 0
solve admm { rho = 1, x_step = lbfgs(steps = 5) }
";
const LAB7: &str = "
let A = [1, 2; 3, 4; 5, 6]
var x, z: real[2]
minimize sum_squares(A*x - 1) + norm1(A*x) + sum_squares(z)
subject to x - z = 0, norm2(x) <= 1
split x | z
";
const LAB8: &str = "
let A = normal(8, 2, seed = 1)
var w[i in 1 to 4]: real[2]
var u[i in 1 to 4]: real[2], init = 1
minimize sum(i in 1 to 4: sum_squares(A*w[i] - 1) + sum_squares(w[i] - u[i])) + sum(i in 1 to 4: norm1(u[i]))
subject to
    tie[i in 1 to 4]: w[i] - u[i] = 0
split w | u
";
const LAB9: &str = "
net D(θ): 3 -> dense 4 tanh -> dense 1
let X = normal(20, 3, seed = 1)
let y = X[:, 1]
player p {
    var θ1, θ2: params(D)
    minimize mse(D(X; θ1), y) + 0.1*sum_squares(θ1 - θ2) + 0.1*norm1(weights(θ2))
    subject to θ1 - θ2 = 0
    split θ1 | θ2
}
solve play as game {
    repeat 10 times { admm p { rho = 1 } }
}
";
const LAB10: &str = "
let b = [1, 2, 3]
var x, z: real[3]
let r = x - z
minimize sum_squares(x - b) + sum_squares(r) + norm1(z)
subject to x - z = 0
";
const LAB11: &str = "
let A = [1, 2; 3, 4; 5, 6]
var x: real[2]
var z: real[2]
minimize sum_squares(A*x - 1) + sum_squares(A*(x - z))
split x | z
";

const LAB12: &str = "
net D(θ): 3 -> dense 4 tanh -> dense 1
let X = normal(20, 3, seed = 1)
let y = X[:, 1]
sample (Xb, yb) ~ draw(X, y) batch 5
player p {
    var θ1, θ2: params(D)
    minimize
        fit: mse(D(Xb; θ1), yb) +
        thin: 0.1*norm1(weights(θ1))
        + 0.1*sum_squares(θ2)
    subject to
        θ1 - θ2 = 0
}
solve play as game {
    repeat 10 times { admm p { rho = 1, x_step = adam(rate = 0.1) } }
}
";
const LAB13: &str = "
let X = normal(20, 3, seed = 1)
let y = sign(X[:, 1])
var x, z: real[3]
minimize logistic(y, X*x) + norm1(z)
subject to x - z = 0
x in simplex
split x | z
";
const LAB14: &str = "
var x, y, z: real[3]
minimize sum_squares(x - 1) + sum_squares(y) + sum_squares(z + 1)
    + 2*norm1(y) + norm_inf(x)
subject to
    a: x - y = 0
    b: y - z = 0
    c: x - z = 0
solve admm { rho = 1 }
";
const LAB15: &str = "
var x, z: real[3]
let b = [1, 2, 3]
minimize sum_squares(x - b) + norm1(x) + norm1(z)
subject to x - z = 0, 0 <= z <= 1
norm1(z) <= 0.5
split x | z
solve admm { rho = 1 }
";
const LAB16: &str = "
var x, y, z: real[3]
let b = [1, 2, 3]
minimize sum_squares(x - b) + norm1(y - z) + norm1(z)
subject to x - z + y = 0,
           2*x - z = 1
solve admm { rho = 1 }
";
