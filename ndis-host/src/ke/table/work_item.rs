//! Work items: NDIS's, and those of the I/O manager.

use crate::handle::Kind;
use crate::log::Origin;
use crate::report::ObjectLeft;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

pub(crate) struct WorkItem {
    pub(in crate::ke) raw: usize,
    pub(crate) driver: Option<u32>,
    pub(crate) adapter: Option<u32>,
    pub(in crate::ke) who: Arc<str>,
    pub(crate) origin: Origin,
    /// The driver object, if it is the I/O manager's.
    pub(in crate::ke) object: Option<usize>,
    pub(in crate::ke) queued: bool,
}

#[derive(Default)]
pub(crate) struct WorkItems {
    pub(crate) all: BTreeMap<u32, WorkItem>,
}

impl WorkItems {
    pub(crate) fn left(&self, driver: Option<u32>) -> Vec<ObjectLeft> {
        self.all
            .iter()
            .filter(|(_, item)| driver.is_none() || item.driver == driver)
            .map(|(number, item)| ObjectLeft {
                kind: Kind::WorkItem.name(),
                name: alloc::format!("work item {number}{}", item.origin),
                tag: String::new(),
                owner: item.who.clone(),
            })
            .collect()
    }
}
