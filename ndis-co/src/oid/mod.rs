//! OID requests: what drivers ask each other, by number.
//!
//! An *OID* is a number that stands for something that a driver knows or can do: how fast its
//! link is, how many frames it has sent, which power state it is to go to. NDIS, protocols and
//! programs of the administrator's ask a miniport; clients and call managers ask each other
//! about their address families. A request is a *query*, a *set*, or a *method*, which is
//! both; it is answered at once or later, and several may be under way at a time (rule
//! [OID-19]).
//!
//! | asked | who asks | constants |
//! |---|---|---|
//! | [`ToAdapter`]: a connection-oriented miniport, or the miniport half of an MCM | NDIS, clients, stand-alone call managers | most of [`known`] |
//! | [`ToManager`]: a call manager | its clients | the `CO_TAPI` ones |
//! | [`ToClient`]: a client | its call manager | [`known::CO_AF_CLOSE`] and its like |
//!
//! # To be asked
//!
//! A handler gets an [`OidRequest`], a token as every request is one (see
//! [`answer`](crate::answer)): it shows what is asked ([`View`]), and is consumed by its
//! answer, or [pended](OidRequest::pend). How many bytes were moved and how many are needed
//! is told in the request by the answer, by the rules of all its pages at once.
//!
//! # To ask
//!
//! An [`OutgoingRequest`] owns its buffer; its [`Answered`] comes back with what the target
//! left there.
//!
//! # Numbers, and what they mean
//!
//! A constant of [`known`] is an [`Oid`]: the number with the type of the value, the [way](Way)
//! that it goes, and who is asked. So a counter cannot be answered with a structure, and what
//! is only set cannot be asked for. A number alone, for a `match`, is in [`number`].
//!
//! Two names of `ndis-sys` often have one number: `OID_GEN_XMIT_OK` is
//! `OID_GEN_CO_XMIT_PDUS_OK`. The first is asked of connectionless adapters, the second of the
//! adapters that these crates are for, and for one number the values differ
//! ([`known::GEN_CO_LINK_SPEED`]). So there is a constant for the connection-oriented name
//! only, found by the other one as well. `docs/oids.md` in the repository has all OIDs, and why
//! some have no constant.
//!
//! A driver's own OIDs are made with [`Oid::new`], and their values with
//! [`oid_values!`](crate::oid_values).
//!
//! [OID-19]: ndis_sys::rules#OID-19

mod addresses;
mod incoming;
mod inward;
pub mod known;
mod outgoing;
mod outstanding;
mod peer;
mod place;
mod trip;
mod typed;
mod value;
mod view;

#[cfg(test)]
mod tests;

pub use addresses::AddressList;
#[doc(hidden)]
pub use incoming::Door;
pub use incoming::{OidRequest, PendingOidRequest};
pub use known::number;
pub use outgoing::{Answered, OutgoingRequest};
pub(crate) use outstanding::{Outstanding, Stage};
pub(crate) use peer::come;
#[doc(hidden)]
pub use peer::{Hold, PeerDoor};
pub use trip::AskError;
pub(crate) use trip::{CO_COMPLETE, COMPLETE, Ear, Trip, go, wait};
pub use typed::{
    Answers, Asked, Asks, Carries, Counter, Gives, List, Method, Oid, Query, QuerySet, QueryWith,
    Set, ToAdapter, ToClient, ToManager, Way,
};
pub use value::Value;
pub(crate) use value::read;
pub use view::{Kind, MAX_INPUT, RequestId, View};
