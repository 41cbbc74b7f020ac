//! Rules: SAP-15, SAP-19, GEN-02
//!
//! A client that registers a SAP is answered once.

use ndis_co::{Answer, Status, irql::UpToDispatch};
use ndis_mcm::{CallManager, PendingRegisterSap, RegisterSap};

fn register_sap<'r, M: CallManager<Sap = ()>>(request: RegisterSap<'r, M>) -> Answer<'r> {
    let (_, sap) = request.accept(());
    drop(sap);
    request.refuse(Status::INVALID_DATA)
}

fn answer_later<M: CallManager<Sap = ()>>(request: PendingRegisterSap<M>, irql: &mut UpToDispatch) {
    request.refuse(Status::INVALID_DATA, irql);
    let _sap = request.accept((), irql);
}

fn main() {}
