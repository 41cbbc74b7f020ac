//! Rules: DV-06, DV-14
//!
//! What a lock lends cannot be leaked into a place that outlives the closure.

use ndis_co::{
    irql::{AtDispatch, Passive},
    lock::SpinLock,
};
use std::{cell::RefCell, rc::Rc};

struct Ring<P>(RefCell<Option<Rc<Ring<P>>>>, P);

fn proof_in_a_cycle(lock: &SpinLock<u32>, irql: &mut Passive) {
    let mut kept: Option<Rc<Ring<&mut AtDispatch>>> = None;
    lock.with(irql, |_, proof| {
        kept = Some(Rc::new(Ring(RefCell::new(None), proof)));
    });
    drop(kept);
}

fn main() {}
