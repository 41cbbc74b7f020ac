//! Setting a link up: what the adapter says of it, and what it is set to.

use super::{Link, Stage};
use crate::ndiswan::{Ndiswan, Ppp};
use ndis_co::{
    Status,
    client::Vc,
    irql::UpToDispatch,
    mem::Arc,
    oid::{Answered, OutgoingRequest, ToAdapter, known},
    wan::{Framing, Info, LinkInfo},
};

impl<P: Ppp> Link<P> {
    /// The call is up: asks how the link is.
    pub(in crate::ndiswan) fn connected(
        this: &Arc<Self>,
        vc: &Vc<Ndiswan<P>>,
        irql: &mut UpToDispatch,
    ) {
        let info = this.port.info(irql);
        let begun = this.state.with(irql, |state, _| {
            let begun = state.stage == Stage::Offered;
            if begun {
                state.stage = Stage::SettingUp;
                state.vc = Some(vc.clone());
                // The adapter may have said a window of this link before.
                if state.view.parameters.is_none() {
                    state.view.window = info.map_or(1, |info| info.max_send_window.max(1));
                }
            }
            begun
        });
        if !begun {
            return;
        }
        this.port.add(this, irql);
        let asked = OutgoingRequest::query(known::WAN_CO_GET_LINK_INFO)
            .map_err(Status::from)
            .and_then(|query| Ok(vc.request_of_adapter(query, irql)?));
        if let Err(status) = asked {
            Self::finish(this, Err(status), irql);
        }
    }

    /// The adapter has answered about this link.
    pub(in crate::ndiswan) fn answered(
        this: &Arc<Self>,
        answered: &Answered<ToAdapter>,
        irql: &mut UpToDispatch,
    ) {
        let (vc, view) = this.state.with(irql, |state, _| {
            let setting_up = state.stage == Stage::SettingUp;
            (state.vc.clone().filter(|_| setting_up), state.view)
        });
        if let Some(vc) = vc {
            if answered.oid() == known::WAN_CO_GET_LINK_INFO.number() {
                let reported = answered.value(known::WAN_CO_GET_LINK_INFO);
                let reported = reported.map(|raw| LinkInfo::from_raw(&raw));
                return Self::set(this, &vc, reported, irql);
            }
            if answered.oid() == known::WAN_CO_SET_LINK_INFO.number() {
                let set = answered.result().and(view.set);
                return Self::finish(this, set, irql);
            }
        }
        let port = &this.port;
        this.ppp().answered(port, Some(this), answered, irql);
    }

    /// Chooses what the link is to be, and sets it.
    fn set(
        this: &Arc<Self>,
        vc: &Vc<Ndiswan<P>>,
        reported: Result<LinkInfo, Status>,
        irql: &mut UpToDispatch,
    ) {
        let info = this.port.info(irql).ok();
        let wanted = this.ppp().framing();
        let set = reported.map(|reported| choice(info, reported, wanted));
        this.state.with(irql, |state, _| {
            state.view.reported = reported;
            state.view.set = set;
        });
        let asked = set.and_then(|set| {
            let raw = set.to_raw_set();
            let request = OutgoingRequest::set(known::WAN_CO_SET_LINK_INFO, &raw)?;
            Ok(vc.request_of_adapter(request, irql)?)
        });
        if let Err(status) = asked {
            Self::finish(this, Err(status), irql);
        }
    }

    /// It is set up, or stays in PPP framing as it was.
    fn finish(this: &Arc<Self>, set: Result<LinkInfo, Status>, irql: &mut UpToDispatch) {
        let up = this.state.with(irql, |state, _| {
            state.view.set = set;
            let up = state.stage == Stage::SettingUp;
            if up {
                state.stage = Stage::Telling;
            }
            up
        });
        if !up {
            return;
        }
        this.ppp().up(this, irql);
        let over = this.state.with(irql, |state, _| {
            let over = state.stage == Stage::Over;
            if !over {
                state.stage = Stage::Up;
            }
            over
        });
        if over {
            return this.ppp().down(this, irql);
        }
        Self::pump(this, irql);
    }
}

/// What a link is set to that reports this: frames as large as they can be, in the framing that is
/// wanted as far as the adapter has it.
fn choice(info: Option<Info>, reported: LinkInfo, wanted: Framing) -> LinkInfo {
    let has = info.map_or(Framing::PPP, |info| info.framing);
    let framing = (wanted & has) | Framing::PPP;
    LinkInfo {
        send_framing: framing,
        receive_framing: framing,
        send_compression: 0,
        receive_compression: 0,
        ..reported
    }
}
