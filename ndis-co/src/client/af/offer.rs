//! [`AfOffer`]: how a client comes by an address family.

use super::{AfShared, Notify, Phase, State, children::Children, open_completed};
use crate::{
    Status,
    client::{Binding, Client},
    deferred::Node,
    family::AddressFamily,
    irql::AtPassive,
    kernel::RawWorkItem,
    lock::SpinLock,
    mem::{Arc, Lent, Parent, Tag},
    raw::Opaque,
};
use core::{fmt, sync::atomic::AtomicBool};
use ndis_sys::CO_ADDRESS_FAMILY;

/// An address family that a call manager offers, during the callback.
///
/// ```
/// # use ndis_co::{Status, client::{AfOffer, Client}, family::AddressFamily, irql::Passive};
/// # use ndis_host as _;
/// fn offered<C: Client<Af = ()>>(
///     offer: AfOffer<'_, C>,
///     wanted: AddressFamily,
///     irql: &mut Passive,
/// ) -> Result<(), Status> {
///     // Who does not want it lets it go.
///     if offer.family() == wanted {
///         offer.open((), irql)?;
///     }
///     Ok(())
/// }
/// ```
pub struct AfOffer<'a, C: Client> {
    binding: &'a Binding<C>,
    raw: *mut CO_ADDRESS_FAMILY,
}

impl<C: Client> AfOffer<'_, C> {
    pub(in crate::client) fn new<'a>(
        binding: &'a Binding<C>,
        raw: *mut CO_ADDRESS_FAMILY,
    ) -> Option<AfOffer<'a, C>> {
        (!raw.is_null()).then_some(AfOffer { binding, raw })
    }

    /// What is offered.
    #[must_use]
    pub fn family(&self) -> AddressFamily {
        // SAFETY: NDIS keeps the structure for the callback, whose borrow
        // `self` carries (rule AF-10).
        AddressFamily::from_raw(unsafe { &*self.raw })
    }

    /// Opens the family (rule [AF-09]); `context` is what the driver keeps for
    /// it.
    ///
    /// The outcome comes as [`Client::af_opened`] or
    /// [`Client::af_open_failed`], possibly before this returns.
    ///
    /// Source page: [`NdisClOpenAddressFamilyEx`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndisclopenaddressfamilyex).
    ///
    /// # Errors
    ///
    /// [`Status::RESOURCES`], or [`Status::CLOSING`] when the binding goes
    /// away; no callback follows then.
    ///
    /// [AF-09]: ndis_sys::rules#AF-09
    #[doc(alias = "NdisClOpenAddressFamilyEx")]
    pub fn open(self, context: C::Af, irql: &mut impl AtPassive) -> Result<(), Status> {
        let binding = &self.binding.shared;
        // SAFETY: the handle lives as long as the binding, which the family
        // keeps until the item is freed.
        let teller = unsafe { RawWorkItem::try_new(binding.scope().base()) }?;
        let shared = AfShared {
            node: Node::new(),
            lent: Lent::new(),
            family: self.family(),
            handle: Opaque::null(),
            slot: Opaque::null(),
            state: SpinLock::new(State {
                phase: Phase::Opening,
                telling: false,
                notify: Notify::None,
                unwanted: false,
                requests: 0,
                back_off: false,
                outcome: Status::FAILURE,
                vcs: Children::new(),
                saps: Children::new(),
            }),
            leaving: AtomicBool::new(false),
            teller: SpinLock::new(Some(teller)),
            context,
            binding: Parent::new(binding.clone()),
        };
        let af = Arc::try_new_anchored(shared, Tag::NDIS)?;
        self.binding.shared.families().add(&af)?;
        let context = af.lent.lend(&af);
        // SAFETY: PASSIVE_LEVEL; the very pointer of the notification, which
        // NDIS owns and keeps for the callback (rule AF-09); context and handle
        // variable belong to the family, which NDIS's reference keeps until the
        // completion (rule AF-12, invariant AF).
        let status = unsafe {
            ndis_sys::NdisClOpenAddressFamilyEx(
                binding.handle(),
                self.raw,
                context,
                af.slot.place(),
            )
        };
        let status = Status::from_raw(status);
        if !status.is_pending() {
            // The call is over, so NDIS no longer writes (AF-11).
            open_completed(&af, af.slot.get(), status, irql.passive());
        }
        Ok(())
    }
}

impl<C: Client> fmt::Debug for AfOffer<'_, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AfOffer").field(&self.family()).finish()
    }
}
