//! The routines of the libraries that the bound programs take, each library opened where one does.
#![allow(unsafe_code)]

use super::blas::{Addresses, Blas};
use super::graphs::Forks;
use super::library::{Library, Places, need};
use super::solver::Solver;
use super::source::Routine;
use super::{Device, Refusal};
use crate::exec::plan::Array;

/// The libraries that are open.
#[derive(Debug, Default)]
pub(super) struct Routines {
    /// One a lane.
    blas: Vec<Blas>,
    solver: Option<Solver>,
}

impl Routines {
    /// Makes a routine ready: opens its library, and takes the memory that it works in. `address` says where an
    /// array lies.
    pub fn prepare(
        &mut self,
        device: &Device,
        places: &Places,
        forks: &Forks,
        routine: &Routine,
        address: impl Fn(&Array) -> u64,
    ) -> Result<(), Refusal> {
        if is_blas(routine) {
            if self.blas.is_empty() {
                need(places, Library::Cublas)?;
                self.blas = forks.streams(device).map(|stream| Blas::new(device, stream)).collect::<Result<_, _>>()?;
            }
            return Ok(());
        }
        if self.solver.is_none() {
            need(places, Library::Cusolver)?;
            self.solver = Some(Solver::new(device)?);
        }
        self.solver.as_mut().expect("made above").prepare(device, routine, address)
    }

    /// Enqueues a routine in a lane for so many members. `member` gives the address of an array of a member, from 0 on, and
    /// the bytes to the next one's.
    ///
    /// # Safety
    /// These are addresses of device memory that the routine's plan gave it, for every member.
    pub unsafe fn run(
        &self,
        device: &Device,
        lane: usize,
        routine: &Routine,
        members: usize,
        member: impl Fn(&Array) -> (u64, usize),
    ) -> Result<(), Refusal> {
        let blas = || &self.blas[lane];
        if let Routine::Product(it) = routine {
            let at = |place, len| member(&Array { place, len, dtype: it.dtype });
            let at = Addresses {
                a: at(it.a, it.rows * it.inner),
                b: at(it.b, it.inner * it.columns),
                to: at(it.to, it.rows * it.columns),
            };
            // SAFETY: the caller's.
            return unsafe { blas().product(it, at, members) };
        }
        for k in 0..members {
            let address = |array: &Array| {
                let (first, stride) = member(array);
                first + (k * stride) as u64
            };
            // SAFETY: the caller's.
            unsafe {
                match routine {
                    Routine::Solve { n, columns, factor, x } => {
                        blas().solve(factor.dtype, *n, *columns, address(factor), address(x))?;
                    }
                    routine => self.solver.as_ref().expect("opened for it").run(device, routine, address)?,
                }
            }
        }
        Ok(())
    }
}

fn is_blas(routine: &Routine) -> bool {
    matches!(routine, Routine::Product(_) | Routine::Solve { .. })
}
