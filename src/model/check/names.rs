//! Declarations and the look-up of names.
//!
//! A name is searched from the inside out: indices, the player around, the file with those it uses,
//! the other players where only one of them has it, then `pi` and the multiplier `λ` and penalty `ρ` of the player's coupling.

use super::meaning::{Index, Meaning, Members, Scope};
use super::{Checker, Family};
use crate::catalogue::Function;
use crate::diag::{Code, Diag, closest};
use crate::model::ir::{ConstraintId, Expr, ExprKind, Leaf, Member, Player, PlayerId, Relation};
use crate::source::Span;
use crate::syntax::ast::{self, Binder, Ident, Item, ItemKind, SampleSize, TypeExpr};
use crate::tape::Shape;

/// A declared name.
pub(super) struct Declaration<'a> {
    pub name: &'a Ident,
    pub player: Option<PlayerId>,
    pub what: What<'a>,
    pub state: State,
}

/// The right-hand side of a declaration.
#[derive(Debug, Clone, Copy)]
pub(super) enum What<'a> {
    Param(&'a ast::Expr),
    Data {
        family: Option<&'a Binder>,
        ty: Option<&'a TypeExpr>,
        value: &'a ast::Expr,
    },
    /// `part` of a tuple whose first name is declaration `first`.
    Let {
        family: Option<&'a Binder>,
        value: &'a ast::Expr,
        part: Option<usize>,
        first: usize,
    },
    /// Variables of one statement share the stream of their random start.
    Var {
        family: Option<&'a Binder>,
        ty: &'a TypeExpr,
        init: Option<&'a ast::Expr>,
        stream: u32,
    },
    Net {
        input: &'a ast::NetInput,
        layers: &'a [ast::Layer],
    },
    Sample {
        names: &'a [Ident],
        family: Option<&'a Binder>,
        source: &'a ast::Expr,
        size: &'a SampleSize,
        part: usize,
        first: usize,
    },
    Shows(&'a ast::Expr),
    Player(PlayerId),
}

/// How far a declaration is.
pub(super) enum State {
    Fresh,
    Busy,
    Done(Option<Meaning>),
}

impl What<'_> {
    /// What it declares, in words.
    pub fn words(&self) -> &'static str {
        match self {
            What::Param(_) => "a parameter",
            What::Data { .. } => "data",
            What::Let { .. } => "a named value",
            What::Var { .. } => "a variable",
            What::Net { .. } => "a network",
            What::Sample { .. } => "a sample",
            What::Shows(_) => "a shown value",
            What::Player(_) => "a player",
        }
    }

    pub fn family(&self) -> Option<&Binder> {
        match self {
            What::Data { family, .. }
            | What::Let { family, .. }
            | What::Var { family, .. }
            | What::Sample { family, .. } => *family,
            _ => None,
        }
    }
}

impl<'a> Checker<'a> {
    /// Takes over the declarations of a file or of a player.
    pub(super) fn collect(&mut self, items: &'a [Item], player: Option<PlayerId>) {
        for item in items {
            match &item.kind {
                ItemKind::Param { name, value } => {
                    self.add(name, player, What::Param(value));
                }
                ItemKind::Data { name, family, ty, value } => {
                    self.add(name, player, What::Data { family: family.as_ref(), ty: ty.as_ref(), value });
                }
                ItemKind::Let { names, tuple, family, value } => {
                    let first = self.declarations.len();
                    for (part, name) in names.iter().enumerate() {
                        let part = tuple.then_some(part);
                        self.add(name, player, What::Let { family: family.as_ref(), value, part, first });
                    }
                }
                ItemKind::Var { names, family, ty, init } => {
                    let stream = self.declarations.len() as u32;
                    for name in names {
                        self.add(name, player, What::Var { family: family.as_ref(), ty, init: init.as_ref(), stream });
                    }
                }
                ItemKind::Net { name, params: _, input, layers } => {
                    self.add(name, player, What::Net { input, layers });
                }
                ItemKind::Sample { names, tuple: _, family, source, size } => {
                    let first = self.declarations.len();
                    for (part, name) in names.iter().enumerate() {
                        let family = family.as_ref();
                        self.add(name, player, What::Sample { names, family, source, size, part, first });
                    }
                }
                ItemKind::Shows { name, value } => {
                    self.add(name, player, What::Shows(value));
                }
                ItemKind::Player { name, items } => {
                    if player.is_some() {
                        self.report(
                            Diag::new(
                                Code::WrongKind,
                                item.span,
                                format!("player `{}` stands inside another", name.text),
                            )
                            .help("players stand side by side at the top of the file"),
                        );
                        continue;
                    }
                    let id = PlayerId(self.model.players.len() as u32);
                    if self.add(name, None, What::Player(id)) {
                        self.model.players.push(new_player(Some(name.text.clone()), item.span));
                        self.collect(items, Some(id));
                    }
                }
                _ => {}
            }
        }
    }

    /// Adds a declaration unless its name is taken.
    fn add(&mut self, name: &'a Ident, player: Option<PlayerId>, what: What<'a>) -> bool {
        let before = self.declarations.iter().find(|other| other.player == player && other.name.key == name.key);
        let taken = before.map(|before| (before.what.words(), before.name.span));
        if let Some((words, span)) = taken {
            self.report(
                Diag::new(Code::DuplicateName, name.span, format!("`{}` is declared twice", name.text))
                    .here("here again")
                    .label(span, format!("first here, as {words}"))
                    .help("a name stands for one thing; call one of them otherwise"),
            );
        }
        // It is kept all the same, behind the first, so that positions of a tuple stay right.
        self.declarations.push(Declaration { name, player, what, state: super::names::State::Fresh });
        taken.is_none()
    }

    /// Gives every declaration a meaning, in source order.
    pub(super) fn declare_all(&mut self) {
        if self.model.players.is_empty() {
            self.model.players.push(new_player(None, Span::default()));
        }
        for at in 0..self.declarations.len() {
            self.resolve(at);
        }
    }

    /// The meaning of a declaration.
    pub(super) fn resolve(&mut self, at: usize) -> Option<Meaning> {
        match &self.declarations[at].state {
            State::Done(meaning) => meaning.clone(),
            State::Busy => self.cycle(at),
            State::Fresh => {
                self.declarations[at].state = State::Busy;
                self.busy.push(at);
                let meaning = self.declare(at);
                self.busy.pop();
                // A cycle through here has been reported and closed by then.
                if matches!(self.declarations[at].state, State::Busy) {
                    self.declarations[at].state = State::Done(meaning.clone());
                }
                meaning
            }
        }
    }

    /// A declaration that is defined by itself.
    fn cycle<T>(&mut self, at: usize) -> Option<T> {
        let start = self.busy.iter().position(|&busy| busy == at).unwrap_or(0);
        let members: Vec<usize> = self.busy[start..].to_vec();
        for &member in &members {
            self.declarations[member].state = State::Done(None);
        }
        let name = |at: usize| format!("`{}`", self.declarations[at].name.text);
        let mut chain: Vec<String> = members.iter().map(|&member| name(member)).collect();
        chain.push(name(at));
        let mut diag = Diag::new(
            Code::RecursiveDefinition,
            self.declarations[at].name.span,
            format!("{} is defined by itself", name(at)),
        )
        .certify(chain.join(" → "))
        .help("a definition may use others, in any order, but must not lead back to itself");
        for &member in members.iter().skip(1) {
            diag = diag.label(self.declarations[member].name.span, format!("by way of {}", name(member)));
        }
        self.fail(diag)
    }

    /// The declaration that a name refers to.
    pub(super) fn find(&self, key: &str, scope: &Scope) -> Option<usize> {
        let at = |player: Option<PlayerId>| {
            self.declarations.iter().position(|other| other.player == player && other.name.key == key)
        };
        let own = scope.player.and_then(|player| at(Some(player)));
        let found = own.or_else(|| at(None));
        if found.is_some() {
            return found;
        }
        let mut owners = (0..self.declarations.len()).filter(|&at| self.declarations[at].name.key == key);
        owners.next().filter(|_| owners.next().is_none())
    }

    /// What a name means.
    pub(super) fn name(&mut self, name: &'a Ident, scope: &Scope) -> Option<Meaning> {
        if let Some(index) = scope.index(&name.key) {
            return match index {
                Index::At(value) => Some(Meaning::Expr(number(value as f64, name.span))),
                Index::Loop { .. } => unreachable!("a loop whose index is used as a number is unrolled"),
            };
        }
        if let Some(at) = self.find(&name.key, scope) {
            return Some(self.resolve(at)?.with_span(name.span));
        }
        match name.key.as_str() {
            "pi" | "π" => return Some(Meaning::Expr(number(std::f64::consts::PI, name.span))),
            "inf" => return Some(Meaning::Expr(number(f64::INFINITY, name.span))),
            "λ" | "lambda" if self.coupled(scope).is_some() => return self.only_dual(name.span, scope),
            "ρ" | "rho" => {
                if let Some(player) = self.coupled(scope) {
                    let kind = ExprKind::Leaf(Leaf::Rho(player));
                    return Some(Meaning::Expr(Expr { kind, shape: Shape::scalar(), span: name.span }));
                }
            }
            _ => {}
        }
        self.unknown(name, scope)
    }

    /// The player whose coupling plain `λ` and `ρ` belong to: the one around, or the only one that
    /// has constraints.
    fn coupled(&self, scope: &Scope) -> Option<PlayerId> {
        let has = |player: &Player| player.constraints.iter().any(|c| matches!(c.relation, Relation::Zero(_)));
        match scope.player {
            Some(player) => has(&self.model.players[player.index()]).then_some(player),
            None => {
                let mut players = self.model.players.iter().enumerate().filter(|(_, player)| has(player));
                let (only, _) = players.next()?;
                players.next().is_none().then_some(PlayerId(only as u32))
            }
        }
    }

    /// `λ`, where there is one coupling.
    fn only_dual(&mut self, span: Span, scope: &Scope) -> Option<Meaning> {
        let player = self.coupled(scope)?;
        let constraints = &self.model.players[player.index()].constraints;
        let couplings: Vec<usize> =
            (0..constraints.len()).filter(|&at| matches!(constraints[at].relation, Relation::Zero(_))).collect();
        if let [only] = couplings[..] {
            return Some(self.dual(player, ConstraintId(only as u32), span));
        }
        let labels: Vec<Span> = couplings.iter().map(|&at| constraints[at].span).collect();
        let mut diag =
            Diag::new(Code::UnknownName, span, format!("`λ` could be the multiplier of {} constraints", labels.len()));
        for span in labels {
            diag = diag.label(span, "one of them");
        }
        self.fail(diag.help("label the constraint and write `dual(label)`"))
    }

    /// The multiplier of a constraint.
    pub(super) fn dual(&self, player: PlayerId, id: ConstraintId, span: Span) -> Meaning {
        let constraint = &self.model.players[player.index()].constraints[id.index()];
        let name = constraint.label.as_ref().map_or("λ".to_owned(), |label| format!("dual({label})"));
        match constraint.over {
            Some(over) => Meaning::Family(Family {
                name,
                span: constraint.span,
                count: over.count,
                of: Members::Dual(player, id),
            }),
            None => {
                let shape = constraint.relation.expr().shape.clone();
                Meaning::Expr(Expr { kind: ExprKind::Leaf(Leaf::Dual(player, id, Member::None)), shape, span })
            }
        }
    }

    fn unknown<T>(&mut self, name: &Ident, scope: &Scope) -> Option<T> {
        let mut names = self.names_in(scope);
        names.extend(["pi", "inf"].map(str::to_owned));
        let diag = Diag::new(Code::UnknownName, name.span, format!("there is no `{}`", name.text));
        if Function::named(&name.key).next().is_some() || super::values::builtin(&name.key).is_some() {
            return self.fail(diag.help(format!("`{0}` is a function: write `{0}(…)`", name.text)));
        }
        let elsewhere: Vec<String> = self
            .declarations
            .iter()
            .filter(|other| other.player.is_some() && other.name.key == name.key)
            .filter_map(|other| Some((other.player?, &other.name.text)))
            .map(|(player, text)| {
                format!("{}.{text}", self.model.players[player.index()].name.as_deref().unwrap_or(""))
            })
            .collect();
        if !elsewhere.is_empty() {
            let help = format!("several players have it: write `{}`", elsewhere.join("` or `"));
            return self.fail(diag.help(help));
        }
        let near = closest(&name.text, names.iter().map(String::as_str)).map(str::to_owned);
        let help = "declare it with `data`, `var`, `let` or `param`; an index is known inside its family alone";
        self.fail(suggest(diag, name.span, near, help))
    }

    /// Names that could have been meant.
    pub(super) fn names_in(&self, scope: &Scope) -> Vec<String> {
        let indices = scope.indices.iter().map(|(key, _)| key.clone());
        let declared = self.declarations.iter().map(|other| other.name.text.clone());
        indices.chain(declared).collect()
    }

    /// A function that isn't there.
    pub(super) fn unknown_function<T>(&mut self, callee: &Ident, scope: &Scope) -> Option<T> {
        let diag = Diag::new(Code::UnknownName, callee.span, format!("there is no function `{}`", callee.text));
        if let Some(at) = self.find(&callee.key, scope) {
            let words = self.declarations[at].what.words();
            return self.fail(
                diag.label(self.declarations[at].name.span, words)
                    .help(format!("an element or a member is written `{}[1]`; a product needs its `*`", callee.text)),
            );
        }
        let nets = self.declarations.iter().filter(|other| matches!(other.what, What::Net { .. }));
        let nets: Vec<String> = nets.map(|other| other.name.text.clone()).collect();
        let mut names: Vec<&str> = nets.iter().map(String::as_str).collect();
        for name in Function::names().chain(super::values::names()) {
            names.push(name);
        }
        let near = closest(&callee.text, names).map(str::to_owned);
        self.fail(suggest(diag, callee.span, near, "the language reference lists all functions"))
    }
}

/// A near name as help and fix, or else that help.
pub(super) fn suggest(diag: Diag, span: Span, near: Option<String>, help: &str) -> Diag {
    match near {
        Some(near) => diag.help(format!("did you mean `{near}`?")).fix(format!("write `{near}`"), span, near),
        None => diag.help(help),
    }
}

/// A number as an expression.
pub(super) fn number(value: f64, span: Span) -> Expr {
    Expr { kind: ExprKind::Number(value), shape: Shape::scalar(), span }
}

fn new_player(name: Option<String>, span: Span) -> Player {
    Player {
        name,
        span,
        sense: Span::default(),
        maximize: false,
        vars: Vec::new(),
        terms: Vec::new(),
        constraints: Vec::new(),
        split: None,
        claims: Vec::new(),
        written: None,
    }
}
