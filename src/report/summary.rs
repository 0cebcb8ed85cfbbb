//! What a run came to, as a table for people and as `result.json` for programs.

use serde_json::{Map, Value, json};

use super::number::brief;
use super::{Align, Look, Table, number, seconds, shown};

/// The outcome in words and numbers.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Summary {
    /// The file, as given.
    pub file: String,
    /// The name of the solve block, where it has one.
    pub solve: Option<String>,
    /// `solved`, `completed`, `iteration limit`, …
    pub status: String,
    /// Whether that status is what the user hoped for.
    pub good: bool,
    /// One sentence more, where there is one.
    pub because: Option<String>,
    /// The objective, by the user's labels.
    pub terms: Vec<(String, f64)>,
    /// Their sum, in the sense it was written (a maximised objective is not negated).
    pub objective: Option<f64>,
    /// What the objective can't be better than, near the answer.
    pub bound: Option<f64>,
    /// Numbers that the problem names, computed from the variables.
    pub named: Vec<(String, f64)>,
    /// All results that are one number: variables, multipliers, what is named.
    pub values: Vec<(String, f64)>,
    /// Residuals against their tolerances.
    pub residuals: Vec<Residual>,
    /// How often: (`iterations`, 412), (`epochs`, 250).
    pub counts: Vec<(String, u64)>,
    /// The last value of everything tracked.
    pub tracks: Vec<(String, f64)>,
    /// Seconds in all.
    pub seconds: f64,
    /// Seconds by step.
    pub times: Vec<(String, f64)>,
    /// `cpu`, `reference`, …
    pub device: String,
    /// Where every random stream began.
    pub seed: u64,
    /// What was said of the file and of the run, as an editor reads it.
    pub diagnostics: Vec<Value>,
    /// Files written, relative to the folder of the results.
    pub files: Vec<String>,
}

/// A stopping quantity and the bound it is held against.
#[derive(Debug, Clone, PartialEq)]
pub struct Residual {
    /// `‖r‖ primal`
    pub name: String,
    /// Its last value.
    pub value: f64,
    /// The bound, where the run had one.
    pub tolerance: Option<f64>,
}

impl Summary {
    /// The final table.
    pub fn render(&self, look: Look) -> String {
        let mut table = Table::new(&[("", Align::Left), ("", Align::Right), ("", Align::Left)]);
        for (label, value) in &self.terms {
            table.row([label.clone(), number(*value)]);
        }
        if let Some(objective) = self.objective {
            table.row(["objective".to_owned(), number(objective)]);
        }
        if let Some(bound) = self.bound {
            table.row(["dual bound".to_owned(), number(bound)]);
        }
        for (name, value) in &self.named {
            table.row([name.clone(), number(*value)]);
        }
        table.rule();
        for Residual { name, value, tolerance } in &self.residuals {
            let bound = tolerance.map_or(String::new(), |tolerance| {
                format!("{} {}", if *value <= tolerance { "≤" } else { ">" }, brief(tolerance))
            });
            table.row([name.clone(), brief(*value), bound]);
        }
        // The objective stands above, recomputed.
        let again = |name: &str| name == "objective" && self.objective.is_some();
        for (name, value) in self.tracks.iter().filter(|(name, _)| !again(name)) {
            table.row([shown(name).to_owned(), number(*value)]);
        }
        table.rule();
        for (name, count) in &self.counts {
            table.row([name.clone(), count.to_string()]);
        }
        table.row(["time".to_owned(), seconds(self.seconds)]);
        for (step, time) in &self.times {
            let share =
                if self.seconds > 0.0 { format!("{:.0} %", 100.0 * time / self.seconds) } else { String::new() };
            table.row([format!("  {step}"), seconds(*time), share]);
        }

        let status = look.paint(if self.good { 32 } else { 31 }, &self.status);
        let because = self.because.as_ref().map_or(String::new(), |because| format!(": {because}"));
        format!("{status}{because}\n{}", table.render(look))
    }

    /// The text of `result.json`.
    pub fn json(&self) -> String {
        let residuals = self.residuals.iter().map(|residual| {
            let tolerance = residual.tolerance.map_or(Value::Null, float);
            json!({ "name": residual.name, "value": float(residual.value), "tolerance": tolerance })
        });
        let value = json!({
            "admmc": env!("CARGO_PKG_VERSION"),
            "file": self.file,
            "solve": self.solve,
            "status": self.status,
            "because": self.because,
            "objective": self.objective.map(float),
            "bound": self.bound.map(float),
            "terms": floats(&self.terms),
            "values": floats(&self.values),
            "residuals": residuals.collect::<Vec<_>>(),
            "counts": self.counts.iter().map(|(name, n)| (name.clone(), json!(n))).collect::<Map<_, _>>(),
            "tracks": floats(&self.tracks),
            "seconds": float(self.seconds),
            "times": floats(&self.times),
            "device": self.device,
            "seed": self.seed,
            "diagnostics": self.diagnostics,
            "files": self.files,
        });
        format!("{value:#}\n")
    }
}

/// JSON has no NaN and no infinity: they are written as text, so that they don't vanish.
fn float(value: f64) -> Value {
    match serde_json::Number::from_f64(value) {
        Some(number) => Value::Number(number),
        None if value.is_nan() => json!("NaN"),
        None => json!(if value > 0.0 { "Infinity" } else { "-Infinity" }),
    }
}

fn floats(named: &[(String, f64)]) -> Map<String, Value> {
    named.iter().map(|(name, value)| (name.clone(), float(*value))).collect()
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    fn example() -> Summary {
        let residual = |name: &str, value| Residual { name: name.to_owned(), value, tolerance: Some(1e-6) };
        Summary {
            file: "lasso.admm".to_owned(),
            status: "solved".to_owned(),
            good: true,
            terms: vec![("fit".to_owned(), 3.25), ("reg".to_owned(), 0.5)],
            objective: Some(3.75),
            bound: Some(3.5),
            named: vec![("risk".to_owned(), 0.125)],
            values: vec![("risk".to_owned(), 0.125), ("dual(budget)".to_owned(), -2.0)],
            residuals: vec![residual("‖r‖ primal", 4e-7), residual("‖s‖ dual", 2e-6)],
            counts: vec![("iterations".to_owned(), 120)],
            tracks: vec![("loss".to_owned(), f64::NAN)],
            seconds: 2.0,
            times: vec![("x-step".to_owned(), 1.5), ("z-step".to_owned(), 0.25)],
            device: "cpu".to_owned(),
            seed: 7,
            files: vec!["result.json".to_owned()],
            ..Summary::default()
        }
    }

    #[test]
    fn the_table() {
        expect![[r#"
            solved
            fit          3.25
            reg           0.5
            objective    3.75
            dual bound    3.5
            risk        0.125
            ─────────────────────────
            ‖r‖ primal   4e-7  ≤ 1e-6
            ‖s‖ dual     2e-6  > 1e-6
            loss          NaN
            ─────────────────────────
            iterations    120
            time        2.0 s
              x-step    1.5 s  75 %
              z-step    0.2 s  12 %
        "#]]
        .assert_eq(&example().render(Look { terminal: true, colour: false }));
    }

    #[test]
    fn colour_is_for_the_status() {
        let failed =
            Summary {
                good: false, status: "diverged".to_owned(), because: Some("‖r‖ grew".to_owned()), ..example()
            };
        let text = failed.render(Look { terminal: true, colour: true });
        assert!(text.starts_with("\x1b[31mdiverged\x1b[0m: ‖r‖ grew\n"), "{text}");
    }

    #[test]
    fn result_json() {
        expect![[r#"
            {
              "admmc": "0.1.0",
              "file": "lasso.admm",
              "solve": null,
              "status": "solved",
              "because": null,
              "objective": 3.75,
              "bound": 3.5,
              "terms": {
                "fit": 3.25,
                "reg": 0.5
              },
              "values": {
                "risk": 0.125,
                "dual(budget)": -2.0
              },
              "residuals": [
                {
                  "name": "‖r‖ primal",
                  "value": 4e-7,
                  "tolerance": 1e-6
                },
                {
                  "name": "‖s‖ dual",
                  "value": 2e-6,
                  "tolerance": 1e-6
                }
              ],
              "counts": {
                "iterations": 120
              },
              "tracks": {
                "loss": "NaN"
              },
              "seconds": 2.0,
              "times": {
                "x-step": 1.5,
                "z-step": 0.25
              },
              "device": "cpu",
              "seed": 7,
              "diagnostics": [],
              "files": [
                "result.json"
              ]
            }
        "#]]
        .assert_eq(&example().json());
    }
}
