//! Rules: VC-64
//!
//! A deactivation succeeds in the end: there is nothing to refuse it with.

use ndis_co::{Answer, Status};
use ndis_mcm::co::{DeactivateVc, VcMiniport};

fn deactivate<'r, M: VcMiniport>(request: DeactivateVc<'r, M>) -> Answer<'r> {
    request.refuse(Status::RESOURCES)
}

fn main() {}
