//! The drivers as Windows loads them: by their entry points, told what to do
//! by their registry keys.

use ndis_host::{Driver, EntryPoint, Host, Readings};

const SWITCH: &str = "loopback_mcm";
const CALLEE: &str = "echo_client";
const CALLER: &str = "echo_caller";

/// Runs both clients on the switch for a whole life; gives what they printed at
/// the end.
fn run(seed: u64, readings: Readings, parameters: &[(&str, u32)]) -> Vec<String> {
    printed(seed, readings, parameters, |host, loads| {
        host.whole_life(loads).unwrap();
    })
}

/// As above, on several adapters of the switch; they go after `life`.
fn run_on(
    adapters: usize,
    seed: u64,
    parameters: &[(&str, u32)],
    life: impl FnOnce(&Host),
) -> Vec<String> {
    printed(seed, Readings::default(), parameters, |host, loads| {
        let drivers = loads.map(|load| load(host).unwrap());
        let adapters: Vec<_> = (0..adapters)
            .map(|_| host.add_adapter(&drivers[0]).unwrap())
            .collect();
        life(host);
        for adapter in &adapters {
            host.remove_adapter(adapter);
        }
        for driver in drivers.iter().rev() {
            host.unload(driver);
        }
    })
}

type Load = Box<dyn FnOnce(&Host) -> Result<Driver, i32>>;

/// What the clients print in a life that `live` gives to the switch, the callee
/// and the caller.
fn printed(
    seed: u64,
    readings: Readings,
    parameters: &[(&str, u32)],
    live: impl FnOnce(&Host, [Load; 3]),
) -> Vec<String> {
    let host = Host::builder()
        .seed(seed)
        .readings(readings)
        .no_events_under_miri()
        .build();
    host.set_parameter(CALLER, "Listen", 0);
    for (name, value) in parameters {
        host.set_parameter(CALLER, name, *value);
    }
    // A client keeps what it has with its driver object, so that it may be
    // there twice.
    let drivers: [(_, EntryPoint); 3] = [
        (SWITCH, loopback_mcm::driver_entry),
        (CALLEE, echo_client::driver_entry),
        (CALLER, echo_client::driver_entry),
    ];
    // SAFETY: the drivers' entry points, called as Windows does.
    let load = |(name, entry)| -> Load { Box::new(move |host| unsafe { host.load(name, entry) }) };
    live(&host, drivers.map(load));
    let printed = host.printed();
    let report = host.finish();
    assert!(report.is_clean(), "{report}");
    printed.into_iter().map(|printed| printed.text).collect()
}

#[test]
fn the_registry_says_whom_to_call() {
    let seeds = if cfg!(miri) { 1 } else { 100 };
    for seed in 0..seeds {
        let parameters = [("dial", 7), ("Calls", 2), ("FRAMES", 4)];
        let printed = run(seed, Readings::default(), &parameters);
        assert_eq!(
            printed,
            [
                "echo-client: 2 of 2 calls, 8 frames sent, 8 echoed, 4170 bytes compared, \
                 0 mismatches, 0 frames taken\n",
                "echo-client: 0 of 0 calls, 0 frames sent, 0 echoed, 0 bytes compared, \
                 0 mismatches, 8 frames taken\n",
            ],
            "seed {seed}"
        );
    }
}

/// Nobody has the number: the client tries for five seconds, then gives up.
#[test]
fn a_number_that_nobody_has_is_tried_again() {
    if cfg!(miri) {
        return;
    }
    let printed = run(3, Readings::default(), &[("Dial", 8)]);
    assert_eq!(
        printed[0],
        "echo-client: call 0 failed: NO_ROUTE_TO_DESTINATION\n"
    );
}

/// The adapter goes before the number is tried again.
#[test]
fn a_call_that_waits_ends_with_the_adapter() {
    let printed = run_on(1, 4, &[("Dial", 8)], |host| host.run_for(50));
    assert_eq!(printed[0], "echo-client: call 0 failed: CLOSING\n");
}

/// The registry says how many calls there are, not how many on each adapter.
#[test]
fn calls_are_placed_once_with_two_adapters() {
    let seeds = if cfg!(miri) { 1 } else { 20 };
    for seed in 0..seeds {
        let printed = run_on(2, seed, &[("Dial", 7), ("Calls", 2)], Host::run);
        assert_eq!(
            printed[0],
            "echo-client: 2 of 2 calls, 8 frames sent, 8 echoed, 4170 bytes compared, \
             0 mismatches, 0 frames taken\n",
            "seed {seed}"
        );
    }
}
