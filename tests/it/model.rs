//! Files that parse and are wrong: each under `tests/cases/model/` with its expected rendering, and
//! its mended twin, which passes. Set `UPDATE_EXPECT=1` to write renderings anew, and read them.

use std::collections::BTreeSet;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use admmc::data::{Disk, Files};
use admmc::diag::{Code, Style, render};
use admmc::model::{Inputs, Model};
use admmc::pipeline::{self, Parsed};
use admmc::tape::philox::{self, Stream};
use expect_test::{expect, expect_file};

/// A file and those it uses, checked: diagnostics, and the model where there are none.
fn checked(path: &Path, text: &str, files: &dyn Files) -> (Parsed, Option<Model>) {
    let mut parsed = pipeline::parse_text(path, text, files);
    if parsed.diags.has_errors() {
        return (parsed, None);
    }
    let model = pipeline::check(&mut parsed, &Inputs::new(files));
    (parsed, model)
}

fn drawn(parsed: &Parsed) -> String {
    let drawn: Vec<String> = parsed.diags.iter().map(|diag| render(diag, &parsed.sources, Style::default())).collect();
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
        let (parsed, model) = checked(&path, &text, &WithClassifier);
        assert!(parsed.diags.is_empty(), "{}\n{}", path.display(), drawn(&parsed));
        assert!(model.is_some_and(|model| model.players.iter().all(|player| !player.terms.is_empty())));
    }
}

#[test]
fn wrong_files_are_refused_in_words() {
    let cases = files(&folder("tests/cases/model"));
    assert!(cases.len() >= 35);
    let mut codes = BTreeSet::new();
    for path in cases {
        let text = std::fs::read_to_string(&path).expect("a case is text");
        let (parsed, _) = checked(&path, &text, &Disk);
        let said = drawn(&parsed).replace(&format!("{}/", folder("tests/cases/model").display()), "");
        assert!(parsed.diags.has_errors(), "{} is refused", path.display());
        codes.extend(parsed.diags.iter().map(|diag| diag.code.number()));
        expect_file![path.with_extension("expected")].assert_eq(&said);
    }
    let all = Code::ALL
        .iter()
        .map(|code| code.number())
        .filter(|number| number.starts_with("E02") || number.starts_with("E03"));
    assert_eq!(
        all.filter(|number| !codes.contains(number)).collect::<Vec<_>>(),
        Vec::<&str>::new(),
        "each code has a case"
    );
}

#[test]
fn each_wrong_file_has_a_twin_that_passes() {
    let root = folder("tests/cases/model");
    for path in files(&root) {
        let mended = root.join("mended").join(path.file_name().expect("a file"));
        let text = std::fs::read_to_string(&mended).expect("each case has its twin");
        // Data lies beside the wrong file.
        let (parsed, _) = checked(&path, &text, &Disk);
        assert!(parsed.diags.is_empty(), "{}", drawn(&parsed));
    }
}

/// The text of a model, as `emit --model` prints it.
#[test]
fn models_are_printed() {
    for name in ["toy", "gan", "gan_many", "consensus"] {
        let path = folder("examples").join(name).with_extension("admm");
        let text = std::fs::read_to_string(&path).expect("it can be read");
        let (_, model) = checked(&path, &text, &WithClassifier);
        let printed = model.expect("an example passes").to_string();
        expect_file![folder("tests/cases/model").join(name).with_extension("model")].assert_eq(&printed);
    }
}

#[test]
fn expressions_are_printed_as_mathematics() {
    let text = "
data A = [1, 2; 3, 4]
param mu = 0.5
net D(θ): 2 -> dense 3 relu -> dense 1
sample u ~ normal(2) batch 4
var x, z: real[2]
var θ1, θ2: params(D)
minimize sum_squares(A*x - [1, 2])/2 + mu*norm1(z) + quad_form(x, A) + x'*A*z - 3*norm2(x)^2 + mean(log(1 - sigmoid(D(u; θ1))))
    + sum(exp(-(x + z)./2)) + 0.1*sum_squares(weights(θ2)) + sum(square(θ1.layer1.bias)) + (2 - x[1])*(x[2] - 1)
    + logsumexp(-x) - (x[1] - (x[2] - 1))^2 + huber(x, M = 1e-5) + sum(D(u, until = 1; θ2))
subject to x - z = 0
claim z = (x - λ)/(1 + ρ)
";
    let (parsed, model) = checked(Path::new("made.admm"), text, &Disk);
    let Some(model) = model else { panic!("{}", drawn(&parsed)) };
    let terms: Vec<String> = model.players[0].terms.iter().map(|term| model.unicode(&term.expr)).collect();
    let claim = model.unicode(&model.players[0].claims[0].value);
    expect![[r#"
        ‖Ax − [1, 2]‖²/2
        0.5‖z‖₁
        xᵀAx
        xᵀA·z
        −3‖x‖₂²
        E[log (1 − σ(D(u; θ₁)))]
        Σ (exp ((−(x + z))/2))
        0.1‖weights(θ₂)‖²
        Σ (θ₁[7 to 9]²)
        (2 − x[1])(x[2] − 1)
        logsumexp(−x)
        −(x[1] − (x[2] − 1))²
        huber(x, 1e-5)
        Σ D⁽¹⁾(u; θ₂)
        (x − λ)/(1 + ρ)
    "#]]
    .assert_eq(&format!("{}\n{claim}\n", terms.join("\n")));
}

/// Whatever parses is checked without a panic: tokens of the examples, dropped, doubled, swapped and
/// put in one another's place.
#[test]
fn mutated_examples_never_panic() {
    const ROUNDS: u32 = 100;
    let mut random = Choices { stream: Stream::new(philox::key(7), 0), drawn: 0 };
    for path in files(&folder("examples")) {
        let text = std::fs::read_to_string(&path).expect("it can be read");
        let tokens = tokens(&text);
        for _ in 0..ROUNDS {
            let mut mutated = tokens.clone();
            for _ in 0..1 + random.next(3) {
                let (i, j) = (random.next(mutated.len()), random.next(mutated.len()));
                match random.next(5) {
                    0 => drop(mutated.remove(i)),
                    1 => mutated.insert(i, mutated[j]),
                    2 => mutated.swap(i, j),
                    _ => mutated[i] = mutated[j],
                }
            }
            let text = mutated.concat();
            let (parsed, model) = checked(&path, &text, &WithClassifier);
            assert!(model.is_some() || parsed.diags.has_errors(), "silent about\n{text}");
            drawn(&parsed);
        }
    }
}

/// Words, numbers, marks and spaces.
fn tokens(text: &str) -> Vec<&str> {
    let kind = |c: char| match c {
        c if c.is_alphanumeric() || c == '_' => 0,
        c if c.is_whitespace() => 1,
        _ => 2,
    };
    let mut tokens = Vec::new();
    let mut start = 0;
    let mut last = None;
    for (at, c) in text.char_indices() {
        if last.is_some_and(|last| last != kind(c) || last == 2) {
            tokens.push(&text[start..at]);
            start = at;
        }
        last = Some(kind(c));
    }
    tokens.push(&text[start..]);
    tokens
}

/// Seeded choices.
struct Choices {
    stream: Stream,
    drawn: u64,
}

impl Choices {
    fn next(&mut self, n: usize) -> usize {
        self.drawn += 1;
        self.stream.word(0, self.drawn) as usize % n
    }
}
