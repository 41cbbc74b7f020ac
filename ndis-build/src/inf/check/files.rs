//! Where files come from, and where they go.

use super::{
    super::{arch::Arch, parse::Section},
    Checker, Rule,
};

/// A file in its place after an installation.
pub(super) struct Copied {
    pub(super) file: String,
    /// `None` when that was reported as unknown.
    pub(super) directory: Option<Directory>,
}

/// A directory, as `[DestinationDirs]` has it.
#[derive(Clone)]
pub(super) struct Directory {
    pub(super) dirid: i64,
    pub(super) subdirectory: String,
    /// Where it is said.
    pub(super) line: usize,
}

impl<'d> Checker<'d> {
    /// The files that an install section copies.
    pub(super) fn copies(&mut self, section: &'d Section, arch: Option<Arch>) -> Vec<Copied> {
        let mut copies = Vec::new();
        for entry in section.all("CopyFiles") {
            for name in entry.fields.iter().filter(|name| !name.is_empty()) {
                if let Some(file) = name.strip_prefix('@') {
                    let directory = self.destination("DefaultDestDir", entry.line);
                    self.copy(file, file, entry.line, directory, arch, &mut copies);
                } else if let Some(list) = self.document.section(name) {
                    let directory = self.destination(name, list.line);
                    for file in &list.entries {
                        let to = file.field(0);
                        let from = match file.field(1) {
                            "" => to,
                            other => other,
                        };
                        self.copy(to, from, file.line, directory.clone(), arch, &mut copies);
                    }
                }
            }
        }
        copies
    }

    fn copy(
        &mut self,
        to: &str,
        from: &str,
        line: usize,
        directory: Option<Directory>,
        arch: Option<Arch>,
        copies: &mut Vec<Copied>,
    ) {
        let listed = self
            .document
            .sections
            .iter()
            .any(|section| files_for(section, arch) && section.get(from).is_some());
        if !listed {
            let message = format!("`{from}` is on no source disk");
            self.report(line, Rule::UnlistedFile, message);
        }
        self.copied.insert(from.to_ascii_lowercase());
        copies.push(Copied {
            file: to.to_owned(),
            directory,
        });
    }

    /// Where the files of a list go.
    fn destination(&mut self, list: &str, line: usize) -> Option<Directory> {
        let entry = self
            .document
            .section("DestinationDirs")
            .and_then(|section| section.get(list).or_else(|| section.get("DefaultDestDir")));
        let Some(entry) = entry else {
            let message = format!("[DestinationDirs] has neither `{list}` nor a default");
            self.report(line, Rule::Destination, message);
            return None;
        };
        match entry.field(0).parse() {
            Ok(dirid) => Some(Directory {
                dirid,
                subdirectory: entry.field(1).to_owned(),
                line: entry.line,
            }),
            Err(_) => {
                let message = format!("`{}` is no directory id", entry.field(0));
                self.report(entry.line, Rule::Destination, message);
                None
            }
        }
    }

    /// Checks the source disks, and the lists of destinations. After the
    /// installs, which say what is copied.
    pub(super) fn disks(&mut self) {
        for section in &self.document.sections {
            let name = section.name.to_ascii_lowercase();
            if name == "destinationdirs" {
                for entry in &section.entries {
                    let list = entry.key.as_deref().unwrap_or_default();
                    if !list.eq_ignore_ascii_case("DefaultDestDir")
                        && self.document.section(list).is_none()
                    {
                        let message = format!("there is no section [{list}]");
                        self.report(entry.line, Rule::MissingSection, message);
                    }
                }
            } else if let Some(extension) = name.strip_prefix("sourcedisksfiles") {
                self.source_files(section, extension);
            }
        }
    }

    fn source_files(&mut self, section: &Section, extension: &str) {
        for entry in &section.entries {
            let file = entry.key.as_deref().unwrap_or_default();
            if !self.copied.contains(&file.to_ascii_lowercase()) {
                let message = format!("nothing copies `{file}`");
                self.report(entry.line, Rule::UncopiedFile, message);
            }
            let disk = entry.field(0);
            let named = self.document.sections.iter().any(|names| {
                let name = names.name.to_ascii_lowercase();
                (name == "sourcedisksnames" || name == format!("sourcedisksnames{extension}"))
                    && names.get(disk).is_some()
            });
            if !named {
                let message = format!("disk `{disk}` is not in [SourceDisksNames]");
                self.report(entry.line, Rule::UnknownDisk, message);
            }
        }
    }
}

/// Whether the section lists source files for the architecture.
fn files_for(section: &Section, arch: Option<Arch>) -> bool {
    let name = section.name.to_ascii_lowercase();
    match (name.strip_prefix("sourcedisksfiles"), arch) {
        (None, _) => false,
        (Some(""), _) => true,
        (Some(extension), Some(arch)) => extension.strip_prefix('.') == Some(arch.disk_extension()),
        // For all architectures: too few is reported, too many is not.
        (Some(_), None) => true,
    }
}
