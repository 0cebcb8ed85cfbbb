//! Text of a plan.

use std::fmt;

use super::ir::{AdmmPlan, MethodPlan, Plan, Rule, Step};

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.methods.iter().try_for_each(|method| writeln!(f, "{method}"))
    }
}

impl fmt::Display for MethodPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            MethodPlan::Admm(plan) => write!(f, "{plan}"),
            MethodPlan::Descent { player, descent } => write!(f, "descent on player {}: {descent:?}", player.0),
        }
    }
}

impl fmt::Display for AdmmPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "admm on player {}, rho = {:?} ({})", self.player.0, self.rho, self.rho_why)?;
        self.x.iter().try_for_each(|step| writeln!(f, "  x {step}"))?;
        self.z.iter().try_for_each(|step| writeln!(f, "  z {step}"))
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let vars: Vec<String> = self.component.vars.iter().map(|var| format!("v{}", var.0)).collect();
        write!(f, "{}: ", vars.join(", "))?;
        match &self.rule {
            Rule::Quadratic { curvature, .. } => write!(f, "closed form, P {}", curvature[0])?,
            Rule::Prox(form) | Rule::Linearised(form) => {
                if matches!(self.rule, Rule::Linearised(_)) {
                    write!(f, "linearised, κ = {:e}: ", form.gram.first().copied().unwrap_or(0.0))?;
                }
                let names: Vec<&str> = form.maps.iter().map(|map| map.phi.name()).collect();
                let bounds = if form.is_bounded() { " within bounds" } else { "" };
                write!(f, "prox of {}{bounds}", if names.is_empty() { "0".to_string() } else { names.join(", ") })?;
            }
            Rule::Descent(descent) => write!(f, "{descent:?}")?,
            Rule::Composite(it) => {
                let names: Vec<&str> = it.form.maps.iter().map(|map| map.phi.name()).collect();
                write!(f, "{:?}, then prox of {}", it.descent, names.join(", "))?;
            }
        }
        if self.given.is_some() {
            write!(f, ", in whose place a stated update runs")?;
        }
        write!(f, ", MᵀM {}", self.gram)?;
        self.tried.iter().try_for_each(|why| write!(f, "; not {why}"))
    }
}
