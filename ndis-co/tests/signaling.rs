//! Signaling VCs of stand-alone call managers in safe code, above a raw miniport that joins
//! what is on one channel.

use crate::raw;

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
    protocol::{Binding, Entry, Kept, NewBinding, OpenedBinding, Protocol, Received},
};
use ndis_host::{Driver, Host, Readings, Report};
use raw::link::{Flaw, Link};
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU32, Ordering::SeqCst},
};

/// What a manager does with its signaling VC, beside greeting whoever hears it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Habit {
    /// Leaves it to the unbind.
    Lasting,
    /// Closes it as soon as it is active, behind a greeting.
    Brief,
    /// Closes it in the handler of what it hears.
    Short,
    /// Closes it before it is active.
    Rash,
    /// Keeps what it hears until a pause.
    Hoarding,
    /// Keeps no reference to it.
    Careless,
}

/// A call manager that greets whoever is on its channel.
#[derive(Clone)]
struct Greeter(Arc<Notes>);

struct Notes {
    habit: Habit,
    activated: AtomicU32,
    failed: Mutex<Vec<Status>>,
    created: Mutex<Vec<Result<(), Status>>>,
    heard: Mutex<Vec<Vec<u8>>>,
    sent: AtomicU32,
    back: AtomicU32,
    closed: AtomicU32,
}

/// What it keeps for an adapter.
struct Port {
    pool: NetBufferListPool,
    vc: Mutex<Option<SignalingVc<Greeter>>>,
    kept: Mutex<Vec<Kept<Greeter>>>,
}

impl Greeter {
    fn say(&self, vc: &SignalingVc<Self>, text: &[u8], irql: &mut UpToDispatch) -> bool {
        let mut list = vc.binding().pool.allocate(64).unwrap();
        list.set_data(text).unwrap();
        match vc.send(NetBufferLists::from(list), irql) {
            Ok(()) => self.0.sent.fetch_add(1, SeqCst) < u32::MAX,
            Err(unsent) => {
                assert!(matches!(unsent.status, Status::PAUSED | Status::CLOSING));
                false
            }
        }
    }
}

impl Protocol for Greeter {
    const NAME: &'static str = "GREETER";
    type Binding = Port;
    type Role = AsCallManager;

    fn bind(&self, new: &NewBinding<'_>, _: &mut Passive) -> Result<Port, Status> {
        Ok(Port {
            pool: NetBufferListPool::for_sends(new.scope(), Tag::NDIS)?,
            vc: Mutex::default(),
            kept: Mutex::default(),
        })
    }

    fn opened(&self, binding: &OpenedBinding<'_, Self>, irql: &mut Passive) {
        let media = Specific {
            param_type: 0,
            bytes: &7_u32.to_le_bytes(),
        };
        let parameters = CallParametersBuf::builder().media_specific(media).build();
        let vc = binding.create_signaling_vc(0x5A, parameters.unwrap(), irql);
        let made = vc.as_ref().map(drop).map_err(|status| *status);
        self.0.created.lock().unwrap().push(made);
        if let Ok(vc) = vc {
            assert!(vc.binding().is(binding));
            if self.0.habit == Habit::Rash {
                vc.close(irql);
            }
            if self.0.habit != Habit::Careless && self.0.closed.load(SeqCst) == 0 {
                assert!(binding.vc.lock().unwrap().replace(vc).is_none());
            }
        }
    }

    fn restarted(&self, binding: &Binding<Self>, irql: &mut UpToDispatch) {
        let vc = binding.vc.lock().unwrap().clone();
        if let Some(vc) = vc {
            self.say(&vc, b"greeting", irql);
        }
    }

    fn pause(&self, binding: &Binding<Self>, _: &mut Passive) {
        let kept = std::mem::take(&mut *binding.kept.lock().unwrap());
        drop(kept);
    }
}

impl StandaloneCallManager for Greeter {
    type Signaling = u8;

    fn signaling_activated(&self, vc: &SignalingVc<Self>, irql: &mut UpToDispatch) {
        assert_eq!(**vc, 0x5A);
        self.0.activated.fetch_add(1, SeqCst);
        self.say(vc, b"greeting", irql);
        if self.0.habit == Habit::Brief {
            vc.close(irql);
            assert!(!vc.is_active());
        }
    }

    fn signaling_failed(&self, vc: &SignalingVc<Self>, status: Status, _: &mut UpToDispatch) {
        assert!(!vc.is_active());
        self.0.failed.lock().unwrap().push(status);
    }

    fn signaling_receive(
        &self,
        vc: &SignalingVc<Self>,
        lists: Received<'_, Self>,
        irql: &mut UpToDispatch,
    ) {
        let mut answers = 0;
        for packet in lists.buffers() {
            let mut bytes = vec![0; packet.len()];
            packet.copy_to(&mut bytes).unwrap();
            answers += u32::from(bytes == b"greeting");
            self.0.heard.lock().unwrap().push(bytes);
        }
        if self.0.habit == Habit::Short {
            vc.close(irql);
        }
        if self.0.habit == Habit::Hoarding
            && vc.binding().is_running()
            && let Ok(kept) = lists.keep()
        {
            vc.binding().kept.lock().unwrap().push(kept);
            // A pause may have come in between.
            if !vc.binding().is_running() {
                let late = std::mem::take(&mut *vc.binding().kept.lock().unwrap());
                drop(late);
            }
        }
        for _ in 0..answers {
            self.say(vc, b"answered", irql);
        }
    }

    fn signaling_sent(
        &self,
        vc: &SignalingVc<Self>,
        lists: NetBufferLists,
        irql: &mut UpToDispatch,
    ) {
        assert_eq!(**vc, 0x5A);
        let count = u32::try_from(lists.len()).unwrap();
        self.0.back.fetch_add(count, SeqCst);
        lists.free(irql);
    }

    fn signaling_closed(&self, vc: &SignalingVc<Self>, irql: &mut UpToDispatch) {
        self.0.closed.fetch_add(1, SeqCst);
        assert!(!vc.is_active());
        vc.close(irql);
        let own = vc.binding().vc.lock().unwrap().take();
        assert!(own.is_none_or(|own| own.is(vc)));
    }
}

/// It has no clients.
impl CallManager for Greeter {
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

fn load(host: &Host, habit: Habit) -> (Driver, Arc<Notes>) {
    let notes = Arc::new(Notes {
        habit,
        activated: AtomicU32::new(0),
        failed: Mutex::default(),
        created: Mutex::default(),
        heard: Mutex::default(),
        sent: AtomicU32::new(0),
        back: AtomicU32::new(0),
        closed: AtomicU32::new(0),
    });
    let entry = Entry::new(Greeter(notes.clone()));
    let driver = host
        // SAFETY: the host calls this once, as DriverEntry.
        .load_with("greeter", move |object, path| unsafe {
            entry.run(object, path)
        })
        .unwrap();
    (driver, notes)
}

fn life(
    seed: u64,
    readings: Readings,
    flaw: Flaw,
    habit: Habit,
    adapters: usize,
    pends: bool,
) -> (Arc<Notes>, Report) {
    let host = Host::builder().seed(seed).readings(readings);
    let host = host.no_events_under_miri().build();
    let link = Link::load(&host, flaw, pends);
    let (driver, notes) = load(&host, habit);
    let up: Vec<_> = (0..adapters)
        .map(|_| {
            let adapter = host.add_adapter(&link.driver).expect("initialize");
            host.run();
            adapter
        })
        .collect();
    host.run();
    for adapter in &up {
        host.remove_adapter(adapter);
    }
    host.unload(&driver);
    host.unload(&link.driver);
    (notes, host.finish())
}

const HABITS: [Habit; 6] = [
    Habit::Lasting,
    Habit::Brief,
    Habit::Short,
    Habit::Rash,
    Habit::Hoarding,
    Habit::Careless,
];

/// However a manager treats its VCs, each ends once, and nothing is out or left.
#[test]
fn every_habit_under_every_reading() {
    for readings in Readings::all().take(if cfg!(miri) { 1 } else { usize::MAX }) {
        for (seed, habit) in (0..).zip(HABITS) {
            for (adapters, pends) in [(2, false), (1, true)] {
                let (notes, report) = life(seed, readings, Flaw::None, habit, adapters, pends);
                assert!(report.is_clean(), "{habit:?} {seed}: {report}");
                let made = u32::try_from(adapters).unwrap();
                let activated = notes.activated.load(SeqCst);
                assert_eq!(notes.created.lock().unwrap().len(), adapters);
                assert_eq!(notes.closed.load(SeqCst), made, "{habit:?}");
                assert_eq!(notes.sent.load(SeqCst), notes.back.load(SeqCst));
                if habit == Habit::Rash {
                    assert!(activated <= made);
                } else {
                    assert_eq!(activated, made, "{habit:?}");
                }
                if cfg!(miri) {
                    break;
                }
            }
        }
    }
}

/// One VC, which hears itself: what Miri looks at.
#[test]
fn a_small_life() {
    let (notes, report) = life(1, Readings::default(), Flaw::None, Habit::Lasting, 1, true);
    assert!(report.is_clean(), "{report}");
    assert_eq!(notes.closed.load(SeqCst), 1);
    assert!(notes.sent.load(SeqCst) > 0);
}

/// Both ends of a link hear each other.
#[test]
fn two_managers_speak() {
    for seed in 0..if cfg!(miri) { 1 } else { 40 } {
        let (notes, report) = life(
            seed,
            Readings::default(),
            Flaw::None,
            Habit::Lasting,
            2,
            seed % 2 == 1,
        );
        assert!(report.is_clean(), "{seed}: {report}");
        let heard = notes.heard.lock().unwrap();
        for text in [&b"greeting"[..], b"answered"] {
            assert!(heard.iter().any(|bytes| bytes == text), "{seed}: {heard:?}");
        }
    }
}

/// A miniport that makes no VC, and one that does not activate it.
#[test]
fn a_miniport_that_refuses() {
    for seed in 0..if cfg!(miri) { 1 } else { 20 } {
        let (notes, report) = life(
            seed,
            Readings::default(),
            Flaw::CreateShort,
            Habit::Lasting,
            1,
            false,
        );
        assert!(report.is_clean(), "{seed}: {report}");
        assert_eq!(
            *notes.created.lock().unwrap(),
            [Err(Status::RESOURCES)],
            "{seed}"
        );
        assert_eq!(notes.closed.load(SeqCst), 0);

        let (notes, _) = life(
            seed,
            Readings::default(),
            Flaw::ActivateOdd,
            Habit::Lasting,
            1,
            false,
        );
        assert_eq!(*notes.created.lock().unwrap(), [Ok(())]);
        assert_eq!(notes.failed.lock().unwrap().len(), 1, "{seed}");
        assert_eq!(notes.closed.load(SeqCst), 1);
    }
}
