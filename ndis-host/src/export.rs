//! The symbols of `ndis.sys` and `ntoskrnl.exe` that this crate defines.
//!
//! Each is defined by [`exports`] and described to the border by a [`Call`]. A linker
//! takes an object out of an archive only when something needs it, so every function
//! also stands in a list of its file; `exported.rs` has the list of the lists.

/// An exported function, and what the rules say of it.
#[derive(Clone, Copy)]
pub(crate) struct Call {
    pub(crate) name: &'static str,
    /// The rule that allows it at PASSIVE_LEVEL only.
    pub(crate) passive: Option<&'static str>,
    /// The rule that forbids it while a spin lock is held.
    pub(crate) unlocked: Option<&'static str>,
    pub(crate) log: bool,
    pub(crate) switch: bool,
}

impl Call {
    pub(crate) const fn new(name: &'static str) -> Self {
        Self {
            name,
            passive: None,
            unlocked: None,
            log: true,
            switch: true,
        }
    }

    pub(crate) const fn passive(mut self, rule: &'static str) -> Self {
        self.passive = Some(rule);
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
