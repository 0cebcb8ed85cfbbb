//! E0507 of data alone: a logarithm, a root, a quotient or a power of numbers that are known now and lie where
//! it has no value.

use super::Checker;
use crate::catalogue::Function;
use crate::diag::{Code, Diag, Severity, number};
use crate::model::fold::{fold_cheap, is_constant};
use crate::model::ir::{Expr, ExprKind, Leaf, Member};
use crate::tape::{Shape, Tensor};

/// Members of a family that are looked at.
const MOST_MEMBERS: usize = 256;

impl Checker<'_> {
    /// Reports the first function of constants in an expression that has no value there; `members` is how many
    /// the loop around has.
    pub(super) fn inside_domains(&mut self, expr: &Expr, members: Option<usize>) -> bool {
        // Without its data every number is 0.
        if !self.inputs.bind {
            return true;
        }
        if !expr.children().into_iter().all(|child| self.inside_domains(child, members)) {
            return false;
        }
        let ExprKind::Apply(function, args) = &expr.kind else { return true };
        let (at, domain) = match function {
            Function::Log | Function::NegLog => (0, "has values above 0"),
            Function::Log1p => (0, "has values above −1"),
            Function::Sqrt => (0, "has values from 0 on"),
            Function::Div | Function::ElemDiv => (1, "has a value where the divisor is not 0"),
            Function::Pow | Function::ElemPow => (0, "has values above 0"),
            _ => return true,
        };
        let exponent = args.get(1).filter(|_| matches!(function, Function::Pow | Function::ElemPow));
        if !is_constant(&args[at]) || exponent.is_some_and(|exponent| !is_constant(exponent)) {
            return true;
        }
        let all = match members {
            Some(count) if reads_loop(&args[at]) => (0..count.min(MOST_MEMBERS)).map(Some).collect(),
            _ => vec![None],
        };
        for member in all {
            let known = |expr: &Expr| fold_cheap(&self.model, expr, member.map(|member| member as u32));
            let power = exponent.and_then(known).map(|tensor| tensor.to_f64());
            let Some(tensor) = known(&args[at]) else { continue };
            if let Some((entry, x)) = outside(*function, &tensor, power.as_deref()) {
                self.left_by(expr, &args[at], *function, domain, (entry, x, &tensor.shape, member));
                return false;
            }
        }
        true
    }

    fn left_by(
        &mut self,
        expr: &Expr,
        argument: &Expr,
        function: Function,
        domain: &str,
        (entry, x, shape, member): (usize, f64, &Shape, Option<usize>),
    ) {
        let operator = match function {
            Function::Div | Function::ElemDiv => Some("a quotient"),
            Function::Pow | Function::ElemPow => Some("such a power"),
            _ => None,
        };
        let name = operator.map_or_else(|| format!("`{}`", function.name()), str::to_owned);
        let place = place(shape, entry);
        let of = match member {
            Some(member) => format!("`{}` of member {}", self.text(argument.span), member + 1),
            None => format!("`{}`", self.text(argument.span)),
        };
        let place = if place.is_empty() { place } else { format!(" in {place}") };
        let message = match function {
            Function::Div | Function::ElemDiv => format!("{of} is a divisor, and is {}{place}", number(x)),
            _ => format!("{name} is taken of {of}, which is {}{place}", number(x)),
        };
        let mut diag = Diag::new(Code::Domain, expr.span, message)
            .severity(Severity::Error)
            .here("infinite or no number there")
            .certify(format!("{name} {domain}"))
            .help("every sum that it enters is lost with it, and so is every iterate; mend the number, or leave its row out");
        if let ExprKind::Leaf(Leaf::Data(id, _)) = argument.kind {
            let data = &self.model.data[id.index()];
            if data.span != argument.span && !data.span.is_empty() {
                diag = diag.label(data.span, "from here");
            }
        }
        self.report(diag);
    }
}

fn reads_loop(expr: &Expr) -> bool {
    let mut reads = false;
    expr.leaves(&mut |leaf| reads |= matches!(leaf, Leaf::Data(_, Member::Loop)));
    reads
}

/// The first entry that a function has no value at.
fn outside(function: Function, tensor: &Tensor, power: Option<&[f64]>) -> Option<(usize, f64)> {
    let numbers = tensor.to_f64();
    let bad = |at: usize, x: f64| match function {
        Function::Log | Function::NegLog => x <= 0.0,
        Function::Log1p => x <= -1.0,
        Function::Sqrt => x < 0.0,
        Function::Div | Function::ElemDiv => x == 0.0,
        _ => {
            let powers = power.unwrap_or_default();
            let p = powers.get(at).or(powers.first()).copied().unwrap_or(1.0);
            x < 0.0 && p.fract() != 0.0 || x == 0.0 && p < 0.0
        }
    };
    numbers.iter().enumerate().find(|&(at, &x)| bad(at, x)).map(|(at, &x)| (at, x))
}

/// An entry in words; nothing for a number.
fn place(shape: &Shape, entry: usize) -> String {
    match shape.0[..] {
        [] => String::new(),
        [_] => format!("entry {}", entry + 1),
        [_, columns] => format!("row {}, column {}", entry / columns + 1, entry % columns + 1),
        _ => format!("element {}", entry + 1),
    }
}
