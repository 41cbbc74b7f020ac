//! [`Base`]: what a call manager stands on.
//!
//! Sixteen of the 22 functions that NDIS has for a miniport call manager are other names
//! of those for a stand-alone one. What differs is what a call manager is registered on:
//! an adapter or a binding. So the engine is written once, over a trait with the functions
//! whose names differ, and two types implement it: `Adapter` of `ndis-mcm`, and
//! [`Binding`](crate::client::Binding).

use super::{CallManager, Families, Vc, state::Gates};
use crate::{callback::Argument, channel::DataPath, irql::UpToDispatch, owner::Owner};
use ndis_sys::{CO_CALL_PARAMETERS, NDIS_HANDLE, NDIS_STATUS};

/// What a call manager stands on: the adapter of a miniport call manager, or the binding
/// of a stand-alone one. Implemented by these two only.
///
/// # Safety
///
/// Each function is NDIS's for this kind of call manager. The value is a counted reference:
/// whatever has one keeps the driver, the owner and the list of families in place.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no base for the call manager `{M}`",
    label = "not an adapter or a binding of this driver",
    note = "rules REG-06 and REG-13: a miniport call manager says `type Base = Adapter<Self>` \
            and implements `Miniport` with `type Role = Mcm`, and `Carry`; a stand-alone one says \
            `type Base = Binding<Self>` and implements `Protocol` with `type Role = AsCallManager`"
)]
pub unsafe trait Base<M: CallManager<Base = Self>>:
    Argument<NDIS_HANDLE> + Clone + Send + Sync + 'static
{
    /// What the base keeps on each VC.
    #[doc(hidden)]
    type Part: Part;

    /// The driver.
    #[doc(hidden)]
    fn driver(&self) -> &M;

    /// What resources are allocated on.
    #[doc(hidden)]
    fn owner(&self) -> &Owner;

    /// The families that clients have opened here.
    #[doc(hidden)]
    fn families(&self) -> &Families<M>;

    /// All of them are closed, as [`Families::close`] wanted.
    #[doc(hidden)]
    fn families_closed(&self);

    /// Completes lists that the driver has dropped on this VC.
    #[doc(hidden)]
    fn complete_dropped(vc: &Vc<M>, irql: &mut UpToDispatch);

    /// Creates a VC for a call to a client.
    ///
    /// # Safety
    ///
    /// `af` is open and stays so, `context` lives until the VC is deleted, and `vc` is
    /// valid for a write and null.
    #[doc(hidden)]
    unsafe fn create_vc(
        &self,
        af: NDIS_HANDLE,
        context: NDIS_HANDLE,
        vc: *mut NDIS_HANDLE,
    ) -> NDIS_STATUS;

    /// Deletes a VC that [`create_vc`](Self::create_vc) has made.
    ///
    /// # Safety
    ///
    /// It is inactive, without a call, and deleted once.
    #[doc(hidden)]
    unsafe fn delete_vc(vc: NDIS_HANDLE) -> NDIS_STATUS;

    /// Activates a VC.
    ///
    /// # Safety
    ///
    /// It exists and is inactive; the parameters are valid until the activation is over.
    #[doc(hidden)]
    unsafe fn activate_vc(vc: NDIS_HANDLE, parameters: *mut CO_CALL_PARAMETERS) -> NDIS_STATUS;

    /// Deactivates a VC.
    ///
    /// # Safety
    ///
    /// It is active, and nothing is under way on it.
    #[doc(hidden)]
    unsafe fn deactivate_vc(vc: NDIS_HANDLE) -> NDIS_STATUS;
}

/// A base whose VCs carry their clients' data through this driver: an adapter.
///
/// # Safety
///
/// As for [`Base`]; what is counted out holds up a pause of the adapter.
#[diagnostic::on_unimplemented(
    message = "a call manager that stands alone carries no data of its clients",
    label = "on `{Self}` it only sets up their calls",
    note = "the miniport beneath carries the data (rule NBL-34); only a miniport call manager indicates and \
            completes on its clients' VCs"
)]
pub unsafe trait Carrier<M: CallManager<Base = Self>>: Base<M, Part = DataPath> {
    /// Counts lists that go under way, if data flows. Whatever this answers, the caller
    /// counts them in again.
    #[doc(hidden)]
    fn count_out(&self, lists: usize) -> bool;

    /// Counts lists in, and completes a pause that waited for them.
    #[doc(hidden)]
    fn count_in(&self, lists: usize);

    /// Whether the device is gone.
    #[doc(hidden)]
    fn is_gone(&self) -> bool;
}

/// What a base keeps on each VC.
#[doc(hidden)]
pub trait Part: Default + Send + Sync + 'static {
    /// Whether nothing is under way. When something is, the last of it has whoever counts
    /// it in go on with the VC.
    fn is_quiet(&self) -> bool;

    /// Says what may go. Called under the VC's lock.
    fn open(&self, gates: Gates);
}

/// A stand-alone call manager: the miniport beneath carries the data.
impl Part for () {
    fn is_quiet(&self) -> bool {
        true
    }

    fn open(&self, _gates: Gates) {}
}
