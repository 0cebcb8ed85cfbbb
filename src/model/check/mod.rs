//! The checker: declarations are collected, then each is given a meaning when something asks for it
//! (their order in the file is free), then players, then `solve` blocks.
//!
//! In reading order: [`names`] finds what a name stands for, [`declare`] gives a declaration its
//! meaning, with [`data`], [`variables`], [`nets`] and [`samples`]; [`expression`], [`call`], [`index`]
//! and [`families`] type expressions, [`values`] and [`binding`] make compile-time tensors;
//! [`constraints`], [`membership`], [`problem`] and [`solve`] read what is left.
//!
//! Faults are reported once: a fault gives `None`, and `None` silences what depends on it.

mod binding;
mod call;
mod constraints;
mod data;
mod declare;
mod dropout;
mod expression;
mod families;
mod index;
mod meaning;
mod membership;
mod names;
mod nets;
mod outside;
mod problem;
mod provenance;
mod prune;
mod results;
mod rows;
mod samples;
mod solve;
mod sparse;
mod turned;
mod values;
mod variables;

pub use values::builtins;

use std::collections::BTreeMap;

use super::inputs::Inputs;
use super::ir::{Data, DataId, Expr, ExprKind, Leaf, Member, Model, NetId, Player, PlayerId};
use super::layout::Layout;
use crate::diag::{Code, Diag, Diags};
use crate::source::{Sources, Span};
use crate::syntax::ast::{self, Ast, ItemKind};
use crate::tape::{Shape, Tensor};
use meaning::{Family, Meaning, Scope};
use names::Declaration;

/// Nesting of definitions and expressions, all together, and of an expression once its named parts
/// are put in: above what a person writes, below what the stack of any later stage bears.
const DEPTH: usize = 600;

/// Gives every name of these files a meaning. The first file is the problem; the others are those
/// that it uses.
pub fn check(asts: &[Ast], sources: &Sources, inputs: &Inputs, diags: &mut Diags) -> Model {
    let mut own = Diags::default();
    let mut model = crate::syntax::with_deep_stack(|| {
        let mut checker = Checker::new(sources, inputs, &mut own);
        for ast in asts {
            checker.collect(&ast.items, None);
        }
        checker.overrides(asts);
        checker.declare_all();
        // A name is resolved where it is first used.
        checker.model.named.sort_by_key(|named| named.span);
        checker.problems(asts);
        checker.dropouts();
        checker.solves(asts);
        checker.model
    });
    prune::prune(&mut model);
    model.layout = Some(Layout::of(asts, sources, &model).into());
    own.sort();
    diags.extend(own);
    model
}

struct Checker<'a> {
    sources: &'a Sources,
    inputs: &'a Inputs<'a>,
    diags: &'a mut Diags,
    model: Model,
    declarations: Vec<Declaration<'a>>,
    /// What is known of `model.data` beside the numbers.
    facts: Vec<Facts>,
    /// Values of `let (a, b) = …`, by the declaration of `a`.
    tuples: BTreeMap<usize, Option<Vec<Meaning>>>,
    /// Tables whose first rows, so many, are a family, and which.
    families_of_rows: Vec<(DataId, usize, DataId)>,
    /// Declarations being given a meaning, for the cycle of a recursive one.
    busy: Vec<usize>,
    depth: usize,
    too_deep: bool,
}

/// What is known of a data tensor beside its numbers.
#[derive(Debug, Clone, Default)]
struct Facts {
    /// Its shape in words and where that comes from: "200 rows, 50 columns in `A.csv`".
    header: Option<String>,
    /// 1 where a value is known, where some may be missing.
    known: Option<Tensor>,
    /// The network whose parameters it holds.
    net: Option<NetId>,
}

impl<'a> Checker<'a> {
    fn new(sources: &'a Sources, inputs: &'a Inputs<'a>, diags: &'a mut Diags) -> Checker<'a> {
        Checker {
            sources,
            inputs,
            diags,
            model: Model::default(),
            declarations: Vec::new(),
            facts: Vec::new(),
            tuples: BTreeMap::new(),
            families_of_rows: Vec::new(),
            busy: Vec::new(),
            depth: 0,
            too_deep: false,
        }
    }

    /// Players, their constraints, then their objectives, which may name multipliers.
    fn problems(&mut self, asts: &'a [Ast]) {
        let mut bodies: Vec<(PlayerId, &'a [ast::Item])> = Vec::new();
        for item in asts.iter().flat_map(|ast| &ast.items) {
            if let ItemKind::Player { name, items } = &item.kind
                && let Some(player) = self.player_named(&name.key)
                && bodies.iter().all(|&(other, _)| other != player)
            {
                bodies.push((player, items));
            }
        }
        if bodies.is_empty() {
            self.plain(asts);
            self.terms_inside_domains();
            return;
        }
        self.outside_players(asts);
        for &(player, items) in &bodies {
            self.constraints(player, items.iter());
        }
        for &(player, items) in &bodies {
            self.objective(player, items.iter());
        }
        self.terms_inside_domains();
    }

    /// What is constant in objectives and constraints and was not computed on the way.
    fn terms_inside_domains(&mut self) {
        let mut all: Vec<(Expr, Option<usize>)> = Vec::new();
        for player in &self.model.players {
            all.extend(player.terms.iter().map(|term| (term.expr.clone(), term.over.map(|over| over.count))));
            let rows = player.constraints.iter();
            all.extend(rows.map(|row| (row.relation.expr().clone(), row.over.map(|over| over.count))));
        }
        // A term may be cut into several that share a fault; it is reported once, as `Diags` keeps one of a kind.
        all.iter().for_each(|(expr, members)| {
            self.inside_domains(expr, *members);
        });
    }

    /// A problem without players is that of one nameless player.
    fn plain(&mut self, asts: &'a [Ast]) {
        let player = PlayerId(0);
        let items = || asts.iter().flat_map(|ast| &ast.items);
        self.constraints(player, items());
        self.objective(player, items());
        let (start, known) =
            (asts.first().map_or(Span::default(), |ast| Span::new(ast.file, 0, 0)), &self.model.players[0]);
        let silent = known.terms.is_empty() && known.constraints.is_empty();
        let written = items().any(|item| matches!(item.kind, ItemKind::Objective { .. } | ItemKind::SubjectTo { .. }));
        if silent && !written {
            self.report(
                Diag::new(Code::WrongKind, start, "nothing is minimized: the file has no objective and no constraint")
                    .help("write `minimize` and what is to be least, such as `minimize sum_squares(A*x - b)`"),
            );
        }
    }

    /// In a game, variables and objectives belong to players.
    fn outside_players(&mut self, asts: &'a [Ast]) {
        for item in asts.iter().flat_map(|ast| &ast.items) {
            let what = match item.kind {
                ItemKind::Var { .. } => "variable",
                ItemKind::Objective { .. } => "objective",
                ItemKind::SubjectTo { .. } => "constraint",
                ItemKind::Split { .. } => "split",
                ItemKind::Claim { .. } => "claim",
                _ => continue,
            };
            self.report(
                Diag::new(Code::WrongKind, item.span, format!("this {what} belongs to no player"))
                    .help("this file is a game: move it into the `player` block whose it is"),
            );
        }
    }

    fn report(&mut self, diag: Diag) {
        self.diags.push(diag);
    }

    /// Reports, and has no meaning.
    fn fail<T>(&mut self, diag: Diag) -> Option<T> {
        self.report(diag);
        None
    }

    /// The text of a span for a message, on one line and not too long.
    fn text(&self, span: Span) -> String {
        const LIMIT: usize = 48;
        let words: Vec<&str> = self.sources.text(span).split_whitespace().collect();
        let text = words.join(" ");
        if text.chars().count() <= LIMIT {
            return text;
        }
        let mut short: String = text.chars().take(LIMIT - 1).collect();
        short.push('…');
        short
    }

    /// Adds a data tensor and gives an expression that refers to it.
    fn add_data(&mut self, name: String, span: Span, tensor: Tensor, facts: Facts) -> Expr {
        let shape = tensor.shape.clone();
        let id = self.push(Data { name, span, tensor: tensor.into(), family: None, rows: None }, facts);
        Expr { kind: ExprKind::Leaf(Leaf::Data(id, Member::None)), shape, span }
    }

    /// Adds data to the model, and what is known of it.
    fn push(&mut self, data: Data, facts: Facts) -> DataId {
        self.model.data.push(data);
        self.facts.push(facts);
        DataId(self.model.data.len() as u32 - 1)
    }

    /// A compile-time value as an expression: a number by itself, a tensor as unnamed data.
    fn constant(&mut self, tensor: Tensor, span: Span) -> Expr {
        match tensor.item() {
            Some(number) if tensor.shape.is_scalar() => {
                Expr { kind: ExprKind::Number(number), shape: Shape::scalar(), span }
            }
            _ => {
                let name = self.text(span);
                self.add_data(name, span, tensor, Facts::default())
            }
        }
    }

    /// The player of that name.
    fn player_named(&self, key: &str) -> Option<PlayerId> {
        let at = self
            .model
            .players
            .iter()
            .position(|player| player.name.as_deref().is_some_and(|name| crate::syntax::normalise(name) == key))?;
        Some(PlayerId(at as u32))
    }

    fn player(&mut self, player: PlayerId) -> &mut Player {
        &mut self.model.players[player.index()]
    }

    /// In words, a player's name or that of the problem.
    fn whose(&self, player: PlayerId) -> String {
        self.model.players[player.index()].name.clone().map_or("the problem".to_owned(), |name| format!("`{name}`"))
    }

    /// The top of the file is the inside of its only player, in a plain problem.
    fn top(&self) -> Scope {
        match self.model.players.as_slice() {
            [Player { name: None, .. }] => Scope::of(PlayerId(0)),
            _ => Scope::default(),
        }
    }
}

/// A shape in words.
fn shape_words(shape: &Shape) -> String {
    match shape.0[..] {
        [] => "a number".to_owned(),
        [n] => format!("a vector of {n}"),
        [m, n] => format!("a matrix of {m} rows and {n} columns"),
        _ => format!("a tensor {shape}"),
    }
}
