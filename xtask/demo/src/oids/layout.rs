//! The structures that answers have, field by field as C declares them, with the units of their pages.

use std::mem::offset_of;

use ndis_sys as n;

/// One field.
#[derive(Debug)]
pub struct Field {
    pub name: &'static str,
    pub offset: usize,
    pub size: usize,
    /// `flags` for what is shown in hexadecimal; empty for a plain number.
    pub unit: &'static str,
}

/// A structure.
pub type Layout = &'static [Field];

const fn size<S, F>(_: fn(&S) -> &F) -> usize {
    size_of::<F>()
}

macro_rules! layouts {
    ($($(#[$about:meta])* $name:ident = $type:ident { $($field:ident $unit:literal)* })*) => { $(
        $(#[$about])*
        pub const $name: Layout = &[$(Field {
            name: stringify!($field),
            offset: offset_of!(n::$type, $field),
            size: size(|whole: &n::$type| &whole.$field),
            unit: $unit,
        }),*];
    )* };
}

layouts! {
    LINK_SPEED = NDIS_CO_LINK_SPEED {
        Outbound "x 100 bit/s"
        Inbound "x 100 bit/s"
    }
    STATISTICS = NDIS_STATISTICS_INFO {
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
    WAN_INFO = NDIS_WAN_CO_INFO {
        MaxFrameSize "bytes"
        MaxSendWindow "packets"
        FramingBits "flags"
        DesiredACCM "flags"
    }
    /// What is set has the same.
    LINK_INFO = NDIS_WAN_CO_GET_LINK_INFO {
        MaxSendFrameSize "bytes"
        MaxRecvFrameSize "bytes"
        SendFramingBits "flags"
        RecvFramingBits "flags"
        SendCompressionBits "flags"
        RecvCompressionBits "flags"
        SendACCM "flags"
        RecvACCM "flags"
    }
    LINK_STATISTICS = NDIS_WAN_CO_GET_STATS_INFO {
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
    CM_CAPS = CO_TAPI_CM_CAPS {
        ulCoTapiVersion "flags"
        ulNumLines "lines"
        ulFlags "flags"
    }
    /// Before the capabilities.
    LINE_CAPS = CO_TAPI_LINE_CAPS {
        ulLineID ""
        ulFlags "flags"
    }
    LINE_DEV_CAPS = LINE_DEV_CAPS {
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
        ulStringFormat "flags"
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
        ulRingModes "flags"
        ulLineStates "flags"
        ulUUIAcceptSize "bytes"
        ulUUIAnswerSize "bytes"
        ulUUIMakeCallSize "bytes"
        ulUUIDropSize "bytes"
        ulUUISendUserUserInfoSize "bytes"
        ulUUICallInfoSize "bytes"
        MinDialParams ""
        MaxDialParams ""
        DefaultDialParams ""
        ulNumTerminals ""
        ulTerminalCapsSize "bytes"
        ulTerminalCapsOffset "bytes"
        ulTerminalTextEntrySize "bytes"
        ulTerminalTextSize "bytes"
        ulTerminalTextOffset "bytes"
        ulDevSpecificSize "bytes"
        ulDevSpecificOffset "bytes"
    }
    /// Before the capabilities.
    ADDRESS_CAPS = CO_TAPI_ADDRESS_CAPS {
        ulLineID ""
        ulAddressID ""
        ulFlags "flags"
    }
    LINE_ADDRESS_CAPS = LINE_ADDRESS_CAPS {
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
        ulRemoveFromConfCaps "flags"
        ulRemoveFromConfState ""
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
    /// Before the data.
    DIAGNOSTICS = CO_TAPI_CALL_DIAGNOSTICS {
        ulOrigin "flags"
        ulReason "flags"
    }
}

/// Where the capabilities of a line begin.
pub const OF_LINE: usize = offset_of!(n::CO_TAPI_LINE_CAPS, LineDevCaps);
/// Where the capabilities of an address begin.
pub const OF_ADDRESS: usize = offset_of!(n::CO_TAPI_ADDRESS_CAPS, LineAddressCaps);
