//! [`Link`]: what the links of an adapter are like, and [`LinkParams`]: what one of them is at
//! the moment.

use crate::Attributes;
use core::ffi::CStr;
use ndis_co::wan::{CompressionInfo, Framing, Info, LinkInfo, LinkParameters};

/// The speed of a link, both ways: bits a second.
///
/// NDIS has it in bits, in hundreds of bits and in bytes a second, by turns; the module converts.
///
/// ```
/// # use ndis_host as _;
/// use ndis_mcm::wan::Speeds;
///
/// /// Two megabits up, sixteen down.
/// const DSL: Speeds = Speeds::new(2_000_000, 16_000_000);
/// assert_eq!(DSL.transmit_bytes(), 250_000);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Speeds {
    transmit: u64,
    receive: u64,
}

impl Speeds {
    /// The same speed both ways, in bits a second.
    #[must_use]
    pub const fn both(bits_per_second: u64) -> Self {
        Self::new(bits_per_second, bits_per_second)
    }

    /// What is sent and what is received, in bits a second.
    #[must_use]
    pub const fn new(transmit: u64, receive: u64) -> Self {
        Self { transmit, receive }
    }

    /// What is sent, in bits a second.
    #[must_use]
    pub const fn transmit(self) -> u64 {
        self.transmit
    }

    /// What is received, in bits a second.
    #[must_use]
    pub const fn receive(self) -> u64 {
        self.receive
    }

    /// What is sent, in bytes a second: as call parameters and link parameters have it.
    #[must_use]
    #[doc(alias = "PeakBandwidth")]
    #[doc(alias = "TransmitSpeed")]
    pub fn transmit_bytes(self) -> u32 {
        bytes(self.transmit)
    }

    /// What is received, in bytes a second.
    #[must_use]
    #[doc(alias = "ReceiveSpeed")]
    pub fn receive_bytes(self) -> u32 {
        bytes(self.receive)
    }

    /// The higher of the two, in bits a second.
    pub(super) const fn higher(self) -> u64 {
        if self.transmit > self.receive {
            self.transmit
        } else {
            self.receive
        }
    }

    /// As TAPI has it: bits a second, of 32 bits.
    pub(super) fn tapi_rate(self) -> u32 {
        u32::try_from(self.higher()).unwrap_or(u32::MAX)
    }
}

/// Bits to bytes, at least one: zero stands for a speed that nobody knows.
fn bytes(bits: u64) -> u32 {
    u32::try_from(bits / 8).unwrap_or(u32::MAX).max(1)
}

/// What a link is at the moment: its speed, and how many packets NDISWAN may have under way on
/// it.
///
/// ```
/// # use ndis_host as _;
/// use ndis_mcm::wan::{LinkParams, Speeds};
///
/// let up = LinkParams::new(Speeds::both(64_000), 4);
/// // Nothing is to be sent for the time being (rule WAN-04).
/// let stopped = LinkParams { send_window: 0, ..up };
/// # assert_eq!(stopped.speeds, up.speeds);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[doc(alias = "WAN_CO_LINKPARAMS")]
pub struct LinkParams {
    /// The speed.
    pub speeds: Speeds,
    /// How many packets may be under way; with zero NDISWAN sends none.
    #[doc(alias = "SendWindow")]
    pub send_window: u32,
}

impl LinkParams {
    /// A link of this speed, with so many packets under way at most.
    #[must_use]
    pub const fn new(speeds: Speeds, send_window: u32) -> Self {
        Self {
            speeds,
            send_window,
        }
    }

    /// As NDISWAN has them.
    pub(super) fn to_ndis(self) -> LinkParameters {
        LinkParameters {
            transmit_speed: self.speeds.transmit_bytes(),
            receive_speed: self.speeds.receive_bytes(),
            send_window: self.send_window,
        }
    }
}

/// Which sort of WAN an adapter is on: an `NDIS_WAN_MEDIUM_SUBTYPE` (rule [WAN-11]).
///
/// ```
/// # use ndis_host as _;
/// use ndis_mcm::wan::Subtype;
///
/// assert_ne!(Subtype::L2TP, Subtype::PPTP);
/// ```
///
/// [WAN-11]: ndis_sys::rules#WAN-11
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[doc(alias = "NDIS_WAN_MEDIUM_SUBTYPE")]
#[doc(alias = "OID_WAN_MEDIUM_SUBTYPE")]
pub struct Subtype(i32);

macro_rules! subtypes {
    ($($(#[$doc:meta])* $name:ident = $raw:ident $alias:literal;)*) => {
        impl Subtype {
            $(
                $(#[$doc])*
                #[doc(alias = $alias)]
                pub const $name: Self = Self(ndis_sys::$raw);
            )*
        }
    };
}

subtypes! {
    /// ISDN.
    ISDN = NdisWanMediumIsdn "NdisWanMediumIsdn";
    /// A serial line.
    SERIAL = NdisWanMediumSerial "NdisWanMediumSerial";
    /// X.25.
    X25 = NdisWanMediumX_25 "NdisWanMediumX_25";
    /// Frame relay.
    FRAME_RELAY = NdisWanMediumFrameRelay "NdisWanMediumFrameRelay";
    /// ATM, as DSL has it.
    ATM = NdisWanMediumAtm "NdisWanMediumAtm";
    /// SONET.
    SONET = NdisWanMediumSonet "NdisWanMediumSonet";
    /// Switched 56K.
    SW56K = NdisWanMediumSW56K "NdisWanMediumSW56K";
    /// A tunnel of PPTP.
    PPTP = NdisWanMediumPPTP "NdisWanMediumPPTP";
    /// A tunnel of L2TP.
    L2TP = NdisWanMediumL2TP "NdisWanMediumL2TP";
    /// Infrared.
    IRDA = NdisWanMediumIrda "NdisWanMediumIrda";
    /// A parallel cable.
    PARALLEL = NdisWanMediumParallel "NdisWanMediumParallel";
    /// PPP over Ethernet.
    PPPOE = NdisWanMediumPppoe "NdisWanMediumPppoe";
    /// A tunnel of SSTP.
    SSTP = NdisWanMediumSSTP "NdisWanMediumSSTP";
    /// A tunnel of IKEv2.
    AGILE_VPN = NdisWanMediumAgileVPN "NdisWanMediumAgileVPN";
    /// A tunnel of GRE.
    GRE = NdisWanMediumGre "NdisWanMediumGre";
}

impl Subtype {
    /// The number.
    #[must_use]
    pub const fn number(self) -> i32 {
        self.0
    }
}

/// What the links of an adapter are like: from this the module answers the OIDs of a WAN adapter
/// (rules [WAN-01], [WAN-02], [WAN-11]).
///
/// ```
/// # use ndis_host as _;
/// use ndis_mcm::wan::{Link, Speeds, Subtype};
///
/// // Frames of 1400 bytes, sixteen under way: a tunnel.
/// let link = Link::new(Subtype::L2TP, 1400, 16)
///     .speeds(Speeds::both(100_000_000))
///     .vendor_description(c"Contoso tunnel");
/// # assert_eq!(link.max_frame(), 1400);
/// ```
///
/// [WAN-01]: ndis_sys::rules#WAN-01
/// [WAN-02]: ndis_sys::rules#WAN-02
/// [WAN-11]: ndis_sys::rules#WAN-11
#[derive(Clone, Debug)]
#[must_use]
#[doc(alias = "OID_WAN_CO_GET_INFO")]
#[doc(alias = "NDIS_WAN_CO_INFO")]
pub struct Link {
    info: Info,
    speeds: Speeds,
    subtype: Subtype,
    address: [u8; 6],
    vendor: [u8; 4],
    description: &'static CStr,
    compression: Option<CompressionInfo>,
}

impl Link {
    /// Links of this sort, for frames of up to `max_frame` bytes, with up to `send_window`
    /// packets under way on each: 100 Mbit/s, in the framing of a
    /// [tunnel](Framing::TUNNEL).
    ///
    /// The driver takes frames [`Info::EXTRA`] bytes longer than that, both ways (rule [WAN-03]).
    ///
    /// [WAN-03]: ndis_sys::rules#WAN-03
    #[doc(alias = "MaxFrameSize")]
    #[doc(alias = "MaxSendWindow")]
    pub const fn new(subtype: Subtype, max_frame: u32, send_window: u32) -> Self {
        let info = Info::new(max_frame, send_window);
        Self {
            info: Info {
                framing: Framing::TUNNEL,
                ..info
            },
            speeds: Speeds::both(100_000_000),
            subtype,
            address: [0x02, 0, 0, 0, 0, 1],
            vendor: [0xFF, 0xFF, 0xFF, 0],
            description: c"WAN adapter",
            compression: None,
        }
    }

    /// Which framing the driver can carry. PPP is among it, whatever is said here (rule
    /// [WAN-02]).
    ///
    /// [WAN-02]: ndis_sys::rules#WAN-02
    #[doc(alias = "FramingBits")]
    pub fn framing(mut self, framing: Framing) -> Self {
        self.info.framing = framing | Framing::PPP;
        self
    }

    /// The control characters that an asynchronous medium wants stuffed; only with
    /// [`Framing::ACCM`].
    #[doc(alias = "DesiredACCM")]
    pub const fn desired_accm(mut self, accm: u32) -> Self {
        self.info.desired_accm = accm;
        self
    }

    /// The highest speed of a link.
    pub const fn speeds(mut self, speeds: Speeds) -> Self {
        self.speeds = speeds;
        self
    }

    /// The adapter's address, which some protocols want to see.
    #[doc(alias = "OID_WAN_PERMANENT_ADDRESS")]
    #[doc(alias = "OID_WAN_CURRENT_ADDRESS")]
    pub const fn address(mut self, address: [u8; 6]) -> Self {
        self.address = address;
        self
    }

    /// What the driver can compress, each way. NDISWAN negotiates it with the far end of a call, and
    /// says what has become of it: [`WanMiniport::compression_set`]. Without this, no link is asked
    /// about compression, and NDISWAN has its own.
    ///
    /// ```
    /// # use ndis_host as _;
    /// use ndis_co::wan::{Compression, CompressionInfo};
    /// use ndis_mcm::wan::{Link, Subtype};
    ///
    /// // A compression of the maker's own: three bytes say whose, one says which.
    /// let mut own = Compression { algorithm: Compression::PROPRIETARY, length: 4, ..Compression::default() };
    /// own.values[..4].copy_from_slice(&[0x00, 0x53, 0xFF, 1]);
    /// let link = Link::new(Subtype::SERIAL, 1500, 8)
    ///     .compression(CompressionInfo { send: own, receive: own });
    /// ```
    ///
    /// [`WanMiniport::compression_set`]: super::WanMiniport::compression_set
    #[doc(alias = "OID_WAN_CO_GET_COMP_INFO")]
    pub const fn compression(mut self, can: CompressionInfo) -> Self {
        self.compression = Some(can);
        self
    }

    /// As [`Attributes::vendor_id`].
    pub const fn vendor_id(mut self, id: [u8; 4]) -> Self {
        self.vendor = id;
        self
    }

    /// As [`Attributes::vendor_description`].
    pub const fn vendor_description(mut self, text: &'static CStr) -> Self {
        self.description = text;
        self
    }

    /// The largest frame, in bytes, as NDISWAN is told.
    #[must_use]
    pub const fn max_frame(&self) -> u32 {
        self.info.max_frame_size
    }

    /// The longest frame that the driver takes or gives: rule [WAN-03].
    ///
    /// [WAN-03]: ndis_sys::rules#WAN-03
    #[must_use]
    pub const fn longest(&self) -> usize {
        self.info.max_frame_size.saturating_add(Info::EXTRA) as usize
    }

    /// A link as it is at first: the highest speed, the whole window.
    #[must_use]
    pub const fn params(&self) -> LinkParams {
        LinkParams::new(self.speeds, self.info.max_send_window)
    }

    pub(super) const fn info(&self) -> &Info {
        &self.info
    }

    pub(super) const fn can_compress(&self) -> Option<&CompressionInfo> {
        self.compression.as_ref()
    }

    /// Whether each frame is one of PPP.
    pub(super) fn is_ppp_only(&self) -> bool {
        self.info.framing & Framing::KINDS == Framing::PPP
    }

    pub(super) const fn subtype(&self) -> Subtype {
        self.subtype
    }

    pub(super) const fn mac(&self) -> [u8; 6] {
        self.address
    }

    /// A link of which NDISWAN has said nothing, and on which nothing was detected.
    pub(super) const fn unset(&self) -> LinkInfo {
        LinkInfo::undetected(self.info.max_frame_size)
    }

    /// What the layer is told of the adapter: telephony is offered (rule REG-39).
    pub(super) fn attributes(&self) -> Attributes {
        Attributes::wan()
            .tapi(true)
            .max_frame(self.info.max_frame_size)
            .link_speed(self.speeds.higher())
            .vendor_id(self.vendor)
            .vendor_description(self.description)
    }
}
