//! NDIS asks about a VC that somebody deletes meanwhile: the VC stays until the answer, however
//! that comes.

use super::*;
use ndis_co::{channel::Channel, lock::SpinLock};

const NOT_ACCEPTED: i32 = n::NDIS_STATUS_NOT_ACCEPTED;

/// The client's own thread deletes the VC, of whose request it does not know.
fn a_clients(lose: bool) {
    for seed in seeds(20) {
        let host = builder(seed).readings(raw::plain()).build();
        let world = World::new(host, How::Kept, false);
        let client = world.client.clone();
        within(&world.host, &world.client.driver, move || make_vc(&client));
        let vc = world.client.shared.vc.load(SeqCst);
        let (desk, shared) = (world.desk.clone(), world.client.shared.clone());
        let refused = Arc::new(AtomicBool::new(false));
        let seen = refused.clone();
        thread(&world.host, move |irql| {
            let never = Event::try_new(TAG).unwrap();
            while desk.waits() == 0 {
                never.wait_for(1, irql);
            }
            if lose {
                desk.lose();
            }
            let vc = shared.vc.swap(NO, SeqCst);
            // SAFETY: the client's own VC, without a call.
            while unsafe { n::NdisCoDeleteVc(vc) } == NOT_ACCEPTED {
                seen.store(true, SeqCst);
                desk.work(irql);
                never.wait_for(1, irql);
            }
        });
        let ask = OidAsk::query(LAMP.number(), 8).of_vc(vc);
        let answer = world.host.ask(&world.adapter, ask);
        world.host.run();
        let what = format!("seed {seed}");
        if lose {
            assert_eq!(answer.status, n::NDIS_STATUS_FAILURE, "{what}");
        } else {
            assert_eq!(answer.status, SUCCESS, "{what}");
            assert!(refused.load(SeqCst), "{what}: it was deleted at once");
        }
        assert_eq!(world.desk.vcs.load(SeqCst), 0, "{what}");
        world.end(&what);
    }
}

#[test]
fn a_clients_vc_stays_for_a_token_that_is_lost() {
    a_clients(true);
}

#[test]
fn a_clients_vc_stays_for_a_token_that_is_kept() {
    a_clients(false);
}

/// The client's own thread deletes the VC at any moment of a request of NDIS's.
fn at_any_moment(how: How) {
    let mut answered = 0;
    for seed in seeds(600) {
        let host = builder(seed)
            .preemption(1, 2)
            .readings(raw::plain())
            .build();
        let world = World::new(host, how, false);
        let client = world.client.clone();
        within(&world.host, &world.client.driver, move || make_vc(&client));
        let shared = world.client.shared.clone();
        let vc = shared.vc.load(SeqCst);
        thread(&world.host, move |irql| {
            let (spin, never) = (SpinLock::new(()), Event::try_new(TAG).unwrap());
            for _ in 0..seed % 31 {
                spin.get();
            }
            let vc = shared.vc.swap(NO, SeqCst);
            // SAFETY: the client's own VC, without a call.
            while unsafe { n::NdisCoDeleteVc(vc) } == NOT_ACCEPTED {
                if seed % 5 == 0 {
                    never.wait_for(1, irql);
                } else {
                    spin.get();
                }
            }
        });
        let answer = world.ask(OidAsk::query(LAMP.number(), 8).of_vc(vc));
        answered += u32::from(answer.status == SUCCESS);
        let what = format!("{how:?}, seed {seed}");
        assert_eq!(world.desk.vcs.load(SeqCst), 0, "{what}");
        world.end(&what);
    }
    let refused = matches!(how, How::Dropped | How::Locked);
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
fn a_clients_vc_goes_while_the_answer_is_there() {
    at_any_moment(How::Now);
}

#[test]
fn a_clients_vc_goes_while_a_kept_token_is_answered() {
    at_any_moment(How::Later);
}

#[test]
fn a_clients_vc_goes_while_a_token_is_answered_within_its_handler() {
    at_any_moment(How::Within);
}

#[test]
fn a_clients_vc_goes_while_a_lost_token_is_refused() {
    at_any_moment(How::Dropped);
}

/// The call manager's last reference to a VC of its own goes while NDIS asks.
fn a_managers(how: How) {
    let mut answered = 0;
    for seed in seeds(400) {
        let host = builder(seed).readings(raw::plain()).build();
        let world = World::new(host, how, true);
        let sap = world.desk.sap.lock().unwrap().take().expect("it listens");
        let place = Arc::new(Mutex::new(None));
        let told = place.clone();
        // Its end is counted.
        world.desk.vcs.fetch_add(1, SeqCst);
        thread(&world.host, move |irql| {
            let vc = sap.create_vc((), irql).unwrap().keep();
            *told.lock().unwrap() = Some(vc);
        });
        world.host.run();
        let vc = place.lock().unwrap().take().unwrap();
        let ask = OidAsk::query(LAMP.number(), 8).of_vc(vc.handle());
        let desk = world.desk.clone();
        thread(&world.host, move |irql| {
            let never = Event::try_new(TAG).unwrap();
            let spin = SpinLock::new(());
            for _ in 0..seed % 23 {
                spin.get();
            }
            drop(vc);
            for _ in 0..100 {
                desk.work(irql);
                never.wait_for(1, irql);
            }
        });
        let answer = world.host.ask(&world.adapter, ask);
        answered += u32::from(answer.status == SUCCESS);
        world.host.run();
        world.end(&format!("{how:?}, seed {seed}"));
    }
    assert_eq!(answered > 0, how == How::Later, "{how:?}");
}

#[test]
fn a_call_managers_vc_stays_for_a_token_that_is_lost() {
    a_managers(How::Dropped);
}

#[test]
fn a_call_managers_vc_stays_for_a_token_that_is_kept() {
    a_managers(How::Later);
}
