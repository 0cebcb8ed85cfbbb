//! Every example gives the processor's numbers on the device, pass by pass.

use super::{device, libraries};
use crate::examples;
use crate::passes::compare;

/// One in `of` of the examples, from the `part`-th on.
fn check(part: usize, of: usize) {
    let Some(folder) = libraries("examples") else { return };
    for name in examples::names().iter().skip(part).step_by(of) {
        compare(name, examples::compiled(name).schedule, &mut device(folder.clone()));
    }
}

#[test]
fn every_third() {
    check(0, 3);
}

#[test]
fn every_third_from_the_second() {
    check(1, 3);
}

#[test]
fn every_third_from_the_third() {
    check(2, 3);
}
