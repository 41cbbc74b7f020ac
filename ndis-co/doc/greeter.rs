use ndis_co::{
    address::SapAddressBuf,
    client::{Af, AfOffer, Client, IncomingCall, OpenAf, Received, Sap, Vc},
    family::{AddressFamily, Family},
    mem::Tag,
    nbl::{NetBufferListPool, NetBufferLists},
    params::CallParameters,
    prelude::*,
};

/// The family to open: that of the example `loopback-mcm`, version 1.0.
const SWITCH: AddressFamily = AddressFamily::new(Family::new(0x4C6F_6F70), 1, 0);

/// In that family an address is four bytes, a number.
const ADDRESS_NUMBER: u32 = 1;

/// Marks the driver's memory in pool listings.
const TAG: Tag = Tag::new(*b"Gret");

/// The driver itself keeps nothing.
struct Greeter;

impl Load for Greeter {
    fn load(_key: &ServiceKey<'_>, _irql: &mut Passive) -> Result<Self, Status> {
        Ok(Self)
    }
}

impl Protocol for Greeter {
    const NAME: &'static str = "GREETER";

    // What the driver is to its adapters: it implements `Client` below.
    type Role = AsClient;
    // What it keeps for an adapter: where its frames come from.
    type Binding = NetBufferListPool;

    // 1. An adapter is there, and on it a family.

    fn bind(
        &self,
        adapter: &NewBinding<'_>,
        _irql: &mut Passive,
    ) -> Result<NetBufferListPool, Status> {
        NetBufferListPool::for_sends(adapter.scope(), TAG)
    }
}

impl Client for Greeter {
    // What the driver keeps for a family, a SAP and a VC: nothing.
    type Af = ();
    type Sap = ();
    type Vc = ();

    fn address_family(
        &self,
        _binding: &Binding<Self>,
        offer: AfOffer<'_, Self>,
        irql: &mut Passive,
    ) {
        if offer.family() == SWITCH {
            // A failure leaves this adapter without calls.
            let _ = offer.open((), irql);
        }
    }

    // 2. The family is open: take calls to number 7.

    fn af_opened(&self, af: OpenAf<Self>, irql: &mut Passive) {
        if let Ok(address) = SapAddressBuf::try_new(ADDRESS_NUMBER, &7_u32.to_le_bytes())
            && let Ok(sap) = af.register_sap((), address, irql)
        {
            // Kept until the family closes; dropped, it would be given up.
            let _ = sap.keep();
        }
        // Kept until the call manager or the adapter goes.
        let _ = af.keep();
    }

    // 3. Somebody calls: first a VC for the call, then the call itself.

    fn create_vc(&self, _af: &Af<Self>, _irql: &mut UpToDispatch) -> Result<(), Status> {
        Ok(())
    }

    fn incoming_call<'r>(
        &self,
        _sap: &Sap<Self>,
        call: IncomingCall<'r, Self>,
        _irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        let (answer, call) = call.accept();
        // Kept until somebody hangs up; dropped, that would be now.
        let _ = call.keep();
        answer
    }

    // 4. The call is up: say something, and hang up when it is said.

    fn call_connected(
        &self,
        vc: &Vc<Self>,
        _parameters: Option<CallParameters<'_>>,
        irql: &mut UpToDispatch,
    ) {
        let said = vc.af().binding().allocate(64).and_then(|mut frame| {
            frame.set_data(b"good morning")?;
            vc.send(frame.into(), irql).map_err(Status::from)
        });
        if said.is_err() {
            // It cannot fail without data to send along.
            let _ = vc.hang_up(&[], irql);
        }
    }

    fn send_complete(&self, vc: &Vc<Self>, lists: NetBufferLists, irql: &mut UpToDispatch) {
        // The frame is this driver's own again; dropping it frees it.
        drop(lists);
        let _ = vc.hang_up(&[], irql);
    }

    fn receive(&self, _vc: &Vc<Self>, lists: Received<'_, Self>, _irql: &mut UpToDispatch) {
        // Dropping what was received gives it back to its owner.
        drop(lists);
    }
}

ndis_co::driver_entry!(Greeter);
