//! [`Statistics`]: the counters of a link.

use super::structure::{as_it_is, structure};
use crate::{Status, tapi::Flat};
use core::mem::offset_of;
use ndis_sys::NDIS_WAN_CO_GET_STATS_INFO;

structure! {
    /// The counters of a link: the answer to `OID_WAN_CO_GET_STATS_INFO`, an
    /// `NDIS_WAN_CO_GET_STATS_INFO` (rule [WAN-07]). They wrap.
    ///
    /// The page has the first fourteen, the header fifteen more, for tunnels. So how much is
    /// answered follows from the room, see [`answer_size`](Self::answer_size), and what is read
    /// may be the first part only. Without compression its four counters are zero.
    ///
    /// Source page: [oid-wan-co-get-stats-info](https://learn.microsoft.com/windows-hardware/drivers/network/oid-wan-co-get-stats-info).
    ///
    /// [WAN-07]: ndis_sys::rules#WAN-07
    #[doc(alias = "NDIS_WAN_CO_GET_STATS_INFO")]
    #[doc(alias = "OID_WAN_CO_GET_STATS_INFO")]
    Statistics = NDIS_WAN_CO_GET_STATS_INFO {
        /// Bytes that were sent.
        bytes_sent: u32 = BytesSent;
        /// Bytes that were received.
        bytes_received: u32 = BytesRcvd;
        /// Frames that were sent.
        frames_sent: u32 = FramesSent;
        /// Frames that were received.
        frames_received: u32 = FramesRcvd;
        /// Frames with a wrong checksum.
        crc_errors: u32 = CRCErrors;
        /// Frames that took too long.
        timeout_errors: u32 = TimeoutErrors;
        /// Frames with an odd bit.
        alignment_errors: u32 = AlignmentErrors;
        /// Frames that the hardware lost.
        overrun_errors: u32 = SerialOverrunErrors;
        /// Frames without a true end.
        framing_errors: u32 = FramingErrors;
        /// Frames that there was no buffer for.
        buffer_overrun_errors: u32 = BufferOverrunErrors;
        /// Bytes sent, before compression.
        sent_uncompressed: u32 = BytesTransmittedUncompressed;
        /// Bytes received, after decompression.
        received_uncompressed: u32 = BytesReceivedUncompressed;
        /// Bytes sent, after compression.
        sent_compressed: u32 = BytesTransmittedCompressed;
        /// Bytes received, before decompression.
        received_compressed: u32 = BytesReceivedCompressed;
        /// Packets that a tunnel received.
        tunnel_received: u32 = TunnelPacketsRecieved;
        /// Those of them that wait.
        tunnel_receive_pending: u32 = TunnelRecievePacketsPending;
        /// Those that were indicated.
        tunnel_indicated: u32 = TunnelPacketsIndicatedUp;
        /// Those that were refused.
        tunnel_receive_rejected: u32 = TunnelRecievePacketsRejected;
        /// Packets that a tunnel was given to send.
        tunnel_sent: u32 = TunnelPacketsSent;
        /// Those of them that were completed.
        tunnel_send_completed: u32 = TunnelPacketsSentComplete;
        /// Those that wait.
        tunnel_transmit_pending: u32 = TunnelTransmitPacketsPending;
        /// Those that could not be transmitted.
        tunnel_transmit_errors: u32 = TunnelPacketsTransmitError;
        /// Those that could not be sent.
        tunnel_send_errors: u32 = TunnelPacketsSentError;
        /// Those that were refused.
        tunnel_transmit_rejected: u32 = TunnelTransmitPacketsRejected;
        /// Acknowledgements that were sent.
        tunnel_acks_sent: u32 = TunnelAcksSent;
        /// Those of them that were completed.
        tunnel_acks_completed: u32 = TunnelAcksSentComplete;
        /// What the driver likes to count.
        tunnel_generic1: u32 = TunnelGeneric1;
        /// What the driver likes to count.
        tunnel_generic2: u32 = TunnelGeneric2;
        /// What the driver likes to count.
        tunnel_generic3: u32 = TunnelGeneric3;
    }
}

as_it_is!(Statistics = NDIS_WAN_CO_GET_STATS_INFO);

/// The bytes of the counters that the page has.
const DOCUMENTED: usize = offset_of!(NDIS_WAN_CO_GET_STATS_INFO, TunnelPacketsRecieved);
const ALL: usize = size_of::<NDIS_WAN_CO_GET_STATS_INFO>();

impl Statistics {
    /// How many bytes to answer a query with that has this much room: all of the counters, or
    /// those of the page when only they fit. Room for less than these is too short for any
    /// answer, and the requester hears that all of them would take.
    #[must_use]
    pub const fn answer_size(room: usize) -> usize {
        if room >= DOCUMENTED && room < ALL {
            DOCUMENTED
        } else {
            ALL
        }
    }

    /// Writes as many counters as there is room for by
    /// [`answer_size`](Self::answer_size), and tells how many bytes that are.
    ///
    /// # Errors
    ///
    /// [`Status::BUFFER_TOO_SHORT`] when there is room for less than the counters of the page.
    pub fn answer(&self, room: &mut [u8]) -> Result<usize, Status> {
        let len = Self::answer_size(room.len());
        let own = room.get_mut(..len).ok_or(Status::BUFFER_TOO_SHORT)?;
        let mut all = [0; ALL];
        self.write_to(&mut all)?;
        crate::nbl::copy_bytes(own, &all);
        Ok(len)
    }

    /// Reads an answer: all counters, or those of the page, with zero for the others.
    ///
    /// # Errors
    ///
    /// [`Status::INVALID_LENGTH`] when there are less than these.
    pub fn parse_answer(bytes: &[u8]) -> Result<Self, Status> {
        if bytes.len() < DOCUMENTED {
            return Err(Status::INVALID_LENGTH);
        }
        let known = bytes.get(..Self::answer_size(bytes.len()));
        let mut all = [0; ALL];
        crate::nbl::copy_bytes(&mut all, known.unwrap_or_default());
        Self::parse(&all)
    }
}
