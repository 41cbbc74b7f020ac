//! [`HangUp`] and [`HangingUp`]: a call ends.

use super::{Wan, WanMiniport, call::Call};
use crate::{Answer, CloseCall, PendingCloseCall};
use core::fmt;
use ndis_co::{
    armed::{Alarm, Armed},
    irql::NoLock,
};

/// A call ends: the application has hung up, or was told that the other end has. The token of the
/// request.
///
/// When it is finished, the module waits until nothing is under way on the call, deactivates its VC,
/// and completes the request, in this order (rule [TAPI-13]).
///
/// ```
/// # use ndis_host as _;
/// use ndis_mcm::{Answer, wan::{HangUp, WanMiniport}};
///
/// /// The network wants to be told, and confirms nothing.
/// fn hang_up<'r, W: WanMiniport>(end: HangUp<'r, W>, tell: impl FnOnce(&[u8])) -> Answer<'r> {
///     tell(end.data());
///     end.finish()
/// }
/// ```
///
/// Source page: [condis-tapi-shutdown](https://learn.microsoft.com/windows-hardware/drivers/network/condis-tapi-shutdown).
///
/// [TAPI-13]: ndis_sys::rules#TAPI-13
#[must_use = "a request must be answered"]
#[doc(alias = "lineDrop")]
pub struct HangUp<'r, W: WanMiniport> {
    call: Call<W>,
    request: CloseCall<'r, Wan<W>>,
}

impl<'r, W: WanMiniport> HangUp<'r, W> {
    pub(super) fn new(call: Call<W>, request: CloseCall<'r, Wan<W>>) -> Self {
        Self { call, request }
    }

    /// What goes to the other end with it; nothing, mostly.
    #[must_use]
    pub fn data(&self) -> &[u8] {
        self.request.data()
    }

    /// The call is over. What is held of it may be given back before or after this.
    pub fn finish(self) -> Answer<'r> {
        let (answer, ends) = self.pend();
        drop(ends);
        answer
    }

    /// The network needs time: the second value tells when the call is over.
    pub fn pend(self) -> (Answer<'r>, HangingUp<W>) {
        let Self { call, request } = self;
        let (answer, waits) = request.pend();
        let ends = HangingUp(Armed::new((call, waits)));
        (answer, ends)
    }
}

impl<W: WanMiniport> fmt::Debug for HangUp<'_, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("HangUp").field(&self.call).finish()
    }
}

/// A call that ends as soon as this is finished, or dropped.
///
/// ```
/// # use ndis_host as _;
/// use ndis_co::irql::UpToDispatch;
/// use ndis_mcm::wan::{HangingUp, WanMiniport};
///
/// /// The network has confirmed the end.
/// fn confirmed<W: WanMiniport>(ends: HangingUp<W>, irql: &mut UpToDispatch) {
///     ends.finish(irql);
/// }
/// ```
#[must_use = "a dropped end is finished"]
pub struct HangingUp<W: WanMiniport>(Armed<Ends<W>, Finish>);

/// The call, and the client who waits for its end.
type Ends<W> = (Call<W>, PendingCloseCall<Wan<W>>);

/// Finishes it.
struct Finish;

impl<W: WanMiniport> Alarm<Ends<W>> for Finish {
    fn lost((call, waits): Ends<W>) {
        call.end();
        drop(waits);
    }
}

impl<W: WanMiniport> HangingUp<W> {
    /// The call.
    #[must_use]
    pub fn call(&self) -> &Call<W> {
        &self.0.0
    }

    /// The call is over.
    #[doc(alias = "NdisMCmCloseCallComplete")]
    pub fn finish(self, irql: &mut impl NoLock) {
        let (call, waits) = self.0.disarm();
        call.end();
        waits.finish(irql);
    }
}

impl<W: WanMiniport> fmt::Debug for HangingUp<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("HangingUp").field(self.call()).finish()
    }
}
