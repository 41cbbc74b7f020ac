//! Rules: VC-01, CALL-01
//!
//! A call is placed on a VC that the client has created for it.

use ndis_co::{
    client::{Client, OpenAf},
    irql::UpToDispatch,
    params::CallParametersBuf,
};

fn call<C: Client>(af: &OpenAf<C>, parameters: CallParametersBuf, irql: &mut UpToDispatch) {
    let _call = af.make_call(parameters, irql);
}

fn main() {}
