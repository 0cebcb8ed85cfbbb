//! E0508: two blocks that a constraint ties read different batches of the same data.
//!
//! With x = z at rest, λ balances `∇f(x)` against `∇g(z)`. Where both read one batch, what the batch adds by chance
//! is added to both; where each reads its own, the difference of two batches' gradients goes into r, and by
//! ρ·r into λ, at every iteration and for good. A `fresh` step says that this is meant, a `fixed` sample that its
//! rows are chosen.

use super::number;
use crate::diag::{Code, Diag, Diags, Fix};
use crate::model::Model;
use crate::model::ir::{DataId, Descent, Expr, ExprKind, Leaf, SampleId, SampleSource};
use crate::source::Span;
use crate::split::ir::{Component, PlayerSplit};
use crate::steps::ir::{AdmmPlan, Rule};

/// Where a term reads a part of a sample.
#[derive(Debug, Clone, Copy)]
struct Read {
    sample: SampleId,
    part: u32,
    span: Span,
    /// The term around.
    term: Span,
}

pub(super) fn remarks(model: &Model, split: &PlayerSplit, plan: &AdmmPlan, diags: &mut Diags) {
    let fresh = |descent: &Descent| descent.fresh;
    let draws_its_own = plan.steps().any(|step| match &step.rule {
        Rule::Descent(descent) => fresh(descent),
        Rule::Composite(it) => fresh(&it.descent),
        _ => false,
    });
    if draws_its_own || !plan.is_stochastic() {
        return;
    }
    for coupling in &split.couplings {
        let block = |components: &[Component]| {
            let own = components.iter().filter(|component| coupling.holds(&component.vars));
            own.flat_map(|component| reads(model, split, component)).collect::<Vec<Read>>()
        };
        let (x, z) = (block(&split.x.components), block(&split.z.components));
        let has = |reads: &[Read], id: SampleId| reads.iter().any(|read| read.sample == id);
        // A pair of samples is one cause, however often each is read.
        let mut seen = Vec::new();
        for first in &x {
            for second in &z {
                let pair = (first.sample, second.sample);
                if seen.contains(&pair) || has(&z, first.sample) || has(&x, second.sample) {
                    continue;
                }
                seen.push(pair);
                if is_same_data(model, pair) {
                    diags.push(diag(model, (first, second), &z, coupling.span));
                }
            }
        }
    }
}

/// What the terms of a component read of batches that are redrawn.
fn reads(model: &Model, split: &PlayerSplit, component: &Component) -> Vec<Read> {
    let terms = &model.players[split.player.index()].terms;
    let mut reads = Vec::new();
    for &at in &component.terms {
        visit(&terms[at].expr, &mut |sample, part, span| {
            if !model.samples[sample.index()].fixed {
                reads.push(Read { sample, part, span, term: terms[at].span });
            }
        });
    }
    reads
}

fn visit(expr: &Expr, see: &mut impl FnMut(SampleId, u32, Span)) {
    if let ExprKind::Leaf(Leaf::Sample(id, part, _)) = expr.kind {
        see(id, part, expr.span);
    }
    expr.children().into_iter().for_each(|child| visit(child, see));
}

/// Whether two samples draw rows of the same table.
fn is_same_data(model: &Model, (a, b): (SampleId, SampleId)) -> bool {
    let rows = |id: SampleId| match &model.samples[id.index()].source {
        SampleSource::Rows(data) => &data[..],
        _ => &[],
    };
    rows(a).iter().any(|&a| rows(b).iter().any(|&b| is_same(model, a, b)))
}

/// One table, or one expression that was computed for each.
fn is_same(model: &Model, a: DataId, b: DataId) -> bool {
    let (one, other) = (&model.data[a.index()], &model.data[b.index()]);
    a == b || one.name == other.name && one.family == other.family && one.tensor == other.tensor
}

fn diag(model: &Model, (first, second): (&Read, &Read), z: &[Read], coupling: Span) -> Diag {
    let (a, b) = (&model.samples[first.sample.index()], &model.samples[second.sample.index()]);
    let (x_name, z_name) = (&a.names[first.part as usize], &b.names[second.part as usize]);
    let (data, rows) = match &b.source {
        SampleSource::Rows(data) => {
            let data = &model.data[data[0].index()];
            let rows = if data.family.is_none() { data.tensor.shape.0.first().copied() } else { None };
            (data.name.clone(), rows)
        }
        _ => (String::new(), None),
    };
    let mut diag = Diag::new(
        Code::DisagreeingSamples,
        second.span,
        format!("`{x_name}` and `{z_name}` are different batches of `{data}`, in terms that a constraint ties"),
    )
    .here(format!("the other block reads `{z_name}`"))
    .label(first.span, format!("one block reads `{x_name}`"))
    .label(coupling, "ties the two")
    .label(a.span, format!("{} rows an iteration", a.batch))
    .label(b.span, format!("{} others", b.batch))
    .help(format!(
        "the constraint asks both blocks for one value, and each is pulled to what its own rows want: the difference of the two batches goes into λ at every iteration; read `{x_name}` in both, which is drawn once an iteration, or write `fresh` in an inner method where batches of their own are meant"
    ));
    if let Some(rows) = rows {
        let shared = a.batch as f64 * b.batch as f64 / rows as f64;
        diag = diag.certify(format!(
            "two draws of {} and {} of {rows} rows have {} in common on average",
            a.batch,
            b.batch,
            number(shared)
        ));
    }
    let swapped = z.iter().filter(|read| read.sample == second.sample);
    let edits: Vec<(Span, String)> =
        swapped.clone().map(|read| (read.span, a.names.get(read.part as usize).cloned().unwrap_or_default())).collect();
    let plain = a.family.is_none() && b.family.is_none() && a.shapes == b.shapes;
    let within = |read: &Read| {
        let (inner, term) = (read.span, read.term);
        inner.file == term.file && inner.start >= term.start && inner.end <= term.end
    };
    if plain && same_parts(model, first.sample, second.sample) && swapped.clone().all(within) {
        let title = format!("write `{x_name}` for `{z_name}`");
        diag.fix = Some(Fix { title, edits });
    }
    diag
}

/// Whether the parts of two samples are the same tables in the same order.
fn same_parts(model: &Model, a: SampleId, b: SampleId) -> bool {
    match (&model.samples[a.index()].source, &model.samples[b.index()].source) {
        (SampleSource::Rows(a), SampleSource::Rows(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(&a, &b)| is_same(model, a, b))
        }
        _ => false,
    }
}
