//! How far a run is: one line redrawn on a terminal, a line now and then in a pipe, nothing with
//! `-q`.
//!
//! Times come from the caller, so that nothing here reads a clock to decide.

use std::io::Write;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{number, seconds};

/// Where a run stands.
#[derive(Debug, Clone, Copy)]
pub struct Tick<'a> {
    /// What is counted: `iteration`, `epoch`.
    pub unit: &'a str,
    /// How many are done.
    pub done: u64,
    /// How many there will be.
    pub total: Option<u64>,
    /// Whether the run may stop before `total`, which is then a limit and no plan.
    pub limit: bool,
    /// What is worth seeing: `objective`, `‖r‖`, `‖s‖`, `ρ`.
    pub values: &'a [(&'a str, f64)],
}

/// The line redrawn at most this often, in seconds: what an eye can follow.
const REDRAW: f64 = 0.1;

/// The least time between two lines in a pipe, in seconds. It grows with the run, by
/// [`STRETCH`] of the time passed, so that a night's log has hundreds of lines and not thousands.
const LINE: f64 = 1.0;
const STRETCH: f64 = 0.02;

/// Shows how far a run is.
pub struct Progress<'a> {
    mode: Mode<'a>,
    /// When the next line is due.
    due: f64,
}

enum Mode<'a> {
    Live(ProgressBar),
    Lines(&'a mut dyn Write),
    Quiet,
}

impl<'a> Progress<'a> {
    /// A line on the terminal that standard error is connected to.
    pub fn live() -> Progress<'a> {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr()).with_style(style(false));
        Progress { mode: Mode::Live(bar), due: 0.0 }
    }

    /// Lines of plain text, now and then.
    pub fn lines(out: &'a mut dyn Write) -> Progress<'a> {
        Progress { mode: Mode::Lines(out), due: 0.0 }
    }

    /// Nothing.
    pub fn quiet() -> Progress<'a> {
        Progress { mode: Mode::Quiet, due: f64::INFINITY }
    }

    /// Whether a tick at that time would be shown. Asked first, it saves computing the values.
    pub fn wants(&self, elapsed: f64) -> bool {
        elapsed >= self.due
    }

    /// Shows where the run stands, unless the last line is still fresh.
    pub fn tick(&mut self, elapsed: f64, tick: &Tick) {
        if !self.wants(elapsed) {
            return;
        }
        match &mut self.mode {
            Mode::Live(bar) => {
                self.due = elapsed + REDRAW;
                // Each change draws the line anew, so there is no more than needed.
                if bar.length() != tick.total {
                    bar.set_style(style(tick.total.is_some()));
                    tick.total.iter().for_each(|&total| bar.set_length(total));
                }
                bar.set_position(tick.done);
                bar.set_message(line(elapsed, tick));
            }
            Mode::Lines(out) => {
                self.due = elapsed + LINE.max(STRETCH * elapsed);
                // A closed pipe is the reader's choice; the run goes on for its files.
                let _ = writeln!(out, "{}", line(elapsed, tick));
            }
            Mode::Quiet => {}
        }
    }

    /// A sentence that stays, such as a warning while the run goes on.
    pub fn say(&mut self, text: &str) {
        match &mut self.mode {
            Mode::Live(bar) => bar.println(text),
            Mode::Lines(out) => {
                let _ = writeln!(out, "{text}");
            }
            Mode::Quiet => {}
        }
    }

    /// Takes the live line away.
    pub fn finish(self) {
        if let Mode::Live(bar) = self.mode {
            bar.finish_and_clear();
        }
    }
}

fn style(bar: bool) -> ProgressStyle {
    let template = if bar { "{bar:24} {msg}" } else { "{spinner} {msg}" };
    let style = ProgressStyle::with_template(template).expect("the templates are constant and tested");
    style.progress_chars("━╸─")
}

/// `iteration 120/1000  objective 3.2105  ‖r‖ 0.0012  ρ 1  2.1 s, at most 15 s left`.
fn line(elapsed: f64, tick: &Tick) -> String {
    let total = tick.total.map_or(String::new(), |total| format!("/{total}"));
    let mut line = format!("{} {}{total}", tick.unit, tick.done);
    for (name, value) in tick.values {
        line += &format!("  {name} {}", number(*value));
    }
    line += &format!("  {}", seconds(elapsed));
    if let Some(total) = tick.total.filter(|&total| tick.done > 0 && tick.done < total) {
        let left = elapsed / tick.done as f64 * (total - tick.done) as f64;
        line += &format!(", {}{} left", if tick.limit { "at most " } else { "" }, seconds(left));
    }
    line
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    fn tick<'a>(done: u64, values: &'a [(&'a str, f64)]) -> Tick<'a> {
        Tick { unit: "iteration", done, total: Some(1000), limit: true, values }
    }

    #[test]
    fn plain_lines_at_a_bounded_rate() {
        let mut out = Vec::new();
        let mut progress = Progress::lines(&mut out);
        for done in 1..=400 {
            progress.tick(done as f64 * 0.01, &tick(done, &[("objective", 3.0), ("‖r‖", 1.0 / done as f64)]));
        }
        progress.say("ρ doubled");
        expect![[r"
            iteration 1/1000  objective 3  ‖r‖ 1  10 ms, at most 10 s left
            iteration 101/1000  objective 3  ‖r‖ 0.00990099  1.0 s, at most 9.0 s left
            iteration 201/1000  objective 3  ‖r‖ 0.00497512  2.0 s, at most 8.0 s left
            iteration 301/1000  objective 3  ‖r‖ 0.00332226  3.0 s, at most 7.0 s left
            ρ doubled
        "]]
        .assert_eq(&String::from_utf8_lossy(&out));
    }

    #[test]
    fn a_long_run_slows_its_lines_down() {
        let mut out = Vec::new();
        let mut progress = Progress::lines(&mut out);
        for second in 0..8 * 3600 {
            progress.tick(f64::from(second), &tick(u64::from(second as u32), &[]));
        }
        let lines = out.iter().filter(|&&byte| byte == b'\n').count();
        assert!((100..500).contains(&lines), "{lines} lines in eight hours");
    }

    #[test]
    fn without_a_total_nothing_is_promised() {
        let tick = Tick { unit: "epoch", done: 3, total: None, limit: false, values: &[("ρ", 1.0)] };
        assert_eq!(line(61.0, &tick), "epoch 3  ρ 1  1 min 01 s");
        style(true);
        style(false);
    }
}
