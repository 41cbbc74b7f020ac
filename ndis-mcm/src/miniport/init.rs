//! [`Initialize`]: the steps of `MiniportInitializeEx`, in the one legal order.
//!
//! ```text
//! New ──attributes──> Attributed ──adapter──> Ready ──finish──> Initialized
//!                                             │   ^
//!                                             └───┘ register_address_family
//! ```
//!
//! Each step consumes the value of the one before. An address family can be
//! registered in the state [`Ready`] only: not before the attributes are set
//! (rules INIT-01, INIT-03), not after initialization, for nothing is left to
//! register it on.

use super::{
    Miniport, RegistersFamilies, Role,
    adapter::{AdapterCore, AdapterShared},
    oid::standard::Standing,
};
use crate::Attributes;
use core::{fmt, marker::PhantomData};
use ndis_co::{
    Status,
    answer::Brand,
    configuration::NewAdapter,
    family::AddressFamily,
    irql::AtPassive,
    mem::Arc,
    scope::{Scope, Teardown},
};

/// An adapter that is being initialized, in state `S`.
///
/// It cannot leave the callback, and what is to be returned can only be made
/// from it.
///
/// ```
/// # use ndis_co::family::AddressFamily;
/// # use ndis_mcm::{Attributes, Initialize, Initialized, Miniport, New, RegistersFamilies, Status};
/// # use ndis_co::irql::Passive;
/// # use ndis_host as _;
/// /// [`Miniport::initialize`] of a call manager.
/// fn initialize<'i, M: Miniport<Adapter = (), Role: RegistersFamilies>>(
///     init: Initialize<'i, M, New>,
///     family: AddressFamily,
///     irql: &mut Passive,
/// ) -> Result<Initialized<'i>, Status> {
///     let init = init.attributes(&Attributes::wan(), irql)?;
///     let mut init = init.adapter(())?;
///     init.register_address_family(family, irql)?;
///     Ok(init.finish())
/// }
/// ```
///
/// Source page: [`MINIPORT_INITIALIZE`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nc-ndis-miniport_initialize).
#[must_use]
#[doc(alias = "MiniportInitializeEx")]
pub struct Initialize<'i, M: Miniport, S> {
    core: Arc<AdapterCore<M>>,
    handle: NewAdapter,
    state: S,
    _callback: Brand<'i>,
}

/// Nothing is set yet.
#[derive(Debug)]
pub struct New(());

/// The attributes are set; the driver makes its context.
#[derive(Debug)]
pub struct Attributed(Standing);

/// The adapter's context is there; address families can be registered.
#[derive(Debug)]
pub struct Ready(());

/// The states of [`Initialize`] in which a context exists.
#[diagnostic::on_unimplemented(
    message = "an address family is registered after the attributes and the adapter's context are set",
    label = "the initialization is in the state `{Self}`",
    note = "rules INIT-01 and INIT-03: call `attributes`, then `adapter`, and register on what that returns"
)]
pub trait HasAdapter: sealed::Sealed {}

impl HasAdapter for Ready {}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Ready {}
}

/// Initialization has succeeded; what [`Miniport::initialize`] returns.
///
/// ```
/// # use ndis_mcm::{Initialize, Initialized, Miniport, Ready};
/// # use ndis_host as _;
/// /// There is no other way to make one.
/// fn done<'i, M: Miniport>(init: Initialize<'i, M, Ready>) -> Initialized<'i> {
///     init.finish()
/// }
/// ```
#[must_use]
#[derive(Debug)]
pub struct Initialized<'i> {
    _callback: Brand<'i>,
}

impl<'i, M: Miniport> Initialize<'i, M, New> {
    pub(crate) fn new(core: Arc<AdapterCore<M>>, handle: NewAdapter) -> Self {
        Self {
            core,
            handle,
            state: New(()),
            _callback: PhantomData,
        }
    }

    /// Sets the registration and the general attributes.
    ///
    /// Source page: [`NdisMSetMiniportAttributes`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndismsetminiportattributes).
    ///
    /// # Errors
    ///
    /// What NDIS answers, or [`Status::RESOURCES`].
    #[doc(alias = "NdisMSetMiniportAttributes")]
    pub fn attributes(
        self,
        attributes: &Attributes,
        irql: &mut impl AtPassive,
    ) -> Result<Initialize<'i, M, Attributed>, Status> {
        let _ = irql;
        let co = <M::Role as Role<M>>::IS_CO;
        let standing = Standing::try_new::<M>(attributes)?;
        // SAFETY: within the callback, once, for the state is consumed; the
        // core outlives the adapter.
        unsafe {
            attributes.set(
                self.handle.get(),
                Arc::as_raw(&self.core),
                co,
                standing.oids(),
            )
        }?;
        // SAFETY: the handle lives until the halt, or the end of a failed
        // initialization; both close the teardown.
        let teardown = unsafe { Teardown::open(self.handle.get()) }?;
        self.core.set_teardown(teardown);
        Ok(self.advance(Attributed(standing)).0)
    }
}

impl<'i, M: Miniport> Initialize<'i, M, Attributed> {
    /// What pools, timers and work items of the adapter are allocated on.
    #[must_use]
    pub fn scope(&self) -> &Scope {
        // SAFETY: in this state the attributes are set, and with them the
        // teardown.
        unsafe { self.core.scope() }
    }

    /// Gives the adapter its context.
    ///
    /// # Errors
    ///
    /// [`Status::RESOURCES`]; the context is dropped then.
    pub fn adapter(self, context: M::Adapter) -> Result<Initialize<'i, M, Ready>, Status> {
        let (init, Attributed(standing)) = self.advance(Ready(()));
        let shared = AdapterShared::try_new(&init.core, init.handle.get(), standing, context)?;
        init.core.set_shared(shared);
        Ok(init)
    }
}

impl<'i, M: Miniport, S> Initialize<'i, M, S> {
    pub(super) fn adapter_handle(&self) -> &NewAdapter {
        &self.handle
    }

    /// What NDIS knows as the adapter.
    pub(crate) fn core(&self) -> &AdapterCore<M> {
        &self.core
    }

    /// The next state, and what the one before had.
    fn advance<N>(self, state: N) -> (Initialize<'i, M, N>, S) {
        let next = Initialize {
            core: self.core,
            handle: self.handle,
            state,
            _callback: PhantomData,
        };
        (next, self.state)
    }

    /// Registers an address family: clients will be told of it and open it
    /// once the adapter is initialized (rules [INIT-03], [INIT-08]).
    ///
    /// Once per family and adapter. Make it the last step: the adapter must be
    /// able to carry calls (rule [AF-49]).
    ///
    /// PASSIVE_LEVEL. Source page: [`NdisMCmRegisterAddressFamilyEx`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndismcmregisteraddressfamilyex).
    ///
    /// # Errors
    ///
    /// [`Status::RESOURCES`] when memory is short; [`Status::FAILURE`] when
    /// the family was registered for this adapter before (rule [INIT-04]).
    ///
    /// [AF-49]: ndis_sys::rules#AF-49
    /// [INIT-03]: ndis_sys::rules#INIT-03
    /// [INIT-04]: ndis_sys::rules#INIT-04
    /// [INIT-08]: ndis_sys::rules#INIT-08
    #[doc(alias = "NdisMCmRegisterAddressFamilyEx")]
    pub fn register_address_family(
        &mut self,
        family: AddressFamily,
        irql: &mut impl AtPassive,
    ) -> Result<(), Status>
    where
        S: HasAdapter,
        M::Role: RegistersFamilies,
    {
        let _ = irql;
        self.core.advertised.register(family, |place| {
            // SAFETY: within MiniportInitializeEx at PASSIVE_LEVEL, with its
            // handle (rule INIT-05), from a driver that registered as call manager.
            // The structure belongs to the adapter's core, which NDIS has a reference of
            // until the halt is over (rule INIT-07).
            let status =
                unsafe { ndis_sys::NdisMCmRegisterAddressFamilyEx(self.handle.get(), place) };
            Status::from_raw(status)
        })
    }
}

impl<'i, M: Miniport> Initialize<'i, M, Ready> {
    /// Ends the initialization. The adapter is paused until NDIS restarts it
    /// (rule [INIT-11]). The driver is lent the adapter next, in
    /// [`Miniport::initialized`].
    ///
    /// [INIT-11]: ndis_sys::rules#INIT-11
    pub fn finish(self) -> Initialized<'i> {
        Initialized {
            _callback: PhantomData,
        }
    }
}

impl<M: Miniport, S: fmt::Debug> fmt::Debug for Initialize<'_, M, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Initialize")
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}
