//! A peer deletes its VC when it hears the answer to what it has asked about it: within its
//! completion handler, or by another thread that learns of it there. Its requests are over then (rule
//! OID-68), though the call of the safe driver's that completes the last one has not returned; and no page
//! has the peer try twice.

use super::{phone::Calls, trunk::Switch, *};
use crate::raw::{
    Client, PENDING, SUCCESS,
    oids::{Ask, NO, co, mcm, within},
};
use ndis_co::{Answer, client, cm, irql::UpToDispatch};
use ndis_mcm::{OidRequest, PendingOidRequest};
use ndis_sys as n;
use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicPtr, Ordering::SeqCst},
};

const OID: u32 = 0xFF01_0001;

/// A driver that is asked, and answers within its handler or from a thread of its own.
#[derive(Default)]
struct Asked<T> {
    within: bool,
    tokens: Mutex<Vec<T>>,
}

impl<T> Asked<T> {
    fn new(within: bool) -> Self {
        let tokens = Mutex::default();
        Self { within, tokens }
    }

    /// The token, when it is to be answered now.
    fn now(&self, token: T) -> Option<T> {
        if self.within {
            return Some(token);
        }
        self.tokens.lock().unwrap().push(token);
        None
    }

    /// The token, when there is one.
    fn later(&self, irql: &mut Passive) -> T {
        wait_until(|| !self.tokens.lock().unwrap().is_empty(), irql);
        self.tokens.lock().unwrap().pop().unwrap()
    }
}

/// A call manager that its client asks.
struct Manager(Asked<cm::PendingOidRequest<trunk::Trunk<Self>>>);

impl Switch for Manager {
    fn oid_request<'r>(
        &self,
        request: cm::OidRequest<'r, trunk::Trunk<Self>>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        let (answer, token) = request.pend();
        if let Some(token) = self.0.now(token) {
            token.reply_u32(7, irql);
        }
        answer
    }
}

/// The miniport half of one, which a client asks.
struct Half(Asked<PendingOidRequest<trunk::Trunk<Self>>>);

impl Switch for Half {
    fn vc_oid_request<'r>(
        &self,
        request: OidRequest<'r, trunk::Trunk<Self>>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        let (answer, token) = request.pend();
        if let Some(token) = self.0.now(token) {
            token.reply_u32(7, irql);
        }
        answer
    }
}

/// A client that its call manager asks.
struct Subscriber(Asked<client::PendingOidRequest<phone::Phone<Self>>>);

impl Calls for Subscriber {
    fn oid_request<'r>(
        &self,
        request: client::OidRequest<'r, phone::Phone<Self>>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        let (answer, token) = request.pend();
        if let Some(token) = self.0.now(token) {
            token.reply_u32(7, irql);
        }
        answer
    }
}

/// A VC of a peer's, and how far that is with it.
struct Own {
    vc: AtomicPtr<std::ffi::c_void>,
    delete: unsafe extern "system" fn(n::NDIS_HANDLE) -> i32,
    heard: AtomicBool,
    gone: AtomicBool,
    ask: Mutex<Option<Ask>>,
}

impl Own {
    fn new(delete: unsafe extern "system" fn(n::NDIS_HANDLE) -> i32) -> Arc<Self> {
        Arc::new(Self {
            vc: AtomicPtr::new(NO),
            delete,
            heard: AtomicBool::new(false),
            gone: AtomicBool::new(false),
            ask: Mutex::new(None),
        })
    }

    /// Deletes the VC, once.
    fn goes(&self) -> i32 {
        // SAFETY: the peer's own VC, without a call, and of nobody else's use.
        let status = unsafe { (self.delete)(self.vc.load(SeqCst)) };
        self.gone.store(status == SUCCESS, SeqCst);
        status
    }

    /// In the handler: deletes the VC, or has another thread do it.
    fn hears(&self, elsewhere: bool) {
        self.heard.store(true, SeqCst);
        if elsewhere {
            let_others_run(|| self.gone.load(SeqCst));
        } else {
            assert_eq!(self.goes(), SUCCESS);
        }
    }

    fn free(&self) {
        let ask = self.ask.lock().unwrap().take().unwrap();
        assert_eq!(ask.written(), 4);
        ask.free();
    }
}

/// The client makes a VC, and asks about it.
fn client_asks(client: &Client, own: &Own, of_adapter: bool) {
    let shared = &client.shared;
    let context = Arc::as_ptr(shared).cast_mut().cast();
    let (binding, af) = (shared.binding.load(SeqCst), shared.af.load(SeqCst));
    let mut vc = NO;
    // SAFETY: handles of this client.
    let made = unsafe { n::NdisCoCreateVc(binding, af, context, &raw mut vc) };
    assert_eq!(made, SUCCESS);
    own.vc.store(vc, SeqCst);
    let ask = Ask::query(&shared.oids, OID, 4);
    *own.ask.lock().unwrap() = Some(ask);
    let af = if of_adapter { NO } else { af };
    assert_eq!(co(binding, af, vc, &ask), PENDING);
}

/// How a case goes: whether the driver answers within its handler, and whether another thread
/// of the peer's deletes the VC.
const CASES: [(bool, bool); 4] = [(false, false), (true, false), (false, true), (true, true)];

/// The raw client asks, and deletes when it hears. `certain`: it is not refused.
fn clients<S: Switch>(
    of_adapter: bool,
    switch: impl Fn(bool) -> S,
    answer: impl Fn(&S, &mut Passive) + Copy + Send + 'static,
) {
    for (within_handler, elsewhere) in CASES {
        for seed in seeds(100) {
            let world = trunk::World::new(seed, switch(within_handler));
            let own = Own::new(n::NdisCoDeleteVc);
            let hears = own.clone();
            let oids = &world.client.shared.oids;
            oids.when_heard(move |_| hears.hears(elsewhere));
            if elsewhere {
                let own = own.clone();
                thread(&world.host, "client", move |irql| {
                    wait_until(|| own.heard.load(SeqCst), irql);
                    let status = own.goes();
                    if of_adapter && status == n::NDIS_STATUS_NOT_ACCEPTED {
                        // To the miniport it might have been NDIS that has asked.
                        while own.goes() != SUCCESS {
                            sleep(1, irql);
                        }
                    } else {
                        assert_eq!(status, SUCCESS);
                    }
                });
            }
            if !within_handler {
                let switch = world.switch.clone();
                thread(&world.host, "network", move |irql| answer(&switch, irql));
            }
            let (client, asks) = (world.client.clone(), own.clone());
            within(&world.host, &world.client.driver, move || {
                client_asks(&client, &asks, of_adapter);
            });
            assert!(own.gone.load(SeqCst), "seed {seed}");
            within(&world.host, &world.client.driver, move || own.free());
            world.end_clean();
        }
    }
}

#[test]
fn a_client_that_has_asked_its_call_manager() {
    clients(
        false,
        |within| Manager(Asked::new(within)),
        |manager, irql| manager.0.later(irql).reply_u32(7, irql),
    );
}

#[test]
fn a_client_that_has_asked_the_miniport() {
    clients(
        true,
        |within| Half(Asked::new(within)),
        |half, irql| half.0.later(irql).reply_u32(7, irql),
    );
}

#[test]
fn a_call_manager_that_has_asked_its_client() {
    for (within_handler, elsewhere) in CASES {
        for seed in seeds(100) {
            let world = phone::World::new(seed, Subscriber(Asked::new(within_handler)));
            let own = Own::new(n::NdisMCmDeleteVc);
            let hears = own.clone();
            world.mcm.oids.when_heard(move |_| hears.hears(elsewhere));
            if elsewhere {
                let own = own.clone();
                thread(&world.host, "manager", move |irql| {
                    wait_until(|| own.heard.load(SeqCst), irql);
                    assert_eq!(own.goes(), SUCCESS);
                });
            }
            if !within_handler {
                let desk = world.desk.clone();
                thread(&world.host, "network", move |irql| {
                    desk.calls.0.later(irql).reply_u32(7, irql);
                });
            }
            let (shared, asks) = (world.mcm.clone(), own.clone());
            world.by_manager(move || {
                let (adapter, af) = (shared.adapter(), shared.af(0));
                let mut vc = NO;
                let context = std::ptr::dangling_mut::<u64>().cast();
                // SAFETY: handles of this call manager, which is never called about this VC.
                let made = unsafe { n::NdisMCmCreateVc(adapter, af, context, &raw mut vc) };
                assert_eq!(made, SUCCESS);
                asks.vc.store(vc, SeqCst);
                let ask = Ask::query(&shared.oids, OID, 4);
                *asks.ask.lock().unwrap() = Some(ask);
                assert_eq!(mcm(af, vc, &ask), PENDING);
            });
            assert!(own.gone.load(SeqCst), "seed {seed}");
            world.by_manager(move || own.free());
            world.end_clean();
        }
    }
}
