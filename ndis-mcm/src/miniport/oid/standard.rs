//! [`Standing`]: what every connection-oriented miniport must answer, from what the driver has
//! declared of its adapter.
//!
//! The pages of connection-oriented NDIS make these OIDs the miniport's to answer (rule
//! [OID-24]); those of general NDIS say of most of them that NDIS answers itself, from the
//! attributes. The same data are given to both.
//!
//! [OID-24]: ndis_sys::rules#OID-24

use super::{Statistics, statistics};
use crate::{
    Attributes,
    miniport::{Miniport, Role},
};
use ndis_co::{
    Answer, Status,
    mem::{Tag, Vec},
    oid::{Door, OidRequest, ToAdapter, known, number},
    raw,
};
use ndis_sys::NDIS_CO_LINK_SPEED;

/// What the layer answers for every adapter.
const ALWAYS: [u32; 2] = [number::PNP_SET_POWER, number::PNP_QUERY_POWER];

/// What it answers for a connection-oriented one.
const ORIENTED: [u32; 21] = [
    number::GEN_CO_SUPPORTED_LIST,
    number::GEN_CO_HARDWARE_STATUS,
    number::GEN_CO_MEDIA_SUPPORTED,
    number::GEN_CO_MEDIA_IN_USE,
    number::GEN_CO_LINK_SPEED,
    number::GEN_CO_VENDOR_ID,
    number::GEN_CO_VENDOR_DESCRIPTION,
    number::GEN_CO_DRIVER_VERSION,
    number::GEN_CO_PROTOCOL_OPTIONS,
    number::GEN_CO_MAC_OPTIONS,
    number::GEN_CO_MEDIA_CONNECT_STATUS,
    number::GEN_CO_VENDOR_DRIVER_VERSION,
    number::GEN_CO_MINIMUM_LINK_SPEED,
    number::GEN_STATISTICS,
    number::GEN_CO_XMIT_PDUS_OK,
    number::GEN_CO_RCV_PDUS_OK,
    number::GEN_CO_XMIT_PDUS_ERROR,
    number::GEN_CO_RCV_PDUS_ERROR,
    number::GEN_CO_RCV_PDUS_NO_BUFFER,
    number::GEN_CO_BYTES_XMIT,
    number::GEN_CO_BYTES_RCV,
];

/// What an adapter answers without its driver.
#[derive(Debug)]
pub(crate) struct Standing {
    attributes: Attributes,
    /// In rising order.
    oids: Vec<u32>,
    oriented: bool,
    version: (u8, u8),
}

impl Standing {
    /// Of an adapter with these attributes.
    pub(crate) fn try_new<M: Miniport>(attributes: &Attributes) -> Result<Self, Status> {
        let oriented = <M::Role as Role<M>>::IS_CO;
        let mut oids = Vec::new(Tag::NDIS);
        let of_role = if oriented { &ORIENTED[..] } else { &[] };
        let all = ALWAYS.iter().chain(of_role).chain(attributes.named_oids());
        // In rising order (rule OID-28); a sort of the library's can panic.
        let mut next = all.clone().min();
        while let Some(oid) = next {
            oids.try_push(*oid)?;
            next = all.clone().filter(|other| *other > oid).min();
        }
        Ok(Self {
            attributes: attributes.clone(),
            oids,
            oriented,
            version: M::VERSION,
        })
    }

    /// Which OIDs are answered, in rising order (rule INIT-30).
    pub(crate) fn oids(&self) -> &[u32] {
        &self.oids
    }

    /// Whether the medium is connected until the driver has indicated otherwise.
    pub(crate) fn connected(&self) -> bool {
        self.attributes.is_connected()
    }

    /// Answers a request, or gives it back: it is the driver's. What the driver has declared as
    /// its own, it answers itself. `connected` says what the driver has indicated of the medium.
    pub(super) fn answer<'r, D: Door<Asked = ToAdapter>>(
        &self,
        counted: Counted<'_>,
        connected: bool,
        request: OidRequest<'r, D>,
    ) -> Result<Answer<'r>, OidRequest<'r, D>> {
        let oid = request.oid();
        if !self.oriented || self.attributes.own_oids().contains(&oid) {
            return Err(request);
        }
        let about = &self.attributes;
        Ok(match oid {
            number::GEN_CO_SUPPORTED_LIST => {
                request.reply_list(known::GEN_CO_SUPPORTED_LIST, &self.oids)
            }
            number::GEN_CO_HARDWARE_STATUS => request.reply_to(
                known::GEN_CO_HARDWARE_STATUS,
                &ndis_sys::NdisHardwareStatusReady,
            ),
            number::GEN_CO_MEDIA_SUPPORTED => {
                request.reply_list(known::GEN_CO_MEDIA_SUPPORTED, &[about.medium()])
            }
            number::GEN_CO_MEDIA_IN_USE => {
                request.reply_list(known::GEN_CO_MEDIA_IN_USE, &[about.medium()])
            }
            number::GEN_CO_LINK_SPEED => request.reply_to(known::GEN_CO_LINK_SPEED, &self.speed()),
            number::GEN_CO_MINIMUM_LINK_SPEED => {
                request.reply_to(known::GEN_CO_MINIMUM_LINK_SPEED, &self.speed())
            }
            number::GEN_CO_VENDOR_ID => {
                request.reply_to(known::GEN_CO_VENDOR_ID, &about.vendor_code())
            }
            number::GEN_CO_VENDOR_DESCRIPTION => {
                request.reply(about.vendor_text().to_bytes_with_nul())
            }
            number::GEN_CO_DRIVER_VERSION => request.reply_to(
                known::GEN_CO_DRIVER_VERSION,
                &u16::from_be_bytes([raw::NDIS_VERSION.0, raw::NDIS_VERSION.1]),
            ),
            number::GEN_CO_VENDOR_DRIVER_VERSION => request.reply_to(
                known::GEN_CO_VENDOR_DRIVER_VERSION,
                // Rule OID-30.
                &(u32::from(self.version.0) << 16 | u32::from(self.version.1)),
            ),
            number::GEN_CO_MAC_OPTIONS => {
                request.reply_to(known::GEN_CO_MAC_OPTIONS, &Attributes::MAC_OPTIONS)
            }
            number::GEN_CO_MEDIA_CONNECT_STATUS => request.reply_to(
                known::GEN_CO_MEDIA_CONNECT_STATUS,
                if connected {
                    &ndis_sys::NdisMediaStateConnected
                } else {
                    &ndis_sys::NdisMediaStateDisconnected
                },
            ),
            // What a protocol can do changes nothing.
            number::GEN_CO_PROTOCOL_OPTIONS => match request.read(known::GEN_CO_PROTOCOL_OPTIONS) {
                Ok((options, request)) => request.accept(size_of_val(&options)),
                Err(answer) => answer,
            },
            _ if matches!(counted, Counted::OfVc(_)) && about.counts_calls() => {
                return Err(request);
            }
            _ => return counted.answer(request),
        })
    }

    /// The speed of the link, out and in, in units of 100 bit/s (rule OID-29).
    fn speed(&self) -> NDIS_CO_LINK_SPEED {
        let speed = self.attributes.speed() / 100;
        let speed = u32::try_from(speed).unwrap_or(u32::MAX);
        NDIS_CO_LINK_SPEED {
            Outbound: speed,
            Inbound: speed,
        }
    }
}

/// Whose counters are asked for. The same OIDs are known of both (rule OID-23).
#[derive(Clone, Copy)]
pub(crate) enum Counted<'c> {
    OfAdapter(&'c Statistics),
    OfVc(&'c Statistics),
}

impl Counted<'_> {
    /// Answers with a counter, or gives the request back: it asks for none.
    pub(crate) fn answer<'r, D: Door<Asked = ToAdapter>>(
        self,
        request: OidRequest<'r, D>,
    ) -> Result<Answer<'r>, OidRequest<'r, D>> {
        let (Self::OfAdapter(all) | Self::OfVc(all)) = self;
        let (oid, counter) = match request.oid() {
            number::GEN_STATISTICS => {
                return Ok(request.reply_to(known::GEN_STATISTICS, &statistics::info(all)));
            }
            number::GEN_CO_XMIT_PDUS_OK => (known::GEN_CO_XMIT_PDUS_OK, all.packets_sent()),
            number::GEN_CO_RCV_PDUS_OK => (known::GEN_CO_RCV_PDUS_OK, all.packets_received()),
            number::GEN_CO_XMIT_PDUS_ERROR => {
                (known::GEN_CO_XMIT_PDUS_ERROR, all.packets_not_sent())
            }
            number::GEN_CO_RCV_PDUS_ERROR => {
                (known::GEN_CO_RCV_PDUS_ERROR, all.packets_received_wrong())
            }
            number::GEN_CO_RCV_PDUS_NO_BUFFER => {
                (known::GEN_CO_RCV_PDUS_NO_BUFFER, all.packets_lost())
            }
            number::GEN_CO_BYTES_XMIT => (known::GEN_CO_BYTES_XMIT, all.bytes_sent()),
            number::GEN_CO_BYTES_RCV => (known::GEN_CO_BYTES_RCV, all.bytes_received()),
            _ => return Err(request),
        };
        Ok(request.reply_to(oid, &counter))
    }

    /// As [`answer`](Self::answer), where nothing else is known.
    pub(crate) fn answer_alone<'r, D: Door<Asked = ToAdapter>>(
        self,
        request: OidRequest<'r, D>,
    ) -> Answer<'r> {
        match self.answer(request) {
            Ok(answer) => answer,
            Err(request) => request.not_supported(),
        }
    }
}
