//! Miniports hand received lists to the client of a VC.

use crate::client::receive::give_back_received;
use crate::cx::Cx;
use crate::export::{Call, exports};
use crate::handle::{Kind, ObjectId};
use crate::model::adapter::AdapterPhase;
use crate::model::vc::{Activity, CallPhase};
use crate::net::ListState;
use crate::state::State;
use alloc::vec::Vec;
use ndis_sys as n;
use ndis_sys::{NDIS_HANDLE, NET_BUFFER_LIST};

const INDICATE: Call = Call::new("NdisMCoIndicateReceiveNetBufferLists").unlocked("GEN-01");

impl State {
    /// Why data for a VC does not reach its client, through no fault of the miniport's: an
    /// MCM may not know yet that the call has ended, and a miniport that is no MCM knows
    /// nothing of calls.
    fn has_no_taker(&self, vc: u32) -> Option<&'static str> {
        let vc = self.world.vcs.get(&vc)?;
        let ended = vc.told || vc.incoming_close;
        if vc.miniport.is_none() {
            let late = ended && !self.knew(vc.told_at);
            return late.then_some("the call has ended meanwhile: the data goes back");
        }
        let early = matches!(
            vc.phase,
            CallPhase::None | CallPhase::Offered | CallPhase::Withdrawn | CallPhase::Accepted
        );
        let may_come = vc.carries() || vc.activity == Activity::Deactivating;
        let nobody = may_come && vc.af.is_some() && (early || ended);
        nobody.then_some("no call is connected on the VC: the data goes back")
    }

    /// Whether the client of a VC that shares this one takes data, if there is one: of the call
    /// there the MCM knows nothing.
    fn sharer_takes(&self, vc: u32) -> bool {
        let upper = self.world.vcs.get(&vc).and_then(|vc| vc.upper);
        let upper = upper.and_then(|upper| self.world.vcs.get(&upper));
        upper.is_none_or(|upper| {
            upper.phase == CallPhase::Connected && !upper.told && !upper.incoming_close
        })
    }

    /// A call that indicated data has returned.
    fn indicated(&mut self, vc: u32, adapter: u32, resources: bool) {
        if let Some(vc) = self.world.vcs.get_mut(&vc) {
            vc.indicating = vc.indicating.saturating_sub(1);
            vc.lending = vc.lending.saturating_sub(u32::from(resources));
        }
        if let Some(adapter) = self.world.adapters.get_mut(&adapter) {
            adapter.indicating = adapter.indicating.saturating_sub(1);
        }
    }

    fn refuse_receive(&self, vc: u32) -> Option<(&'static str, &'static str)> {
        let record = self.world.vcs.get(&vc)?;
        let adapter = self.world.adapters.get(&self.world.adapter_of_vc(vc)?)?;
        if !matches!(
            adapter.phase,
            AdapterPhase::Running | AdapterPhase::Restarting | AdapterPhase::Pausing
        ) {
            return Some(("PAUSE-05", "while the adapter is paused"));
        }
        // What a miniport has when it is asked to deactivate it still indicates.
        let third = record.miniport.is_some();
        let ending = third && record.activity == Activity::Deactivating;
        if !record.carries() && !ending {
            return Some(("VC-50", "on a VC that is not active"));
        }
        if third {
            return None;
        }
        if record.told || record.incoming_close {
            return Some(("CALL-63", "after the end of the call was announced"));
        }
        match record.phase {
            CallPhase::Offered | CallPhase::Withdrawn | CallPhase::Accepted => {
                Some(("NBL-34", "before the client was told that it is connected"))
            }
            CallPhase::None => Some(("NBL-34", "on a VC without a call")),
            _ => None,
        }
    }
}

exports! { EXPORTS {
    /// Hands received lists to the client of a VC.
    fn NdisMCoIndicateReceiveNetBufferLists(
        vc: NDIS_HANDLE,
        lists: *mut NET_BUFFER_LIST,
        count: u32,
        flags: u32,
    ) {
        let call = INDICATE.name;
        let resources = flags & n::NDIS_RECEIVE_FLAGS_RESOURCES as u32 != 0;
        let cx = Cx::enter(INDICATE, &[vc]);
        let prepared = cx.with(|s| {
            let number = s.take_carried(call, vc.addr())?;
            let object = ObjectId::new(Kind::ClientVc, number);
            let (all, astray) = s.buffers.chain(lists);
            s.check_chain(call, object, astray, "NBL-19");
            if all.len() != count as usize {
                let message = alloc::format!(
                    "{call} on {object}: the count is {count}, the chain has {} lists",
                    all.len()
                );
                s.violate("NBL-18", Some(object), message);
            }
            let mut mine = Vec::new();
            for address in all {
                let Some(list) = s.buffers.lists.get(&address) else {
                    continue;
                };
                let (id, state, source) = (list.id(), list.state, list.source());
                if state != ListState::Owned {
                    let message = alloc::format!(
                        "{call} on {object}: {id} is not the miniport's: {}",
                        state.describe()
                    );
                    s.violate("NBL-19", Some(id), message);
                    continue;
                }
                if source != vc.addr() {
                    let message = alloc::format!(
                        "{call} on {object}: the SourceHandle of {id} is {}",
                        s.handles.look(source)
                    );
                    s.violate("NBL-17", Some(id), message);
                }
                let packets = s.count_packets(address);
                if packets != 1 {
                    let message = alloc::format!(
                        "{call} on {object}: {id} carries {packets} net buffers, not one"
                    );
                    s.violate("NBL-35", Some(id), message);
                }
                mine.push(address);
            }
            if mine.is_empty() {
                return None;
            }
            let adapter = s.world.adapter_of_vc(number)?;
            let mut sound = true;
            for address in &mine {
                sound &= s.check_packets(call, object, *address);
            }
            if !sound {
                return Some(Err((adapter, mine)));
            }
            if let Some(why) = s.has_no_taker(number) {
                s.note(Some(object), why);
                return Some(Err((adapter, mine)));
            }
            if let Some((rule, when)) = s.refuse_receive(number) {
                let message = alloc::format!("{call} on {object} {when}");
                s.violate(rule, Some(object), message);
                return Some(Err((adapter, mine)));
            }
            if !s.sharer_takes(number) {
                let why = "no call is connected on the VC that shares it: the data goes back";
                s.note(Some(object), why);
                return Some(Err((adapter, mine)));
            }
            let number = s.world.taking(number);
            let record = s.world.vcs.get(&number)?;
            let (binding, context) = s.world.end_of_vc(record)?;
            let binding_context = s.world.bindings.get(&binding)?.context;
            for address in &mine {
                s.depart(call, *address);
                if let Some(list) = s.buffers.lists.get_mut(address) {
                    list.state = if resources {
                        ListState::Lent { vc: number }
                    } else {
                        ListState::Indicated {
                            vc: number,
                            binding,
                            adapter,
                        }
                    };
                    let id = list.id();
                    s.remember(id, call);
                }
            }
            let record = s.world.vcs.get_mut(&number)?;
            record.indicating += 1;
            if resources {
                record.lending += 1;
            } else {
                record.receives += mine.len() as u32;
            }
            s.world.adapters.get_mut(&adapter)?.indicating += 1;
            let handler = s.world.protocol_co(binding)?.CoReceiveNetBufferListsHandler?;
            let mut callback = s.to_end_of("ProtocolCoReceiveNetBufferLists", number);
            callback.objects[1] = mine
                .first()
                .and_then(|first| s.buffers.lists.get(first))
                .map(|list| crate::net::list_id(list));
            let head = s.buffers.link(&mine);
            let place = (number, adapter);
            Some(Ok((binding_context, context, handler, callback, head, mine, place)))
        });
        match prepared {
            Some(Ok((binding_context, context, handler, callback, head, mine, place))) => {
                let (number, adapter) = place;
                cx.call(&callback, || {
                    // SAFETY: the driver's handler with its own contexts; the
                    // lists are the client's until it returns them, or for the
                    // time of the call.
                    unsafe {
                        handler(binding_context.0, context.0, head, mine.len() as u32, flags);
                    };
                });
                if resources {
                    cx.with(|s| {
                        let object = ObjectId::new(Kind::ClientVc, number);
                        for address in &mine {
                            s.arrive(call, object, *address);
                            if let Some(list) = s.buffers.lists.get_mut(address)
                                && matches!(list.state, ListState::Lent { .. })
                            {
                                list.state = ListState::Owned;
                            }
                        }
                    });
                }
                // Others may run before the driver has its thread back.
                let core = cx.core.clone();
                drop(cx);
                core.state.lock().indicated(number, adapter, resources);
            }
            Some(Err((adapter, mine))) if !resources => {
                give_back_received(&cx, adapter, &mine, 0);
            }
            _ => {}
        }
    }
}}
