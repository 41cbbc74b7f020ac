//! The C side of a protocol: the tables that NDIS gets, the C functions in them, and what
//! each of these does with the arguments that [`callbacks!`] has made of NDIS's. The handlers
//! of clients and call managers are theirs.
//!
//! No lock is held while the driver's code runs.

use super::{Binding, Protocol, Role, binding, oids, sealed::Token};
use crate::{
    Answer,
    answer::Request,
    callback::FromNdis,
    callbacks,
    irql::{Passive, UpToDispatch},
    mem::Arc,
    nbl::Chain,
    oid,
    options::Options,
    raw,
    registration::Registered,
};
use ndis_sys::{
    CO_ADDRESS_FAMILY, NDIS_HANDLE, NDIS_PROTOCOL_CO_CHARACTERISTICS,
    NDIS_PROTOCOL_DRIVER_CHARACTERISTICS, NDIS_STATUS, NET_BUFFER_LIST, NET_PNP_EVENT_NOTIFICATION,
};

/// Fills the mandatory characteristics; the CoNDIS ones follow in the options
/// callback.
fn base_characteristics() -> NDIS_PROTOCOL_DRIVER_CHARACTERISTICS {
    // What is not set is NDIS's, and stays clear (rule REG-24).
    let mut characteristics: NDIS_PROTOCOL_DRIVER_CHARACTERISTICS = ndis_sys::zeroed();
    characteristics.Header = raw::header(
        ndis_sys::NDIS_OBJECT_TYPE_PROTOCOL_DRIVER_CHARACTERISTICS,
        ndis_sys::NDIS_PROTOCOL_DRIVER_CHARACTERISTICS_REVISION_2,
        ndis_sys::NDIS_SIZEOF_PROTOCOL_DRIVER_CHARACTERISTICS_REVISION_2,
    );
    characteristics.MajorNdisVersion = raw::NDIS_VERSION.0;
    characteristics.MinorNdisVersion = raw::NDIS_VERSION.1;
    characteristics.MajorDriverVersion = 1;
    characteristics
}

/// The mandatory handlers of a protocol.
pub(crate) fn protocol_characteristics<P: Protocol>() -> NDIS_PROTOCOL_DRIVER_CHARACTERISTICS {
    let mut table = base_characteristics();
    table.SetOptionsHandler = Some(set_options::<P>);
    table.BindAdapterHandlerEx = Some(binding::bind::<P>);
    table.UnbindAdapterHandlerEx = Some(binding::unbind::<P>);
    table.OpenAdapterCompleteHandlerEx = Some(binding::open_complete::<P>);
    table.CloseAdapterCompleteHandlerEx = Some(binding::close_complete::<P>);
    table.NetPnPEventHandler = Some(net_pnp_event::<P>);
    // NDIS has no use for it once a call manager has registered a family (rule REG-37).
    table.OidRequestCompleteHandler = Some(oid::COMPLETE);
    table.StatusHandlerEx = Some(oids::status_handler::<P>());
    table.ReceiveNetBufferListsHandler = Some(receive_connectionless::<P>);
    table.SendNetBufferListsCompleteHandler = Some(send_complete_connectionless);
    table
}

/// The handlers of every CoNDIS protocol (rules REG-23, REG-45).
pub(crate) fn co_characteristics<P: Protocol>() -> NDIS_PROTOCOL_CO_CHARACTERISTICS {
    let mut table: NDIS_PROTOCOL_CO_CHARACTERISTICS = ndis_sys::zeroed();
    table.Header = raw::header(
        ndis_sys::NDIS_OBJECT_TYPE_CO_PROTOCOL_CHARACTERISTICS,
        ndis_sys::NDIS_PROTOCOL_CO_CHARACTERISTICS_REVISION_1,
        ndis_sys::NDIS_SIZEOF_PROTOCOL_CO_CHARACTERISTICS_REVISION_1,
    );
    table.CoStatusHandlerEx = Some(oids::co_status_handler::<P>());
    table.CoAfRegisterNotifyHandler = Some(af_register_notify::<P>);
    table.CoReceiveNetBufferListsHandler = Some(receive::<P>);
    table.CoSendNetBufferListsCompleteHandler = Some(send_complete::<P>);
    table
}

callbacks! {
    /// `ProtocolSetOptions`: installs the CoNDIS handlers (rule [REG-07]).
    ///
    /// [REG-07]: ndis_sys::rules#REG-07
    set_options<P: Protocol>(
        driver: NDIS_HANDLE as Options<'_>,
        context: NDIS_HANDLE as Arc<Registered<P>>,
    ) at Passive, else FAILURE -> NDIS_STATUS => on_set_options::<P>;

    /// `ProtocolNetPnPEvent`; events that are for no binding come without a context.
    net_pnp_event<P: Protocol>(
        context: NDIS_HANDLE as Binding<P>,
        event: *mut NET_PNP_EVENT_NOTIFICATION as &NET_PNP_EVENT_NOTIFICATION,
    ) at Passive, else SUCCESS -> NDIS_STATUS => binding::on_net_pnp_event;

    /// `ProtocolCoAfRegisterNotify`.
    af_register_notify<P: Protocol>(
        context: NDIS_HANDLE as Binding<P>,
        family: *mut CO_ADDRESS_FAMILY as *mut CO_ADDRESS_FAMILY,
    ) at Passive => on_af_register_notify::<P>;

    /// `ProtocolCoReceiveNetBufferLists`. NDIS indicates to bindings only, and on VCs.
    receive<P: Protocol>(
        context: NDIS_HANDLE as FromNdis<NDIS_HANDLE, Binding<P>>,
        vc: NDIS_HANDLE as NDIS_HANDLE,
        lists: *mut NET_BUFFER_LIST as Chain,
        _count: u32 as u32,
        flags: u32 as u32,
    ) at UpToDispatch => on_receive;

    /// `ProtocolReceiveNetBufferLists`.
    receive_connectionless<P: Protocol>(
        context: NDIS_HANDLE as FromNdis<NDIS_HANDLE, Binding<P>>,
        lists: *mut NET_BUFFER_LIST as Chain,
        _port: u32 as u32,
        count: u32 as u32,
        flags: u32 as u32,
    ) at UpToDispatch => on_receive_connectionless;

    /// `ProtocolCoSendNetBufferListsComplete`; a VC is not closed before its sends are
    /// back.
    send_complete<P: Protocol>(
        vc: NDIS_HANDLE as NDIS_HANDLE,
        lists: *mut NET_BUFFER_LIST as Chain,
        _flags: u32 as u32,
    ) at UpToDispatch => on_send_complete::<P>;
}

fn on_set_options<'r, P: Protocol>(
    mut options: Options<'_>,
    driver: Arc<Registered<P>>,
    request: Request<'r>,
    _irql: &mut Passive,
) -> Answer<'r> {
    // The handle argument is the driver's handle (rule REG-05); binds may come before the
    // registration has returned it (rule REG-27).
    driver.set_handle(options.driver());
    let mut status = options.install(co_characteristics::<P>());
    if status.is_success() {
        status = <P::Role as Role<P>>::set_options(&mut options);
    }
    request.answer(status)
}

fn on_af_register_notify<P: Protocol>(
    binding: Binding<P>,
    family: *mut CO_ADDRESS_FAMILY,
    irql: &mut Passive,
) {
    <P::Role as Role<P>>::offered(binding, family, irql, Token(()));
}

fn on_receive<P: Protocol>(
    binding: FromNdis<NDIS_HANDLE, Binding<P>>,
    vc: NDIS_HANDLE,
    lists: Chain,
    _count: u32,
    flags: u32,
    irql: &mut UpToDispatch,
) {
    let resources = flags & ndis_sys::NDIS_RECEIVE_FLAGS_RESOURCES as u32 != 0;
    // SAFETY: by CALLBACK: NDIS hands the lists over with the VC's context, or none.
    unsafe { <P::Role as Role<P>>::receive(binding, vc, lists, resources, irql) };
}

fn on_receive_connectionless<P: Protocol>(
    binding: FromNdis<NDIS_HANDLE, Binding<P>>,
    lists: Chain,
    _port: u32,
    count: u32,
    flags: u32,
    irql: &mut UpToDispatch,
) {
    on_receive(binding, core::ptr::null_mut(), lists, count, flags, irql);
}

fn on_send_complete<P: Protocol>(
    vc: NDIS_HANDLE,
    lists: Chain,
    _flags: u32,
    irql: &mut UpToDispatch,
) {
    // SAFETY: by CALLBACK: NDIS gives back what this driver sent on the VC.
    unsafe { <P::Role as Role<P>>::sent(vc, lists, irql) };
}

/// `ProtocolSendNetBufferListsComplete`: nothing is sent without a VC.
extern "system" fn send_complete_connectionless(
    _context: NDIS_HANDLE,
    _lists: *mut NET_BUFFER_LIST,
    _flags: u32,
) {
}
