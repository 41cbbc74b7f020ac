//! What miniports call.

pub(crate) mod activity;
pub(crate) mod attributes;
pub(crate) mod errors;
pub(crate) mod flow;
pub(crate) mod receive;
pub(crate) mod register;
pub(crate) mod send;
pub(crate) mod status;
pub(crate) mod vc;
