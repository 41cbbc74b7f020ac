//! Which comments of a crate its users see in the documentation.
//!
//! Those of public items: a public item of a private module counts as well, for something may give it on.
//! What a macro's call at the head of a file has is taken to be public.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use anyhow::Result;
use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::{Attribute, Fields, ImplItem, Item, TraitItem};

use crate::{
    sources::{self, attributes, for_tests, is_pub, module_file},
    unsafe_code::is_generated,
    workspace,
};

/// A file, and the lines of it that are public documentation.
pub struct Source {
    pub path: PathBuf,
    pub text: String,
    pub lines: BTreeSet<usize>,
}

/// The files of the crate whose root is `top`.
pub fn sources(top: &Path) -> Result<Vec<Source>> {
    let mut found = Vec::new();
    let folder = top.parent().unwrap_or(top);
    file(top, folder, true, &mut found)?;
    Ok(found)
}

/// Takes in the file at `path`; the files of its modules lie in `folder`.
fn file(path: &Path, folder: &Path, public: bool, found: &mut Vec<Source>) -> Result<()> {
    let text = workspace::read(path)?;
    if is_generated(&text) {
        return Ok(());
    }
    let parsed = sources::parse(path)?;
    let mut lines = BTreeSet::new();
    if public {
        note(&parsed.attrs, &mut lines);
    }
    items(&parsed.items, folder, &mut lines, found)?;
    found.push(Source {
        path: path.to_path_buf(),
        text,
        lines,
    });
    Ok(())
}

fn items(
    items: &[Item],
    folder: &Path,
    lines: &mut BTreeSet<usize>,
    found: &mut Vec<Source>,
) -> Result<()> {
    for item in items {
        let attrs = attributes(item);
        // A file that is chosen by a path is a generated one's.
        let chosen = attrs.iter().any(|attr| attr.path().is_ident("path"));
        if for_tests(attrs) || is_hidden(attrs) || chosen {
            continue;
        }
        let Item::Mod(module) = item else {
            documented(item, lines);
            continue;
        };
        let public = is_pub(&module.vis);
        if public {
            note(&module.attrs, lines);
        }
        let name = module.ident.to_string();
        match &module.content {
            Some((_, inside)) => self::items(inside, &folder.join(name), lines, found)?,
            None => file(
                &module_file(folder, &name)?,
                &folder.join(name),
                public,
                found,
            )?,
        }
    }
    Ok(())
}

/// Notes the lines of an item's documentation, as far as it is public.
fn documented(item: &Item, lines: &mut BTreeSet<usize>) {
    match item {
        Item::Struct(item) if is_pub(&item.vis) => {
            note(&item.attrs, lines);
            fields(&item.fields, false, lines);
        }
        Item::Union(item) if is_pub(&item.vis) => {
            note(&item.attrs, lines);
            fields(&Fields::Named(item.fields.clone()), false, lines);
        }
        Item::Enum(item) if is_pub(&item.vis) => {
            note(&item.attrs, lines);
            for variant in &item.variants {
                note(&variant.attrs, lines);
                fields(&variant.fields, true, lines);
            }
        }
        Item::Trait(item) if is_pub(&item.vis) => {
            note(&item.attrs, lines);
            for member in &item.items {
                match member {
                    TraitItem::Fn(member) => note(&member.attrs, lines),
                    TraitItem::Type(member) => note(&member.attrs, lines),
                    TraitItem::Const(member) => note(&member.attrs, lines),
                    _ => {}
                }
            }
        }
        Item::Impl(item) => {
            let of_trait = item.trait_.is_some();
            note(&item.attrs, lines);
            for member in &item.items {
                let (attrs, vis) = match member {
                    ImplItem::Fn(member) => (&member.attrs, &member.vis),
                    ImplItem::Type(member) => (&member.attrs, &member.vis),
                    ImplItem::Const(member) => (&member.attrs, &member.vis),
                    _ => continue,
                };
                if of_trait || is_pub(vis) {
                    note(attrs, lines);
                }
            }
        }
        Item::Macro(item) => {
            if item.ident.is_none() {
                in_tokens(item.mac.tokens.clone(), lines);
            } else if item.attrs.iter().any(|a| a.path().is_ident("macro_export")) {
                note(&item.attrs, lines);
            }
        }
        Item::Const(item) if is_pub(&item.vis) => note(&item.attrs, lines),
        Item::Fn(item) if is_pub(&item.vis) => note(&item.attrs, lines),
        Item::Static(item) if is_pub(&item.vis) => note(&item.attrs, lines),
        Item::Type(item) if is_pub(&item.vis) => note(&item.attrs, lines),
        Item::Use(item) if is_pub(&item.vis) => note(&item.attrs, lines),
        _ => {}
    }
}

/// `all`: a variant's fields have no visibility of their own.
fn fields(fields: &Fields, all: bool, lines: &mut BTreeSet<usize>) {
    for field in fields {
        if all || is_pub(&field.vis) {
            note(&field.attrs, lines);
        }
    }
}

fn note(attrs: &[Attribute], lines: &mut BTreeSet<usize>) {
    if is_hidden(attrs) {
        return;
    }
    let docs = attrs.iter().filter(|attr| attr.path().is_ident("doc"));
    lines.extend(docs.map(|attr| attr.pound_token.spans[0].start().line));
}

/// The comments among the tokens of a macro's call.
fn in_tokens(tokens: TokenStream, lines: &mut BTreeSet<usize>) {
    for token in tokens {
        let TokenTree::Group(group) = token else {
            continue;
        };
        let first = group.stream().into_iter().next();
        let is_doc = matches!(&first, Some(TokenTree::Ident(name)) if name == "doc");
        if is_doc && group.delimiter() == Delimiter::Bracket {
            lines.insert(group.span_open().start().line);
        } else {
            in_tokens(group.stream(), lines);
        }
    }
}

fn is_hidden(attrs: &[Attribute]) -> bool {
    attrs.iter().any(|attr| {
        attr.path().is_ident("doc")
            && attr
                .parse_args::<syn::Path>()
                .is_ok_and(|path| path.is_ident("hidden"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_comments_are_told_from_others() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path().join("lib.rs");
        std::fs::write(
            &root,
            "//! Public.\n\
             /// Public.\npub struct S {\n    /// Public.\n    pub a: u8,\n    /// Not.\n    b: u8,\n}\n\
             impl S {\n    /// Public.\n    pub fn f() {}\n    /// Not.\n    pub(crate) fn g() {}\n}\n\
             bitflags! {\n    /// Public.\n    pub struct F {}\n}\n\
             /// Not.\nmod deep;\n\
             /// Not.\n#[doc(hidden)]\npub fn h() {}\n",
        )
        .expect("written");
        std::fs::write(
            folder.path().join("deep.rs"),
            "//! Not.\n/// Public.\npub fn f() {}\n",
        )
        .expect("written");
        for source in sources(&root).expect("it parses") {
            for (number, line) in (1..).zip(source.text.lines()) {
                let public = line.ends_with(" Public.");
                assert_eq!(source.lines.contains(&number), public, "{number}: {line}");
            }
        }
    }
}
