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
use crate::model::ir::ConstraintId;
use crate::source::Span;

/// Multiplications of an elimination: a quarter of a second.
const MOST_FLOPS: f64 = 5e8;

/// What an entry has to be of the largest of its combination to be eliminated with.
const PIVOT: f64 = 1e-7;

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
    pub(super) whole: Vec<Whole>,
    /// Combinations of single rows of those that stay.
    pub(super) single: Vec<Single>,
}

/// Combinations that vanish, of rows of the same constraints.
#[derive(Debug)]
pub(super) struct Single {
    /// Which.
    pub constraints: Vec<(ConstraintId, Span)>,
    /// How many, none of which follows from the others.
    pub count: usize,
    /// One of them: `link[1] − 2 × link[3]`.
    pub words: String,
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
pub(super) struct Whole {
    pub constraint: ConstraintId,
    pub name: String,
    pub span: Span,
    /// `link + tie − both`, of its first row.
    pub words: String,
    /// Rows beside the first.
    pub more: usize,
    /// Constraints in that combination, with it.
    pub with: Vec<Span>,
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
    Redundancy { whole, single: singles(system, &vanishing) }
}

/// The combinations that are left, by the constraints that their rows belong to.
fn singles(system: &System, vanishing: &[Vanishing]) -> Vec<Single> {
    let mut found: Vec<Single> = Vec::new();
    for (rows, y) in vanishing.iter().flat_map(|it| it.combinations.iter().map(|y| (&it.rows, y))) {
        let named = counted(rows, y);
        let mut constraints: Vec<(ConstraintId, Span)> = Vec::new();
        for &(row, _) in &named {
            let equation = system.equations[system.equation_of(row)];
            // Rows ascend, and with them equations.
            if constraints.last().is_none_or(|(last, _)| *last != equation.constraint) {
                constraints.push((equation.constraint, equation.span));
            }
        }
        match found.iter_mut().find(|other| other.constraints == constraints) {
            Some(other) => other.count += 1,
            None => found.push(Single { constraints, count: 1, words: combination(system, &named).0 }),
        }
    }
    found
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
