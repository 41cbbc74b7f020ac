//! What call managers call.

pub(crate) mod activity;
pub(crate) mod af;
pub(crate) mod call;
pub(crate) mod incoming;
pub(crate) mod sap;
mod telephony;
pub(crate) mod vc;
