//! WAN links: what a CoNDIS WAN adapter tells NDISWAN of itself and of each of its links, and
//! what NDISWAN sets.
//!
//! NDISWAN does PPP, and the adapter carries PPP frames: address 0xFF and control 0x03 unless their
//! compression was negotiated, the protocol, the data; no flags, no checksum, no stuffing. It
//! asks the adapter by OIDs, and a link is a VC:
//!
//! | for | use | in C | about |
//! |---|---|---|---|
//! | what the adapter can | [`Info`] | `OID_WAN_CO_GET_INFO` | all links |
//! | what a link does | [`LinkInfo`] | `OID_WAN_CO_GET_LINK_INFO`, `OID_WAN_CO_SET_LINK_INFO` | a VC |
//! | compression on it | [`CompressionInfo`] | `OID_WAN_CO_GET_COMP_INFO`, `OID_WAN_CO_SET_COMP_INFO` | a VC |
//! | its counters | [`Statistics`] | `OID_WAN_CO_GET_STATS_INFO` | a VC |
//! | its speeds and window | [`LinkParameters`], [`MtuLinkParameters`] | `NDIS_STATUS_WAN_CO_LINKPARAMS`, `NDIS_STATUS_WAN_CO_MTULINKPARAMS` | a VC |
//! | frames that were damaged | [`Fragment`] | `NDIS_STATUS_WAN_CO_FRAGMENT` | a VC |
//!
//! All of it is in structures of fixed size, read by `parse`, whatever their alignment, and
//! written as [`Flat`](crate::tapi::Flat), or handed over in the C form.

mod compression;
mod framing;
mod indications;
mod info;
mod statistics;
mod structure;
#[cfg(test)]
mod tests;

pub use compression::{Compression, CompressionInfo, CompressionKinds};
pub use framing::Framing;
pub use indications::{Fragment, FrameErrors, LinkParameters, MtuLinkParameters};
pub use info::{Info, LinkInfo};
pub use statistics::Statistics;
