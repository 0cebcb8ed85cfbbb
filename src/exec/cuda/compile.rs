//! A program for the device that is there: compiled once, in the form that its driver takes, and kept.

use std::borrow::Cow;
use std::sync::Arc;

use cudarc::driver::result::DriverError;
use cudarc::driver::sys::CUresult;
use cudarc::driver::{CudaContext, CudaFunction, CudaModule};
use cudarc::nvrtc::Ptx;

use super::cache::{self, Cache};
use super::device::Device;
use super::kernels::HEADERS;
use super::nvrtc::{Compiled, Nvrtc, OPTIONS, Target, targets};
use super::refusal::{Refusal, Version};

/// A compiler for a device.
pub struct Compiler {
    context: Arc<CudaContext>,
    nvrtc: Nvrtc,
    targets: Vec<Target>,
    cache: Box<dyn Cache>,
    headers: Vec<(&'static str, Cow<'static, str>)>,
    /// What stands for what in every program.
    replaced: Option<(String, String)>,
}

/// A program on the device.
#[derive(Debug)]
pub struct Module {
    name: String,
    module: Arc<CudaModule>,
    /// The form in which the driver took it.
    pub target: Target,
    /// What the compilers said.
    pub log: String,
}

impl Compiler {
    /// A compiler for a device, which keeps what it compiles in `cache`.
    ///
    /// # Errors
    /// The device is older than all that NVRTC compiles for.
    pub fn new(device: &Device, cache: Box<dyn Cache>) -> Result<Compiler, Refusal> {
        let nvrtc = device.nvrtc().clone();
        let capability = device.about().capability;
        let targets = targets(capability, &nvrtc.supported);
        if targets.is_empty() {
            let least = nvrtc.supported.first().copied().unwrap_or_default();
            return Err(Refusal::DeviceTooOld { capability, least, nvrtc: nvrtc.version });
        }
        let headers = HEADERS.iter().map(|&(name, text)| (name, Cow::Borrowed(text))).collect();
        let context = Arc::clone(device.stream().context());
        Ok(Compiler { context, nvrtc, targets, cache, headers, replaced: None })
    }

    /// The same with one text in the place of another, in every header and program: so a test plants a fault,
    /// to see that it is found.
    #[must_use]
    pub fn replacing(mut self, from: &str, to: &str) -> Compiler {
        for (_, text) in &mut self.headers {
            *text = Cow::Owned(text.replace(from, to));
        }
        self.replaced = Some((from.to_owned(), to.to_owned()));
        self
    }

    /// Compiles a program, unless it was before, and loads it. It may include the [headers](HEADERS).
    ///
    /// # Errors
    /// What is wrong with the program, or that the driver takes no form of it.
    pub fn module(&self, name: &str, source: &str) -> Result<Module, Refusal> {
        let source = match &self.replaced {
            Some((from, to)) => Cow::Owned(source.replace(from, to)),
            None => Cow::Borrowed(source),
        };
        let mut last = None;
        for &target in &self.targets {
            let Compiled { image, log } = self.compiled(name, &source, target)?;
            // PTX ends in a zero, by which the driver tells its end.
            match self.context.load_module(Ptx::from_binary(image)) {
                Ok(module) => return Ok(Module { name: name.to_owned(), module, target, log }),
                Err(error) if refuses_form(error) => last = Some(Refusal::driver("cuModuleLoadData", error)),
                Err(error) => return Err(Refusal::driver("cuModuleLoadData", error)),
            }
        }
        Err(Refusal::Load {
            kernel: name.to_owned(),
            tried: self.targets.clone(),
            error: last.map(|refusal| refusal.to_string()).unwrap_or_default(),
            nvrtc: self.nvrtc.version,
        })
    }

    /// A program as the cache has it, else as it is compiled.
    fn compiled(&self, name: &str, source: &str, target: Target) -> Result<Compiled, Refusal> {
        let headers: Vec<(&str, &str)> = self.headers.iter().map(|(name, text)| (*name, &**text)).collect();
        let key = key(self.nvrtc.version, name, source, &headers, target);
        let entry = cache::name(&key);
        if let Some(compiled) = self.cache.get(&entry).and_then(|bytes| cache::unpack(&bytes, &key)) {
            return Ok(compiled);
        }
        let compiled = self.nvrtc.compile(name, source, &headers, target)?;
        self.cache.put(&entry, &cache::pack(&key, &compiled));
        Ok(compiled)
    }
}

impl Module {
    /// A kernel of the program.
    ///
    /// # Errors
    /// There is none of that name.
    pub fn function(&self, name: &str) -> Result<CudaFunction, Refusal> {
        self.module.load_function(name).map_err(|error| match error.0 {
            CUresult::CUDA_ERROR_NOT_FOUND => Refusal::NoKernel { module: self.name.clone(), kernel: name.to_owned() },
            _ => Refusal::driver("cuModuleGetFunction", error),
        })
    }
}

/// All that the result of a compilation depends on.
fn key(nvrtc: Version, name: &str, source: &str, headers: &[(&str, &str)], target: Target) -> String {
    let mut key = format!(
        "admmc {}\nNVRTC {nvrtc}\n{target} {}\n{name}.cu {} bytes\n{source}",
        env!("CARGO_PKG_VERSION"),
        OPTIONS.join(" "),
        source.len(),
    );
    for (name, header) in headers {
        key += &format!("{name} {} bytes\n{header}", header.len());
    }
    key
}

/// Whether a driver refused a module for its form: instructions of another device, an image that it can't
/// read, PTX that it can't compile or that is newer than itself. Another form may do.
fn refuses_form(error: DriverError) -> bool {
    matches!(
        error.0,
        CUresult::CUDA_ERROR_INVALID_IMAGE
            | CUresult::CUDA_ERROR_NO_BINARY_FOR_GPU
            | CUresult::CUDA_ERROR_INVALID_PTX
            | CUresult::CUDA_ERROR_UNSUPPORTED_PTX_VERSION
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_tells_all_apart() {
        let version = |minor| Version { major: 13, minor };
        let keys = [
            key(version(0), "k", "source", HEADERS, Target::Cubin(90)),
            key(version(1), "k", "source", HEADERS, Target::Cubin(90)),
            key(version(0), "l", "source", HEADERS, Target::Cubin(90)),
            key(version(0), "k", "other", HEADERS, Target::Cubin(90)),
            key(version(0), "k", "source", HEADERS, Target::Ptx(90)),
            key(version(0), "k", "source", &[], Target::Cubin(90)),
        ];
        for (at, one) in keys.iter().enumerate() {
            assert!(keys[..at].iter().all(|other| other != one && cache::name(other) != cache::name(one)));
        }
    }
}
