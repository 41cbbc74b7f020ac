//! How many bytes of a structure there must be is not more than it has, whatever a driver calls its
//! functions: the macro has one of this name.

#![forbid(unsafe_code)]

use ndis_co::oid_values;

const fn size<S, F>(_: fn(&S) -> &F) -> usize {
    1000
}

#[derive(Clone, Copy)]
#[repr(C)]
struct Lamp {
    colour: u8,
}

oid_values! { Lamp { colour } [from size::<Lamp, u8>(|lamp| &lamp.colour)] }

fn main() {}
