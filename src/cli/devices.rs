//! `admmc devices`

use serde_json::json;

use super::args::Output;
use super::complaint::Complaint;
use super::{Exit, Setup, World, say};
use crate::report::{Align, Table};

pub fn run(setup: &Setup, world: &mut World) -> Result<Exit, Complaint> {
    let threads = world.threads;
    let devices = [
        ("cpu", format!("{threads} {}; the default", if threads == 1 { "thread" } else { "threads" })),
        ("reference", "naive double precision, one thread; the yardstick of the others".to_owned()),
    ];
    let text = match setup.output {
        Output::Text => {
            let mut table = Table::new(&[("device", Align::Left), ("", Align::Left)]);
            devices.iter().for_each(|(name, words)| table.row([*name, words]));
            table.render(setup.look)
        }
        Output::Json => {
            let devices: Vec<_> =
                devices.iter().map(|(name, words)| json!({ "device": name, "about": words })).collect();
            format!("{:#}\n", json!({ "devices": devices }))
        }
    };
    Ok(say(world, &text))
}
