//! What the random client keeps for what it has asked for, with a count of what it was told of it.
#![forbid(unsafe_code)]

use crate::{frame::End, world::Context};
use ndis_co::family::Family;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};

/// How often things were told of an address family, SAP or VC: once each.
#[derive(Default)]
pub(crate) struct Told {
    pub(crate) asked: AtomicU32,
    pub(crate) answered: AtomicU32,
    pub(crate) up: AtomicU32,
    pub(crate) over: AtomicU32,
    pub(crate) deleted: AtomicU32,
    /// The miniport of a VC has closed the send window.
    pub(crate) shut: AtomicBool,
}

/// What is kept for an address family or a SAP.
pub(crate) struct Office {
    pub(crate) told: Told,
    pub(crate) context: Context,
}

/// What is kept for a VC.
pub(crate) struct Line {
    pub(crate) place: u32,
    pub(crate) end: End,
    pub(crate) told: Told,
    pub(crate) context: Context,
}

impl Told {
    /// Everything that was asked for was answered, and everything that came up is
    /// over. (An incoming call may be over before it is up.)
    fn check(&self, context: &Context, what: &str, incoming: bool) {
        let [asked, answered, up, over, deleted] = [
            &self.asked,
            &self.answered,
            &self.up,
            &self.over,
            &self.deleted,
        ]
        .map(|count| count.load(SeqCst));
        let ended = up == over || (incoming && asked == 0 && up < over);
        if asked != answered || !ended || asked > 1 || over > 1 || deleted > 1 {
            context.world().found(format!(
                "the client's {what} context {}: asked for {asked} times, answered {answered}, \
                 came up {up}, ended {over}, deleted {deleted}",
                context.number
            ));
        }
    }
}

impl Drop for Office {
    fn drop(&mut self) {
        self.told.check(&self.context, "AF or SAP", false);
    }
}

impl Line {
    /// Where it stands for NDISWAN, nothing goes into a closed window (rule WAN-04).
    pub(crate) fn keeps_still(&self, family: Family) -> bool {
        family == Family::TAPI && self.told.shut.load(SeqCst)
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.told.check(&self.context, "VC", true);
    }
}

pub(crate) fn up(count: &AtomicU32) {
    count.fetch_add(1, SeqCst);
}
