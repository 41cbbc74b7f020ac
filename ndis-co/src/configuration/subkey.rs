//! Keys below an adapter's or a binding's: by name, or one after the other.

use super::{Configuration, there};
use crate::{
    Status,
    mem::{Tag, Vec},
    wide::{Name, Utf16},
};
use core::{fmt, ops, ptr};
use ndis_sys::UNICODE_STRING;

/// The name of a key has at most 255 characters.
const LONGEST: usize = 256;

/// A key below another, from [`Configuration::key_at`], with its name. It derefs to the
/// [`Configuration`].
///
/// ```
/// use ndis_co::{Status, configuration::Configuration};
/// # use ndis_host as _;
///
/// /// How many of the lines are switched on; each has a key.
/// fn lines_on(configuration: &Configuration<'_>) -> Result<usize, Status> {
///     let mut on = 0;
///     for index in 0.. {
///         let Some(line) = configuration.key_at(index)? else { break };
///         if line.name().chars().next() == Some('L') && line.get_u32("On")? == Some(1) {
///             on += 1;
///         }
///     }
///     Ok(on)
/// }
/// ```
pub struct Subkey<'k> {
    name: Vec<u16>,
    configuration: Configuration<'k>,
}

impl Subkey<'_> {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> Utf16<'_> {
        Utf16::new(&self.name)
    }
}

impl<'k> ops::Deref for Subkey<'k> {
    type Target = Configuration<'k>;

    fn deref(&self) -> &Configuration<'k> {
        &self.configuration
    }
}

impl fmt::Debug for Subkey<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Subkey").field(&self.name()).finish()
    }
}

impl Configuration<'_> {
    /// Opens the key of this name below; `None` when there is none.
    ///
    /// Source page: [`NdisOpenConfigurationKeyByName`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndisopenconfigurationkeybyname).
    ///
    /// # Errors
    ///
    /// What NDIS answers, or [`Status::RESOURCES`].
    #[doc(alias = "NdisOpenConfigurationKeyByName")]
    pub fn key<'n>(&self, name: impl Into<Name<'n>>) -> Result<Option<Configuration<'_>>, Status> {
        name.into().counted(|mut name| {
            let mut status = Status::FAILURE.raw();
            let mut key = ptr::null_mut();
            let handle = self.handle;
            // SAFETY: by OPEN the handle is open and this is PASSIVE_LEVEL; the name and the
            // variables live for the call.
            unsafe {
                ndis_sys::NdisOpenConfigurationKeyByName(&mut status, handle, &mut name, &mut key);
            };
            if !there(status)? {
                return Ok(None);
            }
            // What the handle above was opened with is good while that one is borrowed, as is its
            // proof.
            Ok(Configuration::opened(key))
        })
    }

    /// Opens the key with this index, from 0 on; `None` when there are no more.
    ///
    /// Source page: [`NdisOpenConfigurationKeyByIndex`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndisopenconfigurationkeybyindex).
    ///
    /// # Errors
    ///
    /// What NDIS answers, or [`Status::RESOURCES`].
    #[doc(alias = "NdisOpenConfigurationKeyByIndex")]
    pub fn key_at(&self, index: u32) -> Result<Option<Subkey<'_>>, Status> {
        let mut name = Vec::try_from_slice(&[0; LONGEST], Tag::NDIS)?;
        let room = size_of::<[u16; LONGEST]>();
        let mut string = UNICODE_STRING {
            Length: 0,
            MaximumLength: u16::try_from(room).map_err(|_| Status::INVALID_PARAMETER)?,
            Buffer: name.as_mut_ptr(),
        };
        let mut status = Status::FAILURE.raw();
        let mut key = ptr::null_mut();
        let handle = self.handle;
        // SAFETY: by OPEN as above; NDIS writes the name into the buffer, as far as it goes (rule
        // CFG-16).
        unsafe {
            ndis_sys::NdisOpenConfigurationKeyByIndex(
                &mut status,
                handle,
                index,
                &mut string,
                &mut key,
            );
        };
        if !there(status)? {
            return Ok(None);
        }
        let configuration = Configuration::opened(key);
        let length = usize::from(string.Length) / 2;
        while name.len() > length {
            name.pop();
        }
        Ok(configuration.map(|configuration| Subkey {
            name,
            configuration,
        }))
    }
}
