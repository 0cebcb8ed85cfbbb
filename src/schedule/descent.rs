//! Descent on the unsplit problem: copies replaced by what they copy, then gradient steps, Adam or
//! L-BFGS on the variables that stay.

use super::coder::{Coder, Draft, summed};
use super::direction;
use super::gradient;
use super::ir::{Arg, LoopStmt, LoopUnit, StateId, Stmt, StopStatus};
use super::point::whole_shape;
use super::sample;
use super::search::{self, Problem};
use crate::model::ir::{Descent, Expr, Leaf, Member, VarId};
use crate::split::ir::{Copied, PlayerSplit, Whole};
use crate::tape::{self, Dtype, Value};

/// The unsplit problem of a player.
pub(super) struct Unsplit<'a> {
    pub split: &'a PlayerSplit,
    pub whole: &'a Whole,
}

/// Kept variables and where they are.
#[derive(Clone, Copy)]
struct Kept<'v> {
    vars: &'v [VarId],
    values: &'v [Value],
}

impl<'a> Unsplit<'a> {
    /// The unsplit problem; there is one, or `steps` would have refused the method.
    pub fn new(split: &'a PlayerSplit) -> Unsplit<'a> {
        let whole = split.whole.as_ref().expect("a method on the unsplit problem has one (steps::choose)");
        Unsplit { split, whole }
    }

    /// The player's terms, families summed.
    pub fn terms(&self, coder: &Coder) -> Vec<Expr> {
        let player = &coder.model.players[self.split.player.index()];
        player.terms.iter().map(|term| summed(&term.expr, term.over)).collect()
    }

    /// The objective at values of the kept variables (families whole).
    pub fn objective(&self, coder: &mut Coder, draft: &mut Draft, values: &[Value], dtype: Dtype) -> Value {
        let terms = self.terms(coder);
        let (values, _) = coder
            .lower(draft, &terms, dtype, &mut |coder, draft, leaf| self.replaced(coder, draft, leaf, values, dtype));
        gradient::total(draft, &values, dtype)
    }

    /// Expressions with the copies eliminated, in the working precision; in a call over a family, of its member.
    pub fn values(&self, coder: &mut Coder, draft: &mut Draft, exprs: &[Expr], over: Option<usize>) -> Vec<Value> {
        let dtype = coder.dtype;
        let kept: Vec<Value> = self
            .whole
            .kept
            .iter()
            .map(|&var| {
                let of_loop = over.is_some() && coder.model.vars[var.index()].family == over;
                draft.leaf(coder, Leaf::Var(var, if of_loop { Member::Loop } else { Member::None }), dtype)
            })
            .collect();
        coder.lower(draft, exprs, dtype, &mut |coder, draft, leaf| self.replaced(coder, draft, leaf, &kept, dtype)).0
    }

    /// What stands for a leaf: the value of a kept variable, or a copy expressed by the kept ones.
    fn replaced(
        &self,
        coder: &mut Coder,
        draft: &mut Draft,
        leaf: Leaf,
        values: &[Value],
        dtype: Dtype,
    ) -> Option<Value> {
        if let Some(value) = gradient::replaced(draft, leaf, &self.whole.kept, values) {
            return Some(value);
        }
        let Leaf::Var(var, member) = leaf else { return None };
        let copy = self.whole.copies.iter().find(|copy| copy.var == var)?;
        Some(self.copied(coder, draft, copy, member, Kept { vars: &self.whole.kept, values }, dtype))
    }

    /// `var = −rest/factor`: the coupling with the copy at zero.
    fn copied(
        &self,
        coder: &mut Coder,
        draft: &mut Draft,
        copy: &Copied,
        member: Member,
        at: Kept,
        dtype: Dtype,
    ) -> Value {
        let coupling = &self.split.couplings[copy.coupling];
        // A plain copy of a variable needs no arithmetic.
        if let Some(of) = copy.of
            && let Some(part) = coupling.parts.iter().find(|part| part.var == of)
        {
            let which = if part.member == Member::Loop { member } else { part.member };
            let leaf = Leaf::Var(of, which);
            if let Some(value) = gradient::replaced(draft, leaf, at.vars, at.values) {
                let shape = coder.model.vars[copy.var.index()].shape.clone();
                let alike = shape.numel() == draft.b.shape(value).numel();
                return if alike { draft.b.reshape(value, shape) } else { value };
            }
        }
        let player = &coder.model.players[self.split.player.index()];
        let constraint = &player.constraints[coupling.constraint.index()];
        let expr = constraint.relation.expr().clone();
        let own = &coder.model.vars[copy.var.index()].shape.clone();
        let (rest, _) = coder.lower(draft, &[expr], dtype, &mut |_, draft, leaf| match leaf {
            Leaf::Var(var, _) if var == copy.var => {
                let zero = draft.number(0.0, dtype);
                Some(draft.b.broadcast_scalar(zero, own))
            }
            // A copy in a family of constraints reads the member that the copy is.
            Leaf::Var(var, Member::Loop) => {
                let value = at.values[at.vars.iter().position(|kept| *kept == var)?];
                Some(if let Member::At(k) = member { draft.member(value, k) } else { value })
            }
            _ => gradient::replaced(draft, leaf, at.vars, at.values),
        });
        // A row of a matrix is a vector in the constraint, and its copy may be a matrix of one row.
        let value = draft.b.scale(-1.0 / copy.factor, rest[0]);
        draft.b.reshape(value, own.clone())
    }

    /// The statement that sets the kept variables to the mean of their copies.
    pub fn gather(&self, coder: &mut Coder) -> Option<Stmt> {
        let mut draft = coder.draft("gather");
        let mut any = false;
        for &kept in &self.whole.kept {
            let mut sums: Vec<Value> = Vec::new();
            let mut count = 0.0;
            let state = coder.leaf(Leaf::Var(kept, Member::None));
            let own = draft.read(coder, state);
            let consensus = self.whole.copies.iter().any(|copy| copy.of == Some(kept) && is_family(coder, copy.var));
            for copy in self.whole.copies.iter().filter(|copy| copy.of == Some(kept)) {
                let state = coder.leaf(Leaf::Var(copy.var, Member::None));
                let value = draft.read(coder, state);
                match coder.model.vars[copy.var.index()].family {
                    Some(members) if !is_family(coder, kept) => {
                        sums.push(draft.b.reduce(crate::tape::ops::Reducer::Sum, value, vec![0]));
                        count += members as f64;
                    }
                    _ => {
                        sums.push(value);
                        count += 1.0;
                    }
                }
            }
            if sums.is_empty() {
                continue;
            }
            // A consensus variable is what its copies agree on; a copy among copies counts itself.
            if !consensus {
                sums.push(own);
                count += 1.0;
            }
            let total = sums.into_iter().reduce(|a, b| draft.b.add(a, b)).expect("there are copies");
            let mean = draft.b.scale(1.0 / count, total);
            draft.write(coder, state, mean);
            any = true;
        }
        any.then(|| coder.call(draft, None, "gather"))
    }

    /// The statements that set every copy from the kept variables.
    pub fn scatter(&self, coder: &mut Coder) -> Vec<Stmt> {
        let mut body = Vec::new();
        for copy in &self.whole.copies {
            let over = coder.model.vars[copy.var.index()].family;
            let member = if over.is_some() { Member::Loop } else { Member::None };
            let mut draft = coder.draft("scatter");
            // Only what its coupling holds: other families may have other sizes.
            let coupling = &self.split.couplings[copy.coupling];
            let held = |kept: &&VarId| coupling.parts.iter().any(|part| part.var == **kept);
            let kept: Vec<VarId> = self.whole.kept.iter().filter(held).copied().collect();
            let values: Vec<Value> = kept
                .iter()
                .map(|&kept| {
                    let member = if over.is_some() && is_family(coder, kept) { Member::Loop } else { Member::None };
                    draft.leaf(coder, Leaf::Var(kept, member), coder.dtype)
                })
                .collect();
            let value =
                self.copied(coder, &mut draft, copy, member, Kept { vars: &kept, values: &values }, coder.dtype);
            let state = coder.leaf(Leaf::Var(copy.var, member));
            draft.write(coder, Arg { state, member: over.is_some() }, value);
            body.push(coder.call(draft, over, "scatter"));
        }
        body
    }

    /// λ := 0.
    pub fn reset_multipliers(&self, coder: &mut Coder) -> Vec<Stmt> {
        let mut draft = coder.draft("reset");
        for coupling in &self.split.couplings {
            let leaf = Leaf::Dual(self.split.player, coupling.constraint, Member::None);
            let state = coder.leaf(leaf);
            let shape = coder.out.state(state).buffer().shape;
            let zero = draft.number(0.0, coder.dtype);
            let zero = draft.b.broadcast_scalar(zero, &shape);
            draft.write(coder, state, zero);
        }
        if self.split.couplings.is_empty() { Vec::new() } else { vec![coder.call(draft, None, "restart")] }
    }
}

fn is_family(coder: &Coder, var: VarId) -> bool {
    coder.model.vars[var.index()].family.is_some()
}

/// The statements of one step, and the state that holds the objective's value (before the step; after
/// it for methods that search along their directions). `begin` goes before the loop of steps.
pub(super) struct Steps {
    pub begin: Vec<Stmt>,
    pub body: Vec<Stmt>,
    pub value: StateId,
}

/// The steps of a descent on the unsplit problem. With `tested`, running out of progress ends the
/// loop around as converged.
pub(super) fn steps(coder: &mut Coder, split: &PlayerSplit, descent: &Descent, tested: bool) -> Steps {
    let unsplit = Unsplit::new(split);
    let tag = coder.prefixed(split.player.index(), "·whole");
    let status = if tested { StopStatus::Converged } else { StopStatus::Inner };
    if descent.is_searched() {
        return searched_steps(coder, &unsplit, &tag, descent, status);
    }
    let mut draft = coder.draft("descent");
    let states: Vec<StateId> = unsplit.whole.kept.iter().map(|&var| coder.leaf(Leaf::Var(var, Member::None))).collect();
    let values: Vec<Value> = states.iter().map(|&state| draft.read(coder, state)).collect();
    let value = unsplit.objective(coder, &mut draft, &values, coder.dtype);
    let gradients = tape::gradient(&mut draft.b, value, &values);
    let flat_gradient = draft.flat(&gradients);
    let flat = draft.flat(&values);
    let direction = direction::of(coder, &mut draft, &tag, descent, flat_gradient, None);
    let scaled = match direction.metric {
        Some(metric) => draft.b.div(direction.vector, metric),
        None => direction.vector,
    };
    let moved = draft.b.scale(descent.rate, scaled);
    let next = draft.b.sub(flat, moved);
    let shapes: Vec<_> = unsplit.whole.kept.iter().map(|&var| whole_shape(coder, var)).collect();
    for (state, value) in states.into_iter().zip(draft.unflat(next, &shapes)) {
        draft.write(coder, state, value);
    }
    let shown = coder.scalar(&format!("h.{tag}"), 0.0);
    draft.write(coder, shown, value);
    let flag = descent.tol.map(|tol| direction::stop_flag(coder, &mut draft, &tag, flat_gradient, tol));
    let mut body = vec![coder.call(draft, None, "descent")];
    if let Some(when) = flag {
        body.push(Stmt::Stop { when, status });
    }
    Steps { begin: Vec::new(), body, value: shown }
}

fn searched_steps(coder: &mut Coder, unsplit: &Unsplit, tag: &str, descent: &Descent, status: StopStatus) -> Steps {
    let mut value =
        |coder: &mut Coder, draft: &mut Draft, values: &[Value]| unsplit.objective(coder, draft, values, coder.dtype);
    let mut problem =
        Problem { tag: tag.to_string(), vars: &unsplit.whole.kept, what: "descent", value: &mut value, within: None };
    let search::Steps { begin, body } = search::steps(coder, &mut problem, descent, status);
    Steps { begin, body, value: search::value_state(coder, tag) }
}

/// A descent inside a game: copies gathered, so many steps, copies scattered.
pub(super) fn in_game(coder: &mut Coder, split: &PlayerSplit, descent: &Descent, draw: bool) -> Vec<Stmt> {
    let unsplit = Unsplit::new(split);
    let mut body: Vec<Stmt> = unsplit.gather(coder).into_iter().collect();
    let samples = sample::redrawn(coder, &unsplit.terms(coder));
    let draws = if draw || descent.fresh { sample::draws(coder, &samples) } else { Vec::new() };
    if descent.tol.is_some() {
        let tag = coder.prefixed(split.player.index(), "·whole");
        body.push(direction::reset_stop(coder, &tag));
    }
    let steps = steps(coder, split, descent, false);
    body.extend(steps.begin);
    let mut inner = draws;
    inner.extend(steps.body);
    match descent.steps {
        1 if !draw => body.extend(inner.into_iter().filter(|stmt| !matches!(stmt, Stmt::Stop { .. }))),
        count => body.push(Stmt::Loop(LoopStmt { count, unit: LoopUnit::Iteration, body: inner })),
    }
    body.extend(unsplit.scatter(coder));
    body
}
