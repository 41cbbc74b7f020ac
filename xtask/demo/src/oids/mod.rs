//! `--oids`: what the WAN miniport answers for each OID, as a table that a person can compare with the
//! pages.
//!
//! All that it lists as supported is asked by either door of a miniport; what may be asked of one VC is
//! asked of one, by NDISWAN; what a call manager is asked is asked by NDPROXY. Then what can be set is
//! set. An OID that nobody gets an answer for is a failure.

mod ask;
mod decode;
mod flags;
mod layout;
mod notes;
mod show;
mod table;

use ndis_host::OwnRequests;

/// An OID as docs/oids.md has it.
#[derive(Debug)]
pub struct Row {
    pub oid: u32,
    /// Without `OID_`.
    pub name: &'static str,
    /// The type of its value; empty when it has none of a fixed size.
    pub value: &'static str,
    pub unit: &'static str,
    /// Whether it may be asked of a VC.
    pub vc: bool,
    pub is_asked: bool,
    pub is_set: bool,
    /// The name of its page.
    pub page: &'static str,
}

/// What the driver has of its own.
const OWN: Row = Row {
    oid: wan_mcm::SPEED.number(),
    name: "0xFF570001, wan_mcm::SPEED",
    value: "u32",
    unit: "bit/s",
    vc: false,
    is_asked: true,
    is_set: true,
    page: "examples/wan-mcm/README.md",
};

impl Row {
    /// The row of an OID.
    fn of(oid: u32) -> Option<&'static Self> {
        let mut all = table::ALL.iter().chain([&OWN]);
        all.find(|row| row.oid == oid)
    }
}

/// Asks for everything; gives the table, or says what was not good, below the table.
pub fn run(seed: u64) -> Result<String, String> {
    let [co, plain] =
        [OwnRequests::CoOidRequest, OwnRequests::OidRequest].map(|door| ask::on_a_host(seed, door));
    let mut replies = co?;
    replies.extend(plain?);
    let unanswered = show::unanswered(&replies);
    let table = show::table(&replies);
    if unanswered.is_empty() {
        Ok(table)
    } else {
        Err(format!(
            "nobody answers for {}\n\n{table}",
            unanswered.join(", ")
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_oid_is_answered_at_both_doors() {
        let table = run(1).unwrap_or_else(|error| panic!("{error}"));
        for words in [
            "GEN_CO_SUPPORTED_LIST",
            "MiniportOidRequest",
            "MiniportCoOidRequest, VC",
            "ProtocolCoOidRequest",
            "NdisMediumCoWan",
            "oid-co-tapi-line-caps",
            "MaxFrameSize 1500 bytes",
            "ulCoTapiVersion 3.0 (0x00030000)",
            "NDIS_TAPI_CURRENT_VERSION",
            "NO_LOOPBACK",
            "has it reserved",
            "ulLineFeatures 0x",
            "ulAddressFeatures 0x",
        ] {
            assert!(table.contains(words), "{words}:\n{table}");
        }
    }

    #[test]
    fn an_oid_is_found_by_its_number() {
        assert_eq!(Row::of(0x0001_0101).unwrap().name, "GEN_CO_SUPPORTED_LIST");
        assert_eq!(Row::of(OWN.oid).unwrap().unit, "bit/s");
        assert!(Row::of(0).is_none());
    }
}
