//! [`Opened`]: a device as the files that are open on it know it.
//!
//! Nothing says that a program closes its files when a device goes: requests for them come until
//! it does (rule [DEV-07]). So a file keeps this, and when the device ends, the driver's own part
//! of both goes at once: no program keeps an adapter that is to be halted.
//!
//! [DEV-07]: ndis_sys::rules#DEV-07

use super::{
    ControlDevice,
    control::Origin,
    pending::{OfFile, Waiting},
};
use crate::lock::StateLock;
use core::ffi::c_void;
use ndis_co::{
    Status,
    irql::Passive,
    mem::{Arc, Lent, Tag, Vec},
    scope::Live,
};

/// The device has gone.
const GONE: Status = Status::from_raw(ndis_sys::STATUS_DEVICE_REMOVED);

/// A device that can be opened, and its files.
pub(super) struct Opened<D: ControlDevice> {
    state: StateLock<State<D>>,
    /// What is answered later.
    waiting: Arc<Waiting>,
    /// The device object's reference, as long as the device is registered.
    pub(super) lent: Lent<Self>,
}

struct State<D: ControlDevice> {
    /// Until the device goes.
    device: Option<Arc<D>>,
    files: Vec<Arc<File<D>>>,
}

/// A file that is open on a device.
pub(super) struct File<D: ControlDevice> {
    device: Arc<Opened<D>>,
    /// As its requests know it.
    of_requests: Arc<OfFile>,
    /// The file object's reference, until the close.
    lent: Lent<Self>,
    /// Until the device or the file goes.
    context: StateLock<Option<Arc<D::File>>>,
}

impl<D: ControlDevice> Opened<D> {
    pub(super) fn try_new(device: D, live: Live) -> Result<Arc<Self>, Status> {
        let state = State {
            device: Some(Arc::try_new(device, Tag::NDIS)?),
            files: Vec::new(Tag::NDIS),
        };
        let opened = Self {
            state: StateLock::new(state),
            waiting: Waiting::try_new(live)?,
            lent: Lent::new(),
        };
        Ok(Arc::try_new(opened, Tag::NDIS)?)
    }

    fn device(&self) -> Option<Arc<D>> {
        self.state.with(|state| state.device.clone())
    }

    /// The driver's value, as long as the device is there.
    pub(super) fn look<R>(&self, f: impl FnOnce(&D) -> R) -> Option<R> {
        self.device().map(|device| f(&device))
    }

    /// Opens a file.
    pub(super) fn open(this: &Arc<Self>, irql: &mut Passive) -> Result<Arc<File<D>>, Status> {
        let device = this.device().ok_or(GONE)?;
        let context = Arc::try_new(device.open(irql)?, Tag::NDIS)?;
        let file = File {
            device: this.clone(),
            of_requests: OfFile::try_new()?,
            lent: Lent::new(),
            context: StateLock::new(Some(context)),
        };
        let file = Arc::try_new(file, Tag::NDIS)?;
        let entry = file.clone();
        this.state.with(|state| {
            if state.device.is_none() {
                return Err(GONE);
            }
            Ok(state.files.try_push(entry)?)
        })?;
        Ok(file)
    }

    /// The device goes, and with it what the driver has made for its files. What a handler uses
    /// at the moment goes when that has returned.
    pub(super) fn end(&self, irql: &mut Passive) {
        self.waiting.end(GONE, irql);
        let (device, files) = self
            .state
            .with(|state| (state.device.take(), state.files.take()));
        for file in &files {
            drop(file.take());
        }
        drop(device);
    }
}

impl<D: ControlDevice> File<D> {
    fn take(&self) -> Option<Arc<D::File>> {
        self.context.with(Option::take)
    }

    /// The device and the file's context, as long as both are there.
    pub(super) fn parts(&self) -> Result<(Arc<D>, Arc<D::File>), Status> {
        let device = self.device.device().ok_or(GONE)?;
        let context = self.context.with(|context| context.clone()).ok_or(GONE)?;
        Ok((device, context))
    }

    /// Where its requests belong.
    pub(super) fn origin(&self) -> Origin {
        Origin {
            waiting: self.device.waiting.clone(),
            file: self.of_requests.clone(),
        }
    }

    /// Lends the file to its file object, until [`end`](Self::end).
    pub(super) fn lend(this: &Arc<Self>) -> *mut c_void {
        this.lent.lend(this)
    }

    /// The last handle is closed.
    pub(super) fn closed(&self, irql: &mut Passive) {
        if let Ok((device, file)) = self.parts() {
            device.closed(&file, irql);
        }
        self.device.waiting.close(&self.of_requests, irql);
    }

    /// The file goes.
    pub(super) fn end(this: &Arc<Self>) {
        let files = &this.device.state;
        let is_this = |file: &Arc<Self>| Arc::ptr_eq(file, this);
        drop(files.with(|state| state.files.take_first(is_this)));
        drop(this.take());
        drop(this.lent.end());
    }
}
