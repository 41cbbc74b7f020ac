//! Rules: AF-29
//!
//! A VC lives on its address family and not longer.

use ndis_co::{
    Status,
    client::{Client, OpenAf},
    irql::Passive,
};

fn af_opened<C: Client<Vc = ()>>(af: OpenAf<C>, irql: &mut Passive) -> Result<(), Status> {
    let vc = af.create_vc((), irql)?;
    drop(af);
    vc.delete(irql);
    Ok(())
}

fn main() {}
