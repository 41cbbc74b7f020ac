//! Control devices that are registered wrongly, and requests that are answered wrongly: each is
//! reported by its rule, with the driver that did it.

use crate::common;

use common::{P, SUCCESS, header, host, only, put, zeroed};
use ndis_host::{Driver, Host, OpenFile, Report};
use ndis_sys as n;
use std::sync::{Arc, Mutex};

/// Where the driver misbehaves.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Slip {
    #[default]
    None,
    // The registration.
    OnDeviceHandle,
    NoPath,
    NoZero,
    PnpRoutine,
    NoSecurity,
    WrongHeader,
    ClassGuid,
    NoClose,
    AtDispatch,
    ChangesExtension,
    NeverDeregistered,
    DeregisteredTwice,
    DeregisteredByUnload,
    // The requests.
    ExtensionUsedLate,
    ReturnsRaised,
    Forgotten,
    CompletedTwice,
    PendedForEver,
    NoRequest,
    ReturnsOther,
    PendsUnmarked,
    MarkedAndReturned,
    CompletesPending,
    Touched,
    UnderLock,
    TooMuch,
    Unwritten,
    WritesBehind,
    OpenWithInformation,
    // Right: pended, completed by another thread.
    Pended,
    // Requests that can be cancelled: right, and wrong.
    Cancelable,
    KeptAtCleanup,
    LockReleasedTwice,
    LockNotReleased,
    OtherLevel,
    CompletedCancelable,
    CancelledWithSuccess,
    CancelledWithData,
}

struct State {
    slip: Slip,
    miniport: Mutex<P<std::ffi::c_void>>,
    device: Mutex<P<std::ffi::c_void>>,
    pended: Mutex<Vec<P<n::IRP>>>,
}

/// One driver in a thread of a test: tests do not share it.
static STATES: Mutex<Vec<(usize, Arc<State>)>> = Mutex::new(Vec::new());

/// By the device object.
fn state(device: *mut n::DEVICE_OBJECT) -> Arc<State> {
    let states = STATES.lock().unwrap();
    let found = states.iter().rev().find(|(of, _)| *of == device.addr());
    found.expect("a device of a test's").1.clone()
}

fn text(text: &str) -> (Vec<u16>, n::UNICODE_STRING) {
    let mut units: Vec<u16> = text.encode_utf16().chain([0]).collect();
    let string = n::UNICODE_STRING {
        Length: (units.len() * 2 - 2) as u16,
        MaximumLength: (units.len() * 2) as u16,
        Buffer: units.as_mut_ptr(),
    };
    (units, string)
}

type Dispatch = unsafe extern "system" fn(*mut n::DEVICE_OBJECT, *mut n::IRP) -> i32;

fn complete(irp: *mut n::IRP, status: i32, information: usize) {
    // SAFETY: a request that is the driver's.
    put(unsafe { &raw mut (*irp).IoStatus }.cast(), status);
    // SAFETY: as above.
    put(unsafe { &raw mut (*irp).IoStatus.Information }, information);
    // SAFETY: as above.
    unsafe { n::IoCompleteRequest(irp, 0) };
}

/// Writes so many bytes of the data.
fn write(irp: *mut n::IRP, count: usize) {
    // SAFETY: a request that is the driver's.
    let associated = unsafe { (*irp).AssociatedIrp };
    // SAFETY: one for device control has its data there.
    let data = unsafe { associated.SystemBuffer }.cast::<u8>();
    // SAFETY: the host has room behind the data, for who writes too far.
    unsafe { data.write_bytes(0x11, count) };
}

unsafe extern "system" fn create(device: *mut n::DEVICE_OBJECT, irp: *mut n::IRP) -> i32 {
    let slip = state(device).slip;
    complete(irp, 0, usize::from(slip == Slip::OpenWithInformation));
    0
}

/// The I/O manager holds the lock of cancellations.
unsafe extern "system" fn cancel(device: *mut n::DEVICE_OBJECT, irp: *mut n::IRP) {
    let slip = state(device).slip;
    // SAFETY: a request that is the driver's.
    let mut level = unsafe { (*irp).CancelIrql };
    if slip == Slip::OtherLevel {
        level ^= 2;
    }
    let times = match slip {
        Slip::LockNotReleased => 0,
        Slip::LockReleasedTwice => 2,
        _ => 1,
    };
    for _ in 0..times {
        // SAFETY: what the test is about.
        unsafe { n::IoReleaseCancelSpinLock(level) };
    }
    let (status, information) = match slip {
        Slip::CancelledWithSuccess => (0, 0),
        Slip::CancelledWithData => (n::STATUS_CANCELLED, 2),
        _ => (n::STATUS_CANCELLED, 0),
    };
    complete(irp, status, information);
}

unsafe extern "system" fn cleanup(device: *mut n::DEVICE_OBJECT, irp: *mut n::IRP) -> i32 {
    let state = state(device);
    let held = std::mem::take(&mut *state.pended.lock().unwrap());
    for irp in held {
        // SAFETY: whoever is here first has the request: in these tests nobody cancels it then.
        let own = unsafe { n::IoSetCancelRoutine(irp.0, None) }.is_some();
        if own {
            complete(irp.0, n::STATUS_CANCELLED, 0);
        }
    }
    complete(irp, 0, 0);
    0
}

unsafe extern "system" fn close(_: *mut n::DEVICE_OBJECT, irp: *mut n::IRP) -> i32 {
    complete(irp, 0, 0);
    0
}

unsafe extern "system" fn control(device: *mut n::DEVICE_OBJECT, irp: *mut n::IRP) -> i32 {
    let state = state(device);
    match state.slip {
        Slip::ExtensionUsedLate => {
            // SAFETY: a device object.
            let memory = unsafe { n::NdisGetDeviceReservedExtension(device) };
            complete(irp, 0, usize::from(!memory.is_null()));
            return 0;
        }
        Slip::Forgotten => return 0,
        Slip::CompletedTwice => {
            complete(irp, 0, 0);
            // SAFETY: what the test is about.
            unsafe { n::IoCompleteRequest(irp, 0) };
            return 0;
        }
        Slip::PendedForEver | Slip::Pended => {
            // SAFETY: the driver's request.
            unsafe { n::IoMarkIrpPending(irp) };
            state.pended.lock().unwrap().push(P(irp));
            return n::STATUS_PENDING;
        }
        Slip::Cancelable
        | Slip::KeptAtCleanup
        | Slip::LockReleasedTwice
        | Slip::LockNotReleased
        | Slip::OtherLevel
        | Slip::CancelledWithSuccess
        | Slip::CancelledWithData
        | Slip::CompletedCancelable => {
            // SAFETY: the driver's request.
            unsafe { n::IoMarkIrpPending(irp) };
            // SAFETY: as above.
            let before = unsafe { n::IoSetCancelRoutine(irp, Some(cancel)) };
            assert!(before.is_none());
            if state.slip == Slip::CompletedCancelable {
                complete(irp, 0, 0);
            } else {
                state.pended.lock().unwrap().push(P(irp));
            }
            return n::STATUS_PENDING;
        }
        Slip::NoRequest => {
            // SAFETY: what the test is about.
            unsafe { n::IoCompleteRequest(std::ptr::dangling_mut(), 0) };
        }
        Slip::ReturnsOther => {
            complete(irp, n::STATUS_INVALID_PARAMETER, 0);
            return 0;
        }
        Slip::PendsUnmarked => {
            state.pended.lock().unwrap().push(P(irp));
            return n::STATUS_PENDING;
        }
        Slip::MarkedAndReturned => {
            // SAFETY: the driver's request.
            unsafe { n::IoMarkIrpPending(irp) };
        }
        Slip::CompletesPending => {
            complete(irp, n::STATUS_PENDING, 0);
            return n::STATUS_PENDING;
        }
        Slip::Touched => {
            complete(irp, 0, 0);
            // SAFETY: memory that is still there on the host, and is not the driver's.
            put(unsafe { &raw mut (*irp).IoStatus.Information }, 4);
            return 0;
        }
        Slip::UnderLock => {
            let mut lock: n::NDIS_SPIN_LOCK = zeroed();
            // SAFETY: a lock of this function's.
            unsafe { n::NdisAcquireSpinLock(&mut lock) };
            complete(irp, 0, 0);
            // SAFETY: as above.
            unsafe { n::NdisReleaseSpinLock(&mut lock) };
            return 0;
        }
        Slip::TooMuch => {
            write(irp, 4);
            complete(irp, 0, 5);
            return 0;
        }
        Slip::Unwritten => {
            complete(irp, 0, 4);
            return 0;
        }
        Slip::WritesBehind => {
            write(irp, 5);
            complete(irp, 0, 4);
            return 0;
        }
        Slip::ReturnsRaised => {
            complete(irp, 0, 0);
            #[cfg(target_arch = "x86_64")]
            // SAFETY: at PASSIVE_LEVEL; what the test is about is that it stays.
            unsafe {
                n::KeRaiseIrqlToDpcLevel()
            };
            return 0;
        }
        _ => {}
    }
    complete(irp, 0, 0);
    0
}

unsafe extern "system" fn initialize(
    _: n::NDIS_HANDLE,
    _: n::NDIS_HANDLE,
    _: *mut n::NDIS_MINIPORT_INIT_PARAMETERS,
) -> i32 {
    n::NDIS_STATUS_FAILURE
}
unsafe extern "system" fn halt(_: n::NDIS_HANDLE, _: n::NDIS_HALT_ACTION) {}
unsafe extern "system" fn pause(
    _: n::NDIS_HANDLE,
    _: *mut n::NDIS_MINIPORT_PAUSE_PARAMETERS,
) -> i32 {
    SUCCESS
}
unsafe extern "system" fn restart(
    _: n::NDIS_HANDLE,
    _: *mut n::NDIS_MINIPORT_RESTART_PARAMETERS,
) -> i32 {
    SUCCESS
}
unsafe extern "system" fn returned(_: n::NDIS_HANDLE, _: *mut n::NET_BUFFER_LIST, _: u32) {}
unsafe extern "system" fn cancelled(_: n::NDIS_HANDLE, _: *mut std::ffi::c_void) {}
unsafe extern "system" fn event(_: n::NDIS_HANDLE, _: *mut n::NET_DEVICE_PNP_EVENT) {}
unsafe extern "system" fn shutdown(_: n::NDIS_HANDLE, _: n::NDIS_SHUTDOWN_ACTION) {}

/// The driver that unload is called for: by its object.
static LOADED: Mutex<Vec<(usize, Arc<State>)>> = Mutex::new(Vec::new());

unsafe extern "system" fn unload(object: *mut n::DRIVER_OBJECT) {
    let state = {
        let all = LOADED.lock().unwrap();
        let found = all.iter().rev().find(|(of, _)| *of == object.addr());
        found.expect("a driver of a test's").1.clone()
    };
    if state.slip == Slip::DeregisteredByUnload {
        deregister(&state);
    }
    let miniport = state.miniport.lock().unwrap().0;
    // SAFETY: the handle of the registration.
    unsafe { n::NdisMDeregisterMiniportDriver(miniport) };
}

fn deregister(state: &State) {
    let device = state.device.lock().unwrap().0;
    // SAFETY: the handle of the device.
    unsafe { n::NdisDeregisterDeviceEx(device) };
}

fn register(state: &Arc<State>, on: n::NDIS_HANDLE) -> i32 {
    let slip = state.slip;
    let (_units, mut name) = text(match slip {
        Slip::NoPath => "Raw",
        _ => r"\Device\Raw",
    });
    if slip == Slip::NoZero {
        name.MaximumLength = name.Length;
    }
    let (_units, mut link) = text(r"\DosDevices\Raw");
    let (_units, security) = text("D:P(A;;GA;;;SY)");
    let class = n::GUID_NDIS_NDK_STATE;
    let mut table: [n::PDRIVER_DISPATCH; 28] = [None; 28];
    table[n::IRP_MJ_CREATE as usize] = Some(create as Dispatch);
    if slip != Slip::NoClose {
        table[n::IRP_MJ_CLOSE as usize] = Some(close);
    }
    table[n::IRP_MJ_CLEANUP as usize] = Some(match slip {
        Slip::Cancelable => cleanup as Dispatch,
        _ => close,
    });
    table[n::IRP_MJ_DEVICE_CONTROL as usize] = Some(control);
    if slip == Slip::PnpRoutine {
        table[0x1B] = Some(close);
    }
    let mut attributes: n::NDIS_DEVICE_OBJECT_ATTRIBUTES = zeroed();
    attributes.Header = header(
        n::NDIS_OBJECT_TYPE_DEVICE_OBJECT_ATTRIBUTES,
        n::NDIS_DEVICE_OBJECT_ATTRIBUTES_REVISION_1,
        n::NDIS_SIZEOF_DEVICE_OBJECT_ATTRIBUTES_REVISION_1,
    );
    if slip == Slip::WrongHeader {
        attributes.Header.Size -= 1;
    }
    attributes.DeviceName = &raw mut name;
    attributes.SymbolicName = &raw mut link;
    attributes.MajorFunctions = table.as_mut_ptr();
    attributes.ExtensionSize = 8;
    if slip != Slip::NoSecurity {
        attributes.DefaultSDDLString = &raw const security;
    }
    if slip == Slip::ClassGuid {
        attributes.DeviceClassGuid = &raw const class;
    }
    let mut object = std::ptr::null_mut();
    let mut device = std::ptr::null_mut();
    // SAFETY: the structure and what it points to are there.
    let status = unsafe { n::NdisRegisterDeviceEx(on, &mut attributes, &mut object, &mut device) };
    if status == SUCCESS {
        *state.device.lock().unwrap() = P(device);
        STATES.lock().unwrap().push((object.addr(), state.clone()));
        // SAFETY: a device object.
        let memory = unsafe { n::NdisGetDeviceReservedExtension(object) }.cast::<u64>();
        // SAFETY: eight bytes of the driver's.
        assert_eq!(unsafe { memory.read() }, 0);
        put(memory, u64::MAX);
        if slip == Slip::ChangesExtension {
            // SAFETY: the device object, which is not the driver's to change.
            put(unsafe { &raw mut (*object).DeviceExtension }, memory.cast());
        }
    } else {
        assert!(object.is_null() && device.is_null());
    }
    status
}

fn load(host: &Host, slip: Slip) -> (Driver, Arc<State>) {
    let state = Arc::new(State {
        slip,
        miniport: Mutex::new(P(std::ptr::null_mut())),
        device: Mutex::new(P(std::ptr::null_mut())),
        pended: Mutex::new(Vec::new()),
    });
    let own = state.clone();
    let driver = host
        .load_with("raw", move |object, path| {
            let mut table: n::NDIS_MINIPORT_DRIVER_CHARACTERISTICS = zeroed();
            table.Header = header(
                n::NDIS_OBJECT_TYPE_MINIPORT_DRIVER_CHARACTERISTICS,
                n::NDIS_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_2,
                n::NDIS_SIZEOF_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_2,
            );
            table.MajorNdisVersion = 6;
            table.MinorNdisVersion = 30;
            table.InitializeHandlerEx = Some(initialize);
            table.HaltHandlerEx = Some(halt);
            table.UnloadHandler = Some(unload);
            table.PauseHandler = Some(pause);
            table.RestartHandler = Some(restart);
            table.ReturnNetBufferListsHandler = Some(returned);
            table.CancelSendHandler = Some(cancelled);
            table.DevicePnPEventNotifyHandler = Some(event);
            table.ShutdownHandlerEx = Some(shutdown);
            table.CancelOidRequestHandler = Some(cancelled);
            LOADED.lock().unwrap().push((object.addr(), own.clone()));
            let mut handle = std::ptr::null_mut();
            // SAFETY: DriverEntry's arguments.
            let status = unsafe {
                n::NdisMRegisterMiniportDriver(object, path, object.cast(), &mut table, &mut handle)
            };
            assert_eq!(status, SUCCESS);
            *own.miniport.lock().unwrap() = P(handle);
            if own.slip == Slip::AtDispatch {
                let mut lock: n::NDIS_SPIN_LOCK = zeroed();
                // SAFETY: a lock of this function's.
                unsafe { n::NdisAcquireSpinLock(&mut lock) };
                register(&own, handle);
                // SAFETY: as above.
                unsafe { n::NdisReleaseSpinLock(&mut lock) };
            } else {
                register(&own, handle);
            }
            if own.slip == Slip::OnDeviceHandle {
                let device = own.device.lock().unwrap().0;
                assert_eq!(register(&own, device), n::NDIS_STATUS_NOT_SUPPORTED);
            }
            SUCCESS
        })
        .expect("the driver loads");
    (driver, state)
}

/// The life of a device, with a request: `used` says what a program does.
fn life(slip: Slip, used: impl FnOnce(&Host, &Driver, &Arc<State>)) -> Report {
    let host = host();
    let (driver, state) = load(&host, slip);
    used(&host, &driver, &state);
    let there = !state.device.lock().unwrap().0.is_null();
    let times = match slip {
        Slip::NeverDeregistered | Slip::DeregisteredByUnload => 0,
        Slip::DeregisteredTwice => 2,
        _ => usize::from(there),
    };
    let own = state.clone();
    host.spawn_of(&driver, "the end of the device", move || {
        for _ in 0..times {
            deregister(&own);
        }
    });
    host.run();
    host.unload(&driver);
    host.finish()
}

/// Asks once.
fn ask(host: &Host, _: &Driver, _: &Arc<State>) {
    if let Ok(file) = host.open(r"\\.\Raw") {
        let _ = host.device_control(&file, 0x0012_2000, &[], 4);
        host.close(file);
    }
}

#[track_caller]
fn broken(slip: Slip, rules: &[&str]) {
    let report = life(slip, ask);
    only(&report, rules);
    for violation in &report.violations {
        assert_eq!(&*violation.who, "raw", "{violation}");
    }
}

#[test]
fn what_is_right() {
    broken(Slip::None, &[]);
}

#[test]
fn what_is_completed_by_another_thread() {
    let report = life(Slip::Pended, |host, driver, state| {
        host.spawn("a program", || {
            let file = OpenFile::open(r"\\.\Raw").expect("it is there");
            let answer = file.device_control(0x0012_2000, &[1, 2], 4);
            // One byte that nobody has written: too few to tell.
            let answer = answer.expect("it is answered");
            assert_eq!((answer.len(), &answer[..2]), (3, &[1, 2][..]));
            file.close();
        });
        let state = state.clone();
        host.spawn_of(driver, "the driver", move || {
            loop {
                let pended = state.pended.lock().unwrap().pop();
                if let Some(irp) = pended {
                    break complete(irp.0, 0, 3);
                }
                // SAFETY: at PASSIVE_LEVEL.
                unsafe { n::NdisMSleep(10) };
            }
        });
        host.run();
    });
    only(&report, &[]);
}

/// A program asks, and another thread of it cancels that, or closes the file, when the driver has it.
fn gives_up(host: &Host, state: &Arc<State>, cancels: bool) {
    let file = Arc::new(Mutex::new(None));
    let (own, opened) = (state.clone(), file.clone());
    host.spawn("a program", move || {
        let file = Arc::new(OpenFile::open(r"\\.\Raw").expect("it is there"));
        *opened.lock().unwrap() = Some(file.clone());
        let answer = file.device_control(0x0012_2000, &[1, 2], 4);
        match own.slip {
            Slip::CancelledWithSuccess | Slip::CancelledWithData => {}
            _ => assert_eq!(answer, Err(n::STATUS_CANCELLED)),
        }
    });
    let own = state.clone();
    host.spawn("a thread of it", move || {
        while own.pended.lock().unwrap().is_empty() {
            // SAFETY: at PASSIVE_LEVEL.
            unsafe { n::NdisMSleep(10) };
        }
        let asked = file.lock().unwrap().take().expect("it is open");
        if cancels {
            own.pended.lock().unwrap().clear();
            asked.cancel();
            // Once more, for nothing.
            asked.cancel();
        }
        asked.close_handle();
    });
    host.run();
}

#[test]
fn cancellations() {
    for (slip, cancels, rules) in [
        (Slip::Cancelable, true, &[][..]),
        (Slip::Cancelable, false, &[]),
        (Slip::KeptAtCleanup, false, &["DEV-26"]),
        (Slip::LockReleasedTwice, true, &["DEV-27"]),
        (Slip::LockNotReleased, true, &["DEV-13", "DEV-27"]),
        (Slip::OtherLevel, true, &["DEV-27"]),
        (Slip::CancelledWithSuccess, true, &["DEV-29"]),
        (Slip::CancelledWithData, true, &["DEV-29"]),
    ] {
        let report = life(slip, |host, _, state| gives_up(host, state, cancels));
        only(&report, rules);
        for violation in &report.violations {
            assert_eq!(&*violation.who, "raw", "{violation}");
        }
    }
    broken(Slip::CompletedCancelable, &["DEV-28"]);
}

#[test]
fn registrations() {
    for (slip, rules) in [
        (Slip::OnDeviceHandle, ["DEV-01"]),
        (Slip::NoPath, ["DEV-03"]),
        (Slip::NoZero, ["DEV-03"]),
        (Slip::PnpRoutine, ["DEV-04"]),
        (Slip::NoSecurity, ["DEV-05"]),
        (Slip::AtDispatch, ["DEV-20"]),
        (Slip::DeregisteredTwice, ["DEV-22"]),
        (Slip::WrongHeader, ["DEV-23"]),
        (Slip::ClassGuid, ["DEV-23"]),
        (Slip::NoClose, ["DEV-24"]),
        (Slip::ChangesExtension, ["DEV-25"]),
        (Slip::DeregisteredByUnload, ["DEV-02"]),
    ] {
        broken(slip, &rules);
    }
    broken(Slip::NeverDeregistered, &["DEV-02", "DEV-22"]);
}

#[test]
fn requests() {
    for (slip, rules) in [
        (Slip::Forgotten, ["DEV-10"]),
        (Slip::CompletedTwice, ["DEV-10"]),
        (Slip::PendedForEver, ["DEV-10"]),
        (Slip::NoRequest, ["DEV-10"]),
        (Slip::ReturnsOther, ["DEV-11"]),
        (Slip::MarkedAndReturned, ["DEV-11"]),
        (Slip::CompletesPending, ["DEV-11"]),
        (Slip::Touched, ["DEV-13"]),
        (Slip::UnderLock, ["DEV-13"]),
        (Slip::TooMuch, ["DEV-14"]),
        (Slip::WritesBehind, ["DEV-17"]),
        (Slip::Unwritten, ["DEV-18"]),
        (Slip::OpenWithInformation, ["DEV-14"]),
    ] {
        broken(slip, &rules);
    }
    #[cfg(target_arch = "x86_64")]
    broken(Slip::ReturnsRaised, &["DEV-09"]);
}

#[test]
fn dev_11_pending_without_the_mark() {
    let report = life(Slip::PendsUnmarked, |host, driver, state| {
        let program = || {
            let file = OpenFile::open(r"\\.\Raw").expect("it is there");
            let _ = file.device_control(0x0012_2000, &[], 4);
            file.close();
        };
        host.spawn("a program", program);
        let state = state.clone();
        host.spawn_of(driver, "the driver", move || {
            // SAFETY: at PASSIVE_LEVEL.
            unsafe { n::NdisMSleep(1_000) };
            let pended = state.pended.lock().unwrap().pop();
            complete(pended.expect("a request").0, 0, 0);
        });
        host.run();
    });
    only(&report, &["DEV-11"]);
}

#[test]
fn dev_06_the_extension_of_a_device_that_has_gone() {
    let report = life(Slip::ExtensionUsedLate, |host, driver, state| {
        let file = host.open(r"\\.\Raw").expect("it is there");
        let answer = host.device_control(&file, 0x0012_2000, &[], 4);
        assert_eq!(answer.map(|data| data.len()), Ok(1), "there is one");
        let own = state.clone();
        host.spawn_of(driver, "the end of the device", move || deregister(&own));
        host.run();
        *state.device.lock().unwrap() = P(std::ptr::null_mut());
        assert!(host.open(r"\\.\Raw").is_err());
        let answer = host.device_control(&file, 0x0012_2000, &[], 4);
        assert_eq!(answer.map(|data| data.len()), Ok(0), "there is none");
        host.close(file);
    });
    only(&report, &["DEV-06"]);
    assert_eq!(&*report.violations[0].who, "raw");
}
