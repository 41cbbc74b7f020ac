//! `NDIS_OID_REQUEST` as it lies in a driver's memory: read member by member, since an old
//! revision of it is shorter than the type.
//!
//! Invariant REQUEST: what these functions are given is memory for a request, at least as
//! long as revision 1 of it; the caller says why.

use crate::callback::Ptr;
use crate::model::oid::Given;
use ndis_sys as n;
use ndis_sys::{NDIS_OBJECT_HEADER, NDIS_OID_REQUEST};

/// The bytes that a target has moved, and those that it would have needed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Moved {
    pub(super) written: u32,
    pub(super) read: u32,
    pub(super) needed: u32,
}

/// Reads a member.
macro_rules! member {
    ($request:expr, $($member:tt)+) => {{
        // SAFETY: REQUEST: the member is of revision 1.
        let place = unsafe { &raw const (*$request.0).$($member)+ };
        // SAFETY: as above; numbers and pointers, of which each value is valid.
        unsafe { place.read_unaligned() }
    }};
}

pub(super) fn header_of(request: Ptr<NDIS_OID_REQUEST>) -> NDIS_OBJECT_HEADER {
    member!(request, Header)
}

/// What the asker has put in. All arms of the union begin with the OID, the buffer and its
/// length (for input).
pub(super) fn given(request: Ptr<NDIS_OID_REQUEST>) -> Given {
    let kind = member!(request, RequestType);
    let (input, output, method) = if kind == n::NdisRequestMethod {
        (
            member!(request, DATA.METHOD_INFORMATION.InputBufferLength),
            member!(request, DATA.METHOD_INFORMATION.OutputBufferLength),
            member!(request, DATA.METHOD_INFORMATION.MethodId),
        )
    } else {
        let length = member!(request, DATA.QUERY_INFORMATION.InformationBufferLength);
        (length, length, 0)
    };
    Given {
        kind,
        port: member!(request, PortNumber),
        timeout: member!(request, Timeout),
        id: member!(request, RequestId).addr(),
        source: member!(request, RequestHandle).addr(),
        oid: member!(request, DATA.QUERY_INFORMATION.Oid),
        buffer: Ptr(member!(request, DATA.QUERY_INFORMATION.InformationBuffer).cast()),
        input,
        output,
        method,
    }
}

/// What the target says it has moved, of a request of this kind.
pub(super) fn moved(request: Ptr<NDIS_OID_REQUEST>, kind: i32) -> Moved {
    match kind {
        n::NdisRequestMethod => Moved {
            written: member!(request, DATA.METHOD_INFORMATION.BytesWritten),
            read: member!(request, DATA.METHOD_INFORMATION.BytesRead),
            needed: member!(request, DATA.METHOD_INFORMATION.BytesNeeded),
        },
        n::NdisRequestSetInformation => Moved {
            written: 0,
            read: member!(request, DATA.SET_INFORMATION.BytesRead),
            needed: member!(request, DATA.SET_INFORMATION.BytesNeeded),
        },
        _ => Moved {
            written: member!(request, DATA.QUERY_INFORMATION.BytesWritten),
            read: 0,
            needed: member!(request, DATA.QUERY_INFORMATION.BytesNeeded),
        },
    }
}

/// Copies the first bytes of an information buffer.
///
/// # Safety
///
/// The buffer has that many bytes.
pub(super) unsafe fn bytes(buffer: Ptr<u8>, length: usize) -> alloc::vec::Vec<u8> {
    let mut copy = alloc::vec![0_u8; length];
    if length > 0 {
        // SAFETY: as many bytes are readable by contract, and as many fit.
        unsafe { core::ptr::copy_nonoverlapping(buffer.0, copy.as_mut_ptr(), length) };
    }
    copy
}
