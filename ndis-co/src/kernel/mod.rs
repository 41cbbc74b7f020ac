//! Work items and timers of the kernel, for the crate itself. What drivers use is built on
//! them, in [`work`](crate::work) and [`timer`](crate::timer), and so is what objects leave to
//! be done.

mod timer;
mod work_item;

pub(crate) use timer::RawTimer;
pub(crate) use work_item::{Bound, RawWorkItem, Routine};

use crate::raw::Token;
use ndis_sys::{DRIVER_OBJECT, NDIS_HANDLE};

/// What resources are allocated on.
///
/// NDIS has work items for miniports only (rule DV-37): a protocol driver takes
/// those of the I/O manager, on its driver object.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Base {
    /// An adapter's handle, for everything.
    Adapter(Token),
    /// The handle of a protocol driver's registration, and its driver object.
    Protocol {
        handle: Token,
        object: Token<DRIVER_OBJECT>,
    },
}

impl Base {
    /// The handle for pools, timers and MDLs.
    pub(crate) fn handle(self) -> NDIS_HANDLE {
        match self {
            Self::Adapter(handle) | Self::Protocol { handle, .. } => handle.0,
        }
    }
}
