//! The interrupt request level as a proof that is passed along.
//!
//! Windows documents, for every call, the highest level at which it may be
//! made, and checks nothing. Here a level is a zero-sized value: a callback is
//! lent the proof of the level at which NDIS called it, a call that needs a
//! level demands the proof. A proof can be neither made nor sent to another
//! thread, and [`SpinLock::with`](crate::lock::SpinLock::with) borrows it
//! exclusively as long as the lock is held. So none of these compiles:
//!
//! - a PASSIVE_LEVEL call from a callback that may run at DISPATCH_LEVEL,
//! - a PASSIVE_LEVEL call while a spin lock is held,
//! - a call that may re-enter the driver through its peer (a completion, a
//!   dispatch, a send) while a spin lock is held (rule [GEN-01]),
//! - a proof that travels to another thread, whose level is another one.
//!
//! | type | proves | lent by |
//! |---|---|---|
//! | [`Passive`] | exactly PASSIVE_LEVEL, no spin lock held | initialize, halt, pause, bind, work items |
//! | [`UpToDispatch`] | at most DISPATCH_LEVEL, no spin lock held | call and data callbacks, timers |
//! | [`AtDispatch`] | DISPATCH_LEVEL, a spin lock is held | [`SpinLock::with`](crate::lock::SpinLock::with), to its closure |
//!
//! [GEN-01]: ndis_sys::rules#GEN-01

/// Keeps a proof on its thread: raw pointers are neither `Send` nor `Sync`.
/// The compiler's message names what they point to; an array, because its
/// message does not lead into the sources of `core` as `PhantomData` would.
type NotSend = [*mut LevelOfThisThread; 0];

/// The level is that of one thread only; there is no such value.
enum LevelOfThisThread {}

mod sealed {
    pub trait Sealed {}
}

/// A proof of some level at or below DISPATCH_LEVEL.
///
/// Implemented by [`Passive`], [`UpToDispatch`] and [`AtDispatch`] only.
///
/// ```
/// # use ndis_co::{irql::Irql, lock::SpinLock};
/// # use ndis_host as _;
/// /// At any level that a callback has, also under another lock.
/// fn count(calls: &SpinLock<u32>, irql: &mut impl Irql) {
///     calls.with(irql, |calls, _| *calls += 1);
/// }
/// ```
///
/// Source page: [`KeGetCurrentIrql`](https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-kegetcurrentirql).
#[doc(alias = "KeGetCurrentIrql")]
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no proof of an IRQL",
    note = "pass on the `irql` argument that the callback lent you (see `ndis_co::irql`)"
)]
pub trait Irql: sealed::Sealed {}

/// A proof that this call chain holds no spin lock.
///
/// Demanded by every call after which NDIS may run the peer's callback, and
/// through it this driver again, before it returns (rule [GEN-01]). The
/// [`AtDispatch`] that a lock lends to its closure does not implement it.
///
/// ```
/// # use ndis_co::{client::{Client, Vc}, irql::NoLock, lock::SpinLock};
/// # use ndis_host as _;
/// /// What is needed is taken out of the lock first.
/// fn hang_up<C: Client>(kept: &SpinLock<Option<Vc<C>>>, irql: &mut impl NoLock) {
///     let vc = kept.with(irql, |kept, _| kept.take());
///     if let Some(vc) = vc {
///         // It cannot fail without data.
///         let _ = vc.hang_up(&[], irql);
///     }
/// }
/// ```
///
/// [GEN-01]: ndis_sys::rules#GEN-01
#[diagnostic::on_unimplemented(
    message = "this call may re-enter the driver and cannot be made while a spin lock is held",
    label = "`{Self}` proves that a lock is held",
    note = "rule GEN-01: take what is needed out of the lock, and make the call when `SpinLock::with` has returned, \
            with the `irql` that the callback lent you"
)]
pub trait NoLock: Irql {
    /// The same proof without the knowledge that the level is PASSIVE_LEVEL.
    fn up_to_dispatch(&mut self) -> &mut UpToDispatch;
}

/// A proof of exactly PASSIVE_LEVEL: [`Passive`].
///
/// Demanded by every call that NDIS documents for PASSIVE_LEVEL only, waiting
/// among them.
///
/// ```
/// # use ndis_co::{event::Event, irql::AtPassive};
/// # use ndis_host as _;
/// fn wait(done: &Event, irql: &mut impl AtPassive) {
///     done.wait(irql);
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "this call is for PASSIVE_LEVEL only",
    label = "`{Self}` does not prove PASSIVE_LEVEL",
    note = "make it where NDIS lends a `Passive`, or have a `WorkItem` make it: its `Work::run` is lent one",
    note = "under a spin lock the level is DISPATCH_LEVEL: make the call when `SpinLock::with` has returned"
)]
pub trait AtPassive: NoLock {
    /// The proof itself.
    fn passive(&mut self) -> &mut Passive;
}

impl AtPassive for Passive {
    #[inline]
    fn passive(&mut self) -> &mut Passive {
        self
    }
}

/// Proof of PASSIVE_LEVEL with no spin lock held.
///
/// ```
/// # use ndis_co::{Status, irql::Passive, service::ServiceKey};
/// # use ndis_host as _;
/// /// Only a callback at PASSIVE_LEVEL has the proof to pass on.
/// fn lines(key: &ServiceKey<'_>, irql: &mut Passive) -> Result<u32, Status> {
///     Ok(key.parameter("Lines", irql)?.unwrap_or(4))
/// }
/// ```
#[derive(Debug)]
#[doc(alias = "PASSIVE_LEVEL")]
pub struct Passive {
    lowered: UpToDispatch,
}

/// Proof of a level at or below DISPATCH_LEVEL with no spin lock held.
///
/// The exact level is unknown: most CoNDIS callbacks are documented as
/// "`<= DISPATCH_LEVEL`".
///
/// ```
/// # use ndis_co::{Status, client::{Client, Vc}, irql::{NoLock, Passive, UpToDispatch}, nbl::NetBufferLists};
/// # use ndis_host as _;
/// /// As most callbacks are called.
/// fn say<C: Client>(vc: &Vc<C>, lists: NetBufferLists, irql: &mut UpToDispatch) -> Result<(), Status> {
///     Ok(vc.send(lists, irql)?)
/// }
///
/// /// From one that is called at PASSIVE_LEVEL.
/// fn begin<C: Client>(vc: &Vc<C>, lists: NetBufferLists, irql: &mut Passive) -> Result<(), Status> {
///     say(vc, lists, irql.up_to_dispatch())
/// }
/// ```
#[derive(Debug)]
#[doc(alias = "DISPATCH_LEVEL")]
pub struct UpToDispatch {
    _not_send: NotSend,
}

/// Proof of DISPATCH_LEVEL with a spin lock held.
///
/// ```
/// # use ndis_co::{irql::Irql, lock::SpinLock};
/// # use ndis_host as _;
/// /// One lock within another: the closure is lent the proof for it.
/// fn carry_over(from: &SpinLock<u32>, to: &SpinLock<u32>, irql: &mut impl Irql) {
///     from.with(irql, |from, irql| {
///         to.with(irql, |to, _| *to += core::mem::take(from));
///     });
/// }
/// ```
#[derive(Debug)]
#[doc(alias = "DISPATCH_LEVEL")]
pub struct AtDispatch {
    _not_send: NotSend,
}

impl sealed::Sealed for Passive {}
impl sealed::Sealed for UpToDispatch {}
impl sealed::Sealed for AtDispatch {}
impl Irql for Passive {}
impl Irql for UpToDispatch {}
impl Irql for AtDispatch {}

impl NoLock for Passive {
    #[inline]
    fn up_to_dispatch(&mut self) -> &mut UpToDispatch {
        &mut self.lowered
    }
}

impl NoLock for UpToDispatch {
    #[inline]
    fn up_to_dispatch(&mut self) -> &mut UpToDispatch {
        self
    }
}

/// In debug builds, stops at the first wrong claim about the level. (Not under
/// Miri, which would spend a third of its time here; nor on x86, where only the
/// HAL can tell: a driver that asks would import from a third module.)
#[inline]
#[track_caller]
fn check(_highest: u8) {
    #[cfg(all(debug_assertions, not(miri), not(target_arch = "x86")))]
    {
        // SAFETY: KeGetCurrentIrql has no precondition: any level, any thread.
        let level = unsafe { ndis_sys::KeGetCurrentIrql() };
        if level > _highest {
            crate::bugcheck::bug_check(crate::bugcheck::Reason::WrongIrql);
        }
    }
}

impl Passive {
    /// Claims that the code runs at PASSIVE_LEVEL and holds no spin lock.
    ///
    /// The one way from unchecked code, such as a thread or a dispatch
    /// routine of another framework, into this crate. Debug builds, but not on
    /// x86, check the level and stop the system (bug check) when the claim is
    /// false.
    ///
    /// # Safety
    ///
    /// For the whole life of the returned value the current thread runs at
    /// PASSIVE_LEVEL and holds no spin lock.
    #[inline]
    #[must_use]
    #[track_caller]
    pub unsafe fn assume() -> Self {
        check(0);
        Self {
            lowered: UpToDispatch { _not_send: [] },
        }
    }
}

impl UpToDispatch {
    /// Claims that the code runs at or below DISPATCH_LEVEL and holds no spin
    /// lock.
    ///
    /// # Safety
    ///
    /// For the whole life of the returned value the current thread runs at or
    /// below DISPATCH_LEVEL and holds no spin lock.
    #[inline]
    #[must_use]
    #[track_caller]
    pub unsafe fn assume() -> Self {
        check(2);
        Self { _not_send: [] }
    }
}

impl AtDispatch {
    /// Claims that the code runs at DISPATCH_LEVEL.
    ///
    /// # Safety
    ///
    /// For the whole life of the returned value the current thread runs at
    /// DISPATCH_LEVEL.
    #[inline]
    #[must_use]
    #[track_caller]
    pub unsafe fn assume() -> Self {
        check(2);
        Self { _not_send: [] }
    }
}
