//! Which names are in the header: the roots, and all that they need.
//!
//! `xtask/data/c-header.toml` has the roots, reviewed by hand, and the records of which a driver
//! has nothing but pointers. From there it is mechanical: a function needs the types of its
//! parameters, a record those of its members, a type has its pointer type, an enumeration its
//! enumerators, a record with revisions their numbers and sizes.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use super::model::{Model, Signature, Ty};
use crate::workspace;

/// The data file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Roots {
    functions: Vec<String>,
    types: Vec<String>,
    constants: Vec<String>,
    /// Records that stay incomplete.
    opaque: Vec<String>,
}

/// The names of the header.
#[derive(Default)]
pub struct Closure {
    pub types: BTreeSet<String>,
    pub functions: BTreeSet<String>,
    pub constants: BTreeSet<String>,
    /// Records that are declared and not defined.
    pub opaque: BTreeSet<String>,
    pub places: BTreeSet<String>,
    pub same: BTreeSet<String>,
}

impl Roots {
    pub fn read() -> Result<Self> {
        let path = workspace::root().join("xtask/data/c-header.toml");
        toml::from_str(&workspace::read(&path)?).with_context(|| format!("in {}", path.display()))
    }

    /// A name that matches nothing on any architecture is a mistake in the data file.
    pub fn check(&self, models: &[&Model]) -> Result<()> {
        type List<'a> = (&'a [String], fn(&Model, &str) -> bool);
        let lists: [List<'_>; 4] = [
            (&self.functions, |m, name| {
                m.functions.contains_key(name) || m.same.contains_key(name)
            }),
            (&self.types, is_type),
            (&self.constants, |m, name| m.constants.contains_key(name)),
            (&self.opaque, |m, name| m.records.contains_key(name)),
        ];
        for (patterns, known) in lists {
            for pattern in patterns {
                let found = models.iter().any(|model| {
                    names(model).any(|name| fits(pattern, name) && known(model, name))
                });
                if !found {
                    bail!("c-header.toml: nothing is called {pattern}");
                }
            }
        }
        Ok(())
    }
}

fn is_type(model: &Model, name: &str) -> bool {
    model.records.contains_key(name) || model.aliases.contains_key(name)
}

fn names(model: &Model) -> impl Iterator<Item = &String> {
    (model.functions.keys())
        .chain(model.same.keys())
        .chain(model.records.keys())
        .chain(model.aliases.keys())
        .chain(model.constants.keys())
}

/// Is the name the pattern, or does it begin with what stands before the pattern's `*`?
fn fits(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => name == pattern,
    }
}

impl Closure {
    pub fn of(model: &Model, roots: &Roots) -> Self {
        let mut closure = Self::default();
        let wanted = |patterns: &[String], name: &str| patterns.iter().any(|p| fits(p, name));
        for (name, function) in &model.functions {
            if wanted(&roots.functions, name) {
                closure.functions.insert(name.clone());
                closure.signature(model, roots, &function.signature);
            }
        }
        for name in model.records.keys().chain(model.aliases.keys()) {
            if wanted(&roots.types, name) && !model.is_tag(name) {
                closure.name(model, roots, name);
            }
        }
        // A constant may bring a type, and a type brings constants.
        let mut before = 0;
        for (name, constant) in &model.constants {
            if wanted(&roots.constants, name) {
                closure.constants.insert(name.clone());
                closure.ty(model, roots, &constant.ty);
            }
        }
        while before != closure.constants.len() + closure.types.len() {
            before = closure.constants.len() + closure.types.len();
            closure.constants_of_types(model, roots);
        }
        for (name, target) in &model.same {
            if wanted(&roots.functions, name) && closure.functions.contains(target) {
                closure.same.insert(name.clone());
            }
        }
        for (name, place) in &model.places {
            let mut types = BTreeSet::new();
            words(&place.ty, &mut types);
            if closure.types.contains(&place.record)
                && !closure.opaque.contains(&place.record)
                && types.is_subset(&closure.types)
            {
                closure.places.insert(name.clone());
            }
        }
        closure
    }

    fn name(&mut self, model: &Model, roots: &Roots, name: &str) {
        if !self.types.insert(name.to_owned()) {
            return;
        }
        // The pointer type that the headers have beside it.
        let pointer = format!("P{name}");
        if let Some(Ty::Pointer { to, .. }) = model.aliases.get(&pointer)
            && **to == Ty::Name(name.to_owned())
        {
            self.types.insert(pointer);
        }
        if let Some(ty) = model.aliases.get(name) {
            self.ty(model, roots, ty);
        } else if let Some(record) = model.records.get(name) {
            if record.opaque || roots.opaque.iter().any(|pattern| fits(pattern, name)) {
                self.opaque.insert(name.to_owned());
                return;
            }
            for (_, ty) in &record.fields {
                self.ty(model, roots, ty);
            }
        }
    }

    fn ty(&mut self, model: &Model, roots: &Roots, ty: &Ty) {
        match ty {
            Ty::Void | Ty::Plain(_) => {}
            Ty::Name(name) => self.name(model, roots, name),
            Ty::Pointer { to, .. } => self.ty(model, roots, to),
            Ty::Array(of, _) => self.ty(model, roots, of),
            Ty::Function(signature) => self.signature(model, roots, signature),
        }
    }

    fn signature(&mut self, model: &Model, roots: &Roots, signature: &Signature) {
        self.ty(model, roots, &signature.result);
        for (_, ty) in &signature.parameters {
            self.ty(model, roots, ty);
        }
    }

    fn constants_of_types(&mut self, model: &Model, roots: &Roots) {
        let revisions = revisions(model);
        let mut found = Vec::new();
        for (name, constant) in &model.constants {
            let of_enumeration = constant.enumerator
                && matches!(&constant.ty, Ty::Name(of) if self.types.contains(of));
            let of_record = revisions
                .get(name.as_str())
                .is_some_and(|record| self.types.contains(record) && !self.opaque.contains(record));
            // A root may be an enumerator: then all of its enumeration is there.
            if of_enumeration || of_record {
                found.push((name.clone(), constant.ty.clone()));
            }
        }
        for (name, ty) in found {
            self.constants.insert(name);
            self.ty(model, roots, &ty);
        }
    }
}

/// The constants that number a record's revisions and give their sizes, and the record.
fn revisions(model: &Model) -> BTreeMap<&str, String> {
    let mut found = BTreeMap::new();
    for name in model.constants.keys() {
        let Some((stem, number)) = name.rsplit_once("_REVISION_") else {
            continue;
        };
        if number.parse::<u32>().is_err() {
            continue;
        }
        let stem = stem.strip_prefix("NDIS_SIZEOF_").unwrap_or(stem);
        for record in [stem.to_owned(), format!("NDIS_{stem}")] {
            if model.records.contains_key(&record) {
                found.insert(name.as_str(), record);
            }
        }
    }
    found
}

/// The names in a type.
pub fn words(ty: &Ty, out: &mut BTreeSet<String>) {
    match ty {
        Ty::Void | Ty::Plain(_) => {}
        Ty::Name(name) => drop(out.insert(name.clone())),
        Ty::Pointer { to, .. } => words(to, out),
        Ty::Array(of, _) => words(of, out),
        Ty::Function(signature) => {
            words(&signature.result, out);
            for (_, ty) in &signature.parameters {
                words(ty, out);
            }
        }
    }
}
