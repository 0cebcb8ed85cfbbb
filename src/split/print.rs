//! Text of a split form.

use std::fmt;

use super::ir::{Block, Coupling, PlayerSplit, Split};
use crate::model::ir::{Member, VarId};

impl fmt::Display for Split {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.players.iter().try_for_each(|player| write!(f, "{player}"))
    }
}

impl fmt::Display for PlayerSplit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "player {}", self.player.0)?;
        block(f, "x", &self.x)?;
        block(f, "z", &self.z)?;
        for coupling in &self.couplings {
            writeln!(f, "  {coupling}")?;
        }
        match &self.whole {
            Ok(whole) => {
                writeln!(f, "  unsplit over {}", names(&whole.kept))?;
                for copy in &whole.copies {
                    writeln!(f, "    v{} from `{}`", copy.var.0, self.couplings[copy.coupling].name)?;
                }
                Ok(())
            }
            Err(why) => writeln!(f, "  no unsplit form: {why}"),
        }
    }
}

fn block(f: &mut fmt::Formatter<'_>, name: &str, block: &Block) -> fmt::Result {
    if block.vars.is_empty() {
        return Ok(());
    }
    writeln!(f, "  block {name}: {}", names(&block.vars))?;
    for component in &block.components {
        write!(f, "    component {}", names(&component.vars))?;
        if let Some(count) = component.over {
            write!(f, " for each of {count}")?;
        }
        write!(f, ", terms {:?}", component.terms)?;
        if !component.constraints.is_empty() {
            let own: Vec<u32> = component.constraints.iter().map(|id| id.0).collect();
            write!(f, ", constraints {own:?}")?;
        }
        writeln!(f)?;
    }
    Ok(())
}

impl fmt::Display for Coupling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "coupling {}", self.name)?;
        if let Some(count) = self.over {
            write!(f, "[{count}]")?;
        }
        write!(f, " {}:", self.shape)?;
        for part in &self.parts {
            let member = match part.member {
                Member::None => String::new(),
                Member::Loop => "[i]".to_string(),
                Member::At(k) => format!("[{}]", k + 1),
            };
            match &part.operator {
                Some(operator) => write!(f, " + ({operator}) v{}{member}", part.var.0)?,
                None => write!(f, " + e(v{}{member})", part.var.0)?,
            }
        }
        let constant = self.offset.iter().map(|c| c * c).sum::<f64>().sqrt();
        if constant > 0.0 {
            write!(f, " + offset of norm {constant:e}")?;
        }
        write!(f, " = 0")
    }
}

fn names(vars: &[VarId]) -> String {
    vars.iter().map(|var| format!("v{}", var.0)).collect::<Vec<_>>().join(", ")
}
