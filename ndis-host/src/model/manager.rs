//! What a call manager stands on: it is an adapter's or a binding's, never assumed.

use crate::export::Names;

/// A call manager, by what it stands on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Manager {
    /// A miniport call manager: an adapter of a miniport driver.
    Mcm { adapter: u32 },
    /// A stand-alone call manager: a binding of a protocol driver.
    Alone { binding: u32 },
}

impl Manager {
    /// The name by which this call manager knows a function.
    pub(crate) const fn name(self, names: Names) -> &'static str {
        match self {
            Self::Mcm { .. } => names.0,
            Self::Alone { .. } => names.1,
        }
    }
}
