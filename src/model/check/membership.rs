//! `x in simplex`, `w in sparse(k)`: sets of the catalogue, known by name.
//!
//! Arguments of a set are constants, because its projection is derived for one set; inside a family they
//! may differ from member to member. A number that is known stands in the model as that number. A set that
//! is the intersection of others and has no projection of its own is read as membership in each of them.

use super::meaning::{Index, Scope};
use super::names::{number, suggest};
use super::{Checker, shape_words};
use crate::catalogue::{Function, Reading, WrongArguments, WrongValue};
use crate::diag::{Code, Diag, closest};
use crate::linalg::Shared;
use crate::model::fold::{fold, fold_member, is_constant};
use crate::model::ir::{Expr, ExprKind, Relation};
use crate::source::Span;
use crate::syntax::ast::{self, Applied, Ident};
use crate::tape::Shape;

impl<'a> Checker<'a> {
    /// `element in set`
    pub(super) fn membership(
        &mut self,
        element: &'a ast::Expr,
        set: &'a ast::Expr,
        span: Span,
        scope: &Scope,
    ) -> Option<Vec<Relation>> {
        // Both sides are looked at, so that both may be found wrong.
        let expr = self.tensor(element, scope);
        let (function, args) = self.named_set(set, scope)?;
        let expr = expr?;
        let shapes: Vec<Shape> = std::iter::once(&expr).chain(&args).map(|arg| arg.shape.clone()).collect();
        if let Err(wrong) = function.shape(&shapes) {
            return self.no_member(function, &expr, &args, set.span, wrong);
        }
        self.touches_a_variable(&expr, span)?;
        self.arguments_name_a_set(function, &expr.shape, &args, scope)?;
        match function.reading() {
            Some(Reading::Intersection(pieces)) => {
                let mut relations = Vec::new();
                for piece in pieces {
                    let expr = match piece.transposed {
                        true => self.apply(Function::Transpose, vec![expr.clone()], set.span, expr.span)?,
                        false => expr.clone(),
                    };
                    relations.push(Relation::In { expr, set: piece.set, args: Vec::new() });
                }
                Some(relations)
            }
            Some(Reading::Equations) => {
                let [matrix, right] = <[Expr; 2]>::try_from(args).expect("a matrix and a right side");
                let product = self.apply(Function::Mul, vec![matrix, expr], set.span, span)?;
                Some(vec![Relation::Zero(self.apply(Function::Sub, vec![product, right], set.span, span)?)])
            }
            _ => Some(vec![Relation::In { expr, set: function, args }]),
        }
    }

    /// A set with its arguments, in the order of its parameters.
    fn named_set(&mut self, set: &'a ast::Expr, scope: &Scope) -> Option<(Function, Vec<Expr>)> {
        let Some(Applied { name, args, params }) = set.applied() else { return self.no_set(set) };
        let Some(function) = Function::set_named(&name.key) else { return self.unknown_set(name, scope) };
        self.no_parameters(name, params)?;
        let signature = function.signature();
        let slots = self.arranged(name, signature, args)?;
        let mut typed: Vec<Option<Expr>> = Vec::new();
        for (slot, parameter) in slots.into_iter().zip(signature.parameters()) {
            typed.push(match slot {
                Some(arg) => self.constant_argument(&arg.value, scope),
                None => parameter.default.map(|default| number(default, set.span)),
            });
        }
        Some((function, typed.into_iter().collect::<Option<_>>()?))
    }

    /// An argument of a set; a number as that number.
    fn constant_argument(&mut self, ast: &'a ast::Expr, scope: &Scope) -> Option<Expr> {
        let expr = self.tensor(ast, scope)?;
        if !is_constant(&expr) {
            return self.unknown_value(&expr);
        }
        let known = if expr.shape.is_scalar() { fold(&self.model, &expr).and_then(|value| value.item()) } else { None };
        Some(match known {
            Some(value) => number(value, expr.span),
            None => expr,
        })
    }

    /// The values of the arguments are such that there is such a set, for every member of a family.
    fn arguments_name_a_set(&mut self, set: Function, element: &Shape, args: &[Expr], scope: &Scope) -> Option<()> {
        let members = scope.indices.iter().find_map(|(_, index)| match index {
            Index::Loop { count } => Some(*count),
            Index::At(_) => None,
        });
        let known: Option<Vec<Shared<f64>>> =
            args.iter().map(|arg| fold(&self.model, arg).map(|value| value.to_f64())).collect();
        if let Some(known) = known {
            return self.arguments_fit(set, element, args, &known, None);
        }
        for &at in set.structural() {
            if !matches!(args[at].kind, ExprKind::Number(_)) {
                let (text, parameter) = (self.text(args[at].span), set.signature().parameters()[at].name);
                return self.fail(
                    Diag::new(
                        Code::WrongKind,
                        args[at].span,
                        format!("`{text}` differs from member to member; `{parameter}` of `{}` can't", set.name()),
                    )
                    .help("it decides how the step is computed, which is once for all members"),
                );
            }
        }
        for member in 0..members.unwrap_or(0) {
            let values = args.iter().map(|arg| fold_member(&self.model, arg, member as u32));
            let Some(values) = values.map(|value| value.map(|value| value.to_f64())).collect::<Option<Vec<_>>>() else {
                return Some(());
            };
            self.arguments_fit(set, element, args, &values, Some(member))?;
        }
        Some(())
    }

    /// The values of arguments, by position in the signature, are such that there is the function or set.
    pub(super) fn arguments_fit(
        &mut self,
        set: Function,
        first: &Shape,
        args: &[Expr],
        values: &[Shared<f64>],
        member: Option<usize>,
    ) -> Option<()> {
        let slices: Vec<&[f64]> = values.iter().map(|value| &value[..]).collect();
        let Err(WrongValue { at, must }) = set.accepts(first, &slices) else { return Some(()) };
        let (parameter, name) = (set.signature().parameters()[at].name, set.name());
        let of = member.map_or(String::new(), |member| format!(" for member {}", member + 1));
        let message = match slices[at] {
            [value] => format!("`{parameter}` of `{name}` is {value}{of}; it must be {must}"),
            _ => format!("`{parameter}` of `{name}`{of} must be {must}"),
        };
        let help = format!("`{}`: {}", set.signature().0, set.doc());
        self.fail(Diag::new(Code::ArgumentRange, args[at].span, message).help(help))
    }

    /// An element or arguments whose shapes the set does not have.
    fn no_member<T>(
        &mut self,
        set: Function,
        element: &Expr,
        args: &[Expr],
        at: Span,
        wrong: WrongArguments,
    ) -> Option<T> {
        let all: Vec<&Expr> = std::iter::once(element).chain(args).collect();
        let (position, wanted) = match wrong {
            WrongArguments::Disagree { left, right, rule } => return self.disagree(all[left], all[right], at, rule),
            WrongArguments::Argument { at, wanted } => (at, wanted),
        };
        let (expr, what) = (all[position], shape_words(&all[position].shape));
        let (text, name) = (self.text(expr.span), set.name());
        let takes = match position.checked_sub(1).and_then(|at| set.signature().parameters().get(at).copied()) {
            Some(parameter) => format!("`{}` of `{name}` is {wanted}", parameter.name),
            None => format!("an element of `{name}` is {wanted}"),
        };
        let diag = Diag::new(Code::WrongKind, expr.span, format!("`{text}` is {what}; {takes}")).here(what);
        let diag = self.with_sources(diag, &[expr]);
        self.fail(diag.help(format!("`{}`: {}", set.signature().0, set.doc())))
    }

    /// What stands behind `in` is not even a name.
    fn no_set<T>(&mut self, set: &ast::Expr) -> Option<T> {
        let text = self.text(set.span);
        let diag = Diag::new(Code::WrongKind, set.span, format!("`{text}` is no set"));
        if let ast::ExprKind::Matrix(rows) = &set.bare().kind
            && let [row] = &rows[..]
            && let [from, to] = &row[..]
        {
            let interval = format!("box({}, {})", self.text(from.span), self.text(to.span));
            return self.fail(diag.help(format!("numbers from one to another are `{interval}`")).fix(
                format!("write `{interval}`"),
                set.span,
                interval,
            ));
        }
        self.fail(diag.help("behind `in` stands the name of a set: `nonneg`, `box(0, 1)`, `simplex`"))
    }

    /// A name that is no set's.
    fn unknown_set<T>(&mut self, name: &Ident, scope: &Scope) -> Option<T> {
        let near = closest(&name.text, Function::sets().map(Function::name)).map(str::to_owned);
        if near.is_none()
            && let Some(at) = self.find(&name.key, scope)
        {
            let (words, place) = (self.declarations[at].what.words(), self.declarations[at].name.span);
            return self.fail(
                Diag::new(Code::WrongKind, name.span, format!("`{}` is {words}, not a set", name.text))
                    .label(place, "declared here")
                    .help("to be one of some values is written `x in finite(values)`, to equal one `x = value`"),
            );
        }
        let diag = Diag::new(Code::UnknownName, name.span, format!("there is no set `{}`", name.text));
        let help = "sets are `box(0, 1)`, `nonneg`, `simplex` and more; the language reference lists them";
        self.fail(suggest(diag, name.span, near, help))
    }
}
