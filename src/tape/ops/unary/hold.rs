//! `x`, held constant by differentiation: what other players of a game, or a moment of an optimiser,
//! are to the one who moves.

use super::Function;

pub(super) static HOLD: Function =
    Function { name: "hold", formula: "x, held", eval: |x| x, chain: None, points: &[], kinks: &[] };
