//! Which rows of random systems follow from which, against their rank.

use super::*;
use crate::linalg::{Matrix, Operator};
use crate::model::ir::{ConstraintId, Member, VarId};
use crate::source::{FileId, Span};
use crate::split::ir::Part;
use crate::tape::Shape;

/// Numbers that look random.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> f64 {
        // Knuth's MMIX.
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as f64 / f64::from(1u32 << 31) * 2.0 - 1.0
    }
}

/// Equations of so many rows each, in one variable.
fn equations(rows: &[Vec<f64>], right: &[f64], heights: &[usize]) -> Vec<Coupling> {
    let mut start = 0;
    let one = |(at, &height): (usize, &usize)| {
        let own = start..start + height;
        start += height;
        let matrix = Matrix::new(height, rows[0].len(), rows[own.clone()].concat());
        let operator = Some(Operator::from(matrix));
        Coupling {
            constraint: ConstraintId(at as u32),
            name: format!("e{}", at + 1),
            span: Span::new(FileId(0), 10 * at, 10 * at + 5),
            over: None,
            shape: Shape(vec![height]),
            parts: vec![Part { var: VarId(0), member: Member::None, operator }],
            offset: right[own].iter().map(|x| -x).collect(),
            weights: None,
        }
    };
    heights.iter().enumerate().map(one).collect()
}

fn rank(rows: &[Vec<f64>]) -> usize {
    if rows.is_empty() {
        return 0;
    }
    let matrix = Matrix::new(rows.len(), rows[0].len(), rows.concat());
    dependence(&matrix.into()).expect("it is small").kept().len()
}

/// Of rows of which some are combinations of others, what is taken out changes no rank, and what stays can't go.
#[test]
fn what_is_named_follows_and_what_stays_does_not() {
    let mut numbers = Numbers(7);
    for case in 0..60 {
        let columns = 4 + case % 3;
        let mut rows: Vec<Vec<f64>> = Vec::new();
        for k in 0..10 {
            let row: Vec<f64> = match k {
                2 | 5 | 8 => {
                    let (a, b) = (numbers.next(), 1e3 * numbers.next());
                    (0..columns).map(|j| a * rows[k - 2][j] + b * rows[k - 1][j]).collect()
                }
                _ => (0..columns).map(|_| numbers.next()).collect(),
            };
            rows.push(row);
        }
        let u: Vec<f64> = (0..columns).map(|_| numbers.next()).collect();
        let right: Vec<f64> = rows.iter().map(|row| row.iter().zip(&u).map(|(x, u)| x * u).sum()).collect();
        let heights = [1, 2, 1, 3, 1, 2];
        let equations = equations(&rows, &right, &heights);
        let mut diags = Diags::default();
        let found = check(&equations, &mut diags);
        assert!(diags.is_empty(), "they agree");
        let mut start = 0;
        let ranges: Vec<_> = heights
            .iter()
            .map(|height| {
                (start, {
                    start += height;
                    start
                })
            })
            .collect();
        let left = |gone: &[usize]| -> Vec<Vec<f64>> {
            let stays = |at: &usize| !gone.contains(at);
            (0..heights.len()).filter(stays).flat_map(|at| rows[ranges[at].0..ranges[at].1].to_vec()).collect()
        };
        let gone: Vec<usize> = found.whole().map(|id| id.index()).collect();
        assert_eq!(rank(&left(&gone)), rank(&rows), "case {case}: {gone:?} follow from the others");
        for at in (0..heights.len()).filter(|at| !gone.contains(at)) {
            let more: Vec<usize> = gone.iter().copied().chain([at]).collect();
            let falls = rank(&left(&more)) < rank(&rows);
            assert!(falls, "case {case}: e{} follows, too, beside {gone:?}", at + 1);
        }
    }
}

/// Rows of different units are combined in their own.
#[test]
fn units_of_rows_do_not_matter() {
    let rows = [vec![1e-9, 0.0, 1e-9], vec![0.0, 1e9, -1e9], vec![1.0, 1.0, 0.0]];
    for (last, redundant, contradicts) in [(3.0, 1, 0), (4.0, 0, 1)] {
        let equations = equations(&rows, &[1e-9, 2e9, last], &[1, 1, 1]);
        let mut diags = Diags::default();
        let found = check(&equations, &mut diags);
        assert_eq!((found.whole().count(), diags.len()), (redundant, contradicts), "{last}");
    }
}

/// What is too large to be looked at is said to be.
#[test]
fn what_is_too_large_is_not_checked() {
    let unchecked = |columns: usize| {
        let mut diags = Diags::default();
        check(&equations(&[vec![1.0; columns], vec![1.0; columns]], &[1.0, 2.0], &[1, 1]), &mut diags);
        assert_eq!(diags.has_errors(), diags.unchecked().is_empty());
        diags.unchecked().len()
    };
    assert_eq!([unchecked(1000), unchecked(2_100_000)], [0, 1]);
}

/// An equation with a variable to itself goes with any others, and so do those that are left with one then.
#[test]
fn what_has_a_variable_to_itself_is_left_out() {
    let scalar =
        |var: u32, s: f64| Part { var: VarId(var), member: Member::None, operator: Some(Operator::Scale(s, 2)) };
    let mut all = equations(&[vec![1.0, 0.0], vec![0.0, 1.0], vec![2.0, 0.0], vec![0.0, 2.0]], &[1.0; 4], &[2, 2]);
    let left = |all: &[Coupling]| {
        let system = System::of(all).unwrap_or_else(|_| panic!("it is small"));
        system.map_or(0, |system| system.equations.len())
    };
    assert_eq!(left(&all), 2);
    // x + y, 2x: what has y alone goes.
    all[0].parts.push(scalar(1, 1.0));
    assert_eq!(left(&all), 1);
    // Element by element what is left has x to itself.
    all[1].parts = vec![scalar(0, 2.0)];
    assert_eq!(left(&all), 0);
    all[1].parts.push(scalar(1, -1.0));
    assert_eq!(left(&all), 2);
}
