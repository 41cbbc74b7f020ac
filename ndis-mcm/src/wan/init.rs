//! [`NewWan`]: the steps of the initialization.

use super::{Wan, WanMiniport, lines::Lines, link::Link, nic::Nic, oids};
use crate::{
    AdapterConfiguration, Attributed, Initialize, Initialized, New, Status,
    device::{DeviceParent, parent},
    miniport::sealed,
};
use core::fmt;
use ndis_co::{
    family::{AddressFamily, Family},
    irql::{AtPassive, Passive},
    mem::Tag,
    nbl::NetBufferListPool,
    scope::{Live, Scope},
};
use ndis_sys::NDIS_HANDLE;

/// What NDPROXY opens (rule TAPI-01). The number of the version, no page says.
const FAMILY: AddressFamily = AddressFamily::new(Family::TAPI_PROXY, 1, 0);

/// An adapter that is being initialized: say what it is.
///
/// ```text
/// NewWan ──declare──> Declared ──finish──> Initialized
/// ```
///
/// ```
/// # use ndis_host as _;
/// use ndis_co::irql::Passive;
/// use ndis_mcm::{Initialized, Status, wan::{Line, Lines, Link, NewWan, Speeds, Subtype, WanMiniport}};
///
/// /// [`WanMiniport::initialize`] of a driver that keeps nothing for an adapter.
/// fn initialize<'i, W: WanMiniport<Adapter = ()>>(
///     init: NewWan<'i, W>,
///     irql: &mut Passive,
/// ) -> Result<Initialized<'i>, Status> {
///     let line = Line::new("DSL", Speeds::new(2_000_000, 16_000_000))?.addresses(1)?;
///     let link = Link::new(Subtype::ATM, 1492, 8);
///     init.declare(link, Lines::one(line)?, irql)?.finish((), irql)
/// }
/// ```
///
/// Source page: [`MINIPORT_INITIALIZE`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nc-ndis-miniport_initialize).
#[must_use]
#[doc(alias = "MiniportInitializeEx")]
pub struct NewWan<'i, W: WanMiniport>(Initialize<'i, Wan<W>, New>);

impl<'i, W: WanMiniport> NewWan<'i, W> {
    pub(super) fn new(init: Initialize<'i, Wan<W>, New>) -> Self {
        Self(init)
    }

    /// As [`Initialize::configuration`]: how many lines there are, for example, may be set by the
    /// administrator.
    ///
    /// # Errors
    ///
    /// As there.
    #[doc(alias = "NdisOpenConfigurationEx")]
    pub fn configuration<'c>(
        &'c self,
        irql: &'c mut Passive,
    ) -> Result<AdapterConfiguration<'c>, Status> {
        self.0.configuration(irql)
    }

    /// Declares what the links of the adapter are like, and which lines it has.
    ///
    /// PASSIVE_LEVEL. Source page: [`NdisMSetMiniportAttributes`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndismsetminiportattributes).
    ///
    /// # Errors
    ///
    /// [`Status::INVALID_DATA`] when there is no line, [`Status::RESOURCES`], what NDIS answers.
    #[doc(alias = "NdisMSetMiniportAttributes")]
    pub fn declare(
        self,
        link: Link,
        lines: Lines,
        irql: &mut impl AtPassive,
    ) -> Result<Declared<'i, W>, Status> {
        if lines.is_empty() {
            return Err(Status::INVALID_DATA);
        }
        let answered: &[u32] = match link.can_compress() {
            Some(_) => &oids::OF_COMPRESSING_ADAPTER,
            None => &oids::OF_ADAPTER,
        };
        let attributes = link.attributes().oids(W::OIDS);
        let attributes = attributes.answered(answered).counting_calls();
        let init = self.0.attributes(&attributes, irql)?;
        Ok(Declared { init, link, lines })
    }
}

impl<W: WanMiniport> fmt::Debug for NewWan<'_, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewWan").finish_non_exhaustive()
    }
}

/// An adapter of which NDIS knows what it is: give it what the driver keeps for it.
///
/// ```
/// # use ndis_host as _;
/// use ndis_co::{irql::Passive, mem::Tag, nbl::NetBufferListPool};
/// use ndis_mcm::{Initialized, Status, wan::{Declared, WanMiniport}};
///
/// /// The driver keeps a pool of its own.
/// fn finish<'i, W: WanMiniport<Adapter = NetBufferListPool>>(
///     init: Declared<'i, W>,
///     irql: &mut Passive,
/// ) -> Result<Initialized<'i>, Status> {
///     let pool = NetBufferListPool::for_receives(init.scope(), Tag::new(*b"Wan0"))?;
///     init.finish(pool, irql)
/// }
/// ```
#[must_use]
pub struct Declared<'i, W: WanMiniport> {
    init: Initialize<'i, Wan<W>, Attributed>,
    link: Link,
    lines: Lines,
}

impl<'i, W: WanMiniport> Declared<'i, W> {
    /// What pools, timers and work items of the adapter are allocated on. (Its
    /// [control devices](crate::device) are registered through this value itself.)
    #[must_use]
    pub fn scope(&self) -> &Scope {
        self.init.scope()
    }

    /// Gives the adapter what the driver keeps for it, and offers telephony on it: applications
    /// may call as soon as the initialization is over (rule [TAPI-01]).
    ///
    /// PASSIVE_LEVEL. Source page: [`NdisMCmRegisterAddressFamilyEx`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndismcmregisteraddressfamilyex).
    ///
    ///
    /// # Errors
    ///
    /// [`Status::RESOURCES`]; `adapter` is dropped then.
    ///
    /// [TAPI-01]: ndis_sys::rules#TAPI-01
    #[doc(alias = "NdisMCmRegisterAddressFamilyEx")]
    pub fn finish(
        self,
        adapter: W::Adapter,
        irql: &mut impl AtPassive,
    ) -> Result<Initialized<'i>, Status> {
        let Self { init, link, lines } = self;
        let pool = NetBufferListPool::for_receives(init.scope(), Tag::NDIS)?;
        let mut init = init.adapter(Nic::try_new(link, lines, pool, adapter)?)?;
        init.register_address_family(FAMILY, irql)?;
        Ok(init.finish())
    }
}

impl<W: WanMiniport> parent::Sealed for Declared<'_, W> {}

/// A control device may be registered before the adapter is finished.
impl<W: WanMiniport> DeviceParent for Declared<'_, W> {
    fn parts(&self, token: sealed::Token) -> Option<(Live, NDIS_HANDLE)> {
        self.init.parts(token)
    }
}

impl<W: WanMiniport> fmt::Debug for Declared<'_, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Declared")
            .field("link", &self.link)
            .field("lines", &self.lines)
            .finish_non_exhaustive()
    }
}
