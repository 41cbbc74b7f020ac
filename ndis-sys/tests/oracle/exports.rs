//! What the crate imports, against independent lists of what Windows' modules
//! export: those of Debian's mingw-w64 import libraries (`exports_*.txt`).
//!
//! On x86 the lists carry how many bytes each stdcall function takes off the
//! stack, which is checked against the prototypes.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use crate::facts::{self, Arch, Facts};
use crate::{check, say};

/// What the header declares and the lists are too old for, or in one case too
/// narrow. That these are exported is not checked.
fn unlisted(arch: Arch) -> Vec<&'static str> {
    let mut names = vec![
        "ExAllocatePool2",
        "NdisDeregisterPoll",
        "NdisMonitorReceiveDrop",
        "NdisRegisterPoll",
        "NdisRequestPoll",
        "NdisSetPollAffinity",
    ];
    if arch == Arch::X86 {
        names.push("NdisMTriggerPDDrainNotification");
    }
    names
}

/// The functions that the sources import, by module, for one architecture.
fn imports(arch: Arch) -> BTreeMap<String, BTreeSet<String>> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for file in ["generated/functions.rs", "imports.rs"] {
        let path = format!("{}/src/{file}", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(path).unwrap();
        let file = syn::parse_file(&text).unwrap();
        for item in file.items {
            let syn::Item::ForeignMod(block) = item else {
                continue;
            };
            let mut module = None;
            let mut here = true;
            for attr in &block.attrs {
                let text = tokens(attr);
                if let Some((_, rest)) = text.split_once("link(name=\"") {
                    module = rest.split('"').next().map(str::to_owned);
                } else if text.starts_with("#[cfg(") {
                    here &= applies(&text, arch);
                }
            }
            let module = module.expect("every import names its module");
            for function in block.items {
                let syn::ForeignItem::Fn(function) = function else {
                    continue;
                };
                let wanted = function
                    .attrs
                    .iter()
                    .map(tokens)
                    .filter(|a| a.starts_with("#[cfg("))
                    .all(|a| applies(&a, arch));
                let other = function.attrs.iter().map(tokens).find_map(|a| {
                    Some(
                        a.strip_prefix("#[link_name=\"")?
                            .split_once('"')?
                            .0
                            .to_owned(),
                    )
                });
                if here && wanted {
                    found
                        .entry(module.clone())
                        .or_default()
                        .insert(other.unwrap_or_else(|| function.sig.ident.to_string()));
                }
            }
        }
    }
    found
}

fn tokens(attr: &syn::Attribute) -> String {
    use quote::ToTokens as _;
    attr.to_token_stream().to_string().replace(' ', "")
}

/// The conditions in use: one architecture, any of several, or not one.
fn applies(cfg: &str, arch: Arch) -> bool {
    let named = cfg.contains(&format!("target_arch=\"{}\"", arch.name()));
    if cfg.contains("not(") { !named } else { named }
}

/// Name to the number of bytes of parameters, where the list has it.
fn exported(file: &str) -> BTreeMap<String, Option<u64>> {
    facts::lines(file)
        .iter()
        .map(|line| undecorated(line))
        .collect()
}

fn undecorated(line: &str) -> (String, Option<u64>) {
    let name = line.trim_start_matches(['_', '@']);
    match name.split_once('@') {
        Some((name, bytes)) => (name.to_string(), bytes.parse().ok()),
        None => (line.trim_start_matches('_').to_string(), None),
    }
}

#[test]
fn every_import_is_exported() {
    // Nobody has such a list for arm64; its names are those of x64.
    for (arch, list) in [
        (Arch::X86_64, "x86_64"),
        (Arch::Aarch64, "x86_64"),
        (Arch::X86, "x86"),
    ] {
        let mut counts = Vec::new();
        let unlisted = unlisted(arch);
        for (module, names) in imports(arch) {
            let stem = module.split('.').next().unwrap();
            let exports = exported(&format!("exports_{list}_{stem}.txt"));
            let missing: Vec<&String> = names
                .iter()
                .filter(|n| !exports.contains_key(*n) && !unlisted.contains(&n.as_str()))
                .collect();
            assert!(
                missing.is_empty(),
                "{}: {module} does not export {missing:?}",
                arch.name()
            );
            let found = names.iter().filter(|n| exports.contains_key(*n)).count();
            counts.push(format!("{found} from {module}"));
        }
        say(&format!(
            "{}: imports found in the import libraries' lists of {list}: {}; UNCHECKED, not in the lists: {}",
            arch.name(),
            counts.join(", "),
            unlisted.join(" ")
        ));
    }
}

/// The imports of ndis.sys are exactly the header's functions, and the spin
/// locks on x86.
#[test]
fn ndis_imports_are_the_header_s_functions() {
    for arch in Arch::ALL {
        let mut expected: BTreeSet<String> = Facts::read(arch)
            .functions
            .into_iter()
            .map(|f| f.name)
            .collect();
        if arch == Arch::X86 {
            for name in ["Acquire", "Release", "DprAcquire", "DprRelease"] {
                expected.insert(format!("Ndis{name}SpinLock"));
            }
        }
        assert_eq!(imports(arch)["ndis.sys"], expected, "{}", arch.name());
    }
}

#[test]
fn stdcall_sizes_agree_on_x86() {
    let exports = exported("exports_x86_ndis.txt");
    let mut checked = 0;
    let mut wrong = Vec::new();
    for function in Facts::read(Arch::X86).functions {
        let Some(bytes) = exports.get(&function.name) else {
            continue;
        };
        // What is variadic is cdecl, whatever the library's decoration says.
        if function.variadic {
            continue;
        }
        let Some(bytes) = bytes else {
            panic!("{} is not stdcall", function.name);
        };
        // Each parameter takes whole words of the stack.
        let is: u64 = function.params.iter().map(|w| w.div_ceil(4) * 4).sum();
        if is != *bytes {
            wrong.push(format!("{}: {is}, not {bytes}", function.name));
        }
        checked += 1;
    }
    assert!(wrong.is_empty(), "{wrong:?}");
    say(&format!(
        "x86: {checked} stdcall sizes agree with the import library"
    ));
}

/// Where the import libraries are installed, the committed lists are theirs.
#[test]
fn the_lists_are_those_of_the_import_libraries() {
    for (machine, list, modules) in [
        ("x86_64", "x86_64", ["ndis", "ntoskrnl"].as_slice()),
        ("i686", "x86", ["ndis", "ntoskrnl", "hal"].as_slice()),
    ] {
        for module in modules {
            let library = format!("/usr/{machine}-w64-mingw32/lib/lib{module}.a");
            let output = Command::new("nm").arg(&library).output();
            let Ok(output) = output else {
                say(&format!("SKIPPED: no `nm` to read {library}"));
                continue;
            };
            if !output.status.success() {
                say(&format!("SKIPPED: {library} is not installed"));
                continue;
            }
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            let names: BTreeSet<String> = text
                .lines()
                .filter_map(|l| l.split_once(" T "))
                .map(|(_, name)| name.to_string())
                .collect();
            let committed: BTreeSet<String> = facts::lines(&format!("exports_{list}_{module}.txt"))
                .into_iter()
                .collect();
            assert_eq!(names, committed, "{library}");
            say(&format!("{library}: {} names, as listed", names.len()));
        }
    }
}

/// Every import links without an import library, and stands in the image under
/// the name that the module exports, without decoration.
#[test]
fn every_import_links() {
    for arch in Arch::ALL {
        let target = arch.target();
        if !check::have(target) {
            continue;
        }
        let imports = imports(arch);
        let names: Vec<&String> = imports.values().flatten().collect();
        let list: String = names
            .iter()
            .map(|n| format!("    core::hint::black_box(ndis_sys::{n} as *const ());\n"))
            .collect();
        let source = format!(
            "#![no_std]\n#[panic_handler]\nfn panic(_: &core::panic::PanicInfo) -> ! {{ loop {{}} }}\n\
             #[unsafe(no_mangle)]\npub extern \"system\" fn DriverEntry(_: usize, _: usize) -> i32 {{\n{list}    0\n}}\n"
        );
        let image = check::image(&source, target).unwrap_or_else(|e| panic!("{target}:\n{e}"));
        let words: BTreeSet<&[u8]> = image.split(|b| *b == 0).collect();
        for name in names.iter().copied().chain(imports.keys()) {
            // The linker puts two bytes of a hint in front of a name.
            let found = words
                .iter()
                .any(|w| *w == name.as_bytes() || w.get(1..) == Some(name.as_bytes()));
            assert!(found, "{target}: {name} is not in the image");
        }
        let modules: Vec<&str> = imports.keys().map(String::as_str).collect();
        say(&format!(
            "{target}: an image links with all {} imports by name, from {}",
            names.len(),
            modules.join(", ")
        ));
    }
}
