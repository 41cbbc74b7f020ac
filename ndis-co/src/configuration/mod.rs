//! [`Configuration`]: what the registry says about one adapter or one binding.
//!
//! Whoever installs an adapter, and its user on the page of advanced properties, put settings
//! under a key of the adapter's own; a protocol has such a key for each adapter that it is bound
//! to. NDIS opens it for the driver. Settings of the driver as a whole are those of its
//! [service key](crate::service).
//!
//! NDIS passes on what is there, of any type and value: it is for the driver to check that a
//! value makes sense, and to take a default otherwise (rule [CFG-11]).
//!
//! # Invariants
//!
//! OPEN: the handle of a [`Configuration`] was opened by NDIS and is closed once, by its drop;
//! what it was opened with is good for as long. It borrows a proof of PASSIVE_LEVEL and cannot
//! leave its thread, so every call with it is at PASSIVE_LEVEL (rules [CFG-01], [CFG-02]), and none
//! runs while another does (rule [CFG-10]).
//!
//! LENT: what NDIS shows of a value is NDIS's memory, which nobody changes, and which stays until
//! the handle is closed (rule [CFG-09]). References to it borrow the [`Configuration`].
//!
//! [CFG-01]: ndis_sys::rules#CFG-01
//! [CFG-02]: ndis_sys::rules#CFG-02
//! [CFG-09]: ndis_sys::rules#CFG-09
//! [CFG-10]: ndis_sys::rules#CFG-10
//! [CFG-11]: ndis_sys::rules#CFG-11

mod adapter;
mod subkey;

pub use adapter::AdapterConfiguration;
#[doc(hidden)]
pub use adapter::NewAdapter;
pub use subkey::Subkey;

use crate::{
    Status,
    irql::Passive,
    raw,
    wide::{Name, Utf16, Utf16List},
};
use core::{fmt, marker::PhantomData, ptr, slice};
use ndis_sys::{
    NDIS_CONFIGURATION_OBJECT, NDIS_CONFIGURATION_PARAMETER,
    NDIS_CONFIGURATION_PARAMETER_ParameterData, NDIS_HANDLE, NDIS_PARAMETER_TYPE,
};

/// Open settings: of a binding, or a key below; of an adapter as [`AdapterConfiguration`].
///
/// From [`Binding::configuration`](crate::Binding::configuration) and
/// [`NewBinding::configuration`](crate::NewBinding::configuration). It is closed when it is
/// dropped. While it is open it borrows the proof of PASSIVE_LEVEL.
///
/// A value that is not there is `None`; one of another type is
/// [`Status::INVALID_DATA`]; with no memory left reading fails with [`Status::RESOURCES`].
///
/// ```
/// use ndis_co::{NewBinding, Status, irql::Passive};
/// # use ndis_host as _;
///
/// /// How many calls a client places over this adapter: 3 by default, no more than 64.
/// fn calls(adapter: &NewBinding<'_>, irql: &mut Passive) -> Result<u32, Status> {
///     let configuration = adapter.configuration(irql)?;
///     match configuration.get_u32("Calls")? {
///         Some(calls @ 1..=64) => Ok(calls),
///         _ => Ok(3),
///     }
/// }
/// ```
pub struct Configuration<'c> {
    handle: NDIS_HANDLE,
    _level: PhantomData<&'c mut Passive>,
}

impl<'c> Configuration<'c> {
    /// Opens the configuration that belongs to a handle.
    ///
    /// # Safety
    ///
    /// `handle` is what `NdisOpenConfigurationEx` takes (rule CFG-03), and good for `'c`.
    pub(crate) unsafe fn open(handle: NDIS_HANDLE, _irql: &'c mut Passive) -> Result<Self, Status> {
        let mut object: NDIS_CONFIGURATION_OBJECT = ndis_sys::zeroed();
        object.Header = raw::header(
            ndis_sys::NDIS_OBJECT_TYPE_CONFIGURATION_OBJECT,
            ndis_sys::NDIS_CONFIGURATION_OBJECT_REVISION_1,
            ndis_sys::NDIS_SIZEOF_CONFIGURATION_OBJECT_REVISION_1,
        );
        object.NdisHandle = handle;
        let mut opened = ptr::null_mut();
        // SAFETY: PASSIVE_LEVEL by the proof; the handle by the caller; the structure, which is
        // complete (rule CFG-04), and the variable live for the call.
        let status = unsafe { ndis_sys::NdisOpenConfigurationEx(&mut object, &mut opened) };
        Status::from_raw(status).result()?;
        Self::opened(opened).ok_or(Status::FAILURE)
    }

    /// That of a handle which was opened just now, with what is good for `'c`, by whoever has the
    /// proof of PASSIVE_LEVEL for as long; OPEN holds from here on. `None` for null.
    fn opened(handle: NDIS_HANDLE) -> Option<Self> {
        (!handle.is_null()).then_some(Self {
            handle,
            _level: PhantomData,
        })
    }

    /// A number: a `REG_DWORD`, or a text in decimal digits, which is how the page of advanced
    /// properties stores numbers. Of a negative one the two's complement.
    ///
    /// Each read takes memory of NDIS's until the configuration is closed.
    ///
    /// Source page: [`NdisReadConfiguration`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndisreadconfiguration).
    ///
    /// # Errors
    ///
    /// [`Status::INVALID_DATA`] when it is no number, [`Status::RESOURCES`], or what NDIS
    /// answers.
    #[doc(alias = "NdisReadConfiguration")]
    #[doc(alias = "NdisParameterInteger")]
    pub fn get_u32<'n>(&self, name: impl Into<Name<'n>>) -> Result<Option<u32>, Status> {
        self.number(name.into(), ndis_sys::NdisParameterInteger, 10)
    }

    /// As [`get_u32`](Self::get_u32), with texts in hexadecimal digits.
    ///
    /// # Errors
    ///
    /// As there.
    #[doc(alias = "NdisParameterHexInteger")]
    pub fn get_hex_u32<'n>(&self, name: impl Into<Name<'n>>) -> Result<Option<u32>, Status> {
        self.number(name.into(), ndis_sys::NdisParameterHexInteger, 16)
    }

    /// A text: a `REG_SZ`.
    ///
    /// ```
    /// # use ndis_co::{Status, configuration::Configuration};
    /// # use ndis_host as _;
    /// /// Whether somebody has chosen the long way.
    /// fn goes_round(configuration: &Configuration<'_>) -> Result<bool, Status> {
    ///     Ok(configuration.get_str("Route")?.is_some_and(|route| route.is("long")))
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Status::INVALID_DATA`] when it is no text, [`Status::RESOURCES`], or what NDIS answers.
    #[doc(alias = "NdisParameterString")]
    pub fn get_str<'n>(&self, name: impl Into<Name<'n>>) -> Result<Option<Utf16<'_>>, Status> {
        let kind = ndis_sys::NdisParameterString;
        let units = self.text(name.into(), kind)?;
        Ok(units.map(Utf16::new))
    }

    /// A list of texts: a `REG_MULTI_SZ`.
    ///
    /// ```
    /// # use ndis_co::{Status, configuration::Configuration};
    /// # use ndis_host as _;
    /// fn trusts(configuration: &Configuration<'_>, peer: &str) -> Result<bool, Status> {
    ///     let peers = configuration.get_multi_str("Peers")?;
    ///     Ok(peers.is_some_and(|mut peers| peers.any(|known| known.is(peer))))
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Status::INVALID_DATA`] when it is no list, [`Status::RESOURCES`], or what NDIS answers.
    #[doc(alias = "NdisParameterMultiString")]
    pub fn get_multi_str<'n>(
        &self,
        name: impl Into<Name<'n>>,
    ) -> Result<Option<Utf16List<'_>>, Status> {
        let kind = ndis_sys::NdisParameterMultiString;
        let units = self.text(name.into(), kind)?;
        Ok(units.map(Utf16List::new))
    }

    /// Bytes: a `REG_BINARY`.
    ///
    /// # Errors
    ///
    /// [`Status::INVALID_DATA`] when it is of another type, [`Status::RESOURCES`], or what NDIS
    /// answers.
    #[doc(alias = "NdisParameterBinary")]
    #[doc(alias = "BINARY_DATA")]
    pub fn get_bytes<'n>(&self, name: impl Into<Name<'n>>) -> Result<Option<&[u8]>, Status> {
        let kind = ndis_sys::NdisParameterBinary;
        let Some(parameter) = self.read(name.into(), kind)? else {
            return Ok(None);
        };
        if parameter.ParameterType != kind {
            return Err(Status::INVALID_DATA);
        }
        // SAFETY: the member that the type names (rule CFG-14).
        let data = unsafe { parameter.ParameterData.BinaryData };
        let length = usize::from(data.Length);
        let data = shown(data.Buffer.cast::<u8>(), length)?;
        // SAFETY: by LENT NDIS's memory, with as many bytes.
        Ok(Some(unsafe { slice::from_raw_parts(data, length) }))
    }

    /// Sets a number, as a `REG_DWORD`; the value need not be there.
    ///
    /// Source page: [`NdisWriteConfiguration`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndiswriteconfiguration).
    ///
    /// # Errors
    ///
    /// [`Status::RESOURCES`], or what NDIS answers.
    #[doc(alias = "NdisWriteConfiguration")]
    pub fn set_u32<'n>(&self, name: impl Into<Name<'n>>, number: u32) -> Result<(), Status> {
        let data = NDIS_CONFIGURATION_PARAMETER_ParameterData {
            IntegerData: number,
        };
        self.write(name.into(), ndis_sys::NdisParameterInteger, data)
    }

    /// Sets a text, as a `REG_SZ`; the value need not be there.
    ///
    /// ```
    /// # use ndis_co::{Status, configuration::Configuration};
    /// # use ndis_host as _;
    /// fn count_start(configuration: &Configuration<'_>) -> Result<(), Status> {
    ///     let starts = configuration.get_u32("Starts")?.unwrap_or(0);
    ///     configuration.set_u32("Starts", starts.saturating_add(1))?;
    ///     configuration.set_str("LastPeer", "none yet")
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Status::RESOURCES`], or what NDIS answers; [`Status::INVALID_PARAMETER`] for a text of
    /// 64 KiB or more.
    pub fn set_str<'n, 't>(
        &self,
        name: impl Into<Name<'n>>,
        text: impl Into<Name<'t>>,
    ) -> Result<(), Status> {
        let (name, text) = (name.into(), text.into());
        text.counted(|text| {
            let data = NDIS_CONFIGURATION_PARAMETER_ParameterData { StringData: text };
            self.write(name, ndis_sys::NdisParameterString, data)
        })
    }

    fn number(
        &self,
        name: Name<'_>,
        kind: NDIS_PARAMETER_TYPE,
        base: u32,
    ) -> Result<Option<u32>, Status> {
        let Some(parameter) = self.read(name, kind)? else {
            return Ok(None);
        };
        match parameter.ParameterType {
            ndis_sys::NdisParameterInteger | ndis_sys::NdisParameterHexInteger => {
                // SAFETY: the member that the type names (rule CFG-14).
                Ok(Some(unsafe { parameter.ParameterData.IntegerData }))
            }
            ndis_sys::NdisParameterString => {
                let text = Utf16::new(self.units(parameter)?);
                text.number(base).map(Some).ok_or(Status::INVALID_DATA)
            }
            _ => Err(Status::INVALID_DATA),
        }
    }

    fn text(&self, name: Name<'_>, kind: NDIS_PARAMETER_TYPE) -> Result<Option<&[u16]>, Status> {
        match self.read(name, kind)? {
            None => Ok(None),
            Some(parameter) if parameter.ParameterType == kind => self.units(parameter).map(Some),
            Some(_) => Err(Status::INVALID_DATA),
        }
    }

    /// The units of a parameter whose type is one of the strings.
    fn units<'s>(
        &'s self,
        parameter: &'s NDIS_CONFIGURATION_PARAMETER,
    ) -> Result<&'s [u16], Status> {
        // SAFETY: the member that the type names (rule CFG-14).
        let text = unsafe { parameter.ParameterData.StringData };
        let length = usize::from(text.Length) / 2;
        let text = shown(text.Buffer, length)?;
        // SAFETY: by LENT NDIS's memory, with as many units.
        Ok(unsafe { slice::from_raw_parts(text, length) })
    }

    /// Reads a value, of whatever type it is.
    fn read(
        &self,
        name: Name<'_>,
        kind: NDIS_PARAMETER_TYPE,
    ) -> Result<Option<&NDIS_CONFIGURATION_PARAMETER>, Status> {
        name.counted(|mut name| {
            let mut status = Status::FAILURE.raw();
            let mut value = ptr::null_mut();
            let handle = self.handle;
            // SAFETY: by OPEN the handle is open, this is PASSIVE_LEVEL, and no other call by it
            // goes on; the name, of which NDIS makes a copy, and the variables live for the call.
            unsafe {
                ndis_sys::NdisReadConfiguration(&mut status, &mut value, handle, &mut name, kind);
            };
            if there(status)? {
                // SAFETY: by LENT NDIS's memory, good while the configuration is borrowed.
                Ok(unsafe { value.as_ref() })
            } else {
                Ok(None)
            }
        })
    }

    fn write(
        &self,
        name: Name<'_>,
        kind: NDIS_PARAMETER_TYPE,
        data: NDIS_CONFIGURATION_PARAMETER_ParameterData,
    ) -> Result<(), Status> {
        name.counted(|mut name| {
            let mut value = NDIS_CONFIGURATION_PARAMETER {
                ParameterType: kind,
                ParameterData: data,
            };
            let mut status = Status::FAILURE.raw();
            let handle = self.handle;
            // SAFETY: by OPEN as for a read; NDIS makes copies of the name and the value (rule
            // CFG-15), which live for the call.
            unsafe {
                ndis_sys::NdisWriteConfiguration(&mut status, handle, &mut name, &mut value);
            };
            Status::from_raw(status).result()
        })
    }
}

/// Whether what was asked for is there. NDIS has one status for "not there" and for whatever
/// else may be in the way.
fn there(status: ndis_sys::NDIS_STATUS) -> Result<bool, Status> {
    match Status::from_raw(status) {
        Status::FAILURE => Ok(false),
        status => status.result().map(|()| true),
    }
}

/// Where what NDIS shows can be read: somewhere, when there is nothing of it.
fn shown<T>(at: *const T, length: usize) -> Result<*const T, Status> {
    if length == 0 {
        Ok(ptr::dangling())
    } else if at.is_null() || !at.is_aligned() {
        Err(Status::INVALID_DATA)
    } else {
        Ok(at)
    }
}

impl Drop for Configuration<'_> {
    fn drop(&mut self) {
        // SAFETY: by OPEN the handle is open, closed once, and this is PASSIVE_LEVEL; by LENT
        // nobody has a reference to what was read any more.
        unsafe { ndis_sys::NdisCloseConfiguration(self.handle) };
    }
}

impl fmt::Debug for Configuration<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Configuration").finish_non_exhaustive()
    }
}
