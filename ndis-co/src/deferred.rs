//! [`Deferred`]: what an object leaves to its scope's work item.
//!
//! A destructor knows neither its level nor whether a lock is held, a step that would
//! use up the stack wants another one, and what was refused is tried again a little
//! later. All of that is done by the work item of the [`Scope`], at PASSIVE_LEVEL with no
//! lock held. The list of what waits there runs through the objects themselves, so that
//! leaving work there cannot fail; each queued object holds a reference to itself.

use crate::{
    backlog::{Link, Queued},
    irql::Passive,
    mem::Arc,
    scope::Scope,
};
use core::{ffi::c_void, fmt, marker::PhantomData};

/// An object with a place in its scope's list; `W` tells several apart.
pub trait Deferred<W = ()>: Sized + Send + Sync + 'static {
    /// The object's place in the list: a field, always the same one.
    fn node(&self) -> &Node<Self, W>;

    /// Whose work item does the work.
    fn scope(&self) -> &Scope;

    /// Does the work.
    fn run(this: Arc<Self>, irql: &mut Passive);

    /// Has the work done soon, once however often it was asked for before it begins. Work
    /// that waits for [later](Self::defer_later) already is not brought forward: that is 64
    /// milliseconds at most.
    fn defer(this: &Arc<Self>) {
        Self::queue(this, Scope::defer);
    }

    /// As [`defer`](Self::defer), a little later: for what the other side has just
    /// refused. As long as there is nothing but refusals, the pauses grow from one
    /// millisecond to 64.
    fn defer_later(this: &Arc<Self>) {
        Self::queue(this, Scope::defer_later);
    }

    #[doc(hidden)]
    fn queue(this: &Arc<Self>, how: fn(&Scope, Queued)) {
        let reference = || Arc::into_raw(this.clone());
        // SAFETY: it is this object's link, made for its type, and lives as long as it.
        if let Some(queued) = unsafe { this.node().link.wait(reference) } {
            how(this.scope(), queued);
        }
    }
}

/// Invariant in both.
type Of<T, W> = fn(T, W) -> (T, W);

/// The place of an object of type `T` in its scope's list.
pub struct Node<T, W = ()> {
    link: Link,
    // Of one type only: the node makes references to objects of that type.
    _object: PhantomData<Of<T, W>>,
}

impl<T: Deferred<W>, W> Node<T, W> {
    /// A place that is in no list.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            link: Link::new(run::<T, W>),
            _object: PhantomData,
        }
    }
}

impl<T: Deferred<W>, W> Default for Node<T, W> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T, W> fmt::Debug for Node<T, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Node").finish_non_exhaustive()
    }
}

/// Does the work of an object.
///
/// # Safety
///
/// `object` is a reference that [`Deferred::queue`] gave away, and is handed over.
unsafe fn run<T: Deferred<W>, W>(object: *mut c_void, irql: &mut Passive) {
    // SAFETY: by the caller; a node of `T` and `W` is in no object of another type.
    if let Some(object) = unsafe { Arc::<T>::from_raw(object) } {
        T::run(object, irql);
    }
}
