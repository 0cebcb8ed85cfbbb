//! What the program is built from: Rust alone, each dependency for a reason that is written down.

use std::fs;
use std::path::Path;

/// Crates that build or link C, C++ or assembler.
const TOOLCHAINS: &[&str] =
    &["autotools", "bindgen", "cc", "cmake", "cxx", "gfortran", "nasm-rs", "pkg-config", "psm", "vcpkg"];

/// `-sys` crates that link nothing: declarations of what the platform has anyway.
const DECLARATIONS: &[&str] = &["js-sys", "linux-raw-sys", "web-sys", "windows-sys"];

fn read(file: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).expect("a file of the package")
}

#[test]
fn the_build_needs_only_rust() {
    let lock = read("Cargo.lock");
    let names: Vec<&str> = lock.lines().filter_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"')).collect();
    assert!(names.contains(&"admmc"), "Cargo.lock is read as it is written");
    let links = |name: &&str| TOOLCHAINS.contains(name) || name.ends_with("-sys") && !DECLARATIONS.contains(name);
    let found: Vec<&str> = names.into_iter().filter(links).collect();
    assert!(found.is_empty(), "these ask for a C toolchain: {found:?}");
}

#[test]
fn every_dependency_says_what_it_is_for() {
    let manifest = read("Cargo.toml");
    let tables =
        manifest.split("\n[").filter(|table| table.split(']').next().is_some_and(|n| n.ends_with("dependencies")));
    let mut seen = 0;
    for table in tables {
        // A paragraph is one purpose.
        for paragraph in table.split_once('\n').map_or("", |(_, lines)| lines).trim().split("\n\n") {
            assert!(paragraph.starts_with('#'), "no comment above\n{paragraph}");
            seen += paragraph.lines().filter(|line| !line.starts_with('#')).count();
        }
    }
    assert!(seen > 20, "the tables of dependencies are read as they are written");
}

#[test]
fn every_dependency_is_used() {
    let manifest = read("Cargo.toml");
    let text = code("src") + &code("tests");
    let mut table = "";
    for line in manifest.lines() {
        match line.split_once(" = ") {
            _ if line.starts_with('[') => table = line,
            Some((name, _)) if table.ends_with("dependencies]") && !name.starts_with('#') => {
                let name = name.replace('-', "_");
                let used = [format!("{name}::"), format!("use {name};")].iter().any(|path| text.contains(path));
                assert!(used, "nothing uses `{name}`");
            }
            _ => {}
        }
    }
}

/// All Rust below a folder, as one text.
fn code(folder: &str) -> String {
    let mut text = String::new();
    let mut open = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)];
    while let Some(folder) = open.pop() {
        for path in fs::read_dir(folder).expect("a folder of the package").flatten().map(|entry| entry.path()) {
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                text += &fs::read_to_string(path).expect("a source file is text");
            }
        }
    }
    text
}
