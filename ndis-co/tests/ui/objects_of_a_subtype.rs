//! What has a reference to an object, or gives one out, is of one type only, and of no subtype of it: the
//! two may do different things with it.

#![allow(coherence_leak_check)]

use ndis_co::{
    callback::FromNdis,
    irql::{Passive, UpToDispatch},
    mem::{Arc, Lent, Weak},
    once::Slot,
    timer::{Expire, Timer},
    work::{Work, WorkItem},
};

type Wide = for<'a> fn(&'a u8);
type Narrow = fn(&'static u8);

fn lent(lent: Lent<Wide>) -> Lent<Narrow> {
    lent
}

fn counted(counted: Arc<Wide>) -> Arc<Narrow> {
    counted
}

fn weak(weak: Weak<Wide>) -> Weak<Narrow> {
    weak
}

fn slot(slot: Slot<Wide>) -> Slot<Narrow> {
    slot
}

fn argument(argument: FromNdis<usize, Wide>) -> FromNdis<usize, Narrow> {
    argument
}

fn timer(timer: Timer<Object<Wide>>) -> Timer<Object<Narrow>> {
    timer
}

fn work(work: WorkItem<Object<Wide>>) -> WorkItem<Object<Narrow>> {
    work
}

struct Object<F>(F);

macro_rules! objects {
    ($($function:ty)*) => { $(
        impl Expire for Object<$function> {
            fn expired(_this: &Arc<Self>, _irql: &mut UpToDispatch) {}
        }

        impl Work for Object<$function> {
            fn run(_this: &Arc<Self>, _irql: &mut Passive) {}
        }
    )* };
}
objects!(Wide Narrow);

fn main() {}
