//! The OIDs of WAN adapters and of TAPI, from one table, at whichever door a request comes.
//!
//! The pages name a door for some of them and none for others (rules [WAN-01], [WAN-11],
//! [OID-13]). A request that comes by another one is answered as well: nothing else could be meant.
//! What belongs to a link is asked about its VC. Without a VC the adapter is meant (rule [OID-23]):
//! the answer is that of a link which is not set up yet, or the counters of all, and what is set
//! is set for all links that there are or will be.
//!
//! [OID-13]: ndis_sys::rules#OID-13
//! [OID-23]: ndis_sys::rules#OID-23
//! [WAN-01]: ndis_sys::rules#WAN-01
//! [WAN-11]: ndis_sys::rules#WAN-11

use super::{Adapter, Wan, WanMiniport, call::Call};
use crate::{Answer, Status, Vc};
use ndis_co::{
    irql::UpToDispatch,
    oid::{Door, Kind, OidRequest, number},
    tapi::{AddressCaps, CallDiagnostics, CallOrigin, CallReason, Flat, LineCaps},
    wan::{Compression, CompressionInfo, LinkInfo, Statistics},
};

/// What is in the adapter's list of OIDs; those of the call manager are none of the adapter's.
pub(super) const OF_ADAPTER: [u32; 7] = [
    number::WAN_PERMANENT_ADDRESS,
    number::WAN_CURRENT_ADDRESS,
    number::WAN_MEDIUM_SUBTYPE,
    number::WAN_CO_GET_INFO,
    number::WAN_CO_SET_LINK_INFO,
    number::WAN_CO_GET_LINK_INFO,
    number::WAN_CO_GET_STATS_INFO,
];

/// The same of an adapter whose links compress.
pub(super) const OF_COMPRESSING_ADAPTER: [u32; 9] = {
    let [a, b, c, d, e, f, g] = OF_ADAPTER;
    let [get, set] = [number::WAN_CO_GET_COMP_INFO, number::WAN_CO_SET_COMP_INFO];
    [a, b, c, d, e, f, g, get, set]
};

/// Answers a request, about a VC or the adapter, or gives it back: it is not of these, or one that
/// the driver answers itself.
pub(super) fn answer<'r, W: WanMiniport, D: Door>(
    adapter: &Adapter<W>,
    vc: Option<&Vc<Wan<W>>>,
    request: OidRequest<'r, D>,
    irql: &mut UpToDispatch,
) -> Result<Answer<'r>, OidRequest<'r, D>> {
    let oid = request.oid();
    if W::OIDS.contains(&oid) {
        return Err(request);
    }
    let call = vc.and_then(|vc| Call::on(vc, irql));
    let call = call.as_ref();
    if oid == number::WAN_CO_SET_LINK_INFO && request.kind() == Kind::Set {
        return Ok(set_link(adapter, call, request, irql));
    }
    let (link, lines) = (&adapter.link, &adapter.lines);
    if let Some(can) = link.can_compress() {
        match oid {
            number::WAN_CO_GET_COMP_INFO => return Ok(reply(request, can)),
            number::WAN_CO_SET_COMP_INFO => {
                return Ok(match (request.kind(), call) {
                    (Kind::Set, Some(call)) => set_compression(call, can, request, irql),
                    // What is chosen belongs to a link.
                    (Kind::Set, None) => request.not_supported(),
                    (_, call) => {
                        let chosen = call.map(Call::compression);
                        reply(request, &chosen.unwrap_or_default())
                    }
                });
            }
            _ => {}
        }
    }
    // What is no query is refused by the reply.
    Ok(match oid {
        number::CO_TAPI_CM_CAPS => reply(request, &lines.cm_caps()),
        number::CO_TAPI_LINE_CAPS => match LineCaps::asked(request.input()) {
            Ok(line) => reply_or_refuse(request, lines.line_caps(line)),
            Err(_) => reply_or_refuse(request, lines.line_caps(0)),
        },
        number::CO_TAPI_ADDRESS_CAPS => match AddressCaps::asked(request.input()) {
            Ok((line, address)) => reply_or_refuse(request, lines.address_caps(line, address)),
            Err(_) => reply_or_refuse(request, lines.address_caps(0, 0)),
        },
        number::CO_TAPI_GET_CALL_DIAGNOSTICS => reply(request, &diagnostics(vc)),
        number::WAN_PERMANENT_ADDRESS | number::WAN_CURRENT_ADDRESS => request.reply(&link.mac()),
        number::WAN_MEDIUM_SUBTYPE => request.reply_value(&link.subtype().number()),
        number::WAN_CO_GET_INFO => reply(request, link.info()),
        // What was set has the same layout.
        number::WAN_CO_GET_LINK_INFO | number::WAN_CO_SET_LINK_INFO => {
            let info = call.map_or_else(|| adapter.of_all.get(), Call::link);
            reply(request, &info)
        }
        number::WAN_CO_GET_STATS_INFO => {
            let counters = call.map_or_else(|| of_adapter(adapter), Call::statistics);
            let len = Statistics::answer_size(request.capacity());
            request.reply_with(len, |room| {
                // There is as much room as it takes.
                let _ = counters.answer(room);
            })
        }
        _ => return of_call(call, request),
    })
}

/// Answers a query with a structure; too little room is refused, and how much it takes is said
/// (rule OID-21).
fn reply<'r, D: Door>(request: OidRequest<'r, D>, answer: &impl Flat) -> Answer<'r> {
    if !request.kind().is_query() {
        return request.not_supported();
    }
    request.reply_with(answer.size(), |room| {
        // There is as much room as it takes, and each part is of this module's.
        let _ = answer.write_to(room);
    })
}

/// The same, or refuses what is asked about a line or an address that is none.
fn reply_or_refuse<'r, D: Door>(
    request: OidRequest<'r, D>,
    answer: Result<impl Flat, Status>,
) -> Answer<'r> {
    match answer {
        Ok(answer) => reply(request, &answer),
        Err(status) => request.refuse(status),
    }
}

/// NDISWAN sets a link: what the adapter has not offered is refused (rule WAN-05), the rest kept
/// for the call, or for all when it is about none.
fn set_link<'r, W: WanMiniport, D: Door>(
    adapter: &Adapter<W>,
    call: Option<&Call<W>>,
    request: OidRequest<'r, D>,
    irql: &mut UpToDispatch,
) -> Answer<'r> {
    let Ok(info) = LinkInfo::parse(request.input()) else {
        return request.invalid_length(SET_LINK);
    };
    // Sizes may be set up to those of the adapter, also after lower ones were set.
    if let Err(status) = info.check(adapter.link.info(), &adapter.link.unset()) {
        return request.refuse(status);
    }
    if let Some(call) = call {
        // NDISWAN is there now: what was said when the call came up, it may not have heard.
        call.tell_first_set(irql);
        set_one(call, info, irql);
    } else {
        adapter.of_all.set(info);
        let mut calls = adapter.calls();
        while let Some(call) = calls.next(irql) {
            set_one(&call, info, irql);
        }
    }
    request.accept(SET_LINK)
}

/// The bytes of what is set.
const SET_LINK: usize = size_of::<ndis_sys::NDIS_WAN_CO_SET_LINK_INFO>();

fn set_one<W: WanMiniport>(call: &Call<W>, info: LinkInfo, irql: &mut UpToDispatch) {
    call.core().set_link(info);
    let driver = call.adapter().driver();
    driver.link_set(call, &info, irql);
}

/// NDISWAN says what a link compresses: what the driver cannot is refused, the rest kept.
fn set_compression<'r, W: WanMiniport, D: Door>(
    call: &Call<W>,
    can: &CompressionInfo,
    request: OidRequest<'r, D>,
    irql: &mut UpToDispatch,
) -> Answer<'r> {
    let Ok(chosen) = CompressionInfo::parse(request.input()) else {
        return request.invalid_length(COMPRESSION);
    };
    let has = |can: &Compression, chosen: &Compression| {
        let algorithm = [Compression::NONE, can.algorithm].contains(&chosen.algorithm);
        algorithm && can.kinds.contains(chosen.kinds) && chosen.is_whole()
    };
    if !has(&can.send, &chosen.send) || !has(&can.receive, &chosen.receive) {
        return request.refuse(Status::INVALID_DATA);
    }
    call.core().set_compression(chosen);
    let driver = call.adapter().driver();
    driver.compression_set(call, &chosen, irql);
    request.accept(COMPRESSION)
}

/// The bytes of it.
const COMPRESSION: usize = size_of::<ndis_sys::NDIS_WAN_CO_SET_COMP_INFO>();

/// Where the last call on a VC came from. The driver's own account of it is none: what there is
/// to say, the status has said.
fn diagnostics<W: WanMiniport>(vc: Option<&Vc<Wan<W>>>) -> CallDiagnostics<'static> {
    match vc.and_then(|vc| vc.origin()) {
        Some(origin) => CallDiagnostics {
            origin,
            reason: CallReason::DIRECT,
            info: &[],
        },
        None => CallDiagnostics {
            origin: CallOrigin::UNAVAIL,
            reason: CallReason::UNAVAIL,
            info: &[],
        },
    }
}

/// The low halves of the adapter's counters.
fn of_adapter<W: WanMiniport>(adapter: &Adapter<W>) -> Statistics {
    let all = adapter.statistics();
    let low = |counter: u64| {
        let [low @ .., _, _, _, _] = counter.to_le_bytes();
        u32::from_le_bytes(low)
    };
    Statistics {
        bytes_sent: low(all.bytes_sent()),
        bytes_received: low(all.bytes_received()),
        frames_sent: low(all.packets_sent()),
        frames_received: low(all.packets_received()),
        buffer_overrun_errors: low(all.packets_lost()),
        ..Statistics::default()
    }
}

/// The counters of a call, with 64 bits; those of the adapter, the layer answers.
fn of_call<'r, W: WanMiniport, D: Door>(
    call: Option<&Call<W>>,
    request: OidRequest<'r, D>,
) -> Result<Answer<'r>, OidRequest<'r, D>> {
    let Some(call) = call else {
        return Err(request);
    };
    let counters = &call.core().counters;
    let counter = match request.oid() {
        number::GEN_CO_XMIT_PDUS_OK => counters.frames_sent(),
        number::GEN_CO_RCV_PDUS_OK => counters.frames_received(),
        number::GEN_CO_XMIT_PDUS_ERROR => counters.frames_not_sent(),
        number::GEN_CO_RCV_PDUS_ERROR => counters.frames_damaged(),
        number::GEN_CO_RCV_PDUS_NO_BUFFER => counters.frames_lost(),
        number::GEN_CO_BYTES_XMIT => counters.bytes_sent(),
        number::GEN_CO_BYTES_RCV => counters.bytes_received(),
        _ => return Err(request),
    };
    Ok(request.reply_u64(counter))
}
