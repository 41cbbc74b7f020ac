//! A connection-oriented miniport that is no call manager: adapters in pairs, each pair joined
//! by a link.
//!
//! What is sent on the VC with number *n* at one end comes out of the VC with number *n* at
//! the other one. Numbers mean nothing else to the link: what is said on which of them is a
//! matter of the call manager above, which may well keep number 0 for its signalling. A frame
//! for a number that is not active at the other end is lost, as on any cable.
//!
//! # What a call manager activates a VC with
//!
//! In the specific part of the media parameters, four bytes: the number, little-endian. At one
//! end a number belongs to one VC; a change of an active VC's parameters may give it another
//! one that is free.
//!
//! # Two ways to answer
//!
//! Every second activation takes a moment, as hardware does: it is pended, and a timer
//! completes it. So whoever tests a call manager above this link meets both.

#![no_std]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod end;
mod pairs;

use core::sync::atomic::{AtomicU64, Ordering};
use end::End;
use ndis_co::{
    irql::{Passive, UpToDispatch},
    nbl::{NetBufferLists, Side},
    params::CallParameters,
};
use ndis_mcm::{
    Adapter, Answer, Attributes, Carry, CoMiniport, Initialize, Initialized, Load, Miniport, New,
    ServiceKey, Status,
    co::{ActivateVc, DeactivateVc, SendLists, Vc, VcMiniport},
};
use pairs::Pairs;

/// The longest frame that the link carries, in bytes.
pub const MAX_FRAME: u32 = 16 * 1024;

/// The driver: which adapters are joined.
#[derive(Debug)]
pub struct Link {
    pairs: Pairs,
}

/// No number: more than any has.
const NONE: u64 = u64::MAX;

/// What the link keeps for one VC: its number, while it has one.
#[derive(Debug)]
pub struct Number(AtomicU64);

impl Number {
    fn get(&self) -> Option<u32> {
        u32::try_from(self.0.load(Ordering::Relaxed)).ok()
    }

    fn set(&self, number: Option<u32>) {
        let value = number.map_or(NONE, u64::from);
        self.0.store(value, Ordering::Relaxed);
    }
}

impl Link {
    /// A driver without adapters.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            pairs: Pairs::new(),
        }
    }
}

impl Default for Link {
    fn default() -> Self {
        Self::new()
    }
}

impl Load for Link {
    fn load(_key: &ServiceKey<'_>, _irql: &mut Passive) -> Result<Self, Status> {
        Ok(Self::new())
    }
}

impl Miniport for Link {
    type Adapter = End;
    type Role = CoMiniport;

    fn initialize<'i>(
        &self,
        init: Initialize<'i, Self, New>,
        irql: &mut Passive,
    ) -> Result<Initialized<'i>, Status> {
        let init = init.attributes(&Attributes::wan().max_frame(MAX_FRAME), irql)?;
        let end = End::try_new(init.scope())?;
        Ok(init.adapter(end)?.finish())
    }

    fn initialized(&self, end: &Adapter<Self>, irql: &mut Passive) {
        self.pairs.join(end, irql);
    }

    fn halt(&self, end: &Adapter<Self>, irql: &mut Passive) {
        self.pairs.part(end, irql);
    }
}

impl VcMiniport for Link {
    type VcContext = Number;

    fn create_vc(&self, _end: &Adapter<Self>, _irql: &mut UpToDispatch) -> Result<Number, Status> {
        Ok(Number(AtomicU64::new(NONE)))
    }

    fn activate_vc<'r>(
        &self,
        vc: &Vc<Self>,
        request: ActivateVc<'r, Self>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        let end = vc.adapter();
        let taken = number(request.parameters()).and_then(|number| end.take(vc, number, irql));
        match taken {
            Err(status) => request.refuse(status),
            // A change is not slow: if it failed later, the earlier number would be gone.
            Ok(()) if !request.is_change() && end.is_slow(irql) => {
                let (answer, request) = request.pend();
                end.activate_later(request, irql);
                answer
            }
            Ok(()) => request.accept(),
        }
    }

    fn deactivate_vc<'r>(
        &self,
        vc: &Vc<Self>,
        request: DeactivateVc<'r, Self>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        vc.adapter().forget(vc, irql);
        request.finish()
    }

    fn vc_deleted(&self, vc: &Vc<Self>, irql: &mut UpToDispatch) {
        // One whose activation was refused later than here is still known.
        vc.adapter().forget(vc, irql);
    }
}

impl Carry for Link {
    type Vc = Vc<Self>;

    fn send(&self, vc: &Vc<Self>, lists: SendLists<Self>, irql: &mut UpToDispatch) {
        let Some((other, frames)) = self.copy(vc, &lists, irql) else {
            // Lost, and the sender does not know.
            return lists.complete(Status::SUCCESS, irql);
        };
        // First, for whoever hears the frames may end the call that they came on.
        lists.complete(Status::SUCCESS, irql);
        // What the other end does not take is dropped, and so freed.
        let _ = other.indicate_receive(frames, irql);
    }
}

impl Link {
    /// Frames of the other end's own, with what was sent; `None` when nobody is there, or memory
    /// is short.
    fn copy(
        &self,
        vc: &Vc<Self>,
        lists: &SendLists<Self>,
        irql: &mut UpToDispatch,
    ) -> Option<(Vc<Self>, NetBufferLists)> {
        let other = self.pairs.other(vc.adapter(), irql)?;
        let other = other.find(vc.get()?, irql)?;
        let mut frames = NetBufferLists::new(Side::Miniport);
        for packet in lists.buffers() {
            let mut frame = other.adapter().pool().allocate(packet.len()).ok()?;
            frame
                .fill(packet.len(), |to| packet.copy_to(to).map(drop))
                .ok()?;
            frames.push_back(frame).ok()?;
        }
        Some((other, frames))
    }
}

/// The number that the media parameters name.
fn number(parameters: Option<CallParameters<'_>>) -> Result<u32, Status> {
    let media = parameters.and_then(CallParameters::media);
    let specific = media.ok_or(Status::INVALID_DATA)?.specific()?;
    let bytes = specific.bytes.try_into();
    bytes.map(u32::from_le_bytes).or(Err(Status::INVALID_DATA))
}

ndis_mcm::driver_entry!(Link);
