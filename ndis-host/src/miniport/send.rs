//! Miniports give back what was sent, each list exactly once.

use crate::callback::Context;
use crate::cx::Cx;
use crate::export::{Call, exports};
use crate::handle::{Kind, ObjectId};
use crate::net::{Groups, ListState};
use crate::state::State;
use ndis_sys as n;
use ndis_sys::{NDIS_HANDLE, NET_BUFFER_LIST};

const COMPLETE: Call = Call::new("NdisMCoSendNetBufferListsComplete").unlocked("GEN-01");
const COMPLETE_CONNECTIONLESS: Call =
    Call::new("NdisMSendNetBufferListsComplete").unlocked("GEN-01");

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
}

impl State {
    /// WAN-03: a frame that a WAN miniport takes, and has refused for its length.
    fn check_frame_refused(&mut self, call: &str, vc: u32, list: usize, status: i32) {
        /// By how much a frame may be longer than what is advertised.
        const EXTRA: u32 = 32;
        let adapter = self.world.adapter_of_vc(vc);
        let adapter = adapter.and_then(|adapter| self.world.adapters.get(&adapter));
        let (Some(links), n::NDIS_STATUS_INVALID_LENGTH) =
            (adapter.and_then(|adapter| adapter.links), status)
        else {
            return;
        };
        let longest = self.longest_packet(list);
        if longest <= links.frame.saturating_add(EXTRA) {
            let object = ObjectId::new(Kind::ClientVc, vc);
            let frame = links.frame;
            let message = alloc::format!(
                "{call} on {object}: a frame of {longest} bytes is refused with INVALID_LENGTH by a \
                 miniport that advertises {frame}, and takes {EXTRA} more"
            );
            self.violate("WAN-03", Some(object), message);
        }
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
        Some((
            context,
            handler,
            callback,
            address,
            s.buffers.link(&[address]),
        ))
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

/// Gives lists back to whoever sent them.
pub(crate) fn give_back_sent(cx: &Cx, vc: u32, lists: &[usize], flags: u32) {
    let prepared = cx.with(|s| {
        let record = s.world.vcs.get(&vc)?;
        let (binding, context) = s.world.end_of_vc(record)?;
        let handler = s
            .world
            .protocol_co(binding)?
            .CoSendNetBufferListsCompleteHandler?;
        let mut callback = s.to_end_of("ProtocolCoSendNetBufferListsComplete", vc);
        callback.objects[1] = lists
            .first()
            .and_then(|first| s.buffers.lists.get(first))
            .map(|list| crate::net::list_id(list));
        Some((context, handler, callback, s.buffers.link(lists)))
    });
    if let Some((context, handler, callback, head)) = prepared {
        cx.call(&callback, || {
            // SAFETY: the driver's handler with its own context and lists.
            unsafe { handler(context.0, head, flags) };
        });
    }
}

exports! { EXPORTS {
    /// Completes sent lists.
    fn NdisMCoSendNetBufferListsComplete(
        vc: NDIS_HANDLE,
        lists: *mut NET_BUFFER_LIST,
        flags: u32,
    ) {
        let call = COMPLETE.name;
        let cx = Cx::enter(COMPLETE, &[vc]);
        let groups = cx.with(|s| {
            let Some(number) = s.take_carried(call, vc.addr()) else {
                return Groups::default();
            };
            let object = ObjectId::new(Kind::ClientVc, number);
            let (all, astray) = s.buffers.chain(lists);
            s.check_chain(call, object, astray, "NBL-11");
            let mut groups = Groups::default();
            for address in all {
                let Some(list) = s.buffers.lists.get(&address) else {
                    continue;
                };
                let id = list.id();
                let ListState::Sent {
                    vc,
                    source,
                    gone,
                    late,
                } = list.state
                else {
                    let message = alloc::format!(
                        "{call} on {object}: {id} is not being sent; it was completed before or \
                         never sent: {}",
                        list.state.describe()
                    );
                    s.violate("NBL-11", Some(id), message);
                    continue;
                };
                if s.world.carrying(vc) != number {
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
                s.check_frame_refused(call, vc, address, status);
                if s.final_status(call, status, id) && gone {
                    s.check_refused(call, status, id);
                }
                if late && status == n::NDIS_STATUS_SUCCESS {
                    let message = alloc::format!(
                        "{call} on {object}: {id} came when the VC was not active, and is completed \
                         with SUCCESS"
                    );
                    s.violate("VC-73", Some(id), message);
                }
                s.arrive(call, object, address);
                if let Some(list) = s.buffers.lists.get_mut(&address) {
                    list.state = ListState::Owned;
                }
                if let Some(record) = s.world.vcs.get_mut(&vc) {
                    record.sends = record.sends.saturating_sub(1);
                }
                s.remember(id, call);
                groups.add(vc, address);
            }
            groups
        });
        for (number, group) in groups.into_all() {
            give_back_sent(&cx, number, &group, flags);
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
            let (all, astray) = s.buffers.chain(lists);
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
}}
