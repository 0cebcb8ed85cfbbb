//! Statements as lines.

use super::Printer;
use super::expression::{expr, family, list, operator, quoted};
use crate::syntax::ast::*;

impl Printer<'_> {
    pub(super) fn item(&mut self, item: &Item) {
        let (start, end) = (item.span.start, item.span.end);
        let text = match &item.kind {
            ItemKind::Use { path } => format!("use {}", quoted(&path.value)),
            ItemKind::Param { name, value } => format!("param {} = {}", name.text, expr(value)),
            ItemKind::Data { name, family: range, ty, value } => {
                let ty = ty.as_ref().map_or_else(String::new, |ty| format!(": {}", kind(ty)));
                format!("data {}{}{ty} = {}", name.text, family(range), expr(value))
            }
            ItemKind::Let { names, tuple, family: range, value } => {
                format!("let {}{} = {}", name_list(names, *tuple), family(range), expr(value))
            }
            ItemKind::Var { names, family: range, ty, init } => {
                let init = init.as_ref().map_or_else(String::new, |init| format!(", init = {}", expr(init)));
                format!("var {}{}: {}{init}", name_list(names, false), family(range), kind(ty))
            }
            ItemKind::Sample { names, tuple, family: range, source, size } => {
                let size = match size {
                    SampleSize::Batch { size, keep } => {
                        format!("batch {}{}", expr(size), if *keep { " keep" } else { "" })
                    }
                    SampleSize::Fixed(size) => format!("fixed {}", expr(size)),
                };
                format!("sample {}{} ~ {} {size}", name_list(names, *tuple), family(range), expr(source))
            }
            ItemKind::Split { x, z } => format!("split {} | {}", list(x), list(z)),
            ItemKind::Shows { name, value } => format!("shows {} = {}", name.text, expr(value)),
            ItemKind::Claim { target, value } => format!("claim {} = {}", expr(target), expr(value)),
            ItemKind::Net { name, params, input, layers } => return self.net(item, name, params, input, layers),
            ItemKind::Objective { sense, body } => return self.objective(item, *sense, body),
            ItemKind::SubjectTo { constraints } => return self.subject_to(start, end, constraints),
            ItemKind::Player { name, items } => {
                self.line(start, name.span.end, &format!("player {} {{", name.text));
                return self.block(end, |printer| printer.items(items));
            }
            ItemKind::Solve { name, method, body } => return self.solve(item, name.as_ref(), method, body),
        };
        self.line(start, end, &text);
    }

    fn net(&mut self, item: &Item, name: &Ident, params: &Ident, input: &NetInput, layers: &[Layer]) {
        let (start, end) = (item.span.start, item.span.end);
        let (input, input_end) = match input {
            NetInput::Width(width) => (expr(width), width.span.end),
            NetInput::Image(sizes, span) => (format!("image[{}]", list(sizes)), span.end),
        };
        let head = format!("net {}({}): {input}", name.text, params.text);
        if !self.is_broken(start, end) {
            let layers: String = layers.iter().map(|one| format!(" -> {}", layer(one))).collect();
            return self.line(start, end, &(head + &layers));
        }
        self.line(start, input_end, &head);
        self.depth += 1;
        for one in layers {
            self.line(one.span.start, one.span.end, &format!("-> {}", layer(one)));
        }
        self.depth -= 1;
    }

    fn objective(&mut self, item: &Item, sense: Sense, body: &Expr) {
        let word = match sense {
            Sense::Minimize => "minimize",
            Sense::Maximize => "maximize",
        };
        let mut terms = Vec::new();
        let mut rest = body;
        while let ExprKind::Binary { op: op @ (BinaryOp::Add | BinaryOp::Sub), left, right, .. } = &rest.kind {
            terms.push((operator(*op).trim_start(), &**right));
            rest = left;
        }
        let (start, end) = (item.span.start, item.span.end);
        if terms.is_empty() || !self.is_broken(start, end) {
            return self.line(start, end, &format!("{word} {}", expr(body)));
        }
        self.line(start, rest.span.end, &format!("{word} {}", expr(rest)));
        self.depth += 1;
        for (sign, term) in terms.into_iter().rev() {
            self.line(term.span.start, term.span.end, &format!("{sign}{}", expr(term)));
        }
        self.depth -= 1;
    }

    fn subject_to(&mut self, start: u32, end: u32, constraints: &[Constraint]) {
        if let [only] = constraints {
            return self.line(start, only.span.end, &format!("subject to {}", constraint(only)));
        }
        let words = self.text.get(start as usize..end as usize).and_then(|text| text.find("to"));
        self.line(start, start + words.map_or(0, |at| at as u32 + 2), "subject to");
        self.depth += 1;
        for one in constraints {
            self.line(one.span.start, one.span.end, &constraint(one));
        }
        self.depth -= 1;
    }

    fn solve(&mut self, item: &Item, name: Option<&Ident>, method: &Ident, body: &SolveBody) {
        let (start, end) = (item.span.start, item.span.end);
        let name = name.map_or_else(String::new, |name| format!("{} as ", name.text));
        let head = format!("solve {name}{}", method.text);
        match body {
            SolveBody::Game(steps) => {
                self.line(start, method.span.end, &format!("{head} {{"));
                self.block(end, |printer| printer.steps(steps));
            }
            SolveBody::Options(settings) if settings.is_empty() => self.line(start, end, &head),
            SolveBody::Options(settings) => self.settings(start, method.span.end, end, &head, settings),
        }
    }

    /// `{ rho = 1, tol = 1e-6 }`, or a line each where the source has several lines.
    fn settings(&mut self, start: u32, head_end: u32, end: u32, head: &str, settings: &[Setting]) {
        if !self.is_broken(head_end, end) {
            let settings: Vec<_> = settings.iter().map(setting).collect();
            return self.line(start, end, &format!("{head} {{ {} }}", settings.join(", ")));
        }
        self.line(start, head_end, &format!("{head} {{"));
        self.block(end, |printer| {
            for one in settings {
                printer.line(one.name.span.start, one.value.span.end, &setting(one));
            }
        });
    }

    fn steps(&mut self, steps: &[Step]) {
        for step in steps {
            self.step(step.span.start, String::new(), step);
        }
    }

    /// A step behind the words `when`, the first of which stands at `start`.
    fn step(&mut self, start: u32, when: String, step: &Step) {
        let end = step.span.end;
        let (head_end, head, body) = match &step.kind {
            StepKind::When { when: more, body } => return self.step(start, format!("{when}{} ", due(more)), body),
            StepKind::Setting(one) => return self.line(start, end, &(when + &setting(one))),
            StepKind::Restart { player } => return self.line(start, end, &format!("{when}restart {}", player.text)),
            StepKind::Track { name, value } => {
                return self.line(start, end, &format!("{when}track {} = {}", name.text, expr(value)));
            }
            StepKind::SaveImages { value, grid, name } => {
                let text = format!("{when}save images {} as {} {}", expr(value), expr(grid), quoted(&name.value));
                return self.line(start, end, &text);
            }
            StepKind::Method { method, player, settings } => {
                let head = format!("{when}{} {}", method.text, player.text);
                return match settings[..] {
                    [] => self.line(start, end, &(head + " {}")),
                    _ => self.settings(start, player.span.end, end, &head, settings),
                };
            }
            StepKind::RepeatEpochs { count, sample, body } => {
                (sample.span.end, format!("repeat {} epochs of {}", expr(count), expr(sample)), body)
            }
            StepKind::RepeatTimes { count, body } => (count.span.end, format!("repeat {} times", expr(count)), body),
            StepKind::EachBatch { body } => (step.span.start, "each batch".to_string(), body),
        };
        let open = self.text.get(head_end as usize..end as usize).and_then(|text| text.find('{'));
        self.line(start, head_end + open.unwrap_or(0) as u32, &format!("{when}{head} {{"));
        self.block(end, |printer| printer.steps(body));
    }
}

fn due(when: &When) -> String {
    match when {
        When::Every { count: None, unit } => format!("every {}", unit.text),
        When::Every { count: Some(count), unit } => format!("every {} {}", expr(count), unit.text),
        When::At { points, unit } => format!("at {} {}", unit.text, list(points)),
    }
}

fn setting(setting: &Setting) -> String {
    format!("{} = {}", setting.name.text, expr(&setting.value))
}

fn name_list(names: &[Ident], tuple: bool) -> String {
    let names = names.iter().map(|name| name.text.as_str()).collect::<Vec<_>>().join(", ");
    if tuple { format!("({names})") } else { names }
}

fn kind(ty: &TypeExpr) -> String {
    match &ty.kind {
        TypeKind::Real(sizes) if sizes.is_empty() => "real".to_string(),
        TypeKind::Real(sizes) => format!("real[{}]", list(sizes)),
        TypeKind::Symmetric(size) => format!("symmetric[{}]", expr(size)),
        TypeKind::Params(net) => format!("params({})", net.text),
    }
}

fn constraint(constraint: &Constraint) -> String {
    match &constraint.label {
        Some(label) => format!("{}{}: {}", label.text, family(&constraint.family), expr(&constraint.body)),
        None => expr(&constraint.body),
    }
}

fn layer(one: &Layer) -> String {
    let mut words = vec![one.name.text.clone()];
    words.extend(one.size.as_ref().map(expr));
    if !one.inner.is_empty() {
        words.push(format!("({})", one.inner.iter().map(layer).collect::<Vec<_>>().join(" -> ")));
    }
    words.extend(one.options.iter().map(|(name, value)| format!("{} {}", name.text, expr(value))));
    words.extend(one.activations.iter().map(expr));
    words.join(" ")
}
