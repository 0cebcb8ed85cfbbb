//! Calls: of networks, of compile-time functions, of the catalogue.

use super::meaning::{Meaning, Scope};
use super::names::number;
use super::values::builtin;
use super::{Checker, shape_words};
use crate::catalogue::{Function, Misuse, Signature};
use crate::diag::{Code, Diag, closest};
use crate::linalg::Shared;
use crate::model::fold::fold;
use crate::model::ir::{ConstraintId, Expr, ExprKind, NetId, PlayerId};
use crate::source::Span;
use crate::syntax::ast::{self, Arg, Ident};
use crate::tape::Shape;

impl<'a> Checker<'a> {
    pub(super) fn call(
        &mut self,
        callee: &'a Ident,
        args: &'a [Arg],
        params: &'a [ast::Expr],
        span: Span,
        scope: &Scope,
    ) -> Option<Meaning> {
        if let Some(at) = self.find(&callee.key, scope)
            && let super::names::What::Net { .. } = self.declarations[at].what
        {
            let Meaning::Net(net) = self.resolve(at)? else { unreachable!("a network means a network") };
            return self.network(net, callee, args, params, span, scope).map(Meaning::Expr);
        }
        self.no_parameters(callee, params)?;
        match callee.key.as_str() {
            "dual" => return self.dual_call(args, span, scope),
            "weights" => return self.weights(callee, args, span, scope).map(Meaning::Expr),
            _ => {}
        }
        if let Some(signature) = builtin(&callee.key) {
            return self.builtin(callee, signature, args, span, scope);
        }
        self.function(callee, args, span, scope).map(Meaning::Expr)
    }

    /// Only networks have parameters behind a `;`.
    pub(super) fn no_parameters(&mut self, callee: &Ident, params: &[ast::Expr]) -> Option<()> {
        let (Some(first), Some(last)) = (params.first(), params.last()) else { return Some(()) };
        self.fail(
            Diag::new(
                Code::WrongArguments,
                first.span.to(last.span),
                format!("`{}` takes no parameters behind `;`", callee.text),
            )
            .help("a `;` separates the input of a network from its parameters, as in `D(x; θ)`"),
        )
    }

    /// A function of the catalogue.
    fn function(&mut self, callee: &'a Ident, args: &'a [Arg], span: Span, scope: &Scope) -> Option<Expr> {
        let candidates: Vec<Function> = Function::named(&callee.key).collect();
        if candidates.is_empty() {
            if Function::set_named(&callee.key).is_some() {
                return self.fail(
                    Diag::new(Code::WrongKind, callee.span, format!("`{}` is a set, not a function", callee.text))
                        .help(format!("write `x in {}` under `subject to`", callee.text)),
                );
            }
            return self.unknown_function(callee, scope);
        }
        let args: Vec<&'a Arg> = args.iter().collect();
        let fits =
            candidates.iter().find_map(|&function| Some((function, function.signature().arrange(named(&args)).ok()?)));
        let Some((function, slots)) = fits else {
            let signatures: Vec<Signature> = candidates.iter().map(|function| function.signature()).collect();
            let misuse = candidates[0].signature().arrange(named(&args)).err();
            return self.misuse(callee, &signatures, misuse, &args);
        };
        let parameters = function.signature().parameters();
        let mut typed: Vec<Option<Expr>> = Vec::new();
        for (at, slot) in slots.into_iter().enumerate() {
            typed.push(match slot {
                Some(arg) => self.tensor(&arg.value, scope),
                None => parameters[at].default.map(|default| number(default, span)),
            });
        }
        let typed: Vec<Expr> = typed.into_iter().collect::<Option<_>>()?;
        if function.has_value_rule()
            && let Some(first) = typed.first()
        {
            let known = |arg: &Expr| fold(&self.model, arg).map_or(Shared::default(), |value| value.to_f64());
            let values: Vec<Shared<f64>> = typed.iter().map(known).collect();
            let shape = first.shape.clone();
            self.arguments_fit(function, &shape, &typed, &values, None)?;
        }
        self.apply(function, typed, span, span)
    }

    /// The arguments of a call in the order of the signature's parameters. Whatever is written as a call
    /// is read by this: a function, an option, a setting.
    pub(in crate::model::check) fn arranged(
        &mut self,
        callee: &Ident,
        signature: Signature,
        args: impl IntoIterator<Item = &'a Arg>,
    ) -> Option<Vec<Option<&'a Arg>>> {
        let args: Vec<&'a Arg> = args.into_iter().collect();
        match signature.arrange(named(&args)) {
            Ok(slots) => Some(slots),
            Err(misuse) => self.misuse(callee, &[signature], Some(misuse), &args),
        }
    }

    /// Arguments that don't fit a signature.
    fn misuse<T>(
        &mut self,
        callee: &Ident,
        signatures: &[Signature],
        misuse: Option<Misuse>,
        args: &[&Arg],
    ) -> Option<T> {
        let texts: Vec<&str> = signatures.iter().map(|signature| signature.0).collect();
        let written = format!("`{}`", texts.join("` or `"));
        let name = &callee.text;
        let (at, message) = match misuse {
            Some(Misuse::Lacking(parameter)) => (callee.span, format!("`{name}` lacks its argument `{parameter}`")),
            Some(Misuse::TooMany(at)) => {
                (args[at].value.span, format!("`{name}` has one argument too many: {} instead of {at}", args.len()))
            }
            Some(Misuse::Twice(at)) => (args[at].value.span, format!("`{name}` has this argument already")),
            Some(Misuse::Unknown(at)) => {
                let argument = args[at].name.as_ref().unwrap_or(callee);
                let parameters: Vec<&str> =
                    signatures.iter().flat_map(|one| one.parameters()).map(|parameter| parameter.name).collect();
                let near = closest(&argument.text, parameters).map(str::to_owned);
                let diag = Diag::new(
                    Code::WrongArguments,
                    argument.span,
                    format!("`{name}` has no argument `{}`", argument.text),
                );
                let diag = match near {
                    Some(near) => diag.fix(format!("write `{near}`"), argument.span, near),
                    None => diag,
                };
                return self.fail(diag.help(format!("it is written {written}")));
            }
            None => (callee.span, format!("`{name}` does not take these arguments")),
        };
        self.fail(Diag::new(Code::WrongArguments, at, message).help(format!("it is written {written}")))
    }

    /// `D(x, until = 2; θ)`
    fn network(
        &mut self,
        net: NetId,
        callee: &'a Ident,
        args: &'a [Arg],
        params: &'a [ast::Expr],
        span: Span,
        scope: &Scope,
    ) -> Option<Expr> {
        let written = format!("it is written `{0}(x; θ)`, or `{0}(x, until = 2; θ)` for a hidden layer", callee.text);
        let wrong = |span: Span, text: String| Diag::new(Code::WrongArguments, span, text).help(written.clone());
        let mut inputs = args.iter().filter(|arg| arg.name.is_none());
        let input = match (inputs.next(), inputs.next()) {
            (Some(input), None) => &input.value,
            (Some(_), Some(more)) => {
                let text = format!("`{}` takes one input, a batch of rows or one of them", callee.text);
                return self.fail(wrong(more.value.span, text));
            }
            (None, _) => return self.fail(wrong(span, format!("`{}` lacks its input", callee.text))),
        };
        let [params] = params else {
            let text = match params.len() {
                0 => format!("`{}` lacks its parameters: a network is a function of both", callee.text),
                n => format!("`{}` takes one vector of parameters, not {n}", callee.text),
            };
            return self.fail(wrong(span, text));
        };
        let all = self.model.nets[net.index()].layers.len();
        let mut layers = all;
        for arg in args {
            let Some(name) = &arg.name else { continue };
            if name.key != "until" {
                return self.fail(wrong(name.span, format!("`{}` has no argument `{}`", callee.text, name.text)));
            }
            layers = self.count(&arg.value, scope, 1, "layers")?;
            if layers > all {
                let text = format!("`{}` has {all} layers, and `until = {layers}` goes past the last", callee.text);
                return self
                    .fail(wrong(arg.value.span, text).label(self.model.nets[net.index()].span, "declared here"));
            }
        }
        let (input, params) = (self.tensor(input, scope), self.tensor(params, scope));
        let (input, params) = (input?, params?);
        self.parameters_fit(net, &params, params.span)?;
        let shape = self.output(net, &input, layers)?;
        // What a dropout keeps is known where the call stands: in an objective, or not.
        let masks = Vec::new();
        let kind = ExprKind::Net { net, input: Box::new(input), params: Box::new(params), layers, masks };
        Some(Expr { kind, shape, span })
    }

    /// Whether a vector holds the parameters of that network.
    pub(super) fn parameters_fit(&mut self, net: NetId, params: &Expr, at: Span) -> Option<()> {
        let of = self.params_of(params);
        if of == Some(net) {
            return Some(());
        }
        let (this, text) = (&self.model.nets[net.index()], self.text(at));
        let message = match of {
            Some(other) => {
                let other = &self.model.nets[other.index()];
                format!("`{text}` holds the parameters of `{}`, not of `{}`", other.name, this.name)
            }
            None => format!("`{text}` is {}, not the parameters of `{}`", shape_words(&params.shape), this.name),
        };
        let mut diag = Diag::new(Code::WrongKind, at, message)
            .label(this.span, format!("`{}` has {} parameters", this.name, this.numel))
            .help(format!("declare them with `var θ: params({})`", this.name));
        diag = self.with_sources(diag, &[params]);
        self.fail(diag)
    }

    /// Shape of a network's output on that input: one input, or a batch of them along a first axis. An
    /// image may lie flat, a number after the other, and a grey one may leave out its channel.
    fn output(&mut self, net: NetId, input: &Expr, layers: usize) -> Option<Shape> {
        let this = &self.model.nets[net.index()];
        let forms: Vec<&[usize]> = match &this.input.0[..] {
            [1, sides @ ..] => vec![&this.input.0, sides],
            whole => vec![whole],
        };
        let flat = [this.input.numel()];
        let last = this.result(layers);
        let fits = |shape: &[usize]| shape == flat || forms.contains(&shape);
        match &input.shape.0[..] {
            one if fits(one) => return Some(last.clone()),
            [batch, one @ ..] if fits(one) => {
                return Some(Shape(std::iter::once(*batch).chain(last.0.iter().copied()).collect()));
            }
            _ => {}
        }
        let (name, span, takes) = (this.name.clone(), this.span, this.input.clone());
        let text = self.text(input.span);
        let what = match input.shape.0[..] {
            [batch, n] => format!("{batch} rows of {n} numbers"),
            [batch, channels, height, width] => {
                let image = super::nets::words(&Shape::from([channels, height, width]));
                format!("a batch of {batch}, each {image}")
            }
            _ => shape_words(&input.shape),
        };
        let width = takes.numel();
        let (needs, label) = match takes.0[..] {
            [_] => (format!("{width} numbers"), format!("its input has width {width}")),
            _ => (super::nets::words(&takes), format!("its input is image{takes}")),
        };
        let message = format!("`{name}` takes {needs}; `{text}` is {what}");
        let mut diag = Diag::new(Code::NetworkWidth, input.span, message).label(span, label);
        diag = self.with_sources(diag, &[input]);
        let images = input.shape.rank() > 2 && input.shape.0[1..].iter().product::<usize>() == width;
        let help = match (takes.rank(), images) {
            (1, true) => "`-> flatten` at the end of a network of images gives rows of numbers".to_owned(),
            (1, false) => "a network takes one input, a vector of its width, or a batch of them, one a row".to_owned(),
            _ => format!("it takes one image, or a batch of them along a first axis, also as rows of {width} numbers"),
        };
        self.fail(diag.help(help))
    }

    /// `weights(θ)`: the matrices and kernels, without biases and scales of norms, as a vector.
    fn weights(&mut self, callee: &'a Ident, args: &'a [Arg], span: Span, scope: &Scope) -> Option<Expr> {
        let slots = self.arranged(callee, Signature("weights(θ)"), args)?;
        let value = &argument(&slots, 0).value;
        let params = self.tensor(value, scope)?;
        let Some(net) = self.params_of(&params) else {
            let text = self.text(value.span);
            return self.fail(
                Diag::new(
                    Code::WrongKind,
                    value.span,
                    format!("`{text}` is {}, not the parameters of a network", shape_words(&params.shape)),
                )
                .help("`weights(θ)` takes away the biases of a variable of `params(…)`"),
            );
        };
        let this = &self.model.nets[net.index()];
        let pieces: Vec<Expr> = this
            .weights()
            .into_iter()
            .map(|at| {
                let entry = &this.entries[at];
                let len = entry.shape.numel();
                let range = crate::tape::ops::Range { start: entry.offset, len, step: 1 };
                Expr { kind: ExprKind::Slice(Box::new(params.clone()), vec![range]), shape: Shape::vector(len), span }
            })
            .collect();
        let shape = Shape::vector(pieces.iter().map(|piece| piece.shape.numel()).sum());
        Some(Expr { kind: ExprKind::Concat(pieces, 0), shape, span })
    }

    /// `dual(link)`, and `dual(player.link)` outside.
    fn dual_call(&mut self, args: &'a [Arg], span: Span, scope: &Scope) -> Option<Meaning> {
        let named = match args {
            [Arg { name: None, value }] => match &value.bare().kind {
                ast::ExprKind::Name(label) => Some((scope.player, label)),
                ast::ExprKind::Field { base, name } => match &base.bare().kind {
                    ast::ExprKind::Name(owner) => self.player_named(&owner.key).map(|player| (Some(player), name)),
                    _ => None,
                },
                _ => None,
            },
            _ => None,
        };
        let Some((player, label)) = named else {
            return self.fail(
                Diag::new(Code::WrongArguments, span, "`dual` takes the label of a constraint")
                    .help("it is written `dual(link)`, and `dual(player.link)` outside that player"),
            );
        };
        let players: Vec<PlayerId> = match player {
            Some(player) => vec![player],
            None => (0..self.model.players.len() as u32).map(PlayerId).collect(),
        };
        let labels: Vec<(PlayerId, ConstraintId, String)> = players
            .into_iter()
            .flat_map(|player| {
                let constraints = self.model.players[player.index()].constraints.iter().enumerate();
                let label = |(at, c): (usize, &crate::model::ir::Constraint)| {
                    Some((player, ConstraintId(at as u32), c.label.clone()?))
                };
                constraints.filter_map(label).collect::<Vec<_>>()
            })
            .collect();
        if let Some(&(player, id, _)) = labels.iter().find(|(_, _, text)| crate::syntax::normalise(text) == label.key) {
            return Some(self.dual(player, id, span));
        }
        let names: Vec<String> = labels.into_iter().map(|(_, _, text)| text).collect();
        let near = closest(&label.text, names.iter().map(String::as_str)).map(str::to_owned);
        let diag = Diag::new(Code::UnknownName, label.span, format!("no constraint is labelled `{}`", label.text));
        let help = if names.is_empty() {
            "label a constraint: `link: x - z = 0`".to_owned()
        } else {
            format!("labelled are {}", super::index::listed(&names))
        };
        self.fail(super::names::suggest(diag, label.span, near, &help))
    }
}

/// The argument of a parameter that can't be left out.
pub(super) fn argument<'a>(slots: &[Option<&'a Arg>], at: usize) -> &'a Arg {
    slots[at].expect("`arrange` refuses a call without it")
}

/// Arguments by their names, as a signature takes them.
fn named<'s, 'a>(args: &'s [&'a Arg]) -> Vec<(Option<&'s str>, &'a Arg)> {
    args.iter().map(|&arg| (arg.name.as_ref().map(|name| name.key.as_str()), arg)).collect()
}
