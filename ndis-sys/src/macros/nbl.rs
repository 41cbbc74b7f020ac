//! `NET_BUFFER_LIST_*`: the parts of a list of network buffers, its flags, and
//! its out-of-band words.
//!
//! An NBL grows with each NDIS version, and NDIS' own are larger than the
//! structure declared here: reach into one, never copy or size it.

use crate::*;

place! {
    /// The next list of the chain.
    NET_BUFFER_LIST_NEXT_NBL(NET_BUFFER_LIST) -> *mut NET_BUFFER_LIST, u.s.Next;
    /// The first buffer of the list.
    NET_BUFFER_LIST_FIRST_NB(NET_BUFFER_LIST) -> *mut NET_BUFFER, u.s.FirstNetBuffer;
    /// The flags that drivers may use and test.
    NET_BUFFER_LIST_FLAGS(NET_BUFFER_LIST) -> ULONG, Flags;
    /// The flags that say what the list carries.
    NET_BUFFER_LIST_NBL_FLAGS(NET_BUFFER_LIST) -> ULONG, NblFlags;
    /// The first of the four words that are a protocol driver's.
    NET_BUFFER_LIST_PROTOCOL_RESERVED(NET_BUFFER_LIST) -> PVOID, ProtocolReserved;
    /// The first of the two words that are a miniport driver's.
    NET_BUFFER_LIST_MINIPORT_RESERVED(NET_BUFFER_LIST) -> PVOID, MiniportReserved;
    /// How the send or the indication of the list ended.
    NET_BUFFER_LIST_STATUS(NET_BUFFER_LIST) -> NDIS_STATUS, u2.Status;
}

/// The place of an out-of-band word, by its `NDIS_NET_BUFFER_LIST_INFO` index.
///
/// # Safety
/// `nbl` points to a NET_BUFFER_LIST that outlives the result, and `id` is less
/// than `MaxNetBufferListInfo` of the NDIS version that made it.
#[inline]
pub const unsafe fn NET_BUFFER_LIST_INFO(
    nbl: *mut NET_BUFFER_LIST,
    id: NDIS_NET_BUFFER_LIST_INFO,
) -> *mut PVOID {
    // SAFETY: the caller passes a valid list; only the place is computed.
    let words = unsafe { &raw mut (*nbl).NetBufferListInfo }.cast::<PVOID>();
    // SAFETY: the caller's index is within the list's words.
    unsafe { words.add(id as usize) }
}

/// Makes a getter of an out-of-band word that is seen as another type.
macro_rules! info_place {
    ($($(#[$doc:meta])* $name:ident -> $place:ty, $id:ident;)*) => {
        $(
            $(#[$doc])*
            ///
            /// # Safety
            /// As for [`NET_BUFFER_LIST_INFO`].
            #[inline]
            pub const unsafe fn $name(nbl: *mut NET_BUFFER_LIST) -> *mut $place {
                // SAFETY: the caller passes a valid list that has this word.
                unsafe { NET_BUFFER_LIST_INFO(nbl, $id) }.cast()
            }
        )*
    };
}

info_place! {
    /// The word that identifies lists to be cancelled together.
    NDIS_GET_NET_BUFFER_LIST_CANCEL_ID -> PVOID, NetBufferListCancelId;
    /// The word that is an intermediate driver's.
    NDIS_GET_NET_BUFFER_LIST_IM_RESERVED -> PVOID, IMReserved;
}

#[cfg(not(target_arch = "x86"))]
info_place! {
    /// What the extensible switch does with the list.
    NET_BUFFER_LIST_SWITCH_FORWARDING_DETAIL -> NDIS_SWITCH_FORWARDING_DETAIL_NET_BUFFER_LIST_INFO, SwitchForwardingDetail;
    /// The generic flow table's word about the list.
    NET_BUFFER_LIST_GFT_OFFLOAD_INFO -> NDIS_NET_BUFFER_LIST_GFT_OFFLOAD_INFO, GftOffloadInformation;
    /// The generic flow table's entry for the list.
    NET_BUFFER_LIST_GFT_OFFLOAD_FLOW_ENTRY_ID -> NDIS_GFT_FLOW_ENTRY_ID, GftFlowEntryId;
}

/// Sets what [`NDIS_GET_NET_BUFFER_LIST_CANCEL_ID`] reaches.
///
/// # Safety
/// As for [`NET_BUFFER_LIST_INFO`]; nobody else uses the word now.
#[inline]
pub const unsafe fn NDIS_SET_NET_BUFFER_LIST_CANCEL_ID(nbl: *mut NET_BUFFER_LIST, id: PVOID) {
    // SAFETY: the caller passes a valid list.
    let place = unsafe { NET_BUFFER_LIST_INFO(nbl, NetBufferListCancelId) };
    // SAFETY: the place is inside the list, and the caller may write it.
    unsafe { place.write(id) }
}

/// Sets what [`NDIS_GET_NET_BUFFER_LIST_IM_RESERVED`] reaches.
///
/// # Safety
/// As for [`NET_BUFFER_LIST_INFO`]; nobody else uses the word now.
#[inline]
pub const unsafe fn NDIS_SET_NET_BUFFER_LIST_IM_RESERVED(nbl: *mut NET_BUFFER_LIST, value: PVOID) {
    // SAFETY: the caller passes a valid list.
    let place = unsafe { NET_BUFFER_LIST_INFO(nbl, IMReserved) };
    // SAFETY: the place is inside the list, and the caller may write it.
    unsafe { place.write(value) }
}

/// Makes a test, a setter and a clearer of one of a list's flag words.
macro_rules! nbl_flags {
    ($($(#[$doc:meta])* $kind:ident $name:ident($word:ident) & $mask:expr;)*) => {
        $( nbl_flags! { @ $kind $(#[$doc])* $name $word $mask } )*
    };
    (@ any $(#[$doc:meta])* $name:ident $word:ident $mask:expr) => {
        $(#[$doc])*
        ///
        /// # Safety
        /// `nbl` points to a NET_BUFFER_LIST.
        #[inline]
        #[must_use]
        pub const unsafe fn $name(nbl: *const NET_BUFFER_LIST, flags: ULONG) -> bool {
            // SAFETY: the caller passes a valid list.
            unsafe { (*nbl).$word & (flags & $mask) != 0 }
        }
    };
    (@ all $(#[$doc:meta])* $name:ident $word:ident $mask:expr) => {
        $(#[$doc])*
        ///
        /// # Safety
        /// `nbl` points to a NET_BUFFER_LIST.
        #[inline]
        #[must_use]
        pub const unsafe fn $name(nbl: *const NET_BUFFER_LIST, flags: ULONG) -> bool {
            // SAFETY: the caller passes a valid list.
            unsafe { (*nbl).$word & (flags & $mask) == flags }
        }
    };
    (@ set $(#[$doc:meta])* $name:ident $word:ident $mask:expr) => {
        $(#[$doc])*
        ///
        /// # Safety
        /// `nbl` points to a NET_BUFFER_LIST whose flags nobody else uses now.
        #[inline]
        pub const unsafe fn $name(nbl: *mut NET_BUFFER_LIST, flags: ULONG) {
            // SAFETY: the caller passes a valid list and may change its flags.
            unsafe { (*nbl).$word |= flags & $mask }
        }
    };
    (@ clear $(#[$doc:meta])* $name:ident $word:ident $mask:expr) => {
        $(#[$doc])*
        ///
        /// # Safety
        /// `nbl` points to a NET_BUFFER_LIST whose flags nobody else uses now.
        #[inline]
        pub const unsafe fn $name(nbl: *mut NET_BUFFER_LIST, flags: ULONG) {
            // SAFETY: the caller passes a valid list and may change its flags.
            unsafe { (*nbl).$word &= !(flags & $mask) }
        }
    };
}

nbl_flags! {
    /// Whether any of `flags` is set in `Flags`.
    any NBL_TEST_FLAG(Flags) & !0;
    /// Sets bits of `Flags`.
    set NBL_SET_FLAG(Flags) & !0;
    /// Clears bits of `Flags`.
    clear NBL_CLEAR_FLAG(Flags) & !0;
    /// Whether any of `flags` is set among the bits that are a protocol's.
    any NBL_TEST_PROTOCOL_RSVD_FLAG(Flags) & NBL_FLAGS_PROTOCOL_RESERVED as ULONG;
    /// Sets bits among those that are a protocol's.
    set NBL_SET_PROTOCOL_RSVD_FLAG(Flags) & NBL_FLAGS_PROTOCOL_RESERVED as ULONG;
    /// Clears bits among those that are a protocol's.
    clear NBL_CLEAR_PROTOCOL_RSVD_FLAG(Flags) & NBL_FLAGS_PROTOCOL_RESERVED as ULONG;
    /// Another name of [`NBL_TEST_PROTOCOL_RSVD_FLAG`].
    any NBL_TEST_PROT_RSVD_FLAG(Flags) & NBL_FLAGS_PROTOCOL_RESERVED as ULONG;
    /// Another name of [`NBL_SET_PROTOCOL_RSVD_FLAG`].
    set NBL_SET_PROT_RSVD_FLAG(Flags) & NBL_FLAGS_PROTOCOL_RESERVED as ULONG;
    /// Another name of [`NBL_CLEAR_PROTOCOL_RSVD_FLAG`].
    clear NBL_CLEAR_PROT_RSVD_FLAG(Flags) & NBL_FLAGS_PROTOCOL_RESERVED as ULONG;
    /// Whether any of `flags` is set in `NblFlags`.
    any NdisTestNblFlag(NblFlags) & !0;
    /// Whether all of `flags` are set in `NblFlags`.
    all NdisTestNblFlags(NblFlags) & !0;
    /// Sets bits of `NblFlags`.
    set NdisSetNblFlag(NblFlags) & !0;
    /// Clears bits of `NblFlags`.
    clear NdisClearNblFlag(NblFlags) & !0;
}

/// Records the protocol that the list belongs to; the rest of the word stays.
///
/// # Safety
/// As for [`NET_BUFFER_LIST_INFO`]; nobody else uses the word now.
#[inline]
pub const unsafe fn NdisSetNetBufferListProtocolId(nbl: *mut NET_BUFFER_LIST, protocol: UCHAR) {
    // SAFETY: the caller passes a valid list.
    let place = unsafe { NET_BUFFER_LIST_INFO(nbl, NetBufferListProtocolId) };
    // SAFETY: the first byte of the word is inside the list.
    unsafe { place.cast::<UCHAR>().write(protocol) }
}

/// The first byte of data of the list's first context.
///
/// # Safety
/// `nbl` points to a NET_BUFFER_LIST that has a context.
#[inline]
pub const unsafe fn NET_BUFFER_LIST_CONTEXT_DATA_START(nbl: *mut NET_BUFFER_LIST) -> PUCHAR {
    // SAFETY: the caller passes a valid list.
    let context = unsafe { (*nbl).Context };
    // SAFETY: the caller says that there is a context.
    let offset = unsafe { (*context).Offset } as usize;
    // SAFETY: the data follow the context's own header.
    let data = unsafe { context.add(1) }.cast::<UCHAR>();
    // SAFETY: the offset is that of the data in use.
    unsafe { data.add(offset) }
}

/// The place of the size of the list's first context.
///
/// # Safety
/// `nbl` points to a NET_BUFFER_LIST that has a context.
#[inline]
pub const unsafe fn NET_BUFFER_LIST_CONTEXT_DATA_SIZE(nbl: *mut NET_BUFFER_LIST) -> *mut USHORT {
    // SAFETY: the caller passes a valid list.
    let context = unsafe { (*nbl).Context };
    // SAFETY: the caller says that there is a context.
    unsafe { &raw mut (*context).Size }
}

/// Reads an out-of-band word as a number.
///
/// # Safety
/// As for [`NET_BUFFER_LIST_INFO`].
#[inline]
unsafe fn info_number(nbl: *const NET_BUFFER_LIST, id: NDIS_NET_BUFFER_LIST_INFO) -> ULONG {
    // SAFETY: the caller passes a valid list; only the place is computed.
    let place = unsafe { NET_BUFFER_LIST_INFO(nbl.cast_mut(), id) };
    // SAFETY: the place is inside the list.
    let word = unsafe { place.read() };
    word.addr() as ULONG
}

/// Writes an out-of-band word as a number.
///
/// # Safety
/// As for [`NET_BUFFER_LIST_INFO`]; nobody else uses the word now.
#[inline]
unsafe fn set_info_number(nbl: *mut NET_BUFFER_LIST, id: NDIS_NET_BUFFER_LIST_INFO, value: ULONG) {
    // SAFETY: the caller passes a valid list.
    let place = unsafe { NET_BUFFER_LIST_INFO(nbl, id) };
    // SAFETY: the place is inside the list, and the caller may write it.
    unsafe { place.write(core::ptr::without_provenance_mut(value as usize)) }
}

/// Sets the hash value of the list.
///
/// # Safety
/// As for [`NET_BUFFER_LIST_INFO`]; nobody else uses the word now.
#[inline]
pub unsafe fn NET_BUFFER_LIST_SET_HASH_VALUE(nbl: *mut NET_BUFFER_LIST, value: ULONG) {
    // SAFETY: the caller's promise.
    unsafe { set_info_number(nbl, NetBufferListHashValue, value) }
}

/// The hash value of the list.
///
/// # Safety
/// As for [`NET_BUFFER_LIST_INFO`].
#[inline]
pub unsafe fn NET_BUFFER_LIST_GET_HASH_VALUE(nbl: *const NET_BUFFER_LIST) -> ULONG {
    // SAFETY: the caller's promise.
    unsafe { info_number(nbl, NetBufferListHashValue) }
}

/// Over which fields the hash was computed.
///
/// # Safety
/// As for [`NET_BUFFER_LIST_INFO`].
#[inline]
pub unsafe fn NET_BUFFER_LIST_GET_HASH_TYPE(nbl: *const NET_BUFFER_LIST) -> ULONG {
    // SAFETY: the caller's promise.
    NDIS_RSS_HASH_TYPE_FROM_HASH_INFO(unsafe { info_number(nbl, NetBufferListHashInfo) })
}

/// With which function the hash was computed.
///
/// # Safety
/// As for [`NET_BUFFER_LIST_INFO`].
#[inline]
pub unsafe fn NET_BUFFER_LIST_GET_HASH_FUNCTION(nbl: *const NET_BUFFER_LIST) -> ULONG {
    // SAFETY: the caller's promise.
    NDIS_RSS_HASH_FUNC_FROM_HASH_INFO(unsafe { info_number(nbl, NetBufferListHashInfo) })
}

/// Sets over which fields the hash was computed.
///
/// # Safety
/// As for [`NET_BUFFER_LIST_INFO`]; nobody else uses the word now.
#[inline]
pub unsafe fn NET_BUFFER_LIST_SET_HASH_TYPE(nbl: *mut NET_BUFFER_LIST, ty: ULONG) {
    let mask = NDIS_HASH_TYPE_MASK as ULONG;
    // SAFETY: the caller's promise.
    let old = unsafe { info_number(nbl, NetBufferListHashInfo) };
    // SAFETY: the caller's promise.
    unsafe { set_info_number(nbl, NetBufferListHashInfo, (old & !mask) | (ty & mask)) }
}

/// Sets with which function the hash was computed.
///
/// # Safety
/// As for [`NET_BUFFER_LIST_INFO`]; nobody else uses the word now.
#[inline]
pub unsafe fn NET_BUFFER_LIST_SET_HASH_FUNCTION(nbl: *mut NET_BUFFER_LIST, function: ULONG) {
    let mask = NDIS_HASH_FUNCTION_MASK as ULONG;
    // SAFETY: the caller's promise.
    let old = unsafe { info_number(nbl, NetBufferListHashInfo) };
    // SAFETY: the caller's promise.
    unsafe {
        set_info_number(
            nbl,
            NetBufferListHashInfo,
            (old & !mask) | (function & mask),
        )
    }
}
