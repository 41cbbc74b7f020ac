//! What the engine of `ndis-co` asks its bases for.

use ndis_co::cm::Key;

/// For calls between the engine and this crate's adapters and VCs, each as the called
/// function's text says.
pub(crate) fn key() -> Key {
    // SAFETY: by KEY: this crate has the adapters, and no driver gets one from it.
    unsafe { Key::assume() }
}
