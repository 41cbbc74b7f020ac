//! [`Deferred`]: what an object leaves to its owner's work item.
//!
//! A destructor knows neither its level nor whether a lock is held, a step that would
//! use up the stack wants another one, and what was refused is tried again a little
//! later. All of that is done by the work item of the [`Owner`], at PASSIVE_LEVEL with no
//! lock held. The list of what waits there runs through the objects themselves, so that
//! leaving work there cannot fail; each queued object holds a reference to itself.

use crate::{irql::Passive, mem::Arc, owner::Owner, raw::Token};
use core::{
    ffi::c_void,
    fmt,
    marker::PhantomData,
    ptr,
    sync::atomic::{AtomicBool, AtomicPtr, Ordering},
};

/// An object with a place in its owner's list; `W` tells several apart.
pub trait Deferred<W = ()>: Sized + Send + Sync + 'static {
    /// The object's place in the list: a field, always the same one.
    fn node(&self) -> &Node<Self, W>;

    /// Whose work item does the work.
    fn owner(&self) -> &Owner;

    /// Does the work.
    fn run(this: Arc<Self>, irql: &mut Passive);

    /// Has the work done soon, once however often it was asked for before it begins. Work
    /// that waits for [later](Self::defer_later) already is not brought forward: that is 64
    /// milliseconds at most.
    fn defer(this: &Arc<Self>) {
        Self::queue(this, Owner::defer);
    }

    /// As [`defer`](Self::defer), a little later: for what the other side has just
    /// refused. As long as there is nothing but refusals, the pauses grow from one
    /// millisecond to 64.
    fn defer_later(this: &Arc<Self>) {
        Self::queue(this, Owner::defer_later);
    }

    #[doc(hidden)]
    fn queue(this: &Arc<Self>, how: fn(&Owner, Queued)) {
        let link = &this.node().link;
        if link.queued.swap(true, Ordering::AcqRel) {
            return;
        }
        let object = Arc::into_raw(this.clone());
        link.object.store(object, Ordering::Relaxed);
        how(this.owner(), Queued(Token(ptr::from_ref(link).cast_mut())));
    }
}

/// A link that waits for its work, or is about to.
///
/// # Invariants
///
/// QUEUED: it is in no list but that which has this value, and has a reference to its object
/// with it. The object lends the link for as long as it is shared, so for as long as there is
/// the reference.
pub struct Queued(Token<Link>);

impl Queued {
    fn link(&self) -> &Link {
        // SAFETY: QUEUED.
        unsafe { &*self.0.0 }
    }
}

impl fmt::Debug for Queued {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queued").finish_non_exhaustive()
    }
}

/// Invariant in both.
type Of<T, W> = fn(T, W) -> (T, W);

/// The place of an object of type `T` in its owner's list.
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

/// What a list sees of a node.
pub struct Link {
    /// Under the lock of the list that it is in.
    next: AtomicPtr<Link>,
    queued: AtomicBool,
    /// The reference that goes with a queued link.
    object: AtomicPtr<c_void>,
    run: unsafe fn(*mut c_void, &mut Passive),
}

impl Link {
    pub(crate) const fn new(run: unsafe fn(*mut c_void, &mut Passive)) -> Self {
        Self {
            next: AtomicPtr::new(ptr::null_mut()),
            queued: AtomicBool::new(false),
            object: AtomicPtr::new(ptr::null_mut()),
            run,
        }
    }

    /// Says for which object.
    #[cfg(test)]
    pub(crate) fn stands_for(&self, object: *mut c_void) {
        self.object.store(object, Ordering::Relaxed);
    }

    /// The link as one that waits.
    ///
    /// # Safety
    ///
    /// It is in no list, and outlives the result; the object is not used.
    #[cfg(test)]
    pub(crate) unsafe fn queued(&self) -> Queued {
        Queued(Token(ptr::from_ref(self).cast_mut()))
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").finish_non_exhaustive()
    }
}

/// Links in the order in which they came.
///
/// # Invariants
///
/// LINKS: from `first`, following the next pointers, there are links as QUEUED says, and the
/// last one is `last`.
pub(crate) struct List {
    first: Option<Queued>,
    last: Token<Link>,
}

impl List {
    pub(crate) const fn new() -> Self {
        Self {
            first: None,
            last: Token::null(),
        }
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    pub(crate) fn push(&mut self, link: Queued) {
        self.append(Self {
            last: link.0,
            first: Some(link),
        });
    }

    /// Takes the first piece of work out; its object may be queued again.
    pub(crate) fn next(&mut self) -> Option<Job> {
        let first = self.first.take()?;
        let link = first.link();
        let next = link.next.swap(ptr::null_mut(), Ordering::Relaxed);
        self.first = (!next.is_null()).then_some(Queued(Token(next)));
        let job = Job {
            object: Token(link.object.load(Ordering::Relaxed)),
            run: link.run,
        };
        link.queued.store(false, Ordering::Release);
        Some(job)
    }

    /// Appends what `other` holds.
    pub(crate) fn append(&mut self, other: Self) {
        let Some(first) = other.first else {
            return;
        };
        if self.first.is_none() {
            self.first = Some(first);
        } else {
            // SAFETY: by LINKS the last link, which this list has.
            let last = unsafe { &*self.last.0 };
            last.next.store(first.0.0, Ordering::Relaxed);
        }
        self.last = other.last;
    }
}

/// One piece of work, with the reference of its object.
pub(crate) struct Job {
    object: Token,
    run: unsafe fn(*mut c_void, &mut Passive),
}

impl Job {
    /// Does it.
    pub(crate) fn run(self, irql: &mut Passive) {
        // SAFETY: by QUEUED the reference came with the link, whose own function this is.
        unsafe { (self.run)(self.object.0, irql) };
    }

    /// Whether it came from this link.
    #[cfg(test)]
    pub(crate) fn is_of(&self, link: &Link) -> bool {
        self.object.0 == link.object.load(Ordering::Relaxed)
    }
}
