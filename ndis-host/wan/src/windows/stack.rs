//! [`Stack`]: what is above NDISWAN in a test.

use super::{
    Subject,
    asking::Question,
    orders::Orders,
    view::{CallId, CallView, Frame},
};
use crate::ndiswan::{Link, LinkView, Port, Ppp};
use ndis_co::{
    Status,
    irql::{Passive, UpToDispatch},
    mem::Arc as PoolArc,
    oid::{Answered, Counter, Oid, OutgoingRequest, ToAdapter, known, number},
    tapi::CallId as DeviceId,
    wan::{Framing, Info, Statistics},
};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    vec::Vec,
};

/// What a test wants done.
pub(super) enum Order {
    Send(u32, u16, Vec<u8>),
    HangUp(u32),
    Statistics(u32),
    Counter(Oid<u64, Counter, ToAdapter>),
    /// Of the adapter, about a call or all of it.
    Ask(Subject, Question),
}

impl Order {
    /// The call that it is about.
    fn call(&self) -> Option<u32> {
        match self {
            Self::Send(call, ..) | Self::HangUp(call) | Self::Statistics(call) => Some(*call),
            Self::Ask(Subject::Link(call), _) => Some(call.0),
            Self::Counter(_) | Self::Ask(..) => None,
        }
    }
}

/// An adapter, not as what it is: whether that may go to another thread depends on what is above
/// it, which is this again.
trait Adapter: Send + Sync {
    fn wake(&self);

    /// The number of a call's link.
    fn link_of(&self, id: &DeviceId, irql: &mut UpToDispatch) -> Option<u32>;
}

impl Adapter for PoolArc<Port<Above>> {
    fn wake(&self) {
        Port::wake(self);
    }

    fn link_of(&self, id: &DeviceId, irql: &mut UpToDispatch) -> Option<u32> {
        Port::link_of(self, id, irql).map(|link| link.number())
    }
}

/// A link, likewise.
trait Carrier: Send + Sync {
    fn carry_out(&self, order: &Order, irql: &mut Passive) -> Result<(), Status>;
}

impl Carrier for PoolArc<Link<Above>> {
    fn carry_out(&self, order: &Order, irql: &mut Passive) -> Result<(), Status> {
        match order {
            Order::Send(_, protocol, payload) => Link::send(self, *protocol, payload, irql),
            Order::HangUp(_) => self.hang_up(irql),
            Order::Statistics(_) => {
                let oid = known::WAN_CO_GET_STATS_INFO;
                self.ask(OutgoingRequest::query(oid)?, irql)
            }
            Order::Ask(_, question) => self.ask(question.request()?, irql),
            // It is about no call.
            Order::Counter(_) => Ok(()),
        }
    }
}

/// What NDISWAN tells.
pub(super) struct Above(pub(super) Arc<Stack>);

/// What is above the links, and what it has seen.
///
/// Its lock is never held while NDIS is called.
pub(super) struct Stack {
    framing: Framing,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    ports: BTreeMap<u32, Arc<dyn Adapter>>,
    /// By the number of the link, as long as each is up.
    links: BTreeMap<u32, Arc<dyn Carrier>>,
    /// Which link a call has: the application has told.
    of_calls: BTreeMap<u32, u32>,
    orders: Orders<Order>,
    infos: BTreeMap<u32, Result<Info, Status>>,
    counters: BTreeMap<(u32, u32), Result<u64, Status>>,
    answers: BTreeMap<(Subject, u32), Result<Vec<u8>, Status>>,
    /// By the number of the link.
    seen: BTreeMap<u32, Seen>,
    /// What could not be done, of each call.
    refused: BTreeMap<u32, Vec<Status>>,
}

/// What was seen of a call's link.
#[derive(Default)]
struct Seen {
    view: Option<LinkView>,
    is_up: bool,
    received: Vec<Frame>,
    statistics: Option<Result<Statistics, Status>>,
}

impl Stack {
    pub(super) fn new(framing: Framing) -> Self {
        Self {
            framing,
            inner: Mutex::default(),
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An order is to be carried out, after those before.
    pub(super) fn order(&self, adapter: u32, order: Order) {
        self.inner().orders.push(adapter, order);
    }

    /// Has the orders carried out that there are for an adapter.
    pub(super) fn begin_orders(&self, adapter: u32) {
        let port = {
            let mut inner = self.inner();
            let port = inner.ports.get(&adapter).cloned();
            if port.is_none() {
                inner.fail_all(adapter, Status::TAPI_NODEVICE);
            }
            port
        };
        if let Some(port) = port {
            port.wake();
        }
    }

    pub(super) fn counter(&self, adapter: u32, oid: u32) -> Option<Result<u64, Status>> {
        self.inner().counters.get(&(adapter, oid)).copied()
    }

    pub(super) fn answer(&self, subject: Subject, oid: u32) -> Option<Result<Vec<u8>, Status>> {
        self.inner().answers.get(&(subject, oid)).cloned()
    }

    pub(super) fn info(&self, adapter: u32) -> Option<Result<Info, Status>> {
        self.inner().infos.get(&adapter).copied()
    }

    /// The application has got this string for a call. Of which adapter it is, the string says:
    /// both drivers count theirs as they are bound.
    pub(super) fn introduce(&self, call: u32, id: &DeviceId, irql: &mut UpToDispatch) {
        let ports: Vec<_> = self.inner().ports.values().cloned().collect();
        let link = ports.iter().find_map(|port| port.link_of(id, irql));
        // Else the call is over already.
        if let Some(link) = link {
            self.inner().of_calls.insert(call, link);
        }
    }

    pub(super) fn received(&self, call: u32) -> Vec<Frame> {
        let mut inner = self.inner();
        let seen = inner.of_call(call);
        seen.map(|seen| seen.received.clone()).unwrap_or_default()
    }

    pub(super) fn take_received(&self, call: u32) -> Vec<Frame> {
        let mut inner = self.inner();
        let seen = inner.of_call(call);
        seen.map(|seen| std::mem::take(&mut seen.received))
            .unwrap_or_default()
    }

    /// What is known of the link of a call.
    pub(super) fn fill(&self, view: &mut CallView) {
        let mut inner = self.inner();
        let refused = inner.refused.get(&view.id.0);
        view.refused = refused.cloned().unwrap_or_default();
        if let Some(seen) = inner.of_call(view.id.0) {
            view.link = seen.view;
            view.is_up = seen.is_up;
            view.statistics = seen.statistics;
        }
    }

    /// The next order for an adapter, as [`Orders::next`], with the link that it is about.
    fn next(&self, adapter: u32, begun: bool) -> Option<(Order, Option<Arc<dyn Carrier>>)> {
        let mut inner = self.inner();
        let order = inner.orders.next(adapter, begun)?;
        let link = order
            .call()
            .and_then(|call| inner.of_calls.get(&call))
            .and_then(|link| inner.links.get(link).cloned());
        Some((order, link))
    }

    /// Looks at a link, and keeps what there is to see.
    fn look(&self, link: &PoolArc<Link<Above>>, irql: &mut UpToDispatch) {
        let view = link.view(irql);
        let mut inner = self.inner();
        let seen = inner.seen(link.number());
        // Somebody else may have looked later, and be here already.
        if seen.view.is_none_or(|old| old.looks < view.looks) {
            seen.view = Some(view);
        }
    }
}

impl Inner {
    fn seen(&mut self, link: u32) -> &mut Seen {
        self.seen.entry(link).or_default()
    }

    /// What was seen of the link of a call.
    fn of_call(&mut self, call: u32) -> Option<&mut Seen> {
        let link = self.of_calls.get(&call)?;
        self.seen.get_mut(link)
    }

    /// The call that a link is of.
    fn call_of(&self, link: u32) -> Option<u32> {
        let mut all = self.of_calls.iter();
        all.find(|(_, own)| **own == link).map(|(call, _)| *call)
    }

    /// An order could not be carried out.
    fn fail(&mut self, adapter: u32, order: &Order, status: Status) {
        match order {
            Order::Counter(oid) => {
                self.counters.insert((adapter, oid.number()), Err(status));
            }
            Order::Ask(subject, question) => {
                self.answers.insert((*subject, question.oid()), Err(status));
            }
            Order::Send(call, ..) | Order::HangUp(call) | Order::Statistics(call) => {
                self.refused.entry(*call).or_default().push(status);
            }
        }
    }

    /// None of the orders for an adapter can be carried out.
    fn fail_all(&mut self, adapter: u32, status: Status) {
        for order in self.orders.take_all(adapter) {
            self.fail(adapter, &order, status);
        }
    }
}

impl Ppp for Above {
    fn framing(&self) -> Framing {
        self.0.framing
    }

    fn opened(&self, port: &PoolArc<Port<Self>>, _: &mut Passive) {
        let number = port.number();
        let port: Arc<dyn Adapter> = Arc::new(port.clone());
        self.0.inner().ports.insert(number, port);
    }

    fn closed(&self, port: &PoolArc<Port<Self>>, _: &mut UpToDispatch) {
        let number = port.number();
        let held = {
            let mut inner = self.0.inner();
            inner.fail_all(number, Status::CLOSING);
            inner.ports.remove(&number)
        };
        drop(held);
    }

    fn work(&self, port: &PoolArc<Port<Self>>, irql: &mut Passive) {
        let mut begun = false;
        while let Some((order, link)) = self.0.next(port.number(), begun) {
            begun = true;
            let done = match (&order, link) {
                (Order::Counter(oid), _) => OutgoingRequest::query(*oid)
                    .map_err(Status::from)
                    .and_then(|query| port.ask(query, irql)),
                (Order::Ask(Subject::Adapter(_), question), _) => question
                    .request()
                    .and_then(|request| port.ask(request, irql)),
                (order, Some(link)) => link.carry_out(order, irql),
                (_, None) => Err(Status::TAPI_INVALCALLSTATE),
            };
            if let Err(status) = done {
                self.0.inner().fail(port.number(), &order, status);
            }
        }
    }

    fn up(&self, link: &PoolArc<Link<Self>>, irql: &mut UpToDispatch) {
        self.0.look(link, irql);
        let before = {
            let mut inner = self.0.inner();
            inner.seen(link.number()).is_up = true;
            inner.links.insert(link.number(), Arc::new(link.clone()))
        };
        drop(before);
    }

    fn received(
        &self,
        link: &PoolArc<Link<Self>>,
        protocol: u16,
        payload: &[u8],
        _: &mut UpToDispatch,
    ) {
        let payload = payload.into();
        let frame = Frame { protocol, payload };
        self.0.inner().seen(link.number()).received.push(frame);
    }

    fn changed(&self, link: &PoolArc<Link<Self>>, irql: &mut UpToDispatch) {
        self.0.look(link, irql);
    }

    fn down(&self, link: &PoolArc<Link<Self>>, irql: &mut UpToDispatch) {
        self.0.look(link, irql);
        let held = {
            let mut inner = self.0.inner();
            inner.seen(link.number()).is_up = false;
            inner.links.remove(&link.number())
        };
        drop(held);
    }

    fn answered(
        &self,
        port: &PoolArc<Port<Self>>,
        link: Option<&PoolArc<Link<Self>>>,
        answered: &Answered<ToAdapter>,
        irql: &mut UpToDispatch,
    ) {
        let adapter = port.number();
        let answer = answered.result().map(|()| Vec::from(answered.bytes()));
        {
            let mut inner = self.0.inner();
            let subject = match link {
                // Who asks about a link knows the call that it is of.
                Some(link) => inner
                    .call_of(link.number())
                    .map(|call| Subject::Link(CallId(call))),
                None => Some(Subject::Adapter(adapter)),
            };
            if let Some(subject) = subject {
                inner.answers.insert((subject, answered.oid()), answer);
            }
        }
        let Some(link) = link else {
            if answered.oid() == number::WAN_CO_GET_INFO {
                let info = port.info(irql);
                self.0.inner().infos.insert(adapter, info);
            } else {
                let oid: Oid<u64, Counter, ToAdapter> = Oid::new(answered.oid());
                let key = (adapter, answered.oid());
                self.0.inner().counters.insert(key, answered.value(oid));
            }
            return;
        };
        if answered.oid() == number::WAN_CO_GET_STATS_INFO {
            let counters = answered.result();
            let counters = counters.and_then(|()| Statistics::parse_answer(answered.bytes()));
            self.0.inner().seen(link.number()).statistics = Some(counters);
        }
    }
}
