//! Sparse matrices as data: how they come in, what they may stand in, and their pieces. What has no form
//! for them takes them with their zeros, where that is no more than a dense matrix might be.

use super::{Checker, Facts, shape_words};
use crate::catalogue::Function;
use crate::data::Pattern;
use crate::diag::{Code, Diag};
use crate::linalg::Csr;
use crate::model::ir::{DataId, Expr, ExprKind, Leaf};
use crate::source::Span;
use crate::syntax::ast::Ident;
use crate::tape::ops::Range;
use crate::tape::{Shape, Tensor};

/// Places up to which a sparse matrix is written out with its zeros: 32 MB of doubles.
const WRITTEN_OUT: usize = 1 << 22;

impl Checker<'_> {
    /// Adds a sparse matrix, each of its parts as data, and gives an expression that refers to it.
    pub(super) fn add_sparse(
        &mut self,
        name: String,
        span: Span,
        entries: Tensor,
        pattern: Pattern,
        facts: Facts,
    ) -> Expr {
        let starts = self.add_data(format!("{name}.rows"), span, pattern.starts, Facts::default());
        let columns = self.add_data(format!("{name}.columns"), span, pattern.columns, Facts::default());
        let entries = self.add_data(name, span, entries, facts);
        Expr { kind: ExprKind::Sparse(Box::new([starts, columns, entries])), shape: pattern.shape, span }
    }

    /// The parts of a sparse matrix take the name of its declaration.
    pub(super) fn rename_sparse(&mut self, matrix: &[Expr; 3], ident: &Ident) {
        for (part, suffix) in matrix.iter().zip([".rows", ".columns", ""]) {
            if let ExprKind::Leaf(Leaf::Data(id, _)) = part.kind {
                self.rename(id, ident);
                self.model.data[id.index()].name += suffix;
            }
        }
    }

    /// Data whose numbers are not looked at, only its shape.
    pub(super) fn zeros(&mut self, ident: &Ident, shape: &Shape, facts: Facts) -> Option<Expr> {
        let (name, span) = (ident.text.clone(), ident.span);
        if let &[rows, _] = &shape.0[..]
            && shape.numel() > WRITTEN_OUT
        {
            let none = |n: usize| Tensor::index([n], vec![0; n]);
            let pattern = Pattern { shape: shape.clone(), starts: none(rows + 1), columns: none(0) };
            return Some(self.add_sparse(name, span, Tensor::f64([0], Vec::new()), pattern, facts));
        }
        self.fits(shape, span)?;
        let tensor = Tensor::f64(shape.clone(), vec![0.0; shape.numel()]);
        Some(self.add_data(name, span, tensor, facts))
    }

    /// The arguments of a function, sparse ones with their zeros where it has no form for sparse ones.
    pub(super) fn with_zeros(&mut self, function: Function, mut args: Vec<Expr>) -> Option<Vec<Expr>> {
        let sparse: Vec<bool> = args.iter().map(|arg| arg.factored().is_some()).collect();
        for (at, _) in sparse.iter().enumerate().filter(|(_, sparse)| **sparse) {
            let scalar = |other: usize| args[other].shape.is_scalar();
            let stays = match function {
                Function::Transpose | Function::Neg => true,
                Function::Mul => at == 0 || !sparse[0] && args[0].shape.rank() != 1,
                Function::Div => at == 0 && scalar(1),
                Function::QuadForm => at == 1,
                _ => false,
            };
            if !stays {
                args[at] = self.written_out(&args[at])?;
            }
        }
        Some(args)
    }

    /// Whether a sparse matrix may be written out.
    pub(super) fn small_enough(&mut self, expr: &Expr) -> Option<()> {
        if expr.shape.numel() <= WRITTEN_OUT {
            return Some(());
        }
        let (text, words) = (self.text(expr.span), shape_words(&expr.shape));
        let mut diag = Diag::new(
            Code::WrongKind,
            expr.span,
            format!("`{text}` is sparse, and here it would be needed with its zeros: {words}"),
        );
        diag = self.with_sources(diag, &[expr]);
        self.fail(diag.help(
            "a sparse matrix A stays one in `A*x`, `A'*y`, `X*A`, `quad_form(x, A)`, multiplied by a number, and in pieces `A[i, :]`",
        ))
    }

    /// A sparse matrix with its zeros.
    pub(super) fn written_out(&mut self, expr: &Expr) -> Option<Expr> {
        self.small_enough(expr)?;
        match crate::model::fold::fold(&self.model, expr) {
            Some(tensor) => {
                let name = self.text(expr.span);
                Some(self.add_data(name, expr.span, tensor, Facts::default()))
            }
            // A factor that is no constant: it is written out when it is lowered.
            None => Some(Expr { kind: ExprKind::Reshape(Box::new(expr.clone())), ..expr.clone() }),
        }
    }

    /// `A[i, :]`, `A[1 to 5, :]`: a row or a column is a vector, and a box of both stays sparse.
    pub(super) fn piece(&mut self, base: Expr, ranges: Vec<Range>, kept: Shape, span: Span) -> Option<Expr> {
        let matrix = base.factored().filter(|matrix| matrix.is_plain());
        let parts = matrix.as_ref().and_then(|matrix| {
            let part = |at: usize| match matrix.matrix[at].kind {
                ExprKind::Leaf(Leaf::Data(id, _)) => Some(id),
                _ => None,
            };
            Some(([part(0)?, part(1)?, part(2)?], matrix.transpose))
        });
        let Some((parts, transpose)) = parts else {
            let dense = self.written_out(&base)?;
            return Some(Expr { kind: ExprKind::Slice(Box::new(dense), ranges), shape: kept, span });
        };
        let inside = self.entries(parts, transpose, &ranges);
        if kept.rank() == 2 {
            return Some(self.sub_matrix(inside, kept, span));
        }
        let mut elements = vec![0.0; kept.numel()];
        for (i, j, value) in inside {
            // One of the two counts along the vector, the other is 0.
            elements[if ranges[1].len == 1 { i } else { j }] = value;
        }
        let tensor = Tensor::f64(kept, elements);
        Some(self.constant(tensor, span))
    }

    /// Entries inside a box, counted from its corner.
    fn entries(&self, parts: [DataId; 3], transpose: bool, ranges: &[Range]) -> Vec<(usize, usize, f64)> {
        let [starts, columns, values] = parts.map(|id| self.model.data[id.index()].tensor.to_f64());
        let mut inside = Vec::new();
        let within = |range: &Range, at: usize| at.checked_sub(range.start).filter(|&at| at < range.len);
        for row in 0..starts.len() - 1 {
            for at in starts[row] as usize..starts[row + 1] as usize {
                let column = columns[at] as usize;
                let (i, j) = if transpose { (column, row) } else { (row, column) };
                if let (Some(i), Some(j)) = (within(&ranges[0], i), within(&ranges[1], j)) {
                    inside.push((i, j, values[at]));
                }
            }
        }
        inside
    }

    fn sub_matrix(&mut self, entries: Vec<(usize, usize, f64)>, shape: Shape, span: Span) -> Expr {
        let (pattern, values) = Pattern::of(&Csr::from_triplets(shape.0[0], shape.0[1], entries));
        let name = self.text(span);
        self.add_sparse(name, span, values, pattern, Facts::default())
    }
}
