//! Spellings that other languages taught people, each with the one that is meant.
//!
//! Everything here is an error with a fix: the file says what it means in one way only, but a
//! person coming from Python, MATLAB or Julia is told that way instead of "unexpected character".

use super::lines::{Cutter, Last, continues_name, starts_name};
use crate::diag::{Code, Diag};

/// A mark, what is written for it here, and why.
struct Spelling {
    mark: &'static str,
    here: &'static str,
    why: &'static str,
}

macro_rules! spellings {
    ($($mark:literal $here:literal $why:literal;)*) => {
        &[$(Spelling { mark: $mark, here: $here, why: $why },)*]
    };
}

/// Longer marks first. An empty replacement means that there is none.
const SPELLINGS: &[Spelling] = spellings! {
    "===" "=" "a constraint or a definition takes a single `=`";
    "==" "=" "a constraint or a definition takes a single `=`";
    ":=" "=" "a definition takes a plain `=`";
    "=>" ">=" "greater or equal is written `>=`";
    "=<" "<=" "less or equal is written `<=`";
    "**" "^" "a power is written `^`";
    "!=" "" "`not equal` is no constraint that a solver can hold: the points that obey it have no boundary to end on";
    "~=" "" "`not equal` is no constraint that a solver can hold: the points that obey it have no boundary to end on";
    "<>" "" "`not equal` is no constraint that a solver can hold: the points that obey it have no boundary to end on";
    "≠" "" "`not equal` is no constraint that a solver can hold: the points that obey it have no boundary to end on";
    "<" "<=" "a strict inequality has no closest point to end on, so constraints are `<=` and `>=`";
    ">" ">=" "a strict inequality has no closest point to end on, so constraints are `<=` and `>=`";
    "//" "#" "a comment begins with `#`";
    "%" "#" "a comment begins with `#`";
    "@" "*" "the product of matrices is `*`";
    "×" "*" "a product is written `*`";
    "·" "*" "a product is written `*`";
    "⋅" "*" "a product is written `*`";
    "÷" "/" "a quotient is written `/`";
    "²" "^2" "a power is written `^`";
    "³" "^3" "a power is written `^`";
    "→" "->" "an arrow is written `->`";
    "⊤" "'" "a transpose is written `'`";
    "’" "'" "a transpose is written with a straight `'`";
    "…" "to" "a range is written `1 to 8`";
    "∑" "" "a sum is written `sum(i in 1 to 8: …)`, and the sum of a vector's entries `sum(x)`";
    "‖" "" "a norm is written by its name: `norm2(x)`, `norm1(x)`, `norm_inf(x)`";
    "∥" "" "a norm is written by its name: `norm2(x)`, `norm1(x)`, `norm_inf(x)`";
    "√" "" "a square root is written `sqrt(x)`";
    "⟨" "" "an inner product is written `a'*b`";
    "⟩" "" "an inner product is written `a'*b`";
};

/// Looks at a mark; true if it was foreign, is reported and taken.
pub(super) fn mark(cutter: &mut Cutter<'_>, c: char) -> bool {
    match c {
        '\'' if cutter.last != Last::Operand || !attached(cutter) => quoted(cutter, '\''),
        '“' | '”' | '„' => quoted(cutter, '”'),
        '‘' => quoted(cutter, '’'),
        '’' if cutter.last != Last::Operand => quoted(cutter, '’'),
        '.' => dot(cutter),
        ':' if cutter.inside('[') && !cutter.rest().starts_with(":=") => colon_range(cutter),
        ';' if cutter.outside() => semicolon(cutter),
        _ => spelling(cutter),
    }
}

fn spelling(cutter: &mut Cutter<'_>) -> bool {
    let rest = cutter.rest();
    if rest.starts_with("<=") || rest.starts_with(">=") {
        return false;
    }
    let Some(found) = SPELLINGS.iter().find(|spelling| rest.starts_with(spelling.mark)) else { return false };
    if matches!(found.mark, ">" | "=>") && cutter.in_statement("net") {
        let start = cutter.at;
        cutter.take(found.mark.len(), Last::Operator);
        report(cutter, start, start + found.mark.len(), "->", "the layers of a network stand behind arrows");
        return true;
    }
    let start = cutter.at;
    let comment = found.here == "#";
    let length = if comment { cutter.rest_of_line().trim_end().len() } else { found.mark.len() };
    let operand = matches!(found.here, "^2" | "^3" | "'") || matches!(found.mark, "⟩");
    cutter.take(length, if operand || comment { Last::Operand } else { Last::Operator });
    let span = cutter.span(start, start + found.mark.len());
    if found.here.is_empty() {
        let diag = Diag::new(Code::ForeignSpelling, span, format!("`{}` is not written here", found.mark));
        cutter.fault(diag.help(found.why));
    } else {
        report(cutter, start, start + found.mark.len(), found.here, found.why);
    }
    true
}

/// Reports that the text from `start` to `end` is spelled `here`.
fn report(cutter: &mut Cutter<'_>, start: usize, end: usize, here: &str, why: &str) {
    let written = super::errors::shorten(&cutter.text[start..end]);
    let diag =
        Diag::new(Code::ForeignSpelling, cutter.span(start, end), format!("`{written}` is written `{here}` here"));
    let replacement = match here {
        "to" => " to ",
        _ => here,
    };
    let span = cutter.span(start, end);
    cutter.report(diag.help(why).fix(format!("write `{here}`"), span, replacement));
}

/// Reports that `addition` is missing at `at`, inside the text from `start` to `end`.
fn insert(cutter: &mut Cutter<'_>, (start, end): (usize, usize), at: usize, addition: &str, why: &str) {
    let written = super::errors::shorten(&cutter.text[start..end]);
    let mended = format!("{}{addition}{}", &cutter.text[start..at], &cutter.text[at..end]);
    let mended = super::errors::shorten(&mended);
    let diag =
        Diag::new(Code::ForeignSpelling, cutter.span(start, end), format!("`{written}` is written `{mended}` here"));
    let span = cutter.span(at, at);
    cutter.report(diag.help(why).fix(format!("write `{mended}`"), span, addition));
}

/// Whether the character before is part of an operand, with no space between.
fn attached(cutter: &Cutter<'_>) -> bool {
    let before = cutter.text[..cutter.at].chars().next_back();
    before.is_some_and(|c| continues_name(c) || matches!(c, ')' | ']' | '\''))
}

/// `'f.csv'`, or curly quotes.
fn quoted(cutter: &mut Cutter<'_>, closing: char) -> bool {
    let start = cutter.at;
    let line = cutter.rest_of_line();
    let first = cutter.peek().map_or(1, char::len_utf8);
    let close = line[first..].char_indices().find(|&(_, c)| c == closing || (closing == '”' && c == '“'));
    match close {
        Some((length, c)) => {
            let inner = line[first..first + length].replace('\\', "\\\\").replace('"', "\\\"");
            let end = start + first + length + c.len_utf8();
            cutter.take(end - start, Last::Operand);
            report(cutter, start, end, &format!("\"{inner}\""), "a text stands between straight double quotes");
        }
        None if cutter.last == Last::Operand => {
            cutter.take(first, Last::Operand);
            let span = cutter.span(start, start + first);
            let gap = cutter.text[..start].trim_end().len();
            let diag = Diag::new(Code::ForeignSpelling, span, "a transpose stands right behind what it transposes");
            let help = "a space before `'` would make `[a 'b']` mean two things; write `x'`";
            let blank = cutter.span(gap, start);
            cutter.report(diag.help(help).fix("close the gap", blank, ""));
        }
        None => {
            cutter.take(first, Last::Operand);
            let span = cutter.span(start, start + first);
            cutter.fault(super::errors::unclosed_string(span));
        }
    }
    true
}

/// `.5`, `1..8`, `A.T`; a field and the elementwise operators are ours.
fn dot(cutter: &mut Cutter<'_>) -> bool {
    let start = cutter.at;
    let rest = &cutter.rest()[1..];
    if let Some(more) = rest.strip_prefix('.') {
        let length = if more.starts_with('.') { 3 } else { 2 };
        let ends_line = cutter.rest_of_line()[length..].trim().is_empty();
        cutter.take(length, Last::Operator);
        if ends_line {
            let span = cutter.span(start, start + length);
            let diag = Diag::new(Code::ForeignSpelling, span, "a line that goes on needs no dots");
            let help =
                "a statement goes on in the next line by itself inside brackets, and behind an operator or a comma";
            cutter.report(diag.help(help).fix("remove the dots", span, ""));
            return true;
        }
        report(cutter, start, start + length, "to", "a range is written `1 to 8`, both ends included");
        return true;
    }
    if rest.starts_with(|c: char| c.is_ascii_digit()) && cutter.last != Last::Operand {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let end = start + 1 + digits;
        cutter.take(end - start, Last::Operand);
        insert(cutter, (start, end), start, "0", "a number begins with a digit");
        return true;
    }
    if cutter.last == Last::Operand && rest.starts_with('T') && !rest[1..].starts_with(continues_name) {
        cutter.take(2, Last::Operand);
        report(cutter, start, start + 2, "'", "a transpose is written `'`, right behind the matrix");
        return true;
    }
    false
}

/// `A[1:5]`, `A[:5]`, `A[5:]`: a colon alone means everything, and a range is `1 to 5`.
fn colon_range(cutter: &mut Cutter<'_>) -> bool {
    let start = cutter.at;
    let left = cutter.last == Last::Operand;
    let right = !cutter.rest()[1..].trim_start().starts_with([',', ']']);
    let why = "a range is written `1 to 5`, from one and with both ends included; `:` alone is everything";
    match (left, right) {
        (false, false) => return false,
        (true, true) => {
            cutter.take(1, Last::Operator);
            report(cutter, start, start + 1, "to", why);
        }
        (false, true) => {
            cutter.take(1, Last::Operator);
            let diag = Diag::new(Code::ForeignSpelling, cutter.span(start, start + 1), "`:` is written `1 to` here");
            let span = cutter.span(start, start + 1);
            cutter.report(diag.help(why).fix("write `1 to`", span, "1 to "));
        }
        (true, false) => {
            cutter.take(1, Last::Operand);
            let diag = Diag::new(Code::ForeignSpelling, cutter.span(start, start + 1), "a range has no end here");
            cutter.fault(diag.help("write where it ends: `5 to nrows(A)`; `:` alone is everything"));
        }
    }
    true
}

/// A `;` outside brackets: the end of a statement in C or MATLAB.
fn semicolon(cutter: &mut Cutter<'_>) -> bool {
    let start = cutter.at;
    let behind = cutter.rest_of_line()[1..].trim_start();
    let ends = behind.is_empty() || behind.starts_with('#');
    cutter.take(1, Last::Operand);
    let span = cutter.span(start, start + 1);
    if ends {
        let diag = Diag::new(Code::ForeignSpelling, span, "a statement ends with its line, without `;`");
        let help = "`;` stands inside brackets only: before a network's parameters, and between a matrix's rows";
        cutter.report(diag.help(help).fix("remove `;`", span, ""));
    } else {
        let diag = Diag::new(Code::ForeignSpelling, span, "`;` does not separate statements");
        cutter.report(diag.help("write each statement on a line of its own").fix("break the line", span, "\n"));
    }
    true
}

/// A number; `2x`, `5.` and `1_000` are foreign.
pub(super) fn number(cutter: &mut Cutter<'_>) {
    let start = cutter.at;
    let rest = cutter.rest();
    let digits = |from: usize| from + rest[from..].bytes().take_while(u8::is_ascii_digit).count();
    let mut end = digits(0);
    if rest[end..].starts_with('.') && digits(end + 1) > end + 1 {
        end = digits(end + 1);
    }
    if rest[end..].starts_with(['e', 'E']) {
        let sign = usize::from(rest[end + 1..].starts_with(['+', '-']));
        let last = digits(end + 1 + sign);
        end = if last > end + 1 + sign { last } else { end };
    }
    let behind = &rest[end..];
    if behind.starts_with('_') {
        let all = rest.find(|c: char| c != '_' && !c.is_ascii_digit()).unwrap_or(rest.len());
        let plain = rest[..all].replace('_', "");
        cutter.take(all, Last::Operand);
        report(cutter, start, start + all, &plain, "the digits of a number stand together");
    } else if behind.starts_with(starts_name) {
        let name = super::lines::word_at(rest, end).len();
        cutter.take(end + name, Last::Operand);
        insert(cutter, (start, start + end + name), start + end, "*", "a product is written out, `2*x`");
    } else if behind.starts_with('.') && !behind[1..].starts_with(['.', '*', '/', '^']) {
        cutter.take(end + 1, Last::Operand);
        insert(cutter, (start, start + end + 1), start + end + 1, "0", "a number has digits behind its point");
    } else {
        cutter.take(end, Last::Operand);
    }
}

/// A word; `Aᵀ` is foreign, since its letter would be part of the name.
pub(super) fn word(cutter: &mut Cutter<'_>, word: &str) -> bool {
    let Some(base) = word.strip_suffix('ᵀ').filter(|base| !base.is_empty()) else { return false };
    let start = cutter.at;
    cutter.take(word.len(), Last::Operand);
    report(cutter, start + base.len(), start + word.len(), "'", "a transpose is written `'`, right behind the matrix");
    true
}
