//! Objective and violation of each family of problems, computed from the variables by the book.
//!
//! The violation is the greatest over the constraints of `excess/(1 + |right-hand side|)`.

use super::arrays::Array;

/// What a family reads: data, parameters, and the variables to be judged.
pub trait Read {
    fn data(&self, name: &str) -> Array;
    fn param(&self, name: &str) -> f64;
    fn var(&self, name: &str) -> Array;
}

/// Objective and violation.
pub fn evaluate(family: &str, of: &dyn Read) -> (f64, f64) {
    let (data, var, param) = (|name: &str| of.data(name), |name: &str| of.var(name), |name: &str| of.param(name));
    // ½‖A x − b‖² of the least squares among them.
    let misfit = |x: &Array| data("A").times(x).minus(&data("b")).squares() / 2.0;
    let negative = |x: &Array| x.data.iter().fold(0.0, |most, &x| f64::max(most, -x));
    match family {
        "basis_pursuit" => (var("x").norm1(), data("A").times(&var("x")).off(&data("b"))),
        "lasso" => (misfit(&var("x")) + param("lam") * var("x").norm1(), 0.0),
        "consensus_lasso" => (misfit(&var("z")) + param("lam") * var("z").norm1(), 0.0),
        "logreg_l1" | "consensus_logreg" => {
            let (scores, y, v) = (data("A").times(&var("w")), data("y"), var("v").get(0));
            let loss = scores.zip(&y, |u, y| softplus(-y * (u + v))).sum();
            (loss + param("lam") * var("w").norm1(), 0.0)
        }
        "covsel" => {
            let (x, s) = (var("X"), data("S"));
            let asymmetry = x.minus(&x.transpose()).largest();
            let log_det: f64 = x.pivots().iter().map(|pivot| pivot.ln()).sum();
            // Outside of the domain the logarithm is not a number, and no comparison holds.
            (s.dot(&x) - log_det + param("lam") * x.norm1(), asymmetry.max(x.indefiniteness()))
        }
        "deconv_tv" => (deconvolution(&var("X"), &data("k"), &data("B"), param("lam")), 0.0),
        "group_lasso" => {
            let (x, starts) = (var("x"), data("starts"));
            let group = |g: usize| {
                let members = starts.get(g) as usize..starts.get(g + 1) as usize;
                members.map(|i| x.get(i) * x.get(i)).sum::<f64>().sqrt()
            };
            (misfit(&x) + param("lam") * (0..starts.rows - 1).map(group).sum::<f64>(), 0.0)
        }
        "huber_fit" => {
            let m = param("M");
            let r = data("A").times(&var("x")).minus(&data("b"));
            let penalty = |r: f64| if r.abs() <= m { r * r / 2.0 } else { m * r.abs() - m * m / 2.0 };
            (r.sum_of(penalty), 0.0)
        }
        "isotonic" => {
            let x = var("x");
            let squares = x.minus(&data("b")).zip(&data("w"), |r, w| w * r * r / 2.0).sum();
            (squares, x.data.windows(2).fold(0.0, |most, pair| f64::max(most, pair[0] - pair[1])))
        }
        "lad" => (data("A").times(&var("x")).minus(&data("b")).norm1(), 0.0),
        "lp" => {
            let x = var("x");
            (data("c").dot(&x), data("A").times(&x).off(&data("b")).max(negative(&x)))
        }
        "matcomp" => {
            let (x, mask) = (var("X"), data("mask"));
            let known = |all: &Array| all.zip(&mask, |m, known| m * known);
            (x.singular_values().iter().sum(), known(&x).off(&known(&data("M"))))
        }
        "maxcut_sdp" => {
            let x = var("X");
            let diagonal = (0..x.rows).fold(0.0, |most, i| f64::max(most, (x.at(i, i) - 1.0).abs() / 2.0));
            let asymmetry = x.minus(&x.transpose()).largest();
            (-data("L").dot(&x) / 4.0, diagonal.max(asymmetry).max(x.indefiniteness()))
        }
        "mpc" => control(of),
        "nnls" => (misfit(&var("x")), negative(&var("x"))),
        "ot" => {
            let p = var("P");
            let ones = |n: usize| Array::column(vec![1.0; n]);
            let rows = p.times(&ones(p.cols)).off(&data("a"));
            let columns = p.transpose().times(&ones(p.rows)).off(&data("b"));
            (data("C").dot(&p), rows.max(columns).max(negative(&p)))
        }
        "polyhedra" => {
            let x = var("x");
            let beyond = |a: &str, b: &str| data(a).times(&x).minus(&data(b)).excess() / (1.0 + data(b).largest());
            (0.0, beyond("A1", "b1").max(beyond("A2", "b2")))
        }
        "portfolio" => {
            let w = var("w");
            let risk = data("F").transpose().times(&w).squares() + data("d").zip(&w, |d, w| d * w * w).sum();
            let violation = ((w.sum() - 1.0) / 2.0).abs().max(negative(&w));
            (param("gamma") / 2.0 * risk - data("mu").dot(&w), violation)
        }
        "qp" => {
            let x = var("x");
            let (ax, l, u) = (data("A").times(&x), data("l"), data("u"));
            let below = l.zip(&ax, |l, a| if l > -1e20 { (l - a) / (1.0 + l.abs()) } else { 0.0 });
            let above = u.zip(&ax, |u, a| if u < 1e20 { (a - u) / (1.0 + u.abs()) } else { 0.0 });
            (x.quadratic(&data("P")) / 2.0 + data("q").dot(&x) + param("r"), below.excess().max(above.excess()))
        }
        "qp_box" | "indefinite_box" => {
            let (x, lb, ub) = (var("x"), data("lb"), data("ub"));
            let below = lb.minus(&x).excess() / (1.0 + lb.largest());
            let above = x.minus(&ub).excess() / (1.0 + ub.largest());
            (x.quadratic(&data("P")) / 2.0 + data("q").dot(&x) + param("r"), below.max(above))
        }
        "split_ls" => {
            let (x, z) = (var("x"), var("z"));
            let loss = data("M").times(&x).minus(&data("d")).squares() / 2.0;
            let sum = data("A").times(&x).zip(&data("B").times(&z), |a, b| a + b);
            (loss + param("lam") * z.norm1(), sum.off(&data("c")))
        }
        "cardinality_ls" => {
            let x = var("x");
            let nonzero = x.sum_of(|x| f64::from(u8::from(x.abs() > 1e-9)));
            (misfit(&x), (nonzero - param("k")).max(0.0))
        }
        "rpca" => {
            let (l, s) = (var("L"), var("S"));
            let nuclear: f64 = l.singular_values().iter().sum();
            (nuclear + param("lam") * s.norm1(), l.zip(&s, |l, s| l + s).off(&data("M")))
        }
        "svm" => {
            let (w, v) = (var("w"), var("v").get(0));
            let hinge = data("A").times(&w).zip(&data("y"), |u, y| f64::max(0.0, 1.0 - y * (u + v))).sum();
            (w.squares() / 2.0 + param("C") * hinge, 0.0)
        }
        "three_block" => (param("mu") * var("x").squares() / 2.0, data("A").times(&var("x")).off(&data("c"))),
        "trend" => {
            let mut bends = var("x").data;
            (0..param("k") as usize).for_each(|_| bends = bends.windows(2).map(|pair| pair[1] - pair[0]).collect());
            let loss = var("x").minus(&data("b")).squares() / 2.0;
            (loss + param("lam") * Array::column(bends).norm1(), 0.0)
        }
        "tv1d" => {
            let x = var("x");
            let steps: f64 = x.data.windows(2).map(|pair| (pair[1] - pair[0]).abs()).sum();
            (x.minus(&data("b")).squares() / 2.0 + param("lam") * steps, 0.0)
        }
        "tv2d_aniso" => {
            let x = var("X");
            let mut variation = 0.0;
            for i in 0..x.rows {
                for j in 0..x.cols {
                    let down = if i + 1 < x.rows { x.at(i + 1, j) - x.at(i, j) } else { 0.0 };
                    let right = if j + 1 < x.cols { x.at(i, j + 1) - x.at(i, j) } else { 0.0 };
                    variation += down.abs() + right.abs();
                }
            }
            (x.minus(&data("B")).squares() / 2.0 + param("lam") * variation, 0.0)
        }
        other => panic!("no rule for the family {other}"),
    }
}

/// `log(1 + eᵘ)`
fn softplus(u: f64) -> f64 {
    u.max(0.0) + (-u.abs()).exp().ln_1p()
}

/// `½‖k ∗ X − B‖² + λ Σ ‖∇X‖`, all periodic; the kernel's middle lies on the pixel.
fn deconvolution(x: &Array, k: &Array, b: &Array, lambda: f64) -> f64 {
    let wrapped = |i: usize, di: usize, middle: usize, n: usize| (i + n + middle - di) % n;
    let (mut loss, mut variation) = (0.0, 0.0);
    for i in 0..x.rows {
        for j in 0..x.cols {
            let mut blurred = 0.0;
            for di in 0..k.rows {
                for dj in 0..k.cols {
                    let (row, col) = (wrapped(i, di, k.rows / 2, x.rows), wrapped(j, dj, k.cols / 2, x.cols));
                    blurred += k.at(di, dj) * x.at(row, col);
                }
            }
            loss += (blurred - b.at(i, j)).powi(2) / 2.0;
            let down = x.at((i + 1) % x.rows, j) - x.at(i, j);
            let right = x.at(i, (j + 1) % x.cols) - x.at(i, j);
            variation += down.hypot(right);
        }
    }
    loss + lambda * variation
}

/// `Σ ½(xᵀQx + uᵀRu) + ½ x_Tᵀ Q_T x_T`, the dynamics and the boxes.
fn control(of: &dyn Read) -> (f64, f64) {
    let (states, controls) = (of.var("X"), of.var("U"));
    let steps = controls.rows;
    let (a, b, limits) = (of.data("A"), of.data("B"), of.data("xmax"));
    let mut cost = states.row(steps).quadratic(&of.data("QT")) / 2.0;
    let mut violation = states.row(0).off(&of.data("xinit"));
    for k in 0..steps {
        let (x, u) = (states.row(k), controls.row(k));
        cost += (x.quadratic(&of.data("Q")) + u.quadratic(&of.data("R"))) / 2.0;
        let next = a.times(&x).zip(&b.times(&u), |a, b| a + b);
        violation = violation.max(states.row(k + 1).minus(&next).largest());
        let beyond = states.row(k + 1).zip(&limits, |x, limit| x.abs() - limit).excess();
        violation = violation.max(beyond / (1.0 + limits.largest()));
        violation = violation.max((u.largest() - of.param("umax")) / (1.0 + of.param("umax")));
    }
    (cost, violation)
}
