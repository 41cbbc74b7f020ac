//! [`CreatedVc`] and [`Call`]: who owns a VC, or the call on it, ends it.

use super::{Af, AfShared, Client, Numbered, Vc, VcShared};
use crate::{
    Status,
    armed::{Alarm, Armed},
    client::state::{Origin, State},
    deferred::Deferred,
    irql::{NoLock, UpToDispatch},
    mem::Arc,
    params::CallParametersBuf,
    stack,
};
use core::{fmt, marker::PhantomData, ops, ptr};
use ndis_sys::NDIS_HANDLE;

/// A VC that this client created and has not yet used, owned: dropping it
/// deletes it (rules [VC-22], [VC-23]).
///
/// It cannot outlive the address family that it was made from.
///
/// ```
/// # use ndis_co::{Status, client::{Af, Client, Vc}, irql::UpToDispatch, params::CallParametersBuf};
/// # use ndis_host as _;
/// /// Places a call; it ends by a hang-up, whose reference is kept.
/// fn call<C: Client<Vc = ()>>(
///     af: &Af<C>,
///     parameters: CallParametersBuf,
///     irql: &mut UpToDispatch,
/// ) -> Result<Vc<C>, Status> {
///     Ok(af.create_vc((), irql)?.make_call(parameters, irql).keep())
/// }
/// ```
///
/// [VC-22]: ndis_sys::rules#VC-22
/// [VC-23]: ndis_sys::rules#VC-23
#[must_use = "dropping a created VC deletes it"]
pub struct CreatedVc<'af, C: Client> {
    vc: Armed<Vc<C>, Delete<'af, C>>,
}

/// Deletes a VC whose owner, made from a borrowed family, is gone.
struct Delete<'af, C: Client>(PhantomData<&'af Af<C>>);

impl<C: Client> Alarm<Vc<C>> for Delete<'_, C> {
    fn lost(vc: Vc<C>) {
        vc.shared.state.locked(State::want_delete);
        VcShared::defer(&vc.shared);
    }
}

/// A call that this client placed or took, owned: dropping it hangs up.
///
/// While the call is being placed, the hang-up waits until that has succeeded
/// or failed. [`keep`](Self::keep) trades it for a reference, see the
/// [module](crate::client).
///
/// ```
/// # use ndis_co::{Status, client::{Client, OpenAf}, irql::Passive, params::CallParametersBuf};
/// # use ndis_host as _;
/// fn ring_briefly<C: Client<Vc = ()>>(
///     af: &OpenAf<C>,
///     parameters: CallParametersBuf,
///     irql: &mut Passive,
/// ) -> Result<(), Status> {
///     let call = af.create_vc((), irql)?.make_call(parameters, irql);
///     // Dropping it would hang up, too; `keep` goes on without it.
///     call.close(b"never mind", irql)
/// }
/// ```
#[must_use = "dropping a call hangs up"]
pub struct Call<'af, C: Client> {
    call: Armed<Numbered<C>, HangUp<'af, C>>,
}

/// Hangs up a call whose owner, made from a borrowed family, is gone.
struct HangUp<'af, C: Client>(PhantomData<&'af Af<C>>);

impl<C: Client> Alarm<Numbered<C>> for HangUp<'_, C> {
    fn lost(Numbered { vc, number }: Numbered<C>) {
        vc.shared.state.locked(|state| state.want_close_of(number));
        VcShared::defer(&vc.shared);
    }
}

impl<'af, C: Client> CreatedVc<'af, C> {
    /// Places a call (rule [CALL-01]).
    ///
    /// The outcome comes as [`Client::call_connected`] or
    /// [`Client::call_failed`], possibly before this returns (rule [CALL-71]).
    /// The call fails with [`Status::CLOSING`] when the address family is
    /// being closed and has taken the VC with it, and with [`Status::INVALID_DATA`] when the
    /// family is one of telephony, and the parameters a [`MakeCall`](crate::tapi::MakeCall) that
    /// says of what is not there that it is.
    ///
    /// Source page: [`NdisClMakeCall`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndisclmakecall).
    ///
    /// [CALL-01]: ndis_sys::rules#CALL-01
    /// [CALL-71]: ndis_sys::rules#CALL-71
    #[doc(alias = "NdisClMakeCall")]
    pub fn make_call(self, parameters: CallParametersBuf, irql: &mut impl NoLock) -> Call<'af, C> {
        let vc = self.vc.disarm();
        let number = VcShared::make_call(&vc, parameters.asked(), irql.up_to_dispatch());
        Call::new(vc, number)
    }

    /// Deletes the VC now rather than soon.
    ///
    /// Source page: [`NdisCoDeleteVc`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndiscodeletevc).
    #[doc(alias = "NdisCoDeleteVc")]
    pub fn delete(self, irql: &mut impl NoLock) {
        let vc = self.vc.disarm();
        VcShared::change(&vc, State::want_delete, irql.up_to_dispatch());
    }
}

impl<C: Client> ops::Deref for CreatedVc<'_, C> {
    type Target = Vc<C>;
    fn deref(&self) -> &Vc<C> {
        &self.vc
    }
}

impl<C: Client> fmt::Debug for CreatedVc<'_, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.vc.fmt(f)
    }
}

impl<C: Client> Call<'_, C> {
    pub(in crate::client) fn new(vc: Vc<C>, number: u32) -> Self {
        Self {
            call: Armed::new(Numbered { vc, number }),
        }
    }

    /// Hangs up, with data for the other side if the medium carries any.
    ///
    /// The close is requested when every sent list is back (rule
    /// [CALL-42]); [`Client::call_closed`] tells when it is done.
    ///
    /// Source page: [`NdisClCloseCall`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndisclclosecall).
    ///
    /// # Errors
    ///
    /// [`Status::RESOURCES`] when there is no memory for the data,
    /// [`Status::INVALID_LENGTH`] when it is longer than [`MAX_VARIABLE`](crate::address::MAX_VARIABLE) bytes; the call
    /// is hung up without it then.
    ///
    /// [CALL-42]: ndis_sys::rules#CALL-42
    #[doc(alias = "NdisClCloseCall")]
    pub fn close(self, data: &[u8], irql: &mut impl NoLock) -> Result<(), Status> {
        let Numbered { vc, number } = self.call.disarm();
        VcShared::hang_up(&vc, Some(number), data, irql.up_to_dispatch())
    }

    /// Trades the owner for a reference: from here on the call ends by
    /// [`Vc::hang_up`], by the other side, or with the address family.
    #[must_use]
    pub fn keep(self) -> Vc<C> {
        self.call.disarm().vc
    }
}

impl<C: Client> ops::Deref for Call<'_, C> {
    type Target = Vc<C>;
    fn deref(&self) -> &Vc<C> {
        &self.call.vc
    }
}

impl<C: Client> fmt::Debug for Call<'_, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<C: Client> VcShared<C> {
    /// Creates a VC for an outgoing call.
    pub(in crate::client) fn create<'af>(
        af: &Arc<AfShared<C>>,
        context: C::Vc,
        _irql: &mut UpToDispatch,
    ) -> Result<CreatedVc<'af, C>, Status> {
        if stack::is_low_for::<C::Vc>() {
            return Err(Status::RESOURCES);
        }
        let vc = Self::try_new(af, Origin::Client, ptr::null_mut(), context)?;
        af.add_vc(&vc)?;
        let context = vc.lent.lend(&vc);
        let mut handle: NDIS_HANDLE = ptr::null_mut();
        // SAFETY: the family was open a moment ago and does not close while a
        // VC is in its list; the context lives until deletion (invariant VC);
        // the handle variable is null beforehand.
        let status = unsafe {
            ndis_sys::NdisCoCreateVc(af.binding.handle(), af.handle(), context, &mut handle)
        };
        if let Err(failure) = Status::from_raw(status).result() {
            vc.state.locked(State::deleted);
            Self::retire(&vc);
            return Err(failure);
        }
        vc.handle.set(handle);
        // Only now may the address family's teardown delete it.
        vc.state.locked(State::created);
        AfShared::advance_later(af);
        Ok(CreatedVc {
            vc: Armed::new(Vc { shared: vc }),
        })
    }
}
