//! Two drivers written against the raw crate: a call manager that is a small
//! switch, and a client. Both are right, except at the one point that a test
//! asks them to get wrong.
//!
//! They run with readings under which NDIS answers at once, and with a schedule
//! without preemption, so that what a test breaks is all that is broken.
#![allow(dead_code, clippy::missing_safety_doc)]

pub mod alone;
pub mod bench;
pub mod client;
pub mod life;
pub mod link;
pub mod mcm;
pub mod names;
pub mod oids;
pub mod telephony;

use ndis_host::{ActivateComplete, DeactivateComplete, Host, Readings};
use ndis_sys as n;

pub use client::Client;
pub use mcm::Mcm;

/// Where a driver misbehaves.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Twist {
    #[default]
    None,
    // The call manager.
    DuplicateFamily,
    NotConnectionOriented,
    FamilyAtDispatch,
    FamilyBeforeAttributes,
    FamilyLate,
    FamilyWithContext,
    OptionsLate,
    NullHandler,
    WrongHeader,
    NoGeneralAttributes,
    NoPowerCapabilities,
    BusBeneath,
    OpenPends,
    OpenCompletedTwice,
    OpenPendingStatus,
    CloseAfEarly,
    KeepIncomingVc,
    MakeCallWithoutActivation,
    MakeCallCompletedTwice,
    StaleVc,
    ForgedVc,
    WrongKind,
    DeleteActive,
    DeleteForeign,
    ActivateTwice,
    DispatchInactive,
    DeactivateTwice,
    DeactivateEarly,
    SendCompletedTwice,
    SendNeverCompleted,
    SendOnWrongVc,
    SendTouched,
    IndicateWrongSource,
    IndicateWrongCount,
    IndicatePaused,
    IndicateTwoPackets,
    IndicateLyingLength,
    SendRepacked,
    SendAdvanced,
    SendParentChanged,
    SendCompletedUnderClone,
    CloseCompletedTwice,
    SapCompletedTwice,
    CloseAfFails,
    AnswersTwice,
    /// Refuses each open by a completion and accepts it by its return value.
    RefusesAndAccepts,
    CreateVcPends,
    DeleteVcPends,
    HandleVariableUsed,
    DataWithoutSize,
    RestartTwice,
    PauseFails,
    NotifyTwice,
    NotifyBeforeOpened,
    NotifyBeforeRefused,
    /// Asks for an OID while the open pends, and refuses it.
    AsksBeforeRefusing,
    /// Completes the open from a work item.
    OpenFromWorkItem,
    /// Pends the open and never completes it.
    OpenForgotten,
    KeepsAfOpen,
    InitializePends,
    ResetWithoutCheck,
    LockAcrossCompletion,
    LockKept,
    LockTwice,
    IrqlKept,
    PauseTwice,
    /// Pends the pause and never completes it.
    PauseNeverEnds,
    /// Calls the functions of stand-alone call managers too.
    StandAlone,
    HaltWithTimer,
    HaltWithWorkItem,
    HaltWithPool,
    MemoryTwice,
    MemoryLeft,
    NotDeregistered,
    CloseCallPendingStatus,
    ConnectTwice,
    SapCompleteFailure,
    /// Withdraws each offer when the client has pended it.
    Withdraws,
    /// Withdraws each offer from a work item while the client's handler runs.
    WithdrawsRinging,
    /// As `WithdrawsRinging`, and deletes the VC before the offer has returned.
    DeletesRinging,
    /// Withdraws a pended offer twice.
    WithdrawsTwice,
    /// Withdraws a pended offer and does not wait for the client's close.
    WithdrawsHastily,
    /// Withdraws an offer of whose refusal it has just been told.
    WithdrawsRefused,
    /// Withdraws an offer from a work item while it is being told of the refusal.
    WithdrawsCrossing,
    /// Completes what is sent without a VC with a status of its own.
    BareSendRefused,
    /// Never completes it.
    BareSendKept,
    /// Waits for ever in a work item.
    ItemWaits,
    /// Activates with parameters of its own that are longer than their memory.
    LongActivation,
    /// Offers a call with such parameters.
    LongOffer,
    /// Completes a pause when the lists are back, within the call that indicated them.
    PauseWithinIndication,
    /// Completes it when that call has returned.
    PauseAfterIndication,
    /// Completes a send before it indicates what was sent.
    IndicatesLast,
    /// And has the list back with the return of the call.
    IndicatesLent,
    /// Registers the handlers for the activation of a VC that another shares.
    ActivationAnswered,
    /// And refuses.
    ActivationRefused,
    /// Answers sends on a VC that it has deactivated as ever.
    SendsInactive,
    /// Answers sends after the notice that its device is gone as ever.
    SendsAfterRemoval,
    /// Answers requests after that notice as ever.
    AnswersAfterRemoval,
    /// Refuses to go to a power state.
    PowerRefused,
    /// Refuses the question whether it can.
    QueryPowerRefused,
    /// Pends the request for a power state.
    PowerPends,
    /// And completes it twice.
    PowerCompletedTwice,
    /// Indicates a status before it has said anything of its adapter.
    IndicatesEarly,
    /// Indicates a status of a VC that is not its adapter's (`paused`), and does not start.
    IndicatesOthers,
    /// Is a driver for NDIS 6.0.
    OldNdis,
    /// Lists an OID that it does not answer.
    ListsUnknownOid,
    /// Has handlers for hangs and resets.
    Resets,
    /// Wants to be told of system errors.
    BugChecks,
    /// Is no connection-oriented driver, and indicates a status as one.
    IndicatesConnectionless,
    /// Says of its adapter that it does not know whether that is connected.
    ConnectionUnknown,
    /// Offers the family that NDISWAN speaks.
    ForNdiswan,
    /// Offers the family that NDPROXY speaks.
    Proxy,
    /// And accepts calls with the parameters that it was asked with,
    ProxyAsAsked,
    /// with others, and does not say so,
    ProxyWithoutFlag,
    /// with a speed in one direction,
    ProxyWithoutSpeed,
    /// or with none.
    ProxyWithoutParameters,
    /// Offers calls without anything of TAPI's in them,
    ProxyOffersNothing,
    /// or as outgoing ones.
    ProxyOffersFlags,
    /// Does not wait in its halt for the clients that it has asked to close.
    HaltsHastily,
    /// Refuses every frame for its length.
    RefusesLength,
    // The client.
    /// Registers a SAP that says nothing of TAPI,
    SapOfNoType,
    /// or that is too short for a line.
    SapTooShort,
    /// Has no handler for a status.
    NoStatusHandler,
    /// Closes its family a while after it was asked to.
    ClosesLater,
    /// Asks for a speed, of the family that NDPROXY speaks.
    AsksForSpeed,
    /// Takes its time with what it has received, and has returned.
    ReceivesSlowly,
    /// Hangs up while it receives.
    HangsUpReceiving,
    /// Fails events about the device's power.
    PowerEventFails,
    /// Pends each offer; refuses and closes when that is withdrawn.
    PendsOffer,
    /// Pends each offer; closes when that is withdrawn, and refuses then.
    ClosesBeforeAnswer,
    /// Pends each offer, and leaves all else to the test.
    PendsOfferOnly,
    /// Closes a withdrawn offer while its handler for it runs, which refuses then.
    AnswersSlowly,
    /// As above, and takes the call.
    TakesSlowly,
    CloseWithSends,
    CloseAfWithCall,
    CloseAfWithSap,
    CloseTwice,
    IgnoreIncomingClose,
    AnswerTwice,
    SendInactive,
    BindFailsOpen,
    SendWrongSource,
    SendWhilePaused,
    ReturnTwice,
    ReturnUnderClone,
    ReceivedMdlsFreed,
    SendUnderClone,
    SendLyingLength,
    KeepReceived,
    DeleteOthersVc,
    UnbindWithoutClose,
    ParametersFreed,
    /// Call parameters whose specific part is longer than their memory.
    LongParameters,
    LongSap,
    /// Keeps what it receives, for ever.
    KeepForEver,
    BindCompletedTwice,
    UnbindCompletedTwice,
    UnbindFails,
    /// Returns from the unbind while its close pends.
    UnbindDoesNotWait,
    /// Pends the unbind and completes it while its close pends.
    UnbindCompletedEarly,
    /// Pends the unbind and completes it from a work item, when the close is complete.
    UnbindCompletedLate,
    UnbindNeverCompleted,
    /// Fails its bind by `NdisUnbindAdapter`, and completes it before the unbind.
    BindGoesAway,
    /// As above, and completes the bind at the end of the unbind.
    BindGoesFirst,
    /// Fails its bind and does not wait for the close.
    BindFailsClosing,
    /// Answers the bind while the open pends.
    BindDoesNotWait,
    /// Waits for ever in the unbind.
    UnbindHangs,
    OpenOutside,
    FamilyLater,
    NullHandlers,
    DeregisterInside,
    EventFails,
    /// A work item of NDIS, of a protocol driver.
    NdisWorkItem,
    /// A work item in the queue of the system's own.
    UrgentWorkItem,
    /// Sends the next frame in each completion.
    SendsInCompletions,
    /// A pool, a timer and an MDL on the handle of a binding.
    PoolOnBinding,
    NotifyAnsweredTwice,
    OpenAtDispatch,
    StaleAf,
    /// Keeps the handle of its binding only when the bind is over.
    KeepsHandleLate,
}

pub const SUCCESS: n::NDIS_STATUS = n::NDIS_STATUS_SUCCESS;
pub const PENDING: n::NDIS_STATUS = n::NDIS_STATUS_PENDING;
pub const TAG: u32 = u32::from_le_bytes(*b"RawT");

pub fn header(kind: i32, revision: i32, size: usize) -> n::NDIS_OBJECT_HEADER {
    n::NDIS_OBJECT_HEADER {
        Type: kind as u8,
        Revision: revision as u8,
        Size: size as u16,
    }
}

/// A structure of zeroes.
pub fn zeroed<T>() -> T {
    // SAFETY: used for structures of numbers, pointers and optional functions.
    unsafe { std::mem::MaybeUninit::<T>::zeroed().assume_init() }
}

/// Writes a field of a structure that a test or its driver has.
pub fn put<T>(place: *mut T, value: T) {
    // SAFETY: places in live structures are passed.
    unsafe { place.write(value) };
}

/// Reads a field of a structure that a test or its driver has.
pub fn get<T: Copy>(place: *mut T) -> T {
    // SAFETY: places in live structures are passed.
    unsafe { place.read() }
}

/// A pointer that a test passes to a thread.
pub struct P<T>(pub *mut T);

impl<T> Clone for P<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for P<T> {}

// SAFETY: the host runs one task at a time.
unsafe impl<T> Send for P<T> {}
// SAFETY: as above.
unsafe impl<T> Sync for P<T> {}

/// The defaults, without the completions that some readings make of what did not pend.
pub fn plain() -> Readings {
    Readings {
        activate_complete: ActivateComplete::Never,
        deactivate_complete: DeactivateComplete::Never,
        ..Readings::default()
    }
}

/// A host under which nothing but the twist is unusual.
pub fn host() -> Host {
    host_under(plain())
}

/// As [`host`], and the readings.
pub fn host_under(readings: Readings) -> Host {
    Host::builder()
        .seed(1)
        .preemption(0, 1)
        .raise(0, 1)
        .patience(50)
        .readings(readings)
        .build()
}

/// One call manager and two clients; the second one listens.
pub struct Bench {
    pub host: Host,
    pub mcm: Mcm,
    pub a: Client,
    pub b: Client,
}

impl Bench {
    pub fn new(mcm: Twist, client: Twist) -> Self {
        Self::on(host(), mcm, client)
    }

    pub fn on(host: Host, mcm: Twist, client: Twist) -> Self {
        Self {
            mcm: Mcm::load(&host, mcm),
            a: Client::load(&host, "client-a", client, false),
            b: Client::load(&host, "client-b", client, true),
            host,
        }
    }

    /// Brings the adapter up.
    pub fn up(&self) -> ndis_host::Adapter {
        let adapter = self.host.add_adapter(&self.mcm.driver).expect("initialize");
        self.host.run();
        adapter
    }

    pub fn spawn(&self, name: &str, body: impl FnOnce(Client) + Send + 'static) {
        let client = self.a.clone();
        self.host.spawn(name, move || body(client));
        self.host.run();
    }

    /// A whole life: up, one call with `frames` frames, down.
    pub fn life(&self, frames: u32) {
        let adapter = self.up();
        self.spawn("caller", move |a| {
            a.call();
            for _ in 0..frames {
                a.send();
            }
            a.hang_up();
        });
        self.host.remove_adapter(&adapter);
        self.host.run();
    }

    pub fn down(self) -> ndis_host::Report {
        self.host.unload(&self.a.driver);
        self.host.unload(&self.b.driver);
        self.host.unload(&self.mcm.driver);
        self.host.finish()
    }
}

/// Asserts that the run broke exactly the announced rules.
#[track_caller]
pub fn only(report: &ndis_host::Report, rules: &[&str]) {
    let found: std::collections::BTreeSet<&str> = report.rules().into_iter().collect();
    let wanted: std::collections::BTreeSet<&str> = rules.iter().copied().collect();
    assert_eq!(found, wanted, "\n{report}");
}
