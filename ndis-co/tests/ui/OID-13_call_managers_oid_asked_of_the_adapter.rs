//! What is asked of a call manager is none of the adapter's business, nor of its requests.

use ndis_co::{
    mem::OutOfMemory,
    oid::{OutgoingRequest, ToAdapter, known},
};

fn ask() -> Result<OutgoingRequest<ToAdapter>, OutOfMemory> {
    OutgoingRequest::query(known::CO_TAPI_CM_CAPS)
}

fn main() {}
