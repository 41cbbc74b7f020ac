//! [`Application`]: what the client is for.

use crate::Ring;
use ndis_co::{Status, irql::Passive, nbl::BufferView, params::CallParameters};

/// Where a frame has arrived, and which one it is.
///
/// `index` is the number of frames that arrived on the same call before this
/// one. It is not read from the frame: the frame is what is compared with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// At the client that placed the call, as an echo. What is due is frame
    /// `index` of call `call`, as [`Application::frame`] made it.
    Near {
        /// The application's own number of the call.
        call: u32,
        /// Which echo it is.
        index: u32,
    },
    /// At the client that took the call, which knows no number of it.
    Far {
        /// Which frame it is.
        index: u32,
    },
}

/// What the client is for.
///
/// Every method may be called on any processor, several at once. All but
/// [`opened`](Self::opened) may be called at DISPATCH_LEVEL and must not wait.
pub trait Application: Send + Sync + 'static {
    /// The number under which the client takes calls, if it does.
    fn number(&self) -> Option<u32>;

    /// Whether the number was registered.
    fn listening(&self, result: Result<(), Status>) {
        let _ = result;
    }

    /// An address family is open: `desk` can place calls. With several adapters
    /// this comes once for each. PASSIVE_LEVEL.
    fn opened(&self, desk: &impl Dial, irql: &mut Passive) {
        let _ = (desk, irql);
    }

    /// The placed call `call` has failed; whether it is tried again, through the
    /// same adapter. The default lets it be, and [`ended`](Self::ended) follows.
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
    ///
    /// The frames of one call are numbered in the order in which the client
    /// takes them up, each number given once. That is the order in which they
    /// arrived as long as the driver beneath indicates a call's frames one
    /// after the other, as the switch does; indicated on several processors at
    /// once, frames have no order that a client could know. After a frame that
    /// got lost each later one has the number of its predecessor.
    ///
    /// [`ended`](Self::ended) with success comes after the last echo's
    /// `arrived` has returned.
    fn arrived(&self, at: At, frame: BufferView<'_>) {
        let _ = (at, frame);
    }

    /// The placed call `call` is over: every frame came back, or why not. A call
    /// that waited to be placed again when its adapter went ends with
    /// [`Status::CLOSING`].
    fn ended(&self, call: u32, result: Result<(), Status>) {
        let _ = (call, result);
    }
}

/// What an application has its calls placed by: the [`Desk`](crate::Desk).
pub trait Dial {
    /// Places call number `call` (the application's own counting) to `number`.
    /// The outcome comes as [`Application::ended`].
    ///
    /// # Errors
    ///
    /// As [`Desk::place_call`](crate::Desk::place_call).
    fn dial(&self, call: u32, number: u32, irql: &mut Passive) -> Result<(), Status>;
}

/// A call that is to be placed once more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Redial {
    /// The number to call.
    pub number: u32,
    /// The pause before it, in milliseconds. The calls that wait on one adapter
    /// share a timer: each call that begins to wait sets it anew, and all are
    /// placed when it expires.
    pub after: u32,
}
