//! Lists and counters that a spin lock of their own makes atomic.
//!
//! The baton makes each of these functions atomic already. The lock is looked at
//! all the same: on a real machine it is taken, at an IRQL above every driver's,
//! so whoever holds it otherwise stops the system.

use crate::cx::Cx;
use crate::export::{Call, exports};
use crate::rules;
use ndis_sys::{KSPIN_LOCK, LIST_ENTRY, SINGLE_LIST_ENTRY};

/// Runs `change` under the lock; None when a pointer is null.
fn locked<T, R>(
    name: &'static str,
    place: *mut T,
    lock: *mut KSPIN_LOCK,
    change: impl FnOnce() -> R,
) -> Option<R> {
    let cx = Cx::enter(Call::new(name).silent(), &[]);
    cx.with(|s| {
        if place.is_null() || lock.is_null() {
            let message = alloc::format!("{name} without a list, an entry, or a lock");
            s.violate(rules::ARGUMENT, None, message);
            return None;
        }
        s.lock_of_list(name, lock.addr());
        Some(change())
    })
}

/// Puts `entry` between two neighbours.
///
/// # Safety
///
/// All three are entries of the caller's, which nobody else changes meanwhile.
unsafe fn link(before: *mut LIST_ENTRY, entry: *mut LIST_ENTRY, after: *mut LIST_ENTRY) {
    // SAFETY: by the caller.
    unsafe { (*entry).Blink = before };
    // SAFETY: by the caller.
    unsafe { (*entry).Flink = after };
    // SAFETY: by the caller.
    unsafe { (*before).Flink = entry };
    // SAFETY: by the caller.
    unsafe { (*after).Blink = entry };
}

/// An entry as the functions give it: null stands for the head, that is, for none.
fn unless_head(entry: *mut LIST_ENTRY, head: *mut LIST_ENTRY) -> *mut LIST_ENTRY {
    if entry == head {
        core::ptr::null_mut()
    } else {
        entry
    }
}

exports! { EXPORTS {
    /// Inserts an entry at the head; what was the first one.
    fn ExInterlockedInsertHeadList(
        head: *mut LIST_ENTRY,
        entry: *mut LIST_ENTRY,
        lock: *mut KSPIN_LOCK,
    ) -> *mut LIST_ENTRY {
        let place = if entry.is_null() { entry } else { head };
        let first = locked("ExInterlockedInsertHeadList", place, lock, || {
            // SAFETY: the caller's list, which is changed under this lock only.
            let first = unsafe { (*head).Flink };
            // SAFETY: as above; the entry is the caller's and in no list.
            unsafe { link(head, entry, first) };
            unless_head(first, head)
        });
        first.unwrap_or(core::ptr::null_mut())
    }

    /// Inserts an entry at the tail; what was the last one.
    fn ExInterlockedInsertTailList(
        head: *mut LIST_ENTRY,
        entry: *mut LIST_ENTRY,
        lock: *mut KSPIN_LOCK,
    ) -> *mut LIST_ENTRY {
        let place = if entry.is_null() { entry } else { head };
        let last = locked("ExInterlockedInsertTailList", place, lock, || {
            // SAFETY: the caller's list, which is changed under this lock only.
            let last = unsafe { (*head).Blink };
            // SAFETY: as above; the entry is the caller's and in no list.
            unsafe { link(last, entry, head) };
            unless_head(last, head)
        });
        last.unwrap_or(core::ptr::null_mut())
    }

    /// Takes the first entry out; null when there is none.
    fn ExInterlockedRemoveHeadList(
        head: *mut LIST_ENTRY,
        lock: *mut KSPIN_LOCK,
    ) -> *mut LIST_ENTRY {
        let first = locked("ExInterlockedRemoveHeadList", head, lock, || {
            // SAFETY: the caller's list, which is changed under this lock only.
            let first = unsafe { (*head).Flink };
            // SAFETY: as above; in an empty list it is the head itself.
            let next = unsafe { (*first).Flink };
            // SAFETY: as above.
            unsafe { (*head).Flink = next };
            // SAFETY: as above.
            unsafe { (*next).Blink = head };
            unless_head(first, head)
        });
        first.unwrap_or(core::ptr::null_mut())
    }

    /// Adds to a number; what it was.
    fn ExInterlockedAddUlong(number: *mut u32, more: u32, lock: *mut KSPIN_LOCK) -> u32 {
        let before = locked("ExInterlockedAddUlong", number, lock, || {
            // SAFETY: the caller's number, which is changed under this lock only.
            let before = unsafe { number.read() };
            // SAFETY: as above.
            unsafe { number.write(before.wrapping_add(more)) };
            before
        });
        before.unwrap_or(0)
    }

    /// Pushes an entry; what was the first one.
    fn ExInterlockedPushEntryList(
        head: *mut SINGLE_LIST_ENTRY,
        entry: *mut SINGLE_LIST_ENTRY,
        lock: *mut KSPIN_LOCK,
    ) -> *mut SINGLE_LIST_ENTRY {
        let place = if entry.is_null() { entry } else { head };
        let first = locked("ExInterlockedPushEntryList", place, lock, || {
            // SAFETY: the caller's list, which is changed under this lock only.
            let first = unsafe { (*head).Next };
            // SAFETY: the caller's entry, which is in no list.
            unsafe { (*entry).Next = first };
            // SAFETY: as for the list above.
            unsafe { (*head).Next = entry };
            first
        });
        first.unwrap_or(core::ptr::null_mut())
    }

    /// Pops an entry; null when there is none.
    fn ExInterlockedPopEntryList(
        head: *mut SINGLE_LIST_ENTRY,
        lock: *mut KSPIN_LOCK,
    ) -> *mut SINGLE_LIST_ENTRY {
        let first = locked("ExInterlockedPopEntryList", head, lock, || {
            // SAFETY: the caller's list, which is changed under this lock only.
            let first = unsafe { (*head).Next };
            if !first.is_null() {
                // SAFETY: as above, for an entry of it.
                let next = unsafe { (*first).Next };
                // SAFETY: as above.
                unsafe { (*head).Next = next };
            }
            first
        });
        first.unwrap_or(core::ptr::null_mut())
    }
}}
