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

impl Af {
    /// Its open has succeeded; the call manager's context for it.
    pub(crate) fn opened(&mut self, context: Context) {
        debug_assert_eq!(self.phase, AfPhase::Opening);
        self.phase = AfPhase::Open;
        self.manager_context = context;
    }

    /// The client closes it.
    pub(crate) fn begin_close(&mut self) {
        debug_assert_eq!(self.phase, AfPhase::Open);
        self.phase = AfPhase::Closing;
        self.closed_by_client = true;
    }

    /// The call manager has refused to: it is open as before.
    pub(crate) fn close_refused(&mut self) {
        debug_assert_eq!(self.phase, AfPhase::Closing);
        self.phase = AfPhase::Open;
        self.closed_by_client = false;
    }
}
