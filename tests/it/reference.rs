//! The language reference lists every function and every set, as the catalogue describes them.

use std::path::Path;

use admmc::catalogue::Function;

/// A table as the catalogue has it: signature and a line of documentation.
fn table(head: &str, members: impl Iterator<Item = Function>) -> String {
    let mut table = format!("{head}\n|---|---|\n");
    for member in members {
        // A bar would end the cell.
        let doc = member.doc().replace('|', "\\|");
        table += &format!("| `{}` | {doc} |\n", member.signature().0);
    }
    table
}

/// Holds the text between two marks of the reference to what it should be, or writes it anew.
fn check(begin: &str, end: &str, expected: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("grammar/README.md");
    let text = std::fs::read_to_string(&path).expect("the reference is there");
    let start = text.find(begin).expect("the reference has a place for the table") + begin.len();
    let end = text.find(end).expect("the place ends");
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        let updated = format!("{}{expected}{}", &text[..start], &text[end..]);
        std::fs::write(&path, updated).expect("the reference can be written");
        return;
    }
    assert_eq!(&text[start..end], expected, "UPDATE_EXPECT=1 writes the table anew");
}

/// One test: both tables stand in one file, which they may write.
#[test]
fn every_function_and_every_set_is_described() {
    let functions = Function::ALL.iter().copied().filter(|function| !function.is_operator() && !function.is_set());
    let functions = table("| function | value |", functions);
    check("<!-- functions -->\n", "<!-- end of functions -->", &functions);
    let sets = table("| set | its elements |", Function::sets());
    check("<!-- sets -->\n", "<!-- end of sets -->", &sets);
}
