//! What an MCM keeps for one adapter: the address families that are open.

use crate::{CallManager, adapter::AdapterShared, af::AfShared, lock::StateLock};
use ndis_co::{
    Status,
    event::Event,
    irql::Passive,
    mem::{Arc, Tag, Vec},
};

#[doc(hidden)]
pub struct McmState<M: CallManager> {
    families: StateLock<Families<M>>,
    /// Set when a halt is to look at the families again: the last one is
    /// closed, or one can be asked only now.
    settled: Event,
}

struct Families<M: CallManager> {
    open: Vec<Arc<AfShared<M>>>,
    halting: bool,
}

impl<M: CallManager> McmState<M> {
    pub(crate) fn try_new() -> Result<Self, Status> {
        let families = Families {
            open: Vec::new(Tag::NDIS),
            halting: false,
        };
        Ok(Self {
            families: StateLock::new(families),
            settled: Event::try_new(Tag::NDIS)?,
        })
    }

    /// A client has opened a family.
    pub(crate) fn add(&self, af: &Arc<AfShared<M>>) -> Result<(), Status> {
        self.families.with(|families| {
            if families.halting {
                return Err(Status::CLOSING);
            }
            families.open.try_push(af.clone()).map_err(Status::from)
        })
    }

    /// A family is closed, in every respect.
    pub(crate) fn remove(&self, af: &Arc<AfShared<M>>) {
        let (gone, last) = self.families.with(|families| {
            let gone = families.open.take_first(|other| Arc::ptr_eq(other, af));
            (gone, families.halting && families.open.is_empty())
        });
        drop(gone);
        if last {
            self.settled.set();
        }
    }

    /// Something has changed that a halt may wait for.
    pub(crate) fn look_again(&self) {
        if self.families.with(|families| families.halting) {
            self.settled.set();
        }
    }

    /// Asks every client to close its family, and waits until all are closed (rules
    /// HALT-01 to HALT-04).
    ///
    /// A client may answer that it will not (rule AF-43). It is waited for all the same,
    /// its unbind at the latest: as long as it has the family, it may call this driver.
    pub(crate) fn close_families(adapter: &Arc<AdapterShared<M>>, irql: &mut Passive) {
        let state = &adapter.role;
        state.families.with(|families| families.halting = true);
        loop {
            state.settled.reset();
            while let Some(af) = state
                .families
                .with(|families| families.open.iter().find(|af| af.mark_notified()).cloned())
            {
                AfShared::notify_close(&af, irql);
            }
            if state.families.with(|families| families.open.is_empty()) {
                break;
            }
            state.settled.wait(irql);
        }
    }
}
