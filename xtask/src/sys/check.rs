//! What is wrong with a driver's image, found without loading it.

use anyhow::Result;
use object::pe;

use super::{finding::Finding, imports, pe::Image};
use crate::arch::Arch;

/// The version of Windows and of its native subsystem that our images are for: Windows 10, and all
/// that follows it.
const VERSION: (u16, u16) = (10, 0);

/// Looks an image over.
pub fn check(image: &Image, arch: Arch) -> Result<Vec<Finding>> {
    let mut findings = headers(image, arch);
    findings.extend(sections(image));
    // On x86 handlers of exceptions are on the stack.
    let unwinds = image
        .sections
        .iter()
        .any(|section| section.name == ".pdata");
    if arch != Arch::X86 && !unwinds {
        findings.push(Finding::warning(
            "it does not say how its functions are unwound (section .pdata)",
        ));
    }
    findings.extend(imports::check(image, arch)?);
    Ok(findings)
}

fn headers(image: &Image, arch: Arch) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut need = |holds: bool, finding: Finding| {
        if !holds {
            findings.push(finding);
        }
    };
    need(
        image.machine == arch.machine(),
        Finding::error("it is for another machine"),
    );
    need(
        image.subsystem == pe::IMAGE_SUBSYSTEM_NATIVE,
        Finding::error("its subsystem is not NATIVE"),
    );
    let dll = |flag: pe::DllFlags| image.dll_flags.0 & flag.0 != 0;
    need(
        dll(pe::IMAGE_DLLCHARACTERISTICS_WDM_DRIVER),
        Finding::hint("it is not marked as a WDM driver"),
    );
    need(
        dll(pe::IMAGE_DLLCHARACTERISTICS_NX_COMPAT),
        Finding::warning("it may execute data"),
    );
    need(
        dll(pe::IMAGE_DLLCHARACTERISTICS_DYNAMIC_BASE),
        Finding::warning("it does not say that it can be loaded anywhere"),
    );
    // None are needed where nothing in the image holds an address.
    need(
        image.file_flags.0 & pe::IMAGE_FILE_RELOCS_STRIPPED.0 == 0,
        Finding::error("its relocations were taken away"),
    );
    need(
        image.system == VERSION && image.subsystem_version == VERSION,
        Finding::hint("its headers are not for Windows 10"),
    );
    need(
        !image.has_delayed_imports,
        Finding::warning("it has imports that are resolved late"),
    );
    let entry = image.sections.iter().any(|section| {
        section.has(pe::IMAGE_SCN_MEM_EXECUTE)
            && (section.start..section.start.saturating_add(section.size)).contains(&image.entry)
    });
    need(entry, Finding::error("its entry point is not in its code"));
    need(
        !image.has_tls,
        Finding::warning("it has a TLS directory, which the kernel does not read"),
    );
    let (stated, computed) = image.checksum;
    need(
        stated == computed,
        Finding::error(format!(
            "its checksum is {stated:#x} in the header and {computed:#x} in truth"
        )),
    );
    findings
}

fn sections(image: &Image) -> Vec<Finding> {
    let mut findings = Vec::new();
    for section in &image.sections {
        let name = &section.name;
        let code = section.has(pe::IMAGE_SCN_MEM_EXECUTE);
        let write = section.has(pe::IMAGE_SCN_MEM_WRITE);
        let discard = section.has(pe::IMAGE_SCN_MEM_DISCARDABLE);
        if code && write {
            // Older linkers did so to INIT, and with protected code (HVCI) it is not loaded.
            findings.push(Finding::warning(format!(
                "section {name} is code and can be written"
            )));
        }
        if !section.has(pe::IMAGE_SCN_MEM_READ) {
            findings.push(Finding::error(format!("section {name} cannot be read")));
        }
        // What is discarded after DriverEntry: its own code, and what only the loader needs.
        // Resources are either.
        let transient = name.starts_with("INIT") || name == ".reloc";
        if discard && !transient && name != ".rsrc" {
            findings.push(Finding::warning(format!("section {name} is discardable")));
        }
        if !discard && transient {
            findings.push(Finding::hint(format!("section {name} is not discardable")));
        }
    }
    findings
}

#[cfg(test)]
pub mod tests {
    use std::collections::BTreeSet;

    use ndis_build::inf::Severity;

    use super::{super::pe::Section, *};

    fn section(name: &str, start: u32, flags: &[pe::SectionFlags]) -> Section {
        Section {
            name: name.to_owned(),
            start,
            size: 0x1000,
            flags: pe::SectionFlags(flags.iter().fold(0, |all, flag| all | flag.0)),
        }
    }

    /// An image for x64 that has nothing wrong with it.
    pub fn good() -> Image {
        let read = pe::IMAGE_SCN_MEM_READ;
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Image {
            machine: pe::IMAGE_FILE_MACHINE_AMD64,
            subsystem: pe::IMAGE_SUBSYSTEM_NATIVE,
            system: VERSION,
            subsystem_version: VERSION,
            file_flags: pe::FileFlags(0),
            dll_flags: pe::DllFlags(0x2140),
            entry: 0x1000,
            size: 0x3000,
            checksum: (7, 7),
            sections: vec![
                section(".text", 0x1000, &[read, pe::IMAGE_SCN_MEM_EXECUTE]),
                section(".reloc", 0x2000, &[read, pe::IMAGE_SCN_MEM_DISCARDABLE]),
                section(".pdata", 0x3000, &[read]),
            ],
            imports: [
                ("ndis.sys".to_owned(), names(&["NdisClMakeCall"])),
                ("ntoskrnl.exe".to_owned(), names(&["memcpy"])),
            ]
            .into(),
            numbered: 0,
            exports: BTreeSet::new(),
            relocations: 1,
            has_tls: false,
            has_delayed_imports: false,
        }
    }

    fn findings(spoil: impl FnOnce(&mut Image)) -> Vec<Finding> {
        let mut image = good();
        spoil(&mut image);
        check(&image, Arch::X64).unwrap()
    }

    /// The one finding about an image that is spoilt, which has this grade and these words.
    fn one(severity: Severity, words: &str, spoil: impl FnOnce(&mut Image)) {
        let found = findings(spoil);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].severity, severity, "{found:?}");
        assert!(found[0].what.contains(words), "{found:?}");
    }

    #[test]
    fn an_image_that_cannot_be_unwound() {
        one(Severity::Warning, "unwound", |image| {
            image.sections.retain(|section| section.name != ".pdata");
        });
    }

    #[test]
    fn a_good_image_has_no_finding() {
        assert_eq!(findings(|_| {}), []);
        // One that holds no addresses, and has nothing to relocate.
        assert_eq!(findings(|image| image.relocations = 0), []);
    }

    #[test]
    fn a_header_that_windows_refuses_is_an_error() {
        let error = Severity::Error;
        one(error, "checksum", |i| i.checksum.1 = 8);
        one(error, "machine", |i| {
            i.machine = pe::IMAGE_FILE_MACHINE_ARM64
        });
        one(error, "relocations", |i| {
            i.file_flags = pe::IMAGE_FILE_RELOCS_STRIPPED;
        });
        one(error, "entry point", |i| i.entry = 0x2000);
        one(error, "NATIVE", |i| {
            i.subsystem = pe::IMAGE_SUBSYSTEM_WINDOWS_CUI;
        });
    }

    #[test]
    fn a_header_that_windows_takes_is_less() {
        one(Severity::Hint, "Windows 10", |i| i.system = (6, 1));
        one(Severity::Hint, "Windows 10", |i| {
            i.subsystem_version = (6, 1);
        });
        one(Severity::Hint, "WDM", |i| i.dll_flags.0 = 0x140);
        one(Severity::Warning, "TLS", |i| i.has_tls = true);
        one(Severity::Warning, "late", |i| i.has_delayed_imports = true);
        one(Severity::Warning, "execute data", |i| {
            i.dll_flags.0 = 0x2040;
        });
        one(Severity::Warning, "anywhere", |i| i.dll_flags.0 = 0x2100);
    }

    #[test]
    fn a_section_that_is_wrong_is_found() {
        let add = |name: &'static str, flags: &'static [pe::SectionFlags]| {
            move |image: &mut Image| image.sections.push(section(name, 0x3000, flags))
        };
        const READ: pe::SectionFlags = pe::IMAGE_SCN_MEM_READ;
        const DISCARD: pe::SectionFlags = pe::IMAGE_SCN_MEM_DISCARDABLE;
        one(Severity::Hint, "not discardable", |i| {
            i.sections[1].flags = READ;
        });
        one(Severity::Error, "cannot be read", |i| {
            i.sections[0].flags.0 &= !READ.0;
        });
        one(Severity::Warning, "INIT is code", |i| {
            i.sections.push(section(
                "INIT",
                0x3000,
                &[
                    READ,
                    DISCARD,
                    pe::IMAGE_SCN_MEM_EXECUTE,
                    pe::IMAGE_SCN_MEM_WRITE,
                ],
            ));
        });
        one(
            Severity::Warning,
            ".rdata is discardable",
            add(".rdata", &[READ, DISCARD]),
        );
        // Linkers differ about resources.
        assert_eq!(findings(add(".rsrc", &[READ])), []);
        assert_eq!(findings(add(".rsrc", &[READ, DISCARD])), []);
    }
}
