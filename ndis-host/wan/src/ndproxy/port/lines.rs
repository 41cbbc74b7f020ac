//! Lines that are open, and where calls to them are taken.

use super::{Call, Port};
use crate::ndproxy::{Ndproxy, Tapi, caps};
use ndis_co::{
    Status, client,
    irql::NoLock,
    mem::Arc,
    params::FlowSpec,
    tapi::{AddressModes, BearerModes, CallParams, Disconnect, LineSap, MakeCall, MediaModes},
};

/// A line that an application has open.
pub(super) struct Open {
    line: u32,
    /// What calls to it may carry; none when it is open for calls that go out.
    media_modes: Option<MediaModes>,
}

/// A SAP that is registered, or about to be. Lines that do not differ have one together.
pub(in crate::ndproxy) struct Registered<T: Tapi> {
    key: LineSap,
    /// How many open lines it is for.
    lines: u32,
    sap: Option<client::Sap<Ndproxy<T>>>,
}

impl<T: Tapi> Port<T> {
    /// Opens a line, for calls that come in with one of `media_modes` too if there are any: what
    /// `lineOpen` does. Of a line that is opened for outgoing calls only, the call manager does
    /// not hear.
    ///
    /// Whether the call manager takes the line, comes as [`Tapi::line_opened`].
    ///
    /// # Errors
    ///
    /// [`Status::TAPI_NODEVICE`] when there is no such line, [`Status::TAPI_INUSE`] when it is
    /// open, [`Status::CLOSING`], [`Status::RESOURCES`].
    pub fn open_line(
        this: &Arc<Self>,
        line: u32,
        media_modes: Option<MediaModes>,
        irql: &mut impl NoLock,
    ) -> Result<(), Status> {
        let irql = irql.up_to_dispatch();
        let (af, mut saps) = this.state.with(irql, |state, _| {
            let af = state.af.clone().filter(|_| !state.closing);
            let af = af.ok_or(Status::CLOSING)?;
            let known = state.lines.get(line).ok_or(Status::TAPI_NODEVICE)?;
            if state.open.iter().any(|open| open.line == line) {
                return Err(Status::TAPI_INUSE);
            }
            state.open.try_push(Open { line, media_modes })?;
            let saps = media_modes.map(|media| caps::saps(&state.lines, known, media));
            Ok((af, saps))
        })?;
        while let Some(key) = saps.as_mut().and_then(Iterator::next) {
            let fresh = this.state.with(irql, |state, _| {
                if let Some(old) = state.saps.iter_mut().find(|old| old.key == key) {
                    old.lines = old.lines.saturating_add(1);
                    return Ok(false);
                }
                let (lines, sap) = (1, None);
                Ok(state
                    .saps
                    .try_push(Registered { key, lines, sap })
                    .map(|()| true)?)
            });
            let registered = fresh.and_then(|fresh: bool| {
                if !fresh {
                    this.tapi().line_opened(this, line, Ok(()), irql);
                    return Ok(());
                }
                let sap = af
                    .register_sap((line, key), key.to_address()?, irql)?
                    .keep();
                let unused = this.state.with(irql, |state, _| {
                    let found = state.saps.iter_mut().find(|own| own.key == key);
                    match found {
                        Some(own) => {
                            own.sap = Some(sap);
                            None
                        }
                        None => Some(sap),
                    }
                });
                if let Some(sap) = unused {
                    sap.deregister(irql);
                }
                Ok(())
            });
            if let Err(status) = registered {
                Self::forget_sap(this, key, irql);
                this.tapi().line_opened(this, line, Err(status), irql);
            }
        }
        Ok(())
    }

    /// Closes a line and hangs up its calls: what `lineClose` does.
    ///
    /// # Errors
    ///
    /// [`Status::TAPI_INVALLINEHANDLE`] when it is not open.
    pub fn close_line(this: &Arc<Self>, line: u32, irql: &mut impl NoLock) -> Result<(), Status> {
        let irql = irql.up_to_dispatch();
        let saps = this.state.with(irql, |state, _| {
            let open = state.open.take_first(|open| open.line == line);
            let open = open.ok_or(Status::TAPI_INVALLINEHANDLE)?;
            let known = state.lines.get(line).ok_or(Status::TAPI_NODEVICE)?;
            let media_modes = open.media_modes;
            Ok::<_, Status>(media_modes.map(|media| caps::saps(&state.lines, known, media)))
        })?;
        Self::end_those(this, |of| of == line, irql);
        for key in saps.into_iter().flatten() {
            let gone = this.state.with(irql, |state, _| {
                let own = state.saps.iter_mut().find(|own| own.key == key)?;
                own.lines = own.lines.saturating_sub(1);
                if own.lines > 0 {
                    return None;
                }
                state.saps.take_first(|own| own.key == key)?.sap
            });
            if let Some(sap) = gone {
                sap.deregister(irql);
            }
        }
        Ok(())
    }

    /// The call manager has refused a SAP.
    pub(in crate::ndproxy) fn forget_sap(this: &Arc<Self>, key: LineSap, irql: &mut impl NoLock) {
        let gone = this
            .state
            .with(irql, |state, _| state.saps.take_first(|own| own.key == key));
        drop(gone);
    }

    /// Whether a call to a line may be offered to an application.
    pub(super) fn takes(&self, line: u32, media: MediaModes, irql: &mut impl NoLock) -> bool {
        self.state.with(irql, |state, _| {
            let open = state.open.iter().find(|open| open.line == line);
            let taken = open.and_then(|open| open.media_modes).unwrap_or_default();
            taken.intersects(media) || (media.contains(MediaModes::UNKNOWN) && !taken.is_empty())
        })
    }

    /// Places a call on a line that is open, from the first address of it that has none, with a number from [`Desk::number`]: what
    /// `lineMakeCall` does. `to` is whom to call, in whatever form the call manager takes.
    ///
    /// From here on all that becomes of the call comes as [`Tapi::call`].
    ///
    /// [`Desk::number`]: crate::ndproxy::Desk::number
    ///
    /// # Errors
    ///
    /// [`Status::TAPI_NODEVICE`] when there is no such line, [`Status::TAPI_INVALLINEHANDLE`] when
    /// it is not open, [`Status::CLOSING`], [`Status::RESOURCES`].
    pub fn dial(
        this: &Arc<Self>,
        number: u32,
        line: u32,
        to: &[u8],
        irql: &mut impl NoLock,
    ) -> Result<(), Status> {
        let irql = irql.up_to_dispatch();
        let (af, known) = this.state.with(irql, |state, _| {
            let af = state.af.clone().filter(|_| !state.closing);
            let af = af.ok_or(Status::CLOSING)?;
            let known = state.lines.get(line).ok_or(Status::TAPI_NODEVICE)?;
            if !state.open.iter().any(|open| open.line == line) {
                return Err(Status::TAPI_INVALLINEHANDLE);
            }
            Ok((af, known.clone()))
        })?;
        let address = this.free_address(&known, irql);
        let asked = MakeCall {
            line,
            address,
            default_params: false,
            destination: to,
            params: Some(CallParams {
                bearer_mode: BearerModes::DATA,
                min_rate: 0,
                max_rate: known.max_rate,
                media_mode: MediaModes::DIGITALDATA,
                address_mode: AddressModes::ADDRESSID,
                address,
                ..CallParams::default()
            }),
        };
        // The call manager puts the true ones in (rules TAPI-09 and TAPI-10).
        let unknown = FlowSpec::best_effort(FlowSpec::UNSPECIFIED);
        let parameters = asked.to_parameters(unknown, unknown)?;
        let call = Call::try_new(this, number)?;
        Call::dial(&call, (line, address), &af, parameters, irql)
    }

    /// Answers a call that is offered: what `lineAnswer` does.
    ///
    /// # Errors
    ///
    /// [`Status::TAPI_INVALCALLHANDLE`] when there is no such call,
    /// [`Status::TAPI_INVALCALLSTATE`] when it is not offered.
    pub fn answer(&self, number: u32, irql: &mut impl NoLock) -> Result<(), Status> {
        let call = self.find(number, irql)?;
        Call::answer(&call, irql)
    }

    /// Turns a call away that is offered: what `lineDrop` does to one.
    ///
    /// # Errors
    ///
    /// As [`answer`](Self::answer).
    pub fn reject(&self, number: u32, irql: &mut impl NoLock) -> Result<(), Status> {
        let call = self.find(number, irql)?;
        if !call.rings(irql) {
            return Err(Status::TAPI_INVALCALLSTATE);
        }
        Call::hang_up(&call, Disconnect::Reject.into(), irql.up_to_dispatch());
        Ok(())
    }

    /// Hangs a call up, whatever its state: what `lineDrop` does. A call that is being placed
    /// ends when the call manager has said what became of it.
    ///
    /// # Errors
    ///
    /// [`Status::TAPI_INVALCALLHANDLE`] when there is no such call.
    pub fn drop_call(&self, number: u32, irql: &mut impl NoLock) -> Result<(), Status> {
        let call = self.find(number, irql)?;
        Call::hang_up(&call, Disconnect::Normal.into(), irql.up_to_dispatch());
        Ok(())
    }
}
