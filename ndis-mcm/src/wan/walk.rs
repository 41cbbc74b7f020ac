//! [`Calls`]: a walk over the calls of an adapter.

use super::{Wan, WanMiniport, call::Call};
use core::fmt;
use ndis_co::irql::Irql;

/// A walk over the calls that an adapter has, from the first address of the first line on.
///
/// ```
/// # use ndis_host as _;
/// use ndis_co::{irql::UpToDispatch, tapi::Disconnect};
/// use ndis_mcm::wan::{Adapter, WanMiniport};
///
/// /// The network is gone, and with it every call.
/// fn network_gone<W: WanMiniport>(adapter: &Adapter<W>, irql: &mut UpToDispatch) {
///     let mut calls = adapter.calls();
///     while let Some(call) = calls.next(irql) {
///         // An error: it ends already.
///         let _ = call.hang_up(Disconnect::Unreachable, irql);
///     }
/// }
/// ```
#[must_use]
pub struct Calls<'a, W: WanMiniport> {
    adapter: &'a crate::Adapter<Wan<W>>,
    /// The place of the address that is next.
    place: usize,
}

impl<W: WanMiniport> Calls<'_, W> {
    /// The next call. No lock is held afterwards: calls may be ended, or begin.
    ///
    /// Each address is looked at once. What begins or ends meanwhile is found or not.
    pub fn next(&mut self, irql: &mut impl Irql) -> Option<Call<W>> {
        while self.place < self.adapter.address_count() {
            let call = self.adapter.call(self.place, irql);
            self.place = self.place.saturating_add(1);
            if call.is_some() {
                return call;
            }
        }
        None
    }
}

impl<W: WanMiniport> crate::Adapter<Wan<W>> {
    /// The calls that there are: dialled, offered, or up. It takes as long as there are addresses.
    pub fn calls(&self) -> Calls<'_, W> {
        Calls {
            adapter: self,
            place: 0,
        }
    }
}

impl<W: WanMiniport> fmt::Debug for Calls<'_, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Calls")
            .field("place", &self.place)
            .finish_non_exhaustive()
    }
}
