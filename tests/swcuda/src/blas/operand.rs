//! Operands of libraries: matrices in device memory, by columns, `ld` elements from one to the next.

use super::real::Real;
use crate::driver::queue::out_of_bounds;
use crate::machine::fault::{Fault, FaultKind};
use crate::machine::memory::Memory;

/// Which elements a call refers to; the others may hold anything, or nothing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Part {
    All,
    Lower,
    Upper,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Operand {
    call: &'static str,
    what: &'static str,
    at: u64,
    pub rows: usize,
    pub columns: usize,
    ld: usize,
    part: Part,
}

impl Operand {
    pub fn matrix(
        call: &'static str,
        what: &'static str,
        at: u64,
        (rows, columns): (usize, usize),
        ld: usize,
    ) -> Operand {
        Operand { call, what, at, rows, columns, ld, part: Part::All }
    }

    /// Elements `step` apart.
    pub fn vector(call: &'static str, what: &'static str, at: u64, length: usize, step: usize) -> Operand {
        Operand::matrix(call, what, at, (1, length), step)
    }

    pub fn part(self, part: Part) -> Operand {
        Operand { part, ..self }
    }

    /// The matrix `index` strides further on.
    pub fn stepped(self, stride: i64, index: usize, size: usize) -> Operand {
        let by = stride.wrapping_mul(index as i64).wrapping_mul(size as i64);
        Operand { at: self.at.wrapping_add_signed(by), ..self }
    }

    /// The rows of a column that count.
    fn rows_of(&self, column: usize) -> std::ops::Range<usize> {
        match self.part {
            Part::All => 0..self.rows,
            Part::Lower => column.min(self.rows)..self.rows,
            Part::Upper => 0..(column + 1).min(self.rows),
        }
    }

    /// The whole matrix must lie in one allocation.
    fn check(&self, memory: &Memory, size: usize) -> Result<(), Fault> {
        if self.rows == 0 || self.columns == 0 {
            return Ok(());
        }
        let length = ((self.columns - 1) * self.ld + self.rows) * size;
        let what = || {
            format!(
                "{} of {}, {}×{} with leading dimension {},",
                self.what, self.call, self.rows, self.columns, self.ld
            )
        };
        if !self.at.is_multiple_of(size as u64) {
            let text = format!("{} begins at {:#x}", what(), self.at);
            return Err(Fault::outside(FaultKind::Misaligned, text));
        }
        memory.check(self.at, length as u64).map_err(|why| {
            let mut fault = out_of_bounds(&what(), self.at, length, why);
            if fault.kind == FaultKind::Copy {
                fault.kind = FaultKind::OutOfBounds;
            }
            fault
        })
    }

    /// The elements by columns, without gaps; what doesn't count is 0.
    pub fn read<T: Real>(&self, memory: &mut Memory) -> Result<Vec<T>, Fault> {
        self.check(memory, T::SIZE)?;
        let mut out = vec![T::default(); self.rows * self.columns];
        for j in 0..self.columns {
            let rows = self.rows_of(j);
            if rows.is_empty() {
                continue;
            }
            let at = self.at + ((j * self.ld + rows.start) * T::SIZE) as u64;
            let length = rows.len() * T::SIZE;
            let (bytes, written) =
                memory.slices(at, length).map_err(|why| out_of_bounds(self.what, at, length, why))?;
            if let Some(k) = written.as_ref().and_then(|w| w.iter().position(|b| *b == 0)) {
                let row = rows.start + k / T::SIZE;
                let text = format!("element ({row}, {j}) of {} of {}", self.what, self.call);
                return Err(Fault::outside(FaultKind::Unwritten, text));
            }
            for (i, bytes) in rows.zip(bytes.chunks_exact(T::SIZE)) {
                out[j * self.rows + i] = T::read(bytes);
            }
        }
        Ok(out)
    }

    /// Writes what counts.
    pub fn write<T: Real>(&self, memory: &mut Memory, values: &[T]) -> Result<(), Fault> {
        self.check(memory, T::SIZE)?;
        for j in 0..self.columns {
            let rows = self.rows_of(j);
            let at = self.at + ((j * self.ld + rows.start) * T::SIZE) as u64;
            let mut bytes = vec![0; rows.len() * T::SIZE];
            for (i, bytes) in rows.zip(bytes.chunks_exact_mut(T::SIZE)) {
                values[j * self.rows + i].write(bytes);
            }
            let length = bytes.len();
            memory.write(at, &bytes).map_err(|why| out_of_bounds(self.what, at, length, why))?;
        }
        Ok(())
    }
}

/// An operation of the libraries on a matrix: 0 is as it is, 1 and 2 transposed.
pub(crate) fn is_transposed(operation: i32) -> Option<bool> {
    match operation {
        0 => Some(false),
        1 | 2 => Some(true),
        _ => None,
    }
}

/// The triangle that 0 (lower) and 1 (upper) stand for.
pub(crate) fn triangle(fill: i32) -> Option<Part> {
    match fill {
        0 => Some(Part::Lower),
        1 => Some(Part::Upper),
        _ => None,
    }
}

pub(crate) fn transpose<T: Real>(a: &[T], rows: usize, columns: usize) -> Vec<T> {
    let mut out = vec![T::default(); a.len()];
    for j in 0..columns {
        for i in 0..rows {
            out[i * columns + j] = a[j * rows + i];
        }
    }
    out
}
