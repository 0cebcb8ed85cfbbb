//! Samples → samplers: which buffers a draw fills, and by which programs.

use super::coder::Coder;
use super::ir::{Arg, Sampler, SamplerId, Source, Start, StateId, Stmt};
use crate::model::ir::{Expr, Leaf, Member, SampleId, SampleSource};
use crate::tape::ir::Unary;
use crate::tape::ops::{Binary, Distribution, Op};
use crate::tape::{Dtype, Type};

/// Streams each sample may use: one a member.
const STREAMS_EACH: u32 = 1 << 8;

/// The state that holds a part of a sample.
pub(super) fn state(coder: &mut Coder, id: SampleId, part: usize) -> StateId {
    sampler(coder, id);
    buffer(coder, id, part)
}

fn buffer(coder: &mut Coder, id: SampleId, part: usize) -> StateId {
    let sample = &coder.model.samples[id.index()];
    // A variable of a player may have a sample's name.
    let name = &sample.names[part];
    let shared = coder.model.vars.iter().any(|var| var.name == *name);
    let name = if shared { format!("sample.{} {name}", id.0 + 1) } else { name.clone() };
    coder.zeros(&name, sample.shapes[part].clone(), sample.family)
}

/// The sampler of a sample, made on first use.
pub(super) fn sampler(coder: &mut Coder, id: SampleId) -> SamplerId {
    if let Some(sampler) = coder.samplers[id.index()] {
        return sampler;
    }
    let sample = &coder.model.samples[id.index()];
    let stream = id.0 * STREAMS_EACH;
    let source = match &sample.source {
        SampleSource::Rows(parts) => rows(coder, id, parts),
        _ => numbers(coder, id, stream),
    };
    let sampler = Sampler { name: sample.names.join(", "), stream, source, fixed: sample.fixed, family: sample.family };
    coder.out.samplers.push(sampler);
    let made = SamplerId(coder.out.samplers.len() as u32 - 1);
    coder.samplers[id.index()] = Some(made);
    made
}

fn rows(coder: &mut Coder, id: SampleId, parts: &[crate::model::ir::DataId]) -> Source {
    let sample = &coder.model.samples[id.index()];
    let ty = Type::new(Dtype::Index, [sample.batch]);
    let rows = coder.state(&format!("rows.{}.{}", id.0 + 1, sample.names.join(",")), ty, sample.family, Start::Zeros);
    let mut gathers = Vec::new();
    let mut of = Vec::new();
    for (at, &data) in parts.iter().enumerate() {
        let mut draft = coder.draft("gather");
        let family = sample.family.is_some();
        // A family may draw from one table: each member its own rows of it.
        let own = coder.model.data[data.index()].family.is_some();
        let member = if family && own { Member::Loop } else { Member::None };
        let table = coder.leaf(Leaf::Data(data, member));
        let table = draft.read(coder, Arg { state: table, member: family && own });
        let numbers = draft.read(coder, Arg { state: rows, member: family });
        let batch = draft.b.gather(table, numbers);
        let target = buffer(coder, id, at);
        draft.write(coder, Arg { state: target, member: family }, batch);
        gathers.push(coder.call_stmt(draft, sample.family, "draw"));
        let entry = &coder.model.data[data.index()];
        of = match (&entry.rows, entry.family) {
            (Some(rows), _) => rows.clone(),
            (None, Some(members)) => vec![entry.tensor.shape.0[1]; members],
            (None, None) => vec![entry.tensor.shape.0[0]; sample.family.unwrap_or(1)],
        };
    }
    Source::Rows { of, batch: sample.batch, keep: sample.keep, rows, gathers }
}

fn numbers(coder: &mut Coder, id: SampleId, stream: u32) -> Source {
    let sample = &coder.model.samples[id.index()];
    let key = coder.state("draws.key", Type::new(Dtype::Index, [2]), None, Start::Zeros);
    let step = coder.state(
        &format!("draws.{}.{}", id.0 + 1, sample.names[0]),
        Type::new(Dtype::Index, []),
        None,
        Start::Zeros,
    );
    let mut draft = coder.draft("draw");
    let target = buffer(coder, id, 0);
    let ty = coder.out.state(target).buffer();
    let (k, s) = (draft.read(coder, key), draft.read(coder, step));
    let distribution = match sample.source {
        SampleSource::Normal => Distribution::Normal,
        _ => Distribution::Uniform,
    };
    let random = draft.b.push(Op::Random { distribution, stream }, vec![k, s], ty.clone());
    let value = match sample.source {
        SampleSource::Uniform { low, high } => {
            let scaled = draft.b.scale(high - low, random);
            draft.b.offset(scaled, low)
        }
        SampleSource::Bernoulli { p } => {
            let p = draft.b.constant(p, ty.dtype);
            draft.b.binary(Binary::Less, random, p)
        }
        SampleSource::Categorical { k } => {
            let scaled = draft.b.scale(k as f64, random);
            draft.b.unary(Unary::Floor, scaled)
        }
        SampleSource::Normal | SampleSource::Rows(_) => random,
    };
    draft.write(coder, target, value);
    Source::Program { key, step, call: coder.call_stmt(draft, None, "draw") }
}

/// The samples that expressions read and that are redrawn, in order of first use.
pub(super) fn redrawn<'e>(coder: &Coder, exprs: impl IntoIterator<Item = &'e Expr>) -> Vec<SampleId> {
    let mut samples = Vec::new();
    for expr in exprs {
        expr.leaves(&mut |leaf| {
            if let Leaf::Sample(id, _, _) = leaf
                && !coder.model.samples[id.index()].fixed
                && !samples.contains(&id)
            {
                samples.push(id);
            }
        });
    }
    samples
}

/// Statements that draw those samples.
pub(super) fn draws(coder: &mut Coder, samples: &[SampleId]) -> Vec<Stmt> {
    samples.iter().map(|&id| Stmt::Draw(sampler(coder, id))).collect()
}

/// Batches of an epoch: whole ones, unless the short last one is kept.
pub(super) fn batches(coder: &Coder, id: SampleId) -> usize {
    let sample = &coder.model.samples[id.index()];
    let SampleSource::Rows(parts) = &sample.source else { return 1 };
    let data = &coder.model.data[parts[0].index()];
    let rows = match (&data.rows, data.family) {
        // The shortest shard ends the epoch of all.
        (Some(rows), _) => rows.iter().copied().min().unwrap_or(0),
        (None, Some(_)) => data.tensor.shape.0[1],
        (None, None) => data.tensor.shape.0[0],
    };
    if sample.keep { rows.div_ceil(sample.batch) } else { rows / sample.batch }
}
