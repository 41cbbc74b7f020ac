//! What of an adapter matters while it is reset.

use alloc::vec::Vec;

/// What a miniport held when its reset began, and must give back before the end.
#[derive(Default)]
pub(crate) struct HeldAtReset {
    pub(crate) lists: Vec<usize>,
    pub(crate) requests: Vec<u32>,
}
