//! The C side of a device: its dispatch routines.
//!
//! Each completes its request as the last thing it does: when the request was the last one of a
//! device that has gone, nothing keeps the driver in memory from then on but that it has to return.

use super::{
    ControlDevice,
    control::Control,
    extension::Extension,
    files::{File, Opened},
    irp::Irp,
};
use core::ptr;
use ndis_co::{
    Answer, Status,
    answer::Request,
    callbacks,
    irql::{NoLock, Passive},
    mem::Arc,
};
use ndis_sys::{DEVICE_OBJECT, IRP, NTSTATUS};

/// A dispatch routine.
type Dispatch = unsafe extern "system" fn(*mut DEVICE_OBJECT, *mut IRP) -> NTSTATUS;

/// All major functions that there are; none for plug and play or power (rule DEV-04).
pub(super) type Table = [Option<Dispatch>; ndis_sys::IRP_MJ_MAXIMUM_FUNCTION as usize + 1];

/// The routines of a device of `D`'s.
pub(super) fn table<D: ControlDevice>() -> Table {
    let mut table: Table = [None; _];
    for (major, routine) in [
        (ndis_sys::IRP_MJ_CREATE, create::<D> as Dispatch),
        (ndis_sys::IRP_MJ_CLEANUP, cleanup::<D>),
        (ndis_sys::IRP_MJ_CLOSE, close::<D>),
        (ndis_sys::IRP_MJ_DEVICE_CONTROL, device_control::<D>),
    ] {
        if let Some(slot) = table.get_mut(major as usize) {
            *slot = Some(routine);
        }
    }
    table
}

callbacks! {
    /// `DispatchCreate`.
    create<D: ControlDevice>(
        device: *mut DEVICE_OBJECT as Extension<D>,
        irp: *mut IRP as Irp,
    ) at Passive, else INVALID_PARAMETER -> NTSTATUS => on_create;

    /// `DispatchCleanup`.
    cleanup<D: ControlDevice>(
        device: *mut DEVICE_OBJECT as Extension<D>,
        irp: *mut IRP as Irp,
    ) at Passive, else INVALID_PARAMETER -> NTSTATUS => on_cleanup;

    /// `DispatchClose`.
    close<D: ControlDevice>(
        device: *mut DEVICE_OBJECT as Extension<D>,
        irp: *mut IRP as Irp,
    ) at Passive, else INVALID_PARAMETER -> NTSTATUS => on_close;

    /// `DispatchDeviceControl`.
    device_control<D: ControlDevice>(
        device: *mut DEVICE_OBJECT as Extension<D>,
        irp: *mut IRP as Irp,
    ) at Passive, else INVALID_PARAMETER -> NTSTATUS => on_device_control;
}

/// Completes a request with what is returned (rules DEV-10, DEV-11).
fn settle<'r>(irp: Irp, answer: Answer<'r>, irql: &mut Passive) -> Answer<'r> {
    // What is pended is not the routine's any more.
    if !answer.is_pending() {
        irp.complete(answer.status(), irql.up_to_dispatch());
    }
    answer
}

/// The file that an open has made, if this one was opened.
fn file<D: ControlDevice>(irp: &Irp) -> Option<Arc<File<D>>> {
    // SAFETY: `on_create` has kept nothing or a file of this type, by the table of the same `D`,
    // and the reference that is lent stays until the close, which comes when nothing else is under
    // way.
    let file = unsafe { Arc::<File<D>>::borrow_raw(irp.kept()) }?;
    Some(Arc::clone(&file))
}

fn on_create<'r, D: ControlDevice>(
    device: Extension<D>,
    irp: Irp,
    request: Request<'r>,
    irql: &mut Passive,
) -> Answer<'r> {
    irp.set_information(0);
    let status = match open(&device, &irp, irql) {
        Ok(file) => {
            irp.keep(File::lend(&file));
            Status::SUCCESS
        }
        Err(failure) => failure.as_failure(),
    };
    settle(irp, request.answer(status), irql)
}

/// There are no files beneath the device's name (rule DEV-19).
fn open<D: ControlDevice>(
    device: &Extension<D>,
    irp: &Irp,
    irql: &mut Passive,
) -> Result<Arc<File<D>>, Status> {
    if !irp.opens_device() {
        return Err(Status::INVALID_PARAMETER);
    }
    let not_ready = Status::from_raw(ndis_sys::STATUS_DEVICE_NOT_READY);
    Opened::open(&device.get().ok_or(not_ready)?, irql)
}

fn on_cleanup<'r, D: ControlDevice>(
    _device: Extension<D>,
    irp: Irp,
    request: Request<'r>,
    irql: &mut Passive,
) -> Answer<'r> {
    irp.set_information(0);
    if let Some(file) = file::<D>(&irp) {
        file.closed(irql);
    }
    settle(irp, request.answer(Status::SUCCESS), irql)
}

/// Nothing else is under way for the file, nor will be (rule DEV-12).
fn on_close<'r, D: ControlDevice>(
    _device: Extension<D>,
    irp: Irp,
    request: Request<'r>,
    irql: &mut Passive,
) -> Answer<'r> {
    irp.set_information(0);
    let file = file::<D>(&irp);
    irp.keep(ptr::null_mut());
    if let Some(file) = file {
        File::end(&file);
    }
    settle(irp, request.answer(Status::SUCCESS), irql)
}

fn on_device_control<'r, D: ControlDevice>(
    _device: Extension<D>,
    irp: Irp,
    request: Request<'r>,
    irql: &mut Passive,
) -> Answer<'r> {
    irp.set_information(0);
    let answer = control::<D>(&irp, request, irql);
    settle(irp, answer, irql)
}

fn control<'r, D: ControlDevice>(
    irp: &Irp,
    request: Request<'r>,
    irql: &mut Passive,
) -> Answer<'r> {
    let Some(file) = file::<D>(irp) else {
        return request.answer(Status::from_raw(ndis_sys::STATUS_INVALID_HANDLE));
    };
    let asked = match irp.asked(request) {
        Ok(asked) => Control::new(asked, file.origin()),
        Err(refusal) => return refusal,
    };
    match file.parts() {
        Ok((device, context)) => device.device_control(&context, asked, irql),
        Err(gone) => asked.refuse(gone),
    }
}
