//! `admmc devices`

use serde_json::json;

use super::args::Output;
use super::complaint::Complaint;
use super::{Exit, Setup, World, say};
use crate::exec::cuda::{self, About};
use crate::report::{Align, Table};

pub fn run(setup: &Setup, world: &mut World) -> Result<Exit, Complaint> {
    let threads = world.threads;
    let own = [
        ("cpu", format!("{threads} {}", if threads == 1 { "thread" } else { "threads" })),
        ("reference", "naive double precision, one thread; the yardstick of the others".to_owned()),
    ];
    let found = cuda::probe(&world.cuda);
    let text = match setup.output {
        Output::Text => {
            let mut table = Table::new(&[("device", Align::Left), ("", Align::Left)]);
            own.iter().for_each(|(name, words)| table.row([*name, words]));
            match &found {
                Ok(there) => there.iter().for_each(|about| table.row([&name(about), &about.line()])),
                Err(refusal) => table.row(["cuda", &format!("none: {refusal}")]),
            }
            table.render(setup.look)
        }
        Output::Json => {
            let own = own.iter().map(|(name, words)| json!({ "device": name, "about": words }));
            let there = found.iter().flatten().map(facts);
            let unusable = found
                .as_ref()
                .err()
                .map(|refusal| json!({ "device": "cuda", "why": refusal.to_string(), "help": refusal.help() }));
            let devices = own.chain(there).collect::<Vec<_>>();
            format!("{:#}\n", json!({ "devices": devices, "unusable": Vec::from_iter(unusable) }))
        }
    };
    Ok(say(world, &text))
}

/// As `--device` takes it.
fn name(about: &About) -> String {
    format!("cuda:{}", about.number)
}

fn facts(about: &About) -> serde_json::Value {
    json!({
        "device": name(about),
        "about": about.line(),
        "name": about.name,
        "memory_free": about.free,
        "memory_total": about.total,
        "compute_capability": about.capability(),
        "multiprocessors": about.multiprocessors,
        "driver": about.driver.to_string(),
        "nvrtc": about.nvrtc.to_string(),
    })
}
