//! The model: every name resolved, every shape known, data bound, compile-time values computed.
//!
//! A plain problem is a model of one nameless player; a game has several. Every objective is in
//! minimised form (a `maximize` is negated when it is read), cut into its additive terms.

mod net;
mod solve;

use std::sync::Arc;

use super::layout::Layout;
use crate::catalogue::Function;
use crate::source::Span;
use crate::tape::ops::Range;
use crate::tape::{Shape, Tensor};
pub use net::{Activation, Entry, EntryInit, LayerKind, Net, NetLayer};
pub use solve::{Adapt, Admm, Descent, DescentKind, Inner, Method, Rho, Solve, SolveBody, Step, StepKind, Unit, When};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident)*) => {
        $($(#[$doc])* #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)] pub struct $name(pub u32);
        impl $name { /// Position in its table.
            pub fn index(self) -> usize { self.0 as usize } })*
    };
}

ids! {
    /// A variable of [`Model::vars`].
    VarId
    /// A data tensor of [`Model::data`].
    DataId
    /// A network of [`Model::nets`].
    NetId
    /// A sample of [`Model::samples`].
    SampleId
    /// A player of [`Model::players`].
    PlayerId
    /// A constraint of a player: its position in [`Player::constraints`].
    ConstraintId
}

/// A checked problem.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Model {
    /// Data and compile-time tensors that expressions refer to.
    pub data: Vec<Data>,
    /// Decision variables of all players.
    pub vars: Vec<Var>,
    /// Networks.
    pub nets: Vec<Net>,
    /// Random batches.
    pub samples: Vec<Sample>,
    /// Named expressions that hold variables and no random batch, in source order.
    pub named: Vec<Named>,
    /// Players; one without a name for a plain problem.
    pub players: Vec<Player>,
    /// `solve` blocks in source order; at least one (the default where none is written).
    pub solves: Vec<Solve>,
    /// Where it is written, for repairs; a model that is made has none.
    pub layout: Option<Arc<Layout>>,
}

/// `let name = expression`, where that depends on variables.
#[derive(Debug, Clone, PartialEq)]
pub struct Named {
    /// As written; `player.name` inside a player.
    pub name: String,
    /// The declaration.
    pub span: Span,
    /// What it stands for; of a family, of the member of the loop.
    pub expr: Expr,
    /// Over which members, where it is a family.
    pub over: Option<Loop>,
}

/// A bound tensor.
#[derive(Debug, Clone, PartialEq)]
pub struct Data {
    /// As written; for an unnamed compile-time value, its expression.
    pub name: String,
    /// The declaration.
    pub span: Span,
    /// The numbers, f64 (or `Index` for row numbers). Of a family with members of one shape: the
    /// members along the first axis.
    pub tensor: Arc<Tensor>,
    /// Members, where it is a family. Where `rows` is given, members are uneven: member `i` is the
    /// first `rows[i]` rows of its slice, the rest is zero.
    pub family: Option<usize>,
    /// True row count of each member of an uneven family.
    pub rows: Option<Vec<usize>>,
}

/// A decision variable.
#[derive(Debug, Clone, PartialEq)]
pub struct Var {
    /// As written.
    pub name: String,
    /// Its name in the declaration.
    pub span: Span,
    /// Whose it is.
    pub player: PlayerId,
    /// Shape of one member; flat for network parameters.
    pub shape: Shape,
    /// What kind.
    pub kind: VarKind,
    /// Members, where it is a family.
    pub family: Option<usize>,
    /// Where it starts.
    pub init: Init,
    /// Stream of its random start; variables of one `var` statement share it, so they start equal.
    pub stream: u32,
}

/// Kinds of variables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VarKind {
    /// Any real tensor.
    Real,
    /// A symmetric matrix.
    Symmetric,
    /// The parameters of a network, one flat vector.
    Params(NetId),
}

/// Where a variable starts.
#[derive(Debug, Clone, PartialEq)]
pub enum Init {
    /// All zeros.
    Zeros,
    /// These numbers (of one member, or of all along a first axis).
    Given(Arc<Tensor>),
    /// Standard normal times `scale` plus `shift`.
    Normal { scale: f64, shift: f64 },
    /// Uniform on `[low, high]`.
    Uniform { low: f64, high: f64 },
    /// Each layer's own initialiser.
    Layers,
}

/// A random batch: a tensor redrawn as the schedule says.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// Names, one a part: `(Xb, yb)` has two.
    pub names: Vec<String>,
    /// The declaration.
    pub span: Span,
    /// What is drawn.
    pub source: SampleSource,
    /// Rows of a batch.
    pub batch: usize,
    /// `keep`: a short last batch is drawn too (it wraps to the next epoch's first rows).
    pub keep: bool,
    /// `fixed`: one draw for the whole run.
    pub fixed: bool,
    /// Members, where it is a family.
    pub family: Option<usize>,
    /// Shape of a batch of each part: the batch size, then the row's shape.
    pub shapes: Vec<Shape>,
}

/// What a sample draws.
#[derive(Debug, Clone, PartialEq)]
pub enum SampleSource {
    /// Rows without replacement, reshuffled each epoch, the same rows of every part.
    Rows(Vec<DataId>),
    /// Standard normal.
    Normal,
    /// Uniform on `[low, high]`.
    Uniform { low: f64, high: f64 },
    /// 1 with that probability, else 0.
    Bernoulli { p: f64 },
    /// `0 … k − 1` with equal probability.
    Categorical { k: usize },
}

/// One optimisation problem of a game, or the only one.
#[derive(Debug, Clone, PartialEq)]
pub struct Player {
    /// As written; none for a plain problem.
    pub name: Option<String>,
    /// The `player` block, or the objective.
    pub span: Span,
    /// The word `minimize` or `maximize`; empty where there is no objective.
    pub sense: Span,
    /// Whether the objective was written as `maximize`; terms are negated already.
    pub maximize: bool,
    /// Variables, in order of declaration.
    pub vars: Vec<VarId>,
    /// Additive terms, minimised.
    pub terms: Vec<Term>,
    /// Constraints, in order.
    pub constraints: Vec<Constraint>,
    /// `split x | z`, where stated.
    pub split: Option<(Vec<VarId>, Vec<VarId>)>,
    /// `claim target = value`
    pub claims: Vec<Claim>,
    /// The problem as it was written, where the compiler has split it by itself since.
    pub written: Option<Box<Written>>,
}

/// A player's problem before the compiler gave parts of it variables of their own. Variables and
/// constraints keep their numbers; new ones follow them.
#[derive(Debug, Clone, PartialEq)]
pub struct Written {
    /// The variables declared.
    pub vars: Vec<VarId>,
    /// The terms.
    pub terms: Vec<Term>,
    /// The constraints.
    pub constraints: Vec<Constraint>,
}

impl Player {
    /// Variables, terms and constraints as written.
    pub fn source(&self) -> (&[VarId], &[Term], &[Constraint]) {
        match &self.written {
            Some(written) => (&written.vars, &written.terms, &written.constraints),
            None => (&self.vars, &self.terms, &self.constraints),
        }
    }
}

impl Term {
    /// As a message says it: a label in quotes, `term 2` without.
    pub fn quoted(&self) -> String {
        if self.label.is_some() { format!("`{}`", self.name) } else { self.name.clone() }
    }
}

/// `i in 1 to n` around a term or a constraint; `i` is written [`Member::Loop`] inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Loop {
    /// Members.
    pub count: usize,
}

/// One additive term.
#[derive(Debug, Clone, PartialEq)]
pub struct Term {
    /// `fit`
    pub label: Option<String>,
    /// Its label, or `term 2` by its place in the objective. What one term of the source is cut into bears
    /// one name.
    pub name: String,
    /// A scalar, minimised.
    pub expr: Expr,
    /// The family it is summed over.
    pub over: Option<Loop>,
    /// The term in the source.
    pub span: Span,
}

/// One constraint.
#[derive(Debug, Clone, PartialEq)]
pub struct Constraint {
    /// `link`
    pub label: Option<String>,
    /// What must hold.
    pub relation: Relation,
    /// The family it is repeated over.
    pub over: Option<Loop>,
    /// The constraint in the source.
    pub span: Span,
    /// What to take out of the text for a file without it, where that can be said.
    pub removal: Option<Span>,
}

/// What a constraint says.
#[derive(Debug, Clone, PartialEq)]
pub enum Relation {
    /// `expr = 0`
    Zero(Expr),
    /// `expr <= 0`, elementwise
    NonPositive(Expr),
    /// `expr in set(arguments)`
    In {
        /// What lies in the set.
        expr: Expr,
        /// The set.
        set: Function,
        /// Its arguments, compile-time values.
        args: Vec<Expr>,
    },
}

/// A stated update.
#[derive(Debug, Clone, PartialEq)]
pub struct Claim {
    /// What it updates.
    pub target: Target,
    /// The update; `ρ` is [`Leaf::Rho`].
    pub value: Expr,
    /// In the source.
    pub span: Span,
}

/// What a claim updates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// A variable.
    Var(VarId),
    /// The multiplier of a constraint.
    Dual(ConstraintId),
}

/// A typed expression.
#[derive(Debug, Clone, PartialEq)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Shape of its value.
    pub shape: Shape,
    /// In the source.
    pub span: Span,
}

/// Typed expressions. Scalars broadcast in elementwise functions; nothing else does.
#[derive(Debug, Clone, PartialEq)]
pub enum ExprKind {
    /// A number.
    Number(f64),
    /// A variable, data, a sample, a multiplier, ρ.
    Leaf(Leaf),
    /// A sparse matrix: where its rows start, the columns of its entries, the entries, each data.
    Sparse(Box<[Expr; 3]>),
    /// A function of the catalogue, operators included, on operands its signature accepted.
    Apply(Function, Vec<Expr>),
    /// A network on one input or a batch of them.
    Net {
        /// Which.
        net: NetId,
        /// One input, or a batch along a first axis.
        input: Box<Expr>,
        /// The flat parameter vector.
        params: Box<Expr>,
        /// Layers evaluated: all, or fewer for a hidden layer's value.
        layers: usize,
        /// What its dropouts keep, 0 or 1, a batch each, in order; none where they are left out.
        masks: Vec<Expr>,
    },
    /// A box of a tensor; the shape drops axes indexed by one number.
    Slice(Box<Expr>, Vec<Range>),
    /// The same elements in another shape (a piece of a parameter vector as a matrix).
    Reshape(Box<Expr>),
    /// Tensors joined along an axis.
    Concat(Vec<Expr>, usize),
    /// The sum of a body over a family, inside a larger expression.
    Over(Loop, Box<Expr>),
}

/// What an expression can refer to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Leaf {
    /// A variable.
    Var(VarId, Member),
    /// Data.
    Data(DataId, Member),
    /// A part of a sample.
    Sample(SampleId, u32, Member),
    /// The multiplier of a constraint.
    Dual(PlayerId, ConstraintId, Member),
    /// The penalty of a player's coupling.
    Rho(PlayerId),
}

/// Which member of a family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Member {
    /// It is no family.
    None,
    /// The one of the loop around.
    Loop,
    /// That one, zero-based.
    At(u32),
}

impl Constraint {
    /// What it is called: its label, or `c2` by its place.
    pub fn name(&self, id: ConstraintId) -> String {
        self.label.clone().unwrap_or_else(|| format!("c{}", id.0 + 1))
    }
}

impl Relation {
    /// What is equal to zero, at most zero, or in a set.
    pub fn expr(&self) -> &Expr {
        match self {
            Relation::Zero(expr) | Relation::NonPositive(expr) | Relation::In { expr, .. } => expr,
        }
    }
}

impl Expr {
    /// The expressions directly inside.
    pub fn children(&self) -> Vec<&Expr> {
        match &self.kind {
            ExprKind::Number(_) | ExprKind::Leaf(_) => Vec::new(),
            ExprKind::Sparse(parts) => parts.iter().collect(),
            ExprKind::Apply(_, parts) | ExprKind::Concat(parts, _) => parts.iter().collect(),
            ExprKind::Net { input, params, masks, .. } => [&**input, params].into_iter().chain(masks).collect(),
            ExprKind::Slice(base, _) | ExprKind::Reshape(base) | ExprKind::Over(_, base) => vec![base],
        }
    }

    /// The same, to be changed.
    pub fn children_mut(&mut self) -> Vec<&mut Expr> {
        match &mut self.kind {
            ExprKind::Number(_) | ExprKind::Leaf(_) => Vec::new(),
            ExprKind::Sparse(parts) => parts.iter_mut().collect(),
            ExprKind::Apply(_, parts) | ExprKind::Concat(parts, _) => parts.iter_mut().collect(),
            ExprKind::Net { input, params, masks, .. } => [&mut **input, params].into_iter().chain(masks).collect(),
            ExprKind::Slice(base, _) | ExprKind::Reshape(base) | ExprKind::Over(_, base) => vec![base],
        }
    }

    /// Whether two expressions are the same, wherever they are written.
    pub fn same(&self, other: &Expr) -> bool {
        let kinds = match (&self.kind, &other.kind) {
            (ExprKind::Number(x), ExprKind::Number(y)) => x == y,
            (ExprKind::Leaf(x), ExprKind::Leaf(y)) => x == y,
            (ExprKind::Apply(f, _), ExprKind::Apply(g, _)) => f == g,
            (ExprKind::Net { net: f, layers: k, .. }, ExprKind::Net { net: g, layers: l, .. }) => f == g && k == l,
            (ExprKind::Slice(_, x), ExprKind::Slice(_, y)) => x == y,
            (ExprKind::Reshape(_), ExprKind::Reshape(_)) | (ExprKind::Sparse(_), ExprKind::Sparse(_)) => true,
            (ExprKind::Concat(_, x), ExprKind::Concat(_, y)) => x == y,
            (ExprKind::Over(x, _), ExprKind::Over(y, _)) => x == y,
            _ => false,
        };
        let (left, right) = (self.children(), other.children());
        kinds
            && self.shape == other.shape
            && left.len() == right.len()
            && left.into_iter().zip(right).all(|(left, right)| left.same(right))
    }

    /// Visits every leaf, from left to right.
    pub fn leaves(&self, visit: &mut impl FnMut(Leaf)) {
        if let ExprKind::Leaf(leaf) = self.kind {
            visit(leaf);
        }
        for child in self.children() {
            child.leaves(visit);
        }
    }
}

impl Model {
    /// Whether an expression reads a batch that is redrawn.
    pub fn is_random(&self, expr: &Expr) -> bool {
        let mut random = false;
        expr.leaves(&mut |leaf| {
            random |= matches!(leaf, Leaf::Sample(sample, ..) if !self.samples[sample.index()].fixed);
        });
        random
    }
}
