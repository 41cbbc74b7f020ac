//! [`Gates`]: what data may go on a VC, and [`Part`]: who is told.

use core::any::Any;

/// What data may go on a VC.
#[doc(hidden)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Gates {
    /// The client may send: its call is up.
    pub sends: bool,
    /// Lists may be indicated: the client knows of the call, and of no end.
    pub receives: bool,
}

/// What a base keeps on each VC.
#[doc(hidden)]
pub trait Part: Default + Send + Sync + 'static {
    /// Whether nothing is under way. When something is, the last of it has whoever counts
    /// it in go on with the VC.
    fn is_quiet(&self) -> bool;

    /// Says what may go. Called under the VC's lock.
    fn open(&self, gates: Gates);

    /// Takes something to keep until the VC is over, if it is of a kind that it keeps.
    fn keep(&self, _what: &mut dyn Any) {}

    /// The VC of this driver's own making is deleted, or was not made. Called once, without a
    /// lock.
    fn over(&self) {}
}

/// A stand-alone call manager: the miniport beneath carries the data.
impl Part for () {
    fn is_quiet(&self) -> bool {
        true
    }

    fn open(&self, _gates: Gates) {}
}
