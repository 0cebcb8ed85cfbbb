//! Device code → what a device loads, by NVRTC, which needs no device for it.
#![allow(unsafe_code)]

use std::ffi::{CString, c_char, c_int};
use std::fmt;
use std::ptr;

use cudarc::nvrtc::result::NvrtcError;
use cudarc::nvrtc::sys;

use super::library::{self, Library, Places};
use super::refusal::{Line, Refusal, Version};

/// What every program is compiled with. Nothing is contracted to fused operations, so that arithmetic gives
/// the processor's bits; lines are kept for profilers.
pub(super) const OPTIONS: &[&str] = &["--std=c++17", "--fmad=false", "-lineinfo"];

/// What a program is compiled to, with the compute capability, `90` for 9.0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// The instructions of such a device.
    Cubin(u32),
    /// Text that the driver of such a device, or of a later one, compiles when it loads it.
    Ptx(u32),
}

/// A compiled program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compiled {
    /// What a driver loads: a cubin, or PTX with a zero at its end.
    pub image: Vec<u8>,
    /// What the compilers said: warnings, and of a cubin the registers and spills of each kernel.
    pub log: String,
}

/// NVRTC, as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nvrtc {
    /// Its version.
    pub version: Version,
    /// The compute capabilities it compiles for, rising.
    pub supported: Vec<u32>,
}

impl Target {
    /// As an option of the compiler.
    fn option(self) -> String {
        format!("--gpu-architecture={self}")
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Cubin(capability) => write!(f, "sm_{capability}"),
            Target::Ptx(capability) => write!(f, "compute_{capability}"),
        }
    }
}

/// What a device of this capability may load, the best first: its own instructions where the compiler knows
/// it, else the PTX of the last before it. The other form is for a driver that refuses the first; the
/// instructions of a device serve later ones of the same major version too. None if all that is supported is
/// later.
pub fn targets(capability: u32, supported: &[u32]) -> Vec<Target> {
    match supported.iter().copied().filter(|&known| known <= capability).max() {
        Some(known) if known == capability => vec![Target::Cubin(known), Target::Ptx(known)],
        Some(known) if known / 10 == capability / 10 => vec![Target::Ptx(known), Target::Cubin(known)],
        Some(known) => vec![Target::Ptx(known)],
        None => Vec::new(),
    }
}

impl Nvrtc {
    /// Finds NVRTC and asks what it can do.
    ///
    /// # Errors
    /// Where it was looked for in vain.
    pub fn find(places: &Places) -> Result<Nvrtc, Refusal> {
        library::need(places, Library::Nvrtc)?;
        let (mut major, mut minor, mut count) = (0, 0, 0);
        // SAFETY: these write the numbers that they are given places for; the library is there.
        let supported = unsafe {
            call("nvrtcVersion", sys::nvrtcVersion(&mut major, &mut minor))?;
            call("nvrtcGetNumSupportedArchs", sys::nvrtcGetNumSupportedArchs(&mut count))?;
            let mut supported: Vec<c_int> = vec![0; usize::try_from(count).unwrap_or(0)];
            call("nvrtcGetSupportedArchs", sys::nvrtcGetSupportedArchs(supported.as_mut_ptr()))?;
            supported
        };
        let number = |number: c_int| u32::try_from(number).unwrap_or(0);
        let mut supported: Vec<u32> = supported.into_iter().map(number).collect();
        supported.sort_unstable();
        Ok(Nvrtc { version: Version { major: number(major), minor: number(minor) }, supported })
    }

    /// Compiles a program of that name, whose file is called so in what is said of it. `headers` are names and
    /// texts of what it may include.
    ///
    /// # Errors
    /// The first error with its line, and all that the compiler said.
    pub fn compile(
        &self,
        name: &str,
        source: &str,
        headers: &[(&str, &str)],
        target: Target,
    ) -> Result<Compiled, Refusal> {
        let file = format!("{name}.cu");
        let program = Program::new(&file, source, headers)?;
        let mut options: Vec<String> = OPTIONS.iter().map(|&option| option.to_owned()).collect();
        options.push(target.option());
        if let Target::Cubin(_) = target {
            // Says the registers and spills.
            options.push("--ptxas-options=-v".to_owned());
        }
        let options: Vec<CString> = options.iter().map(|option| text(option)).collect();
        let pointers: Vec<*const c_char> = options.iter().map(|option| option.as_ptr()).collect();
        // SAFETY: the program is alive, the options are as many as is said.
        let done = unsafe { sys::nvrtcCompileProgram(program.0, pointers.len() as c_int, pointers.as_ptr()) };
        let log = program.log()?;
        if let Err(NvrtcError(code)) = done.result() {
            let (line, message) = first_error(&log, &file, source, headers);
            let message = message.unwrap_or_else(|| format!("NVRTC {} says {code:?}", self.version));
            return Err(Refusal::Compile { kernel: name.to_owned(), line: line.map(Box::new), message, log });
        }
        Ok(Compiled { image: program.image(target)?, log })
    }
}

/// A program of NVRTC's, until it is dropped.
struct Program(sys::nvrtcProgram);

impl Program {
    fn new(file: &str, source: &str, headers: &[(&str, &str)]) -> Result<Program, Refusal> {
        let (file, source) = (text(file), text(source));
        let texts: Vec<CString> = headers.iter().map(|(_, header)| text(header)).collect();
        let names: Vec<CString> = headers.iter().map(|(name, _)| text(name)).collect();
        let pointers = |strings: &[CString]| strings.iter().map(|string| string.as_ptr()).collect::<Vec<_>>();
        let (texts, names) = (pointers(&texts), pointers(&names));
        let mut program = ptr::null_mut();
        // SAFETY: all strings end in a zero, live until the call returns, which copies them, and the lists
        // are as long as is said.
        let made = unsafe {
            sys::nvrtcCreateProgram(
                &mut program,
                source.as_ptr(),
                file.as_ptr(),
                headers.len() as c_int,
                texts.as_ptr(),
                names.as_ptr(),
            )
        };
        call("nvrtcCreateProgram", made)?;
        Ok(Program(program))
    }

    fn log(&self) -> Result<String, Refusal> {
        let mut size = 0;
        // SAFETY: the program is alive; the log is as long as it says.
        let bytes = unsafe {
            call("nvrtcGetProgramLogSize", sys::nvrtcGetProgramLogSize(self.0, &mut size))?;
            let mut bytes = vec![0u8; size];
            call("nvrtcGetProgramLog", sys::nvrtcGetProgramLog(self.0, bytes.as_mut_ptr().cast()))?;
            bytes
        };
        Ok(String::from_utf8_lossy(&bytes).trim_end_matches('\0').to_owned())
    }

    /// What was compiled.
    fn image(&self, target: Target) -> Result<Vec<u8>, Refusal> {
        let mut size = 0;
        // SAFETY: the program is alive and compiled; the image is as long as it says.
        unsafe {
            match target {
                Target::Cubin(_) => call("nvrtcGetCUBINSize", sys::nvrtcGetCUBINSize(self.0, &mut size))?,
                Target::Ptx(_) => call("nvrtcGetPTXSize", sys::nvrtcGetPTXSize(self.0, &mut size))?,
            }
            let mut image = vec![0u8; size];
            let into = image.as_mut_ptr().cast();
            match target {
                Target::Cubin(_) => call("nvrtcGetCUBIN", sys::nvrtcGetCUBIN(self.0, into))?,
                Target::Ptx(_) => call("nvrtcGetPTX", sys::nvrtcGetPTX(self.0, into))?,
            }
            Ok(image)
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // SAFETY: the program is this value's alone. A failure leaves nothing to be done.
        let _ = unsafe { sys::nvrtcDestroyProgram(&mut self.0) };
    }
}

/// A string for C; a zero inside, which no program has, ends it.
fn text(text: &str) -> CString {
    let end = text.find('\0').unwrap_or(text.len());
    CString::new(&text[..end]).expect("it ends before its first zero")
}

fn call(call: &'static str, code: sys::nvrtcResult) -> Result<(), Refusal> {
    code.result().map_err(|NvrtcError(code)| Refusal::library(call, format!("{code:?}")))
}

/// The first error of a log, `file(12): error: …`, with its line; or what stands in its place, where the
/// compiler failed in another way.
fn first_error(log: &str, file: &str, source: &str, headers: &[(&str, &str)]) -> (Option<Line>, Option<String>) {
    let error = log.lines().find_map(|line| {
        let (place, message) = line.split_once(": error: ").or_else(|| line.split_once(": catastrophic error: "))?;
        let (file, number) = place.strip_suffix(')')?.rsplit_once('(')?;
        Some((file, number.parse::<usize>().ok()?, message.trim()))
    });
    let Some((of, number, message)) = error else {
        let said = log.lines().map(str::trim).find(|line| line.contains("error"));
        return (None, said.or_else(|| log.lines().next()).map(str::to_owned));
    };
    let header = headers.iter().find(|(name, _)| *name == of).map(|(_, text)| *text);
    let text = if of == file { Some(source) } else { header };
    let text = text.and_then(|text| text.lines().nth(number.checked_sub(1)?)).unwrap_or_default();
    let line = Line { file: of.to_owned(), number, text: text.trim().to_owned() };
    (Some(line), Some(message.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_gets_its_own_code_or_that_of_the_last_before_it() {
        let known = [75, 80, 86, 89, 90, 100, 120];
        assert_eq!(targets(90, &known), [Target::Cubin(90), Target::Ptx(90)]);
        assert_eq!(targets(87, &known), [Target::Ptx(86), Target::Cubin(86)]);
        assert_eq!(targets(99, &known), [Target::Ptx(90), Target::Cubin(90)]);
        assert_eq!(targets(130, &known), [Target::Ptx(120)]);
        assert_eq!(targets(70, &known), []);
        assert_eq!(Target::Cubin(90).option(), "--gpu-architecture=sm_90");
        assert_eq!(Target::Ptx(120).option(), "--gpu-architecture=compute_120");
    }

    #[test]
    fn the_first_error_has_its_line() {
        let log = "k.cu(1): warning #177-D: variable \"u\" was declared\n\nk.cu(2): error: identifier \"y\" is undefined\n      \
                   x[0] = y;\n             ^\n\n1 error detected in the compilation of \"k.cu\".\n";
        let headers = [("a.cuh", "one\n  two\n")];
        let (line, message) = first_error(log, "k.cu", "first\n  x[0] = y;\n", &headers);
        assert_eq!(message.as_deref(), Some("identifier \"y\" is undefined"));
        assert_eq!(line, Some(Line { file: "k.cu".to_owned(), number: 2, text: "x[0] = y;".to_owned() }));
        let (line, _) = first_error("a.cuh(2): error: no\n", "k.cu", "", &headers);
        assert_eq!(line.map(|line| line.text), Some("two".to_owned()));
        let (line, message) = first_error("nvrtc: error: unrecognized option -x found\n", "k.cu", "", &headers);
        assert_eq!((line, message.as_deref()), (None, Some("nvrtc: error: unrecognized option -x found")));
        assert_eq!(first_error("", "k.cu", "", &headers), (None, None));
    }
}
