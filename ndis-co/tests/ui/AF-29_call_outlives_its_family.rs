//! Rules: AF-29
//!
//! A call lives on its address family and not longer.

use ndis_co::{
    Status,
    client::{Client, OpenAf},
    irql::Passive,
    params::CallParametersBuf,
};

fn af_opened<C: Client<Vc = ()>>(
    af: OpenAf<C>,
    parameters: CallParametersBuf,
    irql: &mut Passive,
) -> Result<(), Status> {
    let call = af.create_vc((), irql)?.make_call(parameters, irql);
    af.close(irql);
    call.close(&[], irql)
}

fn main() {}
