//! Clients return the lists that they were handed.

use crate::callback::Context;
use crate::cx::Cx;
use crate::export::{Call, exports};
use crate::handle::{Kind, ObjectId};
use crate::net::{Groups, ListState};
use ndis_sys::{NDIS_HANDLE, NET_BUFFER_LIST};

const RETURN: Call = Call::new("NdisReturnNetBufferLists").unlocked("GEN-01");

/// Gives lists back to the miniport that indicated them.
pub(crate) fn give_back_received(cx: &Cx, adapter: u32, lists: &[usize], flags: u32) {
    let prepared = cx.with(|s| {
        let mut callback = s.to_adapter("MiniportReturnNetBufferLists", adapter);
        callback.objects[1] = lists
            .first()
            .and_then(|first| s.buffers.lists.get(first))
            .map(|list| crate::net::list_id(list));
        let record = s.world.adapters.get(&adapter)?;
        let context = record.context.unwrap_or(Context::NULL);
        let miniport = s.world.miniports.get(&record.miniport)?;
        let handler = miniport.handlers.0.ReturnNetBufferListsHandler?;
        Some((callback, context, handler, s.buffers.link(lists)))
    });
    if let Some((callback, context, handler, head)) = prepared {
        cx.call(&callback, || {
            // SAFETY: the driver's handler with its own context and lists.
            unsafe { handler(context.0, head, flags) };
        });
    }
}

exports! { EXPORTS {
    /// Returns received lists to the miniport.
    fn NdisReturnNetBufferLists(binding: NDIS_HANDLE, lists: *mut NET_BUFFER_LIST, flags: u32) {
        let call = RETURN.name;
        let cx = Cx::enter(RETURN, &[binding]);
        let groups = cx.with(|s| {
            let mut groups = Groups::default();
            let number = match s.handles.look(binding.addr()) {
                crate::handle::Lookup::Live(Kind::Binding, number) => Some(number),
                // A close that waits for these very lists has killed the handle.
                crate::handle::Lookup::Stale(Kind::Binding, number)
                    if s.world.bindings.contains_key(&number) =>
                {
                    Some(number)
                }
                _ => s.take(call, binding.addr(), Kind::Binding),
            };
            let Some(number) = number else {
                return groups;
            };
            let object = ObjectId::new(Kind::Binding, number);
            let (all, astray) = s.buffers.chain(lists);
            s.check_chain(call, object, astray, "NBL-25");
            for address in all {
                let Some(list) = s.buffers.lists.get(&address) else {
                    continue;
                };
                let id = list.id();
                let (vc, binding, adapter) = match list.state {
                    ListState::Indicated { vc, binding, adapter } => (vc, binding, adapter),
                    state => {
                        let message = alloc::format!(
                            "{call}: {id} was not indicated, or was returned before: {}",
                            state.describe()
                        );
                        s.violate("NBL-25", Some(id), message);
                        continue;
                    }
                };
                if binding != number {
                    let message = alloc::format!(
                        "{call}: {id} was indicated to {}, not to {object}",
                        ObjectId::new(Kind::Binding, binding)
                    );
                    s.violate("NBL-26", Some(id), message);
                }
                s.arrive(call, object, address);
                if let Some(list) = s.buffers.lists.get_mut(&address) {
                    list.state = ListState::Owned;
                }
                if let Some(record) = s.world.vcs.get_mut(&vc) {
                    record.receives = record.receives.saturating_sub(1);
                }
                s.remember(id, call);
                groups.add(adapter, address);
            }
            groups
        });
        for (adapter, group) in groups.into_all() {
            give_back_received(&cx, adapter, &group, flags);
        }
    }
}}
