//! A client for tests about packets: it calls, sends lists that the test has
//! composed packet by packet, and notes which packets come back in which
//! lists.

use ndis_co::{
    Status,
    client::{
        Af, AfOffer, AsClient, Binding, Client, Kept, NewBinding, OpenAf, Protocol, Received, Vc,
    },
    family::AddressFamily,
    irql::{Passive, UpToDispatch},
    mem::Tag,
    nbl::{NetBufferListPool, NetBufferLists, Parent, Side},
    params::{CallParameters, CallParametersBuf},
};
use ndis_host::{Driver, Host};
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering::SeqCst},
};

const TAG: Tag = Tag::new(*b"Talk");

/// Lists of packets of bytes.
pub type Lists = Vec<Vec<Vec<u8>>>;

/// What a client sends, and what became of it.
#[derive(Default)]
pub struct Talk {
    /// What it sends when the call is up.
    pub say: Lists,
    /// How many packets it waits for before it hangs up.
    pub wait_for: usize,
    /// Unused bytes in front of each packet that it sends.
    pub headroom: usize,
    /// How many of the received lists it sends back, without copying them.
    pub relay: AtomicUsize,
    pub heard: Mutex<Lists>,
    /// How the sends were completed.
    pub sent: Mutex<Vec<Status>>,
    /// The family, once it is open.
    pub af: Mutex<Option<Af<Talker>>>,
}

/// The client.
#[derive(Clone)]
pub struct Talker {
    family: AddressFamily,
    pub talk: Arc<Talk>,
}

impl Talker {
    /// Loads a client that speaks `family`.
    pub fn load(host: &Host, family: AddressFamily, talk: Talk) -> (Self, Driver) {
        let talker = Self {
            family,
            talk: Arc::new(talk),
        };
        let entry = ndis_co::client::Entry::new(talker.clone());
        let driver = host
            .load_with("talker", move |object, path| {
                // SAFETY: the host calls this once, as DriverEntry.
                unsafe { entry.run(object, path) }
            })
            .expect("the client loads");
        (talker, driver)
    }

    /// Places a call, on a thread of the host.
    pub fn call(&self, host: &Host, parameters: CallParametersBuf) {
        let talk = self.talk.clone();
        host.spawn("talker", move || {
            // SAFETY: system threads of the host run at PASSIVE_LEVEL with no
            // lock.
            let mut irql = unsafe { Passive::assume() };
            let af = talk.af.lock().unwrap().clone().expect("a family");
            // Tests in which memory runs out get no further.
            if let Ok(vc) = af.create_vc((), &mut irql) {
                let _ = vc.make_call(parameters, &mut irql).keep();
            }
        });
        host.run();
    }

    /// The lengths of the packets of the lists that were heard.
    pub fn lengths(&self) -> Vec<Vec<usize>> {
        let heard = self.talk.heard.lock().unwrap();
        heard
            .iter()
            .map(|list| list.iter().map(Vec::len).collect())
            .collect()
    }
}

fn compose(
    pool: &NetBufferListPool,
    lists: &Lists,
    headroom: usize,
) -> Result<NetBufferLists, Status> {
    let mut all = NetBufferLists::new(Side::Protocol);
    for packets in lists {
        let mut list = pool.allocate_list()?;
        for bytes in packets {
            let mut packet = pool.allocate_buffer(headroom, bytes.len())?;
            packet.set_data(bytes)?;
            list.push_back(packet).expect("of the same pool");
        }
        all.push_back(list).expect("of the same pool");
    }
    Ok(all)
}

/// Sends lists back whose data stays where it is.
fn relay(vc: &Vc<Talker>, kept: Kept<Talker>, irql: &mut UpToDispatch) -> Result<(), Status> {
    let parent = Parent::try_new(kept)?;
    let clones = parent.allocate_clones(&vc.af().binding())?;
    vc.send(clones, irql).map_err(Status::from)
}

impl Protocol for Talker {
    const NAME: &'static str = "TALKER";
    type Binding = NetBufferListPool;
    type Role = AsClient;

    fn bind(&self, new: &NewBinding<'_>, _irql: &mut Passive) -> Result<NetBufferListPool, Status> {
        NetBufferListPool::for_sends(new.scope(), TAG)
    }

    fn unbind(&self, _binding: &Binding<Self>, _irql: &mut Passive) {
        self.talk.af.lock().unwrap().take();
    }
}

impl Client for Talker {
    type Af = ();
    type Sap = ();
    type Vc = ();

    fn address_family(
        &self,
        _binding: &Binding<Self>,
        offer: AfOffer<'_, Self>,
        irql: &mut Passive,
    ) {
        if offer.family() == self.family {
            offer.open((), irql).unwrap();
        }
    }

    fn af_opened(&self, af: OpenAf<Self>, _irql: &mut Passive) {
        *self.talk.af.lock().unwrap() = Some(af.keep());
    }

    fn call_connected(
        &self,
        vc: &Vc<Self>,
        _parameters: Option<CallParameters<'_>>,
        irql: &mut UpToDispatch,
    ) {
        let lists = compose(&vc.af().binding(), &self.talk.say, self.talk.headroom);
        let sent = lists.and_then(|lists| vc.send(lists, irql).map_err(Status::from));
        if sent.is_err() {
            // Without memory there is nothing to say.
            vc.hang_up(&[], irql).unwrap();
        }
    }

    fn receive(&self, vc: &Vc<Self>, lists: Received<'_, Self>, irql: &mut UpToDispatch) {
        let packets = {
            let mut heard = self.talk.heard.lock().unwrap();
            for list in &lists {
                let packets = list.buffers().map(|packet| {
                    let mut bytes = vec![0; packet.len()];
                    packet.copy_to(&mut bytes).expect("data that can be read");
                    bytes
                });
                heard.push(packets.collect());
            }
            heard.iter().map(Vec::len).sum::<usize>()
        };
        let wanted = self.talk.relay.load(SeqCst);
        match lists.keep() {
            Ok(kept) if wanted > 0 => {
                self.talk
                    .relay
                    .store(wanted.saturating_sub(kept.len()), SeqCst);
                // Without memory it is lost, as on any network.
                let _ = relay(vc, kept, irql);
            }
            Ok(kept) => kept.give_back(irql),
            Err(received) => received.give_back(irql),
        }
        if packets >= self.talk.wait_for {
            vc.hang_up(&[], irql).unwrap();
        }
    }

    fn send_complete(&self, _vc: &Vc<Self>, lists: NetBufferLists, irql: &mut UpToDispatch) {
        let statuses = lists.iter().map(|list| list.status());
        self.talk.sent.lock().unwrap().extend(statuses);
        lists.free(irql);
    }
}
