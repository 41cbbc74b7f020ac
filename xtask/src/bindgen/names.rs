//! Names: which ones the crate's types and members get, and how C++ spells
//! what bindgen has renamed.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, bail};
use quote::{ToTokens, format_ident};
use syn::{Item, Type};

use super::types::words;

/// Members that have a name in C++ only: tag, name, and the name that the
/// member gets as the unnamed one that it is in C.
const CPP_ONLY: &[(&str, &str, &str)] = &[
    ("_NET_BUFFER_DATA", "NbDataLength", "u"),
    ("_NET_BUFFER_HEADER", "NetBufferData", "s"),
    ("_NET_BUFFER_LIST_HEADER", "NetBufferListData", "s"),
];

pub fn unname_cpp_only(file: &mut syn::File) -> Result<()> {
    let mut found = 0;
    for item in &mut file.items {
        let (tag, fields) = match item {
            Item::Struct(s) => (s.ident.to_string(), s.fields.iter_mut().collect::<Vec<_>>()),
            Item::Union(u) => (u.ident.to_string(), u.fields.named.iter_mut().collect()),
            _ => continue,
        };
        for field in fields {
            let Some(name) = field.ident.as_ref().map(|i| i.to_string()) else {
                continue;
            };
            if let Some((.., new)) = CPP_ONLY.iter().find(|(t, n, _)| *t == tag && *n == name) {
                field.ident = Some(format_ident!("{new}"));
                found += 1;
            }
        }
    }
    if found != CPP_ONLY.len() {
        bail!("only {found} of the members that C++ alone names are there");
    }
    Ok(())
}

/// Records that may be nested in another one: bindgen's name, and how C++
/// would say it. (In C the tag of a nested record is as global as any other.)
pub fn nested_candidates(file: &syn::File) -> Vec<(String, String)> {
    let mut records = BTreeSet::new();
    for item in &file.items {
        match item {
            Item::Struct(s) => drop(records.insert(s.ident.to_string())),
            Item::Union(u) => drop(records.insert(u.ident.to_string())),
            _ => {}
        }
    }
    let mut found: Vec<(String, String)> = Vec::new();
    for name in records.iter().filter(|n| !n.contains("__bindgen")) {
        for (at, _) in name.match_indices('_') {
            let (outer, inner) = name.split_at(at);
            let inner = &inner[1..];
            if records.contains(outer) && !inner.is_empty() {
                // The outer one may be nested itself; it sorts first.
                let mut paths = vec![outer.to_string()];
                paths.extend(
                    found
                        .iter()
                        .filter(|(n, _)| n == outer)
                        .map(|(_, p)| p.clone()),
                );
                found.extend(
                    paths
                        .into_iter()
                        .map(|p| (name.clone(), format!("{p}::{inner}"))),
                );
            }
        }
    }
    found
}

/// Decides every new type name: the typedef's for a tag of the same stem, and
/// `Outer_field` for a level that C does not name.
pub fn new_names(
    file: &syn::File,
    nested: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>> {
    let mut names: BTreeMap<String, String> = nested
        .iter()
        .filter_map(|(name, path)| Some((name.clone(), path.rsplit_once("::")?.1.to_string())))
        .collect();
    let mut defined = BTreeSet::new();
    for item in &file.items {
        match item {
            Item::Struct(s) => drop(defined.insert(s.ident.to_string())),
            Item::Union(u) => drop(defined.insert(u.ident.to_string())),
            Item::Type(t) => drop(defined.insert(t.ident.to_string())),
            _ => {}
        }
    }
    for item in &file.items {
        if let Item::Type(t) = item {
            let (alias, target) = (t.ident.to_string(), t.ty.to_token_stream().to_string());
            if defined.contains(&target)
                && target.starts_with('_')
                && target.trim_start_matches('_') == alias
            {
                names.insert(target, alias);
            }
        }
    }
    let mut records: BTreeMap<String, Vec<(String, Type)>> = BTreeMap::new();
    for item in &file.items {
        let (ident, fields) = match item {
            Item::Struct(s) => (&s.ident, s.fields.iter().collect::<Vec<_>>()),
            Item::Union(u) => (&u.ident, u.fields.named.iter().collect()),
            _ => continue,
        };
        let fields = fields
            .into_iter()
            .filter_map(|f| Some((f.ident.as_ref()?.to_string(), f.ty.clone())))
            .collect();
        records.insert(ident.to_string(), fields);
    }
    let unions: BTreeSet<String> = file
        .items
        .iter()
        .filter_map(|i| {
            if let Item::Union(u) = i {
                Some(u.ident.to_string())
            } else {
                None
            }
        })
        .collect();
    // Outer levels first, so that each inner name can start with its owner's.
    let mut work: Vec<String> = records
        .keys()
        .filter(|n| !n.contains("__bindgen_ty_"))
        .cloned()
        .collect();
    while let Some(outer) = work.pop() {
        let Some(fields) = records.get(&outer) else {
            continue;
        };
        let outer_new = names.get(&outer).unwrap_or(&outer).clone();
        let renamed = field_names(fields.iter().map(|(n, t)| (n.as_str(), t)), &unions);
        for ((_, ty), field) in fields.iter().zip(renamed) {
            for word in words(ty) {
                if word.contains("__bindgen_ty_") && !names.contains_key(&word) {
                    let new = match inner_tag(&word) {
                        Some(tag) => tag.to_string(),
                        None => format!("{outer_new}_{field}"),
                    };
                    names.insert(word.clone(), new);
                    work.push(word);
                }
            }
        }
    }
    if let Some(lost) = records
        .keys()
        .find(|n| n.contains("__bindgen") && !names.contains_key(*n))
    {
        bail!("no field leads to {lost}");
    }
    Ok(names)
}

/// A record with a tag inside of a level without one: bindgen's name ends in
/// the tag, which is what C knows it by.
fn inner_tag(name: &str) -> Option<&str> {
    let (_, rest) = name.rsplit_once("__bindgen_ty_")?;
    let rest = rest.trim_start_matches(|c: char| c.is_ascii_digit());
    rest.strip_prefix('_').filter(|tag| !tag.is_empty())
}

/// The Rust names of a record's fields, in order. The unnamed levels are `u`,
/// `u2`, ... for unions and `s`, `s2`, ... for structures.
fn field_names<'a>(
    fields: impl Iterator<Item = (&'a str, &'a Type)> + Clone,
    unions: &BTreeSet<String>,
) -> Vec<String> {
    let taken: BTreeSet<&str> = fields.clone().map(|(n, _)| n).collect();
    let mut counts = [0usize; 2];
    fields
        .map(|(name, ty)| {
            if let Some(n) = name.strip_prefix("_bitfield_align_") {
                return format!("bits_align_{n}");
            }
            if let Some(n) = name.strip_prefix("_bitfield_") {
                return format!("bits_{n}");
            }
            if let Some(n) = name.strip_prefix("__bindgen_padding_") {
                return format!("_padding_{n}");
            }
            if !name.starts_with("__bindgen_anon_") {
                return name.to_string();
            }
            let union = words(ty).iter().any(|w| unions.contains(w));
            let letter = if union { "u" } else { "s" };
            loop {
                let count = &mut counts[usize::from(union)];
                *count += 1;
                let name = if *count == 1 {
                    letter.to_string()
                } else {
                    format!("{letter}{count}")
                };
                if !taken.contains(name.as_str()) {
                    return name;
                }
            }
        })
        .collect()
}

/// How C++ spells a field. bindgen appends `_` to one that is a Rust keyword.
pub fn c_field(tag: Option<&str>, rust: &str) -> String {
    if let Some((_, name, _)) = CPP_ONLY
        .iter()
        .find(|(t, _, new)| Some(*t) == tag && *new == rust)
    {
        return name.to_string();
    }
    match rust {
        "type_" | "self_" | "match_" | "ref_" | "move_" | "mod_" => {
            rust.trim_end_matches('_').into()
        }
        _ => rust.into(),
    }
}
