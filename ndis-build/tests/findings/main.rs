//! Each rule of the checker: a good INF is broken in one way, and exactly that
//! is found, at its line.

mod broken;
#[allow(dead_code, reason = "shared by the test crates")]
#[path = "../common/mod.rs"]
mod common;
mod forms;
mod infverif;
mod params;

use broken::{Case, adapter, protocol, usb};
use ndis_build::inf::{Arch, Rule, Severity, check, check_for};
use std::collections::BTreeSet;

fn syntax_and_references() -> Vec<Case> {
    vec![
        adapter()
            .replace("files\"\r\n", "files\r\n")
            .breaks(Rule::Syntax, "Disk "),
        adapter()
            .replace("%Disk%", "%Disk%50%")
            .breaks(Rule::UndefinedString, "1 ="),
        adapter()
            .replace("%%SystemRoot%%", "%SystemRoot%")
            .breaks(Rule::UndefinedString, "HKR,,EventMessageFile"),
        adapter()
            .replace(
                "[Strings]",
                "[Strings.0407]\r\nProvider = P\r\nDevice = D\r\nDescription = D\r\n[Strings]",
            )
            .breaks(Rule::MissingTranslation, "[Strings.0407]"),
        adapter()
            .with("Strings", "lonely")
            .breaks(Rule::Syntax, "lonely"),
        adapter()
            .replace("; Generated", "Generated")
            .breaks(Rule::Syntax, "Generated"),
        adapter()
            .replace("\"The ndis-rs", "\"Thé ndis-rs")
            .breaks(Rule::Encoding, "Provider    = \""),
        adapter()
            .replace("EventLog.Registry\r\n", "EventLog.Registry, Nowhere\r\n")
            .breaks(Rule::MissingSection, "AddReg = "),
        adapter()
            .with("Install.Services", "AddService = second,0,Nowhere")
            .breaks(Rule::MissingSection, "AddService = second"),
        adapter()
            .with("DestinationDirs", "Nowhere = 13")
            .breaks(Rule::MissingSection, "Nowhere"),
        adapter()
            .replace(
                "NTamd64.10.0...19041\r\n",
                "NTamd64.10.0...19041,NTamd64.10.0...30000\r\n",
            )
            .breaks(Rule::MissingSection, "%Provider%"),
        adapter()
            .without_section("Version")
            .breaks(Rule::MissingSection, ""),
        adapter()
            .without_section("Install.Services")
            .without_section("Service")
            .without_section("EventLog")
            .without_section("EventLog.Registry")
            .without("Description = ")
            .breaks(Rule::MissingSection, "[Install]"),
        adapter()
            .replace("[Strings]", "[Forgotten]\r\n[Strings]")
            .breaks(Rule::UnreferencedSection, "[Forgotten]"),
        adapter()
            .without("Disk ")
            .breaks(Rule::UndefinedString, "1 ="),
        adapter()
            .with("Strings", "Spare = \"\"")
            .breaks(Rule::UnusedString, "Spare"),
        adapter()
            .with("Strings", "DISK = \"first\"")
            .breaks(Rule::RepeatedString, "Disk"),
    ]
}

fn version() -> Vec<Case> {
    let mut cases = Vec::new();
    for key in [
        "Signature",
        "Class ",
        "ClassGuid",
        "Provider  ",
        "CatalogFile",
        "DriverVer",
        "PnpLockdown",
    ] {
        // The string `Provider` is aligned like the entry.
        let broken = adapter().replace_all("Provider    = \"", "Provider = \"");
        let case = broken.without(key).breaks(Rule::MissingEntry, "[Version]");
        cases.push(match key {
            "CatalogFile" | "DriverVer" | "PnpLockdown" => case.only(Severity::Warning),
            _ => case,
        });
    }
    cases.push(
        adapter()
            .replace("$Windows NT$", "$Windows 95$")
            .breaks(Rule::VersionValue, "Signature"),
    );
    cases.push(
        adapter()
            .replace("PnpLockdown = 1", "PnpLockdown = 0")
            .breaks(Rule::VersionValue, "PnpLockdown")
            .only(Severity::Warning),
    );
    for (old, new) in [
        ("11/25/2026", "25/11/2026"),
        ("11/25/2026", "11/5/2026"),
        ("11/25/2026", "2026/11/25"),
        ("11/25/2026", "02/29/2026"),
        ("11/25/2026", "11/25/2026/1"),
        ("0.1.0.0", "0.0.0.0"),
        ("0.1.0.0", "0.1.0"),
        ("0.1.0.0", "0.1.0.0.0"),
        ("0.1.0.0", "0.1.0.x"),
        ("0.1.0.0", "0.1.0.65535"),
        (",0.1.0.0", ""),
    ] {
        cases.push(
            adapter()
                .replace(old, new)
                .breaks(Rule::DriverVer, "DriverVer"),
        );
    }
    cases.push(
        adapter()
            .replace("{4D36E972", "{4D36E975")
            .breaks(Rule::Class, "ClassGuid"),
    );
    cases.push(
        protocol()
            .replace("{4D36E975", "{4D36E972")
            .breaks(Rule::Class, "ClassGuid"),
    );
    cases.push(
        adapter()
            .replace("= Net\r\n", "= Display\r\n")
            .breaks(Rule::Class, "Class ")
            .only(Severity::Hint),
    );
    cases
}

fn models() -> Vec<Case> {
    vec![
        adapter()
            .replace("Models,NTamd64.10.0...19041", "Models")
            .replace("[Models.NTamd64.10.0...19041]", "[Models]")
            .breaks(Rule::Architecture, "%Provider%")
            .only(Severity::Warning),
        adapter()
            .replace_all("NTamd64", "NTx64")
            .breaks(Rule::Architecture, "%Provider%"),
        adapter()
            .replace_all("NTamd64.10.0...19041", "NTamd64.10.0...new")
            .breaks(Rule::Architecture, "%Provider%"),
        adapter()
            .replace("Install,Root\\NDISRS_LOOPBACK_MCM", "Install,")
            .breaks(Rule::HardwareId, "%Device%"),
        usb()
            .replace("= USB\\VID_0000&PID_0001", "= USB\\VID_0000&PID_0002")
            .breaks(Rule::ExcludeFromSelect, "%Device%"),
    ]
}

fn files_and_services() -> Vec<Case> {
    let mut cases = vec![
        adapter()
            .with("Install.Files", "other.sys")
            .breaks(Rule::UnlistedFile, "other.sys"),
        protocol()
            .with("Install.Files", "renamed.sys,original.sys")
            .breaks(Rule::UnlistedFile, "renamed.sys"),
        adapter()
            .with("DestinationDirs", "DefaultDestDir = 13")
            .replace("= Install.Files\r\n", "= Install.Files,@other.sys\r\n")
            .breaks(Rule::UnlistedFile, "CopyFiles"),
        adapter()
            .with("SourceDisksFiles", "other.sys = 1")
            .breaks(Rule::UncopiedFile, "other.sys"),
        adapter()
            .replace("loopback_mcm.sys = 1", "loopback_mcm.sys = 2")
            .breaks(Rule::UnknownDisk, "loopback_mcm.sys = 2"),
        // A disk of another architecture.
        adapter()
            .replace("[SourceDisksNames]", "[SourceDisksNames.x86]")
            .breaks(Rule::UnknownDisk, "loopback_mcm.sys = 1"),
        // A file of another architecture.
        adapter()
            .replace("[SourceDisksFiles]", "[SourceDisksFiles.x86]")
            .replace("[SourceDisksNames]", "[SourceDisksNames.x86]")
            .replace(
                "Files]\r\nloopback_mcm.sys\r\n",
                "Files]\r\nLOOPBACK_MCM.SYS\r\n",
            )
            .breaks(Rule::UnlistedFile, "LOOPBACK_MCM.SYS"),
        adapter()
            .without("Install.Files =")
            .breaks(Rule::Destination, "[Install.Files]"),
        adapter()
            .replace("= 13 ;", "= %13% ;")
            .breaks(Rule::Destination, "Install.Files"),
        protocol()
            .replace("= 12 ;", "= 13 ;")
            .replace("%12%", "%13%")
            .breaks(Rule::DriverStore, "Install.Files"),
        adapter()
            .replace("HKR,,TypesSupported", "HKX,,TypesSupported")
            .breaks(Rule::Registry, "HKX"),
        adapter()
            .replace("0x00010001,7", "REG_DWORD,7")
            .breaks(Rule::Registry, "HKR,,TypesSupported"),
        adapter()
            .with("EventLog.Registry", "key = value")
            .breaks(Rule::Registry, "key"),
        adapter()
            .replace("%13%\\", "%12%\\")
            .breaks(Rule::ServiceBinary, "ServiceBinary"),
        adapter()
            .replace("%13%\\loopback_mcm", "%13%\\loopback")
            .breaks(Rule::ServiceBinary, "ServiceBinary"),
        protocol()
            .replace("Install.Files = 12 ;", "Install.Files = 12,x64 ;")
            .breaks(Rule::ServiceBinary, "ServiceBinary"),
        adapter()
            .replace(",0x2,", ",,")
            .breaks(Rule::AssociatedService, "[Install]"),
    ];
    for key in ["ServiceType", "StartType", "ErrorControl", "ServiceBinary"] {
        cases.push(
            adapter()
                .without(key)
                .breaks(Rule::MissingEntry, "[Service]"),
        );
    }
    cases
}

fn network() -> Vec<Case> {
    let mut cases = Vec::new();
    for key in [
        "Characteristics",
        "*IfType",
        "*MediaType",
        "*PhysicalMediaType",
    ] {
        cases.push(
            adapter()
                .without(key)
                .breaks(Rule::MissingEntry, "[Install]")
                .graded(match key {
                    "Characteristics" => Severity::Error,
                    _ => Severity::Warning,
                }),
        );
    }
    // Without calls NDIS wants them.
    cases.push(
        usb()
            .replace("\"ndiscowan\"", "\"ndis5\"")
            .replace("\"wan\"", "\"ethernet\"")
            .without("*IfType")
            .breaks(Rule::MissingEntry, "[Install]"),
    );
    cases.extend([
        protocol()
            .without("Characteristics")
            .breaks(Rule::MissingEntry, "[Install]"),
        usb()
            .without("BusType")
            .breaks(Rule::MissingEntry, "[Install]")
            .only(Severity::Warning),
    ]);
    for wrong in ["0x3", "0x8", "0x11", "NCF_VIRTUAL"] {
        cases.push(
            adapter()
                .replace("= 0x1 ", &format!("= {wrong} "))
                .breaks(Rule::Characteristics, "Characteristics"),
        );
    }
    cases.extend([
        protocol()
            .replace("= 0x0\r\n", "= 0x1\r\n")
            .breaks(Rule::Characteristics, "Characteristics"),
        adapter()
            .without("HKR,Ndi,Service")
            .breaks(Rule::NdiService, "[Install]"),
        adapter()
            .replace(
                "HKR,Ndi,Service,0x00000000,\"loopback_mcm\"",
                "HKR,Ndi,Service,0,other",
            )
            .breaks(Rule::NdiService, "HKR,Ndi,Service")
            .only(Severity::Warning),
        adapter()
            .with(
                "Install.Registry",
                "HKR,Ndi,CoServices,0x00010000,loopback_mcm",
            )
            .breaks(Rule::NdiService, "HKR,Ndi,CoServices")
            .only(Severity::Warning),
        protocol()
            .without("HKR,Ndi,CoServices")
            .breaks(Rule::NdiService, "[Install]")
            .only(Severity::Warning),
        protocol()
            .replace(
                "0x00010000,\"echo_client\"",
                "0x00010000,\"echo\",\"client\"",
            )
            .breaks(Rule::NdiService, "HKR,Ndi,CoServices")
            .only(Severity::Warning),
        adapter()
            .without("HKR,Ndi\\Interfaces,UpperRange")
            .breaks(Rule::BindingRange, "[Install]"),
        protocol()
            .without("HKR,Ndi\\Interfaces,LowerRange")
            .breaks(Rule::BindingRange, "[Install]"),
        protocol()
            .replace("\"ndisrs_loopback,ndisrs_link\"", "\"\"")
            .breaks(Rule::BindingRange, "HKR,Ndi\\Interfaces,LowerRange")
            .only(Severity::Warning),
        adapter()
            .without("HKR,,WanEndpoints")
            .breaks(Rule::WanEndpoints, "HKR,Ndi\\Interfaces,LowerRange"),
    ]);
    cases
}

#[test]
fn each_rule_is_found_broken_where_it_is() {
    let mut cases = syntax_and_references();
    cases.extend(version());
    cases.extend(models());
    cases.extend(files_and_services());
    cases.extend(network());
    cases.extend(infverif::cases());
    cases.extend(params::cases());
    let mut wrong = Vec::new();
    for case in &cases {
        let Case {
            text,
            rule,
            severity,
            line,
        } = case;
        let findings = check(text);
        let found: Vec<_> = findings
            .iter()
            .map(|f| (f.line(), f.rule(), f.severity()))
            .collect();
        if found != [(*line, *rule, *severity)] {
            wrong.push(format!(
                "{severity} {rule} at {line}, found {findings:#?}\nin\n{text}"
            ));
            continue;
        }
        assert!(!findings[0].message().is_empty());
    }
    assert!(
        wrong.is_empty(),
        "{}\n{} cases",
        wrong.join("\n\n"),
        wrong.len()
    );
    let shown: BTreeSet<_> = cases.iter().map(|case| case.rule).collect();
    let all: BTreeSet<_> = Rule::ALL.iter().copied().collect();
    assert_eq!(shown, all, "a rule without a case");
    println!("{} broken INF files, {} rules", cases.len(), all.len());
}

#[test]
fn an_inf_of_another_architecture_is_refused() {
    let text = adapter().text;
    let findings = check_for(&text, Arch::Arm64);
    let found: Vec<_> = findings.iter().map(|f| f.rule()).collect();
    assert_eq!(found, [Rule::Architecture]);
}
