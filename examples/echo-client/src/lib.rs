//! A CoNDIS client that takes calls and echoes every frame, and that places
//! calls and checks the echo.
//!
//! What it does beyond that is up to its [`Application`]: which number it
//! registers, what it sends, what becomes of what arrives. The driver as Windows
//! loads it does what its registry key says, see [`Configured`]; a test or the
//! demo brings its own application.
//!
//! A placed call goes like this: a few frames are sent at once, each echo lets
//! the next one go, and after the last echo the client hangs up.

#![no_std]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod application;
mod configured;
mod conversation;
mod desk;
mod trunk;

pub use application::{Application, At, Dial, Redial};
pub use configured::Configured;
pub use conversation::Conversation;
pub use desk::Desk;
pub use trunk::{Redials, Trunk};

use ndis_co::{
    Answer, Load, ServiceKey, Status,
    address::SapAddressBuf,
    client::{
        Af, AfOffer, AsClient, Binding, Client, IncomingCall, NewBinding, OpenAf, Protocol,
        Received, Sap, Vc,
    },
    family::{AddressFamily, Family},
    irql::{Passive, UpToDispatch},
    mem::{Arc, Tag},
    nbl::NetBufferListPool,
    params::CallParameters,
};

/// The tag of the client's memory.
pub(crate) const TAG: Tag = Tag::new(*b"Echo");

/// The address family that the client opens, in this version.
pub const ADDRESS_FAMILY: AddressFamily = AddressFamily::new(Family::new(0x4C6F_6F70), 1, 0);

/// The type of a SAP, and of a call's specific parameters: a number.
pub const ADDRESS_NUMBER: u32 = 1;

/// The longest frame, in bytes.
pub const MAX_FRAME: usize = 16 * 1024;

/// The driver.
#[derive(Debug)]
pub struct EchoClient<A: Application = Configured> {
    desk: Arc<Desk<A>>,
}

/// What the client keeps for one adapter.
#[derive(Debug)]
pub struct Port {
    pub(crate) pool: NetBufferListPool,
}

impl<A: Application> EchoClient<A> {
    /// Makes a client for an application.
    ///
    /// # Errors
    ///
    /// [`Status::RESOURCES`].
    pub fn try_new(application: A) -> Result<Self, Status> {
        Ok(Self {
            desk: Arc::try_new(Desk::new(application), TAG)?,
        })
    }

    /// Where calls are placed; it can be kept while the driver runs.
    #[must_use]
    pub fn desk(&self) -> Arc<Desk<A>> {
        self.desk.clone()
    }

    fn application(&self) -> &A {
        self.desk.application()
    }
}

impl Load for EchoClient {
    fn load(key: &ServiceKey<'_>, irql: &mut Passive) -> Result<Self, Status> {
        Self::try_new(Configured::read(key, irql)?)
    }
}

impl<A: Application> Protocol for EchoClient<A> {
    const NAME: &'static str = "ECHO";
    type Binding = Port;
    type Role = AsClient;

    fn bind(&self, adapter: &NewBinding<'_>, _irql: &mut Passive) -> Result<Port, Status> {
        Ok(Port {
            pool: NetBufferListPool::for_sends(adapter.scope(), TAG)?,
        })
    }

    fn unbind(&self, binding: &Binding<Self>, irql: &mut Passive) {
        self.desk.close_all_on(binding, irql);
    }
}

impl<A: Application> Client for EchoClient<A> {
    type Af = Arc<Trunk<Desk<A>>>;
    type Sap = ();
    type Vc = Conversation;

    fn address_family(
        &self,
        binding: &Binding<Self>,
        offer: AfOffer<'_, Self>,
        irql: &mut Passive,
    ) {
        if offer.family() == ADDRESS_FAMILY {
            // A failure leaves this adapter without calls; there is nobody to
            // tell.
            let _ = Trunk::try_new(&self.desk, binding.scope())
                .and_then(|trunk| offer.open(trunk, irql));
        }
    }

    fn af_opened(&self, af: OpenAf<Self>, irql: &mut Passive) {
        // Before the number is registered: a call may come at once.
        if self.desk.open(&af, irql).is_err() {
            // Without memory this adapter is left without calls: `af` closes.
            return;
        }
        if let Some(number) = self.application().number()
            && let Ok(address) = SapAddressBuf::try_new(ADDRESS_NUMBER, &number.to_le_bytes())
            && let Ok(sap) = af.register_sap((), address, irql)
        {
            // The number is ours as long as the family is open.
            let _ = sap.keep();
        }
        // It stays open until the call manager or the adapter goes.
        let _ = af.keep();
        self.application().opened(&*self.desk, irql);
    }

    fn af_closing(&self, af: &Af<Self>, irql: &mut UpToDispatch) {
        self.desk.close(af, irql);
    }

    fn af_closed(&self, af: &Af<Self>, irql: &mut UpToDispatch) {
        // Without a word before, if it was closed from this side.
        self.desk.close(af, irql);
    }

    fn sap_registered(
        &self,
        _sap: &Sap<Self>,
        result: Result<(), Status>,
        _irql: &mut UpToDispatch,
    ) {
        self.application().listening(result);
    }

    fn create_vc(&self, _af: &Af<Self>, _irql: &mut UpToDispatch) -> Result<Conversation, Status> {
        Ok(Conversation::taken())
    }

    fn incoming_call<'r>(
        &self,
        _sap: &Sap<Self>,
        call: IncomingCall<'r, Self>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        match self.application().ringing(call.parameters()) {
            Ring::Accept => {
                let (answer, call) = call.accept();
                // The conversation ends by a hang-up of either side.
                let _ = call.keep();
                answer
            }
            Ring::Refuse(status) => call.refuse(status),
            Ring::Later => {
                let (answer, pending) = call.pend();
                self.desk.ring(pending, irql);
                answer
            }
        }
    }

    fn call_connected(
        &self,
        vc: &Vc<Self>,
        _parameters: Option<CallParameters<'_>>,
        irql: &mut UpToDispatch,
    ) {
        Conversation::begin(vc, self.application(), irql);
    }

    fn call_failed(&self, vc: &Vc<Self>, status: Status, irql: &mut UpToDispatch) {
        let Some(call) = vc.placed() else { return };
        let failed = match self.application().redial(call, status) {
            None => Err(status),
            Some(again) => self.desk.wait_to_redial(&vc.af(), call, again, irql),
        };
        if failed.is_err() {
            self.application().ended(call, failed);
        }
    }

    fn call_closed(&self, vc: &Vc<Self>, irql: &mut UpToDispatch) {
        if let Some(call) = vc.placed() {
            self.application().ended(call, vc.outcome(irql));
        }
    }

    fn receive(&self, vc: &Vc<Self>, lists: Received<'_, Self>, irql: &mut UpToDispatch) {
        match vc.placed() {
            None => Conversation::echo(vc, &lists, self.application(), irql),
            Some(_) => Conversation::echoed(vc, &lists, self.application(), irql),
        }
        lists.give_back(irql);
    }
}

/// What the application wants done with an incoming call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ring {
    /// Take it at once.
    Accept,
    /// Turn it away.
    Refuse(Status),
    /// Let it ring; [`Desk::accept`] or [`Desk::refuse`] answers it.
    Later,
}

ndis_co::driver_entry!(EchoClient);
