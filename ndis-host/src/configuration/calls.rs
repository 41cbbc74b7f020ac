//! What drivers call: open a configuration, read and write its values, close it.

use crate::callback::handle;
use crate::configuration::table::{Open, Place as Where, Shown};
use crate::configuration::value::{Told, address};
use crate::cx::Cx;
use crate::export::{Call, exports};
use crate::handle::{Kind, ObjectId};
use crate::ke::registry::text;
use crate::ke::table::registry::{REG_MULTI_SZ, REG_SZ, RegistryValue};
use crate::rules;
use crate::sched::DISPATCH;
use crate::state::State;
use alloc::string::String;
use alloc::vec::Vec;
use core::ffi::c_void;
use core::mem::MaybeUninit;
use ndis_sys as n;
use ndis_sys::{
    BINARY_DATA, NDIS_CONFIGURATION_OBJECT, NDIS_CONFIGURATION_PARAMETER,
    NDIS_CONFIGURATION_PARAMETER_ParameterData, UNICODE_STRING,
};

const OPEN: Call = Call::new("NdisOpenConfigurationEx").passive("CFG-01");
const BY_NAME: Call = Call::new("NdisOpenConfigurationKeyByName").passive("CFG-02");
const BY_INDEX: Call = Call::new("NdisOpenConfigurationKeyByIndex").passive("CFG-02");
const READ: Call = Call::new("NdisReadConfiguration").passive("CFG-01");
const WRITE: Call = Call::new("NdisWriteConfiguration").passive("CFG-01");
const ADDRESS: Call = Call::new("NdisReadNetworkAddress").passive("CFG-01");
const CLOSE: Call = Call::new("NdisCloseConfiguration").passive("CFG-01");

/// Reports arguments that cannot be used; the answer to them.
fn refuse(cx: &Cx, why: &str) -> i32 {
    let message = alloc::format!("{} {why}", cx.name());
    cx.with(|s| s.violate(rules::ARGUMENT, None, message));
    n::NDIS_STATUS_FAILURE
}

/// The values of a key, as far as a call asks for them.
impl State {
    fn configuration(&mut self, call: &'static str, raw: usize) -> Option<(u32, &mut Open)> {
        let number = self.take(call, raw, Kind::Configuration)?;
        let open = self.configurations.open.get_mut(&number)?;
        Some((number, open))
    }

    fn value(&self, number: u32, name: &str) -> Option<RegistryValue> {
        let open = self.configurations.open.get(&number)?;
        let value = match &open.place {
            Where::Service(service) => self.registry.get(service, name),
            place => self
                .configurations
                .key(place)?
                .get(&alloc::format!("{}{name}", open.path)),
        };
        value.cloned()
    }

    /// Keeps memory for a driver until it closes the handle; where it is.
    fn show<T>(&mut self, number: u32, shown: Shown) -> *mut T {
        let pointer = shown.pointer();
        if let Some(open) = self.configurations.open.get_mut(&number) {
            open.shown.push(shown);
        }
        pointer
    }

    /// What a read gives: the structure, in memory of NDIS's.
    fn read(
        &mut self,
        number: u32,
        name: &str,
        asked: i32,
    ) -> Result<*mut NDIS_CONFIGURATION_PARAMETER, i32> {
        let reading = self.readings.configuration_text;
        let told = Told::predefined(name).or_else(|| {
            let value = self.value(number, name)?;
            Told::of(&value, asked, reading)
        });
        let told = told.ok_or(n::NDIS_STATUS_FAILURE)?;
        if self.faults.allocation() {
            return Err(n::NDIS_STATUS_RESOURCES);
        }
        let (kind, data) = match told {
            Told::Integer(number) => (
                n::NdisParameterInteger,
                NDIS_CONFIGURATION_PARAMETER_ParameterData {
                    IntegerData: number,
                },
            ),
            Told::Text(kind, bytes) => {
                let length = u16::try_from(bytes.len()).map_err(|_| n::NDIS_STATUS_FAILURE)?;
                let string = UNICODE_STRING {
                    Length: length,
                    MaximumLength: length,
                    Buffer: self.show(number, Shown::bytes(&bytes)),
                };
                let data = NDIS_CONFIGURATION_PARAMETER_ParameterData { StringData: string };
                (kind, data)
            }
            Told::Bytes(bytes) => {
                let length = u16::try_from(bytes.len()).map_err(|_| n::NDIS_STATUS_FAILURE)?;
                let binary = BINARY_DATA {
                    Length: length,
                    Buffer: self.show(number, Shown::bytes(&bytes)),
                };
                let data = NDIS_CONFIGURATION_PARAMETER_ParameterData { BinaryData: binary };
                (n::NdisParameterBinary, data)
            }
        };
        let parameter = NDIS_CONFIGURATION_PARAMETER {
            ParameterType: kind,
            ParameterData: data,
        };
        Ok(self.show(number, Shown::parameter(parameter)))
    }

    fn write(&mut self, number: u32, name: &str, value: RegistryValue) -> i32 {
        if self.faults.allocation() {
            return n::NDIS_STATUS_RESOURCES;
        }
        let Some(open) = self.configurations.open.get(&number) else {
            return n::NDIS_STATUS_FAILURE;
        };
        let (place, path) = (open.place.clone(), open.path.clone());
        if let Where::Service(service) = &place {
            self.registry.set(service, name, value);
        } else if let Some(key) = self.configurations.key_mut(&place) {
            key.set(&alloc::format!("{path}{name}"), value);
        } else {
            return n::NDIS_STATUS_FAILURE;
        }
        n::NDIS_STATUS_SUCCESS
    }

    /// Opens the key below an open one that `pick` names.
    fn open_below(
        &mut self,
        call: &'static str,
        raw: usize,
        pick: impl FnOnce(&crate::configuration::key::Key) -> Option<String>,
    ) -> Result<(String, usize), i32> {
        let failure = n::NDIS_STATUS_FAILURE;
        let (number, _) = self.configuration(call, raw).ok_or(failure)?;
        let open = self.configurations.open.get(&number).ok_or(failure)?;
        let (place, base) = (open.place.clone(), open.base);
        let key = self.configurations.key(&place).ok_or(failure)?;
        let mut keys = open.path.split('\\').filter(|part| !part.is_empty());
        let key = keys.try_fold(key, |key, part| key.below(part));
        let name = pick(key.ok_or(failure)?).ok_or(failure)?;
        let path = alloc::format!("{}{name}\\", open.path);
        if self.faults.allocation() {
            return Err(failure);
        }
        Ok((name, self.new_configuration(place, path, base)))
    }
}

/// A read or a write by a handle, while it lasts: no other may go on by the same handle.
struct Busy<'c> {
    cx: &'c Cx,
    number: u32,
}

impl<'c> Busy<'c> {
    fn begin(cx: &'c Cx, raw: usize) -> Option<Self> {
        let call = cx.name();
        let (number, preempted) = cx.with(|s| {
            let (number, open) = s.configuration(call, raw)?;
            open.busy += 1;
            if open.busy > 1 {
                let object = ObjectId::new(Kind::Configuration, number);
                let message =
                    alloc::format!("{call} while another read or write by {object} goes on");
                s.violate("CFG-10", Some(object), message);
            }
            Some((number, s.irql() < DISPATCH && s.preempts()))
        })?;
        let busy = Self { cx, number };
        if preempted {
            // The registry may have to be waited for.
            cx.core.give_way(cx.task);
        }
        Some(busy)
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.cx.with(|s| {
            if let Some(open) = s.configurations.open.get_mut(&self.number) {
                open.busy -= 1;
            }
        });
    }
}

/// The value that a driver writes.
///
/// # Safety
///
/// The structure has what its type says.
unsafe fn written(parameter: &NDIS_CONFIGURATION_PARAMETER) -> Result<RegistryValue, i32> {
    let data = &parameter.ParameterData;
    match parameter.ParameterType {
        n::NdisParameterInteger | n::NdisParameterHexInteger => {
            // SAFETY: the member that the type names, by the caller.
            Ok(unsafe { data.IntegerData }.into())
        }
        kind @ (n::NdisParameterString | n::NdisParameterMultiString) => {
            let string = &raw const data.StringData;
            // SAFETY: the member that the type names, by the caller.
            let text = unsafe { text(string) }.ok_or(n::NDIS_STATUS_FAILURE)?;
            let mut units: Vec<u16> = text.encode_utf16().collect();
            let registry = if kind == n::NdisParameterString {
                REG_SZ
            } else {
                REG_MULTI_SZ
            };
            if units.last() != Some(&0) {
                units.push(0);
            }
            let bytes: Vec<u8> = units.into_iter().flat_map(u16::to_ne_bytes).collect();
            Ok(RegistryValue::new(registry, bytes))
        }
        n::NdisParameterBinary => {
            // SAFETY: as above.
            let binary = unsafe { data.BinaryData };
            if binary.Buffer.is_null() && binary.Length > 0 {
                return Err(n::NDIS_STATUS_FAILURE);
            }
            let bytes = if binary.Length == 0 {
                &[]
            } else {
                // SAFETY: so many bytes, by the caller.
                unsafe {
                    core::slice::from_raw_parts(binary.Buffer.cast::<u8>(), binary.Length.into())
                }
            };
            Ok(RegistryValue::binary(bytes))
        }
        _ => Err(n::NDIS_STATUS_NOT_SUPPORTED),
    }
}

/// A place of the caller's for a result; C has nothing in it yet, or NULL for it.
type Place<'c, T> = Option<&'c mut MaybeUninit<T>>;

/// Answers by the variable that most of these functions have for it.
fn answer(cx: &Cx, status: Place<'_, i32>, value: i32) {
    cx.done(value);
    match status {
        Some(status) => _ = status.write(value),
        None => _ = refuse(cx, "has no place for the status"),
    }
}

exports! { EXPORTS {
    /// Opens the configuration of an adapter, a binding or a driver.
    fn NdisOpenConfigurationEx(
        object: Option<&NDIS_CONFIGURATION_OBJECT>,
        configuration: Place<'_, *mut c_void>,
    ) -> i32 {
        let cx = Cx::enter(OPEN, &[]);
        if let Some(status) = cx.fault {
            return cx.done(status);
        }
        let Some(configuration) = configuration else {
            return cx.done(refuse(&cx, "has no place for the handle"));
        };
        let Some(object) = object else {
            return cx.done(refuse(&cx, "has no configuration object"));
        };
        let header = &object.Header;
        let right = i32::from(header.Type) == n::NDIS_OBJECT_TYPE_CONFIGURATION_OBJECT
            && i32::from(header.Revision) == n::NDIS_CONFIGURATION_OBJECT_REVISION_1
            && usize::from(header.Size) >= n::NDIS_SIZEOF_CONFIGURATION_OBJECT_REVISION_1;
        if !right || object.Flags != 0 {
            let what = if right { "flags of filters" } else { "a wrong header" };
            let message = alloc::format!("the NDIS_CONFIGURATION_OBJECT has {what}");
            cx.with(|s| s.violate("CFG-04", None, message));
            return cx.done(n::NDIS_STATUS_FAILURE);
        }
        let handle_of = object.NdisHandle.addr();
        match cx.with(|s| s.open_configuration(OPEN.name, handle_of)) {
            Ok(raw) => {
                configuration.write(handle(raw));
                cx.done(n::NDIS_STATUS_SUCCESS)
            }
            Err(status) => cx.done(status),
        }
    }

    /// Opens a key below an open one, by its name.
    fn NdisOpenConfigurationKeyByName(
        status: Place<'_, i32>,
        configuration: *mut c_void,
        name: *mut UNICODE_STRING,
        key: Place<'_, *mut c_void>,
    ) {
        let cx = Cx::enter(BY_NAME, &[configuration]);
        // SAFETY: the caller's string.
        let name = unsafe { text(name) };
        let opened = match (cx.fault, name) {
            (Some(status), _) => Err(status),
            (None, Some(name)) if key.is_some() => cx.with(|s| {
                s.open_below(BY_NAME.name, configuration.addr(), |above| {
                    above.below(&name).map(|_| name.clone())
                })
            }),
            _ => Err(refuse(&cx, "has no name, or no place for the handle")),
        };
        if let (Ok((_, raw)), Some(key)) = (&opened, key) {
            key.write(handle(*raw));
        }
        answer(&cx, status, opened.err().unwrap_or(n::NDIS_STATUS_SUCCESS));
    }

    /// Opens a key below an open one, by its place among them; the caller has room for its name.
    fn NdisOpenConfigurationKeyByIndex(
        status: Place<'_, i32>,
        configuration: *mut c_void,
        index: u32,
        name: Option<&mut UNICODE_STRING>,
        key: Place<'_, *mut c_void>,
    ) {
        let cx = Cx::enter(BY_INDEX, &[configuration]);
        let room = name.filter(|room| !room.Buffer.is_null());
        let opened = match (cx.fault, room) {
            (Some(status), _) => Err(status),
            (None, Some(room)) if key.is_some() => cx
                .with(|s| {
                    s.open_below(BY_INDEX.name, configuration.addr(), |above| {
                        above.name_at(index as usize).map(String::from)
                    })
                })
                .and_then(|(name, raw)| {
                    let units: Vec<u16> = name.encode_utf16().collect();
                    let bytes = size_of_val(units.as_slice());
                    if bytes > usize::from(room.MaximumLength) {
                        let object = cx.with(|s| s.handles.look(raw).object());
                        let message = alloc::format!(
                            "{} has room for {} bytes, and the key's name has {bytes}",
                            BY_INDEX.name, room.MaximumLength
                        );
                        cx.with(|s| {
                            s.violate("CFG-16", object, message);
                            if let Some(object) = object {
                                s.close_configuration(object.number);
                            }
                        });
                        return Err(n::NDIS_STATUS_FAILURE);
                    }
                    // SAFETY: the caller's buffer has room for as many.
                    unsafe { room.Buffer.copy_from_nonoverlapping(units.as_ptr(), units.len()) };
                    room.Length = bytes as u16;
                    Ok(raw)
                }),
            _ => {
                let message = alloc::format!("{} has no buffer for the name", BY_INDEX.name);
                cx.with(|s| s.violate("CFG-16", None, message));
                Err(n::NDIS_STATUS_FAILURE)
            }
        };
        if let (Ok(raw), Some(key)) = (&opened, key) {
            key.write(handle(*raw));
        }
        answer(&cx, status, opened.err().unwrap_or(n::NDIS_STATUS_SUCCESS));
    }

    /// Reads a value into memory that stays until the handle is closed.
    fn NdisReadConfiguration(
        status: Place<'_, i32>,
        value: Place<'_, *mut NDIS_CONFIGURATION_PARAMETER>,
        configuration: *mut c_void,
        keyword: *mut UNICODE_STRING,
        asked: i32,
    ) {
        let cx = Cx::enter(READ, &[configuration]);
        // SAFETY: the caller's string.
        let name = unsafe { text(keyword) };
        let known = n::NdisParameterInteger..=n::NdisParameterBinary;
        let read = match (cx.fault, name) {
            (Some(status), _) => Err(status),
            (None, Some(name)) if value.is_some() && known.contains(&asked) => {
                match Busy::begin(&cx, configuration.addr()) {
                    Some(busy) => cx.with(|s| s.read(busy.number, &name, asked)),
                    None => Err(n::NDIS_STATUS_FAILURE),
                }
            }
            _ => Err(refuse(&cx, "has no name, no place for the value, or an unknown type")),
        };
        if let (Ok(parameter), Some(value)) = (&read, value) {
            value.write(*parameter);
        }
        answer(&cx, status, read.err().unwrap_or(n::NDIS_STATUS_SUCCESS));
    }

    /// Writes a value.
    fn NdisWriteConfiguration(
        status: Place<'_, i32>,
        configuration: *mut c_void,
        keyword: *mut UNICODE_STRING,
        value: Option<&NDIS_CONFIGURATION_PARAMETER>,
    ) {
        let cx = Cx::enter(WRITE, &[configuration]);
        // SAFETY: the caller's string.
        let name = unsafe { text(keyword) };
        let result = match (cx.fault, name, value) {
            (Some(status), ..) => status,
            (None, Some(name), Some(parameter)) => {
                // SAFETY: the caller's value has what its type says.
                match (Busy::begin(&cx, configuration.addr()), unsafe { written(parameter) }) {
                    (None, _) => n::NDIS_STATUS_FAILURE,
                    (Some(busy), Ok(value)) => cx.with(|s| s.write(busy.number, &name, value)),
                    (Some(busy), Err(n::NDIS_STATUS_NOT_SUPPORTED)) => {
                        let object = ObjectId::new(Kind::Configuration, busy.number);
                        let kind = parameter.ParameterType;
                        let message = alloc::format!("{} of the type {kind}", WRITE.name);
                        cx.with(|s| s.violate("CFG-15", Some(object), message));
                        n::NDIS_STATUS_NOT_SUPPORTED
                    }
                    (Some(_), Err(_)) => refuse(&cx, "has a value without its bytes"),
                }
            }
            _ => refuse(&cx, "has no name or no value"),
        };
        answer(&cx, status, result);
    }

    /// Reads the network address that somebody has set for an adapter.
    fn NdisReadNetworkAddress(
        status: Place<'_, i32>,
        place: Place<'_, *mut c_void>,
        length: Place<'_, u32>,
        configuration: *mut c_void,
    ) {
        let cx = Cx::enter(ADDRESS, &[configuration]);
        let failure = n::NDIS_STATUS_FAILURE;
        let read = if let Some(status) = cx.fault {
            Err(status)
        } else if place.is_none() || length.is_none() {
            Err(refuse(&cx, "has no place for the address or its length"))
        } else {
            cx.with(|s| {
                let (number, open) = s.configuration(ADDRESS.name, configuration.addr()).ok_or(failure)?;
                if open.base.kind != Kind::Adapter || !open.path.is_empty() {
                    let (base, object) = (open.base, ObjectId::new(Kind::Configuration, number));
                    let message = alloc::format!(
                        "{} wants the configuration of an adapter and got one of {base}{}{}",
                        ADDRESS.name,
                        if open.path.is_empty() { "" } else { ", the key " },
                        open.path.trim_end_matches('\\')
                    );
                    s.violate("CFG-12", Some(object), message);
                    return Err(failure);
                }
                let value = s.value(number, "NetworkAddress").ok_or(failure)?;
                let bytes = address(&value).ok_or(failure)?;
                if s.faults.allocation() {
                    return Err(failure);
                }
                let count = bytes.len() as u32;
                Ok((s.show::<c_void>(number, Shown::bytes(&bytes)), count))
            })
        };
        if let (Ok((address, count)), Some(place), Some(length)) = (&read, place, length) {
            place.write(*address);
            length.write(*count);
        }
        answer(&cx, status, read.err().unwrap_or(n::NDIS_STATUS_SUCCESS));
    }

    /// Closes a configuration: what was read of it is gone.
    fn NdisCloseConfiguration(configuration: *mut c_void) {
        let cx = Cx::enter(CLOSE, &[configuration]);
        cx.with(|s| {
            if let Some(number) = s.take(CLOSE.name, configuration.addr(), Kind::Configuration) {
                s.close_configuration(number);
            }
        });
    }
}}
