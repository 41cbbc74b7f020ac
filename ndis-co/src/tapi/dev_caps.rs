//! [`LineDevCaps`]: what a line can do, `LINE_DEV_CAPS`.

use super::{
    call_params::DialParams,
    flags::{
        AddressModes, AddressTypes, AnswerModes, BearerModes, DevCapFlags, DigitModes,
        LineFeatures, LineStates, MediaModes,
    },
    line::{line_structure, with_sizes},
    text::{StringFormat, Text},
};

line_structure! {
    /// What a line can do: the `LINE_DEV_CAPS` in [`LineCaps`](super::LineCaps).
    ///
    /// Which of the fields a line for data must have, no page says. [`data`](Self::data) begins
    /// with a sensible choice. A line for streamed voice has
    /// [`MediaModes::AUTOMATEDVOICE`], address types, and both digit modes (rule [TAPI-15]).
    ///
    /// [TAPI-15]: ndis_sys::rules#TAPI-15
    #[doc(alias = "LINE_DEV_CAPS")]
    LineDevCaps in DevCaps after LINE_DEV_CAPS, sized: true;
    fields {
        /// A number that the line keeps from start to start.
        permanent_line: u32 = old.ulPermanentLineID;
        /// How the strings of this structure are encoded.
        string_format: StringFormat = old.ulStringFormat;
        /// How its addresses can be named.
        address_modes: AddressModes = old.ulAddressModes;
        /// How many addresses it has.
        addresses: u32 = old.ulNumAddresses;
        /// What the network can promise.
        bearer_modes: BearerModes = old.ulBearerModes;
        /// The highest rate, in bits a second.
        max_rate: u32 = old.ulMaxRate;
        /// What calls can carry.
        media_modes: MediaModes = old.ulMediaModes;
        /// Which tones it can make.
        generate_tone_modes: u32 = old.ulGenerateToneModes;
        /// Of how many frequencies.
        generate_tone_frequencies: u32 = old.ulGenerateToneMaxNumFreq;
        /// Which digits it can send.
        generate_digit_modes: DigitModes = old.ulGenerateDigitModes;
        /// Of how many frequencies are the tones that it notices.
        monitor_tone_frequencies: u32 = old.ulMonitorToneMaxNumFreq;
        /// How many tones it can look out for.
        monitor_tone_entries: u32 = old.ulMonitorToneMaxNumEntries;
        /// Which digits it notices.
        monitor_digit_modes: DigitModes = old.ulMonitorDigitModes;
        /// The least time that it can wait for digits, in milliseconds.
        gather_digits_min: u32 = old.ulGatherDigitsMinTimeout;
        /// The longest time that it can wait for digits, in milliseconds.
        gather_digits_max: u32 = old.ulGatherDigitsMaxTimeout;
        /// How long the list of digits is that control media.
        control_digits: u32 = old.ulMedCtlDigitMaxListSize;
        /// That of media modes.
        control_media: u32 = old.ulMedCtlMediaMaxListSize;
        /// That of tones.
        control_tones: u32 = old.ulMedCtlToneMaxListSize;
        /// That of call states.
        control_states: u32 = old.ulMedCtlCallStateMaxListSize;
        /// What else it can do.
        flags: DevCapFlags = old.ulDevCapFlags;
        /// How many calls it can have at a time.
        max_active_calls: u32 = old.ulMaxNumActiveCalls;
        /// What becomes of a call when another one is answered.
        answer_mode: AnswerModes = old.ulAnswerMode;
        /// How many ways of ringing it has.
        ring_modes: u32 = old.ulRingModes;
        /// Of which of its changes TAPI is told.
        line_states: LineStates = old.ulLineStates;
        /// How many bytes can go to the other end when a call is accepted.
        user_info_accept: u32 = old.ulUUIAcceptSize;
        /// When it is answered.
        user_info_answer: u32 = old.ulUUIAnswerSize;
        /// When it is made.
        user_info_make_call: u32 = old.ulUUIMakeCallSize;
        /// When it is dropped.
        user_info_drop: u32 = old.ulUUIDropSize;
        /// During the call.
        user_info_send: u32 = old.ulUUISendUserUserInfoSize;
        /// How many can come with it.
        user_info_received: u32 = old.ulUUICallInfoSize;
        /// The least that can be dialled with.
        min_dial: DialParams = old.MinDialParams;
        /// The most.
        max_dial: DialParams = old.MaxDialParams;
        /// What is dialled with when nothing is said.
        default_dial: DialParams = old.DefaultDialParams;
        /// How many terminals it has.
        terminals: u32 = old.ulNumTerminals;
        /// The bytes of each entry of `terminal_text`.
        terminal_text_entry: u32 = old.ulTerminalTextEntrySize;
        /// What can be done with the line at times.
        features: LineFeatures = ulLineFeatures;
        /// Which of its statuses can be set.
        settable_status: u32 = ulSettableDevStatus;
        /// A `GUID`, as it is in memory, that names the line for good.
        permanent_guid: [u8; 16] = PermanentLineGuid;
        /// What kinds of addresses can be called.
        address_types: AddressTypes = ulAddressTypes;
        /// A `GUID`, as it is in memory, that names the protocol of the line.
        protocol_guid: [u8; 16] = ProtocolGuid;
        /// How the line tracks calls that belong together.
        tracking: u32 = ulAvailableTracking;
    }
    parts {
        /// Who made the device and its driver.
        provider_info = old.ulProviderInfoSize, old.ulProviderInfoOffset;
        /// What the device is connected to.
        switch_info = old.ulSwitchInfoSize, old.ulSwitchInfoOffset;
        /// The name of the line.
        line_name = old.ulLineNameSize, old.ulLineNameOffset;
        /// What each terminal can do.
        terminal_caps = old.ulTerminalCapsSize, old.ulTerminalCapsOffset;
        /// What each terminal is called.
        terminal_text = old.ulTerminalTextSize, old.ulTerminalTextOffset;
        /// What only this kind of device knows.
        dev_specific = old.ulDevSpecificSize, old.ulDevSpecificOffset;
        /// The classes of devices that belong to the line: strings, each with its terminator,
        /// and one more terminator.
        device_classes = ulDeviceClassesSize, ulDeviceClassesOffset;
    }
}

with_sizes!(LineDevCaps);

impl<'a> LineDevCaps<'a> {
    /// A line that carries data: what a WAN adapter needs, and all that no page settles at the
    /// likely value. `max_rate` is in bits a second; the strings come from the caller.
    #[must_use]
    pub fn data(addresses: u32, max_rate: u32) -> Self {
        Self {
            string_format: StringFormat::UNICODE,
            address_modes: AddressModes::ADDRESSID | AddressModes::DIALABLEADDR,
            addresses,
            bearer_modes: BearerModes::DATA,
            max_rate,
            media_modes: MediaModes::DIGITALDATA,
            flags: DevCapFlags::CLOSEDROP,
            max_active_calls: addresses,
            answer_mode: AnswerModes::NONE,
            ring_modes: 1,
            features: LineFeatures::MAKECALL,
            address_types: AddressTypes::PHONENUMBER,
            ..Self::default()
        }
    }

    /// A string of this structure, such as `line_name`, in the encoding that it says.
    #[must_use]
    pub fn text(&self, part: &'a [u8]) -> Text<'a> {
        Text::new(self.string_format, part)
    }
}
