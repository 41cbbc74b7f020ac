//! Microsoft's pages, by the names of their files: what they are about, and where they are to be
//! read, as far as that follows from the name or from `data/pages.json`.

use std::collections::BTreeMap;

use anyhow::{Context, Result};

/// Where the documentation of Windows drivers begins. (Without a language: the reader's own.)
const ROOT: &str = "https://learn.microsoft.com/windows-hardware/drivers";

/// What the kernel exports, as it is spelt.
const EXPORTS: &str = include_str!("../../ndis-sys/tests/facts/exports_x86_64_ntoskrnl.txt");

/// Functions with a page that nothing exports: a macro's, and one that is gone.
const OTHERS: [&str; 4] = [
    "IoGetRemainingStackSize",
    "IoInitializeRemoveLock",
    "IoReleaseRemoveLock",
    "NdisMSetAttributesEx",
];

/// Which page of concepts is in which part of the documentation, and how functions are spelt.
pub struct Pages {
    /// A page's name, without `.md`, to its part.
    parts: BTreeMap<String, String>,
    /// The name of a function in small letters to the name.
    functions: BTreeMap<String, String>,
}

impl Pages {
    /// `functions` are the names that can be told apart from a page's.
    pub fn new<'a>(functions: impl IntoIterator<Item = &'a str>) -> Result<Self> {
        let parts: BTreeMap<String, Vec<String>> =
            serde_json::from_str(include_str!("../data/pages.json"))
                .context("xtask/data/pages.json")?;
        let parts = parts
            .into_iter()
            .flat_map(|(part, pages)| pages.into_iter().map(move |page| (page, part.clone())))
            .collect();
        let exports = EXPORTS.lines().filter(|line| !line.starts_with('#'));
        let functions = functions
            .into_iter()
            .chain(exports)
            .chain(OTHERS)
            .map(|name| (name.to_lowercase(), name.to_owned()))
            .collect();
        Ok(Self { parts, functions })
    }

    /// The pages of concepts in one part of the documentation, without `.md`.
    pub fn of_part<'a>(&'a self, part: &'a str) -> impl Iterator<Item = &'a str> {
        let pages = self.parts.iter();
        pages.filter_map(move |(page, of)| (of == part).then_some(page.as_str()))
    }

    /// What the page `file` is about: a name that is public, or else the file's.
    pub fn name(&self, file: &str) -> String {
        let Some(stem) = file.strip_suffix(".md") else {
            // A header.
            return file.to_owned();
        };
        let Some((kind, _, item)) = reference(stem) else {
            return stem.to_owned();
        };
        match kind {
            "nf" => {
                // A page that has a second form is marked.
                let plain = item.split('~').next().unwrap_or(item);
                self.functions
                    .get(plain)
                    .map_or_else(|| item.to_owned(), Clone::clone)
            }
            _ => item.trim_start_matches('_').to_uppercase(),
        }
    }

    /// Its address, when that is certain.
    pub fn address(&self, file: &str) -> Option<String> {
        let stem = file.strip_suffix(".md")?;
        if let Some((_, header, _)) = reference(stem) {
            return Some(format!("{ROOT}/ddi/{header}/{stem}"));
        }
        let part = self.parts.get(stem)?;
        Some(format!("{ROOT}/{part}/{stem}"))
    }

    /// The page as the documentation shows it, a name of C as code, with its address.
    pub fn link(&self, file: &str) -> Option<(String, String)> {
        let address = self.address(file)?;
        let name = self.name(file);
        let is_item = reference(file.strip_suffix(".md")?).is_some();
        let shown = if is_item { format!("`{name}`") } else { name };
        Some((shown, address))
    }
}

/// The header and the item of a reference page of a function or a callback.
pub fn reference_of(file: &str) -> Option<(&str, &str)> {
    let (kind, header, item) = reference(file.strip_suffix(".md")?)?;
    // A page that has a second form is marked.
    let item = item.split('~').next().unwrap_or(item);
    ["nf", "nc"].contains(&kind).then_some((header, item))
}

/// The parts of the name of a reference page: its kind (function, callback, structure,
/// enumeration), the header, the item.
fn reference(stem: &str) -> Option<(&str, &str, &str)> {
    let mut parts = stem.splitn(3, '-');
    let (kind, header, item) = (parts.next()?, parts.next()?, parts.next()?);
    ["nf", "nc", "ns", "ne"]
        .contains(&kind)
        .then_some((kind, header, item))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_a_name_and_an_address_or_its_file_s_name() {
        let pages = Pages::new(["NdisClMakeCall", "NdisMResetComplete"]).unwrap();
        let of = |file: &str| (pages.name(file), pages.address(file));
        let at = |name: &str, address: &str| (name.to_owned(), Some(format!("{ROOT}/{address}")));
        assert_eq!(
            of("nf-ndis-ndisclmakecall.md"),
            at("NdisClMakeCall", "ddi/ndis/nf-ndis-ndisclmakecall")
        );
        assert_eq!(
            of("nf-ndis-ndismresetcomplete~r1.md"),
            at(
                "NdisMResetComplete",
                "ddi/ndis/nf-ndis-ndismresetcomplete~r1"
            )
        );
        assert_eq!(
            of("nc-ndis-protocol_cm_open_af.md"),
            at(
                "PROTOCOL_CM_OPEN_AF",
                "ddi/ndis/nc-ndis-protocol_cm_open_af"
            )
        );
        assert_eq!(
            of("ns-ndis-_ndis_status_indication.md"),
            at(
                "NDIS_STATUS_INDICATION",
                "ddi/ndis/ns-ndis-_ndis_status_indication"
            )
        );
        assert_eq!(
            of("making-a-call.md"),
            at("making-a-call", "network/making-a-call")
        );
        assert_eq!(
            of("ndis-spinlock.md"),
            at("ndis-spinlock", "devtest/ndis-spinlock")
        );
        assert_eq!(of("no-such-page.md"), ("no-such-page".to_owned(), None));
        let header = "ndis.h (WDK header)".to_owned();
        assert_eq!(of(&header), (header.clone(), None));
    }
}
