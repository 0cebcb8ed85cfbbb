//! The language reference lists every function, as the catalogue describes it.

use std::path::Path;

use admmc::catalogue::Function;

const BEGIN: &str = "<!-- functions -->\n";
const END: &str = "<!-- end of functions -->";

/// The table as the catalogue has it: signature and a line of documentation.
fn table() -> String {
    let mut table = String::from("| function | value |\n|---|---|\n");
    for function in Function::ALL.iter().filter(|function| !function.is_operator()) {
        // A bar would end the cell.
        let doc = function.doc().replace('|', "\\|");
        table += &format!("| `{}` | {doc} |\n", function.signature().0);
    }
    table
}

#[test]
fn every_function_is_described() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("grammar/README.md");
    let text = std::fs::read_to_string(&path).expect("the reference is there");
    let start = text.find(BEGIN).expect("the reference has a place for functions") + BEGIN.len();
    let end = text.find(END).expect("the place ends");
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        let updated = format!("{}{}{}", &text[..start], table(), &text[end..]);
        std::fs::write(&path, updated).expect("the reference can be written");
        return;
    }
    assert_eq!(&text[start..end], table(), "UPDATE_EXPECT=1 writes the table anew");
}
