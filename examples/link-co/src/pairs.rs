//! [`Pairs`]: which adapters are the two ends of one link.

use crate::{Link, end::TAG};
use ndis_co::{irql::Irql, lock::SpinLock, mem::Vec};
use ndis_mcm::Adapter;

/// The links. An adapter that starts takes the free end of one; a first or third begins
/// another.
#[derive(Debug)]
pub(crate) struct Pairs {
    links: SpinLock<Vec<[Option<Adapter<Link>>; 2]>>,
}

impl Pairs {
    pub(crate) const fn new() -> Self {
        Self {
            links: SpinLock::new(Vec::new(TAG)),
        }
    }

    /// Joins the adapter to one that has no other end. Without memory for a new link it has
    /// none either, and what is sent there is lost.
    pub(crate) fn join(&self, end: &Adapter<Link>, irql: &mut impl Irql) {
        let end = end.clone();
        let left = self.links.with(irql, move |links, _| {
            for link in links.iter_mut() {
                for place in link {
                    if place.is_none() {
                        *place = Some(end);
                        return None;
                    }
                }
            }
            links.try_push([Some(end.clone()), None]).err().map(|_| end)
        });
        drop(left);
    }

    /// The adapter goes: its place is free.
    pub(crate) fn part(&self, end: &Adapter<Link>, irql: &mut impl Irql) {
        let gone = self.links.with(irql, |links, _| {
            let places = links.iter_mut().flatten();
            let mut own = places.filter(|place| place.as_ref().is_some_and(|one| one.is(end)));
            let gone = own.next().and_then(Option::take);
            // No link is kept without an end.
            let empty = links.take_first(|link| link.iter().all(Option::is_none));
            (gone, empty)
        });
        drop(gone);
    }

    /// The adapter at the other end.
    pub(crate) fn other(&self, end: &Adapter<Link>, irql: &mut impl Irql) -> Option<Adapter<Link>> {
        self.links.with(irql, |links, _| {
            links.iter().find_map(|link| match link {
                [Some(one), other] if one.is(end) => other.clone(),
                [other, Some(one)] if one.is(end) => other.clone(),
                _ => None,
            })
        })
    }
}
