//! How a command ended, as a number that scripts can act on.

use crate::diag::{Code, Diags, Severity};

/// The exit codes; the numbers are part of the command's interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Solved, stationary or completed; checked, formatted, printed.
    Done = 0,
    /// Stopped without a solution; or a file that `fmt --check` would change.
    Unsolved = 1,
    /// The file or the command line is wrong.
    Rejected = 2,
    /// Data can't be read.
    NoData = 3,
    /// A device or the program itself is at fault.
    Fault = 4,
    /// Ctrl-C.
    Interrupted = 130,
}

impl Exit {
    /// The end of a command whose compilation found these. A file that is wrong by itself comes
    /// before data it could not read.
    pub fn of(diags: &Diags) -> Exit {
        let errors = || diags.iter().filter(|diag| diag.severity == Severity::Error);
        let class = |code: Code| match &code.number()[1..3] {
            "03" => Exit::NoData,
            "08" => Exit::Fault,
            _ => Exit::Rejected,
        };
        let worst = [Exit::Rejected, Exit::NoData, Exit::Fault];
        let found = worst.into_iter().find(|&exit| errors().any(|diag| class(diag.code) == exit));
        found.unwrap_or(Exit::Done)
    }

    /// The end of a command that did two things: the first fault counts, and what is wrong counts
    /// more than what came to nothing.
    pub fn or(self, other: Exit) -> Exit {
        match (self, other) {
            (Exit::Done, other) => other,
            (Exit::Unsolved, Exit::Rejected | Exit::NoData | Exit::Fault | Exit::Interrupted) => other,
            (first, _) => first,
        }
    }
}

impl From<Exit> for u8 {
    fn from(exit: Exit) -> u8 {
        exit as u8
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::Diag;
    use crate::source::Span;

    #[test]
    fn the_file_comes_before_its_data() {
        let exit = |codes: &[Code]| {
            let mut diags = Diags::default();
            codes.iter().for_each(|&code| diags.push(Diag::new(code, Span::default(), "")));
            Exit::of(&diags)
        };
        assert_eq!(exit(&[]), Exit::Done);
        assert_eq!(exit(&[Code::RewrittenLoss]), Exit::Done);
        assert_eq!(exit(&[Code::DataMissing, Code::DataNotFinite]), Exit::NoData);
        assert_eq!(exit(&[Code::DataMissing, Code::UnknownName]), Exit::Rejected);
        assert_eq!(exit(&[Code::NoDevice]), Exit::Fault);
    }
}
