//! A driver gives a request back.

use super::request::GONE;
use super::table::Packet;
use crate::cx::Cx;
use crate::export::{Call, Export};
use crate::handle::{Kind, ObjectId};
use crate::state::State;
use ndis_sys as n;
use ndis_sys::IRP;

impl State {
    /// A driver completes what it says is a request; where it is, if that is one.
    fn completes_request(&mut self, call: &str, irp: *mut IRP) -> Option<(u32, *mut Packet)> {
        let Some(number) = self.io.request_at(irp) else {
            let message = alloc::format!("{call} with what is no request, or not any more");
            self.violate("DEV-10", None, message);
            return None;
        };
        let request = self.io.requests.get(&number)?;
        if request.completed.is_some() {
            let object = ObjectId::new(Kind::Irp, number);
            let message = alloc::format!("{call} for {object}, which was completed");
            self.violate("DEV-10", Some(object), message);
            return None;
        }
        Some((number, request.body.get()))
    }

    fn check_completion(&mut self, call: &str, number: u32, status: i32, information: usize) {
        let object = ObjectId::new(Kind::Irp, number);
        if status == n::STATUS_PENDING {
            let message = alloc::format!("{call} for {object} with PENDING");
            self.violate("DEV-11", Some(object), message);
        }
        let room = self
            .io
            .requests
            .get(&number)
            .map_or(0, |request| request.room);
        if !n::NT_ERROR(status) && information > room {
            let message = alloc::format!(
                "{call} for {object} with {information} bytes of data, which has room for {room}"
            );
            self.violate("DEV-14", Some(object), message);
        }
    }
}

fn complete(call: Call, irp: *mut IRP) {
    let name = call.name;
    let cx = Cx::enter(call, &[]);
    let Some((number, packet)) = cx.with(|s| {
        let (number, packet) = s.completes_request(name, irp)?;
        Some((number, crate::callback::Ptr(packet)))
    }) else {
        return;
    };
    cx.about(ObjectId::new(Kind::Irp, number));
    // SAFETY: the host's own structure; its request is under way, and its driver is here.
    let block = unsafe { (*packet.0).irp.IoStatus };
    // SAFETY: a number, which any pattern is.
    let status = unsafe { block.u.Status };
    // SAFETY: as above.
    let control = unsafe { (*packet.0).location.Control };
    let marked = control & n::SL_PENDING_RETURNED != 0;
    cx.done(status);
    // SAFETY: as above; the driver has nothing to do with it any more.
    unsafe { packet.0.cast::<u8>().write_bytes(GONE, size_of::<Packet>()) };
    cx.with(|s| {
        s.check_completion(name, number, status, block.Information);
        s.complete_request(number, status, block.Information, marked);
    });
}

/// Completes a request.
///
/// # Safety
///
/// The contract of the function of the same name in the Windows driver documentation; a pointer
/// that is no request's is not followed.
#[cfg(not(target_arch = "x86"))]
#[unsafe(no_mangle)]
pub unsafe extern "system" fn IofCompleteRequest(irp: *mut IRP, _boost: i8) {
    complete(Call::new("IofCompleteRequest").unlocked("DEV-13"), irp);
}

/// Completes a request. On x86 it takes its parameters in registers.
///
/// # Safety
///
/// As on the other architectures.
#[cfg(target_arch = "x86")]
#[unsafe(no_mangle)]
pub unsafe extern "fastcall" fn IofCompleteRequest(irp: *mut IRP, _boost: i8) {
    complete(Call::new("IofCompleteRequest").unlocked("DEV-13"), irp);
}

pub(crate) static EXPORTS: &[Export] = &[Export {
    name: "IofCompleteRequest",
    address: IofCompleteRequest as *const (),
}];
