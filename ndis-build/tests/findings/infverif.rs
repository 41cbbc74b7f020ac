//! What Microsoft's InfVerif finds as well, each with the number that it has there
//! (inf-validation-errors-and-warnings.md).

use crate::broken::{Broken, Case, adapter, good, protocol, usb};
use ndis_build::inf::{Arch, Rule, Severity};

pub fn cases() -> Vec<Case> {
    let mut cases = directives();
    cases.extend(versions());
    cases.extend(registry());
    cases.extend(files());
    cases.extend(services());
    cases.extend(components());
    cases
}

fn directives() -> Vec<Case> {
    vec![
        // 1005
        adapter()
            .replace("AddReg = EventLog.Registry", "AddReg =")
            .without_section("EventLog.Registry")
            .breaks(Rule::Incomplete, "AddReg ="),
        // 1011
        adapter()
            .with("Manufacturer", "%Device% =")
            .breaks(Rule::Incomplete, "%Device% ="),
        // 1271
        adapter()
            .with("Models.NTamd64.10.0...19041", "%Disk% = ,Root\\Nothing")
            .breaks(Rule::Incomplete, "%Disk% = ,"),
        // 1110
        adapter()
            .with("Install", "CopyINF = other.sys")
            .breaks(Rule::CopyInf, "CopyINF"),
        // 1201
        adapter()
            .replace("= 0x1 ", "= 0x1,0x20 ")
            .breaks(Rule::ExtraValue, "Characteristics"),
        // 1088
        adapter()
            .with("Service", "StartType = 3")
            .breaks(Rule::RepeatedEntry, "StartType      = 3"),
        // 1294
        adapter()
            .replace(
                "[Install.Files]\r\nloopback_mcm.sys\r\n",
                "[Install.Files]\r\nloopback_mcm.sys\r\nLoopback_mcm.sys\r\n",
            )
            .breaks(Rule::RepeatedEntry, "Loopback_mcm.sys"),
        // 1206
        adapter()
            .with("Install", "DelReg = Install.Files")
            .breaks(Rule::MixedSection, "CopyFiles"),
        // 1209
        adapter()
            .replace("[Strings]", "[install]\r\n[Strings]")
            .breaks(Rule::RepeatedSection, "[install]"),
        // 1274
        adapter()
            .replace_all("NTamd64", "NT$ARCH$")
            .breaks(Rule::Unstamped, "%Provider%"),
        // 1287, 1288
        adapter()
            .replace_all("10.0...19041", "10.0...10240")
            .breaks(Rule::Architecture, "%Provider%")
            .only(Severity::Warning),
        // 1303
        adapter()
            .replace(
                "[Strings]",
                "[Install.CoInstallers]\r\nAddReg = Install.Registry\r\n[Strings]",
            )
            .breaks(Rule::Legacy, "[Install.CoInstallers]"),
        // 1308
        adapter()
            .with("Install", "LogConfig = Log")
            .replace("[Strings]", "[Log]\r\nConfigPriority = NORMAL\r\n[Strings]")
            .breaks(Rule::Legacy, "LogConfig"),
        // 1319
        adapter()
            .with("EventLog", "Needs = Elsewhere")
            .breaks(Rule::Needs, "Needs"),
    ]
}

fn versions() -> Vec<Case> {
    vec![
        // 1001
        adapter()
            .replace("$Windows NT$", "$CHICAGO$")
            .breaks(Rule::VersionValue, "Signature")
            .only(Severity::Warning),
        // 1010
        adapter()
            .replace("4D36E972-", "4D36E972")
            .breaks(Rule::Class, "ClassGuid"),
        // 1284
        adapter()
            .replace("= Net\r\n", "= Sample\r\n")
            .breaks(Rule::Class, "Class "),
        // 1214
        adapter()
            .replace("= loopback_mcm.cat", "= x64\\loopback_mcm.cat")
            .breaks(Rule::VersionValue, "CatalogFile"),
        // 1204
        adapter()
            .replace("\"The ndis-rs developers\"", "\"Microsoft Friends\"")
            .breaks(Rule::Provider, "Provider "),
        // 1285
        adapter()
            .replace(
                "[Strings]",
                "[ClassInstall32]\r\nAddReg = EventLog.Registry\r\n[Strings]",
            )
            .breaks(Rule::ClassInstaller, "[ClassInstall32]"),
    ]
}

fn registry() -> Vec<Case> {
    let line = |text: &str| adapter().with("Install.Registry", text);
    let wrong = |text: &str| line(text).breaks(Rule::Registry, text);
    vec![
        // 1265
        wrong("HKR,,List,0x00000008,more"),
        // 1267
        wrong("HKR,,Bytes,0x00000001,00,7G"),
        // 1268
        wrong("HKR,,Number,0x00010001,ten"),
        wrong("HKR,,Number,0x00010001,0x100000000"),
        // 1222
        line("HKLM,Software\\Maker,Path,,here").breaks(Rule::Isolation, "HKLM"),
        // 1320
        line("HKLM,System\\CurrentControlSet\\Control\\Maker,Path,,here")
            .breaks(Rule::Isolation, "HKLM")
            .only(Severity::Hint),
        // 1323
        adapter()
            .with("Service", "AddReg = Own")
            .replace("[Strings]", "[Own]\r\nHKR,Setup,Path,,here\r\n[Strings]")
            .breaks(Rule::Isolation, "HKR,Setup")
            .only(Severity::Hint),
    ]
}

fn files() -> Vec<Case> {
    vec![
        // 1100
        adapter()
            .replace("loopback_mcm.sys = 1", "loopback_mcm.sys = 1,x64")
            .breaks(Rule::StorePath, "Install.Files = 13"),
        adapter()
            .replace(
                "Files]\r\nloopback_mcm.sys\r\n",
                "Files]\r\nloopback_mcm.sys\r\nother.sys,loopback_mcm.sys\r\n",
            )
            .breaks(Rule::StorePath, "other.sys"),
        // 1213
        adapter()
            .with("SourceDisksFiles", "loopback_mcm.cat = 1")
            .breaks(Rule::Catalog, "loopback_mcm.cat"),
        // 1330
        protocol()
            .with("SourceDisksFiles", "new.sys = 1")
            .replace("= Install.Files\r\n", "= Install.Files,More.Files\r\n")
            .with("DestinationDirs", "More.Files = 12")
            .replace(
                "[Strings]",
                "[More.Files]\r\necho_client.sys,new.sys\r\n[Strings]",
            )
            .breaks(Rule::ConflictingCopies, "echo_client.sys,new.sys"),
    ]
}

fn services() -> Vec<Case> {
    vec![
        // 1005
        adapter()
            .with("Install.Services", "AddService = second")
            .breaks(Rule::Incomplete, "AddService = second"),
        // 1253
        protocol()
            .with("Install.Services", "AddService = ,0,Service")
            .breaks(Rule::Incomplete, "AddService = ,0"),
        // 1250
        adapter()
            .replace("Service,EventLog\r\n", "Service,EventLog,Network\r\n")
            .breaks(Rule::EventLog, "AddService"),
        // 1251
        adapter()
            .replace("StartType      = 3", "StartType      = 4")
            .breaks(Rule::ServiceValue, "StartType")
            .only(Severity::Warning),
        // 1014
        adapter()
            .replace("StartType      = 3", "StartType      = demand")
            .breaks(Rule::ServiceValue, "StartType"),
        // 2085
        adapter()
            .replace("%13%\\", "system32\\drivers\\")
            .breaks(Rule::ServiceBinary, "ServiceBinary"),
    ]
}

/// A modifying filter, made of a protocol.
fn filter() -> Broken {
    let text = protocol()
        .replace("= NetTrans", "= NetService")
        .replace("4D36E975", "4D36E974")
        .replace("= 0x0\r\n", "= 0x40000\r\nNetCfgInstanceId = \"{5cbf81bd-5055-47cd-9055-a76b2b4e3600}\"\r\n")
        .with(
            "Install.Registry",
            "HKR,Ndi,FilterType,0x00010001,2\r\nHKR,Ndi,FilterRunType,0x00010001,1\r\n\
             HKR,Ndi,FilterClass,,compression\r\nHKR,Ndi\\Interfaces,FilterMediaTypes,,\"ethernet\"",
        )
        .text;
    good(text, Arch::X86)
}

fn components() -> Vec<Case> {
    vec![
        // 2415
        protocol()
            .replace("NDISRS_ECHO_CLIENT", "ms_echo")
            .breaks(Rule::ComponentId, "%Device%"),
        // 2416
        protocol()
            .replace("\"noupper\"", "\"no upper\"")
            .breaks(Rule::BindToken, "HKR,Ndi\\Interfaces,UpperRange"),
        // 2500
        usb()
            .replace("\"ndiscowan\"", "\"ndis5, ndis4\"")
            .breaks(Rule::BindToken, "HKR,Ndi\\Interfaces,UpperRange"),
        // 2418
        filter()
            .without("HKR,Ndi,FilterClass")
            .breaks(Rule::Filter, "[Install]"),
        filter()
            .without("HKR,Ndi\\Interfaces,FilterMediaTypes")
            .breaks(Rule::Filter, "[Install]"),
        filter()
            .without("NetCfgInstanceId")
            .breaks(Rule::MissingEntry, "[Install]"),
        filter()
            .without("HKR,Ndi,CoServices")
            .breaks(Rule::NdiService, "[Install]")
            .only(Severity::Warning),
        filter()
            .replace("= 0x40000\r\n", "= 0x40400\r\n")
            .breaks(Rule::Legacy, "Characteristics"),
    ]
}
