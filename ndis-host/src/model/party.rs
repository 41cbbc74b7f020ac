//! Parties of multipoint calls.

use crate::callback::Context;

/// One of them.
pub(crate) struct Party {
    pub(crate) client_raw: usize,
    pub(crate) manager_raw: usize,
    pub(crate) vc: u32,
    pub(crate) client_context: Context,
    pub(crate) manager_context: Context,
}
