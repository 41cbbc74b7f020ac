//! The counters of an adapter as one structure.

use super::Statistics;
use ndis_co::raw;
use ndis_sys::NDIS_STATISTICS_INFO;

/// A driver of NDIS 6 counts everything, says the OID's page. No packet of a VC is for several receivers or for all:
/// of those there are none.
const ALL: [i32; 18] = [
    ndis_sys::NDIS_STATISTICS_FLAGS_VALID_DIRECTED_FRAMES_RCV,
    ndis_sys::NDIS_STATISTICS_FLAGS_VALID_MULTICAST_FRAMES_RCV,
    ndis_sys::NDIS_STATISTICS_FLAGS_VALID_BROADCAST_FRAMES_RCV,
    ndis_sys::NDIS_STATISTICS_FLAGS_VALID_BYTES_RCV,
    ndis_sys::NDIS_STATISTICS_FLAGS_VALID_RCV_DISCARDS,
    ndis_sys::NDIS_STATISTICS_FLAGS_VALID_RCV_ERROR,
    ndis_sys::NDIS_STATISTICS_FLAGS_VALID_DIRECTED_FRAMES_XMIT,
    ndis_sys::NDIS_STATISTICS_FLAGS_VALID_MULTICAST_FRAMES_XMIT,
    ndis_sys::NDIS_STATISTICS_FLAGS_VALID_BROADCAST_FRAMES_XMIT,
    ndis_sys::NDIS_STATISTICS_FLAGS_VALID_BYTES_XMIT,
    ndis_sys::NDIS_STATISTICS_FLAGS_VALID_XMIT_ERROR,
    ndis_sys::NDIS_STATISTICS_FLAGS_VALID_XMIT_DISCARDS,
    ndis_sys::NDIS_STATISTICS_FLAGS_VALID_DIRECTED_BYTES_RCV,
    ndis_sys::NDIS_STATISTICS_FLAGS_VALID_MULTICAST_BYTES_RCV,
    ndis_sys::NDIS_STATISTICS_FLAGS_VALID_BROADCAST_BYTES_RCV,
    ndis_sys::NDIS_STATISTICS_FLAGS_VALID_DIRECTED_BYTES_XMIT,
    ndis_sys::NDIS_STATISTICS_FLAGS_VALID_MULTICAST_BYTES_XMIT,
    ndis_sys::NDIS_STATISTICS_FLAGS_VALID_BROADCAST_BYTES_XMIT,
];

/// All of them at once, as NDIS has them. Each packet is for one receiver.
pub(super) fn info(all: &Statistics) -> NDIS_STATISTICS_INFO {
    let mut info: NDIS_STATISTICS_INFO = ndis_sys::zeroed();
    info.Header = raw::header(
        ndis_sys::NDIS_OBJECT_TYPE_DEFAULT,
        ndis_sys::NDIS_STATISTICS_INFO_REVISION_1,
        ndis_sys::NDIS_SIZEOF_STATISTICS_INFO_REVISION_1,
    );
    info.SupportedStatistics = ALL.iter().fold(0, |all, flag| all | flag).cast_unsigned();
    info.ifInDiscards = all.packets_lost();
    info.ifInErrors = all.packets_received_wrong();
    info.ifHCInOctets = all.bytes_received();
    info.ifHCInUcastOctets = info.ifHCInOctets;
    info.ifHCInUcastPkts = all.packets_received();
    info.ifHCOutOctets = all.bytes_sent();
    info.ifHCOutUcastOctets = info.ifHCOutOctets;
    info.ifHCOutUcastPkts = all.packets_sent();
    info.ifOutErrors = all.packets_not_sent();
    info
}
