//! The structures that answers have, field by field as C declares them, with the units of their pages.

use std::mem::offset_of;

use ndis_sys as n;

/// One field.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    pub name: &'static str,
    pub offset: usize,
    pub size: usize,
    /// `flags` for what is shown in hexadecimal, with the names of the bits; empty for a plain number.
    pub unit: &'static str,
}

/// A structure.
pub type Layout = &'static [Field];

/// `LINE_DEV_CAPS` with what the header adds for TAPI 3.0, which `ndis-sys` has not: it was generated
/// with the header's default.
#[repr(C)]
#[expect(non_snake_case, reason = "the names of the fields are C's")]
struct LineDevCaps3 {
    old: n::LINE_DEV_CAPS,
    ulLineFeatures: u32,
    ulSettableDevStatus: u32,
    ulDeviceClassesSize: u32,
    ulDeviceClassesOffset: u32,
    PermanentLineGuid: [u32; 4],
    ulAddressTypes: u32,
    ProtocolGuid: [u32; 4],
    ulAvailableTracking: u32,
}

/// The same of `LINE_ADDRESS_CAPS`.
#[repr(C)]
#[expect(non_snake_case, reason = "the names of the fields are C's")]
struct LineAddressCaps3 {
    old: n::LINE_ADDRESS_CAPS,
    ulAddressFeatures: u32,
    ulPredictiveAutoTransferStates: u32,
    ulNumCallTreatments: u32,
    ulCallTreatmentListSize: u32,
    ulCallTreatmentListOffset: u32,
    ulDeviceClassesSize: u32,
    ulDeviceClassesOffset: u32,
    ulMaxCallDataSize: u32,
    ulCallFeatures2: u32,
    ulMaxNoAnswerTimeout: u32,
    ulConnectedModes: u32,
    ulOfferingModes: u32,
    ulAvailableMediaModes: u32,
}

const fn size<S, F>(_: fn(&S) -> &F) -> usize {
    size_of::<F>()
}

macro_rules! layouts {
    ($($(#[$about:meta])* $name:ident = $type:ty { $($field:ident $unit:literal)* })*) => { $(
        $(#[$about])*
        pub const $name: Layout = &[$(Field {
            name: stringify!($field),
            offset: offset_of!($type, $field),
            size: size(|whole: &$type| &whole.$field),
            unit: $unit,
        }),*];
    )* };
}

layouts! {
    LINK_SPEED = n::NDIS_CO_LINK_SPEED {
        Outbound "x 100 bit/s"
        Inbound "x 100 bit/s"
    }
    STATISTICS = n::NDIS_STATISTICS_INFO {
        Header "header"
        SupportedStatistics "flags"
        ifInDiscards "frames"
        ifInErrors "frames"
        ifHCInOctets "bytes"
        ifHCInUcastPkts "frames"
        ifHCInMulticastPkts "frames"
        ifHCInBroadcastPkts "frames"
        ifHCOutOctets "bytes"
        ifHCOutUcastPkts "frames"
        ifHCOutMulticastPkts "frames"
        ifHCOutBroadcastPkts "frames"
        ifOutErrors "frames"
        ifOutDiscards "frames"
        ifHCInUcastOctets "bytes"
        ifHCInMulticastOctets "bytes"
        ifHCInBroadcastOctets "bytes"
        ifHCOutUcastOctets "bytes"
        ifHCOutMulticastOctets "bytes"
        ifHCOutBroadcastOctets "bytes"
    }
    WAN_INFO = n::NDIS_WAN_CO_INFO {
        MaxFrameSize "bytes"
        MaxSendWindow "packets"
        FramingBits "flags"
        DesiredACCM "characters"
    }
    /// What is set has the same.
    LINK_INFO = n::NDIS_WAN_CO_GET_LINK_INFO {
        MaxSendFrameSize "bytes"
        MaxRecvFrameSize "bytes"
        SendFramingBits "flags"
        RecvFramingBits "flags"
        SendCompressionBits "reserved"
        RecvCompressionBits "reserved"
        SendACCM "characters"
        RecvACCM "characters"
    }
    LINK_STATISTICS = n::NDIS_WAN_CO_GET_STATS_INFO {
        BytesSent "bytes"
        BytesRcvd "bytes"
        FramesSent "frames"
        FramesRcvd "frames"
        CRCErrors "frames"
        TimeoutErrors "frames"
        AlignmentErrors "frames"
        SerialOverrunErrors "frames"
        FramingErrors "frames"
        BufferOverrunErrors "frames"
        BytesTransmittedUncompressed "bytes"
        BytesReceivedUncompressed "bytes"
        BytesTransmittedCompressed "bytes"
        BytesReceivedCompressed "bytes"
        TunnelPacketsRecieved "packets"
        TunnelRecievePacketsPending "packets"
        TunnelPacketsIndicatedUp "packets"
        TunnelRecievePacketsRejected "packets"
        TunnelPacketsSent "packets"
        TunnelPacketsSentComplete "packets"
        TunnelTransmitPacketsPending "packets"
        TunnelPacketsTransmitError "packets"
        TunnelPacketsSentError "packets"
        TunnelTransmitPacketsRejected "packets"
        TunnelAcksSent "acknowledgements"
        TunnelAcksSentComplete "acknowledgements"
        TunnelGeneric1 ""
        TunnelGeneric2 ""
        TunnelGeneric3 ""
    }
    CM_CAPS = n::CO_TAPI_CM_CAPS {
        ulCoTapiVersion "version"
        ulNumLines "lines"
        ulFlags "manager's flags"
    }
    /// Before the capabilities.
    LINE_CAPS = n::CO_TAPI_LINE_CAPS {
        ulLineID ""
        ulFlags "line's flags"
    }
    LINE_DEV_CAPS = n::LINE_DEV_CAPS {
        ulTotalSize "bytes"
        ulNeededSize "bytes"
        ulUsedSize "bytes"
        ulProviderInfoSize "bytes"
        ulProviderInfoOffset "bytes"
        ulSwitchInfoSize "bytes"
        ulSwitchInfoOffset "bytes"
        ulPermanentLineID ""
        ulLineNameSize "bytes"
        ulLineNameOffset "bytes"
        ulStringFormat "value"
        ulAddressModes "flags"
        ulNumAddresses "addresses"
        ulBearerModes "flags"
        ulMaxRate "bit/s"
        ulMediaModes "flags"
        ulGenerateToneModes "flags"
        ulGenerateToneMaxNumFreq ""
        ulGenerateDigitModes "flags"
        ulMonitorToneMaxNumFreq ""
        ulMonitorToneMaxNumEntries ""
        ulMonitorDigitModes "flags"
        ulGatherDigitsMinTimeout "ms"
        ulGatherDigitsMaxTimeout "ms"
        ulMedCtlDigitMaxListSize "entries"
        ulMedCtlMediaMaxListSize "entries"
        ulMedCtlToneMaxListSize "entries"
        ulMedCtlCallStateMaxListSize "entries"
        ulDevCapFlags "flags"
        ulMaxNumActiveCalls "calls"
        ulAnswerMode "flags"
        ulRingModes "ways"
        ulLineStates "flags"
        ulUUIAcceptSize "bytes"
        ulUUIAnswerSize "bytes"
        ulUUIMakeCallSize "bytes"
        ulUUIDropSize "bytes"
        ulUUISendUserUserInfoSize "bytes"
        ulUUICallInfoSize "bytes"
        MinDialParams "LINE_DIAL_PARAMS"
        MaxDialParams "LINE_DIAL_PARAMS"
        DefaultDialParams "LINE_DIAL_PARAMS"
        ulNumTerminals ""
        ulTerminalCapsSize "bytes"
        ulTerminalCapsOffset "bytes"
        ulTerminalTextEntrySize "bytes"
        ulTerminalTextSize "bytes"
        ulTerminalTextOffset "bytes"
        ulDevSpecificSize "bytes"
        ulDevSpecificOffset "bytes"
    }
    /// What TAPI 3.0 has more of.
    LINE_DEV_CAPS_3 = LineDevCaps3 {
        ulLineFeatures "flags"
        ulSettableDevStatus "flags"
        ulDeviceClassesSize "bytes"
        ulDeviceClassesOffset "bytes"
        PermanentLineGuid "GUID"
        ulAddressTypes "flags"
        ProtocolGuid "GUID"
        ulAvailableTracking "flags"
    }
    /// Before the capabilities.
    ADDRESS_CAPS = n::CO_TAPI_ADDRESS_CAPS {
        ulLineID ""
        ulAddressID ""
        ulFlags "reserved"
    }
    LINE_ADDRESS_CAPS = n::LINE_ADDRESS_CAPS {
        ulTotalSize "bytes"
        ulNeededSize "bytes"
        ulUsedSize "bytes"
        ulLineDeviceID ""
        ulAddressSize "bytes"
        ulAddressOffset "bytes"
        ulDevSpecificSize "bytes"
        ulDevSpecificOffset "bytes"
        ulAddressSharing "flags"
        ulAddressStates "flags"
        ulCallInfoStates "flags"
        ulCallerIDFlags "flags"
        ulCalledIDFlags "flags"
        ulConnectedIDFlags "flags"
        ulRedirectionIDFlags "flags"
        ulRedirectingIDFlags "flags"
        ulCallStates "flags"
        ulDialToneModes "flags"
        ulBusyModes "flags"
        ulSpecialInfo "flags"
        ulDisconnectModes "flags"
        ulMaxNumActiveCalls "calls"
        ulMaxNumOnHoldCalls "calls"
        ulMaxNumOnHoldPendingCalls "calls"
        ulMaxNumConference ""
        ulMaxNumTransConf ""
        ulAddrCapFlags "flags"
        ulCallFeatures "flags"
        ulRemoveFromConfCaps "value"
        ulRemoveFromConfState "flags"
        ulTransferModes "flags"
        ulParkModes "flags"
        ulForwardModes "flags"
        ulMaxForwardEntries ""
        ulMaxSpecificEntries ""
        ulMinFwdNumRings ""
        ulMaxFwdNumRings ""
        ulMaxCallCompletions ""
        ulCallCompletionConds "flags"
        ulCallCompletionModes "flags"
        ulNumCompletionMessages ""
        ulCompletionMsgTextEntrySize "bytes"
        ulCompletionMsgTextSize "bytes"
        ulCompletionMsgTextOffset "bytes"
    }
    /// What TAPI 3.0 has more of.
    LINE_ADDRESS_CAPS_3 = LineAddressCaps3 {
        ulAddressFeatures "flags"
        ulPredictiveAutoTransferStates "flags"
        ulNumCallTreatments ""
        ulCallTreatmentListSize "bytes"
        ulCallTreatmentListOffset "bytes"
        ulDeviceClassesSize "bytes"
        ulDeviceClassesOffset "bytes"
        ulMaxCallDataSize "bytes"
        ulCallFeatures2 "flags"
        ulMaxNoAnswerTimeout "s"
        ulConnectedModes "flags"
        ulOfferingModes "flags"
        ulAvailableMediaModes "flags"
    }
    /// Before the data.
    DIAGNOSTICS = n::CO_TAPI_CALL_DIAGNOSTICS {
        ulOrigin "flags"
        ulReason "flags"
    }
}

/// Where the capabilities of a line begin.
pub const OF_LINE: usize = offset_of!(n::CO_TAPI_LINE_CAPS, LineDevCaps);
/// Where the capabilities of an address begin.
pub const OF_ADDRESS: usize = offset_of!(n::CO_TAPI_ADDRESS_CAPS, LineAddressCaps);

/// The size of a line's capabilities, without what follows them.
#[cfg(test)]
pub const LINE_SIZE: usize = size_of::<LineDevCaps3>();

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oids::flags;

    /// The sizes that a C compiler gives, with `NDIS_TAPI_CURRENT_VERSION` as 0x00030000.
    #[test]
    fn structures_have_the_sizes_of_tapi_3() {
        assert_eq!(size_of::<LineDevCaps3>(), 292);
        assert_eq!(size_of::<LineAddressCaps3>(), 228);
    }

    #[test]
    fn every_flag_word_is_read_by_name() {
        let all = [
            LINK_SPEED,
            STATISTICS,
            WAN_INFO,
            LINK_INFO,
            LINK_STATISTICS,
            CM_CAPS,
            LINE_CAPS,
            LINE_DEV_CAPS,
            LINE_DEV_CAPS_3,
            ADDRESS_CAPS,
            LINE_ADDRESS_CAPS,
            LINE_ADDRESS_CAPS_3,
            DIAGNOSTICS,
        ];
        for field in all.concat() {
            let of = match field.unit {
                "flags" => field.name,
                unit if unit.ends_with("flags") => unit,
                _ => continue,
            };
            assert!(flags::named(of, 1).is_some(), "{}", field.name);
        }
    }
}
