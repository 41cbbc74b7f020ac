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

use crate::{
    Status,
    irql::{Passive, UpToDispatch},
    mem::Arc,
    nbl::Chain,
};
use core::{ffi::c_void, marker::PhantomData, ptr::NonNull};
use ndis_sys::{NDIS_STATUS, NET_BUFFER_LIST};

/// What a C argument is for safe code.
pub trait Argument<Raw>: Sized {
    /// `None` when NDIS passes what it must not.
    ///
    /// # Safety
    ///
    /// As CALLBACK says, during the call; the value is not kept beyond it unless its
    /// type says that it may be.
    unsafe fn from_ndis(raw: Raw) -> Option<Self>;
}

/// A context: an object of which NDIS has a reference.
impl<T> Argument<*mut c_void> for Arc<T> {
    unsafe fn from_ndis(raw: *mut c_void) -> Option<Self> {
        // SAFETY: by CALLBACK NDIS has a reference of its own meanwhile.
        let object = unsafe { Self::borrow_raw(raw) }?;
        Some(Self::clone(&object))
    }
}

/// What may be missing.
impl<T, A: Argument<*mut T>> Argument<*mut T> for Option<A> {
    unsafe fn from_ndis(raw: *mut T) -> Option<Self> {
        // SAFETY: the caller's contract is the same.
        Some(unsafe { A::from_ndis(raw) })
    }
}

/// A structure of NDIS's, for the time of the call.
impl<T> Argument<*mut T> for &T {
    unsafe fn from_ndis(raw: *mut T) -> Option<Self> {
        // SAFETY: by CALLBACK null or valid, and NDIS, who owns it, does not write it
        // meanwhile.
        unsafe { raw.as_ref() }
    }
}

/// Lists that are the driver's from here on.
impl Argument<*mut NET_BUFFER_LIST> for Chain {
    unsafe fn from_ndis(raw: *mut NET_BUFFER_LIST) -> Option<Self> {
        // SAFETY: by CALLBACK NDIS hands over a chain, or none.
        Some(unsafe { Self::from_raw(raw) })
    }
}

impl Argument<NDIS_STATUS> for Status {
    unsafe fn from_ndis(raw: NDIS_STATUS) -> Option<Self> {
        Some(Self::from_raw(raw))
    }
}

/// Whatever is looked at later, or not at all.
impl<T> Argument<T> for T {
    unsafe fn from_ndis(raw: T) -> Option<Self> {
        Some(raw)
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
    unsafe fn from_ndis(raw: *mut T) -> Option<Self> {
        // By CALLBACK valid when it is not null.
        NonNull::new(raw).map(|place| Self {
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

/// The level that a callback's page names.
pub trait Level: Sized {
    /// Claims it.
    ///
    /// # Safety
    ///
    /// As CALLBACK says, for the time of the call.
    unsafe fn claim() -> Self;
}

impl Level for Passive {
    unsafe fn claim() -> Self {
        // SAFETY: by CALLBACK.
        unsafe { Self::assume() }
    }
}

impl Level for UpToDispatch {
    unsafe fn claim() -> Self {
        // SAFETY: by CALLBACK.
        unsafe { Self::assume() }
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
        $(#[$doc:meta])*
        $name:ident $(<$driver:ident: $bound:ident>)?
            ($($argument:ident: $raw:ty as $safe:ty),* $(,)?) at $level:ty
            $(, else $refusal:ident -> $status:ty)? => $function:path;
    )*) => {$(
        $crate::callbacks! {
            @one [$(#[$doc])*] $name [$(<$driver: $bound>)?]
            [$($argument: $raw as $safe),*] $level [$($refusal -> $status)?] $function
        }
    )*};
    (@one [$($doc:tt)*] $name:ident [$(<$driver:ident: $bound:ident>)?]
        [$($argument:ident: $raw:ty as $safe:ty),*] $level:ty [] $function:path) => {
        $($doc)*
        unsafe extern "system" fn $name $(<$driver: $bound>)? ($($argument: $raw),*) {
            $(
                // SAFETY: by CALLBACK.
                let argument = unsafe { <$safe as $crate::callback::Argument<$raw>>::from_ndis($argument) };
                let Some($argument) = argument else { return };
            )*
            // SAFETY: by CALLBACK.
            let mut irql = unsafe { <$level as $crate::callback::Level>::claim() };
            $function($($argument,)* &mut irql);
        }
    };
    (@one [$($doc:tt)*] $name:ident [$(<$driver:ident: $bound:ident>)?]
        [$($argument:ident: $raw:ty as $safe:ty),*] $level:ty [$refusal:ident -> $status:ty] $function:path) => {
        $($doc)*
        unsafe extern "system" fn $name $(<$driver: $bound>)? ($($argument: $raw),*) -> $status {
            $(
                // SAFETY: by CALLBACK.
                let argument = unsafe { <$safe as $crate::callback::Argument<$raw>>::from_ndis($argument) };
                let Some($argument) = argument else { return $crate::Status::$refusal.raw() };
            )*
            // SAFETY: by CALLBACK.
            let mut irql = unsafe { <$level as $crate::callback::Level>::claim() };
            // SAFETY: the one answer of this call.
            let request = unsafe { $crate::answer::Request::new() };
            $function($($argument,)* request, &mut irql).into_raw()
        }
    };
}
