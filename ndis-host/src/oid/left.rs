//! Requests that are outstanding when what they are about ends: who is in the wrong, and
//! what NDIS waits for.

use super::names::name_of;
use super::tell;
use crate::cx::Cx;
use crate::handle::{Kind, ObjectId};
use crate::model::af::AfPhase;
use crate::model::oid::{Asker, OidRequest};
use crate::state::State;
use alloc::vec::Vec;
use ndis_sys as n;

impl State {
    /// Requests of drivers that are outstanding, in the order in which they were made.
    fn outstanding(&self, is_it: impl Fn(&OidRequest) -> bool) -> Vec<u32> {
        let all = self.world.oids.iter();
        all.filter(|(_, r)| r.asker != Asker::Ndis && r.is_outstanding() && is_it(r))
            .map(|(number, _)| *number)
            .collect()
    }

    /// How many requests a binding has made that are outstanding.
    pub(crate) fn requests_of(&self, binding: u32) -> usize {
        self.outstanding(|r| r.asker.binding() == Some(binding))
            .len()
    }

    /// Reports a request that was never completed, once.
    fn never_completed(&mut self, number: u32, when: &str) {
        let Some(record) = self.world.oids.get_mut(&number) else {
            return;
        };
        if core::mem::replace(&mut record.blamed, true) {
            return;
        }
        let (function, rule) = record.completion;
        let (who, object) = (record.to.who.clone(), record.object(number));
        let (name, handler) = (name_of(record.given.oid), record.door.handler());
        let message = alloc::format!(
            "{when}, and {name}, which {handler} has pended, was never completed with {function}"
        );
        self.violate_by(who, rule, Some(object), message);
    }

    fn end_outstanding(&mut self, object: ObjectId, is_it: impl Fn(&OidRequest) -> bool) {
        for number in self.outstanding(is_it) {
            self.never_completed(number, &alloc::format!("{object} is gone"));
            self.end_oid(number);
        }
    }

    /// A family is closed, or its open has failed: then the client has no handle to complete a request
    /// with (AF-14), and nobody is to blame.
    pub(crate) fn end_requests_of_af(&mut self, af: u32) {
        let record = self.world.afs.get(&af);
        if record.is_some_and(|af| af.phase == AfPhase::Opening) {
            for number in self.outstanding(|r| r.subject.af == Some(af)) {
                self.end_oid(number);
            }
            return;
        }
        let object = ObjectId::new(Kind::ClientAf, af);
        self.end_outstanding(object, |r| r.subject.af == Some(af));
    }

    /// A VC is gone.
    pub(crate) fn end_requests_of_vc(&mut self, vc: u32) {
        let object = ObjectId::new(Kind::ClientVc, vc);
        self.end_outstanding(object, |r| r.subject.vc == Some(vc));
    }

    /// Whether one side of a VC has requests of it outstanding.
    pub(crate) fn has_requests_of_vc(&self, vc: u32, of_client: bool) -> bool {
        let is_its = |r: &OidRequest| {
            r.subject.vc == Some(vc) && matches!(r.asker, Asker::Client(_)) == of_client
        };
        !self.outstanding(is_its).is_empty()
    }

    /// OID-68: who deletes a VC has no requests of it.
    pub(crate) fn check_requests_of_vc(&mut self, call: &str, vc: u32, of_client: bool) -> bool {
        if !self.has_requests_of_vc(vc, of_client) {
            return true;
        }
        let object = ObjectId::new(Kind::ClientVc, vc);
        let message =
            alloc::format!("{call} on {object}, of which the caller has requests outstanding");
        let who = self.actor(call, &[Some(object), None, None]);
        self.violate_by(who, "OID-68", Some(object), message);
        false
    }

    /// Whether NDIS holds a VC, because of a request of its own.
    ///
    /// A driver cannot know that the context of its VC, which a handler begins with, is about to
    /// be used: so NDIS deletes no VC while it hands a request about it over. From there on a call
    /// manager counts the request, and refuses the deletion (VC-27). A miniport that is none cannot
    /// (VC-29), and has to complete the request with its handle (OID-18): so NDIS waits for that.
    /// Nor does it while it tells the client of a VC what is indicated beneath: nobody else knows.
    pub(crate) fn holds_vc(&self, vc: u32) -> bool {
        let record = self.world.vcs.get(&vc);
        let third = record.is_some_and(|vc| vc.miniport.is_some());
        if record.is_some_and(|vc| vc.telling > 0) {
            return true;
        }
        let mut all = self.world.oids.values();
        all.any(|r| r.asker == Asker::Ndis && r.subject.vc == Some(vc) && (r.handing || third))
    }

    /// At the end of a host: requests that nobody has completed.
    pub(crate) fn check_requests_left(&mut self) {
        for number in self.outstanding(|r| r.request.pended()) {
            self.never_completed(number, "the run is over");
        }
    }
}

/// Waits for the end of requests; those that never end are reported, and ended.
fn wait_for(cx: &Cx, is_it: impl Fn(&OidRequest) -> bool) {
    loop {
        let next = cx.with(|s| {
            let number = *s.outstanding(&is_it).first()?;
            let record = s.world.oids.get(&number)?;
            Some((
                number,
                record.completion,
                record.to.who.clone(),
                record.object(number),
                record.blamed,
            ))
        });
        let Some((number, (function, rule), who, object, blamed)) = next else {
            return;
        };
        let over = move |s: &State| !s.world.oids.contains_key(&number);
        let came = !blamed && cx.wait_until(rule, &who, Some(object), function, over);
        if !came {
            let heard = cx.with(|s| {
                if let Some(record) = s.world.oids.get_mut(&number) {
                    record.blamed = true;
                }
                s.end_of(number, n::NDIS_STATUS_REQUEST_ABORTED)
            });
            tell(cx, heard);
        }
    }
}

/// Waits until what a binding has asked is answered.
pub(crate) fn wait_for_requests_of_binding(cx: &Cx, binding: u32) {
    wait_for(cx, |r| r.asker.binding() == Some(binding));
}

/// Waits until the miniport has answered what an adapter was asked (HALT-08).
pub(crate) fn wait_for_requests_to_adapter(cx: &Cx, adapter: u32) {
    wait_for(cx, |r| {
        r.door.is_miniports() && r.subject.adapter == adapter
    });
}
