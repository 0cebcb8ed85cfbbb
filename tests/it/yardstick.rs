//! The reference, which computes everything naively in doubles: every example begins on it as on the processor, and
//! every problem with a trusted answer is solved on it.

use admmc::exec::Reference;
use admmc::pipeline::Compiled;

use crate::cases::{NAMES, files, judge};
use crate::compile::{end, end_on};
use crate::examples;
use crate::passes::compare;

/// Cases that take the reference longer than half a minute to the end: their first passes are compared.
const SHORT: &[&str] = &["deconv_tv_48", "ot_lp", "tv2d_aniso_64"];

/// A file that it takes minutes to begin with: it eliminates in a sparse matrix densely, here of order 4096.
const OUT: (&str, &str) = ("tv2d_aniso_64", "tv2d_aniso_64.admm");

#[test]
fn examples_begin_as_on_the_processor() {
    for name in examples::names() {
        compare(&name, examples::compiled(&name).schedule, &mut Reference::new());
    }
}

#[test]
fn cases_are_solved() {
    let mut wrong = Vec::new();
    for name in NAMES {
        for file in files(name).into_iter().filter(|file| (*name, file.to_string().as_str()) != OUT) {
            if SHORT.contains(name) {
                let compiled = file.compile().expect("what has no answer is not slow");
                compare(name, compiled.schedule, &mut Reference::new());
                continue;
            }
            let mut execute = |compiled: &Compiled| {
                let (here, there) = (end(compiled), end_on(&compiled.schedule, &mut Reference::new()));
                assert_eq!(here.status.word(), there.status.word(), "{name}, {file}");
                there
            };
            let faults = judge(name, &file, &mut execute);
            wrong.extend(faults.into_iter().map(|fault| format!("{name}, {file}: {fault}")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
