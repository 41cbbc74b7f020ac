//! [`Link`]: one call, as what carries frames.
//!
//! ```text
//! Offered ── SettingUp ── Up ── Over
//! ```
//!
//! From each stage it can go to the last one. Its VC refers to the link by its context, and the
//! link to the VC, of which it lets go when the call is over.

mod sending;
mod set_up;

pub use sending::Counts;

use super::Port;
use crate::ndiswan::{Ndiswan, Ppp, TAG, frame};
use core::fmt;
use ndis_co::{
    Status,
    client::Vc,
    indication::StatusIndication,
    irql::{NoLock, UpToDispatch},
    lock::SpinLock,
    mem::{Arc, Vec},
    nbl::BufferView,
    oid::{OutgoingRequest, ToAdapter},
    params::CallParameters,
    tapi,
    wan::{Fragment, FrameErrors, LinkInfo, LinkParameters, MtuLinkParameters},
};
use sending::Queue;

/// One call, as what carries frames: the context of its VC.
pub struct Link<P: Ppp> {
    number: u32,
    port: Arc<Port<P>>,
    state: SpinLock<State<P>>,
}

struct State<P: Ppp> {
    stage: Stage,
    vc: Option<Vc<Ndiswan<P>>>,
    view: LinkView,
    /// What waits to be sent.
    queue: Queue,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Offered,
    SettingUp,
    /// What is above is just being told that it is up.
    Telling,
    Up,
    Over,
}

/// What is known of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkView {
    /// Whether this end has placed the call.
    pub outgoing: bool,
    /// In bytes a second, as the call manager said when the call came about.
    pub transmit_bandwidth: u32,
    /// In bytes a second, as the call manager said when the call came about.
    pub receive_bandwidth: u32,
    /// What the adapter said of the link first; why it did not.
    pub reported: Result<LinkInfo, Status>,
    /// What it was set to; why it could not be set.
    pub set: Result<LinkInfo, Status>,
    /// How many packets may be under way.
    pub window: u32,
    /// The speeds and the window that the adapter last indicated.
    pub parameters: Option<LinkParameters>,
    /// The largest packet that it last indicated, in bytes.
    pub mtu: Option<u32>,
    /// How many damaged frames the adapter has indicated.
    pub fragments: u32,
    /// What was wrong with them.
    pub errors: FrameErrors,
    /// What has gone over it.
    pub counts: Counts,
    /// How often the link was looked at before: of two views the greater is newer.
    pub looks: u32,
}

impl<P: Ppp> Link<P> {
    pub(in crate::ndiswan) fn try_new(port: &Arc<Port<P>>) -> Result<Arc<Self>, Status> {
        let view = LinkView {
            outgoing: false,
            transmit_bandwidth: 0,
            receive_bandwidth: 0,
            reported: Err(Status::PENDING),
            set: Err(Status::PENDING),
            window: 1,
            parameters: None,
            mtu: None,
            fragments: 0,
            errors: FrameErrors::empty(),
            counts: Counts::default(),
            looks: 0,
        };
        let state = State {
            stage: Stage::Offered,
            vc: None,
            view,
            queue: Queue::new(),
        };
        let link = Self {
            number: port.desk().link(),
            port: port.clone(),
            state: SpinLock::new(state),
        };
        Ok(Arc::try_new(link, TAG)?)
    }

    /// Which link of this driver's it is.
    #[must_use]
    pub fn number(&self) -> u32 {
        self.number
    }

    /// The adapter.
    #[must_use]
    pub fn port(&self) -> &Arc<Port<P>> {
        &self.port
    }

    fn ppp(&self) -> &P {
        self.port.ppp()
    }

    /// What is known of it.
    pub fn view(&self, irql: &mut impl NoLock) -> LinkView {
        self.state.with(irql, |state, _| {
            state.view.looks = state.view.looks.wrapping_add(1);
            state.view
        })
    }

    /// NDPROXY offers the call.
    pub(in crate::ndiswan) fn begin(
        &self,
        parameters: CallParameters<'_>,
        irql: &mut UpToDispatch,
    ) -> Result<(), Status> {
        let call = tapi::Call::from_parameters(parameters)?;
        let outgoing = matches!(call, tapi::Call::Outgoing(_));
        let flows = parameters.call_manager();
        let [transmit, receive] = flows.map_or([0, 0], |flows| {
            [flows.transmit(), flows.receive()].map(|flow| flow.peak_bandwidth)
        });
        self.state.with(irql, |state, _| {
            state.view.outgoing = outgoing;
            state.view.transmit_bandwidth = transmit;
            state.view.receive_bandwidth = receive;
        });
        Ok(())
    }

    /// The call is over.
    pub(in crate::ndiswan) fn over(this: &Arc<Self>, irql: &mut UpToDispatch) {
        let (was, gone) = this.state.with(irql, |state, _| {
            let was = core::mem::replace(&mut state.stage, Stage::Over);
            (was, (state.vc.take(), state.queue.clear()))
        });
        drop(gone);
        if was == Stage::Over {
            return;
        }
        this.port.remove(this, irql);
        // Who is just telling above that it is up, tells this, too.
        if was == Stage::Up {
            this.ppp().down(this, irql);
        }
    }

    /// Asks the adapter about this link, of whatever; the answer comes as [`Ppp::answered`].
    ///
    /// # Errors
    ///
    /// [`Status::CLOSING`] when the call is over, [`Status::RESOURCES`].
    pub fn ask(
        &self,
        request: OutgoingRequest<ToAdapter>,
        irql: &mut impl NoLock,
    ) -> Result<(), Status> {
        let vc = self.state.with(irql, |state, _| state.vc.clone());
        Ok(vc
            .ok_or(Status::CLOSING)?
            .request_of_adapter(request, irql)?)
    }

    /// Ends the call: NDPROXY hears of it, and ends its half.
    ///
    /// # Errors
    ///
    /// [`Status::CLOSING`] when it is over.
    pub fn hang_up(&self, irql: &mut impl NoLock) -> Result<(), Status> {
        let vc = self.state.with(irql, |state, _| state.vc.clone());
        vc.ok_or(Status::CLOSING)?.hang_up(&[], irql)
    }

    /// A packet has arrived.
    pub(in crate::ndiswan) fn received(
        this: &Arc<Self>,
        packet: BufferView<'_>,
        irql: &mut UpToDispatch,
    ) {
        let bytes = copy(packet);
        let frame = bytes.as_ref().ok().and_then(|bytes| frame::parse(bytes));
        this.state.with(irql, |state, _| {
            let counts = &mut state.view.counts;
            let count = match frame {
                Some(_) => &mut counts.received,
                None => &mut counts.damaged,
            };
            *count = count.saturating_add(1);
        });
        if let Some((protocol, payload)) = frame {
            this.ppp().received(this, protocol, payload, irql);
        }
    }

    /// The adapter says something of the link.
    pub(in crate::ndiswan) fn status(
        this: &Arc<Self>,
        status: StatusIndication<'_>,
        irql: &mut UpToDispatch,
    ) {
        let bytes = status.bytes();
        match status.code() {
            Status::WAN_CO_LINKPARAMS => {
                if let Ok(parameters) = LinkParameters::parse(bytes) {
                    this.state.with(irql, |state, _| {
                        state.view.window = parameters.send_window;
                        state.view.parameters = Some(parameters);
                    });
                    Self::pump(this, irql);
                }
            }
            Status::WAN_CO_MTULINKPARAMS => {
                if let Ok(all) = MtuLinkParameters::parse(bytes) {
                    let parameters = LinkParameters {
                        transmit_speed: all.transmit_speed,
                        receive_speed: all.receive_speed,
                        send_window: all.send_window,
                    };
                    this.state.with(irql, |state, _| {
                        state.view.window = all.send_window;
                        state.view.parameters = Some(parameters);
                        state.view.mtu = Some(all.mtu);
                    });
                    Self::pump(this, irql);
                }
            }
            Status::WAN_CO_FRAGMENT => {
                if let Ok(fragment) = Fragment::parse(bytes) {
                    this.state.with(irql, |state, _| {
                        state.view.fragments = state.view.fragments.saturating_add(1);
                        state.view.errors |= fragment.errors;
                    });
                }
            }
            _ => return,
        }
        this.ppp().changed(this, irql);
    }
}

/// The bytes of a packet.
fn copy(packet: BufferView<'_>) -> Result<Vec<u8>, Status> {
    let mut bytes = Vec::new(TAG);
    bytes.try_reserve(packet.len())?;
    for segment in packet.segments() {
        for byte in segment? {
            bytes.try_push(*byte)?;
        }
    }
    Ok(bytes)
}

impl<P: Ppp> fmt::Debug for Link<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link")
            .field("number", &self.number)
            .finish_non_exhaustive()
    }
}
