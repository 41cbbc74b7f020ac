//! Remove locks: who still uses a device that is about to go.
//!
//! A remove lock is known by its address from its initialisation on; its memory
//! is never touched.

use crate::cx::Cx;
use crate::export::{Call, exports};
use crate::ke::table::remove_lock::RemoveLock;
use crate::state::State;
use core::ffi::c_void;
use core::ops::Range;
use ndis_sys::STATUS_SUCCESS;

const DELETE_PENDING: i32 = 0xC000_0056_u32 as i32;

impl State {
    fn remove_lock(&mut self, call: &str, address: usize) -> Option<&mut RemoveLock> {
        if !self.remove_locks.0.contains_key(&address) {
            let message = alloc::format!("{call} with a remove lock that is not initialised");
            self.violate("KE-69", None, message);
        }
        self.remove_locks.0.get_mut(&address)
    }

    fn initialize_remove_lock(&mut self, call: &str, address: usize) {
        if self.remove_locks.0.contains_key(&address) {
            let message = alloc::format!("{call} with a remove lock that is initialised already");
            self.violate("KE-69", None, message);
        }
        self.remove_locks.0.insert(address, RemoveLock::default());
    }

    fn acquire_remove_lock(&mut self, call: &str, address: usize, tag: usize) -> i32 {
        match self.remove_lock(call, address) {
            Some(lock) if !lock.removed => {
                lock.holders.push(tag);
                STATUS_SUCCESS
            }
            _ => DELETE_PENDING,
        }
    }

    /// Releases one acquisition; false when there was none with this tag.
    fn release_remove_lock(&mut self, call: &str, address: usize, tag: usize) -> bool {
        let Some(lock) = self.remove_lock(call, address) else {
            return false;
        };
        let place = lock.holders.iter().position(|held| *held == tag);
        if let Some(place) = place {
            lock.holders.remove(place);
            return true;
        }
        let message = alloc::format!("{call} of a remove lock that is not held with this tag");
        self.violate("KE-69", None, message);
        false
    }

    /// Memory is freed: nobody may hold a remove lock there.
    pub(crate) fn remove_locks_end(&mut self, call: &str, memory: &Range<usize>) {
        let mut held = 0;
        self.remove_locks.0.retain(|address, lock| {
            let ends = memory.contains(address);
            held += if ends { lock.holders.len() } else { 0 };
            !ends
        });
        if held > 0 {
            let message = alloc::format!("{call} frees memory while a remove lock there is held");
            self.violate("KE-69", None, message);
        }
    }
}

exports! { EXPORTS {
    /// Prepares a remove lock.
    fn IoInitializeRemoveLockEx(
        lock: *mut c_void,
        _tag: u32,
        _minutes: u32,
        _most: u32,
        _size: u32,
    ) {
        let name = "IoInitializeRemoveLockEx";
        let cx = Cx::enter(Call::new(name).silent().passive("KE-70"), &[]);
        cx.with(|s| s.initialize_remove_lock(name, lock.addr()));
    }

    /// Notes one user more, unless the device is going.
    fn IoAcquireRemoveLockEx(
        lock: *mut c_void,
        tag: *mut c_void,
        _file: *const u8,
        _line: u32,
        _size: u32,
    ) -> i32 {
        let name = "IoAcquireRemoveLockEx";
        let cx = Cx::enter(Call::new(name).silent(), &[]);
        if let Some(status) = cx.fault {
            return status;
        }
        cx.with(|s| s.acquire_remove_lock(name, lock.addr(), tag.addr()))
    }

    /// Notes one user less.
    fn IoReleaseRemoveLockEx(lock: *mut c_void, tag: *mut c_void, _size: u32) {
        let name = "IoReleaseRemoveLockEx";
        let cx = Cx::enter(Call::new(name).silent(), &[]);
        cx.with(|s| s.release_remove_lock(name, lock.addr(), tag.addr()));
    }

    /// Lets no user in any more, and waits for the last one.
    fn IoReleaseRemoveLockAndWaitEx(lock: *mut c_void, tag: *mut c_void, _size: u32) {
        let name = "IoReleaseRemoveLockAndWaitEx";
        let address = lock.addr();
        let cx = Cx::enter(Call::new(name).passive("KE-70"), &[]);
        let (who, raised) = cx.with(|s| {
            s.release_remove_lock(name, address, tag.addr());
            if let Some(lock) = s.remove_locks.0.get_mut(&address) {
                lock.removed = true;
            }
            (s.who(), s.irql() >= crate::sched::DISPATCH)
        });
        if raised {
            return;
        }
        cx.wait_until("KE-69", &who, None, "the release of a remove lock", move |s| {
            s.remove_locks.0.get(&address).is_none_or(|lock| lock.holders.is_empty())
        });
    }
}}
