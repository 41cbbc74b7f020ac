//! The symbols of `ndis.sys` and `ntoskrnl.exe` that this crate defines.
//!
//! Each is defined by [`exports`] and described to the border by a [`Call`]. A linker
//! takes an object out of an archive only when something needs it, so every function
//! also stands in a list of its file; `exported.rs` has the list of the lists.

use crate::model::Side;
use crate::model::manager::Names;

/// Whose side of its objects a function of this name is called from.
pub(crate) fn side(name: &str) -> Side {
    if name.starts_with("NdisM") && !name.starts_with("NdisMCm") {
        Side::Miniport
    } else if is_managers(name) {
        Side::Manager
    } else {
        Side::Client
    }
}

/// Whether a function of this name is a call manager's or a miniport's own.
pub(crate) fn is_managers(name: &str) -> bool {
    name.starts_with("NdisM") || name.starts_with("NdisCm")
}

/// An exported function, and what the rules say of it.
#[derive(Clone, Copy)]
pub(crate) struct Call {
    pub(crate) name: &'static str,
    /// Its name for a stand-alone call manager, where `name` is the one for an MCM.
    pub(crate) alone: Option<&'static str>,
    /// The rule that allows it at PASSIVE_LEVEL only.
    pub(crate) passive: Option<&'static str>,
    /// That rule for a stand-alone call manager.
    pub(crate) alone_passive: Option<&'static str>,
    /// The rule that forbids it while a spin lock is held.
    pub(crate) unlocked: Option<&'static str>,
    pub(crate) log: bool,
    pub(crate) switch: bool,
    /// Whether time goes on by it.
    pub(crate) time: bool,
}

impl Call {
    pub(crate) const fn new(name: &'static str) -> Self {
        Self {
            name,
            alone: None,
            passive: None,
            alone_passive: None,
            unlocked: None,
            log: true,
            switch: true,
            time: true,
        }
    }

    /// A function that call managers of both kinds call.
    pub(crate) const fn of_managers(names: Names) -> Self {
        let mut call = Self::new(names.0);
        call.alone = Some(names.1);
        call
    }

    pub(crate) const fn passive(mut self, rule: &'static str) -> Self {
        self.passive = Some(rule);
        self
    }

    /// As [`passive`](Self::passive), with a rule for each kind of call manager.
    pub(crate) const fn passive_for_both(
        mut self,
        rule: &'static str,
        alone: &'static str,
    ) -> Self {
        self.passive = Some(rule);
        self.alone_passive = Some(alone);
        self
    }

    pub(crate) const fn unlocked(mut self, rule: &'static str) -> Self {
        self.unlocked = Some(rule);
        self
    }

    /// Not worth a line in the log.
    pub(crate) const fn silent(mut self) -> Self {
        self.log = false;
        self
    }

    /// Not worth a line, and no place where anybody else could notice anything.
    pub(crate) const fn quiet(mut self) -> Self {
        self.log = false;
        self.switch = false;
        self
    }

    /// Quiet, and without time: what only some builds of a driver ask, to check themselves. The
    /// run of each build is the same.
    pub(crate) const fn timeless(self) -> Self {
        let mut call = self.quiet();
        call.time = false;
        call
    }
}

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
