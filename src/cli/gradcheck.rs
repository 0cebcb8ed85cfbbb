//! `admmc gradcheck FILE`: every derivative of every term and constraint against central differences,
//! where the variables start and at a few random points, in double precision.

use serde_json::{Value, json};

use super::args::{self, Output};
use super::complaint::Complaint;
use super::{Exit, Setup, World, problem, say};
use crate::exec::reference::Comparison;
use crate::exec::starting;
use crate::model::ir::{ConstraintId, DataId, Expr, Leaf, Member, Model, Player, SampleSource};
use crate::pipeline;
use crate::report::{Align, Derivatives, Table, brief};
use crate::schedule::{self, ir::State};
use crate::tape::philox::{Stream, key};
use crate::tape::{Dtype, Type};

/// Random points beside the start.
const RANDOM: u32 = 3;

/// Size of the random entries of variables: where activations bend and losses have not saturated.
const SIZE: f64 = 0.5;

/// What all points say about one derivative.
struct Checked {
    /// `discriminator.tie`
    of: String,
    /// The variable or multiplier.
    by: String,
    /// At how many points it is defined.
    points: usize,
    /// At the point where the two are furthest apart, by what they may be.
    worst: Comparison,
}

impl Checked {
    fn verdict(&self) -> &'static str {
        match (self.points, self.worst.agrees()) {
            (0, _) => "UNDEFINED",
            (_, true) => "agrees",
            (_, false) => "DISAGREES",
        }
    }

    /// Error and tolerance, by the size of the derivative.
    fn relative(&self) -> [f64; 2] {
        let Comparison { difference, reverse, forward, .. } = self.worst;
        let size = difference.abs().max(reverse.abs()).max(forward.abs());
        [self.worst.error(), self.worst.tolerance].map(|x| if size == 0.0 { x } else { x / size })
    }
}

/// Checks the file; the exit code is 1 where a derivative is wrong or can't be taken.
pub fn run(args: &args::Gradcheck, setup: &Setup, world: &mut World) -> Result<Exit, Complaint> {
    let mut parsed = problem::parse(&args.file, world)?;
    let model = pipeline::check(&mut parsed, &args.inputs.of(world.files, true));
    problem::show(&parsed, setup, world);
    let Some(model) = model else { return Ok(Exit::of(&parsed.diags)) };

    let players = model.players.iter();
    let checked: Vec<Checked> = players.flat_map(|player| check(&model, player, args.inputs.seed)).collect();
    let text = match setup.output {
        Output::Text => table(&checked).render(setup.look),
        Output::Json => format!("{:#}\n", json(&checked)),
    };
    say(world, &text);
    let fine = checked.iter().all(|checked| checked.points > 0 && checked.worst.agrees());
    Ok(if fine { Exit::Done } else { Exit::Unsolved })
}

/// The terms and the constraints of a player. Of a family, the first member.
fn check(model: &Model, player: &Player, seed: u64) -> Vec<Checked> {
    let named = |name: String| player.name.as_ref().map_or(name.clone(), |player| format!("{player}.{name}"));
    let terms = player.terms.iter().map(|term| (named(term.name.clone()), &term.expr));
    let constraints = player.constraints.iter().enumerate();
    let constraints = constraints
        .map(|(at, constraint)| (named(constraint.name(ConstraintId(at as u32))), constraint.relation.expr()));
    terms.chain(constraints).flat_map(|(of, expr)| compare(model, &of, expr, seed)).collect()
}

/// An expression as it is run (stable forms included), by each variable and multiplier in it.
fn compare(model: &Model, of: &str, expr: &Expr, seed: u64) -> Vec<Checked> {
    let derivatives = Derivatives::new(model, expr);
    let at = |point: Point| derivatives.at(|leaf, at| values(model, leaf, at, point, seed), seed);
    let defined = |found: &[Comparison]| found.iter().all(|comparison| comparison.is_defined());
    let random = (1..=RANDOM).map(|number| {
        let found = at(Point::Random { number, positive: false });
        // Where a logarithm or a root asks for it, the point is moved into the positive orthant.
        if defined(&found) { found } else { at(Point::Random { number, positive: true }) }
    });
    let found: Vec<Vec<Comparison>> = std::iter::once(at(Point::Start)).chain(random).collect();
    derivatives.by().enumerate().map(|(which, by)| judge(of, by, found.iter().map(|f| &f[which]))).collect()
}

/// What the points say about one derivative. A point where the expression itself is not defined says
/// nothing.
fn judge<'a>(of: &str, by: &str, found: impl Iterator<Item = &'a Comparison> + Clone) -> Checked {
    let excess = |c: &Comparison| if c.error().is_nan() { f64::INFINITY } else { c.error() / c.tolerance };
    let defined = found.clone().filter(|comparison| comparison.is_defined());
    let worst = defined.clone().max_by(|a, b| excess(a).total_cmp(&excess(b)));
    let worst = worst.or_else(|| found.clone().next()).expect("there is a comparison at the start");
    Checked { of: of.to_owned(), by: by.to_owned(), points: defined.count(), worst: worst.clone() }
}

/// Where derivatives are compared.
#[derive(Clone, Copy)]
enum Point {
    /// Where a run starts.
    Start,
    /// Random entries, from the seed.
    Random { number: u32, positive: bool },
}

/// Elements of a leaf at a point: data as it is, a sample of rows by its first rows; multipliers and
/// other samples are random at every point.
fn values(model: &Model, leaf: Leaf, at: usize, point: Point, seed: u64) -> Vec<f64> {
    let length = model.leaf_shape(leaf).numel();
    let member = |all: &[f64], member| {
        let first = if let Member::At(k) = member { k as usize * length } else { 0 };
        all[first..][..length].to_vec()
    };
    let data = |id: DataId, which| member(&model.data[id.index()].tensor.to_f64(), which);
    match leaf {
        Leaf::Data(id, which) => data(id, which),
        Leaf::Rho(_) => vec![1.0; length],
        Leaf::Var(id, which) if matches!(point, Point::Start) => {
            let var = &model.vars[id.index()];
            let ty = Type { dtype: Dtype::F64, shape: var.shape.clone() };
            let init = schedule::start(model, var);
            let state = State { name: var.name.clone(), ty, family: var.family, init, constant: false };
            starting(&state, seed).map_or_else(|| vec![0.0; length], |tensor| member(&tensor.to_f64(), which))
        }
        Leaf::Sample(id, part, _) => match &model.samples[id.index()].source {
            SampleSource::Rows(parts) => data(parts[part as usize], Member::None),
            _ => random(length, at, point, seed),
        },
        Leaf::Var(..) | Leaf::Dual(..) => random(length, at, point, seed),
    }
}

fn random(length: usize, at: usize, point: Point, seed: u64) -> Vec<f64> {
    let (number, positive) = match point {
        Point::Start => (0, false),
        Point::Random { number, positive } => (number, positive),
    };
    let stream = Stream::new(key(seed), at as u32);
    let normals = (0..length as u64).map(|j| SIZE * stream.normal(number, j, Dtype::F64));
    if positive { normals.map(|x| SIZE / 2.0 + x.abs()).collect() } else { normals.collect() }
}

fn table(checked: &[Checked]) -> Table {
    let mut table = Table::new(&[
        ("derivative of", Align::Left),
        ("by", Align::Left),
        ("points", Align::Right),
        ("relative error", Align::Right),
        ("allowed", Align::Right),
        ("", Align::Left),
    ]);
    for checked in checked {
        let [error, allowed] = checked.relative().map(brief);
        let cells = [&checked.of, &checked.by, &checked.points.to_string(), &error, &allowed];
        table.row(cells.into_iter().cloned().chain([checked.verdict().to_owned()]));
    }
    table
}

fn json(checked: &[Checked]) -> Value {
    let one = |checked: &Checked| {
        let [error, allowed] = checked.relative();
        json!({
            "of": checked.of,
            "by": checked.by,
            "points": checked.points,
            "difference": checked.worst.difference,
            "reverse": checked.worst.reverse,
            "forward": checked.worst.forward,
            "relative_error": error,
            "allowed": allowed,
            "agrees": checked.points > 0 && checked.worst.agrees(),
        })
    };
    json!({ "derivatives": checked.iter().map(one).collect::<Vec<_>>() })
}
