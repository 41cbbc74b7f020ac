//! What a driver works with, from whoever has it loaded: a `Load` is given nothing but its name.
#![forbid(unsafe_code)]

use crate::world::look;
use ndis_co::ServiceKey;
use std::{
    any::Any,
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

/// By the name of the driver.
static LOADING: Mutex<BTreeMap<String, Arc<dyn Any + Send + Sync>>> = Mutex::new(BTreeMap::new());

/// The driver of this name is about to be loaded, to work with `what`.
pub(crate) fn begin<T: Any + Send + Sync>(name: &str, what: Arc<T>) {
    look(&LOADING).insert(name.to_owned(), what);
}

/// It is loaded, or has failed to.
pub(crate) fn end(name: &str) {
    look(&LOADING).remove(name);
}

/// What the driver that is being loaded works with.
pub(crate) fn found<T: Any + Send + Sync>(key: &ServiceKey<'_>) -> Option<Arc<T>> {
    let name = String::from_utf16_lossy(key.name());
    let found = look(&LOADING).get(&name).cloned()?;
    found.downcast().ok()
}
