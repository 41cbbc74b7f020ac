//! A request, as its target sees it and as who asks does.

mod carried;
mod incoming;
mod outgoing;

/// An OID of nobody's.
const OWN: u32 = 0xFF00_0001;
