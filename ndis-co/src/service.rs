//! [`ServiceKey`]: what the registry says about this driver.
//!
//! Windows keeps a key for each driver, its *service key*, and hands its path
//! to `DriverEntry`. Whoever installs the driver puts settings into the
//! subkey `Parameters`; the driver reads them when it is loaded.

use crate::{
    Status,
    irql::Passive,
    mem::{Tag, Vec},
    wide::{Name, Utf16, counted},
};
use core::{fmt, ptr};
use ndis_sys::{HANDLE, OBJECT_ATTRIBUTES, ULONG, UNICODE_STRING};

/// The registry key of the driver that is being loaded.
///
/// Lent to [`Load::load`](crate::Load::load).
///
/// ```
/// # use ndis_co::{Status, irql::Passive, service::ServiceKey};
/// # use ndis_host as _;
/// /// How many lines there are, by the registry or by default; no more than 64.
/// fn lines(key: &ServiceKey<'_>, irql: &mut Passive) -> Result<u32, Status> {
///     match key.parameter("Lines", irql)? {
///         None => Ok(4),
///         Some(lines @ 1..=64) => Ok(lines),
///         Some(_) => Err(Status::INVALID_DATA),
///     }
/// }
/// ```
pub struct ServiceKey<'l> {
    path: &'l [u16],
}

/// `KEY_VALUE_PARTIAL_INFORMATION` with room for four bytes of data.
#[repr(C)]
struct Dword {
    _title: u32,
    kind: u32,
    /// Of the data, in bytes.
    len: u32,
    data: u32,
}

impl<'l> ServiceKey<'l> {
    /// The key that `DriverEntry` was told of.
    ///
    /// # Safety
    ///
    /// `path` is null or the registry path of `DriverEntry`; it stays as it is
    /// for `'l`.
    #[doc(hidden)]
    #[must_use]
    pub unsafe fn from_raw(path: *const UNICODE_STRING) -> Self {
        // SAFETY: null or a valid string, by the caller.
        let path = match unsafe { path.as_ref() } {
            Some(path) if !path.Buffer.is_null() => path,
            _ => return Self { path: &[] },
        };
        let len = usize::from(path.Length) / 2;
        // SAFETY: a counted string has so many characters, by the caller.
        let path = unsafe { core::slice::from_raw_parts(path.Buffer, len) };
        Self { path }
    }

    /// The driver's name among the services: the last part of the path, in
    /// UTF-16.
    #[must_use]
    pub fn name(&self) -> &[u16] {
        self.path
            .rsplit(|unit| *unit == u16::from(b'\\'))
            .next()
            .unwrap_or_default()
    }

    /// Reads the value `name` of the subkey `Parameters`, a
    /// `REG_DWORD`; `None` when there is none.
    ///
    /// Source pages: [`ZwOpenKey`](https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-zwopenkey),
    /// [`ZwQueryValueKey`](https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-zwqueryvaluekey),
    /// `registry-keys-for-drivers`.
    ///
    /// # Errors
    ///
    /// [`Status::INVALID_DATA`] when the value has another type,
    /// [`Status::RESOURCES`], or what the registry answers.
    #[doc(alias = "ZwOpenKey")]
    #[doc(alias = "ZwQueryValueKey")]
    #[doc(alias = "RegistryPath")]
    pub fn parameter<'n>(
        &self,
        name: impl Into<Name<'n>>,
        irql: &mut Passive,
    ) -> Result<Option<u32>, Status> {
        let Some(key) = Key::open(self.path, "\\Parameters".into(), irql)? else {
            return Ok(None);
        };
        key.dword(name.into(), irql)
    }
}

impl fmt::Debug for ServiceKey<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ServiceKey(")?;
        write!(f, "{})", Utf16::new(self.path))
    }
}

/// An open key.
///
/// # Invariants
///
/// KEY: `handle` is an open kernel handle, closed once, by `drop`. The value
/// lives within one call of [`ServiceKey::parameter`], so at PASSIVE_LEVEL.
struct Key {
    handle: HANDLE,
}

impl Key {
    /// Opens `path` with `below` added to it; `None` when there is no such key.
    fn open(path: &[u16], below: Name<'_>, _irql: &mut Passive) -> Result<Option<Self>, Status> {
        let mut whole = Vec::try_from_slice(path, Tag::NDIS)?;
        below.append_to(&mut whole)?;
        let mut whole = counted(&whole)?;
        let mut attributes: OBJECT_ATTRIBUTES = ndis_sys::zeroed();
        attributes.Length = size_of::<OBJECT_ATTRIBUTES>() as ULONG;
        attributes.ObjectName = &raw mut whole;
        attributes.Attributes =
            (ndis_sys::OBJ_CASE_INSENSITIVE | ndis_sys::OBJ_KERNEL_HANDLE) as ULONG;
        let mut handle: HANDLE = ptr::null_mut();
        // SAFETY: PASSIVE_LEVEL by the proof; the structures live for the call.
        let status =
            unsafe { ndis_sys::ZwOpenKey(&mut handle, ndis_sys::KEY_READ, &raw mut attributes) };
        if status == ndis_sys::STATUS_OBJECT_NAME_NOT_FOUND {
            return Ok(None);
        }
        Status::from_raw(status).result()?;
        Ok(Some(Self { handle }))
    }

    fn dword(&self, name: Name<'_>, _irql: &mut Passive) -> Result<Option<u32>, Status> {
        name.counted(|mut name| self.query(&mut name))
    }

    fn query(&self, name: &mut UNICODE_STRING) -> Result<Option<u32>, Status> {
        let mut value = Dword {
            _title: 0,
            kind: 0,
            len: 0,
            data: 0,
        };
        let mut length: ULONG = 0;
        // SAFETY: by KEY the handle is open, and this is PASSIVE_LEVEL; the
        // registry writes at most as many bytes as it is told there are.
        let status = unsafe {
            ndis_sys::ZwQueryValueKey(
                self.handle,
                name,
                ndis_sys::KeyValuePartialInformation,
                (&raw mut value).cast(),
                size_of::<Dword>() as ULONG,
                &mut length,
            )
        };
        match status {
            ndis_sys::STATUS_OBJECT_NAME_NOT_FOUND => return Ok(None),
            // A longer value than asked for is of another type.
            ndis_sys::NDIS_STATUS_BUFFER_OVERFLOW => return Err(Status::INVALID_DATA),
            status => Status::from_raw(status).result()?,
        }
        if value.kind != ndis_sys::REG_DWORD || value.len != 4 {
            return Err(Status::INVALID_DATA);
        }
        Ok(Some(value.data))
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        // SAFETY: by KEY the handle is open, and this is PASSIVE_LEVEL.
        unsafe { ndis_sys::ZwClose(self.handle) };
    }
}
