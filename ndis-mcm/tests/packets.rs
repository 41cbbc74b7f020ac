//! Packets keep their borders: what a client puts into one list comes out of
//! the guide's driver packet by packet, each in a list of its own.

use crate::talker;

mod mirror {
    include!("../doc/mirror/driver.rs");
    include!("../doc/mirror/calls.rs");

    pub const FAMILY: AddressFamily = MIRROR;
}

use ndis_co::{Status, params::CallParametersBuf};
use ndis_host::Host;
use talker::{Lists, Talk, Talker};

/// The client says `say` to the mirror.
fn reflected(say: Lists) -> Talker {
    let host = Host::builder().seed(7).build();
    // SAFETY: the entry point of a driver, which the host calls as Windows does.
    let mirror = unsafe { host.load("mirror", mirror::driver_entry) }.expect("the driver loads");
    let talk = Talk {
        wait_for: say.iter().map(Vec::len).sum(),
        say,
        ..Talk::default()
    };
    let (talker, driver) = Talker::load(&host, mirror::FAMILY, talk);
    let adapter = host.add_adapter(&mirror).expect("the adapter starts");
    host.run();
    talker.call(&host, CallParametersBuf::builder().build().unwrap());
    host.remove_adapter(&adapter);
    host.unload(&driver);
    host.unload(&mirror);
    let report = host.finish();
    assert!(report.is_clean(), "{report}");
    talker
}

#[test]
fn two_packets_of_one_list_come_back_in_two() {
    let talker = reflected(vec![vec![b"eight by".to_vec(), b"abc".to_vec()]]);
    assert_eq!(talker.lengths(), [[8], [3]]);
    assert_eq!(
        *talker.talk.heard.lock().unwrap(),
        [[b"eight by".to_vec()], [b"abc".to_vec()]]
    );
    assert_eq!(*talker.talk.sent.lock().unwrap(), [Status::SUCCESS]);
}

#[test]
fn packets_without_data_are_packets() {
    let talker = reflected(vec![vec![vec![], vec![1]], vec![vec![]]]);
    assert_eq!(talker.lengths(), [[0], [1], [0]]);
    assert_eq!(
        *talker.talk.sent.lock().unwrap(),
        [Status::SUCCESS, Status::SUCCESS]
    );
}
