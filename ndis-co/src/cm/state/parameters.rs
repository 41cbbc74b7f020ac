//! [`Parameters`]: the call parameters that are in force on a VC.

use crate::params::SharedCallParameters;
use core::ptr;
use ndis_sys::CO_CALL_PARAMETERS;

/// Call parameters, and whose they are.
#[derive(Clone, Debug, Default)]
pub(crate) enum Parameters {
    #[default]
    None,
    /// The client's, which keeps them until its call is completed (CALL-02).
    Client(*mut CO_CALL_PARAMETERS),
    /// The driver's own. Whoever shows them to NDIS holds a reference of its
    /// own meanwhile: a close that comes in between ends the call, and this.
    Own(SharedCallParameters),
}

// SAFETY: the client's pointer is a token that any thread may pass to NDIS.
unsafe impl Send for Parameters {}

impl Parameters {
    /// What NDIS takes.
    pub(crate) fn as_raw(&self) -> *mut CO_CALL_PARAMETERS {
        match self {
            Self::None => ptr::null_mut(),
            Self::Client(raw) => *raw,
            Self::Own(own) => own.as_raw(),
        }
    }
}
