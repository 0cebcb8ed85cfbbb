//! Functions whose argument lies where they have no value, or an infinite slope.

use super::Run;
use crate::catalogue::Function;
use crate::model::fold::is_constant;
use crate::model::ir::{Expr, ExprKind};
use crate::source::Span;
use crate::tape::hulls::{hulls, hulls_where};
use crate::tape::{Binary, Hull, Inst, Op, Unary, Value};

/// A function that has a domain, in an expression.
#[derive(Debug, Clone)]
pub(super) struct Watched {
    /// The application.
    pub span: Span,
    /// What the function is called.
    pub name: &'static str,
    /// A loss with a form that is finite everywhere, where it is one.
    pub loss: Option<Loss>,
}

/// `log(sigmoid(u))` or `log(1 − sigmoid(u))`, and where `u` stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Loss {
    /// Whether it is that of `1 − sigmoid`.
    pub complement: bool,
    /// `u`
    pub u: Span,
}

/// What happens at the edge of a domain.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Edge {
    /// There is no number beyond it.
    Beyond,
    /// The value is infinite on it.
    Infinite,
    /// The slope is infinite on it.
    Steep,
}

/// A function whose argument may be where it should not.
#[derive(Debug)]
pub(super) struct Fault {
    pub watched: Watched,
    /// What the argument lies between.
    pub hull: Hull,
    /// Where the domain ends.
    pub end: f64,
    pub edge: Edge,
    /// The argument.
    pub argument: Value,
    /// The instruction.
    pub at: usize,
    /// The exponent of a power.
    pub power: Option<f64>,
}

/// The functions of an expression that have a domain and variables inside.
pub(super) fn watched(expr: &Expr) -> Vec<Watched> {
    let mut all = Vec::new();
    collect(expr, &mut all);
    all
}

fn collect(expr: &Expr, all: &mut Vec<Watched>) {
    if let ExprKind::Apply(function, args) = &expr.kind {
        use Function::*;
        let argument = match function {
            Log | Log1p | Sqrt | NegLog | Pow | ElemPow => args.first(),
            Div | ElemDiv => args.get(1),
            _ => None,
        };
        if let Some(argument) = argument.filter(|argument| !is_constant(argument)) {
            let loss = if *function == Log { loss(argument) } else { None };
            all.push(Watched { span: expr.span, name: function.name(), loss });
        }
    }
    expr.children().into_iter().for_each(|child| collect(child, all));
}

/// Of the argument of a logarithm.
fn loss(argument: &Expr) -> Option<Loss> {
    let sigmoid = |expr: &Expr| match &expr.kind {
        ExprKind::Apply(Function::Sigmoid, args) => Some(args[0].span),
        _ => None,
    };
    match &argument.kind {
        ExprKind::Apply(Function::Sub, sides) if matches!(sides[0].kind, ExprKind::Number(1.0)) => {
            Some(Loss { complement: true, u: sigmoid(&sides[1])? })
        }
        _ => Some(Loss { complement: false, u: sigmoid(argument)? }),
    }
}

/// Every fault of a run, one a function of the source.
pub(super) fn of(run: &Run) -> Vec<Fault> {
    let hulls = hulls(&run.program, &run.inputs);
    let mut faults: Vec<Fault> = Vec::new();
    for (at, inst) in run.program.insts.iter().enumerate() {
        let Some(watched) = run.watched.iter().find(|watched| Some(watched.span) == inst.origin) else { continue };
        let Some((argument, power, end, edge)) = fault(inst, &hulls) else { continue };
        if faults.iter().all(|fault| fault.watched.span != watched.span) {
            let hull = hulls[argument.index()];
            faults.push(Fault { watched: watched.clone(), hull, end, edge, argument, at, power });
        }
    }
    faults
}

/// The argument, exponent, end of the domain and what is there, where an instruction's argument reaches it.
fn fault(inst: &Inst, hulls: &[Hull]) -> Option<(Value, Option<f64>, f64, Edge)> {
    let hull = |value: Value| hulls[value.index()];
    let above = |x: Value, end: f64, on: Option<Edge>| {
        let low = hull(x).low;
        let edge = if low < end { Some(Edge::Beyond) } else { on.filter(|_| low == end) };
        edge.map(|edge| (x, None, end, edge))
    };
    match (&inst.op, &inst.args[..]) {
        (Op::Unary(Unary::Log), &[x]) => above(x, 0.0, Some(Edge::Infinite)),
        (Op::Unary(Unary::Log1p), &[x]) => above(x, -1.0, Some(Edge::Infinite)),
        (Op::Unary(Unary::Sqrt), &[x]) => above(x, 0.0, Some(Edge::Steep)),
        (Op::Unary(Unary::Recip), &[x]) => hull(x).holds(0.0).then_some((x, None, 0.0, Edge::Infinite)),
        (Op::Binary(Binary::Div), &[_, x]) => hull(x).holds(0.0).then_some((x, None, 0.0, Edge::Infinite)),
        (Op::Binary(Binary::Pow), &[x, p]) => {
            let Hull { low, high } = hull(p);
            let edge = match (low == high, low) {
                (true, p) if p.fract() == 0.0 && p >= 0.0 => return None,
                (true, p) if p.fract() == 0.0 => {
                    return hull(x).holds(0.0).then_some((x, Some(p), 0.0, Edge::Infinite));
                }
                (true, p) if p < 0.0 => Some(Edge::Infinite),
                (true, p) if p < 1.0 => Some(Edge::Steep),
                (true, _) => None,
                (false, _) => Some(Edge::Infinite),
            };
            let (x, _, end, edge) = above(x, 0.0, edge)?;
            Some((x, (low == high).then_some(low), end, edge))
        }
        _ => None,
    }
}

/// Where a function on the way to an argument has rounded to its end.
pub(super) struct Rounded {
    /// The function: `sigmoid`.
    pub name: &'static str,
    /// Its argument in the source.
    pub origin: Option<Span>,
    /// From which argument on there is a fault.
    pub from: f64,
}

/// Functions that are looked at for where they round: each takes some hundred passes over the program.
const MOST_LOOKED_AT: usize = 8;

/// Beyond what any type has an exponential of.
const FARTHEST: f64 = 1024.0;

/// The least argument, in magnitude, of a function that levels off, from which on a fault is there though it is
/// none at 0.
pub(super) fn rounded(run: &Run, fault: &Fault) -> Option<Rounded> {
    let inst = &run.program.insts[fault.at];
    let mut found: Option<Rounded> = None;
    let levels = |f: Unary| matches!(f, Unary::Sigmoid | Unary::Exp | Unary::Tanh | Unary::Softplus | Unary::Expm1);
    let candidates = slice(run, fault.argument).into_iter().filter_map(|at| match &run.program.insts[at] {
        Inst { op: Op::Unary(f), args, .. } if levels(*f) => Some((*f, args)),
        _ => None,
    });
    for (f, args) in candidates.take(MOST_LOOKED_AT) {
        let fails = |u: f64| {
            let hulls = hulls_where(&run.program, &run.inputs, Some((args[0], Hull::point(u))));
            self::fault(inst, &hulls).is_some()
        };
        if fails(0.0) {
            continue;
        }
        for sign in [1.0, -1.0] {
            let Some(from) = first(|size| fails(sign * size)) else { continue };
            if found.as_ref().is_none_or(|found| from < found.from.abs()) {
                let origin = run.program.insts[args[0].index()].origin;
                found = Some(Rounded { name: f.function().name, origin, from: sign * from });
            }
        }
    }
    found
}

/// The least number from which on a property holds that does not at 0, looked for by halving.
fn first(holds: impl Fn(f64) -> bool) -> Option<f64> {
    let mut high = 1.0;
    while !holds(high) {
        high *= 2.0;
        if high > FARTHEST {
            return None;
        }
    }
    let mut low = 0.0;
    while high - low > 1e-7 * high {
        let middle = 0.5 * (low + high);
        if holds(middle) { high = middle } else { low = middle }
    }
    Some(high)
}

/// The instructions that a value is computed from.
fn slice(run: &Run, value: Value) -> Vec<usize> {
    let mut met = vec![false; value.index() + 1];
    met[value.index()] = true;
    for at in (0..=value.index()).rev() {
        if met[at] {
            run.program.insts[at].args.iter().for_each(|arg| met[arg.index()] = true);
        }
    }
    (0..met.len()).filter(|&at| met[at]).collect()
}
