//! The C side of a miniport: the tables that NDIS gets, the C functions in them, and what
//! each of these does with the arguments that [`callbacks!`] has made of NDIS's.
//!
//! No lock is held while the driver's code runs.

use super::{
    Adapter, Initialize, Miniport, PowerSource, Role,
    adapter::AdapterCore,
    errors,
    oid::{self, AdapterDoor, Asked},
    sealed::Token,
};
use crate::{carry::Carry, key::key};
use core::ffi::c_void;
use ndis_co::{
    Answer, Status,
    answer::Request,
    callbacks,
    channel::{self, Channel, Held},
    configuration::NewAdapter,
    irql::{Passive, UpToDispatch},
    mem::Arc,
    nbl::{Chain, NetBufferLists, fields::Side},
    options::Options,
    raw,
    registration::Registered,
};
use ndis_sys::{
    NDIS_HALT_ACTION, NDIS_HANDLE, NDIS_MINIPORT_DRIVER_CHARACTERISTICS,
    NDIS_MINIPORT_INIT_PARAMETERS, NDIS_MINIPORT_PAUSE_PARAMETERS,
    NDIS_MINIPORT_RESTART_PARAMETERS, NDIS_OID_REQUEST, NDIS_POWER_PROFILE, NDIS_STATUS,
    NET_BUFFER_LIST, NET_DEVICE_PNP_EVENT,
};

/// The mandatory handlers of a miniport but for its unload routine (rules REG-03, REG-36, REG-41,
/// REG-42).
pub(crate) fn miniport_characteristics<M: Miniport>() -> NDIS_MINIPORT_DRIVER_CHARACTERISTICS {
    // What is not set is NDIS's, and stays clear (rule REG-24).
    let mut table: NDIS_MINIPORT_DRIVER_CHARACTERISTICS = ndis_sys::zeroed();
    table.Header = raw::header(
        ndis_sys::NDIS_OBJECT_TYPE_MINIPORT_DRIVER_CHARACTERISTICS,
        ndis_sys::NDIS_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_2,
        ndis_sys::NDIS_SIZEOF_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_2,
    );
    table.MajorNdisVersion = raw::NDIS_VERSION.0;
    table.MinorNdisVersion = raw::NDIS_VERSION.1;
    table.MajorDriverVersion = M::VERSION.0;
    table.MinorDriverVersion = M::VERSION.1;
    table.SetOptionsHandler = Some(set_options::<M>);
    table.InitializeHandlerEx = Some(initialize::<M>);
    table.HaltHandlerEx = Some(halt::<M>);
    table.PauseHandler = Some(pause::<M>);
    table.RestartHandler = Some(restart::<M>);
    table.OidRequestHandler = Some(oid_request::<M>);
    table.SendNetBufferListsHandler = Some(send_connectionless::<M>);
    table.ReturnNetBufferListsHandler = Some(return_lists::<M>);
    table.CancelSendHandler = Some(cancel);
    table.DevicePnPEventNotifyHandler = Some(device_pnp_event::<M>);
    table.ShutdownHandlerEx = Some(shutdown::<M>);
    table.CancelOidRequestHandler = Some(cancel_oid_request::<M>);
    // Both, or neither (rule REG-41).
    (table.CheckForHangHandlerEx, table.ResetHandlerEx) = M::RESETS.handlers();
    table
}

callbacks! {
    /// `MiniportSetOptions` (rules [REG-03], [REG-33]).
    ///
    /// [REG-03]: ndis_sys::rules#REG-03
    /// [REG-33]: ndis_sys::rules#REG-33
    set_options<M: Miniport>(
        driver: NDIS_HANDLE as Options<'_>,
        _context: NDIS_HANDLE as NDIS_HANDLE,
    ) at Passive, else FAILURE -> NDIS_STATUS => on_set_options::<M>;

    /// `MiniportInitializeEx`.
    initialize<M: Miniport>(
        handle: NDIS_HANDLE as NewAdapter,
        driver: NDIS_HANDLE as Arc<Registered<M>>,
        _parameters: *mut NDIS_MINIPORT_INIT_PARAMETERS as *mut NDIS_MINIPORT_INIT_PARAMETERS,
    ) at Passive, else FAILURE -> NDIS_STATUS => on_initialize;

    /// `MiniportHaltEx`.
    halt<M: Miniport>(
        context: NDIS_HANDLE as Arc<AdapterCore<M>>,
        _action: NDIS_HALT_ACTION as NDIS_HALT_ACTION,
    ) at Passive => on_halt;

    /// `MiniportSendNetBufferLists`.
    send_connectionless<M: Miniport>(
        context: NDIS_HANDLE as Adapter<M>,
        lists: *mut NET_BUFFER_LIST as Chain,
        _port: u32 as u32,
        _flags: u32 as u32,
    ) at UpToDispatch => on_send_connectionless;

    /// `MiniportReturnNetBufferLists`.
    return_lists<M: Miniport>(
        context: NDIS_HANDLE as NDIS_HANDLE,
        lists: *mut NET_BUFFER_LIST as Chain,
        _flags: u32 as u32,
    ) at UpToDispatch => on_return_lists::<M>;

    /// `MiniportPause`.
    pause<M: Miniport>(
        context: NDIS_HANDLE as Adapter<M>,
        _parameters: *mut ndis_sys::NDIS_MINIPORT_PAUSE_PARAMETERS
            as *mut ndis_sys::NDIS_MINIPORT_PAUSE_PARAMETERS,
    ) at Passive, else SUCCESS -> NDIS_STATUS => on_pause;

    /// `MiniportRestart`.
    restart<M: Miniport>(
        context: NDIS_HANDLE as Adapter<M>,
        _parameters: *mut ndis_sys::NDIS_MINIPORT_RESTART_PARAMETERS
            as *mut ndis_sys::NDIS_MINIPORT_RESTART_PARAMETERS,
    ) at Passive, else FAILURE -> NDIS_STATUS => on_restart;

    /// `MiniportDevicePnPEventNotify`.
    device_pnp_event<M: Miniport>(
        context: NDIS_HANDLE as Adapter<M>,
        event: *mut NET_DEVICE_PNP_EVENT as &NET_DEVICE_PNP_EVENT,
    ) at Passive => on_device_pnp_event;

    /// `MiniportShutdownEx`, when the system shuts down (rule [IRQL-131]).
    ///
    /// [IRQL-131]: ndis_sys::rules#IRQL-131
    power_off<M: Miniport>(context: NDIS_HANDLE as Adapter<M>) at Passive => on_power_off;

    /// `MiniportOidRequest`.
    oid_request<M: Miniport>(
        context: NDIS_HANDLE as Adapter<M>,
        request: *mut NDIS_OID_REQUEST as Asked,
    ) at UpToDispatch, else NOT_SUPPORTED -> NDIS_STATUS => on_oid_request;

    /// `MiniportCancelOidRequest`.
    cancel_oid_request<M: Miniport>(
        context: NDIS_HANDLE as Adapter<M>,
        id: *mut c_void as *mut c_void,
    ) at UpToDispatch => on_cancel_oid_request;
}

/// The handle argument is the driver's handle (rule REG-05).
fn on_set_options<'r, M: Miniport>(
    mut options: Options<'_>,
    _context: NDIS_HANDLE,
    request: Request<'r>,
    _irql: &mut Passive,
) -> Answer<'r> {
    request.answer(<M::Role as Role<M>>::set_options(&mut options))
}

/// Two failures are documented.
fn on_initialize<'r, M: Miniport>(
    handle: NewAdapter,
    driver: Arc<Registered<M>>,
    _parameters: *mut NDIS_MINIPORT_INIT_PARAMETERS,
    request: Request<'r>,
    irql: &mut Passive,
) -> Answer<'r> {
    let adapter = handle.get();
    let Ok(core) = AdapterCore::try_new(driver.clone()) else {
        errors::log(adapter, Status::RESOURCES);
        return request.answer(Status::RESOURCES);
    };
    let init = Initialize::new(core.clone(), handle);
    request.answer(match driver.driver().initialize(init, irql) {
        Ok(_) => {
            if let Some(shared) = core.shared() {
                driver.driver().initialized(&Adapter { shared }, irql);
            }
            Status::SUCCESS
        }
        Err(failure) => {
            // No halt will come (rule INIT-10), so this is the end.
            core.tear_down(irql);
            errors::log(adapter, failure);
            documented_initialize_failure(failure)
        }
    })
}

/// Only these may come out of an initialization (rule INIT-09), of which a third
/// one, `NDIS_STATUS_NOT_ACCEPTED`, is no negative code.
fn documented_initialize_failure(status: Status) -> Status {
    match status {
        Status::RESOURCES => status,
        _ => Status::FAILURE,
    }
}

/// Cannot fail, and waits until everything is gone (rules HALT-01, HALT-04, HALT-05, HALT-06).
fn on_halt<M: Miniport>(core: Arc<AdapterCore<M>>, _action: NDIS_HALT_ACTION, irql: &mut Passive) {
    // Before anything at which other code of the driver could run (rule HALT-12).
    core.close_medium();
    if let Some(shared) = core.shared() {
        let adapter = Adapter { shared };
        adapter.driver().halting(&adapter, irql);
        <M::Role as Role<M>>::close_families(&adapter, irql, Token(()));
        adapter.driver().halt(&adapter, irql);
    }
    core.tear_down(irql);
}

/// Notes a removal, which pause and halt follow, and tells the driver; or of the power's source.
fn on_device_pnp_event<M: Miniport>(
    adapter: Adapter<M>,
    event: &NET_DEVICE_PNP_EVENT,
    irql: &mut Passive,
) {
    if event.DevicePnPEvent == ndis_sys::NdisDevicePnPEventSurpriseRemoved {
        adapter.shared.remove();
        adapter.driver().surprise_removed(&adapter, irql);
    } else if event.DevicePnPEvent == ndis_sys::NdisDevicePnPEventPowerProfileChanged
        && let Some(source) = power_source(event)
    {
        adapter.driver().power_source(&adapter, source, irql);
    }
}

/// What an event says of the power's source, if anything: at the end of an initialization it may
/// say nothing.
fn power_source(event: &NET_DEVICE_PNP_EVENT) -> Option<PowerSource> {
    let profile = event.InformationBuffer.cast::<NDIS_POWER_PROFILE>();
    let length = event.InformationBufferLength as usize;
    if profile.is_null() || length < size_of::<NDIS_POWER_PROFILE>() {
        return None;
    }
    // SAFETY: by CALLBACK the buffer is there for the call, as long as the event says, and NDIS's.
    match unsafe { profile.read_unaligned() } {
        ndis_sys::NdisPowerProfileBattery => Some(PowerSource::Battery),
        ndis_sys::NdisPowerProfileAcOnLine => Some(PowerSource::Mains),
        _ => None,
    }
}

fn on_pause<'r, M: Miniport>(
    adapter: Adapter<M>,
    _parameters: *mut NDIS_MINIPORT_PAUSE_PARAMETERS,
    request: Request<'r>,
    irql: &mut Passive,
) -> Answer<'r> {
    // Nothing goes out from here on; the pause waits for what is.
    adapter.shared.set_running(false);
    adapter.driver().pause(&adapter, irql);
    request.answer(if adapter.shared.pause() {
        Status::SUCCESS
    } else {
        Status::PENDING
    })
}

fn on_restart<'r, M: Miniport>(
    adapter: Adapter<M>,
    _parameters: *mut NDIS_MINIPORT_RESTART_PARAMETERS,
    request: Request<'r>,
    irql: &mut Passive,
) -> Answer<'r> {
    request.answer(match adapter.driver().restart(&adapter, irql) {
        Ok(()) => {
            // Receives may be indicated from here on (rule PAUSE-10); not before, for
            // nothing may be out when the restart fails (rule PAUSE-05).
            adapter.shared.set_running(true);
            adapter.driver().running(&adapter, irql);
            Status::SUCCESS
        }
        Err(failure) => {
            errors::log(adapter.shared.handle.get(), failure);
            if failure == Status::RESOURCES {
                failure
            } else {
                Status::FAILURE
            }
        }
    })
}

/// Never used by clients of a connection-oriented adapter; whatever comes goes straight
/// back.
fn on_send_connectionless<M: Miniport>(
    adapter: Adapter<M>,
    mut lists: Chain,
    _port: u32,
    _flags: u32,
    _irql: &mut UpToDispatch,
) {
    let status = if adapter.is_removed() {
        Status::NOT_ACCEPTED
    } else {
        Status::FAILURE
    };
    channel::mark(&lists, status, key());
    let handle = adapter.shared.handle.get();
    // SAFETY: each list is completed once, on the adapter it came on.
    unsafe { ndis_sys::NdisMSendNetBufferListsComplete(handle, lists.take_raw(), 0) };
}

/// Any order and grouping (rule NBL-23); there for every driver that may indicate (rule
/// NBL-24).
fn on_return_lists<M: Miniport>(
    context: NDIS_HANDLE,
    lists: Chain,
    _flags: u32,
    irql: &mut UpToDispatch,
) {
    // SAFETY: by CALLBACK, and what this driver has indicated is counted out until the function that
    // is called below has counted it in.
    let Some(adapter) = (unsafe { AdapterCore::<M>::counted(context) }) else {
        return;
    };
    // SAFETY: NDIS gives back lists that this driver indicated, which came from its pool
    // for receives.
    let lists = unsafe { NetBufferLists::from_chain(lists, Side::Miniport) };
    <M::Role as Role<M>>::returned(&adapter, lists, irql, Token(()));
}

fn on_oid_request<'r, M: Miniport>(
    adapter: Adapter<M>,
    asked: Asked,
    request: Request<'r>,
    irql: &mut UpToDispatch,
) -> Answer<'r> {
    let door = AdapterDoor::plain(adapter.clone());
    oid::arrived(door, None, asked, request, irql, |request, irql| {
        adapter.driver().oid_request(&adapter, request, irql)
    })
}

/// `MiniportCoOidRequest` of both kinds of connection-oriented miniports: without a VC it is
/// about the adapter (rule OID-23).
pub(crate) fn on_co_oid_request<'r, M: Carry>(
    adapter: Adapter<M>,
    vc: Option<M::Vc>,
    asked: Asked,
    request: Request<'r>,
    irql: &mut UpToDispatch,
) -> Answer<'r>
where
    M::Role: Role<M, OidVc = Held<M::Vc>>,
{
    let driver = adapter.driver();
    let Some(vc) = vc else {
        let door = AdapterDoor::co(adapter.clone());
        return oid::arrived(door, None, asked, request, irql, |request, irql| {
            driver.oid_request(&adapter, request, irql)
        });
    };
    let Some(held) = Held::try_new(vc.clone(), key()) else {
        // It is being deleted; of a device that has gone nothing else is said (rule HALT-13).
        return request.answer(if adapter.is_removed() {
            Status::NOT_ACCEPTED
        } else {
            Status::CLOSING
        });
    };
    let door = AdapterDoor::of_vc(adapter.clone(), held);
    let counters = Some(vc.statistics());
    oid::arrived(door, counters, asked, request, irql, |request, irql| {
        driver.vc_oid_request(&vc, request, irql)
    })
}

fn on_cancel_oid_request<M: Miniport>(
    adapter: Adapter<M>,
    id: *mut c_void,
    irql: &mut UpToDispatch,
) {
    oid::cancelled(&adapter, id, irql);
}

/// `MiniportCancelSend`: nothing is queued by a cancel ID.
extern "system" fn cancel(_adapter: NDIS_HANDLE, _id: *mut c_void) {}

/// `MiniportShutdownEx`. When the system has failed, the level is unknown and whatever a context
/// is made of may be locked: nothing is looked at (rules HALT-15, HALT-16).
unsafe extern "system" fn shutdown<M: Miniport>(
    context: NDIS_HANDLE,
    action: ndis_sys::NDIS_SHUTDOWN_ACTION,
) {
    if action == ndis_sys::NdisShutdownPowerOff {
        // SAFETY: by CALLBACK, of which this is a part; of this action the level is PASSIVE_LEVEL
        // (rule IRQL-131).
        unsafe { power_off::<M>(context) };
    }
}

/// The system shuts down (rule HALT-14).
fn on_power_off<M: Miniport>(adapter: Adapter<M>, irql: &mut Passive) {
    adapter.driver().shutdown(&adapter, irql);
}
