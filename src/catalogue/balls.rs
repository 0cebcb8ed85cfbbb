//! Norms and the sets that they bound: `‖x‖ ≤ r` is membership in a ball of radius r. With each norm, its ball
//! here makes such a constraint one with a projection.

use super::Function;

impl Function {
    /// Functions that bound a set of the catalogue.
    pub const WITH_BALL: &'static [(Function, Function)] = &[
        (Function::Norm1, Function::Ball1),
        (Function::Norm2, Function::Ball2),
        (Function::NormFro, Function::Ball2),
        (Function::NormInf, Function::BallInf),
        (Function::NormNuc, Function::NuclearBall),
        (Function::NormSpec, Function::SpectralBall),
        (Function::SumSquares, Function::Ball2),
    ];

    /// The set `f(x) ≤ u`, a ball, and its radius.
    pub fn ball(self, u: f64) -> Option<(Function, f64)> {
        let radius = if self == Function::SumSquares { u.sqrt() } else { u };
        Function::WITH_BALL.iter().find(|(norm, _)| *norm == self).map(|&(_, ball)| (ball, radius))
    }
}
