//! A registry key of an adapter or a binding, as a plain value.

use crate::ke::table::registry::RegistryValue;
use alloc::collections::BTreeMap;
use alloc::string::String;

/// A registry key: its values by their names in lower case, and the keys below it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Key {
    values: BTreeMap<String, RegistryValue>,
    /// By the name in lower case; with the name as it was written first.
    below: BTreeMap<String, (String, Self)>,
}

impl Key {
    /// Sets a value, by its name or a path to it.
    pub(crate) fn set(&mut self, path: &str, value: RegistryValue) {
        let mut key = self;
        let (keys, name) = split(path);
        for part in keys {
            let below = key.below.entry(part.to_lowercase());
            key = &mut below.or_insert_with(|| (part.into(), Self::default())).1;
        }
        key.values.insert(name.to_lowercase(), value);
    }

    /// A value, by its name or a path to it.
    pub(crate) fn get(&self, path: &str) -> Option<&RegistryValue> {
        let (keys, name) = split(path);
        let mut key = self;
        for part in keys {
            key = key.below(part)?;
        }
        key.value(name)
    }

    pub(super) fn value(&self, name: &str) -> Option<&RegistryValue> {
        self.values.get(&name.to_lowercase())
    }

    pub(super) fn below(&self, name: &str) -> Option<&Self> {
        self.below.get(&name.to_lowercase()).map(|(_, key)| key)
    }

    /// The name of the subkey with this index.
    pub(super) fn name_at(&self, index: usize) -> Option<&str> {
        self.below
            .values()
            .nth(index)
            .map(|(name, _)| name.as_str())
    }
}

/// The keys on the way to a value, and its name.
fn split(path: &str) -> (impl Iterator<Item = &str>, &str) {
    let (keys, name) = path.rsplit_once('\\').unwrap_or(("", path));
    (keys.split('\\').filter(|part| !part.is_empty()), name)
}
