//! A program, or the system for it, cancels what it has asked.

use super::table::{Packet, Request};
use crate::callback::{Callback, Ptr};
use crate::cx::Cx;
use crate::export::{Call, exports};
use crate::handle::{Kind, ObjectId};
use crate::ke::sync::take_for_system;
use crate::state::State;
use ndis_sys as n;

const RELEASE: Call = Call::new("IoReleaseCancelSpinLock").silent();

/// Where the lock of all cancellations would be: no lock of a driver is there.
const LOCK: usize = 1;

/// A cancel routine that is to be called.
struct Begun {
    routine: n::DRIVER_CANCEL,
    callback: Callback,
    packet: Ptr<Packet>,
    device: Ptr<n::DEVICE_OBJECT>,
}

impl State {
    /// Says that a request is cancelled, and takes its cancel routine, if it has one.
    fn begin_cancel(&mut self, number: u32) -> Option<Begun> {
        let request = self.io.requests.get_mut(&number)?;
        if request.completed.is_some() {
            return None;
        }
        let device = self.io.devices.get(&request.device)?;
        request.body.with(|packet| packet.irp.Cancel = 1);
        let packet = request.body.get();
        // SAFETY: a request of the host's.
        let routine = unsafe { n::IoSetCancelRoutine(packet.cast(), None) }?;
        request.cancelling = true;
        Some(Begun {
            routine,
            callback: Callback {
                name: "Cancel",
                driver: device.driver,
                who: device.who.clone(),
                passive: None,
                objects: [Some(ObjectId::new(Kind::Irp, number)), None, None],
            },
            packet: Ptr(packet),
            device: Ptr(device.body.get()),
        })
    }

    /// Whether this is a request that can be cancelled.
    pub(crate) fn can_be_cancelled(&mut self, object: Option<ObjectId>) -> bool {
        let number = object.filter(|object| object.kind == Kind::Irp);
        let request = number.and_then(|object| self.io.requests.get_mut(&object.number));
        request.is_some_and(Request::is_cancelable)
    }

    /// The level that a cancel routine has to go back to.
    fn set_cancel_irql(&mut self, number: u32, irql: u8) {
        self.io.cancel_irql = irql;
        if let Some(request) = self.io.requests.get_mut(&number)
            && request.completed.is_none()
        {
            request.body.with(|packet| packet.irp.CancelIrql = irql);
        }
    }
}

/// Cancels a request that may be under way.
pub(super) fn cancel(cx: &Cx, number: u32) {
    let Some(begun) = cx.with(|s| s.begin_cancel(number)) else {
        return;
    };
    let (device, packet) = (begun.device, begun.packet);
    let callback = &begun.callback;
    cx.call(callback, || {
        let before = take_for_system(cx, "IoCancelIrp", LOCK);
        cx.with(|s| s.set_cancel_irql(number, before));
        // SAFETY: the driver's routine with its device and a request that it holds: it stays until
        // `cancelling` is over.
        unsafe { (begun.routine)(device.0, packet.0.cast()) };
        cx.with(|s| {
            if s.holds_lock(cx.task, LOCK) {
                s.release_to("IoCancelIrp", cx.task, LOCK, before);
                let message = alloc::string::String::from(
                    "Cancel returned with the lock of cancellations held",
                );
                let object = callback.objects[0];
                s.violate_by(callback.who.clone(), "DEV-27", object, message);
            }
        });
    });
    cx.with(|s| {
        if let Some(request) = s.io.requests.get_mut(&number) {
            request.cancelling = false;
        }
    });
}

/// Cancels what was asked of a file's device and is under way.
pub(super) fn cancel_file(cx: &Cx, file: u32) {
    for number in cx.with(|s| s.io.requests_of(file)) {
        cancel(cx, number);
    }
}

/// The driver has cleaned a file up: what it holds for it in a cancelable state it should have
/// completed.
pub(super) fn check_cleanup(cx: &Cx, file: u32) {
    let held = cx.with(|s| {
        let mut held = s.io.requests_of(file);
        held.retain(|number| {
            let request = s.io.requests.get_mut(number);
            request.is_some_and(Request::is_cancelable)
        });
        for number in &held {
            let object = ObjectId::new(Kind::Irp, *number);
            let request = s.io.requests.get(number);
            let device = request.and_then(|request| s.io.devices.get(&request.device));
            let who = device.map_or_else(|| s.who(), |device| device.who.clone());
            let message = alloc::format!("{object} is held after the cleanup of its file");
            s.violate_by(who, "DEV-26", Some(object), message);
        }
        held
    });
    for number in held {
        cancel(cx, number);
    }
}

exports! { EXPORTS {
    /// Gives back the lock that was taken for a cancel routine.
    fn IoReleaseCancelSpinLock(irql: u8) {
        let cx = Cx::enter(RELEASE, &[]);
        let id = cx.task;
        cx.with(|s| {
            if !s.holds_lock(id, LOCK) {
                let message = alloc::format!("{} of a lock that is not held", RELEASE.name);
                s.violate("DEV-27", None, message);
                return;
            }
            let right = s.io.cancel_irql;
            if irql != right {
                let message = alloc::format!("{} to {irql} in place of {right}", RELEASE.name);
                s.violate("DEV-27", None, message);
            }
            s.release_to(RELEASE.name, id, LOCK, right);
        });
    }
}}
