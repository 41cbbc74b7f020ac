//! Rules: VC-22, CALL-64
//!
//! Who created a VC deletes it. The VC of an incoming call is the call
//! manager's; the client only hangs up.

use ndis_co::{
    client::{Client, Vc},
    irql::UpToDispatch,
};

fn incoming_close<C: Client>(vc: &Vc<C>, irql: &mut UpToDispatch) {
    vc.delete(irql);
}

fn main() {}
