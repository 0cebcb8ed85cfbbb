//! NumPy's npz: a zip archive with one npy file an array.

use std::io::{self, Cursor, Read, Write};

use zip::{CompressionMethod, ZipArchive, ZipWriter, write::SimpleFileOptions};

use super::errors::Fault;
use super::files::MAX_BYTES;
use super::npy;
use crate::diag;
use crate::tape::Tensor;

/// The array of that name, or the only one.
pub(super) fn read(bytes: &[u8], key: Option<&str>) -> Result<Tensor, Fault> {
    let mut archive = Archive::open(bytes)?;
    let name = match key {
        Some(key) => key.strip_suffix(".npy").unwrap_or(key).to_owned(),
        None if archive.names.len() == 1 => archive.names[0].clone(),
        None => {
            return Err(Fault::Absent { what: "array", name: None, near: None, available: archive.names });
        }
    };
    if !archive.names.contains(&name) {
        let near = diag::closest(&name, archive.names.iter().map(String::as_str)).map(str::to_owned);
        return Err(Fault::Absent { what: "array", name: Some(name), near, available: archive.names });
    }
    archive.array(&name)
}

/// Every array, in order of name.
pub(super) fn read_all(bytes: &[u8]) -> Result<Vec<(String, Tensor)>, Fault> {
    let mut archive = Archive::open(bytes)?;
    let names = archive.names.clone();
    names.into_iter().map(|name| archive.array(&name).map(|tensor| (name, tensor))).collect()
}

/// The bytes of an archive of these arrays. The same arrays give the same bytes.
pub fn write<'a>(arrays: impl IntoIterator<Item = (&'a str, &'a Tensor)>) -> io::Result<Vec<u8>> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    for (name, tensor) in arrays {
        archive.start_file(format!("{name}.npy"), options)?;
        archive.write_all(&npy::write(tensor))?;
    }
    Ok(archive.finish()?.into_inner())
}

struct Archive<'a> {
    zip: ZipArchive<Cursor<&'a [u8]>>,
    /// Of the arrays, without `.npy`, sorted.
    names: Vec<String>,
}

impl<'a> Archive<'a> {
    fn open(bytes: &'a [u8]) -> Result<Archive<'a>, Fault> {
        let zip = ZipArchive::new(Cursor::new(bytes));
        let zip =
            zip.map_err(|error| Fault::malformed(format!("it isn't an npz file, which is a zip archive ({error})")))?;
        let names = zip.file_names().flatten();
        let mut names: Vec<String> = names.filter_map(|name| name.strip_suffix(".npy").map(str::to_owned)).collect();
        names.sort();
        Ok(Archive { zip, names })
    }

    fn array(&mut self, name: &str) -> Result<Tensor, Fault> {
        let damaged =
            |error: &dyn std::fmt::Display| Fault::malformed(format!("it can't be unpacked ({error})")).inside(name);
        let file = self.zip.by_name(&format!("{name}.npy")).map_err(|error| damaged(&error))?;
        let mut bytes = Vec::new();
        file.take(MAX_BYTES).read_to_end(&mut bytes).map_err(|error| damaged(&error))?;
        npy::read(&bytes).map_err(|fault| fault.inside(name))
    }
}
