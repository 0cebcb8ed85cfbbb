//! Any text → every stage up to the schedules: no panic, and nothing refused without a word.

#![no_main]

use std::path::Path;

use admmc::data::Memory;
use admmc::diag::{Style, render};
use admmc::model::Inputs;
use admmc::pipeline;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    // Small data of the names that most files read.
    let files = Memory::default().with("A.csv", "1,2\n3,4\n5,7\n").with("b.csv", "1\n2\n-1\n");
    let mut parsed = pipeline::parse_text(Path::new("fuzz.admm"), text, &files);
    if !parsed.diags.has_errors() {
        let model = pipeline::check_all(&mut parsed, &Inputs::new(&files));
        assert_eq!(model.is_none(), parsed.diags.has_errors(), "what is refused has an error");
        if let Some(model) = model {
            let names: Vec<String> = model.solves.iter().map(|solve| solve.name.clone()).collect();
            for name in names {
                pipeline::compile(model.clone(), Some(&name), &mut parsed.diags);
            }
        }
    }
    for diag in parsed.diags.iter() {
        render(diag, &parsed.sources, Style::default());
    }
});
