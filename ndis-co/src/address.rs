//! [`SapAddress`]: the variable-length `CO_SAP`, read with bounds and built
//! with its true length.

use crate::{
    Status,
    mem::{Tag, Vec},
};
use core::{fmt, mem::offset_of};
use ndis_sys::CO_SAP;

/// The most bytes of one variable-length part that this crate reads.
///
/// C hands over a pointer and a length and nothing to check the length
/// against. A length beyond this is taken for a mistake of the peer and
/// refused, which bounds what a lying one can make us read.
pub const MAX_VARIABLE: u32 = 64 * 1024;

/// The address of a service access point, borrowed from a `CO_SAP`.
///
/// ```
/// # use ndis_co::{Status, address::SapAddress};
/// # use ndis_host as _;
/// /// In this family an address is a number.
/// fn number(address: SapAddress<'_>) -> Result<u32, Status> {
///     match <[u8; 4]>::try_from(address.bytes()) {
///         Ok(bytes) if address.sap_type() == 1 => Ok(u32::from_le_bytes(bytes)),
///         _ => Err(Status::INVALID_DATA),
///     }
/// }
/// ```
#[derive(Clone, Copy)]
#[doc(alias = "CO_SAP")]
pub struct SapAddress<'a> {
    sap_type: u32,
    bytes: &'a [u8],
}

impl<'a> SapAddress<'a> {
    /// Looks at a `CO_SAP`.
    ///
    /// # Errors
    ///
    /// [`Status::INVALID_DATA`] for a null pointer or a length beyond
    /// [`MAX_VARIABLE`] (rule [SAP-18]).
    ///
    /// # Safety
    ///
    /// A non-null `sap` is valid for `'a`, with as many bytes behind it as it
    /// says.
    ///
    /// [SAP-18]: ndis_sys::rules#SAP-18
    pub unsafe fn from_raw(sap: *const CO_SAP) -> Result<Self, Status> {
        if sap.is_null() {
            return Err(Status::INVALID_DATA);
        }
        // SAFETY: by the caller the structure is valid.
        let sap_type = unsafe { (*sap).SapType };
        // SAFETY: as above.
        let len = unsafe { (*sap).SapLength };
        if len > MAX_VARIABLE {
            return Err(Status::INVALID_DATA);
        }
        let start = sap.wrapping_byte_add(offset_of!(CO_SAP, Sap)).cast::<u8>();
        // SAFETY: by the caller that many bytes are there for 'a.
        let bytes = unsafe { core::slice::from_raw_parts(start, len as usize) };
        Ok(Self { sap_type, bytes })
    }

    /// The kind of address, as the family defines it.
    #[must_use]
    #[doc(alias = "SapType")]
    pub fn sap_type(self) -> u32 {
        self.sap_type
    }

    /// The bytes of the address; `SapLength` of them.
    #[must_use]
    #[doc(alias = "SapLength")]
    pub fn bytes(self) -> &'a [u8] {
        self.bytes
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
///
/// ```
/// # use ndis_co::{Status, address::SapAddressBuf, client::{Client, OpenAf, Sap}, irql::NoLock};
/// # use ndis_host as _;
/// fn listen<C: Client<Sap = ()>>(
///     af: &OpenAf<C>,
///     number: u32,
///     irql: &mut impl NoLock,
/// ) -> Result<Sap<C>, Status> {
///     let address = SapAddressBuf::try_new(1, &number.to_le_bytes())?;
///     Ok(af.register_sap((), address, irql)?.keep())
/// }
/// ```
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
        let mut memory = Vec::try_zeroed(HEADER + words_of(bytes), Tag::NDIS)?;
        let mut words = memory.iter_mut();
        put(&mut words, [sap_type, len]);
        put_bytes(&mut words, bytes);
        Ok(Self { memory })
    }

    /// The address, to look at.
    #[must_use]
    pub fn view(&self) -> SapAddress<'_> {
        // SAFETY: `try_new` made a whole structure, which nobody writes.
        let view = unsafe { SapAddress::from_raw(self.as_raw()) };
        // Neither null nor too long.
        view.unwrap_or(SapAddress {
            sap_type: 0,
            bytes: &[],
        })
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

/// How many words variable bytes take: at least one, so that the structure is whole.
pub(crate) fn words_of(bytes: &[u8]) -> usize {
    bytes.len().div_ceil(size_of::<u32>()).max(1)
}

/// Writes the next words.
pub(crate) fn put<'w, const N: usize>(to: &mut impl Iterator<Item = &'w mut u32>, words: [u32; N]) {
    for (word, to) in words.into_iter().zip(to) {
        *to = word;
    }
}

/// Writes bytes into the next [words](words_of), padded with zeros.
pub(crate) fn put_bytes<'w>(to: &mut impl Iterator<Item = &'w mut u32>, bytes: &[u8]) {
    if bytes.is_empty() {
        return put(to, [0]);
    }
    for (chunk, to) in bytes.chunks(size_of::<u32>()).zip(to) {
        let mut word = [0; size_of::<u32>()];
        crate::nbl::copy_bytes(&mut word, chunk);
        *to = u32::from_ne_bytes(word);
    }
}
