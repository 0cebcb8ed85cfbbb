//! What the language offers: operators, functions, losses, norms, metrics, a file a member.
//!
//! A member is said once — signature, shape rule, lowering to the tape, proximal step, mathematics for
//! `explain`, a line of documentation — and used by every stage. To add one: a file in its group's folder
//! with a `MEMBER`, its `mod` line there, and its line in the table below; a test compares the
//! table with the folders.

mod balls;
mod curve;
mod elementwise;
mod entropies;
mod linear;
mod losses;
mod member;
mod metrics;
mod norms;
mod operators;
mod penalties;
mod prox;
mod reductions;
mod root;
mod set;
mod sets;
mod shapes;
mod shrink;
mod signature;
mod spectral;
#[cfg(test)]
mod tests;

use crate::tape::{Builder, Shape, Value};

pub use curve::Curve;
pub use member::{Form, WrongArguments};
pub use set::{Piece, Reading, WrongValue};
pub use signature::{Misuse, Parameter, Signature};

use member::Member;
pub use prox::Proximal;

macro_rules! members {
    ($($group:ident { $($name:ident $file:ident,)* })*) => {
        /// A member of the catalogue.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Function {
            $($(#[doc = concat!("`", stringify!($group), "/", stringify!($file), ".rs`")] $name,)*)*
        }

        impl Function {
            /// Every member, operators first.
            pub const ALL: &'static [Function] = &[$($(Function::$name,)*)*];

            fn member(self) -> &'static Member {
                match self { $($(Function::$name => &$group::$file::MEMBER,)*)* }
            }

            /// The folder it lies in.
            fn group(self) -> &'static str {
                match self { $($(Function::$name => stringify!($group),)*)* }
            }

            #[cfg(test)]
            fn path(self) -> &'static str {
                match self { $($(Function::$name => concat!(stringify!($group), "/", stringify!($file), ".rs"),)*)* }
            }
        }
    };
}

members! {
    operators {
        Add add,
        Sub sub,
        Mul mul,
        Div div,
        ElemMul elem_mul,
        ElemDiv elem_div,
        Pow pow,
        ElemPow elem_pow,
        Neg neg,
        Transpose transpose,
    }
    elementwise {
        Abs abs,
        Average average,
        Cos cos,
        Elu elu,
        Erf erf,
        Exp exp,
        Expm1 expm1,
        Gelu gelu,
        LeakyRelu leaky_relu,
        Log log,
        Log1p log1p,
        Maximum maximum,
        Minimum minimum,
        NegPart neg_part,
        Pos pos,
        Relu relu,
        Selu selu,
        Sigmoid sigmoid,
        Sign sign,
        Silu silu,
        Sin sin,
        Softplus softplus,
        Sqrt sqrt,
        Square square,
        Tanh tanh,
    }
    reductions {
        Dot dot,
        LogSoftmax log_softmax,
        LogSumExp logsumexp,
        Max max,
        Mean mean,
        Min min,
        QuadForm quad_form,
        Softmax softmax,
        Sum sum,
        SumLargest sum_largest,
        SumSquares sum_squares,
    }
    linear {
        ColSums col_sums,
        Conv conv,
        ConvPeriodic conv_periodic,
        CumSum cumsum,
        Diag diag,
        Diff diff,
        Grad2d grad2d,
        Grad2dPeriodic grad2d_periodic,
        Kron kron,
        RowSums row_sums,
        Trace trace,
        Vectorise vec,
    }
    norms {
        GroupNorm group_norm,
        Norm1 norm1,
        Norm12 norm_12,
        Norm2 norm2,
        NormFro norm_fro,
        NormInf norm_inf,
        NormNuc norm_nuc,
        NormSpec norm_spec,
        Owl owl,
    }
    spectral {
        LambdaMax lambda_max,
        NegLogDet neg_log_det,
        Rank rank,
        SumLargestEigs sum_largest_eigs,
    }
    losses {
        CrossEntropy cross_entropy,
        Hinge hinge,
        Huber huber,
        Logistic logistic,
        Mse mse,
        Poisson poisson,
        Quantile quantile,
        SquareHinge square_hinge,
    }
    entropies {
        Entropy entropy,
        KlDiv kl_div,
        NegEntropy neg_entropy,
        NegLog neg_log,
    }
    penalties {
        Cardinality cardinality,
        ElasticNet elastic_net,
        LogSumPenalty log_sum_penalty,
        Mcp mcp,
        NormHalf norm_half,
        Scad scad,
        SparseGroup sparse_group,
        SparseRows sparse_rows,
        Tv1d tv1d,
        Tv2d tv2d,
        Tv2dAniso tv2d_aniso,
    }
    metrics {
        Accuracy accuracy,
        Coverage coverage,
        Frechet frechet,
    }
    sets {
        Affine affine,
        Ball1 ball1,
        Ball2 ball2,
        BallInf ball_inf,
        BinarySet binary,
        CappedSimplex capped_simplex,
        Correlation correlation,
        DoublyStochastic doubly_stochastic,
        ExponentialCone exponential_cone,
        Finite finite,
        Grid grid,
        Halfspace halfspace,
        Hyperplane hyperplane,
        Integers integers,
        Interval interval,
        Monotone monotone,
        Nonneg nonneg,
        Nonpos nonpos,
        NuclearBall nuclear_ball,
        Orthogonal orthogonal,
        Permutation permutation,
        PowerCone power_cone,
        Probability probability,
        Psd psd,
        RankSet rank,
        RotatedSoc rotated_soc,
        Simplex simplex,
        Soc soc,
        SparseSet sparse,
        SparseNm sparse_nm,
        SpectralBall spectral_ball,
        Sphere sphere,
        UnitDiagonal unit_diagonal,
        Zero zero,
    }
}

impl Function {
    /// The functions called by that name: several where the number of arguments decides, as for
    /// `max(x)` and `max(a, b)`. Operators have no name to be called by, and sets stand behind `in`.
    pub fn named(name: &str) -> impl Iterator<Item = Function> {
        Function::functions().filter(move |function| function.answers_to(name))
    }

    /// The set of that name.
    pub fn set_named(name: &str) -> Option<Function> {
        Function::sets().find(|set| set.answers_to(name))
    }

    /// Every name that can be called, in order of the table.
    pub fn names() -> impl Iterator<Item = &'static str> {
        Function::functions().map(Function::name)
    }

    /// Every set, in order of the table.
    pub fn sets() -> impl Iterator<Item = Function> {
        Function::ALL.iter().copied().filter(|function| function.is_set())
    }

    fn functions() -> impl Iterator<Item = Function> {
        Function::ALL.iter().copied().filter(|function| !function.is_operator() && !function.is_set())
    }

    fn answers_to(self, name: &str) -> bool {
        self.name() == name || self.member().aliases.contains(&name)
    }

    /// Whether it is a set, written behind `in`. Its signature leaves the element out; [`Function::shape`]
    /// and [`Function::lower`] take it first, and its value is how far outside the element is.
    pub fn is_set(self) -> bool {
        self.member().set.is_some()
    }

    /// What a problem makes of it, where it is a set.
    pub fn reading(self) -> Option<Reading> {
        self.member().set.map(|set| set.reading)
    }

    /// Whether the values of some arguments have a rule to keep.
    pub fn has_value_rule(self) -> bool {
        self.member().values.is_some()
    }

    /// Whether arguments, whose shapes fit, are such that there is this function or set. `first` is the shape
    /// of its first argument, of a set that of the element; `args` are by position in the signature, those
    /// that are not known empty.
    pub fn accepts(self, first: &Shape, args: &[&[f64]]) -> Result<(), WrongValue> {
        self.member().values.map_or(Ok(()), |values| values(first, args))
    }

    /// The arguments of a set, by position without the element, that shape its programs: they are
    /// constants of the tape.
    pub fn structural(self) -> &'static [usize] {
        self.member().set.map_or(&[], |set| set.structural)
    }

    /// The facts of its proximal step, where it has one.
    pub fn proximal(self) -> Option<Proximal> {
        Some(self.member().prox?.facts)
    }

    /// Adds the instructions of `prox_{tφ}(v)`, `φ` being this function of its subject. `args` are all
    /// of its arguments, the subject's place holding anything.
    ///
    /// # Panics
    /// Where it has no proximal step, see [`Function::proximal`].
    pub fn prox(self, b: &mut Builder, v: Value, t: Value, args: &[Value]) -> Value {
        let prox = self.member().prox.expect("the function has a proximal step (Function::proximal)");
        let value = (prox.step)(b, v, t, args);
        debug_assert_eq!(b.shape(value), b.shape(v), "the proximal step of {} keeps the shape", self.name());
        value
    }

    /// The name it is called by; of an operator, what it does in a word.
    pub fn name(self) -> &'static str {
        self.signature().name()
    }

    /// How it is written, with its parameters: `huber(r, M = 1)`.
    pub fn signature(self) -> Signature {
        Signature(self.member().signature)
    }

    /// What it is, in a line.
    pub fn doc(self) -> &'static str {
        self.member().doc
    }

    /// How mathematics writes it.
    pub fn form(self) -> Form {
        self.member().form
    }

    /// Whether it is written between or before its operands.
    pub fn is_operator(self) -> bool {
        self.group() == "operators"
    }

    /// Whether each element of the result depends on the same element of the operands alone
    /// (scalar operands serving every element).
    pub fn is_elementwise(self) -> bool {
        self.member().elementwise
    }

    /// Whether it lacks a derivative somewhere: at a kink, or at ties.
    pub fn is_kinked(self) -> bool {
        self.member().kinked
    }

    /// `φ` and the linear `K`, both of the catalogue, where it is `φ(K x)` and has no step of its own: what
    /// a split makes of it.
    pub fn composed(self) -> Option<(Function, Function)> {
        self.member().composed
    }

    /// How it bends in each of its arguments, where it is elementwise and known to be convex or concave.
    pub fn curve(self) -> Option<Curve> {
        self.member().curve
    }

    /// Shape of the result on arguments of these shapes, all parameters present.
    pub fn shape(self, args: &[Shape]) -> Result<Shape, WrongArguments> {
        (self.member().shape)(args)
    }

    /// Adds the instructions that compute it; `shape` is what [`Function::shape`] gave.
    pub fn lower(self, b: &mut Builder, args: &[Value], shape: &Shape) -> Value {
        let value = match (self.reading(), self.member().prox) {
            (Some(Reading::Intersection(pieces)), _) => set::farthest(b, pieces, args[0]),
            (Some(Reading::Equations), _) => set::off_equations(b, args),
            (Some(Reading::Projected), Some(prox)) => prox::distance(b, &prox, args),
            _ => (self.member().lower)(b, args),
        };
        debug_assert_eq!(b.shape(value), shape, "{} keeps its shape rule", self.name());
        value
    }
}
