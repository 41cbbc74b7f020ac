//! [`Key`]: what keeps the engine's hidden functions to these crates.

/// What calls between the engine and a base ask for: drivers have none.
///
/// # Invariants
///
/// KEY: the engine and the two bases call with it, each as the called function's text says.
#[derive(Debug)]
pub struct Key(());

impl Key {
    /// Within this crate.
    pub(crate) const fn new() -> Self {
        Self(())
    }

    /// For `ndis-mcm`.
    ///
    /// # Safety
    ///
    /// As KEY says.
    #[must_use]
    pub const unsafe fn assume() -> Self {
        Self(())
    }
}
