//! A crate's files, and which uses which, by the names in them.
//!
//! A name leads to the file that defines it: over a re-export, which itself is no use. What a test uses
//! does not count. Macros of `macro_rules!` have no path, so their users are not seen.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use anyhow::Result;
use proc_macro2::{TokenStream, TokenTree};
use syn::{
    Item, UseTree, Visibility,
    visit::{self, Visit},
};

use super::graph::Uses;
use crate::{
    sources::{self, Export, attributes, brought_in, for_tests, module_file},
    unsafe_code::is_generated,
    workspace,
};

/// What a crate is made of.
#[derive(Default)]
pub struct Sources {
    pub files: Vec<File>,
    modules: BTreeMap<Vec<String>, Module>,
}

/// One file.
pub struct File {
    pub name: String,
    /// Without those that a program writes into it.
    pub lines: usize,
    pub generated: bool,
    /// The file that declares it.
    parent: Option<usize>,
}

/// No path is as long: one that is goes round.
const LONG: usize = 32;

/// Where a path was looked for: re-exports may go round.
type Seen = BTreeSet<(Vec<String>, Vec<String>)>;

/// Where the files are of the modules that a module declares.
#[derive(Clone, Copy)]
struct Folders<'a> {
    of_modules: &'a Path,
    /// Where a `#[path]` begins.
    of_paths: &'a Path,
}

/// One module, in a file of its own or inside one.
struct Module {
    file: usize,
    /// Names that a `use` brings in, with the paths they stand for.
    names: BTreeMap<String, Vec<String>>,
    /// Modules of which a `use` brings in everything.
    all_of: Vec<Vec<String>>,
    /// What a `use` brings in for it alone.
    imports: BTreeSet<Vec<String>>,
    /// What it names by a path; the paths that a re-export gives on are not among them.
    paths: BTreeSet<Vec<String>>,
    /// What it defines.
    defined: BTreeSet<String>,
}

impl Sources {
    /// Reads what is compiled from the file `top`, a crate's root.
    pub fn read(top: &Path, root: &Path) -> Result<Self> {
        let mut sources = Self::default();
        let folder = top.parent().unwrap_or(top);
        sources.file(top, folder, Vec::new(), None, root)?;
        Ok(sources)
    }

    /// What each file uses of the others, as far as they are written by hand: not of those that it is
    /// inside of.
    pub fn uses(&self) -> Uses {
        let mut uses: Uses = vec![BTreeSet::new(); self.files.len()];
        for (place, module) in &self.modules {
            let written = !self.files[module.file].generated;
            // A module that is brought in is used by what is named in it.
            let brought_in = module.imports.iter();
            let items = brought_in.filter(|path| self.place_of(place, path).is_none());
            for path in module.paths.iter().chain(items).filter(|_| written) {
                if let Some(used) = self.resolve(place, path, &mut Seen::new())
                    && used != module.file
                    && !self.is_inside(module.file, used)
                    && !self.files[used].generated
                {
                    uses[module.file].insert(used);
                }
            }
        }
        uses
    }

    /// Is `file` inside of the module whose file is `outer`?
    fn is_inside(&self, file: usize, outer: usize) -> bool {
        let mut around = self.files[file].parent;
        while let Some(at) = around {
            if at == outer {
                return true;
            }
            around = self.files[at].parent;
        }
        false
    }

    /// Takes in the file at `path`, which is the module `place`; the files of its modules lie in `folder`.
    fn file(
        &mut self,
        path: &Path,
        folder: &Path,
        place: Vec<String>,
        parent: Option<usize>,
        root: &Path,
    ) -> Result<()> {
        let text = workspace::read(path)?;
        let file = self.files.len();
        self.files.push(File {
            name: workspace::shown(root, path),
            lines: text.lines().filter(|line| !is_link(line)).count(),
            generated: is_generated(&text),
            parent,
        });
        let items = sources::parse(path)?.items;
        let folders = Folders {
            of_modules: folder,
            of_paths: path.parent().unwrap_or(path),
        };
        self.module(items, folders, place, file, root)
    }

    fn module(
        &mut self,
        items: Vec<Item>,
        folders: Folders<'_>,
        place: Vec<String>,
        file: usize,
        root: &Path,
    ) -> Result<()> {
        let mut module = Module {
            file,
            names: BTreeMap::new(),
            all_of: Vec::new(),
            imports: BTreeSet::new(),
            paths: BTreeSet::new(),
            defined: BTreeSet::new(),
        };
        for item in items {
            if for_tests(attributes(&item)) {
                continue;
            }
            match item {
                Item::Use(item) => {
                    let given_on = !matches!(item.vis, Visibility::Inherited);
                    module.take_use(&item.tree, given_on);
                }
                Item::Mod(item) => {
                    let name = item.ident.to_string();
                    let mut child = place.clone();
                    child.push(name.clone());
                    let inside = folders.of_modules.join(&name);
                    match item.content {
                        Some((_, items)) => {
                            let folders = Folders {
                                of_modules: &inside,
                                of_paths: &inside,
                            };
                            self.module(items, folders, child, file, root)?;
                        }
                        None => {
                            let path = match own_path(&item.attrs) {
                                Some(path) => folders.of_paths.join(path),
                                None => module_file(folders.of_modules, &name)?,
                            };
                            self.file(&path, &inside, child, Some(file), root)?;
                        }
                    }
                }
                // What is in the body of a macro is named where the macro is called.
                Item::Macro(item) if item.ident.is_some() => {
                    module
                        .defined
                        .extend(item.ident.map(|name| name.to_string()));
                }
                item => {
                    module.defined.extend(defined(&item));
                    Names(&mut module.paths).visit_item(&item);
                }
            }
        }
        self.modules.insert(place, module);
        Ok(())
    }

    /// The file that defines what `path`, in the module `place`, names; `None` for what is not the
    /// crate's own.
    fn resolve(&self, place: &[String], path: &[String], seen: &mut Seen) -> Option<usize> {
        let (first, rest) = path.split_first()?;
        let module = self.modules.get(place)?;
        match first.as_str() {
            "crate" => self.inside(&[], rest, seen),
            "self" => self.inside(place, rest, seen),
            "super" => {
                let (_, outer) = place.split_last()?;
                self.inside(outer, rest, seen)
            }
            // A path that a `use` has, or that leads to a module: a lone name of a module is a
            // variable's.
            name => {
                let known = module.names.contains_key(name) || module.defined.contains(name);
                let child = self.modules.contains_key(&below(place, name)) && !rest.is_empty();
                let mut given = || {
                    let mut all = module.all_of.iter();
                    all.find_map(|from| self.by_glob(place, from, name, seen))
                };
                if known || child {
                    self.inside(place, path, seen)
                } else {
                    given()
                }
            }
        }
    }

    /// The file that defines `path`, which begins in the module `place`.
    fn inside(&self, place: &[String], path: &[String], seen: &mut Seen) -> Option<usize> {
        let module = self.modules.get(place)?;
        if !seen.insert((place.to_vec(), path.to_vec())) {
            return None;
        }
        let Some((first, rest)) = path.split_first() else {
            return Some(module.file);
        };
        if matches!(first.as_str(), "super" | "self") {
            return self.resolve(place, path, seen);
        }
        if module.defined.contains(first) {
            return Some(module.file);
        }
        let child = below(place, first);
        if self.modules.contains_key(&child) {
            return self.inside(&child, rest, seen);
        }
        if let Some(target) = module.names.get(first) {
            let whole: Vec<_> = target.iter().chain(rest).cloned().collect();
            // `anyhow` of `use anyhow::anyhow`: the first name is a crate's.
            let own = target.first() != Some(first) && whole.len() < LONG;
            return own.then(|| self.resolve(place, &whole, seen)).flatten();
        }
        let mut all = module.all_of.iter();
        all.find_map(|from| self.by_glob(place, from, first, seen))
    }

    /// The file that defines `name`, if `place` has it from `from::*`.
    fn by_glob(
        &self,
        place: &[String],
        from: &[String],
        name: &str,
        seen: &mut Seen,
    ) -> Option<usize> {
        let module = self.place_of(place, from)?;
        let has = self.modules.get(&module)?;
        let there = has.defined.contains(name) || has.names.contains_key(name);
        let deeper = || !has.all_of.is_empty();
        (module != place && (there || deeper()))
            .then(|| self.inside(&module, std::slice::from_ref(&name.to_owned()), seen))
            .flatten()
    }

    /// The module that `path`, in the module `place`, names.
    fn place_of(&self, place: &[String], path: &[String]) -> Option<Vec<String>> {
        let mut at = place.to_vec();
        for name in path {
            match name.as_str() {
                "crate" => at.clear(),
                "self" => {}
                "super" => {
                    at.pop()?;
                }
                name => at.push(name.to_owned()),
            }
        }
        self.modules.contains_key(&at).then_some(at)
    }
}

impl Module {
    /// Takes in a `use`. One that is `given_on` to others is no use of the file itself.
    fn take_use(&mut self, tree: &UseTree, given_on: bool) {
        for Export { target, name, .. } in brought_in(tree) {
            if !given_on {
                let alone = if name.is_some() {
                    &mut self.imports
                } else {
                    &mut self.paths
                };
                alone.insert(target.clone());
            }
            match name {
                Some(name) => drop(self.names.insert(name, target)),
                None => self.all_of.push(target),
            }
        }
    }
}

/// A line that `cargo xtask rules --link` writes.
fn is_link(line: &str) -> bool {
    line.trim_start().starts_with("//") && line.contains("]: ndis_sys::rules#")
}

fn below(place: &[String], name: &str) -> Vec<String> {
    place.iter().cloned().chain([name.to_owned()]).collect()
}

/// The file that a `#[path]` names.
fn own_path(attrs: &[syn::Attribute]) -> Option<String> {
    attrs.iter().find_map(|attr| match &attr.meta {
        syn::Meta::NameValue(pair) if pair.path.is_ident("path") => match &pair.value {
            syn::Expr::Lit(literal) => match &literal.lit {
                syn::Lit::Str(text) => Some(text.value()),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    })
}

/// The names that an item defines. For a call of a macro, the names behind the words that define.
fn defined(item: &Item) -> Vec<String> {
    let one = |ident: &syn::Ident| vec![ident.to_string()];
    match item {
        Item::Const(item) => one(&item.ident),
        Item::Enum(item) => one(&item.ident),
        Item::Fn(item) => one(&item.sig.ident),
        Item::Static(item) => one(&item.ident),
        Item::Struct(item) => one(&item.ident),
        Item::Trait(item) => one(&item.ident),
        Item::Type(item) => one(&item.ident),
        Item::Union(item) => one(&item.ident),
        Item::Macro(item) => {
            let mut names = Vec::new();
            defined_in(item.mac.tokens.clone(), &mut names);
            names
        }
        _ => Vec::new(),
    }
}

fn defined_in(tokens: TokenStream, names: &mut Vec<String>) {
    let mut defines = false;
    for token in tokens {
        match token {
            TokenTree::Ident(ident) if defines => {
                names.push(ident.to_string());
                defines = false;
            }
            TokenTree::Ident(ident) => {
                let word = ident.to_string();
                defines = ["struct", "enum", "fn", "const", "static", "type", "trait"]
                    .contains(&word.as_str());
            }
            TokenTree::Group(group) => {
                defines = false;
                defined_in(group.stream(), names);
            }
            _ => defines = false,
        }
    }
}

/// Collects paths.
struct Names<'a>(&'a mut BTreeSet<Vec<String>>);

impl<'ast> Visit<'ast> for Names<'_> {
    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.leading_colon.is_none() {
            let segments = path.segments.iter();
            self.0
                .insert(segments.map(|part| part.ident.to_string()).collect());
        }
        visit::visit_path(self, path);
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        let brought_in = brought_in(&item.tree).into_iter();
        self.0.extend(brought_in.map(|name| name.target));
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        visit::visit_macro(self, call);
        in_tokens(call.tokens.clone(), self.0);
    }
}

/// The paths among the tokens of a macro's call: names with `::` between them.
fn in_tokens(tokens: TokenStream, found: &mut BTreeSet<Vec<String>>) {
    let mut path: Vec<String> = Vec::new();
    let mut colons = 0;
    let mut member = false;
    for token in tokens {
        match token {
            TokenTree::Ident(ident) => {
                if colons != 2 {
                    flush(&mut path, found);
                }
                if !member {
                    path.push(ident.to_string());
                }
                (colons, member) = (0, false);
            }
            TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
            TokenTree::Punct(punct) => {
                flush(&mut path, found);
                (colons, member) = (0, punct.as_char() == '.');
            }
            TokenTree::Group(group) => {
                flush(&mut path, found);
                (colons, member) = (0, false);
                in_tokens(group.stream(), found);
            }
            TokenTree::Literal(_) => {
                flush(&mut path, found);
                (colons, member) = (0, false);
            }
        }
    }
    flush(&mut path, found);
}

fn flush(path: &mut Vec<String>, found: &mut BTreeSet<Vec<String>>) {
    if !path.is_empty() {
        found.insert(std::mem::take(path));
    }
}
