//! [`Members`]: objects whose end a parent waits for.

use crate::{
    Status,
    lock::SpinLock,
    mem::{Arc, Tag, Vec},
};

/// The objects of a parent: its end refuses new ones, asks each to go, and goes on when the
/// last one has, on whatever thread that is.
pub(crate) struct Members<T> {
    state: SpinLock<State<T>>,
}

struct State<T> {
    /// No more of them.
    refusing: bool,
    /// All were asked to go. Whoever then finds none left goes on.
    waiting: bool,
    list: Vec<Arc<T>>,
}

impl<T> State<T> {
    /// Whether it is this caller's to go on.
    fn ends(&mut self) -> bool {
        let ends = self.waiting && self.list.is_empty();
        self.waiting &= !ends;
        ends
    }
}

impl<T> Members<T> {
    /// There are none.
    pub(crate) const fn new() -> Self {
        Self {
            state: SpinLock::new(State {
                refusing: false,
                waiting: false,
                list: Vec::new(Tag::NDIS),
            }),
        }
    }

    /// Takes one in, unless the parent is at its end.
    pub(crate) fn add(&self, member: &Arc<T>) -> Result<(), Status> {
        self.state.locked(|state| {
            if state.refusing {
                return Err(Status::CLOSING);
            }
            state.list.try_push(member.clone()).map_err(Status::from)
        })
    }

    /// One is gone; `true` when it was the last that was waited for.
    #[must_use]
    pub(crate) fn remove(&self, member: &Arc<T>) -> bool {
        let (gone, ends) = self.state.locked(|state| {
            let gone = state.list.take_first(|other| Arc::ptr_eq(other, member));
            (gone, state.ends())
        });
        drop(gone);
        ends
    }

    /// No more are taken in.
    pub(crate) fn refuse(&self) {
        self.state.locked(|state| state.refusing = true);
    }

    /// Whether no more are taken in.
    pub(crate) fn refuses(&self) -> bool {
        self.state.locked(|state| state.refusing)
    }

    /// The first one that is `wanted`, which is asked under the lock.
    pub(crate) fn find(&self, wanted: impl Fn(&T) -> bool) -> Option<Arc<T>> {
        self.state
            .locked(|state| state.list.iter().find(|member| wanted(member)).cloned())
    }

    /// What the first one has that has it; asked under the lock.
    pub(crate) fn find_in<R>(&self, wanted: impl Fn(&T) -> Option<R>) -> Option<R> {
        self.state
            .locked(|state| state.list.iter().find_map(|member| wanted(member)))
    }

    /// All were asked to go: whether none is left. Otherwise the last one's removal tells.
    #[must_use]
    pub(crate) fn wait(&self) -> bool {
        self.state.locked(|state| {
            state.waiting = true;
            state.ends()
        })
    }
}
