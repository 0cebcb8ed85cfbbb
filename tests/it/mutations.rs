//! Whatever is written in a file, the front end answers: ten thousand files that were right once, with bytes,
//! words, numbers and lines of them dropped, doubled, swapped and put in one another's place.
//!
//! Of each: no panic in any stage up to the schedule; a file that is refused has an error with words at a
//! place in its text; and a bound of [`PATIENCE`] on the time it takes, which tells a hang from work.

use std::io::{self, Cursor, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use admmc::data::{Disk, Files};
use admmc::diag::{Severity, Style, render, to_json};
use admmc::model::Inputs;
use admmc::pipeline::{self, Parsed};
use admmc::tape::philox::{self, Stream};

/// Mutated files of each kind, over all that are mutated.
const EACH: usize = 5_000;

/// Longer than this is a hang. An optimised build takes a second at most of any file here, as `check` of the
/// unmutated ones takes 0.1 s at most; tests are built without most optimisations and share the machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// What numbers are replaced by: the ends of what a count, a size or a weight may be.
const NUMBERS: &[&str] = &["0", "-1", "2", "1e308", "1e-320", "0.5", "99999999999999999999", "4294967296", "1000000"];

#[test]
fn bytes_of_a_file() {
    mutate(1, |random, bytes, _| {
        for _ in 0..1 + random.next(3) {
            if bytes.is_empty() {
                return;
            }
            let (at, other) = (random.next(bytes.len()), random.next(bytes.len()));
            let run = other..bytes.len().min(other + 1 + random.next(24));
            match random.next(6) {
                0 => bytes[at] ^= 1 << random.next(8),
                1 => bytes.insert(at, random.next(256) as u8),
                2 => drop(bytes.remove(at)),
                3 => drop(bytes.drain(run)),
                4 => {
                    let copy = bytes[run].to_vec();
                    drop(bytes.splice(at..at, copy));
                }
                // One time in six of these, as what is cut off says little.
                _ if random.next(6) == 0 => bytes.truncate(at),
                _ => bytes.swap(at, other),
            }
        }
    });
}

#[test]
fn words_of_a_file() {
    mutate(2, |random, bytes, sources| {
        let text = String::from_utf8(std::mem::take(bytes)).expect("the sources are text");
        let mut words = words(&text);
        let foreign = &sources[random.next(sources.len())].1;
        let foreign = self::words(foreign);
        for _ in 0..1 + random.next(3) {
            let (at, other) = (random.next(words.len()), random.next(words.len()));
            match random.next(7) {
                0 => drop(words.remove(at)),
                1 => words.insert(at, words[other]),
                2 => words.swap(at, other),
                3 => words[at] = foreign[random.next(foreign.len())],
                4 => {
                    let number = |word: &&str| word.starts_with(|c: char| c.is_ascii_digit());
                    let numbers: Vec<usize> = (0..words.len()).filter(|&i| number(&words[i])).collect();
                    if !numbers.is_empty() {
                        words[numbers[random.next(numbers.len())]] = NUMBERS[random.next(NUMBERS.len())];
                    }
                }
                _ => words[at] = words[other],
            }
            if words.is_empty() {
                break;
            }
        }
        *bytes = words.concat().into_bytes();
    });
}

/// Applies a mutation [`EACH`] times over all sources, and looks at what comes of it.
fn mutate(key: u64, mutation: impl Fn(&mut Choices, &mut Vec<u8>, &[(PathBuf, String)])) {
    let sources = sources();
    let mut random = Choices { stream: Stream::new(philox::key(key), 0), drawn: 0 };
    let mut wrong = Vec::new();
    let (mut refused, mut slowest) = (0, (Duration::ZERO, String::new()));
    for round in 0..EACH {
        let (path, text) = &sources[round % sources.len()];
        let mut bytes = text.clone().into_bytes();
        mutation(&mut random, &mut bytes, &sources);
        let shown = String::from_utf8_lossy(&bytes).into_owned();
        let start = Instant::now();
        match catch_unwind(AssertUnwindSafe(|| look(path, bytes))) {
            Ok(Ok(was_refused)) => refused += usize::from(was_refused),
            Ok(Err(what)) => wrong.push(format!("{what}: {} mutated to\n{shown}", path.display())),
            Err(_) => wrong.push(format!("a panic: {} mutated to\n{shown}", path.display())),
        }
        let took = start.elapsed();
        if took > PATIENCE {
            wrong.push(format!("{took:?}: {} mutated to\n{shown}", path.display()));
        }
        if took > slowest.0 {
            slowest = (took, format!("{} mutated to\n{shown}", path.display()));
        }
    }
    println!("{refused} of {EACH} refused; the slowest took {:?}: {}", slowest.0, slowest.1);
    assert!(wrong.is_empty(), "{} of {EACH}\n{}", wrong.len(), wrong.join("\n\n"));
    // Mutations that break nothing, or everything, would look at one half of the front end only.
    assert!(refused > EACH / 10 && refused < EACH, "{refused} of {EACH} are refused");
}

/// All stages on a file with these bytes: whether it is refused, or what is wrong with that.
fn look(path: &Path, bytes: Vec<u8>) -> Result<bool, String> {
    let files = Beside { path: path.to_owned(), bytes };
    let mut parsed = pipeline::parse(path, &files).map_err(|error| error.to_string())?;
    let mut refused = parsed.diags.has_errors();
    if !refused {
        let model = pipeline::check_all(&mut parsed, &Inputs::new(&files));
        refused = parsed.diags.has_errors();
        match model {
            None if !refused => return Err("refused without a word".to_owned()),
            Some(_) if refused => return Err("accepted with an error".to_owned()),
            Some(model) => refused = schedules(&mut parsed, model),
            None => {}
        }
    }
    answered(&parsed, refused)?;
    Ok(refused)
}

/// Compiles every solve block; whether one is refused.
fn schedules(parsed: &mut Parsed, model: admmc::model::Model) -> bool {
    let names: Vec<String> = model.solves.iter().map(|solve| solve.name.clone()).collect();
    for name in names {
        pipeline::compile(model.clone(), Some(&name), &mut parsed.diags);
    }
    parsed.diags.has_errors()
}

/// Whether a person can act on what is said: every diagnostic can be drawn, and a refusal points somewhere.
fn answered(parsed: &Parsed, refused: bool) -> Result<(), String> {
    let mut points = false;
    for diag in parsed.diags.iter() {
        let drawn = render(diag, &parsed.sources, Style::default());
        if !drawn.contains(diag.code.number()) {
            return Err(format!("a drawing without its code: {drawn}"));
        }
        // The line below an excerpt, with its marks.
        let marked = drawn.lines().any(|line| line.trim_start().starts_with('·'));
        points |= diag.severity == Severity::Error && marked;
        to_json(diag, &parsed.sources);
    }
    let main = parsed.sources.iter().next().map_or("", |(_, file)| &file.text);
    if refused && !points && !main.trim().is_empty() {
        return Err(parsed.diags.iter().map(|diag| render(diag, &parsed.sources, Style::default())).collect());
    }
    Ok(())
}

/// Examples, cases with answers, cases of the checker, and the examples of the pages about codes.
fn sources() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut sources = Vec::new();
    for folder in ["examples", "tests/cases"] {
        for path in crate::remarks::files_below(&root.join(folder)) {
            // Cases of bytes that are no text stay as they are.
            if let Ok(text) = std::fs::read_to_string(&path) {
                sources.push((path, text));
            }
        }
    }
    for code in admmc::diag::Code::ALL {
        let mut inside = None::<String>;
        for line in code.page().lines() {
            match (&mut inside, line) {
                (None, "```admm failing" | "```admm mended") => inside = Some(String::new()),
                (Some(_), "```") => sources.extend(inside.take().map(|text| (root.join("page.admm"), text))),
                (Some(text), line) => {
                    text.push_str(line);
                    text.push('\n');
                }
                (None, _) => {}
            }
        }
    }
    sources.retain(|(_, text)| !text.is_empty());
    assert!(sources.len() > 200, "the files are found: {}", sources.len());
    sources
}

/// The disk, but for one file.
struct Beside {
    path: PathBuf,
    bytes: Vec<u8>,
}

impl Files for Beside {
    fn open(&self, path: &Path) -> io::Result<Box<dyn Read>> {
        if path == self.path { Ok(Box::new(Cursor::new(self.bytes.clone()))) } else { Disk.open(path) }
    }

    fn list(&self, folder: &Path) -> Vec<String> {
        Disk.list(folder)
    }

    fn folders(&self, folder: &Path) -> Vec<String> {
        Disk.folders(folder)
    }

    fn write(&self, _: &Path, _: &[u8]) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }
}

/// Words, numbers, marks and spaces.
fn words(text: &str) -> Vec<&str> {
    let kind = |c: char| match c {
        c if c.is_alphanumeric() || c == '_' => 0,
        c if c.is_whitespace() => 1,
        _ => 2,
    };
    let mut words = Vec::new();
    let mut start = 0;
    let mut last = None;
    for (at, c) in text.char_indices() {
        if last.is_some_and(|last| last != kind(c) || last == 2) {
            words.push(&text[start..at]);
            start = at;
        }
        last = Some(kind(c));
    }
    words.push(&text[start..]);
    words
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
