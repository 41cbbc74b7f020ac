//! [`SapAddress`]: the variable-length `CO_SAP`, read with bounds and built
//! with its true length.

use crate::{
    Status,
    mem::{Tag, Vec},
};
use core::{fmt, marker::PhantomData, mem::offset_of};
use ndis_sys::CO_SAP;

/// The most bytes of one variable-length part that this crate reads.
///
/// C hands over a pointer and a length and nothing to check the length
/// against. A length beyond this is taken for a mistake of the peer and
/// refused, which bounds what a lying one can make us read.
pub const MAX_VARIABLE: u32 = 64 * 1024;

/// The address of a service access point, borrowed from a `CO_SAP`.
///
/// # Invariants
///
/// SAP: `sap` is valid for `'a` together with the `SapLength` bytes of its
/// trailing array, and `SapLength <= MAX_VARIABLE`.
#[derive(Clone, Copy)]
#[doc(alias = "CO_SAP")]
pub struct SapAddress<'a> {
    sap: *const CO_SAP,
    _life: PhantomData<&'a CO_SAP>,
}

// SAFETY: by SAP the bytes are only read.
unsafe impl Send for SapAddress<'_> {}
// SAFETY: as above.
unsafe impl Sync for SapAddress<'_> {}

impl<'a> SapAddress<'a> {
    /// Looks at a `CO_SAP`.
    ///
    /// # Errors
    ///
    /// [`Status::INVALID_DATA`] for a null pointer or a length beyond
    /// [`MAX_VARIABLE`] (rule SAP-18).
    ///
    /// # Safety
    ///
    /// A non-null `sap` is valid for `'a`, with as many bytes behind it as it
    /// says.
    pub unsafe fn from_raw(sap: *const CO_SAP) -> Result<Self, Status> {
        if sap.is_null() {
            return Err(Status::INVALID_DATA);
        }
        let address = Self {
            sap,
            _life: PhantomData,
        };
        if address.raw_len() > MAX_VARIABLE {
            Err(Status::INVALID_DATA)
        } else {
            Ok(address)
        }
    }

    fn raw_len(self) -> u32 {
        // SAFETY: by SAP the structure is valid.
        unsafe { (*self.sap).SapLength }
    }

    /// The kind of address, as the family defines it.
    #[must_use]
    #[doc(alias = "SapType")]
    pub fn sap_type(self) -> u32 {
        // SAFETY: by SAP the structure is valid.
        unsafe { (*self.sap).SapType }
    }

    /// The bytes of the address; `SapLength` of them.
    #[must_use]
    #[doc(alias = "SapLength")]
    pub fn bytes(self) -> &'a [u8] {
        // SAFETY: the address of the trailing array of a valid structure.
        let start = unsafe { &raw const (*self.sap).Sap }.cast::<u8>();
        // SAFETY: by SAP that many bytes are there for 'a.
        unsafe { core::slice::from_raw_parts(start, self.raw_len() as usize) }
    }
}

impl fmt::Debug for SapAddress<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SapAddress")
            .field("type", &self.sap_type())
            .field("bytes", &self.bytes())
            .finish()
    }
}

/// A `CO_SAP` of one's own, in resident memory.
pub struct SapAddressBuf {
    /// In words, so that the structure is aligned.
    memory: Vec<u32>,
}

impl SapAddressBuf {
    /// Builds an address of `bytes`.
    ///
    /// # Errors
    ///
    /// [`Status::RESOURCES`], also when there are more than [`MAX_VARIABLE`]
    /// bytes.
    pub fn try_new(sap_type: u32, bytes: &[u8]) -> Result<Self, Status> {
        let len = u32::try_from(bytes.len()).map_err(|_| Status::RESOURCES)?;
        if len > MAX_VARIABLE {
            return Err(Status::RESOURCES);
        }
        const HEADER: usize = offset_of!(CO_SAP, Sap) / size_of::<u32>();
        let mut memory = Vec::new(Tag::NDIS);
        memory.try_reserve(HEADER + bytes.len().div_ceil(4).max(1))?;
        memory.try_push(sap_type)?;
        memory.try_push(len)?;
        push_bytes(&mut memory, bytes)?;
        Ok(Self { memory })
    }

    /// The address, to look at.
    #[must_use]
    pub fn view(&self) -> SapAddress<'_> {
        SapAddress {
            sap: self.as_raw(),
            _life: PhantomData,
        }
    }

    /// The C form; it stays where it is as long as `self` lives.
    #[must_use]
    pub fn as_raw(&self) -> *mut CO_SAP {
        self.memory.base().cast()
    }
}

impl fmt::Debug for SapAddressBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.view().fmt(f)
    }
}

/// Appends bytes, padded with zeros to whole words, at least one word.
pub(crate) fn push_bytes(memory: &mut Vec<u32>, bytes: &[u8]) -> Result<(), Status> {
    if bytes.is_empty() {
        memory.try_push(0)?;
    }
    for chunk in bytes.chunks(4) {
        let mut word = [0; 4];
        for (to, from) in word.iter_mut().zip(chunk) {
            *to = *from;
        }
        memory.try_push(u32::from_ne_bytes(word))?;
    }
    Ok(())
}
