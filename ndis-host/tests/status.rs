//! Status indications: who hears of them, in which order, and what must hold of them.

mod common;

use common::alone::Slip;
use common::bench::{Bench as Alone, Wrong};
use common::link::Flaw;
use common::mcm::{Shared as McmShared, Vc};
use common::oids::{NO, Told, indicate, indication, within, write};
use common::{Bench, P, SUCCESS, Twist, header, only, plain};
use ndis_host::{Adapter, Host, OidAsk, Report};
use ndis_sys as n;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

const LINK: i32 = n::NDIS_STATUS_LINK_STATE;
const MCM: &str = "raw-mcm";

/// Runs as the MCM's own code.
fn as_mcm(bench: &Bench, body: impl FnOnce(&Arc<McmShared>) + Send + 'static) {
    let mcm = bench.mcm.shared.clone();
    within(&bench.host, &bench.mcm.driver, move || body(&mcm));
}

fn told(of: &Arc<common::client::Shared>) -> Vec<Told> {
    of.oids.told.lock().unwrap().drain(..).collect()
}

/// The MCM's handle of the call's VC on the side of the first client.
fn vc_of_a(bench: &Bench, adapter: &Adapter) -> P<std::ffi::c_void> {
    bench.mcm.shared.oids.answers(|asked| {
        write(asked.request.0, &[0; 4]);
        SUCCESS
    });
    let vc = bench.a.shared.vc.load(SeqCst);
    let ask = OidAsk::query(n::OID_GEN_CO_RCV_CRC_ERROR as u32, 4).of_vc(vc);
    assert_eq!(bench.host.ask(adapter, ask).status, SUCCESS);
    let context = bench
        .mcm
        .shared
        .oids
        .asked
        .lock()
        .unwrap()
        .pop()
        .expect("asked")
        .vc;
    bench
        .mcm
        .shared
        .oids
        .answers(|_| n::NDIS_STATUS_NOT_SUPPORTED);
    // SAFETY: the driver's context of a live VC.
    P(unsafe { (*context.0.cast::<Vc>()).handle.load(SeqCst) })
}

/// Rules STATUS-02 and STATUS-07.
#[test]
fn to_all_or_to_the_drivers_of_a_vc() {
    let bench = Bench::new(Twist::None, Twist::None);
    let adapter = bench.up();
    bench.spawn("caller", |a| a.call());
    let vc = vc_of_a(&bench, &adapter);
    as_mcm(&bench, move |mcm| {
        let vc = vc;
        let own = mcm.adapter();
        let mut three = [1, 2, 3];
        indicate(own, NO, indication(own, LINK, &mut three));
        let mut speeds = [0; 12];
        let it = indication(own, n::NDIS_STATUS_WAN_CO_LINKPARAMS, &mut speeds);
        indicate(own, vc.0, it);
        let mut four = [4];
        let mut it = indication(own, LINK, &mut four);
        // SAFETY: the indication lives for the call.
        unsafe { n::NdisMIndicateStatusEx(own, &raw mut it) };
    });
    let general = |bytes: &[u8]| Told {
        vc: 0,
        code: LINK,
        bytes: bytes.to_vec(),
    };
    let of_a = told(&bench.a.shared);
    assert_eq!(of_a[0], general(&[1, 2, 3]));
    assert_eq!(of_a[1].code, n::NDIS_STATUS_WAN_CO_LINKPARAMS);
    assert_eq!(of_a[1].vc, Arc::as_ptr(&bench.a.shared).addr());
    assert_eq!(of_a[2], general(&[4]));
    assert_eq!(of_a.len(), 3);
    let of_b = told(&bench.b.shared);
    assert_eq!(of_b, [general(&[1, 2, 3]), general(&[4])]);
    bench.spawn("caller", |a| a.hang_up());
    bench.host.remove_adapter(&adapter);
    let report = bench.down();
    assert!(report.is_clean(), "{report}");
}

/// Over a miniport that is no call manager a VC has three drivers, and two of them hear.
#[test]
fn to_a_client_and_its_call_manager() {
    let wrong = Wrong {
        flaw: Flaw::None,
        pends: false,
        slip: Slip::None,
        twist: Twist::None,
    };
    let bench = Alone::new(wrong, &[]);
    let a = bench.a.clone();
    bench.run(move || a.call());
    let asked = Arc::new(Mutex::new(Vec::new()));
    let link = bench.link.shared.clone();
    let own_vc = asked.clone();
    within(&bench.host, &bench.link.driver, move || {
        let own = link.adapter();
        for vc in link.all_vcs() {
            indicate(own, vc.0, indication(own, LINK, &mut []));
            own_vc.lock().unwrap().push(vc);
        }
        indicate(
            own,
            NO,
            indication(own, n::NDIS_STATUS_MEDIA_CONNECT, &mut []),
        );
    });
    // The call manager's own VC, and one for each client.
    assert_eq!(asked.lock().unwrap().len(), 3);
    let manager = bench.alone.shared.oids.told.lock().unwrap().clone();
    assert_eq!(manager.len(), 4);
    assert!(manager[..3].iter().all(|told| told.vc != 0));
    for client in [&bench.a, &bench.b] {
        let told = told(&client.shared);
        assert_eq!(told.len(), 2);
        assert_eq!(told[0].vc, Arc::as_ptr(&client.shared).addr());
        assert_eq!(
            (told[1].vc, told[1].code),
            (0, n::NDIS_STATUS_MEDIA_CONNECT)
        );
    }
    let a = bench.a.clone();
    bench.run(move || a.hang_up());
    let report = bench.down();
    assert!(report.is_clean(), "{report}");
}

/// Rule STATUS-08: one at a time for each binding, also when the protocol's handler leads
/// to the next one; and STATUS-06: what waits is a copy.
#[test]
fn one_at_a_time_for_each_binding() {
    let seeds = if cfg!(miri) { 2 } else { 40 };
    for seed in 0..seeds {
        let host = Host::builder()
            .seed(seed)
            .preemption(1, 2)
            .raise(1, 4)
            .readings(plain())
            .build();
        let bench = Bench::on(host, Twist::None, Twist::None);
        let adapter = bench.up();
        let inside = Arc::new(AtomicU32::new(0));
        let mcm = bench.mcm.shared.clone();
        bench.a.shared.oids.when_told(move |told| {
            assert_eq!(inside.fetch_add(1, SeqCst), 0, "one at a time");
            if told.bytes == [1] {
                let own = mcm.adapter();
                let mut nine = [9];
                indicate(own, NO, indication(own, LINK, &mut nine));
            }
            // A call is a switch point.
            // SAFETY: plain pool memory.
            let memory = unsafe { n::ExAllocatePoolWithTag(n::NonPagedPoolNx, 1, common::TAG) };
            // SAFETY: as above.
            unsafe { n::ExFreePoolWithTag(memory, common::TAG) };
            inside.fetch_sub(1, SeqCst);
        });
        for which in 1..4 {
            let mcm = bench.mcm.shared.clone();
            bench
                .host
                .spawn_of(&bench.mcm.driver, "indicates", move || {
                    let own = mcm.adapter();
                    let mut bytes = [which];
                    indicate(own, NO, indication(own, LINK, &mut bytes));
                });
        }
        bench.host.run();
        let mut heard: Vec<u8> = told(&bench.a.shared).iter().map(|it| it.bytes[0]).collect();
        heard.sort_unstable();
        assert_eq!(heard, [1, 2, 3, 9]);
        bench.host.remove_adapter(&adapter);
        let report = bench.down();
        assert!(report.is_clean(), "seed {seed}: {report}");
    }
}

/// One indication, and the rules that it breaks.
fn broken(rules: &[&str], twist: Twist, body: impl FnOnce(&Bench, &Adapter)) -> Report {
    let bench = Bench::new(twist, Twist::None);
    for rule in rules {
        bench.host.expect(rule);
    }
    let adapter = bench.up();
    body(&bench, &adapter);
    bench.host.remove_adapter(&adapter);
    let report = bench.down();
    only(&report, rules);
    assert!(report.is_clean(), "{report}");
    for violation in &report.expected {
        assert_eq!(&*violation.who, MCM, "{report}");
    }
    report
}

/// An indication without a VC, of a status with so many bytes, and changed.
fn wrong(rule: &str, code: i32, bytes: usize, change: fn(&mut n::NDIS_STATUS_INDICATION)) {
    broken(&[rule], Twist::None, |bench, _| {
        as_mcm(bench, move |mcm| {
            let own = mcm.adapter();
            let mut bytes = vec![0; bytes];
            let mut it = indication(own, code, &mut bytes);
            change(&mut it);
            indicate(own, NO, it);
        });
    });
}

#[test]
fn status_01_before_the_attributes() {
    broken(&["STATUS-01"], Twist::IndicatesEarly, |_, _| {});
}

#[test]
fn status_01_after_the_halt() {
    let bench = Bench::new(Twist::None, Twist::None);
    bench.host.expect("STATUS-01");
    let adapter = bench.up();
    let own = P(bench.mcm.shared.adapter());
    bench.host.remove_adapter(&adapter);
    within(&bench.host, &bench.mcm.driver, move || {
        let own = own;
        indicate(own.0, NO, indication(own.0, LINK, &mut []));
    });
    let report = bench.down();
    only(&report, &["STATUS-01"]);
    assert!(report.is_clean(), "{report}");
    assert_eq!(&*report.expected[0].who, MCM);
}

#[test]
fn status_02_the_vc_of_another_adapter() {
    broken(&["STATUS-02"], Twist::None, |bench, adapter| {
        bench.spawn("caller", |a| a.call());
        let vc = vc_of_a(bench, adapter);
        let second = common::Mcm::load(&bench.host, Twist::IndicatesOthers);
        second.shared.paused.store(vc.0, SeqCst);
        let status = bench.host.add_adapter(&second.driver).unwrap_err();
        assert_eq!(status, n::NDIS_STATUS_FAILURE);
        bench.host.unload(&second.driver);
        bench.spawn("caller", |a| a.hang_up());
    });
}

#[test]
fn status_03_what_an_indication_says_of_itself() {
    wrong("STATUS-03", LINK, 0, |it| it.Header = header(0, 1, 112));
    wrong("STATUS-03", LINK, 0, |it| it.Header.Size = 8);
    wrong("STATUS-03", LINK, 0, |it| it.Flags = 1);
    wrong("STATUS-03", LINK, 0, |it| it.SourceHandle = NO);
}

#[test]
fn status_04_a_request_that_was_answered_otherwise() {
    wrong("STATUS-04", LINK, 0, |it| {
        it.RequestId = std::ptr::without_provenance_mut(0x33);
    });
    wrong("STATUS-04", LINK, 0, |it| {
        it.RequestId = std::ptr::without_provenance_mut(0x33);
        it.DestinationHandle = std::ptr::without_provenance_mut(0x34);
    });
}

#[test]
#[cfg_attr(miri, ignore = "the second client reads what was freed, on purpose")]
fn status_06_memory_freed_while_it_is_indicated() {
    broken(&["STATUS-06"], Twist::None, |bench, _| {
        let mcm = bench.mcm.shared.clone();
        // SAFETY: plain pool memory.
        let memory = P(unsafe { n::ExAllocatePoolWithTag(n::NonPagedPoolNx, 4, common::TAG) });
        let once = AtomicU32::new(0);
        let driver = bench.mcm.driver;
        let host = &bench.host;
        bench.a.shared.oids.when_told(move |_| {
            if once.fetch_add(1, SeqCst) == 0 {
                // Another thread of the miniport frees it meanwhile.
                // SAFETY: at PASSIVE_LEVEL.
                unsafe { n::NdisMSleep(1000) };
            }
        });
        host.spawn_of(&driver, "indicates", move || {
            let memory = memory;
            let own = mcm.adapter();
            let mut it = indication(own, LINK, &mut []);
            it.StatusBuffer = memory.0.cast();
            it.StatusBufferSize = 4;
            // SAFETY: as long as that.
            unsafe { memory.0.cast::<u32>().write(0) };
            indicate(own, NO, it);
        });
        host.spawn_of(&driver, "frees", move || {
            let memory = memory;
            // SAFETY: at PASSIVE_LEVEL.
            unsafe { n::NdisMSleep(100) };
            // SAFETY: allocated above.
            unsafe { n::ExFreePoolWithTag(memory.0, common::TAG) };
        });
        host.run();
    });
}

#[test]
fn status_10_a_reset_that_is_ndis_s_to_indicate() {
    wrong("STATUS-10", n::NDIS_STATUS_RESET_START, 0, |_| {});
    wrong("STATUS-10", n::NDIS_STATUS_RESET_END, 0, |_| {});
}

#[test]
fn status_11_a_connection_while_the_device_sleeps() {
    broken(&["STATUS-11"], Twist::None, |bench, adapter| {
        bench
            .host
            .set_power(adapter, n::NdisDeviceStateD3)
            .expect("sleeps");
        as_mcm(bench, |mcm| {
            let own = mcm.adapter();
            indicate(
                own,
                NO,
                indication(own, n::NDIS_STATUS_MEDIA_CONNECT, &mut []),
            );
            // What is not of the connection may be said.
            indicate(own, NO, indication(own, LINK, &mut []));
        });
        bench
            .host
            .set_power(adapter, n::NdisDeviceStateD0)
            .expect("wakes");
    });
}

#[test]
fn status_12_of_a_vc_and_without_one_or_its_structure() {
    wrong("STATUS-12", n::NDIS_STATUS_WAN_CO_LINKPARAMS, 12, |_| {});
    broken(&["STATUS-12"], Twist::None, |bench, adapter| {
        bench.spawn("caller", |a| a.call());
        let vc = vc_of_a(bench, adapter);
        as_mcm(bench, move |mcm| {
            let vc = vc;
            let own = mcm.adapter();
            let mut short = [0; 11];
            let it = indication(own, n::NDIS_STATUS_WAN_CO_LINKPARAMS, &mut short);
            indicate(own, vc.0, it);
        });
        bench.spawn("caller", |a| a.hang_up());
    });
}

#[test]
fn status_13_a_status_of_later_versions() {
    broken(&["STATUS-13"], Twist::OldNdis, |bench, adapter| {
        bench.spawn("caller", |a| a.call());
        let vc = vc_of_a(bench, adapter);
        as_mcm(bench, move |mcm| {
            let vc = vc;
            let own = mcm.adapter();
            let mut speeds = [0; 20];
            let it = indication(own, n::NDIS_STATUS_WAN_CO_MTULINKPARAMS, &mut speeds);
            indicate(own, vc.0, it);
        });
        bench.spawn("caller", |a| a.hang_up());
    });
}

#[test]
fn status_15_a_buffer_shorter_than_it_says() {
    broken(&["STATUS-15"], Twist::None, |bench, _| {
        as_mcm(bench, |mcm| {
            let own = mcm.adapter();
            // SAFETY: plain pool memory.
            let memory = unsafe { n::ExAllocatePoolWithTag(n::NonPagedPoolNx, 4, common::TAG) };
            let mut it = indication(own, LINK, &mut []);
            it.StatusBuffer = memory.cast();
            it.StatusBufferSize = 5;
            indicate(own, NO, it);
            // SAFETY: allocated above.
            unsafe { n::ExFreePoolWithTag(memory, common::TAG) };
        });
    });
}

#[test]
fn gen_08_a_size_without_a_buffer() {
    wrong("GEN-08", LINK, 0, |it| it.StatusBufferSize = 4);
}

#[test]
fn wan_10_an_indication_of_another_model() {
    for code in [
        n::NDIS_STATUS_WAN_LINE_UP,
        n::NDIS_STATUS_WAN_LINE_DOWN,
        n::NDIS_STATUS_WAN_FRAGMENT,
        n::NDIS_STATUS_WAN_GET_STATS,
        n::NDIS_STATUS_TAPI_INDICATION,
    ] {
        wrong("WAN-10", code, 0, |_| {});
    }
}
