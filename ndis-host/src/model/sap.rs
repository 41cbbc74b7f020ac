//! Service access points, that a client wants to be called at.

use crate::callback::{Context, Ptr};
use crate::model::request::Request;
use ndis_sys::CO_SAP;

/// A registered SAP.
pub(crate) struct Sap {
    pub(crate) client_raw: usize,
    pub(crate) manager_raw: usize,
    pub(crate) af: u32,
    pub(crate) client_context: Context,
    pub(crate) manager_context: Context,
    pub(crate) sap: Ptr<CO_SAP>,
    pub(crate) registered: bool,
    pub(crate) register: Request,
    pub(crate) deregister: Request,
    pub(crate) leaving: bool,
}

impl Sap {
    /// A SAP whose registration has begun.
    pub(crate) fn new(
        (client_raw, manager_raw): (usize, usize),
        af: u32,
        client_context: Context,
        sap: Ptr<CO_SAP>,
    ) -> Self {
        Self {
            client_raw,
            manager_raw,
            af,
            client_context,
            manager_context: Context::NULL,
            sap,
            registered: false,
            register: Request::default(),
            deregister: Request::default(),
            leaving: false,
        }
    }

    /// The registration has succeeded; the call manager's context for it.
    pub(crate) fn registered(&mut self, context: Context) {
        debug_assert!(!self.registered);
        self.registered = true;
        self.manager_context = context;
    }
}
