//! The two orthogonal transforms that diagonalise stencils on a grid, along all of its axes.
//!
//! ```text
//! cosine    X_k = c_k Σᵢ xᵢ cos(π k (2i + 1)/(2n))     c₀ = √(1/n), else √(2/n)      DCT-II, its inverse DCT-III
//! Hartley   X_k = n^(−½) Σᵢ xᵢ (cos + sin)(2π⟨k, i⟩/n)                               its own inverse
//! ```
//!
//! The cosine transform is the product of those along the axes; it belongs to stencils reflected at the
//! border (Strang, The discrete cosine transform, SIAM Review 1999). Hartley's is that of all axes at
//! once, `Re F − Im F` of the Fourier transform: real, and as good for any stencil that is symmetric
//! about its centre and periodic (Bracewell, JOSA 1983).

use std::fmt;
use std::sync::Arc;

pub use rustdct::DctNum;
pub use rustdct::rustfft::num_complex::Complex;
use rustdct::rustfft::{Fft, FftPlanner};
use rustdct::{DctPlanner, TransformType2And3};

/// Which transform.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Transform {
    /// DCT-II along every axis, orthonormal.
    Cosine,
    /// The discrete Hartley transform of all axes, orthonormal.
    Hartley,
}

impl Transform {
    /// One word.
    pub fn name(self) -> &'static str {
        match self {
            Transform::Cosine => "dct",
            Transform::Hartley => "hartley",
        }
    }
}

/// Lines that are transformed at a time where an axis is not the last: what a cache line holds.
const PANEL: usize = 8;

/// A transform of grids of one shape, ready to run.
pub struct GridTransform<T> {
    axes: Vec<Axis<T>>,
    len: usize,
    kind: Transform,
}

struct Axis<T> {
    extent: usize,
    /// Elements between neighbours.
    inner: usize,
    method: Method<T>,
}

enum Method<T> {
    Cosine(Arc<dyn TransformType2And3<T>>),
    Fourier(Arc<dyn Fft<T>>),
}

impl<T: DctNum> GridTransform<T> {
    /// Plans the transform.
    pub fn new(kind: Transform, grid: &[usize]) -> GridTransform<T> {
        let len = grid.iter().product();
        let mut inner = 1;
        let mut axes = Vec::new();
        // Axes of one element are transformed by doing nothing.
        for &extent in grid.iter().rev() {
            if extent > 1 && len > 0 {
                let method = match kind {
                    Transform::Cosine => Method::Cosine(DctPlanner::new().plan_dct2(extent)),
                    Transform::Hartley => Method::Fourier(FftPlanner::new().plan_fft_forward(extent)),
                };
                axes.push(Axis { extent, inner, method });
            }
            inner *= extent;
        }
        GridTransform { axes, len, kind }
    }

    /// What [`GridTransform::run`] wants of memory: real numbers, complex numbers.
    pub fn scratch(&self) -> (usize, usize) {
        let lines = |axis: &Axis<T>| if axis.inner == 1 { 0 } else { axis.extent * PANEL };
        let own = |axis: &Axis<T>| match &axis.method {
            Method::Cosine(plan) => (lines(axis) + plan.get_scratch_len(), 0),
            Method::Fourier(plan) => (0, self.len + lines(axis) + plan.get_inplace_scratch_len()),
        };
        let most = (0, if self.kind == Transform::Hartley { self.len } else { 0 });
        self.axes.iter().map(own).fold(most, |most, own| (most.0.max(own.0), most.1.max(own.1)))
    }

    /// Transforms a grid in place, or takes it back.
    pub fn run(&self, grid: &mut [T], inverse: bool, real: &mut [T], complex: &mut [Complex<T>]) {
        assert_eq!(grid.len(), self.len, "the grid has the plan's shape");
        match self.kind {
            Transform::Cosine => self.axes.iter().for_each(|axis| axis.cosine(grid, inverse, real)),
            Transform::Hartley => self.hartley(grid, complex),
        }
    }

    /// As [`GridTransform::run`], with memory of its own.
    pub fn apply(&self, grid: &mut [T], inverse: bool) {
        let (real, complex) = self.scratch();
        self.run(grid, inverse, &mut vec![T::zero(); real], &mut vec![Complex::new(T::zero(), T::zero()); complex]);
    }

    fn hartley(&self, grid: &mut [T], scratch: &mut [Complex<T>]) {
        let (whole, scratch) = scratch.split_at_mut(self.len);
        whole.iter_mut().zip(&*grid).for_each(|(to, &re)| *to = Complex { re, im: T::zero() });
        self.axes.iter().for_each(|axis| axis.fourier(whole, scratch));
        let scale = number::<T>((self.len as f64).sqrt().recip());
        grid.iter_mut().zip(&*whole).for_each(|(to, from)| *to = (from.re - from.im) * scale);
    }
}

impl<T: DctNum> Axis<T> {
    fn cosine(&self, grid: &mut [T], inverse: bool, scratch: &mut [T]) {
        let Method::Cosine(plan) = &self.method else { unreachable!("a cosine transform is made of such axes") };
        let n = self.extent;
        let flat = number::<T>((1.0 / n as f64).sqrt());
        let wave = number::<T>((2.0 / n as f64).sqrt());
        let two = number::<T>(2.0);
        self.lines(grid, scratch, |line, scratch| {
            if inverse {
                // The library's DCT-III halves the first coefficient.
                line[0] = line[0] * two * flat;
                line[1..].iter_mut().for_each(|x| *x = *x * wave);
                plan.process_dct3_with_scratch(line, &mut scratch[..plan.get_scratch_len()]);
            } else {
                plan.process_dct2_with_scratch(line, &mut scratch[..plan.get_scratch_len()]);
                line[0] = line[0] * flat;
                line[1..].iter_mut().for_each(|x| *x = *x * wave);
            }
        });
    }

    fn fourier(&self, grid: &mut [Complex<T>], scratch: &mut [Complex<T>]) {
        let Method::Fourier(plan) = &self.method else { unreachable!("a Hartley transform is made of such axes") };
        self.lines(grid, scratch, |line, scratch| {
            plan.process_with_scratch(line, &mut scratch[..plan.get_inplace_scratch_len()]);
        });
    }

    /// Hands every line along the axis to `each`, with the scratch that is left.
    fn lines<E: Copy>(&self, grid: &mut [E], scratch: &mut [E], mut each: impl FnMut(&mut [E], &mut [E])) {
        let (n, inner) = (self.extent, self.inner);
        if inner == 1 {
            grid.chunks_exact_mut(n).for_each(|line| each(line, scratch));
            return;
        }
        let (panel, scratch) = scratch.split_at_mut(n * PANEL);
        for slab in grid.chunks_exact_mut(n * inner) {
            for first in (0..inner).step_by(PANEL) {
                let width = PANEL.min(inner - first);
                for i in 0..n {
                    let row = &slab[i * inner + first..][..width];
                    row.iter().enumerate().for_each(|(k, &x)| panel[k * n + i] = x);
                }
                panel.chunks_exact_mut(n).take(width).for_each(|line| each(line, scratch));
                for i in 0..n {
                    let row = &mut slab[i * inner + first..][..width];
                    row.iter_mut().enumerate().for_each(|(k, x)| *x = panel[k * n + i]);
                }
            }
        }
    }
}

fn number<T: DctNum>(x: f64) -> T {
    T::from_f64(x).expect("a float has every double's nearest")
}

impl<T> fmt::Debug for GridTransform<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.kind.name(), self.len)
    }
}
