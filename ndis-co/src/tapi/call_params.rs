//! [`CallParams`]: what an application wants of a call, `LINE_CALL_PARAMS`.

use super::{
    bytes::Field,
    flags::{AddressModes, AddressTypes, BearerModes, CallParamFlags, CallStates, MediaModes},
    line::line_structure,
};

/// How digits are dialled: times in milliseconds.
///
/// ```
/// # use ndis_host as _;
/// use ndis_co::tapi::{DialParams, Flat, LineDevCaps};
///
/// # let _host = ndis_host::Host::builder().build();
/// // Tones of 95 ms, and as much between them: this line dials in no other way.
/// let dial = DialParams { pause: 2000, speed: 95, digit: 95, ..DialParams::default() };
/// let caps = LineDevCaps {
///     min_dial: dial,
///     max_dial: dial,
///     default_dial: dial,
///     ..LineDevCaps::data(1, 56_000)
/// };
/// assert_eq!(LineDevCaps::parse(&caps.to_vec()?)?.default_dial, dial);
/// # Ok::<(), ndis_co::Status>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[doc(alias = "LINE_DIAL_PARAMS")]
pub struct DialParams {
    /// The pause that a comma stands for.
    pub pause: u32,
    /// The time between two digits.
    pub speed: u32,
    /// How long a digit lasts.
    pub digit: u32,
    /// How long to wait for a dial tone.
    pub wait_for_tone: u32,
}

impl Field for DialParams {
    const SIZE: usize = size_of::<ndis_sys::LINE_DIAL_PARAMS>();

    fn read(bytes: &[u8], at: usize) -> Option<Self> {
        let own = bytes.get(at..)?.get(..Self::SIZE)?;
        Some(Self {
            pause: u32::read(own, 0)?,
            speed: u32::read(own, 4)?,
            digit: u32::read(own, 8)?,
            wait_for_tone: u32::read(own, 12)?,
        })
    }

    fn write(self, room: &mut [u8], at: usize) {
        if let Some(own) = room.get_mut(at..) {
            self.pause.write(own, 0);
            self.speed.write(own, 4);
            self.digit.write(own, 8);
            self.wait_for_tone.write(own, 12);
        }
    }
}

line_structure! {
    /// What an application wants of a call: the `LINE_CALL_PARAMS` in a
    /// [`MakeCall`](super::MakeCall).
    ///
    /// Who names no parameters gets those of TAPI's defaults, a call of interactive voice. So a
    /// line for data does not refuse a call for its modes and rates alone, unless it can tell.
    ///
    /// Encoding and terminator of the strings are nowhere documented: read them with
    /// [`Text::guess`](super::Text::guess).
    #[doc(alias = "LINE_CALL_PARAMS")]
    CallParams in CallParams after LINE_CALL_PARAMS, sized: false;
    fields {
        /// What the network is to promise.
        bearer_mode: BearerModes = old.ulBearerMode;
        /// The lowest rate that will do, in bits a second.
        min_rate: u32 = old.ulMinRate;
        /// The highest rate that is of use, in bits a second.
        max_rate: u32 = old.ulMaxRate;
        /// What the call is to carry.
        media_mode: MediaModes = old.ulMediaMode;
        /// How the call is set up.
        flags: CallParamFlags = old.ulCallParamFlags;
        /// How the calling address is named: by `address`, or by `orig_address`.
        address_mode: AddressModes = old.ulAddressMode;
        /// The number of the calling address on its line.
        address: u32 = old.ulAddressID;
        /// How to dial.
        dial: DialParams = old.DialParams;
        /// In which states a predictive dialler hands the call over.
        predictive_states: CallStates = ulPredictiveAutoTransferStates;
        /// How long to ring, in seconds; zero for ever.
        no_answer_timeout: u32 = ulNoAnswerTimeout;
        /// What kind of address is called.
        address_type: AddressTypes = ulAddressType;
    }
    parts {
        /// The calling address, when it is named as one dials it.
        orig_address = old.ulOrigAddressSize, old.ulOrigAddressOffset;
        /// The called address as it is shown to people.
        displayable_address = old.ulDisplayableAddressSize, old.ulDisplayableAddressOffset;
        /// The name of the called party.
        called_party = old.ulCalledPartySize, old.ulCalledPartyOffset;
        /// A comment.
        comment = old.ulCommentSize, old.ulCommentOffset;
        /// What goes to the other end with the call.
        user_user_info = old.ulUserUserInfoSize, old.ulUserUserInfoOffset;
        /// High-level compatibility, as the network defines it.
        high_level_comp = old.ulHighLevelCompSize, old.ulHighLevelCompOffset;
        /// Low-level compatibility, as the network defines it.
        low_level_comp = old.ulLowLevelCompSize, old.ulLowLevelCompOffset;
        /// What only this kind of device knows.
        dev_specific = old.ulDevSpecificSize, old.ulDevSpecificOffset;
        /// The address of the target of a transfer.
        target_address = ulTargetAddressSize, ulTargetAddressOffset;
        /// A `FLOWSPEC` of what is sent, with a provider's data.
        sending_flow = ulSendingFlowspecSize, ulSendingFlowspecOffset;
        /// A `FLOWSPEC` of what is received, with a provider's data.
        receiving_flow = ulReceivingFlowspecSize, ulReceivingFlowspecOffset;
        /// The class of the device that `device_config` is for.
        device_class = ulDeviceClassSize, ulDeviceClassOffset;
        /// The settings of a device.
        device_config = ulDeviceConfigSize, ulDeviceConfigOffset;
        /// The application's data for the call.
        call_data = ulCallDataSize, ulCallDataOffset;
        /// Who calls.
        calling_party = ulCallingPartyIDSize, ulCallingPartyIDOffset;
    }
}
