//! Where files come from, and where they go.

use super::{
    super::{
        arch::Arch,
        driver::DIRID_STORE,
        parse::{Entry, Section},
    },
    Checker, Rule,
};
use std::collections::BTreeSet;

/// A file in its place after an installation.
pub(super) struct Copied {
    pub(super) file: String,
    /// Its name in the package.
    from: String,
    /// `None` when that was reported as unknown.
    pub(super) directory: Option<Directory>,
}

impl Copied {
    /// Whether two files go to one place.
    fn conflicts(&self, other: &Self) -> bool {
        let place = |copied: &Self| {
            let directory = copied.directory.as_ref()?;
            Some((directory.dirid, directory.subdirectory.to_ascii_lowercase()))
        };
        self.file.eq_ignore_ascii_case(&other.file)
            && !self.from.eq_ignore_ascii_case(&other.from)
            && place(self).is_some_and(|here| place(other) == Some(here))
    }
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
        // Older packages list their files elsewhere.
        let elsewhere = self
            .document
            .section("Version")
            .is_some_and(|version| version.get("LayoutFile").is_some());
        let sources: Vec<_> = self
            .document
            .sections
            .iter()
            .filter(|section| files_for(section, arch))
            .filter_map(|section| Some((section, section.get(from)?)))
            .collect();
        if sources.is_empty() && !elsewhere {
            let message = format!("`{from}` is on no source disk");
            self.report(line, Rule::UnlistedFile, message);
        }
        self.copied.insert(from.to_ascii_lowercase());
        if let Some(directory) = &directory
            && directory.dirid == i64::from(DIRID_STORE)
            && !elsewhere
        {
            self.store_path(to, from, line, directory, &sources);
        }
        let copied = Copied {
            file: to.to_owned(),
            from: from.to_owned(),
            directory,
        };
        if copies.iter().any(|other| other.conflicts(&copied)) {
            let message = format!("another file is copied to `{to}`");
            self.report(line, Rule::ConflictingCopies, message);
        }
        copies.push(copied);
    }

    /// The driver store keeps the package as it is: what is said to go there
    /// stays in its folder, under its name (using-dirids.md).
    fn store_path(
        &mut self,
        to: &str,
        from: &str,
        line: usize,
        directory: &Directory,
        sources: &[(&Section, &Entry)],
    ) {
        if !to.eq_ignore_ascii_case(from) {
            let message = format!("in the driver store `{from}` cannot be called `{to}`");
            self.report(line, Rule::StorePath, message);
        }
        let folder = directory.subdirectory.trim_matches('\\');
        let is_there = |(_, entry): &(&Section, &Entry)| {
            entry
                .field(1)
                .trim_matches('\\')
                .eq_ignore_ascii_case(folder)
        };
        // A disk can have a path too.
        let has_path = self.document.sections.iter().any(|section| {
            let name = section.name.to_ascii_lowercase();
            name.starts_with("sourcedisksnames")
                && section
                    .entries
                    .iter()
                    .any(|disk| !disk.field(3).trim_matches('\\').is_empty())
        });
        if !sources.is_empty() && !has_path && !sources.iter().any(is_there) {
            let message = format!("in the driver store `{from}` stays in the package's folder");
            self.report(directory.line, Rule::StorePath, message);
        }
    }

    /// A list of files, each once. Of whatever section it is a part, its files
    /// belong to the package.
    pub(super) fn file_list(&mut self, list: &Section) {
        let mut said = BTreeSet::new();
        for entry in &list.entries {
            let file = entry.field(0).to_ascii_lowercase();
            let from = match entry.field(1) {
                "" => file.clone(),
                other => other.to_ascii_lowercase(),
            };
            self.copied.insert(from);
            if !file.is_empty() && !said.insert(file) {
                let message = format!("`{}` is in the list before", entry.field(0));
                self.report(entry.line, Rule::RepeatedEntry, message);
            }
        }
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
            if file.to_ascii_lowercase().ends_with(".cat") {
                let message = format!("`{file}` is made of the package, and no part of it");
                self.report(entry.line, Rule::Catalog, message);
            } else if !self.copied.contains(&file.to_ascii_lowercase()) {
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
