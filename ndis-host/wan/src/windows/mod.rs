//! [`Windows`]: both drivers on a host, and what a test does with them.
//!
//! A test does what applications do: it opens lines, places calls, answers them, sends. Each of
//! these is done by a thread of the host when it runs next ([`Host::run`]), and what came of it can
//! be looked at when it has run.

mod asking;
mod load;
mod orders;
mod stack;
mod tapi;
mod view;

pub use crate::ndproxy::HangUp;
pub use asking::Subject;
pub use view::{CallId, CallView, Diagnosis, Event, Frame, LineView, State};

use crate::{
    ndiswan::{LinkView, Ndiswan, frame},
    ndproxy::{Line, Ndproxy},
};
use asking::Question;
use ndis_co::{
    Status,
    oid::{Counter, Oid, ToAdapter},
    tapi::{MediaModes, NDIS_CLASS},
    wan::{Framing, Info, Statistics},
};
use ndis_host::{Driver, Host};
use stack::Stack;
use std::{string::String, sync::Arc, vec::Vec};
use tapi::Application;

/// What the application does with calls that come in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Answering {
    /// It answers them at once.
    #[default]
    Answer,
    /// It turns them away at once.
    Reject,
    /// It lets them ring: [`Windows::answer`] or [`Windows::reject`] decides.
    Ring,
}

/// What NDPROXY and NDISWAN are to do where they have a choice.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// In which order both halves of a call end that is dropped.
    pub hang_up: HangUp,
    /// What becomes of calls that come in.
    pub answering: Answering,
    /// On which media calls are taken, on all lines, as soon as these are known; none opens them
    /// for calls that go out.
    ///
    /// Without lines that are opened so, [`Windows::open_line`] opens them.
    pub open_lines: Option<Option<MediaModes>>,
    /// How frames are to look, as far as the adapter can.
    pub framing: Framing,
    /// The class of devices that the application asks for as soon as a call is up; none leaves
    /// that to [`Windows::get_id`]. NDISWAN has registered
    /// [`NDIS_CLASS`].
    pub device_class: Option<&'static str>,
}

impl Default for Settings {
    /// All lines are open for data, and calls answered; frames are in PPP framing.
    fn default() -> Self {
        Self {
            hang_up: HangUp::default(),
            answering: Answering::default(),
            open_lines: Some(Some(MediaModes::DIGITALDATA)),
            framing: Framing::PPP,
            device_class: Some(NDIS_CLASS),
        }
    }
}

/// NDPROXY and NDISWAN on a host, with an application above.
///
/// Adapters are numbered in the order in which they are bound: when this is loaded before they are
/// added, that is the order in which they are added, and what comes again has a new number. Those
/// that are there already are bound in whatever order.
///
/// What is asked for here happens when the host runs next; what is asked of one adapter, in order.
pub struct Windows<'h> {
    host: &'h Host,
    ndproxy: Driver,
    ndiswan: Driver,
    application: Arc<Application>,
    stack: Arc<Stack>,
}

impl<'h> Windows<'h> {
    /// Loads both drivers, with the default [`Settings`].
    ///
    /// # Errors
    ///
    /// The status of a driver that does not load.
    pub fn load(host: &'h Host) -> Result<Self, Status> {
        Self::load_with(host, Settings::default())
    }

    /// Loads both drivers.
    ///
    /// # Errors
    ///
    /// The status of a driver that does not load.
    pub fn load_with(host: &'h Host, settings: Settings) -> Result<Self, Status> {
        let application = Arc::new(Application::new(settings));
        let stack = Arc::new(Stack::new(settings.framing));
        let above = tapi::Above {
            application: application.clone(),
            stack: stack.clone(),
        };
        let ndproxy = load::load(host, "ndproxy", || Ndproxy::try_new(above))?;
        let above = stack::Above(stack.clone());
        let ndiswan = match load::load(host, "ndiswan", || Ndiswan::try_new(above)) {
            Ok(driver) => driver,
            Err(status) => {
                host.unload(&ndproxy);
                return Err(status);
            }
        };
        Ok(Self {
            host,
            ndproxy,
            ndiswan,
            application,
            stack,
        })
    }

    /// Unloads both drivers; their calls end.
    pub fn unload(self) {
        self.host.unload(&self.ndiswan);
        self.host.unload(&self.ndproxy);
    }

    /// Unloads them the other way round: NDPROXY goes first.
    pub fn unload_ndproxy_first(self) {
        self.host.unload(&self.ndproxy);
        self.host.unload(&self.ndiswan);
    }

    /// What becomes of calls that come in from here on.
    pub fn set_answering(&self, answering: Answering) {
        self.application.set_answering(answering);
    }

    fn tell(&self, adapter: u32, order: tapi::Order) {
        self.application.order(adapter, order);
        let application = self.application.clone();
        self.host.spawn_of(&self.ndproxy, "application", move || {
            application.begin_orders(adapter);
        });
    }

    fn tell_about(&self, call: CallId, order: impl FnOnce(u32) -> tapi::Order) {
        if let Some(adapter) = self.application.adapter_of(call) {
            self.tell(adapter, order(call.0));
        }
    }

    fn tell_stack(&self, adapter: u32, order: stack::Order) {
        self.stack.order(adapter, order);
        self.begin(adapter);
    }

    /// Has what was asked of an adapter done.
    fn begin(&self, adapter: u32) {
        let stack = self.stack.clone();
        self.host
            .spawn_of(&self.ndiswan, "ppp", move || stack.begin_orders(adapter));
    }

    fn tell_link(&self, call: CallId, order: impl FnOnce(u32) -> stack::Order) {
        if let Some(adapter) = self.application.adapter_of(call) {
            self.tell_stack(adapter, order(call.0));
        }
    }

    /// Opens a line, for calls that come in as well when there are media for them: `lineOpen`.
    /// Whether it is open, [`line`](Self::line) tells.
    pub fn open_line(&self, adapter: u32, line: u32, media_modes: Option<MediaModes>) {
        self.tell(adapter, tapi::Order::Open(line, media_modes));
    }

    /// Closes a line, with its calls: `lineClose`.
    pub fn close_line(&self, adapter: u32, line: u32) {
        self.tell(adapter, tapi::Order::Close(line));
    }

    /// Places a call on a line, to a number in ASCII with a terminator: `lineMakeCall`.
    pub fn dial(&self, adapter: u32, line: u32, to: &str) -> CallId {
        let mut bytes = Vec::from(to);
        bytes.push(0);
        self.dial_bytes(adapter, line, &bytes)
    }

    /// As [`dial`](Self::dial), to whatever bytes: how numbers are encoded, no page says.
    pub fn dial_bytes(&self, adapter: u32, line: u32, to: &[u8]) -> CallId {
        let call = self.application.begin(adapter);
        self.tell(adapter, tapi::Order::Dial(call.0, line, to.into()));
        call
    }

    /// Answers a call that rings: `lineAnswer`.
    pub fn answer(&self, call: CallId) {
        self.tell_about(call, tapi::Order::Answer);
    }

    /// Turns a call away that rings.
    pub fn reject(&self, call: CallId) {
        self.tell_about(call, tapi::Order::Reject);
    }

    /// Hangs a call up, whatever its state: `lineDrop`.
    pub fn drop_call(&self, call: CallId) {
        self.tell_about(call, tapi::Order::Drop);
    }

    /// Asks who carries the data of a call, by a class of devices: `lineGetID`. What came of it is
    /// in [`CallView::carried`] and [`CallView::device`].
    pub fn get_id(&self, call: CallId, class: &str) {
        self.tell_about(call, |call| tapi::Order::GetId(call, class.into()));
    }

    /// Sends a frame of IPv4 over a call, after those before.
    pub fn send(&self, call: CallId, payload: &[u8]) {
        self.send_frame(call, frame::IP, payload);
    }

    /// Sends a frame over a call, of whatever protocol. What cannot be sent is in
    /// [`CallView::refused`].
    pub fn send_frame(&self, call: CallId, protocol: u16, payload: &[u8]) {
        self.tell_link(call, |call| {
            stack::Order::Send(call, protocol, payload.into())
        });
    }

    /// Sends frames of IPv4 over a call, one after the other: one thread of the host sends all, as
    /// fast as the window lets it.
    pub fn send_all<P: AsRef<[u8]>>(&self, call: CallId, payloads: impl IntoIterator<Item = P>) {
        let Some(adapter) = self.application.adapter_of(call) else {
            return;
        };
        for payload in payloads {
            let payload = payload.as_ref().into();
            self.stack
                .order(adapter, stack::Order::Send(call.0, frame::IP, payload));
        }
        self.begin(adapter);
    }

    /// Has NDISWAN end a call, as when PPP has come to an end: NDPROXY hangs up then.
    pub fn terminate(&self, call: CallId) {
        self.tell_link(call, stack::Order::HangUp);
    }

    /// Asks the adapter for the counters of a call's link: [`statistics`](Self::statistics).
    pub fn ask_statistics(&self, call: CallId) {
        self.tell_link(call, stack::Order::Statistics);
    }

    /// Asks an adapter for a counter: [`counter`](Self::counter).
    pub fn ask_counter(&self, adapter: u32, oid: Oid<u64, Counter, ToAdapter>) {
        self.tell_stack(adapter, stack::Order::Counter(oid));
    }

    /// What an adapter last answered for a counter; `None` as long as it has not.
    #[must_use]
    pub fn counter(
        &self,
        adapter: u32,
        oid: Oid<u64, Counter, ToAdapter>,
    ) -> Option<Result<u64, Status>> {
        self.stack.counter(adapter, oid.number())
    }

    /// Has NDISWAN or NDPROXY query an OID, whose query carries `about` as far as it carries
    /// anything: [`oid_answer`](Self::oid_answer).
    pub fn query_oid(&self, subject: Subject, oid: u32, about: &[u8]) {
        self.ask(subject, Question::Query(oid, about.into()));
    }

    /// Has NDISWAN or NDPROXY set an OID: [`oid_answer`](Self::oid_answer).
    pub fn set_oid(&self, subject: Subject, oid: u32, data: &[u8]) {
        self.ask(subject, Question::Set(oid, data.into()));
    }

    fn ask(&self, subject: Subject, question: Question) {
        match subject {
            Subject::Adapter(adapter) => {
                self.tell_stack(adapter, stack::Order::Ask(subject, question));
            }
            Subject::Link(call) => {
                self.tell_link(call, |_| stack::Order::Ask(subject, question));
            }
            Subject::Manager(adapter) => self.tell(adapter, tapi::Order::Ask(subject, question)),
            Subject::Call(call) => self.tell_about(call, |_| tapi::Order::Ask(subject, question)),
        }
    }

    /// What was last answered to whoever of the two drivers asked for an OID: nothing but success,
    /// to a set. `None` as long as there is no answer.
    #[must_use]
    pub fn oid_answer(&self, subject: Subject, oid: u32) -> Option<Result<Vec<u8>, Status>> {
        match subject {
            Subject::Adapter(_) | Subject::Link(_) => self.stack.answer(subject, oid),
            Subject::Manager(_) | Subject::Call(_) => self.application.answer(subject, oid),
        }
    }

    /// What the call manager of an adapter has said of its lines; empty as long as it has not.
    #[must_use]
    pub fn lines(&self, adapter: u32) -> Vec<Line> {
        self.application.lines(adapter)
    }

    /// Why there is nothing known of an adapter's lines, if its call manager did not say it.
    #[must_use]
    pub fn failure(&self, adapter: u32) -> Option<Status> {
        self.application.failure(adapter)
    }

    /// What became of opening a line.
    #[must_use]
    pub fn line(&self, adapter: u32, line: u32) -> LineView {
        self.application.line(adapter, line)
    }

    /// What an adapter has said that its links can do; `None` as long as it has not answered.
    #[must_use]
    pub fn info(&self, adapter: u32) -> Option<Result<Info, Status>> {
        self.stack.info(adapter)
    }

    /// All calls so far, in the order in which they began.
    #[must_use]
    pub fn calls(&self) -> Vec<CallView> {
        let all = self.application.calls();
        all.into_iter().map(|call| self.with_link(call)).collect()
    }

    /// A call.
    #[must_use]
    pub fn call(&self, call: CallId) -> Option<CallView> {
        let view = self.application.call(call)?;
        Some(self.with_link(view))
    }

    fn with_link(&self, mut view: CallView) -> CallView {
        self.stack.fill(&mut view);
        view
    }

    /// Calls on an adapter that ring, in the order in which they began.
    #[must_use]
    pub fn ringing(&self, adapter: u32) -> Vec<CallId> {
        let all = self.application.calls().into_iter();
        all.filter(|call| call.adapter == adapter && call.state == State::Offering)
            .map(|call| call.id)
            .collect()
    }

    /// The newest call on an adapter that came in.
    #[must_use]
    pub fn came_in(&self, adapter: u32) -> Option<CallId> {
        let all = self.application.calls().into_iter().rev();
        let mut came_in = all.filter(|call| call.adapter == adapter && !call.placed);
        came_in.next().map(|call| call.id)
    }

    /// The frames that have arrived on a call.
    #[must_use]
    pub fn received(&self, call: CallId) -> Vec<Frame> {
        self.stack.received(call.0)
    }

    /// The same, which [`received`](Self::received) does not have any more then.
    #[must_use]
    pub fn take_received(&self, call: CallId) -> Vec<Frame> {
        self.stack.take_received(call.0)
    }

    /// How the link of a call is, or last was; `None` when it never came up.
    #[must_use]
    pub fn link(&self, call: CallId) -> Option<LinkView> {
        self.call(call)?.link
    }

    /// What the adapter last answered about a call's counters.
    #[must_use]
    pub fn statistics(&self, call: CallId) -> Option<Result<Statistics, Status>> {
        self.call(call)?.statistics
    }

    /// All that has happened to calls, in order.
    #[must_use]
    pub fn events(&self) -> Vec<Event> {
        self.application.events()
    }

    /// What was asked for and could not be done, in order.
    #[must_use]
    pub fn faults(&self) -> Vec<String> {
        self.application.faults()
    }
}
