//! Failures on purpose: a test orders them, the host delivers.

use alloc::string::String;
use alloc::vec::Vec;

#[derive(Default)]
pub(crate) struct Faults {
    /// Counts down to the allocations that fail.
    allocations: Vec<u64>,
    calls: Vec<(String, u64, i32)>,
}

impl Faults {
    /// The `nth` allocation from now on fails (1 is the next).
    pub(crate) fn order_allocation(&mut self, nth: u64) {
        self.allocations.push(nth.max(1));
    }

    /// The `nth` call of `name` from now on fails with `status`.
    pub(crate) fn order_call(&mut self, name: &str, nth: u64, status: i32) {
        self.calls.push((name.into(), nth.max(1), status));
    }

    /// Whether this allocation is one that fails.
    pub(crate) fn allocation(&mut self) -> bool {
        if self.allocations.is_empty() {
            return false;
        }
        let mut fails = false;
        for left in &mut self.allocations {
            *left -= 1;
            fails |= *left == 0;
        }
        self.allocations.retain(|left| *left > 0);
        fails
    }

    /// The status that this call fails with, if it does.
    pub(crate) fn call(&mut self, name: &str) -> Option<i32> {
        if self.calls.is_empty() {
            return None;
        }
        let mut status = None;
        for (ordered, left, with) in &mut self.calls {
            if ordered == name {
                *left -= 1;
                if *left == 0 {
                    status = Some(*with);
                }
            }
        }
        self.calls.retain(|(_, left, _)| *left > 0);
        status
    }
}
