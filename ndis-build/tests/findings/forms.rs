//! What Windows accepts in another form than ours.

use crate::broken::{adapter, protocol, usb};
use ndis_build::inf::{Rule, Severity, check, check_file};

#[test]
fn other_ways_to_write_the_same_are_fine() {
    let texts = [
        adapter().text.to_ascii_lowercase(),
        adapter().text.to_ascii_uppercase(),
        adapter().text.replace("\r\n", "\n"),
        // Decorated install sections.
        adapter()
            .replace("[Install]", "[Install.NTamd64]")
            .replace("[Install.Services]", "[Install.NTamd64.Services]")
            .text,
        adapter()
            .replace("[Install]", "[Install.NT]")
            .replace("[Install.Services]", "[Install.NT.Services]")
            .text,
        // A file by its own name, to the default directory.
        adapter()
            .without_section("Install.Files")
            .replace("Install.Files = 13", "DefaultDestDir = 13")
            .replace("= Install.Files", "= @loopback_mcm.sys")
            .text,
        // A source disk for each architecture.
        adapter()
            .replace("[SourceDisksFiles]", "[SourceDisksFiles.amd64]")
            .replace("[SourceDisksNames]", "[SourceDisksNames.amd64]")
            .text,
        // A trailing comma.
        adapter()
            .replace("NTamd64.10.0...19041\r\n", "NTamd64.10.0...19041,\r\n")
            .text,
        // All platforms, and their catalogs.
        adapter()
            .replace_all("NTamd64.10.0...19041", "NT")
            .replace("CatalogFile ", "CatalogFile.NTamd64 ")
            .text,
        // A string in the place of a section's name, a continued line, a class
        // from a string.
        adapter()
            .replace(
                "AddReg             = Install.Registry",
                "AddReg = \\\r\n  %Reg% ; continued",
            )
            .replace("= Net\r\n", "= %Class%\r\n")
            .with("Strings", "Reg = Install.Registry\r\nClass = \"Net\"")
            .text,
        // Languages.
        adapter()
            .replace(
                "[Strings]",
                "[Strings.0407]\r\nProvider = \"P\"\r\nDevice = \"Schalter\"\r\n\
                 Description = \"D\"\r\nDisk = \"Disk\"\r\n[Strings]",
            )
            .text,
        // Strings in parts of names, and in keys.
        adapter()
            .replace(
                "Files]\r\nloopback_mcm.sys\r\n",
                "Files]\r\n%Image%_mcm.sys\r\n",
            )
            .replace("loopback_mcm.sys = 1", "%Image%_mcm.%Sys% = %One%")
            .replace("1 = %Disk%", "%One% = %Disk%")
            .replace("Install.Files = 13", "%List%s = %Store%")
            .replace(
                "HKR,Ndi,Service,0x00000000,\"loopback_mcm\"",
                "%Root%,%Ndi%,%Service%,%Sz%,\"%Image%_mcm\"",
            )
            .with(
                "Strings",
                "Image = loopback\r\nSys = sys\r\nOne = 1\r\nStore = 13\r\nList = Install.File\r\n\
                 Root = HKR\r\nNdi = Ndi\r\nService = Service\r\nSz = 0x00000000",
            )
            .text,
        protocol()
            .replace("0x00010000,\"echo_client\"", "0x00010000,%Service%")
            .with("Strings", "Service = echo_client")
            .text,
        usb()
            .replace(
                "ExcludeFromSelect = USB\\VID_0000&PID_0001",
                "ExcludeFromSelect = %Id%",
            )
            .with("Strings", "Id = \"USB\\VID_0000&PID_0001\"")
            .text,
        // A component that undoes what it did.
        protocol()
            .replace(
                "[Strings]",
                "[Install.Remove]\r\nDelFiles = Install.Files\r\n\
                 [Install.Remove.Services]\r\nDelService = echo_client,0x200\r\n[Strings]",
            )
            .text,
        usb()
            .replace(
                "ExcludeFromSelect = USB\\VID_0000&PID_0001",
                "ExcludeFromSelect = *",
            )
            .text,
    ];
    for text in &texts {
        assert_eq!(check(text), [], "in\n{text}");
    }
}

/// Windows reads a file without a mark in the system's code page. That is one finding at most, and
/// the rest of the file is checked.
#[test]
fn files_of_a_code_page_are_checked() {
    let good = adapter().text.into_bytes();
    let with = |start: &[u8], rest: &[u8]| [start, rest].concat();
    let found = |bytes: &[u8]| {
        let findings = check_file(bytes, None);
        let found = findings.iter().map(|f| (f.line(), f.rule(), f.severity()));
        found.collect::<Vec<_>>()
    };
    assert_eq!(found(&good), []);
    let hint = (1, Rule::Encoding, Severity::Hint);
    assert_eq!(found(&with(b"; \xA9 2026\r\n; \xFC\r\n", &good)), [hint]);

    let broken = adapter().replace("%13%\\loop", "%13%\\hoop").text;
    let broken = with(b"; \xA9 2026\r\n", broken.as_bytes());
    let found = found(&broken);
    assert_eq!(found.len(), 2, "{found:?}");
    assert_eq!((found[0], found[1].1), (hint, Rule::ServiceBinary));
}

/// A package without a device needs no models, and only what every driver needs is looked at.
#[test]
fn packages_without_a_device_are_checked() {
    let found = |text: &str| {
        let findings = check(text);
        let found = findings.iter().map(|f| (f.rule(), f.severity()));
        found.collect::<Vec<_>>()
    };
    let callout = adapter()
        .replace("= Net\r\n", "= WFPCALLOUTS\r\n")
        .without_section("Manufacturer")
        .without_section("Models.NTamd64.10.0...19041")
        .without("Device ")
        .replace("%Device%", "%Provider%")
        .replace("[Install]", "[DefaultInstall.NTamd64]")
        .replace("[Install.Services]", "[DefaultInstall.NTamd64.Services]");
    let class = (Rule::Class, Severity::Hint);
    assert_eq!(found(&callout.text), [class]);
    let plain = callout.replace_all("DefaultInstall.NTamd64", "DefaultInstall");
    let old = (Rule::Architecture, Severity::Warning);
    assert_eq!(found(&plain.text), [class, old]);
    let unlisted = plain.replace(
        "[Install.Files]\r\nloopback_mcm.sys",
        "[Install.Files]\r\nother.sys",
    );
    let found = found(&unlisted.text);
    assert!(
        found.contains(&(Rule::UnlistedFile, Severity::Error)),
        "{found:?}"
    );
}

/// What other sections than the install section copy is part of the package, and models without
/// an architecture are for a Windows that knows none.
#[test]
fn what_is_copied_and_named_beside_is_known() {
    let texts = [
        protocol()
            .with("SourceDisksFiles", "tool.exe = 1")
            .with("DestinationDirs", "Tool.Files = 11")
            .replace(
                "[Strings]",
                "[Install.Software]\r\nCopyFiles = Tool.Files\r\n[Tool.Files]\r\ntool.exe\r\n[Strings]",
            )
            .text,
        adapter()
            .replace("[Strings]", "[Models]\r\n[Strings]")
            .text,
    ];
    for text in &texts {
        assert_eq!(check(text), [], "in\n{text}");
    }
}
