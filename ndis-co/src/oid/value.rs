//! [`Value`]: what an OID request moves, as a Rust type.
//!
//! A value goes into another driver's buffer byte by byte, so it may not have bytes that are
//! nothing, and comes out of one, so each pattern must be one of its values. The buffer may
//! begin anywhere: no page promises an alignment.
//!
//! # Invariants
//!
//! VALUE: as [`Value`] demands. Implementations are the integers here, arrays of values, and
//! what [`oid_values!`](crate::oid_values) makes of structures, which counts their fields.

use core::mem::MaybeUninit;
use ndis_sys::{
    CO_TAPI_CM_CAPS, GEN_GET_NETCARD_TIME, GEN_GET_TIME_CAPS, NDIS_CO_LINK_SPEED,
    NDIS_INTERRUPT_MODERATION_PARAMETERS, NDIS_LINK_PARAMETERS, NDIS_LINK_SPEED,
    NDIS_OBJECT_HEADER, NDIS_OFFLOAD_ENCAPSULATION, NDIS_OFFLOAD_ENCAPSULATION_IPv4,
    NDIS_OFFLOAD_ENCAPSULATION_IPv6, NDIS_PM_CAPABILITIES, NDIS_PM_PARAMETERS,
    NDIS_PM_WAKE_UP_CAPABILITIES, NDIS_PNP_CAPABILITIES, NDIS_PORT_AUTHENTICATION_PARAMETERS,
    NDIS_SIZEOF_NDIS_PM_CAPABILITIES_REVISION_1, NDIS_SIZEOF_NDIS_PM_PARAMETERS_REVISION_1,
    NDIS_STATISTICS_INFO, NDIS_WAN_CO_GET_LINK_INFO, NDIS_WAN_CO_GET_STATS_INFO, NDIS_WAN_CO_INFO,
    NDIS_WAN_CO_SET_LINK_INFO, TRANSPORT_HEADER_OFFSET,
};

/// A type whose values are moved by OID requests.
///
/// Structures of your own become values with [`oid_values!`](crate::oid_values).
///
/// ```
/// #![forbid(unsafe_code)]
/// # use ndis_host as _;
/// use ndis_co::{oid::{Oid, QuerySet, ToAdapter}, oid_values};
///
/// #[derive(Clone, Copy)]
/// #[repr(C)]
/// struct Lamp {
///     colour: u32,
///     brightness: u32,
/// }
///
/// oid_values! { Lamp { colour brightness } }
///
/// const LAMP: Oid<Lamp, QuerySet, ToAdapter> = Oid::new(0xFF01_0005);
/// const ALL_LAMPS: Oid<[Lamp; 4], QuerySet, ToAdapter> = Oid::new(0xFF01_0006);
/// ```
///
/// # Safety
///
/// No byte of a value is padding, and each pattern of bytes is a value.
pub unsafe trait Value: Copy + 'static {
    /// How many bytes of it there must be at least. Less than the whole for a structure that
    /// grew by revisions: what an older one lacks is zero here, and its header says which
    /// revision it is of.
    const LEAST: usize = size_of::<Self>();
}

macro_rules! integers {
    ($($integer:ty)*) => { $(
        // SAFETY: an integer has no padding, and each pattern is one.
        unsafe impl Value for $integer {}
    )* };
}
integers!(u8 u16 u32 u64 i8 i16 i32 i64);

// SAFETY: it has no bytes, of which the one pattern is its value.
unsafe impl Value for () {}

// SAFETY: there is nothing between the elements, each of which is a value.
unsafe impl<T: Value, const N: usize> Value for [T; N] {}

/// Makes structures [values](crate::oid::Value) of OID requests: for the OIDs of your own.
///
/// A line names a structure, all of its fields, and, where older revisions are shorter, how
/// many bytes there must be at least, as `[from 16]`. It does not compile when a field is missing or is no
/// value, nor when there is padding between the fields.
///
/// ```
/// #![forbid(unsafe_code)]
/// # use ndis_host as _;
/// use ndis_co::oid_values;
///
/// #[derive(Clone, Copy)]
/// #[repr(C)]
/// struct Lamp {
///     colour: u32,
///     brightness: u16,
///     blinks: u16,
/// }
///
/// oid_values! { Lamp { colour brightness blinks } }
/// ```
///
/// ```compile_fail
/// # use ndis_host as _;
/// # use ndis_co::oid_values;
/// #[derive(Clone, Copy)]
/// #[repr(C)]
/// struct Padded {
///     small: u8,
///     large: u32,
/// }
///
/// // Three bytes between the two are nothing.
/// oid_values! { Padded { small large } }
/// ```
#[macro_export]
macro_rules! oid_values {
    ($($name:ident { $($field:ident)* } $([from $least:expr])?)*) => { $(
        const _: () = {
            #[allow(non_snake_case)]
            fn _all(whole: $name) {
                // Each field is named, once.
                let $name { $($field: _),* } = whole;
            }
            const fn size<S, F: $crate::oid::Value>(_: fn(&S) -> &F) -> usize {
                $crate::__core::mem::size_of::<F>()
            }
            let fields = 0 $(+ size::<$name, _>(|whole| &whole.$field))*;
            $crate::__core::assert!(
                fields == $crate::__core::mem::size_of::<$name>(),
                "there is padding between the fields"
            );
        };
        // SAFETY: as was just asserted its fields fill it, and each of them is a value.
        unsafe impl $crate::oid::Value for $name {
            $(const LEAST: usize = $least;)?
        }
        // What was made of it: within the block above the same words may mean something else.
        const _: () = $crate::__core::assert!(
            <$name as $crate::oid::Value>::LEAST <= $crate::__core::mem::size_of::<$name>(),
            "more bytes than there are"
        );
    )* };
}

oid_values! {
    NDIS_OBJECT_HEADER { Type Revision Size }
    NDIS_STATISTICS_INFO {
        Header SupportedStatistics ifInDiscards ifInErrors ifHCInOctets ifHCInUcastPkts
        ifHCInMulticastPkts ifHCInBroadcastPkts ifHCOutOctets ifHCOutUcastPkts
        ifHCOutMulticastPkts ifHCOutBroadcastPkts ifOutErrors ifOutDiscards ifHCInUcastOctets
        ifHCInMulticastOctets ifHCInBroadcastOctets ifHCOutUcastOctets ifHCOutMulticastOctets
        ifHCOutBroadcastOctets
    }
    NDIS_LINK_SPEED { XmitLinkSpeed RcvLinkSpeed }
    NDIS_LINK_PARAMETERS {
        Header MediaDuplexState XmitLinkSpeed RcvLinkSpeed PauseFunctions AutoNegotiationFlags
    }
    NDIS_INTERRUPT_MODERATION_PARAMETERS { Header Flags InterruptModeration }
    NDIS_PORT_AUTHENTICATION_PARAMETERS {
        Header SendControlState RcvControlState SendAuthorizationState RcvAuthorizationState
    }
    TRANSPORT_HEADER_OFFSET { ProtocolType HeaderOffset }
    NDIS_OFFLOAD_ENCAPSULATION_IPv4 { Enabled EncapsulationType HeaderSize }
    NDIS_OFFLOAD_ENCAPSULATION_IPv6 { Enabled EncapsulationType HeaderSize }
    NDIS_OFFLOAD_ENCAPSULATION { Header IPv4 IPv6 }
    NDIS_CO_LINK_SPEED { Outbound Inbound }
    GEN_GET_TIME_CAPS { Flags ClockPrecision }
    GEN_GET_NETCARD_TIME { ReadTime }
    NDIS_WAN_CO_INFO { MaxFrameSize MaxSendWindow FramingBits DesiredACCM }
    NDIS_WAN_CO_SET_LINK_INFO {
        MaxSendFrameSize MaxRecvFrameSize SendFramingBits RecvFramingBits SendCompressionBits
        RecvCompressionBits SendACCM RecvACCM
    }
    NDIS_WAN_CO_GET_LINK_INFO {
        MaxSendFrameSize MaxRecvFrameSize SendFramingBits RecvFramingBits SendCompressionBits
        RecvCompressionBits SendACCM RecvACCM
    }
    NDIS_WAN_CO_GET_STATS_INFO {
        BytesSent BytesRcvd FramesSent FramesRcvd CRCErrors TimeoutErrors AlignmentErrors
        SerialOverrunErrors FramingErrors BufferOverrunErrors BytesTransmittedUncompressed
        BytesReceivedUncompressed BytesTransmittedCompressed BytesReceivedCompressed
        TunnelPacketsRecieved TunnelRecievePacketsPending TunnelPacketsIndicatedUp
        TunnelRecievePacketsRejected TunnelPacketsSent TunnelPacketsSentComplete
        TunnelTransmitPacketsPending TunnelPacketsTransmitError TunnelPacketsSentError
        TunnelTransmitPacketsRejected TunnelAcksSent TunnelAcksSentComplete TunnelGeneric1
        TunnelGeneric2 TunnelGeneric3
    }
    CO_TAPI_CM_CAPS { ulCoTapiVersion ulNumLines ulFlags }
    NDIS_PM_WAKE_UP_CAPABILITIES { MinMagicPacketWakeUp MinPatternWakeUp MinLinkChangeWakeUp }
    NDIS_PNP_CAPABILITIES { Flags WakeUpCapabilities }
    NDIS_PM_CAPABILITIES {
        Header Flags SupportedWoLPacketPatterns NumTotalWoLPatterns MaxWoLPatternSize
        MaxWoLPatternOffset MaxWoLPacketSaveBuffer SupportedProtocolOffloads
        NumArpOffloadIPv4Addresses NumNSOffloadIPv6Addresses MinMagicPacketWakeUp
        MinPatternWakeUp MinLinkChangeWakeUp SupportedWakeUpEvents MediaSpecificWakeUpEvents
    } [from NDIS_SIZEOF_NDIS_PM_CAPABILITIES_REVISION_1]
    NDIS_PM_PARAMETERS {
        Header EnabledWoLPacketPatterns EnabledProtocolOffloads WakeUpFlags
        MediaSpecificWakeUpEvents
    } [from NDIS_SIZEOF_NDIS_PM_PARAMETERS_REVISION_1]
}

/// The bytes of values, one behind the other.
pub(super) fn bytes<V: Value>(values: &[V]) -> &[u8] {
    // SAFETY: by VALUE each of their bytes is one, and they are borrowed for as long.
    unsafe { core::slice::from_raw_parts(values.as_ptr().cast(), size_of_val(values)) }
}

/// The value that these bytes begin with, wherever they are; `None` when there are too few.
pub(crate) fn read<V: Value>(bytes: &[u8]) -> Option<V> {
    let len = bytes.len().min(size_of::<V>());
    if len < V::LEAST {
        return None;
    }
    let mut value = MaybeUninit::<V>::zeroed();
    // SAFETY: both have so many bytes, and the value is no part of the others.
    unsafe { core::ptr::copy_nonoverlapping(bytes.as_ptr(), value.as_mut_ptr().cast(), len) };
    // SAFETY: each of its bytes was written, and by VALUE any will do.
    Some(unsafe { value.assume_init() })
}

#[cfg(test)]
mod tests {
    use super::*;
    // Defines what the crates import.
    use ndis_host as _;

    #[test]
    fn a_value_is_its_bytes_wherever_they_are() {
        let speed = NDIS_CO_LINK_SPEED {
            Outbound: 0x0403_0201,
            Inbound: 0x0807_0605,
        };
        assert_eq!(bytes(&[speed]), [1, 2, 3, 4, 5, 6, 7, 8]);
        // At an odd address, with more behind it.
        let memory = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
        let read: NDIS_CO_LINK_SPEED = read(&memory[1..]).unwrap();
        assert_eq!(
            (read.Outbound, read.Inbound),
            (speed.Outbound, speed.Inbound)
        );
    }

    #[test]
    fn too_few_bytes_are_no_value() {
        assert_eq!(read::<u32>(&[1, 2, 3]), None);
        assert_eq!(read::<[u8; 6]>(&[1; 5]), None);
        assert_eq!(read::<()>(&[]), Some(()));
        assert!(bytes(&[(), ()]).is_empty());
    }

    #[test]
    fn what_an_older_revision_lacks_is_zero() {
        let mut memory = [0xFF; 20];
        let old: NDIS_PM_PARAMETERS = read(&memory[..16]).unwrap();
        assert_eq!(old.WakeUpFlags, u32::MAX);
        assert_eq!(old.MediaSpecificWakeUpEvents, 0);
        memory[19] = 0;
        let new: NDIS_PM_PARAMETERS = read(&memory).unwrap();
        assert_eq!(new.MediaSpecificWakeUpEvents, 0x00FF_FFFF);
        assert!(read::<NDIS_PM_PARAMETERS>(&memory[..15]).is_none());
    }
}
