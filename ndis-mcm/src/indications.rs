//! What an adapter says of its own accord: [`Adapter::indicate`]. Of one VC it is the VC's method.

use crate::{Adapter, Carry, key::key, miniport::ConnectionOriented};
use core::ptr;
use ndis_co::{
    Status,
    indication::{self, About, AdapterStatus},
    irql::NoLock,
    stack,
};
use ndis_sys::{NDIS_STATUS_LINK_STATE, NDIS_STATUS_MEDIA_CONNECT, NDIS_STATUS_MEDIA_DISCONNECT};

impl<M: Carry> Adapter<M> {
    /// Tells every protocol that is bound to the adapter of a change (rules [STATUS-01],
    /// [STATUS-02]). [`LinkState`](ndis_co::indication::LinkState) is how a driver says that the
    /// link has come up or gone down, within about two seconds (rule [STATUS-11]).
    ///
    /// The protocols' handlers run before this returns. From the indication on the layer answers
    /// by it who asks for the state of the medium, as it has by the
    /// [attributes](crate::Attributes::connected) before (rule [STATUS-14]).
    ///
    /// ```
    /// # use ndis_host as _;
    /// use ndis_co::{indication::LinkState, irql::NoLock};
    /// use ndis_mcm::{Adapter, Carry, ConnectionOriented, Status};
    ///
    /// /// The line is cut.
    /// fn cut<M: Carry<Role: ConnectionOriented>>(
    ///     adapter: &Adapter<M>,
    ///     irql: &mut impl NoLock,
    /// ) -> Result<(), Status> {
    ///     adapter.indicate(&LinkState::disconnected(), irql)
    /// }
    /// ```
    ///
    /// At or below DISPATCH_LEVEL. Source pages: [`NdisMCoIndicateStatusEx`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndismcoindicatestatusex),
    /// [indicating-connection-status](https://learn.microsoft.com/windows-hardware/drivers/network/indicating-connection-status).
    ///
    /// # Errors
    ///
    /// [`Status::INVALID_STATE`] for a state of the link while the adapter is halted (rule
    /// [HALT-12]) or without power: a change is said when it has power again;
    /// [`Status::RESOURCES`] when the stack is nearly used up.
    ///
    /// [HALT-12]: ndis_sys::rules#HALT-12
    /// [STATUS-01]: ndis_sys::rules#STATUS-01
    /// [STATUS-02]: ndis_sys::rules#STATUS-02
    /// [STATUS-11]: ndis_sys::rules#STATUS-11
    /// [STATUS-14]: ndis_sys::rules#STATUS-14
    #[doc(alias = "NdisMCoIndicateStatusEx")]
    pub fn indicate(
        &self,
        status: &impl AdapterStatus,
        irql: &mut impl NoLock,
    ) -> Result<(), Status>
    where
        M::Role: ConnectionOriented,
    {
        indication::encoded(status, |code, data| self.indicate_status(code, data, irql))
    }

    /// As [`indicate`](Self::indicate), of any status: `code` is one of the constants
    /// `NDIS_STATUS_XXX` that are not results, and `data` what belongs to it.
    ///
    /// ```
    /// # use ndis_host as _;
    /// use ndis_mcm::{Adapter, Carry, ConnectionOriented, Status};
    /// use ndis_co::{irql::NoLock, sys::NDIS_STATUS_MEDIA_SPECIFIC_INDICATION};
    ///
    /// /// The line has gone bad; the number is this driver's own.
    /// fn tell<M: Carry<Role: ConnectionOriented>>(
    ///     adapter: &Adapter<M>,
    ///     irql: &mut impl NoLock,
    /// ) -> Result<(), Status> {
    ///     let code = Status::from_raw(NDIS_STATUS_MEDIA_SPECIFIC_INDICATION);
    ///     adapter.indicate_status(code, &7_u32.to_ne_bytes(), irql)
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// As there; [`Status::INVALID_PARAMETER`] for the start and the end of a reset, which NDIS
    /// indicates itself (rule [STATUS-10]), for what is of a VC (rule [STATUS-12]), for what only
    /// WAN miniports without connections indicate (rule [WAN-10]), and for a state of the link
    /// without its structure; [`Status::INVALID_LENGTH`] for data of more than 4 GB.
    ///
    /// [STATUS-10]: ndis_sys::rules#STATUS-10
    /// [STATUS-12]: ndis_sys::rules#STATUS-12
    /// [WAN-10]: ndis_sys::rules#WAN-10
    #[doc(alias = "NdisMCoIndicateStatusEx")]
    pub fn indicate_status(
        &self,
        code: Status,
        data: &[u8],
        irql: &mut impl NoLock,
    ) -> Result<(), Status>
    where
        M::Role: ConnectionOriented,
    {
        let _ = irql.up_to_dispatch();
        let handle = self.shared.handle.get();
        let mut indication = indication::outgoing(handle, code, data, About::Adapter, key())?;
        // Who hears of it may have the driver indicate more, and so on.
        if stack::remaining() < stack::VERY_LOW {
            return Err(Status::RESOURCES);
        }
        let of_medium = matches!(
            code.raw(),
            NDIS_STATUS_LINK_STATE | NDIS_STATUS_MEDIA_CONNECT | NDIS_STATUS_MEDIA_DISCONNECT
        );
        if of_medium && !self.shared.medium.changes(code, data) {
            return Err(Status::INVALID_STATE);
        }
        // SAFETY: the handle is good as long as there is an adapter, from its attributes to the
        // halt; of no VC. Structure and data live for the call (rule STATUS-06), in which they
        // are only read.
        unsafe { ndis_sys::NdisMCoIndicateStatusEx(handle, ptr::null_mut(), &mut indication) };
        Ok(())
    }
}
