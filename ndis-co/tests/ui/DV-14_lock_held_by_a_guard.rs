//! Rules: DV-06, DV-14
//!
//! A lock has no guard: one could be forgotten, leaked in a cycle of references, or
//! dropped while another lock is held, and the level would no longer be what the
//! proof says.

use ndis_co::{event::Event, irql::Passive, lock::SpinLock};
use std::{cell::RefCell, rc::Rc};

fn forgotten(lock: &SpinLock<u32>, event: &Event, irql: &mut Passive) {
    core::mem::forget(lock.lock(irql));
    event.wait(irql);
}

struct Ring<G>(RefCell<Option<Rc<Ring<G>>>>, G);

fn leaked_in_a_cycle(lock: &SpinLock<u32>, event: &Event, irql: &mut Passive) {
    let ring = Rc::new(Ring(RefCell::new(None), lock.lock(irql)));
    *ring.0.borrow_mut() = Some(ring.clone());
    event.wait(irql);
}

fn released_under_another(outer: &SpinLock<u32>, inner: &SpinLock<u32>, irql: &mut Passive) {
    let guard = outer.lock(irql);
    inner.with(irql, |_, _| drop(guard));
}

fn main() {}
