//! Status of one VC, for those who share it.
//!
//! What is indicated of a VC is of an active one: the parameters of its link, a damaged frame. So
//! the call is counted on the VC's path as an indication of data is, and by TRAFFIC the handle is
//! valid as long as it runs.

use super::{Channel, Key, leave};
use crate::{
    Status,
    indication::{self, About},
    irql::UpToDispatch,
    stack,
    traffic::Open,
};

/// Tells the drivers that share the VC of a status (rule STATUS-02).
#[doc(hidden)]
pub fn indicate_status<V: Channel>(
    vc: &V,
    code: Status,
    data: &[u8],
    irql: &mut UpToDispatch,
) -> Result<(), Status> {
    let adapter = vc.adapter_handle(Key::new());
    let mut indication = indication::outgoing(adapter, code, data, About::Vc, Key::new())?;
    // Who hears of it may indicate more, and so on.
    if stack::has_less_than(stack::VERY_LOW) {
        return Err(Status::RESOURCES);
    }
    if !vc.path(Key::new()).traffic.enter_if(Open::RECEIVES, 1) {
        return Err(vc.refusal());
    }
    // SAFETY: the VC keeps its adapter, whose handle is good from the attributes to the halt
    // (rule STATUS-01), and by TRAFFIC the VC's is; structure and data live for the call (rule
    // STATUS-06), in which they are only read. `irql` says that the level will do (rule IRQL-28).
    unsafe { ndis_sys::NdisMCoIndicateStatusEx(adapter, vc.handle(), &mut indication) };
    leave(vc, 1, irql);
    Ok(())
}
