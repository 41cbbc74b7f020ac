//! Remove locks, by their addresses.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

/// A lock: the tags of those who hold it, and whether the device goes.
#[derive(Default)]
pub(in crate::ke) struct RemoveLock {
    pub(in crate::ke) holders: Vec<usize>,
    pub(in crate::ke) removed: bool,
}

#[derive(Default)]
pub(crate) struct RemoveLocks(pub(in crate::ke) BTreeMap<usize, RemoveLock>);
