//! Program → program. A pass a file; each leaves a verified program with the same inputs and outputs.
//!
//! A user's expressions go through [`stabilise`] **before** they are differentiated, so that both
//! value and derivative take the stable form; what was built goes through [`optimise`] **after**,
//! once, and is then run.
//!
//! No pass re-associates or distributes: a device computes what was written, in the order in which it
//! was written. Only `stabilise` changes the rounding of a result.

mod absorb_transposes;
mod common;
mod dead;
mod pattern;
mod rewrite;
mod simplify;
mod stabilise;
#[cfg(test)]
mod tests;

pub use stabilise::{Rewrite, stabilise};

use super::ir::Program;
use super::verify::verify;

/// The program that devices run, in place of the one that was built: the passes in turn, until they
/// find nothing more to do.
pub fn optimise(program: &Program) -> Program {
    let passes: [(&str, Pass); 4] = [
        // No identity that is exact in floating point applies to any instruction.
        ("simplify", simplify::simplify),
        // No operand of a product of matrices is a transpose, nor is its result transposed.
        ("absorb transposes", absorb_transposes::absorb_transposes),
        // No two instructions compute the same.
        ("common subexpressions", common::common),
        // Every instruction but inputs serves an output.
        ("dead code", dead::dead),
    ];
    let mut before = program.clone();
    loop {
        let pass = |program, (name, pass): &(&str, Pass)| checked(name, pass(&program));
        let after = passes.iter().fold(before.clone(), pass);
        // Compared as text, in which a NaN equals itself.
        if after.to_string() == before.to_string() {
            return after;
        }
        before = after;
    }
}

type Pass = fn(&Program) -> Program;

fn checked(pass: &str, program: Program) -> Program {
    if cfg!(debug_assertions)
        && let Err(error) = verify(&program)
    {
        unreachable!("{pass} leaves a verified program: {error}\n{program}");
    }
    program
}
