//! [`Info`], of an adapter, and [`LinkInfo`], of a link.

use super::{
    framing::Framing,
    structure::{as_it_is, flat, structure},
};
use crate::Status;
use ndis_sys::{NDIS_WAN_CO_INFO, NDIS_WAN_CO_SET_LINK_INFO};

structure! {
    /// What an adapter can do on each of its links: the answer to `OID_WAN_CO_GET_INFO`, an
    /// `NDIS_WAN_CO_INFO`.
    ///
    /// However it is written, the window is one at least, and PPP framing is among the others
    /// (rule [WAN-02]).
    ///
    /// ```
    /// use ndis_co::{tapi::Flat, wan::{Framing, Info}};
    /// # use ndis_host as _;
    ///
    /// let info = Info { framing: Framing::TUNNEL, ..Info::new(1400, 16) };
    /// let mut answer = [0; 16];
    /// assert_eq!(info.write_to(&mut answer), Ok(16));
    /// assert_eq!(Info::parse(&answer), Ok(info));
    /// ```
    ///
    /// Source page: [oid-wan-co-get-info](https://learn.microsoft.com/windows-hardware/drivers/network/oid-wan-co-get-info).
    ///
    /// [WAN-02]: ndis_sys::rules#WAN-02
    #[doc(alias = "NDIS_WAN_CO_INFO")]
    #[doc(alias = "OID_WAN_CO_GET_INFO")]
    Info = NDIS_WAN_CO_INFO {
        /// The largest frame either way, in bytes, without framing. The adapter itself takes
        /// [`EXTRA`](Self::EXTRA) bytes more (rule [WAN-03]).
        ///
        /// [WAN-03]: ndis_sys::rules#WAN-03
        max_frame_size: u32 = MaxFrameSize;
        /// How many packets may be under way on a link before NDISWAN waits; changed for a link by
        /// [`LinkParameters`](super::LinkParameters).
        max_send_window: u32 = MaxSendWindow;
        /// How frames may look.
        framing: Framing = FramingBits;
        /// The control characters that should be stuffed, bit by bit: asynchronous media only.
        desired_accm: u32 = DesiredACCM;
    }
}

flat!(Info = NDIS_WAN_CO_INFO);

impl Info {
    /// By how many bytes a frame may be larger than `max_frame_size` (rule [WAN-03]).
    ///
    /// [WAN-03]: ndis_sys::rules#WAN-03
    pub const EXTRA: u32 = 32;

    /// Frames of so many bytes, so many at a time, in PPP framing.
    #[must_use]
    pub const fn new(max_frame_size: u32, max_send_window: u32) -> Self {
        Self {
            max_frame_size,
            max_send_window,
            framing: Framing::PPP,
            desired_accm: 0,
        }
    }

    /// The C form.
    #[must_use]
    pub fn to_raw(self) -> NDIS_WAN_CO_INFO {
        let whole = Self {
            max_send_window: self.max_send_window.max(1),
            framing: self.framing | Framing::PPP,
            ..self
        };
        whole.words()
    }
}

structure! {
    /// What a link does: the answer to `OID_WAN_CO_GET_LINK_INFO`, and what
    /// `OID_WAN_CO_SET_LINK_INFO` sets. Both have the same layout; which link, says the VC.
    ///
    /// Until it is set, a link is in PPP framing, and as long as no framing was detected, none is
    /// reported (rule [WAN-06]). Set without framing, a link detects it by each frame.
    ///
    /// Source pages: [oid-wan-co-get-link-info](https://learn.microsoft.com/windows-hardware/drivers/network/oid-wan-co-get-link-info), [oid-wan-co-set-link-info](https://learn.microsoft.com/windows-hardware/drivers/network/oid-wan-co-set-link-info).
    ///
    /// [WAN-06]: ndis_sys::rules#WAN-06
    #[doc(alias = "NDIS_WAN_CO_GET_LINK_INFO")]
    #[doc(alias = "NDIS_WAN_CO_SET_LINK_INFO")]
    #[doc(alias = "OID_WAN_CO_GET_LINK_INFO")]
    #[doc(alias = "OID_WAN_CO_SET_LINK_INFO")]
    LinkInfo = NDIS_WAN_CO_GET_LINK_INFO {
        /// The largest frame to be sent, in bytes: larger ones may be refused.
        max_send_frame_size: u32 = MaxSendFrameSize;
        /// The largest frame to be received, in bytes: larger ones may be dropped.
        max_receive_frame_size: u32 = MaxRecvFrameSize;
        /// How frames look that are sent.
        send_framing: Framing = SendFramingBits;
        /// How frames look that are received.
        receive_framing: Framing = RecvFramingBits;
        /// Reserved.
        send_compression: u32 = SendCompressionBits;
        /// Reserved.
        receive_compression: u32 = RecvCompressionBits;
        /// The control characters that are stuffed, bit by bit: asynchronous media only.
        send_accm: u32 = SendACCM;
        /// Those that were stuffed by the other end.
        receive_accm: u32 = RecvACCM;
    }
}

as_it_is!(LinkInfo = NDIS_WAN_CO_GET_LINK_INFO);

impl LinkInfo {
    /// A link that has not been set and has not detected anything, with frames of so many bytes
    /// either way.
    #[must_use]
    pub const fn undetected(max_frame_size: u32) -> Self {
        Self {
            max_send_frame_size: max_frame_size,
            max_receive_frame_size: max_frame_size,
            send_framing: Framing::empty(),
            receive_framing: Framing::empty(),
            send_compression: 0,
            receive_compression: 0,
            send_accm: 0,
            receive_accm: 0,
        }
    }

    /// The C form of what is set.
    #[must_use]
    pub fn to_raw_set(self) -> NDIS_WAN_CO_SET_LINK_INFO {
        NDIS_WAN_CO_SET_LINK_INFO {
            MaxSendFrameSize: self.max_send_frame_size,
            MaxRecvFrameSize: self.max_receive_frame_size,
            SendFramingBits: self.send_framing.bits(),
            RecvFramingBits: self.receive_framing.bits(),
            SendCompressionBits: self.send_compression,
            RecvCompressionBits: self.receive_compression,
            SendACCM: self.send_accm,
            RecvACCM: self.receive_accm,
        }
    }

    /// Whether a link may be set to this (rule [WAN-05]), on an adapter that told `info`, and when
    /// the link told `reported` before: frames not larger than reported, framing that the
    /// adapter has, and both directions fit, see [`Framing::goes_with`].
    ///
    /// # Errors
    ///
    /// [`Status::INVALID_DATA`] when not.
    ///
    /// [WAN-05]: ndis_sys::rules#WAN-05
    pub fn check(&self, info: &Info, reported: &Self) -> Result<(), Status> {
        let small = self.max_send_frame_size <= reported.max_send_frame_size
            && self.max_receive_frame_size <= reported.max_receive_frame_size;
        let known =
            (info.framing | Framing::PPP).contains(self.send_framing | self.receive_framing);
        if small && known && self.send_framing.goes_with(self.receive_framing) {
            Ok(())
        } else {
            Err(Status::INVALID_DATA)
        }
    }
}
