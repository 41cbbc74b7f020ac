//! The measuring program's side: starts the adapter, runs rounds, says what was counted.

use std::ptr::null_mut;

use ndis_sys::{NDIS_BIND_PARAMETERS, NET_PNP_EVENT_NOTIFICATION, NetEventRestart, zeroed};

use crate::{Counts, SUCCESS, registration::handle, world};

/// Starts the adapter, binds the client and offers the family.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stub_start() {
    let world = world();
    let initialize = (*world).miniport.InitializeHandlerEx.unwrap();
    let status = initialize(handle(0x11), (*world).miniport_driver, null_mut());
    assert_eq!(status, SUCCESS, "the adapter");
    let restart = (*world).miniport.RestartHandler.unwrap();
    assert_eq!(
        restart((*world).adapter, null_mut()),
        SUCCESS,
        "its restart"
    );
    let bind = (*world).protocol.BindAdapterHandlerEx.unwrap();
    let mut parameters: NDIS_BIND_PARAMETERS = zeroed();
    let status = bind((*world).protocol_driver, handle(0x21), &raw mut parameters);
    assert_eq!(status, SUCCESS, "the binding");
    let mut event: NET_PNP_EVENT_NOTIFICATION = zeroed();
    event.NetPnPEvent.NetEvent = NetEventRestart;
    let tell = (*world).protocol.NetPnPEventHandler.unwrap();
    assert_eq!(
        tell((*world).binding, &raw mut event),
        SUCCESS,
        "its restart"
    );
    stub_offer();
}

/// Offers the family: the client opens it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stub_offer() {
    let world = world();
    let offer = (*world).protocol_co.CoAfRegisterNotifyHandler.unwrap();
    offer((*world).binding, (*world).family);
    stub_drain();
}

/// Runs the work items that wait.
#[unsafe(no_mangle)]
#[inline(never)]
pub unsafe extern "C" fn stub_drain() {
    loop {
        let waiting = std::mem::take(&mut (*world()).queue);
        if waiting.is_empty() {
            return;
        }
        for work in waiting {
            work.run();
        }
    }
}

/// What is counted: `times` times `round`, with the work that it leaves.
#[unsafe(no_mangle)]
#[inline(never)]
pub unsafe extern "C" fn stub_window(
    round: unsafe extern "C" fn(usize),
    argument: usize,
    times: usize,
) {
    for _ in 0..times {
        round(argument);
        stub_drain();
    }
}

/// What has been counted so far.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stub_counts() -> Counts {
    (*world()).counts
}
