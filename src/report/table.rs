//! Tables: a line under the head and before the foot on a terminal, columns parted by spaces in a
//! pipe.

use unicode_width::UnicodeWidthStr;

use super::Look;

/// On which side of its column a cell stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// A table of text.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    head: Vec<String>,
    align: Vec<Align>,
    rows: Vec<Vec<String>>,
    /// Rows before which a line is drawn.
    rules: Vec<usize>,
}

impl Table {
    /// A table with those columns.
    pub fn new(columns: &[(&str, Align)]) -> Table {
        Table {
            head: columns.iter().map(|&(head, _)| head.to_owned()).collect(),
            align: columns.iter().map(|&(_, align)| align).collect(),
            rows: Vec::new(),
            rules: Vec::new(),
        }
    }

    /// One more row; cells left out are empty.
    pub fn row<S: Into<String>>(&mut self, cells: impl IntoIterator<Item = S>) {
        let mut row: Vec<String> = cells.into_iter().map(Into::into).collect();
        debug_assert!(row.len() <= self.head.len(), "a row has no more cells than the table has columns");
        row.resize(self.head.len(), String::new());
        self.rows.push(row);
    }

    /// A line before the next row, unless that is the first.
    pub fn rule(&mut self) {
        self.rules.push(self.rows.len());
    }

    /// Whether it has no rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The table as text, a line feed at the end of every line.
    pub fn render(&self, look: Look) -> String {
        let headed = self.head.iter().any(|head| !head.is_empty());
        let widths: Vec<usize> = (0..self.head.len())
            .map(|column| {
                let cells = self.rows.iter().chain(headed.then_some(&self.head));
                cells.map(|row| row[column].width()).max().unwrap_or(0)
            })
            .collect();
        let total = widths.iter().sum::<usize>() + 2 * widths.len().saturating_sub(1);
        let rule = if look.terminal { format!("{}\n", "─".repeat(total)) } else { String::new() };

        let mut text = String::new();
        if headed {
            text += &self.line(&self.head, &widths);
            text += &rule;
        }
        for (at, row) in self.rows.iter().enumerate() {
            if at > 0 && self.rules.contains(&at) {
                text += &rule;
            }
            text += &self.line(row, &widths);
        }
        text
    }

    fn line(&self, cells: &[String], widths: &[usize]) -> String {
        let padded = cells.iter().zip(&self.align).zip(widths).map(|((cell, align), width)| {
            let space = " ".repeat(width - cell.width());
            match align {
                Align::Left => format!("{cell}{space}"),
                Align::Right => format!("{space}{cell}"),
            }
        });
        let line = padded.collect::<Vec<_>>().join("  ");
        format!("{}\n", line.trim_end())
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    fn example() -> Table {
        let mut table = Table::new(&[("term", Align::Left), ("value", Align::Right)]);
        table.row(["fit", "3.25"]);
        table.row(["‖θ‖²", "10"]);
        table.rule();
        table.row(["objective", "13.25"]);
        table
    }

    #[test]
    fn lines_on_a_terminal() {
        expect![[r"
            term       value
            ────────────────
            fit         3.25
            ‖θ‖²          10
            ────────────────
            objective  13.25
        "]]
        .assert_eq(&example().render(Look { terminal: true, colour: false }));
    }

    #[test]
    fn columns_in_a_pipe() {
        expect![[r"
            term       value
            fit         3.25
            ‖θ‖²          10
            objective  13.25
        "]]
        .assert_eq(&example().render(Look::default()));
    }
}
