//! The handlers of a reset take a context of the driver that they were made for. One driver's type may be
//! a subtype of another's: what it has is not the other's.

#![allow(coherence_leak_check)]

use core::marker::PhantomData;
use ndis_mcm::{prelude::*, Connectionless, Reset, Resets, Resettable, Settings};

struct Driver<F>(PhantomData<F>);
type Wide = for<'a> fn(&'a u8);
type Narrow = fn(&'static u8);

impl Miniport for Driver<Wide> {
    type Adapter = &'static str;
    type Role = Connectionless;

    fn initialize<'i>(
        &self,
        _init: Initialize<'i, Self, New>,
        _irql: &mut Passive,
    ) -> Result<Initialized<'i>, Status> {
        Err(Status::FAILURE)
    }
}

impl Resettable for Driver<Wide> {
    fn is_hung(&self, adapter: &Adapter<Self>, _irql: &mut Passive) -> bool {
        adapter.starts_with('a')
    }

    fn reset<'r>(&self, _: &Adapter<Self>, reset: Reset<'r, Self>, _irql: &mut UpToDispatch) -> Answer<'r> {
        reset.done(Settings::Kept)
    }
}

impl Miniport for Driver<Narrow> {
    type Adapter = [usize; 2];
    type Role = Connectionless;

    const RESETS: Resets<Self> = Resets::<Driver<Wide>>::of_hardware();

    fn initialize<'i>(
        &self,
        init: Initialize<'i, Self, New>,
        irql: &mut Passive,
    ) -> Result<Initialized<'i>, Status> {
        Ok(init.attributes(&Attributes::wan(), irql)?.adapter([1, 2])?.finish())
    }
}

fn main() {}
