//! Random trees, of every node the language has, from a tape of choices that proptest can shrink:
//! an empty tape gives the simplest tree.

use crate::source::{FileId, Span};
use crate::syntax::ast::*;
use crate::syntax::normalise;

/// Reads choices; where the tape has ended, every choice is the first.
pub struct Choices<'a> {
    tape: std::slice::Iter<'a, u32>,
}

const NAMES: &[&str] = &["x", "z", "θ₁", "w_2", "λ", "Data", "total", "epoch_length", "i", "batch", "real", "image"];

impl Choices<'_> {
    /// A tree of statements.
    pub fn ast(tape: &[u32]) -> Ast {
        let mut choices = Choices { tape: tape.iter() };
        let items = choices.many(1, 6, |choices| choices.item(true));
        Ast { file: FileId(0), version: None, items, comments: Vec::new(), blanks: Vec::new() }
    }

    fn below(&mut self, count: usize) -> usize {
        self.tape.next().map_or(0, |&choice| choice as usize % count)
    }

    fn flag(&mut self) -> bool {
        self.below(2) == 1
    }

    fn many<T>(&mut self, least: usize, most: usize, mut make: impl FnMut(&mut Self) -> T) -> Vec<T> {
        let count = least + self.below(most - least + 1);
        (0..count).map(|_| make(self)).collect()
    }

    fn maybe<T>(&mut self, make: impl FnOnce(&mut Self) -> T) -> Option<T> {
        self.flag().then(|| make(self))
    }

    fn ident(&mut self) -> Ident {
        name(NAMES[self.below(NAMES.len())])
    }

    fn one_of(&mut self, words: &[&str]) -> Ident {
        name(words[self.below(words.len())])
    }

    fn text(&mut self) -> String {
        ["f.csv", "", "a \"b\" \\ c", "ö # no comment", "\\n"][self.below(5)].to_string()
    }

    // ---- Expressions, by precedence ----

    fn expr(&mut self) -> Expr {
        self.sum(3)
    }

    fn comparison(&mut self, depth: usize) -> Expr {
        let first = self.sum(depth);
        match self.below(3) {
            0 => self.compare(first, depth),
            _ => first,
        }
    }

    fn compare(&mut self, first: Expr, depth: usize) -> Expr {
        let ops = [CompareOp::Equal, CompareOp::LessEqual, CompareOp::GreaterEqual, CompareOp::In];
        let rest = self.many(1, 2, |choices| (ops[choices.below(4)], nowhere(), choices.sum(depth)));
        node(ExprKind::Compare { first: Box::new(first), rest })
    }

    fn sum(&mut self, depth: usize) -> Expr {
        let first = self.product(depth);
        let ops = [BinaryOp::Add, BinaryOp::Sub];
        self.chain(first, &ops, |choices| choices.product(depth))
    }

    fn product(&mut self, depth: usize) -> Expr {
        let first = self.unary(depth);
        let ops = [BinaryOp::Mul, BinaryOp::Div, BinaryOp::ElemMul, BinaryOp::ElemDiv];
        self.chain(first, &ops, |choices| choices.unary(depth))
    }

    fn chain(&mut self, first: Expr, ops: &[BinaryOp], mut operand: impl FnMut(&mut Self) -> Expr) -> Expr {
        let mut left = first;
        for _ in 0..self.below(3) {
            let op = ops[self.below(ops.len())];
            left = binary(op, left, operand(self));
        }
        left
    }

    fn unary(&mut self, depth: usize) -> Expr {
        match self.below(5) {
            4 => node(ExprKind::Neg(Box::new(self.unary(depth)))),
            _ => self.power(depth),
        }
    }

    fn power(&mut self, depth: usize) -> Expr {
        let base = self.postfix(depth);
        match self.below(6) {
            4 => binary(BinaryOp::Pow, base, self.unary(depth)),
            5 => binary(BinaryOp::ElemPow, base, self.unary(depth)),
            _ => base,
        }
    }

    fn postfix(&mut self, depth: usize) -> Expr {
        let mut base = self.atom(depth);
        // Nobody transposes a number or takes a field of a text.
        let literal = matches!(base.kind, ExprKind::Number(..) | ExprKind::Text(_));
        for _ in 0..if literal { 0 } else { self.below(3) } {
            let inner = Box::new(base);
            base = node(match self.below(3) {
                0 => ExprKind::Transpose(inner),
                1 => ExprKind::Field { base: inner, name: self.ident() },
                _ => ExprKind::Index { base: inner, at: self.many(1, 2, |choices| choices.index_item(depth)) },
            });
        }
        base
    }

    fn index_item(&mut self, depth: usize) -> IndexItem {
        match self.below(3) {
            0 => IndexItem::All(nowhere()),
            1 => IndexItem::At(self.inner(depth)),
            _ => IndexItem::Range(self.inner(depth), self.inner(depth)),
        }
    }

    fn inner(&mut self, depth: usize) -> Expr {
        self.sum(depth.saturating_sub(1))
    }

    fn atom(&mut self, depth: usize) -> Expr {
        let kinds = if depth == 0 { 3 } else { 9 };
        node(match self.below(kinds) {
            0 => ExprKind::Name(self.ident()),
            1 => {
                let text = ["1", "0.5", "1e-3", "2.50E+3", "007"][self.below(5)];
                ExprKind::Number(text.parse().expect("a number"), text.to_string())
            }
            2 => ExprKind::Text(self.text()),
            3 => ExprKind::Paren(Box::new(self.comparison(depth - 1))),
            4 => ExprKind::Tuple(self.many(2, 3, |choices| choices.comparison(depth - 1))),
            5 => ExprKind::Matrix(self.many(1, 2, |choices| choices.many(1, 2, |choices| choices.inner(depth)))),
            6 => ExprKind::Over {
                callee: self.ident(),
                binder: self.binder(),
                body: Box::new(self.comparison(depth - 1)),
            },
            _ => self.call(depth),
        })
    }

    fn call(&mut self, depth: usize) -> ExprKind {
        let args = self.many(0, 2, |choices| {
            let name = choices.maybe(Self::ident);
            let value = match name {
                Some(_) => choices.inner(depth),
                None => choices.positional(depth),
            };
            Arg { name, value }
        });
        ExprKind::Call { callee: self.ident(), args, params: self.many(0, 2, |choices| choices.inner(depth)) }
    }

    /// An argument with no name; `a = …` would be one with a name.
    fn positional(&mut self, depth: usize) -> Expr {
        let value = self.comparison(depth - 1);
        match &value.kind {
            ExprKind::Compare { first, rest }
                if rest[0].0 == CompareOp::Equal && matches!(first.kind, ExprKind::Name(_)) =>
            {
                node(ExprKind::Paren(Box::new(value)))
            }
            _ => value,
        }
    }

    fn binder(&mut self) -> Binder {
        Binder { name: self.ident(), from: Box::new(self.sum(1)), to: Box::new(self.sum(1)), span: nowhere() }
    }

    // ---- Statements ----

    fn item(&mut self, top: bool) -> Item {
        let kind = match self.below(if top { 14 } else { 12 }) {
            0 => ItemKind::Param { name: self.ident(), value: self.expr() },
            1 => ItemKind::Use { path: Text { value: self.text(), span: nowhere() } },
            2 => ItemKind::Data {
                name: self.ident(),
                family: self.maybe(Self::binder),
                ty: self.maybe(Self::kind),
                value: self.expr(),
            },
            3 => {
                let (names, tuple, family) = self.names();
                ItemKind::Let { names, tuple, family, value: self.expr() }
            }
            4 => {
                let family = self.maybe(Self::binder);
                let names = if family.is_some() { vec![self.ident()] } else { self.many(1, 3, Self::ident) };
                ItemKind::Var { names, family, ty: self.kind(), init: self.maybe(Self::expr) }
            }
            5 => self.net(),
            6 => {
                let (names, tuple, family) = self.names();
                let source = self.expr();
                let size = match self.below(3) {
                    2 => SampleSize::Fixed(self.sum(1)),
                    keep => SampleSize::Batch { size: self.sum(1), keep: keep == 1 },
                };
                ItemKind::Sample { names, tuple, family, source, size }
            }
            7 => self.objective(),
            8 => ItemKind::SubjectTo { constraints: self.many(0, 3, Self::constraint) },
            9 => ItemKind::Split { x: self.many(1, 2, Self::split_side), z: self.many(1, 2, Self::split_side) },
            10 => ItemKind::Shows { name: self.ident(), value: self.expr() },
            11 => ItemKind::Claim { target: self.postfix(1), value: self.expr() },
            12 => ItemKind::Player { name: self.ident(), items: self.many(0, 3, |choices| choices.item(false)) },
            _ => self.solve(),
        };
        Item { kind, span: nowhere() }
    }

    /// `split (a)` would be a call.
    fn split_side(&mut self) -> Expr {
        node(ExprKind::Name(self.ident()))
    }

    fn names(&mut self) -> (Vec<Ident>, bool, Option<Binder>) {
        if self.flag() {
            return (self.many(1, 3, Self::ident), true, None);
        }
        (vec![self.ident()], false, self.maybe(Self::binder))
    }

    fn kind(&mut self) -> TypeExpr {
        let kind = match self.below(3) {
            0 => TypeKind::Real(self.many(0, 2, |choices| choices.sum(1))),
            1 => TypeKind::Symmetric(Box::new(self.sum(1))),
            _ => TypeKind::Params(self.ident()),
        };
        TypeExpr { kind, span: nowhere() }
    }

    fn net(&mut self) -> ItemKind {
        let input = match self.flag() {
            true => NetInput::Image(self.many(1, 3, |choices| choices.sum(1)), nowhere()),
            // `image[…]` means the other one.
            false => NetInput::Width(node(ExprKind::Number(16.0, "16".into()))),
        };
        ItemKind::Net {
            name: self.ident(),
            params: self.ident(),
            input,
            layers: self.many(1, 3, |choices| choices.layer(2)),
        }
    }

    fn layer(&mut self, depth: usize) -> Layer {
        let residual = depth > 0 && self.flag();
        let inner = if residual { self.many(1, 2, |choices| choices.layer(depth - 1)) } else { Vec::new() };
        let name = if residual { name("residual") } else { self.one_of(&["dense", "conv", "flatten", "layer_norm"]) };
        let size = if residual { None } else { self.maybe(|choices| choices.sum(1)) };
        let options = self.many(0, 2, |choices| (choices.one_of(&["kernel", "stride", "init"]), choices.sum(1)));
        let activations = self.many(0, 2, |choices| {
            let callee = choices.one_of(&["relu", "leaky_relu", "tanh"]);
            node(match choices.flag() {
                true => {
                    ExprKind::Call { callee, args: vec![Arg { name: None, value: choices.sum(1) }], params: Vec::new() }
                }
                false => ExprKind::Name(callee),
            })
        });
        Layer { name, size, options, activations, inner, span: nowhere() }
    }

    fn objective(&mut self) -> ItemKind {
        let sense = if self.flag() { Sense::Maximize } else { Sense::Minimize };
        let first = self.labelled();
        let body = self.chain(first, &[BinaryOp::Add, BinaryOp::Sub], Self::labelled);
        ItemKind::Objective { sense, body }
    }

    fn labelled(&mut self) -> Expr {
        let body = self.product(3);
        match self.flag() {
            true => node(ExprKind::Label { name: self.ident(), body: Box::new(body) }),
            false => body,
        }
    }

    fn constraint(&mut self) -> Constraint {
        let label = self.maybe(Self::ident);
        let family = if label.is_some() { self.maybe(Self::binder) } else { None };
        let first = self.expr();
        Constraint { label, family, body: self.compare(first, 2), span: nowhere() }
    }

    // ---- Solving ----

    fn solve(&mut self) -> ItemKind {
        let name_of_it = self.maybe(Self::ident);
        match self.flag() {
            true => ItemKind::Solve { name: name_of_it, method: name("game"), body: SolveBody::Game(self.steps(3)) },
            false => {
                let method = self.one_of(&["admm", "sgd"]);
                ItemKind::Solve { name: name_of_it, method, body: SolveBody::Options(self.many(0, 3, Self::setting)) }
            }
        }
    }

    fn setting(&mut self) -> Setting {
        Setting { name: self.one_of(&["rho", "tol", "x_step"]), value: self.expr() }
    }

    fn steps(&mut self, depth: usize) -> Vec<Step> {
        self.many(0, 3, |choices| choices.step(depth))
    }

    fn step(&mut self, depth: usize) -> Step {
        let kind = match self.below(if depth == 0 { 5 } else { 9 }) {
            0 => StepKind::Setting(self.setting()),
            1 => StepKind::Restart { player: self.ident() },
            2 => StepKind::Track { name: self.ident(), value: self.expr() },
            3 => {
                let grid = node(ExprKind::Call { callee: name("grid"), args: Vec::new(), params: Vec::new() });
                StepKind::SaveImages { value: self.expr(), grid, name: Text { value: self.text(), span: nowhere() } }
            }
            4 => {
                let method = self.one_of(&["admm", "adam"]);
                StepKind::Method { method, player: self.ident(), settings: self.many(0, 3, Self::setting) }
            }
            5 => StepKind::RepeatEpochs { count: self.sum(1), sample: self.postfix(1), body: self.steps(depth - 1) },
            6 => StepKind::RepeatTimes { count: self.sum(1), body: self.steps(depth - 1) },
            7 => StepKind::EachBatch { body: self.steps(depth - 1) },
            _ => {
                let unit = self.one_of(&["epochs", "iterations", "batches"]);
                let when = match self.flag() {
                    true => When::At { points: self.many(1, 3, |choices| choices.sum(1)), unit },
                    false => When::Every { count: self.maybe(|choices| choices.sum(1)), unit },
                };
                StepKind::When { when, body: Box::new(self.step(depth - 1)) }
            }
        };
        Step { kind, span: nowhere() }
    }
}

fn nowhere() -> Span {
    Span::default()
}

fn node(kind: ExprKind) -> Expr {
    Expr { kind, span: nowhere() }
}

fn name(text: &str) -> Ident {
    Ident { text: text.to_string(), key: normalise(text), span: nowhere() }
}

fn binary(op: BinaryOp, left: Expr, right: Expr) -> Expr {
    node(ExprKind::Binary { op, op_span: nowhere(), left: Box::new(left), right: Box::new(right) })
}
