//! A control device: how programs talk to the driver.
//!
//! An adapter's own requests come from NDIS. What a program of the driver's own asks for, an
//! administrator's tool or a service, comes by a *control device*: the program opens it by its
//! name, sends control codes with data, and gets data back. A driver implements [`ControlDevice`]
//! and [registers](Device::register) it; the [`Device`] that it gets for that is kept as long as
//! the device is to be there, best in an adapter's context.
//!
//! ```
//! # use ndis_host as _;
//! use ndis_co::mem::{Arc, Tag};
//! use ndis_mcm::{
//!     device::{Access, Control, ControlCode, ControlDevice, Device, DeviceAttributes},
//!     prelude::*,
//! };
//! # use core::sync::atomic::{AtomicU32, Ordering};
//!
//! /// How often somebody has asked.
//! const ASKED: ControlCode = ControlCode::new::<0x800>(Access::Read);
//!
//! struct Counter(Arc<AtomicU32>);
//!
//! impl ControlDevice for Counter {
//!     type File = ();
//!
//!     fn open(&self, _irql: &mut Passive) -> Result<(), Status> {
//!         Ok(())
//!     }
//!
//!     fn device_control<'r>(
//!         &self,
//!         _file: &(),
//!         request: Control<'r>,
//!         _irql: &mut Passive,
//!     ) -> Answer<'r> {
//!         if request.code() != ASKED {
//!             return request.not_supported();
//!         }
//!         let asked = self.0.fetch_add(1, Ordering::Relaxed);
//!         request.reply(&asked.to_le_bytes())
//!     }
//! }
//!
//! struct Driver;
//!
//! impl Miniport for Driver {
//!     type Adapter = Device<Counter>;
//!     type Role = Connectionless;
//!
//!     fn initialize<'i>(
//!         &self,
//!         init: Initialize<'i, Self, New>,
//!         irql: &mut Passive,
//!     ) -> Result<Initialized<'i>, Status> {
//!         let init = init.attributes(&Attributes::wan(), irql)?;
//!         let counter = Counter(Arc::try_new(AtomicU32::new(0), Tag::new(*b"Cntr"))?);
//!         let device = Device::register(&init, &DeviceAttributes::new("Counter"), counter, irql)?;
//!         Ok(init.adapter(device)?.finish())
//!     }
//! }
//! # let host = ndis_host::Host::builder().build();
//! # let driver = host.load_with("counter", |object, path| {
//! #     // SAFETY: the host calls this as Windows calls a DriverEntry.
//! #     unsafe { ndis_mcm::Entry::new(Driver).run(object, path) }
//! # }).unwrap();
//! # let adapter = host.add_adapter(&driver).unwrap();
//!
//! // A program, in a test:
//! let file = host.open(r"\\.\Counter").expect("it is there");
//! let asked = host.device_control(&file, ASKED.raw(), &[], 4);
//! assert_eq!(asked.as_deref(), Ok(&[0, 0, 0, 0][..]));
//! host.close(file);
//! # host.remove_adapter(&adapter);
//! # host.unload(&driver);
//! # assert!(host.finish().is_clean());
//! ```
//!
//! # What it does for you
//!
//! Requests are completed exactly once, with as many bytes as were written; what was not written is
//! not shown to the program. Only buffered data are handed on, which the program cannot change
//! meanwhile: a code with another [`Method`] is refused. Names beneath the device's own
//! cannot be opened.
//!
//! # How long it is there
//!
//! A device keeps its driver in memory (rule [DEV-02]), so it belongs to an adapter: the halt waits
//! until it is deregistered. When the [`Device`] is dropped, the device ends, and with it the
//! [`ControlDevice`] and what it has made for files: requests for files that are still open are
//! refused from then on, and the driver's code stays in memory until the last one is closed.
//!
//! Kept elsewhere than in the adapter's context, a [`Device`] holds up what waits for it: the halt,
//! of which [`Miniport::halt`] lets go of it; and, when it was registered during an initialization
//! that then fails, the end of that. No callback comes then that could let go of it (rule
//! [INIT-10]), and the initialization waits for ever: so take it back, and drop it, before you
//! return the failure.
//!
//! A name is there once: the second adapter of a driver takes another one, or none.
//!
//! # Requests that are answered later
//!
//! A program that waits for what happens later asks for it, and the driver [pends](Control::pend) that: the
//! [`PendingControl`] answers it, from any thread. What the program cancels, by itself or with the
//! close of its file, is completed without the driver, and so is what is pended when the device ends.
//!
//! ```
//! # use ndis_host as _;
//! use ndis_co::lock::SpinLock;
//! # use ndis_host::OpenFile;
//! use ndis_mcm::{
//!     device::{Access, Control, ControlCode, ControlDevice, PendingControl},
//!     prelude::*,
//! };
//! # use ndis_mcm::device::{Device, DeviceAttributes};
//!
//! const WAIT: ControlCode = ControlCode::new::<0x800>(Access::Read);
//! const RING: ControlCode = ControlCode::new::<0x801>(Access::Write);
//!
//! /// With the request of who waits.
//! struct Bell(SpinLock<Option<PendingControl>>);
//!
//! impl ControlDevice for Bell {
//!     type File = ();
//!
//!     fn open(&self, _irql: &mut Passive) -> Result<(), Status> {
//!         Ok(())
//!     }
//!
//!     fn device_control<'r>(
//!         &self,
//!         _file: &(),
//!         request: Control<'r>,
//!         irql: &mut Passive,
//!     ) -> Answer<'r> {
//!         match request.code() {
//!             WAIT => match request.pend(irql) {
//!                 Ok((answer, waits)) => {
//!                     // Who waited before is refused: the token is dropped.
//!                     drop(self.0.replace(Some(waits)));
//!                     answer
//!                 }
//!                 Err(request) => request.refuse(Status::RESOURCES),
//!             },
//!             RING => {
//!                 let waits = self.0.take();
//!                 // False as well when the program has cancelled it meanwhile.
//!                 let told = waits.is_some_and(|waits| waits.reply(b"ring", irql));
//!                 request.reply(&[u8::from(told)])
//!             }
//!             _ => request.not_supported(),
//!         }
//!     }
//! }
//! #
//! # struct Driver;
//! #
//! # impl Miniport for Driver {
//! #     type Adapter = Device<Bell>;
//! #     type Role = Connectionless;
//! #
//! #     fn initialize<'i>(
//! #         &self,
//! #         init: Initialize<'i, Self, New>,
//! #         irql: &mut Passive,
//! #     ) -> Result<Initialized<'i>, Status> {
//! #         let init = init.attributes(&Attributes::wan(), irql)?;
//! #         let bell = Bell(SpinLock::new(None));
//! #         let device = Device::register(&init, &DeviceAttributes::new("Bell"), bell, irql)?;
//! #         Ok(init.adapter(device)?.finish())
//! #     }
//! # }
//! # let host = ndis_host::Host::builder().build();
//! # let driver = host.load_with("bell", |object, path| {
//! #     // SAFETY: the host calls this as Windows calls a DriverEntry.
//! #     unsafe { ndis_mcm::Entry::new(Driver).run(object, path) }
//! # }).unwrap();
//! # let adapter = host.add_adapter(&driver).unwrap();
//!
//! // Two programs, in a test: one waits, the other one rings until somebody was told.
//! host.spawn("one that waits", || {
//!     let file = OpenFile::open(r"\\.\Bell").expect("it is there");
//!     let told = file.device_control(WAIT.raw(), &[], 4);
//!     assert_eq!(told.as_deref(), Ok(&b"ring"[..]));
//!     file.close();
//! });
//! host.spawn("one that rings", || {
//!     let file = OpenFile::open(r"\\.\Bell").expect("it is there");
//!     while file.device_control(RING.raw(), &[], 1).as_deref() != Ok(&[1][..]) {}
//!     file.close();
//! });
//! host.run();
//! # host.remove_adapter(&adapter);
//! # host.unload(&driver);
//! # assert!(host.finish().is_clean());
//! ```
//!
//! Source pages: [`NdisRegisterDeviceEx`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndisregisterdeviceex),
//! [`NdisDeregisterDeviceEx`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndisderegisterdeviceex).
//!
//! [DEV-02]: ndis_sys::rules#DEV-02
//! [INIT-10]: ndis_sys::rules#INIT-10

mod attributes;
mod code;
mod control;
mod extension;
mod files;
mod handlers;
mod irp;
mod pending;

pub use attributes::{DeviceAttributes, Security};
pub use code::{Access, ControlCode, Method};
pub use control::Control;
pub use pending::PendingControl;

use crate::{
    key::key,
    lock::StateLock,
    miniport::{Adapter, Attributed, Initialize, Miniport, sealed},
};
use core::fmt;
use extension::Extension;
use files::Opened;
use ndis_co::{
    Answer, Status,
    armed::{Alarm, Armed},
    irql::{AtPassive, Passive},
    later::{self, Place},
    mem::{Anchored, Arc, Parent, Tag},
    raw::{self, Token},
    scope::{Live, Scope},
};
use ndis_sys::{NDIS_DEVICE_OBJECT_ATTRIBUTES, NDIS_HANDLE};

/// What a driver does for programs that open its control device.
///
/// All methods are called at PASSIVE_LEVEL, in the thread of the program that asks, for several
/// files at once and for one file from several threads. They may wait; the program waits with
/// them.
///
/// ```
/// # use ndis_host as _;
/// use ndis_co::lock::SpinLock;
/// use ndis_mcm::{device::{Access, Control, ControlCode, ControlDevice}, prelude::*};
///
/// const SET: ControlCode = ControlCode::new::<0x800>(Access::Write);
/// const GET: ControlCode = ControlCode::new::<0x801>(Access::Read);
///
/// /// Keeps one number for each program that opens it.
/// struct Notes;
///
/// impl ControlDevice for Notes {
///     type File = SpinLock<u32>;
///
///     fn open(&self, _irql: &mut Passive) -> Result<SpinLock<u32>, Status> {
///         Ok(SpinLock::new(0))
///     }
///
///     fn device_control<'r>(
///         &self,
///         note: &SpinLock<u32>,
///         request: Control<'r>,
///         _irql: &mut Passive,
///     ) -> Answer<'r> {
///         match request.code() {
///             SET => match <[u8; 4]>::try_from(request.input()) {
///                 Ok(bytes) => {
///                     note.set(u32::from_le_bytes(bytes));
///                     request.done()
///                 }
///                 Err(_) => request.refuse(Status::INVALID_PARAMETER),
///             },
///             GET => request.reply(&note.get().to_le_bytes()),
///             _ => request.not_supported(),
///         }
///     }
/// }
/// ```
///
/// Source pages: [`DRIVER_DISPATCH`](https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nc-wdm-driver_dispatch),
/// [dispatchcreate--dispatchclose--and-dispatchcreateclose-routines](https://learn.microsoft.com/windows-hardware/drivers/kernel/dispatchcreate--dispatchclose--and-dispatchcreateclose-routines), [dispatchcleanup-routines](https://learn.microsoft.com/windows-hardware/drivers/kernel/dispatchcleanup-routines).
#[doc(alias = "DRIVER_DISPATCH")]
pub trait ControlDevice: Sized + Send + Sync + 'static {
    /// What is kept for a file that is open. It is dropped when the last handle of the file is
    /// closed and no request is under way, or when the device goes.
    type File: Send + Sync + 'static;

    /// A program opens the device. Who may do so is said by its [`Security`].
    ///
    /// Source page: [irp-mj-create](https://learn.microsoft.com/windows-hardware/drivers/kernel/irp-mj-create).
    ///
    /// # Errors
    ///
    /// The program gets the status; it has opened nothing.
    #[doc(alias = "IRP_MJ_CREATE")]
    fn open(&self, irql: &mut Passive) -> Result<Self::File, Status>;

    /// A program asks for something. The code's [access](ControlCode::access) was checked; the
    /// code and the data may be anything else.
    ///
    /// Source page: [irp-mj-device-control](https://learn.microsoft.com/windows-hardware/drivers/kernel/irp-mj-device-control).
    fn device_control<'r>(
        &self,
        file: &Self::File,
        request: Control<'r>,
        irql: &mut Passive,
    ) -> Answer<'r>;

    /// The program has closed its last handle of the file. Requests that it has made before may
    /// still be under way.
    ///
    /// Source pages: [irp-mj-cleanup](https://learn.microsoft.com/windows-hardware/drivers/kernel/irp-mj-cleanup), [irp-mj-close](https://learn.microsoft.com/windows-hardware/drivers/kernel/irp-mj-close).
    #[doc(alias = "IRP_MJ_CLEANUP")]
    #[doc(alias = "IRP_MJ_CLOSE")]
    fn closed(&self, file: &Self::File, irql: &mut Passive) {
        let _ = (file, irql);
    }
}

/// A control device that is there. Dropped, it goes, a little later where the level is unknown.
///
/// ```
/// # use ndis_host as _;
/// # use ndis_co::{irql::Passive, lock::SpinLock};
/// # use ndis_mcm::device::{ControlDevice, Device};
/// /// Takes the device away, and goes on when no program can open it any more.
/// fn close_down<D: ControlDevice>(kept: &SpinLock<Option<Device<D>>>, irql: &mut Passive) {
///     if let Some(device) = kept.take() {
///         device.deregister(irql);
///     }
/// }
/// ```
#[must_use = "the device goes with this value"]
pub struct Device<D: ControlDevice>(Armed<Arc<Registration<D>>, Lost>);

/// What a device is registered through: an [`Adapter`], or one that is being
/// [initialized](Initialize) and has its attributes.
///
/// ```
/// # use ndis_host as _;
/// # use ndis_co::irql::Passive;
/// # use ndis_mcm::{Status, device::{ControlDevice, Device, DeviceAttributes, DeviceParent}};
/// fn lamp<D: ControlDevice>(parent: &impl DeviceParent, lamp: D, irql: &mut Passive) -> Result<Device<D>, Status> {
///     Device::register(parent, &DeviceAttributes::new("Lamp"), lamp, irql)
/// }
/// ```
pub trait DeviceParent: parent::Sealed {
    /// The adapter, and the handle of the driver's registration.
    #[doc(hidden)]
    fn parts(&self, _: sealed::Token) -> Option<(Live, NDIS_HANDLE)>;
}

pub(crate) mod parent {
    pub trait Sealed {}
}

impl<M: Miniport> parent::Sealed for Initialize<'_, M, Attributed> {}
impl<M: Miniport> DeviceParent for Initialize<'_, M, Attributed> {
    fn parts(&self, _: sealed::Token) -> Option<(Live, NDIS_HANDLE)> {
        let core = self.core();
        Some((core.live()?, core.driver.handle()))
    }
}

impl<M: Miniport> parent::Sealed for Adapter<M> {}
impl<M: Miniport> DeviceParent for Adapter<M> {
    fn parts(&self, _: sealed::Token) -> Option<(Live, NDIS_HANDLE)> {
        Some((self.shared.live(), self.shared.driver.handle()))
    }
}

/// A device as NDIS knows it. It ends before the adapter goes that it was made through (its
/// `live`), and so before the driver is unloaded (rules [DEV-02], [DEV-22]).
///
/// [DEV-02]: ndis_sys::rules#DEV-02
/// [DEV-22]: ndis_sys::rules#DEV-22
struct Registration<D: ControlDevice> {
    /// As long as it is registered, with NDIS's handle.
    device: StateLock<Option<(Extension<D>, Token)>>,
    opened: Arc<Opened<D>>,
    place: Place<Self>,
    /// Holds the adapter's teardown up until this is gone.
    live: Parent<Live>,
}

impl<D: ControlDevice> Anchored for Registration<D> {
    type Parent = Live;
    fn parent(&mut self) -> &mut Parent<Live> {
        &mut self.live
    }
}

impl<D: ControlDevice> Device<D> {
    /// Registers a control device: programs can open it before this has returned (rules
    /// [DEV-01], [DEV-02]).
    ///
    /// Source page: [`NdisRegisterDeviceEx`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndisregisterdeviceex).
    ///
    /// # Errors
    ///
    /// [`Status::INVALID_PARAMETER`] for a name that can be none, [`Status::RESOURCES`], or what
    /// NDIS answers: `STATUS_OBJECT_NAME_COLLISION` for a name that another device has. The
    /// `device` is dropped then.
    ///
    /// [DEV-01]: ndis_sys::rules#DEV-01
    /// [DEV-02]: ndis_sys::rules#DEV-02
    #[doc(alias = "NdisRegisterDeviceEx")]
    #[doc(alias = "NdisGetDeviceReservedExtension")]
    pub fn register(
        parent: &impl DeviceParent,
        attributes: &DeviceAttributes<'_>,
        device: D,
        irql: &mut impl AtPassive,
    ) -> Result<Self, Status> {
        let (live, driver) = parent.parts(sealed::Token(())).ok_or(Status::FAILURE)?;
        let [mut name, mut link, mut security] = attributes.strings()?;
        let registration = Registration {
            device: StateLock::new(None),
            opened: Opened::try_new(device, live.clone())?,
            place: Place::new(),
            live: Parent::new(live),
        };
        let registration = Arc::try_new_anchored(registration, Tag::NDIS)?;
        let mut table = handlers::table::<D>();
        let mut strings = [&mut name, &mut link, &mut security].map(|text| {
            let length = text.len().saturating_sub(1);
            let mut string = raw::unicode_string_over(text, length);
            // The zero at its end is there, and does not count.
            string.MaximumLength = string.Length.saturating_add(2);
            string
        });
        let [name, link, security] = &mut strings;
        let mut settings: NDIS_DEVICE_OBJECT_ATTRIBUTES = ndis_sys::zeroed();
        settings.Header = raw::header(
            ndis_sys::NDIS_OBJECT_TYPE_DEVICE_OBJECT_ATTRIBUTES,
            ndis_sys::NDIS_DEVICE_OBJECT_ATTRIBUTES_REVISION_1,
            ndis_sys::NDIS_SIZEOF_DEVICE_OBJECT_ATTRIBUTES_REVISION_1,
        );
        settings.DeviceName = name;
        settings.SymbolicName = link;
        settings.MajorFunctions = table.as_mut_ptr().cast();
        settings.DefaultSDDLString = security;
        let opened = &registration.opened;
        // SAFETY: the handle is that of this driver's registration, and all that the settings
        // point to is in this function.
        let device = unsafe { Extension::register(driver, settings, opened, irql.passive()) };
        let (extension, handle) = device?;
        registration
            .device
            .with(|device| *device = Some((extension, Token(handle))));
        Ok(Self(Armed::new(registration)))
    }

    /// Takes the device away: no program can open it when this has returned.
    ///
    /// Source page: [`NdisDeregisterDeviceEx`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndisderegisterdeviceex).
    #[doc(alias = "NdisDeregisterDeviceEx")]
    pub fn deregister(self, irql: &mut impl AtPassive) {
        self.0.disarm().end(irql.passive());
    }

    /// Lends the driver's value.
    ///
    /// ```
    /// # use ndis_host as _;
    /// # use ndis_mcm::device::{ControlDevice, Device};
    /// fn shown<D: ControlDevice + core::fmt::Debug>(device: &Device<D>, to: &mut impl core::fmt::Write) {
    ///     device.with(|device| write!(to, "{device:?}"));
    /// }
    /// ```
    pub fn with<R>(&self, f: impl FnOnce(&D) -> R) -> Option<R> {
        self.0.opened.look(f)
    }
}

impl<D: ControlDevice> Registration<D> {
    fn end(&self, irql: &mut Passive) {
        if let Some((extension, handle)) = self.device.with(Option::take) {
            self.opened.end(irql);
            extension.end(handle.0, &self.opened, irql);
        }
    }
}

/// A device that is dropped.
enum Lost {}

impl<D: ControlDevice> Alarm<Arc<Registration<D>>> for Lost {
    fn lost(registration: Arc<Registration<D>>) {
        later::leave(&registration, key());
    }
}

impl<D: ControlDevice> later::Work for Registration<D> {
    fn place(&self) -> &Place<Self> {
        &self.place
    }

    fn scope(&self) -> &Scope {
        self.live.scope()
    }

    fn run(this: Arc<Self>, irql: &mut Passive) {
        this.end(irql);
    }
}

impl<D: ControlDevice> fmt::Debug for Device<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Device").finish_non_exhaustive()
    }
}
