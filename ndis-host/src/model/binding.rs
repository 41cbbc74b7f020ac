//! Bindings: a protocol's on an adapter, and what is asked of the protocol for them.

use crate::callback::Context;
use crate::model::driver::Copied;
use crate::model::request::Request;
use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;
use ndis_sys::{
    NDIS_CO_CALL_MANAGER_OPTIONAL_HANDLERS, NDIS_CO_CLIENT_OPTIONAL_HANDLERS,
    NDIS_PROTOCOL_CO_CHARACTERISTICS, NDIS_STATUS_INDICATION,
};

/// A status that waits for the protocol to be done with another one.
pub(crate) struct Waiting {
    pub(crate) vc: Option<u32>,
    pub(crate) copy: Box<NDIS_STATUS_INDICATION>,
    /// What the copy points to.
    pub(crate) buffer: Vec<u8>,
    /// For `ProtocolStatusEx`.
    pub(crate) plain: bool,
}

// SAFETY: numbers, handles that are not followed, and a pointer to `buffer`.
unsafe impl Send for Waiting {}

/// A protocol on an adapter.
pub(crate) struct Binding {
    pub(crate) raw: usize,
    pub(crate) adapter: u32,
    pub(crate) protocol: u32,
    pub(crate) driver: u32,
    pub(crate) who: Arc<str>,
    pub(crate) context: Context,
    pub(crate) running: bool,
    /// Has been told to restart once, at least.
    pub(crate) started: bool,
    /// The protocol has been told, or is being told, that its open has succeeded.
    pub(crate) opened: bool,
    /// `NdisCloseAdapterEx` was called; the handle is dead.
    pub(crate) closing: bool,
    /// The protocol is being told that the close is complete.
    pub(crate) closed: bool,
    /// The protocol has asked for the unbind, with `NdisUnbindAdapter`.
    pub(crate) asked_to_go: bool,
    /// Address-family notifications that are still to be made.
    pub(crate) notifications: u32,
    /// They have been asked for.
    pub(crate) offered: bool,
    pub(crate) unbinding: bool,
    /// Its protocol is being told of a status; what else is indicated waits.
    pub(crate) being_told: bool,
    /// Since when its protocol knows that the adapter is being reset.
    pub(crate) reset_told: Option<u64>,
    pub(crate) indications: VecDeque<Waiting>,
    /// The connection-oriented handlers that were installed for this binding alone.
    pub(crate) co: Option<Copied<NDIS_PROTOCOL_CO_CHARACTERISTICS>>,
    pub(crate) client: Option<Copied<NDIS_CO_CLIENT_OPTIONAL_HANDLERS>>,
    pub(crate) cm: Option<Copied<NDIS_CO_CALL_MANAGER_OPTIONAL_HANDLERS>>,
}

impl Binding {
    /// A binding whose open has begun.
    pub(crate) fn new(
        raw: usize,
        adapter: u32,
        protocol: u32,
        driver: u32,
        who: Arc<str>,
        context: Context,
    ) -> Self {
        Self {
            raw,
            adapter,
            protocol,
            driver,
            who,
            context,
            running: false,
            started: false,
            opened: false,
            closing: false,
            closed: false,
            asked_to_go: false,
            notifications: 0,
            offered: false,
            unbinding: false,
            being_told: false,
            reset_told: None,
            indications: VecDeque::new(),
            co: None,
            client: None,
            cm: None,
        }
    }
}

/// A bind or unbind request while it lasts.
pub(crate) struct BindRequest {
    pub(crate) adapter: u32,
    pub(crate) protocol: u32,
    pub(crate) binding: Option<u32>,
    /// Where the protocol has the parameters of a bind from; 0 for none.
    pub(crate) parameters: usize,
    pub(crate) request: Request,
}

/// A plug-and-play event on its way through a protocol.
pub(crate) struct PendedEvent {
    pub(crate) binding: u32,
    pub(crate) request: Request,
}
