//! What is wrong with a driver's image, found without loading it.

use std::collections::BTreeSet;

use anyhow::Result;
use object::pe;

use super::{
    exports::{self, Exports},
    pe::Image,
};
use crate::arch::Arch;

/// Windows 10, and all that follows it, loads images of this subsystem version.
const FINDINGS: usize = 20;

/// Looks an image over; gives the findings, one sentence each.
///
/// `declared` is what the image was linked with (see [`exports::declared`]); without it the sizes
/// of stdcall functions are not compared.
pub fn check(image: &Image, arch: Arch, declared: Option<&Exports>) -> Result<Vec<String>> {
    let mut findings = Vec::new();
    headers(image, arch, &mut findings);
    sections(image, &mut findings);
    imports(image, arch, declared, &mut findings)?;
    findings.truncate(FINDINGS);
    Ok(findings)
}

fn headers(image: &Image, arch: Arch, findings: &mut Vec<String>) {
    let mut need = |holds: bool, what: &str| {
        if !holds {
            findings.push(what.to_owned());
        }
    };
    need(image.machine == arch.machine(), "it is for another machine");
    need(
        image.subsystem == pe::IMAGE_SUBSYSTEM_NATIVE,
        "its subsystem is not NATIVE",
    );
    let dll = |flag: pe::DllFlags| image.dll_flags.0 & flag.0 != 0;
    need(
        dll(pe::IMAGE_DLLCHARACTERISTICS_WDM_DRIVER),
        "it is not marked as a WDM driver",
    );
    need(
        dll(pe::IMAGE_DLLCHARACTERISTICS_NX_COMPAT),
        "it may execute data",
    );
    need(
        dll(pe::IMAGE_DLLCHARACTERISTICS_DYNAMIC_BASE),
        "it cannot be loaded anywhere",
    );
    need(
        image.file_flags.0 & pe::IMAGE_FILE_RELOCS_STRIPPED.0 == 0 && image.relocations > 0,
        "it has no relocations",
    );
    let entry = image.sections.iter().any(|section| {
        section.has(pe::IMAGE_SCN_MEM_EXECUTE)
            && (section.start..section.start + section.size).contains(&image.entry)
    });
    need(entry, "its entry point is not in its code");
    need(!image.has_tls, "it has a TLS directory");
    let (stated, computed) = image.checksum;
    if stated != computed {
        findings.push(format!(
            "its checksum is {stated:#x} in the header and {computed:#x} in truth"
        ));
    }
}

fn sections(image: &Image, findings: &mut Vec<String>) {
    for section in &image.sections {
        let name = &section.name;
        let code = section.has(pe::IMAGE_SCN_MEM_EXECUTE);
        let write = section.has(pe::IMAGE_SCN_MEM_WRITE);
        let discard = section.has(pe::IMAGE_SCN_MEM_DISCARDABLE);
        if code && write {
            findings.push(format!("section {name} is code and can be written"));
        }
        if !section.has(pe::IMAGE_SCN_MEM_READ) {
            findings.push(format!("section {name} cannot be read"));
        }
        // What is discarded after DriverEntry: its own code, and what only the loader needs.
        let transient = matches!(name.as_str(), "INIT" | ".reloc");
        if discard != transient {
            findings.push(format!(
                "section {name} is {}discardable",
                if discard { "" } else { "not " }
            ));
        }
    }
}

fn imports(
    image: &Image,
    arch: Arch,
    declared: Option<&Exports>,
    findings: &mut Vec<String>,
) -> Result<()> {
    if image.imports.values().all(BTreeSet::is_empty) {
        findings.push("it imports nothing".to_owned());
    }
    if image.numbered > 0 {
        findings.push(format!("{} imports have a number only", image.numbered));
    }
    for (module, names) in &image.imports {
        if !exports::MODULES.contains(&module.as_str()) {
            findings.push(format!("it imports from {module}"));
            continue;
        }
        let exported = exports::of(arch, module)?;
        for name in names {
            let Some(size) = exported.get(name) else {
                if !exports::UNLISTED.contains(&name.as_str()) {
                    findings.push(format!("{module} does not export {name}"));
                }
                continue;
            };
            let Some(declared) = declared else { continue };
            match (declared.get(name), size) {
                (None, _) => findings.push(format!("{name} is in no library of the build")),
                (Some(Some(own)), Some(size)) if own != size => findings.push(format!(
                    "{name} is called with {own} bytes on the stack and takes {size} off it"
                )),
                // A function of the compiler's, which has no decoration there.
                (Some(_), _) => {}
            }
        }
    }
    Ok(())
}
