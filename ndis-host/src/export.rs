//! The symbols of `ndis.sys` and `ntoskrnl.exe` that this crate defines.
//!
//! A driver's imports are resolved by name when the program is linked. A linker
//! takes an object out of an archive only when something needs it, so every
//! function here also stands in a list that [`crate::Host`] touches: whoever
//! has a host has all of them, in whatever order the archives come.

/// One exported function.
pub(crate) struct Export {
    pub(crate) name: &'static str,
    pub(crate) address: *const (),
}

// SAFETY: an address of code, which nobody reads or writes through.
unsafe impl Sync for Export {}

/// Defines exported functions and their list.
macro_rules! exports {
    ($list:ident {
        $(
            $(#[$meta:meta])*
            fn $name:ident($($argument:ident: $type:ty),* $(,)?) $(-> $result:ty)? $body:block
        )+
    }) => {
        $(
            $(#[$meta])*
            ///
            /// # Safety
            ///
            /// The contract of the function of the same name in the Windows
            /// driver documentation, as far as pointers to memory of the
            /// caller go; handles may be anything.
            #[unsafe(no_mangle)]
            pub unsafe extern "system" fn $name($($argument: $type),*) $(-> $result)? $body
        )+

        pub(crate) static $list: &[$crate::export::Export] = &[
            $($crate::export::Export {
                name: stringify!($name),
                address: $name as *const (),
            }),+
        ];
    };
}

pub(crate) use exports;

/// All of them, file by file.
pub(crate) static ALL: &[&[Export]] = &[
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
    crate::net::pool::EXPORTS,
    crate::net::data::EXPORTS,
    crate::net::clone::EXPORTS,
    crate::co::driver::EXPORTS,
    crate::co::options::EXPORTS,
    crate::co::binding::EXPORTS,
    crate::co::af::EXPORTS,
    crate::co::sap::EXPORTS,
    crate::co::vc::EXPORTS,
    crate::co::activity::EXPORTS,
    crate::co::call::EXPORTS,
    crate::co::incoming::EXPORTS,
    crate::co::oid::EXPORTS,
    crate::co::party::EXPORTS,
    crate::co::send::EXPORTS,
    crate::co::receive::EXPORTS,
];

/// The names that this crate defines, and proof that the linker kept them.
pub fn exported() -> impl Iterator<Item = (&'static str, usize)> {
    ALL.iter()
        .flat_map(|list| list.iter())
        .map(|export| (export.name, export.address.addr()))
}
