//! Finds the path by which a user of a crate reaches an item, through its public modules and
//! `pub use` declarations: the path that the tables show and that rustdoc's pages have.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use crate::sources::{Alias, CrateSource, Module};

/// A path below the crate's root, as it is defined in the sources.
type Place = Vec<String>;

/// The items of one crate that its users can reach.
pub struct PublicPaths {
    krate: String,
    /// Every place where a name is defined, to find an `impl` block's type.
    definitions: BTreeMap<String, BTreeSet<Place>>,
    /// Where it is defined, and the shortest path to it from outside.
    paths: BTreeMap<Place, Place>,
}

impl PublicPaths {
    /// Walks the crate from its root.
    pub fn of(source: &CrateSource) -> Self {
        Self::walk(source, true)
    }

    /// As [`of`](Self::of), by what the documentation shows only.
    pub fn shown(source: &CrateSource) -> Self {
        Self::walk(source, false)
    }

    fn walk(source: &CrateSource, hidden: bool) -> Self {
        let mut definitions: BTreeMap<String, BTreeSet<Place>> = BTreeMap::new();
        for module in &source.modules {
            for (name, _) in &module.items {
                definitions
                    .entry(name.clone())
                    .or_default()
                    .insert(join(&module.path, name));
            }
        }
        let mut walk = Walk {
            source,
            hidden,
            paths: BTreeMap::new(),
            seen: HashSet::new(),
        };
        walk.module(&[], &[]);
        Self {
            krate: source.name.clone(),
            definitions,
            paths: walk.paths,
        }
    }

    /// The path of a type or a trait; `None` when nobody outside can name it.
    pub fn path_to(&self, module: &[String], name: &str) -> Option<String> {
        Some(self.paths.get(&join(module, name))?.join("::"))
    }

    /// The path of the item that carries `alias`; `None` when nobody outside can name it.
    pub fn path_of(&self, alias: &Alias) -> Option<String> {
        if !alias.public {
            return None;
        }
        let defined = self.definition(&alias.module, &alias.owner);
        let mut path = vec![self.krate.clone()];
        path.extend(self.paths.get(&defined)?.iter().cloned());
        path.extend(alias.member.clone());
        Some(path.join("::"))
    }
}

impl PublicPaths {
    /// Where the type of an `impl` block in `module` is defined: there, or nearest to it, for a
    /// crate may have several of one name.
    fn definition(&self, module: &[String], name: &str) -> Place {
        let shared = |place: &Place| {
            let both = place.iter().zip(module);
            both.take_while(|(one, other)| one == other).count()
        };
        let places = self.definitions.get(name).into_iter().flatten();
        let nearest = places.max_by_key(|place| shared(place));
        nearest.cloned().unwrap_or_else(|| join(module, name))
    }
}

fn join(path: &[String], name: &str) -> Place {
    path.iter().cloned().chain([name.to_owned()]).collect()
}

struct Walk<'a> {
    source: &'a CrateSource,
    /// Also by what the documentation does not show.
    hidden: bool,
    paths: BTreeMap<Place, Place>,
    /// Module, and the path it was entered by: a module may be exported under several names.
    seen: HashSet<(Place, Place)>,
}

impl Walk<'_> {
    /// Takes in what users find in the module defined at `place`, which they reach as `shown`.
    fn module(&mut self, place: &[String], shown: &[String]) {
        if shown.len() > 8 || !self.seen.insert((place.to_vec(), shown.to_vec())) {
            return;
        }
        let Some(module) = find(self.source, place) else {
            return;
        };
        self.note(place.to_vec(), shown.to_vec());
        for (name, public) in &module.items {
            if *public {
                self.note(join(place, name), join(shown, name));
            }
        }
        for child in &self.source.modules {
            if let [parent @ .., name] = child.path.as_slice()
                && parent == place
                && child.public
                && (self.hidden || !child.hidden)
            {
                self.module(&child.path, &join(shown, name));
            }
        }
        for export in &module.exports {
            if export.hidden && !self.hidden {
                continue;
            }
            let Some(target) = resolve(self.source, place, &export.target, 0) else {
                continue;
            };
            match &export.name {
                // A glob shows the module's items under the importing module's own path.
                None => self.module(&target, shown),
                Some(name) if find(self.source, &target).is_some() => {
                    self.module(&target, &join(shown, name))
                }
                Some(name) => self.note(target, join(shown, name)),
            }
        }
    }

    fn note(&mut self, place: Place, shown: Place) {
        let best = self.paths.entry(place).or_insert_with(|| shown.clone());
        if shown.len() < best.len() {
            *best = shown;
        }
    }
}

fn find<'a>(source: &'a CrateSource, place: &[String]) -> Option<&'a Module> {
    source.modules.iter().find(|module| module.path == place)
}

/// Where `path`, written in the module at `place`, is defined; `None` when in another crate.
fn resolve(source: &CrateSource, place: &[String], path: &[String], depth: usize) -> Option<Place> {
    if depth > 8 {
        return None;
    }
    let mut current = place.to_vec();
    let mut rest = path;
    while let [first, others @ ..] = rest {
        match first.as_str() {
            "crate" => current.clear(),
            "self" => {}
            "super" => {
                current.pop();
            }
            _ => break,
        }
        rest = others;
    }
    for (index, name) in rest.iter().enumerate() {
        let next = join(&current, name);
        let module = find(source, &current)?;
        if find(source, &next).is_some() {
            current = next;
        } else if module.items.iter().any(|(item, _)| item == name) {
            return (index + 1 == rest.len()).then_some(next);
        } else {
            // Another `pub use` on the way.
            current = module
                .exports
                .iter()
                .find_map(|export| match &export.name {
                    Some(exported) if exported == name => {
                        resolve(source, &current, &export.target, depth + 1)
                    }
                    Some(_) => None,
                    None => {
                        let inside = resolve(source, &current, &export.target, depth + 1)?;
                        resolve(source, &inside, std::slice::from_ref(name), depth + 1)
                    }
                })?;
        }
    }
    Some(current)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::read_crate;

    #[test]
    fn a_private_module_is_reached_through_its_export() {
        let folder = tempfile::tempdir().expect("a folder");
        let src = folder.path().join("src");
        std::fs::create_dir_all(&src).expect("a folder");
        std::fs::write(
            src.join("lib.rs"),
            "mod vc { pub struct Vc; pub struct Other; } mod calls; pub mod af; mod all; pub mod side;\n\
             pub use vc::Vc; pub use all::*;",
        )
        .expect("written");
        std::fs::write(
            src.join("calls.rs"),
            "use super::vc::Vc;\n\
             impl<'a, T> Vc<'a, T> { #[doc(alias = \"A\")] pub fn dial(&self) {} }\n\
             impl Other { #[doc(alias = \"B\")] pub fn unreachable_from_outside(&self) {} }",
        )
        .expect("written");
        std::fs::write(
            src.join("af.rs"),
            "pub struct Af { #[doc(alias = \"C\")] pub id: u8 }",
        )
        .expect("written");
        std::fs::write(src.join("all.rs"), "#[doc(alias = \"D\")] pub fn free() {}")
            .expect("written");
        // Another type of the same name, with its methods in a module beside it.
        std::fs::write(
            src.join("side.rs"),
            "pub mod vc { pub struct Vc; } mod more { use super::vc::Vc;\n\
             impl Vc { #[doc(alias = \"E\")] pub fn dial(&self) {} } }",
        )
        .expect("written");
        let source = read_crate(folder.path()).expect("the crate parses");
        let krate = source.name.clone();
        let paths = PublicPaths::of(&source);
        let found: Vec<_> = source
            .aliases
            .iter()
            .map(|a| (a.c_name.clone(), paths.path_of(a)))
            .collect();
        let expected =
            |c: &str, path: Option<&str>| (c.to_owned(), path.map(|p| format!("{krate}::{p}")));
        assert_eq!(
            found,
            [
                expected("A", Some("Vc::dial")),
                expected("B", None),
                expected("C", Some("af::Af::id")),
                expected("D", Some("free")),
                expected("E", Some("side::vc::Vc::dial")),
            ]
        );
    }
}
