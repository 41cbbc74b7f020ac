//! What a call manager says of its lines, asked in the documented order (rule [TAPI-04]).
//!
//! The order is one of types: [`Manager`] comes from the answer to the first question, and has the
//! second; what is asked third needs the answer to that.
//!
//! [TAPI-04]: ndis_sys::rules#TAPI-04

use super::{Ndproxy, TAG, Tapi};
use ndis_co::{
    Status,
    client::Af,
    irql::Passive,
    mem::Vec,
    oid::{Oid, OutgoingRequest, QueryWith, ToManager, known, number},
    tapi::{
        self, AddressCaps, AddressModes, BearerModes, CmCaps, LineAddressCaps, LineCaps,
        LineDevCaps, MediaModes, Version,
    },
};

/// More lines, or more addresses of one, are not believed in.
const MOST: u32 = 1024;

/// The room for an answer: what is there at first, and when that is too small.
const SHORT: usize = 512;
const LONG: usize = 2048;

/// What is known of one line.
#[derive(Clone, Debug)]
pub struct Line {
    /// Its number.
    pub line: u32,
    /// How many addresses it has.
    pub addresses: u32,
    /// Whether they differ: calls are taken on each by itself.
    pub per_address: bool,
    /// What it promises.
    pub bearer_modes: BearerModes,
    /// What calls may carry.
    pub media_modes: MediaModes,
    /// How addresses are given.
    pub address_modes: AddressModes,
    /// In bits a second.
    pub max_rate: u32,
    /// How many calls it can have at a time.
    pub max_active_calls: u32,
    /// How many calls an address of it can have at a time: the first one, when they differ.
    pub max_address_calls: u32,
}

/// What is known of an adapter's lines.
#[derive(Debug)]
pub(super) struct Lines {
    pub(super) version: Version,
    /// Whether they differ: a line is named when calls to it are taken.
    pub(super) per_line: bool,
    pub(super) all: Vec<Line>,
}

impl Lines {
    pub(super) const fn none() -> Self {
        Self {
            version: Version(0),
            per_line: false,
            all: Vec::new(TAG),
        }
    }

    pub(super) fn get(&self, line: u32) -> Option<&Line> {
        self.all.get(line as usize)
    }
}

/// Who has said how many lines there are.
struct Manager<'a, T: Tapi> {
    af: &'a Af<Ndproxy<T>>,
    caps: CmCaps,
}

/// What was said of a line, and what of its addresses follows from that.
struct Asked<'a, T: Tapi> {
    af: &'a Af<Ndproxy<T>>,
    line: Line,
}

/// Asks for all that there is to know.
///
/// # Errors
///
/// The first failure.
pub(super) fn enumerate<T: Tapi>(af: &Af<Ndproxy<T>>, irql: &mut Passive) -> Result<Lines, Status> {
    let manager = Manager::ask(af, irql)?;
    let mut all = Vec::new(TAG);
    let same = (!manager.caps.per_line && manager.caps.lines > 0)
        .then(|| manager.line(0, irql)?.addresses(irql))
        .transpose()?;
    for line in 0..manager.caps.lines.min(MOST) {
        let of_it = match &same {
            // It is like the first one.
            Some(first) => Line {
                line,
                ..first.clone()
            },
            None => manager.line(line, irql)?.addresses(irql)?,
        };
        all.try_push(of_it)?;
    }
    Ok(Lines {
        version: manager.caps.version,
        per_line: manager.caps.per_line,
        all,
    })
}

impl<'a, T: Tapi> Manager<'a, T> {
    fn ask(af: &'a Af<Ndproxy<T>>, irql: &mut Passive) -> Result<Self, Status> {
        let query = OutgoingRequest::query(known::CO_TAPI_CM_CAPS)?;
        let answer = af.request_and_wait(query, irql)?;
        answer.result()?;
        let caps = CmCaps::parse(answer.bytes())?;
        Ok(Self { af, caps })
    }

    fn line(&self, line: u32, irql: &mut Passive) -> Result<Asked<'a, T>, Status> {
        let af = self.af;
        let about = |buffer: &mut [u8]| LineCaps::ask(line, buffer);
        let needs = |answer: &[u8]| {
            let behind = answer.get(8..).unwrap_or_default();
            LineDevCaps::sizes(behind).map_or(0, |sizes| sizes.needed.saturating_add(8))
        };
        let read = |answer: &[u8]| {
            let caps = LineCaps::parse(answer)?;
            Ok(Line {
                line,
                addresses: caps.device.addresses,
                per_address: caps.per_address,
                bearer_modes: caps.device.bearer_modes,
                media_modes: caps.device.media_modes,
                address_modes: caps.device.address_modes,
                max_rate: caps.device.max_rate,
                max_active_calls: caps.device.max_active_calls,
                max_address_calls: 0,
            })
        };
        let line = ask_with(af, number::CO_TAPI_LINE_CAPS, &about, &needs, &read, irql)?;
        Ok(Asked { af, line })
    }
}

impl<T: Tapi> Asked<'_, T> {
    /// Once, or once for each address when they differ.
    fn addresses(mut self, irql: &mut Passive) -> Result<Line, Status> {
        let differ = self.line.per_address;
        let count = if differ { self.line.addresses } else { 1 };
        for address in 0..count.min(MOST) {
            let line = self.line.line;
            let about = |buffer: &mut [u8]| AddressCaps::ask(line, address, buffer);
            let needs = |answer: &[u8]| {
                let behind = answer.get(12..).unwrap_or_default();
                LineAddressCaps::sizes(behind).map_or(0, |sizes| sizes.needed.saturating_add(12))
            };
            let read = |answer: &[u8]| Ok(AddressCaps::parse(answer)?.caps.max_active_calls);
            let oid = number::CO_TAPI_ADDRESS_CAPS;
            let calls = ask_with(self.af, oid, &about, &needs, &read, irql)?;
            if address == 0 {
                self.line.max_address_calls = calls;
            }
        }
        Ok(self.line)
    }
}

/// Asks a question that the buffer carries, once more when the answer needs more room. That it
/// does, an error says, or an answer that is incomplete: no page settles which.
fn ask_with<T: Tapi, R>(
    af: &Af<Ndproxy<T>>,
    oid: u32,
    about: &impl Fn(&mut [u8]) -> Result<(), Status>,
    needs: &impl Fn(&[u8]) -> u32,
    read: &impl Fn(&[u8]) -> Result<R, Status>,
    irql: &mut Passive,
) -> Result<R, Status> {
    let query = query::<SHORT>(oid, about)?;
    let answer = af.request_and_wait(query, irql)?;
    let bytes = answer.bytes();
    let short = match answer.result() {
        Ok(()) => needs(bytes) as usize > SHORT,
        Err(status) => {
            if answer.needed().is_none() {
                return Err(status);
            }
            true
        }
    };
    if !short {
        return read(bytes);
    }
    drop(answer);
    let query = self::query::<LONG>(oid, about)?;
    let answer = af.request_and_wait(query, irql)?;
    answer.result()?;
    read(answer.bytes())
}

/// A query with something in its buffer, which has room for `N` bytes. In a function of its own,
/// so that its stack is free again when the answer is waited for.
#[inline(never)]
fn query<const N: usize>(
    oid: u32,
    about: &impl Fn(&mut [u8]) -> Result<(), Status>,
) -> Result<OutgoingRequest<ToManager>, Status> {
    let mut buffer = [0; N];
    about(&mut buffer)?;
    let oid: Oid<[u8; N], QueryWith<[u8; N]>, ToManager> = Oid::new(oid);
    Ok(OutgoingRequest::query_with(oid, &buffer)?)
}

/// Where calls to a line are taken: the wildcards stand for lines, and addresses, that do not
/// differ.
pub(super) fn saps(
    lines: &Lines,
    line: &Line,
    media_modes: MediaModes,
) -> impl Iterator<Item = tapi::LineSap> + use<> {
    let number = if lines.per_line {
        line.line
    } else {
        tapi::ANY_LINE
    };
    let each = line.per_address.then_some(0..line.addresses.min(MOST));
    let any = each.is_none().then_some(tapi::ANY_ADDRESS);
    let sap = move |address| tapi::LineSap {
        line: number,
        address,
        media_modes,
    };
    each.into_iter().flatten().chain(any).map(sap)
}
