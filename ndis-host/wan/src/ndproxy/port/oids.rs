//! Asking the call manager, of whatever an application wants to know.

use super::Port;
use crate::ndproxy::Tapi;
use ndis_co::{
    Status,
    irql::Passive,
    oid::{Answered, OutgoingRequest, ToManager},
};

impl<T: Tapi> Port<T> {
    /// Asks the call manager, and waits for the answer.
    ///
    /// # Errors
    ///
    /// [`Status::CLOSING`] when its family is not open, [`Status::RESOURCES`]. That it answers
    /// with a failure, the answer says.
    pub fn ask(
        &self,
        request: OutgoingRequest<ToManager>,
        irql: &mut Passive,
    ) -> Result<Answered<ToManager>, Status> {
        let af = self.state.with(irql, |state, _| state.af.clone());
        Ok(af.ok_or(Status::CLOSING)?.request_and_wait(request, irql)?)
    }

    /// Asks the call manager about a call, and waits for the answer.
    ///
    /// # Errors
    ///
    /// [`Status::TAPI_INVALCALLHANDLE`] for a call that is not there,
    /// [`Status::TAPI_INVALCALLSTATE`] for one that has no VC, [`Status::RESOURCES`].
    pub fn ask_about(
        &self,
        call: u32,
        request: OutgoingRequest<ToManager>,
        irql: &mut Passive,
    ) -> Result<Answered<ToManager>, Status> {
        let vc = self.find(call, irql)?.lower(irql);
        Ok(vc
            .ok_or(Status::TAPI_INVALCALLSTATE)?
            .request_and_wait(request, irql)?)
    }
}
