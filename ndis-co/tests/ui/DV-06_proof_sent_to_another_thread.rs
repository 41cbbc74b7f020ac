//! Rules: DV-06
//!
//! A proof tells of the thread that it was lent to. The other thread's level
//! is its own.

use ndis_co::{event::Event, irql::Passive};

/// Stands for whatever runs code elsewhere, such as `std::thread::scope`.
fn run_elsewhere(work: impl FnOnce() + Send) {
    work();
}

fn wait_elsewhere(event: &Event, irql: &mut Passive) {
    run_elsewhere(|| event.wait(irql));
}

fn main() {}
