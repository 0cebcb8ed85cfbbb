//! On what each member with a proximal step is tried by the [laws](super::laws): shapes of its subject and
//! values of its other arguments, the awkward ones too.

use crate::catalogue::Function;
use crate::tape::{Shape, Tensor};

/// A member's subject and arguments.
pub(super) struct Example {
    /// Of the subject.
    pub shape: Shape,
    /// Of all arguments in order, the subject left out.
    pub args: Vec<Tensor>,
    /// Whether the subject is a symmetric matrix.
    pub symmetric: bool,
}

fn on(shape: impl Into<Shape>, args: &[&[f64]]) -> Example {
    let tensor = |numbers: &&[f64]| match numbers {
        [one] => Tensor::scalar(*one),
        all => Tensor::f64([all.len()], all.to_vec()),
    };
    Example { shape: shape.into(), args: args.iter().map(tensor).collect(), symmetric: false }
}

/// A vector as an argument, of one element too.
fn vector(numbers: &[f64]) -> Tensor {
    Tensor::f64([numbers.len()], numbers.to_vec())
}

/// Every shape that a function of any tensor takes.
fn any() -> Vec<Example> {
    vec![on([5], &[]), on([], &[]), on([1], &[]), on([3, 2], &[])]
}

/// The same with arguments.
fn any_with(args: &[&[&[f64]]]) -> Vec<Example> {
    args.iter().flat_map(|args| [on([6], args), on([2, 2], args), on([], args)]).collect()
}

/// Numbers like the subject's elements: labels, counts, weights.
fn beside(values: &[&[f64]]) -> Vec<Example> {
    let mut all: Vec<Example> = Vec::new();
    for &numbers in values {
        all.push(Example { args: vec![vector(numbers)], ..on([numbers.len()], &[]) });
        all.push(on([3, 1], &[&numbers[..1]]));
    }
    all
}

/// Groups of a vector, by their first positions.
fn groups(rest: &[f64]) -> Vec<Example> {
    // All of it; an empty group, some elements in none, a last start past the end; single elements.
    let starts: [&[f64]; 4] = [&[1.0, 4.0], &[2.0, 4.0, 4.0, 8.0], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0], &[9.0]];
    let rest = rest.iter().map(|&number| Tensor::scalar(number));
    let args = |starts: &[f64]| std::iter::once(vector(starts)).chain(rest.clone()).collect();
    starts.iter().map(|starts| Example { args: args(starts), ..on([7], &[]) }).collect()
}

/// Symmetric matrices, also of order 1.
fn symmetric(args: &[&[&[f64]]]) -> Vec<Example> {
    let all = args.iter().flat_map(|args| [on([3, 3], args), on([1, 1], args), on([2, 2], args)]);
    all.map(|example| Example { symmetric: true, ..example }).collect()
}

/// The examples of a member; none of one without a step.
pub(super) fn examples(function: Function) -> Vec<Example> {
    use Function::*;
    match function {
        Abs | Exp | NegPart | Pos | Relu | Softplus | Square => any(),
        Norm1 | NormFro | NegEntropy | NegLog | NormHalf | Cardinality => any(),
        Norm2 => vec![on([5], &[]), on([], &[]), on([1], &[])],
        Norm12 => vec![on([4, 3], &[]), on([5], &[]), on([1, 1], &[]), on([3, 1], &[])],
        GroupNorm => groups(&[]),
        Owl => {
            let weights: [&[f64]; 4] = [&[3.0, 2.0, 2.0, 0.5, 0.0], &[0.0; 5], &[1.0; 5], &[0.5, 0.0, 0.0, 0.0, 4.0]];
            let mut all: Vec<Example> =
                weights.iter().map(|weights| Example { args: vec![vector(weights)], ..on([5], &[]) }).collect();
            all.push(Example { args: vec![vector(&[2.0])], ..on([1], &[]) });
            all
        }
        Hinge | SquareHinge | Logistic => beside(&[&[1.0, -1.0, 1.0, 1.0, -1.0], &[0.0, 3.0, -0.25, 1.0], &[-1.0]]),
        Huber => any_with(&[&[&[1.0]], &[&[0.0]], &[&[25.0]]]),
        Quantile => any_with(&[&[&[0.5]], &[&[0.9]], &[&[0.0]], &[&[1.0]]]),
        Poisson => beside(&[&[3.0, 0.0, 1.0, 100.0, 0.25], &[0.0, 0.0]]),
        KlDiv => beside(&[&[0.5, 1.0, 20.0, 1e-6, 3.0], &[1.0, 0.0]]),
        ElasticNet => any_with(&[&[&[1.0], &[0.5]], &[&[0.0], &[2.0]], &[&[1.5], &[0.0]], &[&[0.0], &[0.0]]]),
        SparseRows => {
            let weights: [&[&[f64]]; 3] = [&[&[0.5], &[1.0]], &[&[0.0], &[2.0]], &[&[1.5], &[0.0]]];
            weights.iter().flat_map(|args| [on([3, 4], args), on([5], args)]).collect()
        }
        SparseGroup => [groups(&[0.5, 1.0]), groups(&[0.0, 2.0])].into_iter().flatten().collect(),
        Mcp => any_with(&[&[&[1.0], &[3.0]], &[&[0.5], &[0.5]], &[&[0.0], &[2.0]]]),
        Scad => any_with(&[&[&[1.0], &[3.7]], &[&[0.5], &[1.25]], &[&[0.0], &[3.0]]]),
        LogSumPenalty => any_with(&[&[&[1.0]], &[&[0.01]], &[&[30.0]]]),
        Max | NormInf => vec![on([5], &[]), on([1], &[]), on([], &[]), on([2, 3], &[])],
        SumLargest => any_with(&[&[&[2.0]], &[&[1.0]], &[&[0.0]], &[&[2.5]], &[&[9.0]]]),
        LogSumExp => vec![on([5], &[]), on([1], &[]), on([3, 4], &[])],
        NormNuc | NormSpec | Rank => vec![on([3, 2], &[]), on([2, 3], &[]), on([3, 3], &[]), on([1, 1], &[])],
        LambdaMax | NegLogDet => symmetric(&[&[]]),
        SumLargestEigs => symmetric(&[&[&[2.0]], &[&[1.0]], &[&[7.0]]]),
        Tv1d => vec![on([8], &[]), on([2], &[]), on([1], &[])],
        Nonneg | Nonpos | Zero | BinarySet | Integers => any(),
        Ball1 | Ball2 | BallInf | Sphere => any_with(&[&[&[1.0]], &[&[0.0]], &[&[40.0]]]),
        Simplex => any_with(&[&[&[1.0]], &[&[0.0]], &[&[25.0]]]),
        CappedSimplex => any_with(&[&[&[1.5], &[1.0]], &[&[0.0], &[2.0]], &[&[4.0], &[1.0]]]),
        Interval => {
            let mut all = any_with(&[&[&[-1.0], &[2.0]], &[&[0.5], &[0.5]], &[&[f64::NEG_INFINITY], &[1.0]]]);
            let (lower, upper) = (vector(&[-1.0, f64::NEG_INFINITY, 0.0]), vector(&[1.0, 5.0, f64::INFINITY]));
            all.push(Example { args: vec![lower, upper], ..on([3], &[]) });
            all
        }
        Grid => any_with(&[&[&[0.5], &[0.25]], &[&[3.0], &[0.0]]]),
        Finite => {
            [&[-1.0, 0.25, 4.0][..], &[2.0]].map(|all| Example { args: vec![vector(all)], ..on([4], &[]) }).into()
        }
        Halfspace | Hyperplane => {
            let normals: [&[f64]; 2] = [&[1.0, -2.0, 0.5], &[0.0, 0.0, 3.0]];
            let args = |a: &[f64]| vec![vector(a), Tensor::scalar(1.5)];
            normals.map(|a| Example { args: args(a), ..on([3], &[]) }).into()
        }
        SparseSet => any_with(&[&[&[2.0]], &[&[0.0]], &[&[9.0]]]),
        SparseNm => vec![on([8], &[&[2.0], &[4.0]]), on([2, 4], &[&[1.0], &[2.0]])],
        Monotone => {
            [[1.0], [-1.0]].iter().flat_map(|way| [on([6], &[way]), on([3, 4], &[way]), on([1], &[way])]).collect()
        }
        Probability => vec![on([5], &[]), on([3, 4], &[]), on([1], &[])],
        Soc | RotatedSoc => vec![on([5], &[]), on([3, 4], &[]), on([2], &[])],
        Psd => vec![on([3, 3], &[]), on([1, 1], &[]), on([2, 2], &[])],
        UnitDiagonal => vec![on([3, 3], &[]), on([1, 1], &[])],
        NuclearBall | SpectralBall => {
            let radii: [&[&[f64]]; 3] = [&[&[1.0]], &[&[0.0]], &[&[30.0]]];
            radii.iter().flat_map(|radius| [on([3, 2], radius), on([2, 3], radius), on([1, 1], radius)]).collect()
        }
        RankSet => {
            let ranks: [&[&[f64]]; 3] = [&[&[1.0]], &[&[0.0]], &[&[7.0]]];
            ranks.iter().flat_map(|rank| [on([3, 2], rank), on([2, 3], rank), on([1, 1], rank)]).collect()
        }
        ExponentialCone => vec![on([3], &[]), on([2, 3], &[])],
        PowerCone => [[0.5], [0.9]].iter().flat_map(|a| [on([3], &[a]), on([2, 3], &[a])]).collect(),
        Permutation => vec![on([3, 3], &[]), on([1, 1], &[])],
        Orthogonal => vec![on([3, 2], &[]), on([3, 3], &[]), on([1, 1], &[])],
        _ => Vec::new(),
    }
}
