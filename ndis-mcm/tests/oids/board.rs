//! A miniport call manager that answers OID requests in every way there is.

use ndis_co::{
    Answer, Status,
    family::{AddressFamily, Family},
    irql::{NoLock, Passive, UpToDispatch},
    lock::SpinLock,
    mem::Tag,
    oid::{Method, Oid, QuerySet, RequestId},
    oid_values,
    params::CallParameters,
};
use ndis_mcm::*;
use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, AtomicUsize, Ordering::SeqCst},
    },
};

const FAMILY: AddressFamily = AddressFamily::new(Family::L2TP, 1, 0);

/// OIDs of the driver's own.
pub const LAMP: Oid<Lamp, QuerySet> = Oid::new(0xFF01_0001);
pub const DOUBLE: Oid<u64, Method<u32>> = Oid::new(0xFF01_0002);

/// What is named twice, and out of order.
const OWN: [u32; 3] = [DOUBLE.number(), LAMP.number(), DOUBLE.number()];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Lamp {
    pub colour: u32,
    pub brightness: u16,
    pub blinks: u16,
}

oid_values! { Lamp { colour brightness blinks } }

pub const LIT: Lamp = Lamp {
    colour: 0x00FF_8000,
    brightness: 80,
    blinks: 3,
};

/// How the driver answers what is its to answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    Now,
    /// Pended, and answered before the handler has returned.
    Within,
    /// Pended, and answered by the device's thread.
    Later,
    /// Pended and dropped.
    Dropped,
    /// Pended, and dropped under a lock.
    Locked,
    /// Pended, and answered when it is cancelled, or the adapter halts.
    Kept,
}

pub const ALL: [How; 6] = [
    How::Now,
    How::Within,
    How::Later,
    How::Dropped,
    How::Locked,
    How::Kept,
];

/// What the driver and the test both see.
pub struct Desk {
    pub how: Mutex<How>,
    pub lamp: Mutex<Lamp>,
    waiting: Mutex<VecDeque<PendingOidRequest<Board>>>,
    /// Where the client listens, once it does.
    pub sap: Mutex<Option<Sap<Board>>>,
    pub asked: AtomicUsize,
    pub asked_of_vc: AtomicUsize,
    pub cancelled: Mutex<Vec<usize>>,
    pub vcs: AtomicU32,
    /// What the adapter has counted when it is initialized.
    pub counts: u64,
    spare: SpinLock<u32>,
}

impl Desk {
    pub fn new(how: How) -> Arc<Self> {
        Arc::new(Self {
            how: Mutex::new(how),
            lamp: Mutex::new(LIT),
            waiting: Mutex::default(),
            sap: Mutex::default(),
            asked: AtomicUsize::new(0),
            asked_of_vc: AtomicUsize::new(0),
            cancelled: Mutex::default(),
            vcs: AtomicU32::new(0),
            counts: 5_000_000_000,
            spare: SpinLock::new(0),
        })
    }

    /// Loses the token of the request that came last.
    pub fn lose(&self) {
        let last = self.waiting.lock().unwrap().pop_back();
        drop(last);
    }

    pub fn waits(&self) -> usize {
        self.waiting.lock().unwrap().len()
    }

    /// The device's thread answers the request that came last.
    pub fn work(&self, irql: &mut impl NoLock) -> bool {
        let last = self.waiting.lock().unwrap().pop_back();
        let worked = last.is_some();
        if let Some(request) = last {
            self.late(request, irql);
        }
        worked
    }

    fn late(&self, request: PendingOidRequest<Board>, irql: &mut impl NoLock) {
        if request.is(DOUBLE) {
            let twice = request.input_as::<u32>().map(|one| u64::from(one) * 2);
            return match twice {
                Some(twice) => request.reply_to(DOUBLE, &twice, irql),
                None => request.invalid_length(4, irql),
            };
        }
        if request.kind().is_query() {
            let lamp = *self.lamp.lock().unwrap();
            return request.reply_to(LAMP, &lamp, irql);
        }
        let Some(lamp) = request.input_as::<Lamp>() else {
            return request.invalid_length(size_of::<Lamp>(), irql);
        };
        *self.lamp.lock().unwrap() = lamp;
        request.accept(size_of::<Lamp>(), irql);
    }

    fn now<'r>(&self, request: OidRequest<'r, Board>) -> Answer<'r> {
        if request.is(DOUBLE) {
            return match request.read(DOUBLE) {
                Ok((one, request)) => request.reply_to(DOUBLE, &(u64::from(one) * 2)),
                Err(answer) => answer,
            };
        }
        if request.kind().is_query() {
            let lamp = *self.lamp.lock().unwrap();
            return request.reply_to(LAMP, &lamp);
        }
        match request.read(LAMP) {
            Ok((lamp, request)) => {
                *self.lamp.lock().unwrap() = lamp;
                request.accept(size_of::<Lamp>())
            }
            Err(answer) => answer,
        }
    }

    fn ask<'r>(&self, request: OidRequest<'r, Board>, irql: &mut UpToDispatch) -> Answer<'r> {
        if !request.is(LAMP) && !request.is(DOUBLE) {
            return request.not_supported();
        }
        let how = *self.how.lock().unwrap();
        if how == How::Now {
            return self.now(request);
        }
        let (answer, token) = request.pend();
        match how {
            How::Now | How::Dropped => drop(token),
            How::Within => self.late(token, irql),
            How::Later | How::Kept => self.waiting.lock().unwrap().push_back(token),
            How::Locked => self.spare.with(irql, |_, _| drop(token)),
        }
        answer
    }

    fn abort(&self, id: Option<RequestId>, irql: &mut impl NoLock) {
        loop {
            let found = {
                let mut waiting = self.waiting.lock().unwrap();
                let at = waiting
                    .iter()
                    .position(|one| id.is_none() || one.id() == id);
                at.and_then(|at| waiting.remove(at))
            };
            let Some(request) = found else { return };
            request.refuse(Status::REQUEST_ABORTED, irql);
        }
    }
}

#[derive(Clone)]
pub struct Board(pub Arc<Desk>);

impl Miniport for Board {
    type Adapter = ();
    type Role = Mcm;
    const VERSION: (u8, u8) = (3, 14);

    fn initialize<'i>(
        &self,
        init: Initialize<'i, Self, New>,
        irql: &mut Passive,
    ) -> Result<Initialized<'i>, Status> {
        let attributes = Attributes::wan()
            .link_speed(250_000_000)
            .vendor_id([0, 0x11, 0x22, 7])
            .vendor_description(c"A board with a lamp")
            .oids(&OWN);
        let mut init = init.attributes(&attributes, irql)?.adapter(())?;
        init.register_address_family(FAMILY, irql)?;
        Ok(init.finish())
    }

    fn initialized(&self, adapter: &Adapter<Self>, _irql: &mut Passive) {
        let all = adapter.statistics();
        all.sent(self.0.counts, 10 * self.0.counts);
        all.received(2 * self.0.counts, 20 * self.0.counts);
        all.not_sent(3);
        all.received_wrong(4);
        all.lost(5);
    }

    fn oid_request<'r>(
        &self,
        _adapter: &Adapter<Self>,
        request: OidRequest<'r, Self>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        self.0.asked.fetch_add(1, SeqCst);
        self.0.ask(request, irql)
    }

    fn oid_cancelled(&self, _adapter: &Adapter<Self>, id: RequestId, irql: &mut UpToDispatch) {
        self.0.cancelled.lock().unwrap().push(id.raw().addr());
        self.0.abort(Some(id), irql);
    }

    fn halt(&self, _adapter: &Adapter<Self>, irql: &mut Passive) {
        self.0.abort(None, irql);
    }
}

impl CallManager for Board {
    type Base = Adapter<Self>;
    type Af = ();
    type Sap = ();
    type Vc = ();

    fn open_af<'r>(
        &self,
        _adapter: &Adapter<Self>,
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
        let (answer, sap) = request.accept(());
        *self.0.sap.lock().unwrap() = Some(sap);
        answer
    }

    fn create_vc(&self, _af: &Af<Self>, _irql: &mut UpToDispatch) -> Result<(), Status> {
        self.0.vcs.fetch_add(1, SeqCst);
        Ok(())
    }

    fn vc_deleted(&self, _vc: &Vc<Self>, _irql: &mut UpToDispatch) {
        self.0.vcs.fetch_sub(1, SeqCst);
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
        call.connect(irql);
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

impl Carry for Board {
    type Vc = Vc<Self>;

    fn send(&self, _vc: &Vc<Self>, lists: SendLists<Self>, irql: &mut UpToDispatch) {
        lists.complete(Status::SUCCESS, irql);
    }

    fn vc_oid_request<'r>(
        &self,
        _vc: &Vc<Self>,
        request: OidRequest<'r, Self>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        self.0.asked_of_vc.fetch_add(1, SeqCst);
        self.0.ask(request, irql)
    }
}

/// The tag of what the tests wait on.
pub const TAG: Tag = Tag::new(*b"Oids");
