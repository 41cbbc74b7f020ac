//! A call between two clients of the switch; both hang up at once.

use echo_client::{Application, At, Desk, EchoClient, Ring};
use loopback_mcm::Loopback;
use ndis_co::{
    Status,
    event::Event,
    irql::Passive,
    mem::{Arc, Tag},
    nbl::BufferView,
    params::CallParameters,
};
use ndis_host::{Driver, Event, EventMode, Host};

const CALLEE: u32 = 7;

struct Party(Option<u32>);

impl Application for Party {
    fn number(&self) -> Option<u32> {
        self.0
    }

    fn ringing(&self, _parameters: Option<CallParameters<'_>>) -> Ring {
        Ring::Later
    }

    fn frame(&self, _call: u32, index: u32, to: &mut [u8]) -> Option<usize> {
        let to = to.get_mut(..64).filter(|_| index < 40)?;
        to.fill(index as u8);
        Some(to.len())
    }

    fn arrived(&self, _at: At, _frame: BufferView<'_>) {}

    fn ended(&self, _call: u32, _result: Result<(), Status>) {}
}

fn passive<R>(body: impl FnOnce(&mut Passive) -> R) -> R {
    // SAFETY: threads of the host run at PASSIVE_LEVEL with no lock.
    body(&mut unsafe { Passive::assume() })
}

fn sleep(irql: &mut Passive) {
    let event = Event::try_new(Tag::new(*b"Load")).expect("there is memory");
    event.wait_for(1, irql);
}

fn load(host: &Host, name: &str, party: Party) -> (Driver, Arc<Desk<Party>>) {
    let client = EchoClient::try_new(party).expect("there is memory");
    let desk = client.desk();
    let entry = ndis_co::client::Entry::new(client);
    let driver = host.load_with(name, |object, path| {
        // SAFETY: the host calls this once, as DriverEntry.
        unsafe { entry.run(object, path) }
    });
    (driver.expect("it loads"), desk)
}

/// One schedule, from the load of the drivers to their unload, and the events that were asked for.
/// `threads`: each task is a thread.
pub fn schedule(seed: u64, threads: bool, events: EventMode) -> Vec<Event> {
    let builder = Host::builder().seed(seed).events(events);
    let host = builder.threads(threads).build();
    let entry = ndis_mcm::Entry::new(Loopback);
    let switch = host
        .load_with("loopback-mcm", |object, path| {
            // SAFETY: the host calls this once, as DriverEntry.
            unsafe { entry.run(object, path) }
        })
        .expect("it loads");
    let (callee, called) = load(&host, "callee", Party(Some(CALLEE)));
    let (caller, desk) = load(&host, "caller", Party(None));
    let adapter = host.add_adapter(&switch).expect("it starts");
    host.spawn("caller", move || {
        passive(|irql| {
            if let Ok(vc) = desk.place_call(0, CALLEE, irql) {
                for _ in 0..seed % 7 {
                    sleep(irql);
                }
                // The call may have ended by then.
                let _ = vc.hang_up(b"bye", irql);
            }
        });
    });
    host.spawn("callee", move || {
        passive(|irql| {
            for _ in 0..20 {
                if let Some(vc) = called.accept(irql) {
                    for _ in 0..seed % 3 {
                        sleep(irql);
                    }
                    let _ = vc.hang_up(&[], irql);
                    return;
                }
                sleep(irql);
            }
        });
    });
    host.run();
    host.remove_adapter(&adapter);
    host.unload(&callee);
    host.unload(&caller);
    host.unload(&switch);
    let events = host.events();
    let report = host.finish();
    assert!(report.is_clean(), "{report}");
    events
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whatever its tasks are run by, the run of a seed is the same.
    #[test]
    fn strands_and_threads_take_the_same_course() {
        for seed in 0..if cfg!(miri) { 1 } else { 40 } {
            let run = |threads| -> Vec<String> {
                let events = schedule(seed, threads, EventMode::All);
                events.iter().map(ToString::to_string).collect()
            };
            let strands = run(false);
            assert!(strands.len() > 100);
            assert_eq!(strands, run(true), "seed {seed}");
        }
    }

    /// Of many calls, the events of one are those that are found when all are kept.
    #[test]
    fn one_call_is_kept_whole() {
        for seed in 0..if cfg!(miri) { 1 } else { 10 } {
            let mut all = schedule(seed, false, EventMode::All);
            all.retain(|event| event.call == Some(1));
            let one = schedule(seed, false, EventMode::Call(1));
            assert!(!one.is_empty());
            let text = |events: Vec<Event>| -> Vec<String> {
                events.iter().map(ToString::to_string).collect()
            };
            assert_eq!(text(one), text(all), "seed {seed}");
        }
    }
}
