//! `admmc explain FILE --device cuda`: what one iteration asks of a GPU, call by call, and which device
//! `--device auto` takes for it.

use super::{Align, Look, Table, seconds};
use crate::exec::cuda::{Load, PassLoad};

/// The table, and what follows from it on a machine with so many threads.
pub fn load(pass: &PassLoad, threads: usize, look: Look) -> String {
    let mut table = Table::new(&[
        ("", Align::Left),
        ("kernels", Align::Right),
        ("routines", Align::Right),
        ("bytes", Align::Right),
        ("flops", Align::Right),
    ]);
    let mut row = |what: &str, load: Load| {
        let counts = [load.kernels as u64, load.routines as u64, load.bytes, load.flops].map(grouped);
        table.row(std::iter::once(format!("  {what}")).chain(counts));
    };
    pass.every.iter().for_each(|(what, load)| row(what, *load));
    pass.sometimes.iter().flatten().for_each(|(what, load)| row(&format!("where due: {what}"), *load));
    table.rule();
    let total = pass.total();
    let counts = [total.kernels as u64, total.routines as u64, total.bytes, total.flops].map(grouped);
    table.row(std::iter::once("  every time".to_owned()).chain(counts));
    let loops = counted(pass.loops, "an inner loop", "inner loops");
    let searches = counted(pass.searches, "a search along a line", "searches along lines");
    let waits = match (pass.loops, pass.searches) {
        (0, 0) => "the host looks after 1, 2, 4, … 64 of them, and waits nowhere in between".to_owned(),
        (_, 0) => format!("the host looks whether {loops} may end, after 1, 2, 4, … turns"),
        (0, _) => format!("the host decides {searches}, and waits for each trial"),
        _ => format!("the host decides {searches} and when {loops} may end, and waits for each trial"),
    };
    let unit = pass.unit.word();
    format!(
        "one {unit} on a GPU, beside the tests and the row of its trace:\n\n{}\n{waits}\n{}\n",
        table.render(look),
        choice(total, unit, threads).1
    )
}

/// Whether a GPU is expected to be the faster one, and that in a sentence.
pub fn choice(load: Load, unit: &str, threads: usize) -> (bool, String) {
    let (here, there) = (load.seconds_of_processor(threads), load.seconds());
    let launches = match load.launches() {
        1 => "1 launch".to_owned(),
        n => format!("{n} launches"),
    };
    let is_gpu = there < here;
    let sentence = format!(
        "one {unit}, {launches} and {}, is expected to take {} on a GPU, {} on the processor",
        bytes(load.bytes),
        time(there),
        time(here)
    );
    (is_gpu, sentence)
}

/// `an inner loop`, `2 inner loops`
fn counted(n: usize, one: &str, several: &str) -> String {
    if n == 1 { one.to_owned() } else { format!("{n} {several}") }
}

/// `12 µs`
fn time(duration: f64) -> String {
    if duration < 9.995e-4 { format!("{:.0} µs", (duration * 1e6).max(1.0)) } else { seconds(duration) }
}

/// `12 MB`
fn bytes(bytes: u64) -> String {
    match bytes {
        0..10_000 => format!("{bytes} bytes"),
        10_000..10_000_000 => format!("{} kB", bytes / 1000),
        _ => format!("{} MB", bytes / 1_000_000),
    }
}

/// `1 234 567`
pub(super) fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_one_stays_and_a_large_one_goes() {
        let small = Load { kernels: 10, alone: 10, routines: 0, bytes: 10_000, flops: 10_000 };
        let (is_gpu, sentence) = choice(small, "iteration", 4);
        assert!(!is_gpu, "{sentence}");
        let large = Load { kernels: 8, alone: 0, routines: 2, bytes: 4_000_000_000, flops: 1_000_000_000 };
        let (is_gpu, sentence) = choice(large, "iteration", 4);
        assert!(is_gpu, "{sentence}");
        assert_eq!(
            sentence,
            "one iteration, 10 launches and 4000 MB, is expected to take 13.4 ms on a GPU, 33.3 ms on the processor"
        );
    }
}
