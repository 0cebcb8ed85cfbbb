//! The values of options, read and, where they can't be, answered in a sentence.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

/// `--set lambda=0.5`, `--set lambda=1,0.5`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Set {
    /// The param's name.
    pub name: String,
    /// What it becomes: a number, or several with commas between.
    pub value: String,
}

/// `--data b=other.csv`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Data {
    /// The name of the data.
    pub name: String,
    /// The file, relative to the folder the command runs in.
    pub path: PathBuf,
}

/// `--device`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Device {
    /// The best there is.
    #[default]
    Auto,
    /// The processor.
    Cpu,
    /// A graphics processor, by its number.
    Cuda(u32),
    /// The naive interpreter that the others are held against.
    Reference,
}

/// `--time-limit 5m`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit(pub Duration);

impl FromStr for Set {
    type Err = String;

    fn from_str(text: &str) -> Result<Set, String> {
        let (name, value) = pair(text, "lambda=0.5")?;
        Ok(Set { name, value })
    }
}

impl FromStr for Data {
    type Err = String;

    fn from_str(text: &str) -> Result<Data, String> {
        let (name, path) = pair(text, "b=other.csv")?;
        Ok(Data { name, path: path.into() })
    }
}

impl FromStr for Device {
    type Err = String;

    fn from_str(text: &str) -> Result<Device, String> {
        match text {
            "auto" => Ok(Device::Auto),
            "cpu" => Ok(Device::Cpu),
            "reference" => Ok(Device::Reference),
            "cuda" => Ok(Device::Cuda(0)),
            _ => match text.strip_prefix("cuda:").and_then(|number| number.parse().ok()) {
                Some(number) => Ok(Device::Cuda(number)),
                None => Err("a device is `auto`, `cpu`, `cuda`, `cuda:1` or `reference`".to_owned()),
            },
        }
    }
}

impl FromStr for Limit {
    type Err = String;

    fn from_str(text: &str) -> Result<Limit, String> {
        let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let unit = match &text[digits.len()..] {
            "" | "s" => Some(1.0),
            "m" | "min" => Some(60.0),
            "h" => Some(3600.0),
            _ => None,
        };
        let seconds = unit.and_then(|unit| Some(unit * digits.parse::<f64>().ok()?));
        match seconds.map(Duration::try_from_secs_f64) {
            Some(Ok(limit)) => Ok(Limit(limit)),
            _ => Err("a time limit is a number with its unit: `60s`, `5m`, `1.5h`".to_owned()),
        }
    }
}

/// `--seed 42`
pub fn whole(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| "a whole number is needed, from 0 up".to_owned())
}

/// `--threads 4`
pub fn positive(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number) if (1..=MOST_THREADS).contains(&number) => Ok(number),
        _ => Err(format!("a whole number is needed, from 1 to {MOST_THREADS}")),
    }
}

/// More threads than any machine runs at once; a slip of the keyboard asks for more.
const MOST_THREADS: usize = 4096;

fn pair(text: &str, example: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() && !value.trim().is_empty() => {
            Ok((name.trim().to_owned(), value.trim().to_owned()))
        }
        _ => Err(format!("a name, `=` and a value are needed, as in `{example}`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs() {
        assert_eq!("λ = 0.5".parse(), Ok(Set { name: "λ".to_owned(), value: "0.5".to_owned() }));
        assert_eq!("b=a=b.csv".parse(), Ok(Data { name: "b".to_owned(), path: "a=b.csv".into() }));
        for text in ["lambda", "=1", "lambda=", ""] {
            assert!(text.parse::<Set>().is_err(), "{text}");
        }
    }

    #[test]
    fn devices() {
        assert_eq!("cuda".parse(), Ok(Device::Cuda(0)));
        assert_eq!("cuda:3".parse(), Ok(Device::Cuda(3)));
        for text in ["gpu", "cuda:", "cuda:-1", "CPU"] {
            assert!(text.parse::<Device>().is_err(), "{text}");
        }
    }

    #[test]
    fn limits() {
        let seconds = |text: &str| text.parse::<Limit>().map(|limit| limit.0.as_secs_f64());
        assert_eq!(seconds("60s"), Ok(60.0));
        assert_eq!(seconds("90"), Ok(90.0));
        assert_eq!(seconds("5m"), Ok(300.0));
        assert_eq!(seconds("1.5h"), Ok(5400.0));
        for text in ["", "s", "-1s", "1d", "nan", "inf", "1e30h", "λ"] {
            assert!(seconds(text).is_err(), "{text}");
        }
    }
}
