//! [`Framing`]: how frames look on a link.

use super::structure::word_flags;

bitflags::bitflags! {
    /// How frames look on a link: what an adapter can do, and what a link does.
    ///
    /// Source page: [oid-wan-co-get-info](https://learn.microsoft.com/windows-hardware/drivers/network/oid-wan-co-get-info).
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
    #[doc(alias = "FramingBits")]
    pub struct Framing: u32 {
        /// Framing of old RAS.
        #[doc(alias = "RAS_FRAMING")]
        const RAS = ndis_sys::RAS_FRAMING as u32;
        /// Compression of old RAS.
        const RAS_COMPRESSION = ndis_sys::RAS_COMPRESSION as u32;
        /// ARAP, version 1.
        #[doc(alias = "ARAP_V1_FRAMING")]
        const ARAP_V1 = ndis_sys::ARAP_V1_FRAMING as u32;
        /// ARAP, version 2.
        #[doc(alias = "ARAP_V2_FRAMING")]
        const ARAP_V2 = ndis_sys::ARAP_V2_FRAMING as u32;
        /// Several links as one, RFC 1717.
        #[doc(alias = "PPP_MULTILINK_FRAMING")]
        const MULTILINK = ndis_sys::PPP_MULTILINK_FRAMING as u32;
        /// Short headers of several links, RFC 1717.
        #[doc(alias = "PPP_SHORT_SEQUENCE_HDR_FORMAT")]
        const SHORT_SEQUENCE = ndis_sys::PPP_SHORT_SEQUENCE_HDR_FORMAT as u32;
        /// Several links with classes.
        #[doc(alias = "PPP_MC_MULTILINK_FRAMING")]
        const MULTICLASS_MULTILINK = ndis_sys::PPP_MC_MULTILINK_FRAMING as u32;
        /// PPP, which every adapter has (rule [WAN-02]).
        ///
        /// [WAN-02]: ndis_sys::rules#WAN-02
        #[doc(alias = "PPP_FRAMING")]
        const PPP = ndis_sys::PPP_FRAMING as u32;
        /// Address and control may be left out.
        #[doc(alias = "PPP_COMPRESS_ADDRESS_CONTROL")]
        const COMPRESS_ADDRESS_CONTROL = ndis_sys::PPP_COMPRESS_ADDRESS_CONTROL as u32;
        /// A byte of the protocol may be left out.
        #[doc(alias = "PPP_COMPRESS_PROTOCOL_FIELD")]
        const COMPRESS_PROTOCOL = ndis_sys::PPP_COMPRESS_PROTOCOL_FIELD as u32;
        /// Control characters are stuffed: asynchronous media only.
        #[doc(alias = "PPP_ACCM_SUPPORTED")]
        const ACCM = ndis_sys::PPP_ACCM_SUPPORTED as u32;
        /// SLIP: asynchronous media only.
        #[doc(alias = "SLIP_FRAMING")]
        const SLIP = ndis_sys::SLIP_FRAMING as u32;
        /// Van Jacobson compression over SLIP, which NDISWAN does.
        #[doc(alias = "SLIP_VJ_COMPRESSION")]
        const SLIP_VJ = ndis_sys::SLIP_VJ_COMPRESSION as u32;
        /// It is detected, by NDISWAN.
        #[doc(alias = "SLIP_VJ_AUTODETECT")]
        const SLIP_VJ_DETECT = ndis_sys::SLIP_VJ_AUTODETECT as u32;
        /// Reserved.
        #[doc(alias = "MEDIA_NRZ_ENCODING")]
        const NRZ = ndis_sys::MEDIA_NRZ_ENCODING as u32;
        /// Reserved.
        #[doc(alias = "MEDIA_NRZI_ENCODING")]
        const NRZI = ndis_sys::MEDIA_NRZI_ENCODING as u32;
        /// Reserved.
        #[doc(alias = "MEDIA_NLPID")]
        const NLPID = ndis_sys::MEDIA_NLPID as u32;
        /// Reserved.
        #[doc(alias = "RFC_1356_FRAMING")]
        const RFC_1356 = ndis_sys::RFC_1356_FRAMING as u32;
        /// Reserved.
        #[doc(alias = "RFC_1483_FRAMING")]
        const RFC_1483 = ndis_sys::RFC_1483_FRAMING as u32;
        /// Reserved.
        #[doc(alias = "RFC_1490_FRAMING")]
        const RFC_1490 = ndis_sys::RFC_1490_FRAMING as u32;
        /// LLC encapsulation.
        #[doc(alias = "LLC_ENCAPSULATION")]
        const LLC = ndis_sys::LLC_ENCAPSULATION as u32;
        /// NetBIOS frames keep their MAC address; once called Shiva framing.
        #[doc(alias = "SHIVA_FRAMING")]
        const NBF_PRESERVE_MAC_ADDRESS = ndis_sys::NBF_PRESERVE_MAC_ADDRESS as u32;
        /// NDISWAN leaves frames as they are.
        #[doc(alias = "PASS_THROUGH_MODE")]
        const PASS_THROUGH = ndis_sys::PASS_THROUGH_MODE as u32;
        /// The same, without any header.
        #[doc(alias = "RAW_PASS_THROUGH_MODE")]
        const RAW_PASS_THROUGH = ndis_sys::RAW_PASS_THROUGH_MODE as u32;
        /// The OIDs of the old TAPI are answered. Whether a call manager of TAPI_PROXY sets it, no
        /// page says.
        const TAPI_PROVIDER = ndis_sys::TAPI_PROVIDER;
        /// Other bits stay visible.
        const _ = !0;
    }
}

word_flags!(Framing);

impl Framing {
    /// What a tunnel can do without work of its own: NDISWAN makes the frames.
    pub const TUNNEL: Self = Self::PPP
        .union(Self::COMPRESS_ADDRESS_CONTROL)
        .union(Self::COMPRESS_PROTOCOL)
        .union(Self::MULTILINK)
        .union(Self::SHORT_SEQUENCE);

    /// The bits of which a link has one: the kinds of frame.
    pub const KINDS: Self = Self::RAS
        .union(Self::ARAP_V1)
        .union(Self::ARAP_V2)
        .union(Self::PPP)
        .union(Self::SLIP)
        .union(Self::RFC_1356)
        .union(Self::RFC_1483)
        .union(Self::RFC_1490);

    /// Whether both directions of a link can go together: either detects the kind of its frames,
    /// or both have one in common. (The pages want what does not go together refused, and leave
    /// open what that is.)
    #[must_use]
    pub fn goes_with(self, other: Self) -> bool {
        let (one, other) = (self & Self::KINDS, other & Self::KINDS);
        one.is_empty() || other.is_empty() || one.intersects(other)
    }
}
