//! What is wrong with a command line, in a sentence, with what was probably meant.

use std::ffi::OsString;
use std::io;
use std::path::Path;

use clap::CommandFactory;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use serde_json::json;

use super::args::{Args, Output};
use super::{Exit, World};
use crate::diag::{self, Code};
use crate::exec::cuda::Refusal;

/// A fault that lies in no `.admm` file.
#[derive(Debug, Clone, PartialEq)]
pub struct Complaint {
    /// Its code, where it has a page.
    pub code: Option<Code>,
    /// What is wrong; lower case, no full stop.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
    /// How the command ends.
    pub exit: Exit,
}

impl Complaint {
    /// A wrong command line.
    pub fn new(message: impl Into<String>) -> Complaint {
        Complaint { code: None, message: message.into(), help: None, exit: Exit::Rejected }
    }

    /// With what to do about it.
    pub fn help(mut self, help: impl Into<String>) -> Complaint {
        self.help = Some(help.into());
        self
    }

    /// With the code of its page.
    pub fn code(mut self, code: Code) -> Complaint {
        self.code = Some(code);
        self
    }

    /// With another end.
    pub fn exit(mut self, exit: Exit) -> Complaint {
        self.exit = exit;
        self
    }

    /// A command that is understood and has yet to be built.
    pub fn not_yet(command: &str, file: &Path) -> Complaint {
        Complaint::new(format!("`admmc {command}` can't be executed yet"))
            .code(Code::NotYet)
            .help(format!("`admmc run {}` solves the file; --solve and --set choose how", file.display()))
    }

    /// An `.admm` file that can't be read, with the name in its folder that is near.
    pub fn unreadable(path: &Path, error: &io::Error, world: &World) -> Complaint {
        let missing = error.kind() == io::ErrorKind::NotFound;
        let names = world.files.list(path.parent().unwrap_or(Path::new("")));
        let names = names.iter().map(String::as_str).filter(|name| name.ends_with(".admm"));
        let near = path.file_name().and_then(|name| diag::closest(name.to_str()?, names));
        match near.filter(|_| missing) {
            Some(near) => Complaint::new(format!("there is no file `{}`", path.display()))
                .help(format!("did you mean `{}`?", path.with_file_name(near).display())),
            None if missing => Complaint::new(format!("there is no file `{}`", path.display())),
            None => Complaint::new(format!("`{}` can't be read: {error}", path.display())),
        }
    }

    /// What clap found in these arguments, in our words.
    pub fn of(error: &clap::Error, arguments: &[OsString]) -> Complaint {
        let argument = text(error, ContextKind::InvalidArg);
        let value = text(error, ContextKind::InvalidValue);
        let message = match (error.kind(), argument, value) {
            (ErrorKind::UnknownArgument, Some(argument), _) if argument.starts_with('-') => {
                format!("there is no option `{argument}` here")
            }
            (ErrorKind::UnknownArgument, Some(argument), _) => format!("`{argument}` is one argument too many"),
            (ErrorKind::InvalidSubcommand, ..) => {
                format!("there is no command `{}`", text(error, ContextKind::InvalidSubcommand).unwrap_or_default())
            }
            (ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand, ..) => {
                "a command is missing".to_owned()
            }
            (ErrorKind::InvalidValue, Some(argument), Some(value)) if value.is_empty() => {
                format!("{} needs a value", option(&argument))
            }
            (ErrorKind::InvalidValue, Some(argument), Some(value)) => {
                let allowed = text(error, ContextKind::ValidValue).map(|allowed| format!("; it takes {allowed}"));
                format!("{} can't be `{value}`{}", option(&argument), allowed.unwrap_or_default())
            }
            (ErrorKind::ValueValidation, Some(argument), Some(value)) => {
                let reason = std::error::Error::source(error).map(|source| format!(": {source}"));
                format!("{} can't be `{value}`{}", option(&argument), reason.unwrap_or_default())
            }
            (ErrorKind::MissingRequiredArgument, Some(argument), _) => match argument.split_once('|') {
                Some(_) => format!("one of {} is needed", argument.trim_matches(['<', '>']).replace('|', ", ")),
                None => format!("{argument} is missing"),
            },
            (ErrorKind::ArgumentConflict, Some(argument), _) => {
                match text(error, ContextKind::PriorArg).filter(|prior| *prior != argument) {
                    Some(prior) => format!("{} and {} exclude each other", option(&prior), option(&argument)),
                    None => format!("{} is given twice", option(&argument)),
                }
            }
            (ErrorKind::InvalidUtf8, ..) => "an argument is not readable text".to_owned(),
            (kind, ..) => kind.to_string(),
        };
        Complaint::new(message).help(help(error, arguments))
    }

    /// Writes it to standard error.
    pub fn show(&self, world: &mut World, output: Output) -> Exit {
        let text = match output {
            Output::Text => self.text(),
            Output::Json => self.json(),
        };
        // Where even standard error is closed, the exit code still tells.
        let _ = world.err.write_all(text.as_bytes());
        self.exit
    }

    /// As the diagnostics of a file are drawn, without the file.
    fn text(&self) -> String {
        let code = self.code.map_or(String::new(), |code| format!("error {code} {}\n\n", code.slug()));
        let help = self.help.as_ref().map_or(String::new(), |help| format!("  help: {help}\n"));
        format!("{code}  × {}\n{help}", self.message)
    }

    fn json(&self) -> String {
        let value = json!({
            "code": self.code.map(Code::number),
            "severity": "error",
            "message": self.message,
            "help": self.help,
        });
        format!("{value}\n")
    }
}

/// A device that can't be used.
impl From<Refusal> for Complaint {
    fn from(refusal: Refusal) -> Complaint {
        Complaint::new(refusal.to_string()).code(Code::NoDevice).help(refusal.help()).exit(Exit::Fault)
    }
}

/// What was probably meant, or where it is written what could be.
fn help(error: &clap::Error, arguments: &[OsString]) -> String {
    let near = [ContextKind::SuggestedArg, ContextKind::SuggestedSubcommand, ContextKind::SuggestedValue];
    if let Some(near) = near.into_iter().find_map(|kind| text(error, kind)) {
        return format!("did you mean `{near}`?");
    }
    let first = arguments.get(1).map(|argument| argument.to_string_lossy()).unwrap_or_default();
    if first.ends_with(".admm") {
        return format!("did you mean `admmc run {first}`?");
    }
    match Args::command().find_subcommand(&*first) {
        Some(_) => format!("`admmc {first} --help` lists what it takes"),
        None => "`admmc --help` lists the commands".to_owned(),
    }
}

/// `--set <NAME=VALUE>` is the option `--set`; `<FILE>` is itself.
fn option(argument: &str) -> String {
    let name = argument.split(' ').next().unwrap_or(argument);
    if name.starts_with('-') { format!("`{name}`") } else { name.to_owned() }
}

/// A piece of what clap knows about an error, as text.
fn text(error: &clap::Error, kind: ContextKind) -> Option<String> {
    let list = |values: &[String]| values.iter().map(|value| format!("`{value}`")).collect::<Vec<_>>().join(", ");
    match error.get(kind)? {
        ContextValue::String(text) => Some(text.clone()),
        ContextValue::Strings(texts) if kind == ContextKind::ValidValue => Some(list(texts)),
        ContextValue::Strings(texts) if kind == ContextKind::InvalidArg => Some(texts.join(" and ")),
        ContextValue::Strings(texts) => texts.first().cloned(),
        _ => None,
    }
}
