//! OID requests on their way: who asks whom, of what, and what each was when it set out.

use crate::callback::{Context, Ptr};
use crate::handle::{Kind, ObjectId};
use crate::log::Objects;
use crate::model::manager::Manager;
use crate::model::request::{Loan, Request};
use alloc::sync::Arc;
use alloc::vec::Vec;
use ndis_sys::NDIS_OID_REQUEST;

/// The handler that a request goes to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Door {
    /// `MiniportCoOidRequest`.
    MiniportCo,
    /// `MiniportOidRequest`.
    Miniport,
    /// `ProtocolCoOidRequest` of a call manager.
    Manager,
    /// `ProtocolCoOidRequest` of a client.
    Client,
}

impl Door {
    pub(crate) const fn handler(self) -> &'static str {
        match self {
            Self::MiniportCo => "MiniportCoOidRequest",
            Self::Miniport => "MiniportOidRequest",
            Self::Manager | Self::Client => "ProtocolCoOidRequest",
        }
    }

    /// Whether the miniport is asked.
    pub(crate) const fn is_miniports(self) -> bool {
        matches!(self, Self::MiniportCo | Self::Miniport)
    }
}

/// Who asks, and so hears of the end, and where.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Asker {
    /// NDIS, which waits.
    Ndis,
    /// A client on its binding: `ProtocolCoOidRequestComplete` of its client's handlers.
    Client(u32),
    /// A call manager: `ProtocolCoOidRequestComplete` of those of a call manager.
    Manager(Manager),
    /// A protocol on its binding: `ProtocolOidRequestComplete`.
    Protocol(u32),
}

impl Asker {
    /// The binding that it asks on.
    pub(crate) const fn binding(self) -> Option<u32> {
        match self {
            Self::Client(binding)
            | Self::Protocol(binding)
            | Self::Manager(Manager::Alone { binding }) => Some(binding),
            Self::Ndis | Self::Manager(Manager::Mcm { .. }) => None,
        }
    }
}

/// What the asker has put into a request, which stays as it is until the end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Given {
    pub(crate) kind: i32,
    pub(crate) port: u32,
    /// In seconds; 0 is for ever.
    pub(crate) timeout: u32,
    pub(crate) id: usize,
    pub(crate) source: usize,
    pub(crate) oid: u32,
    pub(crate) buffer: Ptr<u8>,
    /// How much a target may read, and how much write.
    pub(crate) input: u32,
    pub(crate) output: u32,
    pub(crate) method: u32,
}

/// A driver, by number and name.
#[derive(Clone, Debug)]
pub(crate) struct Actor {
    pub(crate) driver: u32,
    pub(crate) who: Arc<str>,
}

/// What a request is about, as far as NDIS knows.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Subject {
    pub(crate) adapter: u32,
    pub(crate) af: Option<u32>,
    pub(crate) vc: Option<u32>,
    pub(crate) party: Option<u32>,
}

/// An OID request on its way.
pub(crate) struct OidRequest {
    pub(crate) at: Ptr<NDIS_OID_REQUEST>,
    pub(crate) door: Door,
    pub(crate) asker: Asker,
    pub(crate) subject: Subject,
    pub(crate) from: Actor,
    pub(crate) to: Actor,
    /// The asker's own contexts, which it is told of the end with.
    pub(crate) contexts: [Context; 3],
    /// The function that completes it, and the rule that says so.
    pub(crate) completion: (&'static str, &'static str),
    pub(crate) given: Given,
    pub(crate) request: Request,
    /// The request's memory, where it is the pool's.
    pub(crate) memory: Option<Loan>,
    /// The information buffer's.
    pub(crate) buffer: Option<Loan>,
    /// What was to be set, of a request that pends.
    pub(crate) data: Vec<u8>,
    /// The handler has not returned.
    pub(crate) handing: bool,
    /// It was made after the notice that the device is gone (HALT-13).
    pub(crate) removed: bool,
    /// It waits for another one of the adapter to end (OID-58).
    pub(crate) queued: bool,
    /// The miniport was told to end it.
    pub(crate) cancelled: bool,
    /// And that was because its time was up.
    pub(crate) timed_out: bool,
    /// That it has not ended is reported.
    pub(crate) blamed: bool,
    /// When it was made, in units of 100 ns.
    pub(crate) since: u64,
}

impl OidRequest {
    /// What an event about it is about.
    pub(crate) fn objects(&self, number: u32) -> Objects {
        let vc = self.subject.vc.map(|vc| ObjectId::new(Kind::ClientVc, vc));
        let adapter = ObjectId::new(Kind::Adapter, self.subject.adapter);
        if self.asker == Asker::Ndis {
            return [Some(adapter), vc, None];
        }
        let af = self.subject.af.map(|af| ObjectId::new(Kind::ClientAf, af));
        [
            Some(ObjectId::new(Kind::OidRequest, number)),
            Some(af.unwrap_or(adapter)),
            vc,
        ]
    }

    /// What a report about it is about.
    pub(crate) fn object(&self, number: u32) -> ObjectId {
        if self.asker == Asker::Ndis {
            return ObjectId::new(Kind::Adapter, self.subject.adapter);
        }
        ObjectId::new(Kind::OidRequest, number)
    }

    /// Whether the target has it and has not answered.
    pub(crate) fn is_open(&self) -> bool {
        self.request.open()
    }

    /// Whether it is outstanding for its asker.
    pub(crate) fn is_outstanding(&self) -> bool {
        self.queued || self.is_open()
    }
}

/// A status that a miniport has to indicate for a request (STATUS-04).
pub(crate) struct Promise {
    pub(crate) adapter: u32,
    pub(crate) id: usize,
    pub(crate) source: usize,
    pub(crate) binding: Option<u32>,
}
