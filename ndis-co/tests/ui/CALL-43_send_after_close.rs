//! Rules: CALL-43, CALL-70
//!
//! Nothing can be sent on a call that was hung up.

use ndis_co::{
    Status,
    client::{Call, Client},
    irql::UpToDispatch,
    nbl::NetBufferLists,
};

fn one_more<C: Client>(
    call: Call<'_, C>,
    frame: NetBufferLists,
    irql: &mut UpToDispatch,
) -> Result<(), Status> {
    call.close(&[], irql)?;
    call.send(frame, irql)?;
    Ok(())
}

fn main() {}
