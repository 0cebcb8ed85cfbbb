//! Equations that contradict each other, found before anything runs (E0405), and those that follow from others
//! ([`redundant`], E0406).
//!
//! ```text
//! Kᵀy = 0, ⟨c, y⟩ ≠ 0   the rows of Kv = c, added up with weights y, say 0 = 1
//! Kᵀy = 0, ⟨c, y⟩ = 0   they say 0 = 0
//! ```
//!
//! The rows that can take part are cut into pieces without a common column ([`system`]): in `A*x - z = 0` there
//! are none, and equations between elements are many small ones. A QR factorisation finds every combination in a
//! piece; of a piece that is too large for it, the residual of least squares ([`unreached`]) finds whether c is
//! met at all. What is larger than that is not judged: nothing is said of it, as most of it is well-posed.

mod message;
mod redundant;
mod system;
#[cfg(test)]
mod tests;

use super::direction;
use super::ir::Coupling;
use crate::diag::{Code, Diag, Diags, number};
use crate::linalg::{Csr, Unreached, dependence, disagreement, unreached};
pub(super) use message::report;
pub(super) use redundant::Redundancy;
use redundant::Vanishing;
use system::{Piece, System, TooLarge};

/// Numbers of the rows of a piece, in full, and multiplications of the factors of all: half a second.
const MOST_NUMBERS: usize = 10_000_000;
const MOST_FLOPS: f64 = 2e9;

/// Multiplications for all pieces that are too large for that: about a second.
const MOST_LARGE: f64 = 1e9;

/// How many times farther than the solution of least squares a solution would have to be for there to be none.
const FAR: f64 = 1e3;

/// Rows that a message names.
const NAMED: usize = 6;

/// Share of the heaviest row from which a row counts.
const COUNTS: f64 = 1e-7;

/// Reports combinations of equations that no point satisfies; gives those that say nothing.
pub(super) fn check(equations: &[Coupling], diags: &mut Diags) -> Redundancy {
    let system = match System::of(equations) {
        Ok(Some(system)) => system,
        Ok(None) => return Redundancy::default(),
        Err(TooLarge) => {
            diags.leave("whether the equations contradict each other: they have too many entries".to_string());
            return Redundancy::default();
        }
    };
    let pieces = system.pieces();
    let is_small = |piece: &Piece| {
        let (rows, columns) = (piece.matrix.rows, piece.matrix.cols);
        rows * columns.max(rows) <= MOST_NUMBERS && flops(piece) <= MOST_FLOPS
    };
    let share = MOST_LARGE / pieces.iter().filter(|piece| !is_small(piece)).count().max(1) as f64;
    let mut left = MOST_FLOPS;
    let mut vanishing = Vec::new();
    let mut told: Vec<Vec<usize>> = Vec::new();
    for piece in pieces {
        let right: Vec<f64> = piece.rows.iter().map(|&row| system.right[row]).collect();
        let contradiction = if !is_small(&piece) {
            large(&piece.matrix, &right, share).map(|(weights, proof)| (weights, Some(proof)))
        } else {
            left -= flops(&piece);
            if left < 0.0 {
                diags.leave("whether all equations go together: they take too many multiplications".to_string());
                break;
            }
            let Some(found) = dependence(&piece.matrix.into()) else { continue };
            let combinations: Vec<Vec<f64>> = found.combinations().collect();
            if !combinations.is_empty() {
                vanishing.push(Vanishing { rows: piece.rows.clone(), combinations });
            }
            found.contradiction(&right).map(|weights| (weights, None))
        };
        let Some((weights, proof)) = contradiction else { continue };
        let named = counted(&piece.rows, &weights);
        let mut involved: Vec<usize> = named.iter().map(|&(row, _)| system.equation_of(row)).collect();
        involved.dedup();
        // Elementwise equations contradict each other in as many pieces as there are elements.
        if !told.contains(&involved) {
            diags.push(contradicting(&system, &named, &involved, proof));
            told.push(involved);
        }
    }
    match told.is_empty() {
        true => redundant::find(&system, vanishing),
        // What contradicts is not redundant, and one cause is told once.
        false => Redundancy::default(),
    }
}

/// Multiplications of a piece's factor.
fn flops(piece: &Piece) -> f64 {
    let (rows, columns) = (piece.matrix.rows as f64, piece.matrix.cols as f64);
    rows * rows * columns
}

/// A contradiction in rows that are too many for all combinations, and how sure it is.
fn large(matrix: &Csr, right: &[f64], most: f64) -> Option<(Vec<f64>, String)> {
    let Unreached { weights, away, length, turns } = unreached(matrix, right, most)?;
    disagreement(&weights, right).filter(|_| away > FAR * length)?;
    let proof = format!(
        "found by least squares in {turns} turns, to rounding: with rows and columns brought to length 1, whatever satisfied them would be {} times as far out as what comes closest",
        number(10f64.powi((away / length.max(f64::MIN_POSITIVE)).log10().floor().clamp(0.0, 300.0) as i32))
    );
    Some((weights, proof))
}

/// The rows that count in a combination, with their weights.
fn counted(rows: &[usize], weights: &[f64]) -> Vec<(usize, f64)> {
    let largest = weights.iter().fold(0.0, |largest: f64, w| w.abs().max(largest));
    rows.iter().zip(weights).filter(|(_, w)| w.abs() > COUNTS * largest).map(|(&row, &w)| (row, w)).collect()
}

/// `all − first − 2 × last`: the heaviest rows of a combination, the heaviest counting once; and by what the
/// combination was divided for that.
fn combination(system: &System, named: &[(usize, f64)]) -> (String, f64) {
    let largest = named.iter().fold(0.0, |largest: f64, (_, w)| w.abs().max(largest));
    let mut shown: Vec<(usize, f64)> = named.to_vec();
    // The sort is stable: of rows that are equally heavy, to six digits, the first are named.
    let heavy = |weight: f64| (weight.abs() / largest * 1e6).round();
    shown.sort_by(|(_, a), (_, b)| heavy(*b).total_cmp(&heavy(*a)));
    shown.truncate(NAMED);
    shown.sort_by_key(|(row, _)| *row);
    let first = shown.first().map_or(1.0, |(_, w)| w.signum());
    let mut words = String::new();
    for (row, weight) in &shown {
        let times = number(weight.abs() / largest);
        let times = if times == "1" { String::new() } else { format!("{times} × ") };
        words.push_str(&format!("{}{times}{}", direction::sign(words.is_empty(), first * weight), system.name(*row)));
    }
    if named.len() > shown.len() {
        words.push_str(&format!(" and {} rows more", named.len() - shown.len()));
    }
    (words, first * largest)
}

/// `named` are rows and their weights; added up they say `0 = 1`.
fn contradicting(system: &System, named: &[(usize, f64)], involved: &[usize], proof: Option<String>) -> Diag {
    let (words, divisor) = combination(system, named);
    let spans: Vec<_> = involved.iter().map(|&at| system.equations[at].span).collect();
    let mut diag = Diag::new(
        Code::InconsistentConstraint,
        spans[0],
        "the equations contradict each other: nothing satisfies them all",
    )
    .here(if involved.len() == 1 { "rows of this one" } else { "this one" })
    .certify(format!("{words} says 0 = {}", number(1.0 / divisor)))
    .help("the multipliers would grow without end; take out the row that is wrong, or correct its right side");
    if let Some(proof) = proof {
        diag = diag.certify(proof);
    }
    // Members of a loop that was written out stand in one place.
    let mut labelled = vec![spans[0]];
    for &span in &spans[1..] {
        if !labelled.contains(&span) {
            diag = diag.label(span, "and this one");
            labelled.push(span);
        }
    }
    diag
}
