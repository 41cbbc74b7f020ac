//! Clients send lists on a VC: to the miniport, each list exactly once.

use crate::callback::Context;
use crate::cx::Cx;
use crate::export::{Call, exports};
use crate::handle::{Kind, Lookup, ObjectId};
use crate::miniport::send::give_back_sent;
use crate::model::vc::{CallPhase, Vc};
use crate::net::ListState;
use crate::rules;
use crate::state::State;
use alloc::vec::Vec;
use core::ffi::c_void;
use ndis_sys as n;
use ndis_sys::{NDIS_HANDLE, NET_BUFFER_LIST};

const SEND: Call = Call::new("NdisCoSendNetBufferLists");
const CANCEL: Call = Call::new("NdisCancelSendNetBufferLists");

/// Why a send does not reach the miniport.
struct Refusal {
    /// The rule that the sender has broken, if it could know.
    rule: Option<&'static str>,
    message: alloc::string::String,
    status: i32,
}

impl State {
    /// Leaves those lists that their driver owns; the others are reported.
    fn only_owned(&mut self, call: &str, object: ObjectId, lists: &mut Vec<usize>) {
        lists.retain(|address| {
            let Some(list) = self.buffers.lists.get(address) else {
                return false;
            };
            if list.state == ListState::Owned {
                return true;
            }
            let id = list.id();
            let message = alloc::format!(
                "{call} on {object}: {id} is not the sender's: {}",
                list.state.describe()
            );
            self.violate("NBL-02", Some(id), message);
            false
        });
    }

    /// The VC that its sender names: a client or, on its own VC, a stand-alone call manager.
    fn take_senders(&mut self, call: &'static str, raw: usize) -> Option<u32> {
        if let Lookup::Live(Kind::CallManagerVc, number) = self.handles.look(raw) {
            let vc = self.world.vcs.get(&number);
            if vc.is_some_and(|vc| vc.af.is_none()) {
                return Some(number);
            }
        }
        self.take(call, raw, Kind::ClientVc)
    }

    fn refuse_send(&self, vc: u32) -> Option<Refusal> {
        let record = self.world.vcs.get(&vc)?;
        let object = ObjectId::new(Kind::ClientVc, vc);
        let (end, _) = self.world.end_of_vc(record)?;
        let binding = self.world.bindings.get(&end)?;
        if record.phase == CallPhase::Closing {
            return Some(Refusal {
                rule: Some("CALL-43"),
                message: alloc::format!("a send on {object} after NdisClCloseCall"),
                status: n::NDIS_STATUS_VC_NOT_ACTIVATED,
            });
        }
        if record.told && self.knew(record.heard_at) {
            return Some(Refusal {
                rule: Some("CALL-63"),
                message: alloc::format!("a send on {object} after ProtocolClIncomingCloseCall"),
                status: n::NDIS_STATUS_VC_NOT_ACTIVATED,
            });
        }
        // A stand-alone call manager's own has no call.
        let connected =
            record.af.is_none() || matches!(record.phase, CallPhase::Up | CallPhase::Connected);
        if !self.carried(vc) || !connected {
            return Some(Refusal {
                rule: Some("NBL-07"),
                message: alloc::format!(
                    "a send on {object}, which is {} and has {}",
                    record.activity,
                    record.phase
                ),
                status: n::NDIS_STATUS_VC_NOT_ACTIVATED,
            });
        }
        if !binding.running {
            return Some(Refusal {
                rule: Some(if binding.started {
                    "PAUSE-12"
                } else {
                    "BIND-07"
                }),
                message: alloc::format!("a send on {object} while its binding is paused"),
                status: n::NDIS_STATUS_PAUSED,
            });
        }
        if let Some(told) = self.in_reset(end) {
            return Some(Refusal {
                rule: told.then_some("RESET-01"),
                message: alloc::format!("a send on {object} while its adapter is reset"),
                status: n::NDIS_STATUS_RESET_IN_PROGRESS,
            });
        }
        None
    }
}

impl State {
    /// Whether the client of a VC stands for NDISWAN: it has the family that NDPROXY offers, on a
    /// WAN adapter.
    fn is_ndiswans(&self, vc: &Vc) -> bool {
        let af = vc.af.and_then(|af| self.world.afs.get(&af));
        let adapter = self.world.adapters.get(&vc.adapter);
        af.is_some_and(|af| af.family == n::CO_ADDRESS_FAMILY_TAPI as i32)
            && adapter.is_some_and(|it| it.media == n::NdisMediumCoWan)
    }

    /// WAN-04: NDISWAN sends nothing on a VC whose send window its miniport has closed. Others may
    /// ignore what is indicated.
    fn check_window(&mut self, call: &str, vc: u32) {
        let record = self.world.vcs.get(&vc);
        let shut = record
            .filter(|record| self.is_ndiswans(record))
            .and_then(|record| record.window_shut);
        if shut.is_some_and(|at| self.knew(at)) {
            let object = ObjectId::new(Kind::ClientVc, vc);
            let message = alloc::format!("{call} on {object}, whose send window is zero");
            self.violate("WAN-04", Some(object), message);
        }
    }
}

exports! { EXPORTS {
    /// Sends lists on a VC.
    fn NdisCoSendNetBufferLists(vc: NDIS_HANDLE, lists: *mut NET_BUFFER_LIST, flags: u32) {
        let call = SEND.name;
        let cx = Cx::enter(SEND, &[vc]);
        let prepared = cx.with(|s| {
            let number = s.take_senders(call, vc.addr())?;
            let object = ObjectId::new(Kind::ClientVc, number);
            let (mut mine, astray) = s.buffers.chain(lists);
            s.check_chain(call, object, astray, "NBL-02");
            s.only_owned(call, object, &mut mine);
            for address in &mine {
                let Some(list) = s.buffers.lists.get(address) else {
                    continue;
                };
                if list.source() != vc.addr() {
                    let id = list.id();
                    let message = alloc::format!(
                        "{call} on {object}: the SourceHandle of {id} is {}",
                        s.handles.look(list.source())
                    );
                    s.violate("NBL-01", Some(id), message);
                }
            }
            if mine.is_empty() {
                return None;
            }
            let mut sound = true;
            for address in &mine {
                sound &= s.check_packets(call, object, *address);
            }
            if !sound {
                for address in &mine {
                    if let Some(list) = s.buffers.lists.get(address) {
                        list.set_status(n::NDIS_STATUS_INVALID_DATA);
                    }
                }
                return Some(Err((number, mine)));
            }
            if let Some(refusal) = s.refuse_send(number) {
                if let Some(rule) = refusal.rule {
                    s.violate(rule, Some(object), refusal.message);
                }
                for address in &mine {
                    if let Some(list) = s.buffers.lists.get(address) {
                        list.set_status(refusal.status);
                    }
                }
                return Some(Err((number, mine)));
            }
            s.check_window(call, number);
            let adapter = s.world.adapter_of_vc(number)?;
            let carrying = s.world.carrying(number);
            if s.world.vcs.get(&carrying)?.has_no_carrier() {
                let message = alloc::format!(
                    "{call} on {object} of a stand-alone call manager over an MCM is not simulated"
                );
                s.violate(rules::NOT_SIMULATED, Some(object), message);
                for address in &mine {
                    if let Some(list) = s.buffers.lists.get(address) {
                        list.set_status(n::NDIS_STATUS_NOT_SUPPORTED);
                    }
                }
                return Some(Err((number, mine)));
            }
            let gone = s.world.adapters.get(&adapter)?.removal_told;
            let late = !s.world.vcs.get(&carrying)?.carries();
            for address in &mine {
                s.depart(call, *address);
                if let Some(list) = s.buffers.lists.get_mut(address) {
                    list.state = ListState::Sent {
                        vc: number,
                        source: list.source(),
                        gone,
                        late,
                    };
                    let id = list.id();
                    s.remember(id, call);
                }
            }
            let record = s.world.vcs.get_mut(&number)?;
            record.sends += mine.len() as u32;
            let context = s.world.carriers_context(carrying)?;
            let handler = s.world.miniport_co(adapter)?.CoSendNetBufferListsHandler?;
            let mut callback = s.to_carrier_of("MiniportCoSendNetBufferLists", carrying);
            callback.objects[1] = mine
                .first()
                .and_then(|first| s.buffers.lists.get(first))
                .map(|list| crate::net::list_id(list));
            Some(Ok((context, handler, callback, s.buffers.link(&mine))))
        });
        match prepared {
            Some(Ok((context, handler, callback, head))) => cx.call(&callback, || {
                // SAFETY: the driver's handler with its own context; the lists
                // are the miniport's until it completes them.
                unsafe { handler(context.0, head, flags) };
            }),
            Some(Err((number, mine))) => give_back_sent(&cx, number, &mine, 0),
            None => {}
        }
    }

    /// Asks the miniport to give up sends.
    fn NdisCancelSendNetBufferLists(binding: NDIS_HANDLE, id: *mut c_void) {
        let call = CANCEL.name;
        let cx = Cx::enter(CANCEL, &[binding]);
        let prepared = cx.with(|s| {
            let number = s.take(call, binding.addr(), Kind::Binding)?;
            let adapter = s.world.bindings.get(&number)?.adapter;
            let callback = s.to_adapter("MiniportCancelSend", adapter);
            let record = s.world.adapters.get(&adapter)?;
            let context = record.context.unwrap_or(Context::NULL);
            let miniport = s.world.miniports.get(&record.miniport)?;
            Some((callback, context, miniport.handlers.0.CancelSendHandler?))
        });
        if let Some((callback, context, handler)) = prepared {
            cx.call(&callback, || {
                // SAFETY: the driver's handler with its own context.
                unsafe { handler(context.0, id) };
            });
        }
    }
}}
