//! Address families: one client's opening of one family of one call manager.

use crate::callback::Context;
use crate::model::announced::Announced;
use crate::model::capabilities::Capabilities;
use crate::model::manager::Manager;
use crate::model::request::Request;
use alloc::sync::Arc;
use alloc::vec::Vec;

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
    pub(crate) served_by: Manager,
    /// The adapter that carries the data.
    pub(crate) adapter: u32,
    pub(crate) binding: u32,
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
    /// What the client has to do for a request that it took, by the rule.
    pub(crate) duties: Vec<&'static str>,
    /// What the call manager has told the client that it tells all.
    pub(crate) announced: Announced,
    /// What the client has learnt of its lines.
    pub(crate) capabilities: Capabilities,
    /// The place in the run at which its open succeeded.
    pub(crate) opened_at: u64,
}

impl Af {
    /// A family whose open has begun, on the adapter that carries its data and the client's
    /// binding.
    pub(crate) fn new(
        (client_raw, manager_raw): (usize, usize),
        served_by: Manager,
        (adapter, binding): (u32, u32),
        (client_driver, client): (u32, Arc<str>),
        (manager_driver, manager): (u32, Arc<str>),
        client_context: Context,
    ) -> Self {
        Self {
            client_raw,
            manager_raw,
            served_by,
            adapter,
            binding,
            client_driver,
            client,
            manager_driver,
            manager,
            client_context,
            manager_context: Context::NULL,
            phase: AfPhase::Opening,
            closed_by_client: false,
            open: Request::default(),
            close: Request::default(),
            notify: Request::default(),
            notified: false,
            ended: false,
            duties: Vec::new(),
            announced: Announced::default(),
            capabilities: Capabilities::default(),
            opened_at: 0,
        }
    }

    /// Whether a call manager may make VCs on it.
    pub(crate) fn is_usable(&self) -> bool {
        self.phase == AfPhase::Open && !self.closed_by_client
    }

    /// Its open has succeeded; the call manager's context for it.
    pub(crate) fn opened(&mut self, context: Context, seq: u64) {
        self.opened_at = seq;
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
