//! The log: one line a call, in order, as it returns.
//!
//! `name details [sync] [= code]`: details are what a test may want to count (the kernel and shape of a launch, the
//! nodes of a graph, direction and size of a copy), `sync` marks a call that waited for the device, and a code stands
//! where it is not 0.

use std::fs::File;
use std::io::Write;

pub(crate) struct Log {
    file: Option<File>,
    /// Kept for tests of this crate.
    #[cfg(test)]
    pub lines: Vec<String>,
}

impl Log {
    pub fn open(path: Option<&str>) -> Log {
        let file = path.and_then(|p| match File::create(p) {
            Ok(file) => Some(file),
            Err(error) => {
                eprintln!("swcuda: the log {p} can't be written: {error}");
                None
            }
        });
        Log {
            file,
            #[cfg(test)]
            lines: Vec::new(),
        }
    }

    pub fn line(&mut self, name: &str, details: &str, waited: bool, code: u32) {
        let wanted = self.file.is_some() || cfg!(test);
        if !wanted {
            return;
        }
        let mut line = name.to_string();
        for part in [details, if waited { "sync" } else { "" }] {
            if !part.is_empty() {
                line.push(' ');
                line.push_str(part);
            }
        }
        if code != 0 {
            line.push_str(&format!(" = {code}"));
        }
        if let Some(file) = &mut self.file {
            // One write a line, so that a process that is killed leaves whole lines.
            let _ = file.write_all(format!("{line}\n").as_bytes());
        }
        #[cfg(test)]
        self.lines.push(line);
    }
}
