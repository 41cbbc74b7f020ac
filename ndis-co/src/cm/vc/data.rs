//! Data on the VCs of a call manager that carries it.

use super::{CallManager, Key, Vc, VcShared};
use crate::{
    Status,
    channel::{self, Channel, DataPath, IndicateError},
    cm::Carrier,
    deferred::Deferred,
    indication::{self, VcStatus},
    irql::{NoLock, UpToDispatch},
    nbl::NetBufferLists,
    oid::Stage,
    thread::Thread,
};
use ndis_sys::NDIS_HANDLE;

impl<M: CallManager> Vc<M> {
    /// Indicates received data to the client. The lists come back through `Carry::returned`
    /// of `ndis-mcm` (rules [NBL-17] to [NBL-19]).
    ///
    /// Source page: [`NdisMCoIndicateReceiveNetBufferLists`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndismcoindicatereceivenetbufferlists).
    ///
    /// # Errors
    ///
    /// Gives the lists back with [`Status::PAUSED`] while the adapter is
    /// paused (rule [PAUSE-05]), [`Status::CLOSING`] when there is no call any more
    /// (rules [CALL-63], [NBL-34]), [`Status::INVALID_STATE`] when the client does not
    /// know yet that its call is up, of which [`CallManager::call_connected`]
    /// tells, [`Status::INVALID_PARAMETER`] for lists that
    /// are not from a pool for receives, or carry another number of packets
    /// than one (rule [NBL-35]), [`Status::RESOURCES`] when the stack is nearly
    /// used up (see [`stack`](crate::stack)).
    ///
    /// [CALL-63]: ndis_sys::rules#CALL-63
    /// [NBL-17]: ndis_sys::rules#NBL-17
    /// [NBL-19]: ndis_sys::rules#NBL-19
    /// [NBL-34]: ndis_sys::rules#NBL-34
    /// [NBL-35]: ndis_sys::rules#NBL-35
    /// [PAUSE-05]: ndis_sys::rules#PAUSE-05
    #[doc(alias = "NdisMCoIndicateReceiveNetBufferLists")]
    pub fn indicate_receive(
        &self,
        lists: NetBufferLists,
        irql: &mut impl NoLock,
    ) -> Result<(), IndicateError>
    where
        M::Base: Carrier<M>,
    {
        channel::indicate(self, lists, irql.up_to_dispatch())
    }

    /// Tells the client of a change of this call's link: other parameters of it, or a damaged
    /// frame (rules [STATUS-02], [STATUS-12]). NDIS tells nobody else.
    ///
    /// The client's handler runs before this returns. At or below DISPATCH_LEVEL.
    ///
    /// Source pages: [`NdisMCoIndicateStatusEx`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndismcoindicatestatusex),
    /// [indicating-condis-wan-miniport-driver-status](https://learn.microsoft.com/windows-hardware/drivers/network/indicating-condis-wan-miniport-driver-status).
    ///
    /// # Errors
    ///
    /// [`Status::CLOSING`] when there is no call any more, [`Status::INVALID_STATE`] when the
    /// client does not know yet that its call is up, of which [`CallManager::call_connected`]
    /// tells, [`Status::RESOURCES`] when the stack is nearly used up.
    ///
    /// [STATUS-02]: ndis_sys::rules#STATUS-02
    /// [STATUS-12]: ndis_sys::rules#STATUS-12
    #[doc(alias = "NdisMCoIndicateStatusEx")]
    pub fn indicate(&self, status: &impl VcStatus, irql: &mut impl NoLock) -> Result<(), Status>
    where
        M::Base: Carrier<M>,
    {
        indication::encoded(status, |code, data| self.indicate_status(code, data, irql))
    }

    /// As [`indicate`](Self::indicate), of any status: `code` is one of the constants
    /// `NDIS_STATUS_XXX` that are not results, and `data` what belongs to it.
    ///
    /// # Errors
    ///
    /// As there; [`Status::INVALID_PARAMETER`] for the start and the end of a reset, which NDIS
    /// indicates itself (rule [STATUS-10]), for a state of the medium, which is the adapter's, for
    /// what only WAN miniports without connections indicate (rule [WAN-10]), and for a status
    /// of a VC without its structure (rule [STATUS-12]); [`Status::INVALID_LENGTH`] for data of more
    /// than 4 GB.
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
        M::Base: Carrier<M>,
    {
        channel::indicate_status(self, code, data, irql.up_to_dispatch())
    }
}

// SAFETY: all of it is of the VC, whose part is private to it. By CM-VC the handle is valid
// until the deletion, and that waits until the path is quiet.
unsafe impl<M: CallManager> Channel for Vc<M>
where
    M::Base: Carrier<M>,
{
    fn path(&self, _: Key) -> &DataPath {
        &self.shared.part
    }

    fn handle(&self) -> NDIS_HANDLE {
        self.shared.handle()
    }

    fn adapter_handle(&self, key: Key) -> NDIS_HANDLE {
        self.shared.af.base.handle(key)
    }

    fn count_out(&self, lists: usize, key: Key) -> bool {
        self.shared.af.base.count_out(lists, key)
    }

    fn count_in(&self, lists: usize, key: Key) {
        self.shared.af.base.count_in(lists, key);
    }

    fn is_gone(&self) -> bool {
        self.shared.af.base.is_gone()
    }

    fn ask(&self, _: Key) -> bool {
        self.shared.look(|state, _| state.ask())
    }

    fn tell(&self, _: Key) {
        let thread = Thread::current();
        self.shared.look(|state, _| state.tell_any(thread));
    }

    fn asked(&self, told: bool, _: Key) -> bool {
        let stage = if told { Stage::ToldAny } else { Stage::Open };
        self.shared.look(|state, _| state.asked(stage))
    }

    fn used(&self, _: Key) {
        self.shared.with(|state, _| state.used());
    }

    fn refusal(&self) -> Status {
        self.shared.look(|state, _| state.refusal())
    }

    fn go_on(&self, irql: &mut UpToDispatch) {
        VcShared::advance(self, irql);
    }

    fn defer(&self) {
        VcShared::defer(&self.shared);
    }
}
