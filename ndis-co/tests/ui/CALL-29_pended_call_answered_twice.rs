//! Rules: CALL-29, GEN-02
//!
//! A call that rings is answered once, whoever answers it.

use ndis_co::{
    Status,
    client::{Client, PendingIncomingCall},
    irql::UpToDispatch,
};

fn answer<C: Client>(ringing: PendingIncomingCall<C>, irql: &mut UpToDispatch) {
    let call = ringing.accept(irql);
    ringing.refuse(Status::FAILURE, irql);
    let _ = call.keep();
}

fn main() {}
