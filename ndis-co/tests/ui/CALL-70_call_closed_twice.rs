//! Rules: CALL-70
//!
//! A call that is owned is hung up once.

use ndis_co::{
    Status,
    client::{Call, Client},
    irql::UpToDispatch,
};

fn hang_up<C: Client>(call: Call<'_, C>, irql: &mut UpToDispatch) -> Result<(), Status> {
    call.close(&[], irql)?;
    call.close(b"and good bye", irql)
}

fn main() {}
