//! Data on a VC that this driver carries: [`SendLists`] from the client, and indications
//! to it.
//!
//! A miniport call manager and a connection-oriented miniport that is none carry data in
//! the same way, so this is written once, over a [`Channel`]: the VC of either.
//!
//! What is under way is counted on the VC, in one word (`traffic.rs`), and on the adapter: each list that
//! is indicated, for they come back in any grouping, but lists that are sent once for each
//! [`SendLists`], however many are in it. There is no lock and no reference on the way: by TRAFFIC what is
//! counted keeps the VC, and the VC its adapter.

mod early;
mod error;
mod held;
mod statistics;
mod status;

#[doc(hidden)]
pub use early::{Early, indicate_early};
pub use error::IndicateError;
#[doc(hidden)]
pub use held::{Held, OfVc};
pub use statistics::Statistics;
#[doc(hidden)]
pub use status::indicate_status;

use crate::{
    Status,
    armed::{Alarm, Armed},
    bugcheck::{Reason, bug_check},
    cm::{Gates, Part},
    irql::{NoLock, UpToDispatch},
    key::Key,
    lock::SpinLock,
    mem::Arc,
    nbl::{
        Chain, ListView, Lists, NetBufferLists, Original, Packets,
        clone::sealed as original,
        fields::{self, Side, Slot},
    },
    reference::Counted,
    stack,
    traffic::{Open, Traffic},
};
use core::{
    ffi::c_void,
    fmt,
    mem::{self, ManuallyDrop},
    ptr,
};
use ndis_sys::NDIS_HANDLE;

/// What a VC keeps whose data this driver carries.
#[doc(hidden)]
#[derive(Debug, Default)]
pub struct DataPath {
    traffic: Traffic,
    /// Sent lists whose owner dropped them, to be completed.
    dropped: SpinLock<Batches>,
    statistics: Statistics,
}

/// Marked lists of one VC, as one chain.
#[derive(Debug, Default)]
struct Batches {
    chain: Chain,
    /// How often they are counted out: once for each [`SendLists`] that they were in.
    count: usize,
}

impl DataPath {
    /// Data may go when [`open_armed`](Self::open_armed) says so. Called under the VC's lock,
    /// as [`Part::open`], which takes it back.
    pub fn arm(&self, _: Key) {
        self.traffic.arm();
    }

    /// Data may go, if that was armed. Called without the lock, so that nothing is between
    /// this and the return of a handler.
    pub fn open_armed(&self, _: Key) {
        self.traffic.open_armed();
    }
}

impl Part for DataPath {
    fn is_quiet(&self) -> bool {
        self.traffic.is_quiet()
    }

    fn open(&self, gates: Gates) {
        let sends = if gates.sends { Open::SENDS } else { Open::NONE };
        let receives = if gates.receives {
            Open::RECEIVES
        } else {
            Open::NONE
        };
        self.traffic.open(sends.and(receives));
    }
}

/// A VC whose data this driver carries: a counted reference.
///
/// ```
/// # use ndis_co::{channel::{Channel, SendLists}, irql::UpToDispatch, status::Status};
/// # use ndis_host as _;
/// /// For a call manager's VCs and those of a miniport that is none.
/// fn swallow<V: Channel>(lists: SendLists<V>, irql: &mut UpToDispatch) {
///     lists.complete(Status::SUCCESS, irql);
/// }
/// ```
///
/// # Safety
///
/// The methods belong to one VC, whose data path is used by nobody else; the handle is
/// valid while lists are counted out on the path (TRAFFIC).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no VC whose data this driver carries",
    note = "a miniport call manager says `type Vc = Vc<Self>`, a connection-oriented miniport that is none \
            `type Vc = co::Vc<Self>`"
)]
pub unsafe trait Channel: Counted + Send + Sync + 'static {
    /// The VC's counters, for the driver to count: the layer of a miniport answers the statistics'
    /// OIDs of the VC from them (rule [OID-23]).
    ///
    /// [OID-23]: ndis_sys::rules#OID-23
    fn statistics(&self) -> &Statistics {
        &self.path(Key::new()).statistics
    }

    /// Where the lists are counted.
    #[doc(hidden)]
    fn path(&self, key: Key) -> &DataPath;

    /// Where lists wait until NDIS knows that the VC is active, if that is for this driver to
    /// say.
    #[doc(hidden)]
    fn early(&self, _: Key) -> Option<&Early> {
        None
    }

    /// NDIS's handle.
    #[doc(hidden)]
    fn handle(&self) -> NDIS_HANDLE;

    /// NDIS's handle of the adapter, which the VC keeps.
    #[doc(hidden)]
    fn adapter_handle(&self, key: Key) -> NDIS_HANDLE;

    /// Whether both are the same VC.
    #[doc(hidden)]
    fn same(&self, other: &Self) -> bool {
        Arc::ptr_eq(self.object(Key::new()), other.object(Key::new()))
    }

    /// Counts lists out on the adapter; whether data flows there.
    #[doc(hidden)]
    fn count_out(&self, lists: usize, key: Key) -> bool;

    /// Counts lists in on the adapter.
    #[doc(hidden)]
    fn count_in(&self, lists: usize, key: Key);

    /// Whether the device is gone.
    #[doc(hidden)]
    fn is_gone(&self) -> bool;

    /// Counts an OID request about the VC, unless that is being deleted.
    #[doc(hidden)]
    fn ask(&self, key: Key) -> bool;

    /// Whoever has made one is about to be told of its end.
    #[doc(hidden)]
    fn tell(&self, key: Key);

    /// Counts one back, which was told or not; whether what waited for it is to go on.
    #[doc(hidden)]
    fn asked(&self, told: bool, key: Key) -> bool;

    /// The client sends: so it knows of its call.
    #[doc(hidden)]
    fn used(&self, key: Key);

    /// Why nothing may be indicated.
    #[doc(hidden)]
    fn refusal(&self) -> Status;

    /// Goes on with what waited for the last list.
    #[doc(hidden)]
    fn go_on(&self, irql: &mut UpToDispatch);

    /// Has the work item complete dropped lists.
    #[doc(hidden)]
    fn defer(&self);

    /// The VC without a reference, for [`lent`](Self::lent).
    #[doc(hidden)]
    fn context(&self) -> *mut c_void {
        Arc::as_raw(self.object(Key::new()))
    }

    /// The VC that [`context`](Self::context) is of, without a reference of its own.
    ///
    /// # Safety
    ///
    /// There is one as long as the result is used.
    #[doc(hidden)]
    #[inline]
    unsafe fn lent(context: *mut c_void) -> Option<ManuallyDrop<Self>> {
        // SAFETY: by the caller it is of a VC of this type, to which there is a reference meanwhile.
        let object = unsafe { Arc::<Self::Object>::borrow_raw(context) }?;
        // Neither is dropped.
        let vc = Self::of(ManuallyDrop::into_inner(object), Key::new());
        Some(ManuallyDrop::new(vc))
    }
}

/// Lists that a client sends on one VC, held by the driver until it completes
/// them.
///
/// Complete them before long: a pause of the client's binding waits for them,
/// and comes before the adapter's.
///
/// They can only be completed on the VC they came on (rule [NBL-11]). Dropping
/// them completes them with [`Status::FAILURE`].
///
/// A list carries any number of packets: [`buffers`](Self::buffers) goes over
/// them one by one. What is indicated for them carries one packet a list. To
/// hand them on without copying, make them the
/// [`Parent`](crate::nbl::Parent) of clones.
///
/// ```
/// # use ndis_co::{Status, channel::{Channel, SendLists}, irql::UpToDispatch};
/// # use ndis_host as _;
/// fn transmit<V: Channel>(lists: SendLists<V>, wire: &mut [u8], irql: &mut UpToDispatch) {
///     let mut status = Status::SUCCESS;
///     for packet in lists.buffers() {
///         if let Err(failure) = packet.copy_to(wire) {
///             status = failure;
///         }
///     }
///     lists.complete(status, irql);
/// }
/// ```
///
/// [NBL-11]: ndis_sys::rules#NBL-11
pub struct SendLists<V: Channel> {
    held: Armed<Sent<V>, Dropped>,
}

/// # Invariants
///
/// SENDS: the chain's lists arrived on `vc` and are not completed. This value is counted once
/// there and once on the adapter. So by TRAFFIC there is a reference to the VC, and `vc` has none
/// of its own.
struct Sent<V: Channel> {
    vc: ManuallyDrop<V>,
    chain: Chain,
}

/// What becomes of lists that are dropped: the work item completes them.
enum Dropped {}

impl<V: Channel> Alarm<Sent<V>> for Dropped {
    #[cold]
    fn lost(sent: Sent<V>) {
        sent.complete_later(Status::FAILURE);
    }
}

/// The VC once more, without a reference of its own.
///
/// # Safety
///
/// There is one as long as the result is used.
#[inline]
unsafe fn once_more<V: Channel>(vc: &V) -> ManuallyDrop<V> {
    // SAFETY: a counted reference is a pointer ([`Counted`]), which by the caller is good as long as the
    // copy is, and the copy is not dropped.
    ManuallyDrop::new(unsafe { ptr::read(vc) })
}

impl<V: Channel> Sent<V> {
    /// Completes the lists, see [`SendLists::complete`].
    #[inline]
    fn complete(self, status: Status, irql: &mut UpToDispatch) {
        // The client may send more within the completion, and so on.
        if stack::is_low() {
            return self.complete_later(status);
        }
        mark(&self.chain, status.as_final(), Key::new());
        complete(&*self.vc, self.chain, 1, irql);
    }

    /// Has the work item complete the lists.
    #[cold]
    fn complete_later(self, status: Status) {
        mark(&self.chain, status.as_final(), Key::new());
        // The work item may come before this has returned: then nothing is counted any more.
        let vc = V::clone(&self.vc);
        vc.path(Key::new()).dropped.locked(|dropped| {
            dropped.chain.append(self.chain);
            dropped.count = dropped.count.saturating_add(1);
        });
        vc.defer();
    }
}

impl<V: Channel> SendLists<V> {
    /// The VC they came on.
    #[must_use]
    pub fn vc(&self) -> &V {
        &self.held.vc
    }

    /// How many lists there are. They are counted the first time.
    #[must_use]
    pub fn len(&self) -> usize {
        self.held.chain.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.held.chain.is_empty()
    }

    /// Looks at each list, in the order in which they are to be sent.
    #[must_use]
    pub fn iter(&self) -> Lists<'_> {
        self.held.chain.views()
    }

    /// Looks at each packet of each list, in the order in which they are to be
    /// sent.
    #[must_use]
    pub fn buffers(&self) -> Packets<'_> {
        self.iter().buffers()
    }

    /// Takes the first `count` lists.
    #[must_use]
    pub fn split_front(&mut self, count: usize) -> Self {
        let vc = &self.held.vc;
        // What is split off is counted by itself, also when nothing is.
        if !vc.path(Key::new()).traffic.enter_more() {
            bug_check(Reason::RefCountOverflow);
        }
        vc.count_out(1, Key::new());
        // SAFETY: by SENDS, for it is counted just now.
        let vc = unsafe { once_more::<V>(vc) };
        let chain = self.held.chain.split_front(count);
        let held = Armed::new(Sent { vc, chain });
        Self { held }
    }

    /// Appends later lists of the same VC (rules [NBL-10], [NBL-13]).
    ///
    /// # Errors
    ///
    /// Gives lists of another VC back.
    ///
    /// [NBL-10]: ndis_sys::rules#NBL-10
    /// [NBL-13]: ndis_sys::rules#NBL-13
    pub fn append(&mut self, later: Self) -> Result<(), Self> {
        if !self.held.vc.same(&later.held.vc) {
            return Err(later);
        }
        let Sent { vc, chain } = later.held.disarm();
        self.held.chain.append(chain);
        // They are counted together from here on: neither is the last of its kind.
        vc.count_in(1, Key::new());
        let last = vc.path(Key::new()).traffic.leave(1);
        debug_assert!(!last);
        Ok(())
    }

    /// Gives the lists back to the client, each with `status` (rules [NBL-11],
    /// [NBL-12]).
    ///
    /// Source page: [`NdisMCoSendNetBufferListsComplete`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndismcosendnetbufferlistscomplete).
    ///
    /// [NBL-11]: ndis_sys::rules#NBL-11
    /// [NBL-12]: ndis_sys::rules#NBL-12
    #[doc(alias = "NdisMCoSendNetBufferListsComplete")]
    #[inline]
    pub fn complete(self, status: Status, irql: &mut impl NoLock) {
        self.held.disarm().complete(status, irql.up_to_dispatch());
    }
}

impl<V: Channel> original::Sealed for SendLists<V> {}

impl<V: Channel> Original for SendLists<V> {
    fn chain(&self) -> &Chain {
        &self.held.chain
    }

    fn clones_gone(self, status: Status, irql: Option<&mut UpToDispatch>) {
        match irql {
            Some(irql) => self.complete(status, irql),
            None => self.held.disarm().complete_later(status),
        }
    }
}

impl<'a, V: Channel> IntoIterator for &'a SendLists<V> {
    type Item = ListView<'a>;
    type IntoIter = Lists<'a>;
    fn into_iter(self) -> Lists<'a> {
        self.iter()
    }
}

impl<V: Channel> fmt::Debug for SendLists<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// Writes the result into each list, which is in this driver's hands.
#[doc(hidden)]
pub fn mark(chain: &Chain, status: Status, _: Key) {
    chain.for_each_raw(|list| fields::set_status(list, status.raw()));
}

/// Completes what was left to the work item.
#[doc(hidden)]
pub fn complete_dropped<V: Channel>(vc: &V, irql: &mut UpToDispatch, _: Key) {
    let Batches { chain, count } = vc.path(Key::new()).dropped.locked(mem::take);
    if count != 0 {
        complete(vc, chain, count, irql);
    }
}

/// Completes marked lists on the VC that they came on, where they are counted so often. The VC is
/// not used afterwards.
#[inline]
fn complete<V: Channel>(vc: &V, mut chain: Chain, count: usize, irql: &mut UpToDispatch) {
    if !chain.is_empty() {
        // SAFETY: by SENDS the lists came on this VC and are completed once; by TRAFFIC the
        // handle is valid. No flag: the level is unknown.
        unsafe { ndis_sys::NdisMCoSendNetBufferListsComplete(vc.handle(), chain.take_raw(), 0) };
    }
    vc.count_in(count, Key::new());
    leave(vc, count, irql);
}

/// Counts in on a VC, and goes on with what waited for the last. If these are counted, there need
/// be no other reference; then the VC is not used afterwards.
#[inline]
fn leave<V: Channel>(vc: &V, count: usize, irql: &mut UpToDispatch) {
    if vc.path(Key::new()).traffic.leave(count) {
        wake(vc, count, irql);
    }
}

#[cold]
fn wake<V: Channel>(vc: &V, count: usize, irql: &mut UpToDispatch) {
    // By TRAFFIC there is a reference, for these are still counted.
    let vc = vc.clone();
    vc.path(Key::new()).traffic.wake(count);
    vc.go_on(irql);
}

/// `MiniportCoSendNetBufferLists`: takes every list it is given (rule NBL-09), and has `send` have
/// them, unless they go straight back.
///
/// # Safety
///
/// The context is that of a VC of this type, or null, to which NDIS has a reference, and the lists
/// have just arrived on it.
#[doc(hidden)]
#[inline]
pub unsafe fn arrived<V: Channel>(
    context: *mut c_void,
    chain: Chain,
    irql: &mut UpToDispatch,
    send: impl FnOnce(&V, SendLists<V>, &mut UpToDispatch),
) {
    // SAFETY: by the caller, and by TRAFFIC as long as something is counted.
    let Some(vc) = (unsafe { V::lent(context) }) else {
        return;
    };
    // Once for the lists, and once for this call: what `send` is lent is there until it returns,
    // whatever it does with the lists.
    let open = vc.path(Key::new()).traffic.enter(2);
    let running = vc.count_out(1, Key::new());
    let quick = running && open.has(Open::BOTH) && !vc.is_gone();
    if quick || may_send::<V>(&vc, open, running) {
        // SAFETY: by SENDS, for it is counted just now.
        let vc_again = unsafe { once_more::<V>(&vc) };
        let sent = Sent {
            vc: vc_again,
            chain,
        };
        let held = Armed::new(sent);
        send(&vc, SendLists { held }, irql);
    } else {
        refuse::<V>(&vc, chain, running, irql);
    }
    leave::<V>(&vc, 1, irql);
}

/// The client sends, and not everything is open: whether it may.
#[cold]
fn may_send<V: Channel>(vc: &V, open: Open, running: bool) -> bool {
    let sends = open.has(Open::SENDS);
    if sends && !open.has(Open::RECEIVES) {
        vc.used(Key::new());
    }
    running && sends && !vc.is_gone()
}

/// While paused everything goes straight back (rule PAUSE-04), and so it does when
/// the device is gone (rule HALT-13).
#[cold]
fn refuse<V: Channel>(vc: &V, chain: Chain, running: bool, irql: &mut UpToDispatch) {
    let status = match (vc.is_gone(), running) {
        (true, _) => Status::NOT_ACCEPTED,
        (false, true) => Status::CLOSING,
        (false, false) => Status::PAUSED,
    };
    mark(&chain, status, Key::new());
    complete(vc, chain, 1, irql);
}

/// Indicates received lists on a VC.
#[doc(hidden)]
#[inline]
pub fn indicate<V: Channel>(
    vc: &V,
    lists: NetBufferLists,
    irql: &mut UpToDispatch,
) -> Result<(), IndicateError> {
    let count = lists.len();
    let number = u32::try_from(count).unwrap_or(0);
    let fits = number != 0 && lists.may_go(Side::Miniport);
    // The client may answer within the indication, and so on. (One of these
    // crates leaves that to its work item long before.)
    if !fits || stack::has_less_than(stack::VERY_LOW) {
        return refused(lists);
    }
    // One more than the lists, for the call itself: neither the pause nor the
    // close of the call is over while it runs (rule VC-49).
    let out = count.wrapping_add(1);
    if !vc.count_out(out, Key::new()) {
        return paused(vc, lists);
    }
    if vc.path(Key::new()).traffic.enter_if(Open::RECEIVES, out) {
        tell(vc, lists.into_chain(), number, irql);
        return Ok(());
    }
    keep_or_refuse(vc, lists, number, irql)
}

/// Lists that cannot be indicated, or none.
#[cold]
fn refused(lists: NetBufferLists) -> Result<(), IndicateError> {
    if lists.is_empty() {
        return Ok(());
    }
    let fits = u32::try_from(lists.len()).is_ok();
    let status = if lists.may_go(Side::Miniport) && fits {
        Status::RESOURCES
    } else {
        Status::INVALID_PARAMETER
    };
    Err(IndicateError { lists, status })
}

/// Nothing is indicated: counts back what was counted out on the adapter.
#[cold]
fn paused<V: Channel>(vc: &V, lists: NetBufferLists) -> Result<(), IndicateError> {
    vc.count_in(lists.len().wrapping_add(1), Key::new());
    let status = Status::PAUSED;
    Err(IndicateError { lists, status })
}

/// Lists, counted out on the adapter, cannot go up now.
#[cold]
fn keep_or_refuse<V: Channel>(
    vc: &V,
    lists: NetBufferLists,
    number: u32,
    irql: &mut UpToDispatch,
) -> Result<(), IndicateError> {
    let out = lists.len().wrapping_add(1);
    let Some(lists) = early::keep(vc, lists) else {
        vc.count_in(1, Key::new());
        return Ok(());
    };
    // The keeping may have ended in between, for they may go now.
    if vc.path(Key::new()).traffic.enter_if(Open::RECEIVES, out) {
        tell(vc, lists.into_chain(), number, irql);
        return Ok(());
    }
    let status = vc.refusal();
    vc.count_in(out, Key::new());
    Err(IndicateError { lists, status })
}

/// Indicates so many lists, which are counted out, on the VC and on the adapter, with one more for
/// this call.
#[inline]
fn tell<V: Channel>(vc: &V, mut chain: Chain, number: u32, irql: &mut UpToDispatch) {
    let handle = vc.handle();
    let context = vc.context();
    chain.for_each_raw(|list| {
        fields::set_source_handle(list, handle);
        fields::store(list, Side::Miniport, Slot::Vc, context);
    });
    // SAFETY: a call is connected or the VC active, and by TRAFFIC the handle is valid;
    // ownership goes to NDIS until the lists are returned (rule NBL-19); the
    // count is the chain's (rule NBL-18). No flag: the level is unknown, and all lists come
    // back (rule NBL-20).
    unsafe {
        ndis_sys::NdisMCoIndicateReceiveNetBufferLists(handle, chain.take_raw(), number, 0);
    }
    vc.count_in(1, Key::new());
    leave(vc, 1, irql);
}

/// Indicated lists are returned: counts them in on their VCs, each run of lists of one VC
/// at once, and says how many they are. On the adapter they are still out.
///
/// # Safety
///
/// The lists were [indicated](indicate) on VCs of the type `V`, and are back.
#[doc(hidden)]
#[inline]
pub unsafe fn returned<V: Channel>(lists: &NetBufferLists, irql: &mut UpToDispatch) -> usize {
    let Some(first) = lists.chain().first() else {
        return 0;
    };
    let mut run = (fields::load(first, Side::Miniport, Slot::Vc), 0);
    let mut all = 0_usize;
    lists.chain().for_each_raw(|list| {
        let context = fields::load(list, Side::Miniport, Slot::Vc);
        if context != run.0 {
            // SAFETY: by the caller.
            unsafe { leave_run::<V>(run, irql) };
            run = (context, 0);
        }
        run.1 += 1;
        all = all.wrapping_add(1);
    });
    // SAFETY: by the caller.
    unsafe { leave_run::<V>(run, irql) };
    lists.chain().set_len(all);
    all
}

/// Counts in a run of lists of the VC with this context, unless there is none.
///
/// # Safety
///
/// They were indicated on that VC, which is of the type `V`, and are back.
#[inline]
unsafe fn leave_run<V: Channel>((context, lists): (*mut c_void, usize), irql: &mut UpToDispatch) {
    // SAFETY: by TRAFFIC NDIS has its reference as long as these are counted out.
    if let Some(vc) = unsafe { V::lent(context) } {
        leave(&*vc, lists, irql);
    }
}
