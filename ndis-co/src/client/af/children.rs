//! [`Children`]: the VCs or the SAPs of an address family, and how far their end has come.
//!
//! The list is in three parts, so that neither one of them nor the end of all costs more
//! for those that there are besides:
//!
//! ```text
//! | ended | ending | not asked to end |
//! 0       ended    asked              len
//! ```

use crate::mem::{Arc, OutOfMemory, Tag, Vec};
use core::sync::atomic::{AtomicUsize, Ordering};

/// What the list asks of its elements.
pub(in crate::client) trait Child {
    /// Where the element is in its list, which is locked by whoever asks.
    fn place(&self) -> &AtomicUsize;

    /// The family asks it to end, until this is `true`: `false` when it cannot be asked yet.
    fn mark_ending(&self) -> bool;

    /// Whether the family must wait for it. Once it was asked to end, and this is `false`,
    /// that changes hardly ever.
    fn holds(&self) -> bool;
}

pub(in crate::client) struct Children<T> {
    list: Vec<Arc<T>>,
    ended: usize,
    asked: usize,
}

impl<T: Child> Children<T> {
    pub(in crate::client) const fn new() -> Self {
        Self {
            list: Vec::new(Tag::NDIS),
            ended: 0,
            asked: 0,
        }
    }

    pub(in crate::client) fn try_push(&mut self, child: &Arc<T>) -> Result<(), OutOfMemory> {
        child.place().store(self.list.len(), Ordering::Relaxed);
        self.list.try_push(child.clone())
    }

    /// Takes one out, if it is there.
    pub(in crate::client) fn take(&mut self, child: &Arc<T>) -> Option<Arc<T>> {
        let mut place = child.place().load(Ordering::Relaxed);
        if !Arc::ptr_eq(self.list.get(place)?, child) {
            return None;
        }
        // The hole moves to the end of each part.
        if place < self.ended {
            self.ended -= 1;
            self.swap(place, self.ended);
            place = self.ended;
        }
        if place < self.asked {
            self.asked -= 1;
            self.swap(place, self.asked);
            place = self.asked;
        }
        let gone = self.list.swap_remove(place);
        self.settle(place);
        gone
    }

    /// One that has just been asked to end, as long as there are any that have not been.
    pub(in crate::client) fn ask_next(&mut self) -> Option<Arc<T>> {
        // Only those that cannot be asked yet are passed over.
        let waiting = self.list.get(self.asked..)?;
        let place = self.asked + waiting.iter().position(|child| child.mark_ending())?;
        self.swap(place, self.asked);
        let child = self.list.get(self.asked).cloned();
        self.asked += 1;
        child
    }

    /// All of them.
    pub(in crate::client) fn iter(&self) -> impl Iterator<Item = &Arc<T>> {
        self.list.iter()
    }

    /// Whether the family must wait for one of them.
    pub(in crate::client) fn hold(&mut self) -> bool {
        while self.ended < self.asked {
            if self.list.get(self.ended).is_some_and(|child| child.holds()) {
                return true;
            }
            self.ended += 1;
        }
        let waiting = self.list.get(self.asked..).unwrap_or(&[]);
        if waiting.iter().any(|child| child.holds()) {
            return true;
        }
        // An end of the other side that has crossed with ours can bring a call back: once
        // nothing else is waited for, all are looked at.
        let back = self.list.iter().any(|child| child.holds());
        if back {
            self.ended = 0;
        }
        back
    }

    /// The first that is `wanted`.
    pub(in crate::client) fn find(&self, wanted: impl Fn(&Arc<T>) -> bool) -> Option<Arc<T>> {
        self.list.iter().find(|child| wanted(child)).cloned()
    }

    fn swap(&mut self, one: usize, other: usize) {
        self.list.swap(one, other);
        self.settle(one);
        self.settle(other);
    }

    /// Notes where an element is.
    fn settle(&self, place: usize) {
        if let Some(child) = self.list.get(place) {
            child.place().store(place, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::sync::atomic::AtomicU8;
    use ndis_host::Host;

    const CREATING: u8 = 0;
    const ALIVE: u8 = 1;
    const ENDING: u8 = 2;
    const ENDED: u8 = 3;

    #[derive(Default)]
    struct Vc {
        place: AtomicUsize,
        state: AtomicU8,
        looks: AtomicUsize,
    }

    impl Child for Vc {
        fn place(&self) -> &AtomicUsize {
            &self.place
        }

        fn mark_ending(&self) -> bool {
            self.looks.fetch_add(1, Ordering::Relaxed);
            let alive = self.state.load(Ordering::Relaxed) == ALIVE;
            if alive {
                self.state.store(ENDING, Ordering::Relaxed);
            }
            alive
        }

        fn holds(&self) -> bool {
            self.looks.fetch_add(1, Ordering::Relaxed);
            self.state.load(Ordering::Relaxed) != ENDED
        }
    }

    fn vc(state: u8) -> Arc<Vc> {
        let vc = Vc {
            state: AtomicU8::new(state),
            ..Vc::default()
        };
        Arc::try_new(vc, Tag::NDIS).unwrap()
    }

    /// Whatever the order in which they end and go, each is asked once, and the family
    /// waits for the last; nobody is looked at more often than a few times.
    #[test]
    fn the_end_of_all_is_linear() {
        let host = Host::builder().build();
        const COUNT: usize = 200;
        for stride in [1, 7, 199] {
            let mut children = Children::new();
            let all = [(); COUNT].map(|()| vc(ALIVE));
            for vc in &all {
                children.try_push(vc).unwrap();
            }
            let mut asked = 0;
            while let Some(vc) = children.ask_next() {
                assert_eq!(vc.state.load(Ordering::Relaxed), ENDING);
                asked += 1;
            }
            assert_eq!(asked, COUNT);
            for n in 0..COUNT {
                assert!(children.hold());
                let vc = &all[n * stride % COUNT];
                vc.state.store(ENDED, Ordering::Relaxed);
                // Every other one stays in the list, as one of the call manager's does.
                if n % 2 == 0 {
                    assert!(children.take(vc).is_some());
                    assert!(children.take(vc).is_none());
                }
            }
            assert!(!children.hold());
            let looks: usize = all.iter().map(|vc| vc.looks.load(Ordering::Relaxed)).sum();
            assert!(looks <= 4 * COUNT, "{looks} looks at {COUNT} VCs");
            drop((children, all));
        }
        assert!(host.finish().is_clean());
    }

    /// One that is still being created is asked later.
    #[test]
    fn what_cannot_be_asked_yet_is_asked_later() {
        let host = Host::builder().build();
        let mut children = Children::new();
        let all = [vc(ALIVE), vc(CREATING), vc(ALIVE)];
        for vc in &all {
            children.try_push(vc).unwrap();
        }
        assert!(
            children
                .ask_next()
                .is_some_and(|vc| Arc::ptr_eq(&vc, &all[0]))
        );
        assert!(
            children
                .ask_next()
                .is_some_and(|vc| Arc::ptr_eq(&vc, &all[2]))
        );
        assert!(children.ask_next().is_none());
        all[0].state.store(ENDED, Ordering::Relaxed);
        all[2].state.store(ENDED, Ordering::Relaxed);
        assert!(children.hold(), "for the one that is being created");
        all[1].state.store(ALIVE, Ordering::Relaxed);
        assert!(
            children
                .ask_next()
                .is_some_and(|vc| Arc::ptr_eq(&vc, &all[1]))
        );
        all[1].state.store(ENDED, Ordering::Relaxed);
        assert!(!children.hold());
        for vc in &all {
            assert!(children.take(vc).is_some());
        }
        drop((children, all));
        assert!(host.finish().is_clean());
    }
}
