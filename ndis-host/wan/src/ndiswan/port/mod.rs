//! [`Port`]: one adapter, with its links.

mod link;

pub use link::{Counts, Link, LinkView};

use super::{Desk, Ndiswan, Ppp, TAG};
use core::fmt;
use ndis_co::{
    Binding, Status,
    client::{Af, PendingIncomingCall},
    irql::{NoLock, Passive, UpToDispatch},
    lock::SpinLock,
    mem::{Arc, Vec},
    nbl::NetBufferListPool,
    oid::{Answered, OutgoingRequest, ToAdapter, known},
    scope::Scope,
    tapi::CallId,
    timer::{Expire, Timer},
    wan::Info,
    work::{Work, WorkItem},
};

/// One adapter: what it can do, and the links on it.
pub struct Port<P: Ppp> {
    number: u32,
    desk: Arc<Desk<P>>,
    pool: NetBufferListPool,
    state: SpinLock<State<P>>,
    item: WorkItem<Self>,
    timer: Timer<Self>,
}

struct State<P: Ppp> {
    /// The adapter goes: nothing new.
    closing: bool,
    told: Told,
    /// What the adapter can do, once it has said so.
    info: Result<Info, Status>,
    /// NDPROXY's family.
    af: Option<Af<Ndiswan<P>>>,
    links: Vec<Arc<Link<P>>>,
    /// Calls that are to be accepted.
    ringing: Vec<PendingIncomingCall<Ndiswan<P>>>,
}

/// What is known above.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Told {
    Nothing,
    /// Just being told that the family is open.
    Telling,
    Opened,
}

impl<P: Ppp> Port<P> {
    pub(super) fn try_new(
        desk: &Arc<Desk<P>>,
        number: u32,
        scope: &Scope,
    ) -> Result<Arc<Self>, Status> {
        let state = State {
            closing: false,
            told: Told::Nothing,
            info: Err(Status::PENDING),
            af: None,
            links: Vec::new(TAG),
            ringing: Vec::new(TAG),
        };
        let port = Self {
            number,
            desk: desk.clone(),
            pool: NetBufferListPool::for_sends(scope, TAG)?,
            state: SpinLock::new(state),
            item: WorkItem::try_new(scope)?,
            timer: Timer::try_new(scope)?,
        };
        Ok(Arc::try_new(port, TAG)?)
    }

    /// Which adapter it is: they are counted as they are bound, from zero.
    #[must_use]
    pub fn number(&self) -> u32 {
        self.number
    }

    /// What all adapters share.
    #[must_use]
    pub fn desk(&self) -> &Desk<P> {
        &self.desk
    }

    fn ppp(&self) -> &P {
        &self.desk.ppp
    }

    /// Has [`Ppp::work`] called soon, at PASSIVE_LEVEL. May be called at any time, at or below
    /// DISPATCH_LEVEL.
    pub fn wake(this: &Arc<Self>) {
        this.item.queue(this);
    }

    /// As [`wake`](Self::wake), so many milliseconds later. What was set before is replaced.
    pub fn wake_after(this: &Arc<Self>, milliseconds: u32) {
        this.timer.set(this, milliseconds);
    }

    /// What the adapter has said that it can do.
    ///
    /// # Errors
    ///
    /// Why it has not: [`Status::PENDING`] as long as it has not answered.
    pub fn info(&self, irql: &mut impl NoLock) -> Result<Info, Status> {
        self.state.with(irql, |state, _| state.info)
    }

    /// Asks the adapter, of whatever; the answer comes as [`Ppp::answered`].
    ///
    /// # Errors
    ///
    /// [`Status::CLOSING`], [`Status::RESOURCES`].
    pub fn ask(
        &self,
        request: OutgoingRequest<ToAdapter>,
        irql: &mut impl NoLock,
    ) -> Result<(), Status> {
        let af = self.state.with(irql, |state, _| state.af.clone());
        let binding = af.ok_or(Status::CLOSING)?.binding();
        Ok(binding.request(request, irql)?)
    }

    /// The link of a call, by the string that an application has of NDPROXY; `None` when it is
    /// over.
    pub fn link_of(&self, id: &CallId, irql: &mut impl NoLock) -> Option<Arc<Link<P>>> {
        let af = self.state.with(irql, |state, _| state.af.clone())?;
        let vc = af.binding().vc_of_tapi_call(id)?;
        Some(Arc::clone(&vc))
    }

    /// The adapter is open: what all of its links have in common is asked first.
    pub(super) fn ask_adapter(binding: &Binding<Ndiswan<P>>, irql: &mut Passive) {
        let info = OutgoingRequest::query(known::WAN_CO_GET_INFO);
        // By which door the others come, no page says: by the same one here.
        let subtype = OutgoingRequest::query(known::WAN_MEDIUM_SUBTYPE);
        let permanent = OutgoingRequest::query(known::WAN_PERMANENT_ADDRESS);
        let current = OutgoingRequest::query(known::WAN_CURRENT_ADDRESS);
        // Without memory links have no known window, and keep to one packet.
        for request in [info, subtype, permanent, current].into_iter().flatten() {
            let _ = binding.request(request, irql);
        }
    }

    /// The adapter has answered.
    pub(super) fn answered(
        this: &Arc<Self>,
        answered: &Answered<ToAdapter>,
        irql: &mut UpToDispatch,
    ) {
        if answered.oid() == known::WAN_CO_GET_INFO.number() {
            let info = answered.value(known::WAN_CO_GET_INFO);
            let info = info.map(|raw| Info::from_raw(&raw));
            this.state.with(irql, |state, _| state.info = info);
        }
        this.ppp().answered(this, None, answered, irql);
    }

    /// NDPROXY's family is open.
    pub(super) fn family_opened(this: &Arc<Self>, af: Af<Ndiswan<P>>, irql: &mut Passive) {
        let unused = this.state.with(irql, |state, _| {
            if state.closing {
                return Err(af);
            }
            state.told = Told::Telling;
            Ok(state.af.replace(af))
        });
        if unused.is_err() {
            return;
        }
        this.ppp().opened(this, irql);
        let closed = this.state.with(irql, |state, _| {
            state.told = if state.closing {
                Told::Nothing
            } else {
                Told::Opened
            };
            state.closing
        });
        if closed {
            this.ppp().closed(this, irql.up_to_dispatch());
        }
    }

    /// NDPROXY's family is closed.
    pub(super) fn family_closed(this: &Arc<Self>, irql: &mut UpToDispatch) {
        drop(this.state.with(irql, |state, _| state.af.take()));
    }

    /// The adapter goes: its calls are closed next.
    pub(super) fn close(this: &Arc<Self>, irql: &mut UpToDispatch) {
        let (tell, af, ringing) = this.state.with(irql, |state, _| {
            state.closing = true;
            let tell = state.told == Told::Opened;
            if tell {
                state.told = Told::Nothing;
            }
            (tell, state.af.take(), state.ringing.take())
        });
        drop(af);
        this.timer.cancel();
        for call in ringing {
            call.refuse(Status::CLOSING, irql);
        }
        if tell {
            this.ppp().closed(this, irql);
        }
    }

    /// Frames that had to wait may go.
    pub(super) fn restarted(this: &Arc<Self>, irql: &mut UpToDispatch) {
        let mut place = 0;
        // One that is over meanwhile leaves its place to the last one.
        while let Some(link) = this
            .state
            .with(irql, |state, _| state.links.get(place).cloned())
        {
            place = place.saturating_add(1);
            Link::pump(&link, irql);
        }
    }

    /// A call is accepted from a work item.
    pub(super) fn accept_soon(
        this: &Arc<Self>,
        call: PendingIncomingCall<Ndiswan<P>>,
        irql: &mut UpToDispatch,
    ) {
        let unused = this.state.with(irql, |state, _| {
            if state.closing {
                return Some(call);
            }
            // Without memory it is dropped, which refuses it.
            let _ = state.ringing.try_push(call);
            None
        });
        match unused {
            Some(call) => call.refuse(Status::CLOSING, irql),
            None => Self::wake(this),
        }
    }

    fn add(&self, link: &Arc<Link<P>>, irql: &mut UpToDispatch) {
        // Without memory, or when the adapter goes, it does not hear of a restart.
        let _ = self
            .state
            .with(irql, |state, _| state.links.try_push(link.clone()));
    }

    fn remove(&self, link: &Arc<Link<P>>, irql: &mut UpToDispatch) {
        let gone = self.state.with(irql, |state, _| {
            state.links.take_first(|other| Arc::ptr_eq(other, link))
        });
        drop(gone);
    }
}

impl<P: Ppp> Work for Port<P> {
    fn run(this: &Arc<Self>, irql: &mut Passive) {
        let ringing = this.state.with(irql, |state, _| state.ringing.take());
        for call in ringing {
            // It ends by a hang-up of either side.
            let _ = call.accept(irql).keep();
        }
        this.ppp().work(this, irql);
    }
}

impl<P: Ppp> Expire for Port<P> {
    fn expired(this: &Arc<Self>, _irql: &mut UpToDispatch) {
        Self::wake(this);
    }
}

impl<P: Ppp> fmt::Debug for Port<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Port")
            .field("number", &self.number)
            .finish_non_exhaustive()
    }
}
