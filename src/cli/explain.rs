//! `admmc explain FILE|CODE`

use super::args::{self, Output};
use super::complaint::Complaint;
use super::{Exit, Setup, World, problem, say};
use crate::diag::{self, Code};
use crate::pipeline::Compiled;
use crate::report::explain::{Subject, explain};
use crate::steps::Script;

pub fn run(args: &args::Explain, setup: &Setup, world: &mut World) -> Result<Exit, Complaint> {
    let subject = args.subject.to_string_lossy();
    if let Some(code) = Code::parse(&subject) {
        let page = match setup.output {
            Output::Text => code.page().to_owned(),
            Output::Json => {
                let value = serde_json::json!({ "code": code.number(), "slug": code.slug(), "page": code.page() });
                format!("{value:#}\n")
            }
        };
        return Ok(say(world, &page));
    }
    if looks_like_a_code(&subject) {
        let numbers = Code::ALL.iter().map(|code| code.number());
        let near = diag::closest(&subject.to_ascii_uppercase(), numbers).map(|near| format!("did you mean `{near}`?"));
        let complaint = Complaint::new(format!("there is no diagnostic `{subject}`"));
        return Err(complaint.help(
            near.unwrap_or_else(|| format!("codes run from {} to {}", Code::ALL[0], Code::ALL[Code::ALL.len() - 1])),
        ));
    }
    let (_, compiled) = problem::compile(&args.subject, &args.inputs, setup, world)?;
    Ok(match compiled {
        Err(exit) => exit,
        Ok(Compiled { model, split, plan, schedule, .. }) => {
            let subject = Subject { model: &model, split: &split, plan: &plan, schedule: &schedule };
            let script = if args.latex { Script::Latex } else { Script::Unicode };
            say(world, &explain(subject, script))
        }
    })
}

/// `E` and digits, nothing that a file would be called.
fn looks_like_a_code(text: &str) -> bool {
    let digits = text.strip_prefix(['E', 'e']).unwrap_or("");
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}
