//! The problems with trusted answers, and the networks, on the device: judged as on the processor.
//!
//! Every file of every case runs to its end on both, to one status, and to objectives no further apart than the
//! case allows. What the device answers is judged against `expected.json`, as the processor's answer is.

use std::path::Path;

use admmc::exec::Outcome;
use admmc::pipeline::Compiled;

use super::{device, libraries};
use crate::cases::{File, NAMES, files, judge, networks, objectives_within};
use crate::compile::{end, end_on};
use crate::passes::compare;

/// Files of which only the first passes are compared, since an interpreter takes more than 20 seconds to the
/// end: what they iterate, and how often.
const SHORT: &[(&str, &[&str])] = &[
    // Images of 48 × 48, of which each pixel is blurred by 25; longer than a minute.
    ("deconv_tv_48", &["deconv_tv_48.admm"]),
    // 2276 iterations on 300 rows.
    ("lad", &["split.admm"]),
    // 1117 to 2638 iterations on 16 × 20.
    ("ot_lp", &["ot_lp.admm", "scaled.admm at s = 1e-4", "scaled.admm at s = 1e0"]),
    // 377 iterations, each with singular values of 30 × 40.
    ("robust_pca", &["robust_pca.admm", "scaled.admm at s = 1e-4", "scaled.admm at s = 1e0", "scaled.admm at s = 1e4"]),
    // 304 iterations on images of 64 × 64.
    ("tv2d_aniso_64", &["tv2d_aniso_64.admm"]),
];

fn is_short(name: &str, file: &File) -> bool {
    SHORT.iter().any(|(case, files)| *case == name && files.contains(&file.to_string().as_str()))
}

/// A run to its end on both; what is wrong on the device.
fn whole(name: &str, file: &File, folder: &Path) -> Vec<String> {
    let within = objectives_within(name);
    let mut wrong = Vec::new();
    let mut execute = |compiled: &Compiled| -> Outcome {
        let (here, there) = (end(compiled), end_on(&compiled.schedule, &mut device(folder.to_owned())));
        if here.status.word() != there.status.word() {
            wrong.push(format!("{} here and {} there", here.status, there.status));
        }
        let (x, y) = (here.objective(), there.objective());
        // Of what is not a number no comparison holds.
        let near = within.is_none_or(|within| (x - y).abs() <= within * x.abs().max(1.0));
        if !near {
            wrong.push(format!("objectives {x} here and {y} there"));
        }
        there
    };
    let faults = judge(name, file, &mut execute);
    wrong.extend(faults);
    wrong
}

/// One in `of` of the cases, from the `part`-th on.
fn check(part: usize, of: usize) {
    let Some(folder) = libraries("cases") else { return };
    let mut wrong = Vec::new();
    for name in NAMES.iter().skip(part).step_by(of) {
        for file in files(name) {
            if !is_short(name, &file) {
                let faults = whole(name, &file, &folder);
                wrong.extend(faults.into_iter().map(|fault| format!("{name}, {file}: {fault}")));
            } else {
                let compiled = file.compile().expect("what has no answer is not slow");
                compare(name, compiled.schedule, &mut device(folder.clone()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Each of these is there.
#[test]
fn the_short_ones_are_files() {
    for (name, listed) in SHORT {
        let there: Vec<String> = files(name).iter().map(File::to_string).collect();
        assert!(listed.iter().all(|file| there.iter().any(|there| there == file)), "{name}: {there:?}");
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

#[test]
fn networks_have_their_gradients() {
    let Some(folder) = libraries("cases::networks_have_their_gradients") else { return };
    let execute = |compiled: &Compiled| end_on(&compiled.schedule, &mut device(folder.clone()));
    networks::check_mlp(&execute);
    networks::check_gan(&execute);
}
