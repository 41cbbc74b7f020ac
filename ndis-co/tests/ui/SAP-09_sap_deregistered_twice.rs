//! Rules: SAP-08, SAP-09
//!
//! A SAP that is owned is deregistered once, and is gone then.

use ndis_co::{
    client::{Client, RegisteredSap},
    irql::UpToDispatch,
};

fn deregister<C: Client>(sap: RegisteredSap<'_, C>, irql: &mut UpToDispatch) {
    sap.deregister(irql);
    sap.deregister(irql);
}

fn main() {}
