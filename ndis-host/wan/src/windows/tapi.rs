//! [`Application`]: what is above NDPROXY in a test.

use super::{
    Answering, Settings, Subject,
    asking::Question,
    orders::Orders,
    stack::Stack,
    view::{CallId, CallView, Diagnosis, Event, LineView, State},
};
use crate::ndproxy::{CallState, HangUp, Line, Port, Tapi};
use ndis_co::{
    Status,
    irql::{Passive, UpToDispatch},
    mem::Arc as PoolArc,
    tapi::{CallDiagnostics, CallId as DeviceId, MediaModes},
};
use std::{
    collections::BTreeMap,
    format,
    string::{String, ToString},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    vec::Vec,
};

/// What a test wants done.
pub(super) enum Order {
    Open(u32, Option<MediaModes>),
    Close(u32),
    Dial(u32, u32, Vec<u8>),
    Answer(u32),
    Reject(u32),
    Drop(u32),
    GetId(u32, String),
    /// Of the call manager, about a call or its family.
    Ask(Subject, Question),
}

/// An adapter that can be told that there is something to do. Not as what it is: whether that may
/// go to another thread depends on what is above it, which is this again.
trait Wake: Send + Sync {
    fn wake(&self);
}

impl Wake for PoolArc<Port<Above>> {
    fn wake(&self) {
        Port::wake(self);
    }
}

/// What NDPROXY tells.
pub(super) struct Above {
    pub(super) application: Arc<Application>,
    /// With whom the application talks about the data of its calls.
    pub(super) stack: Arc<Stack>,
}

/// The application: what it was told to do, and what it has seen.
///
/// Its lock is never held while NDIS is called.
pub(super) struct Application {
    settings: Settings,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    answering: Answering,
    /// The adapters whose lines are known.
    ports: BTreeMap<u32, Arc<dyn Wake>>,
    orders: Orders<Order>,
    lines: BTreeMap<u32, Vec<Line>>,
    failures: BTreeMap<u32, Status>,
    open: BTreeMap<(u32, u32), LineView>,
    /// In the order in which they began.
    calls: Vec<CallView>,
    events: Vec<Event>,
    faults: Vec<String>,
    answers: BTreeMap<(Subject, u32), Result<Vec<u8>, Status>>,
    /// Numbers of calls that are placed count down, those that come in count up.
    placed: u32,
}

impl Application {
    pub(super) fn new(settings: Settings) -> Self {
        let inner = Inner {
            answering: settings.answering,
            ..Inner::default()
        };
        Self {
            settings,
            inner: Mutex::new(inner),
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set_answering(&self, answering: Answering) {
        self.inner().answering = answering;
    }

    /// A number for a call that is placed.
    pub(super) fn begin(&self, adapter: u32) -> CallId {
        let mut inner = self.inner();
        let id = CallId(u32::MAX - inner.placed);
        inner.placed += 1;
        inner.calls.push(CallView::new(id, adapter, true));
        id
    }

    /// An order is to be carried out at the adapter, after those before.
    pub(super) fn order(&self, adapter: u32, order: Order) {
        self.inner().orders.push(adapter, order);
    }

    /// Has the orders carried out that there are for the adapter.
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

    pub(super) fn adapter_of(&self, call: CallId) -> Option<u32> {
        self.call(call).map(|call| call.adapter)
    }

    pub(super) fn lines(&self, adapter: u32) -> Vec<Line> {
        self.inner()
            .lines
            .get(&adapter)
            .cloned()
            .unwrap_or_default()
    }

    pub(super) fn failure(&self, adapter: u32) -> Option<Status> {
        self.inner().failures.get(&adapter).copied()
    }

    pub(super) fn line(&self, adapter: u32, line: u32) -> LineView {
        let inner = self.inner();
        inner
            .open
            .get(&(adapter, line))
            .copied()
            .unwrap_or_default()
    }

    pub(super) fn calls(&self) -> Vec<CallView> {
        self.inner().calls.clone()
    }

    pub(super) fn call(&self, id: CallId) -> Option<CallView> {
        self.inner()
            .calls
            .iter()
            .find(|call| call.id == id)
            .cloned()
    }

    pub(super) fn events(&self) -> Vec<Event> {
        self.inner().events.clone()
    }

    pub(super) fn answer(&self, subject: Subject, oid: u32) -> Option<Result<Vec<u8>, Status>> {
        self.inner().answers.get(&(subject, oid)).cloned()
    }

    pub(super) fn faults(&self) -> Vec<String> {
        self.inner().faults.clone()
    }

    /// The next order for an adapter, as [`Orders::next`].
    fn next(&self, adapter: u32, begun: bool) -> Option<Order> {
        self.inner().orders.next(adapter, begun)
    }

    /// Carries an order out.
    fn carry_out(&self, port: &PoolArc<Port<Above>>, order: &Order, irql: &mut Passive) {
        let adapter = port.number();
        let done = match order {
            Order::Open(line, media_modes) => {
                let opening = match media_modes {
                    Some(_) => LineView::Opening,
                    None => LineView::Outgoing,
                };
                // The answer may come at once.
                let before = self.inner().open.insert((adapter, *line), opening);
                let opened = Port::open_line(port, *line, *media_modes, irql);
                if opened.is_err() {
                    let before = before.unwrap_or_default();
                    self.inner().open.insert((adapter, *line), before);
                }
                opened
            }
            Order::Close(line) => {
                let closed = Port::close_line(port, *line, irql);
                self.inner().open.remove(&(adapter, *line));
                closed
            }
            Order::Dial(call, line, to) => Port::dial(port, *call, *line, to, irql),
            Order::Answer(call) => port.answer(*call, irql),
            Order::Reject(call) => port.reject(*call, irql),
            Order::Drop(call) => port.drop_call(*call, irql),
            Order::GetId(call, class) => Port::get_id(port, *call, class, irql),
            Order::Ask(subject, question) => {
                let asked = question.request().and_then(|request| match subject {
                    Subject::Call(call) => port.ask_about(call.0, request, irql),
                    _ => port.ask(request, irql),
                });
                asked.map(|answered| {
                    let answer = answered.result().map(|()| Vec::from(answered.bytes()));
                    let key = (*subject, question.oid());
                    self.inner().answers.insert(key, answer);
                })
            }
        };
        if let Err(status) = done {
            self.inner().fail(adapter, order, status);
        }
    }
}

impl Inner {
    /// An order could not be carried out.
    fn fail(&mut self, adapter: u32, order: &Order, status: Status) {
        if let Order::Dial(call, ..) = order {
            self.go(CallId(*call), State::Disconnected(status));
        }
        if let Order::GetId(call, _) = order
            && let Some(call) = self.find(*call)
        {
            call.carried = Some(Err(status));
        }
        if let Order::Ask(subject, question) = order {
            self.answers.insert((*subject, question.oid()), Err(status));
            return;
        }
        let what = match order {
            Order::Open(line, _) => format!("open line {line}"),
            Order::Close(line) => format!("close line {line}"),
            Order::Dial(_, line, _) => format!("dial on line {line}"),
            Order::Answer(call) => format!("answer call {call}"),
            Order::Reject(call) => format!("reject call {call}"),
            Order::Drop(call) => format!("drop call {call}"),
            Order::GetId(call, class) => format!("get the {class} of call {call}"),
            Order::Ask(_, question) => format!("ask for {:#010x}", question.oid()),
        };
        self.faults
            .push(format!("adapter {adapter}: cannot {what}: {status}"));
    }

    /// None of the orders for an adapter can be carried out.
    fn fail_all(&mut self, adapter: u32, status: Status) {
        for order in self.orders.take_all(adapter) {
            self.fail(adapter, &order, status);
        }
    }

    fn find(&mut self, call: u32) -> Option<&mut CallView> {
        let id = CallId(call);
        self.calls.iter_mut().find(|view| view.id == id)
    }

    /// A call has come to another state.
    fn go(&mut self, id: CallId, state: State) {
        self.events.push(Event { call: id, state });
        if let Some(call) = self.find(id.0) {
            call.state = state;
            call.was_connected |= state == State::Connected;
        }
    }
}

impl CallView {
    fn new(id: CallId, adapter: u32, placed: bool) -> Self {
        Self {
            id,
            adapter,
            placed,
            state: State::Asked,
            came_in_on: None,
            caller: String::new(),
            was_connected: false,
            carried: None,
            device: None,
            diagnosis: None,
            link: None,
            is_up: false,
            statistics: None,
            refused: Vec::new(),
        }
    }
}

impl Tapi for Above {
    fn hang_up(&self) -> HangUp {
        self.application.settings.hang_up
    }

    fn opened(&self, port: &PoolArc<Port<Self>>, irql: &mut Passive) {
        let lines: Vec<_> = (0..port.lines(irql))
            .filter_map(|line| port.line(line, irql))
            .collect();
        let count = lines.len() as u32;
        {
            let mut inner = self.application.inner();
            inner.lines.insert(port.number(), lines);
            inner.ports.insert(port.number(), Arc::new(port.clone()));
        }
        if let Some(media_modes) = self.application.settings.open_lines {
            for line in 0..count {
                self.application
                    .carry_out(port, &Order::Open(line, media_modes), irql);
            }
        }
    }

    fn failed(&self, port: &PoolArc<Port<Self>>, status: Status, _: &mut Passive) {
        self.application
            .inner()
            .failures
            .insert(port.number(), status);
    }

    fn closed(&self, port: &PoolArc<Port<Self>>, _: &mut UpToDispatch) {
        let number = port.number();
        let held = {
            let mut inner = self.application.inner();
            inner.fail_all(number, Status::CLOSING);
            inner.open.retain(|(adapter, _), _| *adapter != number);
            inner.ports.remove(&number)
        };
        drop(held);
    }

    fn work(&self, port: &PoolArc<Port<Self>>, irql: &mut Passive) {
        let mut begun = false;
        while let Some(order) = self.application.next(port.number(), begun) {
            begun = true;
            self.application.carry_out(port, &order, irql);
        }
    }

    fn line_opened(
        &self,
        port: &PoolArc<Port<Self>>,
        line: u32,
        result: Result<(), Status>,
        _: &mut UpToDispatch,
    ) {
        let view = result.map_or_else(LineView::Refused, |()| LineView::Open);
        let key = (port.number(), line);
        if let Some(open) = self.application.inner().open.get_mut(&key) {
            // Where one address of a line is refused, the line is.
            if !matches!(*open, LineView::Refused(_)) {
                *open = view;
            }
        }
    }

    fn call(
        &self,
        port: &PoolArc<Port<Self>>,
        call: u32,
        state: CallState<'_>,
        irql: &mut UpToDispatch,
    ) {
        let id = CallId(call);
        let answering = {
            let mut inner = self.application.inner();
            let known = match state {
                CallState::Dialing => State::Dialing,
                CallState::Offering {
                    line,
                    address,
                    caller,
                } => {
                    let mut view = CallView::new(id, port.number(), false);
                    view.came_in_on = Some((line, address));
                    view.caller = caller.to_string();
                    inner.calls.push(view);
                    State::Offering
                }
                CallState::Connected => State::Connected,
                CallState::Disconnected(reason) => State::Disconnected(reason),
            };
            inner.go(id, known);
            inner.answering
        };
        if state == CallState::Connected
            && let Some(class) = self.application.settings.device_class
            && let Err(status) = Port::get_id(port, call, class, irql)
            && let Some(view) = self.application.inner().find(call)
        {
            view.carried = Some(Err(status));
        }
        if matches!(state, CallState::Offering { .. }) {
            // It may be over already.
            let _ = match answering {
                Answering::Answer => port.answer(call, irql),
                Answering::Reject => port.reject(call, irql),
                Answering::Ring => Ok(()),
            };
        }
    }

    fn diagnosed(
        &self,
        _: &PoolArc<Port<Self>>,
        call: u32,
        result: Result<CallDiagnostics<'_>, Status>,
        _: &mut UpToDispatch,
    ) {
        let diagnosis = result.map(|said| Diagnosis {
            origin: said.origin,
            reason: said.reason,
            info: said.info.into(),
        });
        if let Some(view) = self.application.inner().find(call) {
            view.diagnosis = Some(diagnosis);
        }
    }

    fn got_id(
        &self,
        _: &PoolArc<Port<Self>>,
        call: u32,
        result: Result<&DeviceId, Status>,
        irql: &mut UpToDispatch,
    ) {
        if let Some(view) = self.application.inner().find(call) {
            view.carried = Some(result.map(drop));
            view.device = result.ok().map(DeviceId::to_string);
        }
        if let Ok(id) = result {
            self.stack.introduce(call, id, irql);
        }
    }
}
