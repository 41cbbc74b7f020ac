//! Clients are told of the address families on their adapter: a new client of all that
//! are there, and all clients of those that a new call manager brings.

use crate::callback::Ptr;
use crate::cx::Cx;
use crate::handle::{Kind, ObjectId};
use crate::model::adapter::{Family, Shown};
use crate::model::manager::Manager;
use crate::readings::CopiesAddressFamily;
use crate::state::State;
use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

/// The notification of a binding about an address family.
type Offer = Box<dyn FnOnce(&Cx) + Send>;

impl State {
    /// Queues the notifications of a new binding about every address family, once.
    pub(crate) fn notify_families(&mut self, binding: u32) {
        for offer in self.offers(binding) {
            self.queue_step("address family notification", offer);
        }
    }

    /// The notifications of a new binding about every address family, once.
    pub(crate) fn offers(&mut self, binding: u32) -> Vec<Offer> {
        let Some(record) = self.world.bindings.get_mut(&binding) else {
            return Vec::new();
        };
        if core::mem::replace(&mut record.offered, true) {
            return Vec::new();
        }
        let adapter = record.adapter;
        let families = self.world.adapters.get(&adapter).map(|a| &a.families);
        let families: Vec<_> = families
            .into_iter()
            .flatten()
            .filter(|family| family.offered)
            .map(|family| family.copy.clone())
            .collect();
        let offers = families.into_iter();
        offers
            .filter_map(|family| self.offer(binding, family))
            .collect()
    }

    /// The bind of a stand-alone call manager has succeeded: the clients that are bound to
    /// the adapter are told what it has registered.
    pub(crate) fn offer_families_of(&mut self, manager: u32) {
        let alone = Manager::Alone { binding: manager };
        let Some(adapter) = self.world.bindings.get(&manager).map(|b| b.adapter) else {
            return;
        };
        let mut families = Vec::new();
        if let Some(adapter) = self.world.adapters.get_mut(&adapter) {
            for family in &mut adapter.families {
                if family.manager == alone && !core::mem::replace(&mut family.offered, true) {
                    families.push(family.copy.clone());
                }
            }
        }
        if families.is_empty() {
            return;
        }
        // Whoever has not had its offers yet gets these with the others.
        let bindings = self.world.bindings.iter();
        let mut bindings: Vec<u32> = bindings
            .filter(|(_, b)| b.adapter == adapter && b.offered && !b.closing && !b.unbinding)
            .map(|(number, _)| *number)
            .collect();
        self.rng.shuffle(&mut bindings);
        for binding in bindings {
            for family in &families {
                if let Some(offer) = self.offer(binding, family.clone()) {
                    self.queue_step("address family notification", offer);
                }
            }
        }
    }

    /// The notification of a binding about one family, if its protocol is a client.
    fn offer(&mut self, binding: u32, shown: Arc<Shown>) -> Option<Offer> {
        self.world.client_of(binding)?;
        let handler = self.world.protocol_co(binding)?.CoAfRegisterNotifyHandler?;
        let record = self.world.bindings.get_mut(&binding)?;
        record.notifications += 1;
        let context = record.context;
        Some(Box::new(move |cx: &Cx| {
            let context = context;
            let prepared = cx.with(|s| {
                let family = s.begin_offer(binding, &shown)?;
                let mut callback = s.to_binding("ProtocolCoAfRegisterNotify", binding);
                callback.passive = Some("IRQL-94");
                Some((callback, family))
            });
            if let Some((callback, family)) = prepared {
                cx.call(&callback, || {
                    // SAFETY: the driver's handler with its own context; the copy is kept
                    // here, and the call manager's own lives until its halt or its
                    // unbind, which waits for this call.
                    unsafe { handler(context.0, family.0) };
                });
            }
            cx.with(|s| s.end_offer(binding, &shown));
        }))
    }

    /// A client is about to be told of a family: what it is shown, unless either of them
    /// goes.
    fn begin_offer(
        &mut self,
        binding: u32,
        shown: &Arc<Shown>,
    ) -> Option<Ptr<ndis_sys::CO_ADDRESS_FAMILY>> {
        let record = self.world.bindings.get(&binding)?;
        if record.closing || record.unbinding {
            return None;
        }
        let adapter = record.adapter;
        let copies = self.readings.copies_address_family == CopiesAddressFamily::Copies;
        let families = &self.world.adapters.get(&adapter)?.families;
        let index = families.iter().position(|f| Arc::ptr_eq(&f.copy, shown))?;
        if !self.world.serves(families.get(index)?.manager) {
            return None;
        }
        let families = &mut self.world.adapters.get_mut(&adapter)?.families;
        let family = families.get_mut(index)?;
        family.shown_to.push(binding);
        Some(family.pointer(copies))
    }

    fn end_offer(&mut self, binding: u32, shown: &Arc<Shown>) {
        let Some(record) = self.world.bindings.get_mut(&binding) else {
            return;
        };
        record.notifications -= 1;
        let adapter = record.adapter;
        let families = self.world.adapters.get_mut(&adapter);
        let families = families.into_iter().flat_map(|a| &mut a.families);
        for family in families.filter(|f| Arc::ptr_eq(&f.copy, shown)) {
            if let Some(place) = family.shown_to.iter().position(|b| *b == binding) {
                family.shown_to.remove(place);
            }
        }
    }

    /// A client that is being told of a family of this call manager.
    fn shows(&self, manager: u32) -> Option<u32> {
        let adapter = self.world.bindings.get(&manager)?.adapter;
        let mut families = self.world.adapters.get(&adapter)?.families.iter();
        families.find_map(|f: &Family| {
            let own = f.manager == Manager::Alone { binding: manager };
            f.shown_to.first().copied().filter(|_| own)
        })
    }
}

/// Waits until no client looks at a family of a call manager that is being unbound.
pub(super) fn wait_for_offers_of(cx: &Cx, manager: u32) {
    while let Some((client, who)) = cx.with(|s| {
        let client = s.shows(manager)?;
        Some((client, s.world.bindings.get(&client)?.who.clone()))
    }) {
        let object = ObjectId::new(Kind::Binding, client);
        let what = "the return of ProtocolCoAfRegisterNotify";
        let came = cx.wait_until("BIND-14", &who, Some(object), what, move |s| {
            s.shows(manager) != Some(client)
        });
        if !came {
            return;
        }
    }
}
