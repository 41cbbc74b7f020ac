//! Sends: from a client's VC to the miniport and back, each list exactly once.

use crate::callback::Context;
use crate::co::world::{Activity, CallPhase};
use crate::cx::Cx;
use crate::export::{Call, exports};
use crate::handle::{Kind, ObjectId};
use crate::net::{ListState, chain};
use crate::state::State;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::ffi::c_void;
use ndis_sys as n;
use ndis_sys::{NDIS_HANDLE, NET_BUFFER_LIST};

const SEND: Call = Call::new("NdisCoSendNetBufferLists");
const COMPLETE: Call = Call::new("NdisMCoSendNetBufferListsComplete").unlocked("GEN-01");
const COMPLETE_CONNECTIONLESS: Call =
    Call::new("NdisMSendNetBufferListsComplete").unlocked("GEN-01");
const CANCEL: Call = Call::new("NdisCancelSendNetBufferLists");

/// Why a send does not reach the miniport.
struct Refusal {
    rule: &'static str,
    message: alloc::string::String,
    status: i32,
}

impl State {
    /// Reports a chain that leads to something that is no list. A list that its
    /// owner has freed was handed over before, which breaks `rule`.
    pub(crate) fn check_chain(
        &mut self,
        call: &str,
        object: ObjectId,
        astray: Option<usize>,
        rule: &'static str,
    ) {
        let Some(address) = astray else {
            return;
        };
        if let Some(id) = self.buffers.freed.get(&address).copied() {
            let message = alloc::format!(
                "{call} on {object}: {id} was given away before, and its owner has freed it since"
            );
            self.violate(rule, Some(id), message);
            return;
        }
        let message = alloc::format!(
            "{call} on {object}: the chain leads to {address:#x}, which is no net buffer list of \
             this host, or back into itself"
        );
        self.violate("NBL-03", Some(object), message);
    }

    /// The lists of `lists` that their driver owns; the others are reported.
    fn only_owned(&mut self, call: &str, object: ObjectId, lists: Vec<usize>) -> Vec<usize> {
        let mut mine = Vec::with_capacity(lists.len());
        for address in lists {
            let Some(list) = self.buffers.lists.get(&address) else {
                continue;
            };
            if list.state == ListState::Owned {
                mine.push(address);
                continue;
            }
            let id = list.id();
            let message = alloc::format!(
                "{call} on {object}: {id} is not the sender's: {}",
                list.state.describe()
            );
            self.violate("NBL-02", Some(id), message);
        }
        mine
    }

    /// HALT-13: what is sent to a device that is gone comes back with NOT_ACCEPTED.
    fn check_refused(&mut self, call: &str, status: i32, list: ObjectId) {
        if status != n::NDIS_STATUS_NOT_ACCEPTED {
            let message = alloc::format!(
                "{call}: {list} was sent after the notice that the device is gone, and comes \
                 back with {}",
                crate::status::Name(status)
            );
            self.violate("HALT-13", Some(list), message);
        }
    }

    /// NBL-63: what a send without a VC may be completed with; HALT-13 when the device is gone.
    fn check_bare(&mut self, call: &str, adapter: u32, status: i32, list: ObjectId) {
        let gone = self
            .world
            .adapters
            .get(&adapter)
            .is_some_and(|a| a.removal_told);
        if gone {
            self.check_refused(call, status, list);
            return;
        }
        let documented = [
            n::NDIS_STATUS_SUCCESS,
            n::NDIS_STATUS_INVALID_LENGTH,
            n::NDIS_STATUS_RESOURCES,
            n::NDIS_STATUS_PAUSED,
            n::NDIS_STATUS_SEND_ABORTED,
            n::NDIS_STATUS_RESET_IN_PROGRESS,
            n::NDIS_STATUS_FAILURE,
        ];
        if !documented.contains(&status) {
            let message = alloc::format!(
                "{call}: {list}, which was sent without a VC, is completed with {}",
                crate::status::Name(status)
            );
            self.violate("NBL-63", Some(list), message);
        }
    }

    fn refuse_send(&self, vc: u32) -> Option<Refusal> {
        let record = self.world.vcs.get(&vc)?;
        let object = ObjectId::new(Kind::ClientVc, vc);
        let af = self.world.afs.get(&record.af)?;
        let binding = self.world.bindings.get(&af.binding)?;
        if record.phase == CallPhase::Closing {
            return Some(Refusal {
                rule: "CALL-43",
                message: alloc::format!("a send on {object} after NdisClCloseCall"),
                status: n::NDIS_STATUS_VC_NOT_ACTIVATED,
            });
        }
        if record.told && self.knew(record.heard_at) {
            return Some(Refusal {
                rule: "CALL-63",
                message: alloc::format!("a send on {object} after ProtocolClIncomingCloseCall"),
                status: n::NDIS_STATUS_VC_NOT_ACTIVATED,
            });
        }
        let connected = matches!(record.phase, CallPhase::Up | CallPhase::Connected);
        if record.activity != Activity::Active || !connected {
            return Some(Refusal {
                rule: "NBL-07",
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
                rule: if binding.started {
                    "PAUSE-12"
                } else {
                    "BIND-07"
                },
                message: alloc::format!("a send on {object} while its binding is paused"),
                status: n::NDIS_STATUS_PAUSED,
            });
        }
        None
    }
}

/// Hands a miniport an empty list without a VC, as NDIS does for a connectionless protocol;
/// what it is completed with.
pub(crate) fn send_bare(cx: &Cx, adapter: u32) -> Option<i32> {
    let object = ObjectId::new(Kind::Adapter, adapter);
    let prepared = cx.with(|s| {
        let record = s.world.adapters.get(&adapter)?;
        let context = record.context.unwrap_or(Context::NULL);
        let miniport = s.world.miniports.get(&record.miniport)?;
        let handler = miniport.handlers.0.SendNetBufferListsHandler?;
        let mut callback = s.to_adapter("MiniportSendNetBufferLists", adapter);
        let (list, id) = s.make_list(0, 0, 0, None)?;
        let address = list.addr();
        callback.objects[1] = Some(id);
        s.depart("NDIS", address);
        if let Some(list) = s.buffers.lists.get_mut(&address) {
            list.state = ListState::Bare { adapter };
        }
        s.remember(id, "NdisSendNetBufferLists");
        Some((context, handler, callback, address, s.link(&[address])))
    });
    let (context, handler, callback, address, head) = prepared?;
    cx.call(&callback, || {
        // SAFETY: the driver's handler with its own context; the list is the
        // miniport's until it completes it.
        unsafe { handler(context.0, head, 0, 0) };
    });
    let what = "the completion of a send without a VC";
    let came = cx.wait_until("NBL-64", &callback.who, Some(object), what, move |s| {
        let list = s.buffers.lists.get(&address);
        list.is_none_or(|list| list.state == ListState::Owned)
    });
    if !came {
        return None;
    }
    cx.with(|s| s.buffers.lists.remove(&address).map(|list| list.status()))
}

/// Gives lists back to the client that sent them.
fn give_back(cx: &Cx, vc: u32, lists: &[usize], flags: u32) {
    let object = ObjectId::new(Kind::ClientVc, vc);
    let prepared = cx.with(|s| {
        let record = s.world.vcs.get(&vc)?;
        let (af, context) = (record.af, record.client_context);
        let binding = s.world.afs.get(&af)?.binding;
        let handler = s
            .world
            .protocol_co(binding)?
            .CoSendNetBufferListsCompleteHandler?;
        let mut callback = s.to_client("ProtocolCoSendNetBufferListsComplete", af, object);
        callback.objects[1] = lists
            .first()
            .and_then(|first| s.buffers.lists.get(first))
            .map(crate::net::list_id);
        Some((context, handler, callback, s.link(lists)))
    });
    if let Some((context, handler, callback, head)) = prepared {
        cx.call(&callback, || {
            // SAFETY: the driver's handler with its own context and lists.
            unsafe { handler(context.0, head, flags) };
        });
    }
}

exports! { EXPORTS {
    /// Sends lists on a VC.
    fn NdisCoSendNetBufferLists(vc: NDIS_HANDLE, lists: *mut NET_BUFFER_LIST, flags: u32) {
        let call = SEND.name;
        let cx = Cx::enter(SEND, &[vc]);
        let prepared = cx.with(|s| {
            let number = s.take(call, vc.addr(), Kind::ClientVc)?;
            let object = ObjectId::new(Kind::ClientVc, number);
            let (all, astray) = chain(s, lists);
            s.check_chain(call, object, astray, "NBL-02");
            let mine = s.only_owned(call, object, all);
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
                s.violate(refusal.rule, Some(object), refusal.message);
                for address in &mine {
                    if let Some(list) = s.buffers.lists.get(address) {
                        list.set_status(refusal.status);
                    }
                }
                return Some(Err((number, mine)));
            }
            let adapter = s.adapter_of_vc(number)?;
            let gone = s.world.adapters.get(&adapter)?.removal_told;
            for address in &mine {
                s.depart(call, *address);
                if let Some(list) = s.buffers.lists.get_mut(address) {
                    list.state = ListState::Sent {
                        vc: number,
                        source: list.source(),
                        gone,
                    };
                    let id = list.id();
                    s.remember(id, call);
                }
            }
            let record = s.world.vcs.get_mut(&number)?;
            record.sends += mine.len() as u32;
            let (af, context) = (record.af, record.manager_context);
            let handler = s.world.miniport_co(adapter)?.CoSendNetBufferListsHandler?;
            let mut callback = s.to_manager("MiniportCoSendNetBufferLists", af, object);
            callback.objects[1] = mine
                .first()
                .and_then(|first| s.buffers.lists.get(first))
                .map(crate::net::list_id);
            Some(Ok((context, handler, callback, s.link(&mine))))
        });
        match prepared {
            Some(Ok((context, handler, callback, head))) => cx.call(&callback, || {
                // SAFETY: the driver's handler with its own context; the lists
                // are the miniport's until it completes them.
                unsafe { handler(context.0, head, flags) };
            }),
            Some(Err((number, mine))) => give_back(&cx, number, &mine, 0),
            None => {}
        }
    }

    /// Completes sent lists.
    fn NdisMCoSendNetBufferListsComplete(
        vc: NDIS_HANDLE,
        lists: *mut NET_BUFFER_LIST,
        flags: u32,
    ) {
        let call = COMPLETE.name;
        let cx = Cx::enter(COMPLETE, &[vc]);
        let groups = cx.with(|s| {
            let Some(number) = s.take(call, vc.addr(), Kind::CallManagerVc) else {
                return BTreeMap::new();
            };
            let object = ObjectId::new(Kind::ClientVc, number);
            let (all, astray) = chain(s, lists);
            s.check_chain(call, object, astray, "NBL-11");
            let mut groups: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
            for address in all {
                let Some(list) = s.buffers.lists.get(&address) else {
                    continue;
                };
                let id = list.id();
                let ListState::Sent { vc, source, gone } = list.state else {
                    let message = alloc::format!(
                        "{call} on {object}: {id} is not being sent; it was completed before or \
                         never sent: {}",
                        list.state.describe()
                    );
                    s.violate("NBL-11", Some(id), message);
                    continue;
                };
                if vc != number {
                    let message = alloc::format!(
                        "{call} on {object}: {id} was sent on {}",
                        ObjectId::new(Kind::ClientVc, vc)
                    );
                    s.violate("NBL-11", Some(id), message);
                }
                let Some(list) = s.buffers.lists.get(&address) else {
                    continue;
                };
                let (now_source, status) = (list.source(), list.status());
                if now_source != source {
                    let message =
                        alloc::format!("{call} on {object}: the SourceHandle of {id} was changed");
                    s.violate("NBL-33", Some(id), message);
                    if let Some(list) = s.buffers.lists.get(&address) {
                        list.set_source(source);
                    }
                }
                if s.final_status(call, status, id) && gone {
                    s.check_refused(call, status, id);
                }
                s.arrive(call, object, address);
                if let Some(list) = s.buffers.lists.get_mut(&address) {
                    list.state = ListState::Owned;
                }
                if let Some(record) = s.world.vcs.get_mut(&vc) {
                    record.sends = record.sends.saturating_sub(1);
                }
                s.remember(id, call);
                groups.entry(vc).or_default().push(address);
            }
            groups
        });
        for (number, group) in groups {
            give_back(&cx, number, &group, flags);
        }
    }

    /// The connectionless completion: right only for what was sent without a VC.
    fn NdisMSendNetBufferListsComplete(
        adapter: NDIS_HANDLE,
        lists: *mut NET_BUFFER_LIST,
        _flags: u32,
    ) {
        let call = COMPLETE_CONNECTIONLESS.name;
        let cx = Cx::enter(COMPLETE_CONNECTIONLESS, &[adapter]);
        cx.with(|s| {
            let Some(number) = s.take(call, adapter.addr(), Kind::Adapter) else {
                return;
            };
            let object = ObjectId::new(Kind::Adapter, number);
            let (all, astray) = chain(s, lists);
            s.check_chain(call, object, astray, "NBL-11");
            for address in all {
                let Some(list) = s.buffers.lists.get(&address) else {
                    continue;
                };
                let (id, state, status) = (list.id(), list.state, list.status());
                if state == (ListState::Bare { adapter: number }) {
                    s.check_bare(call, number, status, id);
                    s.arrive(call, object, address);
                    if let Some(list) = s.buffers.lists.get_mut(&address) {
                        list.state = ListState::Owned;
                    }
                    continue;
                }
                let message = alloc::format!(
                    "{call} on {object}: {id} was sent on a VC; only \
                     NdisMCoSendNetBufferListsComplete gives it back"
                );
                s.violate("NBL-11", Some(id), message);
            }
        });
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
