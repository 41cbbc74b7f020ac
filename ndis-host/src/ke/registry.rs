//! What of the registry a driver reads when it is loaded: the values under its
//! service's `Parameters` key, as the test has set them. With it the handles of
//! the object manager, which `ZwClose` closes: those of keys and of threads.
//!
//! And the debug output, which is the other way round.

use crate::callback::handle;
use crate::cx::Cx;
use crate::export::{Call, exports};
use crate::handle::{Kind, Lookup, ObjectId};
use crate::ke::table::registry::{Open, RegistryValue};
use crate::rules;
use crate::state::State;
use alloc::string::String;
use alloc::vec::Vec;
use core::ffi::{CStr, c_char, c_void};
use ndis_sys as n;
use ndis_sys::{OBJECT_ATTRIBUTES, UNICODE_STRING};

/// Where Windows keeps its services: the begin of a service key's path.
pub const SERVICES: &str = "\\Registry\\Machine\\System\\CurrentControlSet\\Services\\";

const INVALID_HANDLE: i32 = 0xC000_0008_u32 as i32;
const OBJECT_TYPE_MISMATCH: i32 = 0xC000_0024_u32 as i32;

/// The bytes of `KEY_VALUE_PARTIAL_INFORMATION` before the data.
const HEADER: usize = 12;

/// A driver's counted string; None when it cannot be one.
///
/// # Safety
///
/// `string` is null or points to a `UNICODE_STRING` with its characters.
pub(crate) unsafe fn text(string: *const UNICODE_STRING) -> Option<String> {
    // SAFETY: null or valid, by the caller.
    let string = unsafe { string.as_ref() }?;
    let len = usize::from(string.Length) / 2;
    if len == 0 {
        return Some(String::new());
    }
    if string.Buffer.is_null() {
        return None;
    }
    // SAFETY: the string has so many characters, by the caller.
    let units = unsafe { core::slice::from_raw_parts(string.Buffer, len) };
    Some(String::from_utf16_lossy(units))
}

/// Reports arguments that cannot be used; the answer to them.
fn refuse(cx: &Cx, call: &str, why: &str) -> i32 {
    cx.with(|s| s.violate(rules::ARGUMENT, None, alloc::format!("{call} {why}")));
    n::STATUS_INVALID_PARAMETER
}

/// Reports what a driver may ask for and the host does not know; the answer.
fn not_simulated(cx: &Cx, call: &str, what: &str) -> i32 {
    let message = alloc::format!("{call} {what} is not simulated");
    cx.with(|s| s.violate(rules::NOT_SIMULATED, None, message));
    n::STATUS_NOT_SUPPORTED
}

impl State {
    /// A handle that `ZwClose` closes, and the number of what it stands for.
    pub(crate) fn open_object(&mut self, kind: Kind, service: Option<String>) -> (u32, usize) {
        let number = self.number(kind);
        let open = Open {
            service,
            driver: self.driver(),
            who: self.who(),
            origin: self.origin(),
        };
        self.registry.open.insert(ObjectId::new(kind, number), open);
        (number, self.handles.make(kind, number))
    }

    /// What an open handle stands for, when it is one of these kinds. Anything
    /// else is reported, and answered as the object manager does.
    fn opened(&mut self, call: &str, raw: usize, wanted: &[Kind]) -> Result<ObjectId, i32> {
        let found = self.handles.look(raw);
        let status = match found {
            Lookup::Live(kind, number) if wanted.contains(&kind) => {
                return Ok(ObjectId::new(kind, number));
            }
            Lookup::Live(Kind::Key | Kind::Thread, _) => OBJECT_TYPE_MISMATCH,
            _ => INVALID_HANDLE,
        };
        let names: Vec<&str> = wanted.iter().map(|kind| kind.name()).collect();
        let names = names.join(" or ");
        let message = alloc::format!("{call} wants an open handle of a {names} and got {found}");
        self.violate(rules::ARGUMENT, found.object(), message);
        Err(status)
    }

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
            return Err(n::STATUS_INSUFFICIENT_RESOURCES);
        }
        let (_, raw) = self.open_object(Kind::Key, Some(service.into()));
        Ok(raw)
    }

    /// A value, as `KEY_VALUE_PARTIAL_INFORMATION`.
    fn value_of(&mut self, call: &str, raw: usize, name: &str) -> Result<Vec<u8>, i32> {
        let key = self.opened(call, raw, &[Kind::Key])?;
        self.registry
            .open
            .get(&key)
            .and_then(|open| self.registry.parameters.get(open.service.as_ref()?))
            .and_then(|values| values.get(&name.to_lowercase()))
            .map(RegistryValue::information)
            .ok_or(n::STATUS_OBJECT_NAME_NOT_FOUND)
    }

    fn close(&mut self, call: &str, raw: usize) -> Result<(), i32> {
        let object = self.opened(call, raw, &[Kind::Key, Kind::Thread])?;
        self.registry.open.remove(&object);
        self.handles.kill(raw);
        self.histories.end(object);
        Ok(())
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
        let call = "ZwOpenKey";
        let cx = Cx::enter(Call::new(call).quiet().passive(rules::IRQL), &[]);
        if let Some(status) = cx.fault {
            return status;
        }
        if key.is_null() {
            return refuse(&cx, call, "has no place for the handle");
        }
        // SAFETY: null or the caller's structure.
        let Some(attributes) = (unsafe { attributes.as_ref() }) else {
            return refuse(&cx, call, "has no attributes");
        };
        if attributes.Length as usize != size_of::<OBJECT_ATTRIBUTES>() {
            return refuse(&cx, call, "has attributes of a wrong length");
        }
        if !attributes.RootDirectory.is_null() {
            return not_simulated(&cx, call, "with a path that starts at an open key");
        }
        // SAFETY: the name that the caller's structure holds.
        let Some(path) = (unsafe { text(attributes.ObjectName) }) else {
            return refuse(&cx, call, "has no path");
        };
        match cx.with(|s| s.open_key(&path)) {
            Ok(raw) => {
                // SAFETY: the caller's variable for the result.
                unsafe { key.write(handle(raw)) };
                n::STATUS_SUCCESS
            }
            Err(status) => status,
        }
    }

    /// Reads a value: its header and as much of its data as there is room for.
    fn ZwQueryValueKey(
        key: *mut c_void,
        name: *mut UNICODE_STRING,
        class: i32,
        information: *mut c_void,
        length: u32,
        result_length: *mut u32,
    ) -> i32 {
        let call = "ZwQueryValueKey";
        let cx = Cx::enter(Call::new(call).quiet().passive(rules::IRQL), &[key]);
        if let Some(status) = cx.fault {
            return status;
        }
        if result_length.is_null() {
            return refuse(&cx, call, "has no place for the length");
        }
        if information.is_null() && length > 0 {
            return refuse(&cx, call, "has no buffer, and says that it has one");
        }
        // SAFETY: the caller's string.
        let Some(name) = (unsafe { text(name) }) else {
            return refuse(&cx, call, "has no name");
        };
        if class != n::KeyValuePartialInformation {
            return not_simulated(&cx, call, &alloc::format!("for information class {class}"));
        }
        let value = match cx.with(|s| s.value_of(call, key.addr(), &name)) {
            Ok(value) => value,
            Err(status) => return status,
        };
        // SAFETY: the caller's variable for the length.
        unsafe { result_length.write(value.len() as u32) };
        let room = length as usize;
        if room < HEADER {
            return n::STATUS_BUFFER_TOO_SMALL;
        }
        let written = value.len().min(room);
        // SAFETY: the caller's buffer has room for `length` bytes, and `value`
        // is the host's own.
        unsafe { information.cast::<u8>().copy_from_nonoverlapping(value.as_ptr(), written) };
        if written < value.len() {
            n::STATUS_BUFFER_OVERFLOW
        } else {
            n::STATUS_SUCCESS
        }
    }

    /// Closes a handle of the object manager: a key's, or that of a thread.
    fn ZwClose(object: *mut c_void) -> i32 {
        let call = "ZwClose";
        let cx = Cx::enter(Call::new(call).quiet().passive(rules::IRQL), &[object]);
        if let Some(status) = cx.fault {
            return status;
        }
        match cx.with(|s| s.close(call, object.addr())) {
            Ok(()) => n::STATUS_SUCCESS,
            Err(status) => status,
        }
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
