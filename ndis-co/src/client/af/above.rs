//! [`Above`]: what a client's VC knows of the VC that is joined to it.

use crate::{Status, irql::UpToDispatch};
use core::any::Any;

/// What a client's VC keeps of the one above that shares it. Whoever is no call manager has none.
#[doc(hidden)]
pub trait Above: Default + Send + Sync + 'static {
    /// Takes the VC above to keep, if it is of a kind that it keeps; without one, lets go of the one
    /// that it has kept.
    fn keep(&self, _what: Option<&mut dyn Any>) {}

    /// The call of this number is over: ends the one on the VC above, if that is for this call, and
    /// lets go of it. Called without a lock.
    fn end(&self, _number: u32, _status: Status, _irql: &mut UpToDispatch) {}
}

/// A driver that is a client alone.
impl Above for () {}
