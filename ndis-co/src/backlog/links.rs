//! [`List`]: a list that runs through the objects whose work waits.

use crate::{irql::Passive, raw::Token};
use core::{
    ffi::c_void,
    fmt, ptr,
    sync::atomic::{AtomicBool, AtomicPtr, Ordering},
};

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

    /// The link as one that waits, unless it does already.
    ///
    /// # Safety
    ///
    /// `reference` makes a reference of the object that lends this link, for its function.
    pub(crate) unsafe fn wait(&self, reference: impl FnOnce() -> *mut c_void) -> Option<Queued> {
        if self.queued.swap(true, Ordering::AcqRel) {
            return None;
        }
        self.object.store(reference(), Ordering::Relaxed);
        Some(Queued(Token(ptr::from_ref(self).cast_mut())))
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
