//! The registry as the test has set it, and the open handles of the object manager.

use crate::handle::ObjectId;
use crate::log::Origin;
use crate::report::ObjectLeft;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use ndis_sys as n;

pub(crate) const REG_SZ: u32 = 1;
pub(crate) const REG_EXPAND_SZ: u32 = 2;
pub(crate) const REG_BINARY: u32 = 3;
pub(crate) const REG_MULTI_SZ: u32 = 7;

/// A value of the registry: its type and its bytes.
///
/// A `u32` becomes a `REG_DWORD`, text a `REG_SZ`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RegistryValue {
    kind: u32,
    data: Vec<u8>,
}

impl RegistryValue {
    /// A value of any type (`REG_BINARY` is 3), with bytes that need not fit it.
    pub fn new(kind: u32, data: impl Into<Vec<u8>>) -> Self {
        Self {
            kind,
            data: data.into(),
        }
    }

    /// A `REG_BINARY`.
    pub fn binary(data: impl Into<Vec<u8>>) -> Self {
        Self::new(REG_BINARY, data)
    }

    /// A `REG_MULTI_SZ` of these texts.
    pub fn list(texts: &[&str]) -> Self {
        let units = texts.iter().flat_map(|text| text.encode_utf16().chain([0]));
        let data: Vec<u8> = units.chain([0]).flat_map(u16::to_ne_bytes).collect();
        Self::new(REG_MULTI_SZ, data)
    }

    /// The type, as the registry has it.
    pub fn kind(&self) -> u32 {
        self.kind
    }

    /// The bytes.
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// As `KEY_VALUE_PARTIAL_INFORMATION`.
    pub(in crate::ke) fn information(&self) -> Vec<u8> {
        let title = 0u32;
        let numbers = [title, self.kind, self.data.len() as u32];
        let mut bytes: Vec<u8> = numbers.into_iter().flat_map(u32::to_ne_bytes).collect();
        bytes.extend_from_slice(&self.data);
        bytes
    }
}

impl From<u32> for RegistryValue {
    fn from(value: u32) -> Self {
        Self::new(n::REG_DWORD, value.to_ne_bytes())
    }
}

impl From<&str> for RegistryValue {
    fn from(text: &str) -> Self {
        let units = text.encode_utf16().chain([0]);
        let data: Vec<u8> = units.flat_map(u16::to_ne_bytes).collect();
        Self::new(REG_SZ, data)
    }
}

/// What an open handle of the object manager stands for.
pub(in crate::ke) struct Open {
    /// Of a key: the service whose parameters are in it.
    pub(in crate::ke) service: Option<String>,
    pub(in crate::ke) driver: Option<u32>,
    pub(in crate::ke) who: Arc<str>,
    pub(in crate::ke) origin: Origin,
}

/// Names are compared without regard to case: they are kept in lower case.
#[derive(Default)]
pub(crate) struct Registry {
    /// By service and by the value's name.
    pub(in crate::ke) parameters: BTreeMap<String, BTreeMap<String, RegistryValue>>,
    pub(in crate::ke) open: BTreeMap<ObjectId, Open>,
}

impl Registry {
    pub(crate) fn set(&mut self, service: &str, name: &str, value: RegistryValue) {
        self.parameters
            .entry(service.to_lowercase())
            .or_default()
            .insert(name.to_lowercase(), value);
    }

    /// A value of a service's parameters.
    pub(crate) fn get(&self, service: &str, name: &str) -> Option<&RegistryValue> {
        let values = self.parameters.get(&service.to_lowercase())?;
        values.get(&name.to_lowercase())
    }

    /// Handles that were not closed. Windows does not close them either, not
    /// even that of a thread which has ended.
    pub(crate) fn left(&self, driver: Option<u32>) -> Vec<ObjectLeft> {
        self.open
            .iter()
            .filter(|(_, open)| driver.is_none() || open.driver == driver)
            .map(|(object, open)| ObjectLeft {
                kind: object.kind.name(),
                name: alloc::format!("handle of {object}{}", open.origin),
                tag: String::new(),
                owner: open.who.clone(),
            })
            .collect()
    }
}
