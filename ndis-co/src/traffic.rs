//! [`Traffic`]: how many lists are out on a VC, what may go, and whether somebody waits for the last.
//!
//! All of it is one word, so that a batch of lists costs an interlocked operation on its way out and
//! one on its way back, and neither a lock nor a reference.
//!
//! ```text
//!   63 .............. 32   31 ................ 1    0
//!   what may go            what is counted out      CALM: nobody waits
//! ```
//!
//! # The protocol
//!
//! *Who counts out* adds, and what was open at that very moment is in the word that the addition has
//! found. So whatever is counted with an open gate comes before the gate's closing in the one order
//! that all changes of the word have, and whoever has closed it and looks then sees the count.
//! [`enter_if`](Traffic::enter_if) adds only when the gate is open: what is refused is in the word not
//! even for a moment, so it holds nothing up.
//!
//! *Who waits* ([`is_quiet`](Traffic::is_quiet), under the lock of the VC's state) clears `CALM` and
//! finds in the same operation whether something is counted. If nothing is, all is quiet. If something
//! is, the one that counts it in last finds `CALM` clear.
//!
//! *Who counts in* ([`leave`](Traffic::leave)) subtracts, unless what it has is all that is counted and
//! `CALM` is clear: then it changes nothing, and is told so. A clear `CALM` makes the lower half of the
//! word equal to what it has, so one comparison tells. Because it keeps its count, nobody finds the VC
//! quiet and deletes it, and it can take a reference. With that it [gives up](Traffic::wake) the count,
//! sets `CALM`, and goes on with what waited: it takes the lock and looks again. Whoever waits still,
//! or anew, clears `CALM` once more. If the exchange of the subtraction succeeds, somebody else counts,
//! or nobody waits, at that moment; then the word is not touched again.
//!
//! That no wake is lost: a waiter's clearing of `CALM` and a subtraction are changes of one word, so one
//! is first. If the clearing is, the exchange of the subtraction fails or finds `CALM` clear, and is
//! done anew; if the subtraction is, the waiter finds the count without it.
//!
//! # Orderings
//!
//! Subtractions release, and the waiter's look acquires: what was done with a list and with the VC
//! before it was counted in happens before what the waiter does. Each change is a read-modify-write
//! operation, so the release sequence of a subtraction goes on over all that follow, whoever makes
//! them. Closing a gate acquires and releases, opening it releases, and counting out acquires: who
//! finds it open sees what was done before it was opened. There is no second variable, and so no order
//! between two to be kept: nothing here is sequentially consistent.
//!
//! # Invariants
//!
//! TRAFFIC: from [`enter`](Traffic::enter) to [`leave`](Traffic::leave), or to
//! [`wake`](Traffic::wake), the VC is neither deactivated nor deleted, for both wait until nothing is
//! counted. So its handle is valid, and its memory is there, for NDIS has the reference that is its
//! context.

use core::sync::atomic::{
    AtomicU64,
    Ordering::{AcqRel, Acquire, Relaxed, Release},
};

/// Nobody waits for the last.
const CALM: u64 = 1;
/// One of what is counted.
const ONE: u64 = 2;
/// What may go, from here on.
const GATES: u32 = 32;
/// More than this is never counted: each list that is has memory of its own, and what is counted
/// without one is refused before.
const MOST: u32 = 1 << 30;

/// The gates that are open, a bit each.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Open(u32);

impl Open {
    pub(crate) const NONE: Self = Self(0);
    /// The client may send.
    pub(crate) const SENDS: Self = Self(1);
    /// Lists may be indicated to it.
    pub(crate) const RECEIVES: Self = Self(2);
    pub(crate) const BOTH: Self = Self(3);
    /// Both may go as soon as the handler that says so has returned.
    const ARMED: Self = Self(4);

    #[inline]
    pub(crate) const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    pub(crate) const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    #[inline]
    const fn of(word: u64) -> Self {
        Self((word >> GATES) as u32)
    }

    const fn bits(self) -> u64 {
        (self.0 as u64) << GATES
    }
}

/// The word of a VC.
#[derive(Debug)]
pub(crate) struct Traffic(AtomicU64);

impl Default for Traffic {
    fn default() -> Self {
        Self::new()
    }
}

/// So many, as they are in the word.
#[inline]
const fn counted(count: usize) -> u64 {
    (count as u64).wrapping_mul(ONE)
}

/// What is counted, and whether nobody waits.
#[inline]
#[allow(clippy::cast_possible_truncation)] // That is the half of it.
const fn low(word: u64) -> u32 {
    word as u32
}

impl Traffic {
    /// Nothing is out, and nothing may go.
    pub(crate) const fn new() -> Self {
        Self(AtomicU64::new(CALM))
    }

    /// Counts out, whatever is open, and says what is. The caller counts in.
    #[inline]
    pub(crate) fn enter(&self, count: usize) -> Open {
        Open::of(self.0.fetch_add(counted(count), Acquire))
    }

    /// Counts out, if this is open.
    #[inline]
    pub(crate) fn enter_if(&self, gate: Open, count: usize) -> bool {
        let mut word = self.0.load(Relaxed);
        loop {
            if !Open::of(word).has(gate) {
                return false;
            }
            let more = word.wrapping_add(counted(count));
            match self.0.compare_exchange_weak(word, more, Acquire, Relaxed) {
                Ok(_) => return true,
                Err(now) => word = now,
            }
        }
    }

    /// One more of what is counted already; `false` when there are too many.
    pub(crate) fn enter_more(&self) -> bool {
        let room = |word: u64| (low(word) < MOST).then(|| word.wrapping_add(ONE));
        self.0.fetch_update(Relaxed, Relaxed, room).is_ok()
    }

    /// Counts in. `true`: these are the last, and somebody waits for them; they are still counted,
    /// and the caller goes on with [`wake`](Self::wake).
    #[inline]
    #[must_use]
    pub(crate) fn leave(&self, count: usize) -> bool {
        let less = counted(count);
        let mut word = self.0.load(Relaxed);
        loop {
            if low(word) == low(less) {
                return true;
            }
            let left = word.wrapping_sub(less);
            match self.0.compare_exchange_weak(word, left, Release, Relaxed) {
                Ok(_) => return false,
                Err(now) => word = now,
            }
        }
    }

    /// Counts the last ones in that were waited for, with a reference to the VC: who waits still is
    /// to look again.
    pub(crate) fn wake(&self, count: usize) {
        self.0.fetch_sub(counted(count).wrapping_sub(CALM), AcqRel);
    }

    /// Whether nothing is out. When something is, the last one's [`leave`](Self::leave) tells.
    pub(crate) fn is_quiet(&self) -> bool {
        if u64::from(low(self.0.load(Acquire))) < ONE {
            return true;
        }
        u64::from(low(self.0.fetch_and(!CALM, AcqRel))) < ONE
    }

    /// Whether something is out, while more may go: nobody waits for that.
    pub(crate) fn is_used(&self) -> bool {
        u64::from(low(self.0.load(Acquire))) >= ONE
    }

    /// Says what may go.
    pub(crate) fn open(&self, open: Open) {
        let all = Open::BOTH.and(Open::ARMED).bits();
        // One at a time is changed: what is counted in between meets an old answer or the
        // new one, each of which was right at some moment of that.
        self.0.fetch_and(!all | open.bits(), AcqRel);
        if open != Open::NONE {
            self.0.fetch_or(open.bits(), Release);
        }
    }

    /// Both may go when [`open_armed`](Self::open_armed) says so.
    pub(crate) fn arm(&self) {
        self.0.fetch_or(Open::ARMED.bits(), Release);
    }

    /// What was armed, and not opened or shut since, may go.
    pub(crate) fn open_armed(&self) {
        let armed = Open::ARMED.bits();
        let open = |word: u64| (word & armed != 0).then_some(word & !armed | Open::BOTH.bits());
        // An error: it was not.
        let _ = self.0.fetch_update(Release, Relaxed, open);
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use std::{
        sync::{
            Mutex,
            atomic::{AtomicBool, AtomicUsize, Ordering},
        },
        thread,
    };
    // Defines what the crates import.
    use ndis_host as _;

    /// As a VC does: counts in, and says whether somebody is woken.
    fn home(traffic: &Traffic, count: usize) -> bool {
        let last = traffic.leave(count);
        if last {
            traffic.wake(count);
        }
        last
    }

    /// What is refused is not counted, not even for a moment: a deletion may look then.
    #[test]
    fn what_is_refused_holds_nothing_up() {
        let traffic = Traffic::new();
        assert!(!traffic.enter_if(Open::RECEIVES, 3));
        assert!(traffic.is_quiet());
        traffic.open(Open::BOTH);
        assert!(traffic.enter_if(Open::RECEIVES, 3));
        traffic.open(Open::NONE);
        assert!(!traffic.enter_if(Open::RECEIVES, 1));
        assert!(!traffic.is_quiet());
        assert!(!home(&traffic, 2), "one is left");
        assert!(home(&traffic, 1), "the last was waited for");
        assert!(traffic.is_quiet());
    }

    /// Whoever finds lists out is told of the last; who does not ask is not.
    #[test]
    fn the_last_list_wakes_who_waits() {
        let traffic = Traffic::new();
        traffic.open(Open::BOTH);
        assert_eq!(traffic.enter(2), Open::BOTH);
        assert!(!home(&traffic, 2), "nobody waits");
        let _ = traffic.enter(1);
        assert!(!traffic.is_quiet());
        assert!(traffic.enter_if(Open::RECEIVES, 1));
        assert!(!home(&traffic, 1));
        assert!(home(&traffic, 1));
        let _ = traffic.enter(1);
        assert!(!home(&traffic, 1), "whoever waits says so each time");
    }

    /// The last one that is waited for stays counted until it says otherwise: nobody finds
    /// the VC quiet meanwhile.
    #[test]
    fn the_last_one_keeps_its_count() {
        let traffic = Traffic::new();
        let _ = traffic.enter(1);
        assert!(!traffic.is_quiet());
        assert!(traffic.leave(1));
        assert!(!traffic.is_quiet());
        // Another one comes and goes before it has gone on.
        let _ = traffic.enter(1);
        assert!(!traffic.leave(1));
        traffic.wake(1);
        assert!(traffic.is_quiet());
    }

    /// Gates open and close, whatever is out.
    #[test]
    fn gates_leave_the_count_alone() {
        let traffic = Traffic::new();
        traffic.open(Open::BOTH);
        let _ = traffic.enter(5);
        traffic.open(Open::SENDS);
        assert_eq!(traffic.enter(1), Open::SENDS);
        traffic.open(Open::BOTH);
        assert_eq!(traffic.enter(1), Open::BOTH);
        assert!(!traffic.is_quiet());
        assert!(home(&traffic, 7));
    }

    /// What is armed opens once, unless it was shut meanwhile.
    #[test]
    fn what_is_shut_is_armed_no_more() {
        let traffic = Traffic::new();
        traffic.arm();
        traffic.open(Open::NONE);
        traffic.open_armed();
        assert!(!traffic.enter_if(Open::SENDS, 1));
        traffic.arm();
        traffic.open_armed();
        assert!(traffic.enter_if(Open::BOTH, 1));
        assert!(!home(&traffic, 1));
    }

    /// A VC that is deleted once, by whoever finds it closed and quiet under its lock. Its
    /// memory goes with the flag.
    struct Vc {
        traffic: Traffic,
        closing: Mutex<bool>,
        deleted: AtomicUsize,
        gone: AtomicBool,
        /// What lists do, in no order but that of the word.
        work: AtomicUsize,
    }

    impl Vc {
        fn advance(&self) {
            let mut closing = self.closing.lock().unwrap();
            if *closing && self.traffic.is_quiet() {
                *closing = false;
                // What was done with the lists happens before this.
                assert_eq!(self.work.load(Ordering::Relaxed) % 2, 0);
                self.deleted.fetch_add(1, Ordering::Relaxed);
                self.gone.store(true, Ordering::Relaxed);
            }
        }

        /// One batch, which may be the last.
        fn batch(&self, gate: Open) -> bool {
            if !self.traffic.enter_if(gate, 2) {
                return false;
            }
            for _ in 0..2 {
                self.work.fetch_add(1, Ordering::Relaxed);
                assert!(!self.gone.load(Ordering::Relaxed), "a list is out");
                self.work.fetch_add(1, Ordering::Relaxed);
                if self.traffic.leave(1) {
                    assert!(!self.gone.load(Ordering::Relaxed), "it has its count");
                    self.traffic.wake(1);
                    self.advance();
                }
            }
            true
        }
    }

    /// Two send and one closes: the VC is deleted once, after the last list, and by somebody.
    #[test]
    fn a_close_comes_after_the_last_list() {
        let rounds = if cfg!(miri) { 4 } else { 400 };
        for _ in 0..rounds {
            let vc = Vc {
                traffic: Traffic::new(),
                closing: Mutex::new(false),
                deleted: AtomicUsize::new(0),
                gone: AtomicBool::new(false),
                work: AtomicUsize::new(0),
            };
            vc.traffic.open(Open::BOTH);
            thread::scope(|scope| {
                scope.spawn(|| while vc.batch(Open::SENDS) {});
                scope.spawn(|| while vc.batch(Open::RECEIVES) {});
                scope.spawn(|| {
                    thread::yield_now();
                    vc.traffic.open(Open::NONE);
                    *vc.closing.lock().unwrap() = true;
                    vc.advance();
                });
            });
            assert_eq!(vc.deleted.load(Ordering::Relaxed), 1);
        }
    }
}
