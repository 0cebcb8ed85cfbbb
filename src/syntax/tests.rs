//! The syntax as a whole.

use super::*;

/// The tree of a text, which must be free of errors.
fn tree(text: &str) -> Ast {
    let mut diags = Diags::default();
    let ast = parse(FileId(0), text, &mut diags);
    let errors: Vec<_> = diags.iter().map(|diag| format!("{:?} {}", diag.span(), diag.message)).collect();
    assert!(diags.is_empty(), "{errors:#?}");
    ast
}

#[test]
fn the_corpus_parses() {
    for text in corpus() {
        tree(&text);
    }
}

fn corpus() -> Vec<String> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cases/syntax/corpus");
    let mut paths: Vec<_> =
        std::fs::read_dir(folder).expect("the corpus").map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read_to_string(path).expect("readable")).collect()
}

/// A very deep file still has room on a small stack.
#[test]
fn nesting_up_to_the_limit_fits_a_small_stack() {
    let depth = lines::MAX_NESTING - 2;
    let parens = format!("let a = {}1{}", "(".repeat(depth), ")".repeat(depth));
    let calls = format!("let a = {}1{}", "f(-x^".repeat(depth), ")".repeat(depth));
    let powers = format!("let a = {}1", "x^-".repeat(lines::MAX_CHAIN / 2 - 1));
    let indices = format!("let a = {}1{}", "x[1*".repeat(depth), "]".repeat(depth));
    std::thread::Builder::new()
        .stack_size(2 << 20)
        .spawn(move || {
            for text in [parens, calls, powers, indices] {
                tree(&text);
            }
        })
        .expect("a thread")
        .join()
        .expect("no overflow");
}
