//! The NT types as `wdk-sys` has them, for ndis-sys's feature of that name.
//!
//! `wdk-sys` makes its types where a driver is built, from the WDK there, and only on Windows. But
//! it makes them with bindgen, so the same bindgen with the same settings makes them here too: this
//! module repeats those of wdk-sys 0.5.2 (and wdk-build 0.6.0) for a WDM driver. Two things come of
//! it: the list of names that ndis-sys may take from there, and a crate that stands in for
//! `wdk-sys` where the real one cannot be built.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result, anyhow};
use bindgen::CodegenConfig;
use quote::ToTokens;
use syn::Item;

use super::NT_FUNCTIONS;
use super::definitions::Definitions;
use super::headers::{Arch, Headers};
use super::{
    tidy::{Kind, Tidied, is_helper},
    types::words,
};

/// The headers that `wdk-sys` reads in any configuration for the kernel.
const WRAPPER: &str = "\
#include \"ntifs.h\"
#include \"ntddk.h\"
#include \"ntstrsafe.h\"
";

/// Taken from there although they are not the same. A lock is an integer of another Rust type
/// (`u64` where we have `usize`), but it is nothing without its address, and addresses have to
/// agree; processes and threads have no members, here or there, but other tags.
const BY_ADDRESS: &[&str] = &["KSPIN_LOCK", "PKSPIN_LOCK", "PEPROCESS", "PETHREAD"];

/// What `wdk-sys` has for one architecture.
pub struct Wdk {
    /// The names that mean the same type here and there.
    pub names: BTreeSet<String>,
    /// Our types for the levels of those records that C does not name.
    levels: BTreeSet<String>,
    /// By our name of a record: its members as that crate reaches them, and as C does.
    pub members: BTreeMap<String, Vec<(String, String)>>,
    /// The items of the stand-in: types, and the functions of its module `ntddk`.
    pub types: Vec<String>,
    pub functions: Vec<String>,
}

impl Wdk {
    /// Whether ndis-sys defines nothing of that name when `wdk-sys` does.
    pub fn replaces(&self, name: &str) -> bool {
        self.names.contains(name) || self.levels.contains(name)
    }
}

/// Reads what `wdk-sys` would define of the types that `ours` has.
pub fn read(headers: &Headers, arch: Arch, scratch: &Path, ours: &Tidied) -> Result<Wdk> {
    let wrapper = scratch.join("wdk.h");
    std::fs::write(&wrapper, WRAPPER)?;
    let wanted: Vec<&str> = ours
        .items
        .iter()
        .filter(|i| matches!(i.kind, Kind::Record | Kind::Alias))
        .map(|i| i.name.as_str())
        // What macros of the headers leave behind is nobody's.
        .filter(|name| !name.starts_with("__"))
        .collect();
    let text = as_there(headers, arch)?
        .header(wrapper.to_string_lossy())
        // What is left out changes nothing of what remains.
        .allowlist_type(wanted.join("|"))
        .allowlist_function(NT_FUNCTIONS.join("|"))
        .layout_tests(false)
        .generate_comments(false)
        .formatter(bindgen::Formatter::None)
        .generate()
        .context("bindgen, as wdk-sys runs it")?
        .to_string();
    let mut file = syn::parse_file(&text).context("bindgen's output, as wdk-sys runs it")?;
    // bindgen's own types are written by hand there, and what reads bit-fields is not needed.
    file.items.retain(|item| {
        let methods = matches!(item, Item::Impl(i) if i.trait_.is_none());
        !methods && !is_helper(item)
    });

    let theirs = Definitions::of(&file.items);
    let mine = Definitions::of(&parsed(ours)?);
    let mut names = BTreeSet::new();
    for name in wanted {
        let there = theirs.canonical(name);
        let same = there.is_some() && there == mine.canonical(name);
        if same || (BY_ADDRESS.contains(&name) && there.is_some()) {
            names.insert(name.to_string());
        }
    }
    let levels = levels(&mine, ours, &names);
    let mut members = BTreeMap::new();
    for name in ours.records.keys().filter(|n| names.contains(*n)) {
        let members_there = theirs
            .members(name)
            .with_context(|| format!("{name} is no record there"))?;
        members.insert(name.clone(), members_there);
    }
    let (functions, types): (Vec<&Item>, Vec<&Item>) = file
        .items
        .iter()
        .partition(|i| matches!(i, Item::ForeignMod(_)));
    let texts = |items: Vec<&Item>| {
        let texts = items.into_iter().map(|i| i.to_token_stream().to_string());
        texts.collect()
    };
    Ok(Wdk {
        names,
        levels,
        members,
        types: texts(types),
        functions: texts(functions),
    })
}

/// bindgen with the settings of wdk-build 0.6.0, but for those that concern headers which are not
/// read here; types and functions come from one run here, from two there.
fn as_there(headers: &Headers, arch: Arch) -> Result<bindgen::Builder> {
    // The oldest compiler that it supports.
    let rust = bindgen::RustTarget::stable(91, 0).map_err(|e| anyhow!("{e}"))?;
    let builder = bindgen::Builder::default()
        .use_core()
        .derive_default(true)
        .generate_cstr(true)
        .detect_include_paths(false)
        .clang_args(headers.wdk_args(arch))
        .blocklist_item("ExAllocatePoolWithTag")
        .opaque_type("_KGDTENTRY64")
        .opaque_type("_KIDTENTRY64")
        .blocklist_item(".*MCG_CAP(?:__bindgen.*)?")
        .blocklist_item(".*WHEA_XPF_MCA_SECTION")
        .blocklist_item(".*WHEA_ARM_BUS_ERROR(?:__bindgen.*)?")
        .blocklist_item(".*WHEA_ARM_PROCESSOR_ERROR")
        .blocklist_item(".*WHEA_ARM_CACHE_ERROR")
        .must_use_type("NTSTATUS")
        .must_use_type("HRESULT")
        .default_enum_style(bindgen::EnumVariation::ModuleConsts)
        .rust_target(rust)
        .rust_edition(bindgen::RustEdition::Edition2024)
        .with_codegen_config(CodegenConfig::TYPES | CodegenConfig::FUNCTIONS);
    Ok(builder)
}

/// Our types for the levels without a name in C, of all records with these names.
fn levels(mine: &Definitions, ours: &Tidied, names: &BTreeSet<String>) -> BTreeSet<String> {
    let mut levels = BTreeSet::new();
    let mut work: Vec<String> = names.iter().cloned().collect();
    while let Some(name) = work.pop() {
        for word in mine.fields(&name).iter().flat_map(|(_, ty)| words(ty)) {
            let unnamed = ours.records.get(&word).is_some_and(|r| r.c_name.is_none());
            if unnamed && levels.insert(word.clone()) {
                work.push(word);
            }
        }
    }
    levels
}

/// Our types again as syntax.
fn parsed(ours: &Tidied) -> Result<Vec<Item>> {
    ours.items
        .iter()
        .filter(|i| matches!(i.kind, Kind::Record | Kind::Alias))
        .map(|i| syn::parse_str(&i.text).with_context(|| i.text.clone()))
        .collect()
}
