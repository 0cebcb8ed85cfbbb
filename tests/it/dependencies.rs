//! What the program is built from: Rust alone, each dependency for a reason that is written down.

use std::fs;
use std::path::Path;

/// Crates that build or link C, C++ or assembler.
const TOOLCHAINS: &[&str] =
    &["autotools", "bindgen", "cc", "cmake", "cxx", "gfortran", "nasm-rs", "pkg-config", "psm", "vcpkg"];

/// `-sys` crates that link nothing: declarations of what the platform has anyway.
const DECLARATIONS: &[&str] = &["core-foundation-sys", "js-sys", "linux-raw-sys", "web-sys", "windows-sys"];

/// What only some rare platform builds, so that nothing below it counts.
const ELSEWHERE: &[&str] = &["iana-time-zone-haiku"];

fn read(file: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).expect("a file of the package")
}

#[test]
fn the_build_needs_only_rust() {
    let lock = read("Cargo.lock");
    let mut names = vec!["admmc"];
    let mut at = 0;
    while let Some(name) = names.get(at) {
        let new: Vec<&str> =
            needed(&lock, name).filter(|new| !ELSEWHERE.contains(new) && !names.contains(new)).collect();
        names.extend(new);
        at += 1;
    }
    assert!(names.len() > 100 && names.contains(&"parquet"), "Cargo.lock is read as it is written");
    let links = |name: &&str| TOOLCHAINS.contains(name) || name.ends_with("-sys") && !DECLARATIONS.contains(name);
    let found: Vec<&str> = names.into_iter().filter(links).collect();
    assert!(found.is_empty(), "these ask for a C toolchain: {found:?}");
}

/// What a package of the lock file needs, in all its versions.
fn needed<'l>(lock: &'l str, name: &str) -> impl Iterator<Item = &'l str> {
    let begins = format!("name = \"{name}\"\n");
    let own = lock.split("[[package]]\n").filter(move |package| package.starts_with(&begins));
    let list = own.filter_map(|package| package.split_once("dependencies = [\n")?.1.split(']').next());
    // A line is `"name",` or `"name version",`.
    list.flat_map(str::lines).filter_map(|line| line.trim().trim_matches([',', '"']).split(' ').next())
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
