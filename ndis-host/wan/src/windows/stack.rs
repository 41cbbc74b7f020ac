//! [`Stack`]: what is above NDISWAN in a test.

use super::view::{CallView, Frame};
use crate::ndiswan::{Link, LinkView, Port, Ppp};
use ndis_co::{
    Status,
    irql::{Passive, UpToDispatch},
    mem::Arc as PoolArc,
    oid::{Answered, Counter, Oid, OutgoingRequest, ToAdapter, known, number},
    wan::{Framing, Info, Statistics},
};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    vec::Vec,
};

/// What a test wants done with a link.
pub(super) enum Order {
    Send(u16, Vec<u8>),
    HangUp,
    Statistics,
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
    ports: BTreeMap<u32, PoolArc<Port<Above>>>,
    /// By the number of the call, as long as each is up.
    links: BTreeMap<u32, PoolArc<Link<Above>>>,
    /// Orders, each for the adapter that carries it out.
    orders: VecDeque<(u32, u32, Order)>,
    counters: VecDeque<(u32, Oid<u64, Counter, ToAdapter>)>,
    infos: BTreeMap<u32, Result<Info, Status>>,
    answers: BTreeMap<(u32, u32), Result<u64, Status>>,
    seen: BTreeMap<u32, Seen>,
}

/// What was seen of a call's link.
#[derive(Default)]
struct Seen {
    view: Option<LinkView>,
    is_up: bool,
    received: Vec<Frame>,
    statistics: Option<Result<Statistics, Status>>,
    refused: Vec<Status>,
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

    /// Has an order carried out for a call.
    pub(super) fn tell(&self, call: u32, order: Order) {
        let link = {
            let mut inner = self.inner();
            let link = inner.links.get(&call).cloned();
            match &link {
                Some(link) => {
                    let adapter = link.port().number();
                    inner.orders.push_back((adapter, call, order));
                }
                None => inner.refuse(call, Status::TAPI_INVALCALLSTATE),
            }
            link
        };
        if let Some(link) = link {
            Port::wake(link.port());
        }
    }

    /// Has an adapter asked for a counter.
    pub(super) fn ask(&self, adapter: u32, oid: Oid<u64, Counter, ToAdapter>) {
        let port = {
            let mut inner = self.inner();
            let port = inner.ports.get(&adapter).cloned();
            if port.is_some() {
                inner.counters.push_back((adapter, oid));
            } else {
                let key = (adapter, oid.number());
                inner.answers.insert(key, Err(Status::TAPI_NODEVICE));
            }
            port
        };
        if let Some(port) = port {
            Port::wake(&port);
        }
    }

    pub(super) fn counter(&self, adapter: u32, oid: u32) -> Option<Result<u64, Status>> {
        self.inner().answers.get(&(adapter, oid)).copied()
    }

    pub(super) fn info(&self, adapter: u32) -> Option<Result<Info, Status>> {
        self.inner().infos.get(&adapter).copied()
    }

    pub(super) fn received(&self, call: u32) -> Vec<Frame> {
        let inner = self.inner();
        let seen = inner.seen.get(&call);
        seen.map(|seen| seen.received.clone()).unwrap_or_default()
    }

    /// What is known of the link of a call.
    pub(super) fn fill(&self, view: &mut CallView) {
        let inner = self.inner();
        if let Some(seen) = inner.seen.get(&view.id.0) {
            view.link = seen.view;
            view.is_up = seen.is_up;
            view.statistics = seen.statistics;
            view.refused = seen.refused.clone();
        }
    }

    fn next(&self, adapter: u32) -> Option<(u32, Order, Option<PoolArc<Link<Above>>>)> {
        let mut inner = self.inner();
        let place = inner.orders.iter().position(|(of, ..)| *of == adapter)?;
        let (_, call, order) = inner.orders.remove(place)?;
        Some((call, order, inner.links.get(&call).cloned()))
    }

    fn next_counter(&self, adapter: u32) -> Option<Oid<u64, Counter, ToAdapter>> {
        let mut inner = self.inner();
        let place = inner.counters.iter().position(|(of, _)| *of == adapter)?;
        inner.counters.remove(place).map(|(_, oid)| oid)
    }

    /// Looks at a link, and keeps what there is to see.
    fn look(&self, link: &PoolArc<Link<Above>>, irql: &mut UpToDispatch) -> u32 {
        let view = link.view(irql);
        self.inner().seen(view.call).view = Some(view);
        view.call
    }
}

impl Inner {
    fn seen(&mut self, call: u32) -> &mut Seen {
        self.seen.entry(call).or_default()
    }

    fn refuse(&mut self, call: u32, status: Status) {
        self.seen(call).refused.push(status);
    }
}

impl Ppp for Above {
    fn framing(&self) -> Framing {
        self.0.framing
    }

    fn opened(&self, port: &PoolArc<Port<Self>>, _: &mut Passive) {
        self.0.inner().ports.insert(port.number(), port.clone());
    }

    fn closed(&self, port: &PoolArc<Port<Self>>, _: &mut UpToDispatch) {
        let held = self.0.inner().ports.remove(&port.number());
        drop(held);
    }

    fn work(&self, port: &PoolArc<Port<Self>>, irql: &mut Passive) {
        while let Some((call, order, link)) = self.0.next(port.number()) {
            let link = link.ok_or(Status::CLOSING);
            let done = link.and_then(|link| match &order {
                Order::Send(protocol, payload) => Link::send(&link, *protocol, payload, irql),
                Order::HangUp => link.hang_up(irql),
                Order::Statistics => {
                    // The header has more counters than the page: who answers only those of the
                    // page says so by how much it writes.
                    let oid = known::WAN_CO_GET_STATS_INFO;
                    link.ask(OutgoingRequest::query(oid)?, irql)
                }
            });
            if let Err(status) = done {
                self.0.inner().refuse(call, status);
            }
        }
        while let Some(oid) = self.0.next_counter(port.number()) {
            let asked = OutgoingRequest::query(oid).map_err(Status::from);
            if let Err(status) = asked.and_then(|query| port.ask(query, irql)) {
                let key = (port.number(), oid.number());
                self.0.inner().answers.insert(key, Err(status));
            }
        }
    }

    fn up(&self, link: &PoolArc<Link<Self>>, irql: &mut UpToDispatch) {
        let call = self.0.look(link, irql);
        let before = {
            let mut inner = self.0.inner();
            inner.seen(call).is_up = true;
            inner.links.insert(call, link.clone())
        };
        drop(before);
    }

    fn received(
        &self,
        link: &PoolArc<Link<Self>>,
        protocol: u16,
        payload: &[u8],
        irql: &mut UpToDispatch,
    ) {
        let call = link.view(irql).call;
        let payload = payload.into();
        let frame = Frame { protocol, payload };
        self.0.inner().seen(call).received.push(frame);
    }

    fn changed(&self, link: &PoolArc<Link<Self>>, irql: &mut UpToDispatch) {
        self.0.look(link, irql);
    }

    fn down(&self, link: &PoolArc<Link<Self>>, irql: &mut UpToDispatch) {
        let call = self.0.look(link, irql);
        let held = {
            let mut inner = self.0.inner();
            inner.seen(call).is_up = false;
            inner.links.remove(&call)
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
        let Some(link) = link else {
            if answered.oid() == number::WAN_CO_GET_INFO {
                let info = port.info(irql);
                self.0.inner().infos.insert(adapter, info);
            } else {
                let oid: Oid<u64, Counter, ToAdapter> = Oid::new(answered.oid());
                let key = (adapter, answered.oid());
                self.0.inner().answers.insert(key, answered.value(oid));
            }
            return;
        };
        if answered.oid() == number::WAN_CO_GET_STATS_INFO {
            let call = link.view(irql).call;
            let counters = answered.result();
            let counters = counters.and_then(|()| Statistics::parse_answer(answered.bytes()));
            self.0.inner().seen(call).statistics = Some(counters);
        }
    }
}
