//! A driver's settings, read from the registry of the host.

use ndis_co::{ServiceKey, Status, irql::Passive};
use ndis_host::{Host, RegistryValue};
use ndis_sys::{REG_DWORD, STATUS_ACCESS_DENIED};
use std::sync::mpsc;

const SERVICE: &str = "Configured";
const REG_BINARY: u32 = 3;

/// Loads a driver that is lent its key, and unloads it; what it found out.
fn with_key<R: Send + 'static>(
    host: &Host,
    body: impl FnOnce(&ServiceKey<'_>, &mut Passive) -> R + Send + 'static,
) -> R {
    let (answer, answered) = mpsc::channel();
    let driver = host
        .load_with(SERVICE, move |_, path| {
            // SAFETY: the host lends the registry path for this call.
            let key = unsafe { ServiceKey::from_raw(path) };
            // SAFETY: a driver's entry runs at PASSIVE_LEVEL; no lock is held.
            let mut irql = unsafe { Passive::assume() };
            answer.send(body(&key, &mut irql)).unwrap();
            0
        })
        .unwrap();
    host.unload(&driver);
    answered.recv().unwrap()
}

/// Reads one parameter; no handle and no memory may be left.
fn read(host: Host, name: &str) -> Result<Option<u32>, Status> {
    let name = name.to_owned();
    let answer = with_key(&host, move |key, irql| key.parameter(name.as_str(), irql));
    let report = host.finish();
    assert!(report.is_clean(), "{report}");
    answer
}

/// A host on which the driver has this parameter.
fn host(value: impl Into<RegistryValue>) -> Host {
    let host = Host::builder().build();
    host.set_parameter(SERVICE, "Calls", value);
    host
}

#[test]
fn a_number_is_read() {
    for value in [0, 7, u32::MAX] {
        assert_eq!(read(host(value), "Calls"), Ok(Some(value)));
    }
}

#[test]
fn names_have_no_case() {
    for name in ["calls", "CALLS", "cAlLs"] {
        assert_eq!(read(host(7), name), Ok(Some(7)));
    }
    let host = Host::builder().build();
    host.set_parameter("CONFIGURED", "calls", 7);
    assert_eq!(read(host, "Calls"), Ok(Some(7)));
}

/// Neither a missing value nor a missing key is an error.
#[test]
fn what_is_not_there_is_none() {
    assert_eq!(read(host(7), "Call"), Ok(None));
    assert_eq!(read(host(7), ""), Ok(None));
    assert_eq!(read(Host::builder().build(), "Calls"), Ok(None));
    let host = Host::builder().build();
    host.set_parameter("another", "Calls", 7);
    assert_eq!(read(host, "Calls"), Ok(None));
}

#[test]
fn what_is_no_number_is_refused() {
    let values = [
        // Of another type: shorter than a number, as long, longer.
        RegistryValue::new(REG_BINARY, []),
        RegistryValue::new(REG_BINARY, [7, 0, 0, 0]),
        RegistryValue::new(REG_BINARY, [0; 100]),
        "".into(),
        "7".into(),
        "a text that is longer than any number".into(),
        // A number of a wrong length.
        RegistryValue::new(REG_DWORD, []),
        RegistryValue::new(REG_DWORD, [7, 0]),
        RegistryValue::new(REG_DWORD, [7, 0, 0, 0, 0]),
        RegistryValue::new(REG_DWORD, [0; 8]),
    ];
    for value in values {
        let answer = read(host(value.clone()), "Calls");
        assert_eq!(answer, Err(Status::INVALID_DATA), "{value:?}");
    }
}

/// Every allocation that reading makes can fail; the first one that may not
/// comes after all of them.
#[test]
fn no_memory_is_an_error() {
    let failures = (1..)
        .take_while(|nth| {
            let host = host(7);
            host.fail_allocation(*nth);
            let answer = with_key(&host, |key, irql| key.parameter("Calls", irql));
            assert!(host.finish().is_clean(), "allocation {nth}");
            assert!([Ok(Some(7)), Err(Status::RESOURCES)].contains(&answer));
            answer.is_err()
        })
        .count();
    // The path, its growth by the subkey, the open key. The name needs none.
    assert_eq!(failures, 3);
}

/// What the registry answers is passed on, and the key is closed.
#[test]
fn the_registrys_own_errors_are_passed_on() {
    for call in ["ZwOpenKey", "ZwQueryValueKey"] {
        let host = host(7);
        host.fail_call(call, 1, STATUS_ACCESS_DENIED);
        let denied = Status::from_raw(STATUS_ACCESS_DENIED);
        assert_eq!(read(host, "Calls"), Err(denied), "{call}");
    }
}

/// A name that no counted string can hold.
#[test]
fn a_name_of_64_kib_is_refused() {
    let name = "x".repeat(0x8000);
    assert_eq!(read(host(7), &name), Err(Status::INVALID_PARAMETER));
}

#[test]
fn the_key_has_the_drivers_name() {
    let host = Host::builder().build();
    let (name, shown) = with_key(&host, |key, _| (key.name().to_vec(), format!("{key:?}")));
    assert_eq!(String::from_utf16(&name).unwrap(), SERVICE);
    assert_eq!(
        shown,
        "ServiceKey(\\Registry\\Machine\\System\\CurrentControlSet\\Services\\Configured)"
    );
    assert!(host.finish().is_clean());
}

/// `DriverEntry` may be given no path, by a loader that has none.
#[test]
fn no_path_is_no_settings() {
    let host = host(7);
    let mut empty = ndis_sys::zeroed();
    for path in [std::ptr::null(), &raw mut empty] {
        // SAFETY: null, or a string without characters.
        let key = unsafe { ServiceKey::from_raw(path) };
        assert!(key.name().is_empty());
        assert_eq!(format!("{key:?}"), "ServiceKey()");
        // SAFETY: a thread of the test's; no lock is held.
        let mut irql = unsafe { Passive::assume() };
        assert_eq!(key.parameter("Calls", &mut irql), Ok(None));
    }
    assert!(host.finish().is_clean());
}

/// What is not UTF-16 can still be shown.
#[test]
fn a_path_of_broken_characters_is_shown() {
    let mut units = [u16::from(b'\\'), 0xD800, u16::from(b'x')];
    let path = ndis_sys::UNICODE_STRING {
        Length: 6,
        MaximumLength: 6,
        Buffer: units.as_mut_ptr(),
    };
    // SAFETY: three characters, which outlive the key.
    let key = unsafe { ServiceKey::from_raw(&path) };
    assert_eq!(key.name(), [0xD800, u16::from(b'x')]);
    assert_eq!(format!("{key:?}"), "ServiceKey(\\\u{FFFD}x)");
}
