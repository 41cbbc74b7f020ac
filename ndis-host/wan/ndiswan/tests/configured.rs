//! Both models as Windows loads drivers: by their entry points, told what to do by their registry
//! keys.

#[path = "../../tests/support/mod.rs"]
mod support;

use ndis_host::{Host, Readings};
use ndis_wan_ndiswan as ndiswan;
use support::{Cable, Config, readings};

/// A whole life of a miniport with two adapters and both drivers; gives what these print at the
/// end.
fn run(seed: u64, readings: Readings, parameters: &[(&str, &str, u32)]) -> Vec<String> {
    let host = Host::builder()
        .seed(seed)
        .readings(readings)
        .no_events_under_miri()
        .build();
    for (driver, name, value) in parameters {
        host.set_parameter(driver, name, *value);
    }
    // SAFETY: the drivers' entry points, called as Windows does.
    let ndproxy = unsafe { host.load("ndproxy", ndis_wan_ndproxy::driver_entry) }.unwrap();
    // SAFETY: as above.
    let ndiswan = unsafe { host.load("ndiswan", ndiswan::driver_entry) }.unwrap();
    let cable = Cable::load(&host, Config::default());
    let adapters = [(); 2].map(|()| host.add_adapter(&cable).unwrap());
    host.run();
    for adapter in &adapters {
        host.remove_adapter(adapter);
    }
    for driver in [ndiswan, ndproxy, cable] {
        host.unload(&driver);
    }
    let printed = host.printed();
    let report = host.finish();
    assert!(report.is_clean(), "seed {seed}: {report}");
    let texts = printed.into_iter().map(|printed| printed.text);
    texts.map(|text| text.trim_end().to_owned()).collect()
}

#[test]
fn the_registry_says_whom_to_call() {
    for readings in readings() {
        for seed in 0..if cfg!(miri) { 1 } else { 5 } {
            // The second adapter is not there when the first one is: they are tried again.
            let parameters = [
                ("ndproxy", "Dial", 1),
                ("ndproxy", "Calls", 2),
                ("ndiswan", "Frames", 6),
                ("ndiswan", "Short", 1),
            ];
            let printed = run(seed, readings, &parameters);
            assert_eq!(printed[1], "ndproxy: 2 of 2 calls connected, 2 taken");
            // A frame may be sent, and come back, twice.
            let (all, echoed) = printed[0].rsplit_once(", ").unwrap();
            assert_eq!(
                all, "ndiswan: 4 links, 12 frames back, 6898 bytes compared, 0 mismatches",
                "seed {seed}"
            );
            let echoed: u32 = echoed.split(' ').next().unwrap().parse().unwrap();
            assert!(echoed >= 12, "seed {seed}: {echoed} echoed");
        }
    }
}

/// A number that nobody has is tried for a while.
#[test]
fn a_number_that_nobody_has() {
    if cfg!(miri) {
        return;
    }
    let printed = run(1, Readings::default(), &[("ndproxy", "Dial", 77)]);
    assert_eq!(
        printed,
        [
            "ndproxy: a call failed: TAPI_DISCONNECTMODE_UNREACHABLE",
            "ndiswan: 0 links, 0 frames back, 0 bytes compared, 0 mismatches, 0 echoed",
            "ndproxy: 0 of 1 calls connected, 0 taken",
        ]
    );
}

/// Calls are turned away where the registry says so.
#[test]
fn calls_that_are_not_answered() {
    let parameters = [("ndproxy", "Dial", 1), ("ndproxy", "Answer", 0)];
    let printed = run(2, Readings::default(), &parameters);
    assert_eq!(
        printed[0],
        "ndproxy: a call failed: TAPI_DISCONNECTMODE_REJECT"
    );
}
