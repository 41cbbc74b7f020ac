//! Rules: SAP-21, SAP-23
//!
//! A deregistration always succeeds in the end: there is nothing to refuse it
//! with.

use ndis_co::{Answer, Status};
use ndis_mcm::{CallManager, DeregisterSap};

fn deregister_sap<'r, M: CallManager>(request: DeregisterSap<'r, M>) -> Answer<'r> {
    request.refuse(Status::NOT_ACCEPTED)
}

fn main() {}
