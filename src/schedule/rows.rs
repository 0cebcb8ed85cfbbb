//! A coupling in a program: its rows `Ax + Bz − c`, and the parts of the blocks.
//!
//! A part that is linear is the JVP of the constraint's program. One that is not is the program without the
//! other block, or what that leaves:
//!
//! ```text
//! e(x) = rows(x, 0) + c        e(z) = rows(x, z) − e(x) + c
//! ```

use super::admm::{Iteration, Side};
use super::coder::{Coder, Draft, as_is};
use super::ir::Arg;
use crate::model::ir::{Leaf, VarId};
use crate::split::ir::Coupling;
use crate::tape::{Dtype, Value, jvp};

/// A coupling in a draft.
pub(super) struct Rows {
    /// `Ax + Bz − c`
    pub value: Value,
    /// The leaves of the constraint, with their values.
    pub leaves: Vec<(Leaf, Value)>,
    /// `Ax`, or what is in its place where that is not linear.
    pub x: Value,
    /// `Bz`, likewise.
    pub z: Value,
    /// `−c`, unless it is zero.
    pub offset: Option<Value>,
}

impl Rows {
    /// `value + c`
    fn less_offset(&self, draft: &mut Draft, value: Value) -> Value {
        match self.offset {
            Some(offset) => draft.b.sub(value, offset),
            None => value,
        }
    }

    /// `value − c`
    pub fn add_offset(&self, draft: &mut Draft, value: Value) -> Value {
        match self.offset {
            Some(offset) => draft.b.add(value, offset),
            None => value,
        }
    }
}

impl Iteration<'_> {
    /// A coupling in a draft: its rows, and the parts of the blocks.
    pub fn rows(&self, coder: &mut Coder, draft: &mut Draft, coupling: &Coupling, dtype: Dtype) -> Rows {
        let player = &coder.model.players[self.plan.player.index()];
        let expr = player.constraints[coupling.constraint.index()].relation.expr().clone();
        let (values, leaves) = coder.lower(draft, &[expr], dtype, &mut as_is);
        let value = values[0];
        let mut part = |vars: &[VarId]| {
            let own: Vec<Value> = leaves
                .iter()
                .filter(|(leaf, _)| leaf.var().is_some_and(|var| vars.contains(&var)))
                .map(|&(_, value)| value)
                .collect();
            jvp(&mut draft.b, value, &own, &own)
        };
        let linear = [&self.split.x.vars, &self.split.z.vars].map(|vars| {
            let own = !coupling.is_curved_in(vars);
            own.then(|| part(vars))
        });
        let offset = coupling.offset.iter().any(|&c| c != 0.0).then(|| {
            let name = coder.prefixed(self.plan.player.index(), &format!("−c.{}", coupling.name));
            let state = coder.constant(&name, coupling.shape.clone(), None, coupling.offset.clone());
            let offset = draft.read(coder, state);
            draft.b.cast(offset, dtype)
        });
        let mut rows = Rows { value, leaves, x: value, z: value, offset };
        // A part that is not linear is what the rows are without z, or what is left of them.
        rows.x = linear[0].unwrap_or_else(|| {
            let without = self.without_z(coder, draft, coupling, dtype);
            rows.less_offset(draft, without)
        });
        rows.z = linear[1].unwrap_or_else(|| {
            let left = draft.b.sub(value, rows.x);
            rows.less_offset(draft, left)
        });
        rows
    }

    /// A coupling's rows at z = 0.
    fn without_z(&self, coder: &mut Coder, draft: &mut Draft, coupling: &Coupling, dtype: Dtype) -> Value {
        let player = &coder.model.players[self.plan.player.index()];
        let expr = player.constraints[coupling.constraint.index()].relation.expr().clone();
        let z = &self.split.z.vars;
        let mut at_zero = |coder: &mut Coder, draft: &mut Draft, leaf: Leaf| {
            leaf.var().filter(|var| z.contains(var))?;
            let zero = draft.number(0.0, dtype);
            Some(draft.b.broadcast_scalar(zero, &coder.model.leaf_shape(leaf)))
        };
        coder.lower(draft, &[expr], dtype, &mut at_zero).0[0]
    }

    /// `r̂`: a state of its own with over-relaxation, else `Ax⁺`.
    pub fn hat(&self, coder: &mut Coder, draft: &mut Draft, coupling: &Coupling, rows: &Rows) -> Value {
        if self.plan.relax == 1.0 {
            return rows.x;
        }
        let state = self.beside(coder, "r̂", coupling);
        let dtype = draft.b.dtype(rows.x);
        let hat = draft.read(coder, Arg { state, member: coupling.over.is_some() });
        draft.b.cast(hat, dtype)
    }

    /// A coupling's rows as the step of a side sees them: for z, with `r̂` in the place of `Ax⁺`.
    pub fn as_seen(&self, coder: &mut Coder, draft: &mut Draft, coupling: &Coupling, side: Side, rows: Value) -> Value {
        if side == Side::X || self.plan.relax == 1.0 {
            return rows;
        }
        let now = self.rows(coder, draft, coupling, coder.dtype);
        let hat = self.hat(coder, draft, coupling, &now);
        let shift = draft.b.sub(hat, now.x);
        draft.b.add(rows, shift)
    }
}
