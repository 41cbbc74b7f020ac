//! Packets keep their borders on their way through the switch.

use crate::support;
#[path = "../../../ndis-mcm/tests/support/talker.rs"]
mod talker;

use ndis_co::{
    Status,
    params::{CallParametersBuf, FlowSpec, Specific},
};
use ndis_host::Readings;
use support::{CALLEE, World, callee};
use talker::{Talk, Talker};

/// The callee echoes each packet, so each comes through the switch twice.
#[test]
fn two_packets_of_one_list_come_back_in_two() {
    let world = World::new(7, Readings::default(), vec![callee()]);
    let talk = Talk {
        say: vec![vec![b"eight by".to_vec(), b"abc".to_vec()]],
        wait_for: 2,
        ..Talk::default()
    };
    let (talker, driver) = Talker::load(&world.host, echo_client::ADDRESS_FAMILY, talk);
    let adapter = world.start();
    world.host.run();
    let number = CALLEE.to_le_bytes();
    let parameters = CallParametersBuf::builder()
        .transmit(FlowSpec::best_effort(1500))
        .receive(FlowSpec::best_effort(1500))
        .call_manager_specific(Specific {
            param_type: echo_client::ADDRESS_NUMBER,
            bytes: &number,
        });
    talker.call(&world.host, parameters.build().unwrap());
    world.host.remove_adapter(&adapter);
    world.host.unload(&driver);
    let seen = world.unload();
    assert_eq!(talker.lengths(), [[8], [3]]);
    assert_eq!(seen[0].far, 2, "the callee was sent each by itself");
    assert_eq!(*talker.talk.sent.lock().unwrap(), [Status::SUCCESS]);
}
