//! The keys of adapters and bindings, the open handles of them, and the memory that drivers
//! are shown of them. A part of the state, which knows nothing of it.

use crate::callback::Ptr;
use crate::configuration::key::Key;
use crate::configuration::settings::AdapterSettings;
use crate::handle::ObjectId;
use crate::log::Origin;
use crate::report::ObjectLeft;
use alloc::boxed::Box;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use ndis_sys::NDIS_CONFIGURATION_PARAMETER;

/// Where a handle's values are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Place {
    Adapter(u32),
    /// A protocol driver's, for one adapter.
    Binding(u32, Arc<str>),
    /// A driver's own: the parameters of its service.
    Service(Arc<str>),
}

/// An open handle.
pub(super) struct Open {
    pub(super) place: Place,
    /// The keys on the way to it, with a backslash behind each; empty for the place itself.
    pub(super) path: String,
    /// Whose handle it was opened with.
    pub(super) base: ObjectId,
    pub(super) raw: usize,
    pub(super) driver: Option<u32>,
    pub(super) who: Arc<str>,
    pub(super) origin: Origin,
    /// Calls that read or write by it.
    pub(super) busy: u32,
    pub(super) shown: Vec<Shown>,
}

/// Memory of NDIS's that a driver is shown until it closes the handle.
pub(super) struct Shown {
    memory: Ptr<u64>,
    words: usize,
}

/// What the memory is filled with when the handle is closed.
const DEAD: u8 = 0xDD;
/// So many pieces of closed handles are kept from being used again.
const KEPT: usize = 64;

impl Shown {
    /// Memory with these bytes in it, which whoever is shown it may also write to.
    pub(super) fn bytes(bytes: &[u8]) -> Self {
        let mut words = alloc::vec![0_u64; bytes.len().div_ceil(8).max(1)];
        for (word, bytes) in words.iter_mut().zip(bytes.chunks(8)) {
            let mut all = [0; 8];
            all[..bytes.len()].copy_from_slice(bytes);
            *word = u64::from_ne_bytes(all);
        }
        let words = words.into_boxed_slice();
        Self {
            words: words.len(),
            memory: Ptr(Box::into_raw(words).cast()),
        }
    }

    pub(super) fn parameter(parameter: NDIS_CONFIGURATION_PARAMETER) -> Self {
        let shown = Self::bytes(&[0; size_of::<NDIS_CONFIGURATION_PARAMETER>()]);
        // SAFETY: so many bytes, aligned for anything that is in it, and nobody else's yet.
        unsafe {
            shown
                .memory
                .0
                .cast::<NDIS_CONFIGURATION_PARAMETER>()
                .write(parameter)
        };
        shown
    }

    pub(super) fn pointer<T>(&self) -> *mut T {
        self.memory.0.cast()
    }

    /// The handle is closed: who looks at it now sees that it is gone.
    fn poison(&self) {
        let bytes = self.words * size_of::<u64>();
        // SAFETY: the memory is the host's until the drop, and no driver runs.
        unsafe { self.pointer::<u8>().write_bytes(DEAD, bytes) };
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        let words = core::ptr::slice_from_raw_parts_mut(self.memory.0, self.words);
        // SAFETY: made of a box of as many words, by `bytes`, and dropped once.
        drop(unsafe { Box::from_raw(words) });
    }
}

/// The settings of adapters, and what of them is open.
#[derive(Default)]
pub(crate) struct Configurations {
    /// What the next adapters of a driver have, by its name in lower case.
    pub(super) next: BTreeMap<String, AdapterSettings>,
    /// By adapter. They stay when it is gone, for a test to look at.
    pub(super) adapters: BTreeMap<u32, AdapterSettings>,
    pub(super) open: BTreeMap<u32, Open>,
    /// Of closed handles, oldest first.
    kept: VecDeque<Shown>,
}

impl Configurations {
    /// A driver's adapter comes.
    pub(crate) fn add(&mut self, driver: &str, adapter: u32) {
        let settings = self.next.get(&driver.to_lowercase());
        self.adapters
            .insert(adapter, settings.cloned().unwrap_or_default());
    }

    /// A key that belongs to an adapter.
    pub(super) fn key(&self, place: &Place) -> Option<&Key> {
        match place {
            Place::Adapter(adapter) => Some(&self.adapters.get(adapter)?.own),
            Place::Binding(adapter, protocol) => {
                let settings = self.adapters.get(adapter)?;
                settings.bindings.get(&protocol.to_lowercase())
            }
            Place::Service(_) => None,
        }
    }

    /// The same to be written to; it comes to be by that.
    pub(super) fn key_mut(&mut self, place: &Place) -> Option<&mut Key> {
        match place {
            Place::Adapter(adapter) => Some(&mut self.adapters.get_mut(adapter)?.own),
            Place::Binding(adapter, protocol) => {
                let settings = self.adapters.get_mut(adapter)?;
                Some(
                    settings
                        .bindings
                        .entry(protocol.to_lowercase())
                        .or_default(),
                )
            }
            Place::Service(_) => None,
        }
    }

    /// A handle is closed: what was shown by it is gone.
    pub(super) fn close(&mut self, number: u32) {
        let Some(open) = self.open.remove(&number) else {
            return;
        };
        // Miri sees an access itself.
        if cfg!(miri) {
            return;
        }
        for shown in open.shown {
            shown.poison();
            self.kept.push_back(shown);
        }
        while self.kept.len() > KEPT {
            self.kept.pop_front();
        }
    }

    /// Handles that were not closed.
    pub(crate) fn left(&self, driver: Option<u32>) -> Vec<ObjectLeft> {
        self.open
            .iter()
            .filter(|(_, open)| driver.is_none() || open.driver == driver)
            .map(|(number, open)| ObjectLeft {
                kind: "configuration",
                name: alloc::format!("configuration {number} of {}{}", open.base, open.origin),
                tag: String::new(),
                owner: open.who.clone(),
            })
            .collect()
    }
}
