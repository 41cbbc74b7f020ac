//! A call manager and two clients, and what happens to them: loaded, brought up, called, taken down.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use echo_client::{Application, At, Desk, EchoClient};
use ndis_co::{Status, irql::Passive, mem::Arc as KernelArc, nbl::BufferView};
use ndis_host::{Driver, Host};

use crate::{
    args::Below,
    beneath::Beneath,
    progress::Progress,
    traffic::{Ledger, Traffic},
};

/// The number that is called.
const CALLEE: u32 = 7;

/// What the clients are for here: carrying the traffic, and entering what arrives in the ledger.
struct Carrier {
    traffic: Arc<Traffic>,
    ledger: Arc<Ledger>,
    number: Option<u32>,
    completed: Arc<AtomicU32>,
}

impl Application for Carrier {
    fn number(&self) -> Option<u32> {
        self.number
    }

    fn frame(&self, call: u32, index: u32, to: &mut [u8]) -> Option<usize> {
        let frame = self.traffic.frame(call, index)?;
        if index == 0 {
            // The first frame is asked for when the call is connected.
            self.ledger.begun();
        }
        to.get_mut(..frame.len())?.copy_from_slice(&frame);
        self.ledger.sent();
        Some(frame.len())
    }

    fn arrived(&self, at: At, frame: BufferView<'_>) {
        let mut data = vec![0; frame.len()];
        // What cannot be copied is entered as empty, which is a mismatch.
        let length = frame.copy_to(&mut data).unwrap_or(0);
        data.truncate(length);
        match at {
            At::Far { index } => self.ledger.received(&self.traffic, index, &data),
            At::Near { call, index } => self.ledger.echoed(&self.traffic, call, index, &data),
        }
    }

    fn ended(&self, _call: u32, result: Result<(), Status>) {
        self.ledger.ended();
        if result.is_ok() {
            self.completed.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Runs at PASSIVE_LEVEL, which a system thread of the host does.
fn passive<R>(body: impl FnOnce(&mut Passive) -> R) -> R {
    // SAFETY: called by system threads of the host only, which run at PASSIVE_LEVEL and hold no
    // lock.
    body(&mut unsafe { Passive::assume() })
}

/// Loads a client. Gives its desk, where calls are placed.
fn load_client(
    host: &Host,
    name: &str,
    carrier: Carrier,
) -> Result<(Driver, KernelArc<Desk<Carrier>>), i32> {
    let client = EchoClient::try_new(carrier).map_err(Status::raw)?;
    let desk = client.desk();
    let entry = ndis_co::client::Entry::new(client);
    let driver = host.load_with(name, move |object, path| {
        // SAFETY: the host calls this once, as the driver's entry point.
        unsafe { entry.run(object, path) }
    })?;
    Ok((driver, desk))
}

/// Carries the traffic from one client to the other and back; gives the number of calls that
/// went well, or the status that a driver failed with.
pub fn carry(
    host: &Host,
    below: Below,
    traffic: &Arc<Traffic>,
    ledger: &Arc<Ledger>,
    progress: &Progress,
) -> Result<u32, i32> {
    let completed = Arc::new(AtomicU32::new(0));
    let carrier = |number| Carrier {
        traffic: Arc::clone(traffic),
        ledger: Arc::clone(ledger),
        number,
        completed: Arc::clone(&completed),
    };
    progress.stage("loading the drivers");
    let mut beneath = Beneath::load(host, below)?;
    let (callee, _) = load_client(host, "callee", carrier(Some(CALLEE)))?;
    let (caller, desk) = load_client(host, "caller", carrier(None))?;
    progress.stage(beneath.starting());
    beneath.start(host)?;
    for call in 0..traffic.calls() {
        let desk = desk.clone();
        let ledger = Arc::clone(ledger);
        host.spawn("application", move || {
            // A call that cannot be placed is missing in the count of completed ones.
            passive(|irql| drop(desk.place_call(call, CALLEE, irql)));
            ledger.placed();
        });
    }
    progress.stage("calling");
    host.run();
    progress.stage("taking down");
    beneath.remove_adapters(host);
    host.unload(&caller);
    drop(desk);
    host.unload(&callee);
    beneath.unload(host);
    Ok(completed.load(Ordering::Relaxed))
}
