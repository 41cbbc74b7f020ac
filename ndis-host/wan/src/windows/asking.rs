//! [`Subject`] and [`Question`]: what a test has the two drivers ask, of any OID.

use super::CallId;
use ndis_co::{
    Status,
    oid::{Oid, OutgoingRequest, QueryWith},
};
use std::vec::Vec;

/// Who is asked for an OID, and about what: see [`Windows::query_oid`](super::Windows::query_oid).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// NDISWAN asks an adapter.
    Adapter(u32),
    /// NDISWAN asks the adapter about the VC of a call whose link is up.
    Link(CallId),
    /// NDPROXY asks the call manager of an adapter.
    Manager(u32),
    /// NDPROXY asks the call manager about the VC of a call.
    Call(CallId),
}

/// How many bytes an answer may have.
const ROOM: usize = 1024;

/// A query or a set, of whatever OID.
pub(super) enum Question {
    /// With what it carries.
    Query(u32, Vec<u8>),
    Set(u32, Vec<u8>),
}

impl Question {
    pub(super) fn oid(&self) -> u32 {
        match self {
            Self::Query(oid, _) | Self::Set(oid, _) => *oid,
        }
    }

    /// The request. In a function of its own, so that its stack is free again when the answer is
    /// waited for.
    #[inline(never)]
    pub(super) fn request<A>(&self) -> Result<OutgoingRequest<A>, Status> {
        match self {
            Self::Query(number, about) => {
                let mut buffer = [0; ROOM];
                let place = buffer.get_mut(..about.len());
                place.ok_or(Status::INVALID_LENGTH)?.copy_from_slice(about);
                let oid: Oid<[u8; ROOM], QueryWith<[u8; ROOM]>, A> = Oid::new(*number);
                Ok(OutgoingRequest::query_with(oid, &buffer)?)
            }
            Self::Set(number, data) => Ok(OutgoingRequest::set_bytes(*number, data)?),
        }
    }
}
