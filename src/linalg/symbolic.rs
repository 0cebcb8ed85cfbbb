//! The pattern of a sparse symmetric matrix and the plan of its factor `LDLᵀ`, made once for all values:
//! fill-reducing order (approximate minimum degree; Amestoy, Davis, Duff 1996), elimination tree,
//! places of the factor's numbers. Values come and go without it.
//!
//! The last `negative` rows may have pivots below zero: a matrix `[P, Kᵀ; K, −W]` with P and W positive
//! definite is *quasi-definite* and has a factor in any order, with that many negative pivots
//! (Vanderbei 1995). Where the signs of the pivots are others, there is no factor.

use std::fmt;

use faer::dyn_stack::{MemBuffer, MemStack, StackReq};
use faer::sparse::linalg::cholesky::{
    CholeskySymbolicParams, LdltRef, SymbolicCholesky, SymbolicCholeskyRaw, SymmetricOrdering,
    factorize_symbolic_cholesky,
};
use faer::sparse::{SparseColMatRef, SymbolicSparseColMatRef};
use faer::traits::RealField;
use faer::{Conj, MatMut, Par, Side};

use super::Csr;

/// The pattern and its plan.
pub struct Symbolic {
    /// Order of the matrix.
    pub n: usize,
    /// Rows at the end whose pivots are negative.
    pub negative: usize,
    /// Where each row starts in `columns`; `n + 1` of them.
    pub starts: Vec<usize>,
    /// Columns of the lower triangle, row by row, ascending.
    pub columns: Vec<usize>,
    plan: SymbolicCholesky<usize>,
    /// Where the pivots lie in the factor.
    pivots: Vec<usize>,
    fingerprint: u64,
}

impl Symbolic {
    /// The plan for the lower triangle of a matrix, whose values don't matter.
    pub fn new(lower: &Csr, negative: usize) -> Symbolic {
        assert!(lower.entries().all(|(i, j, _)| j <= i), "the pattern is a lower triangle");
        let (n, starts, columns) = (lower.rows, lower.starts.clone(), lower.columns.clone());
        // A lower triangle by rows is the upper one by columns.
        let pattern = SymbolicSparseColMatRef::new_checked(n, n, &starts, None, &columns);
        let params = CholeskySymbolicParams::default();
        let plan = factorize_symbolic_cholesky(pattern, Side::Upper, SymmetricOrdering::Amd, params)
            .expect("there is memory for the plan, and its indices fit");
        let (pivots, numbers) = (pivots(&plan), starts.iter().chain(&columns).chain([&n, &negative]));
        // FNV-1a.
        let fingerprint =
            numbers.fold(0xcbf2_9ce4_8422_2325, |hash: u64, &x| (hash ^ x as u64).wrapping_mul(0x0100_0000_01b3));
        Symbolic { n, negative, plan, pivots, fingerprint, starts, columns }
    }

    /// Entries of the lower triangle.
    pub fn nnz(&self) -> usize {
        self.columns.len()
    }

    /// Numbers in the factor.
    pub fn factor_len(&self) -> usize {
        self.plan.len_val()
    }

    /// The order in which rows are eliminated, which makes the factor small.
    pub fn order(&self) -> Vec<usize> {
        match self.plan.perm() {
            Some(order) => order.arrays().0.to_vec(),
            None => (0..self.n).collect(),
        }
    }

    /// Multiplications of a factorisation, and how much of the machine's dense speed it may use: 1 where
    /// columns of like pattern are taken as dense blocks, else 0.
    pub fn flops(&self) -> (f64, bool) {
        match self.plan.raw() {
            SymbolicCholeskyRaw::Simplicial(it) => {
                (it.col_ptr().windows(2).map(|w| ((w[1] - w[0]) as f64).powi(2)).sum(), false)
            }
            SymbolicCholeskyRaw::Supernodal(it) => {
                let own = |s: usize| {
                    let width = (it.supernode_end()[s] - it.supernode_begin()[s]) as f64;
                    let below = it.nnz_per_super()[s] as f64;
                    width * (width * width / 3.0 + width * below + below * below)
                };
                ((0..it.n_supernodes()).map(own).sum(), true)
            }
        }
    }

    /// The workspace that [`Symbolic::factor`] and [`Symbolic::solve`] of so many columns take.
    pub fn request<T: RealField>(&self, columns: usize) -> StackReq {
        let factor = self.plan.factorize_numeric_ldlt_scratch::<T>(Par::Seq, Default::default());
        factor.or(self.plan.solve_in_place_scratch::<T>(columns, Par::Seq))
    }

    /// The factor's numbers from those of the lower triangle; says whether there is one.
    pub fn factor<T: RealField + Copy + PartialOrd>(
        &self,
        values: &[T],
        factor: &mut [T],
        stack: &mut MemStack,
    ) -> bool {
        let pattern = SymbolicSparseColMatRef::new_checked(self.n, self.n, &self.starts, None, &self.columns);
        let matrix = SparseColMatRef::new(pattern, values);
        let made = self.plan.factorize_numeric_ldlt(
            factor,
            matrix,
            Side::Upper,
            Default::default(),
            Par::Seq,
            stack,
            Default::default(),
        );
        if made.is_err() {
            return false;
        }
        let zero = T::zero_impl();
        let below = self.pivots.iter().filter(|&&at| factor[at] < zero).count();
        let above = self.pivots.iter().filter(|&&at| factor[at] > zero).count();
        below == self.negative && above + below == self.n
    }

    /// Solves for the columns of a row-major matrix, in place.
    pub fn solve<T: RealField>(&self, factor: &[T], x: &mut [T], columns: usize, stack: &mut MemStack) {
        if self.n == 0 {
            return;
        }
        let x = MatMut::from_row_major_slice_mut(x, self.n, columns);
        LdltRef::new(&self.plan, factor).solve_in_place_with_conj(Conj::No, x, Par::Seq, stack);
    }

    /// The numbers of a factor in doubles, with workspace of its own; `None` where there is none.
    pub fn factor_once(&self, values: &[f64]) -> Option<Vec<f64>> {
        let mut factor = vec![0.0; self.factor_len()];
        let mut memory = MemBuffer::new(self.request::<f64>(1));
        self.factor(values, &mut factor, MemStack::new(&mut memory)).then_some(factor)
    }

    /// Solves by such a factor.
    pub fn solve_with(&self, factor: &[f64], x: &mut [f64]) {
        let mut memory = MemBuffer::new(self.request::<f64>(1));
        self.solve(factor, x, 1, MemStack::new(&mut memory));
    }

    /// Solves a system that is solved once, from its lower triangle; says whether it has a factor.
    pub fn solve_once(lower: &Csr, negative: usize, x: &mut [f64]) -> bool {
        let symbolic = Symbolic::new(lower, negative);
        let factor = symbolic.factor_once(&lower.values);
        if let Some(factor) = &factor {
            symbolic.solve_with(factor, x);
        }
        factor.is_some()
    }

    /// A number that tells patterns apart.
    pub fn fingerprint(&self) -> u64 {
        self.fingerprint
    }
}

/// Where the pivots lie: first in its column, or on the diagonal of a dense block.
fn pivots(plan: &SymbolicCholesky<usize>) -> Vec<usize> {
    match plan.raw() {
        SymbolicCholeskyRaw::Simplicial(it) => it.col_ptr()[..it.ncols()].to_vec(),
        SymbolicCholeskyRaw::Supernodal(it) => {
            let block = |s: usize| {
                let width = it.supernode_end()[s] - it.supernode_begin()[s];
                let height = width + it.nnz_per_super()[s];
                let start = it.col_ptr_for_val()[s];
                (0..width).map(move |k| start + k * (height + 1))
            };
            (0..it.n_supernodes()).flat_map(block).collect()
        }
    }
}

/// The plan follows from the pattern.
impl PartialEq for Symbolic {
    fn eq(&self, other: &Symbolic) -> bool {
        (self.n, self.negative) == (other.n, other.negative)
            && self.starts == other.starts
            && self.columns == other.columns
    }
}

impl fmt::Debug for Symbolic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pattern {}×{} of {} entries, {} in the factor", self.n, self.n, self.nnz(), self.factor_len())
    }
}
