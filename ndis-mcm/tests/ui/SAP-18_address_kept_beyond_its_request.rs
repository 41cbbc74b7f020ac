//! Rules: SAP-18
//!
//! The address of a request ends with it: read it before the answer. The SAP
//! has it afterwards.

use ndis_co::Answer;
use ndis_mcm::{CallManager, RegisterSap};

fn register_sap<'r, M: CallManager<Sap = ()>>(request: RegisterSap<'r, M>) -> (Answer<'r>, usize) {
    let address = request.address();
    let (answer, _sap) = request.accept(());
    (answer, address.bytes().len())
}

fn main() {}
