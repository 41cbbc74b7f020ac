//! NDPROXY: what stands between TAPI and the call managers of WAN adapters.
//!
//! On each adapter it is two things at once. To the adapter's call manager it is a client of the
//! family TAPI_PROXY: it asks what the lines can do, takes and places calls. To whoever carries
//! the data of calls, NDISWAN, it is the call manager of the family TAPI:
//!
//! ```text
//! application --- Tapi --- Ndproxy ------- TAPI_PROXY, as a client ------- the adapter's MCM
//!                             |                       the VC of the call
//!                             |                               | joined
//!                             +--- TAPI, as a manager --- NDISWAN
//! ```
//!
//! When a call is up, the application asks for the device of a class behind it (`lineGetID`), which
//! for PPP is `NDIS`. NDPROXY finds the client that has registered a SAP with this string, makes a
//! VC to it, joined with the VC of the call, and offers it the call as one that comes in, whichever
//! way it went. When that client takes it, the application gets the string by which NDIS knows the
//! new VC (`NdisCoGetTapiCallId`): with this it goes to NDISWAN, which makes its own VC of it
//! ([`ndiswan::Port::link_of`](crate::ndiswan::Port::link_of)).
//!
//! The application is [`Tapi`]: a test, or what the registry says ([`Configured`]).
//!
//! Source pages: [ndproxy-overview](https://learn.microsoft.com/windows-hardware/drivers/network/ndproxy-overview),
//! [condis-tapi-registration](https://learn.microsoft.com/windows-hardware/drivers/network/condis-tapi-registration),
//! [making-outgoing-calls](https://learn.microsoft.com/windows-hardware/drivers/network/making-outgoing-calls),
//! [accepting-incoming-calls](https://learn.microsoft.com/windows-hardware/drivers/network/accepting-incoming-calls),
//! [condis-tapi-shutdown](https://learn.microsoft.com/windows-hardware/drivers/network/condis-tapi-shutdown).
#![forbid(unsafe_code)]

mod caps;
mod client;
mod configured;
mod manager;
mod offer;
mod port;

pub use caps::Line;
pub use configured::Configured;
pub use port::{Call, Port};

use core::sync::atomic::{AtomicU32, Ordering};
use ndis_co::{
    AsBoth, Binding, NewBinding, OpenedBinding, Protocol, Status,
    family::{AddressFamily, Family},
    irql::{NoLock, Passive, UpToDispatch},
    mem::{Arc, Tag},
    tapi::{CallDiagnostics, CallId, Text},
};

/// The tag of the driver's memory.
pub(crate) const TAG: Tag = Tag::new(*b"Prxy");

/// What NDPROXY offers to NDISWAN. The version is nowhere documented.
pub const TAPI: AddressFamily = AddressFamily::new(Family::TAPI, 1, 0);

/// What becomes of a call, as TAPI tells an application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallState<'a> {
    /// It is being placed.
    Dialing,
    /// Somebody calls, and waits for an answer.
    Offering {
        /// The line.
        line: u32,
        /// The address on it.
        address: u32,
        /// Who calls, as far as the network tells.
        caller: Text<'a>,
    },
    /// Both ends are connected.
    Connected,
    /// It is over, for this reason: one of [`Disconnect`](ndis_co::tapi::Disconnect) as a rule.
    Disconnected(Status),
}

/// In which order NDPROXY ends both halves of a call that the application drops. No page says.
///
/// When the far end hangs up, both end at the same time: nobody asks NDPROXY.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HangUp {
    /// First what NDISWAN has, then the call: no data are under way when the call manager hears
    /// of it.
    #[default]
    DataFirst,
    /// Both at once: the call manager may hear of it while NDISWAN still sends.
    AtOnce,
}

/// The application above: it is told of lines and calls.
///
/// Every method may be called on any processor, several at once. All but those with [`Passive`]
/// may be called at DISPATCH_LEVEL, and must not wait.
pub trait Tapi: Sized + Send + Sync + 'static {
    /// How calls are to be hung up.
    fn hang_up(&self) -> HangUp {
        HangUp::default()
    }

    /// The lines of an adapter are known: what is wanted of them is asked of `port`, which may be
    /// kept until [`closed`](Self::closed).
    fn opened(&self, port: &Arc<Port<Self>>, irql: &mut Passive) {
        let _ = (port, irql);
    }

    /// There are no lines: the call manager did not say what it can do.
    fn failed(&self, port: &Arc<Port<Self>>, status: Status, irql: &mut Passive) {
        let _ = (port, status, irql);
    }

    /// The adapter goes: let go of `port`.
    fn closed(&self, port: &Arc<Port<Self>>, irql: &mut UpToDispatch) {
        let _ = (port, irql);
    }

    /// [`Port::wake`] has asked for this.
    fn work(&self, port: &Arc<Port<Self>>, irql: &mut Passive) {
        let _ = (port, irql);
    }

    /// The call manager has taken, or refused, the SAP of a line that was opened for calls.
    fn line_opened(
        &self,
        port: &Arc<Port<Self>>,
        line: u32,
        result: Result<(), Status>,
        irql: &mut UpToDispatch,
    ) {
        let _ = (port, line, result, irql);
    }

    /// A call has come to another state.
    fn call(
        &self,
        port: &Arc<Port<Self>>,
        call: u32,
        state: CallState<'_>,
        irql: &mut UpToDispatch,
    ) {
        let _ = (port, call, state, irql);
    }

    /// What the call manager says of a call that has failed, or was closed by the other end; it is
    /// asked each time.
    fn diagnosed(
        &self,
        port: &Arc<Port<Self>>,
        call: u32,
        result: Result<CallDiagnostics<'_>, Status>,
        irql: &mut UpToDispatch,
    ) {
        let _ = (port, call, result, irql);
    }

    /// What [`Port::get_id`] has asked for: whoever carries the data of the call has taken it, and
    /// finds what it has for it by this string; or nobody carries it.
    fn got_id(
        &self,
        port: &Arc<Port<Self>>,
        call: u32,
        result: Result<&CallId, Status>,
        irql: &mut UpToDispatch,
    ) {
        let _ = (port, call, result, irql);
    }
}

/// The driver.
#[derive(Debug)]
pub struct Ndproxy<T: Tapi = Configured> {
    pub(crate) desk: Arc<Desk<T>>,
}

/// What all of the driver's adapters share.
#[derive(Debug)]
pub struct Desk<T: Tapi> {
    pub(crate) tapi: T,
    ports: AtomicU32,
    calls: AtomicU32,
}

impl<T: Tapi> Desk<T> {
    /// The application.
    #[must_use]
    pub fn tapi(&self) -> &T {
        &self.tapi
    }

    /// A number for a call: no other one has it.
    #[must_use]
    pub fn number(&self) -> u32 {
        self.calls.fetch_add(1, Ordering::Relaxed)
    }
}

impl<T: Tapi> Ndproxy<T> {
    /// The driver beneath an application.
    ///
    /// # Errors
    ///
    /// [`Status::RESOURCES`].
    pub fn try_new(tapi: T) -> Result<Self, Status> {
        let (ports, calls) = (AtomicU32::new(0), AtomicU32::new(0));
        let desk = Desk { tapi, ports, calls };
        Ok(Self {
            desk: Arc::try_new(desk, TAG)?,
        })
    }
}

impl<T: Tapi> Protocol for Ndproxy<T> {
    const NAME: &'static str = "NDPROXY";
    type Binding = Arc<Port<T>>;
    type Role = AsBoth;

    fn bind(&self, adapter: &NewBinding<'_>, _irql: &mut Passive) -> Result<Arc<Port<T>>, Status> {
        let number = self.desk.ports.fetch_add(1, Ordering::Relaxed);
        Port::try_new(&self.desk, number, adapter.scope())
    }

    fn opened(&self, binding: &OpenedBinding<'_, Self>, irql: &mut Passive) {
        // A failure leaves the calls of this adapter without data.
        let _ = binding.register_address_family(TAPI, irql);
    }

    fn unbind(&self, binding: &Binding<Self>, irql: &mut Passive) {
        Port::close(binding, irql.up_to_dispatch());
    }
}
