//! NDIS asks about a VC that a client deletes meanwhile. This miniport cannot refuse that (rule
//! VC-29), and has to complete what it has pended with the VC's handle (rule OID-18): so NDIS
//! deletes the VC when it has its answer, however that comes.

use super::*;
use ndis_co::{event::Event, lock::SpinLock, mem::Tag};
use ndis_host::OidAsk;
use std::sync::atomic::AtomicBool;

const NOT_ACCEPTED: i32 = ndis_sys::NDIS_STATUS_NOT_ACCEPTED;

fn at_any_moment(how: How) {
    let mut answered = 0;
    for seed in seeds(300) {
        let desk = Desk::new(&[How::Now], &[How::Now]);
        *desk.asks.lock().unwrap() = how;
        let world = World::new(builder(seed).preemption(1, 2).build(), &desk);
        let a = world.a.clone();
        within(&world.host, &world.a.driver, move || make_vc(&a));
        let shared = world.a.shared.clone();
        let vc = shared.vc.load(SeqCst);
        let (over, tried) = (
            Arc::new(AtomicBool::new(false)),
            Arc::new(AtomicBool::new(false)),
        );
        let (stop, device, first) = (over.clone(), desk.clone(), tried.clone());
        thread(&world.host, move |irql| {
            let never = Event::try_new(Tag::NDIS).unwrap();
            while !stop.load(SeqCst) {
                // Half of the answers come when the client has tried.
                let late = seed % 2 == 0 && !first.load(SeqCst);
                if late || !device.work(irql) {
                    never.wait_for(1, irql);
                }
            }
        });
        thread(&world.host, move |irql| {
            let (spin, never) = (SpinLock::new(()), Event::try_new(Tag::NDIS).unwrap());
            for _ in 0..seed % 31 {
                spin.get();
            }
            let vc = shared.vc.swap(NO, SeqCst);
            // SAFETY: the client's own VC, without a call.
            while unsafe { ndis_sys::NdisCoDeleteVc(vc) } == NOT_ACCEPTED {
                tried.store(true, SeqCst);
                never.wait_for(1, irql);
            }
            tried.store(true, SeqCst);
        });
        let ask = OidAsk::query(0xFF01_0003, 4).of_vc(vc);
        let answer = world.host.ask(&world.adapter, ask);
        answered += u32::from(answer.status == SUCCESS);
        over.store(true, SeqCst);
        world.settle();
        let what = format!("{how:?}, seed {seed}");
        assert_eq!(desk.deleted.load(SeqCst), 1, "{what}");
        clean(&world.down(), &what);
    }
    let refused = how == How::Dropped;
    assert!(
        if refused {
            answered == 0
        } else {
            answered > 0 || cfg!(miri)
        },
        "{how:?}"
    );
}

#[test]
fn a_vc_goes_while_the_answer_is_there() {
    at_any_moment(How::Now);
}

#[test]
fn a_vc_goes_while_a_kept_token_is_answered() {
    at_any_moment(How::Later);
}

#[test]
fn a_vc_goes_while_a_token_is_answered_within_its_handler() {
    at_any_moment(How::Within);
}

#[test]
fn a_vc_goes_while_a_lost_token_is_refused() {
    at_any_moment(How::Dropped);
}
