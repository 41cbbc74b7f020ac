//! [`OfferError`]: what comes back when a call cannot be offered.

use crate::Status;
use core::fmt;
use ndis_co::tapi::Disconnect;

/// What the driver wanted to keep for a call that could not be offered, and why.
///
/// ```
/// # use ndis_host as _;
/// use ndis_co::irql::Passive;
/// use ndis_mcm::{Status, wan::{Adapter, Offer, WanMiniport}};
///
/// /// Offers a call of the network's; when no application takes calls, what was kept for it is of
/// /// use for the next one.
/// fn ring<W: WanMiniport>(
///     adapter: &Adapter<W>,
///     kept: W::Call,
///     irql: &mut Passive,
/// ) -> Result<Option<W::Call>, Status> {
///     match adapter.offer(&Offer::default(), kept, irql) {
///         Ok(_) => Ok(None),
///         Err(refused) if refused.status == Status::INVALID_SAP => Ok(Some(refused.context)),
///         Err(refused) => Err(refused.into()),
///     }
/// }
/// ```
pub struct OfferError<C> {
    /// What was given to be kept for the call.
    pub context: C,
    /// Why.
    pub status: Status,
}

impl<C> OfferError<C> {
    /// Why, as who calls is told: nobody takes calls there ([`Disconnect::Unavailable`], as when the
    /// adapter goes), each address has a call ([`Disconnect::Busy`]), the client answers with a reason
    /// of its own, or it could not be done ([`Disconnect::Congestion`]).
    #[must_use]
    pub fn why(&self) -> Disconnect {
        match self.status {
            Status::INVALID_SAP | Status::CLOSING => Disconnect::Unavailable,
            Status::TAPI_CALLUNAVAIL => Disconnect::Busy,
            other => Disconnect::from_status(other).unwrap_or(Disconnect::Congestion),
        }
    }
}

impl<C> From<OfferError<C>> for Disconnect {
    fn from(refused: OfferError<C>) -> Self {
        refused.why()
    }
}

impl<C> fmt::Display for OfferError<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "call not offered: {}", self.status)
    }
}

impl<C> core::error::Error for OfferError<C> {}

impl<C> From<OfferError<C>> for Status {
    fn from(refused: OfferError<C>) -> Self {
        refused.status
    }
}

impl<C> fmt::Debug for OfferError<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OfferError")
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}
