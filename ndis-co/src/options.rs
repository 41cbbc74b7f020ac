//! [`Options`]: what a driver's tables of optional handlers are installed with.

use crate::{
    Status,
    callback::{Argument, FromNdis},
};
use core::{ffi::c_void, marker::PhantomData};
use ndis_sys::{
    NDIS_CO_CALL_MANAGER_OPTIONAL_HANDLERS, NDIS_CO_CLIENT_OPTIONAL_HANDLERS, NDIS_HANDLE,
    NDIS_MINIPORT_CO_CHARACTERISTICS, NDIS_PROTOCOL_CO_CHARACTERISTICS,
};

/// The driver's handle in its options callback.
///
/// # Invariants
///
/// OPTIONS: it is the handle argument of the options callback, which runs (rules [REG-04],
/// [REG-05]).
///
/// [REG-04]: ndis_sys::rules#REG-04
/// [REG-05]: ndis_sys::rules#REG-05
#[derive(Debug)]
pub struct Options<'c> {
    driver: NDIS_HANDLE,
    _call: PhantomData<&'c mut ()>,
}

impl Argument<*mut c_void> for Options<'_> {
    fn from_ndis(handle: FromNdis<*mut c_void, Self>) -> Option<Self> {
        // By ARGUMENT.
        Some(Self {
            driver: handle.raw(),
            _call: PhantomData,
        })
    }
}

impl Options<'_> {
    /// NDIS's handle of the driver.
    pub(crate) const fn driver(&self) -> NDIS_HANDLE {
        self.driver
    }

    /// Installs a table.
    pub fn install<T: Table>(&mut self, mut table: T) -> Status {
        let place = (&raw mut table).cast();
        // SAFETY: by OPTIONS; the table begins with a header, as `Table` says, and NDIS
        // copies it.
        let status = unsafe { ndis_sys::NdisSetOptionalHandlers(self.driver, place) };
        Status::from_raw(status).as_final()
    }
}

/// A table of optional handlers, which begins with its header.
pub trait Table: sealed::Sealed {}

mod sealed {
    pub trait Sealed {}
}

macro_rules! tables {
    ($($table:ident)*) => {$(
        impl sealed::Sealed for $table {}
        impl Table for $table {}
    )*};
}
tables! {
    NDIS_PROTOCOL_CO_CHARACTERISTICS
    NDIS_CO_CLIENT_OPTIONAL_HANDLERS
    NDIS_CO_CALL_MANAGER_OPTIONAL_HANDLERS
    NDIS_MINIPORT_CO_CHARACTERISTICS
}
