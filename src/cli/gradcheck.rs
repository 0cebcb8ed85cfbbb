//! `admmc gradcheck FILE`: every derivative of every term against central differences, at a random
//! point, in double precision.

use serde_json::{Value, json};

use super::args::{self, Output};
use super::complaint::Complaint;
use super::{Exit, Setup, World, problem, say};
use crate::exec::reference::{Comparison, gradcheck};
use crate::model::Lower;
use crate::model::ir::{DataId, Leaf, Member, Model, SampleSource, Term};
use crate::pipeline;
use crate::report::{Align, Table, number};
use crate::tape::philox::{Stream, key};
use crate::tape::{Dtype, passes};

/// Size of the random entries of variables: where activations bend and losses have not saturated.
const SIZE: f64 = 0.5;

/// The comparisons of one term.
struct Checked {
    player: Option<String>,
    term: String,
    comparisons: Vec<Comparison>,
}

/// Checks the file; the exit code is 1 where a derivative is wrong.
pub fn run(args: &args::Gradcheck, setup: &Setup, world: &mut World) -> Result<Exit, Complaint> {
    let mut parsed = problem::parse(&args.file, world)?;
    let model = pipeline::check(&mut parsed, &args.inputs.of(world.files, true));
    problem::show(&parsed, setup, world);
    let Some(model) = model else { return Ok(Exit::of(&parsed.diags)) };

    let mut checked = Vec::new();
    for player in &model.players {
        for (at, term) in player.terms.iter().enumerate() {
            let label = term.label.clone().unwrap_or_else(|| format!("term {}", at + 1));
            let comparisons = compare(&model, term, args.inputs.seed);
            checked.push(Checked { player: player.name.clone(), term: label, comparisons });
        }
    }
    let text = match setup.output {
        Output::Text => table(&checked).render(setup.look),
        Output::Json => format!("{:#}\n", json(&checked)),
    };
    say(world, &text);
    let fine = checked.iter().flat_map(|checked| &checked.comparisons).all(Comparison::agrees);
    Ok(if fine { Exit::Done } else { Exit::Unsolved })
}

/// The term as it is run (stable forms included), by each variable and multiplier in it. Of a family
/// of terms, the first.
fn compare(model: &Model, term: &Term, seed: u64) -> Vec<Comparison> {
    let mut lower = Lower::new(model, "term", Dtype::F64);
    let value = lower.expr(&term.expr);
    lower.b.output("value", value);
    let (program, leaves) = lower.finish();
    let program = passes::optimise(&passes::stabilise(&program).0);
    let compare = |positive: bool| {
        let point = leaves.iter().enumerate().map(|(at, &leaf)| values(model, leaf, at, positive, seed));
        gradcheck(&program, 0, &point.collect::<Vec<_>>(), seed)
    };
    // Where a logarithm or a root asks for it, the point is moved into the positive orthant.
    let defined = |found: &[Comparison]| found.iter().all(|comparison| comparison.difference.is_finite());
    let found = Some(compare(false)).filter(|found| defined(found)).unwrap_or_else(|| compare(true));
    // One comparison for each input that is no index, in the program's order.
    let floats = leaves.iter().zip(&program.inputs).filter(|(_, input)| program.ty(input.value).dtype.is_float());
    let moves = |leaf: &Leaf| matches!(leaf, Leaf::Var(..) | Leaf::Dual(..));
    floats.zip(found).filter(|((leaf, _), _)| moves(leaf)).map(|(_, comparison)| comparison).collect()
}

/// Elements of a leaf at the point: data as it is, a sample of rows by its first rows, the rest
/// random.
fn values(model: &Model, leaf: Leaf, at: usize, positive: bool, seed: u64) -> Vec<f64> {
    let length = model.leaf_shape(leaf).numel();
    let data = |id: DataId, member| {
        let first = if let Member::At(k) = member { k as usize * length } else { 0 };
        model.data[id.index()].tensor.to_f64()[first..][..length].to_vec()
    };
    match leaf {
        Leaf::Data(id, member) => data(id, member),
        Leaf::Rho(_) => vec![1.0; length],
        Leaf::Sample(id, part, _) => match &model.samples[id.index()].source {
            SampleSource::Rows(parts) => data(parts[part as usize], Member::None),
            _ => random(length, at, positive, seed),
        },
        Leaf::Var(..) | Leaf::Dual(..) => random(length, at, positive, seed),
    }
}

fn random(length: usize, at: usize, positive: bool, seed: u64) -> Vec<f64> {
    let stream = Stream::new(key(seed), at as u32);
    let normals = (0..length as u64).map(|j| SIZE * stream.normal(0, j, Dtype::F64));
    if positive { normals.map(|x| SIZE / 2.0 + x.abs()).collect() } else { normals.collect() }
}

fn table(checked: &[Checked]) -> Table {
    let right = Align::Right;
    let mut table = Table::new(&[
        ("term", Align::Left),
        ("by", Align::Left),
        ("reverse", right),
        ("forward", right),
        ("difference", right),
        ("tolerance", right),
        ("", Align::Left),
    ]);
    for Checked { player, term, comparisons } in checked {
        let term = player.as_ref().map_or(term.clone(), |player| format!("{player}.{term}"));
        for comparison in comparisons {
            let Comparison { input, difference, reverse, forward, tolerance } = comparison;
            let numbers = [reverse, forward, difference, tolerance].map(|&value| number(value));
            let verdict = if comparison.agrees() { "agrees" } else { "DISAGREES" };
            table.row([term.clone(), input.clone()].into_iter().chain(numbers).chain([verdict.to_owned()]));
        }
    }
    table
}

fn json(checked: &[Checked]) -> Value {
    let comparison = |comparison: &Comparison| {
        json!({
            "by": comparison.input,
            "reverse": comparison.reverse,
            "forward": comparison.forward,
            "difference": comparison.difference,
            "tolerance": comparison.tolerance,
            "agrees": comparison.agrees(),
        })
    };
    let term = |checked: &Checked| {
        let comparisons: Vec<Value> = checked.comparisons.iter().map(comparison).collect();
        json!({ "player": checked.player, "term": checked.term, "comparisons": comparisons })
    };
    json!({ "terms": checked.iter().map(term).collect::<Vec<_>>() })
}
