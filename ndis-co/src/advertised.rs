//! [`Advertised`]: the address families that a call manager has registered on one base.

use crate::{
    Status,
    family::AddressFamily,
    lock::SpinLock,
    mem::{Box, Tag, Vec},
};
use core::{fmt, ptr};
use ndis_sys::CO_ADDRESS_FAMILY;

/// The structures that NDIS may keep a pointer to and show to every client: they stay where
/// they are for the life of the adapter or binding (rule INIT-07): until the halt is over, or
/// the close of the binding has completed.
#[doc(hidden)]
pub struct Advertised {
    families: SpinLock<Vec<Box<CO_ADDRESS_FAMILY>>>,
}

impl Advertised {
    /// None is.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            families: SpinLock::new(Vec::new(Tag::NDIS)),
        }
    }

    /// Registers one more family, by `register`, which gets a pointer that stays valid as
    /// long as this.
    ///
    /// # Errors
    ///
    /// [`Status::FAILURE`] for one that was registered before (rule [INIT-04]),
    /// [`Status::RESOURCES`], or what `register` says.
    ///
    /// [INIT-04]: ndis_sys::rules#INIT-04
    pub fn register(
        &self,
        family: AddressFamily,
        register: impl FnOnce(*mut CO_ADDRESS_FAMILY) -> Status,
    ) -> Result<(), Status> {
        let mut raw = Box::try_new(family.to_raw(), Tag::NDIS)?;
        let place: *mut CO_ADDRESS_FAMILY = &mut *raw;
        self.families.locked(|families| {
            let mut kept = families.iter();
            if kept.any(|kept| AddressFamily::from_raw(kept) == family) {
                return Err(Status::FAILURE);
            }
            families.try_push(raw).map_err(Status::from)
        })?;
        let result = register(place).result();
        if result.is_err() {
            // NDIS did not take it.
            let own = |kept: &Box<CO_ADDRESS_FAMILY>| ptr::from_ref(&**kept) == place.cast_const();
            drop(self.families.locked(|families| families.take_first(own)));
        }
        result
    }
}

impl Default for Advertised {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Advertised {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Advertised").finish_non_exhaustive()
    }
}
