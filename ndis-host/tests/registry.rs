//! The registry as a raw driver reads it, and the handles that it closes: each
//! answer is the kernel's, and what a driver must not do is reported.

use crate::common;

use common::{P, host, only, zeroed};
use ndis_host::{Host, RegistryValue};
use ndis_sys as n;
use std::ffi::c_void;
use std::ptr::null_mut;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

const PARAMETERS: &str =
    "\\Registry\\Machine\\System\\CurrentControlSet\\Services\\driver\\Parameters";
const INVALID_HANDLE: i32 = 0xC000_0008_u32 as i32;
const OBJECT_TYPE_MISMATCH: i32 = 0xC000_0024_u32 as i32;
const REG_SZ: u32 = 1;
const REG_BINARY: u32 = 3;
/// A byte that nobody has written.
const FRESH: u8 = 0xEE;

/// Loads a driver that does `body`, and unloads it.
fn driver(host: &Host, body: impl FnOnce() + Send + 'static) {
    let driver = host
        .load_with("driver", move |_, _| {
            body();
            0
        })
        .expect("loads");
    host.run();
    host.unload(&driver);
}

/// A counted string over `units`.
fn counted(units: &mut [u16]) -> n::UNICODE_STRING {
    let bytes = size_of_val(units) as u16;
    n::UNICODE_STRING {
        Length: bytes,
        MaximumLength: bytes,
        Buffer: units.as_mut_ptr(),
    }
}

fn units(text: &str) -> Vec<u16> {
    text.encode_utf16().collect()
}

fn open(path: &str) -> Result<n::HANDLE, i32> {
    let mut units = units(path);
    let mut name = counted(&mut units);
    let mut attributes: n::OBJECT_ATTRIBUTES = zeroed();
    attributes.Length = size_of::<n::OBJECT_ATTRIBUTES>() as u32;
    attributes.ObjectName = &raw mut name;
    let mut key = null_mut();
    // SAFETY: complete attributes, and a place for the handle.
    let status = unsafe { n::ZwOpenKey(&raw mut key, n::KEY_READ, &raw mut attributes) };
    if status == 0 { Ok(key) } else { Err(status) }
}

/// Queries with this buffer; gives the status and the length that the value has.
fn query(key: n::HANDLE, name: &str, buffer: &mut [u8]) -> (i32, u32) {
    let mut units = units(name);
    let mut name = counted(&mut units);
    let mut length = u32::MAX;
    // SAFETY: a name, a buffer of the given length, a place for the length.
    let status = unsafe {
        n::ZwQueryValueKey(
            key,
            &raw mut name,
            n::KeyValuePartialInformation,
            buffer.as_mut_ptr().cast(),
            buffer.len() as u32,
            &raw mut length,
        )
    };
    (status, length)
}

fn close(handle: n::HANDLE) -> i32 {
    // SAFETY: a handle may be anything here.
    unsafe { n::ZwClose(handle) }
}

/// The header of a value of this type and length, then its data.
fn information(kind: u32, data: &[u8]) -> Vec<u8> {
    let header = [0, kind, data.len() as u32];
    let header = header.into_iter().flat_map(u32::to_ne_bytes);
    header.chain(data.iter().copied()).collect()
}

#[test]
fn a_value_is_written_as_far_as_it_fits() {
    let host = host();
    host.set_parameter("driver", "Five", RegistryValue::new(REG_BINARY, *b"abcde"));
    driver(&host, || {
        let key = open(PARAMETERS).expect("opens");
        let whole = information(REG_BINARY, b"abcde");
        for room in 0..20 {
            let mut buffer = [FRESH; 20];
            let (status, length) = query(key, "Five", &mut buffer[..room]);
            let (wanted, written) = match room {
                0..12 => (n::STATUS_BUFFER_TOO_SMALL, 0),
                12..17 => (n::STATUS_BUFFER_OVERFLOW, room),
                _ => (n::STATUS_SUCCESS, 17),
            };
            assert_eq!((status, length), (wanted, 17), "{room} bytes");
            assert_eq!(buffer[..written], whole[..written], "{room} bytes");
            assert!(
                buffer[written..].iter().all(|b| *b == FRESH),
                "{room} bytes"
            );
        }
        assert_eq!(close(key), 0);
    });
    let report = host.finish();
    assert!(report.is_clean(), "{report}");
}

/// The size of a value is asked for without a buffer.
#[test]
fn no_buffer_is_a_question_for_the_length() {
    let host = host();
    host.set_parameter("driver", "Number", 7);
    driver(&host, || {
        let key = open(PARAMETERS).expect("opens");
        let mut name = units("Number");
        let mut name = counted(&mut name);
        let mut length = 0;
        // SAFETY: a name and a place for the length; no bytes of buffer.
        let status = unsafe {
            n::ZwQueryValueKey(
                key,
                &raw mut name,
                n::KeyValuePartialInformation,
                null_mut(),
                0,
                &raw mut length,
            )
        };
        assert_eq!((status, length), (n::STATUS_BUFFER_TOO_SMALL, 16));
        close(key);
    });
    assert!(host.finish().is_clean());
}

#[test]
fn values_of_every_type_are_read() {
    let host = host();
    host.set_parameter("driver", "Number", 0x1234_5678);
    host.set_parameter("driver", "Text", "ab");
    host.set_parameter("driver", "Empty", RegistryValue::new(REG_BINARY, []));
    // The value of a key itself has no name.
    host.set_parameter("driver", "", 9);
    driver(&host, || {
        let key = open(&PARAMETERS.to_uppercase()).expect("opens in any case");
        let text: Vec<u8> = [b'a'.into(), b'b'.into(), 0u16]
            .into_iter()
            .flat_map(u16::to_ne_bytes)
            .collect();
        for (name, wanted) in [
            (
                "nUmBeR",
                information(n::REG_DWORD, &0x1234_5678_u32.to_ne_bytes()),
            ),
            ("TEXT", information(REG_SZ, &text)),
            ("empty", information(REG_BINARY, &[])),
            ("", information(n::REG_DWORD, &9u32.to_ne_bytes())),
        ] {
            let mut buffer = vec![FRESH; wanted.len()];
            let answer = query(key, name, &mut buffer);
            assert_eq!(answer, (0, wanted.len() as u32), "{name}");
            assert_eq!(buffer, wanted, "{name}");
        }
        let absent = query(key, "Other", &mut [FRESH; 16]);
        assert_eq!(absent, (n::STATUS_OBJECT_NAME_NOT_FOUND, u32::MAX));
        assert_eq!(close(key), 0);
        for path in ["", "Parameters", &PARAMETERS.replace("driver", "other")] {
            assert_eq!(open(path), Err(n::STATUS_OBJECT_NAME_NOT_FOUND), "{path}");
        }
    });
    let report = host.finish();
    assert!(report.is_clean(), "{report}");
}

#[test]
fn null_pointers_are_refused_and_reported() {
    let host = host();
    host.set_parameter("driver", "Number", 7);
    host.expect("HOST-ARGUMENT");
    driver(&host, || {
        let mut path = units(PARAMETERS);
        let mut path = counted(&mut path);
        let mut nowhere = path;
        nowhere.Buffer = null_mut();
        let mut attributes: n::OBJECT_ATTRIBUTES = zeroed();
        let mut key = null_mut();
        let mut open_with = |key: *mut n::HANDLE, length: usize, name: *mut n::UNICODE_STRING| {
            attributes.Length = length as u32;
            attributes.ObjectName = name;
            // SAFETY: each pointer is null or valid.
            unsafe { n::ZwOpenKey(key, n::KEY_READ, &raw mut attributes) }
        };
        let size = size_of::<n::OBJECT_ATTRIBUTES>();
        for status in [
            open_with(null_mut(), size, &raw mut path),
            open_with(&raw mut key, size - 1, &raw mut path),
            open_with(&raw mut key, size, null_mut()),
            open_with(&raw mut key, size, &raw mut nowhere),
            // SAFETY: attributes may be null here.
            unsafe { n::ZwOpenKey(&raw mut key, n::KEY_READ, null_mut()) },
        ] {
            assert_eq!(status, n::STATUS_INVALID_PARAMETER);
        }
        assert!(key.is_null());

        let key = open(PARAMETERS).expect("opens");
        let mut name = units("Number");
        let mut name = counted(&mut name);
        let mut buffer = [FRESH; 16];
        let (mut length, place) = (u32::MAX, buffer.as_mut_ptr().cast());
        let query_with = |name, buffer, length| {
            // SAFETY: each pointer is null or valid for 16 bytes.
            unsafe {
                n::ZwQueryValueKey(key, name, n::KeyValuePartialInformation, buffer, 16, length)
            }
        };
        for status in [
            query_with(null_mut(), place, &raw mut length),
            query_with(&raw mut nowhere, place, &raw mut length),
            query_with(&raw mut name, null_mut(), &raw mut length),
            query_with(&raw mut name, place, null_mut()),
        ] {
            assert_eq!(status, n::STATUS_INVALID_PARAMETER);
        }
        assert_eq!((buffer, length), ([FRESH; 16], u32::MAX));
        close(key);
    });
    let report = host.finish();
    only(&report, &["HOST-ARGUMENT"]);
    assert_eq!(report.expected.len(), 9, "{report}");
    assert!(report.is_clean(), "{report}");
}

#[test]
fn what_the_registry_cannot_do_is_said() {
    let host = host();
    host.set_parameter("driver", "Number", 7);
    host.expect("HOST-NOT-SIMULATED");
    driver(&host, || {
        let key = open(PARAMETERS).expect("opens");
        let mut name = units("Number");
        let mut name = counted(&mut name);
        let mut attributes: n::OBJECT_ATTRIBUTES = zeroed();
        attributes.Length = size_of::<n::OBJECT_ATTRIBUTES>() as u32;
        attributes.ObjectName = &raw mut name;
        attributes.RootDirectory = key;
        let mut below = null_mut();
        // SAFETY: complete attributes, and a place for the handle.
        let status = unsafe { n::ZwOpenKey(&raw mut below, n::KEY_READ, &raw mut attributes) };
        assert_eq!((status, below), (n::STATUS_NOT_SUPPORTED, null_mut()));
        let mut buffer = [FRESH; 32];
        let mut length = 0;
        // SAFETY: a name, a buffer of 32 bytes, a place for the length.
        let status = unsafe {
            let place = buffer.as_mut_ptr().cast();
            n::ZwQueryValueKey(key, &raw mut name, 0, place, 32, &raw mut length)
        };
        assert_eq!((status, buffer), (n::STATUS_NOT_SUPPORTED, [FRESH; 32]));
        close(key);
    });
    let report = host.finish();
    only(&report, &["HOST-NOT-SIMULATED"]);
    assert_eq!(report.expected.len(), 2, "{report}");
}

/// Closed, forged, NULL, of another kind: none is a key.
#[test]
fn a_handle_that_is_no_open_key_is_refused_and_reported() {
    let host = host();
    host.set_parameter("driver", "Number", 7);
    host.expect("HOST-ARGUMENT");
    driver(&host, || {
        let closed = open(PARAMETERS).expect("opens");
        assert_eq!(close(closed), 0);
        // SAFETY: no particular owner.
        let item = unsafe { n::NdisAllocateIoWorkItem(null_mut()) };
        let forged = std::ptr::without_provenance_mut(0x1234);
        for handle in [closed, item, forged, null_mut()] {
            let mut buffer = [FRESH; 16];
            let answer = query(handle, "Number", &mut buffer);
            assert_eq!(answer, (INVALID_HANDLE, u32::MAX));
            assert_eq!(buffer, [FRESH; 16]);
            assert_eq!(close(handle), INVALID_HANDLE);
        }
        // SAFETY: a live item, which `ZwClose` has left alone.
        unsafe { n::NdisFreeIoWorkItem(item) };
    });
    let report = host.finish();
    only(&report, &["HOST-ARGUMENT"]);
    assert_eq!(report.expected.len(), 8, "{report}");
    assert!(report.is_clean(), "{report}");
}

#[test]
fn a_key_left_open_is_a_leak() {
    let host = host();
    host.set_parameter("driver", "Number", 7);
    host.expect("DV-17");
    driver(&host, || {
        open(PARAMETERS).expect("opens");
    });
    let report = host.finish();
    only(&report, &["DV-17"]);
    let name = &report.objects_left[0].name;
    let made = "handle of registry key 1, made in DriverEntry at #";
    assert!(name.starts_with(made), "{report}");
}

#[test]
fn opening_fails_on_order() {
    let host = host();
    host.set_parameter("driver", "Number", 7);
    host.fail_allocation(1);
    driver(&host, || {
        assert_eq!(open(PARAMETERS), Err(n::STATUS_INSUFFICIENT_RESOURCES));
    });
    assert!(host.finish().is_clean());
}

unsafe extern "system" fn count(context: *mut c_void) {
    // SAFETY: the context of the test, which outlives the thread.
    let ran = unsafe { &*context.cast::<AtomicU32>() };
    ran.fetch_add(1, SeqCst);
    // SAFETY: the last thing that the thread does.
    unsafe { n::PsTerminateSystemThread(0) };
}

/// Starts a thread that counts.
fn thread(ran: &Arc<AtomicU32>) -> n::HANDLE {
    let mut handle = null_mut();
    let context = Arc::as_ptr(ran).cast_mut().cast();
    // SAFETY: a place for the handle; the context outlives the run.
    let status = unsafe {
        n::PsCreateSystemThread(
            &raw mut handle,
            0,
            null_mut(),
            null_mut(),
            null_mut(),
            Some(count),
            context,
        )
    };
    assert_eq!(status, 0);
    handle
}

/// A thread's handle is closed before it runs, or when it is long gone.
#[test]
fn the_handle_of_a_thread_is_closed() {
    let host = host();
    let ran = Arc::new(AtomicU32::new(0));
    let own = ran.clone();
    let late = Arc::new(std::sync::Mutex::new(P(null_mut())));
    let keep = late.clone();
    let driver = host
        .load_with("driver", move |_, _| {
            assert_eq!(close(thread(&own)), 0);
            *keep.lock().unwrap() = P(thread(&own));
            0
        })
        .expect("loads");
    host.run();
    assert_eq!(ran.load(SeqCst), 2);
    let late = *late.lock().unwrap();
    host.spawn("closer", move || {
        let late = late;
        assert_eq!(close(late.0), 0);
    });
    host.run();
    host.unload(&driver);
    let report = host.finish();
    assert!(report.is_clean(), "{report}");
}

#[test]
fn the_handle_of_a_thread_is_no_key() {
    let host = host();
    host.expect("HOST-ARGUMENT");
    let ran = Arc::new(AtomicU32::new(0));
    let own = ran.clone();
    driver(&host, move || {
        let thread = thread(&own);
        let answer = query(thread, "Number", &mut []);
        assert_eq!(answer, (OBJECT_TYPE_MISMATCH, u32::MAX));
        assert_eq!(close(thread), 0);
        assert_eq!(close(thread), INVALID_HANDLE);
    });
    let report = host.finish();
    only(&report, &["HOST-ARGUMENT"]);
    assert_eq!(report.expected.len(), 2, "{report}");
    assert_eq!(ran.load(SeqCst), 1);
}

/// The thread has ended; its handle is still there.
#[test]
fn the_handle_of_a_thread_left_open_is_a_leak() {
    let host = host();
    host.expect("DV-17");
    let ran = Arc::new(AtomicU32::new(0));
    let own = ran.clone();
    driver(&host, move || {
        thread(&own);
    });
    let report = host.finish();
    only(&report, &["DV-17"]);
    let name = &report.objects_left[0].name;
    assert!(
        name.starts_with("handle of thread 1, made in DriverEntry at #"),
        "{report}"
    );
    assert_eq!(ran.load(SeqCst), 1);
}

#[test]
fn a_thread_needs_a_routine_and_a_place_for_its_handle() {
    let host = host();
    host.expect("HOST-ARGUMENT");
    driver(&host, || {
        let mut handle = null_mut();
        for (place, routine) in [
            (
                null_mut(),
                Some(count as unsafe extern "system" fn(*mut c_void)),
            ),
            (&raw mut handle, None),
        ] {
            let none = null_mut();
            // SAFETY: the place is null or valid; without both nothing runs.
            let status = unsafe {
                n::PsCreateSystemThread(place, 0, none, null_mut(), null_mut(), routine, null_mut())
            };
            assert_eq!(status, n::STATUS_INVALID_PARAMETER);
        }
        assert!(handle.is_null());
    });
    let report = host.finish();
    only(&report, &["HOST-ARGUMENT"]);
    assert_eq!(report.expected.len(), 2, "{report}");
}
