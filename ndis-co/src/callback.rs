//! [`callbacks!`](crate::callbacks): the C side of a driver.
//!
//! NDIS calls a driver through tables of C functions. Each function here does the same:
//! it turns NDIS's arguments into safe values, fails closed when one is impossible,
//! claims the level that the callback's page names, and calls a safe Rust function that
//! holds no lock. So all of them are written by one macro, from one line each.
//!
//! # Invariants
//!
//! CALLBACK: the functions that [`callbacks!`](crate::callbacks) makes are private to the
//! module that puts them into NDIS's tables, and nobody but NDIS calls them: with the
//! contexts that the driver gave it and has not got back (see
//! [`Lent`](crate::mem::Lent)), with pointers that are null or valid for the time of the
//! call, at the level of the callback's page and with no lock of the driver held.

use crate::{Status, family::AddressFamily, mark, mem::Arc, nbl::Chain};
use core::{ffi::c_void, marker::PhantomData, ptr::NonNull};
use ndis_sys::{CO_ADDRESS_FAMILY, NDIS_STATUS, NET_BUFFER_LIST};

/// A C argument of a callback that runs.
///
/// # Invariants
///
/// ARGUMENT: as CALLBACK says, during the call; a context is that of an `A`, or of what an
/// `A` is made of.
#[derive(Debug)]
pub struct FromNdis<Raw, A> {
    raw: Raw,
    // Of one type only: a subtype may be made of something else.
    _is: PhantomData<fn(A) -> A>,
}

impl<Raw, A> FromNdis<Raw, A> {
    /// # Safety
    ///
    /// As ARGUMENT says.
    pub unsafe fn new(raw: Raw) -> Self {
        let _is = PhantomData;
        Self { raw, _is }
    }

    /// The argument itself: a context, of which alone something may be known, or a pointer
    /// that is not looked at here.
    #[must_use]
    pub fn raw(&self) -> Raw
    where
        Raw: Copy,
    {
        self.raw
    }
}

impl<Raw: Copy, A> FromNdis<Raw, A> {
    /// The argument as it came.
    pub(crate) fn argument(&self) -> Raw {
        self.raw
    }
}

impl<A> FromNdis<*mut c_void, A> {
    /// A context that is an object's of which an `A` is made: NDIS has a reference to it.
    ///
    /// # Safety
    ///
    /// `T` is the type of the object.
    pub unsafe fn object<T>(self) -> Option<Arc<T>> {
        let object = mark::without(self.raw);
        // SAFETY: by the caller, and by CALLBACK NDIS has a reference of its own meanwhile.
        let object = unsafe { Arc::borrow_raw(object) }?;
        Some(Arc::clone(&object))
    }
}

/// What a C argument is for safe code.
pub trait Argument<Raw>: Sized {
    /// `None` when NDIS passes what it must not. The value is not kept beyond the call unless
    /// its type says that it may be.
    fn from_ndis(argument: FromNdis<Raw, Self>) -> Option<Self>;
}

/// A context: an object of which NDIS has a reference.
impl<T> Argument<*mut c_void> for Arc<T> {
    fn from_ndis(argument: FromNdis<*mut c_void, Self>) -> Option<Self> {
        // SAFETY: by ARGUMENT.
        unsafe { argument.object() }
    }
}

/// A context that is looked at later in the call, if at all.
impl<A> Argument<*mut c_void> for FromNdis<*mut c_void, A> {
    fn from_ndis(argument: FromNdis<*mut c_void, Self>) -> Option<Self> {
        // By ARGUMENT: it is what an `A` is made of.
        let (raw, _is) = (argument.raw, PhantomData);
        Some(Self { raw, _is })
    }
}

/// What may be missing.
impl<T, A: Argument<*mut T>> Argument<*mut T> for Option<A> {
    fn from_ndis(argument: FromNdis<*mut T, Self>) -> Option<Self> {
        // By ARGUMENT: it is what an `A` is made of.
        let (raw, _is) = (argument.raw, PhantomData);
        Some(A::from_ndis(FromNdis { raw, _is }))
    }
}

/// A structure of NDIS's, for the time of the call.
impl<T> Argument<*mut T> for &T {
    fn from_ndis(argument: FromNdis<*mut T, Self>) -> Option<Self> {
        // SAFETY: by ARGUMENT null or valid, and NDIS, who owns it, does not write it
        // meanwhile.
        unsafe { argument.raw.as_ref() }
    }
}

/// By value: a client may give the structure back as soon as its family is open, which may be before
/// the callback returns that is told of it.
impl Argument<*mut CO_ADDRESS_FAMILY> for AddressFamily {
    fn from_ndis(argument: FromNdis<*mut CO_ADDRESS_FAMILY, Self>) -> Option<Self> {
        // By ARGUMENT: it is what a reference is made of.
        let (raw, _is) = (argument.raw, PhantomData);
        let family: &CO_ADDRESS_FAMILY = Argument::from_ndis(FromNdis { raw, _is })?;
        Some(Self::from_raw(family))
    }
}

/// Lists that are the driver's from here on.
impl Argument<*mut NET_BUFFER_LIST> for Chain {
    fn from_ndis(argument: FromNdis<*mut NET_BUFFER_LIST, Self>) -> Option<Self> {
        // SAFETY: by ARGUMENT NDIS hands over a chain, or none.
        Some(unsafe { Self::from_raw(argument.raw) })
    }
}

impl Argument<NDIS_STATUS> for Status {
    fn from_ndis(argument: FromNdis<NDIS_STATUS, Self>) -> Option<Self> {
        Some(Self::from_raw(argument.raw))
    }
}

/// Whatever is looked at later, or not at all.
impl<T> Argument<T> for T {
    fn from_ndis(argument: FromNdis<T, Self>) -> Option<Self> {
        Some(argument.raw)
    }
}

/// Where a callback leaves a result.
///
/// # Invariants
///
/// OUT: valid for a write during the callback that it is an argument of.
#[derive(Debug)]
pub struct Out<'c, T> {
    place: NonNull<T>,
    _call: PhantomData<&'c mut T>,
}

impl<T> Argument<*mut T> for Out<'_, T> {
    fn from_ndis(argument: FromNdis<*mut T, Self>) -> Option<Self> {
        // By ARGUMENT valid when it is not null.
        NonNull::new(argument.raw).map(|place| Self {
            place,
            _call: PhantomData,
        })
    }
}

impl<T> Out<'_, T> {
    /// Leaves the result there.
    pub fn set(self, value: T) {
        // SAFETY: by OUT; the borrow of the callback is not over.
        unsafe { self.place.write(value) };
    }
}

/// Writes C functions that call safe ones: `name: (C types as safe types) at level`, and
/// what answers.
///
/// A function with `-> NDIS_STATUS` gets a [`Request`](crate::answer::Request) after its
/// arguments, and the level last; it returns the [`Answer`](crate::Answer). One without
/// gets the level only.
#[doc(hidden)]
#[macro_export]
macro_rules! callbacks {
    ($(
        $(#[doc = $doc:literal])*
        $name:ident $(<$driver:ident: $bound:ident>)?
            ($($argument:ident: $raw:ty as $safe:ty),* $(,)?) at $level:ty
            $(, else $refusal:ident -> $status:ty)? => $function:path;
    )*) => {$(
        $crate::callbacks! {
            @one [$($doc)*] $name [$(<$driver: $bound>)?]
            [$($argument: $raw as $safe),*] $level [$($refusal -> $status)?] $function
        }
    )*};
    (@one [$($doc:literal)*] $name:ident [$(<$driver:ident: $bound:ident>)?]
        [$($argument:ident: $raw:ty as $safe:ty),*] $level:ty [] $function:path) => {
        $(#[doc = $doc])*
        unsafe extern "system" fn $name $(<$driver: $bound>)? ($($argument: $raw),*) {
            $(
                // SAFETY: by CALLBACK.
                let argument = unsafe { $crate::callback::FromNdis::new($argument) };
                let argument = <$safe as $crate::callback::Argument<$raw>>::from_ndis(argument);
                let Some($argument) = argument else { return };
            )*
            // SAFETY: by CALLBACK.
            let mut irql = unsafe { <$level>::assume() };
            $function($($argument,)* &mut irql);
        }
    };
    (@one [$($doc:literal)*] $name:ident [$(<$driver:ident: $bound:ident>)?]
        [$($argument:ident: $raw:ty as $safe:ty),*] $level:ty [$refusal:ident -> $status:ty] $function:path) => {
        $(#[doc = $doc])*
        unsafe extern "system" fn $name $(<$driver: $bound>)? ($($argument: $raw),*) -> $status {
            $(
                // SAFETY: by CALLBACK.
                let argument = unsafe { $crate::callback::FromNdis::new($argument) };
                let argument = <$safe as $crate::callback::Argument<$raw>>::from_ndis(argument);
                let Some($argument) = argument else { return $crate::Status::$refusal.raw() };
            )*
            // SAFETY: by CALLBACK.
            let mut irql = unsafe { <$level>::assume() };
            // SAFETY: the one answer of this call.
            let request = unsafe { $crate::answer::Request::new() };
            $function($($argument,)* request, &mut irql).into_raw()
        }
    };
}
