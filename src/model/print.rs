//! The text form of a model: declarations with their shapes, each player's terms in minimised form,
//! constraints, solve blocks. Expressions are fully bracketed, the function first.

use std::fmt::{self, Display, Formatter};

use super::ir::{
    Admm, Claim, Constraint, Data, Descent, DescentKind, Expr, ExprKind, Method, Model, Net, Player, Relation, Rho,
    Sample, SampleSource, Solve, SolveBody, Step, StepKind, Term, Unit, Var, VarId, VarKind, When,
};

impl Display for Model {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.data.iter().try_for_each(|data| writeln!(f, "{}", data_line(data)))?;
        self.nets.iter().try_for_each(|net| net_lines(f, net))?;
        self.samples.iter().try_for_each(|sample| writeln!(f, "{}", sample_line(self, sample)))?;
        self.players.iter().try_for_each(|player| player_lines(f, self, player))?;
        self.solves.iter().try_for_each(|solve| solve_lines(f, self, solve))
    }
}

/// `name`, `name[8]`
fn family(name: &str, count: Option<usize>) -> String {
    count.map_or(name.to_owned(), |count| format!("{name}[{count}]"))
}

fn data_line(data: &Data) -> String {
    let rows = data.rows.as_ref().map_or(String::new(), |rows| format!(", rows {rows:?}"));
    format!("data {}: {}{rows}", family(&data.name, data.family), data.tensor.ty())
}

fn net_lines(f: &mut Formatter<'_>, net: &Net) -> fmt::Result {
    writeln!(f, "net {}: {} -> {}, {} parameters", net.name, net.input, net.output, net.numel)?;
    for entry in &net.entries {
        writeln!(f, "  {}.{} {} at {}, {:?}", entry.layer, entry.name, entry.shape, entry.offset, entry.init)?;
    }
    for layer in &net.layers {
        let activations =
            layer.activations.iter().map(|(activation, parameter)| format!(" {activation:?}({parameter})"));
        writeln!(f, "  {:?} -> {}{}", layer.kind, layer.output, activations.collect::<String>())?;
    }
    Ok(())
}

fn sample_line(model: &Model, sample: &Sample) -> String {
    let source = match &sample.source {
        SampleSource::Rows(parts) => {
            let names: Vec<&str> = parts.iter().map(|data| model.data[data.index()].name.as_str()).collect();
            format!("rows of {}", names.join(", "))
        }
        SampleSource::Normal => "normal".to_owned(),
        SampleSource::Uniform { low, high } => format!("uniform on [{low}, {high}]"),
        SampleSource::Bernoulli { p } => format!("bernoulli {p}"),
        SampleSource::Categorical { k } => format!("categorical {k}"),
    };
    let shapes: Vec<String> = sample.shapes.iter().map(ToString::to_string).collect();
    let how = match (sample.fixed, sample.keep) {
        (true, _) => ", once",
        (false, true) => ", short last batch kept",
        (false, false) => "",
    };
    format!("sample {} ~ {source} {}{how}", family(&sample.names.join(", "), sample.family), shapes.join(", "))
}

fn player_lines(f: &mut Formatter<'_>, model: &Model, player: &Player) -> fmt::Result {
    match &player.name {
        Some(name) => writeln!(f, "player {name}{}", if player.maximize { ", negated" } else { "" })?,
        None => writeln!(f, "problem{}", if player.maximize { ", negated" } else { "" })?,
    }
    player.vars.iter().try_for_each(|var| writeln!(f, "  {}", var_line(model, &model.vars[var.index()])))?;
    player.terms.iter().try_for_each(|term| writeln!(f, "  {}", term_line(model, term)))?;
    player.constraints.iter().try_for_each(|constraint| writeln!(f, "  {}", constraint_line(model, constraint)))?;
    if let Some((x, z)) = &player.split {
        writeln!(f, "  split {} | {}", names(model, x), names(model, z))?;
    }
    for Claim { target, value, .. } in &player.claims {
        writeln!(f, "  claim {} = {}", model.vars[target.index()].name, expr(model, value))?;
    }
    Ok(())
}

fn names(model: &Model, vars: &[VarId]) -> String {
    vars.iter().map(|var| model.vars[var.index()].name.as_str()).collect::<Vec<_>>().join(", ")
}

fn var_line(model: &Model, var: &Var) -> String {
    let kind = match var.kind {
        VarKind::Real => "real".to_owned(),
        VarKind::Symmetric => "symmetric".to_owned(),
        VarKind::Params(net) => format!("params({})", model.nets[net.index()].name),
    };
    let init = match &var.init {
        super::ir::Init::Given(tensor) => format!("given {}", tensor.ty()),
        other => format!("{other:?}"),
    };
    format!("var {}: {kind}{}, starts {init}", family(&var.name, var.family), var.shape)
}

fn label(label: &Option<String>) -> String {
    label.as_ref().map_or(String::new(), |label| format!("{label}: "))
}

fn each(over: &Option<super::ir::Loop>, what: &str) -> String {
    over.map_or(String::new(), |over| format!(" {what} i in 1 to {}", over.count))
}

fn term_line(model: &Model, term: &Term) -> String {
    format!("minimize {}{}{}", label(&term.label), expr(model, &term.expr), each(&term.over, "summed over"))
}

fn constraint_line(model: &Model, constraint: &Constraint) -> String {
    let relation = match &constraint.relation {
        Relation::Zero(zero) => format!("{} = 0", expr(model, zero)),
        Relation::NonPositive(negative) => format!("{} <= 0", expr(model, negative)),
        Relation::In { expr: inside, set, args } => {
            let args: String = args.iter().map(|arg| format!(" {}", expr(model, arg))).collect();
            format!("{} in ({}{args})", expr(model, inside), set.name())
        }
    };
    format!("subject to {}{relation}{}", label(&constraint.label), each(&constraint.over, "for"))
}

fn solve_lines(f: &mut Formatter<'_>, model: &Model, solve: &Solve) -> fmt::Result {
    let forms = if solve.stable { "" } else { ", losses as written" };
    write!(f, "solve {} in {}{forms}", solve.name, solve.precision)?;
    match &solve.body {
        SolveBody::Method(method) => writeln!(f, ": {}", method_text(method)),
        SolveBody::Game(steps) => {
            writeln!(f)?;
            step_lines(f, model, steps, 1)
        }
    }
}

fn method_text(method: &Method) -> String {
    match method {
        Method::Descent(descent) => descent_text(descent),
        Method::Admm(admm) => admm_text(admm),
    }
}

fn admm_text(admm: &Admm) -> String {
    let rho = match admm.rho {
        Rho::Auto => "rho auto".to_owned(),
        Rho::Value(rho) => format!("rho {rho}"),
        Rho::Kappa(kappa) => format!("kappa {kappa}"),
    };
    let tol = admm.tol.map_or("no tolerance".to_owned(), |tol| format!("tol {tol:e}"));
    let inner = |what: &str, step: &Option<Descent>| {
        step.as_ref().map_or(String::new(), |step| format!(", {what} by {}", descent_text(step)))
    };
    format!(
        "admm, {rho}, relax {}, {tol}, iterations {}, adapt {:?} every {}{}{}",
        admm.relax,
        admm.iterations,
        admm.adapt,
        admm.adapt_every,
        inner("x", &admm.x_step),
        inner("z", &admm.z_step)
    )
}

fn descent_text(descent: &Descent) -> String {
    let kind = match descent.kind {
        DescentKind::Gradient { momentum } => format!("gradient rate {} momentum {momentum}", descent.rate),
        DescentKind::Adam { beta1, beta2, epsilon } => {
            format!("adam rate {} beta1 {beta1} beta2 {beta2} epsilon {epsilon:e}", descent.rate)
        }
        DescentKind::Lbfgs { memory } => format!("lbfgs memory {memory}"),
    };
    let tol = descent.tol.map_or(String::new(), |tol| format!(" tol {tol:e}"));
    format!("{kind} steps {}{tol}{}", descent.steps, if descent.fresh { " fresh" } else { "" })
}

fn step_lines(f: &mut Formatter<'_>, model: &Model, steps: &[Step], depth: usize) -> fmt::Result {
    steps.iter().try_for_each(|step| {
        write!(f, "{}", "  ".repeat(depth))?;
        step_line(f, model, step, depth)
    })
}

fn step_line(f: &mut Formatter<'_>, model: &Model, step: &Step, depth: usize) -> fmt::Result {
    let player =
        |id: super::ir::PlayerId| model.players[id.index()].name.clone().unwrap_or_else(|| "problem".to_owned());
    match &step.kind {
        StepKind::Epochs { count, sample, body } => {
            writeln!(f, "repeat {count} epochs of {}", model.samples[sample.index()].names.join(", "))?;
            step_lines(f, model, body, depth + 1)
        }
        StepKind::Times { count, body } => {
            writeln!(f, "repeat {count} times")?;
            step_lines(f, model, body, depth + 1)
        }
        StepKind::EachBatch { body } => {
            writeln!(f, "each batch")?;
            step_lines(f, model, body, depth + 1)
        }
        StepKind::Method { player: whose, method } => writeln!(f, "{}: {}", player(*whose), method_text(method)),
        StepKind::Restart { player: whose } => writeln!(f, "restart {}", player(*whose)),
        StepKind::Track { name, value } => writeln!(f, "track {name} = {}", expr(model, value)),
        StepKind::SaveImages { value, rows, columns, name } => {
            writeln!(f, "save images {} as {rows} by {columns} {name:?}", expr(model, value))
        }
        StepKind::When { when, body } => {
            let unit = |unit: &Unit| if *unit == Unit::Epochs { "epochs" } else { "iterations" };
            match when {
                When::Every { count, unit: counted } => write!(f, "every {count} {}: ", unit(counted))?,
                When::At { points, unit: counted } => write!(f, "at {} {points:?}: ", unit(counted))?,
            }
            step_line(f, model, body, depth)
        }
    }
}

/// An expression, the function first.
fn expr(model: &Model, e: &Expr) -> String {
    let list = |head: String, parts: &[Expr]| {
        let parts: String = parts.iter().map(|part| format!(" {}", expr(model, part))).collect();
        format!("({head}{parts})")
    };
    match &e.kind {
        ExprKind::Number(number) => number.to_string(),
        ExprKind::Leaf(leaf) => model.leaf_name(*leaf),
        ExprKind::Apply(function, parts) => list(function.name().to_owned(), parts),
        ExprKind::Net { net, input, params, layers } => {
            let net = &model.nets[net.index()];
            let until = if *layers == net.layers.len() { String::new() } else { format!(" until {layers}") };
            format!("({}{until} {} ; {})", net.name, expr(model, input), expr(model, params))
        }
        ExprKind::Slice(base, ranges) => {
            let ranges: String = ranges.iter().map(|range| format!(" {}:{}", range.start, range.stop())).collect();
            format!("(slice {}{ranges})", expr(model, base))
        }
        ExprKind::Reshape(base) => format!("(reshape {} {})", expr(model, base), e.shape),
        ExprKind::Concat(parts, axis) => list(format!("concat {axis}"), parts),
        ExprKind::Over(over, body) => format!("(sum {} {})", over.count, expr(model, body)),
    }
}
