//! The text of a model, for `emit --model` and golden tests: a line a declaration, terms and
//! constraints as mathematics.

use std::fmt;

use super::ir::*;
use crate::tape::Shape;
use crate::tape::ops::Window;

impl fmt::Display for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for data in &self.data {
            write!(f, "data {}: {}", data.name, data.tensor.ty())?;
            match (&data.family, &data.rows) {
                (Some(_), Some(rows)) => writeln!(f, ", members of {rows:?} rows")?,
                (Some(count), None) => writeln!(f, ", {count} members")?,
                _ => writeln!(f)?,
            }
        }
        self.nets.iter().try_for_each(|net| writeln!(f, "{net}"))?;
        for sample in &self.samples {
            self.sample(f, sample)?;
        }
        for named in &self.named {
            write!(f, "let {}: {}", named.name, named.expr.shape)?;
            match named.over {
                Some(over) => writeln!(f, ", {} members", over.count)?,
                None => writeln!(f)?,
            }
        }
        for player in &self.players {
            self.player(f, player)?;
        }
        for solve in &self.solves {
            self.solve(f, solve)?;
        }
        Ok(())
    }
}

impl fmt::Display for Net {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "net {}: {}", self.name, extents(&self.input))?;
        for layer in &self.layers {
            write!(f, " -> ")?;
            self.layer(f, layer)?;
        }
        write!(f, " = {} parameters", self.numel)
    }
}

/// A width, or `image[1, 8, 8]`.
fn extents(shape: &Shape) -> String {
    match shape.0[..] {
        [width] => width.to_string(),
        _ => format!("image{shape}"),
    }
}

impl Net {
    fn layer(&self, f: &mut fmt::Formatter<'_>, layer: &NetLayer) -> fmt::Result {
        let channels = layer.output.0.first().copied().unwrap_or(1);
        let (weight, bias) = match &layer.kind {
            LayerKind::Dense { weight, bias } => {
                write!(f, "dense {channels}")?;
                (Some(*weight), *bias)
            }
            LayerKind::Conv { weight, bias, window } => {
                write!(f, "conv {channels}{}", window_text(&self.entries[*weight].shape.0[2..], window))?;
                (Some(*weight), *bias)
            }
            LayerKind::ConvTranspose { weight, bias, window } => {
                write!(f, "conv_transpose {channels}{}", window_text(&self.entries[*weight].shape.0[2..], window))?;
                (Some(*weight), *bias)
            }
            LayerKind::Pool { average, kernel, window } => {
                let how = if *average { " average" } else { "" };
                write!(f, "pool{how}{}", window_text(kernel, window))?;
                (None, None)
            }
            LayerKind::Reshape => {
                write!(f, "reshape {}", layer.output)?;
                (None, None)
            }
            LayerKind::Dropout { rate } => {
                write!(f, "dropout {rate}")?;
                (None, None)
            }
            LayerKind::LayerNorm { weight, bias } => {
                write!(f, "layer_norm")?;
                (Some(*weight), *bias)
            }
            LayerKind::Residual(inner) => {
                write!(f, "residual (")?;
                for (at, layer) in inner.iter().enumerate() {
                    write!(f, "{}", if at > 0 { " -> " } else { "" })?;
                    self.layer(f, layer)?;
                }
                write!(f, ")")?;
                (None, None)
            }
        };
        for (activation, parameter) in &layer.activations {
            let function = activation.function();
            match function.signature().parameters().len() {
                1 => write!(f, " {}", function.name())?,
                _ => write!(f, " {}({parameter})", function.name())?,
            }
        }
        match weight.map(|weight| self.entries[weight].init) {
            None | Some(EntryInit::Ones) => {}
            Some(EntryInit::Zeros) => write!(f, " init zeros")?,
            Some(EntryInit::Normal(scale)) => write!(f, " init normal({scale:.4})")?,
            Some(EntryInit::Uniform(bound)) => write!(f, " init uniform({bound:.4})")?,
        }
        if weight.is_some() && bias.is_none() { write!(f, " bias none") } else { Ok(()) }
    }
}

/// ` kernel 3×3 stride 2×2`, and what differs from a plain window.
fn window_text(kernel: &[usize], window: &Window) -> String {
    let mut text = format!(" kernel {}×{}", kernel[0], kernel[1]);
    let steps = [("stride", window.stride, [1, 1]), ("padding", window.padding, [0, 0])];
    for (name, [down, across], plain) in steps.into_iter().chain([("dilation", window.dilation, [1, 1])]) {
        if [down, across] != plain {
            text += &format!(" {name} {down}×{across}");
        }
    }
    if window.groups != 1 {
        text += &format!(" groups {}", window.groups);
    }
    text
}

impl Model {
    fn sample(&self, f: &mut fmt::Formatter<'_>, sample: &Sample) -> fmt::Result {
        let parts: Vec<String> =
            sample.names.iter().zip(&sample.shapes).map(|(name, shape)| format!("{name}: {shape}")).collect();
        write!(f, "sample {}", parts.join(", "))?;
        match &sample.source {
            SampleSource::Rows(data) => {
                let names: Vec<&str> = data.iter().map(|id| self.data[id.index()].name.as_str()).collect();
                write!(f, " of rows of {}", names.join(", "))?;
            }
            SampleSource::Normal => write!(f, " normal")?,
            SampleSource::Uniform { low, high } => write!(f, " uniform on {low} to {high}")?,
            SampleSource::Bernoulli { p } => write!(f, " bernoulli({p})")?,
            SampleSource::Categorical { k } => write!(f, " categorical({k})")?,
        }
        if let Some(count) = sample.family {
            write!(f, ", {count} members")?;
        }
        writeln!(f, "{}{}", if sample.fixed { ", fixed" } else { "" }, if sample.keep { ", keep" } else { "" })
    }

    fn player(&self, f: &mut fmt::Formatter<'_>, player: &Player) -> fmt::Result {
        match &player.name {
            Some(name) => writeln!(f, "player {name}")?,
            None => writeln!(f, "problem")?,
        }
        for id in &player.vars {
            let var = &self.vars[id.index()];
            let kind = match var.kind {
                VarKind::Real => {
                    format!("real{}", if var.shape.is_scalar() { String::new() } else { var.shape.to_string() })
                }
                VarKind::Symmetric => format!("symmetric{}", var.shape),
                VarKind::Params(net) => format!("params({})", self.nets[net.index()].name),
            };
            let family = var.family.map_or(String::new(), |count| format!("[1 to {count}]"));
            let init = match &var.init {
                Init::Zeros => "zeros".to_owned(),
                Init::Given(_) => "given".to_owned(),
                Init::Normal { scale, shift } => format!("normal({scale}, {shift})"),
                Init::Uniform { low, high } => format!("uniform({low}, {high})"),
                Init::Layers => "layers".to_owned(),
            };
            writeln!(f, "  var {}{family}: {kind}, init {init}", var.name)?;
        }
        for term in &player.terms {
            let label = term.label.as_ref().map_or(String::new(), |label| format!("{label}: "));
            let text = self.unicode(&term.expr);
            let text = if term.over.is_some() { format!("Σᵢ ({text})") } else { text };
            let count = term.over.map_or(String::new(), |over| format!(", i to {}", over.count));
            writeln!(f, "  minimize {label}{text}{count}")?;
        }
        for constraint in &player.constraints {
            let label = constraint.label.as_ref().map_or(String::new(), |label| format!("{label}: "));
            let text = self.unicode(constraint.relation.expr());
            let relation = match &constraint.relation {
                Relation::Zero(_) => " = 0".to_owned(),
                Relation::NonPositive(_) => " ≤ 0".to_owned(),
                Relation::In { set, args, .. } => format!(" ∈ {}", self.set_text(*set, args)),
            };
            let count = constraint.over.map_or(String::new(), |over| format!(", i to {}", over.count));
            writeln!(f, "  subject to {label}{text}{relation}{count}")?;
        }
        if let Some((x, z)) = &player.split {
            let names = |side: &[VarId]| {
                side.iter().map(|id| self.vars[id.index()].name.as_str()).collect::<Vec<_>>().join(", ")
            };
            writeln!(f, "  split {} | {}", names(x), names(z))?;
        }
        for claim in &player.claims {
            let target = match claim.target {
                Target::Var(var) => self.vars[var.index()].name.clone(),
                Target::Dual(id) => format!("dual({})", player.constraints[id.index()].name(id)),
            };
            writeln!(f, "  claim {target} = {}", self.unicode(&claim.value))?;
        }
        Ok(())
    }

    fn solve(&self, f: &mut fmt::Formatter<'_>, solve: &Solve) -> fmt::Result {
        let losses = if solve.stable { "stable" } else { "literal" };
        writeln!(f, "solve {}, {}, {losses} losses", solve.name, solve.precision)?;
        match &solve.body {
            SolveBody::Method(method) => writeln!(f, "  {}", Shown { model: self, method }),
            SolveBody::Game(steps) => steps.iter().try_for_each(|step| self.step(f, step, 1)),
        }
    }

    fn step(&self, f: &mut fmt::Formatter<'_>, step: &Step, depth: usize) -> fmt::Result {
        let indent = "  ".repeat(depth);
        let inside =
            |f: &mut fmt::Formatter<'_>, body: &[Step]| body.iter().try_for_each(|step| self.step(f, step, depth + 1));
        let player = |id: &PlayerId| self.players[id.index()].name.as_deref().unwrap_or("problem");
        match &step.kind {
            StepKind::Epochs { count, sample, body } => {
                writeln!(f, "{indent}repeat {count} epochs of {}", self.samples[sample.index()].names.join(", "))?;
                inside(f, body)
            }
            StepKind::Times { count, body } => {
                writeln!(f, "{indent}repeat {count} times")?;
                inside(f, body)
            }
            StepKind::EachBatch { body } => {
                writeln!(f, "{indent}each batch")?;
                inside(f, body)
            }
            StepKind::Method { player: id, method } => {
                writeln!(f, "{indent}{}: {}", player(id), Shown { model: self, method })
            }
            StepKind::Restart { player: id } => writeln!(f, "{indent}restart {}", player(id)),
            StepKind::Track { name, value } => writeln!(f, "{indent}track {name} = {}", self.unicode(value)),
            StepKind::SaveImages { value, rows, columns, name } => {
                writeln!(f, "{indent}save images {} as {rows} × {columns} {name:?}", self.unicode(value))
            }
            StepKind::When { when, body } => {
                writeln!(f, "{indent}{when}")?;
                self.step(f, body, depth + 1)
            }
        }
    }
}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = |unit: &Unit| if *unit == Unit::Epochs { "epochs" } else { "iterations" };
        match self {
            When::Every { count, unit } => write!(f, "every {count} {}", word(unit)),
            When::At { points, unit } => write!(f, "at {} {points:?}", word(unit)),
        }
    }
}

/// A method, with the names that a stated update holds.
struct Shown<'a> {
    model: &'a Model,
    method: &'a Method,
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.method {
            Method::Admm(admm) => self.admm(f, admm),
            Method::Descent(descent) => write!(f, "{descent}"),
        }
    }
}

impl Shown<'_> {
    fn admm(&self, f: &mut fmt::Formatter<'_>, admm: &Admm) -> fmt::Result {
        match admm.rho {
            Rho::Auto => write!(f, "admm rho = auto")?,
            Rho::Value(rho) => write!(f, "admm rho = {rho}")?,
            Rho::Kappa(kappa) => write!(f, "admm kappa = {kappa}")?,
        }
        if let Some(relax) = admm.relax {
            write!(f, ", relax = {relax}")?;
        }
        write!(f, ", iterations = {}", admm.iterations)?;
        if let Some(tol) = admm.tol {
            write!(f, ", tol = {tol:e}")?;
        }
        for (name, step) in [("x_step", &admm.x_step), ("z_step", &admm.z_step)] {
            match step {
                Some(Inner::Descent(descent)) => write!(f, ", {name} = {descent}")?,
                Some(Inner::Given(value)) => write!(f, ", {name} = given({})", self.model.unicode(value))?,
                None => {}
            }
        }
        match admm.adapt {
            Adapt::Fixed => write!(f, ", adapt = fixed")?,
            Adapt::Balanced => write!(f, ", adapt = balanced every {}", admm.adapt_every)?,
        }
        match admm.accelerate {
            0 => Ok(()),
            memory => write!(f, ", accelerate = anderson({memory})"),
        }
    }
}

impl fmt::Display for Descent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rate = self.rate;
        match self.kind {
            DescentKind::Gradient { momentum: 0.0 } => write!(f, "gradient(rate = {rate}")?,
            DescentKind::Gradient { momentum } => write!(f, "gradient(rate = {rate}, momentum = {momentum}")?,
            DescentKind::Adam { beta1, beta2, epsilon } => {
                write!(f, "adam(rate = {rate}, beta1 = {beta1}, beta2 = {beta2}, epsilon = {epsilon:e}")?;
            }
            DescentKind::Lbfgs { memory } => write!(f, "lbfgs(memory = {memory}")?,
            DescentKind::Newton => write!(f, "newton(")?,
            DescentKind::Fista => write!(f, "fista(")?,
        }
        let comma = if matches!(self.kind, DescentKind::Newton | DescentKind::Fista) { "" } else { ", " };
        write!(f, "{comma}steps = {}", self.steps)?;
        if let Some(tol) = self.tol {
            write!(f, ", tol = {tol:e}")?;
        }
        write!(f, "{})", if self.fresh { ", fresh" } else { "" })
    }
}
