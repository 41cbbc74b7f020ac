//! [`RegisteredSap`] and [`Sap`]: an address at which the client takes calls.

use super::{Af, AfShared, Client, children::Child};
use crate::{
    Status,
    address::{SapAddress, SapAddressBuf},
    armed::{Alarm, Armed},
    deferred::{Deferred, Node},
    irql::{NoLock, Passive, UpToDispatch},
    lock::SpinLock,
    mem::{Anchored, Arc, Lent, Parent, Tag},
    raw::Opaque,
    reference,
    scope::Scope,
    stack,
};
use core::{fmt, marker::PhantomData, ops, sync::atomic::AtomicUsize};
use ndis_sys::NDIS_HANDLE;

/// # Invariants
///
/// SAP-OBJ: from the register request until the deregistration has completed
/// (or the registration has failed), NDIS owns one reference as the client's SAP
/// context (rule SAP-07). `handle` is valid in phase `Registered`: it is kept of a registration
/// that has succeeded only (rule SAP-05).
#[doc(hidden)]
pub struct SapShared<C: Client> {
    node: Node<Self>,
    /// The context.
    lent: Lent<Self>,
    /// Where it is in its family's list, which is locked by whoever asks.
    place: AtomicUsize,
    address: SapAddressBuf,
    handle: Opaque,
    /// Where NDIS writes the handle; read only when the request did not pend.
    slot: Opaque,
    state: SpinLock<State>,
    context: C::Sap,
    pub(in crate::client) af: Parent<Arc<AfShared<C>>>,
}

impl<C: Client> Anchored for SapShared<C> {
    type Parent = Arc<AfShared<C>>;
    fn parent(&mut self) -> &mut Parent<Arc<AfShared<C>>> {
        &mut self.af
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    Registering,
    Registered,
    Deregistering,
    /// The deregistration has failed: over for the client, while NDIS may use the
    /// context until the family is closed.
    Released,
    Gone,
}

struct State {
    phase: Phase,
    /// To be deregistered as soon as possible.
    ending: bool,
}

/// A counted reference to a SAP; it derefs to the driver's context.
///
/// ```
/// # use ndis_co::{client::{Client, Sap}, irql::UpToDispatch, lock::SpinLock};
/// # use ndis_host as _;
/// /// No calls from here on.
/// fn do_not_disturb<C: Client>(kept: &SpinLock<Option<Sap<C>>>, irql: &mut UpToDispatch) {
///     if let Some(sap) = kept.take() {
///         sap.deregister(irql);
///     }
/// }
/// ```
pub struct Sap<C: Client> {
    pub(in crate::client) shared: Arc<SapShared<C>>,
}

/// A SAP of this client, owned: dropping it deregisters it.
///
/// It cannot outlive the address family that it was made from;
/// [`keep`](Self::keep) trades it for a reference, see the [module](crate::client).
///
/// ```
/// # use ndis_co::{Status, address::SapAddressBuf, client::{Client, OpenAf}, irql::Passive};
/// # use ndis_host as _;
/// fn listen_once<C: Client<Sap = ()>>(
///     af: &OpenAf<C>,
///     address: SapAddressBuf,
///     irql: &mut Passive,
/// ) -> Result<(), Status> {
///     let sap = af.register_sap((), address, irql)?;
///     // Calls come while it is there; dropping it ends that as well.
///     sap.deregister(irql);
///     Ok(())
/// }
/// ```
#[must_use = "dropping a registered SAP deregisters it"]
pub struct RegisteredSap<'af, C: Client> {
    sap: Armed<Sap<C>, Deregister<'af, C>>,
}

/// Deregisters a SAP whose owner, made from a borrowed family, is gone.
struct Deregister<'af, C: Client>(PhantomData<&'af Af<C>>);

impl<C: Client> Alarm<Sap<C>> for Deregister<'_, C> {
    fn lost(sap: Sap<C>) {
        if sap.shared.mark_ending() {
            SapShared::defer(&sap.shared);
        }
    }
}

impl<C: Client> RegisteredSap<'_, C> {
    /// Deregisters the SAP; [`Client::sap_deregistered`] tells when it is done.
    /// Calls that came in on it stay (rule [SAP-12]).
    ///
    /// Source page: [`NdisClDeregisterSap`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndisclderegistersap).
    ///
    /// [SAP-12]: ndis_sys::rules#SAP-12
    #[doc(alias = "NdisClDeregisterSap")]
    pub fn deregister(self, irql: &mut impl NoLock) {
        self.keep().deregister(irql);
    }

    /// Trades the owner for a reference: from here on the SAP is deregistered
    /// by [`Sap::deregister`] or with its address family.
    #[must_use]
    pub fn keep(self) -> Sap<C> {
        self.sap.disarm()
    }
}

impl<C: Client> ops::Deref for RegisteredSap<'_, C> {
    type Target = Sap<C>;
    fn deref(&self) -> &Sap<C> {
        &self.sap
    }
}

impl<C: Client> fmt::Debug for RegisteredSap<'_, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.sap.fmt(f)
    }
}

impl<C: Client> Sap<C> {
    /// The address that was registered.
    #[must_use]
    pub fn address(&self) -> SapAddress<'_> {
        self.shared.address.view()
    }

    /// The address family that the SAP belongs to.
    #[must_use]
    pub fn af(&self) -> Af<C> {
        Af {
            shared: Arc::clone(&self.shared.af),
        }
    }

    /// Deregisters the SAP. Doing it twice is harmless (rule [SAP-09]).
    ///
    /// Source page: [`NdisClDeregisterSap`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndisclderegistersap).
    ///
    /// [SAP-09]: ndis_sys::rules#SAP-09
    #[doc(alias = "NdisClDeregisterSap")]
    pub fn deregister(&self, irql: &mut impl NoLock) {
        if self.shared.mark_ending() {
            SapShared::end(&self.shared, irql.up_to_dispatch());
        }
    }
}

reference!(Sap<C: Client> to SapShared, "SAP", "SAP");

impl<C: Client> ops::Deref for Sap<C> {
    type Target = C::Sap;
    fn deref(&self) -> &C::Sap {
        &self.shared.context
    }
}

impl<C: Client> fmt::Debug for Sap<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sap")
            .field("address", &self.address())
            .finish_non_exhaustive()
    }
}

impl<C: Client> SapShared<C> {
    pub(in crate::client) fn register<'af>(
        af: &Arc<AfShared<C>>,
        context: C::Sap,
        address: SapAddressBuf,
        irql: &mut UpToDispatch,
    ) -> Result<RegisteredSap<'af, C>, Status> {
        if stack::is_low_for::<C::Sap>() {
            return Err(Status::RESOURCES);
        }
        let shared = Self {
            node: Node::new(),
            lent: Lent::new(),
            place: AtomicUsize::new(0),
            address,
            handle: Opaque::null(),
            slot: Opaque::null(),
            state: SpinLock::new(State {
                phase: Phase::Registering,
                ending: false,
            }),
            context,
            af: Parent::new(af.clone()),
        };
        let sap = Arc::try_new_anchored(shared, Tag::NDIS)?;
        af.add_sap(&sap)?;
        let context = sap.lent.lend(&sap);
        // SAFETY: the family was open a moment ago and does not close while a
        // SAP is registering; address, context and handle variable live until
        // the completion (rule SAP-04, invariant SAP-OBJ).
        let status = unsafe {
            ndis_sys::NdisClRegisterSap(
                af.handle(),
                context,
                sap.address.as_raw(),
                sap.slot.place(),
            )
        };
        let status = Status::from_raw(status);
        if !status.is_pending() {
            // The call is over, so NDIS no longer writes (SAP-03).
            registered(&sap, sap.slot.get(), status, irql);
        }
        Ok(RegisteredSap {
            sap: Armed::new(Sap { shared: sap }),
        })
    }

    /// Marks the SAP for deregistration; `true` for the first to do so.
    pub(in crate::client) fn mark_ending(&self) -> bool {
        self.state
            .locked(|state| !core::mem::replace(&mut state.ending, true))
    }

    /// Deregisters a marked SAP, if its registration is through; otherwise its
    /// completion does.
    pub(in crate::client) fn end(this: &Arc<Self>, irql: &mut UpToDispatch) {
        let low = this.state.locked(|state| {
            let due = state.ending && state.phase == Phase::Registered;
            let low = due.then(stack::is_low);
            if low == Some(false) {
                state.phase = Phase::Deregistering;
            }
            low
        });
        match low {
            None => return,
            Some(true) => return Self::defer(this),
            Some(false) => {}
        }
        // SAFETY: by SAP-OBJ the handle is valid; it dies with this call
        // (rule SAP-08), which is made once.
        let status = unsafe { ndis_sys::NdisClDeregisterSap(this.handle.get()) };
        let status = Status::from_raw(status);
        if !status.is_pending() {
            deregistered(this, status, irql);
        }
    }

    /// The family is closed: NDIS has no more use for the context.
    pub(in crate::client) fn af_closed(this: &Arc<Self>) {
        let released = this
            .state
            .locked(|state| core::mem::replace(&mut state.phase, Phase::Gone) == Phase::Released);
        if released {
            drop(this.lent.end());
        }
    }
}

impl<C: Client> Child for SapShared<C> {
    fn place(&self) -> &AtomicUsize {
        &self.place
    }

    /// One that ends already was asked with that.
    fn mark_ending(&self) -> bool {
        self.mark_ending();
        true
    }

    fn holds(&self) -> bool {
        self.state
            .locked(|state| !matches!(state.phase, Phase::Released | Phase::Gone))
    }
}

impl<C: Client> Deferred for SapShared<C> {
    fn node(&self) -> &Node<Self> {
        &self.node
    }

    fn scope(&self) -> &Scope {
        self.af.binding.scope()
    }

    fn run(this: Arc<Self>, irql: &mut Passive) {
        Self::end(&this, irql.up_to_dispatch());
    }
}

/// The registration has completed.
pub(in crate::client) fn registered<C: Client>(
    sap: &Arc<SapShared<C>>,
    handle: NDIS_HANDLE,
    status: Status,
    irql: &mut UpToDispatch,
) {
    let result = status.result();
    let phase = if result.is_ok() {
        sap.handle.set(handle);
        Phase::Registered
    } else {
        Phase::Gone
    };
    sap.state.locked(|state| state.phase = phase);
    sap.af.client().sap_registered(
        &Sap {
            shared: sap.clone(),
        },
        result,
        irql,
    );
    if result.is_ok() {
        // It may have been dropped before it was registered.
        SapShared::end(sap, irql);
    } else {
        retire(sap);
    }
}

/// The deregistration has completed.
pub(in crate::client) fn deregistered<C: Client>(
    sap: &Arc<SapShared<C>>,
    status: Status,
    irql: &mut UpToDispatch,
) {
    let gone = status.is_success();
    let phase = if gone { Phase::Gone } else { Phase::Released };
    sap.state.locked(|state| state.phase = phase);
    let told = Sap {
        shared: sap.clone(),
    };
    sap.af.client().sap_deregistered(&told, irql);
    if gone {
        retire(sap);
    } else {
        // The family is closing, or the call manager has refused, which it must
        // not (rule SAP-21). The handle is not to be used again (rule SAP-08), and
        // calls may still be offered with the context (rule SAP-10): NDIS's reference
        // stays until the family is closed.
        AfShared::advance_later(&sap.af);
    }
}

/// NDIS has done with the SAP: its reference and the list's end.
fn retire<C: Client>(sap: &Arc<SapShared<C>>) {
    drop(sap.lent.end());
    AfShared::remove_sap(&sap.af, sap);
}
