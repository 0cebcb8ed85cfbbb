//! Data from files: relative to the `.admm` file that names them, or from the command line.

use std::path::{Path, PathBuf};

use super::meaning::{Meaning, Scope};
use super::names::{What, suggest};
use super::{Checker, Facts};
use crate::catalogue::Signature;
use crate::data::{self, Column, Format, Options};
use crate::diag::{Code, Diag, closest};
use crate::model::ir::{Net, NetId};
use crate::source::Span;
use crate::syntax::ast::{self, Arg, Ast, Ident};
use crate::tape::{Shape, Tensor};

impl<'a> Checker<'a> {
    /// `csv("A.csv")` and its like.
    pub(super) fn file(
        &mut self,
        callee: &'a Ident,
        slots: &[Option<&'a Arg>],
        signature: Signature,
        span: Span,
        scope: &Scope,
    ) -> Option<Meaning> {
        let format = Format::from_name(&callee.key).expect("every other function has an arm of its own");
        let (path, at) = self.path(slots[0]?, scope)?;
        let mut options = Options::default();
        for (parameter, slot) in signature.parameters().iter().zip(slots).skip(1) {
            let Some(arg) = slot else { continue };
            match parameter.name {
                "column" => {
                    options.column = Some(match &arg.value.bare().kind {
                        ast::ExprKind::Text(name) => Column::Name(name.clone()),
                        _ => Column::Position(self.count(&arg.value, scope, 1, "a column")?),
                    });
                }
                "key" => options.key = Some(self.quoted(&arg.value, scope)?),
                _ => options.missing = Some(self.quoted(&arg.value, scope)?),
            }
        }
        self.read(format, &path, &options, span, at)
    }

    /// The tensor of a file, as data.
    fn read(&mut self, format: Format, path: &Path, options: &Options, span: Span, at: Span) -> Option<Meaning> {
        if !self.inputs.bind {
            // Without data the shape is unknown; what depends on it is silent.
            return None;
        }
        match data::read(self.inputs.files, format, path, options) {
            Ok(loaded) => {
                let shown = path.file_name().map_or_else(|| path.to_string_lossy(), |name| name.to_string_lossy());
                let header = Some(format!("{} in `{shown}`", loaded.header));
                let facts = Facts { header, known: loaded.known, net: None };
                let name = self.text(span);
                Some(Meaning::Expr(match loaded.pattern {
                    Some(pattern) => self.add_sparse(name, span, loaded.tensor, pattern, facts),
                    None => self.add_data(name, span, loaded.tensor, facts),
                }))
            }
            Err(error) => self.fail(error.diag(at)),
        }
    }

    /// `load("w.safetensors")`: a tensor where the file has one alone or `key` names it, else all of a
    /// trained network.
    pub(super) fn load(&mut self, slots: &[Option<&'a Arg>], span: Span, scope: &Scope) -> Option<Meaning> {
        let (path, at) = self.path(slots[0]?, scope)?;
        let key = match slots[1] {
            Some(arg) => Some(self.quoted(&arg.value, scope)?),
            None => None,
        };
        let format = Format::of_path(&path);
        if !matches!(format, Some(Format::Npz | Format::Safetensors)) {
            let Some(format) = format else {
                let text = path.display().to_string();
                return self.fail(
                    Diag::new(Code::DataMalformed, at, format!("the name `{text}` does not say what the file is"))
                        .help(format!(
                            "`load` goes by the ending: {}; or write the format, as `csv(…)`",
                            Format::endings()
                        )),
                );
            };
            return self.read(format, &path, &Options { key, ..Options::default() }, span, at);
        }
        if !self.inputs.bind {
            return None;
        }
        match data::read_named(self.inputs.files, &path) {
            Ok(mut named) => {
                if let Some(key) = key {
                    // The key of one tensor, or what stands before the names of a network's.
                    let prefix = format!("{key}.");
                    if let Some(at) = named.iter().position(|(name, _)| *name == key) {
                        return Some(Meaning::Trained(vec![named.swap_remove(at)]));
                    }
                    named.retain(|(name, _)| name.starts_with(&prefix));
                    named.iter_mut().for_each(|(name, _)| *name = name[prefix.len()..].to_owned());
                }
                Some(Meaning::Trained(named))
            }
            Err(error) => self.fail(error.diag(at)),
        }
    }

    /// The parameters of a network from the tensors of a file: by our names, `layer1.weight`, or by
    /// order, where they are called otherwise (`fc1.weight`, `0.weight`).
    pub(super) fn trained(&mut self, named: &[(String, Tensor)], net: NetId, span: Span) -> Option<Tensor> {
        let net = self.model.nets[net.index()].clone();
        if let [(_, only)] = named
            && only.shape == Shape::vector(net.numel)
        {
            return Some(only.clone());
        }
        let mut elements = vec![0.0; net.numel];
        let mut left: Vec<&(String, Tensor)> = named.iter().collect();
        left.sort_by_key(|(name, _)| natural(name));
        for entry in &net.entries {
            let full = format!("{}.{}", entry.layer, entry.name);
            let ours = left.iter().position(|(name, _)| *name == full || name.ends_with(&format!(".{full}")));
            let ours = ours.or_else(|| {
                left.iter().position(|(name, tensor)| name.ends_with(&entry.name) && tensor.shape == entry.shape)
            });
            let Some((name, tensor)) = ours.map(|at| left.remove(at)) else {
                return self.untrained(&net, &format!("no tensor for `{full}`, which is {}", entry.shape), named, span);
            };
            if tensor.shape != entry.shape {
                let what = format!("`{name}` is {}, and `{full}` is {}", tensor.shape, entry.shape);
                return self.untrained(&net, &what, named, span);
            }
            elements[entry.offset..][..entry.shape.numel()].copy_from_slice(&tensor.to_f64());
        }
        match left.first() {
            None => Some(Tensor::f64([net.numel], elements)),
            Some((name, _)) => self.untrained(&net, &format!("`{name}` belongs to no layer"), named, span),
        }
    }

    fn untrained<T>(&mut self, net: &Net, what: &str, named: &[(String, Tensor)], span: Span) -> Option<T> {
        let holds: Vec<String> = named.iter().map(|(name, tensor)| format!("{name} {}", tensor.shape)).collect();
        self.fail(
            Diag::new(Code::DataMalformed, span, format!("the file does not fit the network `{}`: {what}", net.name))
                .label(net.span, "the network")
                .certify(format!("the file holds {}", super::index::listed(&holds)))
                .help(
                    "its layers must have the widths of the network; a file with several networks takes `key = \"…\"`",
                ),
        )
    }

    /// A file's path, relative to the file that names it.
    fn path(&mut self, arg: &'a Arg, scope: &Scope) -> Option<(PathBuf, Span)> {
        let text = self.quoted(&arg.value, scope)?;
        let span = arg.value.span;
        Some((self.sources.file(span.file).folder().join(text), span))
    }

    fn quoted(&mut self, ast: &'a ast::Expr, scope: &Scope) -> Option<String> {
        match self.meaning(ast, scope)? {
            Meaning::Text(text) => Some(text),
            other => {
                let (text, words) = (self.text(ast.span), other.words());
                self.fail(
                    Diag::new(
                        Code::WrongKind,
                        ast.span,
                        format!("`{text}` is {words}; a text in quotes is needed here"),
                    )
                    .help("file names, columns and keys stand in double quotes"),
                )
            }
        }
    }

    /// The tensor that the command line puts in place of a declaration's.
    pub(super) fn replaced(&mut self, name: &str, value: &'a ast::Expr, scope: &Scope) -> Option<Option<Meaning>> {
        let (_, path) = self.inputs.data.iter().rev().find(|(key, _)| same_name(key, name))?;
        let path = path.clone();
        let call = match &value.bare().kind {
            ast::ExprKind::Call { callee, args, .. } => Format::from_name(&callee.key).map(|format| (format, args)),
            _ => None,
        };
        let Some(format) = Format::of_path(&path).or(call.map(|(format, _)| format)) else {
            let text = path.display().to_string();
            let diag =
                Diag::new(Code::DataMalformed, value.span, format!("the name `{text}` does not say what the file is"))
                    .help(format!("its ending should: {}, each also with .gz", Format::endings()));
            return Some(self.fail(diag));
        };
        let mut options = Options::default();
        for arg in call.map_or(&[][..], |(_, args)| args.as_slice()) {
            // What is said about the file in the text holds for its replacement.
            let Some(parameter) = &arg.name else { continue };
            let text = match &arg.value.bare().kind {
                ast::ExprKind::Text(text) => Some(text.clone()),
                _ => None,
            };
            match (parameter.key.as_str(), text) {
                ("column", Some(text)) => options.column = Some(Column::Name(text)),
                ("column", None) => {
                    options.column = self.count(&arg.value, scope, 1, "a column").map(Column::Position);
                }
                ("key", Some(text)) => options.key = Some(text),
                ("missing", Some(text)) => options.missing = Some(text),
                _ => {}
            }
        }
        Some(self.read(format, &path, &options, value.span, value.span))
    }

    /// The number that the command line puts in place of a parameter's.
    pub(super) fn set(&mut self, name: &str, span: Span) -> Option<Option<f64>> {
        let (_, text) = self.inputs.set.iter().rev().find(|(key, _)| same_name(key, name))?;
        match text.trim().parse::<f64>() {
            Ok(value) if value.is_finite() => Some(Some(value)),
            _ => {
                let message = format!("`--set {name}={text}` gives no number");
                Some(
                    self.fail(
                        Diag::new(Code::WrongKind, span, message)
                            .help("a parameter takes a number, such as `--set lambda=0.5`"),
                    ),
                )
            }
        }
    }

    /// Overrides of the command line that name nothing.
    pub(super) fn overrides(&mut self, asts: &[Ast]) {
        let Some(start) = asts.first().map(|ast| Span::new(ast.file, 0, 0)) else { return };
        let set = self.inputs.set.iter().map(|(key, _)| (key, "--set", "parameter"));
        let bound = self.inputs.data.iter().map(|(key, _)| (key, "--data", "data"));
        for (key, flag, words) in set.chain(bound).collect::<Vec<_>>() {
            let is_kind = |what: &What| match what {
                What::Param(_) => flag == "--set",
                What::Data { .. } => flag == "--data",
                _ => false,
            };
            let known = self.declarations.iter().filter(|other| is_kind(&other.what));
            let names: Vec<String> = known.map(|other| other.name.text.clone()).collect();
            if names.iter().any(|name| same_name(key, name)) {
                continue;
            }
            let near = closest(key, names.iter().map(String::as_str)).map(str::to_owned);
            let mut diag = suggest(
                Diag::new(
                    Code::UnknownName,
                    start,
                    format!("`{flag}` names `{key}`, and the file has no such {words}"),
                ),
                start,
                near,
                &format!("it has {}", super::index::listed(&names)),
            );
            diag.fix = None;
            self.report(diag);
        }
    }
}

/// Whether a name of the command line is a name of the file, Greek letters perhaps spelt out.
fn same_name(given: &str, name: &str) -> bool {
    let key = crate::syntax::normalise(name);
    crate::syntax::normalise(given) == key || ascii(&key) == given
}

/// `θ1` → `theta1`
fn ascii(name: &str) -> String {
    const GREEK: &[(char, &str)] = &[
        ('α', "alpha"),
        ('β', "beta"),
        ('γ', "gamma"),
        ('δ', "delta"),
        ('ε', "epsilon"),
        ('ζ', "zeta"),
        ('η', "eta"),
        ('θ', "theta"),
        ('ι', "iota"),
        ('κ', "kappa"),
        ('λ', "lambda"),
        ('μ', "mu"),
        ('ν', "nu"),
        ('ξ', "xi"),
        ('ο', "omicron"),
        ('π', "pi"),
        ('ρ', "rho"),
        ('σ', "sigma"),
        ('ς', "sigma"),
        ('τ', "tau"),
        ('υ', "upsilon"),
        ('φ', "phi"),
        ('χ', "chi"),
        ('ψ', "psi"),
        ('ω', "omega"),
        ('Γ', "Gamma"),
        ('Δ', "Delta"),
        ('Θ', "Theta"),
        ('Λ', "Lambda"),
        ('Ξ', "Xi"),
        ('Π', "Pi"),
        ('Σ', "Sigma"),
        ('Φ', "Phi"),
        ('Ψ', "Psi"),
        ('Ω', "Omega"),
    ];
    let letter = |c: char| {
        GREEK.iter().find(|(greek, _)| *greek == c).map_or_else(|| c.to_string(), |(_, text)| (*text).to_owned())
    };
    name.chars().map(letter).collect()
}

/// A key by which `layer10` comes after `layer2`.
fn natural(name: &str) -> Vec<(u64, String)> {
    let mut key: Vec<(u64, String)> = Vec::new();
    let mut digits = String::new();
    for c in name.chars().chain(std::iter::once('.')) {
        if c.is_ascii_digit() {
            digits.push(c);
            continue;
        }
        if !digits.is_empty() {
            key.push((digits.parse().unwrap_or(u64::MAX), String::new()));
            digits.clear();
        }
        key.push((0, c.to_string()));
    }
    key
}
