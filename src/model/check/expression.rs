//! Typing of expressions: operators, literals, what must be a tensor, a number, a count.

use super::meaning::{Meaning, Scope};
use super::names::number;
use super::{Checker, DEPTH, shape_words, turned};
use crate::catalogue::{Function, WrongArguments};
use crate::diag::{Code, Diag, Fix};
use crate::model::fold::{fold, is_constant};
use crate::model::ir::{Expr, ExprKind, Leaf};
use crate::source::Span;
use crate::syntax::ast::{self, BinaryOp};
use crate::tape::{Shape, Tensor};

/// Elements that a tensor may have: 2 GB of doubles.
const ELEMENTS: usize = 1 << 28;

/// Nodes of an expression after its named parts are put in: more is taken for a mistake.
pub(super) const NODES: usize = 100_000;

impl<'a> Checker<'a> {
    /// What an expression means.
    pub(super) fn meaning(&mut self, ast: &'a ast::Expr, scope: &Scope) -> Option<Meaning> {
        if self.depth >= DEPTH {
            // Said once: what is too deep from here is too deep from many places.
            if std::mem::replace(&mut self.too_deep, true) {
                return None;
            }
            return self.fail(
                Diag::new(Code::TooDeep, ast.span, format!("definitions and brackets nest more than {DEPTH} deep"))
                    .help("give a part of it a value that is known here, or shorten the chain of `let`"),
            );
        }
        self.depth += 1;
        let meaning = self.meaning_of(ast, scope);
        self.depth -= 1;
        meaning
    }

    fn meaning_of(&mut self, ast: &'a ast::Expr, scope: &Scope) -> Option<Meaning> {
        use ast::ExprKind as Kind;
        let span = ast.span;
        Some(Meaning::Expr(match &ast.kind {
            Kind::Number(value, _) => number(*value, span),
            Kind::Text(text) => return Some(Meaning::Text(text.clone())),
            Kind::Name(name) => return self.name(name, scope),
            Kind::Neg(inner) => {
                let inner = self.tensor(inner, scope)?;
                match inner.kind {
                    ExprKind::Number(value) => number(-value, span),
                    _ => self.apply(Function::Neg, vec![inner], span, span)?,
                }
            }
            Kind::Transpose(inner) => {
                let inner = self.tensor(inner, scope)?;
                self.apply(Function::Transpose, vec![inner], span, span)?
            }
            Kind::Binary { op, op_span, left, right } => {
                // Both sides are looked at, so that both may be found wrong.
                let (left, right) = (self.tensor(left, scope), self.tensor(right, scope));
                self.apply(operator(*op), vec![left?, right?], *op_span, span)?
            }
            Kind::Paren(inner) => return Some(self.meaning(inner, scope)?.with_span(span)),
            Kind::Call { callee, args, params } => return self.call(callee, args, params, span, scope),
            Kind::Over { callee, binder, body } => self.over(callee, binder, body, span, scope)?,
            Kind::Index { base, at } => return self.index(base, at, span, scope),
            Kind::Field { base, name } => return self.field(base, name, span, scope),
            Kind::Tuple(parts) => {
                let parts: Vec<Option<Meaning>> = parts.iter().map(|part| self.meaning(part, scope)).collect();
                return Some(Meaning::Tuple(parts.into_iter().collect::<Option<_>>()?));
            }
            Kind::Matrix(rows) => self.matrix(rows, span, scope)?,
            Kind::Compare { .. } => {
                return self.fail(
                    Diag::new(Code::WrongKind, span, "a comparison stands where a value is needed")
                        .help("constraints stand under `subject to`; an argument is named with a single `=`"),
                );
            }
            Kind::Label { name, .. } => {
                return self.fail(
                    Diag::new(
                        Code::WrongKind,
                        span,
                        format!("the label `{}` names no term of an objective", name.text),
                    )
                    .help("a label stands before one additive term of `minimize` or `maximize`"),
                );
            }
        }))
    }

    /// An expression that must be a tensor.
    pub(super) fn tensor(&mut self, ast: &'a ast::Expr, scope: &Scope) -> Option<Expr> {
        let meaning = self.meaning(ast, scope)?;
        self.as_tensor(meaning, ast.span)
    }

    /// The tensor that a meaning is.
    pub(super) fn as_tensor(&mut self, meaning: Meaning, span: Span) -> Option<Expr> {
        let words = meaning.words();
        let diag = |text: String| Diag::new(Code::WrongKind, span, text);
        match meaning {
            Meaning::Expr(expr) => self.bounded(expr, span),
            Meaning::Layer { params, net, layer } => Some(self.layer(&params, net, &layer, span)),
            Meaning::Family(family) => self.fail(
                diag(format!("`{}` is a family of {}, not one tensor", family.name, family.count))
                    .label(family.span, "declared with an index")
                    .help(format!(
                        "write `{0}[i]` inside `sum(i in 1 to {1}: …)`, or one member, `{0}[1]`",
                        family.name, family.count
                    )),
            ),
            _ => {
                let text = self.text(span);
                self.fail(diag(format!("`{text}` is {words}, not a tensor")))
            }
        }
    }

    /// An expression that is not too large with its named parts put in.
    pub(super) fn bounded(&mut self, expr: Expr, span: Span) -> Option<Expr> {
        let (nodes, depth) = measure(&expr);
        let what = match (nodes > NODES, depth > DEPTH) {
            (true, _) => format!("has more than {NODES} parts"),
            (false, true) => format!("chains more than {DEPTH} operations"),
            (false, false) => return Some(expr),
        };
        self.fail(
            Diag::new(Code::TooDeep, span, format!("with its named parts put in, this {what}"))
                .help("a sum over an index, `sum(i in 1 to m: …)`, and products of matrices say much in few parts"),
        )
    }

    /// A function of the catalogue on typed operands; `at` is what is pointed at.
    pub(super) fn apply(&mut self, function: Function, args: Vec<Expr>, at: Span, span: Span) -> Option<Expr> {
        let shapes: Vec<Shape> = args.iter().map(|arg| arg.shape.clone()).collect();
        match function.shape(&shapes) {
            Ok(shape) => {
                let args = self.with_zeros(function, args)?;
                let expr = Expr { kind: ExprKind::Apply(function, args), shape, span };
                if expr.factored().is_none() {
                    self.fits(&expr.shape, span)?;
                }
                Some(expr)
            }
            Err(WrongArguments::Disagree { left, right, rule }) => {
                let fix = turned::turned(self.sources, function, &args);
                self.disagree_unless(&args[left], &args[right], at, rule, fix)
            }
            Err(WrongArguments::Argument { at: position, wanted }) => {
                let (arg, what) = (&args[position], shape_words(&args[position].shape));
                let text = self.text(arg.span);
                let place = if function.is_operator() {
                    format!("`{}`", self.text(at))
                } else {
                    format!("argument {} of `{}`", position + 1, function.name())
                };
                let mut diag =
                    Diag::new(Code::WrongKind, arg.span, format!("`{text}` is {what}; {place} takes {wanted}"))
                        .here(what);
                diag = self.with_sources(diag, &[&args[position]]);
                let help = match function {
                    Function::Pow | Function::Div => "a dot makes an operator elementwise: `.*`, `./`, `.^`".to_owned(),
                    _ if function.is_operator() => format!("{}: {}", function.name(), function.doc()),
                    _ => format!("`{}`: {}", function.signature().0, function.doc()),
                };
                self.fail(diag.help(help))
            }
        }
    }

    /// Whether a tensor of that shape could be stored at all.
    pub(super) fn fits(&mut self, shape: &Shape, span: Span) -> Option<()> {
        let elements = shape.0.iter().try_fold(1usize, |n, &extent| n.checked_mul(extent));
        if elements.is_some_and(|elements| elements <= ELEMENTS) {
            return Some(());
        }
        let text = self.text(span);
        self.fail(
            Diag::new(
                Code::WrongKind,
                span,
                format!("`{text}` would be {}, more than can be stored", shape_words(shape)),
            )
            .help(format!("a tensor has up to {ELEMENTS} elements; is a side transposed, or a size mistyped?")),
        )
    }

    /// Two operands whose shapes don't fit together.
    pub(super) fn disagree<T>(&mut self, left: &Expr, right: &Expr, at: Span, rule: &str) -> Option<T> {
        self.disagree_unless(left, right, at, rule, None)
    }

    /// The same, with what would make them fit.
    fn disagree_unless<T>(&mut self, left: &Expr, right: &Expr, at: Span, rule: &str, fix: Option<Fix>) -> Option<T> {
        let (a, b) = (self.text(left.span), self.text(right.span));
        let message = format!("`{a}` is {} and `{b}` is {}", shape_words(&left.shape), shape_words(&right.shape));
        let mut diag = Diag::new(Code::ShapeMismatch, at, message).here(rule);
        diag = self.with_sources(diag, &[left, right]);
        let help = if left.shape.rank() == 1 && right.shape.rank() == 1 && rule.contains('*') {
            format!("`{a}'*{b}` is a number, `{a}.*{b}` a vector")
        } else if left.shape.rank() == 2 && left.shape.0.first() == right.shape.0.first() {
            format!("did you mean the transpose, `{a}'`?")
        } else {
            "only numbers are repeated to fit; check which side has the shape you meant".to_owned()
        };
        self.fail(Diag { fix, ..diag.help(help) })
    }

    /// `[1, 2; 3, 4]`: numbers; one row or one column is a vector.
    fn matrix(&mut self, rows: &'a [Vec<ast::Expr>], span: Span, scope: &Scope) -> Option<Expr> {
        let width = rows.first().map_or(0, Vec::len);
        if let Some(row) = rows.iter().find(|row| row.len() != width) {
            let at = row.first().map_or(span, |first| first.span);
            return self.fail(
                Diag::new(
                    Code::ShapeMismatch,
                    at,
                    format!("this row has {} entries, the first has {width}", row.len()),
                )
                .help("the rows of a matrix have the same length; `;` ends a row"),
            );
        }
        let entries: Vec<Option<Expr>> = rows.iter().flatten().map(|entry| self.scalar(entry, scope)).collect();
        let entries: Vec<Expr> = entries.into_iter().collect::<Option<_>>()?;
        let shape = match (rows.len(), width) {
            (1, n) | (n, 1) => Shape::vector(n),
            (m, n) => Shape::matrix(m, n),
        };
        if entries.iter().all(is_constant) {
            let values: Option<Vec<f64>> =
                entries.iter().map(|entry| fold(&self.model, entry).and_then(|value| value.item())).collect();
            return Some(self.constant(Tensor::f64(shape, values?), span));
        }
        let one =
            |entry: Expr| Expr { shape: Shape::vector(1), span: entry.span, kind: ExprKind::Reshape(Box::new(entry)) };
        let flat = Shape::vector(entries.len());
        let vector = Expr { kind: ExprKind::Concat(entries.into_iter().map(one).collect(), 0), shape: flat, span };
        Some(if vector.shape == shape {
            vector
        } else {
            Expr { kind: ExprKind::Reshape(Box::new(vector)), shape, span }
        })
    }

    /// An expression that must be one number, known or not.
    pub(super) fn scalar(&mut self, ast: &'a ast::Expr, scope: &Scope) -> Option<Expr> {
        let expr = self.tensor(ast, scope)?;
        if expr.shape.is_scalar() {
            return Some(expr);
        }
        let text = self.text(ast.span);
        self.fail(Diag::new(
            Code::WrongKind,
            ast.span,
            format!("`{text}` is {}; a number is needed here", shape_words(&expr.shape)),
        ))
    }

    /// An expression that must be known when the file is compiled.
    pub(super) fn known(&mut self, ast: &'a ast::Expr, scope: &Scope) -> Option<Tensor> {
        let expr = self.tensor(ast, scope)?;
        self.known_value(&expr)
    }

    /// The value of an expression that must be known when the file is compiled.
    pub(super) fn known_value(&mut self, expr: &Expr) -> Option<Tensor> {
        if expr.factored().is_some() {
            self.small_enough(expr)?;
        }
        match fold(&self.model, expr) {
            Some(value) => Some(value),
            None => self.unknown_value(expr),
        }
    }

    /// An expression that would have to be known when the file is compiled, and is not.
    pub(super) fn unknown_value<T>(&mut self, expr: &Expr) -> Option<T> {
        let text = self.text(expr.span);
        let mut diag =
            Diag::new(Code::WrongKind, expr.span, format!("`{text}` must be known when the file is compiled"));
        let mut culprit = None;
        expr.leaves(&mut |leaf| {
            if culprit.is_none() && !matches!(leaf, Leaf::Data(..)) {
                culprit = Some(leaf);
            }
        });
        if let Some(leaf) = culprit {
            let (name, kind) = (self.model.leaf_name(leaf), kind_words(leaf));
            diag = match self.leaf_span(leaf) {
                Some(span) => diag.label(span, format!("`{name}` is {kind}")),
                None => diag,
            };
            diag = diag.help(format!("`{name}` is {kind}, whose value only a run knows"));
        }
        self.fail(diag)
    }

    /// One number known when the file is compiled.
    pub(super) fn known_number(&mut self, ast: &'a ast::Expr, scope: &Scope) -> Option<f64> {
        let value = self.known(ast, scope)?;
        if value.shape.is_scalar() {
            return value.item();
        }
        let (text, words) = (self.text(ast.span), shape_words(&value.shape));
        self.fail(Diag::new(Code::WrongKind, ast.span, format!("`{text}` is {words}; a number is needed here")))
    }

    /// A count known when the file is compiled: a whole number, at least `least`. `what` says of
    /// what, in the plural or as `a width`.
    pub(super) fn count(&mut self, ast: &'a ast::Expr, scope: &Scope, least: usize, what: &str) -> Option<usize> {
        /// More than this is no count that a tensor could have.
        const MOST: f64 = 1e9;
        let value = self.known_number(ast, scope)?;
        if value.fract() == 0.0 && value >= least as f64 && value <= MOST {
            return Some(value as usize);
        }
        let text = self.text(ast.span);
        let shown = if text == value.to_string() { format!("`{text}`") } else { format!("`{text}` is {value}, which") };
        let message = if value > MOST {
            format!("{shown} is too many {what}")
        } else {
            format!("{shown} is no number of {what}: a whole number from {least} on is needed")
        };
        self.fail(Diag::new(Code::WrongKind, ast.span, message))
    }

    /// Where a leaf is declared.
    pub(super) fn leaf_span(&self, leaf: Leaf) -> Option<Span> {
        match leaf {
            Leaf::Var(id, _) => Some(self.model.vars[id.index()].span),
            Leaf::Data(id, _) => Some(self.model.data[id.index()].span),
            Leaf::Sample(id, ..) => Some(self.model.samples[id.index()].span),
            Leaf::Dual(player, id, _) => Some(self.model.players[player.index()].constraints[id.index()].span),
            Leaf::Rho(_) => None,
        }
    }
}

fn kind_words(leaf: Leaf) -> &'static str {
    match leaf {
        Leaf::Var(..) => "a variable",
        Leaf::Data(..) => "data",
        Leaf::Sample(..) => "a random batch",
        Leaf::Dual(..) => "a multiplier",
        Leaf::Rho(_) => "the penalty",
    }
}

/// Nodes of an expression, and the longest way down.
pub(super) fn measure(expr: &Expr) -> (usize, usize) {
    let inside = expr.children().into_iter().map(measure);
    let (nodes, depth) = inside.fold((0, 0), |(nodes, depth), (n, d)| (nodes + n, depth.max(d)));
    (nodes + 1, depth + 1)
}

fn operator(op: BinaryOp) -> Function {
    match op {
        BinaryOp::Add => Function::Add,
        BinaryOp::Sub => Function::Sub,
        BinaryOp::Mul => Function::Mul,
        BinaryOp::Div => Function::Div,
        BinaryOp::ElemMul => Function::ElemMul,
        BinaryOp::ElemDiv => Function::ElemDiv,
        BinaryOp::Pow => Function::Pow,
        BinaryOp::ElemPow => Function::ElemPow,
    }
}
