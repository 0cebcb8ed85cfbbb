//! One iteration of the split method, as statements.
//!
//! ```text
//! x⁺ = step(pull = Aᵀ(λ + ρ(Bz − c)))
//! r̂  = αAx⁺ − (1−α)(Bz − c)
//! z⁺ = step(pull = Bᵀ(λ + ρ(r̂ − c)))
//! λ⁺ = λ + ρ(r̂ + Bz⁺ − c)
//! ```
//!
//! Where rows have weights, ρ stands for ρW throughout.
//!
//! `A v` is the JVP of the constraint's program, `Aᵀy` its VJP: the constraint is said once. A step
//! gets its *pull*, the gradient of the coupling at v = 0, and the curvature `ρMᵀM`. Where the program is not
//! linear in a block, its value stands for `A v`, and the VJP at the point is that of its derivative.

use super::coder::{Coder, Draft};
use super::ir::{Arg, StateId, Stmt};
use super::noise;
pub(super) use super::point::{Point, point};
use super::rows::Rows;
use crate::model::ir::{Leaf, Member, VarId};
use crate::split::ir::{Coupling, PlayerSplit};
use crate::steps::ir::{AdmmPlan, Step};
use crate::tape::{Dtype, Shape, Value, vjp};

/// A block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    X,
    Z,
}

/// What the adjoint of a coupling is applied to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cotangent {
    /// `λ + ρ(other block − c)`: what pulls a step.
    Pull(Side),
    /// `λ⁺ − λ − ρ(Ax⁺ + Bz − c)`: the dual residual of an exact x-step, whose gradient is balanced by
    /// `λ + ρ(Ax⁺ + Bz − c)`. Without acceleration it is `ρ[B(z⁺ − z) + (α − 1)(Ax⁺ + Bz − c)]`.
    Shift,
    /// `λ + ρ(Mv + other block − c)`: what pulls at the last point.
    Here(Side),
    /// `λ`
    Multiplier,
    /// A certificate's `y`.
    Certificate,
}

/// The states of a split iteration.
pub(super) struct Iteration<'a> {
    pub plan: &'a AdmmPlan,
    pub split: &'a PlayerSplit,
    /// ρ
    pub rho: StateId,
    /// `‖r‖², ‖Ax‖², ‖Bz‖², ‖B(z⁺ − z)‖²` over all couplings.
    pub sums: [StateId; 4],
    /// The same in the norm of the weights: what ρ is balanced by.
    pub weighed: [StateId; 4],
    /// `‖λ‖²` in the norm of their inverses.
    pub multiplier: StateId,
    /// What is run again when ρ changed.
    pub refactor: Vec<Stmt>,
}

impl<'a> Iteration<'a> {
    /// The states of a plan; the same plan of a player shares them.
    pub fn new(coder: &mut Coder, split: &'a PlayerSplit, plan: &'a AdmmPlan) -> Iteration<'a> {
        let player = plan.player.index();
        let name = coder.prefixed(player, "ρ");
        let rho = coder.scalar(&name, plan.rho);
        let sums = ["r²", "Ax²", "Bz²", "ΔBz²"].map(|name| {
            let name = coder.prefixed(player, name);
            coder.scalar(&name, 0.0)
        });
        let mut scalar = |name: &str| {
            let name = coder.prefixed(player, name);
            coder.scalar(&name, 0.0)
        };
        let multiplier = scalar("λ²W");
        let weighed = match split.couplings.iter().any(|coupling| coupling.weights.is_some()) {
            true => ["r²W", "Ax²W", "Bz²W", "ΔBz²W"].map(scalar),
            // Without weights they are the same sums.
            false => sums,
        };
        Iteration { plan, split, rho, sums, weighed, multiplier, refactor: Vec::new() }
    }

    /// The sums that an iteration starts at zero.
    fn counted(&self) -> Vec<StateId> {
        let mut all = self.sums.to_vec();
        if self.plan.is_tested() {
            all.push(self.multiplier);
            all.extend(self.weighed.iter().filter(|state| !self.sums.contains(state)));
        }
        all
    }

    /// The statements of one iteration, without tests and adaptation.
    pub fn body(&mut self, coder: &mut Coder) -> Vec<Stmt> {
        let mut body = Vec::new();
        let plan = self.plan;
        for step in &plan.x {
            self.step(coder, step, Side::X, &mut body);
        }
        for at in 0..self.split.couplings.len() {
            self.relax(coder, at, &mut body);
        }
        if let Some(memory) = plan.memory() {
            super::anderson::statements(self, coder, memory, &mut body);
        }
        for step in &plan.z {
            self.step(coder, step, Side::Z, &mut body);
        }
        let mut zero = coder.draft("zero");
        for sum in self.counted() {
            let none = zero.number(0.0, coder.dtype);
            zero.write(coder, sum, none);
        }
        body.push(coder.call(zero, None, "λ-step"));
        noise::begin(self, coder, &mut body);
        for at in 0..self.split.couplings.len() {
            self.multiplier(coder, at, &mut body);
        }
        noise::end(self, coder, &mut body);
        body
    }

    /// `r̂`, where it is not `Ax⁺` itself, and `Bz` before the z-step.
    fn relax(&self, coder: &mut Coder, at: usize, body: &mut Vec<Stmt>) {
        let coupling = &self.split.couplings[at];
        let member = coupling.over.is_some();
        let mut draft = coder.draft("relax");
        let rows = self.rows(coder, &mut draft, coupling, coder.dtype);
        let before = self.beside(coder, "Bz", coupling);
        draft.write(coder, Arg { state: before, member }, rows.z);
        let alpha = self.plan.relax;
        if alpha != 1.0 {
            let fixed = rows.add_offset(&mut draft, rows.z);
            let a = draft.b.scale(alpha, rows.x);
            let b = draft.b.scale(1.0 - alpha, fixed);
            let hat = draft.b.sub(a, b);
            let state = self.beside(coder, "r̂", coupling);
            draft.write(coder, Arg { state, member }, hat);
        }
        if self.plan.is_tested() {
            let (_, lambda) = self.lambda(coder, &mut draft, coupling, coder.dtype);
            let sum = draft.b.add(rows.x, rows.z);
            let sum = rows.add_offset(&mut draft, sum);
            let step = self.penalised(coder, &mut draft, coupling, sum, coder.dtype);
            let balanced = draft.b.add(lambda, step);
            let state = self.beside(coder, "λ̂", coupling);
            draft.write(coder, Arg { state, member }, balanced);
        }
        body.push(coder.call(draft, coupling.over, "z-step"));
    }

    /// `ρW` times a value shaped like a coupling's rows.
    pub fn penalised(
        &self,
        coder: &mut Coder,
        draft: &mut Draft,
        coupling: &Coupling,
        value: Value,
        dtype: Dtype,
    ) -> Value {
        let rho = draft.read(coder, self.rho);
        let rho = draft.b.cast(rho, dtype);
        let value = match self.constant(coder, draft, "W", coupling, |w| w, dtype) {
            Some(weights) => draft.b.mul(weights, value),
            None => value,
        };
        draft.b.mul(rho, value)
    }

    /// `W^{-½}` times a value shaped like a coupling's rows, or like several of them along a first axis.
    pub fn per_weight(&self, coder: &mut Coder, draft: &mut Draft, coupling: &Coupling, value: Value) -> Value {
        let dtype = draft.b.dtype(value);
        let Some(mut by) = self.constant(coder, draft, "W⁻½", coupling, |w| 1.0 / w.sqrt(), dtype) else {
            return value;
        };
        let shape = draft.b.shape(value).clone();
        let extra = shape.rank() - draft.b.shape(by).rank();
        by = draft.b.broadcast(by, (extra..shape.rank()).collect(), shape);
        draft.b.mul(by, value)
    }

    /// A function of a coupling's weights, where it has some.
    fn constant(
        &self,
        coder: &mut Coder,
        draft: &mut Draft,
        what: &str,
        coupling: &Coupling,
        of: fn(f64) -> f64,
        dtype: Dtype,
    ) -> Option<Value> {
        let weights = coupling.weights.as_ref()?;
        let name = coder.prefixed(self.plan.player.index(), &format!("{what}.{}", coupling.name));
        let all: Vec<f64> = weights.iter().map(|&w| of(w)).collect();
        let state = coder.constant(&name, coupling.shape.clone(), None, all);
        let value = draft.read(coder, state);
        Some(draft.b.cast(value, dtype))
    }

    /// `ρW(r̂ − c)` of a coupling that is no family.
    fn penalised_hat(&self, coder: &mut Coder, draft: &mut Draft, coupling: &Coupling) -> Value {
        let rows = self.rows(coder, draft, coupling, coder.dtype);
        let hat = self.hat(coder, draft, coupling, &rows);
        let hat = rows.add_offset(draft, hat);
        self.penalised(coder, draft, coupling, hat, coder.dtype)
    }

    /// `λ + ρW(r̂ − c)`: all that the z-step is told.
    pub fn pulled(&self, coder: &mut Coder, draft: &mut Draft, coupling: &Coupling) -> Value {
        let (_, lambda) = self.lambda(coder, draft, coupling, coder.dtype);
        let penalty = self.penalised_hat(coder, draft, coupling);
        draft.b.add(lambda, penalty)
    }

    /// Sets λ so that the z-step is told `pull`.
    pub fn set_pull(&self, coder: &mut Coder, draft: &mut Draft, coupling: &Coupling, pull: Value) {
        let (state, _) = self.lambda(coder, draft, coupling, coder.dtype);
        let penalty = self.penalised_hat(coder, draft, coupling);
        let lambda = draft.b.sub(pull, penalty);
        draft.write(coder, state, lambda);
    }

    /// `λ − ρW Bz`: what the z-step was told when it led to λ and z.
    pub fn pull_behind(&self, coder: &mut Coder, draft: &mut Draft, coupling: &Coupling) -> Value {
        let rows = self.rows(coder, draft, coupling, coder.dtype);
        let (_, lambda) = self.lambda(coder, draft, coupling, coder.dtype);
        let penalty = self.penalised(coder, draft, coupling, rows.z, coder.dtype);
        draft.b.sub(lambda, penalty)
    }

    /// `λ⁺ = λ + ρ(r̂ + Bz⁺ − c)` and the sums of squares, in one sweep.
    fn multiplier(&self, coder: &mut Coder, at: usize, body: &mut Vec<Stmt>) {
        let coupling = &self.split.couplings[at];
        let member = coupling.over.is_some();
        let mut draft = coder.draft("multiplier");
        let rows = self.rows(coder, &mut draft, coupling, coder.dtype);
        let (state, lambda) = self.lambda(coder, &mut draft, coupling, coder.dtype);
        let hat = self.hat(coder, &mut draft, coupling, &rows);
        let target = draft.b.add(hat, rows.z);
        let target = rows.add_offset(&mut draft, target);
        let step = self.penalised(coder, &mut draft, coupling, target, coder.dtype);
        let next = draft.b.add(lambda, step);
        draft.write(coder, Arg { state, member }, next);
        noise::seen(self, coder, &mut draft, coupling, next);
        let residual = draft.b.add(rows.x, rows.z);
        let residual = rows.add_offset(&mut draft, residual);
        let before = self.beside(coder, "Bz", coupling);
        let before = draft.read(coder, Arg { state: before, member });
        let moved = draft.b.sub(rows.z, before);
        let parts = [residual, rows.x, rows.z, moved];
        for (sum, value) in self.sums.into_iter().zip(parts) {
            add_square(coder, &mut draft, sum, value);
        }
        if self.plan.is_tested() {
            if self.weighed != self.sums {
                let root = self.constant(coder, &mut draft, "W½", coupling, f64::sqrt, coder.dtype);
                for (sum, value) in self.weighed.into_iter().zip(parts) {
                    let value = root.map_or(value, |root| draft.b.mul(root, value));
                    add_square(coder, &mut draft, sum, value);
                }
            }
            let lambda = self.per_weight(coder, &mut draft, coupling, next);
            add_square(coder, &mut draft, self.multiplier, lambda);
        }
        body.push(coder.call(draft, coupling.over, "λ-step"));
    }

    /// The statements of one component's step.
    fn step(&mut self, coder: &mut Coder, step: &Step, side: Side, body: &mut Vec<Stmt>) {
        if let Some(value) = &step.given {
            return super::given::step(coder, step, value, side, body);
        }
        match &step.rule {
            crate::steps::ir::Rule::Quadratic { .. } => super::quadratic::step(self, coder, step, side, body),
            crate::steps::ir::Rule::Prox(form) => super::prox::step(self, coder, step, form, side, body),
            crate::steps::ir::Rule::Linearised(form) => super::linearised::step(self, coder, step, form, side, body),
            crate::steps::ir::Rule::Descent(descent) => super::gradient::step(self, coder, step, descent, side, body),
            crate::steps::ir::Rule::Composite(rule) => super::composite::step(self, coder, step, rule, side, body),
        }
    }

    /// The flat sum `Mᵀy` over the couplings of a component. Couplings that are a family of which the
    /// component is no member are summed by statements put before.
    pub fn adjoint(
        &self,
        coder: &mut Coder,
        draft: &mut Draft,
        step: &Step,
        cotangent: Cotangent,
        dtype: Dtype,
        before: &mut Vec<Stmt>,
    ) -> Value {
        let vars = &step.component.vars;
        let n: usize = vars.iter().map(|var| coder.model.vars[var.index()].shape.numel()).sum();
        let mut total: Option<Value> = None;
        let mut accumulated = None;
        for (_, coupling) in self.split.couplings_of(vars) {
            let part = if coupling.over.is_some() == step.component.over.is_some() {
                self.adjoint_rows(coder, draft, coupling, vars, cotangent, dtype)
            } else {
                let sum = *accumulated.get_or_insert_with(|| {
                    let name = coder.prefixed(self.plan.player.index(), &format!("sum.{}", self.tag(coder, step)));
                    let sum = coder.zeros(&name, Shape::vector(n), None);
                    let mut zero = coder.draft("zero");
                    let none = zero.number(0.0, coder.dtype);
                    let none = zero.b.broadcast_scalar(none, &Shape::vector(n));
                    zero.write(coder, sum, none);
                    before.push(coder.call(zero, None, "gather"));
                    sum
                });
                let mut inner = coder.draft("accumulate");
                let own = self.adjoint_rows(coder, &mut inner, coupling, vars, cotangent, coder.dtype);
                let so_far = inner.read(coder, sum);
                let next = inner.b.add(so_far, own);
                inner.write(coder, sum, next);
                before.push(coder.call(inner, coupling.over, "gather"));
                continue;
            };
            total = Some(match total {
                None => part,
                Some(sum) => draft.b.add(sum, part),
            });
        }
        if let Some(sum) = accumulated {
            let sum = draft.read(coder, sum);
            let sum = draft.b.cast(sum, dtype);
            total = Some(match total {
                None => sum,
                Some(so_far) => draft.b.add(so_far, sum),
            });
        }
        total.unwrap_or_else(|| {
            let zero = draft.number(0.0, dtype);
            draft.b.broadcast_scalar(zero, &Shape::vector(n))
        })
    }

    fn adjoint_rows(
        &self,
        coder: &mut Coder,
        draft: &mut Draft,
        coupling: &Coupling,
        vars: &[VarId],
        cotangent: Cotangent,
        dtype: Dtype,
    ) -> Value {
        let rows = self.rows(coder, draft, coupling, dtype);
        let y = self.cotangent(coder, draft, coupling, &rows, cotangent, dtype);
        let own: Vec<Option<Value>> = vars
            .iter()
            .map(|var| rows.leaves.iter().find(|(leaf, _)| leaf.var() == Some(*var)).map(|&(_, value)| value))
            .collect();
        let present: Vec<Value> = own.iter().flatten().copied().collect();
        let mut parts = vjp(&mut draft.b, rows.value, y, &present).into_iter();
        let parts: Vec<Value> = own
            .iter()
            .zip(vars)
            .map(|(own, var)| match own {
                Some(_) => parts.next().expect("one cotangent a variable (grad::vjp)"),
                None => {
                    let zero = draft.number(0.0, dtype);
                    draft.b.broadcast_scalar(zero, &coder.model.vars[var.index()].shape)
                }
            })
            .collect();
        draft.flat(&parts)
    }

    fn cotangent(
        &self,
        coder: &mut Coder,
        draft: &mut Draft,
        coupling: &Coupling,
        rows: &Rows,
        cotangent: Cotangent,
        dtype: Dtype,
    ) -> Value {
        let (_, lambda) = self.lambda(coder, draft, coupling, dtype);
        match cotangent {
            Cotangent::Multiplier => lambda,
            Cotangent::Certificate => {
                let state = self.beside(coder, "certificate", coupling);
                let y = draft.read(coder, Arg { state, member: coupling.over.is_some() });
                draft.b.cast(y, dtype)
            }
            Cotangent::Pull(side) | Cotangent::Here(side) => {
                let mut other = match side {
                    Side::X => rows.z,
                    Side::Z => self.hat(coder, draft, coupling, rows),
                };
                if matches!(cotangent, Cotangent::Here(_)) {
                    let own = if side == Side::X { rows.x } else { rows.z };
                    other = draft.b.add(other, own);
                }
                let other = rows.add_offset(draft, other);
                let weighted = self.penalised(coder, draft, coupling, other, dtype);
                draft.b.add(lambda, weighted)
            }
            Cotangent::Shift => {
                let state = self.beside(coder, "λ̂", coupling);
                let balanced = draft.read(coder, Arg { state, member: coupling.over.is_some() });
                let balanced = draft.b.cast(balanced, dtype);
                draft.b.sub(lambda, balanced)
            }
        }
    }

    /// The multiplier: its state and value.
    pub fn lambda(&self, coder: &mut Coder, draft: &mut Draft, coupling: &Coupling, dtype: Dtype) -> (StateId, Value) {
        let member = if coupling.over.is_some() { Member::Loop } else { Member::None };
        let leaf = Leaf::Dual(self.plan.player, coupling.constraint, member);
        let state = coder.leaf(leaf);
        (state, draft.leaf(coder, leaf, dtype))
    }

    /// A state shaped like a coupling's rows.
    pub fn beside(&self, coder: &mut Coder, what: &str, coupling: &Coupling) -> StateId {
        let name = coder.prefixed(self.plan.player.index(), &format!("{what}.{}", coupling.name));
        coder.zeros(&name, coupling.shape.clone(), coupling.over)
    }

    /// A name for what belongs to a step.
    pub fn tag(&self, coder: &Coder, step: &Step) -> String {
        let names: Vec<&str> =
            step.component.vars.iter().map(|var| coder.model.vars[var.index()].name.as_str()).collect();
        names.join(",")
    }

    /// The heading that a side's time is accounted under.
    pub fn what(side: Side) -> &'static str {
        match side {
            Side::X => "x-step",
            Side::Z => "z-step",
        }
    }
}

/// Adds `‖value‖²` to a sum.
pub(super) fn add_square(coder: &Coder, draft: &mut Draft, sum: StateId, value: Value) {
    let so_far = draft.read(coder, sum);
    let own = draft.b.sum_squares(value);
    let total = draft.b.add(so_far, own);
    draft.write(coder, sum, total);
}
