//! An [`Outcome`] as a [`Summary`] for people and programs, and as files.

use std::io;

use super::{Folder, Residual, Summary, solution};
use crate::exec::outcome::{Answer, Checked, Contradiction, Outcome, Status};
use crate::schedule::ir::{Role, title};
use crate::tape::{Elements, Shape, Tensor};

/// Where an outcome comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The file, as given.
    pub file: String,
    /// The device.
    pub device: String,
    /// Where every random stream began.
    pub seed: u64,
}

impl Summary {
    /// What `outcome` comes to.
    pub fn of(outcome: &Outcome, origin: &Origin) -> Summary {
        let named = |checked: &Checked| (checked.label.clone(), checked.value);
        let residual = |what: &str, checked: &Checked| Residual {
            name: format!("{what} {}", checked.label),
            value: checked.value,
            tolerance: checked.bound,
        };
        let constraints = outcome.constraints.iter().map(|checked| residual("constraint", checked));
        let stationarity = outcome.stationarity.iter().map(|checked| residual("stationarity", checked));
        let numbers = |answer: &Answer| {
            let one = answer.tensor.item().filter(|_| !matches!(answer.role, Role::Network(_)));
            one.map(|value| (title(&answer.name, &answer.role), value))
        };
        let follows = |answer: &&Answer| answer.role == Role::Value;
        let counts = [Some(("iterations", outcome.iterations)), outcome.epochs.map(|epochs| ("epochs", epochs))];
        Summary {
            file: origin.file.clone(),
            solve: Some(outcome.name.clone()).filter(|name| !name.is_empty()),
            status: outcome.status.to_string(),
            good: outcome.status.exit_code() == 0,
            because: because(&outcome.status),
            terms: outcome.terms.iter().map(named).collect(),
            // Over random batches there is no objective, only the terms without them.
            objective: (!outcome.terms.is_empty() && outcome.epochs.is_none()).then(|| outcome.objective()),
            bound: outcome.bound,
            named: outcome.answers.iter().filter(follows).filter_map(numbers).collect(),
            values: outcome.answers.iter().filter_map(numbers).collect(),
            residuals: constraints.chain(stationarity).collect(),
            counts: counts.into_iter().flatten().map(|(name, count)| (name.to_owned(), count as u64)).collect(),
            tracks: tracks(outcome),
            seconds: outcome.seconds,
            times: outcome.shares.iter().map(|share| (share.what.clone(), share.seconds)).collect(),
            device: origin.device.clone(),
            seed: origin.seed,
            diagnostics: Vec::new(),
            files: Vec::new(),
        }
    }
}

/// A sentence beside the status.
fn because(status: &Status) -> Option<String> {
    let fixed = match status {
        Status::PrimalInfeasible(Contradiction { rows, .. }) => {
            let most = rows.iter().take(NAMED).map(|row| format!("{} · {}", super::number(row.weight), row.name));
            let more = rows.len().saturating_sub(NAMED);
            let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
            return Some(format!(
                "no point meets the constraints; these rows added up, by weight, leave what can't be: {}{rest}",
                most.collect::<Vec<_>>().join(", ")
            ));
        }
        Status::DualInfeasible(_) => Some("the objective falls without end along the variables' last move"),
        Status::Solved | Status::Stationary | Status::Completed => None,
        Status::SolvedInaccurate => Some("the stopping test passed, and the re-check in double precision did not"),
        Status::IterationLimit => Some("the iterations ran out before the stopping test passed"),
        Status::TimeLimit | Status::Interrupted => Some("`--resume` goes on from here"),
        Status::Diverged(_) => Some("the iterates leave for infinity"),
        Status::NonFinite(_) => Some("a value became NaN or infinite"),
    };
    fixed.map(str::to_owned)
}

/// Rows of a certificate that are named.
const NAMED: usize = 6;

/// Writes `solution.npz`, the networks and `result.json`; adds their names to the summary's files.
///
/// A variable stands under its name, the multiplier of the constraint `link` under `dual(link)`.
pub fn write(folder: &Folder, outcome: &Outcome, summary: &mut Summary) -> io::Result<()> {
    let mut tensors = solution::Named::new();
    for answer in &outcome.answers {
        match &answer.role {
            Role::Variable | Role::Dual | Role::Value => {
                tensors.push((title(&answer.name, &answer.role), answer.tensor.clone()));
            }
            Role::Network(pieces) => {
                for (name, parameters) in networks(answer, pieces) {
                    summary.files.push(solution::write_network(folder, &name, &parameters)?);
                }
            }
        }
    }
    if !tensors.is_empty() {
        solution::write(folder, &tensors)?;
        summary.files.push("solution.npz".to_owned());
    }
    summary.files.push("result.json".to_owned());
    folder.write("result.json", summary.json().as_bytes())
}

/// The last value of every column of the trace.
fn tracks(outcome: &Outcome) -> Vec<(String, f64)> {
    let mut tracks: Vec<(String, f64)> = Vec::new();
    for (name, value) in outcome.trace.iter().flat_map(|row| &row.values) {
        match tracks.iter_mut().find(|(known, _)| known == name) {
            Some(known) => known.1 = *value,
            None => tracks.push((name.clone(), *value)),
        }
    }
    tracks
}

/// The parameters of a network by layer; of a family of networks, each member's, `θ_1`, `θ_2`, ….
fn networks(answer: &Answer, pieces: &[(String, usize, Vec<usize>)]) -> Vec<(String, solution::Named)> {
    let &length = answer.tensor.shape.0.last().expect("parameters are a vector, or one vector a member");
    let members = answer.tensor.numel() / length;
    let name = |member: usize| match members {
        1 => answer.name.clone(),
        _ => format!("{}_{}", answer.name, member + 1),
    };
    let parameters = |member: usize| {
        let piece = |(name, offset, shape): &(String, usize, Vec<usize>)| {
            (name.clone(), piece(&answer.tensor, member * length + offset, Shape(shape.clone())))
        };
        pieces.iter().map(piece).collect()
    };
    (0..members).map(|member| (name(member), parameters(member))).collect()
}

/// The elements from `offset` on that fill `shape`.
fn piece(tensor: &Tensor, offset: usize, shape: Shape) -> Tensor {
    let range = offset..offset + shape.numel();
    let elements = match &tensor.elements {
        Elements::F32(values) => Elements::F32(values[range].to_vec().into()),
        Elements::F64(values) => Elements::F64(values[range].to_vec().into()),
        Elements::Index(values) => Elements::Index(values[range].to_vec().into()),
    };
    Tensor { shape, elements }
}

/// `trace.csv` of several runs: a row of each, the solve block's name before it. Runs share columns of
/// one name.
///
/// # Errors
/// What the disk says.
pub fn beside(folder: &Folder, outcomes: &[(String, Outcome)]) -> io::Result<()> {
    let mut columns: Vec<&str> = Vec::new();
    for (name, _) in outcomes.iter().flat_map(|(_, outcome)| &outcome.trace).flat_map(|row| &row.values) {
        if !columns.contains(&name.as_str()) {
            columns.push(name);
        }
    }
    let mut out = csv::Writer::from_writer(Vec::new());
    out.write_record(["solve", "iteration", "seconds", "epoch"].into_iter().chain(columns.iter().copied()))?;
    for (name, outcome) in outcomes {
        for row in &outcome.trace {
            let epoch = row.epoch.map_or(String::new(), |epoch| epoch.to_string());
            let fixed = [name.clone(), row.iteration.to_string(), row.seconds.to_string(), epoch];
            let values = columns.iter().map(|column| {
                let value = row.values.iter().find(|(name, _)| name == column);
                value.map_or(String::new(), |(_, value)| value.to_string())
            });
            out.write_record(fixed.into_iter().chain(values))?;
        }
    }
    let bytes = out.into_inner().map_err(|error| error.into_error())?;
    folder.write(super::TRACE, &bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Disk, read_named};
    use crate::exec::outcome::{Notes, Row, Share};

    fn outcome() -> Outcome {
        let answer = |name: &str, role, tensor| Answer { name: name.to_owned(), role, tensor };
        let row = |iteration, loss| Row {
            epoch: Some(1),
            iteration,
            seconds: 0.5,
            values: vec![("loss".to_owned(), loss), ("rho".to_owned(), 1.0)],
        };
        let pieces = vec![("layer1.weight".to_owned(), 0, vec![1, 2]), ("layer1.bias".to_owned(), 2, vec![1])];
        let checked = |label: &str, value, bound| Checked { label: label.to_owned(), value, bound };
        Outcome {
            bound: None,
            name: "play".to_owned(),
            status: Status::Completed,
            iterations: 2,
            epochs: Some(1),
            seconds: 1.0,
            terms: vec![checked("fit", 2.0, None), checked("reg", 0.5, None)],
            constraints: vec![checked("tie", 1e-7, Some(1e-6))],
            stationarity: vec![],
            answers: vec![
                answer("x", Role::Variable, Tensor::f64([2], vec![1.0, 2.0])),
                answer("φ", Role::Network(pieces.clone()), Tensor::f32([3], vec![1.0, 2.0, 3.0])),
                answer("θ", Role::Network(pieces), Tensor::f32([2, 3], vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0])),
                answer("d.λ.tie", Role::Dual, Tensor::f64([1], vec![0.25])),
            ],
            trace: vec![row(1, 3.0), row(2, 2.5)],
            shares: vec![Share { what: "x-step".to_owned(), seconds: 0.75, calls: 2 }],
            notes: Notes::default(),
        }
    }

    #[test]
    fn an_outcome_as_a_summary() {
        let origin = Origin { file: "gan.admm".to_owned(), device: "cpu".to_owned(), seed: 3 };
        let summary = Summary::of(&outcome(), &origin);
        assert_eq!((summary.status.as_str(), summary.good, summary.objective), ("completed", true, None));
        let plain = Summary::of(&Outcome { epochs: None, ..outcome() }, &origin);
        assert_eq!((plain.objective, plain.counts.len()), (Some(2.5), 1));
        assert_eq!(summary.tracks, [("loss".to_owned(), 2.5), ("rho".to_owned(), 1.0)]);
        assert_eq!(summary.counts, [("iterations".to_owned(), 2), ("epochs".to_owned(), 1)]);
        assert_eq!(summary.residuals[0].name, "constraint tie");
    }

    #[test]
    fn an_outcome_as_files() {
        let place = tempfile::tempdir().expect("a folder for the test");
        let folder = Folder::create(place.path()).expect("a folder");
        let mut summary = Summary::default();
        write(&folder, &outcome(), &mut summary).expect("the folder can be written");
        let files = ["φ.safetensors", "θ_1.safetensors", "θ_2.safetensors", "solution.npz", "result.json"];
        assert_eq!(summary.files, files);

        let read = |name: &str| read_named(&Disk, &place.path().join(name)).expect("it was written");
        let named = |name: &str, shape: &[usize], values: &[f64]| {
            (name.to_owned(), Tensor::f64(Shape(shape.to_vec()), values.to_vec()))
        };
        assert_eq!(read("solution.npz"), [named("d.dual(tie)", &[1], &[0.25]), named("x", &[2], &[1.0, 2.0])]);
        assert_eq!(
            read("θ_2.safetensors"),
            [named("layer1.bias", &[1], &[6.0]), named("layer1.weight", &[1, 2], &[4.0, 5.0])]
        );
        assert_eq!(read("φ.safetensors")[0], named("layer1.bias", &[1], &[3.0]));
    }
}
