//! What a compilation gets from outside the file: overrides of the command line, and the files of
//! numbers.

use std::path::PathBuf;

use crate::data::Files;

/// The world outside the text.
pub struct Inputs<'a> {
    /// `--set name=value`
    pub set: Vec<(String, String)>,
    /// `--data name=path`, the path relative to where the command runs.
    pub data: Vec<(String, PathBuf)>,
    /// Where data is read from.
    pub files: &'a dyn Files,
    /// Whether data is read; without, declared shapes are taken at their word (`check --no-data`).
    pub bind: bool,
}

impl<'a> Inputs<'a> {
    /// No overrides.
    pub fn new(files: &'a dyn Files) -> Inputs<'a> {
        Inputs { set: Vec::new(), data: Vec::new(), files, bind: true }
    }
}
