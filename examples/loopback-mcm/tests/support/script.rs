//! What the scenario tests of the examples share, whatever call manager is beneath: a client
//! and its application, which checks every byte.

#![allow(dead_code)] // Each test program uses a part of it.

use echo_client::{Application, At, Desk, EchoClient, Redial, Ring};
use ndis_co::{
    Status, irql::Passive, mem::Arc as KernelArc, nbl::BufferView, params::CallParameters,
};
use ndis_host::{Driver, Host, Report};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

/// The number of the client that is called.
pub const CALLEE: u32 = 7;

/// What a client's application is told to do, and what it saw.
#[derive(Default)]
pub struct Script {
    pub number: Option<u32>,
    pub frames: u32,
    pub frame_len: usize,
    /// Sends a later frame than is due, by so many: what arrives is whole, and
    /// wrong.
    pub ahead: u32,
    /// What becomes of calls that fail.
    pub redial: Option<Redial>,
    pub ring: Mutex<Option<Ring>>,
    pub seen: Mutex<Seen>,
}

#[derive(Default, Debug)]
pub struct Seen {
    pub listening: Vec<Result<(), Status>>,
    pub rang: u32,
    pub redials: u32,
    pub far: u32,
    pub near: u32,
    pub mismatches: u32,
    pub ended: BTreeMap<u32, Vec<Result<(), Status>>>,
}

/// Frame `index` of call `call`: its own numbers, then a pattern.
pub fn frame(call: u32, index: u32, len: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(len);
    bytes.extend(call.to_le_bytes());
    bytes.extend(index.to_le_bytes());
    let mut state = call.wrapping_mul(0x9E37_79B9) ^ index;
    while bytes.len() < len.max(8) {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        bytes.push((state >> 24) as u8);
    }
    bytes
}

#[derive(Clone)]
pub struct App(pub Arc<Script>);

impl Application for App {
    fn number(&self) -> Option<u32> {
        self.0.number
    }

    fn listening(&self, result: Result<(), Status>) {
        self.0.seen.lock().unwrap().listening.push(result);
    }

    fn redial(&self, _call: u32, _status: Status) -> Option<Redial> {
        let redial = self.0.redial?;
        self.0.seen.lock().unwrap().redials += 1;
        Some(redial)
    }

    fn ringing(&self, _parameters: Option<CallParameters<'_>>) -> Ring {
        self.0.seen.lock().unwrap().rang += 1;
        self.0.ring.lock().unwrap().unwrap_or(Ring::Accept)
    }

    fn frame(&self, call: u32, index: u32, to: &mut [u8]) -> Option<usize> {
        if index >= self.0.frames {
            return None;
        }
        let bytes = frame(call, index + self.0.ahead, self.0.frame_len);
        to[..bytes.len()].copy_from_slice(&bytes);
        Some(bytes.len())
    }

    fn arrived(&self, at: At, view: BufferView<'_>) {
        let mut bytes = vec![0; view.len()];
        let copied = view.copy_to(&mut bytes);
        let mut seen = self.0.seen.lock().unwrap();
        let due = match at {
            At::Near { call, index } => {
                seen.near += 1;
                Some((call, index))
            }
            // What the call's number is, only the frame can tell here.
            At::Far { index } => {
                seen.far += 1;
                bytes
                    .first_chunk()
                    .map(|call| (u32::from_le_bytes(*call), index))
            }
        };
        let good = copied == Ok(bytes.len())
            && due.is_some_and(|(call, index)| bytes == frame(call, index, bytes.len()));
        seen.mismatches += u32::from(!good);
    }

    fn ended(&self, call: u32, result: Result<(), Status>) {
        self.0
            .seen
            .lock()
            .unwrap()
            .ended
            .entry(call)
            .or_default()
            .push(result);
    }
}

pub struct Client {
    pub driver: Driver,
    pub script: Arc<Script>,
    pub desk: KernelArc<Desk<App>>,
}

impl Client {
    pub fn load(host: &Host, name: &str, script: Script) -> Self {
        let script = Arc::new(script);
        let client = EchoClient::try_new(App(script.clone())).unwrap();
        let desk = client.desk();
        let entry = ndis_co::client::Entry::new(client);
        let driver = host
            .load_with(name, move |object, path| {
                // SAFETY: the host calls this once, as DriverEntry.
                unsafe { entry.run(object, path) }
            })
            .unwrap();
        Self {
            driver,
            script,
            desk,
        }
    }

    /// What it saw since it was last asked.
    pub fn take_seen(&self) -> Seen {
        std::mem::take(&mut *self.script.seen.lock().unwrap())
    }

    /// Places a call, on a system thread.
    pub fn call(&self, host: &Host, call: u32, number: u32) {
        let desk = self.desk.clone();
        let script = self.script.clone();
        host.spawn("caller", move || {
            passive(|irql| {
                if let Err(status) = desk.place_call(call, number, irql) {
                    App(script).ended(call, Err(status));
                }
            });
        });
    }
}

/// A client that lets calls ring until the test answers.
pub fn slow_callee() -> Script {
    let mut script = callee();
    *script.ring.get_mut().unwrap() = Some(Ring::Later);
    script
}

/// How many seeds a test tries: fewer under Miri.
pub fn seeds(count: u64) -> std::ops::Range<u64> {
    0..if cfg!(miri) {
        (count / 200).max(1)
    } else {
        count
    }
}

/// Runs something at PASSIVE_LEVEL, as a system thread of the host does.
pub fn passive<R>(f: impl FnOnce(&mut Passive) -> R) -> R {
    // SAFETY: system threads of the host run at PASSIVE_LEVEL with no lock.
    f(&mut unsafe { Passive::assume() })
}

pub fn callee() -> Script {
    Script {
        number: Some(CALLEE),
        ..Script::default()
    }
}

pub fn caller(frames: u32, frame_len: usize) -> Script {
    Script {
        frames,
        frame_len,
        ..Script::default()
    }
}

/// Fails with the report's text unless it is clean.
pub fn clean(report: &Report) {
    assert!(report.is_clean(), "{report}");
}
