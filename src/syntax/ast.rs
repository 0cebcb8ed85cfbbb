//! The syntax tree: what was written, with a span on every node and the comments beside it.
//!
//! Nothing is resolved here: names are text, shapes are expressions, and anything that parses is
//! kept, so that the printer can give the file back.

use crate::source::{FileId, Span};

/// A name as written. `key` is its NFKC form, by which names are compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ident {
    /// As written.
    pub text: String,
    /// NFKC of the text.
    pub key: String,
    /// Where.
    pub span: Span,
}

/// A comment, `#` to the end of its line.
#[derive(Debug, Clone, PartialEq)]
pub struct Comment {
    /// With its `#`, without trailing space.
    pub text: String,
    /// Where.
    pub span: Span,
    /// Whether something else stands before it on its line.
    pub trailing: bool,
}

/// One file.
#[derive(Debug, Clone, PartialEq)]
pub struct Ast {
    /// The file.
    pub file: FileId,
    /// `admm 1`
    pub version: Option<(u32, Span)>,
    /// Statements in source order; those with a syntax error are left out (and reported).
    pub items: Vec<Item>,
    /// Comments in source order.
    pub comments: Vec<Comment>,
    /// Byte offsets at which a run of blank lines begins (the formatter keeps one of each).
    pub blanks: Vec<u32>,
}

/// A statement.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// What it is.
    pub kind: ItemKind,
    /// All of it.
    pub span: Span,
}

/// The statements of the language.
#[derive(Debug, Clone, PartialEq)]
pub enum ItemKind {
    /// `use "file.admm"`
    Use { path: Text },
    /// `param lambda = 0.1`
    Param { name: Ident, value: Expr },
    /// `data As[i in 1 to 8]: real[200, 50] = csv("f.csv")`
    Data { name: Ident, family: Option<Binder>, ty: Option<TypeExpr>, value: Expr },
    /// `let (train, held) = split(table, 1437, seed = 42)`; one name without parentheses
    Let { names: Vec<Ident>, tuple: bool, family: Option<Binder>, value: Expr },
    /// `var θ1, θ2: params(D), init = …`
    Var { names: Vec<Ident>, family: Option<Binder>, ty: TypeExpr, init: Option<Expr> },
    /// `net G(φ): 16 -> dense 64 relu -> dense 64 sigmoid`
    Net { name: Ident, params: Ident, input: NetInput, layers: Vec<Layer> },
    /// `sample (Xb, yb) ~ draw(X, y) batch 64`
    Sample { names: Vec<Ident>, tuple: bool, family: Option<Binder>, source: Expr, size: SampleSize },
    /// `minimize f + g`
    Objective { sense: Sense, body: Expr },
    /// `subject to …`
    SubjectTo { constraints: Vec<Constraint> },
    /// `split x | z`
    Split { x: Vec<Expr>, z: Vec<Expr> },
    /// `shows θ = average(θ1, θ2)` (inside a player)
    Shows { name: Ident, value: Expr },
    /// `claim θ2 = (θ1 − λ)/(1 + ρ)`
    Claim { target: Expr, value: Expr },
    /// `player generator { … }`
    Player { name: Ident, items: Vec<Item> },
    /// `solve admm { … }`, `solve play as game { … }`
    Solve { name: Option<Ident>, method: Ident, body: SolveBody },
}

/// A quoted string, unescaped.
#[derive(Debug, Clone, PartialEq)]
pub struct Text {
    /// Without quotes.
    pub value: String,
    /// With quotes.
    pub span: Span,
}

/// `minimize` or `maximize`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sense {
    /// `minimize`
    Minimize,
    /// `maximize`
    Maximize,
}

/// `i in 1 to 8`
#[derive(Debug, Clone, PartialEq)]
pub struct Binder {
    /// The index.
    pub name: Ident,
    /// First value.
    pub from: Box<Expr>,
    /// Last value, included.
    pub to: Box<Expr>,
    /// All of it.
    pub span: Span,
}

/// The right-hand side of a declared type.
#[derive(Debug, Clone, PartialEq)]
pub struct TypeExpr {
    /// What kind.
    pub kind: TypeKind,
    /// All of it.
    pub span: Span,
}

/// Declared types.
#[derive(Debug, Clone, PartialEq)]
pub enum TypeKind {
    /// `real`, `real[n]`, `real[m, n]`, …
    Real(Vec<Expr>),
    /// `symmetric[n]`
    Symmetric(Box<Expr>),
    /// `params(D)`
    Params(Ident),
}

/// What a network takes: `16`, or `image[1, 28, 28]`.
#[derive(Debug, Clone, PartialEq)]
pub enum NetInput {
    /// A vector of that width.
    Width(Expr),
    /// Channels, height, width.
    Image(Vec<Expr>, Span),
}

/// A stage of a network: `conv 16 kernel 5 stride 2 relu`, `flatten`, `residual (dense 64 relu)`.
#[derive(Debug, Clone, PartialEq)]
pub struct Layer {
    /// `dense`, `conv`, …
    pub name: Ident,
    /// The number behind the name, where there is one: width, channels, rate.
    pub size: Option<Expr>,
    /// `kernel 5`, `stride 2`, `init normal(0.02)`, in order.
    pub options: Vec<(Ident, Expr)>,
    /// `relu`, `leaky_relu(0.2)`, in order; checked by the model.
    pub activations: Vec<Expr>,
    /// The layers inside a `residual ( … )`.
    pub inner: Vec<Layer>,
    /// All of it.
    pub span: Span,
}

/// How many a sample draws.
#[derive(Debug, Clone, PartialEq)]
pub enum SampleSize {
    /// `batch 64`, and `keep` for a short last batch
    Batch { size: Expr, keep: bool },
    /// `fixed 64`: one draw for the whole run
    Fixed(Expr),
}

/// One constraint: `link[i in 1 to 8]: w[i] - z = 0`, `0 <= x <= 1`, `X in psd`.
#[derive(Debug, Clone, PartialEq)]
pub struct Constraint {
    /// `link`
    pub label: Option<Ident>,
    /// `[i in 1 to 8]`
    pub family: Option<Binder>,
    /// An [`ExprKind::Compare`].
    pub body: Expr,
    /// All of it.
    pub span: Span,
}

/// The braces of `solve`.
#[derive(Debug, Clone, PartialEq)]
pub enum SolveBody {
    /// `{ rho = auto, tol = 1e-6 }`
    Options(Vec<Setting>),
    /// `as game { … }`
    Game(Vec<Step>),
}

/// `rho = 1`
#[derive(Debug, Clone, PartialEq)]
pub struct Setting {
    /// Left of `=`.
    pub name: Ident,
    /// Right of it.
    pub value: Expr,
}

/// A statement of a `solve … as game` block.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// What it is.
    pub kind: StepKind,
    /// All of it.
    pub span: Span,
}

/// The statements of a `solve … as game` block.
#[derive(Debug, Clone, PartialEq)]
pub enum StepKind {
    /// `precision = f32`
    Setting(Setting),
    /// `repeat 250 epochs of digit { … }`
    RepeatEpochs { count: Expr, sample: Expr, body: Vec<Step> },
    /// `repeat 10 times { … }`
    RepeatTimes { count: Expr, body: Vec<Step> },
    /// `each batch { … }`
    EachBatch { body: Vec<Step> },
    /// `admm discriminator { rho = 1 }`
    Method { method: Ident, player: Ident, settings: Vec<Setting> },
    /// `restart discriminator`
    Restart { player: Ident },
    /// `track loss = …`
    Track { name: Ident, value: Expr },
    /// `save images G(probe; φ) as grid(8, 8) "samples"`
    SaveImages { value: Expr, grid: Expr, name: Text },
    /// `every 10 epochs …`, `every epoch …`, `at epochs 50, 150 …`
    When { when: When, body: Box<Step> },
}

/// When a statement of a repeat is due.
#[derive(Debug, Clone, PartialEq)]
pub enum When {
    /// `every 10 epochs`; `every epoch` has count 1 (no expression); `every 22 iterations`
    Every { count: Option<Expr>, unit: Ident },
    /// `at epochs 50, 150, 250`
    At { points: Vec<Expr>, unit: Ident },
}

/// An expression.
#[derive(Debug, Clone, PartialEq)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// All of it, with its own parentheses if it has them.
    pub span: Span,
}

/// The expressions of the language.
#[derive(Debug, Clone, PartialEq)]
pub enum ExprKind {
    /// `1e-3`, with its text
    Number(f64, String),
    /// `"f.csv"`
    Text(String),
    /// `x`
    Name(Ident),
    /// `-x`
    Neg(Box<Expr>),
    /// `x'`
    Transpose(Box<Expr>),
    /// `a * b`
    Binary { op: BinaryOp, op_span: Span, left: Box<Expr>, right: Box<Expr> },
    /// `0 <= x <= 1`, `x in simplex`
    Compare { first: Box<Expr>, rest: Vec<(CompareOp, Span, Expr)> },
    /// `f(a, b = 1; θ)`: arguments before the `;`, parameters behind it
    Call { callee: Ident, args: Vec<Arg>, params: Vec<Expr> },
    /// `sum(i in 1 to 8: body)`
    Over { callee: Ident, binder: Binder, body: Box<Expr> },
    /// `A[1 to 5, :]`
    Index { base: Box<Expr>, at: Vec<IndexItem> },
    /// `θ.layer1`
    Field { base: Box<Expr>, name: Ident },
    /// `fit: sum_squares(x)` in an objective
    Label { name: Ident, body: Box<Expr> },
    /// `(a, b)` of two or more
    Tuple(Vec<Expr>),
    /// `[1, 2; 3, 4]`, rows
    Matrix(Vec<Vec<Expr>>),
    /// `(a)`; kept so that the printer gives back what was written
    Paren(Box<Expr>),
}

/// An argument of a call, perhaps by name.
#[derive(Debug, Clone, PartialEq)]
pub struct Arg {
    /// `column =`
    pub name: Option<Ident>,
    /// The value.
    pub value: Expr,
}

/// One position of an index.
#[derive(Debug, Clone, PartialEq)]
pub enum IndexItem {
    /// `:`
    All(Span),
    /// `3`
    At(Expr),
    /// `1 to 5`
    Range(Expr, Expr),
}

/// Operators of two operands, by precedence in the reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BinaryOp {
    /// `+`
    Add,
    /// `-`
    Sub,
    /// `*`
    Mul,
    /// `/`
    Div,
    /// `.*`
    ElemMul,
    /// `./`
    ElemDiv,
    /// `^`
    Pow,
    /// `.^`
    ElemPow,
}

/// Comparisons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CompareOp {
    /// `=`
    Equal,
    /// `<=`, `≤`
    LessEqual,
    /// `>=`, `≥`
    GreaterEqual,
    /// `in`, `∈`
    In,
}

/// A call, or a name by itself, which is one without arguments: how sets, activations and methods are
/// written.
#[derive(Debug, Clone, Copy)]
pub struct Applied<'a> {
    /// What is called.
    pub name: &'a Ident,
    /// In parentheses.
    pub args: &'a [Arg],
    /// Behind the `;`.
    pub params: &'a [Expr],
}

impl Expr {
    /// A name with what it is applied to: `sparse(2)`, and `binary` by itself.
    pub fn applied(&self) -> Option<Applied<'_>> {
        match &self.bare().kind {
            ExprKind::Name(name) => Some(Applied { name, args: &[], params: &[] }),
            ExprKind::Call { callee, args, params } => Some(Applied { name: callee, args, params }),
            _ => None,
        }
    }

    /// The expression inside any parentheses.
    pub fn bare(&self) -> &Expr {
        match &self.kind {
            ExprKind::Paren(inner) => inner.bare(),
            _ => self,
        }
    }
}
