//! The parameters of a call, as NDISWAN is offered them.

use ndis_co::{
    Status,
    params::{CallParameters, CallParametersBuf, FlowSpec},
    tapi,
};

/// The parameters of a call once more, whichever way it goes.
///
/// # Errors
///
/// As [`tapi::Call::from_parameters`] and `to_parameters` of its kinds.
pub(super) fn again(parameters: CallParameters<'_>) -> Result<CallParametersBuf, Status> {
    let unknown = FlowSpec::best_effort(FlowSpec::UNSPECIFIED);
    let (transmit, receive) = parameters
        .call_manager()
        .map_or((unknown, unknown), |half| (half.transmit(), half.receive()));
    match tapi::Call::from_parameters(parameters)? {
        tapi::Call::Outgoing(call) => call.to_parameters(transmit, receive),
        tapi::Call::Incoming(call) => call.to_parameters(transmit, receive),
    }
}
