//! References to an object of NDIS's: what all that are counted have, and [`Weak`], which keep
//! nothing.
//!
//! An address family, a SAP, a VC, a binding and an adapter are each one allocation that NDIS
//! has a reference to, as its context, and that a driver has any number of references to. They
//! are cloned, compared and made weak in the same way, so that is written once.
//!
//! A reference that is stored holds its object, the object's parents, and so the end of the
//! binding or the adapter. Whoever stores one lets go of it when the object ends. Where that does
//! not come by itself, as with two VCs of which each has the other, or with a driver's own list of
//! all its VCs, a [`Weak`] one is stored.

use crate::{
    Status,
    key::Key,
    mem::{self, Arc},
};
use core::fmt;

/// A counted reference to an object of NDIS's. Drivers do not implement it.
///
/// # Safety
///
/// An implementation keeps the key that it is handed to itself (see [`Key`]).
pub unsafe trait Counted: Clone {
    /// The allocation.
    #[doc(hidden)]
    type Object;

    /// What is counted.
    #[doc(hidden)]
    fn object(&self, key: Key) -> &Arc<Self::Object>;

    /// A reference to an object that there was one to.
    #[doc(hidden)]
    fn of(object: Arc<Self::Object>, key: Key) -> Self;
}

/// A reference to an object that does not keep it: of a [`cm::Vc`](crate::cm::Vc), a
/// [`client::Vc`](crate::client::Vc), and of everything else that is counted.
///
/// It holds up nothing: not the close of a family, not the end of the adapter or the binding, not
/// the driver's unload. All that it keeps is a small piece of memory, which the object's weak
/// references share. Like a [`Box`](mem::Box) it is freed by whoever drops it last.
///
/// Two VCs that are joined refer to each other like this, and nobody has to part them:
///
/// ```
/// # use ndis_co::{Status, irql::Irql, lock::SpinLock, cm::{CallManager, Vc, WeakVc}};
/// # use ndis_host as _;
/// struct Line<M: CallManager> {
///     peer: SpinLock<Option<WeakVc<M>>>,
/// }
///
/// fn join<M: CallManager<Vc = Line<M>>>(one: &Vc<M>, other: &Vc<M>) -> Result<(), Status> {
///     let (to_one, to_other) = (one.downgrade()?, other.downgrade()?);
///     one.peer.set(Some(to_other));
///     other.peer.set(Some(to_one));
///     Ok(())
/// }
///
/// fn peer<M: CallManager<Vc = Line<M>>>(vc: &Vc<M>, irql: &mut impl Irql) -> Option<Vc<M>> {
///     vc.peer.with(irql, |peer, _| peer.as_ref()?.upgrade())
/// }
/// ```
pub struct Weak<R: Counted> {
    object: mem::Weak<R::Object>,
}

impl<R: Counted> Weak<R> {
    /// As `downgrade` of the reference.
    #[doc(hidden)]
    pub fn to(reference: &R) -> Result<Self, Status> {
        let object = Arc::downgrade(reference.object(Key::new()))?;
        Ok(Self { object })
    }

    /// A reference to the object, as long as there is one somewhere: NDIS's ends when the object
    /// is deleted, and the driver may have others.
    ///
    /// At or below DISPATCH_LEVEL. Two that do this at once, or one that does and the last
    /// reference's end, are no problem: the object is found or not.
    #[must_use]
    pub fn upgrade(&self) -> Option<R> {
        Some(R::of(self.object.upgrade()?, Key::new()))
    }

    /// Whether both refer to the same object, which may have gone.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        self.object.ptr_eq(&other.object)
    }
}

impl<R: Counted> Clone for Weak<R> {
    fn clone(&self) -> Self {
        Self {
            object: self.object.clone(),
        }
    }
}

impl<R: Counted> fmt::Debug for Weak<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.object.fmt(f)
    }
}

/// Makes a type with a field `shared: Arc<..>` a counted reference.
#[doc(hidden)]
#[macro_export]
macro_rules! reference {
    ($name:ident<$driver:ident: $bound:path> to $object:ident, $kept:literal, $what:literal) => {
        impl<$driver: $bound> Clone for $name<$driver> {
            fn clone(&self) -> Self {
                Self {
                    shared: self.shared.clone(),
                }
            }
        }

        impl<$driver: $bound> $name<$driver> {
            #[doc = concat!("Whether both are the same ", $what, ".")]
            #[must_use]
            pub fn is(&self, other: &Self) -> bool {
                $crate::mem::Arc::ptr_eq(&self.shared, &other.shared)
            }

            #[doc = concat!("A reference that does not keep the ", $kept, ".")]
            ///
            /// At or below DISPATCH_LEVEL. The first one of an object takes a little memory.
            ///
            /// # Errors
            ///
            /// `Status::RESOURCES`.
            pub fn downgrade(&self) -> Result<$crate::reference::Weak<Self>, $crate::Status> {
                $crate::reference::Weak::to(self)
            }
        }

        // SAFETY: the key goes no further.
        unsafe impl<$driver: $bound> $crate::reference::Counted for $name<$driver> {
            type Object = $object<$driver>;

            fn object(&self, _: $crate::key::Key) -> &$crate::mem::Arc<Self::Object> {
                &self.shared
            }

            fn of(shared: $crate::mem::Arc<Self::Object>, _: $crate::key::Key) -> Self {
                Self { shared }
            }
        }
    };
}
