//! `--set lambda=1,0.5,0.25`: one run a value, each beginning where the last ended, with the factors that
//! the parameter is no part of.

use super::args;
use super::complaint::Complaint;
use super::run::{self as one, Chain};
use super::values::Set;
use super::{Exit, Setup, World, problem, say};
use crate::exec::Outcome;
use crate::report::{Align, Table, number, results, seconds};
use crate::schedule::Factors;

/// The settings of each run: every sequence gives its next value, and what is given once stays. `None`
/// where there is no sequence.
///
/// # Errors
/// Where two sequences are of different lengths.
pub(super) fn of(set: &[Set]) -> Result<Option<Vec<Vec<Set>>>, Complaint> {
    let split: Vec<(&str, Vec<&str>)> = set.iter().map(|set| (set.name.as_str(), values(&set.value))).collect();
    let mut long = split.iter().filter(|(_, values)| values.len() > 1);
    let Some((first, values)) = long.next() else { return Ok(None) };
    let count = values.len();
    if let Some((other, values)) = long.find(|(_, values)| values.len() != count) {
        let message = format!("`{first}` takes {count} values and `{other}` {}", values.len());
        return Err(Complaint::new(message).help("parameters that change together take as many values each"));
    }
    let nth = |at: usize| {
        let own = |(name, values): &(&str, Vec<&str>)| Set {
            name: (*name).to_owned(),
            value: values[if values.len() == 1 { 0 } else { at }].to_owned(),
        };
        split.iter().map(own).collect()
    };
    Ok(Some((0..count).map(nth).collect()))
}

/// Values parted by commas.
fn values(text: &str) -> Vec<&str> {
    text.split(',').map(str::trim).collect()
}

/// Runs the file once for each of the settings, each in a folder of its own below a trace of all.
pub(super) fn run(
    args: &args::Run,
    sequence: Vec<Vec<Set>>,
    setup: &Setup,
    world: &mut World,
) -> Result<Exit, Complaint> {
    if args.inputs.solve.as_ref().is_some_and(|names| names.contains(',')) {
        return Err(Complaint::new("a sequence of parameters takes one solve block")
            .help("run the blocks one by one, or give each parameter one value"));
    }
    let all = one::folder(args)?;
    let names: Vec<&str> =
        args.inputs.set.iter().filter(|set| values(&set.value).len() > 1).map(|set| set.name.as_str()).collect();
    let mut chain = Chain { keep: true, ..Chain::default() };
    let mut outcomes: Vec<(String, Outcome)> = Vec::new();
    let mut table = Table::new(&[
        (&names.join(", "), Align::Left),
        ("status", Align::Left),
        ("objective", Align::Right),
        ("iterations", Align::Right),
        ("time", Align::Right),
        ("factors", Align::Left),
    ]);
    let mut worst = Exit::Done;
    for set in sequence {
        let given: Vec<String> =
            set.iter().filter(|set| names.contains(&set.name.as_str())).map(|set| set.value.clone()).collect();
        let label =
            names.iter().zip(&given).map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(",");
        let mut own = args.clone();
        own.inputs.set = set;
        // A start that is given is that of the first.
        own.start = own.start.filter(|_| outcomes.is_empty());
        let (parsed, compiled) = problem::compile(&own.file, &own.inputs, setup, world)?;
        let compiled = match compiled {
            Ok(compiled) => compiled,
            Err(exit) => return Ok(exit),
        };
        let folder = one::results_in(&all.path().join(&label), own.resume)?;
        let (outcome, exit) = one::solve(compiled, &folder, &parsed, &own, &mut chain, setup, world)?;
        table.row([
            given.join(", "),
            outcome.status.word().to_owned(),
            number(outcome.objective()),
            outcome.iterations.to_string(),
            seconds(outcome.seconds),
            chain.factors.map_or(String::new(), words),
        ]);
        outcomes.push((label, outcome));
        worst = if exit == Exit::Done { worst } else { exit };
        if exit == Exit::Interrupted {
            break;
        }
    }
    results::beside(&all, &outcomes).map_err(|error| one::unwritable(all.path(), &error))?;
    if setup.output == args::Output::Text {
        say(world, &format!("\n{}", table.render(setup.look)));
    }
    Ok(worst)
}

fn words(factors: Factors) -> String {
    match factors {
        Factors { of: 0, .. } => String::new(),
        Factors { kept: 0, of } => format!("{of} made"),
        Factors { kept, of } if kept == of => format!("{of} kept"),
        Factors { kept, of } => format!("{kept} kept, {} made", of - kept),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequences_go_side_by_side() {
        let set = |name: &str, value: &str| Set { name: name.to_owned(), value: value.to_owned() };
        let [a, b, c] = [set("a", "1, 2"), set("b", "0.5,0.25"), set("c", "7")];
        let all = of(&[a.clone(), b, c]).ok().flatten().expect("a sequence");
        assert_eq!(all[0], [set("a", "1"), set("b", "0.5"), set("c", "7")]);
        assert_eq!(all[1], [set("a", "2"), set("b", "0.25"), set("c", "7")]);
        assert!(of(&[set("c", "7")]).is_ok_and(|all| all.is_none()));
        assert!(of(&[a, set("d", "1,2,3")]).is_err());
    }
}
