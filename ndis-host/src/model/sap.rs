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
