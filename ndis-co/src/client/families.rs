//! [`Families`]: the address families that a client has opened on one binding.

use super::{
    Client,
    af::{AfShared, Phase},
};
use crate::{
    Status,
    irql::UpToDispatch,
    lock::SpinLock,
    mem::{Arc, Tag, Vec},
    protocol::BindingShared,
};
use core::fmt;

/// What a client's binding keeps.
pub struct Families<C: Client> {
    state: SpinLock<State<C>>,
}

struct State<C: Client> {
    /// No more families.
    closing: bool,
    /// The unbind has asked every family to close. Whoever then finds none left goes on.
    leaving: bool,
    afs: Vec<Arc<AfShared<C>>>,
}

impl<C: Client> State<C> {
    /// Whether it is this caller's to go on with the unbind.
    fn leaves(&mut self) -> bool {
        let leaves = self.leaving && self.afs.is_empty();
        self.leaving &= !leaves;
        leaves
    }
}

impl<C: Client> Families<C> {
    /// None is open.
    pub(crate) const fn new() -> Self {
        Self {
            state: SpinLock::new(State {
                closing: false,
                leaving: false,
                afs: Vec::new(Tag::NDIS),
            }),
        }
    }

    /// Takes an address family into the list, unless the binding goes away.
    pub(super) fn add(&self, af: &Arc<AfShared<C>>) -> Result<(), Status> {
        self.state.locked(|state| {
            if state.closing {
                return Err(Status::CLOSING);
            }
            state.afs.try_push(af.clone()).map_err(Status::from)
        })
    }

    /// An address family is gone.
    pub(super) fn remove(binding: &Arc<BindingShared<C>>, af: &Arc<AfShared<C>>) {
        let (gone, leaves) = binding.families().state.locked(|state| {
            let gone = state.afs.take_first(|other| Arc::ptr_eq(other, af));
            (gone, state.leaves())
        });
        drop(gone);
        if leaves {
            BindingShared::part_closed(binding);
        }
    }

    /// The unbind has begun: no more families.
    pub(crate) fn closing(&self) {
        self.state.locked(|state| state.closing = true);
    }

    /// Whether the unbind has begun.
    pub(super) fn is_closing(&self) -> bool {
        self.state.locked(|state| state.closing)
    }

    /// Has every address family closed. The binding goes on to its end with the last.
    pub(crate) fn close(binding: &Arc<BindingShared<C>>, irql: &mut UpToDispatch) {
        let families = binding.families();
        loop {
            let next = families.state.locked(|state| {
                // One that is still opening looks at the binding itself once it is open.
                let open = |af: &&Arc<AfShared<C>>| af.phase() == Phase::Open;
                state.afs.iter().find(open).cloned()
            });
            let Some(af) = next else { break };
            AfShared::request_close(&af, irql);
        }
        let leaves = families.state.locked(|state| {
            state.leaving = true;
            state.leaves()
        });
        if leaves {
            BindingShared::part_closed(binding);
        }
    }
}

impl<C: Client> BindingShared<C> {
    /// The families that the client has opened here.
    pub(super) fn families(&self) -> &Families<C> {
        self.client_state()
    }
}

impl<C: Client> fmt::Debug for Families<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Families").finish_non_exhaustive()
    }
}
