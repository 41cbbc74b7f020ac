//! Miniports say that an adapter has paused, or how it restarted.

use crate::cx::Cx;
use crate::export::{Call, exports};
use crate::handle::{Kind, ObjectId};
use crate::model::request::Asked;
use ndis_sys as n;
use ndis_sys::NDIS_HANDLE;

const PAUSE_COMPLETE: Call = Call::new("NdisMPauseComplete").unlocked("GEN-01");
const RESTART_COMPLETE: Call = Call::new("NdisMRestartComplete").unlocked("GEN-01");
const RESET_COMPLETE: Call = Call::new("NdisMResetComplete").unlocked("RESET-04");

exports! { EXPORTS {
    /// Completes a pended `MiniportPause`.
    fn NdisMPauseComplete(adapter: NDIS_HANDLE) {
        let cx = Cx::enter(PAUSE_COMPLETE, &[adapter]);
        cx.with(|s| {
            let Some(number) = s.take("NdisMPauseComplete", adapter.addr(), Kind::Adapter) else {
                return;
            };
            let object = ObjectId::new(Kind::Adapter, number);
            let (call, done) = ("NdisMPauseComplete", n::NDIS_STATUS_SUCCESS);
            if s.completes(call, "PAUSE-02", object, Asked::Pause(number), done) {
                s.check_drained(number, call);
            }
        });
    }

    /// Completes a pended `MiniportResetEx`.
    fn NdisMResetComplete(adapter: NDIS_HANDLE, status: i32, addressing_reset: u8) {
        let cx = Cx::enter(RESET_COMPLETE, &[adapter]);
        cx.done(status);
        cx.with(|s| {
            let call = RESET_COMPLETE.name;
            let Some(number) = s.take(call, adapter.addr(), Kind::Adapter) else {
                return;
            };
            let object = ObjectId::new(Kind::Adapter, number);
            if !s.final_status(call, status, object) {
                return;
            }
            if s.completes(call, "RESET-04", object, Asked::Reset(number), status) {
                s.reset_ends(number, call, addressing_reset != 0);
            }
        });
    }

    /// Completes a pended `MiniportRestart`.
    fn NdisMRestartComplete(adapter: NDIS_HANDLE, status: i32) {
        let cx = Cx::enter(RESTART_COMPLETE, &[adapter]);
        cx.done(status);
        cx.with(|s| {
            let call = "NdisMRestartComplete";
            let Some(number) = s.take(call, adapter.addr(), Kind::Adapter) else {
                return;
            };
            let object = ObjectId::new(Kind::Adapter, number);
            if !s.final_status(call, status, object) {
                return;
            }
            s.completes(call, "PAUSE-08", object, Asked::Restart(number), status);
        });
    }
}}
