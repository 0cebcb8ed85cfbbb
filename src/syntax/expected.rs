//! What was expected, in words: pest knows how far it came and which rules could have begun there.

use super::blocks::Place;
use super::errors::shorten;
use super::grammar::Rule;
use super::keywords::{self, STATEMENTS, STEPS};
use super::lines::{Piece, continues_name, word_at};
use crate::diag::{Code, Diag, closest};
use crate::source::{FileId, Span};
use pest::error::{Error, ErrorVariant, InputLocation};

/// The diagnostic for a piece that pest refused.
pub fn explain(file: FileId, text: &str, piece: &Piece, place: Place, error: &Error<Rule>) -> Diag {
    let refusal = Refusal::of(text, piece, error);
    let span = |start: usize, end: usize| Span::new(file, start, end);
    let at_start = refusal.at == piece.start;
    if at_start || is_misspelt_statement(text, piece) || is_misspelt_step(text, piece, place) {
        return first_word(text, piece, place, &span);
    }
    let here = span(refusal.at, refusal.at + refusal.found.len());
    let mut diag = Diag::new(Code::Syntax, here, refusal.message());
    let form = form(text, piece, place);
    let near = refusal.keywords().into_iter().find(|keyword| closest(refusal.found, [*keyword]).is_some());
    if let Some(keyword) = near {
        diag = diag.fix(format!("write `{keyword}`"), here, keyword);
    }
    let written = form.map(|form| format!("it is written `{form}`"));
    match (refusal.help(), written) {
        (Some(help), _) => diag.help(help),
        (None, Some(written)) => diag.help(written),
        (None, None) => diag,
    }
}

/// Whether the piece begins with a word that is nearly a statement's, followed by what only a
/// statement could be followed by.
pub fn is_misspelt_statement(text: &str, piece: &Piece) -> bool {
    let word = piece.word(text);
    meant(word).is_some() && keywords::statement(word).is_none() && begins_like_statement(text, piece, word)
}

fn is_misspelt_step(text: &str, piece: &Piece, place: Place) -> bool {
    let word = piece.word(text);
    place == Place::Game
        && closest(word, STEPS.iter().map(|&(step, _)| step)).is_some()
        && !STEPS.iter().any(|&(step, _)| step == word)
        && begins_like_statement(text, piece, word)
}

/// A word and then a name, a number, a text or `s.t.`, rather than an operator.
fn begins_like_statement(text: &str, piece: &Piece, word: &str) -> bool {
    let rest = &text[piece.start + word.len()..piece.end];
    let next = rest.trim_start();
    let spaced = rest.starts_with(char::is_whitespace);
    (spaced
        && next.starts_with(|c: char| continues_name(c) || matches!(c, '"' | '-' | '('))
        && !matches!(word_at(next, 0), "in" | "to"))
        || rest.starts_with(".t.")
        || next.is_empty()
}

/// The statement that a misspelt or foreign first word means.
fn meant(word: &str) -> Option<&'static str> {
    let lower = word.to_lowercase();
    let alias =
        STATEMENTS.iter().find(|statement| statement.aliases.contains(&lower.as_str()) || lower == statement.word);
    let near = || closest(word, STATEMENTS.iter().map(|statement| statement.word).filter(|_| word.len() > 2));
    if word == "s" { Some("subject") } else { alias.map(|statement| statement.word).or_else(near) }
}

/// The piece fails at its first word.
fn first_word(text: &str, piece: &Piece, place: Place, span: &dyn Fn(usize, usize) -> Span) -> Diag {
    let word = piece.word(text);
    let here = span(piece.start, piece.start + word.len().max(found_at(text, piece.start, piece.end).len()));
    let quoted = shorten(word);
    if place == Place::Game {
        let diag = Diag::new(
            Code::Syntax,
            here,
            format!("expected a step of the game, found `{}`", shorten(found_at(text, piece.start, piece.end))),
        );
        return match closest(word, STEPS.iter().map(|&(step, _)| step)) {
            Some(step) => {
                let form = STEPS.iter().find(|&&(name, _)| name == step).map_or("", |&(_, form)| form);
                diag.help(format!("it is written `{form}`")).fix(format!("write `{step}`"), here, step)
            }
            None => diag.help("a step is `repeat …`, `each batch …`, `every …`, `at …`, `restart …`, `track …`, `save images …`, a method as `adam generator { … }`, or a setting as `precision = f32`"),
        };
    }
    if let Some(form) = CONTROL.iter().find(|(control, _)| *control == word).map(|(_, form)| form) {
        return Diag::new(
            Code::Syntax,
            here,
            format!("`{word}` is no statement: a problem is declared, not programmed"),
        )
        .help(*form);
    }
    if let Some(statement) = meant(word).filter(|_| begins_like_statement(text, piece, word)) {
        let phrase = if statement == "subject" { "subject to" } else { statement };
        let end = foreign_phrase_end(text, piece, word, statement);
        let shape = keywords::statement(statement).map_or("", |statement| statement.form);
        let here = span(piece.start, end);
        return Diag::new(
            Code::Syntax,
            here,
            format!("`{}` begins no statement; `{phrase}` is meant", shorten(&text[piece.start..end])),
        )
        .help(format!("it is written `{shape}`"))
        .fix(format!("write `{phrase}`"), here, phrase);
    }
    let found = found_at(text, piece.start, piece.end);
    let behind = text[piece.start + word.len()..piece.end].trim_start();
    if place == Place::Settings {
        return Diag::new(Code::Syntax, here, format!("expected a setting, found `{}`", shorten(found)))
            .help("a setting is a name and a value, as `rho = auto`");
    }
    if !word.is_empty() && behind.starts_with('=') && place != Place::Constraints {
        return Diag::new(Code::Syntax, here, format!("`{quoted}` is not declared by this line: a statement begins with its keyword"))
            .help("`let` names a value, `param` names a number that the command line can change; a constraint stands under `subject to`")
            .fix("write `let`", span(piece.start, piece.start), "let ");
    }
    if ["<=", ">=", "≤", "≥", " in ", "="].iter().any(|mark| text[piece.start..piece.end].contains(mark)) {
        return Diag::new(Code::Syntax, span(piece.start, piece.end), "a constraint stands under `subject to`")
            .help("write `subject to` before the first constraint; further ones follow, a line each");
    }
    Diag::new(Code::Syntax, here, format!("expected a statement, found `{}`", shorten(found))).help(format!(
        "a statement begins with {}",
        list_of(&STATEMENTS.iter().map(|statement| format!("`{}`", statement.word)).collect::<Vec<_>>())
    ))
}

/// Words of programming languages, with what is written instead.
const CONTROL: &[(&str, &str)] = &[
    (
        "for",
        "a family stands for a loop: `var w[i in 1 to 8]: real[n]`, `sum(i in 1 to 8: …)`, `link[i in 1 to 8]: w[i] - z = 0`",
    ),
    ("while", "what repeats stands in `solve`: `iterations = 1000`, or `repeat 10 times { … }` in a game"),
    ("if", "there are no cases; a parameter may scale a term away: `w*norm1(x)` with `param w = 0`"),
    ("function", "a value with a name is declared by `let`"),
    ("print", "what a run shows is listed in the game's `track …`; results are written by `admmc run --out DIR`"),
];

/// Where `s.t.`, `such that` or `subject to` ends.
fn foreign_phrase_end(text: &str, piece: &Piece, word: &str, statement: &str) -> usize {
    let end = piece.start + word.len();
    let rest = &text[end..piece.end];
    if statement != "subject" {
        return end;
    }
    if rest.starts_with(".t.") {
        return end + 3;
    }
    let next = rest.trim_start();
    let second = word_at(next, 0);
    if matches!(second, "to" | "that") { piece.end - next.len() + second.len() } else { end }
}

/// The shape of the statement that the piece begins.
fn form(text: &str, piece: &Piece, place: Place) -> Option<&'static str> {
    let word = piece.word(text);
    match place {
        Place::Game => STEPS.iter().find(|&&(step, _)| step == word).map(|&(_, form)| form),
        Place::Settings => Some("rho = auto, tol = 1e-6"),
        Place::Constraints => None,
        _ if word == "solve" && text[piece.start..piece.end].contains(" as") => Some("solve play as game { … }"),
        _ => keywords::statement(word).map(|statement| statement.form),
    }
}

/// What pest said, in terms of the file.
struct Refusal<'t> {
    /// Where the text stops making sense.
    at: usize,
    /// What stands there; empty at the statement's end.
    found: &'t str,
    /// What stands before it.
    before: &'t str,
    expected: Vec<Rule>,
}

impl<'t> Refusal<'t> {
    fn of(text: &'t str, piece: &Piece, error: &Error<Rule>) -> Refusal<'t> {
        let offset = match error.location {
            InputLocation::Pos(at) | InputLocation::Span((at, _)) => at,
        };
        let reached = (piece.start + offset).min(piece.end);
        let at = skip_space(text, reached, piece.end);
        let before = before_at(text, piece.start, reached);
        let expected = match &error.variant {
            ErrorVariant::ParsingError { positives, .. } => positives.clone(),
            ErrorVariant::CustomError { .. } => Vec::new(),
        };
        Refusal { at, found: found_at(text, at, piece.end), before, expected }
    }

    fn keywords(&self) -> Vec<&'static str> {
        self.expected.iter().filter_map(|&rule| keyword(rule)).collect()
    }

    fn ends(&self) -> bool {
        self.expected.contains(&Rule::EOI)
    }

    fn message(&self) -> String {
        let mut words: Vec<String> = Vec::new();
        for word in self.expected.iter().filter_map(|&rule| phrase(rule)) {
            if !words.contains(&word) {
                words.push(word);
            }
        }
        if words.is_empty() && !self.ends() && self.expected.contains(&Rule::compare_op) {
            words.push("a comparison (`=`, `<=`, `>=` or `in`)".into());
        }
        let after = if self.before.is_empty() { String::new() } else { format!(" after `{}`", shorten(self.before)) };
        if self.is_reserved_name() {
            return format!("`{}` is a word of the language, so it can't be a name{after}", self.found);
        }
        let found = shorten(self.found);
        if words.is_empty() {
            return match self.found {
                "" => format!("the statement ends too early{after}"),
                _ => format!("`{found}` can't stand{}", after.replacen(" after", " right after", 1)),
            };
        }
        if self.ends() && words.iter().all(|word| word.starts_with('`')) {
            words.push("the end of the statement".into());
        }
        let expected = list_of(&words);
        match self.found {
            "" => format!("expected {expected}{after}, but the statement ends here"),
            _ => format!("expected {expected}{after}, found `{found}`"),
        }
    }

    fn is_reserved_name(&self) -> bool {
        keywords::is_reserved(self.found) && self.expected.contains(&Rule::name)
    }

    /// Help that knows more than the statement's shape.
    fn help(&self) -> Option<String> {
        let operand = self.found.starts_with(|c: char| continues_name(c) || matches!(c, '(' | '"' | '['));
        let joins = self.expected.iter().any(|rule| matches!(rule, Rule::mul_op | Rule::add_op));
        let value_before = self.before.ends_with(|c: char| continues_name(c) || matches!(c, ')' | ']' | '\'' | '"'));
        let only_operators = self.expected.iter().all(|&rule| phrase(rule).is_none());
        if self.is_reserved_name() {
            Some("choose another name; every word of the language is listed in its reference".into())
        } else if operand && joins && value_before && only_operators {
            Some("an operator or a comma is missing between the two; a product is written out, `2*x`".into())
        } else if self.found == "=" && !self.expected.contains(&Rule::compare_op) && only_operators {
            Some("a definition has one `=`; an equation is a constraint and stands under `subject to`".into())
        } else if self.before == "+" && self.expected.contains(&Rule::name) {
            Some("a sign `+` before a value is left out".into())
        } else {
            None
        }
    }
}

/// The token at `at`: a word, a number, or a mark.
fn found_at(text: &str, at: usize, end: usize) -> &str {
    let rest = &text[at.min(end)..end];
    let Some(first) = rest.chars().next() else { return "" };
    if continues_name(first) {
        return &rest[..rest.find(|c| !continues_name(c)).unwrap_or(rest.len())];
    }
    if first == '"' {
        return &rest[..rest[1..].find('"').map_or(rest.len(), |quote| quote + 2)];
    }
    let two = ["<=", ">=", ".*", "./", ".^", "->"].into_iter().find(|&mark| rest.starts_with(mark));
    &rest[..two.map_or(first.len_utf8(), str::len)]
}

/// The token that ends before `at`.
fn before_at(text: &str, start: usize, at: usize) -> &str {
    let before = text[start..at].trim_end();
    let Some(last) = before.chars().next_back() else { return "" };
    if continues_name(last) {
        let from = before
            .rfind(|c| !continues_name(c))
            .map_or(0, |at| at + before[at..].chars().next().map_or(1, char::len_utf8));
        return &before[from..];
    }
    &before[before.len() - if before.ends_with("->") { 2 } else { last.len_utf8() }..]
}

/// The next byte from `at` on that is neither space nor comment.
fn skip_space(text: &str, mut at: usize, end: usize) -> usize {
    loop {
        let rest = &text[at..end];
        at += rest.len() - rest.trim_start().len();
        if !text[at..end].starts_with('#') {
            return at;
        }
        at += text[at..end].find('\n').unwrap_or(end - at);
    }
}

/// `a, b or c`
fn list_of(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} or {last}", most.join(", ")),
    }
}

/// The keyword that a rule stands for.
fn keyword(rule: Rule) -> Option<&'static str> {
    Some(match rule {
        Rule::kw_admm => "admm",
        Rule::kw_use => "use",
        Rule::kw_param => "param",
        Rule::kw_data => "data",
        Rule::kw_let => "let",
        Rule::kw_var => "var",
        Rule::kw_net => "net",
        Rule::kw_sample => "sample",
        Rule::kw_minimize => "minimize",
        Rule::kw_maximize => "maximize",
        Rule::kw_subject => "subject",
        Rule::kw_split => "split",
        Rule::kw_shows => "shows",
        Rule::kw_claim => "claim",
        Rule::kw_player => "player",
        Rule::kw_solve => "solve",
        Rule::kw_in => "in",
        Rule::kw_to => "to",
        Rule::kw_as => "as",
        Rule::kw_real => "real",
        Rule::kw_symmetric => "symmetric",
        Rule::kw_params => "params",
        Rule::kw_init => "init",
        Rule::kw_image => "image",
        Rule::kw_residual => "residual",
        Rule::kw_batch => "batch",
        Rule::kw_keep => "keep",
        Rule::kw_fixed => "fixed",
        Rule::kw_repeat => "repeat",
        Rule::kw_epochs => "epochs",
        Rule::kw_times => "times",
        Rule::kw_of => "of",
        Rule::kw_each => "each",
        Rule::kw_every => "every",
        Rule::kw_at => "at",
        Rule::kw_restart => "restart",
        Rule::kw_track => "track",
        Rule::kw_save => "save",
        Rule::kw_images => "images",
        _ => return None,
    })
}

/// A rule in a person's words; nothing where it would only lengthen the list.
fn phrase(rule: Rule) -> Option<String> {
    if let Some(keyword) = keyword(rule) {
        return Some(format!("`{keyword}`"));
    }
    let words = match rule {
        Rule::name => "a name",
        Rule::number => "a number",
        Rule::integer => "a whole number",
        Rule::string => "a text in double quotes",
        Rule::equals => "`=`",
        Rule::colon => "`:`",
        Rule::comma => "`,`",
        Rule::semicolon => "`;`",
        Rule::tilde => "`~`",
        Rule::arrow => "`->` and a layer",
        Rule::bar => "`|`",
        Rule::open_round => "`(`",
        Rule::close_round => "`)`",
        Rule::open_square => "`[`",
        Rule::close_square => "`]`",
        Rule::kind => "a kind (`real`, `symmetric` or `params`)",
        Rule::layer => "a layer, as `dense 64 relu`",
        Rule::names => "a name or names in parentheses",
        Rule::family => "an index, as `[i in 1 to 8]`",
        Rule::binder => "an index, as `i in 1 to 8`",
        Rule::constraint | Rule::constraints | Rule::relation => "a constraint",
        Rule::setting => "a setting, as `rho = auto`",
        Rule::step | Rule::opening | Rule::method => "a step of the game",
        Rule::unit => "`epochs`, `iterations` or `batches`",
        Rule::call => "a call, as `grid(8, 8)`",
        Rule::labelled => "a term",
        Rule::comparison
        | Rule::sum
        | Rule::product
        | Rule::unary
        | Rule::power
        | Rule::postfix
        | Rule::minus
        | Rule::arg
        | Rule::list
        | Rule::index_item
        | Rule::over
        | Rule::paren
        | Rule::matrix => "a value",
        _ => return None,
    };
    Some(words.to_string())
}
