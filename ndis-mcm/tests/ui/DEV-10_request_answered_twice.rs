//! An answer uses the request up.

use ndis_mcm::{Answer, Status, device::Control};

fn control<'r>(request: Control<'r>) -> Answer<'r> {
    let _ = request.reply(&[1]);
    request.refuse(Status::FAILURE)
}

fn main() {}
