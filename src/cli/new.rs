//! `admmc new KIND NAME`: the examples as files to begin from, carried inside the program.

use std::path::{Path, PathBuf};

use super::args;
use super::complaint::Complaint;
use super::{Exit, Setup, World, say};
use crate::diag;

/// Bytes of a file in examples/.
macro_rules! example {
    ($path:literal) => {
        ($path, include_bytes!(concat!("../../examples/", $path)))
    };
}

/// What the examples on digits read, in data/ beside them.
const DIGITS: &[(&str, &[u8])] =
    &[example!("data/digits.admm"), example!("data/digits.csv.gz"), example!("data/classifier.safetensors")];

/// What single examples read.
const CAMERA: &[(&str, &[u8])] = &[example!("data/camera.pgm")];
const GDP: &[(&str, &[u8])] = &[example!("data/gdp.csv")];
const NILE: &[(&str, &[u8])] = &[example!("data/nile.csv")];
const STACKLOSS: &[(&str, &[u8])] = &[example!("data/stackloss.parquet")];
const TUMOURS: &[(&str, &[u8])] = &[example!("data/breast_cancer.csv.gz")];

/// The kinds: an example, what it is, and the data it reads.
const KINDS: &[Kind] = &[
    Kind { file: example!("lasso.admm"), about: "least squares with few coefficients", data: &[] },
    Kind { file: example!("lasso_split.admm"), about: "the same, its split written down", data: &[] },
    Kind { file: example!("group_lasso.admm"), about: "least squares with few groups of coefficients", data: &[] },
    Kind { file: example!("elastic_net.admm"), about: "few coefficients, alike for what is alike", data: &[] },
    Kind { file: example!("ridge.admm"), about: "least squares held down, in closed form", data: &[] },
    Kind { file: example!("misprint.admm"), about: "an update of a paper, held to the derived one", data: &[] },
    Kind {
        file: example!("nonnegative_least_squares.admm"),
        about: "least squares without negative amounts",
        data: &[],
    },
    Kind { file: example!("basis_pursuit.admm"), about: "the sparsest solution of equations", data: &[] },
    Kind {
        file: example!("least_absolute_deviations.admm"),
        about: "a fit that wild measurements don't move",
        data: STACKLOSS,
    },
    Kind { file: example!("huber.admm"), about: "squares for small residuals, magnitudes for large ones", data: &[] },
    Kind { file: example!("poisson_regression.admm"), about: "counts by the hour, their step Newton's", data: &[] },
    Kind { file: example!("regressor_selection.admm"), about: "the best few regressors, not convex", data: &[] },
    Kind { file: example!("svm.admm"), about: "the widest margin between two classes", data: &[] },
    Kind { file: example!("logistic_regression.admm"), about: "classes told apart by few measurements", data: TUMOURS },
    Kind {
        file: example!("signed_logistic.admm"),
        about: "the same, no weight above 0, loss and bound in one step",
        data: TUMOURS,
    },
    Kind { file: example!("weighted_logistic.admm"), about: "a loss of one's own, written out", data: TUMOURS },
    Kind { file: example!("total_variation.admm"), about: "a series that stays level and jumps", data: NILE },
    Kind { file: example!("trend_filter.admm"), about: "a series of straight pieces", data: GDP },
    Kind { file: example!("isotonic_regression.admm"), about: "a series that never falls", data: &[] },
    Kind { file: example!("image_denoising.admm"), about: "a photograph without its noise", data: CAMERA },
    Kind { file: example!("sparse_covariance.admm"), about: "which measurements tell about each other", data: &[] },
    Kind { file: example!("matrix_completion.admm"), about: "missing entries of a matrix", data: &[] },
    Kind { file: example!("robust_pca.admm"), about: "a matrix and its gross errors taken apart", data: &[] },
    Kind { file: example!("linear_program.admm"), about: "the best plan under linear limits", data: &[] },
    Kind { file: example!("quadratic_program.admm"), about: "a quadratic program in a box", data: &[] },
    Kind { file: example!("polyhedra.admm"), about: "a point in two polyhedra", data: &[] },
    Kind { file: example!("portfolio.admm"), about: "return against risk", data: &[] },
    Kind { file: example!("water_filling.admm"), about: "power shared among channels", data: &[] },
    Kind { file: example!("optimal_transport.admm"), about: "the cheapest way to carry goods", data: &[] },
    Kind {
        file: example!("model_predictive_control.admm"),
        about: "a mass brought to rest by a bounded force",
        data: &[],
    },
    Kind { file: example!("max_cut.admm"), about: "a semidefinite relaxation", data: &[] },
    Kind { file: example!("consensus.admm"), about: "data in shards that agree on one solution", data: &[] },
    Kind { file: example!("consensus_lasso.admm"), about: "the lasso of data in shards", data: &[] },
    Kind { file: example!("consensus_logistic.admm"), about: "logistic regression of data in shards", data: &[] },
    Kind { file: example!("toy.admm"), about: "a small network, its regulariser split off", data: &[] },
    Kind { file: example!("fair.admm"), about: "a network that scores like for like", data: &[] },
    Kind { file: example!("fair_outputs.admm"), about: "a network that scores two groups alike", data: &[] },
    Kind { file: example!("robust_network.admm"), about: "a curve that wild measurements don't move", data: &[] },
    Kind { file: example!("classifier.admm"), about: "a network that tells digits apart", data: DIGITS },
    Kind { file: example!("sparse_classifier.admm"), about: "the same, thresholded while it is trained", data: DIGITS },
    Kind { file: example!("prune.admm"), about: "the same with a tenth of its weights", data: DIGITS },
    Kind { file: example!("quantise.admm"), about: "the same with weights of three values", data: DIGITS },
    Kind { file: example!("gan.admm"), about: "a GAN whose discriminator is split in two", data: DIGITS },
    Kind { file: example!("gan_conv.admm"), about: "the same, of convolutions", data: DIGITS },
    Kind { file: example!("gan_hybrid.admm"), about: "the same, ADMM between normal SGD", data: DIGITS },
    Kind { file: example!("gan_tied.admm"), about: "the same, both terms in both copies", data: DIGITS },
    Kind { file: example!("gan_many.admm"), about: "the same, many discriminators in consensus", data: DIGITS },
];

struct Kind {
    file: (&'static str, &'static [u8]),
    about: &'static str,
    data: &'static [(&'static str, &'static [u8])],
}

impl Kind {
    fn name(&self) -> &'static str {
        self.file.0.trim_end_matches(".admm")
    }
}

/// Writes the file, and the data beside it that is not there yet.
pub fn run(args: &args::New, setup: &Setup, world: &mut World) -> Result<Exit, Complaint> {
    let kind = KINDS.iter().find(|kind| kind.name() == args.kind).ok_or_else(|| unknown(&args.kind))?;
    let path = PathBuf::from(format!("{}.admm", args.name.trim_end_matches(".admm")));
    if world.files.open(&path).is_ok() {
        return Err(Complaint::new(format!("`{}` is there already", path.display())).help("choose another name"));
    }
    let folder = path.parent().unwrap_or(Path::new(""));
    let data = kind.data.iter().map(|(name, bytes)| (folder.join(name), *bytes));
    let missing = data.filter(|(path, _)| world.files.open(path).is_err());
    for (path, bytes) in std::iter::once((path.clone(), kind.file.1)).chain(missing) {
        world.files.write(&path, bytes).map_err(|error| {
            Complaint::new(format!("`{}` can't be written: {error}", path.display()))
                .help("check the folder's permissions")
        })?;
        if !setup.quiet {
            say(world, &format!("wrote {}\n", path.display()));
        }
    }
    if !setup.quiet {
        say(world, &format!("`admmc run {}` solves it\n", path.display()));
    }
    Ok(Exit::Done)
}

fn unknown(name: &str) -> Complaint {
    let near = diag::closest(name, KINDS.iter().map(Kind::name));
    let help = match near {
        Some(near) => format!("did you mean `{near}`?"),
        None => {
            let kinds: Vec<String> = KINDS.iter().map(|kind| format!("{} ({})", kind.name(), kind.about)).collect();
            format!("the kinds are {}", kinds.join(", "))
        }
    };
    Complaint::new(format!("there is no kind of problem `{name}`")).help(help)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_example_is_a_kind() {
        let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/examples"));
        let mut files = crate::data::Files::list(&crate::data::Disk, folder);
        files.retain(|name| name.ends_with(".admm"));
        let mut kinds: Vec<&str> = KINDS.iter().map(|kind| kind.file.0).collect();
        kinds.sort_unstable();
        assert_eq!(files, kinds);
    }
}
