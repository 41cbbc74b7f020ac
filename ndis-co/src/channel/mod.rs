//! Data on a VC that this driver carries: [`SendLists`] from the client, and indications
//! to it.
//!
//! A miniport call manager and a connection-oriented miniport that is none carry data in
//! the same way, so this is written once, over a [`Channel`]: the VC of either.

mod early;
mod error;
mod held;
mod status;

#[doc(hidden)]
pub use early::{Early, indicate_early};
pub use error::IndicateError;
#[doc(hidden)]
pub use held::{Held, OfVc};
#[doc(hidden)]
pub use status::indicate_status;

use crate::{
    Status,
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
};
use core::{
    ffi::c_void,
    fmt, mem, ptr,
    sync::atomic::{AtomicUsize, Ordering},
};
use ndis_sys::NDIS_HANDLE;

/// How many lists are out on a VC, what may go, and whether somebody waits for the last:
/// all in one word, so that a batch of lists costs one addition and no lock.
///
/// # Invariants
///
/// TRAFFIC: from [`enter`](Self::enter) to [`leave`](Self::leave) the VC is neither
/// deactivated nor deleted, for both wait until none is out; so its handle is valid, and
/// NDIS keeps the reference that it has as the context.
#[derive(Debug, Default)]
struct Traffic(AtomicUsize);

/// Lists may come from the client.
const SENDS: usize = 1;
/// Lists may be indicated to it.
const RECEIVES: usize = 2;
/// The last list that comes in is waited for.
const WAKE: usize = 4;
/// Both may go as soon as the handler that says so has returned.
const ARMED: usize = 8;
/// One list.
const LIST: usize = 16;

impl Traffic {
    /// Counts lists out that have come from the client, and says what may go. The caller
    /// counts them in, whatever may.
    fn enter(&self, lists: usize) -> Gates {
        let before = self.0.fetch_add(lists.wrapping_mul(LIST), Ordering::SeqCst);
        Gates {
            sends: before & SENDS != 0,
            receives: before & RECEIVES != 0,
        }
    }

    /// Counts lists out that are to be indicated, if they may be: what is refused holds
    /// nothing up, not even for a moment.
    fn enter_receives(&self, lists: usize) -> bool {
        let count = |word: usize| {
            (word & RECEIVES != 0).then(|| word.wrapping_add(lists.wrapping_mul(LIST)))
        };
        self.0
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, count)
            .is_ok()
    }

    /// Counts lists in; `true` when none is left and that was waited for.
    #[must_use]
    fn leave(&self, lists: usize) -> bool {
        let before = self.0.fetch_sub(lists.wrapping_mul(LIST), Ordering::SeqCst);
        before / LIST == lists && before & WAKE != 0
    }

    /// Whether none is out. When some are, the last one's `leave` tells.
    fn is_quiet(&self) -> bool {
        self.0.load(Ordering::SeqCst) / LIST == 0
            || self.0.fetch_or(WAKE, Ordering::SeqCst) / LIST == 0
    }

    /// What was armed, and not opened or shut since, may go.
    fn open_armed(&self) {
        let open = |word: usize| (word & ARMED != 0).then_some(word & !ARMED | SENDS | RECEIVES);
        // An error: it was not.
        let _ = self
            .0
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, open);
    }

    /// Says what may go.
    fn open(&self, gates: Gates) {
        let mut open = 0;
        if gates.sends {
            open |= SENDS;
        }
        if gates.receives {
            open |= RECEIVES;
        }
        // One at a time is changed: what is counted in between meets an old answer or the
        // new one, each of which was right at some moment of that.
        self.0
            .fetch_and(!(SENDS | RECEIVES | ARMED) | open, Ordering::SeqCst);
        if open != 0 {
            self.0.fetch_or(open, Ordering::SeqCst);
        }
    }
}

/// What a VC keeps whose data this driver carries.
#[doc(hidden)]
#[derive(Debug, Default)]
pub struct DataPath {
    traffic: Traffic,
    /// Sent lists whose owner dropped them, to be completed.
    dropped: SpinLock<Chain>,
}

impl DataPath {
    /// Data may go when [`open_armed`](Self::open_armed) says so. Called under the VC's lock,
    /// as [`Part::open`], which takes it back.
    pub fn arm(&self, _: Key) {
        self.traffic.0.fetch_or(ARMED, Ordering::SeqCst);
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
        self.traffic.open(gates);
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

    /// The VC without a reference, for [`from_context`](Self::from_context).
    #[doc(hidden)]
    fn context(&self) -> *mut c_void {
        Arc::as_raw(self.object(Key::new()))
    }

    /// A reference to the VC that [`context`](Self::context) is of.
    ///
    /// # Safety
    ///
    /// There are others meanwhile.
    #[doc(hidden)]
    unsafe fn from_context(context: *mut c_void) -> Option<Self> {
        // SAFETY: by the caller it is of a VC of this type, to which there are others meanwhile.
        let object = unsafe { Arc::<Self::Object>::borrow_raw(context) }?;
        Some(Self::of(Arc::clone(&object), Key::new()))
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
/// # Invariants
///
/// SENDS: the chain's lists arrived on `vc` and are not completed; they are counted out
/// there and on the adapter.
///
/// [NBL-11]: ndis_sys::rules#NBL-11
pub struct SendLists<V: Channel> {
    vc: V,
    chain: Chain,
}

impl<V: Channel> SendLists<V> {
    /// The VC they came on.
    #[must_use]
    pub fn vc(&self) -> &V {
        &self.vc
    }

    /// How many lists there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.chain.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.chain.is_empty()
    }

    /// Looks at each list, in the order in which they are to be sent.
    #[must_use]
    pub fn iter(&self) -> Lists<'_> {
        self.chain.views()
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
        Self {
            vc: self.vc.clone(),
            chain: self.chain.split_front(count),
        }
    }

    /// Appends later lists of the same VC (rules [NBL-10], [NBL-13]).
    ///
    /// # Errors
    ///
    /// Gives lists of another VC back.
    ///
    /// [NBL-10]: ndis_sys::rules#NBL-10
    /// [NBL-13]: ndis_sys::rules#NBL-13
    pub fn append(&mut self, mut later: Self) -> Result<(), Self> {
        if !self.vc.same(&later.vc) {
            return Err(later);
        }
        self.chain.append(mem::take(&mut later.chain));
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
    pub fn complete(mut self, status: Status, irql: &mut impl NoLock) {
        let chain = mem::take(&mut self.chain);
        mark(&chain, status.as_final(), Key::new());
        // The client may send more within the completion, and so on.
        if stack::is_low() {
            complete_later(&self.vc, chain);
        } else {
            complete(&self.vc, chain, irql.up_to_dispatch());
        }
    }

    /// Has the work item complete the lists.
    fn complete_later(&mut self, status: Status) {
        if self.chain.is_empty() {
            return;
        }
        let chain = mem::take(&mut self.chain);
        mark(&chain, status.as_final(), Key::new());
        complete_later(&self.vc, chain);
    }
}

impl<V: Channel> Drop for SendLists<V> {
    fn drop(&mut self) {
        self.complete_later(Status::FAILURE);
    }
}

impl<V: Channel> original::Sealed for SendLists<V> {}

impl<V: Channel> Original for SendLists<V> {
    fn chain(&self) -> &Chain {
        &self.chain
    }

    fn clones_gone(mut self, status: Status, irql: Option<&mut UpToDispatch>) {
        match irql {
            Some(irql) => self.complete(status, irql),
            None => self.complete_later(status),
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

/// Leaves marked lists to the work item.
fn complete_later<V: Channel>(vc: &V, chain: Chain) {
    vc.path(Key::new())
        .dropped
        .locked(|dropped| dropped.append(chain));
    vc.defer();
}

/// Completes what was left to the work item.
#[doc(hidden)]
pub fn complete_dropped<V: Channel>(vc: &V, irql: &mut UpToDispatch, _: Key) {
    let chain = vc.path(Key::new()).dropped.locked(mem::take);
    complete(vc, chain, irql);
}

/// Completes marked lists on the VC that they came on.
fn complete<V: Channel>(vc: &V, mut chain: Chain, irql: &mut UpToDispatch) {
    let count = chain.len();
    if count == 0 {
        return;
    }
    // SAFETY: by SENDS the lists came on this VC and are completed once; by TRAFFIC the
    // handle is valid. No flag: the level is unknown.
    unsafe { ndis_sys::NdisMCoSendNetBufferListsComplete(vc.handle(), chain.take_raw(), 0) };
    vc.count_in(count, Key::new());
    leave(vc, count, irql);
}

/// Counts lists in on their VC, and goes on with what waited for the last.
fn leave<V: Channel>(vc: &V, lists: usize, irql: &mut UpToDispatch) {
    if vc.path(Key::new()).traffic.leave(lists) {
        vc.go_on(irql);
    }
}

/// `MiniportCoSendNetBufferLists`: takes every list it is given (rule NBL-09). `None` when
/// they went straight back.
///
/// # Safety
///
/// The lists have just arrived on this VC.
#[doc(hidden)]
pub unsafe fn arrived<V: Channel>(
    vc: &V,
    chain: Chain,
    irql: &mut UpToDispatch,
) -> Option<SendLists<V>> {
    let count = chain.len();
    let running = vc.count_out(count, Key::new());
    let removed = vc.is_gone();
    let gates = vc.path(Key::new()).traffic.enter(count);
    if gates.sends && !gates.receives {
        vc.used(Key::new());
    }
    if running && gates.sends && !removed {
        let vc = vc.clone();
        return Some(SendLists { vc, chain });
    }
    // While paused everything goes straight back (rule PAUSE-04), and so it does when
    // the device is gone (rule HALT-13).
    let status = match (removed, running) {
        (true, _) => Status::NOT_ACCEPTED,
        (false, true) => Status::CLOSING,
        (false, false) => Status::PAUSED,
    };
    mark(&chain, status, Key::new());
    complete(vc, chain, irql);
    None
}

/// Indicates received lists on a VC.
#[doc(hidden)]
pub fn indicate<V: Channel>(
    vc: &V,
    lists: NetBufferLists,
    irql: &mut UpToDispatch,
) -> Result<(), IndicateError> {
    let count = lists.len();
    if count == 0 {
        return Ok(());
    }
    let single = lists.chain().all_have_one_packet();
    let (Ok(_), Side::Miniport, true) = (u32::try_from(count), lists.side(), single) else {
        return Err(IndicateError {
            lists,
            status: Status::INVALID_PARAMETER,
        });
    };
    // The client may answer within the indication, and so on. (One of these
    // crates leaves that to its work item long before.)
    if stack::remaining() < stack::VERY_LOW {
        return Err(IndicateError {
            lists,
            status: Status::RESOURCES,
        });
    }
    // One more than the lists, for the call itself: neither the pause nor the
    // close of the call is over while it runs.
    let out = count.saturating_add(1);
    if !vc.count_out(out, Key::new()) {
        vc.count_in(out, Key::new());
        return Err(IndicateError {
            lists,
            status: Status::PAUSED,
        });
    }
    if vc.path(Key::new()).traffic.enter_receives(out) {
        tell(vc, lists.into_chain(), irql);
        return Ok(());
    }
    let Some(lists) = early::keep(vc, lists) else {
        vc.count_in(1, Key::new());
        return Ok(());
    };
    // The keeping may have ended in between, for they may go now.
    if vc.path(Key::new()).traffic.enter_receives(out) {
        tell(vc, lists.into_chain(), irql);
        return Ok(());
    }
    let status = vc.refusal();
    vc.count_in(out, Key::new());
    Err(IndicateError { lists, status })
}

/// Indicates lists that are counted out, on the VC and on the adapter, with one more for this
/// call.
fn tell<V: Channel>(vc: &V, mut chain: Chain, irql: &mut UpToDispatch) {
    // Kept ones too have room in memory, so their number has in 32 bits.
    let number = u32::try_from(chain.len()).unwrap_or(u32::MAX);
    let handle = vc.handle();
    let context = vc.context();
    chain.for_each_raw(|list| {
        fields::set_source_handle(list, handle);
        // What a clone was made from learns of it.
        fields::set_status(list, Status::SUCCESS.raw());
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
/// at once. On the adapter they are still out.
///
/// # Safety
///
/// The lists were [indicated](indicate) on VCs of the type `V`, and are back.
#[doc(hidden)]
pub unsafe fn returned<V: Channel>(lists: &NetBufferLists, irql: &mut UpToDispatch) {
    let mut run = (ptr::null_mut(), 0);
    lists.chain().for_each_raw(|list| {
        let context = fields::load(list, Side::Miniport, Slot::Vc);
        fields::store(list, Side::Miniport, Slot::Vc, ptr::null_mut());
        if context != run.0 {
            // SAFETY: by the caller.
            unsafe { leave_run::<V>(run, irql) };
            run = (context, 0);
        }
        run.1 += 1;
    });
    // SAFETY: by the caller.
    unsafe { leave_run::<V>(run, irql) };
}

/// Counts in so many lists of one VC.
///
/// # Safety
///
/// They were indicated on that VC, which is of the type `V`, and are back.
unsafe fn leave_run<V: Channel>((context, lists): (*mut c_void, usize), irql: &mut UpToDispatch) {
    // SAFETY: by TRAFFIC NDIS has its reference as long as these are counted out.
    if let Some(vc) = unsafe { V::from_context(context) } {
        leave(&vc, lists, irql);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    // Defines what the crates import.
    use ndis_host as _;

    const OPEN: Gates = Gates {
        sends: true,
        receives: true,
    };

    /// What is refused is not counted, not even for a moment: a deletion may look then.
    #[test]
    fn what_is_refused_holds_nothing_up() {
        let traffic = Traffic::default();
        assert!(!traffic.enter_receives(3));
        assert!(traffic.is_quiet());
        traffic.open(OPEN);
        assert!(traffic.enter_receives(3));
        traffic.open(Gates::default());
        assert!(!traffic.enter_receives(1));
        assert!(!traffic.is_quiet());
        assert!(!traffic.leave(2), "one is left");
        assert!(traffic.leave(1), "the last was waited for");
        assert!(traffic.is_quiet());
    }

    /// Whoever finds lists out is told of the last; who does not ask is not.
    #[test]
    fn the_last_list_wakes_who_waits() {
        let traffic = Traffic::default();
        traffic.open(OPEN);
        assert_eq!(traffic.enter(2), OPEN);
        assert!(!traffic.leave(2), "nobody waits");
        traffic.enter(1);
        assert!(!traffic.is_quiet());
        assert!(traffic.enter_receives(1));
        assert!(!traffic.leave(1));
        assert!(traffic.leave(1));
    }

    /// Gates open and close, whatever is out.
    #[test]
    fn gates_leave_the_count_alone() {
        let traffic = Traffic::default();
        traffic.open(OPEN);
        traffic.enter(5);
        let sends = Gates {
            receives: false,
            ..OPEN
        };
        traffic.open(sends);
        assert_eq!(traffic.enter(1), sends);
        traffic.open(OPEN);
        assert_eq!(traffic.enter(1), OPEN);
        assert!(!traffic.is_quiet());
        assert!(traffic.leave(7));
    }
}
