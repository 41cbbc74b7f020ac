//! What the registry has for an adapter before it is started.

use crate::configuration::key::Key;
use crate::ke::table::registry::RegistryValue;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// The registry values of an adapter that is to be added: its own, and those that protocols
/// have for their binding to it.
///
/// A name is that of a value, or a path to it through subkeys, with backslashes. Case does not
/// matter.
///
/// ```
/// use ndis_host::AdapterSettings;
///
/// # let host = ndis_host::Host::builder().build();
/// let settings = AdapterSettings::new()
///     .value("Lines", 4) // REG_DWORD
///     .value("NetworkAddress", "02-00-00-00-00-07") // REG_SZ
///     .value("Peers\\First", "7 30 00")
///     .of_binding("echo", "Calls", 3);
/// host.set_adapter_settings("switch", settings); // of the adapters that `switch` gets from now on
/// ```
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct AdapterSettings {
    pub(super) own: Key,
    /// By the protocol driver's name in lower case.
    pub(super) bindings: BTreeMap<String, Key>,
}

impl AdapterSettings {
    /// No values.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a value of the adapter, or replaces it.
    #[must_use]
    pub fn value(mut self, name: &str, value: impl Into<RegistryValue>) -> Self {
        self.own.set(name, value.into());
        self
    }

    /// Adds a value that the protocol driver loaded as `protocol` has for its binding to the
    /// adapter, or replaces it.
    #[must_use]
    pub fn of_binding(
        mut self,
        protocol: &str,
        name: &str,
        value: impl Into<RegistryValue>,
    ) -> Self {
        let key = self.bindings.entry(protocol.to_lowercase()).or_default();
        key.set(name, value.into());
        self
    }

    /// Adds a value that is written as text: `Name=text`, `Name=dword:7`, or
    /// `Name=hex:0a 0b`.
    ///
    /// ```
    /// use ndis_host::AdapterSettings;
    ///
    /// let read = AdapterSettings::new().line("Lines=dword:4")?.line("Peer=7 30")?;
    /// assert_eq!(read, AdapterSettings::new().value("Lines", 4).value("Peer", "7 30"));
    /// # Ok::<(), ndis_host::UnknownSetting>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When it is none of these.
    pub fn line(self, line: &str) -> Result<Self, UnknownSetting> {
        let unknown = || UnknownSetting(line.into());
        let (name, text) = line.split_once('=').ok_or_else(unknown)?;
        if let Some(number) = text.strip_prefix("dword:") {
            let number: u32 = number.parse().map_err(|_| unknown())?;
            return Ok(self.value(name, number));
        }
        if let Some(digits) = text.strip_prefix("hex:") {
            let bytes = digits.split_whitespace();
            let bytes: Option<Vec<u8>> = bytes.map(|b| u8::from_str_radix(b, 16).ok()).collect();
            let bytes = bytes.ok_or_else(unknown)?;
            return Ok(self.value(name, RegistryValue::binary(bytes)));
        }
        Ok(self.value(name, text))
    }
}

/// A line that is no setting.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnknownSetting(String);

impl fmt::Display for UnknownSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = &self.0;
        write!(
            f,
            "{line:?} is no setting: `Name=text`, `Name=dword:7` or `Name=hex:0a 0b`"
        )
    }
}

impl core::error::Error for UnknownSetting {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read() {
        let read = AdapterSettings::new()
            .line("Sub\\Key=hex:01 ff")
            .and_then(|settings| settings.line("Empty="))
            .and_then(|settings| settings.line("Equal=a=b"))
            .expect("they are settings");
        let made = AdapterSettings::new()
            .value("sub\\key", RegistryValue::binary([1, 255]))
            .value("EMPTY", "")
            .value("equal", "a=b");
        assert_eq!(read.own.get("Sub\\Key"), made.own.get("Sub\\Key"));
        assert_eq!(read.own.get("Empty"), made.own.get("Empty"));
        assert_eq!(read.own.get("Equal"), made.own.get("Equal"));
        for wrong in ["Name", "Name=dword:x", "Name=dword:-1", "Name=hex:100"] {
            let error = AdapterSettings::new().line(wrong).expect_err(wrong);
            assert!(alloc::format!("{error}").contains(wrong));
        }
    }
}
