//! The other end of the link says whatever comes to its mind.

use crate::support;

use ndis_co::{
    Answer, Status,
    cm::{
        AcceptedCall, Af, AsCallManager, CallManager, CloseCall, MakeCall, OpenAf, RegisterSap,
        SignalingVc, StandaloneCallManager, Vc,
    },
    irql::{Passive, UpToDispatch},
    mem::Tag,
    nbl::{NetBufferListPool, NetBufferLists},
    params::{CallParameters, CallParametersBuf, Specific},
    protocol::{Binding, Entry, NewBinding, OpenedBinding, Protocol, Received},
};
use ndis_host::{EventMode, Host};
use std::sync::{Arc, Mutex};
use support::*;

/// How many messages it answers.
const ANSWERS: u32 = 150;

/// A protocol on the signaling channel of the same adapter: with only one adapter the link
/// joins its VC with the call manager's.
struct Babbler(Arc<Mutex<Mind>>);

struct Mind {
    random: u64,
    answers: u32,
    /// Words that it has heard.
    words: Vec<u32>,
    /// How many calls it was asked for.
    set_ups: u32,
}

impl Mind {
    fn below(&mut self, end: usize) -> usize {
        self.random = self
            .random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.random >> 33) as usize % end
    }

    /// A word that it has heard, or another one.
    fn word(&mut self) -> u32 {
        match self.below(4) {
            0 => 0,
            1 => self.below(20) as u32,
            2 => self.random as u32,
            _ => {
                let place = self.below(self.words.len().max(1));
                self.words.get(place).copied().unwrap_or(7)
            }
        }
    }

    /// Something to say to who has said `heard`.
    fn answer(&mut self, heard: &[u32; 8]) -> Vec<u8> {
        let mut words = [0; 8];
        words[0] = 0x100 | self.below(7) as u32;
        // As a rule it knows whom it speaks to.
        words[1] = 0x0001_FFF0 + u32::from(self.below(12) == 0);
        words[2] = heard[1];
        for word in &mut words[3..] {
            *word = self.word();
        }
        match self.below(6) {
            // A call for a number that somebody has.
            0 => words[6] = CALLEE,
            // About the call that was spoken of.
            1 | 2 => (words[3], words[4]) = (heard[4], heard[3].max(1)),
            3 => words[2] = self.word(),
            _ => {}
        }
        let mut bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        if self.below(10) == 0 {
            bytes.truncate(self.below(32));
        }
        bytes
    }
}

struct Mouth {
    pool: NetBufferListPool,
}

impl Babbler {
    fn say(vc: &SignalingVc<Self>, bytes: &[u8], irql: &mut UpToDispatch) {
        let mut list = vc.binding().pool.allocate(64).unwrap();
        list.set_data(bytes).unwrap();
        if let Err(unsent) = vc.send(NetBufferLists::from(list), irql) {
            unsent.lists.free(irql);
        }
    }
}

impl Protocol for Babbler {
    const NAME: &'static str = "BABBLER";
    type Binding = Mouth;
    type Role = AsCallManager;

    fn bind(&self, new: &NewBinding<'_>, _: &mut Passive) -> Result<Mouth, Status> {
        let pool = NetBufferListPool::for_sends(new.scope(), Tag::new(*b"Test"))?;
        Ok(Mouth { pool })
    }

    fn opened(&self, binding: &OpenedBinding<'_, Self>, irql: &mut Passive) {
        let media = Specific {
            param_type: signal_cm::MEDIA_CHANNEL,
            bytes: &signal_cm::SIGNALING_CHANNEL.to_le_bytes(),
        };
        let parameters = CallParametersBuf::builder().media_specific(media).build();
        binding
            .create_signaling_vc((), parameters.unwrap(), irql)
            .unwrap();
    }
}

impl StandaloneCallManager for Babbler {
    type Signaling = ();

    fn signaling_receive(
        &self,
        vc: &SignalingVc<Self>,
        lists: Received<'_, Self>,
        irql: &mut UpToDispatch,
    ) {
        let mut answers = Vec::new();
        for packet in lists.buffers() {
            let mut bytes = [0; 32];
            if packet.copy_to(&mut bytes) != Ok(32) {
                // Its own voice, when nobody else is there.
                continue;
            }
            let mut heard = [0; 8];
            for (word, bytes) in heard.iter_mut().zip(bytes.chunks_exact(4)) {
                *word = u32::from_le_bytes(bytes.try_into().unwrap());
            }
            let mut mind = self.0.lock().unwrap();
            mind.words.extend(heard);
            mind.set_ups += u32::from(heard[0] == 0x102);
            if mind.answers < ANSWERS {
                mind.answers += 1;
                // It greets first, so that it is listened to.
                let hello = [0x101, 0x0001_FFF0, heard[1], 0, 0, 0, 0, 0];
                answers.push(
                    hello
                        .iter()
                        .flat_map(|word: &u32| word.to_le_bytes())
                        .collect(),
                );
                answers.push(mind.answer(&heard));
                answers.push(mind.answer(&heard));
            }
        }
        lists.give_back(irql);
        for answer in answers {
            Self::say(vc, &answer, irql);
        }
    }
}

/// It has no clients.
impl CallManager for Babbler {
    type Base = Binding<Self>;
    type Af = ();
    type Sap = ();
    type Vc = ();

    fn open_af<'r>(
        &self,
        _: &Binding<Self>,
        request: OpenAf<'r, Self>,
        _: &mut UpToDispatch,
    ) -> Answer<'r> {
        request.refuse(Status::FAILURE)
    }

    fn register_sap<'r>(
        &self,
        _: &Af<Self>,
        request: RegisterSap<'r, Self>,
        _: &mut UpToDispatch,
    ) -> Answer<'r> {
        request.refuse(Status::FAILURE)
    }

    fn create_vc(&self, _: &Af<Self>, _: &mut UpToDispatch) -> Result<(), Status> {
        Err(Status::FAILURE)
    }

    fn make_call<'r>(
        &self,
        _: &Vc<Self>,
        request: MakeCall<'r, Self>,
        _: &mut UpToDispatch,
    ) -> Answer<'r> {
        request.refuse(Status::FAILURE)
    }

    fn incoming_call_accepted(
        &self,
        call: AcceptedCall<Self>,
        _: Option<CallParameters<'_>>,
        irql: &mut UpToDispatch,
    ) {
        call.close(Status::FAILURE, irql);
    }

    fn close_call<'r>(
        &self,
        _: &Vc<Self>,
        request: CloseCall<'r, Self>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        request.finish(irql)
    }
}

/// Whatever is said to the call manager, its clients' calls end once, and nothing is left.
#[test]
fn an_end_that_babbles() {
    let (mut set_ups, mut rang) = (0, 0);
    for seed in seeds(100) {
        let host = Host::builder()
            .seed(seed)
            .events(EventMode::Last(400))
            .build();
        let link = Link::load(&host, Flaw::None, seed % 3 == 1);
        let manager = load_manager(&host).unwrap();
        let mind = Arc::new(Mutex::new(Mind {
            random: seed,
            answers: 0,
            words: Vec::new(),
            set_ups: 0,
        }));
        let entry = Entry::new(Babbler(mind.clone()));
        let babbler = host
            // SAFETY: the host calls this once, as DriverEntry.
            .load_with("babbler", move |object, path| unsafe {
                entry.run(object, path)
            })
            .unwrap();
        let callee = if seed % 2 == 0 {
            callee()
        } else {
            slow_callee()
        };
        let clients = [callee, caller(3, 64)].map(|script| Client::load(&host, "client", script));
        let adapter = host.add_adapter(&link.driver).unwrap();
        host.run();
        for call in 0..4 {
            clients[1].call(&host, call, CALLEE);
            host.run_for(300);
        }
        host.run_for(100_000);
        host.remove_adapter(&adapter);
        let seen = clients.map(|client| {
            host.unload(&client.driver);
            client.take_seen()
        });
        for driver in [&manager, &babbler, &link.driver] {
            host.unload(driver);
        }
        clean(&host.finish());
        for call in 0..4 {
            assert_eq!(ended(&seen[1], call).len(), 1, "seed {seed}");
        }
        set_ups += mind.lock().unwrap().set_ups;
        rang += seen[0].rang;
    }
    assert!(set_ups > 0 && rang > 0, "{set_ups} calls, {rang} rang");
    println!("{set_ups} calls, {rang} rang");
}
