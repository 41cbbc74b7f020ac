//! The media-specific information that hangs on a list of network buffers, and
//! the out-of-band words that have a type of their own.

use crate::*;

/// Makes the three operations on one of the two kinds of list.
macro_rules! media {
    ($entry:ident, $id:ident, $add:ident, $remove:ident, $get:ident) => {
        /// Puts an entry in front of the list's others.
        ///
        /// # Safety
        /// `nbl` points to a NET_BUFFER_LIST that is the caller's now; the
        /// entry is valid as long as it is linked.
        #[inline]
        pub unsafe fn $add(nbl: *mut NET_BUFFER_LIST, entry: *mut $entry) {
            // SAFETY: the caller passes a valid list.
            let head = unsafe { NET_BUFFER_LIST_INFO(nbl, $id) }.cast::<*mut $entry>();
            // SAFETY: the place is inside the list.
            let old = unsafe { head.read() };
            // SAFETY: the caller passes a valid entry.
            unsafe { (*entry).NextEntry = old }
            // SAFETY: the place is inside the list.
            unsafe { head.write(entry) }
        }

        /// Takes out the first entry that has the tag of `entry`.
        ///
        /// # Safety
        /// As for adding; every linked entry is valid.
        #[inline]
        pub unsafe fn $remove(nbl: *mut NET_BUFFER_LIST, entry: *const $entry) {
            // SAFETY: the caller passes a valid entry.
            let tag = unsafe { (*entry).Tag };
            // SAFETY: the caller passes a valid list.
            let mut link = unsafe { NET_BUFFER_LIST_INFO(nbl, $id) }.cast::<*mut $entry>();
            loop {
                // SAFETY: the place is inside the list, or inside an entry.
                let at = unsafe { link.read() };
                if at.is_null() {
                    return;
                }
                // SAFETY: a linked entry is valid.
                if unsafe { (*at).Tag } == tag {
                    // SAFETY: a linked entry is valid.
                    let next = unsafe { (*at).NextEntry };
                    // SAFETY: the place is where the entry was linked.
                    unsafe { link.write(next) }
                    return;
                }
                // SAFETY: a linked entry is valid; only a place is computed.
                link = unsafe { &raw mut (*at).NextEntry };
            }
        }

        /// The first entry that has the tag, or null.
        ///
        /// # Safety
        /// `nbl` points to a NET_BUFFER_LIST; every linked entry is valid.
        #[inline]
        pub unsafe fn $get(nbl: *mut NET_BUFFER_LIST, tag: ULONG) -> *mut $entry {
            // SAFETY: the caller passes a valid list.
            let head = unsafe { NET_BUFFER_LIST_INFO(nbl, $id) }.cast::<*mut $entry>();
            // SAFETY: the place is inside the list.
            let mut at = unsafe { head.read() };
            while !at.is_null() {
                // SAFETY: a linked entry is valid.
                if unsafe { (*at).Tag } == tag {
                    break;
                }
                // SAFETY: a linked entry is valid.
                at = unsafe { (*at).NextEntry };
            }
            at
        }
    };
}

media!(
    NDIS_NBL_MEDIA_SPECIFIC_INFORMATION,
    MediaSpecificInformation,
    NDIS_NBL_ADD_MEDIA_SPECIFIC_INFO,
    NDIS_NBL_REMOVE_MEDIA_SPECIFIC_INFO,
    NDIS_NBL_GET_MEDIA_SPECIFIC_INFO
);
media!(
    NDIS_NBL_MEDIA_SPECIFIC_INFORMATION_EX,
    MediaSpecificInformationEx,
    NDIS_NBL_ADD_MEDIA_SPECIFIC_INFO_EX,
    NDIS_NBL_REMOVE_MEDIA_SPECIFIC_INFO_EX,
    NDIS_NBL_GET_MEDIA_SPECIFIC_INFO_EX
);

/// Makes an accessor of a member of an out-of-band word.
macro_rules! word_place {
    ($($(#[$doc:meta])* $name:ident -> $place:ty, $id:ident as $word:ident, $($path:ident).+;)*) => {
        $(
            $(#[$doc])*
            ///
            /// # Safety
            /// As for [`NET_BUFFER_LIST_INFO`].
            #[inline]
            pub const unsafe fn $name(nbl: *mut NET_BUFFER_LIST) -> *mut $place {
                // SAFETY: the caller passes a valid list that has this word.
                let word = unsafe { NET_BUFFER_LIST_INFO(nbl, $id) }.cast::<$word>();
                // SAFETY: the word is as large as its typed view.
                unsafe { &raw mut (*word).$($path).+ }
            }
        )*
    };
}

word_place! {
    /// How many segments were coalesced into the list.
    NET_BUFFER_LIST_COALESCED_SEG_COUNT -> USHORT, TcpRecvSegCoalesceInfo as NDIS_RSC_NBL_INFO, Info.CoalescedSegCount;
    /// How many duplicate acknowledgements were coalesced into the list.
    NET_BUFFER_LIST_DUP_ACK_COUNT -> USHORT, TcpRecvSegCoalesceInfo as NDIS_RSC_NBL_INFO, Info.DupAckCount;
    /// The receive filter that the list passed.
    NET_BUFFER_LIST_RECEIVE_FILTER_ID -> USHORT, NetBufferListFilteringInfo as NDIS_NET_BUFFER_LIST_FILTERING_INFO, u.FilteringInfo.FilterId;
    /// The receive queue of the list.
    NET_BUFFER_LIST_RECEIVE_QUEUE_ID -> USHORT, NetBufferListFilteringInfo as NDIS_NET_BUFFER_LIST_FILTERING_INFO, u.FilteringInfo.QueueVPortInfo.QueueId;
    /// The virtual port of the list.
    NET_BUFFER_LIST_RECEIVE_FILTER_VPORT_ID -> USHORT, NetBufferListFilteringInfo as NDIS_NET_BUFFER_LIST_FILTERING_INFO, u.FilteringInfo.QueueVPortInfo.VPortId;
    /// How many datagrams were coalesced into the list.
    NET_BUFFER_LIST_UDP_COALESCED_SEG_COUNT -> USHORT, UdpRecvSegCoalesceOffloadInfo as NDIS_UDP_RSC_OFFLOAD_NET_BUFFER_LIST_INFO, u.Receive.SegCount;
    /// How large the coalesced datagrams were.
    NET_BUFFER_LIST_UDP_COALESCED_SEG_SIZE -> USHORT, UdpRecvSegCoalesceOffloadInfo as NDIS_UDP_RSC_OFFLOAD_NET_BUFFER_LIST_INFO, u.Receive.SegSize;
}

/// Makes a getter and a setter of a member of an out-of-band word.
macro_rules! word_value {
    ($($(#[$cfg:meta])* $get:ident $set:ident, $id:ident as $word:ident, $ty:ty,
        |$view:ident| $read:expr, |$value:ident| $write:expr;)*) => {
        $(
            /// Reads that member of the out-of-band word.
            ///
            /// # Safety
            /// As for [`NET_BUFFER_LIST_INFO`].
            $(#[$cfg])*
            #[inline]
            pub unsafe fn $get(nbl: *mut NET_BUFFER_LIST) -> $ty {
                // SAFETY: the caller passes a valid list that has this word.
                let word = unsafe { NET_BUFFER_LIST_INFO(nbl, $id) }.cast::<$word>();
                // SAFETY: the word is as large as its typed view, of integers.
                let $view = unsafe { word.read() };
                // SAFETY: every bit pattern is a value of each member.
                #[allow(unused_unsafe)]
                unsafe { $read }
            }

            /// Writes that member of the out-of-band word.
            ///
            /// # Safety
            /// As for [`NET_BUFFER_LIST_INFO`]; nobody else uses the word now.
            $(#[$cfg])*
            #[inline]
            pub unsafe fn $set(nbl: *mut NET_BUFFER_LIST, $value: $ty) {
                // SAFETY: the caller passes a valid list that has this word.
                let word = unsafe { NET_BUFFER_LIST_INFO(nbl, $id) }.cast::<$word>();
                // SAFETY: the word is as large as its typed view, of integers.
                let mut $view = unsafe { word.read() };
                // SAFETY: every bit pattern is a value of each member.
                #[allow(unused_unsafe)]
                unsafe { $write }
                // SAFETY: the place is inside the list.
                unsafe { word.write($view) }
            }
        )*
    };
}

word_value! {
    NDIS_GET_NET_BUFFER_LIST_VLAN_ID NDIS_SET_NET_BUFFER_LIST_VLAN_ID,
        Ieee8021QNetBufferListInfo as NDIS_NET_BUFFER_LIST_8021Q_INFO, UINT32,
        |info| info.u.TagHeader.VlanId(), |value| info.u.TagHeader.set_VlanId(value);
    NDIS_GET_NET_BUFFER_LIST_VIRTUAL_SUBNET_ID NDIS_SET_NET_BUFFER_LIST_VIRTUAL_SUBNET_ID,
        VirtualSubnetInfo as NDIS_NET_BUFFER_LIST_VIRTUAL_SUBNET_INFO, UINT32,
        |info| info.u.s.VirtualSubnetId(), |value| info.u.s.set_VirtualSubnetId(value);
    #[cfg(not(target_arch = "x86"))]
    NDIS_GET_NET_BUFFER_LIST_GFT_OFFLOAD_FLAGS NDIS_SET_NET_BUFFER_LIST_GFT_OFFLOAD_FLAGS,
        GftOffloadInformation as NDIS_NET_BUFFER_LIST_GFT_OFFLOAD_INFO, ULONG,
        |info| info.Flags, |value| info.Flags = value;
    #[cfg(not(target_arch = "x86"))]
    NDIS_GET_NET_BUFFER_LIST_GFT_OFFLOAD_VPORT_ID NDIS_SET_NET_BUFFER_LIST_GFT_OFFLOAD_VPORT_ID,
        GftOffloadInformation as NDIS_NET_BUFFER_LIST_GFT_OFFLOAD_INFO, USHORT,
        |info| info.VPortId, |value| info.VPortId = value;
}
