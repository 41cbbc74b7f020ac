//! Which call a VC belongs to, for the log: a call has a leg to its caller and one to its callee,
//! and nothing that NDIS sees says which two belong together.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

/// The VCs of a call that are there.
#[derive(Default)]
struct Legs {
    count: u32,
    /// All of their numbers, each added without carry: the number itself, where there is one leg.
    numbers: u32,
}

/// The calls of a run.
#[derive(Default)]
pub(crate) struct Calls {
    /// The call of each VC by its number, ended VCs included; none has the number 0.
    of_vc: Vec<u32>,
    /// By the number of the call.
    legs: Vec<Legs>,
    /// Calls with one leg. Those that nobody places any more are left out when they are met.
    alone: BTreeSet<u32>,
    last: u32,
}

impl Calls {
    pub(crate) fn of(&self, vc: u32) -> Option<u32> {
        let call = self.of_vc.get(vc as usize).copied();
        call.filter(|call| *call != 0)
    }

    /// A call begins on a VC.
    pub(crate) fn begin(&mut self, vc: u32) {
        self.last += 1;
        self.join(vc, self.last);
    }

    /// A VC, which is there, is a leg of a call from now on.
    pub(crate) fn join(&mut self, vc: u32, call: u32) {
        self.leave(vc);
        let (of_vc, legs) = (vc as usize, call as usize);
        if self.of_vc.len() <= of_vc {
            self.of_vc.resize(of_vc + 1, 0);
        }
        self.of_vc[of_vc] = call;
        if self.legs.len() <= legs {
            self.legs.resize_with(legs + 1, Legs::default);
        }
        self.legs[legs].count += 1;
        self.legs[legs].numbers ^= vc;
        self.note(call);
    }

    /// A VC is a leg no longer: it is gone, or has another call.
    pub(crate) fn leave(&mut self, vc: u32) {
        if let Some(call) = self.of(vc)
            && let Some(legs) = self.legs.get_mut(call as usize)
        {
            legs.count -= 1;
            legs.numbers ^= vc;
            self.note(call);
        }
    }

    /// The legs of a call have changed.
    fn note(&mut self, call: u32) {
        if self.legs.get(call as usize).is_some_and(|it| it.count == 1) {
            self.alone.insert(call);
        } else {
            self.alone.remove(&call);
        }
    }

    /// The oldest call with one leg, which `is_placed` says is being placed.
    pub(crate) fn oldest_alone(&mut self, is_placed: impl Fn(u32) -> bool) -> Option<u32> {
        while let Some(call) = self.alone.first().copied() {
            if self
                .legs
                .get(call as usize)
                .is_some_and(|legs| is_placed(legs.numbers))
            {
                return Some(call);
            }
            self.alone.remove(&call);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;
    use alloc::collections::BTreeMap;

    /// The oldest call with one leg that is being placed, by a look at all.
    fn by_hand(vcs: &BTreeMap<u32, (u32, bool)>) -> Option<u32> {
        let mut legs: BTreeMap<u32, Vec<bool>> = BTreeMap::new();
        for (call, placed) in vcs.values() {
            legs.entry(*call).or_default().push(*placed);
        }
        let mut legs = legs.into_iter();
        legs.find(|(_, legs)| **legs == [true])
            .map(|(call, _)| call)
    }

    #[test]
    fn the_oldest_call_with_one_leg_is_the_one_that_a_look_at_all_finds() {
        let mut rng = Rng::new(3);
        let mut calls = Calls::default();
        // The VCs that are there, each with its call and whether that is being placed.
        let mut vcs: BTreeMap<u32, (u32, bool)> = BTreeMap::new();
        let mut met = 0;
        for vc in 1..3000 {
            match rng.below(4) {
                0 => {
                    calls.begin(vc);
                    vcs.insert(vc, (calls.last, true));
                }
                1 => {
                    let found = calls.oldest_alone(|vc| vcs[&vc].1);
                    assert_eq!(found, by_hand(&vcs));
                    met += u32::from(found.is_some());
                    match found {
                        Some(call) => calls.join(vc, call),
                        None => calls.begin(vc),
                    }
                    vcs.insert(vc, (calls.of(vc).expect("it has one"), false));
                }
                other => {
                    let Some(vc) = vcs.keys().nth(rng.below(vcs.len().max(1))).copied() else {
                        continue;
                    };
                    if other == 2 {
                        calls.leave(vc);
                        vcs.remove(&vc);
                    } else if rng.below(2) == 0 {
                        // The next call on the same VC.
                        calls.begin(vc);
                        vcs.insert(vc, (calls.last, true));
                    } else if let Some((_, placed)) = vcs.get_mut(&vc) {
                        *placed = false;
                    }
                }
            }
        }
        assert!(met > 300, "{met}");
    }
}
