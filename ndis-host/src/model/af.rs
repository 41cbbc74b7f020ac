//! Address families: one client's opening of one family of one call manager.

use crate::callback::Context;
use crate::model::request::Request;
use alloc::sync::Arc;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum AfPhase {
    Opening,
    Open,
    Closing,
}

/// One client's opening of one address family.
pub(crate) struct Af {
    pub(crate) client_raw: usize,
    pub(crate) manager_raw: usize,
    pub(crate) adapter: u32,
    pub(crate) binding: u32,
    pub(crate) protocol: u32,
    pub(crate) client_driver: u32,
    pub(crate) client: Arc<str>,
    pub(crate) manager_driver: u32,
    pub(crate) manager: Arc<str>,
    pub(crate) client_context: Context,
    pub(crate) manager_context: Context,
    pub(crate) phase: AfPhase,
    /// The client has called `NdisClCloseAddressFamily`.
    pub(crate) closed_by_client: bool,
    pub(crate) open: Request,
    pub(crate) close: Request,
    /// The client's answer to the call manager's wish to close.
    pub(crate) notify: Request,
    /// The call manager has been told SUCCESS or will be told later.
    pub(crate) notified: bool,
    /// Ended for everything but the answer to the notification.
    pub(crate) ended: bool,
}
