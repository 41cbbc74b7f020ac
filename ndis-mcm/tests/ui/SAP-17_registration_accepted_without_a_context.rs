//! Rules: SAP-17, SAP-20
//!
//! Accepting a SAP takes the context that NDIS will pass for it.

use ndis_co::Answer;
use ndis_mcm::{CallManager, RegisterSap};

fn register_sap<'r, M: CallManager>(request: RegisterSap<'r, M>) -> Answer<'r> {
    let (answer, _sap) = request.accept();
    answer
}

fn main() {}
