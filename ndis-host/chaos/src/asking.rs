//! Whom the random drivers ask by OID, and about what.
#![forbid(unsafe_code)]

use crate::{
    act::Act,
    bound::ask_adapter,
    client::{self, Calls},
    manager::{self, Kind},
    oids::{made, request, to_adapter, waited},
};
use ndis_co::irql::{Passive, UpToDispatch};

impl<K: Calls> client::Exchange<K> {
    /// Asks somebody about something.
    pub(crate) fn ask(&self, irql: &mut UpToDispatch) {
        let world = &self.world;
        let act = world.choose(&[
            (1, Act::AskManager),
            (3, Act::AskManagerOfVc),
            (2, Act::AskAdapterOfVc),
            (1, Act::AskAdapter),
        ]);
        match act {
            Act::AskManager => {
                if let Some((af, request)) = self.afs.any(world).zip(request(world)) {
                    made(world, act, af.request(request, irql));
                }
            }
            Act::AskManagerOfVc => {
                if let Some((vc, request)) = self.vcs.any(world).zip(request(world)) {
                    made(world, act, vc.request(request, irql));
                }
            }
            Act::AskAdapterOfVc => {
                if let Some((vc, request)) = self.vcs.any(world).zip(to_adapter(world)) {
                    made(world, act, vc.request_of_adapter(request, irql));
                }
            }
            _ => {
                if let Some(binding) = self.bindings.any(world) {
                    ask_adapter(world, &binding, irql);
                }
            }
        }
    }

    /// Asks somebody, and waits for the answer.
    pub(crate) fn ask_and_wait(&self, irql: &mut Passive) {
        let world = &self.world;
        match world.below(4) {
            0 => {
                if let Some((af, request)) = self.afs.any(world).zip(request(world)) {
                    waited(world, af.request_and_wait(request, irql));
                }
            }
            1 => {
                if let Some((vc, request)) = self.vcs.any(world).zip(request(world)) {
                    waited(world, vc.request_and_wait(request, irql));
                }
            }
            2 => {
                if let Some((vc, request)) = self.vcs.any(world).zip(to_adapter(world)) {
                    waited(world, vc.request_of_adapter_and_wait(request, irql));
                }
            }
            _ => {
                if let Some((binding, request)) = self.bindings.any(world).zip(to_adapter(world)) {
                    waited(world, binding.request_and_wait(request, irql));
                }
            }
        }
    }
}

impl<K: Kind> manager::Exchange<K> {
    /// Asks a client about something.
    pub(crate) fn ask(&self, irql: &mut UpToDispatch) {
        let world = &self.world;
        let act = world.choose(&[(2, Act::AskClientOfVc), (1, Act::AskClient)]);
        if act == Act::AskClient {
            if let Some((af, request)) = self.afs.any(world).zip(request(world)) {
                made(world, act, af.request(request, irql));
            }
        } else if let Some((vc, request)) = self.vcs.any(world).zip(request(world)) {
            made(world, act, vc.request(request, irql));
        }
    }

    /// Asks a client, and waits for the answer.
    pub(crate) fn ask_and_wait(&self, irql: &mut Passive) {
        let world = &self.world;
        if world.chance(1, 2) {
            if let Some((af, request)) = self.afs.any(world).zip(request(world)) {
                waited(world, af.request_and_wait(request, irql));
            }
        } else if let Some((vc, request)) = self.vcs.any(world).zip(request(world)) {
            waited(world, vc.request_and_wait(request, irql));
        }
    }
}
