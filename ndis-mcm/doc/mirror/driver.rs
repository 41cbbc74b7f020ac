use ndis_co::{
    family::{AddressFamily, Family},
    irql::{Passive, UpToDispatch},
    mem::Tag,
    nbl::NetBufferListPool,
    params::CallParameters,
};
use ndis_mcm::{
    AcceptedCall, Adapter, Af, Answer, Attributes, CallManager, Carry, CloseCall, Initialize,
    Initialized, Load, MakeCall, Mcm, Miniport, New, OpenAf, RegisterSap, SendLists, ServiceKey,
    Status, Vc,
};

/// What the driver offers: a family outside Microsoft's range, version 1.0.
const MIRROR: AddressFamily = AddressFamily::new(Family::new(0x4D69_7272), 1, 0);

/// Marks the driver's memory in pool listings.
const TAG: Tag = Tag::new(*b"Mirr");

/// The driver itself keeps nothing.
struct Mirror;

/// What it keeps for one adapter.
struct Nic {
    /// Where the frames that go up to clients come from.
    pool: NetBufferListPool,
}

impl Load for Mirror {
    fn load(_key: &ServiceKey<'_>, _irql: &mut Passive) -> Result<Self, Status> {
        Ok(Self)
    }
}

impl Miniport for Mirror {
    type Adapter = Nic;
    type Role = Mcm;

    fn initialize<'i>(
        &self,
        init: Initialize<'i, Self, New>,
        irql: &mut Passive,
    ) -> Result<Initialized<'i>, Status> {
        let init = init.attributes(&Attributes::wan().max_frame(1500), irql)?;
        let pool = NetBufferListPool::for_receives(init.scope(), TAG)?;
        let mut init = init.adapter(Nic { pool })?;
        // Last, because clients may call as soon as the adapter is up.
        init.register_address_family(MIRROR, irql)?;
        Ok(init.finish())
    }
}

ndis_mcm::driver_entry!(Mirror);
