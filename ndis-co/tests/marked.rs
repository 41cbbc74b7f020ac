//! What comes on a VC that a driver in both roles has for a client of its own.

use ndis_co::{
    AsBoth, Binding, NewBinding, Protocol, Status,
    callback::FromNdis,
    cm::StandaloneCallManager,
    irql::{Passive, UpToDispatch},
    nbl::Chain,
    protocol::Role,
};
use ndis_host::Host;
use ndis_sys::NDIS_HANDLE;
use std::ptr;

struct Driver;

impl Protocol for Driver {
    const NAME: &'static str = "BOTH";
    type Binding = ();
    type Role = AsBoth;

    fn bind(&self, _: &NewBinding<'_>, _: &mut Passive) -> Result<(), Status> {
        Ok(())
    }
}

impl StandaloneCallManager for Driver {
    type Signaling = ();
}

include!("../doc/plain/client.rs");
include!("../doc/plain/manager.rs");

/// How NDIS ties such a VC to the one that it shares, no page says (rule VC-70). Whatever comes with its
/// context, that is not followed as the one of a VC of which the driver is the client.
#[test]
fn what_comes_on_a_managers_vc_is_not_taken_for_a_clients() {
    let host = Host::builder().build();
    // Marked as that of such a VC; nothing is there.
    let vc: NDIS_HANDLE = ptr::without_provenance_mut(0x1000 | 2);
    // SAFETY: the test runs at PASSIVE_LEVEL and holds no lock.
    let mut irql = unsafe { UpToDispatch::assume() };
    // SAFETY: null, so there is nothing that it could be of.
    let binding: FromNdis<NDIS_HANDLE, Binding<Driver>> = unsafe { FromNdis::new(ptr::null_mut()) };
    let none = Chain::new;
    // SAFETY: there is no list; the context is one of those that are looked at alone.
    unsafe { <AsBoth as Role<Driver>>::receive(binding, vc, none(), true, &mut irql) };
    // SAFETY: as above.
    unsafe { <AsBoth as Role<Driver>>::sent(vc, none(), &mut irql) };
    assert!(host.finish().is_clean());
}
