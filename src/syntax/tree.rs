//! The text form of a tree: one statement a line, expressions fully bracketed with the operator
//! first, so that precedence is seen. Spans and comments are left out.
//!
//! ```text
//! (data A (csv "lasso_A.csv"))
//! (minimize (+ (label fit (/ (sum_squares (- (* A x) b)) 2)) (label reg (* lambda (norm1 z)))))
//! ```

use std::fmt::{self, Display, Formatter};

use super::ast::{
    Arg, Ast, BinaryOp, Binder, CompareOp, Constraint, Expr, ExprKind, IndexItem, Item, ItemKind, Layer, NetInput,
    SampleSize, Sense, Setting, SolveBody, Step, StepKind, TypeExpr, TypeKind, When,
};

impl Display for Ast {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if let Some((version, _)) = self.version {
            writeln!(f, "(admm {version})")?;
        }
        self.items.iter().try_for_each(|item| writeln!(f, "{}", item_node(item)))
    }
}

impl Display for Expr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}", expr_node(self))
    }
}

/// A tree of words, drawn on one line if it is flat enough.
enum Node {
    Word(String),
    /// On one line.
    List(Vec<Node>),
    /// A head, then a line each.
    Block(Vec<Node>, Vec<Node>),
}

impl Display for Node {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.draw(f, 0)
    }
}

impl Node {
    fn draw(&self, f: &mut Formatter<'_>, depth: usize) -> fmt::Result {
        let list = |f: &mut Formatter<'_>, nodes: &[Node]| {
            nodes.iter().enumerate().try_for_each(|(at, node)| {
                f.write_str(if at > 0 { " " } else { "" })?;
                node.draw(f, depth)
            })
        };
        match self {
            Node::Word(word) => f.write_str(word),
            Node::List(nodes) => {
                f.write_str("(")?;
                list(f, nodes)?;
                f.write_str(")")
            }
            Node::Block(head, body) => {
                f.write_str("(")?;
                list(f, head)?;
                for node in body {
                    write!(f, "\n{}", "  ".repeat(depth + 1))?;
                    node.draw(f, depth + 1)?;
                }
                f.write_str(")")
            }
        }
    }
}

fn word(word: impl Into<String>) -> Node {
    Node::Word(word.into())
}

fn text(text: &str) -> Node {
    Node::Word(format!("{text:?}"))
}

/// `(head node node …)`
fn list(head: &str, nodes: impl IntoIterator<Item = Node>) -> Node {
    Node::List(std::iter::once(word(head)).chain(nodes).collect())
}

fn exprs(exprs: &[Expr]) -> impl Iterator<Item = Node> {
    exprs.iter().map(expr_node)
}

fn names(names: &[super::ast::Ident]) -> Node {
    Node::List(names.iter().map(|name| word(&name.text)).collect())
}

fn item_node(item: &Item) -> Node {
    match &item.kind {
        ItemKind::Use { path } => list("use", [text(&path.value)]),
        ItemKind::Param { name, value } => list("param", [word(&name.text), expr_node(value)]),
        ItemKind::Data { name, family, ty, value } => {
            let head = [word(&name.text)].into_iter();
            let ty = ty.iter().map(type_node);
            list("data", head.chain(family.iter().map(binder_node)).chain(ty).chain([expr_node(value)]))
        }
        ItemKind::Let { names: bound, tuple, family, value } => {
            let bound = if *tuple { names(bound) } else { word(&bound[0].text) };
            list("let", [bound].into_iter().chain(family.iter().map(binder_node)).chain([expr_node(value)]))
        }
        ItemKind::Var { names: bound, family, ty, init } => {
            let init = init.iter().map(|init| list("init", [expr_node(init)]));
            let head = [names(bound)].into_iter().chain(family.iter().map(binder_node));
            list("var", head.chain([type_node(ty)]).chain(init))
        }
        ItemKind::Net { name, params, input, layers } => {
            let input = match input {
                NetInput::Width(width) => expr_node(width),
                NetInput::Image(extents, _) => list("image", exprs(extents)),
            };
            let head = vec![word("net"), word(&name.text), word(&params.text), input];
            Node::Block(head, layers.iter().map(layer_node).collect())
        }
        ItemKind::Sample { names: bound, tuple, family, source, size } => {
            let bound = if *tuple { names(bound) } else { word(&bound[0].text) };
            let size = match size {
                SampleSize::Batch { size, keep: false } => list("batch", [expr_node(size)]),
                SampleSize::Batch { size, keep: true } => list("batch", [expr_node(size), word("keep")]),
                SampleSize::Fixed(size) => list("fixed", [expr_node(size)]),
            };
            let head = [bound].into_iter().chain(family.iter().map(binder_node));
            list("sample", head.chain([expr_node(source), size]))
        }
        ItemKind::Objective { sense, body } => {
            list(if *sense == Sense::Minimize { "minimize" } else { "maximize" }, [expr_node(body)])
        }
        ItemKind::SubjectTo { constraints } => {
            Node::Block(vec![word("subject-to")], constraints.iter().map(constraint_node).collect())
        }
        ItemKind::Split { x, z } => list("split", [list("x", exprs(x)), list("z", exprs(z))]),
        ItemKind::Shows { name, value } => list("shows", [word(&name.text), expr_node(value)]),
        ItemKind::Claim { target, value } => list("claim", [expr_node(target), expr_node(value)]),
        ItemKind::Player { name, items } => {
            Node::Block(vec![word("player"), word(&name.text)], items.iter().map(item_node).collect())
        }
        ItemKind::Solve { name, method, body } => {
            let name = name.iter().map(|name| word(&name.text));
            let head: Vec<Node> = [word("solve")].into_iter().chain(name).chain([word(&method.text)]).collect();
            match body {
                SolveBody::Options(settings) => Node::Block(head, settings.iter().map(setting_node).collect()),
                SolveBody::Game(steps) => Node::Block(head, steps.iter().map(step_node).collect()),
            }
        }
    }
}

fn binder_node(binder: &Binder) -> Node {
    list("for", [word(&binder.name.text), expr_node(&binder.from), expr_node(&binder.to)])
}

fn type_node(ty: &TypeExpr) -> Node {
    match &ty.kind {
        TypeKind::Real(extents) => list("real", exprs(extents)),
        TypeKind::Symmetric(extent) => list("symmetric", [expr_node(extent)]),
        TypeKind::Params(net) => list("params", [word(&net.text)]),
    }
}

fn layer_node(layer: &Layer) -> Node {
    let options = layer.options.iter().map(|(name, value)| list(&name.text, [expr_node(value)]));
    let nodes = layer.size.iter().map(expr_node).chain(options).chain(exprs(&layer.activations));
    let head: Vec<Node> = [word(&layer.name.text)].into_iter().chain(nodes).collect();
    if layer.inner.is_empty() {
        Node::List(head)
    } else {
        Node::Block(head, layer.inner.iter().map(layer_node).collect())
    }
}

fn constraint_node(constraint: &Constraint) -> Node {
    let body = expr_node(&constraint.body);
    let family = constraint.family.iter().map(binder_node);
    match &constraint.label {
        Some(label) => list("label", [word(&label.text)].into_iter().chain(family).chain([body])),
        None if constraint.family.is_some() => list("each", family.chain([body])),
        None => body,
    }
}

fn setting_node(setting: &Setting) -> Node {
    list("set", [word(&setting.name.text), expr_node(&setting.value)])
}

fn step_node(step: &Step) -> Node {
    let block = |head: Vec<Node>, body: &[Step]| Node::Block(head, body.iter().map(step_node).collect());
    match &step.kind {
        StepKind::Setting(setting) => setting_node(setting),
        StepKind::RepeatEpochs { count, sample, body } => {
            block(vec![word("repeat-epochs"), expr_node(count), expr_node(sample)], body)
        }
        StepKind::RepeatTimes { count, body } => block(vec![word("repeat-times"), expr_node(count)], body),
        StepKind::EachBatch { body } => block(vec![word("each-batch")], body),
        StepKind::Method { method, player, settings } => {
            list(&method.text, [word(&player.text)].into_iter().chain(settings.iter().map(setting_node)))
        }
        StepKind::Restart { player } => list("restart", [word(&player.text)]),
        StepKind::Track { name, value } => list("track", [word(&name.text), expr_node(value)]),
        StepKind::SaveImages { value, grid, name } => {
            list("save-images", [expr_node(value), expr_node(grid), text(&name.value)])
        }
        StepKind::When { when, body } => {
            let (head, points) = match when {
                When::Every { count: Some(count), unit } => (["every", &unit.text], vec![expr_node(count)]),
                When::Every { count: None, unit } => (["every", &unit.text], Vec::new()),
                When::At { points, unit } => (["at", &unit.text], exprs(points).collect()),
            };
            let head = head.map(word).into_iter().chain(points).collect();
            block(head, std::slice::from_ref(&**body))
        }
    }
}

fn expr_node(expr: &Expr) -> Node {
    match &expr.kind {
        ExprKind::Number(_, written) => word(written),
        ExprKind::Text(value) => text(value),
        ExprKind::Name(name) => word(&name.text),
        ExprKind::Neg(inner) => list("neg", [expr_node(inner)]),
        ExprKind::Transpose(inner) => list("'", [expr_node(inner)]),
        ExprKind::Binary { op, left, right, .. } => list(symbol(*op), [expr_node(left), expr_node(right)]),
        ExprKind::Compare { first, rest } => compare_node(first, rest),
        ExprKind::Call { callee, args, params } => {
            let params = (!params.is_empty()).then(|| list(";", exprs(params)));
            list(&callee.text, args.iter().map(arg_node).chain(params))
        }
        ExprKind::Over { callee, binder, body } => list(&callee.text, [binder_node(binder), expr_node(body)]),
        ExprKind::Index { base, at } => list("at", [expr_node(base)].into_iter().chain(at.iter().map(index_node))),
        ExprKind::Field { base, name } => list(".", [expr_node(base), word(&name.text)]),
        ExprKind::Label { name, body } => list("label", [word(&name.text), expr_node(body)]),
        ExprKind::Tuple(parts) => list("tuple", exprs(parts)),
        ExprKind::Matrix(rows) => list("matrix", rows.iter().map(|row| Node::List(exprs(row).collect()))),
        ExprKind::Paren(inner) => expr_node(inner),
    }
}

/// `(<= a b)`; a chain is the conjunction of its links: `(and (<= 0 x) (<= x 1))`.
fn compare_node(first: &Expr, rest: &[(CompareOp, crate::source::Span, Expr)]) -> Node {
    let lefts = std::iter::once(first).chain(rest.iter().map(|(_, _, right)| right));
    let mut links: Vec<Node> = lefts
        .zip(rest)
        .map(|(left, (op, _, right))| {
            let op = match op {
                CompareOp::Equal => "=",
                CompareOp::LessEqual => "<=",
                CompareOp::GreaterEqual => ">=",
                CompareOp::In => "in",
            };
            list(op, [expr_node(left), expr_node(right)])
        })
        .collect();
    if links.len() == 1 { links.remove(0) } else { list("and", links) }
}

fn arg_node(arg: &Arg) -> Node {
    match &arg.name {
        Some(name) => list("=", [word(&name.text), expr_node(&arg.value)]),
        None => expr_node(&arg.value),
    }
}

fn index_node(item: &IndexItem) -> Node {
    match item {
        IndexItem::All(_) => word(":"),
        IndexItem::At(at) => expr_node(at),
        IndexItem::Range(from, to) => list("to", [expr_node(from), expr_node(to)]),
    }
}

fn symbol(op: BinaryOp) -> &'static str {
    match op {
        BinaryOp::Add => "+",
        BinaryOp::Sub => "-",
        BinaryOp::Mul => "*",
        BinaryOp::Div => "/",
        BinaryOp::ElemMul => ".*",
        BinaryOp::ElemDiv => "./",
        BinaryOp::Pow => "^",
        BinaryOp::ElemPow => ".^",
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use crate::diag::Diags;
    use crate::source::FileId;

    fn check(text: &str, expected: Expect) {
        let mut diags = Diags::default();
        let ast = super::super::parse(FileId(0), text, &mut diags);
        assert!(diags.is_empty(), "{diags:?}");
        expected.assert_eq(&ast.to_string());
    }

    #[test]
    fn precedence_is_seen() {
        check(
            "minimize -x^2 + 2*x'*A*x - (b + c)/2\n",
            expect![[r#"
            (minimize (- (+ (neg (^ x 2)) (* (* (* 2 (' x)) A) x)) (/ (+ b c) 2)))
        "#]],
        );
    }

    #[test]
    fn a_problem() {
        let text = "admm 1\nparam lambda = 0.1\ndata A: real[20, 5] = csv(\"A.csv\", column = 2)\nlet (a, b) = split(A[:, 1 to 4], 15, seed = 42)\n\
                    var x, z: real[n], init = 0\nvar w[i in 1 to 8]: real[n]\nminimize fit: sum(i in 1 to 8: f(w[i])) + reg: norm1(z)\n\
                    subject to link[i in 1 to 8]: w[i] - z = 0\n           0 <= z <= 1, z in simplex\n\
                    split w | z\nsolve admm { rho = auto, tol = 1e-6 }\n";
        check(
            text,
            expect![[r#"
            (admm 1)
            (param lambda 0.1)
            (data A (real 20 5) (csv "A.csv" (= column 2)))
            (let (a b) (split (at A : (to 1 4)) 15 (= seed 42)))
            (var (x z) (real n) (init 0))
            (var (w) (for i 1 8) (real n))
            (minimize (+ (label fit (sum (for i 1 8) (f (at w i)))) (label reg (norm1 z))))
            (subject-to
              (label link (for i 1 8) (= (- (at w i) z) 0))
              (and (<= 0 z) (<= z 1))
              (in z simplex))
            (split (x w) (z z))
            (solve admm
              (set rho auto)
              (set tol 1e-6))
        "#]],
        );
    }

    #[test]
    fn a_game() {
        let text = "net G(φ): 16 -> dense 64 leaky_relu(0.2) -> dense 64 tanh\nsample noise ~ normal(16) batch 64\n\
                    player generator {\n    var φ: params(G)\n    maximize mean(D(G(noise; φ); discriminator.θ))\n}\n\
                    solve play as game {\n    repeat n epochs of digit {\n        each batch { adam generator { rate = 1e-3 } }\n        every 10 epochs restart discriminator\n        at epochs 50, 150 save images G(probe; φ) as grid(8, 8) \"samples\"\n    }\n}\n";
        check(
            text,
            expect![[r#"
            (net G φ 16
              (dense 64 (leaky_relu 0.2))
              (dense 64 tanh))
            (sample noise (normal 16) (batch 64))
            (player generator
              (var (φ) (params G))
              (maximize (mean (D (G noise (; φ)) (; (. discriminator θ))))))
            (solve play game
              (repeat-epochs n digit
                (each-batch
                  (adam generator (set rate 1e-3)))
                (every epochs 10
                  (restart discriminator))
                (at epochs 50 150
                  (save-images (G probe (; φ)) (grid 8 8) "samples"))))
        "#]],
        );
    }
}
