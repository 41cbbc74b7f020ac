//! [`Watched`]: lists of which somebody wants to know what became of their clones.

use super::{Chain, Original, clone::sealed};
use crate::{Status, irql::UpToDispatch};
use core::fmt;

/// Who wants to know what became of the clones of an [`Original`].
///
/// ```
/// # use core::sync::atomic::{AtomicU64, Ordering};
/// # use ndis_co::{Status, client::{Client, Kept}, mem::Arc, nbl::Watch};
/// # use ndis_host as _;
/// /// Counts the lists whose clones have all arrived.
/// struct Arrived(Arc<AtomicU64>);
///
/// impl<C: Client> Watch<Kept<C>> for Arrived {
///     fn gone(self, kept: &Kept<C>, status: Status) {
///         if status.is_success() {
///             self.0.fetch_add(kept.iter().count() as u64, Ordering::Relaxed);
///         }
///     }
/// }
/// ```
pub trait Watch<O>: Send + 'static {
    /// The last clone is freed, and the original goes back with this status right after.
    fn gone(self, original: &O, status: Status);
}

/// An [`Original`] with somebody who hears what became of its clones.
///
/// ```
/// # use ndis_co::{channel::{Channel, SendLists}, nbl::{Parent, ParentError, Watch, Watched}};
/// # use ndis_host as _;
/// fn parent<V: Channel, W: Watch<SendLists<V>>>(
///     lists: SendLists<V>,
///     watch: W,
/// ) -> Result<Parent<Watched<SendLists<V>, W>>, SendLists<V>> {
///     Parent::try_new(Watched::new(lists, watch)).map_err(|refused| refused.original.into_parts().0)
/// }
/// ```
pub struct Watched<O, W> {
    original: O,
    watch: W,
}

impl<O: Original, W: Watch<O>> Watched<O, W> {
    /// Lists, and who is to know.
    pub const fn new(original: O, watch: W) -> Self {
        Self { original, watch }
    }

    /// Both again: there are no clones.
    pub fn into_parts(self) -> (O, W) {
        (self.original, self.watch)
    }
}

impl<O: Original, W: Watch<O>> sealed::Sealed for Watched<O, W> {}

impl<O: Original, W: Watch<O>> Original for Watched<O, W> {
    fn chain(&self) -> &Chain {
        self.original.chain()
    }

    fn can_be_parent(&mut self) -> bool {
        self.original.can_be_parent()
    }

    fn clones_gone(self, status: Status, irql: Option<&mut UpToDispatch>) {
        self.watch.gone(&self.original, status);
        self.original.clones_gone(status, irql);
    }
}

impl<O, W> fmt::Debug for Watched<O, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watched").finish_non_exhaustive()
    }
}
