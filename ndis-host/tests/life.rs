//! The whole life of two raw drivers, done right: no rule may be broken.

mod common;

use common::{Bench, Twist, host};
use ndis_host::{Host, NotifyClose, Readings};
use std::sync::atomic::Ordering::SeqCst;

#[test]
fn a_life_without_a_mistake() {
    let bench = Bench::new(Twist::None, Twist::None);
    bench.life(3);
    assert_eq!(bench.b.shared.received.load(SeqCst), 3);
    assert_eq!(bench.a.shared.sent.load(SeqCst), 3);
    let report = bench.down();
    assert!(report.is_clean(), "{report}");
}
