//! The unsplit problem: copies expressed by the variables they copy.
//!
//! A coupling in which a variable stands with a factor `s·I` gives it: `var = −rest/s`. Families are
//! eliminated before single variables, then variables of one coupling only, then the z-block before x:
//! the consensus variable and x stay.

use super::ir::{Block, Copied, Coupling, Part, Whole};
use crate::model::Model;
use crate::model::ir::{Member, PlayerId, VarId};

/// Which variables stay and which are expressed by them; a sentence where that can't be said.
pub(super) fn eliminate(model: &Model, player: PlayerId, couplings: &[Coupling], z: &Block) -> Result<Whole, String> {
    let occurs_once =
        |var: VarId| couplings.iter().filter(|coupling| coupling.parts.iter().any(|part| part.var == var)).count() == 1;
    let mut whole = Whole { kept: model.players[player.index()].vars.clone(), copies: Vec::new() };
    for (at, coupling) in couplings.iter().enumerate() {
        let candidate = |part: &&Part| {
            let plain = part.member != Member::None || model.vars[part.var.index()].family.is_none();
            factor(part).is_some() && plain && whole.kept.contains(&part.var)
        };
        let best = coupling
            .parts
            .iter()
            .filter(candidate)
            .max_by_key(|part| (part.member == Member::Loop, occurs_once(part.var), z.vars.contains(&part.var)));
        let Some(part) = best else {
            return Err(format!(
                "no variable of `{}` stands alone with a number as its factor, so it can't be eliminated",
                coupling.name
            ));
        };
        let factor = factor(part).unwrap_or(1.0);
        let of = copy_of(coupling, part.var, factor);
        whole.copies.push(Copied { var: part.var, coupling: at, factor, of });
        let gone = part.var;
        whole.kept.retain(|&var| var != gone);
    }
    // A copy of a variable that was eliminated itself would need an order.
    let chained = whole.copies.iter().any(|copy| {
        couplings[copy.coupling].parts.iter().any(|part| part.var != copy.var && !whole.kept.contains(&part.var))
    });
    if chained { Err("the constraints chain copies of copies".to_string()) } else { Ok(whole) }
}

/// `s ≠ 0` where the operator is `s·I`.
fn factor(part: &Part) -> Option<f64> {
    part.scalar().filter(|s| *s != 0.0)
}

/// The variable that `var` equals, where the coupling says `var − other = 0`.
fn copy_of(coupling: &Coupling, var: VarId, scale: f64) -> Option<VarId> {
    let mut others = coupling.parts.iter().filter(|part| part.var != var);
    let (other, none) = (others.next()?, others.next());
    let plain = none.is_none() && factor(other) == Some(-scale) && coupling.offset.iter().all(|&c| c == 0.0);
    plain.then_some(other.var)
}
