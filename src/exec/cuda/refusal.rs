//! Why a CUDA device can't be used, as data; in a sentence, with what to do.

use std::fmt;
use std::path::PathBuf;

use cudarc::driver::result::DriverError;

use super::library::Library;
use super::nvrtc::Target;
use crate::exec::Fault;

/// A version as NVIDIA counts them: of CUDA, and of what came with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// `12` of 12.9.
    pub major: u32,
    /// `9` of 12.9.
    pub minor: u32,
}

/// A line of device code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The file: that of the program, or a header.
    pub file: String,
    /// Counted from 1.
    pub number: usize,
    /// What it says.
    pub text: String,
}

/// What is wrong with a device, or with what is needed for one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// A library was not found, neither in these folders nor, if it was asked, by the loader.
    NoLibrary { library: Library, folders: Vec<PathBuf>, loader: bool },
    /// A library was found and lacks a function.
    MissingSymbol { library: Library, symbol: &'static str },
    /// The driver is older than the program needs.
    DriverTooOld { has: Version, needs: Version },
    /// The driver lists no device.
    NoDevice,
    /// There are fewer devices than that.
    NoSuchDevice { asked: u32, there: u32 },
    /// NVRTC compiles for newer devices only.
    DeviceTooOld { capability: u32, least: u32, nvrtc: Version },
    /// NVRTC takes a program for wrong: the program's fault.
    Compile { kernel: String, line: Option<Box<Line>>, message: String, log: String },
    /// The driver takes no form of a program that NVRTC can give.
    Load { kernel: String, tried: Vec<Target>, error: String, nvrtc: Version },
    /// A module lacks a kernel that was generated into it: the program's fault.
    NoKernel { module: String, kernel: String },
    /// More memory is needed than is free, in bytes.
    OutOfMemory { needed: usize, free: usize, total: usize },
    /// A call of the driver failed.
    Driver { call: &'static str, name: String, text: String },
    /// A call of another of CUDA's libraries failed.
    Call { call: &'static str, name: String },
}

impl Refusal {
    /// A call of the driver that failed.
    pub fn driver(call: &'static str, error: DriverError) -> Refusal {
        let known =
            |text: Result<&std::ffi::CStr, DriverError>| text.ok().map(|text| text.to_string_lossy().into_owned());
        let name = known(error.error_name()).unwrap_or_else(|| format!("error {}", error.0 as u32));
        Refusal::Driver { call, name, text: known(error.error_string()).unwrap_or_default() }
    }

    /// A call of cuBLAS or cuSOLVER that failed.
    pub fn library(call: &'static str, name: impl Into<String>) -> Refusal {
        Refusal::Call { call, name: name.into() }
    }

    /// What to do.
    pub fn help(&self) -> String {
        let what = match self {
            Refusal::NoLibrary { library: Library::Driver, .. } => {
                "install NVIDIA's driver, or name the folder of its library in `ADMMC_CUDA_LIB`".to_owned()
            }
            Refusal::NoLibrary { library, .. } => format!(
                "`pip install {}` or the CUDA toolkit brings it; `ADMMC_CUDA_LIB` names the folder it is in",
                library.package(),
            ),
            Refusal::MissingSymbol { library: Library::Driver, .. } | Refusal::DriverTooOld { .. } => {
                "install a newer driver".to_owned()
            }
            Refusal::MissingSymbol { library, .. } => {
                format!("install {library} of CUDA 12 or later, and name its folder in `ADMMC_CUDA_LIB`")
            }
            Refusal::NoDevice => {
                "is one built in, and does `CUDA_VISIBLE_DEVICES` hide none? `nvidia-smi` lists them".to_owned()
            }
            Refusal::NoSuchDevice { .. } => "`admmc devices` lists them; the first is `cuda:0`".to_owned(),
            Refusal::DeviceTooOld { .. } => "name the folder of an older NVRTC in `ADMMC_CUDA_LIB`".to_owned(),
            Refusal::Compile { .. } | Refusal::NoKernel { .. } => {
                "this is a fault of admmc: please report it".to_owned()
            }
            Refusal::Load { .. } => "install a newer driver, or name the folder of an NVRTC that is no newer than \
                 the driver in `ADMMC_CUDA_LIB`"
                .to_owned(),
            Refusal::OutOfMemory { .. } => "`precision = f32` halves what is needed".to_owned(),
            Refusal::Driver { .. } | Refusal::Call { .. } => {
                "`nvidia-smi` says whether the device works for others".to_owned()
            }
        };
        format!("{what}; `--device cpu` runs on the processor")
    }
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Fault {
        Fault { message: refusal.to_string(), help: refusal.help() }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::NoLibrary { library, folders, loader } => {
                let mut places: Vec<String> = folders.iter().map(|folder| format!("`{}`", folder.display())).collect();
                places.extend(loader.then(|| "the loader's own places".to_owned()));
                let file = library.file();
                match places.as_slice() {
                    [] => write!(f, "{library} was not found: nowhere was looked for `{file}`"),
                    places => write!(f, "{library} was not found: there is no `{file}` in {}", places.join(", ")),
                }
            }
            Refusal::MissingSymbol { library, symbol } => write!(f, "{library} is too old: it lacks `{symbol}`"),
            Refusal::DriverTooOld { has, needs } => {
                write!(f, "the CUDA driver is too old: it is made for CUDA {has}, and {needs} is needed")
            }
            Refusal::NoDevice => write!(f, "the CUDA driver lists no device"),
            Refusal::NoSuchDevice { asked, there: 1 } => {
                write!(f, "there is no CUDA device {asked}: the driver lists one, `cuda:0`")
            }
            Refusal::NoSuchDevice { asked, there } => {
                write!(f, "there is no CUDA device {asked}: the driver lists {there}, up to `cuda:{}`", there - 1)
            }
            Refusal::DeviceTooOld { capability, least, nvrtc } => write!(
                f,
                "the CUDA device is too old: NVRTC {nvrtc} compiles for compute capability {} and later, \
                 and it has {}",
                capability_text(*least),
                capability_text(*capability),
            ),
            Refusal::Compile { kernel, line: Some(line), message, .. } => write!(
                f,
                "the kernels of `{kernel}` don't compile: {}, line {}: {message}: `{}`",
                line.file, line.number, line.text,
            ),
            Refusal::Compile { kernel, line: None, message, .. } => {
                write!(f, "the kernels of `{kernel}` don't compile: {message}")
            }
            Refusal::Load { kernel, tried, error, nvrtc } => {
                let tried: Vec<String> = tried.iter().map(Target::to_string).collect();
                write!(
                    f,
                    "the CUDA driver can't load `{kernel}` as NVRTC {nvrtc} compiles it, for {}: {error}",
                    tried.join(" and "),
                )
            }
            Refusal::NoKernel { module, kernel } => write!(f, "the module `{module}` has no kernel `{kernel}`"),
            Refusal::OutOfMemory { needed, free, total } => write!(
                f,
                "the CUDA device has too little memory: {} more are needed, and {} of {} are free",
                bytes_text(*needed),
                bytes_text(*free),
                bytes_text(*total),
            ),
            Refusal::Driver { call, name, text } if text.is_empty() => write!(f, "{call} failed: {name}"),
            Refusal::Driver { call, name, text } => write!(f, "{call} failed: {name}, {text}"),
            Refusal::Call { call, name } => write!(f, "{call} failed: {name}"),
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// A compute capability, `90` for 9.0.
pub(super) fn capability_text(capability: u32) -> String {
    format!("{}.{}", capability / 10, capability % 10)
}

/// An amount of memory: `12.3 GiB`.
pub(super) fn bytes_text(bytes: usize) -> String {
    let units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
    let mut amount = bytes as f64;
    let mut unit = 0;
    while amount >= 1024.0 && unit + 1 < units.len() {
        amount /= 1024.0;
        unit += 1;
    }
    if unit == 0 { format!("{bytes} bytes") } else { format!("{amount:.1} {}", units[unit]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_and_what_to_do() {
        let none = Refusal::NoLibrary {
            library: Library::Driver,
            folders: vec!["/opt/cuda/lib64".into(), "/a".into()],
            loader: true,
        };
        assert_eq!(
            none.to_string(),
            "the CUDA driver was not found: there is no `libcuda.so.1` in `/opt/cuda/lib64`, `/a`, the loader's own places"
        );
        assert!(
            none.help().contains("ADMMC_CUDA_LIB") && none.help().ends_with("`--device cpu` runs on the processor")
        );
        let nvrtc = Refusal::NoLibrary { library: Library::Nvrtc, folders: Vec::new(), loader: true };
        assert!(nvrtc.help().contains("pip install nvidia-cuda-nvrtc"), "{}", nvrtc.help());
        let old =
            Refusal::DriverTooOld { has: Version { major: 11, minor: 8 }, needs: Version { major: 12, minor: 0 } };
        assert_eq!(old.to_string(), "the CUDA driver is too old: it is made for CUDA 11.8, and 12.0 is needed");
        let one = Refusal::NoSuchDevice { asked: 2, there: 1 };
        assert_eq!(one.to_string(), "there is no CUDA device 2: the driver lists one, `cuda:0`");
    }

    #[test]
    fn amounts() {
        assert_eq!(bytes_text(1023), "1023 bytes");
        assert_eq!(bytes_text(1536), "1.5 KiB");
        assert_eq!(bytes_text(141 << 30), "141.0 GiB");
        assert_eq!(capability_text(121), "12.1");
    }
}
