//! [`Exact`]: foreign memory whose bounds a sanitizer knows.

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};

/// The alignment of every structure here: as the kernel's pool has it.
const ALIGN: usize = 16;

/// What has not been written.
const GARBAGE: u8 = 0xA5;

/// An allocation of exactly as many bytes as its owner claims to be valid: a
/// byte read before or behind them is seen by AddressSanitizer and by Miri.
///
/// # Invariants
///
/// EXACT: `start` is an allocation of `len` bytes (of one byte when `len` is
/// zero), all initialised, which this value owns; others only read it, as long
/// as this value lives and is not borrowed mutably.
#[derive(Debug)]
pub struct Exact {
    start: *mut u8,
    len: usize,
}

impl Exact {
    /// Allocates `len` bytes of garbage.
    #[must_use]
    pub fn new(len: usize) -> Self {
        let layout = Self::layout(len);
        // SAFETY: the layout has at least one byte.
        let start = unsafe { alloc(layout) };
        if start.is_null() {
            handle_alloc_error(layout);
        }
        // SAFETY: the bytes were just allocated.
        unsafe { start.write_bytes(GARBAGE, layout.size()) };
        Self { start, len }
    }

    /// Allocates a copy.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        let mut memory = Self::new(bytes.len());
        memory.put_bytes(0, bytes);
        memory
    }

    fn layout(len: usize) -> Layout {
        Layout::from_size_align(len.max(1), ALIGN).expect("a size that fits into memory")
    }

    /// Writes a field.
    ///
    /// # Panics
    ///
    /// When it is not inside.
    pub fn put<T: Copy>(&mut self, at: usize, value: T) {
        assert!(at + size_of::<T>() <= self.len, "a field inside");
        // SAFETY: inside of the allocation, as was just checked.
        let place = unsafe { self.start.add(at) };
        // SAFETY: by EXACT ours, and there is room for a `T`.
        unsafe { place.cast::<T>().write_unaligned(value) };
    }

    /// Writes bytes.
    ///
    /// # Panics
    ///
    /// When they are not inside.
    pub fn put_bytes(&mut self, at: usize, bytes: &[u8]) {
        self.bytes_mut()[at..][..bytes.len()].copy_from_slice(bytes);
    }

    /// Where it is.
    #[must_use]
    pub fn pointer<T>(&self) -> *mut T {
        self.start.cast()
    }

    /// The bytes, to be written.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: by EXACT `len` initialised bytes, ours while `self` is
        // borrowed.
        unsafe { std::slice::from_raw_parts_mut(self.start, self.len) }
    }
}

impl Drop for Exact {
    fn drop(&mut self) {
        // SAFETY: by EXACT allocated with this layout and freed here only.
        unsafe { dealloc(self.start, Self::layout(self.len)) };
    }
}
