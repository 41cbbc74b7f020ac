//! Peers in raw code that keep every rule and do what the safe crates never would: use a VC
//! for several calls in a row, refuse the close of a family, send lists that share an MDL.
//!
//! Each module is about one such peer, says which page lets it do so, and has the safe
//! driver do what once went wrong. Here is what they share: [`Phone`], a client of safe code
//! against the raw call manager, and [`Trunk`], a call manager of safe code against the raw
//! client, each with the handlers that a test is about.

#[path = "../../../ndis-host/tests/common/mod.rs"]
mod raw;

mod asked_early;
mod late_return;
mod next_offer;
mod old_owner;
mod phone;
mod refused_af;
mod reused_vc;
mod shared_mdl;
mod stale_data;
mod told;
mod trunk;
mod unwilling;

use ndis_co::{event::Event, irql::Passive, lock::SpinLock, mem::Tag};
use ndis_host::{Builder, Host};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How many seeds a test goes through; fewer under Miri.
fn seeds(native: u64) -> std::ops::Range<u64> {
    0..if cfg!(miri) {
        native.div_ceil(200)
    } else {
        native
    }
}

/// A host as for the raw drivers, but in which others run at any point.
fn builder(seed: u64) -> Builder {
    Host::builder()
        .seed(seed)
        .preemption(1, 2)
        .readings(raw::plain())
}

/// The test's own thread also frees memory of drivers, and a thread that no host knows is
/// meant for the only host there is.
static ONE_HOST: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    ONE_HOST.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A thread at PASSIVE_LEVEL that is no driver's.
fn thread(host: &Host, name: &str, body: impl FnOnce(&mut Passive) + Send + 'static) {
    // SAFETY: a thread of the host begins at PASSIVE_LEVEL and holds no lock.
    host.spawn(name, move || body(&mut unsafe { Passive::assume() }));
}

/// Spins, at whatever level, until `done` or for long enough that the others have done what
/// they can; whether it is done.
fn let_others_run(mut done: impl FnMut() -> bool) -> bool {
    static SWITCH_POINT: SpinLock<u32> = SpinLock::new(0);
    for _ in 0..if cfg!(miri) { 300 } else { 3000 } {
        if done() {
            return true;
        }
        SWITCH_POINT.get();
    }
    done()
}

/// As above for a thread that may wait.
#[track_caller]
fn wait_until(mut done: impl FnMut() -> bool, irql: &mut Passive) {
    if let_others_run(&mut done) {
        return;
    }
    for _ in 0..1000 {
        sleep(1, irql);
        if done() {
            return;
        }
    }
    panic!("nothing came of it in a virtual second");
}

/// Waits for some virtual milliseconds.
fn sleep(milliseconds: u32, irql: &mut Passive) {
    Event::try_new(Tag::NDIS)
        .unwrap()
        .wait_for(milliseconds, irql);
}
