//! Stand-alone call managers over a connection-oriented miniport, as they should be.

mod common;

use common::alone::{Alone, Slip};
use common::link::{Flaw, Link};
use common::{Client, SUCCESS, Twist, host, only};
use ndis_host::{EventKind, Host, Report};
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
