//! The entry macro beside names that it uses itself, or that the standard library has.
#![forbid(unsafe_code)]
#![allow(dead_code, non_camel_case_types)]

use ndis_host as _;

/// Drivers, by name.
mod drivers {
    use ndis_co::{
        Load, ServiceKey, Status,
        client::{AfOffer, AsClient, Binding, Client, NewBinding, OpenAf, Protocol, Received, Vc},
        irql::{Passive, UpToDispatch},
        params::CallParameters,
    };
    macro_rules! driver {
        ($name:ident) => {
            pub struct $name;
            impl Load for $name {
                fn load(_k: &ServiceKey<'_>, _i: &mut Passive) -> Result<Self, Status> {
                    Ok($name)
                }
            }
            impl Protocol for $name {
                const NAME: &'static str = "x";
                type Binding = ();
                type Role = AsClient;

                fn bind(&self, _a: &NewBinding<'_>, _i: &mut Passive) -> Result<(), Status> {
                    Ok(())
                }
            }

            impl Client for $name {
                type Af = ();
                type Sap = ();
                type Vc = ();
                fn address_family(
                    &self,
                    _b: &Binding<Self>,
                    _o: AfOffer<'_, Self>,
                    _i: &mut Passive,
                ) {
                }
                fn af_opened(&self, _a: OpenAf<Self>, _i: &mut Passive) {}
                fn call_connected(
                    &self,
                    _v: &Vc<Self>,
                    _p: Option<CallParameters<'_>>,
                    _i: &mut UpToDispatch,
                ) {
                }
                fn receive(&self, _v: &Vc<Self>, _l: Received<'_, Self>, _i: &mut UpToDispatch) {}
            }
        };
    }
    driver!(Driver);
    driver!(Entry);
}

/// Names of the standard library, of these crates, and of what the macro uses.
mod shadows {
    mod core {}
    mod std {}
    mod ndis_co {}
    mod ndis_sys {}
    struct Result;
    struct Some;
    struct Ok;
    use super::drivers::Driver;
    ::ndis_co::driver_entry!(Driver);
}

/// An alias, a path, a macro.
mod other_types {
    macro_rules! the_type {
        () => {
            crate::entry_names::drivers::Driver
        };
    }
    type D = crate::entry_names::drivers::Driver;
    pub mod a {
        ndis_co::driver_entry!(super::D);
    }
    pub mod b {
        ndis_co::driver_entry!(crate::entry_names::drivers::Driver);
    }
    pub mod c {
        ndis_co::driver_entry!(the_type!());
    }
}

/// A driver that is called as an entry type may be, beside names of parameters.
mod entry {
    use super::drivers::Entry;
    struct object;
    struct path;
    ndis_co::driver_entry!(Entry);
}

#[test]
fn each_has_its_entry_point() {
    let entries = [
        shadows::driver_entry as *const (),
        other_types::a::driver_entry as *const (),
        other_types::b::driver_entry as *const (),
        other_types::c::driver_entry as *const (),
        entry::driver_entry as *const (),
    ];
    assert!(entries.iter().all(|entry| !entry.is_null()));
}
