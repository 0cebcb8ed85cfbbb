//! Where the statements of a problem stand in its files, kept for repairs: one more variable, one more
//! constraint, one more name in the split. Comments and the layout of the lines around stay as they are.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Model;
use super::ir::{PlayerId, VarId};
use crate::source::{Sources, Span};
use crate::syntax::ast::{Ast, Item, ItemKind};
use crate::syntax::normalise;
use crate::tape::Shape;

/// Replacements of text: an empty span is an insertion.
pub type Edit = (Span, String);

/// The files of a problem, and where its statements stand in them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Layout {
    texts: Vec<Arc<str>>,
    declarations: BTreeMap<VarId, Declaration>,
    clauses: BTreeMap<PlayerId, Clauses>,
}

/// `var w[i in 1 to 8]: real[n]`
#[derive(Debug, Clone, PartialEq)]
struct Declaration {
    statement: Span,
    name: Span,
    /// `i` and `[i in 1 to 8]`, of a family.
    index: Option<(String, String)>,
}

/// The statements of a player.
#[derive(Debug, Clone, PartialEq, Default)]
struct Clauses {
    /// The last `var`.
    declaration: Option<Span>,
    objective: Option<Span>,
    /// The last constraint, and the statement that it belongs to.
    constraint: Option<(Span, Span)>,
    /// What stands on each side of the bar of `split`.
    split: Option<[Span; 2]>,
}

impl Layout {
    /// That of a checked model.
    pub(super) fn of(asts: &[Ast], sources: &Sources, model: &Model) -> Layout {
        let texts: Vec<Arc<str>> = sources.files().iter().map(|file| file.text.clone()).collect();
        let mut layout = Layout { texts, ..Layout::default() };
        let plain = matches!(&model.players[..], [player] if player.name.is_none());
        for item in asts.iter().flat_map(|ast| &ast.items) {
            match &item.kind {
                ItemKind::Player { name, items } => {
                    let is_it = |own: &String| normalise(own) == name.key;
                    let found = model.players.iter().position(|player| player.name.as_ref().is_some_and(is_it));
                    let Some(at) = found else { continue };
                    items.iter().for_each(|item| layout.add(item, PlayerId(at as u32), model));
                }
                _ if plain => layout.add(item, PlayerId(0), model),
                _ => {}
            }
        }
        layout
    }

    fn add(&mut self, item: &Item, player: PlayerId, model: &Model) {
        let clauses = self.clauses.entry(player).or_default();
        match &item.kind {
            ItemKind::Var { names, family, .. } => {
                clauses.declaration = Some(item.span);
                for name in names {
                    let Some(at) = model.vars.iter().position(|var| var.span == name.span) else { continue };
                    let index = family.as_ref().map(|binder| {
                        let text = &self.texts[binder.span.file.0 as usize];
                        let text = text.get(binder.span.start as usize..binder.span.end as usize).unwrap_or("");
                        (binder.name.text.clone(), text.to_owned())
                    });
                    let declaration = Declaration { statement: item.span, name: name.span, index };
                    self.declarations.insert(VarId(at as u32), declaration);
                }
            }
            ItemKind::Objective { .. } => clauses.objective = Some(item.span),
            ItemKind::SubjectTo { constraints } => {
                if let Some(last) = constraints.last() {
                    clauses.constraint = Some((last.span, item.span));
                }
            }
            ItemKind::Split { x, z } => {
                let sides = [x, z].map(|side| side.iter().map(|name| name.span).reduce(Span::to).unwrap_or_default());
                clauses.split = Some(sides);
            }
            _ => {}
        }
    }

    /// The text of a span.
    pub fn text(&self, span: Span) -> &str {
        let text = self.texts.get(span.file.0 as usize);
        text.and_then(|text| text.get(span.start as usize..span.end as usize)).unwrap_or("")
    }

    /// Whether a word stands anywhere in the files: a new name is none of them.
    pub fn holds(&self, word: &str) -> bool {
        let mut words = self.texts.iter().flat_map(|text| text.split(|c| !is_name_part(c)));
        words.any(|other| is_same_name(other, word))
    }

    /// `i` and `[i in 1 to 8]`, where a variable is declared as a family.
    pub fn index(&self, var: VarId) -> Option<(&str, &str)> {
        let (name, binder) = self.declarations.get(&var)?.index.as_ref()?;
        Some((name, binder))
    }

    /// A variable of that name, declared as `var` is: of its kind, its shape and its start.
    pub fn declare_like(&self, var: VarId, name: &str) -> Option<Edit> {
        let declaration = self.declarations.get(&var)?;
        if declaration.index.is_none() {
            return Some((end(declaration.name), format!(", {name}")));
        }
        let rest = Span { start: declaration.name.end, ..declaration.statement };
        self.line_after(declaration.statement, &format!("var {name}{}", self.text(rest)))
    }

    /// A variable of that name and shape.
    pub fn declare(&self, player: PlayerId, name: &str, shape: &Shape) -> Option<Edit> {
        let extents: Vec<String> = shape.0.iter().map(usize::to_string).collect();
        let extents = if extents.is_empty() { String::new() } else { format!("[{}]", extents.join(", ")) };
        self.line_after(self.clauses.get(&player)?.declaration?, &format!("var {name}: real{extents}"))
    }

    /// More constraints, behind the last one: on lines of their own where that one has its own.
    pub fn constrain(&self, player: PlayerId, constraints: &[String]) -> Option<Edit> {
        let clauses = self.clauses.get(&player)?;
        let Some((last, statement)) = clauses.constraint else {
            let all = constraints.join(", ");
            return self.line_after(clauses.objective?, &format!("subject to {all}"));
        };
        let before = Span { end: last.start, start: self.line_start(last.start, last), ..last };
        let opens = before.start <= statement.start;
        if !opens
            && self.text(before).trim().is_empty()
            && let Some(edit) = self.line_after(last, &constraints.join(&format!("\n{}", self.indent(last))))
        {
            return Some(edit);
        }
        Some((end(last), constraints.iter().map(|constraint| format!(", {constraint}")).collect()))
    }

    /// More names on the sides of the split; where none is written, a split of these.
    pub fn split(&self, player: PlayerId, names: &[Vec<String>; 2]) -> Option<Vec<Edit>> {
        let clauses = self.clauses.get(&player)?;
        let Some(sides) = clauses.split else {
            let last = clauses.constraint.map(|(last, _)| last).or(clauses.objective)?;
            let line = format!("split {} | {}", names[0].join(", "), names[1].join(", "));
            return Some(vec![self.line_at(last, clauses.objective?, &line)?]);
        };
        let joins = |side: usize| (end(sides[side]), names[side].iter().map(|name| format!(", {name}")).collect());
        Some((0..2).filter(|&side| !names[side].is_empty()).map(joins).collect())
    }

    /// A line behind the last one of a statement, indented like its first.
    fn line_after(&self, statement: Span, line: &str) -> Option<Edit> {
        self.line_at(statement, statement, line)
    }

    /// A line behind the last one of `place`, indented like the first of `like`. None where something but a
    /// comment stands there.
    fn line_at(&self, place: Span, like: Span, line: &str) -> Option<Edit> {
        let text = self.texts.get(place.file.0 as usize)?;
        let rest = text.get(place.end as usize..)?.split('\n').next().unwrap_or("");
        let rest = rest.strip_suffix('\r').unwrap_or(rest);
        let behind = rest.trim_start().trim_start_matches(',').trim_start();
        let at = place.end as usize + rest.len();
        let fits = behind.is_empty() || behind.starts_with('#');
        fits.then(|| (Span::new(place.file, at, at), format!("\n{}{line}", self.indent(like))))
    }

    /// Where the line begins that holds a place.
    fn line_start(&self, at: u32, span: Span) -> u32 {
        let before = self.text(Span { start: 0, end: at, ..span });
        before.rfind('\n').map_or(0, |newline| newline as u32 + 1)
    }

    /// What stands before the first line of a statement.
    fn indent(&self, statement: Span) -> &str {
        let start = self.line_start(statement.start, statement);
        let line = self.text(Span { start, end: statement.start, ..statement });
        &line[..line.len() - line.trim_start().len()]
    }
}

/// The place behind a span.
fn end(span: Span) -> Span {
    Span { start: span.end, ..span }
}

/// Whether a letter may stand in a name.
pub fn is_name_part(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || ('₀'..='₉').contains(&c) || unicode_mark(c)
}

/// Whether two names are one.
pub fn is_same_name(a: &str, b: &str) -> bool {
    normalise(a) == normalise(b)
}

/// Combining marks, which belong to the letter before them.
fn unicode_mark(c: char) -> bool {
    ('\u{300}'..='\u{36f}').contains(&c)
}
