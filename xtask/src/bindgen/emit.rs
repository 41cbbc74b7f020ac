//! Writes the files: what all architectures share once, the rest by
//! architecture, and the layout assertions beside it.

use crate::say::say;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use super::headers::Arch;
use super::probe::Answer;
use super::tidy::{Kind, Out, Record};
use super::{Facts, Layout, NT_FUNCTIONS};

/// Whether a macro's value is an integer that Rust can say.
pub fn is_integer(answer: &Answer) -> bool {
    builtin(&answer.canonical).is_some()
}

fn builtin(canonical: &str) -> Option<&'static str> {
    Some(match canonical {
        "char" | "signed char" => "i8",
        "unsigned char" => "u8",
        "short" => "i16",
        "unsigned short" => "u16",
        "int" | "long" => "i32",
        "unsigned int" | "unsigned long" => "u32",
        "long long" => "i64",
        "unsigned long long" => "u64",
        "bool" => "u8",
        "wchar_t" => "u16",
        // What is left is an enumeration (a pointer is no constant).
        other if !other.contains(' ') && !matches!(other, "float" | "double") => "i32",
        _ => return None,
    })
}

/// Where the crate's own files are, below `ndis-sys`.
const GENERATED: &str = "src/generated";

/// Where the sources of the crate that stands in for `wdk-sys` are.
const STAND_IN: &str = "tests/wdk-sys/stand-in/src";

/// Whose layouts a folder asserts.
type Layouts = fn(&Facts) -> &[Layout];

/// Which records belong in a folder.
type Wanted = fn(&Facts, &str) -> bool;

/// What the files of one folder begin with, and what they say: `common` what is equal
/// everywhere, `own` the rest, by architecture.
struct Folder {
    path: String,
    head: String,
    common: String,
    own: Vec<String>,
}

impl Folder {
    fn new(path: &str, head: &str, all: &[Facts]) -> Folder {
        let head = format!("{head}use crate::*;\n\n");
        Folder {
            path: path.into(),
            common: head.clone(),
            own: all.iter().map(|_| head.clone()).collect(),
            head,
        }
    }

    /// Adds an item: once, or to each architecture that has it.
    fn add(&mut self, texts: &[Option<&str>]) -> Result<()> {
        if texts.iter().all(Option::is_none) {
            return Ok(());
        }
        if texts.iter().all(|t| *t == texts[0]) {
            self.common += &pretty(texts[0].unwrap_or_default())?;
        } else {
            for (text, own) in texts.iter().zip(&mut self.own) {
                if let Some(text) = text {
                    *own += &pretty(text)?;
                }
            }
        }
        Ok(())
    }

    fn into_files(self, files: &mut BTreeMap<String, String>, all: &[Facts]) {
        files.insert(format!("{}/common.rs", self.path), self.common);
        for (facts, text) in all.iter().zip(self.own) {
            files.insert(format!("{}/{}.rs", self.path, facts.arch.name()), text);
        }
    }
}

/// The files by name, formatted.
pub fn files(head: &str, all: &[Facts]) -> Result<BTreeMap<String, String>> {
    let mut files: BTreeMap<String, String> = BTreeMap::new();
    let mut ndis = Folder::new(GENERATED, head, all);
    let mut nt = Folder::new(&format!("{GENERATED}/nt"), head, all);
    let mut wdk = Folder::new(&format!("{GENERATED}/wdk"), head, all);
    // Its names come from there, and it has nothing that needs ours.
    wdk.common = format!("{head}\n");
    let mut functions = ndis.head.clone();
    let mut constants = ndis.head.clone();

    // Types, in the order of the first architecture that has them.
    let mut tables: Vec<BTreeMap<(Kind, &str), &Out>> = Vec::new();
    let mut order: Vec<(Kind, &str)> = Vec::new();
    let mut known = BTreeSet::new();
    for facts in all {
        let mut table = BTreeMap::new();
        for item in &facts.tidied.items {
            let key = (item.kind, item.name.as_str());
            if table.insert(key, item).is_some() {
                bail!("{} is there twice for {}", item.name, facts.arch.name());
            }
            if known.insert(key) {
                order.push(key);
            }
        }
        tables.push(table);
    }
    // By module and calling convention.
    let mut blocks: BTreeMap<(&str, &str), String> = BTreeMap::new();
    for key in order {
        let texts: Vec<Option<&str>> = tables
            .iter()
            .map(|t| t.get(&key).map(|o| o.text.as_str()))
            .collect();
        match key.0 {
            Kind::Function => {
                let library = if NT_FUNCTIONS.contains(&key.1) {
                    "ntoskrnl.exe"
                } else {
                    "ndis.sys"
                };
                // What is variadic is cdecl.
                let variadic = texts.iter().flatten().any(|t| t.contains("..."));
                let abi = if variadic { "C" } else { "system" };
                function(blocks.entry((library, abi)).or_default(), all, &texts)?;
            }
            // A constant is the same number in both crates: it stays here.
            Kind::Enumerator => ndis.add(&texts)?,
            Kind::Record | Kind::Alias | Kind::Bits => {
                for (folder, replaced) in [(&mut ndis, false), (&mut nt, true)] {
                    let each = texts.iter().zip(all);
                    let texts: Vec<Option<&str>> = each
                        .map(|(text, f)| text.filter(|_| f.wdk.replaces(key.1) == replaced))
                        .collect();
                    folder.add(&texts)?;
                }
            }
        }
    }
    for ((library, abi), text) in blocks {
        functions += &format!("{}unsafe extern \"{abi}\" {{\n{text}}}\n\n", link(library));
    }
    names_into(&mut wdk, all);

    constants_into(&mut constants, &mut ndis.own, all)?;
    let parts: [(&mut Folder, Layouts, Wanted); 3] = [
        (&mut ndis, |f| &f.layouts, |f, name| !f.wdk.replaces(name)),
        (&mut nt, |f| &f.layouts, |f, name| f.wdk.replaces(name)),
        (
            &mut wdk,
            |f| &f.wdk_layouts,
            |f, name| f.wdk.names.contains(name),
        ),
    ];
    for (folder, layouts, wanted) in parts {
        layouts_into(&mut files, folder, all, layouts, wanted)?;
        list_into(folder, all, "zeroable", |f, name, record| {
            !record.opaque && wanted(f, name)
        });
    }

    // (What `wdk-sys` defines is `Copy` there.)
    for (folder, replaced) in [(&mut ndis, false), (&mut nt, true)] {
        list_into(folder, all, "copy", |f, name, record| {
            record.copy && f.wdk.replaces(name) == replaced
        });
    }

    files.insert(format!("{GENERATED}/constants.rs"), constants);
    files.insert(format!("{GENERATED}/functions.rs"), functions);
    for folder in [ndis, nt, wdk] {
        folder.into_files(&mut files, all);
    }
    stand_in(&mut files, head, all)?;
    Ok(files)
}

/// The names that are re-exported instead.
fn names_into(folder: &mut Folder, all: &[Facts]) {
    let sets: Vec<BTreeSet<&str>> = all
        .iter()
        .map(|f| f.wdk.names.iter().map(String::as_str).collect())
        .collect();
    let (shared, rest) = split(&sets);
    let list = |set: &BTreeSet<&str>| {
        let mut text = String::from("pub use wdk_sys::{\n");
        for name in set {
            text += &format!("    {name},\n");
        }
        text + "};\n"
    };
    folder.common += &list(&shared);
    for (set, own) in rest.iter().zip(&mut folder.own) {
        if !set.is_empty() {
            *own += &list(set);
        }
    }
}

/// What all sets have, and what each has beside that.
fn split<'a>(sets: &[BTreeSet<&'a str>]) -> (BTreeSet<&'a str>, Vec<BTreeSet<&'a str>>) {
    let first = sets.first().cloned().unwrap_or_default();
    let shared: BTreeSet<&str> = sets
        .iter()
        .skip(1)
        .fold(first, |a, b| a.intersection(b).copied().collect());
    let rest = sets
        .iter()
        .map(|set| set.difference(&shared).copied().collect())
        .collect();
    (shared, rest)
}

/// The crate that stands in for `wdk-sys`: what bindgen wrote, each item once.
fn stand_in(files: &mut BTreeMap<String, String>, head: &str, all: &[Facts]) -> Result<()> {
    for (name, part) in [
        ("types", (|f| &f.wdk.types) as fn(&Facts) -> &Vec<String>),
        ("ntddk", |f| &f.wdk.functions),
    ] {
        let mut folder = Folder::new(&format!("{STAND_IN}/{name}"), head, all);
        let mut seen = BTreeSet::new();
        for facts in all {
            for item in part(facts) {
                if seen.insert(item) {
                    let texts: Vec<Option<&str>> = all
                        .iter()
                        .map(|f| part(f).contains(item).then_some(item.as_str()))
                        .collect();
                    folder.add(&texts)?;
                }
            }
        }
        folder.into_files(files, all);
    }
    Ok(())
}

fn pretty(text: &str) -> Result<String> {
    if text.starts_with("bits!") {
        return Ok(format!("{text}\n"));
    }
    let file = syn::parse_file(text).with_context(|| text.to_string())?;
    Ok(prettyplease::unparse(&file))
}

/// How a block of imports is bound: on Windows by name from the module that
/// exports them, with no import library. The exports carry no decoration on
/// x86, and only x86 has that argument.
fn link(library: &str) -> String {
    let link = |when: &str, more: &str| {
        format!(
            "#[cfg_attr(all(windows, not(feature = \"host\"), {when}), link(name = \"{library}\", kind = \"raw-dylib\", modifiers = \"+verbatim\"{more}))]\n"
        )
    };
    link("not(target_arch = \"x86\")", "")
        + &link(
            "target_arch = \"x86\"",
            ", import_name_type = \"undecorated\"",
        )
}

/// One declaration, for the architectures that have it.
fn function(out: &mut String, all: &[Facts], texts: &[Option<&str>]) -> Result<()> {
    let mut variants: Vec<(&str, Vec<Arch>)> = Vec::new();
    for (facts, text) in all.iter().zip(texts) {
        let Some(text) = text else { continue };
        match variants.iter_mut().find(|(t, _)| t == text) {
            Some((_, arches)) => arches.push(facts.arch),
            None => variants.push((text, vec![facts.arch])),
        }
    }
    for (text, arches) in variants {
        if arches.len() < all.len() {
            let list: Vec<String> = arches
                .iter()
                .map(|a| format!("target_arch = \"{}\"", a.name()))
                .collect();
            writeln!(out, "    #[cfg(any({}))]", list.join(", "))?;
        }
        let file = syn::parse_file(&format!("unsafe extern \"C\" {{ {text} }}"))?;
        let block = prettyplease::unparse(&file);
        // The body of the block, without its first and last line.
        let body: Vec<&str> = block.lines().collect();
        let body = body
            .get(1..body.len().saturating_sub(1))
            .unwrap_or_default()
            .join("\n");
        writeln!(out, "{body}")?;
    }
    Ok(())
}

fn constants_into(common: &mut String, own: &mut [String], all: &[Facts]) -> Result<()> {
    let tables: Vec<BTreeMap<&str, &Answer>> = all
        .iter()
        .map(|f| f.constants.iter().map(|(n, a)| (n.as_str(), a)).collect())
        .collect();
    let types: BTreeSet<&str> = all
        .iter()
        .flat_map(|f| &f.tidied.items)
        .filter(|i| i.kind == Kind::Alias)
        .map(|i| i.name.as_str())
        .collect();
    let enumerators: BTreeSet<&str> = all
        .iter()
        .flat_map(|f| &f.tidied.items)
        .filter(|i| i.kind == Kind::Enumerator)
        .map(|i| i.name.as_str())
        .collect();
    let mut seen = BTreeSet::new();
    for facts in all {
        for (name, _) in &facts.constants {
            if !seen.insert(name) || enumerators.contains(name.as_str()) {
                continue;
            }
            let answers: Vec<Option<&Answer>> = tables
                .iter()
                .map(|t| t.get(name.as_str()).copied())
                .collect();
            // `sizeof` is as wide as a pointer, everything else is equally wide everywhere.
            let mut widths: Vec<&str> = Vec::new();
            for answer in answers.iter().flatten() {
                widths.push(builtin(&answer.canonical).context("not an integer")?);
            }
            let pointer_wide = widths == ["u64", "u64", "u32"];
            let lines: Vec<Option<String>> = answers
                .iter()
                .map(|a| {
                    a.map(|a| {
                        let base = builtin(&a.canonical).unwrap_or("i32");
                        let ty = if pointer_wide {
                            "usize"
                        } else if types.contains(a.written.as_str()) {
                            a.written.as_str()
                        } else {
                            base
                        };
                        format!("pub const {name}: {ty} = {};\n", literal(a.value, base))
                    })
                })
                .collect();
            if lines.iter().all(|l| *l == lines[0]) {
                *common += lines[0].as_deref().unwrap_or_default();
            } else {
                for (line, own) in lines.into_iter().zip(own.iter_mut()) {
                    *own += &line.unwrap_or_default();
                }
            }
        }
    }
    Ok(())
}

fn literal(value: u64, base: &str) -> String {
    match base {
        "i32" if (value as i32) < -0xFFFF => format!("0x{:08X}_u32 as i32", value as u32),
        "i8" | "i16" | "i32" | "i64" if (value as i64) < 0 => format!("{}", value as i64),
        _ if value > 9 => format!("0x{value:X}"),
        _ => format!("{value}"),
    }
}

/// Layout assertions: what holds everywhere, what holds on the 64-bit
/// architectures, and the rest beside the architecture's own items.
fn layouts_into(
    files: &mut BTreeMap<String, String>,
    folder: &mut Folder,
    all: &[Facts],
    layouts: Layouts,
    wanted: Wanted,
) -> Result<()> {
    let lines: Vec<BTreeMap<&str, String>> = all
        .iter()
        .map(|facts| {
            let line = |l: &Layout| {
                let mut text = format!("layout! {{ {}: {} {}", l.record, l.size, l.align);
                for offset in &l.offsets {
                    text += &format!(", {} {}", offset.rust, offset.value);
                }
                text + " }\n"
            };
            layouts(facts)
                .iter()
                .filter(|l| wanted(facts, &l.record))
                .map(|l| (l.record.as_str(), line(l)))
                .collect()
        })
        .collect();
    let mut shared = folder.head.clone();
    let mut wide = shared.clone();
    for (n, table) in lines.iter().enumerate() {
        for (record, line) in table {
            let same = |arch: Arch| {
                let at = all.iter().position(|f| f.arch == arch);
                at.and_then(|at| lines.get(at)).and_then(|t| t.get(record)) == Some(line)
            };
            let native = all.get(n).context("no such architecture")?.arch;
            if Arch::ALL.into_iter().all(same) {
                if native == Arch::X86_64 {
                    shared += line;
                }
            } else if native != Arch::X86 && same(Arch::X86_64) && same(Arch::Aarch64) {
                if native == Arch::X86_64 {
                    wide += line;
                }
            } else if let Some(own) = folder.own.get_mut(n) {
                *own += line;
            }
        }
    }
    files.insert(format!("{}/layout.rs", folder.path), shared);
    files.insert(format!("{}/layout_64.rs", folder.path), wide);
    Ok(())
}

/// `name! { Record; ... }` with the records of the folder that are wanted in it. One list costs each
/// build less than an attribute or an item for each record.
fn list_into(
    folder: &mut Folder,
    all: &[Facts],
    name: &str,
    wanted: impl Fn(&Facts, &str, &Record) -> bool,
) {
    let sets: Vec<BTreeSet<&str>> = all
        .iter()
        .map(|f| {
            let records = f.tidied.records.iter();
            records
                .filter(|(n, r)| wanted(f, n, r))
                .map(|(n, _)| n.as_str())
                .collect()
        })
        .collect();
    if sets.iter().all(BTreeSet::is_empty) {
        return;
    }
    let block = |set: &BTreeSet<&str>| {
        let mut text = format!("{name}! {{\n");
        for name in set {
            text += &format!("    {name};\n");
        }
        text + "}\n"
    };
    let (shared, rest) = split(&sets);
    folder.common += &block(&shared);
    for (set, own) in rest.iter().zip(&mut folder.own) {
        if !set.is_empty() {
            *own += &block(set);
        }
    }
}

pub fn write(folder: &Path, files: &BTreeMap<String, String>) -> Result<()> {
    for (name, text) in files {
        let path = folder.join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        if fs::read_to_string(&path).ok().as_deref() != Some(text) {
            fs::write(&path, text)?;
            say!("wrote {}", path.display());
        }
    }
    Ok(())
}

pub fn compare(folder: &Path, files: &BTreeMap<String, String>) -> Result<()> {
    let mut drift = 0;
    for (name, text) in files {
        let path = folder.join(name);
        let old = fs::read_to_string(&path).unwrap_or_default();
        if old == *text {
            continue;
        }
        drift += 1;
        let at = old.lines().zip(text.lines()).position(|(a, b)| a != b);
        let line = at.unwrap_or_else(|| old.lines().count().min(text.lines().count()));
        say!("{}:{}: differs", path.display(), line + 1);
        say!("  tree:    {}", old.lines().nth(line).unwrap_or("(end)"));
        say!("  headers: {}", text.lines().nth(line).unwrap_or("(end)"));
    }
    if drift > 0 {
        bail!("{drift} generated files differ; run `cargo xtask bindgen --include DIR`");
    }
    say!("{} generated files are up to date", files.len());
    Ok(())
}
