//! A direction in words: `0.618·x[1] − x[2]`.

use crate::diag::number;
use crate::model::Model;
use crate::model::ir::VarId;

/// Entries that are shown of each variable.
const SHOWN: usize = 4;

/// Entries below this share of the largest are left out.
pub const COUNTS: f64 = 1e-6;

/// A flat direction, cut at the variables that lie in it one behind another.
fn parts<'a>(model: &Model, vars: &[VarId], flat: &'a [f64]) -> Vec<(VarId, &'a [f64])> {
    let mut rest = flat;
    let part = |&var: &VarId| {
        let (own, behind) = rest.split_at(model.vars[var.index()].shape.numel());
        rest = behind;
        (var, own)
    };
    vars.iter().map(part).collect()
}

/// A flat direction over variables that lie in it one behind another, in words.
pub fn flat(model: &Model, vars: &[VarId], flat: &[f64]) -> String {
    words(model, &parts(model, vars, flat))
}

/// The variables that a flat direction moves.
pub fn moved(model: &Model, vars: &[VarId], flat: &[f64]) -> Vec<VarId> {
    let moves = |(var, entries): (VarId, &[f64])| entries.iter().any(|x| *x != 0.0).then_some(var);
    parts(model, vars, flat).into_iter().filter_map(moves).collect()
}

/// The sum of what moves; every variable with its entries, row by row.
pub fn words(model: &Model, parts: &[(VarId, &[f64])]) -> String {
    let largest = parts.iter().flat_map(|(_, entries)| *entries).fold(0.0f64, |largest, x| largest.max(x.abs()));
    let mut words = String::new();
    for &(var, entries) in parts {
        let mut moved = entries.iter().enumerate().filter(|(_, x)| x.abs() > COUNTS * largest);
        for (at, &x) in moved.by_ref().take(SHOWN) {
            let size = number(x.abs());
            let times = if size == "1" { String::new() } else { format!("{size}·") };
            words.push_str(&format!("{}{times}{}", sign(words.is_empty(), x), element(model, var, at)));
        }
        if moved.next().is_some() {
            words.push_str(" + …");
        }
    }
    words
}

/// What stands before a summand.
pub fn sign(is_first: bool, x: f64) -> &'static str {
    match (is_first, x < 0.0) {
        (true, false) => "",
        (true, true) => "−",
        (false, false) => " + ",
        (false, true) => " − ",
    }
}

/// An element of variables that lie one behind another.
pub fn element_of(model: &Model, vars: &[VarId], mut at: usize) -> String {
    for &var in vars {
        let n = model.vars[var.index()].shape.numel();
        if at < n {
            return element(model, var, at);
        }
        at -= n;
    }
    unreachable!("an element lies within its variables")
}

/// `x[2, 1]`, as a file names it; of a variable with one element the name alone.
fn element(model: &Model, var: VarId, at: usize) -> String {
    let var = &model.vars[var.index()];
    if var.shape.numel() == 1 {
        return var.name.clone();
    }
    let places = var.shape.strides().into_iter().zip(&var.shape.0);
    let indices: Vec<String> = places.map(|(stride, extent)| (at / stride % extent + 1).to_string()).collect();
    format!("{}[{}]", var.name, indices.join(", "))
}
