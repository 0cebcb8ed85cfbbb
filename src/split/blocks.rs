//! Two blocks: variables that share a term lie in one block, a coupling reaches from one to the other.

use super::ir::Coupling;
use super::{mend, turns, variables};
use crate::diag::{Code, Diag, Diags, digits};
use crate::model::Model;
use crate::model::ir::{PlayerId, VarId};

/// The variables of x and of z, and the equations that couple them; the others lie inside a block.
/// Without couplings all lies in x.
pub(super) fn colour(
    model: &Model,
    player: PlayerId,
    equations: Vec<Coupling>,
    diags: &mut Diags,
) -> (Vec<VarId>, Vec<VarId>, Vec<Coupling>) {
    let this = &model.players[player.index()];
    if let Some((x, z)) = &this.split {
        check_stated(model, player, x, z, diags);
        let across = |equation: &Coupling| {
            let holds = |side: &[VarId]| equation.parts.iter().any(|part| side.contains(&part.var));
            holds(x) && holds(z)
        };
        let couplings: Vec<Coupling> = equations.into_iter().filter(across).collect();
        if let (Some(&one), Some(&other), []) = (x.first(), z.first(), &couplings[..]) {
            diags.push(apart(model, one, other));
        }
        return (x.clone(), z.clone(), couplings);
    }
    let groups = Groups::new(model, player);
    let mut couplings = Vec::new();
    for equation in equations {
        let mut met: Vec<usize> = equation.parts.iter().map(|part| groups.of(part.var)).collect();
        met.dedup();
        match met[..] {
            // Members of one family that are tied to each other are told in `components`.
            [_] if equation.is_copy() && equation.parts[0].var != equation.parts[1].var => {
                if let Some(diag) = copy_in_a_term(model, player, &equation) {
                    diags.push(diag);
                    return (this.vars.clone(), Vec::new(), Vec::new());
                }
            }
            [_] => {}
            _ => couplings.push(equation),
        }
    }
    let (x, z) = two_sides(model, player, &groups, &couplings, diags);
    (x, z, couplings)
}

/// The two colours of the groups.
fn two_sides(
    model: &Model,
    player: PlayerId,
    groups: &Groups,
    couplings: &[Coupling],
    diags: &mut Diags,
) -> (Vec<VarId>, Vec<VarId>) {
    let this = &model.players[player.index()];
    if couplings.is_empty() {
        return (this.vars.clone(), Vec::new());
    }
    let mut colours: Vec<Option<bool>> = vec![None; this.vars.len()];
    let mut linked = vec![false; this.vars.len()];
    for coupling in couplings {
        let mut met: Vec<usize> = coupling.parts.iter().map(|part| groups.of(part.var)).collect();
        met.sort_unstable();
        met.dedup();
        met.iter().for_each(|&group| linked[group] = true);
        match met[..] {
            [_, _] => {}
            _ => {
                diags.push(third(model, player, coupling, (groups, couplings)));
                return (this.vars.clone(), Vec::new());
            }
        }
    }
    // Breadth first from the first declared variable, which is x; each further piece starts anew.
    for start in 0..this.vars.len() {
        let root = groups.of(this.vars[start]);
        if colours[root].is_some() || !linked[root] {
            continue;
        }
        colours[root] = Some(false);
        let mut queue = vec![root];
        while let Some(group) = queue.pop() {
            for coupling in couplings {
                let ends: Vec<usize> = coupling.parts.iter().map(|part| groups.of(part.var)).collect();
                if !ends.contains(&group) {
                    continue;
                }
                for &end in ends.iter().filter(|&&end| end != group) {
                    match colours[end] {
                        None => {
                            colours[end] = colours[group].map(|colour| !colour);
                            queue.push(end);
                        }
                        Some(colour) if Some(colour) == colours[group] => {
                            diags.push(third(model, player, coupling, (groups, couplings)));
                            return (this.vars.clone(), Vec::new());
                        }
                        Some(_) => {}
                    }
                }
            }
        }
    }
    let (mut x, mut z) = (Vec::new(), Vec::new());
    for &var in &this.vars {
        match colours[groups.of(var)] {
            Some(false) => x.push(var),
            Some(true) => z.push(var),
            None => {
                diags.push(unlinked(model, var, couplings));
                x.push(var);
            }
        }
    }
    (x, z)
}

/// Variables joined by terms: a representative position of each.
struct Groups {
    vars: Vec<VarId>,
    root: Vec<usize>,
}

impl Groups {
    fn new(model: &Model, player: PlayerId) -> Groups {
        let this = &model.players[player.index()];
        let mut groups = Groups { vars: this.vars.clone(), root: (0..this.vars.len()).collect() };
        for term in &this.terms {
            let own: Vec<usize> = variables(&term.expr).iter().filter_map(|var| groups.position(*var)).collect();
            for pair in own.windows(2) {
                let (a, b) = (groups.root[pair[0]], groups.root[pair[1]]);
                groups.root.iter_mut().filter(|root| **root == a.max(b)).for_each(|root| *root = a.min(b));
            }
        }
        groups
    }

    fn position(&self, var: VarId) -> Option<usize> {
        self.vars.iter().position(|&mine| mine == var)
    }

    fn of(&self, var: VarId) -> usize {
        self.position(var).map_or(0, |at| self.root[at])
    }
}

fn check_stated(model: &Model, player: PlayerId, x: &[VarId], z: &[VarId], diags: &mut Diags) {
    for (at, term) in model.players[player.index()].terms.iter().enumerate() {
        let vars = variables(&term.expr);
        let in_x = vars.iter().find(|var| x.contains(var));
        let in_z = vars.iter().find(|var| z.contains(var));
        if let (Some(&a), Some(&b)) = (in_x, in_z) {
            diags.push(coupled(model, player, at, [a, b], [x, z]));
        }
    }
}

/// A term that touches `a` and `b`, of one block each.
fn coupled(model: &Model, player: PlayerId, at: usize, [a, b]: [VarId; 2], blocks: [&[VarId]; 2]) -> Diag {
    let term = &model.players[player.index()].terms[at];
    let fix = mend::coupled(model, player, at, blocks);
    let (a, b) = (&model.vars[a.index()], &model.vars[b.index()]);
    let apart =
        "each step of ADMM minimises over one block with the other held fixed, so a term may hold one block only";
    let help = match &fix {
        Some(_) => apart.to_string(),
        None => format!(
            "{apart}; give the term a copy of `{0}`: declare another variable like `{0}`, write that here, and add the equation of the two to the constraints",
            b.name
        ),
    };
    let diag = Diag::new(
        Code::CoupledTerm,
        term.span,
        format!("this term touches `{}` and `{}`, which lie in different blocks", a.name, b.name),
    )
    .here("belongs to both blocks")
    .label(a.span, format!("`{}` is updated in one step", a.name))
    .label(b.span, format!("`{}` in the other", b.name))
    .help(help);
    Diag { fix, ..diag }
}

/// The term that joins the two variables of an equation that says they are copies.
fn copy_in_a_term(model: &Model, player: PlayerId, equation: &Coupling) -> Option<Diag> {
    let (a, b) = (equation.parts[0].var, equation.parts[1].var);
    let joining = model.players[player.index()].terms.iter().position(|term| {
        let vars = variables(&term.expr);
        vars.contains(&a) && vars.contains(&b)
    })?;
    Some(coupled(model, player, joining, [a, b], [&[a], &[b]]))
}

/// A coupling that two blocks are not enough for.
fn third(model: &Model, player: PlayerId, coupling: &Coupling, all: (&Groups, &[Coupling])) -> Diag {
    let (groups, couplings) = all;
    let this = &model.players[player.index()];
    let is_tied =
        |root: usize| couplings.iter().any(|coupling| coupling.parts.iter().any(|part| groups.of(part.var) == root));
    let group: Vec<Option<usize>> =
        this.vars.iter().map(|&var| Some(groups.of(var)).filter(|&root| is_tied(root))).collect();
    let fix = mend::third(model, player, &group);
    let diverges = "steps over three blocks in turn can diverge at every ρ, even where there is nothing to minimise and one point alone meets the constraints (Chen, He, Ye and Yuan 2016)";
    let ways = "say which variables go together, as in `split x, y | z`, or give the equations copies of the variables, `xc - x = 0`, in a block of their own";
    let help = if fix.is_some() { diverges.to_string() } else { format!("{diverges}; {ways}") };
    let diag = match ring(groups, couplings, coupling) {
        Some(others) => {
            let whole: Vec<&Coupling> = others.iter().copied().chain([coupling]).collect();
            let message = format!("the constraints tie {} in a ring, which takes three blocks", named(model, &whole));
            let here = format!("so would {}, and no side is left", named(model, &[coupling]));
            let diag = Diag::new(Code::ThirdBlock, coupling.span, message).here(here);
            let apart = |other: &Coupling| format!("{} lie on opposite sides", named(model, &[other]));
            others.iter().fold(diag, |diag, other| diag.label(other.span, apart(other)))
        }
        None => {
            let message = format!("{} meet in one constraint, and ADMM has two blocks", named(model, &[coupling]));
            let diag = Diag::new(Code::ThirdBlock, coupling.span, message).here("needs a block for each");
            match turns::growth(model, player, coupling, &blocks(groups, coupling)) {
                Some((growth, always)) => diag.certify(format!(
                    "in turn, the {} steps would make the distance to the solution {} times as large in each iteration, at {}",
                    blocks(groups, coupling).len(),
                    digits(growth, 4),
                    if always { "every ρ" } else { "ρ = 1" }
                )),
                None => diag,
            }
        }
    };
    Diag { fix, ..diag.help(help) }
}

/// The couplings that lead from one end of a coupling of two groups to the other.
fn ring<'c>(groups: &Groups, couplings: &'c [Coupling], closing: &Coupling) -> Option<Vec<&'c Coupling>> {
    let ends = |coupling: &Coupling| {
        let mut met: Vec<usize> = coupling.parts.iter().map(|part| groups.of(part.var)).collect();
        met.sort_unstable();
        met.dedup();
        <[usize; 2]>::try_from(met).ok()
    };
    let [from, to] = ends(closing)?;
    let mut ways: Vec<(usize, Vec<&Coupling>)> = vec![(from, Vec::new())];
    let mut at = 0;
    while let Some((group, way)) = ways.get(at).cloned() {
        if group == to {
            return Some(way);
        }
        for coupling in couplings.iter().filter(|coupling| coupling.constraint != closing.constraint) {
            let Some([a, b]) = ends(coupling).filter(|ends| ends.contains(&group)) else { continue };
            let next = if a == group { b } else { a };
            if ways.iter().all(|(met, _)| *met != next) {
                ways.push((next, way.iter().copied().chain([coupling]).collect()));
            }
        }
        at += 1;
    }
    None
}

/// The variables of a coupling that terms join, as blocks.
fn blocks(groups: &Groups, coupling: &Coupling) -> Vec<Vec<VarId>> {
    let mut blocks: Vec<(usize, Vec<VarId>)> = Vec::new();
    for part in &coupling.parts {
        let root = groups.of(part.var);
        match blocks.iter_mut().find(|(own, _)| *own == root) {
            Some((_, vars)) => vars.push(part.var),
            None => blocks.push((root, vec![part.var])),
        }
    }
    blocks.into_iter().map(|(_, vars)| vars).collect()
}

/// The variables of these couplings, in words.
fn named(model: &Model, couplings: &[&Coupling]) -> String {
    let mut vars: Vec<VarId> =
        couplings.iter().flat_map(|coupling| coupling.parts.iter().map(|part| part.var)).collect();
    vars.sort_unstable();
    vars.dedup();
    let names: Vec<&str> = vars.iter().map(|var| model.vars[var.index()].name.as_str()).collect();
    words(&names)
}

fn unlinked(model: &Model, var: VarId, couplings: &[Coupling]) -> Diag {
    let var = &model.vars[var.index()];
    Diag::new(Code::UnlinkedBlock, var.span, format!("no constraint ties `{}` to the other variables", var.name))
        .here("on its own")
        .label(couplings[0].span, "the constraints tie other variables only")
        .help(format!("the problem would fall apart into separate ones; tie `{}` by a constraint, or solve for it in a file of its own", var.name))
}

/// Two variables that nothing ties: no constraint, and no term.
pub(crate) fn apart(model: &Model, one: VarId, other: VarId) -> Diag {
    let [one, other] = [one, other].map(|var| &model.vars[var.index()]);
    let tie = match one.shape == other.shape {
        true => format!("such as `{} - {} = 0`", one.name, other.name),
        false => "`A*x - z = 0` in general".to_string(),
    };
    Diag::new(Code::UnlinkedBlock, other.span, format!("no constraint ties `{}` to `{}`", one.name, other.name))
        .here("in the other block")
        .label(one.span, "in one block")
        .help(format!(
            "these are separate problems, each solved by itself: there is no multiplier, and no iteration; tie the blocks by an equation, {tie}"
        ))
}

fn words(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match &quoted[..] {
        [] => "nothing".to_string(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}
