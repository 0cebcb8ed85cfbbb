//! Any bytes → a tree or an error, and what is parsed is printed as text that parses to the same print.

#![no_main]

use std::path::Path;

use admmc::data::Memory;
use admmc::diag::{Style, render, to_json};
use admmc::pipeline;
use admmc::syntax::print;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let files = Memory::default();
    let parsed = pipeline::parse_text(Path::new("fuzz.admm"), &text, &files);
    for diag in parsed.diags.iter() {
        render(diag, &parsed.sources, Style::default());
        to_json(diag, &parsed.sources);
    }
    if parsed.diags.is_empty() {
        let printed = print(&parsed.asts[0], &text);
        let again = pipeline::parse_text(Path::new("fuzz.admm"), &printed, &files);
        assert!(again.diags.is_empty(), "the formatter wrote what can't be read:\n{printed}");
        assert_eq!(print(&again.asts[0], &printed), printed, "formatted twice is formatted once");
    }
});
