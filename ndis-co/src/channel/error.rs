//! [`IndicateError`]: what comes back when nothing may be indicated.

use crate::{Status, nbl::NetBufferLists};
use core::fmt;

/// Lists that could not be indicated, and why.
///
/// ```
/// # use ndis_co::{Status, cm::{CallManager, Carrier, Vc}, irql::UpToDispatch, nbl::NetBufferLists};
/// # use ndis_host as _;
/// /// What cannot go up now is kept, unless there is no call any more.
/// fn deliver<M: CallManager<Base: Carrier<M>>>(
///     vc: &Vc<M>,
///     lists: NetBufferLists,
///     irql: &mut UpToDispatch,
/// ) -> Option<NetBufferLists> {
///     let refused = vc.indicate_receive(lists, irql).err()?;
///     (refused.status == Status::INVALID_STATE).then_some(refused.lists)
/// }
/// ```
#[derive(Debug)]
pub struct IndicateError {
    /// The lists, back in the driver's hands.
    pub lists: NetBufferLists,
    /// Why.
    pub status: Status,
}

impl fmt::Display for IndicateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} lists not indicated: {}",
            self.lists.len(),
            self.status
        )
    }
}

impl core::error::Error for IndicateError {}

impl From<IndicateError> for Status {
    fn from(refused: IndicateError) -> Self {
        refused.status
    }
}
