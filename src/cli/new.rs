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

/// The kinds: an example, what it is, and the data it reads.
const KINDS: &[Kind] = &[
    Kind { file: example!("ridge.admm"), about: "least squares held down, in closed form", data: &[] },
    Kind { file: example!("consensus.admm"), about: "data in shards that agree on one solution", data: &[] },
    Kind { file: example!("toy.admm"), about: "a small network, its regulariser split off", data: &[] },
    Kind { file: example!("classifier.admm"), about: "a network that tells digits apart", data: DIGITS },
    Kind { file: example!("gan.admm"), about: "a GAN whose discriminator is split in two", data: DIGITS },
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
        let files = crate::data::Files::list(&crate::data::Disk, folder);
        let mut kinds: Vec<&str> = KINDS.iter().map(|kind| kind.file.0).collect();
        kinds.sort_unstable();
        assert_eq!(files, kinds);
    }
}
