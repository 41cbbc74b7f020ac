//! A driver is registered and deregistered by its entry, and its tables are installed in the
//! options callback: what that takes is made there alone.

#![forbid(unsafe_code)]

use ndis_co::{
    irql::Passive,
    options::Options,
    registration::{self, Deregistration, Registers, Registration},
    sys::{DRIVER_OBJECT, NDIS_HANDLE},
};
use ndis_mcm::{Entry, Mcm, MiniportCallManager, Role};

fn registered<M: MiniportCallManager>(driver: M, object: *mut DRIVER_OBJECT) {
    registration::run::<Entry<M>>(driver, object, core::ptr::null_mut());
}

fn again<M: MiniportCallManager>(registration: &Registration<'_, Entry<M>>) {
    // Of another driver, or another kind.
    Entry::<M>::register(&Registration {
        object: registration.object(),
    });
}

fn deregistered<M: MiniportCallManager>(handle: NDIS_HANDLE, irql: &mut Passive) {
    Entry::<M>::deregister(handle, irql);
    Entry::<M>::deregister(&Deregistration { registered: handle }, irql);
}

fn options<M: MiniportCallManager>(driver: NDIS_HANDLE) {
    <Mcm as Role<M>>::set_options(driver);
    <Mcm as Role<M>>::set_options(&mut Options { driver });
}

fn main() {}
