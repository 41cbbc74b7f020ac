//! Drivers register control devices with NDIS, and deregister them.

use super::table::{Body, Device, Routines};
use crate::callback::{Ptr, handle};
use crate::characteristics::{copy, fits, header_text};
use crate::cx::Cx;
use crate::export::{Call, exports};
use crate::handle::{Kind, Lookup, ObjectId};
use crate::ke::registry::text;
use crate::model::adapter::AdapterPhase;
use crate::model::driver::{Copied, Extension};
use crate::rules;
use crate::state::State;
use alloc::string::String;
use core::ffi::c_void;
use ndis_sys as n;
use ndis_sys::{DEVICE_OBJECT, NDIS_DEVICE_OBJECT_ATTRIBUTES, NDIS_HANDLE};

const REGISTER: Call = Call::new("NdisRegisterDeviceEx").passive("DEV-20");
const DEREGISTER: Call = Call::new("NdisDeregisterDeviceEx").passive("DEV-20");
const EXTENSION: Call = Call::new("NdisGetDeviceReservedExtension").silent();

/// What a driver says of a device.
struct Told {
    name: String,
    link: String,
    security: Option<String>,
    routines: Copied<Routines>,
    extension: u32,
}

/// A refusal: the status, the rule that is broken, and how.
type Refusal = (i32, &'static str, &'static str);

const INVALID: i32 = n::STATUS_INVALID_PARAMETER;

/// What the attributes say; a name that a zero follows ends with it.
fn told(
    attributes: &NDIS_DEVICE_OBJECT_ATTRIBUTES,
    names: [Option<String>; 3],
    routines: Option<Routines>,
) -> Result<Told, Refusal> {
    let [Some(device), Some(link), security] = names else {
        return Err((INVALID, "DEV-03", "a name is missing"));
    };
    if !device.to_lowercase().starts_with("\\device\\") {
        return Err((INVALID, "DEV-03", "the device's name is no full path"));
    }
    let Some(device) = device.strip_suffix('\0') else {
        return Err((INVALID, "DEV-03", "no zero is behind the device's name"));
    };
    if !attributes.DeviceClassGuid.is_null() {
        return Err((INVALID, "DEV-23", "DeviceClassGuid is not NULL"));
    }
    let Some(routines) = routines else {
        return Err((INVALID, "DEV-04", "there are no dispatch routines"));
    };
    let has = |major: i32| routines.get(major as usize).copied().flatten().is_some();
    if has(PNP) || has(POWER) {
        let why = "it has a routine for plug and play or power";
        return Err((INVALID, "DEV-04", why));
    }
    if !has(n::IRP_MJ_CREATE) || !has(n::IRP_MJ_CLOSE) {
        return Err((INVALID, "DEV-24", "it cannot be opened or closed"));
    }
    Ok(Told {
        name: device.to_lowercase(),
        link: link.trim_end_matches('\0').to_lowercase(),
        security: security.map(|text| String::from(text.trim_end_matches('\0'))),
        routines: Copied(routines),
        extension: attributes.ExtensionSize,
    })
}

/// `IRP_MJ_PNP` and `IRP_MJ_POWER`.
const PNP: i32 = 0x1B;
const POWER: i32 = 0x16;

/// Whether a descriptor is one of those that a device object can have.
fn is_descriptor(text: &str) -> bool {
    let Some(mut rest) = text.strip_prefix("D:P") else {
        return false;
    };
    while !rest.is_empty() {
        let Some((entry, after)) = rest.strip_prefix('(').and_then(|r| r.split_once(')')) else {
            return false;
        };
        let parts: alloc::vec::Vec<&str> = entry.split(';').collect();
        let ["A", "", rights, "", "", who] = parts.as_slice() else {
            return false;
        };
        if rights.is_empty() || who.is_empty() {
            return false;
        }
        rest = after;
    }
    true
}

impl State {
    /// The registration as a miniport driver that a device is for.
    fn devices_driver(&mut self, raw: usize) -> Result<(u32, u32), i32> {
        let call = REGISTER.name;
        match self.handles.look(raw) {
            Lookup::Live(Kind::MiniportDriver, number) => {
                let driver = self.world.miniports.get(&number).map(|m| m.driver);
                driver
                    .map(|d| (number, d))
                    .ok_or(n::NDIS_STATUS_NOT_SUPPORTED)
            }
            found @ Lookup::Live(..) => {
                let message = alloc::format!(
                    "{call} with {found}; a control device is registered on the handle of \
                     NdisMRegisterMiniportDriver"
                );
                self.violate("DEV-01", found.object(), message);
                Err(n::NDIS_STATUS_NOT_SUPPORTED)
            }
            found => {
                self.bad_handle(call, found, "the handle of a miniport driver");
                Err(n::NDIS_STATUS_NOT_SUPPORTED)
            }
        }
    }

    fn make_device(
        &mut self,
        raw: usize,
        told: Told,
    ) -> Result<(u32, usize, Ptr<DEVICE_OBJECT>), i32> {
        let (miniport, driver) = self.devices_driver(raw)?;
        match &told.security {
            None => {
                let message = alloc::format!("{} without a security descriptor", REGISTER.name);
                self.violate("DEV-05", None, message);
                return Err(INVALID);
            }
            Some(security) if !is_descriptor(security) => return Err(INVALID),
            Some(_) => {}
        }
        if self.io.is_taken(&told.name) || self.io.is_taken(&told.link) {
            return Err(n::STATUS_OBJECT_NAME_COLLISION);
        }
        if self.faults.allocation() {
            return Err(n::STATUS_INSUFFICIENT_RESOURCES);
        }
        let object = self
            .world
            .drivers
            .get(&driver)
            .map(|driver| driver.object.0);
        let extension = Extension::new(Some(driver), 0, 0, told.extension)
            .ok_or(n::STATUS_INSUFFICIENT_RESOURCES)?;
        let number = self.number(Kind::Device);
        let handle = self.handles.make(Kind::Device, number);
        let mut body: DEVICE_OBJECT = n::zeroed();
        body.Type = 3;
        body.Size = size_of::<DEVICE_OBJECT>() as u16;
        body.DriverObject = object.unwrap_or(core::ptr::null_mut());
        body.DeviceType = n::FILE_DEVICE_NETWORK;
        body.StackSize = 1;
        // NDIS's own, which no driver looks at.
        body.DeviceExtension = core::ptr::without_provenance_mut(handle);
        let body = Body::new(body);
        let place = Ptr(body.get());
        let device = Device {
            raw: handle,
            driver,
            miniport,
            who: self.who(),
            origin: self.origin(),
            body,
            extension: Some(extension),
            own_extension: handle,
            name: told.name,
            link: told.link,
            routines: told.routines,
            registered: true,
            opening: 0,
        };
        self.io.devices.insert(number, device);
        Ok((number, handle, place))
    }

    fn end_device(&mut self, raw: usize) {
        let call = DEREGISTER.name;
        let Some(number) = self.take(call, raw, Kind::Device) else {
            return;
        };
        let object = ObjectId::new(Kind::Device, number);
        self.handles.kill(raw);
        let Some(device) = self.io.devices.get_mut(&number) else {
            return;
        };
        device.registered = false;
        let extension = device.body.with(|device| device.DeviceExtension);
        if extension.addr() != device.own_extension {
            let message = alloc::format!("the DeviceExtension of {object} was changed");
            self.violate("DEV-25", Some(object), message);
        }
        self.release_device(number);
    }

    /// Frees what nobody has a reference to any more.
    pub(crate) fn release_device(&mut self, number: u32) {
        if self.io.release(number) {
            self.histories.end(ObjectId::new(Kind::Device, number));
        }
    }

    /// A miniport driver deregisters: its devices must have gone.
    pub(crate) fn check_devices_gone(&mut self, call: &str, miniport: u32) {
        let of = |device: &&Device| device.miniport == miniport && device.registered;
        let left = self.io.devices.values().filter(of).count();
        if left > 0 {
            let object = ObjectId::new(Kind::MiniportDriver, miniport);
            let message =
                alloc::format!("{call} while {left} devices of the driver are registered");
            self.violate("DEV-22", Some(object), message);
        }
    }

    /// The reserved extension of a device, as long as there is one for whoever asks.
    fn reserved_extension(&mut self, object: *mut DEVICE_OBJECT) -> *mut c_void {
        let call = EXTENSION.name;
        let Some(number) = self.io.device_at(object) else {
            let message = alloc::format!("{call} with what is no device object");
            self.violate(rules::ARGUMENT, None, message);
            return core::ptr::null_mut();
        };
        let Some(device) = self.io.devices.get(&number) else {
            return core::ptr::null_mut();
        };
        if device.registered {
            let memory = device.extension.as_ref();
            return memory.map_or(core::ptr::null_mut(), |memory| memory.start.0.cast());
        }
        // Who opens the device cannot know that it goes.
        if self.within() != super::file::CREATE {
            let id = ObjectId::new(Kind::Device, number);
            let message = alloc::format!("{call} for {id}, which was deregistered");
            self.violate("DEV-06", Some(id), message);
        }
        core::ptr::null_mut()
    }

    /// The devices of drivers of which an adapter is being initialized or halted, as text: that
    /// may wait for them.
    pub(crate) fn devices_in_the_way(&self) -> String {
        let waits = |miniport: u32| {
            self.world.adapters.values().any(|adapter| {
                let ends = matches!(
                    adapter.phase,
                    AdapterPhase::Initializing | AdapterPhase::Halting
                );
                adapter.miniport == miniport && ends && !adapter.halted
            })
        };
        let mut text = String::new();
        for (number, device) in &self.io.devices {
            if device.registered && waits(device.miniport) {
                if !text.is_empty() {
                    text.push_str(", ");
                }
                let object = ObjectId::new(Kind::Device, *number);
                let (who, origin) = (&device.who, device.origin);
                text.push_str(&alloc::format!("{object} of {who} (registered{origin})"));
            }
        }
        text
    }

    /// A driver is about to be unloaded, and its adapters have gone.
    pub(crate) fn check_devices_before_unload(&mut self, driver: u32) {
        for number in self.io.devices_of(driver) {
            let object = ObjectId::new(Kind::Device, number);
            let who = self
                .io
                .devices
                .get(&number)
                .map(|device| device.who.clone());
            let message = alloc::format!(
                "the driver's last adapter has gone and {object} is registered: plug and play \
                 would not unload the driver"
            );
            self.violate_by(
                who.unwrap_or_else(|| self.who()),
                "DEV-02",
                Some(object),
                message,
            );
        }
    }

    /// A driver's image has gone: nothing of its devices is there any more.
    pub(crate) fn forget_devices(&mut self, driver: u32) {
        for number in self.io.devices_of(driver) {
            if let Some(device) = self.io.devices.get_mut(&number) {
                device.registered = false;
                let raw = device.raw;
                self.handles.kill(raw);
            }
            self.release_device(number);
        }
    }
}

exports! { EXPORTS {
    /// Makes a device object that programs can open.
    fn NdisRegisterDeviceEx(
        driver: NDIS_HANDLE,
        attributes: *mut NDIS_DEVICE_OBJECT_ATTRIBUTES,
        object: *mut *mut DEVICE_OBJECT,
        device: *mut NDIS_HANDLE,
    ) -> i32 {
        let cx = Cx::enter(REGISTER, &[driver]);
        if attributes.is_null() || object.is_null() || device.is_null() {
            let message = alloc::format!("{} with a null pointer", REGISTER.name);
            cx.with(|s| s.violate(rules::ARGUMENT, None, message));
            return cx.done(INVALID);
        }
        // SAFETY: the caller's structure, which begins with its header.
        let header = unsafe { (*attributes).Header };
        // SAFETY: the header says how much of the structure is there.
        let attributes = unsafe { copy(attributes.cast_const(), header.Size.into()) }.0;
        let strings = [
            attributes.DeviceName.cast_const(),
            attributes.SymbolicName.cast_const(),
            attributes.DefaultSDDLString,
        ];
        let names = strings.map(|string| {
            // SAFETY: null or the caller's string.
            let mut string = *unsafe { string.as_ref() }?;
            // With the zero at its end, if there is memory for one.
            if string.MaximumLength >= string.Length.saturating_add(2) {
                string.Length += 2;
            }
            // SAFETY: the caller's string with its memory.
            unsafe { text(&raw const string) }
        });
        // SAFETY: null or the caller's table, of all major functions.
        let routines = unsafe { attributes.MajorFunctions.cast::<Routines>().as_ref() }.copied();
        let kind = n::NDIS_OBJECT_TYPE_DEVICE_OBJECT_ATTRIBUTES as u8;
        let least = n::NDIS_SIZEOF_DEVICE_OBJECT_ATTRIBUTES_REVISION_1;
        let made = cx.fault.map_or(Ok(()), Err).and_then(|()| cx.with(|s| {
            let (status, rule, why) = if fits(header, kind, least) {
                match told(&attributes, names, routines) {
                    Ok(told) => return s.make_device(driver.addr(), told),
                    Err((status, rule, why)) => (status, rule, String::from(why)),
                }
            } else {
                let why = alloc::format!("the header says {}", header_text(header));
                (INVALID, "DEV-23", why)
            };
            s.violate(rule, None, alloc::format!("{}: {why}", REGISTER.name));
            Err(status)
        }));
        let (status, raw, place) = match made {
            Ok((number, raw, place)) => {
                cx.about(ObjectId::new(Kind::Device, number));
                (n::NDIS_STATUS_SUCCESS, raw, place.0)
            }
            Err(status) => (status, 0, core::ptr::null_mut()),
        };
        // SAFETY: the caller's variables for the results.
        unsafe { object.write(place) };
        // SAFETY: as above.
        unsafe { device.write(handle(raw)) };
        cx.done(status)
    }

    /// Takes a device away. Files that are open on it stay until they are closed.
    fn NdisDeregisterDeviceEx(device: NDIS_HANDLE) {
        let cx = Cx::enter(DEREGISTER, &[device]);
        cx.with(|s| s.end_device(device.addr()));
    }

    /// The driver's memory that NDIS has allocated with the device.
    fn NdisGetDeviceReservedExtension(object: *mut DEVICE_OBJECT) -> *mut c_void {
        let cx = Cx::enter(EXTENSION, &[]);
        cx.with(|s| s.reserved_extension(object))
    }
}}

#[cfg(test)]
mod tests {
    use super::is_descriptor;

    #[test]
    fn descriptors() {
        for good in [
            "D:P",
            "D:P(A;;GA;;;SY)",
            "D:P(A;;GA;;;SY)(A;;GRGW;;;BA)(A;;0x1;;;S-1-1-0)",
        ] {
            assert!(is_descriptor(good), "{good}");
        }
        for bad in [
            "",
            "D:",
            "O:SY",
            "D:P(A;;GA;;;SY",
            "D:P(D;;GA;;;SY)",
            "D:P(A;;;;;SY)",
            "D:PX",
        ] {
            assert!(!is_descriptor(bad), "{bad}");
        }
    }
}
