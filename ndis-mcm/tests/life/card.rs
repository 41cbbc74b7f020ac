//! A miniport call manager of safe code with hardware that can be reset, if it says so.

use ndis_co::{
    family::{AddressFamily, Family},
    indication::LinkState,
    irql::{Passive, UpToDispatch},
    params::CallParameters,
};
use ndis_mcm::{
    AcceptedCall, Adapter, Af, Answer, Attributes, CallManager, Carry, CloseCall, Initialize,
    Initialized, MakeCall, Mcm, Miniport, New, OpenAf, PendingReset, PowerSource, RegisterSap,
    Reset, Resets, Resettable, SendLists, Settings, Status, Vc,
};
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU32, Ordering::SeqCst},
};

pub const FAMILY: AddressFamily = AddressFamily::new(Family::new(0x4C69_6665), 1, 0);

/// How a reset is answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum How {
    #[default]
    Done,
    Fails,
    /// By a thread of the device's.
    Later(Settings),
    FailsLater,
    /// By dropping the pending token.
    Dropped,
}

/// What the test and the driver both see.
#[derive(Default)]
pub struct Desk<const HARD: bool> {
    pub how: Mutex<How>,
    pub hung: AtomicU32,
    pub resets: AtomicU32,
    pub pending: Mutex<Option<PendingReset<Card<HARD>>>>,
    pub adapter: Mutex<Option<Adapter<Card<HARD>>>>,
    pub vc: Mutex<Option<Vc<Card<HARD>>>>,
    /// What is sent is held.
    pub holds: AtomicU32,
    pub held: Mutex<Vec<SendLists<Card<HARD>>>>,
    pub shutdowns: AtomicU32,
    pub halts: AtomicU32,
    pub sources: Mutex<Vec<PowerSource>>,
    /// What became of an indication in the halt.
    pub in_halt: Mutex<Option<Result<(), Status>>>,
    /// With what the initialization and the restarts fail.
    pub fails: Mutex<Option<Status>>,
    pub restart_fails: Mutex<Option<Status>>,
    pub disconnected: AtomicU32,
}

/// The driver.
pub struct Card<const HARD: bool>(pub Arc<Desk<HARD>>);

impl<const HARD: bool> Miniport for Card<HARD> {
    type Adapter = ();
    type Role = Mcm;

    const RESETS: Resets<Self> = if HARD {
        Resets::of_hardware()
    } else {
        Resets::NEVER
    };

    fn initialize<'i>(
        &self,
        init: Initialize<'i, Self, New>,
        irql: &mut Passive,
    ) -> Result<Initialized<'i>, Status> {
        let connected = self.0.disconnected.load(SeqCst) == 0;
        let init = init.attributes(&Attributes::wan().connected(connected), irql)?;
        let mut init = init.adapter(())?;
        if let Some(failure) = *self.0.fails.lock().unwrap() {
            return Err(failure);
        }
        init.register_address_family(FAMILY, irql)?;
        Ok(init.finish())
    }

    fn initialized(&self, adapter: &Adapter<Self>, _: &mut Passive) {
        *self.0.adapter.lock().unwrap() = Some(adapter.clone());
    }

    fn restart(&self, _: &Adapter<Self>, _: &mut Passive) -> Result<(), Status> {
        let fails = *self.0.restart_fails.lock().unwrap();
        fails.map_or(Ok(()), Err)
    }

    fn power_source(&self, _: &Adapter<Self>, source: PowerSource, _: &mut Passive) {
        self.0.sources.lock().unwrap().push(source);
    }

    fn shutdown(&self, _: &Adapter<Self>, _: &mut Passive) {
        self.0.shutdowns.fetch_add(1, SeqCst);
    }

    fn halt(&self, adapter: &Adapter<Self>, irql: &mut Passive) {
        self.0.halts.fetch_add(1, SeqCst);
        let told = adapter.indicate(&LinkState::disconnected(), irql);
        *self.0.in_halt.lock().unwrap() = Some(told);
        self.0.adapter.lock().unwrap().take();
    }
}

impl<const HARD: bool> Resettable for Card<HARD> {
    fn is_hung(&self, _: &Adapter<Self>, _: &mut Passive) -> bool {
        self.0.hung.load(SeqCst) != 0
    }

    fn reset<'r>(
        &self,
        _: &Adapter<Self>,
        reset: Reset<'r, Self>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        self.0.resets.fetch_add(1, SeqCst);
        for lists in std::mem::take(&mut *self.0.held.lock().unwrap()) {
            lists.complete(Status::REQUEST_ABORTED, irql);
        }
        let how = *self.0.how.lock().unwrap();
        match how {
            How::Done => reset.done(Settings::Lost),
            How::Fails => reset.fail(),
            How::Later(_) | How::FailsLater => {
                let (answer, pending) = reset.pend();
                *self.0.pending.lock().unwrap() = Some(pending);
                answer
            }
            How::Dropped => reset.pend().0,
        }
    }
}

impl<const HARD: bool> Carry for Card<HARD> {
    type Vc = Vc<Self>;

    fn send(&self, _: &Vc<Self>, lists: SendLists<Self>, irql: &mut UpToDispatch) {
        if self.0.holds.load(SeqCst) == 0 {
            lists.complete(Status::SUCCESS, irql);
        } else {
            self.0.held.lock().unwrap().push(lists);
        }
    }
}

impl<const HARD: bool> CallManager for Card<HARD> {
    type Base = Adapter<Self>;
    type Af = ();
    type Sap = ();
    type Vc = ();

    fn open_af<'r>(
        &self,
        _: &Adapter<Self>,
        request: OpenAf<'r, Self>,
        _: &mut UpToDispatch,
    ) -> Answer<'r> {
        request.accept(())
    }

    fn register_sap<'r>(
        &self,
        _: &Af<Self>,
        request: RegisterSap<'r, Self>,
        _: &mut UpToDispatch,
    ) -> Answer<'r> {
        request.refuse(Status::FAILURE)
    }

    fn create_vc(&self, _: &Af<Self>, _: &mut UpToDispatch) -> Result<(), Status> {
        Ok(())
    }

    fn make_call<'r>(
        &self,
        vc: &Vc<Self>,
        request: MakeCall<'r, Self>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        *self.0.vc.lock().unwrap() = Some(vc.clone());
        request.accept(irql)
    }

    fn vc_deleted(&self, _: &Vc<Self>, _: &mut UpToDispatch) {
        self.0.vc.lock().unwrap().take();
    }

    fn incoming_call_accepted(
        &self,
        call: AcceptedCall<Self>,
        _: Option<CallParameters<'_>>,
        irql: &mut UpToDispatch,
    ) {
        call.connect(irql);
    }

    fn close_call<'r>(
        &self,
        _: &Vc<Self>,
        request: CloseCall<'r, Self>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        request.finish(irql)
    }
}
