//! What clients call.

pub(crate) mod af;
pub(crate) mod call;
pub(crate) mod names;
pub(crate) mod receive;
pub(crate) mod sap;
pub(crate) mod send;
pub(crate) mod vc;
