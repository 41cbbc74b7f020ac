//! What of the registry a driver reads when it is loaded: the numbers under
//! its service's `Parameters` key, as the test has set them.
//!
//! And the debug output, which is the other way round.

use crate::cx::{Call, Cx, handle};
use crate::export::exports;
use crate::handle::{Kind, Lookup};
use crate::report::ObjectLeft;
use crate::rules;
use crate::state::State;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ffi::{CStr, c_char, c_void};
use ndis_sys as n;
use ndis_sys::{OBJECT_ATTRIBUTES, UNICODE_STRING};

/// Where Windows keeps its services.
pub(crate) const SERVICES: &str = "\\Registry\\Machine\\System\\CurrentControlSet\\Services\\";

/// An open key.
struct Key {
    service: String,
    driver: Option<u32>,
    who: Arc<str>,
}

/// Names are compared without regard to case: they are kept in lower case.
#[derive(Default)]
pub(crate) struct Registry {
    /// By service and by the value's name.
    parameters: BTreeMap<String, BTreeMap<String, u32>>,
    open: BTreeMap<u32, Key>,
}

impl Registry {
    pub(crate) fn set(&mut self, service: &str, name: &str, value: u32) {
        self.parameters
            .entry(service.to_lowercase())
            .or_default()
            .insert(name.to_lowercase(), value);
    }

    pub(crate) fn left(&self, driver: Option<u32>) -> Vec<ObjectLeft> {
        self.open
            .iter()
            .filter(|(_, key)| driver.is_none() || key.driver == driver)
            .map(|(number, key)| ObjectLeft {
                kind: Kind::Key.name(),
                name: alloc::format!("registry key {number}"),
                tag: String::new(),
                owner: key.who.clone(),
            })
            .collect()
    }
}

/// A driver's counted string; None when it cannot be one.
///
/// # Safety
///
/// `string` is null or points to a `UNICODE_STRING` with its characters.
unsafe fn text(string: *const UNICODE_STRING) -> Option<String> {
    // SAFETY: null or valid, by the caller.
    let string = unsafe { string.as_ref() }?;
    if string.Buffer.is_null() {
        return None;
    }
    let len = usize::from(string.Length) / 2;
    // SAFETY: the string has so many characters, by the caller.
    let units = unsafe { core::slice::from_raw_parts(string.Buffer, len) };
    String::from_utf16(units).ok()
}

impl State {
    fn open_key(&mut self, path: &str) -> Result<usize, i32> {
        // A path names the machine's part of the registry, in any case.
        let lower = path.to_lowercase();
        let service = lower
            .strip_prefix(&SERVICES.to_lowercase())
            .and_then(|rest| rest.strip_suffix("\\parameters"))
            .filter(|service| self.registry.parameters.contains_key(*service));
        let Some(service) = service else {
            return Err(n::STATUS_OBJECT_NAME_NOT_FOUND);
        };
        if self.faults.allocation() {
            return Err(n::NDIS_STATUS_RESOURCES);
        }
        let number = self.number(Kind::Key);
        let key = Key {
            service: service.into(),
            driver: self.driver(),
            who: self.who(),
        };
        self.registry.open.insert(number, key);
        Ok(self.handles.make(Kind::Key, number))
    }

    fn value_of(&mut self, call: &'static str, raw: usize, name: &str) -> Option<u32> {
        let number = self.take(call, raw, Kind::Key)?;
        let key = self.registry.open.get(&number)?;
        let values = self.registry.parameters.get(&key.service)?;
        values.get(&name.to_lowercase()).copied()
    }

    /// A driver has printed something.
    fn print(&mut self, text: &str) {
        let who = self.who();
        self.note(None, text.trim_end());
        self.ledger.printed.push(crate::report::Printed {
            who,
            text: text.into(),
        });
    }
}

exports! { EXPORTS {
    /// Opens a service's `Parameters`.
    fn ZwOpenKey(key: *mut *mut c_void, _access: u32, attributes: *mut OBJECT_ATTRIBUTES) -> i32 {
        let cx = Cx::enter(Call::new("ZwOpenKey").quiet().passive(rules::IRQL), &[]);
        if let Some(status) = cx.fault {
            return status;
        }
        // SAFETY: null or the caller's structure.
        let Some(attributes) = (unsafe { attributes.as_ref() }) else {
            return n::NDIS_STATUS_INVALID_PARAMETER;
        };
        // SAFETY: the name that the caller's structure holds.
        let Some(path) = (unsafe { text(attributes.ObjectName) }) else {
            return n::NDIS_STATUS_INVALID_PARAMETER;
        };
        match cx.with(|s| s.open_key(&path)) {
            Ok(raw) => {
                // SAFETY: the caller's variable for the result.
                unsafe { key.write(handle(raw)) };
                0
            }
            Err(status) => status,
        }
    }

    /// Reads a number.
    fn ZwQueryValueKey(
        key: *mut c_void,
        name: *mut UNICODE_STRING,
        class: i32,
        information: *mut c_void,
        length: u32,
        result_length: *mut u32,
    ) -> i32 {
        let call = "ZwQueryValueKey";
        let cx = Cx::enter(Call::new(call).quiet().passive(rules::IRQL), &[]);
        if let Some(status) = cx.fault {
            return status;
        }
        // SAFETY: the caller's string.
        let name = unsafe { text(name) };
        let (Some(name), n::KeyValuePartialInformation) = (name, class) else {
            return n::NDIS_STATUS_INVALID_PARAMETER;
        };
        let Some(value) = cx.with(|s| s.value_of(call, key.addr(), &name)) else {
            return n::STATUS_OBJECT_NAME_NOT_FOUND;
        };
        let answer = [0, n::REG_DWORD, 4, value];
        let size = size_of_val(&answer) as u32;
        // SAFETY: the caller's variable for the length.
        unsafe { result_length.write(size) };
        if length < size {
            return n::NDIS_STATUS_BUFFER_OVERFLOW;
        }
        // SAFETY: the caller's buffer has room for `length` bytes.
        unsafe { information.cast::<[u32; 4]>().write_unaligned(answer) };
        0
    }

    /// Closes a handle of the object manager: a key's, or that of a thread,
    /// which has nothing to be closed here.
    fn ZwClose(key: *mut c_void) -> i32 {
        let cx = Cx::enter(Call::new("ZwClose").quiet().passive(rules::IRQL), &[]);
        cx.with(|s| {
            if let Lookup::Live(Kind::Key, number) = s.handles.look(key.addr()) {
                s.registry.open.remove(&number);
                s.handles.kill(key.addr());
            }
        });
        0
    }

    /// Prints for the debugger. A format's directives are shown as they are:
    /// what they stand for is in a list that only C can read.
    fn vDbgPrintEx(
        _component: u32,
        _level: u32,
        format: *const c_char,
        _arguments: *mut c_void,
    ) -> u32 {
        let cx = Cx::enter(Call::new("vDbgPrintEx").quiet(), &[]);
        if format.is_null() {
            return n::NDIS_STATUS_INVALID_PARAMETER as u32;
        }
        // SAFETY: the caller's text, up to and including its zero.
        let text = unsafe { CStr::from_ptr(format) };
        let text = text.to_string_lossy().replace("%%", "%");
        cx.with(|s| s.print(&text));
        0
    }
}}
