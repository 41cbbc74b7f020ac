//! The list of all exported functions, file by file.
//!
//! A driver's imports are resolved by name when the program is linked. Whoever has a
//! [`crate::Host`] touches this list, so the linker keeps every function, in whatever
//! order the archives come.

use crate::export::Export;

static ALL: &[&[Export]] = &[
    crate::ke::memory::EXPORTS,
    crate::ke::registry::EXPORTS,
    crate::ke::sync::EXPORTS,
    crate::ke::timer::EXPORTS,
    crate::ke::system::EXPORTS,
    crate::ke::dpc::EXPORTS,
    crate::ke::list::EXPORTS,
    crate::ke::remove_lock::EXPORTS,
    crate::ke::irql::EXPORTS,
    #[cfg(not(target_arch = "x86"))]
    crate::ke::irql::in_registers::EXPORTS,
    crate::ke::thread::EXPORTS,
    #[cfg(not(target_arch = "x86"))]
    crate::ke::thread::in_registers::EXPORTS,
    crate::ke::thread::DATA,
    crate::io::cancel::EXPORTS,
    crate::io::device::EXPORTS,
    #[cfg(not(target_arch = "x86"))]
    crate::io::complete::in_registers::EXPORTS,
    crate::net::pool::EXPORTS,
    crate::net::data::EXPORTS,
    crate::net::clone::EXPORTS,
    crate::miniport::register::EXPORTS,
    crate::miniport::attributes::EXPORTS,
    crate::miniport::flow::EXPORTS,
    crate::miniport::send::EXPORTS,
    crate::miniport::receive::EXPORTS,
    crate::miniport::activity::EXPORTS,
    crate::miniport::status::EXPORTS,
    crate::miniport::errors::EXPORTS,
    crate::protocol::register::EXPORTS,
    crate::protocol::binding::EXPORTS,
    crate::options::EXPORTS,
    crate::client::af::EXPORTS,
    crate::client::sap::EXPORTS,
    crate::client::vc::EXPORTS,
    crate::client::call::EXPORTS,
    crate::client::names::EXPORTS,
    crate::client::send::EXPORTS,
    crate::client::receive::EXPORTS,
    crate::manager::af::EXPORTS,
    crate::manager::sap::EXPORTS,
    crate::manager::vc::EXPORTS,
    crate::manager::activity::EXPORTS,
    crate::manager::call::EXPORTS,
    crate::manager::incoming::EXPORTS,
    crate::oid::co::EXPORTS,
    crate::oid::plain::EXPORTS,
    crate::oid::cancel::EXPORTS,
    crate::configuration::calls::EXPORTS,
    crate::not_simulated::EXPORTS,
];

/// The names that this crate defines, and proof that the linker kept them.
pub fn exported() -> impl Iterator<Item = (&'static str, usize)> {
    ALL.iter()
        .flat_map(|list| list.iter())
        .map(|export| (export.name, export.address.addr()))
}
