//! Is `ndis-sys` what Microsoft's headers say? The facts under `tests/facts`
//! were read from the headers by clang, not by bindgen, and none of them
//! passed through the generator. Each test prints what it checked.

mod check;
mod exports;
mod facts;
mod macros;
mod program;

use std::io::Write as _;

use facts::{Arch, Facts};

/// Prints past the test harness, which would swallow it.
pub fn say(line: &str) {
    // A closed stderr is no reason to fail.
    let _ = writeln!(std::io::stderr(), "ndis-sys: {line}");
}

fn report(arch: &str, target: &str, counts: &program::Counts) {
    let list: Vec<String> = counts.iter().map(|(k, n)| format!("{n} {k}")).collect();
    say(&format!(
        "checked for {arch} ({target}): {}",
        list.join(", ")
    ));
}

fn facts_hold(arch: Arch, target: &str) {
    if !check::have(target) {
        return;
    }
    let program = program::of(&Facts::read(arch));
    let (ok, said) = check::accepts(&format!("facts-{target}"), &program.source, target);
    assert!(ok, "facts about {} do not hold:\n{said}", arch.name());
    report(arch.name(), target, &program.counts);
}

#[test]
fn facts_hold_for_windows_on_x86_64() {
    facts_hold(Arch::X86_64, Arch::X86_64.target());
}

#[test]
fn facts_hold_for_windows_on_aarch64() {
    facts_hold(Arch::Aarch64, Arch::Aarch64.target());
}

#[test]
fn facts_hold_for_windows_on_x86() {
    facts_hold(Arch::X86, Arch::X86.target());
}

/// The host that tests run on must see the same layouts, whatever its system.
#[test]
fn facts_hold_for_this_host() {
    facts_hold(Arch::host(), &check::host());
}

/// What is spoiled, and how.
type Spoil = (&'static str, fn(&mut Facts));

/// The proof is worth something only if it can fail: one wrong offset, one
/// wrong value and one wrong width are each refused.
#[test]
fn a_wrong_fact_is_refused() {
    let host = check::host();
    let truth = program::of(&Facts::read(Arch::host()));
    let (ok, said) = check::accepts("wrong", &truth.source, &host);
    assert!(ok, "the unspoiled facts do not hold:\n{said}");
    let spoil: [Spoil; 5] = [
        ("offset", |f| {
            let r = f
                .records
                .iter_mut()
                .find(|r| r.tag == "_NET_BUFFER_LIST")
                .unwrap();
            r.fields
                .iter_mut()
                .find(|f| f.full == "Context")
                .unwrap()
                .offset += 8;
        }),
        ("bits", |f| {
            let r = f.records.iter_mut().find(|r| !r.bits.is_empty()).unwrap();
            r.bits[0].offset += 1;
        }),
        ("value", |f| {
            let c = f
                .constants
                .iter_mut()
                .find(|c| c.name == "NDIS_STATUS_PENDING");
            c.unwrap().value += 1;
        }),
        ("type", |f| {
            let c = f
                .constants
                .iter_mut()
                .find(|c| c.name == "NDIS_STATUS_PENDING");
            c.unwrap().ty = "u32".into();
        }),
        ("width", |f| {
            let p = f
                .functions
                .iter_mut()
                .find(|p| p.name == "NdisClMakeCall")
                .unwrap();
            p.params[0] /= 2;
        }),
    ];
    for (what, spoil) in spoil {
        let mut facts = Facts::read(Arch::host());
        spoil(&mut facts);
        let program = program::of(&facts);
        let (ok, _) = check::accepts("wrong", &program.source, &host);
        assert!(!ok, "a wrong {what} went unnoticed");
    }
    say("5 wrong facts (offset, bits, value, type, width) were each refused");
}

/// The names of the types that the header gives its constants, which the
/// compiler cannot tell apart (`NDIS_STATUS` is `i32`), read from the source.
#[test]
fn constants_carry_the_header_s_type_names() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/generated");
    for arch in Arch::ALL {
        let mut source = std::fs::read_to_string(format!("{folder}/constants.rs")).unwrap();
        source += &std::fs::read_to_string(format!("{folder}/{}.rs", arch.name())).unwrap();
        let types: std::collections::BTreeMap<&str, &str> = source
            .lines()
            .filter_map(|l| l.strip_prefix("pub const "))
            .filter_map(|l| l.split_once(": "))
            .filter_map(|(name, rest)| Some((name, rest.split_once(" = ")?.0)))
            .collect();
        let facts = Facts::read(arch);
        let mut checked = 0;
        for constant in &facts.constants {
            if let Some(typedef) = &constant.typedef {
                assert_eq!(
                    types.get(constant.name.as_str()),
                    Some(&typedef.as_str()),
                    "{}",
                    constant.name
                );
                checked += 1;
            }
        }
        assert!(
            checked > 370,
            "only {checked} constants have a typedef's type"
        );
        say(&format!(
            "{}: {checked} constants have the typedef's name as type",
            arch.name()
        ));
    }
}
