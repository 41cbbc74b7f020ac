//! [`LineAddressCaps`]: what an address can do, `LINE_ADDRESS_CAPS`.

use super::{
    flags::{
        AddressCapFlags, AddressFeatures, AddressSharing, AddressStates, CallFeatures,
        CallInfoStates, CallStates, DisconnectModes, MediaModes, PartyIdFlags,
    },
    line::{line_structure, with_sizes},
};

line_structure! {
    /// What an address can do: the `LINE_ADDRESS_CAPS` in
    /// [`AddressCaps`](super::AddressCaps).
    ///
    /// Which of the fields must be set, no page says; [`data`](Self::data) begins with a sensible
    /// choice.
    #[doc(alias = "LINE_ADDRESS_CAPS")]
    LineAddressCaps in AddressCaps after LINE_ADDRESS_CAPS, sized: true;
    fields {
        /// The number of its line.
        line: u32 = old.ulLineDeviceID;
        /// Who else has the address.
        sharing: AddressSharing = old.ulAddressSharing;
        /// Of which of its changes TAPI is told.
        states: AddressStates = old.ulAddressStates;
        /// Of which changes of its calls.
        call_info_states: CallInfoStates = old.ulCallInfoStates;
        /// What may be known of a caller.
        caller_flags: PartyIdFlags = old.ulCallerIDFlags;
        /// Of the one who was asked for.
        called_flags: PartyIdFlags = old.ulCalledIDFlags;
        /// Of the one whom the call went to.
        connected_flags: PartyIdFlags = old.ulConnectedIDFlags;
        /// Of the one whom it was sent on to.
        redirection_flags: PartyIdFlags = old.ulRedirectionIDFlags;
        /// Of the one who sent it on.
        redirecting_flags: PartyIdFlags = old.ulRedirectingIDFlags;
        /// The states that its calls can have.
        call_states: CallStates = old.ulCallStates;
        /// `LINEDIALTONEMODE_*`: which dial tones it tells apart.
        dial_tone_modes: u32 = old.ulDialToneModes;
        /// `LINEBUSYMODE_*`: which ways of being busy.
        busy_modes: u32 = old.ulBusyModes;
        /// `LINESPECIALINFO_*`: which announcements.
        special_info: u32 = old.ulSpecialInfo;
        /// For which reasons its calls may end.
        disconnect_modes: DisconnectModes = old.ulDisconnectModes;
        /// How many calls it can have at a time.
        max_active_calls: u32 = old.ulMaxNumActiveCalls;
        /// How many more on hold.
        max_on_hold: u32 = old.ulMaxNumOnHoldCalls;
        /// How many more on hold for a transfer or conference.
        max_on_hold_pending: u32 = old.ulMaxNumOnHoldPendingCalls;
        /// How many in a conference.
        max_conference: u32 = old.ulMaxNumConference;
        /// How many in a conference that is a transfer.
        max_transfer_conference: u32 = old.ulMaxNumTransConf;
        /// What else it can do.
        flags: AddressCapFlags = old.ulAddrCapFlags;
        /// What can be done with its calls.
        call_features: CallFeatures = old.ulCallFeatures;
        /// `LINEREMOVEFROMCONF_*`: who can be taken out of a conference.
        remove_from_conference: u32 = old.ulRemoveFromConfCaps;
        /// The state that such a call then has.
        remove_from_conference_state: CallStates = old.ulRemoveFromConfState;
        /// `LINETRANSFERMODE_*`: how a transfer is resolved.
        transfer_modes: u32 = old.ulTransferModes;
        /// `LINEPARKMODE_*`: how calls are parked.
        park_modes: u32 = old.ulParkModes;
        /// `LINEFORWARDMODE_*`: how calls are forwarded.
        forward_modes: u32 = old.ulForwardModes;
        /// How many entries a forwarding has.
        max_forward_entries: u32 = old.ulMaxForwardEntries;
        /// How many of these name a caller.
        max_specific_entries: u32 = old.ulMaxSpecificEntries;
        /// The least number of rings before a call is forwarded.
        min_forward_rings: u32 = old.ulMinFwdNumRings;
        /// The greatest.
        max_forward_rings: u32 = old.ulMaxFwdNumRings;
        /// How many calls can wait to be completed.
        max_completions: u32 = old.ulMaxCallCompletions;
        /// `LINECALLCOMPLCOND_*`: why they can.
        completion_conditions: u32 = old.ulCallCompletionConds;
        /// `LINECALLCOMPLMODE_*`: how they can.
        completion_modes: u32 = old.ulCallCompletionModes;
        /// How many messages can be left.
        completion_messages: u32 = old.ulNumCompletionMessages;
        /// The bytes of each entry of `completion_text`.
        completion_text_entry: u32 = old.ulCompletionMsgTextEntrySize;
        /// What can be done with the address at times.
        features: AddressFeatures = ulAddressFeatures;
        /// In which states a predictive dialler hands a call over.
        predictive_states: CallStates = ulPredictiveAutoTransferStates;
        /// How many entries `treatments` has.
        treatment_count: u32 = ulNumCallTreatments;
        /// How many bytes of data a call can have.
        max_call_data: u32 = ulMaxCallDataSize;
        /// `LINECALLFEATURE2_*`: what else can be done with its calls.
        call_features2: u32 = ulCallFeatures2;
        /// The longest time to ring, in seconds.
        max_no_answer_timeout: u32 = ulMaxNoAnswerTimeout;
        /// `LINECONNECTEDMODE_*`: which ways of being connected it tells apart.
        connected_modes: u32 = ulConnectedModes;
        /// `LINEOFFERINGMODE_*`: which ways of being offered.
        offering_modes: u32 = ulOfferingModes;
        /// What more calls can carry just now.
        available_media_modes: MediaModes = ulAvailableMediaModes;
    }
    parts {
        /// The address, as others dial it.
        address = old.ulAddressSize, old.ulAddressOffset;
        /// What only this kind of device knows.
        dev_specific = old.ulDevSpecificSize, old.ulDevSpecificOffset;
        /// The messages that can be left.
        completion_text = old.ulCompletionMsgTextSize, old.ulCompletionMsgTextOffset;
        /// What callers hear while they wait.
        treatments = ulCallTreatmentListSize, ulCallTreatmentListOffset;
        /// The classes of devices that belong to the address, as those of the line.
        device_classes = ulDeviceClassesSize, ulDeviceClassesOffset;
    }
}

with_sizes!(LineAddressCaps);

impl LineAddressCaps<'_> {
    /// An address for data, with up to `calls` calls at a time: what a WAN adapter needs, and all
    /// that no page settles at the likely value.
    #[must_use]
    pub fn data(calls: u32) -> Self {
        Self {
            sharing: AddressSharing::PRIVATE,
            call_info_states: CallInfoStates::RATE | CallInfoStates::CALLERID,
            caller_flags: PartyIdFlags::ADDRESS | PartyIdFlags::UNAVAIL,
            called_flags: PartyIdFlags::ADDRESS | PartyIdFlags::UNAVAIL,
            connected_flags: PartyIdFlags::UNAVAIL,
            redirection_flags: PartyIdFlags::UNAVAIL,
            redirecting_flags: PartyIdFlags::UNAVAIL,
            call_states: CallStates::IDLE
                | CallStates::OFFERING
                | CallStates::DIALING
                | CallStates::PROCEEDING
                | CallStates::CONNECTED
                | CallStates::DISCONNECTED,
            disconnect_modes: DisconnectModes::NORMAL
                | DisconnectModes::UNKNOWN
                | DisconnectModes::REJECT
                | DisconnectModes::BUSY
                | DisconnectModes::NOANSWER
                | DisconnectModes::BADADDRESS
                | DisconnectModes::UNREACHABLE
                | DisconnectModes::CONGESTION
                | DisconnectModes::UNAVAIL,
            max_active_calls: calls,
            flags: AddressCapFlags::DIALED,
            call_features: CallFeatures::ACCEPT | CallFeatures::ANSWER | CallFeatures::DROP,
            features: AddressFeatures::MAKECALL,
            available_media_modes: MediaModes::DIGITALDATA,
            ..Self::default()
        }
    }
}
