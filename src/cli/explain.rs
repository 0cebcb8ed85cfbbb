//! `admmc explain FILE|CODE`

use super::args::{self, Output};
use super::complaint::Complaint;
use super::values::Device;
use super::{Exit, Setup, World, problem, say};
use crate::diag::{self, Code};
use crate::exec::cuda::PassLoad;
use crate::pipeline::Compiled;
use crate::report::explain::{Subject, explain};
use crate::report::load::load;
use crate::steps::Script;

pub fn run(args: &args::Explain, setup: &Setup, world: &mut World) -> Result<Exit, Complaint> {
    if args.device.is_some_and(|device| !matches!(device, Device::Cuda(_))) {
        let complaint = Complaint::new("`explain` counts what an iteration asks of a GPU only");
        return Err(complaint.help("`--device cuda`; what it costs anywhere stands at the end of every explanation"));
    }
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
            let mut text = explain(subject, script);
            if let (Some(Device::Cuda(_)), Some(pass)) = (args.device, PassLoad::of(&schedule)) {
                text += &format!("\n{}", load(&pass, world.threads, setup.look));
            }
            say(world, &text)
        }
    })
}

/// `E` and digits, nothing that a file would be called.
fn looks_like_a_code(text: &str) -> bool {
    let digits = text.strip_prefix(['E', 'e']).unwrap_or("");
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}
