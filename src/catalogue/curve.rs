//! How a function of one number bends, and whether it rises: what convexity of a composition follows from.

/// Where it has values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Curve {
    /// Convex, and nowhere falling.
    ConvexRising,
    /// Convex, and nowhere rising.
    ConvexFalling,
    /// Convex, falling up to 0 and rising from there.
    ConvexEven,
    /// Concave, and nowhere falling.
    ConcaveRising,
}
