//! What is wrong with a driver's image, found without loading it.

use std::collections::BTreeSet;

use anyhow::Result;
use object::pe;

use super::{
    exports::{self, Declared},
    pe::Image,
};
use crate::arch::Arch;

/// The version of Windows and of its native subsystem that the images are for: Windows 10, and all
/// that follows it.
const VERSION: (u16, u16) = (10, 0);

/// Looks an image over; gives the findings, one sentence each.
///
/// `declared` is what the image was linked with (see [`exports::declared`]); without it the sizes
/// of stdcall functions are not compared.
pub fn check(image: &Image, arch: Arch, declared: Option<&Declared>) -> Result<Vec<String>> {
    let mut findings = Vec::new();
    headers(image, arch, &mut findings);
    sections(image, &mut findings);
    imports(image, arch, declared, &mut findings)?;
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
    need(
        image.system == VERSION && image.subsystem_version == VERSION,
        "it is not for Windows 10",
    );
    need(
        !image.has_delayed_imports,
        "it has imports that are resolved late",
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
    declared: Option<&Declared>,
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
            let Some(function) = exported.get(name) else {
                if !exports::is_unlisted(arch, module, name) {
                    findings.push(format!("{module} does not export {name}"));
                }
                continue;
            };
            let Some(declared) = declared else { continue };
            match declared.get(&(module.clone(), name.clone())) {
                None => findings.push(format!("{name} of {module} is in no library of the build")),
                Some(caller) if caller.suits(*function) => {}
                Some(_) if exports::GENERATED.contains(&name.as_str()) => {}
                Some(caller) => findings.push(format!(
                    "{name} is called as {caller:?} and is {function:?}"
                )),
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{
        super::{exports::Convention, pe::Section},
        *,
    };

    /// An image for x86 that has nothing wrong with it, and what it was linked with.
    fn good() -> (Image, Declared) {
        let section = |name: &str, start, flags: &[pe::SectionFlags]| Section {
            name: name.to_owned(),
            start,
            size: 0x1000,
            flags: pe::SectionFlags(flags.iter().fold(0, |all, flag| all | flag.0)),
        };
        let read = pe::IMAGE_SCN_MEM_READ;
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let image = Image {
            machine: pe::IMAGE_FILE_MACHINE_I386,
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
            ],
            imports: [
                ("ndis.sys".to_owned(), names(&["NdisClMakeCall"])),
                ("ntoskrnl.exe".to_owned(), names(&["_aulldiv", "memcpy"])),
            ]
            .into(),
            numbered: 0,
            exports: BTreeSet::new(),
            relocations: 1,
            has_tls: false,
            has_delayed_imports: false,
        };
        let key = |module: &str, name: &str| (module.to_owned(), name.to_owned());
        let declared = [
            (key("ndis.sys", "NdisClMakeCall"), Convention::Stdcall(16)),
            (key("ntoskrnl.exe", "_aulldiv"), Convention::Caller),
            (key("ntoskrnl.exe", "memcpy"), Convention::Caller),
        ];
        (image, declared.into())
    }

    fn findings(spoil: impl FnOnce(&mut Image, &mut Declared)) -> Vec<String> {
        let (mut image, mut declared) = good();
        spoil(&mut image, &mut declared);
        check(&image, Arch::X86, Some(&declared)).unwrap()
    }

    fn one(spoil: impl FnOnce(&mut Image, &mut Declared)) -> String {
        let found = findings(spoil);
        assert_eq!(found.len(), 1, "{found:?}");
        found.into_iter().next().unwrap()
    }

    #[test]
    fn a_good_image_has_no_finding() {
        assert!(findings(|_, _| {}).is_empty());
    }

    #[test]
    fn a_call_with_another_convention_is_found() {
        let make_call = ("ndis.sys".to_owned(), "NdisClMakeCall".to_owned());
        for wrong in [
            Convention::Stdcall(12),
            Convention::Caller,
            Convention::Fastcall(16),
        ] {
            let key = make_call.clone();
            let found = one(|_, declared| {
                declared.insert(key, wrong);
            });
            assert!(found.contains("is called as"), "{found}");
        }
        let found = one(|_, declared| {
            declared.remove(&make_call);
        });
        assert!(found.contains("in no library"), "{found}");
    }

    #[test]
    fn other_modules_and_other_ways_to_import_are_found() {
        let hal = |image: &mut Image, _: &mut Declared| {
            let names = BTreeSet::from(["KeGetCurrentIrql".to_owned()]);
            image.imports.insert("hal.dll".to_owned(), names);
        };
        assert_eq!(one(hal), "it imports from hal.dll");
        assert_eq!(one(|i, _| i.numbered = 2), "2 imports have a number only");
        assert_eq!(one(|i, _| i.imports.clear()), "it imports nothing");
        assert!(one(|i, _| i.has_delayed_imports = true).contains("late"));
    }

    #[test]
    fn a_header_that_is_wrong_is_found() {
        assert!(one(|i, _| i.checksum.1 = 8).contains("checksum"));
        assert!(one(|i, _| i.system = (6, 1)).contains("Windows 10"));
        assert!(one(|i, _| i.subsystem_version = (6, 1)).contains("Windows 10"));
        assert!(one(|i, _| i.has_tls = true).contains("TLS"));
        assert!(one(|i, _| i.relocations = 0).contains("relocations"));
        assert!(one(|i, _| i.machine = pe::IMAGE_FILE_MACHINE_AMD64).contains("machine"));
    }

    #[test]
    fn a_section_that_is_wrong_is_found() {
        assert!(one(|i, _| i.sections[1].flags = pe::IMAGE_SCN_MEM_READ).contains("not discard"));
        assert!(one(|i, _| i.sections[0].flags.0 &= !pe::IMAGE_SCN_MEM_READ.0).contains("read"));
        assert!(one(|i, _| i.sections[0].name = "INIT".to_owned()).contains("not discard"));
    }
}
