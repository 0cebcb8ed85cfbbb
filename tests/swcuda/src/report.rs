//! The report at exit, in JSON: faults, leaks, counters of kernels, counts of calls.

use crate::driver::State;
use crate::machine::fault::{Fault, Location};
use crate::machine::memory::Kind;
use std::fmt::Write;

/// A string in JSON.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            c if (c as u32) < 0x20 => {
                let _ = write!(out, "\\u{:04x}", c as u32);
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

fn object<'a>(pairs: impl IntoIterator<Item = (&'a str, String)>) -> String {
    let pairs: Vec<String> = pairs.into_iter().map(|(k, v)| format!("{}: {v}", quoted(k))).collect();
    format!("{{{}}}", pairs.join(", "))
}

fn triple(v: [u32; 3]) -> String {
    format!("[{}, {}, {}]", v[0], v[1], v[2])
}

fn location(l: &Location) -> Vec<(&'static str, String)> {
    let null = || "null".to_string();
    let line = |place: &Option<(String, u32)>| {
        place.as_ref().map_or_else(null, |(file, line)| object([("file", quoted(file)), ("line", line.to_string())]))
    };
    vec![
        ("kernel", quoted(&l.kernel)),
        ("block", triple(l.block)),
        ("thread", l.thread.map_or_else(null, triple)),
        ("ptx_line", l.ptx_line.to_string()),
        ("source", line(&l.source)),
        ("inlined_at", line(&l.inlined_at)),
    ]
}

fn fault(f: &Fault) -> String {
    let mut pairs =
        vec![("kind", quoted(f.kind.name())), ("code", f.kind.code().to_string()), ("message", quoted(&f.to_string()))];
    pairs.extend(f.location.iter().flat_map(|l| location(l)));
    object(pairs)
}

/// What is still held, by kind.
pub(crate) fn leaks(s: &State) -> [(&'static str, usize); 9] {
    [
        ("contexts", s.contexts.held()),
        ("device_memory", s.memory.live(Kind::Device).count()),
        ("pinned_memory", s.memory.live(Kind::Pinned).count()),
        ("modules", s.modules.len()),
        ("streams", s.streams.len() - 1),
        ("events", s.events.values().filter(|e| !e.gone).count()),
        ("graphs", s.graphs.len()),
        ("graph_executables", s.executables.len()),
        ("library_handles", s.library_handles.len()),
    ]
}

pub(crate) fn report(s: &State) -> String {
    let faults: Vec<String> = s.record.faults.iter().map(fault).collect();
    let leaked = s.memory.live(Kind::Device).chain(s.memory.live(Kind::Pinned));
    let leaked: Vec<String> =
        leaked.map(|a| object([("bytes", a.size.to_string()), ("call", quoted(a.origin))])).collect();
    let kernels = s.record.kernels.iter().map(|(name, c)| {
        let counters = c.table().map(|(k, v)| (k, v.to_string()));
        (&name[..], object(counters))
    });
    let calls = s.record.calls.iter().map(|(name, n)| (*name, n.to_string()));
    let parts = [
        ("faults", format!("[{}]", faults.join(",\n  "))),
        ("leaks", object(leaks(s).map(|(k, n)| (k, n.to_string())))),
        ("leaked_allocations", format!("[{}]", leaked.join(", "))),
        ("peak_memory", s.record.peak_memory.to_string()),
        ("synchronisations", s.record.synchronisations.to_string()),
        ("kernels", object(kernels)),
        ("calls", object(calls)),
    ];
    let lines: Vec<String> = parts.iter().map(|(k, v)| format!("{}: {v}", quoted(k))).collect();
    format!("{{\n{}\n}}\n", lines.join(",\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_escaped() {
        assert_eq!(quoted("a\"b\\c\n"), "\"a\\\"b\\\\c\\u000a\"");
    }
}
