//! [`CallInfo`]: what is known of a call, `LINE_CALL_INFO`.

use super::{
    call_params::DialParams,
    flags::{
        AddressTypes, BearerModes, CallOrigin, CallParamFlags, CallReason, CallStates, DigitModes,
        MediaModes, PartyIdFlags,
    },
    line::{line_structure, with_sizes},
};

line_structure! {
    /// What is known of a call: the `LINE_CALL_INFO` in an
    /// [`IncomingCall`](super::IncomingCall).
    ///
    /// A call manager fills in what its network tells: the modes, the rate, the origin, and the
    /// two ends' addresses with their flags. (For voice streaming the media mode, and flags,
    /// addresses, names and types of caller and called are compulsory; source page:
    /// [specifying-parameters-for-an-incoming-call](https://learn.microsoft.com/windows-hardware/drivers/network/specifying-parameters-for-an-incoming-call).)
    ///
    /// Encoding and terminator of the strings are nowhere documented: read them with
    /// [`Text::guess`](super::Text::guess).
    #[doc(alias = "LINE_CALL_INFO")]
    CallInfo in CallInfo after LINE_CALL_INFO, sized: true;
    fields {
        /// TAPI's handle of the line; 32 bits, no pointer.
        line_handle: u32 = old.hLine;
        /// The number of the line, see [`IncomingCall`](super::IncomingCall).
        line: u32 = old.ulLineDeviceID;
        /// The number of the address on the line.
        address: u32 = old.ulAddressID;
        /// What the network promises.
        bearer_mode: BearerModes = old.ulBearerMode;
        /// The rate, in bits a second.
        rate: u32 = old.ulRate;
        /// What the call carries.
        media_mode: MediaModes = old.ulMediaMode;
        /// The application's word.
        app_specific: u32 = old.ulAppSpecific;
        /// A number that the network gave the call.
        call_id: u32 = old.ulCallID;
        /// That of a call which this one has to do with.
        related_call_id: u32 = old.ulRelatedCallID;
        /// How the call was set up.
        flags: CallParamFlags = old.ulCallParamFlags;
        /// Of which states TAPI is told.
        states: CallStates = old.ulCallStates;
        /// Which digits are noticed.
        monitor_digit_modes: DigitModes = old.ulMonitorDigitModes;
        /// Which streams are noticed.
        monitor_media_modes: MediaModes = old.ulMonitorMediaModes;
        /// How it was dialled.
        dial: DialParams = old.DialParams;
        /// Where it comes from.
        origin: CallOrigin = old.ulOrigin;
        /// Why it was made.
        reason: CallReason = old.ulReason;
        /// The number of a call completion.
        completion_id: u32 = old.ulCompletionID;
        /// How many applications own the call.
        owners: u32 = old.ulNumOwners;
        /// How many look at it.
        monitors: u32 = old.ulNumMonitors;
        /// The country of the destination.
        country_code: u32 = old.ulCountryCode;
        /// The trunk it came over; all bits set when it is not known.
        trunk: u32 = old.ulTrunk;
        /// What is known of who calls.
        caller_flags: PartyIdFlags = old.ulCallerIDFlags;
        /// What is known of whom the caller asked for.
        called_flags: PartyIdFlags = old.ulCalledIDFlags;
        /// What is known of to whom the call went.
        connected_flags: PartyIdFlags = old.ulConnectedIDFlags;
        /// What is known of to whom a call was sent on.
        redirection_flags: PartyIdFlags = old.ulRedirectionIDFlags;
        /// What is known of who sent it on.
        redirecting_flags: PartyIdFlags = old.ulRedirectingIDFlags;
        /// The treatment of the call while it waits.
        treatment: u32 = ulCallTreatment;
        /// What kind of address `caller` is.
        caller_type: AddressTypes = ulCallerIDAddressType;
        /// What kind of address `called` is.
        called_type: AddressTypes = ulCalledIDAddressType;
        /// What kind of address `connected` is.
        connected_type: AddressTypes = ulConnectedIDAddressType;
        /// What kind of address `redirection` is.
        redirection_type: AddressTypes = ulRedirectionIDAddressType;
        /// What kind of address `redirecting` is.
        redirecting_type: AddressTypes = ulRedirectingIDAddressType;
    }
    parts {
        /// The address of who calls.
        caller = old.ulCallerIDSize, old.ulCallerIDOffset;
        /// The name of who calls.
        caller_name = old.ulCallerIDNameSize, old.ulCallerIDNameOffset;
        /// The address of whom the caller asked for.
        called = old.ulCalledIDSize, old.ulCalledIDOffset;
        /// The name of whom the caller asked for.
        called_name = old.ulCalledIDNameSize, old.ulCalledIDNameOffset;
        /// The address of to whom the call went.
        connected = old.ulConnectedIDSize, old.ulConnectedIDOffset;
        /// The name of to whom the call went.
        connected_name = old.ulConnectedIDNameSize, old.ulConnectedIDNameOffset;
        /// The address of to whom a call was sent on.
        redirection = old.ulRedirectionIDSize, old.ulRedirectionIDOffset;
        /// The name of to whom a call was sent on.
        redirection_name = old.ulRedirectionIDNameSize, old.ulRedirectionIDNameOffset;
        /// The address of who sent it on.
        redirecting = old.ulRedirectingIDSize, old.ulRedirectingIDOffset;
        /// The name of who sent it on.
        redirecting_name = old.ulRedirectingIDNameSize, old.ulRedirectingIDNameOffset;
        /// The application that owns the call.
        app_name = old.ulAppNameSize, old.ulAppNameOffset;
        /// The called address as it is shown to people.
        displayable_address = old.ulDisplayableAddressSize, old.ulDisplayableAddressOffset;
        /// The name of the called party, as the caller's application has it.
        called_party = old.ulCalledPartySize, old.ulCalledPartyOffset;
        /// A comment.
        comment = old.ulCommentSize, old.ulCommentOffset;
        /// What the network shows.
        display = old.ulDisplaySize, old.ulDisplayOffset;
        /// What came from the other end with the call.
        user_user_info = old.ulUserUserInfoSize, old.ulUserUserInfoOffset;
        /// High-level compatibility, as the network defines it.
        high_level_comp = old.ulHighLevelCompSize, old.ulHighLevelCompOffset;
        /// Low-level compatibility, as the network defines it.
        low_level_comp = old.ulLowLevelCompSize, old.ulLowLevelCompOffset;
        /// What the call costs, as the network says it.
        charging_info = old.ulChargingInfoSize, old.ulChargingInfoOffset;
        /// The modes of the terminals.
        terminal_modes = old.ulTerminalModesSize, old.ulTerminalModesOffset;
        /// What only this kind of device knows.
        dev_specific = old.ulDevSpecificSize, old.ulDevSpecificOffset;
        /// The applications' data for the call.
        call_data = ulCallDataSize, ulCallDataOffset;
        /// A `FLOWSPEC` of what is sent, with a provider's data.
        sending_flow = ulSendingFlowspecSize, ulSendingFlowspecOffset;
        /// A `FLOWSPEC` of what is received, with a provider's data.
        receiving_flow = ulReceivingFlowspecSize, ulReceivingFlowspecOffset;
    }
}

with_sizes!(CallInfo);
