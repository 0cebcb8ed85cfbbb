//! E0506 of data that a step by gradients reads: columns whose lengths lie far apart.
//!
//! A step of one rate is stable for `rate < 2/L`, L of the longest column, and moves what the shortest multiplies by
//! the square of the ratio less. The moments of Adam even out slopes, not how far there is to go.

use super::names;
use super::scales::rounded;
use crate::catalogue::Function;
use crate::diag::{Code, Diag, Diags};
use crate::model::Model;
use crate::model::ir::{Data, DataId, Expr, ExprKind, Leaf, SampleSource};
use crate::source::Span;
use crate::split::direction;
use crate::split::reads::reads;
use crate::split::variables;
use crate::steps::ir::{AdmmPlan, Step};

/// How far apart lengths may lie: with a ratio of 1e4, what the longest column needs one step for takes 1e8.
const APART: f64 = 1e4;

/// Numbers of a table that are looked at.
const MOST: usize = 20_000_000;

pub(super) fn remarks(model: &Model, plan: &AdmmPlan, diags: &mut Diags) {
    let terms = &model.players[plan.player.index()].terms;
    let mut seen = Lengths::default();
    for step in plan.steps() {
        // What searches for its steps learns the curvature by itself.
        if !step.rule.has_rate() {
            continue;
        }
        if let Some(diag) = of_coefficients(model, plan, step) {
            diags.push(diag);
        }
        for &at in &step.component.terms {
            each_table(model, &terms[at].expr, &mut |data| {
                of_table(model, step, (data, &mut seen), terms[at].span).into_iter().for_each(|diag| diags.push(diag));
            });
        }
    }
}

/// Elements of variables, by the columns that multiply them in affine expressions.
fn of_coefficients(model: &Model, plan: &AdmmPlan, step: &Step) -> Option<Diag> {
    let operators = reads(model, plan.player, &step.component);
    let mut squares = vec![0.0; step.gram.n()];
    for operator in &operators {
        let own = operator.column_squares(&vec![1.0; operator.rows()]);
        squares.iter_mut().zip(own).for_each(|(sum, own)| *sum += own);
    }
    let (least, most) = extremes(&squares)?;
    let vars = &step.component.vars;
    let name = |at| direction::element_of(model, vars, at);
    let terms = &model.players[plan.player.index()].terms;
    let at = step.component.terms.first().map(|&at| terms[at].span)?;
    Some(said(model, step, at, (&name(least.0), least.1), (&name(most.0), most.1)))
}

/// The shortest and the longest column of a table, where they lie far apart.
type Extremes = Option<((usize, f64), (usize, f64))>;

/// Tables whose columns were measured: copies of a network are given the same ones.
type Lengths = Vec<(DataId, Extremes)>;

/// Features of what a network is given, or of what batches are drawn from.
fn of_table(model: &Model, step: &Step, (id, seen): (DataId, &mut Lengths), at: Span) -> Option<Diag> {
    let data = &model.data[id.index()];
    let found = match seen.iter().find(|(own, _)| *own == id) {
        Some((_, found)) => *found,
        None => {
            let found = measured(data);
            seen.push((id, found));
            found
        }
    };
    let (least, most) = found?;
    let name = |column: usize| format!("{}[:, {}]", data.name, column + 1);
    let diag = said(model, step, at, (&name(least.0), least.1), (&name(most.0), most.1));
    Some(diag.label(data.span, format!("`{}`", data.name)))
}

fn measured(data: &Data) -> Extremes {
    let shape = &data.tensor.shape;
    let width = *shape.0.last().filter(|_| shape.rank() >= 2)?;
    if data.family.is_some() || data.tensor.numel() > MOST || width == 0 {
        return None;
    }
    let mut squares = vec![0.0; width];
    for row in data.tensor.to_f64().chunks_exact(width) {
        squares.iter_mut().zip(row).for_each(|(sum, x)| *sum += x * x);
    }
    extremes(&squares)
}

fn said(model: &Model, step: &Step, at: Span, short: (&str, f64), long: (&str, f64)) -> Diag {
    let names = names(model, step);
    let ratio = rounded(long.1 / short.1);
    Diag::new(
        Code::BadlyScaled,
        at,
        format!("the step of {names} follows gradients of data in units {ratio} times apart"),
    )
    .here("one rate for all of it")
    .certify(format!(
        "lengths of columns: {} for {}, {} for {}",
        rounded(short.1),
        short.0,
        rounded(long.1),
        long.0
    ))
    .help(format!(
        "a rate that the longest column allows moves what the shortest one multiplies by {ratio}² times less, so the iterates stay where they are in it; divide every column by its length or its standard deviation, {} by {ratio} for example",
        long.0
    ))
}

/// The shortest and the longest column that are not 0, where they lie far apart.
fn extremes(squares: &[f64]) -> Extremes {
    let lengths = || squares.iter().map(|s| s.sqrt()).enumerate().filter(|(_, s)| *s > 0.0 && s.is_finite());
    let least = lengths().min_by(|a, b| a.1.total_cmp(&b.1))?;
    let most = lengths().max_by(|a, b| a.1.total_cmp(&b.1))?;
    (most.1 >= APART * least.1).then_some((least, most))
}

/// Tables that networks in an expression are given, and those whose batches stand in a product with variables.
fn each_table(model: &Model, expr: &Expr, visit: &mut impl FnMut(DataId)) {
    match &expr.kind {
        ExprKind::Net { input, .. } => table(model, input, visit),
        ExprKind::Apply(Function::Mul, parts) if !variables(expr).is_empty() => {
            // A table that is no batch is in the affine expressions that the step reads.
            let drawn = |part: &&Expr| matches!(part.kind, ExprKind::Leaf(Leaf::Sample(..)));
            parts.iter().filter(drawn).for_each(|part| table(model, part, visit));
        }
        _ => {}
    }
    expr.children().into_iter().for_each(|child| each_table(model, child, visit));
}

fn table(model: &Model, expr: &Expr, visit: &mut impl FnMut(DataId)) {
    match expr.kind {
        ExprKind::Leaf(Leaf::Data(id, _)) => visit(id),
        ExprKind::Leaf(Leaf::Sample(id, part, _)) => {
            if let SampleSource::Rows(tables) = &model.samples[id.index()].source
                && let Some(&id) = tables.get(part as usize)
            {
                visit(id);
            }
        }
        _ => {}
    }
}
