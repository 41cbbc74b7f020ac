//! Lists that are handed on without copying: an MCM that indicates what it was
//! sent, and a client that sends back what it received. The original goes back
//! when the last clone has come home, with what became of the clones.

use crate::talker;

/// The guide's driver, but its calls.
mod glass {
    include!("../doc/mirror/driver.rs");

    use ndis_co::nbl::Parent;

    pub const FAMILY: AddressFamily = MIRROR;

    impl CallManager for Mirror {
        type Base = Adapter<Self>;
        type Af = ();
        type Sap = ();
        type Vc = ();

        fn open_af<'r>(
            &self,
            _nic: &Adapter<Self>,
            request: OpenAf<'r, Self>,
            _irql: &mut UpToDispatch,
        ) -> Answer<'r> {
            request.accept(())
        }

        fn register_sap<'r>(
            &self,
            _af: &Af<Self>,
            request: RegisterSap<'r, Self>,
            _irql: &mut UpToDispatch,
        ) -> Answer<'r> {
            request.refuse(Status::NOT_SUPPORTED)
        }

        fn create_vc(&self, _af: &Af<Self>, _irql: &mut UpToDispatch) -> Result<(), Status> {
            Ok(())
        }

        fn make_call<'r>(
            &self,
            _vc: &Vc<Self>,
            request: MakeCall<'r, Self>,
            irql: &mut UpToDispatch,
        ) -> Answer<'r> {
            request.accept(irql)
        }

        fn incoming_call_accepted(
            &self,
            call: AcceptedCall<Self>,
            _parameters: Option<CallParameters<'_>>,
            irql: &mut UpToDispatch,
        ) {
            call.close(Status::FAILURE, irql);
        }

        fn close_call<'r>(
            &self,
            _vc: &Vc<Self>,
            request: CloseCall<'r, Self>,
            irql: &mut UpToDispatch,
        ) -> Answer<'r> {
            request.finish(irql)
        }
    }

    impl Carry for Mirror {
        type Vc = Vc<Self>;

        fn send(&self, vc: &Vc<Self>, lists: SendLists<Self>, irql: &mut UpToDispatch) {
            // What goes wrong completes the lists, too: the test sees how.
            let _ = show(vc, lists, irql);
        }
    }

    /// Does with the lists what the first byte says.
    fn show(
        vc: &Vc<Mirror>,
        lists: SendLists<Mirror>,
        irql: &mut UpToDispatch,
    ) -> Result<(), Status> {
        let pool = vc.base().pool.clone();
        let mut first = [0];
        if let Some(packet) = lists.buffers().next() {
            packet.copy_range_to(0, &mut first)?;
        }
        let parent = Parent::try_new(lists)?;
        match &first {
            b"D" => drop(parent),
            // Received lists carry one packet each.
            b"L" => {
                let refused = vc.indicate_receive(parent.allocate_clones(&pool)?, irql);
                let refused = refused.unwrap_err();
                assert_eq!(refused.status, Status::INVALID_PARAMETER);
                assert_eq!(refused.lists.len(), 1);
            }
            _ => vc.indicate_receive(parent.allocate_packet_clones(&pool)?, irql)?,
        }
        Ok(())
    }
}

/// The guide's driver as it is.
mod mirror {
    include!("../doc/mirror/driver.rs");
    include!("../doc/mirror/calls.rs");
}

use ndis_co::{Status, params::CallParametersBuf};
use ndis_host::{Driver, Host, Report};
use talker::{Lists, Talk, Talker};

/// Loads a driver and a client on it, has the client talk, and ends all.
fn talk(
    host: Host,
    load: impl FnOnce(&Host) -> Driver,
    say: Lists,
    relay: usize,
    wait_for: usize,
) -> (Talker, Report) {
    let mcm = load(&host);
    let talk = Talk {
        say,
        wait_for,
        relay: relay.into(),
        ..Talk::default()
    };
    let (talker, driver) = Talker::load(&host, glass::FAMILY, talk);
    let adapter = host.add_adapter(&mcm).expect("the adapter starts");
    host.run();
    talker.call(&host, CallParametersBuf::builder().build().unwrap());
    host.remove_adapter(&adapter);
    host.unload(&driver);
    host.unload(&mcm);
    (talker, host.finish())
}

fn load_glass(host: &Host) -> Driver {
    // SAFETY: the entry point of a driver, which the host calls as Windows does.
    unsafe { host.load("glass", glass::driver_entry) }.expect("the driver loads")
}

fn load_mirror(host: &Host) -> Driver {
    // SAFETY: as above.
    unsafe { host.load("mirror", mirror::driver_entry) }.expect("the driver loads")
}

fn seeds() -> std::ops::Range<u64> {
    0..if cfg!(miri) { 2 } else { 60 }
}

#[test]
fn sends_are_indicated_uncopied_packet_by_packet() {
    for seed in seeds() {
        let host = Host::builder().seed(seed).build();
        let say = vec![vec![b"Packet one".to_vec(), vec![]], vec![vec![2; 3]]];
        let (talker, report) = talk(host, load_glass, say, 0, 3);
        assert!(report.is_clean(), "seed {seed}: {report}");
        assert_eq!(talker.lengths(), [[10], [0], [3]]);
        assert_eq!(
            *talker.talk.heard.lock().unwrap(),
            [[b"Packet one".to_vec()], [vec![]], [vec![2; 3]]]
        );
        // Both went well, when the last clone came home.
        let sent = talker.talk.sent.lock().unwrap();
        assert_eq!(*sent, [Status::SUCCESS; 2], "seed {seed}");
    }
}

#[test]
fn what_was_not_handed_on_fails() {
    for first in [b"D", b"L"] {
        for seed in seeds() {
            let host = Host::builder().seed(seed).build();
            let say = vec![vec![first.to_vec(), b"second".to_vec()]];
            let (talker, report) = talk(host, load_glass, say, 0, 1);
            assert!(report.is_clean(), "seed {seed}: {report}");
            assert!(talker.lengths().is_empty());
            assert_eq!(*talker.talk.sent.lock().unwrap(), [Status::FAILURE]);
        }
    }
}

#[test]
fn received_lists_are_sent_on_uncopied() {
    for load in [load_mirror, load_glass] {
        for seed in seeds() {
            let host = Host::builder().seed(seed).build();
            let say = vec![vec![b"again and".to_vec(), b"again".to_vec()]];
            // Each is sent on twice, and so is heard three times.
            let (talker, report) = talk(host, load, say, 4, 6);
            assert!(report.is_clean(), "seed {seed}: {report}");
            let heard = talker.talk.heard.lock().unwrap().concat();
            let count = |bytes: &[u8]| heard.iter().filter(|heard| *heard == bytes).count();
            assert_eq!(heard.len(), 6, "seed {seed}");
            assert_eq!(count(b"again and") + count(b"again"), 6, "seed {seed}");
            assert!(
                talker
                    .talk
                    .sent
                    .lock()
                    .unwrap()
                    .iter()
                    .all(|s| s.is_success())
            );
        }
    }
}

/// Whichever allocation fails: nothing is left, and every list comes home.
#[test]
fn forwarding_survives_a_failed_allocation() {
    for nth in 1..if cfg!(miri) { 10 } else { 200 } {
        let host = Host::builder().seed(1).build();
        let mcm = load_glass(&host);
        let talk = Talk {
            say: vec![vec![b"one".to_vec(), b"two".to_vec()]],
            wait_for: 6,
            relay: 4.into(),
            ..Talk::default()
        };
        let (talker, driver) = Talker::load(&host, glass::FAMILY, talk);
        let adapter = host.add_adapter(&mcm).expect("the adapter starts");
        host.run();
        // From here on: that set-up may fail as well, other tests are about.
        let parameters = CallParametersBuf::builder().build().unwrap();
        host.fail_allocation(nth);
        talker.call(&host, parameters);
        host.remove_adapter(&adapter);
        host.unload(&driver);
        host.unload(&mcm);
        let report = host.finish();
        assert!(report.is_clean(), "allocation {nth}: {report}");
    }
}
