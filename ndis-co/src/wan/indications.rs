//! What an adapter indicates of a link by itself: [`LinkParameters`], [`MtuLinkParameters`],
//! [`Fragment`].

use super::structure::{as_it_is, structure, word_flags};

structure! {
    /// The speed and the window of a link: the data of `NDIS_STATUS_WAN_CO_LINKPARAMS`, at any
    /// time and as often as it changes.
    ///
    /// Source page: [ndis-status-wan-co-linkparams](https://learn.microsoft.com/windows-hardware/drivers/network/ndis-status-wan-co-linkparams).
    #[doc(alias = "WAN_CO_LINKPARAMS")]
    #[doc(alias = "NDIS_STATUS_WAN_CO_LINKPARAMS")]
    LinkParameters = WAN_CO_LINKPARAMS {
        /// In bytes a second; zero counts as 28,800 bits a second.
        transmit_speed: u32 = TransmitSpeed;
        /// In bytes a second; zero counts as 28,800 bits a second.
        receive_speed: u32 = ReceiveSpeed;
        /// How many packets may be under way; with zero NDISWAN sends none (rule [WAN-04]).
        ///
        /// [WAN-04]: ndis_sys::rules#WAN-04
        send_window: u32 = SendWindow;
    }
}

as_it_is!(LinkParameters = WAN_CO_LINKPARAMS);

structure! {
    /// As [`LinkParameters`], and the largest packet: the data of
    /// `NDIS_STATUS_WAN_CO_MTULINKPARAMS`, from NDIS 6.20 on (rule [STATUS-13]).
    ///
    /// Source page: [ndis-status-wan-co-mtulinkparams](https://learn.microsoft.com/windows-hardware/drivers/network/ndis-status-wan-co-mtulinkparams).
    ///
    /// [STATUS-13]: ndis_sys::rules#STATUS-13
    #[doc(alias = "WAN_CO_MTULINKPARAMS")]
    #[doc(alias = "NDIS_STATUS_WAN_CO_MTULINKPARAMS")]
    MtuLinkParameters = WAN_CO_MTULINKPARAMS {
        /// The version of the structure, [`VERSION`](Self::VERSION).
        version: u32 = Version;
        /// In bytes a second.
        transmit_speed: u32 = TransmitSpeed;
        /// In bytes a second.
        receive_speed: u32 = ReceiveSpeed;
        /// How many packets may be under way; with zero NDISWAN sends none.
        send_window: u32 = SendWindow;
        /// The largest packet that can be sent, in bytes.
        mtu: u32 = MTU;
    }
}

as_it_is!(MtuLinkParameters = WAN_CO_MTULINKPARAMS);

impl MtuLinkParameters {
    /// The version that there is.
    pub const VERSION: u32 = 1;

    /// Those of a link, with its largest packet in bytes.
    #[must_use]
    pub const fn new(link: LinkParameters, mtu: u32) -> Self {
        Self {
            version: Self::VERSION,
            transmit_speed: link.transmit_speed,
            receive_speed: link.receive_speed,
            send_window: link.send_window,
            mtu,
        }
    }
}

bitflags::bitflags! {
    /// What was wrong with a frame.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
    pub struct FrameErrors: u32 {
        /// Its checksum.
        #[doc(alias = "WAN_ERROR_CRC")]
        const CRC = ndis_sys::WAN_ERROR_CRC;
        /// Its end.
        #[doc(alias = "WAN_ERROR_FRAMING")]
        const FRAMING = ndis_sys::WAN_ERROR_FRAMING;
        /// The hardware lost a part.
        #[doc(alias = "WAN_ERROR_HARDWAREOVERRUN")]
        const HARDWARE_OVERRUN = ndis_sys::WAN_ERROR_HARDWAREOVERRUN;
        /// There was no buffer for a part.
        #[doc(alias = "WAN_ERROR_BUFFEROVERRUN")]
        const BUFFER_OVERRUN = ndis_sys::WAN_ERROR_BUFFEROVERRUN;
        /// A part took too long.
        #[doc(alias = "WAN_ERROR_TIMEOUT")]
        const TIMEOUT = ndis_sys::WAN_ERROR_TIMEOUT;
        /// Its bits are no whole bytes.
        #[doc(alias = "WAN_ERROR_ALIGNMENT")]
        const ALIGNMENT = ndis_sys::WAN_ERROR_ALIGNMENT;
        /// Other bits stay visible.
        const _ = !0;
    }
}

word_flags!(FrameErrors);

structure! {
    /// A frame was damaged and dropped: the data of `NDIS_STATUS_WAN_CO_FRAGMENT`.
    ///
    /// Source page: [ndis-status-wan-co-fragment](https://learn.microsoft.com/windows-hardware/drivers/network/ndis-status-wan-co-fragment).
    #[doc(alias = "NDIS_WAN_CO_FRAGMENT")]
    #[doc(alias = "NDIS_STATUS_WAN_CO_FRAGMENT")]
    Fragment = NDIS_WAN_CO_FRAGMENT {
        /// What was wrong.
        errors: FrameErrors = Errors;
    }
}

as_it_is!(Fragment = NDIS_WAN_CO_FRAGMENT);
