//! [`Application`]: what the client is for.

use crate::{Desk, Ring};
use ndis_co::{Status, irql::Passive, mem::Arc, nbl::ListView, params::CallParameters};

/// Which end of a call this client is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The client that placed the call; it gets the echo.
    Near,
    /// The client that took it; it echoes.
    Far,
}

/// What the client is for.
///
/// Every method may be called on any processor, at or below DISPATCH_LEVEL,
/// several at once, and must not wait.
pub trait Application: Send + Sync + 'static {
    /// The number under which the client takes calls, if it does.
    fn number(&self) -> Option<u32>;

    /// Whether the number was registered.
    fn listening(&self, result: Result<(), Status>) {
        let _ = result;
    }

    /// An address family is open: `desk` can place calls.
    fn opened(&self, desk: &Arc<Desk<Self>>, irql: &mut Passive)
    where
        Self: Sized,
    {
        let _ = (desk, irql);
    }

    /// The placed call `call` has failed; whether it is tried again. The default
    /// lets it be, and [`ended`](Self::ended) follows.
    fn redial(&self, call: u32, status: Status) -> Option<Redial> {
        let _ = (call, status);
        None
    }

    /// Somebody calls. The default takes the call.
    fn ringing(&self, parameters: Option<CallParameters<'_>>) -> Ring {
        let _ = parameters;
        Ring::Accept
    }

    /// Frame `index` of the placed call `call`: fills `to`, which has room for
    /// [`MAX_FRAME`](crate::MAX_FRAME) bytes, and tells how many there are;
    /// `None` after the last one.
    fn frame(&self, call: u32, index: u32, to: &mut [u8]) -> Option<usize> {
        let _ = (call, index, to);
        None
    }

    /// A frame has arrived: at the far end before it is echoed, at the near
    /// end as an echo.
    fn arrived(&self, end: End, frame: ListView<'_>) {
        let _ = (end, frame);
    }

    /// The placed call `call` is over: every frame came back, or why not.
    fn ended(&self, call: u32, result: Result<(), Status>) {
        let _ = (call, result);
    }
}

/// A call that is to be placed once more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Redial {
    /// The number to call.
    pub number: u32,
    /// The pause before it, in milliseconds.
    pub after: u32,
}
