//! Modules: PTX in, functions and variables out.

use super::abi::{get, put, put_optional, text};
use super::context::{SHARED_LIMIT, SHARED_LIMIT_OPT_IN, blocks_that_fit};
use super::errors::*;
use super::{Handle, State, call};
use crate::machine::memory::Kind;
use crate::ptx::{ir, parse};
use std::ffi::{c_char, c_int, c_uint, c_void};
use std::sync::Arc;

pub(crate) struct Module {
    pub code: ir::Module,
    /// Addresses of its variables.
    pub variables: Vec<u64>,
}

pub(crate) struct Function {
    pub module: Handle,
    pub kernel: usize,
    /// The dynamic shared memory that a launch may ask for.
    pub dynamic_limit: usize,
}

const ELF: [u8; 4] = [0x7f, b'E', b'L', b'F'];
const FATBIN: [u8; 4] = [0x50, 0xed, 0x55, 0xba];

impl State {
    pub fn kernel(&self, function: Handle) -> Outcome<(&Function, &Arc<Module>)> {
        let function = self.functions.get(&function).ok_or(INVALID_HANDLE)?;
        let module = self.modules.get(&function.module).ok_or(INVALID_HANDLE)?;
        Ok((function, module))
    }

    fn load(&mut self, source: &str) -> Outcome<Handle> {
        self.current()?;
        let code = match parse(source) {
            Ok(code) => code,
            Err(error) => {
                self.note(error.to_string());
                eprintln!("swcuda: {error}");
                return Err(INVALID_PTX);
            }
        };
        self.note(format!("ptx={}.{} target={}", code.version.0, code.version.1, code.target));
        if code.version > self.config.latest_ptx() {
            return Err(UNSUPPORTED_PTX_VERSION);
        }
        if !self.runs(&code.target) {
            return Err(NO_BINARY_FOR_GPU);
        }
        let mut variables = Vec::new();
        for v in &code.variables {
            let at = self.memory.allocate(v.bytes.len().max(1), Kind::Variable, true, "cuModuleLoadData");
            if self.memory.write(at, &v.bytes).is_err() {
                unreachable!("an allocation holds its own bytes");
            }
            variables.push(at);
        }
        let id = self.handle();
        for kernel in 0..code.kernels.len() {
            let function = self.handle();
            self.functions.insert(function, Function { module: id, kernel, dynamic_limit: SHARED_LIMIT });
        }
        self.modules.insert(id, Arc::new(Module { code, variables }));
        Ok(id)
    }

    /// PTX runs on its target and later ones; that of `sm_90a` and the like on its target alone.
    fn runs(&self, target: &str) -> bool {
        let digits: String = target.chars().filter(char::is_ascii_digit).collect();
        let device = self.config.capability.0 * 10 + self.config.capability.1;
        match digits.parse::<i32>() {
            Ok(wanted) if target.ends_with(|c: char| c.is_ascii_digit()) => wanted <= device,
            Ok(wanted) => wanted == device,
            Err(_) => false,
        }
    }

    fn unload(&mut self, id: Handle) -> Outcome {
        let done = if self.broken.is_none() { self.drain_all() } else { Ok(()) };
        let module = self.modules.remove(&id).ok_or(INVALID_HANDLE)?;
        module.variables.iter().for_each(|at| self.memory.free(*at));
        self.functions.retain(|_, f| f.module != id);
        done
    }
}

fn load_image(s: &mut State, out: *mut Handle, image: *const c_void) -> Outcome {
    let head: [u8; 4] = get(image.cast())?;
    if head == ELF || head == FATBIN {
        s.note("a cubin can't run on the software device, load PTX");
        return Err(NO_BINARY_FOR_GPU);
    }
    let source = text(image.cast()).map_err(|_| INVALID_IMAGE)?;
    put(out, s.load(source)?)
}

#[unsafe(no_mangle)]
pub extern "C" fn cuModuleLoadData(out: *mut Handle, image: *const c_void) -> Code {
    call("cuModuleLoadData", |s| load_image(s, out, image))
}

#[unsafe(no_mangle)]
pub extern "C" fn cuModuleLoadDataEx(
    out: *mut Handle,
    image: *const c_void,
    _count: c_uint,
    _options: *mut c_int,
    _values: *mut *mut c_void,
) -> Code {
    call("cuModuleLoadDataEx", |s| load_image(s, out, image))
}

#[unsafe(no_mangle)]
pub extern "C" fn cuModuleLoad(out: *mut Handle, path: *const c_char) -> Code {
    call("cuModuleLoad", |s| {
        let source = std::fs::read_to_string(text(path)?).map_err(|_| FILE_NOT_FOUND)?;
        put(out, s.load(&source)?)
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn cuModuleUnload(module: Handle) -> Code {
    call("cuModuleUnload", |s| s.unload(module))
}

#[unsafe(no_mangle)]
pub extern "C" fn cuModuleGetFunction(out: *mut Handle, module: Handle, name: *const c_char) -> Code {
    call("cuModuleGetFunction", |s| {
        let name = text(name)?;
        s.note(name);
        let code = &s.modules.get(&module).ok_or(INVALID_HANDLE)?.code;
        let wanted = |f: &Function| f.module == module && code.kernels[f.kernel].name == name;
        let found = s.functions.iter().find(|(_, f)| wanted(f)).ok_or(NOT_FOUND)?;
        put(out, *found.0)
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn cuModuleGetGlobal_v2(out: *mut u64, size: *mut usize, module: Handle, name: *const c_char) -> Code {
    call("cuModuleGetGlobal_v2", |s| {
        let name = text(name)?;
        let module = s.modules.get(&module).ok_or(INVALID_HANDLE)?;
        let index = module.code.variables.iter().position(|v| v.name == name).ok_or(NOT_FOUND)?;
        put_optional(out, module.variables[index]);
        put_optional(size, module.code.variables[index].bytes.len());
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn cuFuncGetAttribute(out: *mut c_int, attribute: c_int, function: Handle) -> Code {
    call("cuFuncGetAttribute", |s| {
        let (f, module) = s.kernel(function)?;
        let kernel = &module.code.kernels[f.kernel];
        let value = match attribute {
            0 => {
                if kernel.max_threads > 0 {
                    kernel.max_threads as usize
                } else {
                    1024
                }
            }
            1 => kernel.shared,
            3 => kernel.local,
            // Registers are the assembler's to say; this is a common number.
            4 => 32,
            5 | 6 => (module.code.version.0 * 10 + module.code.version.1) as usize,
            8 => f.dynamic_limit,
            _ => 0,
        };
        put(out, value as c_int)
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn cuFuncSetAttribute(function: Handle, attribute: c_int, value: c_int) -> Code {
    call("cuFuncSetAttribute", |s| {
        let (f, module) = s.kernel(function)?;
        let fixed = module.code.kernels[f.kernel].shared;
        if attribute == 8 {
            if value < 0 || value as usize + fixed > SHARED_LIMIT_OPT_IN {
                return Err(INVALID_VALUE);
            }
            if let Some(f) = s.functions.get_mut(&function) {
                f.dynamic_limit = value as usize;
            }
        }
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn cuFuncSetCacheConfig(function: Handle, _config: c_int) -> Code {
    call("cuFuncSetCacheConfig", |s| s.kernel(function).map(drop))
}

fn occupancy(name: &'static str, out: *mut c_int, function: Handle, threads: c_int, dynamic: usize) -> Code {
    call(name, |s| {
        let (f, module) = s.kernel(function)?;
        put(out, blocks_that_fit(threads, module.code.kernels[f.kernel].shared + dynamic))
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn cuOccupancyMaxActiveBlocksPerMultiprocessor(
    out: *mut c_int,
    function: Handle,
    threads: c_int,
    dynamic: usize,
) -> Code {
    occupancy("cuOccupancyMaxActiveBlocksPerMultiprocessor", out, function, threads, dynamic)
}

#[unsafe(no_mangle)]
pub extern "C" fn cuOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(
    out: *mut c_int,
    function: Handle,
    threads: c_int,
    dynamic: usize,
    _flags: c_uint,
) -> Code {
    occupancy("cuOccupancyMaxActiveBlocksPerMultiprocessorWithFlags", out, function, threads, dynamic)
}
