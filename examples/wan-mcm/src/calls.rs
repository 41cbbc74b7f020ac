//! [`Calls`]: the calls of one adapter, for whoever does not have the adapter.

use crate::NullModem;
use ndis_co::{Status, irql::UpToDispatch, lock::SpinLock, mem::Arc};
use ndis_mcm::wan::{Adapter, Call};

/// The calls of one adapter.
#[derive(Debug)]
pub(crate) struct Calls {
    /// From the end of the initialization to the halt.
    adapter: Arc<SpinLock<Option<Adapter<NullModem>>>>,
}

impl Calls {
    /// Of an adapter that is being initialized.
    pub(crate) fn try_new() -> Result<Self, Status> {
        Ok(Self {
            adapter: Arc::try_new(SpinLock::new(None), crate::TAG)?,
        })
    }

    /// The same calls again.
    pub(crate) fn share(&self) -> Self {
        Self {
            adapter: self.adapter.clone(),
        }
    }

    /// The adapter is there.
    pub(crate) fn begin(&self, adapter: &Adapter<NullModem>) {
        self.adapter.set(Some(adapter.clone()));
    }

    /// Does something with each call.
    pub(crate) fn each(
        &self,
        irql: &mut UpToDispatch,
        mut act: impl FnMut(&Call<NullModem>, &mut UpToDispatch),
    ) {
        let adapter = self.adapter.with(irql, |adapter, _| adapter.clone());
        let Some(adapter) = adapter else { return };
        let mut calls = adapter.calls();
        while let Some(call) = calls.next(irql) {
            act(&call, irql);
        }
    }

    /// The adapter goes, and no call is left.
    pub(crate) fn forget(&self) {
        drop(self.adapter.take());
    }
}
