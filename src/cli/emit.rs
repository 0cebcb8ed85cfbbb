//! `admmc emit FILE --ast|--model|--split|--tape|--schedule`

use super::args::{self, Stage};
use super::complaint::Complaint;
use super::{Exit, Setup, World, problem, say};
use crate::diag::Code;
use crate::pipeline;

/// Prints one stage; the stages before it must be free of errors.
pub fn run(args: &args::Emit, setup: &Setup, world: &mut World) -> Result<Exit, Complaint> {
    let Stage { ast, model, split, tape, schedule, cuda } = args.stage;
    if cuda {
        let complaint = Complaint::new("the kernels can't be printed yet").code(Code::NotYet);
        return Err(complaint.help("`--tape` prints the programs that they will be made from"));
    }
    if tape || schedule {
        let (_, compiled) = problem::compile(&args.file, &args.inputs, setup, world)?;
        return Ok(match compiled {
            Err(exit) => exit,
            Ok(compiled) if schedule => say(world, &compiled.schedule.to_string()),
            Ok(compiled) => {
                let programs: Vec<String> = compiled.schedule.programs.iter().map(ToString::to_string).collect();
                say(world, &programs.join("\n"))
            }
        });
    }
    let mut parsed = problem::parse(&args.file, world)?;
    let text: Option<String> = if ast {
        (!parsed.diags.has_errors()).then(|| parsed.asts.iter().map(ToString::to_string).collect())
    } else {
        let checked = pipeline::check(&mut parsed, &args.inputs.of(world.files, true));
        checked.and_then(|checked| match (model, split) {
            (true, _) => Some(checked.to_string()),
            _ => pipeline::split(&checked, &mut parsed.diags).map(|(_, split)| split.to_string()),
        })
    };
    problem::show(&parsed, setup, world);
    Ok(match text {
        Some(text) => say(world, &text),
        None => Exit::of(&parsed.diags),
    })
}
