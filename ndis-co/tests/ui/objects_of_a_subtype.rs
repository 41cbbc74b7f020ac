//! What has a reference to an object, or gives one out, is of one type only, and of no subtype of it: the
//! two may do different things with it.

use ndis_co::{
    callback::FromNdis,
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

fn timer(timer: Timer<Object<Wide>>) -> Timer<Object<Narrow>>
where
    Object<Wide>: Expire,
    Object<Narrow>: Expire,
{
    timer
}

fn work(work: WorkItem<Object<Wide>>) -> WorkItem<Object<Narrow>>
where
    Object<Wide>: Work,
    Object<Narrow>: Work,
{
    work
}

struct Object<F>(F);

fn main() {}
