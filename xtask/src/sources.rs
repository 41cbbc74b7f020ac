//! Reads a crate's sources into a module tree with `syn`, and finds the `#[doc(alias = "...")]`
//! attributes by which the safe items name the C functions that they wrap.
//!
//! The alias is the link of record: rustdoc's search finds a C name by it, and so do the tables.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use syn::{Attribute, ImplItem, Item, TraitItem, UseTree, Visibility};

use crate::workspace;

/// A crate as its modules, the root first.
pub struct CrateSource {
    /// The crate's name in paths: `ndis_co`.
    pub name: String,
    pub modules: Vec<Module>,
    /// The items that carry an alias.
    pub aliases: Vec<Alias>,
    /// Its public types and traits.
    pub types: Vec<Type>,
}

/// A type or a trait that is declared `pub`.
pub struct Type {
    /// The module that it is written in.
    pub module: Vec<String>,
    pub name: String,
    /// Is it left out of the documentation?
    pub hidden: bool,
    /// Does its documentation have an example?
    pub example: bool,
}

/// One module, in a file of its own or inline.
pub struct Module {
    /// Its path below the crate; empty for the root.
    pub path: Vec<String>,
    /// Is it declared `pub`?
    pub public: bool,
    /// Is it left out of the documentation?
    pub hidden: bool,
    /// Its own items that a path can name: name, and whether `pub`.
    pub items: Vec<(String, bool)>,
    /// Its `pub use` declarations.
    pub exports: Vec<Export>,
}

/// One name that a `use` brings in.
pub struct Export {
    /// The path as written.
    pub target: Vec<String>,
    /// The name it gets here; `None` for a glob.
    pub name: Option<String>,
    /// Is it left out of the documentation?
    pub hidden: bool,
}

/// A C name, and the item that says it wraps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alias {
    /// The C name.
    pub c_name: String,
    /// The module that the item is written in.
    pub module: Vec<String>,
    /// The type, trait or free item.
    pub owner: String,
    /// The method, associated item, variant or field of `owner`.
    pub member: Option<String>,
    /// Can code outside the crate name it, as far as its own `pub` goes?
    pub public: bool,
}

/// Reads the crate in `folder`, starting at its `src/lib.rs`.
pub fn read_crate(folder: &Path) -> Result<CrateSource> {
    let name = folder
        .file_name()
        .map(|name| name.to_string_lossy().replace('-', "_"))
        .unwrap_or_default();
    let mut source = CrateSource {
        name,
        modules: Vec::new(),
        aliases: Vec::new(),
        types: Vec::new(),
    };
    let root = folder.join("src/lib.rs");
    let file = parse(&root)?;
    source.module(Vec::new(), (true, false), file.items, &folder.join("src"))?;
    Ok(source)
}

/// Parses the source file at `path`.
pub fn parse(path: &Path) -> Result<syn::File> {
    syn::parse_file(&workspace::read(path)?)
        .with_context(|| format!("cannot parse {}", path.display()))
}

impl CrateSource {
    /// Takes in the module `path` with `items`; its file modules lie in `folder`.
    fn module(
        &mut self,
        path: Vec<String>,
        (public, hidden): (bool, bool),
        items: Vec<Item>,
        folder: &Path,
    ) -> Result<()> {
        let index = self.modules.len();
        self.modules.push(Module {
            path: path.clone(),
            public,
            hidden,
            items: Vec::new(),
            exports: Vec::new(),
        });
        let mut named = Vec::new();
        let mut exports = Vec::new();
        for item in items {
            if for_tests(attributes(&item)) {
                continue;
            }
            self.find_aliases(&path, &item);
            self.types.extend(type_of(&path, &item));
            if let Some((name, visibility)) = name_of(&item) {
                named.push((name, is_pub(visibility)));
            }
            match item {
                Item::Use(item) if is_pub(&item.vis) => {
                    let hidden = is_hidden(&item.attrs);
                    let brought_in = brought_in(&item.tree).into_iter();
                    exports.extend(brought_in.map(|export| Export { hidden, ..export }));
                }
                Item::Mod(item) => {
                    let name = item.ident.to_string();
                    if item.attrs.iter().any(|a| a.path().is_ident("path")) {
                        bail!("module {name} has a #[path], which this reader does not follow");
                    }
                    let mut child = path.clone();
                    child.push(name.clone());
                    let inside = folder.join(&name);
                    let items = match item.content {
                        Some((_, items)) => items,
                        None => parse(&module_file(folder, &name)?)?.items,
                    };
                    let seen = (is_pub(&item.vis), is_hidden(&item.attrs));
                    self.module(child, seen, items, &inside)?;
                }
                _ => {}
            }
        }
        if let Some(module) = self.modules.get_mut(index) {
            module.items = named;
            module.exports = exports;
        }
        Ok(())
    }

    fn find_aliases(&mut self, module: &[String], item: &Item) {
        let mut found = Vec::new();
        let mut note = |attrs: &[Attribute], owner: &str, member: Option<String>, public: bool| {
            for c_name in alias_names(attrs) {
                found.push(Alias {
                    c_name,
                    module: module.to_vec(),
                    owner: owner.to_owned(),
                    member: member.clone(),
                    public,
                });
            }
        };
        match item {
            Item::Trait(item) => {
                let owner = item.ident.to_string();
                let public = is_pub(&item.vis);
                note(&item.attrs, &owner, None, public);
                for member in &item.items {
                    let (attrs, name) = match member {
                        TraitItem::Fn(member) => (&member.attrs, &member.sig.ident),
                        TraitItem::Type(member) => (&member.attrs, &member.ident),
                        TraitItem::Const(member) => (&member.attrs, &member.ident),
                        _ => continue,
                    };
                    note(attrs, &owner, Some(name.to_string()), public);
                }
            }
            Item::Impl(item) => {
                let Some(owner) = type_name(&item.self_ty) else {
                    return;
                };
                let of_trait = item.trait_.is_some();
                note(&item.attrs, &owner, None, true);
                for member in &item.items {
                    let (attrs, name, vis) = match member {
                        ImplItem::Fn(member) => (&member.attrs, &member.sig.ident, &member.vis),
                        ImplItem::Type(member) => (&member.attrs, &member.ident, &member.vis),
                        ImplItem::Const(member) => (&member.attrs, &member.ident, &member.vis),
                        _ => continue,
                    };
                    note(
                        attrs,
                        &owner,
                        Some(name.to_string()),
                        of_trait || is_pub(vis),
                    );
                }
            }
            Item::Enum(item) => {
                let owner = item.ident.to_string();
                let public = is_pub(&item.vis);
                note(&item.attrs, &owner, None, public);
                for variant in &item.variants {
                    note(
                        &variant.attrs,
                        &owner,
                        Some(variant.ident.to_string()),
                        public,
                    );
                }
            }
            Item::Struct(item) => {
                let owner = item.ident.to_string();
                note(&item.attrs, &owner, None, is_pub(&item.vis));
                for field in &item.fields {
                    let name = field.ident.as_ref().map(ToString::to_string);
                    note(&field.attrs, &owner, name, is_pub(&field.vis));
                }
            }
            // The module's own attributes: the module itself is the item.
            Item::Mod(item) => note(
                &item.attrs,
                &item.ident.to_string(),
                None,
                is_pub(&item.vis),
            ),
            item => {
                if let Some((name, vis)) = name_of(item) {
                    note(attributes(item), &name, None, is_pub(vis));
                }
            }
        }
        self.aliases.extend(found);
    }
}

/// The file of the module `name`, which is declared where `folder` has the modules.
pub fn module_file(folder: &Path, name: &str) -> Result<PathBuf> {
    let candidates = [
        folder.join(format!("{name}.rs")),
        folder.join(name).join("mod.rs"),
    ];
    match candidates
        .iter()
        .find(|path| fs::exists(path).unwrap_or(false))
    {
        Some(path) => Ok(path.clone()),
        None => bail!("no file for module {name} in {}", folder.display()),
    }
}

/// Is it public without bounds?
pub fn is_pub(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

/// The item, if it is a public type or trait.
fn type_of(module: &[String], item: &Item) -> Option<Type> {
    let is_type = matches!(
        item,
        Item::Enum(_) | Item::Struct(_) | Item::Trait(_) | Item::Union(_)
    );
    let (name, visibility) = name_of(item)?;
    (is_type && is_pub(visibility)).then(|| Type {
        module: module.to_vec(),
        name,
        hidden: is_hidden(attributes(item)),
        example: has_example(attributes(item)),
    })
}

/// Is it `#[doc(hidden)]`?
fn is_hidden(attrs: &[Attribute]) -> bool {
    attrs.iter().any(|attr| {
        attr.path().is_ident("doc")
            && attr
                .parse_args::<syn::Path>()
                .is_ok_and(|path| path.is_ident("hidden"))
    })
}

/// Does the documentation have a block of code?
fn has_example(attrs: &[Attribute]) -> bool {
    attrs.iter().any(|attr| match &attr.meta {
        syn::Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
            syn::Expr::Lit(syn::ExprLit {
                lit: syn::Lit::Str(text),
                ..
            }) => text.value().trim_start().starts_with("```"),
            _ => false,
        },
        _ => false,
    })
}

/// Is the item there only for the crate's own tests?
pub fn for_tests(attrs: &[Attribute]) -> bool {
    attrs.iter().any(|attr| {
        attr.path().is_ident("cfg")
            && attr
                .parse_args::<syn::Path>()
                .is_ok_and(|path| path.is_ident("test"))
    })
}

/// The names in `#[doc(alias = "A")]`, `#[doc(alias("A", "B"))]` and lists of both.
fn alias_names(attrs: &[Attribute]) -> Vec<String> {
    let mut names = Vec::new();
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("doc")) {
        if !matches!(attr.meta, syn::Meta::List(_)) {
            continue;
        }
        // Other keys of `doc(...)` (hidden, inline, cfg(...)) end the walk; they carry no alias.
        let _ = attr.parse_nested_meta(|meta| {
            if !meta.path.is_ident("alias") {
                return Err(meta.error("not an alias"));
            }
            if meta.input.peek(syn::token::Paren) {
                let inside;
                syn::parenthesized!(inside in meta.input);
                let list = inside
                    .parse_terminated(<syn::LitStr as syn::parse::Parse>::parse, syn::Token![,])?;
                names.extend(list.iter().map(syn::LitStr::value));
            } else {
                names.push(meta.value()?.parse::<syn::LitStr>()?.value());
            }
            Ok(())
        });
    }
    names
}

/// The last name of a type, or of what it points to.
pub fn type_name(ty: &syn::Type) -> Option<String> {
    match ty {
        syn::Type::Path(path) => path
            .path
            .segments
            .last()
            .map(|segment| segment.ident.to_string()),
        syn::Type::Ptr(pointer) => type_name(&pointer.elem),
        syn::Type::Reference(reference) => type_name(&reference.elem),
        syn::Type::Group(group) => type_name(&group.elem),
        _ => None,
    }
}

/// The name by which a path can reach the item. Macros live at the crate's root and are left out.
fn name_of(item: &Item) -> Option<(String, &Visibility)> {
    let (ident, vis) = match item {
        Item::Const(item) => (&item.ident, &item.vis),
        Item::Enum(item) => (&item.ident, &item.vis),
        Item::Fn(item) => (&item.sig.ident, &item.vis),
        Item::Static(item) => (&item.ident, &item.vis),
        Item::Struct(item) => (&item.ident, &item.vis),
        Item::Trait(item) => (&item.ident, &item.vis),
        Item::TraitAlias(item) => (&item.ident, &item.vis),
        Item::Type(item) => (&item.ident, &item.vis),
        Item::Union(item) => (&item.ident, &item.vis),
        _ => return None,
    };
    Some((ident.to_string(), vis))
}

/// An item's attributes.
pub fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Union(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

/// The names that a `use` brings in.
pub fn brought_in(tree: &UseTree) -> Vec<Export> {
    let mut found = Vec::new();
    flatten(tree, &mut Vec::new(), &mut found);
    found
}

fn flatten(tree: &UseTree, prefix: &mut Vec<String>, out: &mut Vec<Export>) {
    match tree {
        UseTree::Path(path) => {
            prefix.push(path.ident.to_string());
            flatten(&path.tree, prefix, out);
            prefix.pop();
        }
        UseTree::Group(group) => group
            .items
            .iter()
            .for_each(|tree| flatten(tree, prefix, out)),
        UseTree::Glob(_) => out.push(Export {
            target: prefix.clone(),
            name: None,
            hidden: false,
        }),
        UseTree::Name(name) if name.ident == "self" => {
            out.push(Export {
                target: prefix.clone(),
                name: prefix.last().cloned(),
                hidden: false,
            });
        }
        UseTree::Name(name) => {
            let mut target = prefix.clone();
            target.push(name.ident.to_string());
            out.push(Export {
                target,
                name: Some(name.ident.to_string()),
                hidden: false,
            });
        }
        UseTree::Rename(rename) => {
            let mut target = prefix.clone();
            target.push(rename.ident.to_string());
            out.push(Export {
                target,
                name: Some(rename.rename.to_string()),
                hidden: false,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aliases_are_found_wherever_they_stand() {
        let folder = tempfile::tempdir().expect("a folder");
        let src = folder.path().join("src");
        fs::create_dir_all(src.join("deep")).expect("a folder");
        fs::write(
            src.join("lib.rs"),
            "mod vc; pub mod deep { pub mod inner; }\n\
             #[cfg(test)] mod tests { #[doc(alias = \"NdisInTests\")] pub fn t() {} }",
        )
        .expect("written");
        fs::write(
            src.join("vc.rs"),
            "pub struct Vc;\n\
             impl Vc { #[doc(alias = \"NdisCoCreateVc\")] pub fn create() {}\n\
             #[doc(alias = \"NdisPrivate\")] fn hidden() {} }",
        )
        .expect("written");
        fs::write(
            src.join("deep/inner.rs"),
            "pub trait Client { #[doc(alias(\"ProtocolClX\", \"ProtocolClY\"))] fn x(&self); }",
        )
        .expect("written");
        let source = read_crate(folder.path()).expect("the crate parses");
        let names: Vec<_> = source
            .aliases
            .iter()
            .map(|a| (a.c_name.as_str(), a.module.join("::"), a.public))
            .collect();
        assert_eq!(
            names,
            [
                ("NdisCoCreateVc", "vc".to_owned(), true),
                ("NdisPrivate", "vc".to_owned(), false),
                ("ProtocolClX", "deep::inner".to_owned(), true),
                ("ProtocolClY", "deep::inner".to_owned(), true),
            ]
        );
    }
}
