//! Stand-alone call managers over a connection-oriented miniport, as they should be.

use crate::common;

use common::alone::{Alone, Slip};
use common::link::{Flaw, Link};
use common::{Client, Mcm, SUCCESS, Twist, host, host_under, only, plain};
use ndis_host::{Event, EventKind, Host, McmDisplaces, Readings, Report};
use ndis_sys as n;
use std::sync::atomic::Ordering::SeqCst;

/// A miniport, a call manager above it, and two clients; the second one listens.
struct Stack {
    host: Host,
    link: Link,
    alone: Alone,
    a: Client,
    b: Client,
}

impl Stack {
    fn new(host: Host, pends: bool) -> Self {
        Self {
            link: Link::load(&host, Flaw::None, pends),
            alone: Alone::load(&host, Slip::None),
            a: Client::load(&host, "client-a", Twist::None, false),
            b: Client::load(&host, "client-b", Twist::None, true),
            host,
        }
    }

    fn up(&self) -> ndis_host::Adapter {
        let adapter = self.host.add_adapter(&self.link.driver);
        self.host.run();
        adapter.expect("initialize")
    }

    fn down(self) -> Report {
        for driver in [&self.a.driver, &self.b.driver, &self.alone.driver] {
            self.host.unload(driver);
        }
        self.host.unload(&self.link.driver);
        self.host.finish()
    }
}

#[test]
fn clients_are_offered_the_family_when_the_bind_is_over() {
    let stack = Stack::new(host(), false);
    let adapter = stack.up();
    for client in [&stack.a, &stack.b] {
        assert_eq!(*client.shared.last.lock().unwrap(), Some(SUCCESS));
        assert!(!client.shared.af.load(SeqCst).is_null());
    }
    assert!(!stack.b.shared.sap.load(SeqCst).is_null());
    let events = stack.host.events();
    let place = |kind, name| events.iter().position(|e| e.kind == kind && e.name == name);
    let registered = place(EventKind::Return, "NdisCmRegisterAddressFamilyEx");
    let offered = place(EventKind::Callback, "ProtocolCoAfRegisterNotify");
    assert!(registered.is_some() && registered < offered);
    stack.host.remove_adapter(&adapter);
    let report = stack.down();
    assert!(report.is_clean(), "{report}");
    only(&report, &[]);
}

impl Stack {
    /// The call manager hears itself on its own VC.
    fn greet(&self) {
        let alone = self.alone.clone();
        self.host.spawn("signalling", move || alone.greet());
        self.host.run();
        assert_eq!(self.alone.shared.heard.load(SeqCst), 1);
    }
}

/// A call with frames both ways, hung up by either side.
fn call(stack: &Stack, caller_hangs_up: bool) {
    let (a, b) = (stack.a.clone(), stack.b.clone());
    let run = |what: &str, client: &Client, body: fn(&Client)| {
        let client = client.clone();
        stack.host.spawn(what, move || body(&client));
        stack.host.run();
    };
    let before = (
        a.shared.received.load(SeqCst),
        b.shared.received.load(SeqCst),
    );
    run("caller", &a, Client::call);
    assert_eq!(*a.shared.last.lock().unwrap(), Some(SUCCESS));
    for client in [&a, &b] {
        assert_eq!(client.shared.up.load(SeqCst), 1, "the call is up");
    }
    run("caller", &a, Client::send);
    run("callee", &b, Client::send);
    run("callee", &b, Client::send);
    assert_eq!(b.shared.received.load(SeqCst), before.1 + 1);
    assert_eq!(a.shared.received.load(SeqCst), before.0 + 2);
    let who = if caller_hangs_up { &a } else { &b };
    run("end", who, Client::hang_up);
    for client in [&a, &b] {
        assert_eq!(client.shared.up.load(SeqCst), 0);
        assert!(client.shared.vc.load(SeqCst).is_null(), "the VC is gone");
    }
}

#[test]
fn calls_go_through_and_carry_data() {
    let stack = Stack::new(host(), false);
    let adapter = stack.up();
    stack.greet();
    call(&stack, true);
    call(&stack, false);
    stack.host.remove_adapter(&adapter);
    let link = stack.link.shared.clone();
    let report = stack.down();
    assert!(report.is_clean(), "{report}");
    only(&report, &[]);
    for count in [
        &link.made,
        &link.deleted,
        &link.activated,
        &link.deactivated,
    ] {
        assert_eq!(count.load(SeqCst), 5, "two calls and its own");
    }
}

#[test]
fn a_refused_call_leaves_nothing() {
    let stack = Stack::new(host(), true);
    let adapter = stack.up();
    stack.b.shared.refuse.store(1, SeqCst);
    let a = stack.a.clone();
    stack.host.spawn("caller", move || a.call());
    stack.host.run();
    let last = *stack.a.shared.last.lock().unwrap();
    assert_eq!(last, Some(n::NDIS_STATUS_NOT_ACCEPTED));
    stack.host.remove_adapter(&adapter);
    let report = stack.down();
    assert!(report.is_clean(), "{report}");
}

/// The whole life of a stack under one seed and reading.
fn life(seed: u64, readings: Readings) {
    let host = Host::builder().seed(seed).readings(readings).build();
    let stack = Stack::new(host, !seed.is_multiple_of(3));
    let adapter = stack.up();
    stack.greet();
    call(&stack, seed.is_multiple_of(2));
    call(&stack, !seed.is_multiple_of(2));
    stack.host.remove_adapter(&adapter);
    stack.host.run();
    let report = stack.down();
    let text = readings.describe();
    assert!(report.is_clean(), "seed {seed}, {text}: {report}");
    assert!(report.rules().is_empty(), "seed {seed}, {text}: {report}");
}

#[test]
fn what_pends_is_completed_and_nothing_else() {
    // VC-46, and VC-34 for a call manager of this kind; IRQL-23, IRQL-24, IRQL-54 and IRQL-55:
    // at either level.
    let calls = [
        ("NdisCmActivateVc", "ProtocolCmActivateVcComplete"),
        ("NdisCmDeactivateVc", "ProtocolCmDeactivateVcComplete"),
    ];
    let mut at_dispatch = std::collections::BTreeSet::new();
    let mut completed = 0;
    for seed in 0..if cfg!(miri) { 1 } else { 30 } {
        let stack = Stack::new(Host::builder().seed(seed).raise(1, 2).build(), true);
        let adapter = stack.up();
        call(&stack, true);
        call(&stack, false);
        stack.host.remove_adapter(&adapter);
        let events = stack.host.events();
        for (called, callback) in calls {
            let pended = events.iter().filter(|e| {
                let returns = e.kind == EventKind::Return && e.name == called;
                returns && e.status == Some(n::NDIS_STATUS_PENDING)
            });
            let told = |e: &&Event| e.kind == EventKind::Callback && e.name == callback;
            let told = events.iter().filter(told).count();
            assert_eq!(pended.count(), told, "seed {seed}: {called}");
            completed += told;
        }
        let calls = events.iter().filter(|e| e.kind == EventKind::Call);
        at_dispatch.extend(calls.filter(|e| e.irql > 0).map(|e| e.name));
        let report = stack.down();
        assert!(report.is_clean(), "seed {seed}: {report}");
    }
    assert!(completed > 0);
    for name in [
        "NdisMCoActivateVcComplete",
        "NdisMCoDeactivateVcComplete",
        "NdisCmActivateVc",
        "NdisCmDeactivateVc",
    ] {
        assert!(at_dispatch.contains(name) || cfg!(miri), "{name}");
    }
}

#[test]
fn a_life_under_every_reading() {
    let seeds = if cfg!(miri) { 1 } else { 50 };
    for readings in Readings::all() {
        for seed in 0..seeds {
            life(seed, readings);
        }
        if cfg!(miri) {
            break;
        }
    }
}

#[test]
fn a_call_manager_that_comes_late_is_offered_to_the_clients_that_are_there() {
    let host = host();
    let link = Link::load(&host, Flaw::None, false);
    let a = Client::load(&host, "client-a", Twist::None, false);
    let adapter = host.add_adapter(&link.driver).expect("initialize");
    host.run();
    assert!(a.shared.af.load(SeqCst).is_null());
    let alone = Alone::load(&host, Slip::None);
    host.run();
    assert!(!a.shared.af.load(SeqCst).is_null());
    // It goes before its client, which closes when it is told to.
    host.unload(&alone.driver);
    assert!(a.shared.af.load(SeqCst).is_null());
    host.remove_adapter(&adapter);
    for driver in [&a.driver, &link.driver] {
        host.unload(driver);
    }
    let report = host.finish();
    assert!(report.is_clean(), "{report}");
}

#[test]
fn an_mcm_and_a_call_manager_above_it_serve_families_of_their_own() {
    for seed in 0..if cfg!(miri) { 1 } else { 20 } {
        let host = Host::builder().seed(seed).readings(plain()).build();
        let mcm = Mcm::load(&host, Twist::None);
        let alone = Alone::load(&host, Slip::None);
        let load = |name, family: n::NDIS_AF, listen| {
            let client = Client::load(&host, name, Twist::None, listen);
            client.shared.wants.store(family, SeqCst);
            client
        };
        let of_mcm = [
            load("mcm-a", n::CO_ADDRESS_FAMILY_L2TP, false),
            load("mcm-b", n::CO_ADDRESS_FAMILY_L2TP, true),
        ];
        let of_alone = [
            load("alone-a", n::CO_ADDRESS_FAMILY_TAPI, false),
            load("alone-b", n::CO_ADDRESS_FAMILY_TAPI, true),
        ];
        let adapter = host.add_adapter(&mcm.driver).expect("initialize");
        host.run();
        let calls = [&of_mcm[0], &of_alone[0]];
        for caller in calls {
            let a = caller.clone();
            host.spawn("caller", move || a.call());
        }
        host.run();
        for client in of_mcm.iter().chain(&of_alone) {
            assert_eq!(client.shared.up.load(SeqCst), 1, "seed {seed}");
        }
        let a = of_mcm[0].clone();
        host.spawn("sender", move || a.send());
        host.run();
        assert_eq!(of_mcm[1].shared.received.load(SeqCst), 1);
        for caller in calls {
            let a = caller.clone();
            host.spawn("caller", move || a.hang_up());
        }
        host.run();
        host.remove_adapter(&adapter);
        host.run();
        for client in of_mcm.iter().chain(&of_alone) {
            host.unload(&client.driver);
        }
        for driver in [&alone.driver, &mcm.driver] {
            host.unload(driver);
        }
        let report = host.finish();
        assert!(report.is_clean(), "seed {seed}: {report}");
    }
}

#[test]
fn an_mcm_keeps_its_family_from_a_call_manager_above_it() {
    kept_from_a_call_manager(McmDisplaces::ItsFamilies, n::CO_ADDRESS_FAMILY_L2TP);
}

#[test]
fn an_mcm_keeps_every_family_under_a_reading() {
    kept_from_a_call_manager(McmDisplaces::TheDevice, n::CO_ADDRESS_FAMILY_TAPI);
}

fn kept_from_a_call_manager(mcm_displaces: McmDisplaces, family: n::NDIS_AF) {
    let host = host_under(Readings {
        mcm_displaces,
        ..plain()
    });
    let mcm = Mcm::load(&host, Twist::None);
    let alone = Alone::of_family(&host, Slip::None, family);
    let a = Client::load(&host, "client-a", Twist::None, false);
    let adapter = host.add_adapter(&mcm.driver).expect("initialize");
    host.run();
    let statuses = alone.shared.statuses.lock().unwrap().clone();
    assert_eq!(statuses, [n::NDIS_STATUS_FAILURE]);
    assert!(!a.shared.af.load(SeqCst).is_null(), "the MCM's");
    host.remove_adapter(&adapter);
    for driver in [&a.driver, &alone.driver, &mcm.driver] {
        host.unload(driver);
    }
    let report = host.finish();
    assert!(report.is_clean(), "{report}");
}

#[test]
fn data_above_an_mcm_is_not_simulated_and_says_so() {
    let host = host();
    let mcm = Mcm::load(&host, Twist::None);
    let alone = Alone::load(&host, Slip::None);
    let tapi = n::CO_ADDRESS_FAMILY_TAPI;
    let a = Client::load(&host, "client-a", Twist::None, false);
    let b = Client::load(&host, "client-b", Twist::None, true);
    for client in [&a, &b] {
        client.shared.wants.store(tapi, SeqCst);
    }
    let adapter = host.add_adapter(&mcm.driver).expect("initialize");
    host.run();
    let run = |client: &Client, body: fn(&Client)| {
        let client = client.clone();
        host.spawn("caller", move || body(&client));
        host.run();
    };
    run(&a, Client::call);
    run(&a, Client::send);
    assert_eq!(a.shared.sent.load(SeqCst), 1, "it comes back");
    run(&a, Client::hang_up);
    host.remove_adapter(&adapter);
    for driver in [&a.driver, &b.driver, &alone.driver, &mcm.driver] {
        host.unload(driver);
    }
    let report = host.finish();
    assert!(report.violations.is_empty(), "{report}");
    assert_eq!(report.not_simulated.len(), 1, "{report}");
}

#[test]
fn one_family_has_one_call_manager_on_an_adapter() {
    let host = host();
    let link = Link::load(&host, Flaw::None, false);
    let first = Alone::load(&host, Slip::None);
    let second = Alone::load(&host, Slip::None);
    let adapter = host.add_adapter(&link.driver).expect("initialize");
    host.run();
    let mut statuses: Vec<i32> = [&first, &second]
        .iter()
        .flat_map(|one| one.shared.statuses.lock().unwrap().clone())
        .collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [n::NDIS_STATUS_FAILURE, SUCCESS]);
    host.remove_adapter(&adapter);
    for driver in [&first.driver, &second.driver, &link.driver] {
        host.unload(driver);
    }
    let report = host.finish();
    assert!(report.is_clean(), "{report}");
}
