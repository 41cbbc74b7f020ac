//! What the registry says of an adapter, and what programs see of its calls.

use crate::support;

use ndis_co::{Status, sys as ndis_sys, tapi::Disconnect};
use ndis_host::{AdapterSettings, Host, Readings};
use ndis_wan_models::{Answering, Settings};
use support::*;
use wan_mcm::monitor::{CallRecord, LIST};

fn host(seed: u64) -> Host {
    builder(seed, Readings::default()).build()
}

/// Each value counts, whichever way it is written.
#[test]
fn an_adapter_is_as_the_registry_says() {
    for readings in readings().step_by(if cfg!(miri) { 400 } else { 1 }) {
        let host = builder(1, readings).build();
        let small = AdapterSettings::new()
            .value("Lines", 1)
            .value("Addresses", "3")
            .value("Speed", 64_000)
            .value("Prefix", "555")
            .value("NetworkAddress", "02-00-00-00-00-07");
        let adapters = [AdapterSettings::new(), small];
        let world = World::configured(&host, Settings::default(), adapters);
        let lines = world.windows.lines(1);
        assert_eq!(lines.len(), 1);
        assert_eq!((lines[0].addresses, lines[0].max_rate), (3, 64_000));
        let oid = ndis_co::oid::number::WAN_CURRENT_ADDRESS;
        let address = host.query(&world.adapters[1], oid, 6);
        assert_eq!(address, Ok(vec![2, 0, 0, 0, 0, 7]));
        for line in 0..3 {
            let call = world.dial(0, line, "55500");
            world.is_up(call);
            let parameters = world.windows.link(call).unwrap().parameters.unwrap();
            assert_eq!(parameters.transmit_speed, 8_000);
        }
        let fourth = world.dial(0, 3, "55500");
        assert_eq!(world.ended(fourth), Disconnect::Busy.into());
        let other = world.dial(0, 3, "55501");
        assert_eq!(world.ended(other), Disconnect::BadAddress.into());
        world.end();
        clean(&host.finish());
    }
}

/// What makes no sense counts as nothing (rule CFG-11).
#[test]
fn values_without_sense_count_as_none() {
    let wrong = [
        AdapterSettings::new().value("Lines", 0).value("Prefix", ""),
        AdapterSettings::new()
            .value("Lines", 101)
            .value("Prefix", "12x"),
        AdapterSettings::new()
            .value("Lines", "many")
            .value("Prefix", 7),
        AdapterSettings::new()
            .value("Addresses", 65)
            .value("Speed", 0),
        AdapterSettings::new()
            .value("NetworkAddress", "02-00")
            .value("Addresses", 0),
        AdapterSettings::new().value("Prefix", "123456789012345"),
    ];
    for wrong in wrong {
        let host = host(2);
        let world = World::configured(&host, Settings::default(), [AdapterSettings::new(), wrong]);
        let lines = world.windows.lines(1);
        assert_eq!((lines.len(), lines[0].addresses), (4, 2));
        world.connect();
        world.end();
        clean(&host.finish());
    }
}

/// No two adapters have the same numbers.
#[test]
fn a_prefix_is_one_adapters() {
    let host = host(3);
    let prefix = |digits: &str| AdapterSettings::new().value("Prefix", digits);
    let world = World::configured(
        &host,
        Settings::default(),
        [prefix("2"), AdapterSettings::new()],
    );
    host.set_adapter_settings("wan-mcm", prefix("2"));
    assert!(host.add_adapter(&world.driver).is_err());
    // Without a prefix the second adapter has the first digit that is free, the third the next.
    host.set_adapter_settings("wan-mcm", AdapterSettings::new());
    let third = host.add_adapter(&world.driver).unwrap();
    host.run();
    for (adapter, number) in [(0, "100"), (1, "300"), (2, "200")] {
        let call = world.dial(adapter, 1, number);
        world.is_up(call);
    }
    host.remove_adapter(&third);
    world.end();
    clean(&host.finish());
}

/// A program looks at the calls of both adapters.
#[test]
fn a_program_sees_the_calls() {
    let host = host(4);
    let answering = Answering::Ring;
    let world = World::with(
        &host,
        Settings {
            answering,
            ..Settings::default()
        },
    );
    let files = [r"\\.\NullModem1", r"\\.\NullModem2"].map(|name| host.open(name).unwrap());
    let list = |adapter: usize, room| {
        let reply = host.device_control(&files[adapter], LIST.raw(), &[], room);
        reply.map(|reply| {
            let (count, records) = CallRecord::list(&reply).unwrap();
            (count, records.collect::<Vec<_>>())
        })
    };
    assert_eq!(list(0, 1000), Ok((0, vec![])));
    let call = world.windows.dial(0, 2, "201");
    host.run_for(5);
    let record = CallRecord {
        line: 2,
        address: 0,
        is_outgoing: true,
        is_connected: false,
        speed: 10_000_000,
        frames_sent: 0,
        frames_received: 0,
        frames_lost: 0,
    };
    assert_eq!(list(0, 1000), Ok((1, vec![record])));
    let far = world.windows.ringing(1)[0];
    world.windows.answer(far);
    host.run_for(5);
    world.send(call, &[b"one", b"two"]);
    world.send(far, &[b"three"]);
    let up = CallRecord {
        is_connected: true,
        ..record
    };
    let near = CallRecord {
        frames_sent: 2,
        frames_received: 1,
        ..up
    };
    let other = CallRecord {
        line: 1,
        is_outgoing: false,
        frames_sent: 1,
        frames_received: 2,
        ..up
    };
    assert_eq!(list(0, 1000), Ok((1, vec![near])));
    assert_eq!(list(1, 1000), Ok((1, vec![other])));
    // How many there are fits in four bytes; less is too little.
    assert_eq!(list(1, 4), Ok((1, vec![])));
    assert_eq!(list(1, 4 + CallRecord::LEN - 1), Ok((1, vec![])));
    assert_eq!(list(1, 3), Err(ndis_sys::STATUS_BUFFER_TOO_SMALL));
    let unknown = host.device_control(&files[0], LIST.raw() ^ 0x10, &[], 100);
    assert_eq!(unknown, Err(Status::INVALID_DEVICE_REQUEST.raw()));
    world.windows.drop_call(far);
    host.run();
    assert_eq!(list(1, 1000), Ok((0, vec![])));
    // The device goes with its adapter, under a program that has it open.
    host.remove_adapter(&world.adapters[1]);
    assert!(list(1, 1000).is_err());
    assert!(host.open(r"\\.\NullModem2").is_err());
    for file in files {
        host.close(file);
    }
    host.remove_adapter(&world.adapters[0]);
    world.unload();
    clean(&host.finish());
}
