//! Accelerated proximal gradient (Beck & Teboulle 2009, FISTA with backtracking) on `f + φ`, f the smooth terms
//! of a step, φ its map, the penalty in the metric of the map where `G = MᵀM` is diagonal, else part of f:
//!
//! ```text
//! force = ∇f(y) + pull − Ly,      v⁺ = map at −force/F,      F = L + ρG
//! y⁺ = v⁺ + (t − 1)/t⁺ (v⁺ − v),      t⁺ = (1 + √(1 + 4t²))/2
//! ```
//!
//! L is doubled until `f(v⁺) ≤ f(y) + ⟨∇f(y), Δ⟩ + (L/2)‖Δ‖²` with `Δ = v⁺ − y`, by more than rounding, or
//! `⟨∇f(v⁺) − ∇f(y), Δ⟩ ≤ (L/2)‖Δ‖²`, which implies it of a convex f and loses no digits (Becker, Candès & Grant
//! 2011, §5.3). It begins at half of what the last iteration ended with, but no lower than `‖Hg‖/‖g‖` of the
//! Hessian H and gradient g of f at the start. Where a step goes against the last one, t begins anew (O'Donoghue & Candès
//! 2015); where f is not known to be convex, y is v.
//!
//! What is left, `∇f(v⁺) − ∇f(y) + L(y − v⁺)`, is a slope of `f + φ` and the penalty at `v⁺`: the steps end
//! when it falls to the bound of [`inexact`], or to `tol` times what the first one left.

use super::admm::{Cotangent, Iteration, Side, point};
use super::coder::{Coder, Draft};
use super::composite;
use super::gradient::{self, curvature_product};
use super::ir::{LineSearch, LoopStmt, LoopUnit, StateId, Stmt, StopStatus};
use super::{inexact, prox};
use crate::steps::ir::{Composite, Penalty, Step};
use crate::tape::ir::{Binary, Unary};
use crate::tape::{self, Shape, Value, jvp};

/// Roundings of f that a descent must be clear of to be believed.
const CLEAR: f64 = 10.0;

/// Share of a step's own rounding that the steps do not go below.
const ROUNDING: f64 = 16.0;

/// A step being written.
#[derive(Clone, Copy)]
struct Site<'a> {
    it: &'a Iteration<'a>,
    step: &'a Step,
    /// The same with the terms of f alone.
    smooth: &'a Step,
    rule: &'a Composite,
    side: Side,
}

/// The states of the inner loop.
struct States {
    pull: StateId,
    y: StateId,
    next: StateId,
    gradient: StateId,
    value: StateId,
    /// `‖∇f(v⁺) − ∇f(y) + L(y − v⁺)‖²`
    left: StateId,
    /// Whether `left` is as small as it can be told.
    rounded: StateId,
    /// `left` of the first step.
    start: StateId,
    done: StateId,
    lipschitz: StateId,
    momentum: StateId,
    /// How far the trial is from what it has to reach.
    excess: StateId,
    /// Zeros, which the excess is compared with.
    zero: StateId,
    shrink: StateId,
    failed: StateId,
}

impl States {
    fn new(coder: &mut Coder, tag: &str, n: usize) -> States {
        let vector = |coder: &mut Coder, name: &str| coder.zeros(&format!("{name}.{tag}"), Shape::vector(n), None);
        let scalar = |coder: &mut Coder, name: &str| coder.scalar(&format!("{name}.{tag}"), 0.0);
        States {
            pull: vector(coder, "pull"),
            y: vector(coder, "y"),
            next: vector(coder, "v⁺"),
            gradient: vector(coder, "g"),
            value: scalar(coder, "f"),
            left: scalar(coder, "fista left"),
            rounded: scalar(coder, "fista rounded"),
            start: scalar(coder, "fista start"),
            done: scalar(coder, "fista done"),
            lipschitz: scalar(coder, "L"),
            momentum: coder.scalar(&format!("fista t.{tag}"), 1.0),
            excess: scalar(coder, "fista excess"),
            zero: scalar(coder, "fista zero"),
            shrink: coder.scalar(&format!("t.{tag}"), 1.0),
            failed: scalar(coder, "failed"),
        }
    }
}

/// The statements of the step.
pub(super) fn step(it: &Iteration, coder: &mut Coder, step: &Step, rule: &Composite, side: Side, body: &mut Vec<Stmt>) {
    let tag = coder.prefixed(it.plan.player.index(), &it.tag(coder, step));
    let smooth = composite::smooth(step, rule);
    let site = Site { it, step, smooth: &smooth, rule, side };
    let states = States::new(coder, &tag, step.gram.n());
    site.begin(coder, &states, body);
    let mut inner = Vec::new();
    site.slope(coder, &states, &mut inner);
    site.search(coder, &states, &mut inner);
    site.accept(coder, &states, &mut inner);
    let count = rule.descent.steps;
    body.push(Stmt::Loop(LoopStmt { count, unit: LoopUnit::Step, body: inner }));
}

impl Site<'_> {
    fn what(&self) -> &'static str {
        Iteration::what(self.side)
    }

    /// `f` at one vector, and its gradient.
    fn smooth(&self, coder: &mut Coder, draft: &mut Draft, v: Value, shapes: &[Shape]) -> (Value, Value) {
        let values = draft.unflat(v, shapes);
        let mut value = gradient::objective(self.it, coder, draft, self.smooth, &values, coder.dtype);
        if self.rule.penalty == Penalty::Smooth {
            let product = curvature_product(self.it, coder, draft, self.step, v);
            let quadratic = draft.b.dot(v, product);
            let quadratic = draft.b.scale(0.5, quadratic);
            value = draft.b.add(value, quadratic);
        }
        (value, tape::gradient(&mut draft.b, value, &[v])[0])
    }

    /// The variables, one behind another, and their shapes.
    fn read(&self, coder: &mut Coder, draft: &mut Draft) -> (Value, Vec<Shape>) {
        let at = point(coder, draft, &self.step.component.vars, None);
        (draft.flat(&at.values), at.shapes)
    }

    /// Before the steps: y, t, L, the pull, and what to end at.
    fn begin(&self, coder: &mut Coder, states: &States, body: &mut Vec<Stmt>) {
        let mut draft = coder.draft("begin");
        let pull = self.it.adjoint(coder, &mut draft, self.step, Cotangent::Pull(self.side), coder.dtype, body);
        let (v, shapes) = self.read(coder, &mut draft);
        let (_, slope) = self.smooth(coder, &mut draft, v, &shapes);
        let image = jvp(&mut draft.b, slope, &[v], &[slope]);
        let [image, size] = [image, slope].map(|value| draft.b.norm2(value));
        let least = draft.quotient(image, size);
        let finite = draft.b.unary(Unary::IsFinite, least);
        let (zero, one) = (draft.number(0.0, coder.dtype), draft.number(1.0, coder.dtype));
        let least = draft.b.select(finite, least, zero);
        let last = draft.read(coder, states.lipschitz);
        let half = draft.b.scale(0.5, last);
        let most = draft.b.binary(Binary::Max, half, least);
        // Of an f without curvature any L will do.
        let lipschitz = draft.b.select(most, most, one);
        for (state, value) in [
            (states.pull, pull),
            (states.y, v),
            (states.lipschitz, lipschitz),
            (states.momentum, one),
            (states.start, zero),
            (states.zero, zero),
        ] {
            draft.write(coder, state, value);
        }
        body.push(coder.call(draft, None, self.what()));
    }

    /// `f(y)` and its gradient.
    fn slope(&self, coder: &mut Coder, states: &States, body: &mut Vec<Stmt>) {
        let mut draft = coder.draft("slope");
        let (_, shapes) = self.read(coder, &mut draft);
        let y = draft.read(coder, states.y);
        let (value, gradient) = self.smooth(coder, &mut draft, y, &shapes);
        draft.write(coder, states.value, value);
        draft.write(coder, states.gradient, gradient);
        body.push(coder.call(draft, None, self.what()));
    }

    /// `L` at the length that the host tries.
    fn tried(&self, coder: &Coder, draft: &mut Draft, states: &States) -> Value {
        let (lipschitz, shrink) = (draft.read(coder, states.lipschitz), draft.read(coder, states.shrink));
        draft.b.div(lipschitz, shrink)
    }

    /// `∇f(y) + pull − Ly`
    fn force(&self, coder: &Coder, draft: &mut Draft, states: &States, lipschitz: Value) -> Value {
        let [gradient, pull, y] = [states.gradient, states.pull, states.y].map(|state| draft.read(coder, state));
        let sum = draft.b.add(gradient, pull);
        let held = draft.b.mul(lipschitz, y);
        draft.b.sub(sum, held)
    }

    /// Doubles L until the model lies above f.
    fn search(&self, coder: &mut Coder, states: &States, body: &mut Vec<Stmt>) {
        let mut draft = coder.draft("trial");
        let (_, shapes) = self.read(coder, &mut draft);
        let lipschitz = self.tried(coder, &mut draft, states);
        let force = self.force(coder, &mut draft, states, lipschitz);
        let map = (self.step, &self.rule.form);
        let next = prox::landed(self.it, coder, &mut draft, map, Some(lipschitz), force, &shapes).next;
        let [y, gradient, value] = [states.y, states.gradient, states.value].map(|state| draft.read(coder, state));
        let moved = draft.b.sub(next, y);
        let (value_new, gradient_new) = self.smooth(coder, &mut draft, next, &shapes);
        let squares = draft.b.sum_squares(moved);
        let half = draft.b.scale(0.5, lipschitz);
        let model = draft.b.mul(half, squares);
        let turned = draft.b.sub(gradient_new, gradient);
        let bent = draft.b.dot(turned, moved);
        let by_slopes = draft.b.sub(bent, model);
        let along = draft.b.dot(gradient, moved);
        let fallen = draft.b.sub(value_new, value);
        let above = draft.b.sub(fallen, along);
        let above = draft.b.sub(above, model);
        let size = draft.b.unary(Unary::Abs, value);
        let rounding = draft.b.scale(CLEAR * coder.dtype.eps(), size);
        let by_values = draft.b.add(above, rounding);
        // A NaN, outside of a domain, is in both.
        let excess = draft.b.binary(Binary::Min, by_slopes, by_values);
        let back = draft.b.mul(lipschitz, moved);
        let left = draft.b.sub(turned, back);
        let left = draft.b.sum_squares(left);
        let held = draft.b.mul(lipschitz, next);
        let [own, held] = [gradient_new, held].map(|value| draft.b.sum_squares(value));
        let size = draft.b.add(own, held);
        let least = draft.b.scale((ROUNDING * coder.dtype.eps()).powi(2), size);
        let rounded = draft.b.binary(Binary::LessEqual, left, least);
        for (state, value) in
            [(states.next, next), (states.excess, excess), (states.left, left), (states.rounded, rounded)]
        {
            draft.write(coder, state, value);
        }
        let trial = coder.call_stmt(draft, None, self.what());
        body.push(Stmt::LineSearch(LineSearch {
            trial,
            step: states.shrink,
            value: states.zero,
            value_new: states.excess,
            slope: states.zero,
            gradient: states.gradient,
            failed: states.failed,
        }));
        body.push(Stmt::Stop { when: states.failed, status: StopStatus::Inner });
    }

    /// Takes the trial, extrapolates, and tests.
    fn accept(&self, coder: &mut Coder, states: &States, body: &mut Vec<Stmt>) {
        let mut draft = coder.draft("accept");
        let at = point(coder, &mut draft, &self.step.component.vars, None);
        let v = draft.flat(&at.values);
        let lipschitz = self.tried(coder, &mut draft, states);
        let [y, next] = [states.y, states.next].map(|state| draft.read(coder, state));
        if self.it.plan.is_tested() {
            // −force − Fv⁺, as the trial had it.
            let force = self.force(coder, &mut draft, states, lipschitz);
            let map = (self.step, &self.rule.form);
            let metric = prox::metric(self.it, coder, &mut draft, map, Some(lipschitz), coder.dtype);
            let held = draft.b.mul(metric, next);
            let sum = draft.b.add(force, held);
            let slope = draft.b.neg(sum);
            let state = composite::slope(self.it, coder, self.step);
            draft.write(coder, state, slope);
        }
        let one = draft.number(1.0, coder.dtype);
        let moved = draft.b.sub(next, v);
        let (ahead, momentum) = if self.rule.accelerated {
            let back = draft.b.sub(y, next);
            let against = draft.b.dot(back, moved);
            let zero = draft.number(0.0, coder.dtype);
            let anew = draft.b.binary(Binary::Less, zero, against);
            let t = draft.read(coder, states.momentum);
            let t = draft.b.select(anew, one, t);
            let square = draft.b.unary(Unary::Square, t);
            let square = draft.b.scale(4.0, square);
            let square = draft.b.offset(square, 1.0);
            let root = draft.b.unary(Unary::Sqrt, square);
            let sum = draft.b.offset(root, 1.0);
            let further = draft.b.scale(0.5, sum);
            let less = draft.b.sub(t, one);
            let share = draft.b.div(less, further);
            let by = draft.b.mul(share, moved);
            (draft.b.add(next, by), further)
        } else {
            (next, one)
        };
        let left = draft.read(coder, states.left);
        let before = draft.read(coder, states.start);
        let start = draft.b.select(before, before, left);
        let bound = match self.rule.descent.tol {
            Some(tol) => draft.b.scale(tol * tol, start),
            None => inexact::bound(self.it, coder, &mut draft, start),
        };
        let small = draft.b.binary(Binary::LessEqual, left, bound);
        let rounded = draft.read(coder, states.rounded);
        let done = draft.b.binary(Binary::Max, small, rounded);
        for (state, value) in [
            (states.y, ahead),
            (states.momentum, momentum),
            (states.lipschitz, lipschitz),
            (states.start, start),
            (states.done, done),
        ] {
            draft.write(coder, state, value);
        }
        let values = draft.unflat(next, &at.shapes);
        at.write(coder, &mut draft, &values);
        body.push(coder.call(draft, None, self.what()));
        body.push(Stmt::Stop { when: states.done, status: StopStatus::Inner });
    }
}
