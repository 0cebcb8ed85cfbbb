//! Files that parse and are wrong: each under `tests/cases/model/` with its expected rendering, and
//! its mended twin, which passes. Set `UPDATE_EXPECT=1` to write renderings anew, and read them.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use admmc::data::{Disk, Files};
use admmc::diag::{Diags, Style, render};
use admmc::model::{Inputs, Model, check};
use admmc::source::Sources;
use admmc::syntax::ast::{Ast, ItemKind};
use admmc::syntax::parse;

/// A file and those it uses, checked: diagnostics, and the model where there are none.
fn checked(path: &Path, text: &str, inputs: &Inputs) -> (Sources, Diags, Option<Model>) {
    let mut sources = Sources::default();
    let mut diags = Diags::default();
    let mut asts: Vec<Ast> = Vec::new();
    let mut open = vec![(path.to_owned(), text.to_owned())];
    while let Some((path, text)) = open.pop() {
        let file = sources.add(&path, text.as_str());
        let ast = parse(file, &text, &mut diags);
        for item in &ast.items {
            if let ItemKind::Use { path: used } = &item.kind {
                let used = path.with_file_name(&used.value);
                let text = std::fs::read_to_string(&used).expect("a used file is there");
                open.push((used, text));
            }
        }
        asts.push(ast);
    }
    let model = (!diags.has_errors()).then(|| check(&asts, &sources, inputs, &mut diags));
    (sources, diags, model)
}

fn drawn(sources: &Sources, diags: &Diags) -> String {
    let drawn: Vec<String> = diags.iter().map(|diag| render(diag, sources, Style::default())).collect();
    drawn.join("\n")
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("the folder is there").flatten().map(|entry| entry.path());
    let mut files: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|extension| extension == "admm")).collect();
    files.sort();
    files
}

/// The disk, and a classifier where it has not been trained yet: what its numbers are is nothing to
/// the checker.
struct WithClassifier;

impl Files for WithClassifier {
    fn open(&self, path: &Path) -> io::Result<Box<dyn Read>> {
        if !path.ends_with("classifier.safetensors") || path.exists() {
            return Disk.open(path);
        }
        let sizes = [(128, 64), (32, 128), (10, 32)];
        let mut header = Vec::new();
        let mut end = 0;
        for (layer, (rows, columns)) in sizes.into_iter().enumerate() {
            for (name, shape, numel) in
                [("weight", format!("[{rows},{columns}]"), rows * columns), ("bias", format!("[{rows}]"), rows)]
            {
                let start = end;
                end += 4 * numel;
                header.push(format!(
                    r#""layer{}.{name}":{{"dtype":"F32","shape":{shape},"data_offsets":[{start},{end}]}}"#,
                    layer + 1
                ));
            }
        }
        let header = format!("{{{}}}", header.join(","));
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend(header.as_bytes());
        bytes.resize(bytes.len() + end, 0);
        Ok(Box::new(io::Cursor::new(bytes)))
    }

    fn list(&self, folder: &Path) -> Vec<String> {
        Disk.list(folder)
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        Disk.write(path, bytes)
    }
}

#[test]
fn every_example_passes() {
    for path in files(&folder("examples")) {
        let text = std::fs::read_to_string(&path).expect("it can be read");
        let (sources, diags, model) = checked(&path, &text, &Inputs::new(&WithClassifier));
        assert!(diags.is_empty(), "{}\n{}", path.display(), drawn(&sources, &diags));
        assert!(model.is_some_and(|model| model.players.iter().all(|player| !player.terms.is_empty())));
    }
}
