//! [`Nic`]: what the module keeps for one adapter: what it is, its addresses, and who takes
//! calls.

use super::{
    Adapter, Wan, WanMiniport,
    call::Call,
    lines::{Lines, Place},
    link::Link,
};
use crate::{Af, Sap, lock::StateLock};
use core::{
    ops,
    sync::atomic::{AtomicBool, Ordering},
};
use ndis_co::{
    Status,
    armed::{Alarm, Armed},
    irql::Irql,
    lock::SpinLock,
    mem::{Tag, Vec},
    nbl::NetBufferListPool,
    tapi::{LineSap, MediaModes},
    wan::LinkInfo,
};

/// What the module keeps for one adapter. It derefs to what the driver keeps.
#[doc(hidden)]
pub struct Nic<W: WanMiniport> {
    pub(super) lines: Lines,
    pub(super) link: Link,
    pub(super) pool: NetBufferListPool,
    /// What is asked and set without a VC. Calls begin under its lock: who has set it finds each call that
    /// has begun with what was there before.
    pub(super) of_all: StateLock<LinkInfo>,
    /// One for each address of each line.
    addresses: Vec<Address<W>>,
    saps: SpinLock<Vec<Registered<W>>>,
    /// The adapter goes: no call begins any more.
    ends: AtomicBool,
    /// The device has no power.
    asleep: AtomicBool,
    context: W::Adapter,
}

/// An address, and the call on it.
struct Address<W: WanMiniport> {
    taken: AtomicBool,
    call: SpinLock<Option<Call<W>>>,
}

/// A SAP that a client has registered.
struct Registered<W: WanMiniport> {
    what: LineSap,
    client: Af<Wan<W>>,
    /// `None` while the registration is being answered.
    sap: Option<Sap<Wan<W>>>,
}

impl<W: WanMiniport> Nic<W> {
    pub(super) fn try_new(
        link: Link,
        lines: Lines,
        pool: NetBufferListPool,
        context: W::Adapter,
    ) -> Result<Self, Status> {
        let mut addresses = Vec::new(Tag::NDIS);
        addresses.try_reserve(lines.addresses())?;
        for _ in 0..lines.addresses() {
            addresses.try_push(Address {
                taken: AtomicBool::new(false),
                call: SpinLock::new(None),
            })?;
        }
        Ok(Self {
            of_all: StateLock::new(link.unset()),
            lines,
            link,
            pool,
            addresses,
            saps: SpinLock::new(Vec::new(Tag::NDIS)),
            ends: AtomicBool::new(false),
            asleep: AtomicBool::new(false),
            context,
        })
    }

    // Addresses.

    /// Takes a free address of those that these numbers stand for.
    pub(super) fn take(&self, line: u32, address: u32) -> Result<Place, Status> {
        if self.ends() {
            return Err(Status::CLOSING);
        }
        let mut refusal = if self.lines.has_line(line) {
            Status::TAPI_INVALADDRESSID
        } else {
            Status::TAPI_NODEVICE
        };
        for place in self.lines.places(line, address) {
            let Some(one) = self.addresses.get(place.index) else {
                break;
            };
            let taken = one
                .taken
                .compare_exchange(false, true, Ordering::SeqCst, Ordering::SeqCst);
            if taken.is_ok() {
                return Ok(place);
            }
            refusal = Status::TAPI_CALLUNAVAIL;
        }
        Err(refusal)
    }

    /// A call begins on its VC, and on an address that was taken for it.
    fn begin(&self, call: &Call<W>) {
        let Some(one) = self.addresses.get(call.place().index) else {
            return;
        };
        let (core, listed) = (call.shared_core().clone(), call.clone());
        let before = self.of_all.with(|link| {
            core.set_link(*link);
            (call.vc().begin(core), one.call.replace(Some(listed)))
        });
        drop(before);
    }

    /// An address that was taken is free again. Once for each time that it was taken.
    pub(super) fn release(&self, place: Place) {
        if let Some(one) = self.addresses.get(place.index) {
            drop(one.call.take());
            one.taken.store(false, Ordering::SeqCst);
        }
    }

    /// The call on an address.
    pub(super) fn call(&self, index: usize, irql: &mut impl Irql) -> Option<Call<W>> {
        let one = self.addresses.get(index)?;
        one.call.with(irql, |call, _| call.clone())
    }

    /// No call begins from here on.
    pub(super) fn end(&self) {
        self.ends.store(true, Ordering::SeqCst);
    }

    pub(super) fn ends(&self) -> bool {
        self.ends.load(Ordering::SeqCst)
    }

    pub(super) fn set_asleep(&self, asleep: bool) {
        self.asleep.store(asleep, Ordering::SeqCst);
    }

    pub(super) fn is_asleep(&self) -> bool {
        self.asleep.load(Ordering::SeqCst)
    }

    // SAPs.

    /// Keeps a SAP for a client whose registration is about to be accepted (rules SAP-15,
    /// SAP-16): it is for calls that may come, and for none that another client takes.
    pub(super) fn reserve_sap(
        &self,
        what: LineSap,
        client: Af<Wan<W>>,
        irql: &mut impl Irql,
    ) -> Result<(), Status> {
        if !self.lines.fits(&what) {
            return Err(Status::INVALID_DATA);
        }
        self.saps.with(irql, |saps, _| {
            let taken = |other: &Registered<W>| {
                !other.client.is(&client) && self.overlap(&what, &other.what)
            };
            if saps.iter().any(taken) {
                return Err(Status::INVALID_DATA);
            }
            let sap = None;
            Ok(saps.try_push(Registered { what, client, sap })?)
        })
    }

    /// Whether a call may be for either.
    fn overlap(&self, one: &LineSap, other: &LineSap) -> bool {
        let media = one.media_modes & other.media_modes;
        let mut places = self.lines.places(one.line, one.address);
        places.any(|place| other.takes(place.line, place.address, media))
    }

    /// The registration of what was kept is accepted.
    pub(super) fn publish_sap(&self, sap: Sap<Wan<W>>, irql: &mut impl Irql) {
        self.saps.with(irql, |saps, _| {
            let mut waiting = saps.iter_mut().filter(|one| one.sap.is_none());
            let client = sap.af();
            if let Some(one) = waiting.find(|one| one.what == *sap && one.client.is(&client)) {
                one.sap = Some(sap);
            }
        });
    }

    /// A SAP is no more.
    pub(super) fn withdraw_sap(&self, sap: &Sap<Wan<W>>, irql: &mut impl Irql) {
        let gone = self.saps.with(irql, |saps, _| {
            saps.take_first(|one| one.sap.as_ref().is_some_and(|one| one.is(sap)))
        });
        drop(gone);
    }

    /// Who takes a call on this address.
    pub(super) fn sap(
        &self,
        place: Place,
        media: MediaModes,
        irql: &mut impl Irql,
    ) -> Option<Sap<Wan<W>>> {
        self.saps.with(irql, |saps, _| {
            let takes = |one: &&Registered<W>| {
                one.sap.is_some() && one.what.takes(place.line, place.address, media)
            };
            saps.iter().find(takes)?.sap.clone()
        })
    }

    /// The adapter goes: nothing refers to it any more.
    pub(super) fn forget(&self, irql: &mut impl Irql) {
        let saps = self.saps.with(irql, |saps, _| saps.take());
        drop(saps);
        for one in &self.addresses {
            drop(one.call.take());
        }
    }

    /// How many addresses there are.
    pub(super) fn address_count(&self) -> usize {
        self.addresses.len()
    }
}

/// An address that was taken for a call that has not begun: free again when this is dropped.
pub(super) struct Taken<W: WanMiniport>(Armed<(Adapter<W>, Place), Release>);

struct Release;

impl<W: WanMiniport> Alarm<(Adapter<W>, Place)> for Release {
    fn lost((adapter, place): (Adapter<W>, Place)) {
        adapter.release(place);
    }
}

impl<W: WanMiniport> Taken<W> {
    /// Takes a free address of those that these numbers stand for.
    pub(super) fn try_new(adapter: &Adapter<W>, line: u32, address: u32) -> Result<Self, Status> {
        let place = adapter.take(line, address)?;
        Ok(Self(Armed::new((adapter.clone(), place))))
    }

    pub(super) fn place(&self) -> Place {
        self.0.1
    }

    pub(super) fn adapter(&self) -> &Adapter<W> {
        &self.0.0
    }

    /// The call begins, which frees the address at its end.
    pub(super) fn begin(self, call: &Call<W>) {
        let (adapter, _) = self.0.disarm();
        adapter.begin(call);
    }
}

impl<W: WanMiniport> ops::Deref for Nic<W> {
    type Target = W::Adapter;
    fn deref(&self) -> &W::Adapter {
        &self.context
    }
}
