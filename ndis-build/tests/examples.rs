//! The INF files of the workspace's examples.

#[allow(dead_code, reason = "shared by the test crates")]
mod common;

use common::{example, example_manifest};
use ndis_build::inf::{Arch, check_for};
use std::{fs, process::Command};

const EXAMPLES: [&str; 4] = ["loopback-mcm", "echo-client", "link-co", "wan-mcm"];

#[test]
fn nothing_is_found_in_them() {
    for name in EXAMPLES {
        let driver = example(name);
        for arch in Arch::ALL {
            let text = driver.render(arch);
            assert_eq!(check_for(&text, arch), [], "{name} for {arch}");
            assert!(text.is_ascii());
            assert_eq!(text.matches('\n').count(), text.matches("\r\n").count());
            assert!(text.ends_with("\"\r\n"), "the last line is ended, once");
            assert_eq!(text, example(name).render(arch), "not the same twice");
        }
    }
}

#[test]
fn the_files_of_a_package_have_one_name() {
    let driver = example("loopback-mcm");
    assert_eq!(driver.image_name(), "loopback_mcm.sys");
    assert_eq!(driver.inf_name(), "loopback_mcm.inf");
    assert_eq!(driver.catalog_name(), "loopback_mcm.cat");
    assert_eq!(driver.service_name(), "loopback_mcm");
    assert_eq!(driver.hardware_id(), "Root\\NDISRS_LOOPBACK_MCM");
    assert!(!driver.is_protocol());
    assert!(example("echo-client").is_protocol());
}

/// The values of a name in an INF's registry sections.
fn values(text: &str, name: &str) -> Vec<String> {
    let mark = format!(",{name},0x00000000,");
    let lines = text.lines().filter_map(|line| line.split_once(&mark));
    lines.map(|(_, value)| value.to_owned()).collect()
}

/// The binding engine connects a component to those below that offer the
/// interface which it looks for.
#[test]
fn the_client_binds_to_the_switch_and_the_link_and_to_nothing_else() {
    let client = example("echo-client").render(Arch::X64);
    let offered = ["loopback-mcm", "link-co"].map(|name| {
        let offered = values(&example(name).render(Arch::X64), "UpperRange");
        assert_eq!(offered.len(), 1);
        assert!(!offered[0].contains("ndis5"));
        offered[0].trim_matches('"').to_owned()
    });
    let both = format!("\"{}\"", offered.join(","));
    assert_eq!(values(&client, "LowerRange"), [both]);
}

/// A WAN adapter is what remote access dials with, and says how many calls it carries.
#[test]
fn the_wan_adapter_is_one_to_dial_with() {
    let text = example("wan-mcm").render(Arch::X64);
    assert_eq!(values(&text, "UpperRange"), ["\"ndiscowan\""]);
    assert_eq!(values(&text, "LowerRange"), ["\"wan\""]);
    assert!(text.contains("WanEndpoints,0x00010001,8"), "{text}");
    // What users may set.
    for setting in ["Lines", "Addresses", "Speed", "Prefix", "NetworkAddress"] {
        assert!(text.contains(&format!("Ndi\\params\\{setting}")), "{text}");
    }
}

/// Where netcfg cannot run an image from the driver store, it is put into the
/// folder of drivers. No Windows for x86 can.
#[test]
fn a_protocol_goes_where_its_windows_can_run_it_from() {
    let driver = example("echo-client");
    let directories = |arch| {
        let text = driver.render(arch);
        let lines = text.lines().filter_map(|line| line.split_once(" = %"));
        let binaries = lines.filter(|(key, _)| key.trim() == "ServiceBinary");
        binaries
            .map(|(_, path)| path.to_owned())
            .collect::<Vec<_>>()
    };
    let both = ["12%\\echo_client.sys", "13%\\echo_client.sys"];
    assert_eq!(directories(Arch::X64), both);
    assert_eq!(directories(Arch::Arm64), both);
    assert_eq!(directories(Arch::X86), both[..1]);
    assert!(
        driver
            .render(Arch::Arm64)
            .contains("Models,NTarm64.10.0...19041,NTarm64.10.0...25319\r\n")
    );
}

#[test]
fn the_tool_writes_what_it_then_accepts() {
    let out = tempfile::tempdir().unwrap();
    let tool = || Command::new(env!("CARGO_BIN_EXE_ndis-inf"));
    let written = tool()
        .args(["generate", "--manifest-path"])
        .arg(example_manifest("loopback-mcm"))
        .arg("--out")
        .arg(out.path())
        .output()
        .unwrap();
    assert!(written.status.success(), "{written:?}");
    for arch in Arch::IMAGES {
        let path = out.path().join(arch.name()).join("loopback_mcm.inf");
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text, example("loopback-mcm").render(arch));
        let check = || {
            let mut tool = tool();
            tool.args(["check", "--arch", arch.name()]).arg(&path);
            tool.output().unwrap()
        };
        assert!(check().status.success());

        // A warning is told, an error is a failure.
        let said = |word: &str, wrong: &str, line: &str, counts: &str, success: bool| {
            fs::write(&path, text.replace(word, wrong)).unwrap();
            let checked = check();
            assert_eq!(checked.status.success(), success);
            let said = String::from_utf8(checked.stdout).unwrap();
            assert!(said.contains(line), "{said}");
            assert!(said.ends_with(counts), "{said}");
        };
        said(
            "PnpLockdown = 1",
            "PnpLockdown = 0",
            ": line 11: warning: `PnpLockdown` must be 1 [version-value]\n",
            "\n0 errors, 1 warnings, 0 hints\n",
            true,
        );
        said(
            "$Windows NT$",
            "$Windows 95$",
            ": line 5: error: `Signature` must be $Windows NT$ [version-value]\n",
            "\n1 errors, 0 warnings, 0 hints\n",
            false,
        );

        // The same in the encoding that Windows prefers.
        let marked = format!("\u{feff}{text}");
        let units: Vec<_> = marked.encode_utf16().flat_map(u16::to_le_bytes).collect();
        fs::write(&path, units).unwrap();
        assert!(check().status.success());
    }
}

/// What the user did wrong is one line, however the user likes backtraces.
#[test]
fn an_error_of_the_user_is_a_line() {
    for (manifest, said) in [
        ("/no/such/Cargo.toml", "/no/such/Cargo.toml"),
        (
            concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"),
            "metadata",
        ),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_ndis-inf"))
            .args(["generate", "--manifest-path", manifest])
            .env("RUST_BACKTRACE", "1")
            .output()
            .expect("the tool runs");
        assert!(!output.status.success());
        let text = String::from_utf8(output.stderr).expect("it is text");
        assert!(text.starts_with("error: ") && text.contains(said), "{text}");
        assert_eq!(text.trim_end().lines().count(), 1, "{text}");
    }
}
