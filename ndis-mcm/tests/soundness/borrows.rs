//! What the borrows do not cover is checked at run time: case `borrow_bypass`.
//!
//! An owner lends its children, so it cannot be closed beneath them, and consumes
//! itself when it ends. But each owner leads to a reference, references are cloned,
//! and a reference may close, delete and send as well. Whatever it does then has a
//! defined answer: [`Status::CLOSING`], with what was given back in the driver's
//! hands. No rule is broken, nothing is left.

use super::*;
use ndis_co::client;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

/// Counts what it is told.
#[derive(Default)]
struct Told {
    failed: Notes<Status>,
    closed: AtomicU32,
    sap_gone: AtomicU32,
    sap_registered: Notes<Result<(), Status>>,
    sent: AtomicU32,
}

impl Phone for Told {
    const LISTENS: bool = true;

    fn af_closed(&self) {
        self.closed.fetch_add(1, SeqCst);
    }

    fn sap_registered(&self, result: Result<(), Status>) {
        self.sap_registered.add(result);
    }

    fn sap_deregistered(&self, _irql: &mut UpToDispatch) {
        self.sap_gone.fetch_add(1, SeqCst);
    }

    fn create_vc(
        &self,
        _af: &client::Af<Handset<Self>>,
        _irql: &mut UpToDispatch,
    ) -> Result<Context, Status> {
        Ok(Some(Box::new(7_u32)))
    }

    fn call_failed(&self, _vc: &Leg<Handset<Self>>, status: Status, _irql: &mut UpToDispatch) {
        self.failed.add(status);
    }

    fn send_complete(
        &self,
        _vc: &Leg<Handset<Self>>,
        lists: NetBufferLists,
        _irql: &mut UpToDispatch,
    ) {
        self.sent.fetch_add(lists.len() as u32, SeqCst);
    }
}

/// What a VC's context is worth, whatever has become of the VC.
fn context<P: Phone>(vc: &Leg<Handset<P>>) -> u32 {
    let context: &Context = vc;
    *context.as_ref().unwrap().downcast_ref::<u32>().unwrap()
}

/// Everything on a VC that is over: each answers that it is.
#[track_caller]
fn is_over<P: Phone>(vc: &Leg<Handset<P>>, irql: &mut Passive) {
    assert!(!vc.is_connected());
    let mut list = vc.af().binding().pool.allocate(4).unwrap();
    list.set_data(b"late").unwrap();
    let unsent = vc.send(list.into(), irql).unwrap_err();
    assert_eq!(unsent.status, Status::CLOSING);
    // The very list has come back.
    assert_eq!(unsent.lists.len(), 1);
    let mut bytes = [0; 4];
    for packet in unsent.lists.buffers() {
        assert_eq!(packet.copy_to(&mut bytes), Ok(4));
    }
    assert_eq!(&bytes, b"late");
    vc.hang_up(b"again", irql).unwrap();
    vc.hang_up(&[], irql).unwrap();
}

/// Runs `body` on a thread, over many schedules, and ends everything.
fn with_client(
    about: &str,
    body: impl Fn(&Handset<Told>, &mut Passive) + Send + Sync + 'static,
    check: impl Fn(&Told),
) {
    let body = Arc::new(body);
    for seed in seeds(60) {
        println!("{about}, seed {seed}");
        let world = World::seed(seed, PlainSwitch, Told::default());
        let (handset, body) = (world.handset.clone(), body.clone());
        world.thread("user", move |irql| body(&handset, irql));
        world.host.run();
        check(&world.handset.phone);
        world.end_clean();
    }
}

/// Case `borrow_bypass`: the family is closed, by the reference behind it, under a
/// SAP, a VC and a call that borrow it.
#[test]
fn a_family_closed_beneath_what_borrows_it() {
    with_client(
        "closed beneath",
        |handset, irql| {
            let af = handset.af.get().unwrap();
            // As the owner would lend them: by borrow.
            let address = SapAddressBuf::try_new(3, b"8").unwrap();
            let sap = af.register_sap(None, address, irql).unwrap();
            let vc = af.create_vc(Some(Box::new(7_u32)), irql).unwrap();
            let call = af.create_vc(Some(Box::new(8_u32)), irql).unwrap();
            let call = call.make_call(parameters(b"call"), irql);
            client::Af::close(&af, irql);
            assert_eq!(sap.address().bytes(), b"8");
            assert_eq!((context(&vc), context(&call)), (7, 8));
            let address = SapAddressBuf::try_new(3, b"9").unwrap();
            let refused = af.register_sap(None, address, irql).err();
            assert_eq!(refused, Some(Status::CLOSING));
            let refused = af.create_vc(None, irql).err();
            assert_eq!(refused, Some(Status::CLOSING));
            client::Af::close(&af, irql);
            // What the owners stand for is over, or soon is: ending it is harmless.
            sap.deregister(irql);
            let late = vc.make_call(parameters(b"late"), irql);
            is_over(&late, irql);
            drop(late);
            drop(call);
            assert!(wait_until(|| handset.phone.closed.load(SeqCst) == 1, irql));
        },
        |told| {
            assert_eq!(told.closed.load(SeqCst), 1);
            // This one, and the one that the phone had.
            assert_eq!(told.sap_gone.load(SeqCst), 2);
            let failed = told.failed.all();
            assert_eq!(failed.first(), Some(&Status::CLOSING), "{failed:?}");
        },
    );
}

/// Case `borrow_bypass`: a reference is used after its owner has deleted the VC.
#[test]
fn a_vc_used_after_its_deletion() {
    with_client(
        "deleted",
        |handset, irql| {
            let af = handset.af.get().unwrap();
            let vc = af.create_vc(Some(Box::new(7_u32)), irql).unwrap();
            let again = Leg::clone(&vc);
            vc.delete(irql);
            assert_eq!(context(&again), 7);
            assert!(again.is(&again.clone()));
            is_over(&again, irql);
        },
        |told| assert_eq!(told.sent.load(SeqCst), 0),
    );
}

/// Case `borrow_bypass`: a reference sends after its owner has closed the call.
#[test]
fn a_send_after_the_close() {
    with_client(
        "closed",
        |handset, irql| {
            let af = handset.af.get().unwrap();
            let call = af.create_vc(Some(Box::new(7_u32)), irql).unwrap();
            let call = call.make_call(parameters(b"call"), irql);
            let again = Leg::clone(&call);
            wait_until(|| again.is_connected(), irql);
            let list = again.af().binding().pool.allocate(4).unwrap();
            again.send(list.into(), irql).unwrap();
            call.close(b"bye", irql).unwrap();
            is_over(&again, irql);
            // And when all is long over.
            sleep(10, irql);
            is_over(&again, irql);
        },
        |told| assert_eq!(told.sent.load(SeqCst), 1),
    );
}

/// A neighbour of `borrow_bypass`: a SAP that is used after its deregistration, by
/// the reference behind the owner.
#[test]
fn a_sap_used_after_its_deregistration() {
    with_client(
        "deregistered",
        |handset, irql| {
            let af = handset.af.get().unwrap();
            let address = SapAddressBuf::try_new(3, b"8").unwrap();
            let sap = af.register_sap(None, address, irql).unwrap();
            let again = Listener::clone(&sap);
            Listener::deregister(&sap, irql);
            again.deregister(irql);
            assert_eq!(
                (sap.address().bytes(), again.address().bytes()),
                (&b"8"[..], &b"8"[..])
            );
            drop(sap);
            again.deregister(irql);
        },
        |told| {
            assert_eq!(told.sap_gone.load(SeqCst), 1);
            assert!(told.sap_registered.all().iter().all(Result::is_ok));
        },
    );
}

/// A switch that keeps the first VC that its client deletes.
#[derive(Default)]
struct KeepsDeleted(Place<Vc<Exchange<Self>>>);

impl Switch for KeepsDeleted {
    fn halt(&self, _adapter: &Adapter<Exchange<Self>>, _irql: &mut Passive) {
        drop(self.0.take());
    }

    fn vc_deleted(&self, vc: &Vc<Exchange<Self>>, _irql: &mut UpToDispatch) {
        self.0.put(vc.clone());
    }
}

/// The same as above for a call manager's VC.
#[track_caller]
fn is_over_there(vc: &Vc<Exchange<KeepsDeleted>>, irql: &mut Passive) {
    assert!(!vc.is_connected());
    let list = vc.base().pool.allocate(4).unwrap();
    let refused = vc.indicate_receive(list.into(), irql).unwrap_err();
    assert_eq!((refused.status, refused.lists.len()), (Status::CLOSING, 1));
    let end = vc.dispatch_incoming_close(Status::SUCCESS, b"late", irql);
    assert_eq!(end, Err(Status::CLOSING));
}

/// A neighbour of `borrow_bypass`: the call manager's references, to a VC that it
/// has deleted, to one that its client has, and to a SAP that is gone.
#[test]
fn a_call_managers_references_after_the_end() {
    for seed in seeds(60) {
        let world = World::seed(seed, KeepsDeleted::default(), ListeningPhone);
        let (exchange, handset) = (world.exchange.clone(), world.handset.clone());
        world.thread("both ends", move |irql| {
            let sap = exchange.sap.get().unwrap();
            let vc = sap.create_vc(None, irql).unwrap();
            let again = Vc::clone(&vc);
            vc.delete(irql);
            is_over_there(&again, irql);

            let vc = sap.create_vc(None, irql).unwrap();
            let vc = vc.activate(parameters(b"the link's"), irql).unwrap();
            let again = Vc::clone(&vc);
            drop(vc);
            is_over_there(&again, irql);

            let af = handset.af.get().unwrap();
            let call = af.create_vc(None, irql).unwrap();
            drop(exchange.switch.0.take());
            call.delete(irql);
            assert!(wait_until(|| !exchange.switch.0.is_empty(), irql));
            is_over_there(&exchange.switch.0.get().unwrap(), irql);

            handset.sap.get().unwrap().deregister(irql);
            sleep(10, irql);
            assert_eq!(sap.address().bytes(), b"7");
            let refused = sap.create_vc(None, irql).map(drop);
            // The family is still open, so there may be a VC; no call on it gets
            // to a SAP that is gone.
            if let Err(status) = refused {
                assert_eq!(status, Status::CLOSING);
            }
            client::Af::close(&af, irql);
            sleep(10, irql);
            let refused = sap.create_vc(None, irql).map(drop);
            assert_eq!(refused.err(), Some(Status::CLOSING));
        });
        world.host.run();
        world.end_clean();
    }
}
