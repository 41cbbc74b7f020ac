//! NDISWAN: what does PPP over the calls of WAN adapters.
//!
//! It is bound to each adapter, and a client of the family TAPI, which NDPROXY offers there. When
//! an application has a call up and asks for its data, NDPROXY offers the call here, as one that
//! comes in, and gives the application a string by which the call is found here
//! ([`Port::link_of`]). From then on NDISWAN has a VC of the adapter's: it asks and sets how the link is, and
//! sends and receives PPP frames on it.
//!
//! ```text
//! Ppp --- Ndiswan --- TAPI, as a client ------- NDPROXY
//!            |
//!            +-- OID_WAN_CO_*, PPP frames ----- the adapter
//! ```
//!
//! No more packets are under way on a link than its window: what the adapter says when it is bound
//! (`MaxSendWindow`), until it says something else of this link (`WAN_CO_LINKPARAMS`). The rest
//! waits here, in order.
//!
//! What is above is [`Ppp`]: a test, or what the registry says ([`Configured`]).
//!
//! Source pages: [ndiswan-overview](https://learn.microsoft.com/windows-hardware/drivers/network/ndiswan-overview),
//! [condis-tapi-registration](https://learn.microsoft.com/windows-hardware/drivers/network/condis-tapi-registration),
//! [wan-packet-framing](https://learn.microsoft.com/windows-hardware/drivers/network/wan-packet-framing),
//! [handling-queries-in-a-condis-wan-miniport-driver](https://learn.microsoft.com/windows-hardware/drivers/network/handling-queries-in-a-condis-wan-miniport-driver),
//! [setting-condis-wan-miniport-driver-information](https://learn.microsoft.com/windows-hardware/drivers/network/setting-condis-wan-miniport-driver-information),
//! [sending-packets-from-a-condis-wan-miniport-driver](https://learn.microsoft.com/windows-hardware/drivers/network/sending-packets-from-a-condis-wan-miniport-driver),
//! [indicating-condis-wan-miniport-driver-status](https://learn.microsoft.com/windows-hardware/drivers/network/indicating-condis-wan-miniport-driver-status).
#![forbid(unsafe_code)]

mod client;
mod configured;
pub mod frame;
mod port;

pub use configured::Configured;
pub use port::{Counts, Link, LinkView, Port};

use core::sync::atomic::{AtomicU32, Ordering};
use ndis_co::{
    AsClient, Binding, NewBinding, OpenedBinding, Protocol, Status,
    irql::{NoLock, Passive, UpToDispatch},
    mem::{Arc, Tag},
    oid::{Answered, ToAdapter},
    wan::Framing,
};

/// The tag of the driver's memory.
pub(crate) const TAG: Tag = Tag::new(*b"Wan ");

/// What is above: it is told of links and frames.
///
/// Every method may be called on any processor, several at once. All but those with [`Passive`]
/// may be called at DISPATCH_LEVEL, and must not wait.
pub trait Ppp: Sized + Send + Sync + 'static {
    /// How frames are to look, as far as the adapter can: what PPP would negotiate.
    /// [`Framing::PPP`] goes without saying.
    fn framing(&self) -> Framing {
        Framing::PPP
    }

    /// The adapter can be asked, and calls may come: `port` may be kept until
    /// [`closed`](Self::closed).
    fn opened(&self, port: &Arc<Port<Self>>, irql: &mut Passive) {
        let _ = (port, irql);
    }

    /// The adapter goes: let go of `port`.
    fn closed(&self, port: &Arc<Port<Self>>, irql: &mut UpToDispatch) {
        let _ = (port, irql);
    }

    /// [`Port::wake`] has asked for this.
    fn work(&self, port: &Arc<Port<Self>>, irql: &mut Passive) {
        let _ = (port, irql);
    }

    /// A link is set up: frames may be sent. It may be kept until [`down`](Self::down).
    fn up(&self, link: &Arc<Link<Self>>, irql: &mut UpToDispatch) {
        let _ = (link, irql);
    }

    /// A frame has arrived, also before [`up`](Self::up).
    fn received(
        &self,
        link: &Arc<Link<Self>>,
        protocol: u16,
        payload: &[u8],
        irql: &mut UpToDispatch,
    ) {
        let _ = (link, protocol, payload, irql);
    }

    /// The view of the link has changed: frames have gone or come back, the adapter has said
    /// something of it. This may come after [`down`](Self::down), too.
    fn changed(&self, link: &Arc<Link<Self>>, irql: &mut UpToDispatch) {
        let _ = (link, irql);
    }

    /// The call is over, with all that was sent on it: let go of `link`.
    fn down(&self, link: &Arc<Link<Self>>, irql: &mut UpToDispatch) {
        let _ = (link, irql);
    }

    /// The adapter has answered what [`Port::ask`] or [`Link::ask`] asked.
    fn answered(
        &self,
        port: &Arc<Port<Self>>,
        link: Option<&Arc<Link<Self>>>,
        answered: &Answered<ToAdapter>,
        irql: &mut UpToDispatch,
    ) {
        let _ = (port, link, answered, irql);
    }
}

/// The driver.
#[derive(Debug)]
pub struct Ndiswan<P: Ppp = Configured> {
    pub(crate) desk: Arc<Desk<P>>,
}

/// What all of the driver's adapters share.
#[derive(Debug)]
pub struct Desk<P: Ppp> {
    pub(crate) ppp: P,
    ports: AtomicU32,
    links: AtomicU32,
}

impl<P: Ppp> Desk<P> {
    /// What is above.
    #[must_use]
    pub fn ppp(&self) -> &P {
        &self.ppp
    }

    /// A number for a link.
    fn link(&self) -> u32 {
        self.links.fetch_add(1, Ordering::Relaxed)
    }
}

impl<P: Ppp> Ndiswan<P> {
    /// The driver beneath `ppp`.
    ///
    /// # Errors
    ///
    /// [`Status::RESOURCES`].
    pub fn try_new(ppp: P) -> Result<Self, Status> {
        let (ports, links) = (AtomicU32::new(0), AtomicU32::new(0));
        let desk = Desk { ppp, ports, links };
        Ok(Self {
            desk: Arc::try_new(desk, TAG)?,
        })
    }
}

impl<P: Ppp> Protocol for Ndiswan<P> {
    const NAME: &'static str = "NDISWAN";
    type Binding = Arc<Port<P>>;
    type Role = AsClient;

    fn bind(&self, adapter: &NewBinding<'_>, _irql: &mut Passive) -> Result<Arc<Port<P>>, Status> {
        let number = self.desk.ports.fetch_add(1, Ordering::Relaxed);
        Port::try_new(&self.desk, number, adapter.scope())
    }

    fn opened(&self, binding: &OpenedBinding<'_, Self>, irql: &mut Passive) {
        Port::ask_adapter(binding, irql);
    }

    fn unbind(&self, binding: &Binding<Self>, irql: &mut Passive) {
        Port::close(binding, irql.up_to_dispatch());
    }

    fn restarted(&self, binding: &Binding<Self>, irql: &mut UpToDispatch) {
        Port::restarted(binding, irql);
    }

    fn oid_completed(
        &self,
        binding: &Binding<Self>,
        answered: Answered<ToAdapter>,
        irql: &mut UpToDispatch,
    ) {
        Port::answered(binding, &answered, irql);
    }
}
