//! A driver gives a request back.

use crate::cx::Cx;
use crate::export::Call;
use crate::handle::{Kind, ObjectId};
use crate::state::State;
use ndis_sys as n;
use ndis_sys::IRP;

impl State {
    /// The request that a driver completes, with its status, if it is one.
    fn completes_request(&mut self, call: &str, irp: *mut IRP) -> Option<(u32, i32)> {
        let Some(number) = self.io.request_at(irp) else {
            let message = alloc::format!("{call} with what is no request, or not any more");
            self.violate("DEV-10", None, message);
            return None;
        };
        let object = ObjectId::new(Kind::Irp, number);
        let request = self.io.requests.get_mut(&number)?;
        if request.completed.is_some() {
            let message = alloc::format!("{call} for {object}, which was completed");
            self.violate("DEV-10", Some(object), message);
            return None;
        }
        let (block, control, routine) = request.body.with(|packet| {
            let routine = packet.irp.CancelRoutine;
            (packet.irp.IoStatus, packet.location.Control, routine)
        });
        let cancelling = request.cancelling;
        request.body.overwrite();
        let room = request.room;
        // SAFETY: the status is the block's first member, a number.
        let status = unsafe { (&raw const block).cast::<i32>().read() };
        // As wide as that; `wdk-sys` has another type.
        #[allow(clippy::unnecessary_cast)]
        let information = block.Information as usize;
        if status == n::STATUS_PENDING {
            let message = alloc::format!("{call} for {object} with PENDING");
            self.violate("DEV-11", Some(object), message);
        }
        if !n::NT_ERROR(status) && information > room {
            let message = alloc::format!(
                "{call} for {object} with {information} bytes of data, which has room for {room}"
            );
            self.violate("DEV-14", Some(object), message);
        }
        if routine.is_some() {
            let message = alloc::format!("{call} for {object}, which has its cancel routine");
            self.violate("DEV-28", Some(object), message);
        }
        if cancelling && (status != n::STATUS_CANCELLED || information != 0) {
            let shown = crate::status::Name(status);
            let message = alloc::format!(
                "{call} for {object}, which was cancelled, with {shown} and {information} bytes"
            );
            self.violate("DEV-29", Some(object), message);
        }
        let marked = control & n::SL_PENDING_RETURNED != 0;
        self.complete_request(number, status, information, marked);
        Some((number, status))
    }
}

/// On x86 it takes its parameters in registers.
#[cfg(not(target_arch = "x86"))]
pub(crate) mod in_registers {
    use super::{Call, Cx, IRP, Kind, ObjectId};
    use crate::export::exports;

    exports! { EXPORTS {
        /// Completes a request. A pointer that is no request's is not followed.
        fn IofCompleteRequest(irp: *mut IRP, _boost: i8) {
            let call = Call::new("IofCompleteRequest").unlocked("DEV-13");
            let cx = Cx::enter(call, &[]);
            if let Some((number, status)) = cx.with(|s| s.completes_request(call.name, irp)) {
                cx.about(ObjectId::new(Kind::Irp, number));
                cx.done(status);
            }
        }
    }}
}
