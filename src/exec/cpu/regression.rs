//! Isotonic regression and the proximal step of total variation, each in time that grows with the
//! length, along rows, in doubles. `work` is what they need beside the result.

use super::memory::Element;

/// Doubles of workspace by the length of a row: for [`isotonic`], for [`taut_string`].
pub(super) const ISOTONIC_WORK: usize = 3;
pub(super) const TAUT_STRING_WORK: usize = 4;

/// Weighted isotonic regression by pooling adjacent violators (Barlow et al., Statistical Inference under
/// Order Restrictions, 1972, §1.2): a stack of blocks with ascending means; a new element joins the last
/// block while it would lie below it.
pub(super) fn isotonic<T: Element>(y: &mut [T], v: &[T], w: &[T], row: usize, work: &mut [f64]) {
    let (means, work) = work.split_at_mut(row);
    let (weights, starts) = work.split_at_mut(row);
    let row = row.max(1);
    for ((y, v), w) in y.chunks_exact_mut(row).zip(v.chunks_exact(row)).zip(w.chunks_exact(row)) {
        let regular = v.iter().all(|v| v.wide().is_finite()) && w.iter().all(|w| w.wide().is_finite());
        if !regular || w.iter().any(|w| w.wide() < 0.0) {
            y.fill(T::of(f64::NAN));
            continue;
        }
        let mut blocks = 0;
        for (i, (v, w)) in v.iter().zip(w).enumerate() {
            let (mut mean, mut weight, mut start) = (v.wide(), w.wide(), i);
            while blocks > 0 && means[blocks - 1] >= mean {
                blocks -= 1;
                let (before, sum) = (starts[blocks] as usize, weights[blocks] + weight);
                let share = if sum > 0.0 { weight / sum } else { (i + 1 - start) as f64 / (i + 1 - before) as f64 };
                mean = means[blocks] + share * (mean - means[blocks]);
                (weight, start) = (sum, before);
            }
            (means[blocks], weights[blocks], starts[blocks]) = (mean, weight, start as f64);
            blocks += 1;
        }
        let mut end = y.len();
        for block in (0..blocks).rev() {
            let start = starts[block] as usize;
            y[start..end].fill(T::of(means[block]));
            end = start;
        }
    }
}

/// One side of what a taut string may be from its last knot on: pieces with ascending slopes for the
/// upper side (its greatest convex minorant), descending for the lower. Slopes are kept as `sign` times
/// what they are, so that they ascend on both sides.
struct Side<'a> {
    slopes: &'a mut [f64],
    starts: &'a mut [f64],
    /// Pieces `first .. end`.
    first: usize,
    end: usize,
}

impl<'a> Side<'a> {
    fn new(work: &'a mut [f64]) -> Side<'a> {
        let (slopes, starts) = work.split_at_mut(work.len() / 2);
        Side { slopes, starts, first: 0, end: 0 }
    }

    /// One more element, the last of which is `i`.
    fn push(&mut self, i: usize, slope: f64) {
        let (mut slope, mut start) = (slope, i);
        while self.end > self.first && self.slopes[self.end - 1] >= slope {
            self.end -= 1;
            let before = self.starts[self.end] as usize;
            let share = (i + 1 - start) as f64 / (i + 1 - before) as f64;
            slope = self.slopes[self.end] + share * (slope - self.slopes[self.end]);
            start = before;
        }
        (self.slopes[self.end], self.starts[self.end]) = (slope, start as f64);
        self.end += 1;
    }

    fn slope(&self) -> f64 {
        self.slopes[self.first]
    }

    fn start(&self) -> usize {
        self.starts[self.first] as usize
    }

    fn pieces(&self) -> usize {
        self.end - self.first
    }
}

/// The string's slopes: both sides are extended by an element at a time; where the first piece of one
/// must cross that of the other, which has then more than one, the string is the latter's, and its end a
/// knot from which the former is one piece.
pub(super) fn taut_string<T: Element>(y: &mut [T], v: &[T], t: T, row: usize, work: &mut [f64]) {
    let (upper_work, lower_work) = work.split_at_mut(2 * row);
    let row = row.max(1);
    for (y, v) in y.chunks_exact_mut(row).zip(v.chunks_exact(row)) {
        let regular = t.wide() >= 0.0 && v.iter().all(|v| v.wide().is_finite());
        if !regular {
            y.fill(T::of(f64::NAN));
            continue;
        }
        // Beyond this the string is straight.
        let t = t.wide().min(v.iter().map(|v| v.wide().abs()).sum());
        let n = v.len();
        let (mut upper, mut lower) = (Side::new(upper_work), Side::new(lower_work));
        for (i, v) in v.iter().enumerate() {
            let opening = if i == 0 { t } else { 0.0 };
            let closing = if i + 1 == n { t } else { 0.0 };
            upper.push(i, v.wide() + (opening - closing));
            lower.push(i, -(v.wide() - (opening - closing)));
            while upper.slope() < -lower.slope() {
                let (bent, held, sign) = match (upper.pieces(), lower.pieces()) {
                    (1, 2..) => (&mut upper, &mut lower, -1.0),
                    (2.., 1) => (&mut lower, &mut upper, 1.0),
                    // What is left is rounding: both sides end at one point.
                    _ => break,
                };
                let (start, slope) = (held.start(), held.slope());
                held.first += 1;
                let knot = held.start();
                y[start..knot].fill(T::of(sign * slope));
                // The held slope with the sign that the bent side keeps its slopes at.
                let (steps, left) = ((knot - start) as f64, (i + 1 - knot) as f64);
                let bent_slope = &mut bent.slopes[bent.first];
                *bent_slope += (*bent_slope + slope) * (steps / left);
                bent.starts[bent.first] = knot as f64;
            }
        }
        let mut end = n;
        for piece in (upper.first..upper.end).rev() {
            let start = upper.starts[piece] as usize;
            y[start..end].fill(T::of(upper.slopes[piece]));
            end = start;
        }
    }
}
