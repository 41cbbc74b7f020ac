//! What a driver's `Cargo.toml` may say, and what is said when it is wrong.

#[allow(dead_code, reason = "shared by the test crates")]
mod common;

use common::{USB, driver};
use ndis_build::inf::{Arch, Driver, Error, check_for};
use std::fs;

const PROTOCOL: &str = r#"
[package]
name = "some-client"
version = "2.0.1-rc.1"
description = "Places calls"

[package.metadata.ndis]
provider = "Contoso"
date = "2024-02-29"

[package.metadata.ndis.protocol]
hardware-id = "CONTOSO_CLIENT"
lower-range = ["ndiscowan", "ndisatm"]
"#;

/// The good manifest with one edit.
fn edited(manifest: &str, old: &str, new: &str) -> String {
    assert_eq!(manifest.matches(old).count(), 1, "{old}");
    manifest.replace(old, new)
}

fn rendered(manifest: &str, arch: Arch) -> String {
    let text = driver(manifest).unwrap().render(arch);
    assert_eq!(check_for(&text, arch), [], "in\n{text}");
    text
}

/// Asserts that a section's entries are among the text's lines.
#[track_caller]
fn has(text: &str, lines: &[&str]) {
    let squeezed: Vec<_> = text
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    for line in lines {
        assert!(
            squeezed.iter().any(|own| own == line),
            "no `{line}` in\n{text}"
        );
    }
}

#[test]
fn an_adapter_on_a_bus() {
    let text = rendered(USB, Arch::X64);
    has(
        &text,
        &[
            "DriverVer = 02/28/2026,1.2.3.0",
            "ExcludeFromSelect = USB\\VID_0000&PID_0001",
            "Characteristics = 0x4 ; NCF_PHYSICAL",
            "BusType = 15 ; PNPBus",
            "HKR,,WanEndpoints,0x00010001,2",
            "HKR,Ndi\\Interfaces,UpperRange,0x00000000,\"ndiscowan\"",
            "HKR,Ndi\\Interfaces,LowerRange,0x00000000,\"wan\"",
            "HKR,Parameters,Lines,0x00010001,0x2",
        ],
    );
}

/// Settings of every type for the page of advanced properties.
const PARAMS: &str = r#"
[package.metadata.ndis.miniport.params]
Lines = { desc = "Lines", type = "int", default = 4, min = 1, max = 64, step = 1 }
Offset = { desc = "Offset", type = "long", default = -3 }
Route = { desc = "Route, 50%", type = "enum", default = 0, values = ["Short", "Long"] }
"*FlowControl" = { desc = "Flow Control", type = "enum", default = 3, values = { 0 = "Off", 3 = "On" } }
Peer = { desc = "Peer", type = "edit", default = "7 30", limit = 12, upper-case = true }
NetworkAddress = { desc = "Network Address", type = "edit", optional = true }
Spare = { desc = "Spare", type = "dword", default = 4294967295, optional = true }
"#;

fn with_params() -> String {
    format!("{USB}{PARAMS}")
}

#[test]
fn settings_that_users_see() {
    let text = rendered(&with_params(), Arch::X64);
    has(
        &text,
        &[
            "Characteristics = 0x84 ; NCF_PHYSICAL, NCF_HAS_UI",
            "HKR,Ndi\\params\\Lines,ParamDesc,0x00000000,\"Lines\"",
            "HKR,Ndi\\params\\Lines,Type,0x00000000,\"int\"",
            "HKR,Ndi\\params\\Lines,Default,0x00000000,\"4\"",
            "HKR,Ndi\\params\\Lines,Optional,0x00000000,\"0\"",
            "HKR,Ndi\\params\\Lines,Min,0x00000000,\"1\"",
            "HKR,Ndi\\params\\Lines,Max,0x00000000,\"64\"",
            "HKR,Ndi\\params\\Lines,Step,0x00000000,\"1\"",
            "HKR,,Lines,0x00000000,\"4\"",
            "HKR,,Offset,0x00000000,\"-3\"",
            "HKR,Ndi\\params\\Route,ParamDesc,0x00000000,\"Route, 50%%\"",
            "HKR,Ndi\\params\\Route\\enum,\"0\",0x00000000,\"Short\"",
            "HKR,Ndi\\params\\Route\\enum,\"1\",0x00000000,\"Long\"",
            "HKR,Ndi\\params\\*FlowControl\\enum,\"3\",0x00000000,\"On\"",
            "HKR,,*FlowControl,0x00000000,\"3\"",
            "HKR,Ndi\\params\\Peer,LimitText,0x00000000,\"12\"",
            "HKR,Ndi\\params\\Peer,UpperCase,0x00000000,\"1\"",
            "HKR,,Peer,0x00000000,\"7 30\"",
            "HKR,Ndi\\params\\NetworkAddress,Optional,0x00000000,\"1\"",
            "HKR,Ndi\\params\\Spare,Default,0x00000000,\"4294967295\"",
        ],
    );
    // What is optional is absent until somebody sets it.
    assert!(!text.contains("HKR,,NetworkAddress") && !text.contains("HKR,,Spare"));
    // Without settings there is no page.
    assert!(!rendered(USB, Arch::X64).contains("NCF_HAS_UI"));
}

#[test]
fn a_setting_that_is_wrong_is_named() {
    let lines = r#"type = "int", default = 4, min = 1, max = 64, step = 1 }"#;
    let route = r#"values = ["Short", "Long"]"#;
    let cases = [
        (
            lines,
            r#"type = "int", default = 0, min = 1 }"#,
            "outside of min and max",
        ),
        (
            lines,
            r#"type = "int", default = 65, max = 64 }"#,
            "outside of min and max",
        ),
        (
            lines,
            r#"type = "int", default = 4, min = 5, max = 3 }"#,
            "above the max",
        ),
        (
            lines,
            r#"type = "int", default = 4, min = 1, step = 2 }"#,
            "no step of 2",
        ),
        (
            lines,
            r#"type = "int", default = 4, step = 0 }"#,
            "leads nowhere",
        ),
        (
            lines,
            r#"type = "int", default = 2147483648 }"#,
            "is no `int`",
        ),
        (lines, r#"type = "word", default = -1 }"#, "is no `word`"),
        (
            lines,
            r#"type = "dword", default = 1, max = 4294967296 }"#,
            "is no `dword`",
        ),
        (lines, r#"type = "int" }"#, "needs a default"),
        (lines, r#"type = "int", default = "four" }"#, "is no number"),
        (
            lines,
            r#"type = "int", default = 4, values = ["a"] }"#,
            "only an `enum`",
        ),
        (
            lines,
            r#"type = "int", default = 4, limit = 1 }"#,
            "only an `edit`",
        ),
        (
            lines,
            r#"type = "byte", default = 4 }"#,
            "unknown variant `byte`",
        ),
        (
            lines,
            r#"type = "int", default = 4, base = 16 }"#,
            "unknown field `base`",
        ),
        (
            lines,
            r#"type = "int", default = true }"#,
            "a number, or a text",
        ),
        (
            "desc = \"Lines\"",
            "desc = \" \"",
            "miniport.params.Lines.desc`",
        ),
        (
            "Lines = { desc = \"Lines\", ",
            "Lines = { ",
            "missing field `desc`",
        ),
        (route, "values = []", "needs `values`"),
        (
            route,
            r#"values = ["Short", "Weit Ü"]"#,
            "miniport.params.Route.values`",
        ),
        (route, r#"values = { 1 = "One" }"#, "none of the values"),
        (
            route,
            r#"values = { 0 = "Nil", 01 = "One" }"#,
            "the value `01` is no number",
        ),
        (route, r#"values = ["Short"], min = 0"#, "only a number"),
        ("default = \"7 30\"", "default = 7", "is no text"),
        ("limit = 12", "limit = 3", "longer than its limit"),
        (
            "Spare =",
            "BusType =",
            "what Windows or the INF itself puts",
        ),
        (
            "Spare =",
            "\"*IfType\" =",
            "what Windows or the INF itself puts",
        ),
        (
            "Spare =",
            "WanEndpoints =",
            "what Windows or the INF itself puts",
        ),
        ("Spare =", "lines =", "another case"),
        ("Spare =", "\"*Spare\" =", "is not standardized"),
        ("Spare =", "\"A B\" =", "miniport.params.A B`"),
        ("Spare =", "\"*RSS\" =", "is an `enum`"),
        ("3 = \"On\"", "3 = \"On\", 5 = \"More\"", "has no value 5"),
        ("Route = { desc", "\"*JumboPacket\" = { desc", "is an `int`"),
        (
            "NetworkAddress = { desc = \"Network Address\", type = \"edit\"",
            "NetworkAddress = { desc = \"Network Address\", type = \"int\"",
            "is an `edit`",
        ),
    ];
    let good = with_params();
    assert!(driver(&good).is_ok());
    for (old, new, fragment) in cases {
        let message = driver(&edited(&good, old, new)).unwrap_err().to_string();
        assert!(message.contains(fragment), "no {fragment} in: {message}");
    }
    // A protocol has no device whose properties there could be.
    let protocol = format!("{PROTOCOL}{}", PARAMS.replace("miniport", "protocol"));
    let message = driver(&protocol).unwrap_err().to_string();
    assert!(message.contains("unknown field `params`"), "{message}");
}

#[test]
fn an_adapter_of_another_medium_and_bus() {
    let manifest = edited(
        USB,
        "bus = \"usb\"\nwan-endpoints = 2",
        "bus = \"pci\"\nmedium = \"atm\"\nhidden = true\nremovable = false",
    );
    let manifest = manifest.replace("USB\\VID_0000&PID_0001", "pci\\VEN_0000&DEV_0001");
    has(
        &rendered(&manifest, Arch::Arm64),
        &[
            "Characteristics = 0x2c ; NCF_PHYSICAL, NCF_HIDDEN, NCF_NOT_USER_REMOVABLE",
            "BusType = 5 ; PCIBus",
            "*MediaType = 8 ; NdisMediumAtm",
            "HKR,Ndi\\Interfaces,UpperRange,0x00000000,\"ndisatm\"",
            "HKR,Ndi\\Interfaces,LowerRange,0x00000000,\"atm\"",
        ],
    );
}

#[test]
fn a_protocol() {
    let text = rendered(PROTOCOL, Arch::X86);
    has(
        &text,
        &[
            "DriverVer = 02/29/2024,2.0.1.0",
            "Device = \"Places calls\"",
            "Characteristics = 0x0",
            "StartType = 2 ; SERVICE_AUTO_START",
            "HKR,Ndi\\Interfaces,UpperRange,0x00000000,\"noupper\"",
            "HKR,Ndi\\Interfaces,LowerRange,0x00000000,\"ndiscowan,ndisatm\"",
            "HKR,Ndi,CoServices,0x00010000,\"some_client\"",
            "HKR,Ndi,HelpText,0x00000000,%Description%",
        ],
    );
    let other = edited(PROTOCOL, "lower-range", "start = \"demand\"\nlower-range");
    has(
        &rendered(&other, Arch::X86),
        &["StartType = 3 ; SERVICE_DEMAND_START"],
    );
}

#[test]
fn a_protocol_for_new_windows_only_has_one_way_to_be_installed() {
    let manifest = edited(PROTOCOL, "date =", "min-build = 26100\ndate =");
    let text = rendered(&manifest, Arch::X64);
    has(
        &text,
        &[
            "%Provider% = Models,NTamd64.10.0...26100",
            "ServiceBinary = %13%\\some_client.sys",
        ],
    );
    assert!(!text.contains("%12%"));
}

#[test]
fn names_follow_the_library_and_the_service_its_own() {
    let manifest = edited(PROTOCOL, "date =", "service = \"contoso-client\"\ndate =");
    let named = driver(&format!("{manifest}\n[lib]\nname = \"client\"\n")).unwrap();
    assert_eq!(named.image_name(), "client.sys");
    assert_eq!(named.service_name(), "contoso-client");
    assert_eq!(check_for(&named.render(Arch::X64), Arch::X64), []);
}

#[test]
fn the_workspace_is_inherited_from_where_cargo_finds_it() {
    let inherited = edited(
        PROTOCOL,
        "version = \"2.0.1-rc.1\"",
        "version.workspace = true",
    );
    let inherited = edited(
        &inherited,
        "description = \"Places calls\"",
        "description = { workspace = true }",
    );
    let shared =
        "[workspace]\n[workspace.package]\nversion = \"7.8.9\"\ndescription = \"Shared\"\n";
    let expected = ["DriverVer = 02/29/2024,7.8.9.0", "Description = \"Shared\""];

    let folder = tempfile::tempdir().unwrap();
    let member = folder.path().join("drivers").join("client");
    fs::create_dir_all(&member).unwrap();
    let path = member.join("Cargo.toml");

    // Nowhere yet.
    fs::write(&path, &inherited).unwrap();
    let error = Driver::from_manifest(&path).unwrap_err();
    assert!(
        matches!(
            error,
            Error::NoWorkspace {
                key: "package.version",
                ..
            }
        ),
        "{error}"
    );
    // Above, beyond a folder with another package.
    fs::write(folder.path().join("Cargo.toml"), shared).unwrap();
    fs::write(
        folder.path().join("drivers/Cargo.toml"),
        "[package]\nname = \"x\"\n",
    )
    .unwrap();
    has(
        &Driver::from_manifest(&path).unwrap().render(Arch::X64),
        &expected,
    );
    // Where the manifest says.
    let aside = folder.path().join("aside");
    fs::create_dir(&aside).unwrap();
    fs::rename(folder.path().join("Cargo.toml"), aside.join("Cargo.toml")).unwrap();
    let said = edited(&inherited, "name =", "workspace = \"../../aside\"\nname =");
    fs::write(&path, said).unwrap();
    has(
        &Driver::from_manifest(&path).unwrap().render(Arch::X64),
        &expected,
    );
    // In the manifest itself.
    let own = format!("{inherited}\n{shared}");
    has(&rendered(&own, Arch::X64), &expected);

    let empty = driver(&format!("{inherited}\n[workspace]\n")).unwrap_err();
    assert!(
        matches!(
            empty,
            Error::Missing {
                key: "workspace.package.version",
                ..
            }
        ),
        "{empty}"
    );
}

/// Texts with what means something in an INF stay what they are, for the
/// checker at least; `render`'s own tests read them back.
#[test]
fn special_letters_do_no_harm() {
    let manifest = edited(
        PROTOCOL,
        "description = \"Places calls\"",
        r#"description = 'At 50% "off"; a, b \'"#,
    );
    let manifest = format!(
        "{manifest}\n[package.metadata.ndis.parameters]\nPath = '%SystemRoot%\\x; \"y\" \\'\n"
    );
    has(
        &rendered(&manifest, Arch::X64),
        &[
            r#"Description = "At 50% ""off""; a, b \""#,
            r#"HKR,Parameters,Path,0x00000000,"%%SystemRoot%%\x; ""y"" \""#,
        ],
    );
}

#[test]
fn each_error_names_the_file_and_the_key() {
    let ndis = "package.metadata.ndis";
    let long = "x".repeat(256);
    let cases = [
        // What the types refuse.
        (
            PROTOCOL,
            "provider =",
            "vendor =",
            "unknown field `vendor`".to_owned(),
        ),
        (
            PROTOCOL,
            "lower-range =",
            "lowerrange =",
            "unknown field `lowerrange`".to_owned(),
        ),
        (
            USB,
            "bus = \"usb\"",
            "bus = \"isa\"",
            "unknown variant `isa`".to_owned(),
        ),
        (
            USB,
            "wan-endpoints = 2",
            "wan-endpoints = -2",
            "-2".to_owned(),
        ),
        (
            USB,
            "Lines = 2",
            "Lines = -2",
            "a number of 32 bits".to_owned(),
        ),
        (
            USB,
            "Lines = 2",
            "Lines = true",
            "a number of 32 bits".to_owned(),
        ),
        (
            PROTOCOL,
            "provider = \"Contoso\"\n",
            "",
            "missing field `provider`".to_owned(),
        ),
        (
            PROTOCOL,
            "date = \"2024-02-29\"\n",
            "",
            "missing field `date`".to_owned(),
        ),
        (
            USB,
            "version = \"1.2.3\"",
            "version = 1",
            "or `workspace = true`".to_owned(),
        ),
        (
            USB,
            "version = \"1.2.3\"",
            "version.workspace = false",
            "or `workspace = true`".to_owned(),
        ),
        // What is checked beyond them.
        (
            PROTOCOL,
            "[package.metadata.ndis.protocol]",
            "[package.metadata.ndis.other]",
            "unknown field `other`".to_owned(),
        ),
        (
            PROTOCOL,
            "date = \"2024-02-29\"",
            "date = \"2023-02-29\"",
            format!("`{ndis}.date`"),
        ),
        (
            PROTOCOL,
            "date = \"2024-02-29\"",
            "date = \"29.02.2024\"",
            format!("`{ndis}.date`"),
        ),
        (
            PROTOCOL,
            "date = \"2024-02-29\"",
            "date = \"2024-2-29\"",
            format!("`{ndis}.date`"),
        ),
        (
            PROTOCOL,
            "\"2.0.1-rc.1\"",
            "\"0.0.0\"",
            "`package.version`".to_owned(),
        ),
        (
            PROTOCOL,
            "\"2.0.1-rc.1\"",
            "\"1.65535.0\"",
            "`package.version`".to_owned(),
        ),
        (
            PROTOCOL,
            "\"2.0.1-rc.1\"",
            "\"1.0\"",
            "`package.version`".to_owned(),
        ),
        (
            PROTOCOL,
            "\"2.0.1-rc.1\"",
            "\"1.0.0.0\"",
            "`package.version`".to_owned(),
        ),
        (
            PROTOCOL,
            "\"Places calls\"",
            "\"Plätze\"",
            "`package.description`".to_owned(),
        ),
        (
            PROTOCOL,
            "\"Places calls\"",
            "\"two\\nlines\"",
            "`package.description`".to_owned(),
        ),
        (
            PROTOCOL,
            "\"Contoso\"",
            "\" \"",
            format!("`{ndis}.provider`"),
        ),
        (PROTOCOL, "Contoso", &long, format!("`{ndis}.provider`")),
        (
            PROTOCOL,
            "date =",
            "service = \"a b\"\ndate =",
            format!("`{ndis}.service`"),
        ),
        (
            PROTOCOL,
            "date =",
            "min-build = 10240\ndate =",
            format!("`{ndis}.min-build`"),
        ),
        (
            PROTOCOL,
            "\"CONTOSO_CLIENT\"",
            "\"CLIENT\"",
            format!("`{ndis}.protocol.hardware-id`"),
        ),
        (
            PROTOCOL,
            "\"CONTOSO_CLIENT\"",
            "'Root\\A_B'",
            format!("`{ndis}.protocol.hardware-id`"),
        ),
        (
            PROTOCOL,
            "\"CONTOSO_CLIENT\"",
            "\"A_B C\"",
            format!("`{ndis}.protocol.hardware-id`"),
        ),
        (
            PROTOCOL,
            "[\"ndiscowan\", \"ndisatm\"]",
            "[]",
            format!("`{ndis}.protocol.lower-range`"),
        ),
        (
            PROTOCOL,
            "\"ndisatm\"",
            "\"a,b\"",
            format!("`{ndis}.protocol.lower-range`"),
        ),
        (
            PROTOCOL,
            "description = \"Places calls\"\n",
            "",
            format!("`{ndis}.display-name`"),
        ),
        (
            USB,
            "bus = \"usb\"",
            "bus = \"pci\"",
            format!("`{ndis}.miniport.hardware-id`"),
        ),
        (
            USB,
            "wan-endpoints = 2",
            "wan-endpoints = 0",
            format!("`{ndis}.miniport.wan-endpoints`"),
        ),
        (
            USB,
            "wan-endpoints = 2\n",
            "",
            format!("`{ndis}.miniport.wan-endpoints`"),
        ),
        (
            USB,
            "bus =",
            "lower-range = [\"isdn\"]\nbus =",
            format!("`{ndis}.miniport.wan-endpoints`"),
        ),
        (
            USB,
            "Lines = 2",
            "\"a b\" = 2",
            format!("`{ndis}.parameters.a b`"),
        ),
        (
            USB,
            "Lines = 2",
            "Lines = \"\\t\"",
            format!("`{ndis}.parameters.Lines`"),
        ),
        (
            USB,
            "[package.metadata.ndis.parameters]\nLines = 2",
            "[package.metadata.ndis.protocol]\nhardware-id = \"A_B\"\nlower-range = [\"x\"]",
            format!("`{ndis}`"),
        ),
    ];
    for (good, old, new, fragment) in cases {
        assert!(driver(good).is_ok());
        let message = driver(&edited(good, old, new)).unwrap_err().to_string();
        assert!(message.contains("Cargo.toml: "), "{message}");
        assert!(message.contains(&fragment), "no {fragment} in: {message}");
    }
}

#[test]
fn a_manifest_without_a_driver() {
    let none = "[package]\nname = \"x\"\nversion = \"1.0.0\"\n";
    let error = driver(none).unwrap_err();
    assert!(
        matches!(
            error,
            Error::Missing {
                key: "package.metadata.ndis",
                ..
            }
        ),
        "{error}"
    );
    let kindless = format!(
        "{none}description = \"x\"\n[package.metadata.ndis]\nprovider = \"p\"\ndate = \"2026-01-01\"\n"
    );
    let error = driver(&kindless).unwrap_err().to_string();
    assert!(
        error.contains("`package.metadata.ndis`: needs a table"),
        "{error}"
    );
    let error = Driver::from_manifest("nowhere/Cargo.toml".as_ref()).unwrap_err();
    assert!(matches!(error, Error::Read { .. }), "{error}");
}
