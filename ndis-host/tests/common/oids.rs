//! What the drivers of the tests do with OID requests and status: whatever a test says.

use super::{P, PENDING, SUCCESS, TAG, header, zeroed};
use ndis_host::{Driver, Host};
use ndis_sys as n;
use ndis_sys::{NDIS_HANDLE, NDIS_OID_REQUEST, NDIS_STATUS};
use std::ffi::c_void;
use std::ptr::null_mut;
use std::sync::{Arc, Mutex};

pub type Request = *mut NDIS_OID_REQUEST;

/// A request that has come to a handler of a driver's.
#[derive(Clone, Copy)]
pub struct Asked {
    /// `MiniportCoOidRequest`, `MiniportOidRequest`, or `ProtocolCoOidRequest`.
    pub door: &'static str,
    pub contexts: [usize; 3],
    /// The second of them, as the pointer that it is.
    pub vc: P<c_void>,
    pub request: P<NDIS_OID_REQUEST>,
    pub oid: u32,
}

/// The end of a request, as its asker was told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Heard {
    pub contexts: [usize; 3],
    pub oid: u32,
    pub status: NDIS_STATUS,
}

/// A status, as a protocol was told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Told {
    pub vc: usize,
    pub code: NDIS_STATUS,
    pub bytes: Vec<u8>,
}

type Act<T, R> = Mutex<Option<Arc<dyn Fn(T) -> R + Send + Sync>>>;

/// One driver's part.
#[derive(Default)]
pub struct Oids {
    answer: Act<Asked, NDIS_STATUS>,
    when_heard: Act<Heard, ()>,
    when_told: Act<Told, ()>,
    when_cancelled: Act<usize, ()>,
    pub asked: Mutex<Vec<Asked>>,
    pub heard: Mutex<Vec<Heard>>,
    pub told: Mutex<Vec<Told>>,
    pub cancelled: Mutex<Vec<usize>>,
}

fn run<T, R>(act: &Act<T, R>, with: T) -> Option<R> {
    let act = act.lock().unwrap().clone();
    act.map(|act| act(with))
}

impl Oids {
    /// What a handler answers.
    pub fn answers(&self, act: impl Fn(Asked) -> NDIS_STATUS + Send + Sync + 'static) {
        *self.answer.lock().unwrap() = Some(Arc::new(act));
    }

    pub fn when_heard(&self, act: impl Fn(Heard) + Send + Sync + 'static) {
        *self.when_heard.lock().unwrap() = Some(Arc::new(act));
    }

    pub fn when_told(&self, act: impl Fn(Told) + Send + Sync + 'static) {
        *self.when_told.lock().unwrap() = Some(Arc::new(act));
    }

    pub fn when_cancelled(&self, act: impl Fn(usize) + Send + Sync + 'static) {
        *self.when_cancelled.lock().unwrap() = Some(Arc::new(act));
    }

    /// A handler's part; None when the test has said nothing.
    pub fn ask(
        &self,
        door: &'static str,
        contexts: [NDIS_HANDLE; 3],
        request: Request,
    ) -> Option<NDIS_STATUS> {
        let oid = query(request).Oid;
        let asked = Asked {
            door,
            contexts: contexts.map(|context| context.addr()),
            vc: P(contexts[1]),
            request: P(request),
            oid,
        };
        let answer = run(&self.answer, asked);
        if answer.is_some() {
            self.asked.lock().unwrap().push(asked);
        }
        answer
    }

    pub fn cancel(&self, id: *mut c_void) {
        self.cancelled.lock().unwrap().push(id.addr());
        run(&self.when_cancelled, id.addr());
    }

    pub fn tell(&self, vc: NDIS_HANDLE, indication: *mut n::NDIS_STATUS_INDICATION) {
        // SAFETY: NDIS's indication.
        let it = unsafe { &*indication };
        let mut bytes = vec![0; it.StatusBufferSize as usize];
        if !bytes.is_empty() {
            // SAFETY: the status buffer is as long as the indication says.
            unsafe {
                bytes
                    .as_mut_ptr()
                    .copy_from(it.StatusBuffer.cast(), bytes.len())
            };
        }
        let told = Told {
            vc: vc.addr(),
            code: it.StatusCode,
            bytes,
        };
        self.told.lock().unwrap().push(told.clone());
        run(&self.when_told, told);
    }

    /// The request that came last.
    pub fn last(&self) -> P<NDIS_OID_REQUEST> {
        self.asked.lock().unwrap().last().expect("asked").request
    }
}

/// A request with its buffer, in pool memory of the driver that runs, and whose it is.
#[repr(C)]
struct Block {
    request: NDIS_OID_REQUEST,
    owner: *const Oids,
}

/// What a test does with a request.
#[derive(Clone, Copy)]
pub struct Ask {
    block: P<Block>,
    buffer: P<u8>,
}

fn pool(size: usize) -> *mut u8 {
    // SAFETY: plain pool memory.
    unsafe { n::ExAllocatePoolWithTag(n::NonPagedPoolNx, size as _, TAG) }.cast()
}

fn free<T>(memory: *mut T) {
    // SAFETY: addresses may be anything to the host, and this one was allocated.
    unsafe { n::ExFreePoolWithTag(memory.cast(), TAG) };
}

impl Ask {
    pub fn new(owner: &Arc<Oids>, kind: n::NDIS_REQUEST_TYPE, oid: u32, length: u32) -> Self {
        let block: *mut Block = pool(size_of::<Block>()).cast();
        let buffer = if length == 0 {
            null_mut()
        } else {
            pool(length as usize)
        };
        if length > 0 {
            // SAFETY: as long as that.
            unsafe { buffer.write_bytes(0, length as usize) };
        }
        let mut value = Block {
            request: zeroed(),
            owner: Arc::as_ptr(owner),
        };
        value.request.Header = header(
            n::NDIS_OBJECT_TYPE_OID_REQUEST,
            n::NDIS_OID_REQUEST_REVISION_1,
            n::NDIS_SIZEOF_OID_REQUEST_REVISION_1,
        );
        value.request.RequestType = kind;
        // The arms of all but methods look the same.
        value.request.DATA.QUERY_INFORMATION = n::_QUERY {
            Oid: oid,
            InformationBuffer: buffer.cast(),
            InformationBufferLength: length,
            BytesWritten: 0,
            BytesNeeded: 0,
        };
        // SAFETY: as large as that.
        unsafe { block.write(value) };
        Self {
            block: P(block),
            buffer: P(buffer),
        }
    }

    /// The one that came to a handler as this.
    pub fn of(request: P<NDIS_OID_REQUEST>) -> Self {
        let buffer = query(request.0).InformationBuffer;
        Self {
            block: P(request.0.cast()),
            buffer: P(buffer.cast()),
        }
    }

    pub fn query(owner: &Arc<Oids>, oid: u32, length: u32) -> Self {
        Self::new(owner, n::NdisRequestQueryInformation, oid, length)
    }

    pub fn set(owner: &Arc<Oids>, oid: u32, length: u32) -> Self {
        Self::new(owner, n::NdisRequestSetInformation, oid, length)
    }

    /// The structure, to be changed.
    #[allow(clippy::mut_from_ref)]
    pub fn request(&self) -> &mut NDIS_OID_REQUEST {
        // SAFETY: the test's own, from one thread at a time (the host's baton).
        unsafe { &mut (*self.block.0).request }
    }

    /// Where the structure is, with its owner behind it.
    pub fn at(&self) -> Request {
        self.block.0.cast()
    }

    /// Gives the memory back.
    pub fn free(&self) {
        if !self.buffer.0.is_null() {
            free(self.buffer.0);
        }
        free(self.block.0);
    }

    pub fn free_block(&self) {
        free(self.block.0);
    }

    pub fn free_buffer(&self) {
        free(self.buffer.0);
    }

    pub fn written(&self) -> u32 {
        query(self.at()).BytesWritten
    }
}

/// The arm of a query; those of all requests begin as it does.
pub fn query<'a>(request: Request) -> &'a mut n::_QUERY {
    // SAFETY: a request of the test's drivers or of NDIS, while a driver has it.
    let data: *mut n::_QUERY = unsafe { &raw mut (*request).DATA }.cast();
    // SAFETY: as above.
    unsafe { &mut *data }
}

/// The arm of a method.
pub fn method<'a>(request: Request) -> &'a mut n::_METHOD {
    // SAFETY: as above.
    let data: *mut n::_METHOD = unsafe { &raw mut (*request).DATA }.cast();
    // SAFETY: as above.
    unsafe { &mut *data }
}

/// Ends a query with so many bytes.
pub fn write(request: Request, bytes: &[u8]) {
    let query = query(request);
    // SAFETY: the test makes its buffers large enough.
    unsafe {
        query
            .InformationBuffer
            .cast::<u8>()
            .copy_from(bytes.as_ptr(), bytes.len())
    };
    query.BytesWritten = bytes.len() as u32;
}

/// Says how much a query would have needed, or has written, without a word of truth.
pub fn counts(request: Request, written: u32, needed: u32) {
    let query = query(request);
    query.BytesWritten = written;
    query.BytesNeeded = needed;
}

/// The completion handler of every driver: the request knows whose it is.
pub unsafe extern "system" fn complete(
    af: NDIS_HANDLE,
    vc: NDIS_HANDLE,
    party: NDIS_HANDLE,
    request: Request,
    status: NDIS_STATUS,
) {
    // SAFETY: every request of these drivers is in a `Block`.
    let owner = unsafe { (*request.cast::<Block>()).owner };
    // SAFETY: a driver's part stays as long as the test.
    let owner = unsafe { &*owner };
    let oid = query(request).Oid;
    let heard = Heard {
        contexts: [af, vc, party].map(|context| context.addr()),
        oid,
        status,
    };
    owner.heard.lock().unwrap().push(heard);
    run(&owner.when_heard, heard);
}

/// `ProtocolOidRequestComplete`.
pub unsafe extern "system" fn complete_plain(
    binding: NDIS_HANDLE,
    request: Request,
    status: NDIS_STATUS,
) {
    // SAFETY: as NDIS has called.
    unsafe { complete(binding, null_mut(), null_mut(), request, status) };
}

type Body = Box<dyn FnOnce() + Send>;

unsafe extern "system" fn routine(_: *mut c_void, context: *mut c_void, item: n::PIO_WORKITEM) {
    // SAFETY: the item is no longer queued.
    unsafe { n::IoFreeWorkItem(item) };
    // SAFETY: made by `later`, for this call.
    let body = unsafe { Box::from_raw(context.cast::<Body>()) };
    body();
}

/// Has `body` run a little later, as code of the driver that runs.
pub fn later(body: impl FnOnce() + Send + 'static) {
    let body: Body = Box::new(body);
    let object = std::ptr::dangling_mut::<n::DEVICE_OBJECT>();
    // SAFETY: the host only asks whether there is an object.
    let item = unsafe { n::IoAllocateWorkItem(object) };
    let context = Box::into_raw(Box::new(body)).cast();
    // SAFETY: a live item; the routine frees it.
    unsafe { n::IoQueueWorkItemEx(item, Some(routine), n::DelayedWorkQueue, context) };
}

/// Runs `body` as code of a driver, until nothing is left to do.
pub fn within(host: &Host, driver: &Driver, body: impl FnOnce() + Send + 'static) {
    host.spawn_of(driver, "test", body);
    host.run();
}

pub const NO: NDIS_HANDLE = null_mut();

/// Asks with `NdisCoOidRequest`; the status.
pub fn co(binding: NDIS_HANDLE, af: NDIS_HANDLE, vc: NDIS_HANDLE, ask: &Ask) -> NDIS_STATUS {
    // SAFETY: handles may be anything; the request stays until its end.
    unsafe { n::NdisCoOidRequest(binding, af, vc, NO, ask.at()) }
}

/// Asks with `NdisMCmOidRequest`.
pub fn mcm(af: NDIS_HANDLE, vc: NDIS_HANDLE, ask: &Ask) -> NDIS_STATUS {
    // SAFETY: as above.
    unsafe { n::NdisMCmOidRequest(af, vc, NO, ask.at()) }
}

/// Completes with `NdisCoOidRequestComplete`, which is `NdisMCmOidRequestComplete` too.
pub fn co_complete(
    af: NDIS_HANDLE,
    vc: NDIS_HANDLE,
    request: P<NDIS_OID_REQUEST>,
    status: NDIS_STATUS,
) {
    // SAFETY: handles may be anything, and so may a request.
    unsafe { n::NdisCoOidRequestComplete(af, vc, NO, request.0, status) };
}

/// Completes with `NdisMCoOidRequestComplete`.
pub fn miniport_complete(
    adapter: NDIS_HANDLE,
    vc: NDIS_HANDLE,
    request: P<NDIS_OID_REQUEST>,
    status: NDIS_STATUS,
) {
    // SAFETY: as above.
    unsafe { n::NdisMCoOidRequestComplete(adapter, vc, request.0, status) };
}

/// A driver that pends everything.
pub fn pends(oids: &Oids) {
    oids.answers(|_| PENDING);
}

/// A driver that says yes to everything.
pub fn agrees(oids: &Oids) {
    oids.answers(|_| SUCCESS);
}

/// An indication of a status, complete.
pub fn indication(
    adapter: NDIS_HANDLE,
    code: NDIS_STATUS,
    bytes: &mut [u8],
) -> n::NDIS_STATUS_INDICATION {
    let mut it: n::NDIS_STATUS_INDICATION = zeroed();
    it.Header = header(
        n::NDIS_OBJECT_TYPE_STATUS_INDICATION,
        n::NDIS_STATUS_INDICATION_REVISION_1,
        n::NDIS_SIZEOF_STATUS_INDICATION_REVISION_1,
    );
    it.SourceHandle = adapter;
    it.StatusCode = code;
    if !bytes.is_empty() {
        it.StatusBuffer = bytes.as_mut_ptr().cast();
        it.StatusBufferSize = bytes.len() as u32;
    }
    it
}

/// Indicates it.
pub fn indicate(adapter: NDIS_HANDLE, vc: NDIS_HANDLE, mut it: n::NDIS_STATUS_INDICATION) {
    // SAFETY: handles may be anything; the indication lives for the call.
    unsafe { n::NdisMCoIndicateStatusEx(adapter, vc, &raw mut it) };
}
