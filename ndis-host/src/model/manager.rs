//! What a call manager stands on: it is an adapter's or a binding's, never assumed. And the
//! names by which each kind knows the functions that both call.

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

/// The two names of a function that both kinds of call manager call: an MCM's, and a
/// stand-alone call manager's. What they call is one symbol.
#[derive(Clone, Copy)]
pub(crate) struct Names(pub(crate) &'static str, pub(crate) &'static str);

/// Completions that a call manager may owe.
impl Names {
    pub(crate) const OPEN_AF_COMPLETE: Self = Self(
        "NdisMCmOpenAddressFamilyComplete",
        "NdisCmOpenAddressFamilyComplete",
    );
    pub(crate) const CLOSE_AF_COMPLETE: Self = Self(
        "NdisMCmCloseAddressFamilyComplete",
        "NdisCmCloseAddressFamilyComplete",
    );
    pub(crate) const REGISTER_SAP_COMPLETE: Self =
        Self("NdisMCmRegisterSapComplete", "NdisCmRegisterSapComplete");
    pub(crate) const DEREGISTER_SAP_COMPLETE: Self = Self(
        "NdisMCmDeregisterSapComplete",
        "NdisCmDeregisterSapComplete",
    );
    pub(crate) const MAKE_CALL_COMPLETE: Self =
        Self("NdisMCmMakeCallComplete", "NdisCmMakeCallComplete");
    pub(crate) const CLOSE_CALL_COMPLETE: Self =
        Self("NdisMCmCloseCallComplete", "NdisCmCloseCallComplete");
}
