//! An image as its file describes it, read with the `object` crate.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use anyhow::{Context, Result, bail};
use object::{
    FileKind, LittleEndian as LE,
    pe::{self, ImageNtHeaders32, ImageNtHeaders64},
    read::pe::{ImageNtHeaders, ImageOptionalHeader, Import, PeFile},
};

/// What the checks look at.
pub struct Image {
    pub machine: pe::Machine,
    pub subsystem: pe::Subsystem,
    /// The versions of Windows and of the subsystem that it is for.
    pub system: (u16, u16),
    pub subsystem_version: (u16, u16),
    pub file_flags: pe::FileFlags,
    pub dll_flags: pe::DllFlags,
    pub entry: u32,
    /// In memory, in bytes.
    pub size: u32,
    /// The checksum that the header has, and the one that the file has.
    pub checksum: (u32, u32),
    pub sections: Vec<Section>,
    /// Names by module.
    pub imports: BTreeMap<String, BTreeSet<String>>,
    /// Imports that have a number and no name.
    pub numbered: usize,
    pub exports: BTreeSet<String>,
    pub relocations: usize,
    pub has_tls: bool,
    pub has_delayed_imports: bool,
}

/// One section.
pub struct Section {
    pub name: String,
    pub start: u32,
    pub size: u32,
    pub flags: pe::SectionFlags,
}

impl Section {
    pub fn has(&self, flag: pe::SectionFlags) -> bool {
        self.flags.0 & flag.0 != 0
    }
}

impl Image {
    /// Reads the image in a file.
    pub fn read(path: &Path) -> Result<Self> {
        let data = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        Self::parse(&data).with_context(|| format!("{} is no sound PE image", path.display()))
    }

    /// Reads an image from its bytes.
    pub fn parse(data: &[u8]) -> Result<Self> {
        match FileKind::parse(data)? {
            FileKind::Pe32 => Self::parse_as::<ImageNtHeaders32>(data),
            FileKind::Pe64 => Self::parse_as::<ImageNtHeaders64>(data),
            kind => bail!("it is {kind:?}"),
        }
    }

    fn parse_as<H: ImageNtHeaders>(data: &[u8]) -> Result<Self> {
        let file = PeFile::<H>::parse(data)?;
        let header = file.nt_headers().file_header();
        let optional = file.nt_headers().optional_header();
        let sections = file.section_table();
        let mut found = Vec::new();
        for section in sections.iter() {
            found.push(Section {
                name: String::from_utf8_lossy(section.raw_name()).into_owned(),
                start: section.virtual_address.get(LE),
                size: section.virtual_size.get(LE),
                flags: section.characteristics.get(LE),
            });
        }
        let mut relocations = 0;
        let directories = file.data_directories();
        if let Some(mut blocks) = directories.relocation_blocks(data, &sections)? {
            while let Some(block) = blocks.next()? {
                relocations += block.count();
            }
        }
        let mut exports = BTreeSet::new();
        if let Some(table) = file.export_table()? {
            for export in table.exports()? {
                exports.extend(export.name.map(text));
            }
        }
        let (imports, numbered) = imports(&file)?;
        let has = |directory: usize| {
            directories.get(directory).is_some_and(|directory| {
                directory.virtual_address.get(LE) != 0 || directory.size.get(LE) != 0
            })
        };
        Ok(Self {
            machine: header.machine.get(LE),
            subsystem: optional.subsystem(),
            system: (
                optional.major_operating_system_version(),
                optional.minor_operating_system_version(),
            ),
            subsystem_version: (
                optional.major_subsystem_version(),
                optional.minor_subsystem_version(),
            ),
            file_flags: header.characteristics.get(LE),
            dll_flags: optional.dll_characteristics(),
            entry: optional.address_of_entry_point(),
            size: optional.size_of_image(),
            checksum: (optional.check_sum(), checksum(data)),
            sections: found,
            imports,
            numbered,
            exports,
            relocations,
            has_tls: has(pe::IMAGE_DIRECTORY_ENTRY_TLS),
            has_delayed_imports: has(pe::IMAGE_DIRECTORY_ENTRY_DELAY_IMPORT),
        })
    }
}

type Imports = BTreeMap<String, BTreeSet<String>>;

fn imports<H: ImageNtHeaders>(file: &PeFile<'_, H>) -> Result<(Imports, usize)> {
    let mut found = Imports::new();
    let mut numbered = 0;
    let Some(table) = file.import_table()? else {
        return Ok((found, numbered));
    };
    let mut modules = table.descriptors()?;
    while let Some(module) = modules.next()? {
        let names = found
            .entry(text(table.name(module.name.get(LE))?))
            .or_default();
        let mut thunks = table.thunks(module.original_first_thunk.get(LE))?;
        while let Some(thunk) = thunks.next::<H>()? {
            match table.import::<H>(thunk)? {
                Import::Name(_, name) => {
                    names.insert(text(name));
                }
                Import::Ordinal(_) => numbered += 1,
            }
        }
    }
    Ok((found, numbered))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The checksum of an image, as the kernel computes it: the sum of its 16-bit words with the carry
/// added again, without the checksum's own field, plus its length.
pub fn checksum(data: &[u8]) -> u32 {
    // The field's place: behind the signature, the file header, and 64 bytes of the optional one.
    let field = data
        .get(0x3C..0x40)
        .and_then(|place| place.first_chunk())
        .map_or(0, |place| u32::from_le_bytes(*place) as usize + 4 + 20 + 64);
    let mut sum: u32 = 0;
    for (index, pair) in data.chunks(2).enumerate() {
        let at = index * 2;
        if (field..field + 4).contains(&at) {
            continue;
        }
        let word = pair
            .iter()
            .rev()
            .fold(0, |word, byte| (word << 8) | u32::from(*byte));
        sum += word;
        sum = (sum & 0xFFFF) + (sum >> 16);
    }
    sum.wrapping_add(u32::try_from(data.len()).unwrap_or(u32::MAX))
}
