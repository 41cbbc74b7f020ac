//! What follows a structure in the same buffer: properties, entries and
//! elements of the extensible switch, of routing domains and of their arrays.

use crate::*;

/// `follows! { /// doc; NAME(Record) -> Target, offset.field; ... }`
macro_rules! follows {
    ($($(#[$doc:meta])* $name:ident($record:ident) -> $target:ty, $($path:ident).+ $(+ $more:expr)?;)*) => {
        $(
            $(#[$doc])*
            ///
            /// # Safety
            /// `of` points to such a structure, and what its length fields
            /// speak of follows in the same memory.
            #[inline]
            pub const unsafe fn $name(of: *mut $record) -> *mut $target {
                // SAFETY: the caller passes a valid structure.
                let offset = unsafe { (*of).$($path).+ } as usize $(+ $more)?;
                // SAFETY: the caller says that the memory goes on that far.
                unsafe { of.byte_add(offset) }.cast()
            }
        )*
    };
}

follows! {
    /// The next isolation entry.
    NDIS_ROUTING_DOMAIN_ISOLATION_ENTRY_GET_NEXT(NDIS_ROUTING_DOMAIN_ISOLATION_ENTRY) -> NDIS_ROUTING_DOMAIN_ISOLATION_ENTRY, Header.Size;
    /// The next routing domain.
    NDIS_ROUTING_DOMAIN_ENTRY_GET_NEXT(NDIS_ROUTING_DOMAIN_ENTRY) -> NDIS_ROUTING_DOMAIN_ENTRY, Header.Size;
    /// The first isolation entry of a routing domain.
    NDIS_ROUTING_DOMAIN_ENTRY_GET_FIRST_ISOLATION_ENTRY(NDIS_ROUTING_DOMAIN_ENTRY) -> NDIS_ROUTING_DOMAIN_ISOLATION_ENTRY, FirstIsolationEntryOffset;
    /// The first routing domain of the isolation parameters.
    NDIS_ISOLATION_PARAMETERS_GET_FIRST_ROUTING_DOMAIN_ENTRY(NDIS_ISOLATION_PARAMETERS) -> NDIS_ROUTING_DOMAIN_ENTRY, FirstRoutingDomainEntryOffset;
    /// The first isolation entry of a port's routing domain.
    NDIS_SWITCH_PORT_PROPERTY_ROUTING_DOMAIN_GET_FIRST_ISOLATION_ENTRY(NDIS_SWITCH_PORT_PROPERTY_ROUTING_DOMAIN) -> NDIS_ROUTING_DOMAIN_ISOLATION_ENTRY, FirstIsolationEntryOffset;
    /// The bytes of a port's custom property.
    NDIS_SWITCH_PORT_PROPERTY_CUSTOM_GET_BUFFER(NDIS_SWITCH_PORT_PROPERTY_CUSTOM) -> c_void, PropertyBufferOffset;
    /// The property of a port.
    NDIS_SWITCH_PORT_PROPERTY_PARAMETERS_GET_PROPERTY(NDIS_SWITCH_PORT_PROPERTY_PARAMETERS) -> c_void, PropertyBufferOffset;
    /// The first of the enumerated port properties.
    NDIS_SWITCH_PORT_PROPERTY_ENUM_PARAMETERS_GET_FIRST_INFO(NDIS_SWITCH_PORT_PROPERTY_ENUM_PARAMETERS) -> NDIS_SWITCH_PORT_PROPERTY_ENUM_INFO, FirstPropertyOffset;
    /// The next of the enumerated port properties.
    NDIS_SWITCH_PORT_PROPERTY_ENUM_INFO_GET_NEXT(NDIS_SWITCH_PORT_PROPERTY_ENUM_INFO) -> NDIS_SWITCH_PORT_PROPERTY_ENUM_INFO, QwordAlignedPropertyBufferLength + size_of::<NDIS_SWITCH_PORT_PROPERTY_ENUM_INFO>();
    /// The property that an enumeration shows.
    NDIS_SWITCH_PORT_PROPERTY_ENUM_INFO_GET_PROPERTY(NDIS_SWITCH_PORT_PROPERTY_ENUM_INFO) -> c_void, PropertyBufferOffset;
    /// The bytes of a switch's custom property.
    NDIS_SWITCH_PROPERTY_CUSTOM_GET_BUFFER(NDIS_SWITCH_PROPERTY_CUSTOM) -> c_void, PropertyBufferOffset;
    /// The property of a switch.
    NDIS_SWITCH_PROPERTY_PARAMETERS_GET_PROPERTY(NDIS_SWITCH_PROPERTY_PARAMETERS) -> c_void, PropertyBufferOffset;
    /// The next of the enumerated switch properties.
    NDIS_SWITCH_PROPERTY_ENUM_INFO_GET_NEXT(NDIS_SWITCH_PROPERTY_ENUM_INFO) -> NDIS_SWITCH_PROPERTY_ENUM_INFO, QwordAlignedPropertyBufferLength + size_of::<NDIS_SWITCH_PROPERTY_ENUM_INFO>();
    /// The property that an enumeration shows.
    NDIS_SWITCH_PROPERTY_ENUM_INFO_GET_PROPERTY(NDIS_SWITCH_PROPERTY_ENUM_INFO) -> c_void, PropertyBufferOffset;
    /// The first of the enumerated switch properties.
    NDIS_SWITCH_PROPERTY_ENUM_PARAMETERS_GET_FIRST_INFO(NDIS_SWITCH_PROPERTY_ENUM_PARAMETERS) -> NDIS_SWITCH_PROPERTY_ENUM_INFO, FirstPropertyOffset;
}

/// Makes an index into an array whose header says where and how large the
/// elements are.
macro_rules! elements {
    ($($(#[$doc:meta])* $name:ident($record:ident) -> $target:ident, $first:ident;)*) => {
        $(
            $(#[$doc])*
            ///
            /// # Safety
            /// `of` points to such an array, which has more than `index` elements.
            #[inline]
            pub const unsafe fn $name(of: *mut $record, index: ULONG) -> *mut $target {
                // SAFETY: the caller passes a valid array.
                let first = unsafe { (*of).$first } as usize;
                // SAFETY: the caller passes a valid array.
                let size = unsafe { (*of).ElementSize } as usize;
                // SAFETY: the caller says that the element is there.
                unsafe { of.byte_add(first + size * index as usize) }.cast()
            }
        )*
    };
}

elements! {
    /// One of the ports.
    NDIS_SWITCH_PORT_AT_ARRAY_INDEX(NDIS_SWITCH_PORT_ARRAY) -> NDIS_SWITCH_PORT_PARAMETERS, FirstElementOffset;
    /// One of the network adapters.
    NDIS_SWITCH_NIC_AT_ARRAY_INDEX(NDIS_SWITCH_NIC_ARRAY) -> NDIS_SWITCH_NIC_PARAMETERS, FirstElementOffset;
}

/// One of the ports that a packet is forwarded to.
///
/// # Safety
/// `of` points to such an array, which has more than `index` elements.
#[inline]
pub const unsafe fn NDIS_SWITCH_PORT_DESTINATION_AT_ARRAY_INDEX(
    of: *const NDIS_SWITCH_FORWARDING_DESTINATION_ARRAY,
    index: ULONG,
) -> PNDIS_SWITCH_PORT_DESTINATION {
    // SAFETY: the caller passes a valid array.
    let first = unsafe { (*of).FirstElement };
    // SAFETY: the caller passes a valid array.
    let size = unsafe { (*of).ElementSize } as usize;
    // SAFETY: the caller says that the element is there.
    unsafe { first.byte_add(size * index as usize) }.cast()
}

/// Clears what the extensible switch knows of the list.
///
/// # Safety
/// As for [`NET_BUFFER_LIST_INFO`]; nobody else uses the word now.
#[cfg(not(target_arch = "x86"))]
#[inline]
pub const unsafe fn NET_BUFFER_LIST_SWITCH_FORWARDING_DETAIL_CLEAR(nbl: *mut NET_BUFFER_LIST) {
    // SAFETY: the caller passes a valid list that has this word.
    let word = unsafe { NET_BUFFER_LIST_INFO(nbl, SwitchForwardingDetail) };
    // SAFETY: the place is inside the list.
    unsafe { word.write(core::ptr::null_mut()) }
}

/// The version of a switch property.
#[inline]
#[must_use]
pub const fn NDIS_SWITCH_CREATE_PROPERTY_VERSION(major: ULONG, minor: ULONG) -> ULONG {
    (major << 8) + minor
}

/// The version of a switch feature's status.
#[inline]
#[must_use]
pub const fn NDIS_SWITCH_CREATE_FEATURE_STATUS_VERSION(major: ULONG, minor: ULONG) -> ULONG {
    (major << 8) + minor
}
