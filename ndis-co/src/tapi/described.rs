//! TAPI structures whose variable parts lie behind the length that call parameters state.
//!
//! The pages on placing and taking calls set that length to the size of the fixed structure, and
//! leave open where the variable parts are. When they are behind it, nothing that C hands over
//! bounds them but the descriptors themselves. So reading them that way is `unsafe`: who does it
//! knows the peer. This is the only unsafe code of TAPI.
//!
//! A descriptor says how long a part of call parameters is, as their own length fields do. Drivers
//! of others are believed these ([`MAX_VARIABLE`]), and so are they here. But those are written
//! by this crate for whoever builds parameters with it, and a descriptor is not: a safe client could
//! lie with it to a safe call manager. So [`check_placed`] is asked of each call that such a client
//! places in a family of telephony.
//!
//! # Invariants
//!
//! PARAMS, of `params`: what the pointers of call parameters point at is valid.
//!
//! CHECKED: a client of this crate that places a call in a family of telephony does so with
//! parameters that `check_placed` has let through.
//!
//! DESCRIBED: each descriptor of the structure whose offset is at most [`MAX_VARIABLE`] has as many
//! valid bytes there as it says, which nobody writes for `'a`.

use super::{
    IncomingCall, MakeCall,
    bytes::{Descriptor, word},
    call::{Find, MAKE, media},
};
use crate::{
    Status,
    address::MAX_VARIABLE,
    family::{AddressFamily, Family},
    params::CallParameters,
};
use core::{marker::PhantomData, mem::offset_of};
use ndis_sys::{CO_CALL_PARAMETERS, CO_MEDIA_PARAMETERS, CO_SPECIFIC_PARAMETERS};

/// Behind the structure, wherever its descriptors lead, under DESCRIBED.
struct Described<'a> {
    /// The structure, as long as it is stated to be.
    stated: &'a [u8],
    /// Where it begins, with all that is behind it.
    start: *const u8,
    _life: PhantomData<&'a [u8]>,
}

impl<'a> Described<'a> {
    /// # Safety
    ///
    /// The structure is as DESCRIBED says.
    unsafe fn new(parameters: CallParameters<'a>) -> Result<Self, Status> {
        let stated = media(parameters)?;
        let raw: *mut CO_CALL_PARAMETERS = parameters.as_raw();
        // SAFETY: by PARAMS the structure is valid.
        let media: *mut CO_MEDIA_PARAMETERS = unsafe { (*raw).MediaParameters };
        let start = media
            .cast::<u8>()
            .wrapping_add(offset_of!(CO_MEDIA_PARAMETERS, MediaSpecific))
            .wrapping_add(offset_of!(CO_SPECIFIC_PARAMETERS, Parameters));
        Ok(Self {
            stated,
            start,
            _life: PhantomData,
        })
    }
}

impl<'a> Find<'a> for Described<'a> {
    fn data(&self, at: usize, fixed: usize) -> Result<&'a [u8], Status> {
        let descriptor: Descriptor = word(self.stated, at)?;
        if descriptor.len == 0 {
            return Ok(&[]);
        }
        let start = descriptor.start(at, fixed)?;
        if descriptor.offset > MAX_VARIABLE as usize {
            return Err(Status::INVALID_DATA);
        }
        let start = self.start.wrapping_add(start);
        // SAFETY: by DESCRIBED so many bytes are there for 'a.
        Ok(unsafe { core::slice::from_raw_parts(start, descriptor.len.into()) })
    }
}

/// Whether calls of a family carry the structures of TAPI.
pub(crate) fn is_telephony(family: AddressFamily) -> bool {
    matches!(family.family, Family::TAPI | Family::TAPI_PROXY)
}

/// Looks at the parameters of a call that a client of this crate places (CHECKED): a structure
/// whose stated length covers nothing behind it must not say that there is something.
pub(crate) fn check_placed(
    family: AddressFamily,
    parameters: CallParameters<'_>,
) -> Result<(), Status> {
    if !is_telephony(family) {
        return Ok(());
    }
    match media(parameters).map(TryFrom::try_from) {
        Ok(Ok(alone)) => MakeCall::check_alone(alone),
        _ => Ok(()),
    }
}

impl<'a> MakeCall<'a> {
    /// Reads the structure, whichever reading of the pages is right: by
    /// [`from_parameters`](Self::from_parameters), but when the length that is stated is that of
    /// the fixed structure alone by
    /// [`from_parameters_described`](Self::from_parameters_described).
    ///
    /// # Errors
    ///
    /// Those of [`from_parameters`](Self::from_parameters).
    ///
    /// # Safety
    ///
    /// When that length is stated, as
    /// [`from_parameters_described`](Self::from_parameters_described).
    pub unsafe fn from_parameters_either(parameters: CallParameters<'a>) -> Result<Self, Status> {
        if media(parameters)?.len() == MAKE {
            // SAFETY: by the caller.
            unsafe { Self::from_parameters_described(parameters) }
        } else {
            Self::from_parameters(parameters)
        }
    }

    /// As [`from_parameters`](Self::from_parameters), but believes what descriptors say of data
    /// behind the length that is stated: the other reading of the pages, by which that length is
    /// the one of the fixed structure alone. Offsets up to [`MAX_VARIABLE`] are followed.
    ///
    /// # Errors
    ///
    /// Those of [`from_parameters`](Self::from_parameters).
    ///
    /// # Safety
    ///
    /// For `'a`, each descriptor of the structure whose offset is at most [`MAX_VARIABLE`] has as
    /// many valid bytes there as it says, and nobody writes them. No driver of one's own can
    /// know that of parameters that somebody else made: it is a promise that NDPROXY must keep.
    pub unsafe fn from_parameters_described(
        parameters: CallParameters<'a>,
    ) -> Result<Self, Status> {
        // SAFETY: by the caller.
        let behind = unsafe { Described::new(parameters) }?;
        Self::find(behind.stated, &behind)
    }
}

impl<'a> IncomingCall<'a> {
    /// As [`MakeCall::from_parameters_described`].
    ///
    /// # Errors
    ///
    /// Those of [`from_parameters`](Self::from_parameters).
    ///
    /// # Safety
    ///
    /// As [`MakeCall::from_parameters_described`].
    pub unsafe fn from_parameters_described(
        parameters: CallParameters<'a>,
    ) -> Result<Self, Status> {
        // SAFETY: by the caller.
        let behind = unsafe { Described::new(parameters) }?;
        Self::find(behind.stated, &behind)
    }
}
