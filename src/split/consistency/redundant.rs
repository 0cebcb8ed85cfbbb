//! E0406: equations that follow from others.
//!
//! Of `Kᵀy = 0` every multiple may be added to the multipliers: they are not unique, and drift along y as rounding
//! has it. And the penalty counts what is said m times m-fold: of copies that are all tied to each other,
//! θᵢ − θⱼ = 0 for all pairs, each is held by mρ, while the ρ that is balanced is that of one equation.
//!
//! A constraint is redundant as a whole where each of its rows is in a combination of its own, together with rows
//! that stay: eliminated from the last constraint to the first, so that what was written first stays. Where single
//! rows of constraints are redundant, that is how many problems are posed: the marginals of a transport plan and
//! the balances of a flow say one thing twice for each connected network, and the step that such equations are
//! part of drops the row. Those are told only where the penalty counts them, and where they are many.

use super::{System, combination, counted};
use crate::diag::{Code, Diag, Diags, Fix};
use crate::model::Model;
use crate::model::ir::{ConstraintId, Expr, Leaf, SolveBody};
use crate::source::Span;
use crate::split::ir::{Coupling, PlayerSplit};

/// Share of the coupling's rows from which single ones that follow from others are told, and how many there have
/// to be: a network's balances have one for all its nodes.
const SHARE: f64 = 0.1;
const SINGLE: usize = 2;

/// Multiplications of an elimination: a quarter of a second.
const MOST_FLOPS: f64 = 5e8;

/// What an entry has to be of the largest of its combination to be eliminated with.
const PIVOT: f64 = 1e-7;

/// Names that a message gives.
const NAMED: usize = 6;

/// Combinations of some rows that vanish, none of which follows from the others.
pub(super) struct Vanishing {
    /// Which rows, ascending.
    pub rows: Vec<usize>,
    /// A weight for each.
    pub combinations: Vec<Vec<f64>>,
}

/// What follows from what, in words and numbers.
#[derive(Debug, Default)]
pub(in crate::split) struct Redundancy {
    /// Constraints that follow from the others, ascending.
    whole: Vec<Whole>,
    /// Of those that stay, which rows of each constraint are in combinations that vanish; and one of these.
    single: Vec<(ConstraintId, Span, usize)>,
    /// How many of the combinations there are beside the constraints in `whole`, and one of them.
    combinations: usize,
    words: String,
}

#[cfg(test)]
impl Redundancy {
    /// The constraints that follow from others.
    pub(super) fn whole(&self) -> impl Iterator<Item = ConstraintId> + '_ {
        self.whole.iter().map(|it| it.constraint)
    }
}

/// A constraint that follows from others.
#[derive(Debug)]
struct Whole {
    constraint: ConstraintId,
    name: String,
    span: Span,
    /// `link + tie − both`, of its first row.
    words: String,
    /// Rows beside the first.
    more: usize,
    /// Constraints in that combination, with it.
    with: Vec<Span>,
}

/// Which constraints follow from others.
pub(super) fn find(system: &System, mut vanishing: Vec<Vanishing>) -> Redundancy {
    let work = |it: &Vanishing| it.combinations.len() as f64 * (it.rows.len() as f64).powi(2);
    if vanishing.is_empty() || vanishing.iter().map(work).sum::<f64>() > MOST_FLOPS {
        return Redundancy::default();
    }
    // Where each row stands in a piece.
    let mut place: Vec<Option<(usize, usize)>> = vec![None; system.right.len()];
    for (piece, it) in vanishing.iter_mut().enumerate() {
        it.rows.iter().enumerate().for_each(|(at, &row)| place[row] = Some((piece, at)));
        it.combinations.iter_mut().for_each(|y| {
            let largest = y.iter().fold(0.0f64, |largest, y| largest.max(y.abs()));
            y.iter_mut().for_each(|y| *y /= largest);
        });
    }
    let mut whole: Vec<Whole> = Vec::new();
    for equation in (0..system.equations.len()).rev() {
        if let Some(found) = taken_out(system, equation, &place, &mut vanishing) {
            whole.insert(0, found);
        }
    }
    let (mut single, mut words) = (Vec::<(ConstraintId, Span, usize)>::new(), String::new());
    for it in &vanishing {
        for (at, &row) in it.rows.iter().enumerate() {
            if it.combinations.iter().all(|y| y[at].abs() <= PIVOT) {
                continue;
            }
            let equation = system.equations[system.equation_of(row)];
            match single.iter_mut().find(|(constraint, ..)| *constraint == equation.constraint) {
                Some((.., rows)) => *rows += 1,
                None => single.push((equation.constraint, equation.span, 1)),
            }
        }
        if let Some(y) = it.combinations.first().filter(|_| words.is_empty()) {
            words = combination(system, &counted(&it.rows, y)).0;
        }
    }
    let combinations = vanishing.iter().map(|it| it.combinations.len()).sum();
    Redundancy { whole, single, combinations, words }
}

/// Takes an equation out of all combinations, where each of its rows has one of its own.
fn taken_out(
    system: &System,
    equation: usize,
    place: &[Option<(usize, usize)>],
    vanishing: &mut [Vanishing],
) -> Option<Whole> {
    let rows = system.rows_of(equation);
    let mut by_piece: Vec<(usize, Vec<usize>)> = Vec::new();
    for row in rows.clone() {
        let (piece, at) = place[row]?;
        // Rows ascend in a piece, not the pieces in the rows of an equation.
        match by_piece.last_mut().filter(|(last, _)| *last == piece) {
            Some((_, own)) => own.push(at),
            None => by_piece.push((piece, vec![at])),
        }
    }
    by_piece.sort();
    by_piece.dedup_by(|(piece, own), (before, kept)| {
        let same = piece == before;
        if same {
            kept.append(own);
        }
        same
    });
    let fits = |(piece, own): &(usize, Vec<usize>)| own.len() <= vanishing[*piece].combinations.len();
    if rows.is_empty() || !by_piece.iter().all(fits) {
        return None;
    }
    // All of its rows or none.
    let mut taken: Vec<(usize, Vec<Vec<f64>>)> = Vec::with_capacity(by_piece.len());
    for (piece, own) in &by_piece {
        match eliminate(&mut vanishing[*piece].combinations, own) {
            Some(pivots) => taken.push((*piece, pivots)),
            None => {
                taken.into_iter().for_each(|(piece, pivots)| vanishing[piece].combinations.extend(pivots));
                return None;
            }
        }
    }
    let first = by_piece.iter().zip(&taken).find_map(|((piece, own), (_, pivots))| {
        let at = own.iter().position(|&at| vanishing[*piece].rows[at] == rows.start)?;
        Some(counted(&vanishing[*piece].rows, &pivots[at]))
    });
    let named = first.expect("the first row is in one of the pieces");
    let mut with: Vec<Span> = Vec::new();
    for &(row, _) in &named {
        let other = system.equation_of(row);
        if other != equation && !with.contains(&system.equations[other].span) {
            with.push(system.equations[other].span);
        }
    }
    let own = system.equations[equation];
    Some(Whole {
        constraint: own.constraint,
        name: own.name.clone(),
        span: own.span,
        words: combination(system, &named).0,
        more: rows.len() - 1,
        with,
    })
}

/// Brings those columns to the identity in as many of the rows, which are taken out, a row a column, and to 0 in
/// the others (Gauss and Jordan). Where they don't have that rank all rows stay, which span what they did.
fn eliminate(rows: &mut Vec<Vec<f64>>, columns: &[usize]) -> Option<Vec<Vec<f64>>> {
    let mut pivots: Vec<(usize, Vec<f64>)> = Vec::new();
    let mut open: Vec<usize> = (0..columns.len()).collect();
    while !open.is_empty() {
        let places = (0..rows.len()).flat_map(|row| open.iter().map(move |&at| (row, at)));
        let size = |&(row, at): &(usize, usize)| rows[row][columns[at]].abs();
        let place = places.max_by(|a, b| size(a).total_cmp(&size(b))).filter(|place| size(place) > PIVOT);
        let Some((row, at)) = place else {
            rows.extend(pivots.into_iter().map(|(_, pivot)| pivot));
            return None;
        };
        let mut own = rows.swap_remove(row);
        let size = own[columns[at]];
        own.iter_mut().for_each(|x| *x /= size);
        let clear = |other: &mut Vec<f64>| {
            let times = other[columns[at]];
            if times != 0.0 {
                other.iter_mut().zip(&own).for_each(|(x, own)| *x -= times * own);
                other[columns[at]] = 0.0;
            }
        };
        rows.iter_mut().for_each(clear);
        pivots.iter_mut().map(|(_, pivot)| pivot).for_each(clear);
        pivots.push((at, own));
        open.retain(|&other| other != at);
    }
    pivots.sort_by_key(|(at, _)| *at);
    Some(pivots.into_iter().map(|(_, pivot)| pivot).collect())
}

/// Says which constraints follow from others.
pub(in crate::split) fn report(model: &Model, found: &Redundancy, split: &PlayerSplit, diags: &mut Diags) {
    if !found.whole.is_empty() {
        diags.push(of_whole(model, found, split));
        return;
    }
    let coupled = |id: ConstraintId| split.couplings.iter().any(|coupling| coupling.constraint == id);
    let held = || found.single.iter().filter(|(id, ..)| coupled(*id));
    let penalised: usize =
        split.couplings.iter().map(|coupling| coupling.over.unwrap_or(1) * coupling.offset.len()).sum();
    let many = found.combinations >= SINGLE && found.combinations as f64 > SHARE * penalised as f64;
    let Some(&(_, span, _)) = held().next().filter(|_| many) else { return };
    let mut diag = Diag::new(
        Code::RedundantConstraint,
        span,
        format!("{} of the rows of these equations follow from the others", found.combinations),
    )
    .here("rows of this one");
    for &(_, other, _) in &found.single {
        if other != span && diag.labels.len() < NAMED {
            diag = diag.label(other, "and of this one");
        }
    }
    diags.push(
        diag.certify(format!("{} says 0 = 0", found.words))
            .help("multipliers of rows that say the same are not unique, and the penalty counts each: what m rows say is held by mρ, while ρ is balanced for one; leave the rows out that follow from others"),
    );
}

fn of_whole(model: &Model, found: &Redundancy, split: &PlayerSplit) -> Diag {
    let names: Vec<String> = found.whole.iter().map(|it| format!("`{}`", it.name)).collect();
    let (words, verb) = match &names[..] {
        [one] => (one.clone(), "follows"),
        names if names.len() <= NAMED => (names.join(", "), "follow"),
        names => (format!("{} and {} more", names[..NAMED].join(", "), names.len() - NAMED), "follow"),
    };
    let mut diag =
        Diag::new(Code::RedundantConstraint, found.whole[0].span, format!("{words} {verb} from the other equations"))
            .here("says nothing of its own");
    let mut labelled = vec![found.whole[0].span];
    let mut label = |diag: Diag, span: Span, text: &str| {
        if labelled.contains(&span) || labelled.len() >= NAMED {
            return diag;
        }
        labelled.push(span);
        diag.label(span, text)
    };
    for it in &found.whole[1..] {
        diag = label(diag, it.span, "nor does this");
    }
    for &span in &found.whole[0].with {
        diag = label(diag, span, "it follows from this");
    }
    for it in found.whole.iter().take(NAMED) {
        let more = match it.more {
            0 => String::new(),
            1 => ", and so for its other row".to_string(),
            more => format!(", and so for its other {more} rows"),
        };
        diag = diag.certify(format!("{} says 0 = 0{more}", it.words));
    }
    diag = diag.help(advice(found, split));
    let title = format!("take out {words}");
    diag.fix = removal(model, found, split).map(|edits| Fix { title, edits });
    diag
}

/// Why it matters, and what to do.
fn advice(found: &Redundancy, split: &PlayerSplit) -> String {
    let own = |id: ConstraintId| split.couplings.iter().find(|coupling| coupling.constraint == id);
    if found.whole.iter().all(|it| own(it.constraint).is_none()) {
        return "the step that these equations are part of drops rows that follow from others, so the answer is the same; multipliers are not unique, though, and what is written twice is easily changed once: take out what follows".to_string();
    }
    let copies = found.whole.iter().all(|it| own(it.constraint).is_some_and(is_copy));
    let star = "; of copies that are all tied to each other, tie each to one of them only, or to a variable of its own: `x[i] - z = 0`";
    format!(
        "the multipliers are then not unique and drift along that combination, and the penalty holds what is said m times by mρ, while ρ is balanced for one equation; take out what follows{}",
        if copies { star } else { "" }
    )
}

/// Whether it ties two variables to each other, element by element.
fn is_copy(coupling: &Coupling) -> bool {
    coupling.parts.len() == 2 && coupling.parts.iter().all(|part| part.scalar().is_some())
}

/// What to take out of the text, where what is left compiles for sure.
fn removal(model: &Model, found: &Redundancy, split: &PlayerSplit) -> Option<Vec<(Span, String)>> {
    let constraints = &model.players[split.player.index()].constraints;
    let gone = |id: usize| found.whole.iter().any(|it| it.constraint.index() == id);
    let mut edits: Vec<(Span, String)> = Vec::new();
    if is_multiplier_read(model) {
        return None;
    }
    for it in &found.whole {
        let own = &constraints[it.constraint.index()];
        // A loop that was written out, or `a = b = c`, is one place with several constraints.
        let shared = constraints.iter().enumerate().any(|(at, other)| other.span == own.span && !gone(at));
        let edit = (own.removal?, String::new());
        if shared {
            return None;
        }
        if !edits.contains(&edit) {
            edits.push(edit);
        }
    }
    edits.sort();
    let apart = edits.windows(2).all(|pair| pair[0].0.end <= pair[1].0.start);
    // Each variable stays tied to the other block, or the blocks would fall apart.
    let tied = |var| split.couplings.iter().any(|it| !gone(it.constraint.index()) && it.holds(&[var]));
    let ties = split.couplings.iter().filter(|it| gone(it.constraint.index())).flat_map(|it| &it.parts);
    (apart && ties.into_iter().all(|part| tied(part.var))).then_some(edits)
}

/// Whether something reads a multiplier: a claim, a named expression, maybe what a game records.
fn is_multiplier_read(model: &Model) -> bool {
    let reads = |expr: &Expr| {
        let mut found = false;
        expr.leaves(&mut |leaf| found |= matches!(leaf, Leaf::Dual(..)));
        found
    };
    model.players.iter().flat_map(|player| &player.claims).any(|claim| reads(&claim.value))
        || model.named.iter().any(|named| reads(&named.expr))
        || model.solves.iter().any(|solve| matches!(solve.body, SolveBody::Game(_)))
}
