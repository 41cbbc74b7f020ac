//! Threads of drivers, and the addresses that their objects are known by.

use crate::handle::Kind;
use crate::log::Origin;
use crate::report::ObjectLeft;
use crate::sched::TaskId;
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

/// What stands at the address of an object: nothing that a driver may look at.
#[repr(align(16))]
pub(in crate::ke) struct Body(#[expect(dead_code, reason = "only its address counts")] [u8; 16]);

impl Body {
    pub(in crate::ke) fn new() -> Box<Self> {
        Box::new(Self([0; 16]))
    }
}

pub(in crate::ke) struct Thread {
    pub(in crate::ke) ended: bool,
    /// The driver's references to the object, without its handle.
    pub(in crate::ke) references: u32,
    pub(in crate::ke) driver: Option<u32>,
    pub(in crate::ke) who: Arc<str>,
    pub(in crate::ke) origin: Origin,
    pub(in crate::ke) body: Box<Body>,
}

#[derive(Default)]
pub(crate) struct Threads {
    pub(in crate::ke) all: BTreeMap<u32, Thread>,
    pub(in crate::ke) objects: BTreeMap<usize, u32>,
    /// The thread that a task is.
    pub(in crate::ke) of_task: BTreeMap<TaskId, u32>,
}

impl Threads {
    /// Threads of a driver that still run, and objects that it still refers to.
    pub(crate) fn left(&self, driver: Option<u32>) -> Vec<ObjectLeft> {
        let of = |thread: &&Thread| driver.is_none() || thread.driver == driver;
        let all = self.all.iter().filter(|(_, thread)| of(thread));
        all.filter(|(_, thread)| thread.references > 0)
            .map(|(number, thread)| ObjectLeft {
                kind: Kind::Thread.name(),
                name: alloc::format!(
                    "thread {number} ({} references to its object{})",
                    thread.references,
                    thread.origin
                ),
                tag: String::new(),
                owner: thread.who.clone(),
            })
            .collect()
    }

    /// The thread whose object is at this address.
    pub(crate) fn at(&self, address: usize) -> Option<u32> {
        self.objects.get(&address).copied()
    }

    /// Whether the thread has ended.
    pub(crate) fn ended(&self, number: u32) -> bool {
        self.all.get(&number).is_none_or(|thread| thread.ended)
    }
}
