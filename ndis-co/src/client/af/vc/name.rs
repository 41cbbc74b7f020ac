//! A client gives its VC a name.

use super::{Client, Vc};
use crate::{
    Status,
    instance_name::{InstanceName, LiveVc, Slot},
    wide::Name,
};

impl<C: Client> Vc<C> {
    /// Gives the VC a name for those who manage the machine, and publishes it: without one, the
    /// tools that use WMI do not see the VC. `base` is to be unlike those of the adapter's other
    /// VCs (rule [VC-57]), whichever driver's; NDIS puts a number behind it.
    ///
    /// A VC has one name, until it is deleted: when it has got one, from this driver or the one
    /// at the other end, this tells which, and `base` is of no interest (rule [VC-58]).
    ///
    /// At or below DISPATCH_LEVEL, to which it raises (rule [IRQL-34]). Source page:
    /// [`NdisCoAssignInstanceName`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndiscoassigninstancename).
    ///
    /// # Errors
    ///
    /// [`Status::INVALID_PARAMETER`] for no text or one that is too long;
    /// [`Status::CLOSING`] when the VC is deleted, or about to be; [`Status::RESOURCES`], after
    /// which the VC may have the name; [`Status::FAILURE`] when NDIS cannot.
    ///
    /// ```
    /// # use ndis_co::{Status, client::{Client, Vc}};
    /// # use ndis_host as _;
    /// fn call_is_up<C: Client>(call: &Vc<C>) -> Result<(), Status> {
    ///     let name = call.assign_instance_name("Archive")?;
    ///     assert_eq!(call.assign_instance_name("Attic")?, name, "the first one stays");
    ///     Ok(())
    /// }
    /// ```
    ///
    /// [IRQL-34]: ndis_sys::rules#IRQL-34
    /// [VC-57]: ndis_sys::rules#VC-57
    /// [VC-58]: ndis_sys::rules#VC-58
    #[doc(alias = "NdisCoAssignInstanceName")]
    pub fn assign_instance_name<'n>(
        &self,
        base: impl Into<Name<'n>>,
    ) -> Result<InstanceName, Status> {
        // The driver's code, so before the lock.
        let base = base.into();
        self.live(|vc, name| name.assign(&vc, base))
    }

    /// What is done with the VC's handle while it is not deleted, at DISPATCH_LEVEL.
    pub(super) fn live<R>(
        &self,
        f: impl FnOnce(LiveVc<'_>, &mut Slot) -> Result<R, Status>,
    ) -> Result<R, Status> {
        self.shared.state.locked(|state| {
            if !state.is_alive() {
                return Err(Status::CLOSING);
            }
            // SAFETY: the handle of this VC, which does not begin to be deleted while its state
            // is locked (VC).
            let vc = unsafe { LiveVc::new(self.shared.handle()) };
            f(vc, state.name())
        })
    }
}
