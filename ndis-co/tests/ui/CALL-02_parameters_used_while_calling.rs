//! Rules: CALL-02
//!
//! NDIS has the parameters until the call is up or has failed; the callback
//! that tells the outcome shows them again.

use ndis_co::{
    client::{Client, CreatedVc},
    irql::UpToDispatch,
    params::{CallFlags, CallParametersBuf},
};

fn call<C: Client>(
    vc: CreatedVc<'_, C>,
    mut parameters: CallParametersBuf,
    irql: &mut UpToDispatch,
) {
    let _call = vc.make_call(parameters, irql);
    parameters.insert_flags(CallFlags::QUERY);
}

fn main() {}
