//! Rules: VC-23, VC-25, VC-01
//!
//! A deleted VC is gone: a new call wants a new VC.

use ndis_co::{
    client::{Call, Client, CreatedVc},
    irql::UpToDispatch,
    params::CallParametersBuf,
};

fn redial<'af, C: Client>(
    vc: CreatedVc<'af, C>,
    parameters: CallParametersBuf,
    irql: &mut UpToDispatch,
) -> Call<'af, C> {
    vc.delete(irql);
    vc.make_call(parameters, irql)
}

fn main() {}
