//! Connection-oriented NDIS: drivers, adapters, bindings, address families,
//! SAPs, VCs, calls, data.

pub(crate) mod activity;
pub(crate) mod af;
pub(crate) mod binding;
pub(crate) mod call;
pub(crate) mod driver;
pub(crate) mod extents;
pub(crate) mod incoming;
pub(crate) mod oid;
pub(crate) mod options;
pub(crate) mod party;
pub(crate) mod pnp;
pub(crate) mod receive;
pub(crate) mod request;
pub(crate) mod sap;
pub(crate) mod send;
pub(crate) mod settle;
pub(crate) mod vc;
pub(crate) mod world;
