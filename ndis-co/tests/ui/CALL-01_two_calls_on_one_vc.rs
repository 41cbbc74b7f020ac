//! Rules: CALL-01, VC-01
//!
//! A VC carries one call: placing it turns the VC into the call.

use ndis_co::{
    client::{Client, CreatedVc},
    irql::UpToDispatch,
    params::CallParametersBuf,
};

fn call_two<C: Client>(
    vc: CreatedVc<'_, C>,
    one: CallParametersBuf,
    other: CallParametersBuf,
    irql: &mut UpToDispatch,
) {
    let _one = vc.make_call(one, irql);
    let _other = vc.make_call(other, irql);
}

fn main() {}
