//! The variables of a step: where they are, and their values in a program being written.

use super::coder::{Coder, Draft};
use super::ir::Arg;
use crate::model::ir::{Leaf, Member, VarId};
use crate::tape::{Shape, Value};

/// The variables of a step in a draft: their states as arguments, shapes, and values.
pub(super) struct Point {
    pub args: Vec<Arg>,
    pub shapes: Vec<Shape>,
    pub values: Vec<Value>,
}

/// Reads the variables of a step.
pub(super) fn point(coder: &mut Coder, draft: &mut Draft, vars: &[VarId], over: Option<usize>) -> Point {
    let member = if over.is_some() { Member::Loop } else { Member::None };
    let mut point = Point { args: Vec::new(), shapes: Vec::new(), values: Vec::new() };
    for &var in vars {
        let state = coder.leaf(Leaf::Var(var, member));
        let arg = Arg { state, member: over.is_some() };
        let value = draft.read(coder, arg);
        point.args.push(arg);
        point.shapes.push(draft.b.shape(value).clone());
        point.values.push(value);
    }
    point
}

/// The shape of a variable with all its members.
pub(super) fn whole_shape(coder: &Coder, var: VarId) -> Shape {
    let var = &coder.model.vars[var.index()];
    match var.family {
        Some(members) => Shape(std::iter::once(members).chain(var.shape.0.iter().copied()).collect()),
        None => var.shape.clone(),
    }
}

impl Point {
    /// Writes new values of the variables.
    pub fn write(&self, coder: &Coder, draft: &mut Draft, values: &[Value]) {
        for (&arg, &value) in self.args.iter().zip(values) {
            draft.write(coder, arg, value);
        }
    }
}
