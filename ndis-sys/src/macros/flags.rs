//! Tests and changes of flag words: send, receive, return, clone, and the
//! flags of a status indication.

use crate::*;

flags! {
    /// Whether all of `wanted` are set in the flags of a clone request.
    all NDIS_TEST_CLONE_FLAG(ULONG);
    /// Sets flags of a clone request.
    set NDIS_SET_CLONE_FLAG(ULONG);
    /// Clears flags of a clone request.
    clear NDIS_CLEAR_CLONE_FLAG(ULONG);
    /// Whether all of `wanted` are set in the flags of a send.
    all NDIS_TEST_SEND_FLAG(ULONG);
    /// Sets flags of a send.
    set NDIS_SET_SEND_FLAG(ULONG);
    /// Clears flags of a send.
    clear NDIS_CLEAR_SEND_FLAG(ULONG);
    /// Whether all of `wanted` are set in the flags of a send's completion.
    all NDIS_TEST_SEND_COMPLETE_FLAG(ULONG);
    /// Sets flags of a send's completion.
    set NDIS_SET_SEND_COMPLETE_FLAG(ULONG);
    /// Whether all of `wanted` are set in the flags of a receive indication.
    all NDIS_TEST_RECEIVE_FLAG(ULONG);
    /// Sets flags of a receive indication.
    set NDIS_SET_RECEIVE_FLAG(ULONG);
    /// Whether all of `wanted` are set in the flags of a return.
    all NDIS_TEST_RETURN_FLAG(ULONG);
    /// Sets flags of a return.
    set NDIS_SET_RETURN_FLAG(ULONG);
}

/// Whether the sender says that it runs at DISPATCH_LEVEL.
#[inline]
#[must_use]
pub const fn NDIS_TEST_SEND_AT_DISPATCH_LEVEL(flags: ULONG) -> bool {
    NDIS_TEST_SEND_FLAG(flags, NDIS_SEND_FLAGS_DISPATCH_LEVEL as ULONG)
}

/// Whether the completer says that it runs at DISPATCH_LEVEL.
#[inline]
#[must_use]
pub const fn NDIS_TEST_SEND_COMPLETE_AT_DISPATCH_LEVEL(flags: ULONG) -> bool {
    NDIS_TEST_SEND_COMPLETE_FLAG(flags, NDIS_SEND_COMPLETE_FLAGS_DISPATCH_LEVEL as ULONG)
}

/// Whether the indicating driver says that it runs at DISPATCH_LEVEL.
#[inline]
#[must_use]
pub const fn NDIS_TEST_RECEIVE_AT_DISPATCH_LEVEL(flags: ULONG) -> bool {
    NDIS_TEST_RECEIVE_FLAG(flags, NDIS_RECEIVE_FLAGS_DISPATCH_LEVEL as ULONG)
}

/// Whether the lists are the receiver's only until its callback returns.
#[inline]
#[must_use]
pub const fn NDIS_TEST_RECEIVE_CANNOT_PEND(flags: ULONG) -> bool {
    NDIS_TEST_RECEIVE_FLAG(flags, NDIS_RECEIVE_FLAGS_RESOURCES as ULONG)
}

/// Whether the receiver may keep the lists and return them later.
#[inline]
#[must_use]
pub const fn NDIS_TEST_RECEIVE_CAN_PEND(flags: ULONG) -> bool {
    flags & NDIS_RECEIVE_FLAGS_RESOURCES as ULONG == 0
}

/// Whether the returning driver says that it runs at DISPATCH_LEVEL.
#[inline]
#[must_use]
pub const fn NDIS_TEST_RETURN_AT_DISPATCH_LEVEL(flags: ULONG) -> bool {
    NDIS_TEST_RETURN_FLAG(flags, NDIS_RETURN_FLAGS_DISPATCH_LEVEL as ULONG)
}

/// Sets flags of a status indication.
#[inline]
pub const fn NDIS_STATUS_INDICATION_SET_FLAG(
    indication: &mut NDIS_STATUS_INDICATION,
    flags: ULONG,
) {
    indication.Flags |= flags;
}

/// Whether any of `flags` is set in a status indication.
#[inline]
#[must_use]
pub const fn NDIS_STATUS_INDICATION_TEST_FLAG(
    indication: &NDIS_STATUS_INDICATION,
    flags: ULONG,
) -> bool {
    indication.Flags & flags != 0
}

/// Clears flags of a status indication.
#[inline]
pub const fn NDIS_STATUS_INDICATION_CLEAR_FLAG(
    indication: &mut NDIS_STATUS_INDICATION,
    flags: ULONG,
) {
    indication.Flags &= !flags;
}

/// The hash function part of a hash information word.
#[inline]
#[must_use]
pub const fn NDIS_RSS_HASH_FUNC_FROM_HASH_INFO(info: ULONG) -> ULONG {
    info & NDIS_HASH_FUNCTION_MASK as ULONG
}

/// The hash type part of a hash information word.
#[inline]
#[must_use]
pub const fn NDIS_RSS_HASH_TYPE_FROM_HASH_INFO(info: ULONG) -> ULONG {
    info & NDIS_HASH_TYPE_MASK as ULONG
}

/// A hash information word of both parts.
#[inline]
#[must_use]
pub const fn NDIS_RSS_HASH_INFO_FROM_TYPE_AND_FUNC(ty: ULONG, function: ULONG) -> ULONG {
    ty | function
}
