//! Rules: VC-13, VC-29, VC-65
//!
//! A miniport makes and deletes a VC on the spot: what the methods return says nothing of
//! later, and nothing refuses a deletion.

use ndis_co::{Status, irql::UpToDispatch};
use ndis_mcm::{
    Adapter,
    co::{Vc, VcMiniport},
};

fn made_later<M: VcMiniport>(
    driver: &M,
    adapter: &Adapter<M>,
    irql: &mut UpToDispatch,
) -> M::VcContext {
    driver.create_vc(adapter, irql)
}

fn refused<M: VcMiniport>(driver: &M, vc: &Vc<M>, irql: &mut UpToDispatch) -> Result<(), Status> {
    driver.vc_deleted(vc, irql)
}

fn main() {}
