//! Where the number of a call is: covered by the length in the call parameters, or behind it, for
//! the pages leave that open; or nowhere.

use crate::raw;

use super::{World, builder, load_modem, modem, proxy::passive};
use ndis_co::{
    Status,
    params::{CallParametersBuf, FlowSpec, Specific},
    tapi::{ANY_ADDRESS, ANY_LINE, Flat, MakeCall},
};
use ndis_sys as n;
use raw::{Client, PENDING, SUCCESS, Twist, oids::within};
use std::{
    ptr::null_mut,
    sync::{Arc, Mutex, atomic::Ordering::SeqCst},
};

const FIXED: usize = size_of::<n::CO_AF_TAPI_MAKE_CALL_PARAMETERS>();

fn call() -> MakeCall<'static> {
    MakeCall {
        line: ANY_LINE,
        address: ANY_ADDRESS,
        destination: b"mirror",
        ..MakeCall::default()
    }
}

fn parameters() -> CallParametersBuf {
    let flow = FlowSpec::best_effort(7);
    call().to_parameters(flow, flow).unwrap()
}

/// What somebody else's client does to the parameters.
#[derive(Clone, Copy, Debug)]
enum Twisted {
    Not,
    /// The length is that of the fixed structure.
    Behind,
    /// The number is said to be longer than the length.
    Longer,
    /// The length is less than the fixed structure's.
    Short,
    /// The number is too long to be one.
    TooLong,
}

impl Twisted {
    fn apply(self, parameters: &CallParametersBuf) {
        // SAFETY: the parameters are valid, and nobody else looks at them.
        let media = unsafe { (*parameters.as_raw()).MediaParameters };
        // SAFETY: as above.
        let specific = unsafe { &raw mut (*media).MediaSpecific };
        // SAFETY: as above.
        let structure =
            unsafe { &raw mut (*specific).Parameters }.cast::<n::CO_AF_TAPI_MAKE_CALL_PARAMETERS>();
        let length = |length: usize| {
            // SAFETY: as above.
            unsafe { (*specific).Length = u32::try_from(length).unwrap() };
        };
        match self {
            Self::Not => {}
            Self::Behind => length(FIXED),
            Self::Short => length(FIXED - 1),
            Self::Longer => {
                // SAFETY: as above; the structure is aligned as the pool aligns.
                unsafe { (*structure).DestAddress.Length = 5000 };
            }
            Self::TooLong => unreachable!(),
        }
    }
}

#[test]
fn of_a_client_in_c() {
    for (twisted, status) in [
        (Twisted::Not, SUCCESS),
        (Twisted::Behind, SUCCESS),
        (Twisted::Longer, n::NDIS_STATUS_INVALID_DATA),
        (Twisted::Short, n::NDIS_STATUS_INVALID_LENGTH),
        (Twisted::TooLong, n::NDIS_STATUS_TAPI_INVALADDRESS),
    ] {
        let host = builder(1).readings(raw::plain()).build();
        let notes = Arc::<modem::Notes>::default();
        let driver = load_modem(&host, &notes);
        let client = Client::load(&host, "client", Twist::None, false);
        let adapter = host.add_adapter(&driver).expect("the adapter starts");
        host.run();
        let shared = client.shared.clone();
        let kept = Arc::new(Mutex::new(None));
        let slot = kept.clone();
        within(&host, &client.driver, move || {
            let parameters = if matches!(twisted, Twisted::TooLong) {
                let (number, flow) = ([b'1'; 1025], FlowSpec::best_effort(7));
                let destination = &number[..];
                let call = MakeCall {
                    destination,
                    ..call()
                };
                call.to_parameters(flow, flow).unwrap()
            } else {
                let parameters = parameters();
                twisted.apply(&parameters);
                parameters
            };
            let at = parameters.as_raw();
            *slot.lock().unwrap() = Some(parameters);
            let context = Arc::as_ptr(&shared).cast_mut().cast();
            let (binding, af) = (shared.binding.load(SeqCst), shared.af.load(SeqCst));
            let mut vc = null_mut();
            // SAFETY: handles of this client.
            let made = unsafe { n::NdisCoCreateVc(binding, af, context, &raw mut vc) };
            assert_eq!(made, SUCCESS);
            shared.vc.store(vc, SeqCst);
            // SAFETY: an idle VC; the parameters stay until the completion.
            let made = unsafe { n::NdisClMakeCall(vc, at, null_mut(), null_mut()) };
            if made != PENDING {
                assert_eq!(made, status, "{twisted:?}");
                shared.vc.store(null_mut(), SeqCst);
                // SAFETY: the client's idle VC.
                assert_eq!(unsafe { n::NdisCoDeleteVc(vc) }, SUCCESS);
            }
        });
        let up = u32::from(status == SUCCESS);
        assert_eq!(client.shared.up.load(SeqCst), up, "{twisted:?}");
        assert_eq!(notes.connected.load(SeqCst), up, "{twisted:?}");
        let user = client.clone();
        within(&host, &client.driver, move || {
            user.hang_up();
            let parameters = kept.lock().unwrap().take();
            drop(parameters);
        });
        host.remove_adapter(&adapter);
        host.unload(&client.driver);
        host.unload(&driver);
        let report = host.finish();
        assert!(report.is_clean(), "{twisted:?}: {report}");
    }
}

/// Rule CALL-55: a client may place several calls in a row on one VC, and what belongs to one is
/// nothing to the next.
#[test]
fn several_calls_on_one_vc() {
    for seed in 0..if cfg!(miri) { 1 } else { 20 } {
        let host = builder(seed).readings(raw::plain()).build();
        let notes = Arc::<modem::Notes>::default();
        notes.pends.store(seed % 2 == 0, SeqCst);
        let driver = load_modem(&host, &notes);
        let client = Client::load(&host, "client", Twist::None, false);
        let adapter = host.add_adapter(&driver).expect("the adapter starts");
        host.run();
        let kept = Arc::new(Mutex::new(Vec::new()));
        for round in 0..3_u32 {
            let (shared, slot) = (client.shared.clone(), kept.clone());
            within(&host, &client.driver, move || {
                let context = Arc::as_ptr(&shared).cast_mut().cast();
                let (binding, af) = (shared.binding.load(SeqCst), shared.af.load(SeqCst));
                let mut vc = shared.vc.load(SeqCst);
                if vc.is_null() {
                    // SAFETY: handles of this client.
                    let made = unsafe { n::NdisCoCreateVc(binding, af, context, &raw mut vc) };
                    assert_eq!(made, SUCCESS);
                    shared.vc.store(vc, SeqCst);
                }
                let parameters = parameters();
                let at = parameters.as_raw();
                slot.lock().unwrap().push(parameters);
                // SAFETY: an idle VC; the parameters stay until the completion.
                let made = unsafe { n::NdisClMakeCall(vc, at, null_mut(), null_mut()) };
                assert_eq!(made, PENDING);
            });
            assert_eq!(client.shared.up.load(SeqCst), 1, "seed {seed}, {round}");
            assert_eq!(notes.connected.load(SeqCst), round + 1);
            let calls = notes.calls.lock().unwrap().clone();
            // Each has counters of its own; those before are gone.
            let alive: Vec<_> = calls.iter().filter_map(|call| call.upgrade()).collect();
            assert_eq!(alive.len(), 1, "seed {seed}, {round}");
            assert_eq!(alive[0].statistics().frames_sent, 0);
            let user = client.clone();
            within(&host, &client.driver, move || {
                user.send();
                if round < 2 {
                    // The VC is kept for the next call.
                    *user.shared.when_closed.lock().unwrap() = Some(Box::new(|| {}));
                }
            });
            assert_eq!(alive[0].statistics().frames_sent, 1);
            drop((alive, calls));
            let user = client.clone();
            within(&host, &client.driver, move || user.hang_up());
            assert_eq!(notes.legs.load(SeqCst), 0, "seed {seed}, {round}");
        }
        let slot = kept.clone();
        within(&host, &client.driver, move || {
            let all = std::mem::take(&mut *slot.lock().unwrap());
            drop(all);
        });
        host.remove_adapter(&adapter);
        host.unload(&client.driver);
        host.unload(&driver);
        let report = host.finish();
        assert!(report.is_clean(), "seed {seed}: {report}");
    }
}

/// A client of safe code cannot describe what is not there: its call is refused before anybody
/// looks.
#[test]
fn of_a_client_that_lies() {
    for seed in 0..4 {
        let world = World::new(builder(seed).build());
        world.user(|proxy| {
            let irql = &mut passive();
            let mut bytes = call().to_vec().unwrap().to_vec();
            bytes.truncate(FIXED);
            let media = Specific {
                param_type: 0,
                bytes: &bytes,
            };
            let parameters = CallParametersBuf::builder().media_specific(media).build();
            let af = proxy.0.af.lock().unwrap().clone().unwrap();
            let vc = af.create_vc(super::proxy::End::Placed, irql).unwrap();
            let _ = vc.make_call(parameters.unwrap(), irql).keep();
        });
        assert_eq!(
            *world.proxy.0.failed.lock().unwrap(),
            [Status::INVALID_DATA]
        );
        // Another call goes on all the same.
        world.call("mirror");
        assert_eq!(world.up(), [1, 0]);
        world.end("a lie");
    }
}
