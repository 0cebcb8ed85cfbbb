//! The lines a run begins with: what is solved, by which blocks and steps.

use super::{Align, Look, Table};

/// A title and rows of two columns.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Header {
    /// The file and how it is solved: `lasso.admm · admm on cpu, seed 0`.
    pub title: String,
    /// What and how, a line each: (`minimize`, `fit + reg`), (`x`, `real[50], closed form`).
    pub rows: Vec<(String, String)>,
}

impl Header {
    /// As text, a line feed at the end of every line.
    pub fn render(&self, look: Look) -> String {
        let mut table = Table::new(&[("", Align::Left), ("", Align::Left), ("", Align::Left)]);
        for (name, text) in &self.rows {
            table.row(["", name, text]);
        }
        format!("{}\n{}", look.paint(1, &self.title), table.render(look))
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn names_in_one_column() {
        let row = |name: &str, text: &str| (name.to_owned(), text.to_owned());
        let header = Header {
            title: "lasso.admm · admm on cpu, seed 0".to_owned(),
            rows: vec![row("minimize", "fit + reg"), row("x", "real[50], quadratic: closed form")],
        };
        expect![[r"
            lasso.admm · admm on cpu, seed 0
              minimize  fit + reg
              x         real[50], quadratic: closed form
        "]]
        .assert_eq(&header.render(Look::default()));
    }
}
