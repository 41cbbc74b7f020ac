//! Asking the miniport: as NDIS does, and as NDPROXY and NDISWAN do.

use ndis_co::{
    Status,
    oid::number,
    tapi::{AddressCaps, LineCaps},
};
use ndis_host::{Event, EventKind, EventMode, Host, OidAsk, OwnRequests, Readings};
use ndis_wan_models::{CallId, CallView, State, Subject};

use super::Row;
use crate::wan::{FAR, MINIPORT, NEAR, World, number};

/// The room for an answer, in bytes.
const ROOM: usize = 1024;

/// What a request does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Request {
    Query,
    Set,
}

/// One request, and what became of it.
#[derive(Clone, Debug)]
pub struct Reply {
    pub oid: u32,
    pub request: Request,
    /// The miniport's handler, as the log has it, and whether it was asked about a VC.
    pub door: String,
    /// The answer to a query, or what was set; else the status.
    pub result: Result<Vec<u8>, Status>,
}

/// Has everything asked on a host that makes its own requests by this door.
pub fn on_a_host(seed: u64, own_requests: OwnRequests) -> Result<Vec<Reply>, String> {
    let readings = Readings {
        own_requests,
        ..Readings::default()
    };
    let host = Host::builder()
        .seed(seed)
        .readings(readings)
        .events(EventMode::Last(4000))
        .build();
    let stopped = |status: i32| format!("the run stopped with status {status:#010x}");
    let mut world = World::load(&host).map_err(stopped)?;
    world.start().map_err(stopped)?;
    let call = world.windows.dial(NEAR, 0, &number(0).map_err(stopped)?);
    host.run();
    let is_up = |view: CallView| view.state == State::Connected && view.is_up;
    let ends = [Some(call), world.windows.came_in(FAR)];
    if !ends
        .iter()
        .all(|end| end.is_some_and(|end| world.windows.call(end).is_some_and(is_up)))
    {
        return Err("no call has come up".to_owned());
    }
    // So that there is something to count.
    for (end, length) in [(0, 100), (0, 1400), (0, 1), (1, 500)] {
        if let Some(end) = ends[end] {
            world.windows.send(end, &vec![1; length]);
        }
    }
    host.run();
    let mut asking = Asking {
        host: &host,
        world: &world,
        call,
        replies: Vec::new(),
    };
    asking.ask_as_ndis();
    if own_requests == OwnRequests::CoOidRequest {
        asking.ask_of_the_vc();
        asking.ask_the_manager();
    }
    asking.set();
    let replies = asking.replies;
    world.windows.drop_call(call);
    host.run();
    world.end();
    let report = host.finish();
    if report.is_clean() {
        Ok(replies)
    } else {
        Err(report.to_string())
    }
}

struct Asking<'r, 'h> {
    host: &'h Host,
    world: &'r World<'h>,
    call: CallId,
    replies: Vec<Reply>,
}

impl Asking<'_, '_> {
    fn enter(&mut self, oid: u32, request: Request, vc: bool, result: Result<Vec<u8>, Status>) {
        let events = self.host.events();
        let mut doors = events.iter().rev().filter(|event| is_door(event));
        let door = doors.next().map_or("?", |event| event.name);
        let of_vc = if vc { ", VC" } else { "" };
        self.replies.push(Reply {
            oid,
            request,
            door: format!("{door}{of_vc}"),
            result,
        });
    }

    /// What is asked of the adapter as NDIS asks it.
    fn as_ndis(&mut self, request: Request, ask: OidAsk, oid: u32) -> Option<Vec<u8>> {
        let adapter = self.world.adapters.first()?;
        let answer = self.host.ask(adapter, ask);
        let result = Status::from_raw(answer.status);
        let result = if result == Status::SUCCESS {
            let written = answer.written as usize;
            Ok(match request {
                Request::Query => answer.data.get(..written).unwrap_or_default().to_vec(),
                Request::Set => answer.data,
            })
        } else {
            Err(result)
        };
        self.enter(oid, request, false, result.clone());
        result.ok()
    }

    /// The OIDs that the adapter says that it supports.
    fn supported(&self) -> Vec<u32> {
        let answer = self.world.adapters.first().map(|adapter| {
            let list = OidAsk::query(number::GEN_CO_SUPPORTED_LIST, 4 * ROOM);
            self.host.ask(adapter, list).bytes().unwrap_or_default()
        });
        let answer = answer.unwrap_or_default();
        answer
            .as_chunks()
            .0
            .iter()
            .copied()
            .map(u32::from_le_bytes)
            .collect()
    }

    fn ask_as_ndis(&mut self) {
        for oid in self.supported() {
            if Row::of(oid).is_none_or(|row| row.is_asked) {
                let mut query = OidAsk::query(oid, ROOM);
                if oid == number::PNP_QUERY_POWER {
                    query = query.with(&ndis_sys::NdisDeviceStateD3.to_le_bytes());
                }
                self.as_ndis(Request::Query, query, oid);
            }
        }
    }

    /// What one of the two models asks.
    fn query(&mut self, subject: Subject, oid: u32, about: &[u8]) -> Option<Vec<u8>> {
        self.world.windows.query_oid(subject, oid, about);
        self.host.run();
        let answer = self.world.windows.oid_answer(subject, oid)?;
        let vc = matches!(subject, Subject::Link(_) | Subject::Call(_));
        self.enter(oid, Request::Query, vc, answer.clone());
        answer.ok()
    }

    fn ask_of_the_vc(&mut self) {
        for oid in self.supported() {
            if Row::of(oid).is_some_and(|row| row.vc && row.is_asked) {
                self.query(Subject::Link(self.call), oid, &[]);
            }
        }
    }

    fn ask_the_manager(&mut self) {
        let manager = Subject::Manager(NEAR);
        self.query(manager, number::CO_TAPI_CM_CAPS, &[]);
        // Of the first line, and its first address.
        let mut about = [0; ROOM];
        if LineCaps::ask(0, &mut about).is_ok() {
            self.query(manager, number::CO_TAPI_LINE_CAPS, &about);
        }
        let mut about = [0; ROOM];
        if AddressCaps::ask(0, 0, &mut about).is_ok() {
            self.query(manager, number::CO_TAPI_ADDRESS_CAPS, &about);
        }
        let call = Subject::Call(self.call);
        self.query(call, number::CO_TAPI_GET_CALL_DIAGNOSTICS, &[]);
    }

    /// Sets what can be set: to what it is, or to something that changes no answer.
    fn set(&mut self) {
        let link = OidAsk::query(number::WAN_CO_GET_LINK_INFO, ROOM);
        let adapter = self.world.adapters.first();
        let link = adapter.map(|adapter| self.host.ask(adapter, link).bytes());
        let link = link.and_then(Result::ok).unwrap_or_default();
        for oid in self.supported() {
            let Some(row) = Row::of(oid).filter(|row| row.is_set) else {
                continue;
            };
            let data = match oid {
                number::WAN_CO_SET_LINK_INFO => link.clone(),
                number::PNP_SET_POWER => ndis_sys::NdisDeviceStateD0.to_le_bytes().to_vec(),
                oid if oid == super::OWN.oid => 64_000_u32.to_le_bytes().to_vec(),
                _ => vec![0; 4],
            };
            self.as_ndis(Request::Set, OidAsk::set(oid, data.clone()), oid);
            if row.vc {
                let subject = Subject::Link(self.call);
                self.world.windows.set_oid(subject, oid, &data);
                self.host.run();
                if let Some(answer) = self.world.windows.oid_answer(subject, oid) {
                    self.enter(oid, Request::Set, true, answer.map(|_| data));
                }
            }
        }
    }
}

/// Whether an event is the miniport's being asked.
fn is_door(event: &Event) -> bool {
    event.kind == EventKind::Callback
        && *event.to == *MINIPORT
        && matches!(
            event.name,
            "MiniportOidRequest" | "MiniportCoOidRequest" | "ProtocolCoOidRequest"
        )
}
