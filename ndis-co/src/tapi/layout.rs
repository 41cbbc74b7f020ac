//! The layouts of TAPI 3.0.
//!
//! `ndistapi.h` makes four structures longer for who asks for a newer TAPI, and CoNDIS TAPI is
//! version 3.0 (source page: `wan-miniport-driver-build-parameters`). `ndis-sys` was generated
//! with the header's default, 1.3. So each structure here is the one of `ndis-sys`, at the front,
//! and then what the versions 1.4, 2.0, 2.2 and 3.0 add, in the header's order. Nothing is made
//! or read through these types: they say where a field is.

#![allow(dead_code, non_snake_case, reason = "offsets only")]

use ndis_sys::{LINE_ADDRESS_CAPS, LINE_CALL_INFO, LINE_CALL_PARAMS, LINE_DEV_CAPS};

/// `LINE_DEV_CAPS`.
#[repr(C)]
pub(super) struct DevCaps {
    pub(super) old: LINE_DEV_CAPS,
    /// 1.4.
    pub(super) ulLineFeatures: u32,
    /// 2.0.
    pub(super) ulSettableDevStatus: u32,
    pub(super) ulDeviceClassesSize: u32,
    pub(super) ulDeviceClassesOffset: u32,
    /// 2.2; a `GUID`, whose alignment is that of its first member, a `ULONG`.
    pub(super) PermanentLineGuid: [u32; 4],
    /// 3.0.
    pub(super) ulAddressTypes: u32,
    pub(super) ProtocolGuid: [u32; 4],
    pub(super) ulAvailableTracking: u32,
}

/// `LINE_ADDRESS_CAPS`.
#[repr(C)]
pub(super) struct AddressCaps {
    pub(super) old: LINE_ADDRESS_CAPS,
    /// 1.4.
    pub(super) ulAddressFeatures: u32,
    /// 2.0.
    pub(super) ulPredictiveAutoTransferStates: u32,
    pub(super) ulNumCallTreatments: u32,
    pub(super) ulCallTreatmentListSize: u32,
    pub(super) ulCallTreatmentListOffset: u32,
    pub(super) ulDeviceClassesSize: u32,
    pub(super) ulDeviceClassesOffset: u32,
    pub(super) ulMaxCallDataSize: u32,
    pub(super) ulCallFeatures2: u32,
    pub(super) ulMaxNoAnswerTimeout: u32,
    pub(super) ulConnectedModes: u32,
    pub(super) ulOfferingModes: u32,
    pub(super) ulAvailableMediaModes: u32,
}

/// `LINE_CALL_PARAMS`.
#[repr(C)]
pub(super) struct CallParams {
    pub(super) old: LINE_CALL_PARAMS,
    /// 2.0.
    pub(super) ulPredictiveAutoTransferStates: u32,
    pub(super) ulTargetAddressSize: u32,
    pub(super) ulTargetAddressOffset: u32,
    pub(super) ulSendingFlowspecSize: u32,
    pub(super) ulSendingFlowspecOffset: u32,
    pub(super) ulReceivingFlowspecSize: u32,
    pub(super) ulReceivingFlowspecOffset: u32,
    pub(super) ulDeviceClassSize: u32,
    pub(super) ulDeviceClassOffset: u32,
    pub(super) ulDeviceConfigSize: u32,
    pub(super) ulDeviceConfigOffset: u32,
    pub(super) ulCallDataSize: u32,
    pub(super) ulCallDataOffset: u32,
    pub(super) ulNoAnswerTimeout: u32,
    pub(super) ulCallingPartyIDSize: u32,
    pub(super) ulCallingPartyIDOffset: u32,
    /// 3.0.
    pub(super) ulAddressType: u32,
}

/// `LINE_CALL_INFO`.
#[repr(C)]
pub(super) struct CallInfo {
    pub(super) old: LINE_CALL_INFO,
    /// 2.0.
    pub(super) ulCallTreatment: u32,
    pub(super) ulCallDataSize: u32,
    pub(super) ulCallDataOffset: u32,
    pub(super) ulSendingFlowspecSize: u32,
    pub(super) ulSendingFlowspecOffset: u32,
    pub(super) ulReceivingFlowspecSize: u32,
    pub(super) ulReceivingFlowspecOffset: u32,
    /// 3.0.
    pub(super) ulCallerIDAddressType: u32,
    pub(super) ulCalledIDAddressType: u32,
    pub(super) ulConnectedIDAddressType: u32,
    pub(super) ulRedirectionIDAddressType: u32,
    pub(super) ulRedirectingIDAddressType: u32,
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::mem::offset_of;

    /// The sizes that a C compiler gives, with `NDIS_TAPI_CURRENT_VERSION` as 0x00030000 and
    /// without, and some offsets.
    #[test]
    fn the_layouts_are_those_of_the_header() {
        assert_eq!(
            [size_of::<LINE_DEV_CAPS>(), size_of::<DevCaps>()],
            [236, 292]
        );
        assert_eq!(
            [size_of::<LINE_ADDRESS_CAPS>(), size_of::<AddressCaps>()],
            [176, 228]
        );
        assert_eq!(
            [size_of::<LINE_CALL_PARAMS>(), size_of::<CallParams>()],
            [112, 180]
        );
        assert_eq!(
            [size_of::<LINE_CALL_INFO>(), size_of::<CallInfo>()],
            [296, 344]
        );
        assert_eq!(offset_of!(DevCaps, old.ulPermanentLineID), 28);
        assert_eq!(offset_of!(DevCaps, old.ulDevSpecificSize), 228);
        assert_eq!(offset_of!(DevCaps, ulLineFeatures), 236);
        assert_eq!(offset_of!(DevCaps, ulDeviceClassesSize), 244);
        assert_eq!(offset_of!(DevCaps, PermanentLineGuid), 252);
        assert_eq!(offset_of!(DevCaps, ulAddressTypes), 268);
        assert_eq!(offset_of!(DevCaps, ulAvailableTracking), 288);
        assert_eq!(offset_of!(CallInfo, old.ulOrigin), 80);
        assert_eq!(offset_of!(CallInfo, old.ulCallerIDFlags), 108);
    }
}
