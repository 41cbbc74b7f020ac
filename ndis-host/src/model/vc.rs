//! Virtual connections, and the call that each has: the states that both go through.

use crate::callback::{Context, Ptr};
use crate::handle::ObjectId;
use crate::model::World;
use crate::model::manager::Manager;
use crate::model::request::{Loan, Request};
use crate::readings::TransferEnds;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use ndis_sys::{CO_CALL_PARAMETERS, NDIS_STATUS_SUCCESS};

/// What parameters say of one direction of a call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Flow {
    /// Bytes a second.
    pub(crate) peak: u32,
    /// The longest packet.
    pub(crate) sdu: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Activity {
    Inactive,
    Activating,
    Active,
    Deactivating,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum CallPhase {
    /// No call.
    None,
    /// The client asked for one.
    Making,
    /// An outgoing call stands.
    Up,
    /// The call manager offers one.
    Offered,
    /// And has hung up before or while the client answered.
    Withdrawn,
    /// The client took it.
    Accepted,
    /// And was told that it is connected.
    Connected,
    /// The client asked to close it.
    Closing,
}

impl fmt::Display for Activity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Inactive => "inactive",
            Self::Activating => "being activated",
            Self::Active => "active",
            Self::Deactivating => "being deactivated",
        })
    }
}

impl fmt::Display for CallPhase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "no call",
            Self::Making => "a call being made",
            Self::Up => "a call that is up",
            Self::Offered => "a call being offered",
            Self::Withdrawn => "an offer that was withdrawn",
            Self::Accepted => "an accepted call",
            Self::Connected => "a connected call",
            Self::Closing => "a call being closed",
        })
    }
}

/// What a miniport that is no call manager has of a VC.
pub(crate) struct Third {
    pub(crate) raw: usize,
    pub(crate) context: Context,
}

/// Whose a VC is.
#[derive(Clone, Copy)]
pub(crate) struct Owners {
    /// The family of its client; None for one that a stand-alone call manager makes for
    /// itself.
    pub(crate) af: Option<u32>,
    pub(crate) served_by: Manager,
    /// The adapter that carries the data.
    pub(crate) adapter: u32,
    pub(crate) by_client: bool,
    /// The VC that it shares, one of its call manager's as a client.
    pub(crate) lower: Option<u32>,
}

/// A virtual connection.
pub(crate) struct Vc {
    pub(crate) client_raw: usize,
    pub(crate) manager_raw: usize,
    /// As in [`Owners`].
    pub(crate) af: Option<u32>,
    pub(crate) served_by: Manager,
    pub(crate) adapter: u32,
    pub(crate) by_client: bool,
    pub(crate) client_context: Context,
    /// For an MCM, its one context for both halves.
    pub(crate) manager_context: Context,
    /// Where the miniport is no MCM.
    pub(crate) miniport: Option<Third>,
    pub(crate) activity: Activity,
    /// An activation pends that changes the parameters of an active VC.
    pub(crate) was_active: bool,
    /// What a miniport is asked, where it is no MCM.
    pub(crate) activation: Request,
    pub(crate) deactivation: Request,
    /// The call manager's parameters of the activation that the miniport is asked for.
    pub(crate) parameters: Ptr<CO_CALL_PARAMETERS>,
    pub(crate) activations: u32,
    pub(crate) activation_loan: Option<Loan>,
    pub(crate) phase: CallPhase,
    /// The phase that a refused close goes back to.
    pub(crate) before_close: CallPhase,
    /// How often the call manager has refused to close the call.
    pub(crate) refusals: u32,
    pub(crate) calls: u32,
    pub(crate) make: Request,
    pub(crate) close: Request,
    pub(crate) offer: Request,
    /// When the call manager had been told that the client refused the offer; the end of
    /// time before that, None when it did not refuse.
    pub(crate) refused_at: Option<u64>,
    /// The offer was withdrawn: no answer makes a call of it.
    pub(crate) withdrawn: bool,
    /// The client's answer, when the offer's handler has not returned yet.
    pub(crate) modify: Request,
    /// The call manager has announced the end of the call.
    pub(crate) incoming_close: bool,
    /// That announcement has reached the client.
    pub(crate) told: bool,
    /// And that the client has not answered it is reported.
    pub(crate) blamed: bool,
    /// When the announcement was over; the end of time while it is being made.
    pub(crate) told_at: u64,
    /// When the client's handler for that had returned: what it begins to send
    /// afterwards it sends knowingly.
    pub(crate) heard_at: u64,
    /// Since when the client knows that its send window is zero.
    pub(crate) window_shut: Option<u64>,
    /// What the client has asked of its call, of a family that speaks TAPI (TAPI-09).
    pub(crate) asked_flow: Option<[Flow; 2]>,
    /// Lists that the miniport has not completed.
    pub(crate) sends: u32,
    /// Lists that the client has not returned.
    pub(crate) receives: u32,
    /// Calls that indicate data on it and have not returned.
    pub(crate) indicating: u32,
    /// Those of them whose lists come back with their return.
    pub(crate) lending: u32,
    pub(crate) multipoint: bool,
    /// The party that came with the call.
    pub(crate) first_party: Option<u32>,
    /// The client has deleted its VC before the call manager deactivated it.
    pub(crate) deleting: bool,
    /// The VC beneath that it shares, which carries its data.
    pub(crate) lower: Option<u32>,
    /// The VC that shares this one.
    pub(crate) upper: Option<u32>,
    /// The drivers are being told that it is deleted.
    pub(crate) going: bool,
    /// Its name for those who manage the machine.
    pub(crate) named: Option<Named>,
}

/// The name of a VC.
pub(crate) struct Named {
    /// What the driver proposed.
    pub(crate) base: String,
    /// What NDIS made of it.
    pub(crate) name: String,
    /// What the drivers have it in.
    pub(crate) copies: Vec<Loan>,
}

impl Vc {
    /// A VC that its client made, or its call manager, with the context of that side.
    pub(crate) fn new(
        (client_raw, manager_raw): (usize, usize),
        owners: Owners,
        context: Context,
    ) -> Self {
        let Owners {
            af,
            served_by,
            adapter,
            by_client,
            lower,
        } = owners;
        let (client_context, manager_context) = if by_client {
            (context, Context::NULL)
        } else {
            (Context::NULL, context)
        };
        Self {
            client_raw,
            manager_raw,
            af,
            served_by,
            adapter,
            by_client,
            client_context,
            manager_context,
            miniport: None,
            activity: Activity::Inactive,
            was_active: false,
            activation: Request::default(),
            deactivation: Request::default(),
            parameters: Ptr(core::ptr::null_mut()),
            activations: 0,
            activation_loan: None,
            phase: CallPhase::None,
            before_close: CallPhase::None,
            refusals: 0,
            calls: 0,
            make: Request::default(),
            close: Request::default(),
            offer: Request::default(),
            refused_at: None,
            withdrawn: false,
            modify: Request::default(),
            incoming_close: false,
            told: false,
            blamed: false,
            told_at: 0,
            heard_at: u64::MAX,
            window_shut: None,
            asked_flow: None,
            sends: 0,
            receives: 0,
            indicating: 0,
            lending: 0,
            multipoint: false,
            first_party: None,
            deleting: false,
            lower,
            upper: None,
            going: false,
            named: None,
        }
    }

    /// The call goes from one of these phases to the next. Whoever calls has looked.
    fn step(&mut self, from: &[CallPhase], to: CallPhase) {
        debug_assert!(from.contains(&self.phase), "{} to {to}", self.phase);
        self.phase = to;
    }

    /// An activation begins; it may pend, while the driver's parameters are lent.
    pub(crate) fn activate(&mut self, pends: bool, loan: Option<Loan>) {
        debug_assert!(matches!(
            self.activity,
            Activity::Inactive | Activity::Active
        ));
        self.activations += 1;
        self.activation_loan = loan;
        self.activity = if pends {
            Activity::Activating
        } else {
            Activity::Active
        };
    }

    /// It is over.
    pub(crate) fn activated(&mut self) -> Option<Loan> {
        debug_assert!(matches!(
            self.activity,
            Activity::Activating | Activity::Active
        ));
        self.activity = Activity::Active;
        self.activation_loan.take()
    }

    /// The miniport is asked to activate it, or to change its parameters.
    pub(crate) fn begin_activation(&mut self, parameters: Ptr<CO_CALL_PARAMETERS>) {
        debug_assert!(matches!(
            self.activity,
            Activity::Inactive | Activity::Active
        ));
        self.was_active = self.activity == Activity::Active;
        self.activity = Activity::Activating;
        self.parameters = parameters;
    }

    /// And has answered: a refusal leaves it as it was.
    pub(crate) fn end_activation(&mut self, status: i32) {
        debug_assert_eq!(self.activity, Activity::Activating);
        let done = status == NDIS_STATUS_SUCCESS;
        self.activations += u32::from(done);
        self.activity = if done || self.was_active {
            Activity::Active
        } else {
            Activity::Inactive
        };
        self.was_active = false;
    }

    /// Whether nobody carries its data: a stand-alone call manager's over an MCM.
    pub(crate) fn has_no_carrier(&self) -> bool {
        self.miniport.is_none() && matches!(self.served_by, Manager::Alone { .. })
    }

    /// The context of whoever carries its data, unless it shares another VC: the miniport, or
    /// the MCM.
    fn carriers_context(&self) -> Context {
        self.miniport
            .as_ref()
            .map_or(self.manager_context, |third| third.context)
    }

    /// Whether data may be on its way: a change of the parameters does not stop it.
    pub(crate) fn carries(&self) -> bool {
        self.activity == Activity::Active || self.was_active
    }

    /// What of its data is still on its way, for a call that has it inactive; `ends` says when
    /// what was indicated is over.
    pub(crate) fn transfers(
        &self,
        call: &str,
        object: ObjectId,
        ends: TransferEnds,
    ) -> Option<String> {
        let (sends, receives) = (self.sends, self.receives);
        let whole = ends == TransferEnds::CallReturned;
        let running = if whole { self.indicating } else { self.lending };
        if sends + receives > 0 {
            return Some(alloc::format!(
                "{call} on {object} with {sends} sends not completed and {receives} \
                 indicated lists not returned"
            ));
        }
        (running > 0).then(|| {
            alloc::format!(
                "{call} on {object} while {running} calls of \
                 NdisMCoIndicateReceiveNetBufferLists on it have not returned"
            )
        })
    }

    /// A deactivation begins; it may pend.
    pub(crate) fn deactivate(&mut self, pends: bool) {
        debug_assert_eq!(self.activity, Activity::Active);
        self.activity = if pends {
            Activity::Deactivating
        } else {
            Activity::Inactive
        };
    }

    /// It is over.
    pub(crate) fn deactivated(&mut self) {
        debug_assert!(matches!(
            self.activity,
            Activity::Deactivating | Activity::Inactive
        ));
        self.activity = Activity::Inactive;
    }

    /// The client places a call; one with a party is multipoint.
    pub(crate) fn place(&mut self, party: Option<u32>) {
        self.step(&[CallPhase::None], CallPhase::Making);
        self.calls += 1;
        self.multipoint = party.is_some();
        self.first_party = party;
    }

    /// The call that was placed stands.
    pub(crate) fn placed(&mut self) {
        self.step(&[CallPhase::Making], CallPhase::Up);
    }

    /// The call manager offers a call.
    pub(crate) fn offer(&mut self) {
        self.step(&[CallPhase::None], CallPhase::Offered);
        self.withdrawn = false;
        self.refused_at = None;
        self.calls += 1;
    }

    /// The client is told that the call that it took is connected.
    pub(crate) fn connect(&mut self) {
        self.step(&[CallPhase::Accepted], CallPhase::Connected);
    }

    /// The client closes the call.
    pub(crate) fn begin_close(&mut self) {
        self.before_close = self.phase;
        self.step(
            &[
                CallPhase::Up,
                CallPhase::Accepted,
                CallPhase::Connected,
                CallPhase::Withdrawn,
            ],
            CallPhase::Closing,
        );
    }

    /// The call manager has refused to.
    pub(crate) fn close_refused(&mut self) {
        self.step(&[CallPhase::Closing], self.before_close);
        self.refusals = self.refusals.saturating_add(1);
    }

    /// There is no call any more; the party that came with it.
    pub(crate) fn call_over(&mut self) -> Option<u32> {
        self.step(&[CallPhase::Making, CallPhase::Closing], CallPhase::None);
        self.refusals = 0;
        self.incoming_close = false;
        self.told = false;
        self.blamed = false;
        self.heard_at = u64::MAX;
        self.first_party.take()
    }

    /// The call manager announces the end of the call, which the client must answer unless
    /// it is closing the call already.
    pub(crate) fn hang_up(&mut self) {
        self.incoming_close = true;
        self.told |= self.phase != CallPhase::Closing;
        self.told_at = u64::MAX;
    }

    /// The client has answered the offer, which nobody may have withdrawn before.
    pub(crate) fn take_answer(&mut self, status: i32) {
        let accepted = status == NDIS_STATUS_SUCCESS;
        if !accepted {
            self.refused_at = Some(u64::MAX);
        }
        if self.phase == CallPhase::Offered {
            self.phase = if accepted {
                CallPhase::Accepted
            } else {
                CallPhase::None
            };
        }
    }

    /// The call manager hangs up before it has heard what the client says to its offer.
    pub(crate) fn withdraw(&mut self) {
        self.step(&[CallPhase::Offered, CallPhase::None], CallPhase::Withdrawn);
        self.withdrawn = true;
        self.hang_up();
    }
}

/// VCs that are joined: one shares the data of another, the one beneath.
impl World {
    /// The VC that carries the data of this one: another, where it shares that.
    pub(crate) fn carrying(&self, vc: u32) -> u32 {
        self.vcs.get(&vc).and_then(|vc| vc.lower).unwrap_or(vc)
    }

    /// The VC whose client gets what is indicated on this one: another, where that shares it.
    pub(crate) fn taking(&self, vc: u32) -> u32 {
        self.vcs.get(&vc).and_then(|vc| vc.upper).unwrap_or(vc)
    }

    /// The context of whoever carries the data of a VC: the miniport, or the MCM.
    pub(crate) fn carriers_context(&self, vc: u32) -> Option<Context> {
        let vc = self.vcs.get(&self.carrying(vc))?;
        Some(vc.carriers_context())
    }

    /// A VC that shares another is there.
    pub(crate) fn join(&mut self, upper: u32, lower: u32) {
        if let Some(vc) = self.vcs.get_mut(&lower) {
            vc.upper = Some(upper);
        }
    }

    /// One of two joined VCs is gone.
    pub(crate) fn part(&mut self, gone: &Vc) {
        if let Some(lower) = gone.lower.and_then(|vc| self.vcs.get_mut(&vc)) {
            lower.upper = None;
        }
        if let Some(upper) = gone.upper.and_then(|vc| self.vcs.get_mut(&vc)) {
            upper.lower = None;
        }
    }
}
