//! What the type names of a crate stand for, so that those of two crates can be compared.

use std::collections::BTreeMap;

use quote::ToTokens;
use syn::{Fields, Item, Type};

use super::types::{plain_integer, words};

/// Name and type of each field.
type Members = Vec<(String, Type)>;

/// The types of a crate by name.
#[derive(Default)]
pub struct Definitions {
    records: BTreeMap<String, Members>,
    aliases: BTreeMap<String, Type>,
    /// Enumerations that are modules: what their `Type` is.
    enums: BTreeMap<String, Type>,
}

impl Definitions {
    pub fn of(items: &[Item]) -> Definitions {
        let mut all = Definitions::default();
        for item in items {
            match item {
                Item::Struct(s) => {
                    all.records.insert(s.ident.to_string(), fields(&s.fields));
                }
                Item::Union(u) => {
                    let named = Fields::Named(u.fields.clone());
                    all.records.insert(u.ident.to_string(), fields(&named));
                }
                Item::Type(t) => {
                    all.aliases.insert(t.ident.to_string(), (*t.ty).clone());
                }
                Item::Mod(m) => {
                    for item in m.content.iter().flat_map(|(_, items)| items) {
                        if let Item::Type(t) = item {
                            all.enums.insert(m.ident.to_string(), (*t.ty).clone());
                        }
                    }
                }
                // The typedef of an enumeration: `pub use self::_TAG::Type as NAME;`
                Item::Use(u) => {
                    let text = u.to_token_stream().to_string();
                    let text = text.trim_start_matches("pub use ").trim_end_matches(';');
                    if let Some((path, name)) = text.split_once(" as ")
                        && let Ok(path) = syn::parse_str(path)
                    {
                        all.aliases.insert(name.trim().into(), path);
                    }
                }
                _ => {}
            }
        }
        all
    }

    /// The fields of a record; none if it is none.
    pub fn fields(&self, record: &str) -> &[(String, Type)] {
        self.records.get(record).map_or(&[], Vec::as_slice)
    }

    /// What a name stands for in the end: integers by width, records by their names without the
    /// tag's underscores. Nothing for functions, whose calling convention has many names.
    pub fn canonical(&self, name: &str) -> Option<String> {
        if self.records.contains_key(name) {
            return Some(name.trim_start_matches('_').into());
        }
        self.canonical_type(self.aliases.get(name)?)
    }

    fn canonical_type(&self, ty: &Type) -> Option<String> {
        match ty {
            Type::Ptr(p) => {
                let inner = self.canonical_type(&p.elem)?;
                let constant = p.const_token.is_some();
                Some(format!(
                    "*{} {inner}",
                    if constant { "const" } else { "mut" }
                ))
            }
            Type::Array(a) => {
                let length = a.len.to_token_stream().to_string();
                let inner = self.canonical_type(&a.elem)?;
                Some(format!("[{inner}; {}]", length.trim_end_matches("usize")))
            }
            Type::Path(p) => {
                let mut names = p.path.segments.iter().rev().map(|s| s.ident.to_string());
                let last = names.next()?;
                match (last.as_str(), names.next()) {
                    ("Option", _) => None,
                    ("Type", Some(outer)) => self.canonical_type(self.enums.get(&outer)?),
                    (name, _) => match plain_integer(name) {
                        Some(plain) => Some(plain.into()),
                        None if self.records.contains_key(name) => self.canonical(name),
                        None if self.aliases.contains_key(name) => self.canonical(name),
                        // One of Rust's own.
                        None => Some(last),
                    },
                }
            }
            _ => None,
        }
    }

    /// Every member of a record as Rust and as C reach it, where the levels without a name in C
    /// are called as bindgen calls them.
    pub fn members(&self, name: &str) -> Option<Vec<(String, String)>> {
        let mut name = name.to_string();
        while !self.records.contains_key(&name) {
            let Type::Path(p) = self.aliases.get(&name)? else {
                return None;
            };
            name = p.path.segments.last()?.ident.to_string();
        }
        let mut out = Vec::new();
        self.walk(&name, "", "", &mut out);
        Some(out)
    }

    fn walk(&self, record: &str, rust: &str, c: &str, out: &mut Vec<(String, String)>) {
        let join = |path: &str, name: &str| match path {
            "" => name.to_string(),
            path => format!("{path}.{name}"),
        };
        for (name, ty) in self.fields(record) {
            let rust = join(rust, name);
            let c = if name.starts_with("__bindgen_anon_") {
                c.to_string()
            } else if ["_bitfield", "__bindgen", "_bindgen"]
                .iter()
                .any(|of_bindgen| name.starts_with(of_bindgen))
            {
                continue;
            } else {
                let c = join(c, name);
                out.push((rust.clone(), c.clone()));
                c
            };
            if let Type::Path(_) = ty
                && let Some(level) = words(ty).into_iter().find(|w| w.contains("__bindgen_ty_"))
            {
                self.walk(&level, &rust, &c, out);
            }
        }
    }
}

fn fields(fields: &Fields) -> Members {
    let named = fields
        .iter()
        .filter_map(|f| Some((f.ident.as_ref()?, &f.ty)));
    named
        .map(|(name, ty)| (name.to_string(), ty.clone()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn definitions(text: &str) -> Definitions {
        Definitions::of(&syn::parse_file(text).expect("Rust").items)
    }

    #[test]
    fn names_are_followed_to_the_end() {
        let all = definitions(
            "pub struct _MDL { pub Next: *mut _MDL } pub type PMDL = *mut _MDL;
             pub mod _MODE { pub type Type = ::core::ffi::c_int; }
             pub use self::_MODE::Type as MODE;
             pub type ULONG = ::core::ffi::c_ulong; pub type PCULONG = *const ULONG;
             pub type CALL = ::core::option::Option<unsafe extern \"C\" fn()>;
             pub type PCALL = *mut CALL; pub type PVOID = *mut ::core::ffi::c_void;",
        );
        let canonical = |name| all.canonical(name);
        assert_eq!(canonical("PMDL").as_deref(), Some("*mut MDL"));
        assert_eq!(canonical("MODE").as_deref(), Some("i32"));
        assert_eq!(canonical("PCULONG").as_deref(), Some("*const u32"));
        assert_eq!(canonical("PVOID").as_deref(), Some("*mut c_void"));
        assert_eq!(canonical("PCALL"), None);
        assert_eq!(canonical("_MODE"), None);
    }

    #[test]
    fn levels_without_a_name_are_no_part_of_the_path_in_c() {
        let all = definitions(
            "pub union _L { pub __bindgen_anon_1: _L__bindgen_ty_1, pub u: _L__bindgen_ty_2 }
             pub struct _L__bindgen_ty_1 { pub Low: u32, pub _bitfield_1: u8 }
             pub struct _L__bindgen_ty_2 { pub Low: u32 }
             pub type L = _L;",
        );
        let members = all.members("L").expect("a record");
        let members: Vec<_> = members
            .iter()
            .map(|(r, c)| (r.as_str(), c.as_str()))
            .collect();
        let expected = [
            ("__bindgen_anon_1.Low", "Low"),
            ("u", "u"),
            ("u.Low", "u.Low"),
        ];
        assert_eq!(members, expected);
    }
}
