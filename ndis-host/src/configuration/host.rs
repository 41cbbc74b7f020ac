//! What a test says and asks about the settings of adapters.

use crate::configuration::settings::AdapterSettings;
use crate::configuration::table::Place;
use crate::host::{Adapter, Host};
use crate::ke::table::registry::RegistryValue;

impl Host {
    /// Sets what the registry has for the adapters that `driver`, by the name it is loaded by,
    /// gets from now on.
    ///
    /// Adapters that nothing was set for have no values.
    pub fn set_adapter_settings(&self, driver: &str, settings: AdapterSettings) {
        self.with_state(|s| {
            s.configurations
                .next
                .insert(driver.to_lowercase(), settings);
        });
    }

    /// The value that the registry has for an adapter, also when the adapter is gone: as it was
    /// set, or as its driver has written it. `name` may be a path, as in [`AdapterSettings`].
    pub fn adapter_value(&self, adapter: &Adapter, name: &str) -> Option<RegistryValue> {
        let place = Place::Adapter(self.number_of(adapter));
        self.with_state(|s| s.configurations.key(&place)?.get(name).cloned())
    }

    /// The same for the binding of the protocol driver that was loaded as `protocol`.
    pub fn binding_value(
        &self,
        adapter: &Adapter,
        protocol: &str,
        name: &str,
    ) -> Option<RegistryValue> {
        let place = Place::Binding(self.number_of(adapter), protocol.into());
        self.with_state(|s| s.configurations.key(&place)?.get(name).cloned())
    }
}
