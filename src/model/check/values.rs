//! Functions computed when the file is compiled: tables and their parts, grids, toy data.
//!
//! Rows are shuffled, and numbers drawn, by the seeded Philox stream, so a seed gives the same data
//! everywhere.

use std::sync::Arc;

use super::call::argument;
use super::meaning::{Meaning, Scope};
use super::{Checker, shape_words};
use crate::catalogue::Signature;
use crate::diag::{Code, Diag};
use crate::model::ir::{Expr, ExprKind, Leaf, Member};
use crate::source::Span;
use crate::syntax::ast::{self, Arg, Ident};
use crate::tape::philox::{self, Stream};
use crate::tape::{Dtype, Shape, Tensor};

/// How each is written, and what it gives; files are read by the first ones. A table of the reference is
/// made of it.
const TABLE: &[(&str, &str)] = &[
    (
        "csv(file, column = …, missing = …)",
        "a table of numbers in text, with or without a line of names; a column of it, by name or position",
    ),
    ("npy(file, missing = …)", "a NumPy array"),
    ("npz(file, key = …, missing = …)", "an array of a NumPy archive"),
    ("idx(file)", "an array in the format of the MNIST files"),
    ("mtx(file)", "a MatrixMarket file; a list of coordinates is a sparse matrix"),
    ("parquet(file, column = …, missing = …)", "a table of a parquet file; a column of it, by name or position"),
    ("png(file)", "an image, from 0 to 1"),
    ("pgm(file)", "an image, PGM or PPM, in bytes or in text, from 0 to 1"),
    ("safetensors(file, key = …)", "a tensor of a safetensors file"),
    ("load(file, key = …)", "a file by its ending; of a safetensors or npz file all that a network has"),
    ("split(table, n, seed = 0)", "the rows in random order: the first n, and the rest"),
    ("shard(A, i, k)", "the i-th of k consecutive parts of the rows"),
    ("linspace(first, last, n)", "n numbers at equal distances, both ends included"),
    ("range(first, last, step = 1)", "first, first + step, … up to last"),
    ("zeros(n, …)", "an array of zeros"),
    ("ones(n, …)", "an array of ones"),
    ("eye(n)", "the identity of n rows"),
    ("normal(n, …, seed = 0)", "an array of draws from the standard normal law"),
    ("uniform(n, …, low = 0, high = 1, seed = 0)", "an array of draws between low and high"),
    ("known(M)", "1 where data has a value and 0 where it is missing"),
    ("nrows(A)", "the number of rows"),
    ("ncols(A)", "the number of columns"),
    ("numel(A)", "the number of elements"),
    ("reshape(A, n, …)", "the same elements, row by row, in another shape; also of a variable"),
    ("concat(A, B, …)", "the rows of one above those of the next; also of variables"),
];

/// Streams of the generator, one a use.
const SHUFFLE: u32 = 0x5348_5546;
const NORMAL: u32 = 0x4e4f_524d;
const UNIFORM: u32 = 0x554e_4946;

/// The signature of a compile-time function.
pub(super) fn builtin(name: &str) -> Option<Signature> {
    signatures().find(|signature| signature.name() == name)
}

/// All of them.
pub(super) fn signatures() -> impl Iterator<Item = Signature> {
    builtins().map(|(signature, _)| signature)
}

/// The functions computed when a file is compiled, each with a line of documentation.
pub fn builtins() -> impl Iterator<Item = (Signature, &'static str)> {
    TABLE.iter().map(|&(signature, doc)| (Signature(signature), doc))
}

/// All their names, and those of the functions that need a section of their own.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    signatures().map(Signature::name).chain(["dual", "weights"])
}

/// An argument by parameter; `None` where it is left out.
type Slots<'a> = Vec<Option<&'a Arg>>;

impl<'a> Checker<'a> {
    /// A compile-time function.
    pub(super) fn builtin(
        &mut self,
        callee: &'a Ident,
        signature: Signature,
        args: &'a [Arg],
        span: Span,
        scope: &Scope,
    ) -> Option<Meaning> {
        let slots: Slots<'a> = self.arranged(callee, signature, args)?;
        let tensor = match signature.name() {
            "load" => return self.load(&slots, span, scope),
            "split" => return self.split(&slots, span, scope),
            "concat" => return self.concat(&slots, span, scope).map(Meaning::Expr),
            "reshape" => return self.reshape(&slots, span, scope).map(Meaning::Expr),
            "nrows" | "ncols" | "numel" => return self.extent(signature.name(), &slots, span, scope),
            "known" => self.mask(value(&slots, 0), span, scope)?,
            "shard" => self.shard(&slots, span, scope)?,
            "linspace" => self.linspace(&slots, span, scope)?,
            "range" => self.range(&slots, span, scope)?,
            "eye" => {
                let n = self.count(value(&slots, 0), scope, 1, "rows")?;
                self.fits(&Shape::matrix(n, n), span)?;
                let mut elements = vec![0.0; n * n];
                elements.iter_mut().step_by(n + 1).for_each(|x| *x = 1.0);
                Tensor::f64([n, n], elements)
            }
            "zeros" | "ones" | "normal" | "uniform" => self.filled(signature, &slots, span, scope)?,
            _ => return self.file(callee, &slots, signature, span, scope),
        };
        Some(Meaning::Expr(self.constant(tensor, span)))
    }

    /// `nrows`, `ncols`, `numel`, of anything: shapes are known.
    fn extent(&mut self, name: &str, slots: &Slots<'a>, span: Span, scope: &Scope) -> Option<Meaning> {
        let ast = value(slots, 0);
        let expr = self.tensor(ast, scope)?;
        let extent = match (name, &expr.shape.0[..]) {
            ("numel", _) => Some(expr.shape.numel()),
            ("nrows", [rows, ..]) => Some(*rows),
            ("ncols", [_, columns]) => Some(*columns),
            _ => None,
        };
        if let Some(extent) = extent {
            return Some(Meaning::Expr(super::names::number(extent as f64, span)));
        }
        let (text, what) = (self.text(ast.span), if name == "nrows" { "rows" } else { "columns" });
        let mut diag =
            Diag::new(Code::WrongKind, ast.span, format!("`{text}` is {}; it has no {what}", shape_words(&expr.shape)));
        diag = self.with_sources(diag, &[&expr]);
        self.fail(diag.help("`numel` counts the elements of anything, `nrows` those of a vector too"))
    }

    /// `known(M)`: 1 where the data has a value.
    fn mask(&mut self, ast: &'a ast::Expr, span: Span, scope: &Scope) -> Option<Tensor> {
        let expr = self.tensor(ast, scope)?;
        if let ExprKind::Leaf(Leaf::Data(id, _)) = expr.kind
            && let Some(known) = &self.facts[id.index()].known
        {
            return Some(known.clone());
        }
        let text = self.text(ast.span);
        self.fail(
            Diag::new(Code::WrongKind, span, format!("`{text}` has no missing values")).help(
                "data has them where its declaration says how they are written: `csv(\"M.csv\", missing = \"NA\")`",
            ),
        )
    }

    /// `split(table, n)`: the rows in random order, the first n of them and the rest.
    fn split(&mut self, slots: &Slots<'a>, span: Span, scope: &Scope) -> Option<Meaning> {
        let table = self.table(value(slots, 0), scope)?;
        let rows = table.shape.0[0];
        let at = value(slots, 1);
        let n = self.count(at, scope, 1, "rows")?;
        if n >= rows {
            return self.fail(
                Diag::new(Code::WrongArguments, at.span, format!("{n} of {rows} rows leave none for the second part"))
                    .help("`split(table, n)` gives n rows and the rest"),
            );
        }
        let seed = self.seed(slots.get(2).copied().flatten(), scope)?;
        let stream = Stream::new(philox::key(seed), SHUFFLE);
        let mut order: Vec<(f64, usize)> =
            (0..rows).map(|row| (stream.uniform(0, row as u64, Dtype::F64), row)).collect();
        order.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let order: Vec<usize> = order.into_iter().map(|(_, row)| row).collect();
        let parts = [&order[..n], &order[n..]].map(|part| take_rows(&table, part));
        let parts = parts.into_iter().map(|part| Meaning::Expr(self.constant(part, span))).collect();
        Some(Meaning::Tuple(parts))
    }

    /// `shard(A, i, k)`: the i-th of k consecutive parts; the first ones have the odd rows.
    fn shard(&mut self, slots: &Slots<'a>, span: Span, scope: &Scope) -> Option<Tensor> {
        let table = self.table(value(slots, 0), scope)?;
        let i = self.count(value(slots, 1), scope, 1, "a shard")?;
        let k = self.count(value(slots, 2), scope, 1, "shards")?;
        let rows = table.shape.0[0];
        if i > k || k > rows {
            let message = if i > k {
                format!("there is no shard {i} of {k}")
            } else {
                format!("{rows} rows can't be cut into {k} shards")
            };
            return self.fail(
                Diag::new(Code::WrongArguments, span, message)
                    .help("`shard(A, i, k)` is the i-th of k parts of the rows"),
            );
        }
        let start = |i: usize| i * (rows / k) + i.min(rows % k);
        Some(take_rows(&table, &(start(i - 1)..start(i)).collect::<Vec<_>>()))
    }

    fn linspace(&mut self, slots: &Slots<'a>, span: Span, scope: &Scope) -> Option<Tensor> {
        let first = self.known_number(value(slots, 0), scope)?;
        let last = self.known_number(value(slots, 1), scope)?;
        let n = self.count(value(slots, 2), scope, 1, "points")?;
        self.fits(&Shape::vector(n), span)?;
        let step = if n > 1 { (last - first) / (n - 1) as f64 } else { 0.0 };
        let point = |i: usize| if i + 1 == n && n > 1 { last } else { first + step * i as f64 };
        Some(Tensor::f64([n], (0..n).map(point).collect()))
    }

    fn range(&mut self, slots: &Slots<'a>, span: Span, scope: &Scope) -> Option<Tensor> {
        let first = self.known_number(value(slots, 0), scope)?;
        let last = self.known_number(value(slots, 1), scope)?;
        let step = match slots[2] {
            Some(arg) => self.known_number(&arg.value, scope)?,
            None => 1.0,
        };
        // A hair more than a whole number of steps still reaches the end.
        let count = ((last - first) / step + 1e-9).floor() + 1.0;
        if count.is_nan() || count < 1.0 {
            return self.fail(
                Diag::new(
                    Code::WrongArguments,
                    span,
                    format!("from {first} to {last} by steps of {step} there are no points"),
                )
                .help("`range(first, last, step = 1)` counts from first to last, both included"),
            );
        }
        self.fits(&Shape::vector(count as usize), span)?;
        Some(Tensor::f64([count as usize], (0..count as usize).map(|i| first + step * i as f64).collect()))
    }

    /// `zeros(m, n)` and its like.
    fn filled(&mut self, signature: Signature, slots: &Slots<'a>, span: Span, scope: &Scope) -> Option<Tensor> {
        let parameters = signature.parameters().len();
        let extents = std::iter::once(&slots[0]).chain(&slots[parameters..]).flatten();
        let extents: Vec<&'a Arg> = extents.copied().collect();
        let mut shape = Vec::new();
        for arg in extents {
            shape.push(self.count(&arg.value, scope, 1, "rows or columns")?);
        }
        let shape = Shape(shape);
        self.fits(&shape, span)?;
        let n = shape.numel();
        let elements = match signature.name() {
            "zeros" => vec![0.0; n],
            "ones" => vec![1.0; n],
            "normal" => {
                let stream = Stream::new(philox::key(self.seed(slots[1], scope)?), NORMAL);
                (0..n as u64).map(|j| stream.normal(0, j, Dtype::F64)).collect()
            }
            _ => {
                let mut bound = |at: usize, default: f64| match slots[at] {
                    Some(arg) => self.known_number(&arg.value, scope),
                    None => Some(default),
                };
                let (low, high) = (bound(1, 0.0)?, bound(2, 1.0)?);
                let stream = Stream::new(philox::key(self.seed(slots[3], scope)?), UNIFORM);
                (0..n as u64).map(|j| low + (high - low) * stream.uniform(0, j, Dtype::F64)).collect()
            }
        };
        Some(Tensor::f64(shape, elements))
    }

    /// `reshape(A, n, …)`: the same elements, row by row, in another shape.
    fn reshape(&mut self, slots: &Slots<'a>, span: Span, scope: &Scope) -> Option<Expr> {
        let base = self.tensor(value(slots, 0), scope)?;
        let mut shape = Vec::new();
        for arg in slots[1..].iter().flatten() {
            shape.push(self.count(&arg.value, scope, 1, "rows or columns")?);
        }
        let shape = Shape(shape);
        if shape.0.iter().try_fold(1usize, |n, &extent| n.checked_mul(extent)) == Some(base.shape.numel()) {
            return Some(Expr { kind: ExprKind::Reshape(Box::new(base)), shape, span });
        }
        let text = self.text(base.span);
        let message = format!("the {} elements of `{text}` don't fill {shape}", base.shape.numel());
        let mut diag = Diag::new(Code::ShapeMismatch, span, message);
        diag = self.with_sources(diag, &[&base]);
        self.fail(diag)
    }

    /// `concat(A, B, …)`: rows of one above those of the next.
    fn concat(&mut self, slots: &Slots<'a>, span: Span, scope: &Scope) -> Option<Expr> {
        let parts: Vec<Option<Expr>> = slots.iter().flatten().map(|arg| self.tensor(&arg.value, scope)).collect();
        let parts: Vec<Expr> = parts.into_iter().collect::<Option<_>>()?;
        let parts: Vec<Expr> = parts.into_iter().map(as_column).collect();
        if let Some(other) = parts.iter().find(|part| part.shape.0[1..] != parts[0].shape.0[1..]) {
            return self.disagree(&parts[0].clone(), &other.clone(), span, "all but the rows must be the same");
        }
        let mut shape = parts[0].shape.clone();
        shape.0[0] = parts.iter().map(|part| part.shape.0[0]).sum();
        Some(Expr { kind: ExprKind::Concat(parts, 0), shape, span })
    }

    /// A known tensor with rows; one that is data is not copied.
    fn table(&mut self, ast: &'a ast::Expr, scope: &Scope) -> Option<Arc<Tensor>> {
        let expr = self.tensor(ast, scope)?;
        let table = match expr.kind {
            ExprKind::Leaf(Leaf::Data(id, Member::None)) => Arc::clone(&self.model.data[id.index()].tensor),
            _ => Arc::new(self.known_value(&expr)?),
        };
        if table.shape.rank() > 0 {
            return Some(table);
        }
        let text = self.text(ast.span);
        self.fail(Diag::new(Code::WrongKind, ast.span, format!("`{text}` is a number; it has no rows")))
    }

    fn seed(&mut self, arg: Option<&'a Arg>, scope: &Scope) -> Option<u64> {
        match arg {
            Some(arg) => self.count(&arg.value, scope, 0, "a seed").map(|seed| seed as u64),
            None => Some(0),
        }
    }
}

/// The expression of a parameter that can't be left out.
fn value<'a>(slots: &Slots<'a>, at: usize) -> &'a ast::Expr {
    &argument(slots, at).value
}

/// These rows of a tensor.
pub(super) fn take_rows(table: &Tensor, rows: &[usize]) -> Tensor {
    let width: usize = table.shape.0[1..].iter().product();
    let all = table.to_f64();
    let elements = rows.iter().flat_map(|&row| all[row * width..(row + 1) * width].iter().copied()).collect();
    let mut shape = table.shape.clone();
    shape.0[0] = rows.len();
    Tensor::f64(shape, elements)
}

/// A number as a vector of one.
fn as_column(expr: Expr) -> Expr {
    if !expr.shape.is_scalar() {
        return expr;
    }
    let span = expr.span;
    Expr { kind: ExprKind::Reshape(Box::new(expr)), shape: Shape::vector(1), span }
}
