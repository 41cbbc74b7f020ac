//! TAPI structures whose variable parts lie behind the length that call parameters state.
//!
//! The pages on placing and taking calls set that length to the size of the fixed structure, and
//! leave open where the variable parts are. When they are behind it, nothing that C hands over
//! bounds them but the descriptors themselves. So reading them that way is `unsafe`: who does it
//! knows the peer. This is the only unsafe code of TAPI.
//!
//! # Invariants
//!
//! PARAMS, of `params`: what the pointers of call parameters point at is valid.
//!
//! DESCRIBED: each descriptor of the structure whose offset is at most [`MAX_VARIABLE`] has as many
//! valid bytes there as it says, which nobody writes for `'a`.

use super::{
    IncomingCall, MakeCall,
    bytes::{Descriptor, word},
    call::{Find, media},
};
use crate::{Status, address::MAX_VARIABLE, params::CallParameters};
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

impl<'a> MakeCall<'a> {
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
