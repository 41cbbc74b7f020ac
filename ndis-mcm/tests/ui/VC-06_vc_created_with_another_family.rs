//! Rules: VC-06, AF-28
//!
//! A VC belongs to the adapter and the address family of its SAP: there is no
//! place to name those of another client or adapter.

use ndis_co::{Status, irql::UpToDispatch};
use ndis_mcm::{Adapter, Af, MiniportCallManager, Sap};

fn ring<M: MiniportCallManager<Vc = ()>>(
    adapter: &Adapter<M>,
    af: &Af<M>,
    sap: &Sap<M>,
    irql: &mut UpToDispatch,
) -> Result<(), Status> {
    let vc = sap.create_vc(adapter, af, (), irql)?;
    vc.delete(irql);
    Ok(())
}

fn main() {}
