//! The folder that results go to.

use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use super::{Trace, kept};

/// A folder for results. A file in it is either whole or not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder {
    path: PathBuf,
}

impl Folder {
    /// Makes the folder, and those above it, unless it is there.
    pub fn create(path: impl Into<PathBuf>) -> io::Result<Folder> {
        let path = path.into();
        fs::create_dir_all(&path)?;
        Ok(Folder { path })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a file whole: under another name first, so that a reader, or a run cut short, never
    /// sees half of it.
    pub fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let unfinished = self.path.join(format!(".{name}.part"));
        let mut file = File::create(&unfinished)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&unfinished, self.path.join(name))
    }

    /// The bytes of a file, or `None` if it isn't there.
    pub fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        match fs::read(self.path.join(name)) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Takes a file away, if it is there.
    pub fn remove(&self, name: &str) -> io::Result<()> {
        match fs::remove_file(self.path.join(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Begins a trace.
    pub fn trace(&self, name: &str, columns: Vec<String>) -> io::Result<Trace<BufWriter<File>>> {
        Trace::new(BufWriter::new(File::create(self.path.join(name))?), columns)
    }

    /// Goes on with the trace of an earlier run, whose rows count up to `last`.
    pub fn resume_trace(&self, name: &str, columns: Vec<String>, last: f64) -> io::Result<Trace<BufWriter<File>>> {
        let mut earlier = String::new();
        match File::open(self.path.join(name)) {
            Ok(mut file) => file.read_to_string(&mut earlier)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return self.trace(name, columns),
            Err(error) => return Err(error),
        };
        let earlier = kept(&earlier, last);
        if earlier.is_empty() {
            return self.trace(name, columns);
        }
        let mut out = BufWriter::new(File::create(self.path.join(name))?);
        out.write_all(earlier.as_bytes())?;
        Ok(Trace::resumed(out, columns))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_whole_and_overwritten() {
        let place = tempfile::tempdir().expect("a folder for the test");
        let folder = Folder::create(place.path().join("a/b")).expect("a new folder");
        assert_eq!(folder.read("x").expect("the folder can be read"), None);
        folder.write("x", b"one").expect("the folder can be written");
        folder.write("x", b"two").expect("the folder can be written");
        assert_eq!(folder.read("x").expect("the folder can be read"), Some(b"two".to_vec()));
        assert_eq!(fs::read_dir(folder.path()).expect("the folder can be listed").count(), 1);
        folder.remove("x").expect("the folder can be written");
        folder.remove("x").expect("it is gone already");
        assert_eq!(folder.read("x").expect("the folder can be read"), None);
    }

    #[test]
    fn a_trace_goes_on() {
        let place = tempfile::tempdir().expect("a folder for the test");
        let folder = Folder::create(place.path()).expect("a folder");
        let columns = || vec!["epoch".to_owned(), "loss".to_owned()];
        let mut trace = folder.resume_trace("trace.csv", columns(), 5.0).expect("nothing to go on with");
        for epoch in 1..=3 {
            trace.row(&[("epoch", f64::from(epoch)), ("loss", 0.5)]).expect("the folder can be written");
        }
        drop(trace);
        let mut trace = folder.resume_trace("trace.csv", columns(), 2.0).expect("an earlier trace");
        trace.row(&[("epoch", 3.0), ("loss", 0.25)]).expect("the folder can be written");
        drop(trace);
        let text = folder.read("trace.csv").expect("the folder can be read").expect("it was written");
        assert_eq!(String::from_utf8_lossy(&text), "epoch,loss\n1,0.5\n2,0.5\n3,0.25\n");
    }
}
