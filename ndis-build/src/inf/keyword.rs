//! The names of the settings on the page of advanced properties: which are standardized, which
//! are taken.
//!
//! A name that begins with `*` is standardized, and others may not be
//! (standardized-inf-keywords-for-network-devices.md and the pages that it leads to).

/// What a standardized setting is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standard {
    /// A choice of these values (enumeration-keywords.md), given by their number from 0 on.
    Choice(u32),
    /// A number (keywords-that-can-be-edited.md).
    Number,
    /// What the page of the technology says.
    Other,
}

const CHOICES: &[(&str, u32)] = &[
    ("*FlowControl", 5),
    ("*HeaderDataSplit", 2),
    ("*InterruptModeration", 2),
    ("*IPChecksumOffloadIPv4", 4),
    ("*IPsecOffloadV1IPv4", 4),
    ("*IPsecOffloadV2", 4),
    ("*IPsecOffloadV2IPv4", 4),
    ("*LsoV1IPv4", 2),
    ("*LsoV2IPv4", 2),
    ("*LsoV2IPv6", 2),
    ("*PriorityVLANTag", 4),
    ("*RSS", 2),
    ("*TCPChecksumOffloadIPv4", 4),
    ("*TCPChecksumOffloadIPv6", 4),
    ("*TCPConnectionOffloadIPv4", 2),
    ("*TCPConnectionOffloadIPv6", 2),
    ("*TCPUDPChecksumOffloadIPv4", 4),
    ("*TCPUDPChecksumOffloadIPv6", 4),
    ("*UDPChecksumOffloadIPv4", 4),
    ("*UDPChecksumOffloadIPv6", 4),
];

const NUMBERS: &[&str] = &["*JumboPacket", "*ReceiveBuffers", "*TransmitBuffers"];

const OTHERS: &[&str] = &[
    "*DeviceSleepOnDisconnect",
    "*EEE",
    "*EncapsulatedPacketTaskOffload",
    "*IdleRestriction",
    "*MaxRssProcessors",
    "*ModernStandbyWoLMagicPacket",
    "*NetworkDirect",
    "*NetworkDirectRoCEFrameSize",
    "*NetworkDirectTechnology",
    "*NumaNodeId",
    "*NumRSSQueues",
    "*PacketCoalescing",
    "*PMARPOffload",
    "*PMNSOffload",
    "*PMWiFiRekeyOffload",
    "*PtpHardwareTimestamp",
    "*QOS",
    "*RscIPv4",
    "*RscIPv6",
    "*RssBaseProcGroup",
    "*RssBaseProcNumber",
    "*RssMaxProcGroup",
    "*RssMaxProcNumber",
    "*RssOnHostVPorts",
    "*RssOrVmqPreference",
    "*RSSProfile",
    "*SelectiveSuspend",
    "*SoftwareTimestamp",
    // Its values go on as speeds.
    "*SpeedDuplex",
    "*SRIOV",
    "*SriovPreferred",
    "*SSIdleTimeout",
    "*SSIdleTimeoutScreenOff",
    "*VMQ",
    "*VMQLookaheadSplit",
    "*VMQVlanFiltering",
    "*WakeOnMagicPacket",
    "*WakeOnPattern",
];

/// What the standard says of a name that begins with `*`; None for one that it does not have.
pub(super) fn standard(name: &str) -> Option<Standard> {
    let is = |known: &&str| known.eq_ignore_ascii_case(name);
    if let Some((_, values)) = CHOICES.iter().find(|(known, _)| is(known)) {
        Some(Standard::Choice(*values))
    } else if NUMBERS.iter().any(is) {
        Some(Standard::Number)
    } else if OTHERS.iter().any(is) {
        Some(Standard::Other)
    } else {
        None
    }
}

/// What the instance key of an adapter has anyway
/// (specifying-configuration-parameters-for-the-advanced-properties-page.md,
/// keywords-not-displayed-in-the-user-interface.md,
/// specifying-wan-endpoints-for-a-wan-adapter.md).
const RESERVED: &[&str] = &[
    "BundleId",
    "BusType",
    "Characteristics",
    "ComponentId",
    "Description",
    "DeviceInstanceId",
    "DriverDate",
    "DriverDesc",
    "DriverVersion",
    "IfType",
    "InfPath",
    "InfSection",
    "InfSectionExt",
    "InstallTimeStamp",
    "Manufacturer",
    "MediaType",
    "NdisDeviceType",
    "NetCfgInstanceId",
    "NetLuidIndex",
    "PhysicalMediaType",
    "Provider",
    "ProviderName",
    "WanEndpoints",
];

/// Whether a setting may not have this name, with or without a `*` before it.
pub(super) fn is_reserved(name: &str) -> bool {
    let name = name.strip_prefix('*').unwrap_or(name);
    RESERVED
        .iter()
        .any(|known| known.eq_ignore_ascii_case(name))
}

/// The address that a user can give an adapter: a text.
pub(super) const NETWORK_ADDRESS: &str = "NetworkAddress";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_no_case_and_one_meaning() {
        assert_eq!(standard("*FLOWCONTROL"), Some(Standard::Choice(5)));
        assert_eq!(standard("*jumbopacket"), Some(Standard::Number));
        assert_eq!(standard("*QOS"), Some(Standard::Other));
        assert_eq!(standard("*Lines"), None);
        assert!(is_reserved("*iftype") && is_reserved("IfType"));
        assert!(!is_reserved("Lines"));
        for (name, _) in CHOICES {
            assert!(!NUMBERS.contains(name) && !OTHERS.contains(name));
        }
    }
}
