//! Named answers to the questions that Microsoft's pages leave open.
//!
//! Where two pages contradict each other, or none says anything, the host does
//! not guess: each question is a setting, its first variant the default, and a
//! driver is proven when it is right under every one. Every setting names the
//! rows of the rule book that it comes from, and the experiment on a real
//! Windows machine that would settle it.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::{self, Write as _};
use core::str::FromStr;

macro_rules! readings {
    ($($(#[$doc:meta])* $field:ident: $name:ident { $($(#[$vdoc:meta])* $variant:ident),+ $(,)? })+) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
            #[cfg_attr(feature = "serde", derive(serde::Serialize))]
            pub enum $name {
                $($(#[$vdoc])* $variant),+
            }

            impl $name {
                /// Every answer, the default first.
                pub const ALL: &'static [Self] = &[$(Self::$variant),+];
            }
        )+

        /// One answer to each open question.
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize))]
        pub struct Readings {
            $(
                /// See the type.
                pub $field: $name,
            )+
        }

        impl Readings {
            /// The defaults, then each question's other answers alone.
            fn alone() -> Vec<Self> {
                let mut all = alloc::vec![Self::default()];
                $(
                    for answer in &$name::ALL[1..] {
                        all.push(Self { $field: *answer, ..Self::default() });
                    }
                )+
                all
            }

            /// The questions and this reading's answers that are not the default,
            /// as text; empty for the default.
            pub fn describe(&self) -> String {
                let mut text = String::new();
                let default = Self::default();
                $(
                    if self.$field != default.$field {
                        if !text.is_empty() {
                            text.push_str(", ");
                        }
                        let _ = write!(text, "{}: {:?}", stringify!($field), self.$field);
                    }
                )+
                text
            }

            /// Sets the answer to a question, both by their names.
            fn set(&mut self, question: &str, answer: &str) -> Result<(), UnknownReading> {
                match question {
                    $(
                        stringify!($field) => {
                            let known = $name::ALL
                                .iter()
                                .find(|known| alloc::format!("{known:?}") == answer);
                            self.$field = *known.ok_or_else(|| UnknownReading(alloc::format!(
                                "{answer:?} is no answer to {question}; the answers are {:?}",
                                $name::ALL
                            )))?;
                            Ok(())
                        }
                    )+
                    _ => Err(UnknownReading(alloc::format!(
                        "{question:?} is no question; the questions are {}",
                        [$(stringify!($field)),+].join(", ")
                    ))),
                }
            }
        }
    };
}

readings! {
    /// Does NDIS call `ProtocolCmActivateVcComplete` of an MCM? ([VC-34]: one page
    /// says never, another always, a third only after PENDING.)
    ///
    /// Experiment: an MCM whose handler prints; activate a VC from the make-call
    /// handler and note the status that comes back and whether the print follows.
    ///
    /// [VC-34]: ndis_sys::rules#VC-34
    activate_complete: ActivateComplete {
        /// Activation sometimes pends, and then the callback follows.
        #[default]
        OnPending,
        /// Activation is finished when the call returns; no callback.
        Never,
        /// The callback runs for an activation that returned success, too.
        Always,
    }
    /// Does NDIS call `ProtocolCmDeactivateVcComplete` of an MCM? ([VC-45], [VC-46].)
    ///
    /// Experiment: as for the activation, at the close of a call.
    ///
    /// [VC-45]: ndis_sys::rules#VC-45
    /// [VC-46]: ndis_sys::rules#VC-46
    deactivate_complete: DeactivateComplete {
        /// Deactivation sometimes pends, and then the callback follows.
        #[default]
        OnPending,
        /// Deactivation is finished when the call returns; no callback.
        Never,
        /// The callback runs for a deactivation that returned success, too.
        Always,
    }
    /// May the MCM complete the close of a call before it deactivates the VC?
    /// ([CALL-49]: the callback pages say no, one conceptual page draws it so.
    /// No order would satisfy both pages as a demand, so the drawing is read as
    /// a permission.)
    ///
    /// Experiment: complete first, under Driver Verifier, and let the client
    /// delete the VC from its completion handler.
    ///
    /// [CALL-49]: ndis_sys::rules#CALL-49
    close_order: CloseOrder {
        /// Both orders are accepted.
        #[default]
        Either,
        /// Completing the close of an active VC breaks [CALL-49].
        ///
        /// [CALL-49]: ndis_sys::rules#CALL-49
        DeactivateFirst,
    }
    /// What may the creator of a VC do with it after the call's close has
    /// completed? ([CALL-55], [VC-53] against the page of NdisClCloseCall.)
    ///
    /// Experiment: a second NdisClMakeCall on the same VC.
    ///
    /// [CALL-55]: ndis_sys::rules#CALL-55
    /// [VC-53]: ndis_sys::rules#VC-53
    vc_after_close: VcAfterClose {
        /// Another call may be made on it.
        #[default]
        Reusable,
        /// It can only be deleted.
        DeleteOnly,
    }
    /// When is the VC of an incoming call activated? ([CALL-24], [VC-31] against the
    /// TAPI page on accepting calls.)
    ///
    /// Experiment: dispatch on an inactive VC and see what the client gets.
    ///
    /// [CALL-24]: ndis_sys::rules#CALL-24
    /// [VC-31]: ndis_sys::rules#VC-31
    incoming_activation: IncomingActivation {
        /// Before the dispatch; a dispatch on an inactive VC breaks [CALL-24].
        ///
        /// [CALL-24]: ndis_sys::rules#CALL-24
        #[default]
        BeforeDispatch,
        /// After the client accepted is fine, too.
        AfterAccept,
    }
    /// Are the clients unbound before `MiniportHaltEx`? ([HALT-01] against the
    /// stack-stop order of [HALT-18].)
    ///
    /// Experiment: print from both handlers while a device is disabled.
    ///
    /// [HALT-01]: ndis_sys::rules#HALT-01
    /// [HALT-18]: ndis_sys::rules#HALT-18
    notify_close: NotifyClose {
        /// Unbind first: nothing is left to notify.
        #[default]
        UnbindFirst,
        /// Halt first: the MCM closes the address families from its halt handler.
        HaltFirst,
    }
    /// At which IRQL does `ProtocolClOpenAfCompleteEx` run when the MCM completes
    /// at DISPATCH_LEVEL? ([AF-48], [IRQL-66].)
    ///
    /// Experiment: complete from a timer and print the IRQL in the client.
    ///
    /// [AF-48]: ndis_sys::rules#AF-48
    /// [IRQL-66]: ndis_sys::rules#IRQL-66
    open_af_complete_irql: OpenAfCompleteIrql {
        /// At PASSIVE_LEVEL: NDIS hands it to a worker.
        #[default]
        Passive,
        /// At the IRQL of the completion.
        AsCompleted,
    }
    /// What does `NdisMCmDispatchIncomingCall` return when the client answers at
    /// once? ([CALL-25]; the page has no section on return values.)
    ///
    /// Experiment: a client that returns SUCCESS from `ProtocolClIncomingCall`.
    ///
    /// [CALL-25]: ndis_sys::rules#CALL-25
    dispatch_incoming_call_result: DispatchIncomingCallResult {
        /// PENDING, and `ProtocolCmIncomingCallComplete` brings every answer.
        #[default]
        PendingThenCallback,
        /// The client's answer itself; the callback only follows a PENDING.
        ClientStatus,
    }
    /// What does `NdisClDeregisterSap` return when the call manager deregisters at
    /// once? ([SAP-09]: the table has PENDING and FAILURE only, the text speaks of
    /// the case that it does not pend.)
    ///
    /// Experiment: a call manager whose handler returns SUCCESS.
    ///
    /// [SAP-09]: ndis_sys::rules#SAP-09
    deregister_sap_result: DeregisterSapResult {
        /// PENDING, and the client's completion handler has run.
        #[default]
        PendingThenCallback,
        /// SUCCESS, and the client does it all itself.
        Status,
    }
    /// Does NDIS copy the `CO_ADDRESS_FAMILY` that an MCM registers? ([INIT-07].)
    ///
    /// Experiment: change the structure after the registration and look at what
    /// the client is shown.
    ///
    /// [INIT-07]: ndis_sys::rules#INIT-07
    copies_address_family: CopiesAddressFamily {
        /// It copies.
        #[default]
        Copies,
        /// It shows the MCM's own structure to each client.
        KeepsPointer,
    }
    /// When does NDIS offer the address families of an adapter to a new binding? ([AF-52];
    /// no page says that it waits for the end of the bind.)
    ///
    /// Experiment: print from `ProtocolCoAfRegisterNotify` and at the end of
    /// `ProtocolBindAdapterEx`, on several processors, many times.
    ///
    /// [AF-52]: ndis_sys::rules#AF-52
    af_offers: AfOffers {
        /// When the bind has succeeded.
        #[default]
        AfterBind,
        /// As soon as the adapter is open: before `NdisOpenAdapterEx` has returned to the
        /// driver, within the completion of a pended open, or while the bind goes on.
        DuringBind,
    }
    /// Which handler of a CoNDIS miniport gets the requests that NDIS makes on its own behalf
    /// (`Host::set_power`, `Host::ask`), and those of `NdisOidRequest`? (One page says
    /// `MiniportCoOidRequest`; the pages of the OIDs speak of `MiniportOidRequest` only.)
    ///
    /// Experiment: print from both, put the machine to sleep, and ask for the statistics.
    own_requests: OwnRequests {
        /// `MiniportCoOidRequest`.
        #[default]
        CoOidRequest,
        /// `MiniportOidRequest`.
        OidRequest,
    }
    /// When is a received transfer over that must end before a VC is deactivated? ([VC-49]: the
    /// pages speak of the packets; of the call that indicates them only where an adapter is
    /// paused, [PAUSE-15].)
    ///
    /// Experiment: hang up from within `ProtocolCoReceiveNetBufferLists`, under Driver
    /// Verifier.
    ///
    /// [PAUSE-15]: ndis_sys::rules#PAUSE-15
    /// [VC-49]: ndis_sys::rules#VC-49
    transfer_ends: TransferEnds {
        /// When its lists are back.
        #[default]
        ListsReturned,
        /// When the call that indicated them has returned, too.
        CallReturned,
    }
    /// What becomes of an incoming close that crosses the client's own? ([CALL-69].)
    ///
    /// Experiment: both ends hang up at once, many times, and count the callbacks.
    ///
    /// [CALL-69]: ndis_sys::rules#CALL-69
    crossing_close: CrossingClose {
        /// The client that has already closed is not told again.
        #[default]
        Swallowed,
        /// The client is told although it is closing, and must not close twice.
        Delivered,
    }
    /// Is the call manager told of the answer to an offer that it has withdrawn? ([CALL-39],
    /// [CALL-61]: one page says that each answer is passed on, none what becomes of one that
    /// comes after the close was announced. In either case the client owes its
    /// `NdisClCloseCall`, also when its refusal and the withdrawal have crossed.)
    ///
    /// Experiment: withdraw an offer that the client has pended, let it answer before and
    /// after its `NdisClCloseCall`, and print from `ProtocolCmIncomingCallComplete`.
    ///
    /// [CALL-39]: ndis_sys::rules#CALL-39
    /// [CALL-61]: ndis_sys::rules#CALL-61
    withdrawn_offer_answer: WithdrawnOfferAnswer {
        /// Yes, as of every answer; before or after the client's close.
        #[default]
        PassedOn,
        /// No: of the call it only hears that the client closes it.
        KeptBack,
    }
    /// Of what does an MCM displace a stand-alone call manager? ([REG-44] against [AF-01]: two
    /// pages say that a driver which registers as an MCM displaces any other call manager of its
    /// device, others that each family has one call manager. Windows' own NDPROXY registers a
    /// family above MCMs.)
    ///
    /// Experiment: a protocol that registers another family above an MCM, and the status that
    /// it gets.
    ///
    /// [AF-01]: ndis_sys::rules#AF-01
    /// [REG-44]: ndis_sys::rules#REG-44
    mcm_displaces: McmDisplaces {
        /// Of the families that it registers itself.
        #[default]
        ItsFamilies,
        /// Of its device: others can register no family there.
        TheDevice,
    }
    /// What is a VC that a stand-alone call manager makes with the handle of one of its own as a
    /// client in the variable for the new handle, as NDPROXY may do for NDISWAN? ([VC-70]; no
    /// page says how the data of a call on a WAN miniport get to another VC. What the third way
    /// would be, that NDIS has the MCM make the new VC too, is not simulated.)
    ///
    /// Experiment: a WAN miniport whose data path prints its context, and the handles of the VC
    /// and of each list; a call of RAS, and what is printed of the first packets. A protocol
    /// that passes the handle, above any MCM, and the status that it gets.
    ///
    /// [VC-70]: ndis_sys::rules#VC-70
    joined_vc: JoinedVc {
        /// The same VC with a second client: it is active when the first is, and both clients
        /// hear of what is indicated about it.
        #[default]
        Shared,
        /// A VC of its own, which the call manager activates, and from which NDIS maps to the
        /// first one; only its client hears of what is indicated about that.
        Mapped,
    }
    /// Does the activation of such a VC reach the MCM, whose own is active? ([VC-72]; the pages
    /// let an MCM register the handlers for it, and say that NDIS calls the miniport.)
    ///
    /// Experiment: an MCM whose `MiniportCoActivateVc` and `MiniportCoDeactivateVc` print, and a
    /// call of RAS.
    ///
    /// [VC-72]: ndis_sys::rules#VC-72
    joined_activation: JoinedActivation {
        /// No: the MCM's own is all that there is.
        #[default]
        ByOwner,
        /// Its handlers are called with its context of the VC.
        Asked,
    }
    /// How is the string encoded by which TAPI's applications know a call ([VC-59], [VC-60]: it
    /// comes in a `VAR_STRING`, and its "Unicode version" is what finds the VC again)?
    ///
    /// Experiment: print the `VAR_STRING` that comes for a VC of a call of RAS.
    ///
    /// [VC-59]: ndis_sys::rules#VC-59
    /// [VC-60]: ndis_sys::rules#VC-60
    call_id_text: CallIdText {
        /// UTF-16, without a terminator.
        #[default]
        Unicode,
        /// A byte a character, and a terminator that counts.
        Ascii,
    }
    /// What does `NdisReadConfiguration` make of a text in the registry? ([CFG-14]: one page says
    /// that the type which is asked for is ignored, another that the answer has it; none says
    /// whether a text that is a number becomes one, or whether its terminator counts.)
    ///
    /// Experiment: a miniport that reads a `REG_SZ` of `12` as each of the types, and prints the
    /// type and the length that it gets.
    ///
    /// [CFG-14]: ndis_sys::rules#CFG-14
    configuration_text: ConfigurationText {
        /// A string, whatever is asked for, and without its terminator.
        #[default]
        AsStored,
        /// A number, when one is asked for and the text is one: in decimal or in hexadecimal
        /// digits, as asked.
        Converted,
        /// A string whose terminator is counted.
        Terminated,
    }
    /// May calls be made, taken and closed while the adapter is paused? (The page
    /// of MiniportPause speaks of data only.)
    ///
    /// Experiment: pause with `Disable-NetAdapterBinding` of a filter while a
    /// client places a call.
    call_control_while_paused: CallControlWhilePaused {
        /// Yes.
        #[default]
        Allowed,
        /// NDIS refuses new calls.
        Refused,
    }
    /// When are the protocols told that a reset begins? ([RESET-01]: one page says before
    /// `MiniportResetEx`, another one only when that has returned PENDING. Both have the end told,
    /// also of a reset that was over at once.)
    ///
    /// Experiment: a miniport that pends every second reset, and a protocol that prints its
    /// statuses.
    ///
    /// [RESET-01]: ndis_sys::rules#RESET-01
    reset_start: ResetStart {
        /// Before the miniport is called.
        #[default]
        First,
        /// When it has pended the reset.
        WhenPended,
    }
}

impl Readings {
    /// Every reading to test under: the defaults, each question's other answers
    /// alone, and a few together.
    pub fn all() -> impl Iterator<Item = Self> {
        let mut all = Self::alone();
        all.push(Self {
            activate_complete: ActivateComplete::Always,
            deactivate_complete: DeactivateComplete::Always,
            dispatch_incoming_call_result: DispatchIncomingCallResult::ClientStatus,
            crossing_close: CrossingClose::Delivered,
            joined_vc: JoinedVc::Mapped,
            joined_activation: JoinedActivation::Asked,
            ..Self::default()
        });
        all.push(Self {
            activate_complete: ActivateComplete::Never,
            deactivate_complete: DeactivateComplete::Never,
            notify_close: NotifyClose::HaltFirst,
            mcm_displaces: McmDisplaces::TheDevice,
            copies_address_family: CopiesAddressFamily::KeepsPointer,
            ..Self::default()
        });
        all.push(Self {
            vc_after_close: VcAfterClose::DeleteOnly,
            incoming_activation: IncomingActivation::AfterAccept,
            open_af_complete_irql: OpenAfCompleteIrql::AsCompleted,
            crossing_close: CrossingClose::Delivered,
            ..Self::default()
        });
        all.into_iter()
    }
}

/// A question or an answer that there is not; says which there are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnknownReading(String);

impl fmt::Display for UnknownReading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl core::error::Error for UnknownReading {}

/// Reads what [`describe`](Readings::describe) writes; a question that is not named has its default.
///
/// ```
/// # use ndis_host::{CrossingClose, Readings};
/// let readings: Readings = "crossing_close: Delivered, copies_address_family: Copies".parse()?;
/// assert_eq!(readings.crossing_close, CrossingClose::Delivered);
/// # Ok::<(), ndis_host::UnknownReading>(())
/// ```
impl FromStr for Readings {
    type Err = UnknownReading;

    fn from_str(text: &str) -> Result<Self, UnknownReading> {
        let mut readings = Self::default();
        for part in text
            .split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty())
        {
            let (question, answer) = part.split_once(':').ok_or_else(|| {
                UnknownReading(alloc::format!("{part:?} is no question with its answer"))
            })?;
            readings.set(question.trim(), answer.trim())?;
        }
        Ok(readings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn what_is_described_can_be_read() {
        for readings in Readings::all() {
            assert_eq!(readings.describe().parse(), Ok(readings));
        }
    }

    #[test]
    fn what_is_not_known_is_answered_with_what_is() {
        let error = |text: &str| text.parse::<Readings>().unwrap_err().to_string();
        let question = error("closing_cross: Delivered");
        assert!(
            question.contains("\"closing_cross\" is no question"),
            "{question}"
        );
        assert!(question.contains("crossing_close, "), "{question}");
        let answer = error("close_order: Either, crossing_close: Maybe");
        assert!(
            answer.ends_with("the answers are [Swallowed, Delivered]"),
            "{answer}"
        );
        assert!(error("crossing_close").contains("no question with its answer"));
    }

    #[test]
    fn every_answer_is_visited() {
        let all: Vec<Readings> = Readings::all().collect();
        assert_eq!(all[0], Readings::default());
        assert_eq!(all[0].describe(), "");
        assert!(
            all.iter()
                .any(|r| r.crossing_close == CrossingClose::Delivered)
        );
        assert_eq!(all[1].describe(), "activate_complete: Never");
        assert!(all.len() > 14);
    }
}
