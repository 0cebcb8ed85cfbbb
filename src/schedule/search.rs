//! Minimisation over the variables of a step, one flat vector, along directions whose step lengths the host finds:
//! what L-BFGS and Newton's method have in common.

use std::sync::Arc;

use super::admm::{Cotangent, Iteration, Side, point};
use super::coder::{Coder, Draft};
use super::direction;
use super::gradient;
use super::ir::{LineSearch, LoopStmt, LoopUnit, StateId, Stmt, StopStatus};
use super::point::whole_shape;
use super::{lbfgs, newton};
use crate::model::ir::{Descent, DescentKind, VarId};
use crate::steps::ir::{Curvature, Step};
use crate::tape::{self, Shape, Value};

/// What is minimised.
pub(super) struct Problem<'p> {
    /// Distinguishes its states.
    pub tag: String,
    /// The variables, families whole.
    pub vars: &'p [VarId],
    /// The heading its time is accounted under.
    pub what: &'static str,
    /// The objective at values of the variables.
    pub value: &'p mut dyn FnMut(&mut Coder, &mut Draft, &[Value]) -> Value,
    /// The iteration whose residual says how well it is to be solved, where no tolerance does.
    pub within: Option<&'p Iteration<'p>>,
}

impl Problem<'_> {
    /// Length of the vector.
    pub fn len(&self, coder: &Coder) -> usize {
        self.vars.iter().map(|&var| whole_shape(coder, var).numel()).sum()
    }

    /// The vector as it stands.
    pub fn read(&self, coder: &mut Coder, draft: &mut Draft) -> Value {
        let point = point(coder, draft, self.vars, None);
        draft.flat(&point.values)
    }

    /// The objective at a vector.
    pub fn value(&mut self, coder: &mut Coder, draft: &mut Draft, v: Value) -> Value {
        let shapes: Vec<Shape> = self.vars.iter().map(|&var| whole_shape(coder, var)).collect();
        let values = draft.unflat(v, &shapes);
        (self.value)(coder, draft, &values)
    }

    /// The objective at a vector, and its gradient.
    fn value_and_gradient(&mut self, coder: &mut Coder, draft: &mut Draft, v: Value) -> (Value, Value) {
        let value = self.value(coder, draft, v);
        (value, tape::gradient(&mut draft.b, value, &[v])[0])
    }
}

/// The statements of a minimisation.
pub(super) struct Steps {
    /// Before the steps: value and gradient at the start.
    pub begin: Vec<Stmt>,
    /// One step; the loop around is left where no step length is found or the gradient has fallen far enough.
    pub body: Vec<Stmt>,
}

/// The steps of a method that searches along its directions, which ends with `status`.
pub(super) fn steps(coder: &mut Coder, problem: &mut Problem, descent: &Descent, status: StopStatus) -> Steps {
    match descent.kind {
        DescentKind::Newton => newton::steps(coder, problem, descent.tol, status),
        DescentKind::Lbfgs { memory } => lbfgs::steps(coder, problem, memory, descent.tol, status),
        DescentKind::Gradient { .. } | DescentKind::Adam { .. } | DescentKind::Fista => {
            unreachable!("no such method searches along directions (Descent::is_searched)")
        }
    }
}

/// An inner minimisation: from where it stands, at most so many steps.
pub(super) fn looped(coder: &mut Coder, problem: &mut Problem, descent: &Descent, body: &mut Vec<Stmt>) {
    if descent.tol.is_some() {
        body.push(direction::reset_stop(coder, &problem.tag));
    }
    let steps = steps(coder, problem, descent, StopStatus::Inner);
    body.extend(steps.begin);
    body.push(Stmt::Loop(LoopStmt { count: descent.steps, unit: LoopUnit::Step, body: steps.body }));
}

/// The inner minimisation of a component: `h(v) + ⟨pull, v⟩ + ρ/2 vᵀMᵀMv`; of a family, that of all its members
/// as one.
pub(super) fn inner(
    it: &Iteration,
    coder: &mut Coder,
    own: &Step,
    descent: &Descent,
    side: Side,
    body: &mut Vec<Stmt>,
) {
    let tag = coder.prefixed(it.plan.player.index(), &it.tag(coder, own));
    let (over, members) = (own.component.over, own.members());
    // The pull does not depend on v: it is computed once.
    let mut draft = coder.draft("pull");
    let pull = it.adjoint(coder, &mut draft, own, Cotangent::Pull(side), coder.dtype, body);
    let pulled = coder.zeros(&format!("pull.{tag}"), Shape::vector(own.gram.n()), over);
    draft.write(coder, gradient::own(pulled, over), pull);
    body.push(coder.call(draft, over, Iteration::what(side)));

    let whole = as_one(own);
    let mut value = |coder: &mut Coder, draft: &mut Draft, values: &[Value]| {
        let data = gradient::objective(it, coder, draft, &whole, values, coder.dtype);
        let v = by_members(draft, values, members);
        let pull = draft.read(coder, pulled);
        let pull = draft.flat(&[pull]);
        let linear = draft.b.dot(pull, v);
        let product = gradient::curvature_product(it, coder, draft, &whole, v);
        let quadratic = draft.b.dot(v, product);
        let quadratic = draft.b.scale(0.5, quadratic);
        let sum = draft.b.add(data, linear);
        draft.b.add(sum, quadratic)
    };
    let mut problem =
        Problem { tag, vars: &own.component.vars, what: Iteration::what(side), value: &mut value, within: Some(it) };
    looped(coder, &mut problem, descent, body);
}

/// The step of a family as one of a component that is none.
fn as_one(step: &Step) -> Step {
    let mut one = step.clone();
    if let Some(left) = one.component.over.take() {
        one.gram = match &step.gram {
            Curvature::Diagonal(d) => Curvature::Diagonal(d.repeat(left)),
            gram => Curvature::Repeated { left, inner: Arc::new(gram.clone()), right: 1 },
        };
    }
    one
}

/// The variables one behind another, one member after the other.
fn by_members(draft: &mut Draft, values: &[Value], members: usize) -> Value {
    let rows: Vec<Value> = values
        .iter()
        .map(|&value| {
            let len = draft.b.shape(value).numel() / members;
            draft.b.reshape(value, [members, len])
        })
        .collect();
    let all = if let [one] = rows[..] { one } else { draft.b.concat(rows, 1) };
    draft.flat(&[all])
}

/// The states of a search.
pub(super) struct States {
    pub gradient: StateId,
    pub gradient_new: StateId,
    pub direction: StateId,
    pub value: StateId,
    pub slope: StateId,
    value_new: StateId,
    step: StateId,
    failed: StateId,
}

/// The state that holds the objective's value after a step.
pub(super) fn value_state(coder: &mut Coder, tag: &str) -> StateId {
    coder.scalar(&format!("h.{tag}"), 0.0)
}

impl States {
    pub fn new(coder: &mut Coder, problem: &Problem) -> States {
        let tag = &problem.tag;
        let shape = Shape::vector(problem.len(coder));
        let vector = |coder: &mut Coder, name: &str| coder.zeros(&format!("{name}.{tag}"), shape.clone(), None);
        States {
            gradient: vector(coder, "g"),
            gradient_new: vector(coder, "g⁺"),
            direction: vector(coder, "d"),
            value: value_state(coder, tag),
            slope: coder.scalar(&format!("slope.{tag}"), 0.0),
            value_new: coder.scalar(&format!("h⁺.{tag}"), 0.0),
            step: coder.scalar(&format!("t.{tag}"), 1.0),
            failed: coder.scalar(&format!("failed.{tag}"), 0.0),
        }
    }

    /// Writes value and gradient at the start, and gives the gradient.
    pub fn begin(&self, coder: &mut Coder, draft: &mut Draft, problem: &mut Problem) -> Value {
        let v = problem.read(coder, draft);
        let (value, gradient) = problem.value_and_gradient(coder, draft, v);
        draft.write(coder, self.value, value);
        draft.write(coder, self.gradient, gradient);
        gradient
    }

    /// The statements that find a step length along the direction; without one the loop around is left.
    pub fn search(&self, coder: &mut Coder, problem: &mut Problem, status: StopStatus) -> [Stmt; 2] {
        let mut draft = coder.draft("trial");
        let v = problem.read(coder, &mut draft);
        let trial = self.along(coder, &mut draft, v);
        let (value, gradient) = problem.value_and_gradient(coder, &mut draft, trial);
        draft.write(coder, self.value_new, value);
        draft.write(coder, self.gradient_new, gradient);
        let search = LineSearch {
            trial: coder.call_stmt(draft, None, problem.what),
            step: self.step,
            value: self.value,
            value_new: self.value_new,
            slope: self.slope,
            gradient: self.gradient,
            failed: self.failed,
        };
        [Stmt::LineSearch(search), Stmt::Stop { when: self.failed, status }]
    }

    /// Takes the step; gives what it moves by and what that changes the gradient by.
    pub fn accept(&self, coder: &mut Coder, draft: &mut Draft, problem: &Problem) -> (Value, Value) {
        let point = point(coder, draft, problem.vars, None);
        let v = draft.flat(&point.values);
        let next = self.along(coder, draft, v);
        let values = draft.unflat(next, &point.shapes);
        point.write(coder, draft, &values);
        let [old, new, value] =
            [self.gradient, self.gradient_new, self.value_new].map(|state| draft.read(coder, state));
        draft.write(coder, self.gradient, new);
        draft.write(coder, self.value, value);
        (draft.b.sub(next, v), draft.b.sub(new, old))
    }

    /// `v + t d`
    fn along(&self, coder: &Coder, draft: &mut Draft, v: Value) -> Value {
        let (t, d) = (draft.read(coder, self.step), draft.read(coder, self.direction));
        let moved = draft.b.mul(t, d);
        draft.b.add(v, moved)
    }
}
