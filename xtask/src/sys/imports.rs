//! What an image wants of other modules, and whether they have it.

use std::collections::BTreeSet;

use anyhow::Result;

use super::{exports, finding::Finding, pe::Image};
use crate::arch::Arch;

/// Modules that only a process of a user has.
const OF_PROCESSES: [&str; 7] = [
    "advapi32.dll",
    "kernel32.dll",
    "kernelbase.dll",
    "msvcrt.dll",
    "ntdll.dll",
    "ucrtbase.dll",
    "user32.dll",
];

/// Modules of the kernel that are no drivers (`.sys`).
const OF_KERNEL: [&str; 7] = [
    "bootvid.dll",
    "ci.dll",
    "hal.dll",
    "kdcom.dll",
    "kd.dll",
    "ntoskrnl.exe",
    "pshed.dll",
];

pub fn check(image: &Image, arch: Arch) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    if image.imports.values().all(BTreeSet::is_empty) && image.numbered == 0 {
        findings.push(Finding::hint("it imports nothing"));
    }
    if image.numbered > 0 {
        findings.push(Finding::warning(format!(
            "{} imports have a number only, which may be another function in another Windows",
            image.numbered
        )));
    }
    for (module, names) in &image.imports {
        // Module names have no case: Microsoft's own import library says NDIS.SYS.
        let known = module.to_ascii_lowercase();
        if !exports::is_listed(&known) {
            findings.push(other(module, &known));
            continue;
        }
        if !exports::MODULES.contains(&known.as_str()) {
            findings.push(Finding::hint(format!(
                "it imports from {module}, which drivers made here do without"
            )));
        }
        let exported = exports::of(arch, &known)?;
        for name in names.difference(&exported) {
            // The lists of NDIS are complete up to the version of the raw crate. Those of the
            // kernel are not.
            findings.push(match known.as_str() {
                "ndis.sys" => Finding::error(format!("{module} does not export {name}")),
                _ => Finding::warning(format!("{module} does not export {name}, as far as known")),
            });
        }
    }
    Ok(findings)
}

/// A module of which no names are known here.
fn other(module: &str, known: &str) -> Finding {
    let runtime = ["vcruntime", "msvcp", "api-ms-win-crt"];
    if OF_PROCESSES.contains(&known) || runtime.iter().any(|start| known.starts_with(start)) {
        Finding::error(format!(
            "it imports from {module}, which the kernel does not load"
        ))
    } else if known.ends_with(".sys") || OF_KERNEL.contains(&known) {
        Finding::hint(format!(
            "it imports from {module}, whose names are not known here"
        ))
    } else {
        Finding::warning(format!("it imports from {module}, which is no driver"))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use ndis_build::inf::Severity;

    use super::{super::check::tests::good, *};

    fn found(arch: Arch, imports: &[(&str, &str)]) -> Vec<(Severity, String)> {
        let mut image = good();
        image.imports = BTreeMap::new();
        for (module, name) in imports {
            let names = image.imports.entry((*module).to_owned()).or_default();
            names.insert((*name).to_owned());
        }
        let findings = check(&image, arch).unwrap();
        findings.into_iter().map(|f| (f.severity, f.what)).collect()
    }

    #[test]
    fn modules_have_no_case() {
        let right = [
            ("NDIS.SYS", "NdisAllocateMdl"),
            ("ntoskrnl.exe", "KeSetEvent"),
            ("NTOSKRNL.EXE", "NtBuildNumber"),
        ];
        assert_eq!(found(Arch::X64, &right), []);
        let wrong = [("Ndis.Sys", "NdisSleepForEver")];
        let what = "Ndis.Sys does not export NdisSleepForEver".to_owned();
        assert_eq!(found(Arch::X64, &wrong), [(Severity::Error, what)]);
    }

    #[test]
    fn modules_are_told_apart() {
        for (module, severity) in [
            ("KERNEL32.dll", Severity::Error),
            ("VCRUNTIME140.dll", Severity::Error),
            ("other.dll", Severity::Warning),
            ("FWPKCLNT.SYS", Severity::Hint),
            ("ci.dll", Severity::Hint),
        ] {
            let found = found(Arch::Arm64, &[(module, "Name")]);
            assert_eq!(found.len(), 1, "{module}: {found:?}");
            assert_eq!(found[0].0, severity, "{found:?}");
            assert!(found[0].1.contains(module));
        }
        let hal = found(Arch::X86, &[("HAL.dll", "KeGetCurrentIrql")]);
        assert_eq!(hal.len(), 1, "{hal:?}");
        assert_eq!(hal[0].0, Severity::Hint);
    }

    #[test]
    fn what_is_not_named_is_found() {
        let mut image = good();
        image.numbered = 2;
        let found = check(&image, Arch::X64).unwrap();
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].what.starts_with("2 imports have a number"));
        image.numbered = 0;
        image.imports.clear();
        let found = check(&image, Arch::X64).unwrap();
        assert_eq!(found, [Finding::hint("it imports nothing")]);
    }
}
