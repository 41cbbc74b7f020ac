//! Threads of the host as system threads, parking places as events.

use crate::guard;
use crate::kernel::{self, HANDLE, LARGE_INTEGER, NTSTATUS};
use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use core::ffi::c_void;
use core::ptr;
use ndis_host::platform::{Job, Join, Park, Platform};

/// The kernel as platform of the host.
pub struct Kernel;

/// Everything that can be done with a thread or an event.
const ALL_ACCESS: u32 = 0x1F_03FF;
const EVENT_ALL_ACCESS: u32 = 0x1F_0003;
/// An event that lets one waiter pass.
const SYNCHRONIZATION_EVENT: i32 = 1;

/// The routine of every thread.
unsafe extern "system" fn body(context: *mut c_void) {
    // SAFETY: the context of this thread, for the routine that it is for.
    unsafe { guard::guarded(context, work) };
}

/// Runs the job that a thread was started for.
unsafe extern "system" fn work(context: *mut c_void) {
    // SAFETY: `start` has given this thread a boxed job, once.
    let job = unsafe { Box::from_raw(context.cast::<Job>()) };
    job();
}

/// Starts a thread.
pub fn start(job: Job) -> Result<HANDLE, NTSTATUS> {
    let context = Box::into_raw(Box::new(job));
    let mut thread: HANDLE = ptr::null_mut();
    let create = kernel::PsCreateSystemThread();
    // SAFETY: PASSIVE_LEVEL; the routine takes the context over.
    let status = unsafe {
        create(
            &mut thread,
            ALL_ACCESS,
            ptr::null_mut(),
            ptr::null_mut(),
            ptr::null_mut(),
            body,
            context.cast(),
        )
    };
    if status < 0 {
        // SAFETY: no thread was started, so the job is still ours.
        drop(unsafe { Box::from_raw(context) });
        return Err(status);
    }
    Ok(thread)
}

/// Waits for the end of a thread.
fn wait(thread: HANDLE) {
    // SAFETY: the handle of a thread that `start` has started, at PASSIVE_LEVEL.
    unsafe { kernel::ZwWaitForSingleObject(thread, 0, ptr::null_mut()) };
}

/// Waits for the end of a thread and closes its handle.
pub fn join(thread: HANDLE) {
    wait(thread);
    kernel::close(thread);
}

impl Platform for Kernel {
    fn spawn(&self, job: Job) -> Box<dyn Join> {
        match start(job) {
            Ok(thread) => Box::new(Thread(thread)),
            Err(status) => panic!("the system refuses to start a thread: {status:#010x}"),
        }
    }

    fn thread_id(&self) -> u64 {
        // SAFETY: no precondition.
        unsafe { kernel::PsGetCurrentThreadId() }.addr() as u64
    }

    fn parker(&self) -> Arc<dyn Park> {
        let mut event: HANDLE = ptr::null_mut();
        // SAFETY: PASSIVE_LEVEL; the variable lives for the call.
        let status = unsafe {
            kernel::ZwCreateEvent(
                &mut event,
                EVENT_ALL_ACCESS,
                ptr::null_mut(),
                SYNCHRONIZATION_EVENT,
                0,
            )
        };
        assert!(status >= 0, "the system refuses an event: {status:#010x}");
        Arc::new(Event(event))
    }

    fn catch(&self, job: Job) -> Result<(), String> {
        // Nothing unwinds in this image.
        job();
        Ok(())
    }
}

struct Thread(HANDLE);

// SAFETY: a kernel handle is the same in every thread.
unsafe impl Send for Thread {}

impl Drop for Thread {
    fn drop(&mut self) {
        kernel::close(self.0);
    }
}

impl Join for Thread {
    fn join(self: Box<Self>) {
        wait(self.0);
    }
}

struct Event(HANDLE);

// SAFETY: a kernel handle is the same in every thread.
unsafe impl Send for Event {}
// SAFETY: events are made for several threads.
unsafe impl Sync for Event {}

impl Park for Event {
    fn park(&self) {
        // SAFETY: the event is open as long as `self` is there; PASSIVE_LEVEL.
        unsafe { kernel::ZwWaitForSingleObject(self.0, 0, ptr::null_mut()) };
    }

    fn park_for(&self, milliseconds: u32) -> bool {
        let mut timeout = LARGE_INTEGER {
            QuadPart: -i64::from(milliseconds) * 10_000,
        };
        // SAFETY: as above; the time-out lives for the call.
        let status = unsafe { kernel::ZwWaitForSingleObject(self.0, 0, &mut timeout) };
        status != ndis_sys::STATUS_TIMEOUT
    }

    fn unpark(&self) {
        // SAFETY: as above.
        unsafe { kernel::ZwSetEvent(self.0, ptr::null_mut()) };
    }
}

impl Drop for Event {
    fn drop(&mut self) {
        kernel::close(self.0);
    }
}
