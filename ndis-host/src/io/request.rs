//! A request on its way: made, handed to the driver's dispatch routine, and judged.

use super::cancel;
use super::table::{Body, Completion, Packet, Request};
use crate::callback::{Callback, Ptr};
use crate::cx::Cx;
use crate::handle::{Kind, ObjectId};
use crate::state::State;
use alloc::string::String;
use alloc::vec::Vec;
use ndis_sys as n;
use ndis_sys::PDRIVER_DISPATCH;

/// What a request asks for.
#[derive(Clone)]
pub(super) struct Asks {
    pub(super) major: i32,
    /// The name of the dispatch routine.
    pub(super) name: &'static str,
    /// Of a request for device control: its code, its input, and how much room there is.
    pub(super) control: Option<(u32, Vec<u8>, usize)>,
}

/// What became of it.
pub(super) struct Answered {
    pub(super) status: i32,
    pub(super) data: Vec<u8>,
}

/// Bytes behind the data, of which neither the program nor the driver has any.
const BEHIND: usize = 16;

/// What is at a place of the data that nobody has written: the system has not cleared it. No
/// driver writes a row of them by accident.
fn unwritten(at: usize) -> u8 {
    0xCD ^ (at as u8).wrapping_mul(0x9D)
}

/// So many unwritten bytes are a row of them.
const ROW: usize = 4;

/// What a driver has done to the data of a request that it must not.
fn misused(
    data: &[u8],
    input: &[u8],
    output: usize,
    goes_back: usize,
) -> Option<(&'static str, String)> {
    let whole = input.len().max(output);
    // Nothing is written beyond the output, be there input or nothing.
    let before = |at: usize| input.get(at).copied().unwrap_or_else(|| unwritten(at));
    let changed = |at: &usize| data.get(*at).is_some_and(|byte| *byte != before(*at));
    if let Some(at) = (output..whole + BEHIND).find(changed) {
        let text =
            alloc::format!("has written to byte {at} of the data, with an output of {output}");
        return Some(("DEV-17", text));
    }
    let fresh = data.get(..goes_back)?.get(input.len()..)?;
    let is_unwritten = |(at, byte): (usize, &u8)| *byte == unwritten(input.len() + at);
    let last = fresh.iter().enumerate().rev();
    let row = last
        .take_while(|(at, byte)| is_unwritten((*at, byte)))
        .count();
    (row >= ROW).then(|| {
        let text = alloc::format!(
            "gives {goes_back} bytes back and has not written the last {row} of them"
        );
        ("DEV-18", text)
    })
}

/// What has to be known to call the driver.
struct Prepared {
    number: u32,
    routine: PDRIVER_DISPATCH,
    callback: Callback,
    packet: Ptr<Packet>,
    device: Ptr<n::DEVICE_OBJECT>,
}

impl State {
    fn prepare(&mut self, file: u32, asks: &Asks, data: Option<Ptr<u8>>) -> Option<Prepared> {
        let record = self.io.files.get(&file)?;
        let device = self.io.devices.get(&record.device)?;
        let mut packet = Packet {
            irp: n::zeroed(),
            location: n::zeroed(),
        };
        packet.irp.Type = 6;
        packet.irp.Size = size_of::<Packet>() as u16;
        packet.irp.RequestorMode = 1;
        packet.irp.StackCount = 1;
        packet.irp.CurrentLocation = 1;
        packet.irp.AssociatedIrp.SystemBuffer =
            data.map_or(core::ptr::null_mut(), |data| data.0.cast());
        packet.location.MajorFunction = asks.major as u8;
        packet.location.DeviceObject = device.body.get();
        packet.location.FileObject = record.body.get();
        let mut room = 0;
        if let Some((code, input, output)) = &asks.control {
            room = *output;
            let parameters = &mut packet.location.Parameters;
            parameters.DeviceIoControl.IoControlCode = *code;
            parameters.DeviceIoControl.InputBufferLength = input.len() as u32;
            parameters.DeviceIoControl.OutputBufferLength = *output as u32;
        }
        let routine = device
            .routines
            .0
            .get(asks.major as usize)
            .copied()
            .flatten();
        let callback = Callback {
            name: asks.name,
            driver: device.driver,
            who: device.who.clone(),
            passive: Some("DEV-09"),
            objects: [
                Some(ObjectId::new(Kind::Device, record.device)),
                Some(ObjectId::new(Kind::File, file)),
                None,
            ],
        };
        let (number_of_device, object) = (record.device, Ptr(device.body.get()));
        let body = Body::new(packet);
        let location = body.location();
        // SAFETY: the host's own request.
        let current = unsafe { n::irp_current_stack_location(body.get().cast()) };
        // SAFETY: as above.
        unsafe { current.write(location) };
        let packet = Ptr(body.get());
        let number = self.number(Kind::Irp);
        let request = Request {
            device: number_of_device,
            file,
            body,
            room,
            cancelling: false,
            completed: None,
        };
        self.io.requests.insert(number, request);
        Some(Prepared {
            number,
            routine,
            callback,
            packet,
            device: object,
        })
    }

    fn completion(&self, number: u32) -> Option<Completion> {
        self.io.requests.get(&number)?.completed
    }

    /// The dispatch routine has returned: is the request done, or will it be?
    fn returned(&mut self, prepared: &Prepared, returned: i32) {
        let object = Some(ObjectId::new(Kind::Irp, prepared.number));
        let who = prepared.callback.who.clone();
        let name = prepared.callback.name;
        let shown = crate::status::Name(returned);
        let Some(completed) = self.completion(prepared.number) else {
            let mark = self.is_marked(prepared.number);
            if returned != n::STATUS_PENDING {
                let message =
                    alloc::format!("{name} returned {shown} and has not completed the request");
                self.violate_by(who, "DEV-10", object, message);
                // Nobody waits for what does not come.
                let status = n::STATUS_INVALID_DEVICE_REQUEST;
                self.complete_request(prepared.number, status, 0, mark);
            } else if !mark {
                let message =
                    alloc::format!("{name} pends a request that is not marked as pending");
                self.violate_by(who, "DEV-11", object, message);
            }
            return;
        };
        let right = if completed.marked {
            n::STATUS_PENDING
        } else {
            completed.status
        };
        if returned != right {
            let message = alloc::format!(
                "{name} returned {shown} for a request that it completed with {}{}",
                crate::status::Name(completed.status),
                if completed.marked {
                    ", marked as pending"
                } else {
                    ""
                },
            );
            self.violate_by(who.clone(), "DEV-11", object, message);
        }
        let request = self.io.requests.get_mut(&prepared.number);
        if request.is_some_and(|request| !request.body.is_untouched()) {
            let message = alloc::format!("{name} has written to a request that was completed");
            self.violate_by(who, "DEV-13", object, message);
        }
    }

    /// Whether the driver has said that it completes a request later.
    fn is_marked(&mut self, number: u32) -> bool {
        let request = self.io.requests.get_mut(&number);
        let control = request.map_or(0, |r| r.body.with(|packet| packet.location.Control));
        control & n::SL_PENDING_RETURNED != 0
    }

    pub(super) fn complete_request(
        &mut self,
        number: u32,
        status: i32,
        information: usize,
        marked: bool,
    ) {
        if let Some(request) = self.io.requests.get_mut(&number) {
            request.completed = Some(Completion {
                status,
                information,
                marked,
            });
        }
    }
}

/// Sends a request to the driver, and waits for its answer.
pub(super) fn send(cx: &Cx, file: u32, asks: &Asks) -> Answered {
    let mut data = Vec::new();
    if let Some((_, input, output)) = &asks.control {
        let whole = input.len().max(*output);
        data.extend_from_slice(input);
        if whole > 0 {
            data.extend((input.len()..whole + BEHIND).map(unwritten));
        }
    }
    let place = (!data.is_empty()).then_some(Ptr(data.as_mut_ptr()));
    let prepared = cx.with(|s| s.prepare(file, asks, place));
    let refused = |status| Answered {
        status,
        data: Vec::new(),
    };
    let Some(prepared) = prepared else {
        return refused(n::STATUS_INVALID_HANDLE);
    };
    let number = prepared.number;
    let (device, packet) = (prepared.device, prepared.packet);
    if let Some(routine) = prepared.routine {
        let returned = cx.call(&prepared.callback, || {
            // SAFETY: the driver's routine with its device and a request for it.
            unsafe { routine(device.0, packet.0.cast()) }
        });
        cx.with(|s| s.returned(&prepared, returned));
        let who = &prepared.callback.who;
        let object = Some(ObjectId::new(Kind::Irp, number));
        let what = alloc::format!("the completion of {}'s request", prepared.callback.name);
        let wait = || {
            cx.wait_until("DEV-10", who, object, &what, move |s| {
                s.io.requests.get(&number).is_some_and(Request::is_over)
            })
        };
        // Nothing can run any more. A driver may hold what can be cancelled as long as it likes, and a
        // program that goes has that cancelled.
        if !wait() && cx.with(|s| s.can_be_cancelled(object)) {
            cancel::cancel(cx, number);
            wait();
        }
    }
    let completed = cx.with(|s| {
        let completed = s.completion(number);
        let request = s.io.requests.remove(&number);
        s.histories.end(ObjectId::new(Kind::Irp, number));
        if completed.is_none() {
            // One that never came is reported, and its memory is not given up.
            core::mem::forget(request);
        }
        completed
    });
    let Some(completed) = completed else {
        core::mem::forget(data);
        return refused(n::STATUS_INVALID_DEVICE_REQUEST);
    };
    let room = asks.control.as_ref().map_or(0, |(_, _, output)| *output);
    // An error brings no data.
    let length = if n::NT_ERROR(completed.status) {
        0
    } else {
        completed.information.min(room)
    };
    if let Some((_, input, output)) = &asks.control
        && let Some((rule, text)) = misused(&data, input, *output, length)
    {
        let callback = &prepared.callback;
        let message = alloc::format!("{} {text}", callback.name);
        let object = callback.objects[0];
        cx.with(|s| s.violate_by(callback.who.clone(), rule, object, message));
    }
    data.truncate(length);
    Answered {
        status: completed.status,
        data,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(
        input: &[u8],
        output: usize,
        goes_back: usize,
        written: &[(usize, u8)],
    ) -> Option<&'static str> {
        let mut data = input.to_vec();
        data.extend((input.len()..input.len().max(output) + BEHIND).map(unwritten));
        for (at, byte) in written {
            data[*at] = *byte;
        }
        misused(&data, input, output, goes_back).map(|(rule, _)| rule)
    }

    #[test]
    fn what_goes_back_was_written() {
        assert_eq!(rule(&[1, 2], 4, 4, &[(2, 7), (3, 7)]), None);
        assert_eq!(rule(&[1, 2], 4, 2, &[]), None, "the program's own");
        assert_eq!(rule(&[1, 2], 8, 8, &[]), Some("DEV-18"));
        assert_eq!(
            rule(&[], 8, 8, &[(0, 1), (1, 1), (2, 1), (3, 1)]),
            Some("DEV-18")
        );
        // A few may be what the driver has written.
        assert_eq!(rule(&[1, 2], 5, 5, &[]), None);
    }

    #[test]
    fn nothing_is_written_beyond_the_output() {
        assert_eq!(rule(&[1, 2, 3], 2, 2, &[(1, 9)]), None);
        assert_eq!(rule(&[1, 2, 3], 2, 2, &[(2, 9)]), Some("DEV-17"));
        assert_eq!(rule(&[1], 1, 0, &[(1, 9)]), Some("DEV-17"));
    }
}
