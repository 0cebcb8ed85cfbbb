//! The file system as the program needs it: open a file, list a folder, write a file back.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::errors::Fault;
use crate::diag;

/// More than this, packed or unpacked, is taken for a mistake (a device file, a zip bomb).
pub(super) const MAX_BYTES: u64 = 16 << 30;

/// Where files come from. Shared with the threads that a stage may need for their stack.
pub trait Files: Sync {
    /// The file's bytes from the first on.
    fn open(&self, path: &Path) -> io::Result<Box<dyn Read>>;

    /// Names of the files in a folder, sorted; none if it can't be listed.
    fn list(&self, folder: &Path) -> Vec<String>;

    /// Names of the folders in a folder, sorted; none if it can't be listed.
    fn folders(&self, folder: &Path) -> Vec<String>;

    /// Puts these bytes in the file's place; makes its folder if need be.
    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()>;
}

/// The disk.
#[derive(Debug, Clone, Copy, Default)]
pub struct Disk;

impl Files for Disk {
    fn open(&self, path: &Path) -> io::Result<Box<dyn Read>> {
        Ok(Box::new(std::fs::File::open(path)?))
    }

    fn list(&self, folder: &Path) -> Vec<String> {
        names(folder, Path::is_file)
    }

    fn folders(&self, folder: &Path) -> Vec<String> {
        names(folder, Path::is_dir)
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(path, bytes)
    }
}

/// Names of what lies in a folder of the disk, of that kind, sorted.
fn names(folder: &Path, kind: fn(&Path) -> bool) -> Vec<String> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let wanted = entries.filter(|entry| kind(&entry.path()));
    let mut names: Vec<String> = wanted.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort();
    names
}

/// Files held in memory, for tests and for embedding.
#[derive(Debug, Default)]
pub struct Memory {
    files: Mutex<BTreeMap<PathBuf, Vec<u8>>>,
}

impl Clone for Memory {
    fn clone(&self) -> Memory {
        Memory { files: Mutex::new(self.files().clone()) }
    }
}

impl Memory {
    /// The files; an insertion that panicked left them as they were.
    fn files(&self) -> MutexGuard<'_, BTreeMap<PathBuf, Vec<u8>>> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The same with one more file.
    pub fn with(self, path: impl Into<PathBuf>, bytes: impl Into<Vec<u8>>) -> Memory {
        self.files().insert(path.into(), bytes.into());
        self
    }
}

impl Files for Memory {
    fn open(&self, path: &Path) -> io::Result<Box<dyn Read>> {
        match self.files().get(path) {
            Some(bytes) => Ok(Box::new(io::Cursor::new(bytes.clone()))),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn list(&self, folder: &Path) -> Vec<String> {
        let files = self.files();
        let inside = files.keys().filter(|path| path.parent() == Some(folder));
        inside.filter_map(|path| path.file_name()?.to_str().map(str::to_owned)).collect()
    }

    fn folders(&self, folder: &Path) -> Vec<String> {
        let files = self.files();
        let below = files.keys().filter_map(|path| path.parent()?.strip_prefix(folder).ok()?.components().next());
        let mut names: Vec<String> = below.filter_map(|first| first.as_os_str().to_str().map(str::to_owned)).collect();
        names.dedup();
        names
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        self.files().insert(path.to_owned(), bytes.to_owned());
        Ok(())
    }
}

/// All bytes of a file; the fault says which name in the folder is near.
pub(super) fn read_all(files: &dyn Files, path: &Path) -> Result<Vec<u8>, Fault> {
    let mut bytes = Vec::new();
    let read = files.open(path).and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut bytes));
    match read {
        Ok(_) if bytes.len() as u64 > MAX_BYTES => Err(Fault::malformed("it is larger than 16 GiB")),
        Ok(_) => Ok(bytes),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(Fault::Missing { near: nearest(files, path) }),
        Err(error) if error.kind() == io::ErrorKind::IsADirectory => {
            Err(Fault::Unreadable { reason: "it is a folder".to_owned() })
        }
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            Err(Fault::Unreadable { reason: "permission denied".to_owned() })
        }
        Err(error) => Err(Fault::Unreadable { reason: error.to_string() }),
    }
}

fn nearest(files: &dyn Files, path: &Path) -> Option<String> {
    let name = path.file_name()?.to_str()?;
    let names = files.list(path.parent().unwrap_or(Path::new("")));
    diag::closest(name, names.iter().map(String::as_str)).map(str::to_owned)
}
