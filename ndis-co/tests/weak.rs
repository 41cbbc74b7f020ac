//! Weak references among threads that really run at once: a kernel of five functions stands in for
//! the host, which has one of its threads run at a time. Under Miri this looks at the memory order.

use ndis_co::{
    lock::SpinLock,
    mem::{Anchored, Arc, Parent, Tag, Weak},
};
use std::{
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

/// The functions that the memory, the locks and the count need.
mod kernel {
    use std::{
        alloc::{Layout, alloc_zeroed, dealloc},
        ffi::c_void,
        hint, process,
        sync::atomic::{AtomicUsize, Ordering},
        thread,
    };

    /// In front of each piece of memory, its length.
    const HEAD: usize = 16;

    fn layout(len: usize) -> Layout {
        Layout::from_size_align(len + HEAD, HEAD).unwrap()
    }

    #[unsafe(no_mangle)]
    extern "system" fn ExAllocatePool2(_flags: u64, len: usize, _tag: u32) -> *mut c_void {
        // SAFETY: the layout is not of nothing.
        let memory = unsafe { alloc_zeroed(layout(len)) };
        // SAFETY: aligned, and the head is in front.
        unsafe { memory.cast::<usize>().write(len) };
        memory.wrapping_add(HEAD).cast()
    }

    #[unsafe(no_mangle)]
    unsafe extern "system" fn ExFreePoolWithTag(memory: *mut c_void, _tag: u32) {
        let memory = memory.cast::<u8>().wrapping_sub(HEAD);
        // SAFETY: memory of the function above, whose length is in front.
        let len = unsafe { memory.cast::<usize>().read() };
        // SAFETY: as above.
        unsafe { dealloc(memory, layout(len)) };
    }

    /// # Safety
    ///
    /// A lock that lives for as long.
    unsafe fn word<'l>(lock: *mut usize) -> &'l AtomicUsize {
        // SAFETY: by the caller; everybody comes by this way.
        unsafe { AtomicUsize::from_ptr(lock) }
    }

    #[unsafe(no_mangle)]
    unsafe extern "system" fn KeAcquireSpinLockRaiseToDpc(lock: *mut usize) -> u8 {
        // SAFETY: the caller's lock.
        let word = unsafe { word(lock) };
        while word.swap(1, Ordering::Acquire) != 0 {
            hint::spin_loop();
            thread::yield_now();
        }
        0
    }

    #[unsafe(no_mangle)]
    unsafe extern "system" fn KeReleaseSpinLock(lock: *mut usize, _irql: u8) {
        // SAFETY: the caller's lock.
        unsafe { word(lock) }.store(0, Ordering::Release);
    }

    #[unsafe(no_mangle)]
    extern "system" fn KeBugCheckEx(code: u32, _: usize, _: usize, _: usize, _: usize) -> ! {
        eprintln!("bug check {code:#x}");
        process::abort();
    }
}

const TAG: Tag = Tag::new(*b"Weak");
const ROUNDS: usize = if cfg!(miri) { 20 } else { 5_000 };

/// Counts its ends.
struct Counts<'c>(&'c AtomicUsize);

impl Drop for Counts<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn it_finds_the_value_until_the_last_owner_goes() {
    let ends = AtomicUsize::new(0);
    let value = Arc::try_new(Counts(&ends), TAG).unwrap();
    let weak = Arc::downgrade(&value).unwrap();
    let found = weak.upgrade().unwrap();
    assert!(Arc::ptr_eq(&found, &value));
    drop(value);
    assert_eq!(ends.load(Ordering::SeqCst), 0);
    drop(found);
    assert_eq!(ends.load(Ordering::SeqCst), 1);
    assert!(weak.upgrade().is_none());
    assert!(weak.clone().upgrade().is_none());
}

#[test]
fn its_value_is_the_same_or_another_also_when_it_has_gone() {
    let (one, other) = (Arc::try_new(1, TAG).unwrap(), Arc::try_new(1, TAG).unwrap());
    let weak = Arc::downgrade(&one).unwrap();
    let again = Arc::downgrade(&one).unwrap();
    let another = Arc::downgrade(&other).unwrap();
    drop(one);
    // In the same memory, perhaps.
    let next = Arc::try_new(1, TAG).unwrap();
    let next = Arc::downgrade(&next).unwrap();
    assert!(weak.ptr_eq(&again));
    assert!(!weak.ptr_eq(&another));
    assert!(!weak.ptr_eq(&next));
    assert!(weak.upgrade().is_none());
}

#[test]
fn it_keeps_no_parent() {
    struct Child<'c>(Parent<Arc<Counts<'c>>>);
    impl<'c> Anchored for Child<'c> {
        type Parent = Arc<Counts<'c>>;
        fn parent(&mut self) -> &mut Parent<Arc<Counts<'c>>> {
            &mut self.0
        }
    }
    let ends = AtomicUsize::new(0);
    let parent = Arc::try_new(Counts(&ends), TAG).unwrap();
    let child = Arc::try_new_anchored(Child(Parent::new(parent)), TAG).unwrap();
    let weak = Arc::downgrade(&child).unwrap();
    drop(child);
    assert_eq!(ends.load(Ordering::SeqCst), 1);
    assert!(weak.upgrade().is_none());
}

/// One of two that refer to each other.
struct End<'c> {
    other: SpinLock<Option<Weak<End<'c>>>>,
    _counts: Counts<'c>,
}

#[test]
fn two_that_refer_to_each_other_go() {
    let ends = AtomicUsize::new(0);
    for _ in 0..ROUNDS {
        let end = || {
            let end = End {
                other: SpinLock::new(None),
                _counts: Counts(&ends),
            };
            Arc::try_new(end, TAG).unwrap()
        };
        let (one, other) = (end(), end());
        one.other.set(Some(Arc::downgrade(&other).unwrap()));
        other.other.set(Some(Arc::downgrade(&one).unwrap()));
        thread::scope(|scope| {
            for end in [one, other] {
                scope.spawn(move || {
                    let other = end.other.take().unwrap().upgrade();
                    drop(end);
                    drop(other);
                });
            }
        });
    }
    assert_eq!(ends.load(Ordering::SeqCst), 2 * ROUNDS);
}

/// The last owner goes while other threads look for the value: they find all of it or nothing, and
/// it ends once.
#[test]
fn the_last_owner_may_go_at_any_moment() {
    let ends = AtomicUsize::new(0);
    for _ in 0..ROUNDS {
        let value = Arc::try_new((Counts(&ends), 7), TAG).unwrap();
        let weak = Arc::downgrade(&value).unwrap();
        thread::scope(|scope| {
            for _ in 0..2 {
                let weak = weak.clone();
                scope.spawn(move || {
                    while let Some(value) = weak.upgrade() {
                        assert_eq!(value.1, 7);
                    }
                });
            }
            drop(weak);
            drop(value);
        });
    }
    assert_eq!(ends.load(Ordering::SeqCst), ROUNDS);
}

/// Who asks first makes the cell, and all share that one.
#[test]
fn several_may_be_the_first() {
    for _ in 0..ROUNDS {
        let value = Arc::try_new(7, TAG).unwrap();
        let (one, other) = thread::scope(|scope| {
            let one = scope.spawn(|| Arc::downgrade(&value).unwrap());
            let other = scope.spawn(|| Arc::downgrade(&value).unwrap());
            (one.join().unwrap(), other.join().unwrap())
        });
        assert!(one.ptr_eq(&other));
        drop(value);
        assert!(one.upgrade().is_none());
    }
}
