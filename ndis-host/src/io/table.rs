//! What the I/O manager knows: plain tables. No driver is called from here.

use crate::callback::Ptr;
use crate::handle::{Kind, ObjectId};
use crate::log::Origin;
use crate::model::driver::{Copied, Extension};
use crate::report::ObjectLeft;
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use ndis_sys::{_FILE_OBJECT, DEVICE_OBJECT, IO_STACK_LOCATION, IRP, PDRIVER_DISPATCH};

/// A structure of the host's that drivers get pointers to: it stays where it is.
///
/// It is used while the state is locked, when no driver runs, and by drivers when none of these
/// functions does.
pub(crate) struct Body<T>(Ptr<T>);

impl<T> Body<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(Ptr(Box::into_raw(Box::new(value))))
    }

    pub(crate) fn get(&self) -> *mut T {
        self.0.0
    }

    /// Looks at the structure or changes it.
    pub(crate) fn with<R>(&mut self, f: impl FnOnce(&mut T) -> R) -> R {
        // SAFETY: alive until the drop, and nobody else uses it meanwhile, as said above.
        f(unsafe { &mut *self.0.0 })
    }
}

impl<T> Drop for Body<T> {
    fn drop(&mut self) {
        // SAFETY: made by `Box::into_raw` in `new`, freed here only.
        drop(unsafe { Box::from_raw(self.0.0) });
    }
}

/// A request with the parameters for the one driver that it goes to.
#[repr(C)]
pub(crate) struct Packet {
    pub(crate) irp: IRP,
    pub(crate) location: IO_STACK_LOCATION,
}

/// What is left of a request that was given back.
const GONE: u8 = 0xDD;

impl Body<Packet> {
    /// The parameters, as the request names them.
    pub(crate) fn location(&self) -> *mut IO_STACK_LOCATION {
        let packet = self.get().cast::<u8>();
        packet
            .wrapping_add(core::mem::offset_of!(Packet, location))
            .cast()
    }

    /// The memory of a request that was completed: overwritten first, and looked at later.
    fn bytes(&mut self) -> &mut [u8] {
        let bytes = self.get().cast::<u8>();
        // SAFETY: as for `with`; bytes are any pattern.
        unsafe { core::slice::from_raw_parts_mut(bytes, size_of::<Packet>()) }
    }

    /// It was completed: nothing of it is left.
    pub(crate) fn overwrite(&mut self) {
        self.bytes().fill(GONE);
    }

    /// Whether nobody has written to it since then.
    pub(crate) fn is_untouched(&mut self) -> bool {
        self.bytes().iter().all(|byte| *byte == GONE)
    }
}

/// The dispatch routines of a device.
pub(crate) type Routines = [PDRIVER_DISPATCH; ndis_sys::IRP_MJ_MAXIMUM_FUNCTION as usize + 1];

pub(crate) struct Device {
    pub(crate) raw: usize,
    pub(crate) driver: u32,
    pub(crate) miniport: u32,
    pub(crate) who: Arc<str>,
    pub(crate) origin: Origin,
    pub(crate) body: Body<DEVICE_OBJECT>,
    /// Until the device is deregistered and nobody opens it any more.
    pub(crate) extension: Option<Extension>,
    /// What the device object says of NDIS's own extension.
    pub(crate) own_extension: usize,
    /// In lower case, as the names of all objects are compared.
    pub(crate) name: String,
    pub(crate) link: String,
    pub(crate) routines: Copied<Routines>,
    pub(crate) registered: bool,
    /// How many programs are about to open it.
    pub(crate) opening: u32,
}

/// An open file.
pub(crate) struct File {
    pub(crate) device: u32,
    pub(crate) body: Body<_FILE_OBJECT>,
    /// What the program may: `FILE_READ_DATA`, `FILE_WRITE_DATA`.
    pub(crate) access: u32,
    /// The driver has opened it: before that there is no handle to be closed.
    pub(crate) opened: bool,
    /// Its last handle is being closed.
    pub(crate) closing: bool,
    pub(crate) origin: Origin,
}

/// How a request was completed.
#[derive(Clone, Copy)]
pub(crate) struct Completion {
    pub(crate) status: i32,
    pub(crate) information: usize,
    /// The driver had said that it would complete it later.
    pub(crate) marked: bool,
}

/// A request that is under way.
pub(crate) struct Request {
    pub(crate) device: u32,
    pub(crate) file: u32,
    pub(crate) body: Body<Packet>,
    /// How many bytes may go back.
    pub(crate) room: usize,
    /// Its cancel routine is running.
    pub(crate) cancelling: bool,
    pub(crate) completed: Option<Completion>,
}

impl Request {
    /// Whether the driver holds it in a cancelable state: it may wait for ever.
    pub(crate) fn is_cancelable(&mut self) -> bool {
        self.completed.is_none() && self.body.with(|packet| packet.irp.CancelRoutine.is_some())
    }

    /// Whether nobody has it any more.
    pub(crate) fn is_over(&self) -> bool {
        self.completed.is_some() && !self.cancelling
    }
}

#[derive(Default)]
pub(crate) struct Io {
    pub(crate) devices: BTreeMap<u32, Device>,
    pub(crate) files: BTreeMap<u32, File>,
    pub(crate) requests: BTreeMap<u32, Request>,
    /// The level that the cancel routine which runs has to go back to.
    pub(crate) cancel_irql: u8,
}

impl Io {
    /// The device that a device object is of.
    pub(crate) fn device_at(&self, object: *mut DEVICE_OBJECT) -> Option<u32> {
        let found = self.devices.iter().find(|(_, d)| d.body.get() == object);
        found.map(|(number, _)| *number)
    }

    /// The device that can be opened by this name, and what the name says beyond.
    pub(crate) fn named<'n>(&self, path: &'n str) -> Option<(u32, &'n str)> {
        let lower = path.to_lowercase();
        let lower = match lower.strip_prefix("\\\\.\\") {
            Some(name) => alloc::format!("\\dosdevices\\{name}"),
            None => lower,
        };
        self.devices.iter().find_map(|(number, device)| {
            if !device.registered {
                return None;
            }
            [&device.link, &device.name].into_iter().find_map(|name| {
                let rest = lower.strip_prefix(name.as_str())?;
                if !rest.is_empty() && !rest.starts_with('\\') {
                    return None;
                }
                // In ASCII both cases are as long.
                let rest = path.get(path.len().checked_sub(rest.len())?..)?;
                Some((*number, rest))
            })
        })
    }

    /// Whether a name is another device's already.
    pub(crate) fn is_taken(&self, name: &str) -> bool {
        self.devices
            .values()
            .any(|device| device.registered && (device.name == name || device.link == name))
    }

    /// The request whose memory this is.
    pub(crate) fn request_at(&self, irp: *mut IRP) -> Option<u32> {
        let irp = irp.cast::<Packet>();
        let found = self.requests.iter().find(|(_, r)| r.body.get() == irp);
        found.map(|(number, _)| *number)
    }

    /// The requests of a file.
    pub(crate) fn requests_of(&self, file: u32) -> Vec<u32> {
        let of = |(_, request): &(&u32, &Request)| request.file == file;
        let found = self.requests.iter().filter(of);
        found.map(|(number, _)| *number).collect()
    }

    /// The files of a driver's devices, from the request that opens one to the end of its close.
    fn files_of(&self, driver: u32) -> impl Iterator<Item = (&u32, &File)> {
        let of = move |file: &File| {
            let device = self.devices.get(&file.device);
            device.is_some_and(|device| device.driver == driver)
        };
        self.files.iter().filter(move |(_, file)| of(file))
    }

    /// Whether a driver's devices have any file.
    pub(crate) fn has_files(&self, driver: u32) -> bool {
        self.files_of(driver).next().is_some()
    }

    /// A file of a driver's devices that nobody closes.
    pub(crate) fn open_file_of(&self, driver: u32) -> Option<u32> {
        let mut files = self.files_of(driver);
        let open = files.find(|(_, file)| file.opened && !file.closing);
        open.map(|(number, _)| *number)
    }

    /// The devices of a driver that are registered.
    pub(crate) fn devices_of(&self, driver: u32) -> Vec<u32> {
        let devices = self.devices.iter();
        devices
            .filter(|(_, device)| device.driver == driver && device.registered)
            .map(|(number, _)| *number)
            .collect()
    }

    /// Frees what nobody has a reference to any more; whether that is all of the device.
    pub(crate) fn release(&mut self, number: u32) -> bool {
        let Some(device) = self.devices.get_mut(&number) else {
            return false;
        };
        if device.registered || device.opening > 0 {
            return false;
        }
        device.extension = None;
        let used = self.files.values().any(|file| file.device == number)
            || self
                .requests
                .values()
                .any(|request| request.device == number);
        !used && self.devices.remove(&number).is_some()
    }

    pub(crate) fn left(&self, driver: Option<u32>) -> Vec<ObjectLeft> {
        let of = |device: &Device| driver.is_none() || driver == Some(device.driver);
        let mut left = Vec::new();
        for (number, device) in self.devices.iter().filter(|(_, device)| of(device)) {
            left.push(ObjectLeft {
                kind: Kind::Device.name(),
                name: alloc::format!("{}{}", ObjectId::new(Kind::Device, *number), device.origin),
                tag: String::new(),
                owner: device.who.clone(),
            });
        }
        for (number, file) in &self.files {
            if self.devices.get(&file.device).is_some_and(of) {
                left.push(ObjectLeft {
                    kind: Kind::File.name(),
                    name: alloc::format!("{}{}", ObjectId::new(Kind::File, *number), file.origin),
                    tag: String::new(),
                    owner: Arc::from("a program"),
                });
            }
        }
        left
    }
}
