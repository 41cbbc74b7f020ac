//! Rules: VC-42
//!
//! What the VC has in fact is written into the structure that the views show: nobody looks at
//! it meanwhile.

use ndis_co::{Status, params::FlowSpec};
use ndis_mcm::co::{ActivateVc, VcMiniport};

fn round<M: VcMiniport>(request: &mut ActivateVc<'_, M>) -> Result<(), Status> {
    let media = request
        .parameters()
        .and_then(|parameters| parameters.media());
    let rate = FlowSpec::best_effort(1500);
    request.round(rate, rate)?;
    media.ok_or(Status::INVALID_DATA)?.specific().map(drop)
}

fn main() {}
