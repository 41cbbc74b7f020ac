//! Adapters: a miniport's, from initialize to halt, and what NDIS asks of them itself.

use crate::callback::{Context, Ptr};
use crate::model::request::Request;
use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use ndis_sys::CO_ADDRESS_FAMILY;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum AdapterPhase {
    Initializing,
    Paused,
    Restarting,
    Running,
    Pausing,
    Halting,
}

/// An address family that a call manager offers on an adapter.
pub(crate) struct Family {
    pub(crate) copy: Box<CO_ADDRESS_FAMILY>,
    /// The driver's own structure.
    pub(crate) original: Ptr<CO_ADDRESS_FAMILY>,
}

impl Family {
    pub(crate) fn key(family: &CO_ADDRESS_FAMILY) -> (i32, u32, u32) {
        (
            family.AddressFamily as i32,
            family.MajorVersion,
            family.MinorVersion,
        )
    }
}

/// An adapter.
pub(crate) struct Adapter {
    pub(crate) raw: usize,
    pub(crate) miniport: u32,
    pub(crate) driver: u32,
    pub(crate) who: Arc<str>,
    pub(crate) name: Arc<str>,
    pub(crate) context: Option<Context>,
    pub(crate) phase: AdapterPhase,
    pub(crate) general: bool,
    pub(crate) media: i32,
    pub(crate) families: Vec<Family>,
    pub(crate) pause: Request,
    pub(crate) restart: Request,
    /// The driver has been told that the device is gone: the notice has returned.
    pub(crate) removal_told: bool,
    /// Calls that indicate received data and have not returned.
    pub(crate) indicating: u32,
    /// The device's power state.
    pub(crate) power: i32,
    /// The OIDs that the driver says it supports.
    pub(crate) oids: Vec<u32>,
}

/// An OID request of NDIS's own on its way through a miniport.
pub(crate) struct OwnRequest {
    pub(crate) adapter: u32,
    /// Made by `MiniportCoOidRequest`.
    pub(crate) co: bool,
    pub(crate) request: Request,
}
