//! A driver's own threads: their handles, their objects, their end.
//!
//! The object of a thread is known by an address that nothing else has while the
//! host lives: memory of the host, whose content nobody looks at. So an object
//! that is used after its last reference is recognised.

use crate::callback::{Context, handle};
use crate::cx::{Cx, job};
use crate::export::{Call, exports};
use crate::handle::{Kind, Lookup, ObjectId};
use crate::ke::table::thread::{Body, Thread};
use crate::rules;
use crate::sched::{Frame, TaskId, Woken, Work};
use crate::state::State;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ffi::c_void;
use ndis_sys as n;

type ThreadRoutine = unsafe extern "system" fn(*mut c_void);

const ACCESS_DENIED: i32 = 0xC000_0022_u32 as i32;
const OBJECT_TYPE_MISMATCH: i32 = 0xC000_0024_u32 as i32;
const INVALID_HANDLE: i32 = 0xC000_0008_u32 as i32;
/// The handle by which every thread can name itself: minus two.
const OWN: usize = usize::MAX - 1;
/// Who asks is the kernel.
const KERNEL_MODE: i8 = 0;

impl State {
    /// A task is over: if it was a driver's thread, its object is signalled.
    pub(crate) fn thread_ended(&mut self, task: TaskId) {
        let Some(number) = self.threads.of_task.get(&task) else {
            return;
        };
        let Some(thread) = self.threads.all.get_mut(number) else {
            return;
        };
        thread.ended = true;
        let address = (&raw const *thread.body).addr();
        for waiter in self.sched.waiting_for(address) {
            self.sched.wake(waiter, Woken::Normal);
        }
    }

    /// The object of a thread is used: somebody must have a reference to it.
    pub(crate) fn uses_thread(&mut self, call: &str, number: u32) {
        let object = ObjectId::new(Kind::Thread, number);
        let referenced = self.threads.all.get(&number).map(|t| t.references) > Some(0);
        if !referenced {
            let message =
                alloc::format!("{call} with the object of {object}, without a reference to it");
            self.violate("KE-61", Some(object), message);
        }
    }

    /// A driver goes: its threads must be over, for their code goes with it.
    pub(crate) fn threads_of_gone(&mut self, driver: u32, when: &str) {
        let running: Vec<(u32, Arc<str>)> = self
            .threads
            .all
            .iter()
            .filter(|(_, thread)| thread.driver == Some(driver) && !thread.ended)
            .map(|(number, thread)| (*number, thread.who.clone()))
            .collect();
        for (number, who) in running {
            let object = ObjectId::new(Kind::Thread, number);
            let message = alloc::format!("{when} while {object} has not ended");
            self.violate_by(who, "KE-62", Some(object), message);
        }
    }

    /// The address of the object of the thread that runs.
    fn current_thread(&self) -> usize {
        let task = self.sched.running;
        let own = task.and_then(|task| self.threads.of_task.get(&task));
        match own.and_then(|own| self.threads.all.get(own)) {
            Some(thread) => (&raw const *thread.body).addr(),
            // No driver has a way to it but this, and nothing is there.
            None => task.map_or(0, |task| (task as usize + 1).wrapping_mul(0x10) | 1 << 31),
        }
    }

    /// A thread's routine is over: it must leave nothing behind.
    fn check_end(&mut self, how: &str) {
        let Some(task) = self.sched.current() else {
            return;
        };
        let (irql, held) = (task.irql, task.locks.len());
        if irql == 0 && held == 0 {
            return;
        }
        let message = alloc::format!("{how} at IRQL {irql}, with {held} spin locks held");
        self.violate("KE-63", None, message);
    }

    fn start_thread(&mut self, routine: ThreadRoutine, context: Context) -> (u32, usize) {
        let (driver, who) = (self.driver(), self.who());
        let task = self.sched.queue(Work {
            id: 0,
            name: alloc::format!("system thread of {who}").into(),
            irql: 0,
            frame: Some(Frame {
                driver,
                who: who.clone(),
                name: "a system thread",
                irql: 0,
                locks: 0,
                since: 0,
                about: None,
                call: None,
            }),
            system: true,
            plug_and_play: false,
            run: job(move |cx| {
                let context = context;
                // SAFETY: the routine and context of the driver.
                unsafe { routine(context.0) };
                cx.with(|s| s.check_end("a system thread returns"));
            }),
        });
        let (number, raw) = self.open_object(Kind::Thread, None);
        let origin = self.origin();
        let body = Body::new();
        self.threads
            .objects
            .insert((&raw const *body).addr(), number);
        self.threads.of_task.insert(task, number);
        self.threads.all.insert(
            number,
            Thread {
                ended: false,
                references: 0,
                driver,
                who,
                origin,
                body,
            },
        );
        (number, raw)
    }

    /// One reference more to what a handle stands for; where it is.
    fn reference(
        &mut self,
        call: &str,
        raw: usize,
        kind: *mut c_void,
        mode: i8,
    ) -> Result<(u32, usize), i32> {
        let number = if raw == OWN {
            let own = self.sched.running;
            let Some(number) = own.and_then(|own| self.threads.of_task.get(&own)) else {
                let message = alloc::format!("{call} for a thread that is not the driver's own");
                self.violate(rules::NOT_SIMULATED, None, message);
                return Err(INVALID_HANDLE);
            };
            *number
        } else {
            match self.handles.look(raw) {
                Lookup::Live(Kind::Thread, number) => number,
                Lookup::Live(other, _) => {
                    let message = alloc::format!("{call} for a {}", other.name());
                    self.violate(rules::NOT_SIMULATED, None, message);
                    return Err(OBJECT_TYPE_MISMATCH);
                }
                found => {
                    let message = alloc::format!("{call} wants an open handle and got {found}");
                    self.violate(rules::ARGUMENT, found.object(), message);
                    return Err(INVALID_HANDLE);
                }
            }
        };
        let object = Some(ObjectId::new(Kind::Thread, number));
        if mode != KERNEL_MODE {
            let message = alloc::format!("{call} asks as user mode for a kernel handle");
            self.violate(rules::ARGUMENT, object, message);
            return Err(ACCESS_DENIED);
        }
        if !kind.is_null() && kind.addr() != PsThreadType.0.addr() {
            let message = alloc::format!("{call} asks for an object of another type");
            self.violate(rules::ARGUMENT, object, message);
            return Err(OBJECT_TYPE_MISMATCH);
        }
        let Some(thread) = self.threads.all.get_mut(&number) else {
            return Err(INVALID_HANDLE);
        };
        thread.references += 1;
        Ok((number, (&raw const *thread.body).addr()))
    }

    fn dereference(&mut self, call: &str, address: usize) {
        let Some(number) = self.threads.at(address) else {
            let message = alloc::format!("{call}: {address:#x} is no object that the host knows");
            self.violate(rules::ARGUMENT, None, message);
            return;
        };
        match self.threads.all.get_mut(&number) {
            Some(thread) if thread.references > 0 => thread.references -= 1,
            _ => self.uses_thread(call, number),
        }
    }
}

/// # Safety
///
/// `object` is the caller's variable, or null.
unsafe fn reference(
    name: &'static str,
    raw: *mut c_void,
    kind: *mut c_void,
    mode: i8,
    object: *mut *mut c_void,
) -> i32 {
    let cx = Cx::enter(Call::new(name).silent().passive("KE-60"), &[raw]);
    if let Some(status) = cx.fault {
        return status;
    }
    if object.is_null() {
        cx.with(|s| {
            let message = alloc::format!("{name} without a place for the object");
            s.violate(rules::ARGUMENT, None, message);
        });
        return n::STATUS_INVALID_PARAMETER;
    }
    let (status, address) = match cx.with(|s| s.reference(name, raw.addr(), kind, mode)) {
        Ok((_, address)) => (n::STATUS_SUCCESS, address),
        Err(status) => (status, 0),
    };
    // SAFETY: the caller's variable for the result. The address is only compared.
    unsafe { object.write(handle(address)) };
    status
}

fn dereference(name: &'static str, object: *mut c_void) -> isize {
    let cx = Cx::enter(Call::new(name).silent(), &[]);
    cx.with(|s| s.dereference(name, object.addr()));
    0
}

/// An address, which nobody reads or writes through.
#[repr(transparent)]
pub struct Type(*mut c_void);

// SAFETY: nobody reads or writes through it.
unsafe impl Sync for Type {}

/// The type of threads. It begins with its own address: a driver that is linked to
/// the host, and declares the variable as a pointer to the type's, finds it there.
static TYPE: Type = Type((&raw const TYPE).cast_mut().cast());

/// The type of the objects of threads, as `ntoskrnl.exe` exports it: a variable
/// with the address of something that is only compared.
#[unsafe(no_mangle)]
#[allow(non_upper_case_globals)] // As it is exported.
pub static PsThreadType: Type = Type((&raw const TYPE).cast_mut().cast());

/// The data that drivers import.
pub(crate) static DATA: &[crate::export::Export] = &[crate::export::Export {
    name: "PsThreadType",
    address: (&raw const PsThreadType).cast(),
}];

exports! { EXPORTS {
    /// Starts a thread of the driver's own. Its handle outlives it: the driver
    /// closes it.
    fn PsCreateSystemThread(
        thread: *mut *mut c_void,
        _access: u32,
        _attributes: *mut c_void,
        process: *mut c_void,
        client: *mut c_void,
        routine: Option<ThreadRoutine>,
        context: *mut c_void,
    ) -> i32 {
        let cx = Cx::enter(Call::new("PsCreateSystemThread").passive("KE-60"), &[]);
        if let Some(status) = cx.fault {
            return cx.done(status);
        }
        let (Some(routine), false) = (routine, thread.is_null()) else {
            cx.with(|s| {
                let message = "PsCreateSystemThread without a routine, or without a place for \
                               the handle";
                s.violate(rules::ARGUMENT, None, message.into());
            });
            return cx.done(n::STATUS_INVALID_PARAMETER);
        };
        if !process.is_null() || !client.is_null() {
            cx.with(|s| {
                let message = "PsCreateSystemThread for a process, or for a client identifier";
                s.violate(rules::NOT_SIMULATED, None, message.into());
            });
            return cx.done(n::STATUS_INVALID_PARAMETER);
        }
        let (number, raw) = cx.with(|s| s.start_thread(routine, Context(context)));
        cx.about(ObjectId::new(Kind::Thread, number));
        // SAFETY: the caller's variable for the result.
        unsafe { thread.write(handle(raw)) };
        cx.done(0)
    }

    /// The object of the thread that runs: of a driver's own thread, the one that its handle
    /// leads to.
    fn PsGetCurrentThread() -> *mut c_void {
        let cx = Cx::enter(Call::new("PsGetCurrentThread").quiet(), &[]);
        handle(cx.with(|s| s.current_thread()))
    }

    /// Ends the calling system thread.
    fn PsTerminateSystemThread(_status: i32) -> i32 {
        let call = "PsTerminateSystemThread";
        let (core, task) = {
            let cx = Cx::enter(Call::new(call).silent().passive("KE-60"), &[]);
            if let Some(status) = cx.fault {
                return status;
            }
            let own = cx.with(|s| {
                let own = s.sched.current().is_some_and(|t| t.system && t.frames.len() == 1);
                if own {
                    s.check_end(call);
                } else {
                    let message = "PsTerminateSystemThread outside of the routine of a system \
                                   thread of the driver's own";
                    s.violate("KE-63", None, message.into());
                }
                own
            });
            if !own {
                return n::STATUS_INVALID_PARAMETER;
            }
            (cx.core.clone(), cx.task)
        };
        // Miri does not let a thread stay behind: the routine returns by itself.
        if cfg!(miri) {
            return n::STATUS_SUCCESS;
        }
        // SAFETY: a task of `start_thread`'s, which workers alone run. It is in no callback
        // (one frame), so between the worker's frames and this one there is only the driver's
        // routine, and what this function owned is dropped but for what it passes on.
        unsafe { core.leave(task) }
    }

    /// One reference more to the object that a handle stands for.
    fn ObReferenceObjectByHandle(
        object: *mut c_void,
        _access: u32,
        kind: *mut c_void,
        mode: i8,
        place: *mut *mut c_void,
        _information: *mut c_void,
    ) -> i32 {
        // SAFETY: the caller's contract.
        unsafe { reference("ObReferenceObjectByHandle", object, kind, mode, place) }
    }

    /// As `ObReferenceObjectByHandle`, with a tag for debuggers.
    fn ObReferenceObjectByHandleWithTag(
        object: *mut c_void,
        _access: u32,
        kind: *mut c_void,
        mode: i8,
        _tag: u32,
        place: *mut *mut c_void,
        _information: *mut c_void,
    ) -> i32 {
        // SAFETY: the caller's contract.
        unsafe { reference("ObReferenceObjectByHandleWithTag", object, kind, mode, place) }
    }

    /// Gives a reference to an object back.
    fn ObDereferenceObjectDeferDelete(object: *mut c_void) {
        dereference("ObDereferenceObjectDeferDelete", object);
    }

    /// As `ObDereferenceObjectDeferDelete`, with a tag for debuggers.
    fn ObDereferenceObjectDeferDeleteWithTag(object: *mut c_void, _tag: u32) {
        dereference("ObDereferenceObjectDeferDeleteWithTag", object);
    }
}}

/// On x86 these take their parameters in registers.
#[cfg(not(target_arch = "x86"))]
pub(crate) mod in_registers {
    use super::{State, c_void, dereference};
    use crate::cx::Cx;
    use crate::export::{Call, exports};
    use crate::rules;

    impl State {
        fn reference_more(&mut self, call: &str, address: usize) {
            let Some(number) = self.threads.at(address) else {
                let message =
                    alloc::format!("{call}: {address:#x} is no object that the host knows");
                self.violate(rules::ARGUMENT, None, message);
                return;
            };
            self.uses_thread(call, number);
            if let Some(thread) = self.threads.all.get_mut(&number) {
                thread.references += 1;
            }
        }
    }

    fn reference_more(name: &'static str, object: *mut c_void) -> isize {
        let cx = Cx::enter(Call::new(name).silent(), &[]);
        cx.with(|s| s.reference_more(name, object.addr()));
        0
    }

    exports! { EXPORTS {
        /// One reference more to an object that the caller has one to.
        fn ObfReferenceObject(object: *mut c_void) -> isize {
            reference_more("ObfReferenceObject", object)
        }

        /// As `ObfReferenceObject`, with a tag for debuggers.
        fn ObfReferenceObjectWithTag(object: *mut c_void, _tag: u32) -> isize {
            reference_more("ObfReferenceObjectWithTag", object)
        }

        /// Gives a reference to an object back.
        fn ObfDereferenceObject(object: *mut c_void) -> isize {
            dereference("ObfDereferenceObject", object)
        }

        /// As `ObfDereferenceObject`, with a tag for debuggers.
        fn ObfDereferenceObjectWithTag(object: *mut c_void, _tag: u32) -> isize {
            dereference("ObfDereferenceObjectWithTag", object)
        }
    }}
}
