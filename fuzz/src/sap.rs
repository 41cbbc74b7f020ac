//! `CO_SAP` as a peer may hand it over: with a true or an over-long length, in
//! memory that ends where its claim does.

use crate::{input::Input, memory::Exact, show::show, variable::Variable};
use ndis_co::{Status, address::SapAddress};
use ndis_sys::CO_SAP;
use std::{mem::offset_of, ptr};

/// Reads one input as a SAP and looks at it in every way.
///
/// # Panics
///
/// When the view says something else than what was written.
pub fn run(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let shape = input.byte();
    let most = usize::from(input.byte()) * 8;
    if shape == 0xFF {
        // SAFETY: null is allowed.
        let seen = unsafe { SapAddress::from_raw(ptr::null()) };
        assert_eq!(seen.err(), Some(Status::INVALID_DATA));
        return;
    }
    let written = Variable::read(&mut input);
    let start = offset_of!(CO_SAP, Sap);
    let mut memory = Exact::new(start + written.bytes.len());
    written.put(
        &mut memory,
        offset_of!(CO_SAP, SapType),
        offset_of!(CO_SAP, SapLength),
        start,
    );
    // SAFETY: the structure lives until the end of this function, and its length
    // is true or over-long.
    let seen = unsafe { SapAddress::from_raw(memory.pointer()) };
    if written.is_over_long() {
        assert_eq!(seen.err(), Some(Status::INVALID_DATA));
        return;
    }
    let seen = seen.expect("an honest length is accepted");
    assert_eq!(seen.sap_type(), written.kind);
    assert!(seen.bytes() == written.bytes, "the bytes of a SAP");
    show(&seen, most);
}
