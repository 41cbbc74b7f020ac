//! Structures with a part of variable length: what they say of their length must fit
//! the pool block that they are in, or whoever reads as much as is promised reads what
//! is not theirs. Nothing can be said of memory that did not come from the pool.

use crate::export::is_managers;
use crate::handle::ObjectId;
use crate::state::State;
use alloc::string::String;
use core::mem::offset_of;
use ndis_sys as n;
use ndis_sys::{CO_CALL_PARAMETERS, CO_SAP, CO_SPECIFIC_PARAMETERS};

impl State {
    /// Why `needed` bytes at `start` do not fit their pool block.
    fn does_not_fit<T>(&self, start: *const T, needed: usize, what: &str) -> Option<String> {
        let room = self.memory.room(start.addr())?;
        (needed > room).then(|| {
            let place = self.memory.place(start.addr()).unwrap_or_default();
            alloc::format!(
                "{what} takes {needed} bytes, and its pool block ends after {room} (it is at \
                 {place})"
            )
        })
    }

    /// A structure that starts at `start` and has `specific` at the offset `at`.
    ///
    /// # Safety
    ///
    /// `start` is NULL, or points to such a structure as far as its memory goes.
    unsafe fn specific_part<T>(&self, start: *const T, at: usize, what: &str) -> Option<String> {
        // Outside the pool there is no end to compare with, so nothing is read.
        self.memory.room(start.addr())?;
        let fixed = at + offset_of!(CO_SPECIFIC_PARAMETERS, Parameters);
        if let Some(message) = self.does_not_fit(start, fixed, what) {
            return Some(message);
        }
        let length = start.wrapping_byte_add(at + offset_of!(CO_SPECIFIC_PARAMETERS, Length));
        // SAFETY: it lies before `fixed`, so in a live block of the pool.
        let length = unsafe { length.cast::<u32>().read_unaligned() };
        self.does_not_fit(start, fixed.saturating_add(length as usize), what)
    }

    /// Checks call parameters, and the parts that they point to.
    ///
    /// # Safety
    ///
    /// `parameters` is NULL or points to call parameters, as far as their memory goes.
    pub(crate) unsafe fn check_call_parameters(
        &mut self,
        call: &str,
        rule: &'static str,
        object: ObjectId,
        parameters: *const CO_CALL_PARAMETERS,
    ) {
        if self.memory.room(parameters.addr()).is_none() {
            return;
        }
        // A call manager that passes a client's parameters on: the client was named.
        if is_managers(call) && self.memory.is_others(parameters.addr(), self.driver()) {
            return;
        }
        let size = size_of::<CO_CALL_PARAMETERS>();
        let mut found = self.does_not_fit(parameters, size, "a CO_CALL_PARAMETERS");
        if found.is_none() {
            // SAFETY: the block has the whole structure, and it is the caller's.
            let CO_CALL_PARAMETERS {
                CallMgrParameters: manager,
                MediaParameters: media,
                ..
            } = unsafe { parameters.read_unaligned() };
            let at = offset_of!(n::CO_CALL_MANAGER_PARAMETERS, CallMgrSpecific);
            let what = "a CO_CALL_MANAGER_PARAMETERS with its specific part";
            // SAFETY: the caller's parameters point to one, or nowhere.
            found = unsafe { self.specific_part(manager, at, what) };
            if found.is_none() {
                let at = offset_of!(n::CO_MEDIA_PARAMETERS, MediaSpecific);
                let what = "a CO_MEDIA_PARAMETERS with its specific part";
                // SAFETY: as above.
                found = unsafe { self.specific_part(media, at, what) };
            }
        }
        if let Some(found) = found {
            let message = alloc::format!("{call} on {object}: {found}");
            let who = self.actor(call, &[Some(object), None, None]);
            self.violate_by(who, rule, Some(object), message);
        }
    }

    /// Checks the length of a SAP.
    ///
    /// # Safety
    ///
    /// `sap` points to a SAP, as far as its memory goes.
    pub(crate) unsafe fn check_sap(&mut self, call: &str, af: ObjectId, sap: *const CO_SAP) {
        if self.memory.room(sap.addr()).is_none() {
            return;
        }
        let fixed = offset_of!(CO_SAP, Sap);
        let mut found = self.does_not_fit(sap, fixed, "a CO_SAP");
        if found.is_none() {
            let length = sap.wrapping_byte_add(offset_of!(CO_SAP, SapLength));
            // SAFETY: it lies before `fixed`, so in a live block of the pool.
            let length = unsafe { length.cast::<u32>().read_unaligned() };
            let needed = fixed.saturating_add(length as usize);
            found = self.does_not_fit(sap, needed, "a CO_SAP with its address");
        }
        if let Some(found) = found {
            let message = alloc::format!("{call} on {af}: {found}");
            let who = self.actor(call, &[Some(af), None, None]);
            self.violate_by(who, "SAP-02", Some(af), message);
        }
    }
}
