//! The parameters of a call, as NDISWAN is offered them.

use ndis_co::{
    Status,
    params::{CallParameters, CallParametersBuf, FlowSpec},
    tapi::{self, CallInfo, CallParams, IncomingCall, MakeCall},
};

/// The parameters of a call once more, whichever way it goes. With a number the call has that as
/// its data.
///
/// # Errors
///
/// As [`tapi::Call::from_parameters`] and `to_parameters` of its kinds.
pub(super) fn again(
    parameters: CallParameters<'_>,
    number: Option<u32>,
) -> Result<CallParametersBuf, Status> {
    let unknown = FlowSpec::best_effort(FlowSpec::UNSPECIFIED);
    let (transmit, receive) = parameters
        .call_manager()
        .map_or((unknown, unknown), |half| (half.transmit(), half.receive()));
    let mark = number.map(u32::to_le_bytes);
    let mark = mark.as_ref().map(<[u8; 4]>::as_slice);
    match tapi::Call::from_parameters(parameters)? {
        tapi::Call::Outgoing(call) => {
            let params = call.params.unwrap_or_default();
            let params = CallParams {
                call_data: mark.unwrap_or(params.call_data),
                ..params
            };
            let call = MakeCall {
                default_params: call.default_params && mark.is_none(),
                params: Some(params),
                ..call
            };
            call.to_parameters(transmit, receive)
        }
        tapi::Call::Incoming(call) => {
            let info = CallInfo {
                call_data: mark.unwrap_or(call.info.call_data),
                ..call.info
            };
            IncomingCall { info }.to_parameters(transmit, receive)
        }
    }
}
