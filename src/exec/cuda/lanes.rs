//! Launches that leave each other alone run at once: in a graph each goes to a lane, a stream of its own, and waits for
//! those before it that touch what it touches.

use super::source::{Source, TILE};
use crate::exec::Slot;
use crate::exec::plan::{Base, Plan, Touch};

/// Lanes there are: networks have two or three ways at once to go, and each lane has a workspace of cuBLAS.
pub(super) const LANES: usize = 4;

/// The lane of each launch of a program, and what it waits for.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Lanes {
    pub each: Vec<Lane>,
    /// How many lanes are used.
    pub count: usize,
}

/// A launch among others.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Lane {
    /// Which one it is in; 0 is the stream that everything else is on.
    pub lane: usize,
    /// Earlier launches of other lanes that it waits for.
    pub after: Vec<usize>,
    /// Whether a later one of another lane waits for it.
    pub awaited: bool,
}

/// Deals the launches of a program out to lanes.
pub(super) fn lanes(plan: &Plan, source: &Source, slots: &[Slot]) -> Lanes {
    let touches = touches(plan, source, slots);
    let needs: Vec<Vec<usize>> = (0..touches.len())
        .map(|k| {
            let clash = |j: &usize| touches[*j].iter().any(|a| touches[k].iter().any(|b| a.clashes(b)));
            (0..k).filter(clash).collect()
        })
        .collect();
    deal(&needs)
}

/// What each launch touches. Slots of one buffer are one base.
fn touches(plan: &Plan, source: &Source, slots: &[Slot]) -> Vec<Vec<Touch>> {
    let of_step: Vec<Vec<Touch>> = plan.steps.iter().map(|step| step.touches(TILE)).collect();
    let home = |touch: &Touch| -> Touch {
        let Some(slot) = (touch.base as usize).checked_sub(Base::ARENA.0 as usize + 1).map(|at| slots[at]) else {
            return touch.clone();
        };
        let same = |other: &Slot| other.buffer == slot.buffer;
        let first = slots.iter().position(same).expect("the slot itself is one");
        // Of a buffer that is taken whole and by members, any bytes may be any others.
        let mixed = slots.iter().filter(|other| same(other)).any(|other| other.member != slot.member);
        let bytes = if mixed { 0..usize::MAX } else { touch.bytes.clone() };
        Touch { base: first as u32 + Base::ARENA.0 + 1, bytes, writes: touch.writes }
    };
    source.steps.iter().map(|steps| steps.iter().flat_map(|&step| of_step[step].iter().map(home)).collect()).collect()
}

/// Deals launches out that need earlier ones. A launch goes on in the lane of the last that it needs, if nothing else
/// went on there, else to a lane that is free or to the one that ended first.
fn deal(needs: &[Vec<usize>]) -> Lanes {
    let mut each: Vec<Lane> = Vec::with_capacity(needs.len());
    let mut tails: Vec<usize> = Vec::new();
    // Up to where each lane has waited for each other.
    let mut waited = vec![[None::<usize>; LANES]; LANES];
    for (k, needs) in needs.iter().enumerate() {
        let goes_on = (0..tails.len()).filter(|&lane| needs.contains(&tails[lane])).max_by_key(|&lane| tails[lane]);
        let lane = goes_on.unwrap_or_else(|| {
            if tails.len() < LANES {
                tails.push(k);
                return tails.len() - 1;
            }
            (0..LANES).min_by_key(|&lane| tails[lane]).expect("there are lanes")
        });
        tails[lane] = k;
        let mut after = Vec::new();
        for other in (0..tails.len()).filter(|&other| other != lane) {
            let last = needs.iter().copied().filter(|&j| each[j].lane == other).max();
            if last > waited[lane][other] {
                waited[lane][other] = last;
                after.extend(last);
            }
        }
        after.iter().for_each(|&j| each[j].awaited = true);
        each.push(Lane { lane, after, awaited: false });
    }
    // What all wait for at the end.
    tails.iter().skip(1).for_each(|&tail| each[tail].awaited = true);
    Lanes { each, count: tails.len() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_is_one_lane() {
        let dealt = deal(&[vec![], vec![0], vec![0, 1]]);
        assert_eq!(dealt.count, 1);
        assert!(dealt.each.iter().all(|it| it.lane == 0 && it.after.is_empty() && !it.awaited));
    }

    #[test]
    fn two_ways_part_and_meet() {
        // 0 → 1 → 3, 0 → 2 → 4, and 5 needs both ends.
        let dealt = deal(&[vec![], vec![0], vec![0], vec![1], vec![2], vec![3, 4]]);
        let lanes: Vec<usize> = dealt.each.iter().map(|it| it.lane).collect();
        assert_eq!((lanes.as_slice(), dealt.count), (&[0, 0, 1, 0, 1, 1][..], 2));
        let after: Vec<&[usize]> = dealt.each.iter().map(|it| it.after.as_slice()).collect();
        assert_eq!(after, [&[][..], &[], &[0], &[], &[], &[3]]);
        // The last one ends the second lane, and the first waits for it.
        assert_eq!(dealt.each.iter().map(|it| it.awaited).collect::<Vec<_>>(), [true, false, false, true, false, true]);
    }

    #[test]
    fn every_need_is_met() {
        // A dense web: whatever is needed lies in the same lane before, or was waited for.
        let needs: Vec<Vec<usize>> = (0..40).map(|k| (0..k).filter(|j| (k * 7 + j * 3) % 5 == 0).collect()).collect();
        let dealt = deal(&needs);
        let mut known: Vec<Vec<bool>> = Vec::new();
        let mut tails: Vec<Option<usize>> = vec![None; LANES];
        for (k, it) in dealt.each.iter().enumerate() {
            let mut mine = vec![false; k];
            for &before in it.after.iter().chain(tails[it.lane].iter()) {
                mine[before] = true;
                known[before].iter().enumerate().for_each(|(j, &is)| mine[j] |= is);
            }
            assert!(needs[k].iter().all(|&j| mine[j]), "{k} needs {:?}", needs[k]);
            known.push(mine);
            tails[it.lane] = Some(k);
        }
        assert!(dealt.count > 1);
    }
}
