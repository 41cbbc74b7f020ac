//! Turns what bindgen wrote for one architecture into the crate's items.
//!
//! bindgen gets layouts right (in C++ mode), and names and types wrong for our
//! purpose. Here tags give way to the typedef's name, unnamed members get
//! stable names, C's integer types become fixed-width ones, function typedefs
//! become plain function types, bit-fields become a few `const fn` lines, and
//! everything that bindgen guessed about macros is dropped, since `probe.rs`
//! asks clang instead.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail};
use quote::{ToTokens, format_ident, quote};
use syn::visit_mut::{self, VisitMut};
use syn::{Fields, ForeignItem, ImplItem, Item, Type};

use super::{
    names::{c_field, new_names, unname_cpp_only},
    types::{plain_integer, words},
};

/// What an item is, which decides where it is written and how it is compared.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Kind {
    Record,
    Alias,
    Enumerator,
    Bits,
    Function,
}

/// One item of the crate, as text.
#[derive(Clone, Debug)]
pub struct Out {
    pub kind: Kind,
    pub name: String,
    pub text: String,
}

/// One level of a record: what the layout assertions walk.
#[derive(Clone, Debug)]
pub struct Record {
    /// The C tag, or the typedef's name where there is no tag; `None` for
    /// levels that C does not name.
    pub c_name: Option<String>,
    pub opaque: bool,
    /// Whether it is `Copy`.
    pub copy: bool,
    /// Rust name, C name (`None` for an unnamed level), and the record that
    /// the field embeds when C does not name that record.
    pub fields: Vec<Field>,
}

#[derive(Clone, Debug)]
pub struct Field {
    pub rust: String,
    pub c: Option<String>,
    pub inline: Option<String>,
}

#[derive(Default)]
pub struct Tidied {
    pub items: Vec<Out>,
    pub records: BTreeMap<String, Record>,
}

/// Types that have an identity: a copy is not the thing.
const NOT_COPY: &[&str] = &[
    "NET_BUFFER_LIST",
    "NET_BUFFER",
    "MDL",
    "NDIS_SPIN_LOCK",
    "NDIS_RW_LOCK",
    "NDIS_EVENT",
    "NDIS_TIMER",
    "NDIS_MINIPORT_TIMER",
    "NDIS_WORK_ITEM",
    "KEVENT",
    "KTIMER",
    "KDPC",
    "KSEMAPHORE",
    "KMUTANT",
    "KGATE",
    "KQUEUE",
    "ERESOURCE",
    "FAST_MUTEX",
    "KDEVICE_QUEUE",
    "NPAGED_LOOKASIDE_LIST",
    "PAGED_LOOKASIDE_LIST",
    "LOOKASIDE_LIST_EX",
    "DRIVER_OBJECT",
    "DEVICE_OBJECT",
    "IRP",
];

/// The names of all typedefs that bindgen shows as a nullable function, and of
/// the typedefs of those.
pub fn function_aliases(file: &syn::File) -> Vec<String> {
    let mut names = Vec::new();
    let mut known = BTreeSet::new();
    for item in &file.items {
        if let Item::Type(t) = item
            && (is_option(&t.ty) || known.contains(&t.ty.to_token_stream().to_string()))
            && known.insert(t.ident.to_string())
        {
            names.push(t.ident.to_string());
        }
    }
    names
}

fn is_option(ty: &Type) -> bool {
    matches!(ty, Type::Path(p) if p.path.segments.last().is_some_and(|s| s.ident == "Option"))
}

/// `functions`: those of [`function_aliases`] that are function types in C,
/// not pointers to functions.
/// `nested`: those of `nested_candidates` that are.
pub fn tidy(
    mut file: syn::File,
    functions: &BTreeSet<String>,
    nested: &BTreeMap<String, String>,
) -> Result<Tidied> {
    file.items.retain(|item| !is_helper(item));
    for item in &mut file.items {
        if let Item::Use(u) = item {
            *item = alias_of(u)?;
        }
    }
    unname_cpp_only(&mut file)?;
    let names = new_names(&file, nested)?;
    let mut rename = Rewrite {
        names: &names,
        functions,
    };
    for item in &mut file.items {
        rename.visit_item_mut(item);
    }
    let not_copy = not_copy(&file);
    let mut out = Tidied::default();
    let mut seen = BTreeSet::new();
    let old_names: BTreeMap<&String, &String> = names.iter().map(|(o, n)| (n, o)).collect();
    for item in file.items {
        match item {
            Item::Struct(mut s) => {
                let name = s.ident.to_string();
                let unit = s.fields.iter().any(|f| {
                    f.ident
                        .as_ref()
                        .is_some_and(|i| i == "_unused" || i == "_address")
                });
                s.attrs = record_attrs(&s.attrs);
                if unit {
                    s.fields = Fields::Named(syn::parse_quote!({ _opaque: [u8; 0] }));
                }
                let mut record = record_of(&name, &mut s.fields, unit, &old_names, nested);
                record.copy = !unit && !not_copy.contains(&name);
                out.records.insert(name.clone(), record);
                out.push(Kind::Record, &name, &s);
                out.tag_alias(&name, &old_names);
            }
            Item::Union(mut u) => {
                let name = u.ident.to_string();
                u.attrs = record_attrs(&u.attrs);
                for f in &mut u.fields.named {
                    if embeds(&f.ty, &not_copy) {
                        let ty = &f.ty;
                        f.ty = syn::parse_quote!(core::mem::ManuallyDrop<#ty>);
                    }
                }
                let mut fields = Fields::Named(u.fields);
                let mut record = record_of(&name, &mut fields, false, &old_names, nested);
                record.copy = !not_copy.contains(&name);
                let Fields::Named(named) = fields else {
                    bail!("{name} lost its fields")
                };
                u.fields = named;
                out.records.insert(name.clone(), record);
                out.push(Kind::Record, &name, &u);
                out.tag_alias(&name, &old_names);
            }
            Item::Type(mut t) => {
                let name = t.ident.to_string();
                t.attrs.clear();
                if name.starts_with("_bindgen_ty_") || t.ty.to_token_stream().to_string() == name {
                    continue;
                }
                // As wide as a pointer, whatever C calls it.
                match name.as_str() {
                    "ULONG_PTR" | "UINT_PTR" => *t.ty = syn::parse_quote!(usize),
                    "LONG_PTR" | "INT_PTR" => *t.ty = syn::parse_quote!(isize),
                    _ => {}
                }
                if functions.contains(&name) {
                    t.ty = option_inner(&t.ty).with_context(|| format!("{name} is no function"))?;
                }
                if seen.insert(name.clone()) {
                    out.push(Kind::Alias, &name, &t);
                    out.tag_alias(&name, &old_names);
                }
            }
            Item::Const(mut c) => {
                // Macros come from clang itself; here only enumerators stay.
                let ty = c.ty.to_token_stream().to_string();
                if is_macro_type(&ty) {
                    continue;
                }
                if ty.starts_with("_bindgen_ty_") {
                    *c.ty = syn::parse_quote!(i32);
                }
                c.attrs.clear();
                out.push(Kind::Enumerator, &c.ident.to_string(), &c);
            }
            Item::Impl(i) => {
                let name = i.self_ty.to_token_stream().to_string();
                if i.trait_.is_some() {
                    bail!("unexpected trait implementation for {name}");
                }
                if let Some(text) = bits_of(&name, &i)? {
                    out.items.push(Out {
                        kind: Kind::Bits,
                        name,
                        text,
                    });
                }
            }
            Item::ForeignMod(m) => {
                for f in m.items {
                    if let ForeignItem::Fn(mut f) = f {
                        f.attrs.clear();
                        let name = f.sig.ident.to_string();
                        if seen.insert(name.clone()) {
                            out.push(Kind::Function, &name, &f);
                        }
                    }
                }
            }
            other => bail!("unexpected item: {}", other.to_token_stream()),
        }
    }
    Ok(out)
}

impl Tidied {
    fn push(&mut self, kind: Kind, name: &str, item: &impl ToTokens) {
        self.items.push(Out {
            kind,
            name: name.into(),
            text: item.to_token_stream().to_string(),
        });
    }

    /// C knows a renamed type by its tag too.
    fn tag_alias(&mut self, name: &str, old: &BTreeMap<&String, &String>) {
        if let Some(tag) = old.get(&name.to_string())
            && !tag.contains("__bindgen")
            && tag.trim_start_matches('_') == name
        {
            let (tag, name) = (format_ident!("{tag}"), format_ident!("{name}"));
            self.push(
                Kind::Alias,
                &tag.to_string(),
                &quote!(pub type #tag = #name;),
            );
        }
    }
}

/// bindgen names an enumeration's typedef by `pub use self::_TAG as NAME;`.
fn alias_of(item: &syn::ItemUse) -> Result<Item> {
    let text = item.to_token_stream().to_string();
    let words: Vec<&str> = text.trim_end_matches(';').split_whitespace().collect();
    match words.as_slice() {
        ["pub", "use", "self", "::", tag, "as", name] => {
            let (tag, name) = (format_ident!("{tag}"), format_ident!("{name}"));
            Ok(syn::parse_quote!(pub type #name = #tag;))
        }
        _ => bail!("unexpected import: {text}"),
    }
}

/// Whether the item is of a type that bindgen itself needs.
pub fn is_helper(item: &Item) -> bool {
    let text = |t: &dyn Fn() -> String| {
        let s = t();
        s.starts_with("__Bindgen") || s.starts_with("__IncompleteArrayField")
    };
    match item {
        Item::Struct(s) => text(&|| s.ident.to_string()),
        Item::Impl(i) => text(&|| i.self_ty.to_token_stream().to_string()),
        _ => false,
    }
}

fn is_macro_type(ty: &str) -> bool {
    matches!(
        ty,
        "u8" | "i8" | "u16" | "i16" | "u32" | "i32" | "u64" | "i64" | "f64" | "bool"
    ) || ty.starts_with('&')
}

struct Rewrite<'a> {
    names: &'a BTreeMap<String, String>,
    functions: &'a BTreeSet<String>,
}

impl VisitMut for Rewrite<'_> {
    fn visit_ident_mut(&mut self, ident: &mut syn::Ident) {
        if let Some(new) = self.names.get(&ident.to_string()) {
            *ident = format_ident!("{new}");
        }
    }

    fn visit_type_mut(&mut self, ty: &mut Type) {
        if let Type::Path(p) = ty {
            let last = p
                .path
                .segments
                .last()
                .map(|s| s.ident.to_string())
                .unwrap_or_default();
            let plain = plain_integer(&last);
            if let Some(plain) = plain {
                let plain = format_ident!("{plain}");
                *ty = syn::parse_quote!(#plain);
                return;
            }
            if last == "__IncompleteArrayField"
                && let Some(segment) = p.path.segments.last_mut()
                && let syn::PathArguments::AngleBracketed(args) = &mut segment.arguments
                && let Some(syn::GenericArgument::Type(inner)) = args.args.first_mut()
            {
                self.visit_type_mut(inner);
                let inner = inner.clone();
                *ty = syn::parse_quote!([#inner; 0]);
                return;
            }
            if last == "__BindgenBitfieldUnit"
                && let Some(segment) = p.path.segments.last_mut()
                && let syn::PathArguments::AngleBracketed(args) = &mut segment.arguments
                && let Some(syn::GenericArgument::Type(inner)) = args.args.first_mut()
            {
                self.visit_type_mut(inner);
                *ty = inner.clone();
                return;
            }
            if last == "Option" {
                p.path.leading_colon = None;
                p.path.segments = p.path.segments.last().cloned().into_iter().collect();
            } else if self.functions.contains(&last) {
                *ty = syn::parse_quote!(Option<#ty>);
                return;
            }
        }
        visit_mut::visit_type_mut(self, ty);
    }

    fn visit_item_type_mut(&mut self, t: &mut syn::ItemType) {
        visit_mut::visit_item_type_mut(self, t);
    }

    fn visit_type_bare_fn_mut(&mut self, f: &mut syn::TypeBareFn) {
        let abi = if f.variadic.is_some() { "C" } else { "system" };
        f.abi = Some(syn::parse_quote!(extern #abi));
        visit_mut::visit_type_bare_fn_mut(self, f);
    }

    fn visit_lit_int_mut(&mut self, lit: &mut syn::LitInt) {
        if lit.suffix() == "usize" {
            *lit = syn::LitInt::new(lit.base10_digits(), lit.span());
        }
    }
}

fn option_inner(ty: &Type) -> Option<Box<Type>> {
    let Type::Path(p) = ty else { return None };
    let segment = p.path.segments.last()?;
    let syn::PathArguments::AngleBracketed(args) = &segment.arguments else {
        return None;
    };
    match args.args.first()? {
        syn::GenericArgument::Type(inner) => Some(Box::new(inner.clone())),
        _ => None,
    }
}

/// `NOT_COPY` and every record that embeds one of them.
fn not_copy(file: &syn::File) -> BTreeSet<String> {
    let mut set: BTreeSet<String> = NOT_COPY.iter().map(|s| s.to_string()).collect();
    loop {
        let before = set.len();
        for item in &file.items {
            let (ident, types): (_, Vec<&Type>) = match item {
                Item::Struct(s) => (&s.ident, s.fields.iter().map(|f| &f.ty).collect()),
                Item::Union(u) => (&u.ident, u.fields.named.iter().map(|f| &f.ty).collect()),
                Item::Type(t) => (&t.ident, vec![&*t.ty]),
                _ => continue,
            };
            if types.iter().any(|t| embeds(t, &set)) {
                set.insert(ident.to_string());
            }
        }
        if set.len() == before {
            return set;
        }
    }
}

/// Whether a value of the type holds one of the set's by value.
fn embeds(ty: &Type, set: &BTreeSet<String>) -> bool {
    match ty {
        Type::Path(p) => p
            .path
            .get_ident()
            .is_some_and(|i| set.contains(&i.to_string())),
        Type::Array(a) => embeds(&a.elem, set),
        _ => false,
    }
}

fn record_attrs(old: &[syn::Attribute]) -> Vec<syn::Attribute> {
    old.iter()
        .filter(|a| a.path().is_ident("repr"))
        .cloned()
        .collect()
}

fn record_of(
    name: &str,
    fields: &mut Fields,
    opaque: bool,
    old_names: &BTreeMap<&String, &String>,
    nested: &BTreeMap<String, String>,
) -> Record {
    let c_name = match old_names.get(&name.to_string()) {
        Some(old) if old.contains("__bindgen") => None,
        Some(old) if nested.contains_key(*old) => nested.get(*old).cloned(),
        Some(old) => Some((*old).clone()),
        None => Some(name.to_string()),
    };
    // The rewrite has renamed the types already; which of them are unions is
    // read off the original names of the levels.
    let mut record = Record {
        c_name,
        opaque,
        copy: false,
        fields: Vec::new(),
    };
    let unnamed: BTreeSet<&String> = old_names
        .iter()
        .filter(|(_, o)| o.contains("__bindgen"))
        .map(|(n, _)| *n)
        .collect();
    for field in fields.iter_mut() {
        let Some(ident) = &field.ident else { continue };
        let old = ident.to_string();
        let inline = words(&field.ty).into_iter().find(|w| unnamed.contains(w));
        let new = if old.starts_with("__bindgen_anon_") {
            // The level's type is called `Outer_field`.
            match &inline {
                Some(ty) => ty
                    .strip_prefix(&format!("{name}_"))
                    .unwrap_or(ty)
                    .to_string(),
                None => old.clone(),
            }
        } else if old == "_bindgen_align" {
            "_align".to_string()
        } else if let Some(n) = old.strip_prefix("_bitfield_align_") {
            format!("bits_align_{n}")
        } else if let Some(n) = old.strip_prefix("_bitfield_") {
            format!("bits_{n}")
        } else if let Some(n) = old.strip_prefix("__bindgen_padding_") {
            format!("_padding_{n}")
        } else {
            old.clone()
        };
        let hidden = old.starts_with("_bindgen")
            || old.starts_with("__bindgen")
            || old.starts_with("_bitfield")
            || opaque;
        if new != old {
            field.ident = Some(format_ident!("{new}"));
        }
        // By pointer is no part of this layout.
        let by_value = matches!(&field.ty, Type::Path(_));
        record.fields.push(Field {
            rust: new,
            c: (!hidden).then(|| c_field(record.c_name.as_deref(), &old)),
            inline: inline.filter(|_| by_value),
        });
    }
    record
}

/// One `bits!` line for each named bit-field of a record.
fn bits_of(name: &str, item: &syn::ItemImpl) -> Result<Option<String>> {
    let mut lines = String::new();
    for f in &item.items {
        let ImplItem::Fn(f) = f else { continue };
        let method = f.sig.ident.to_string();
        let syn::ReturnType::Type(_, ty) = &f.sig.output else {
            continue;
        };
        if method.ends_with("_raw") || method.starts_with("new_bitfield_") {
            continue;
        }
        let body = f.block.to_token_stream().to_string().replace(' ', "");
        let at = body
            .find("self._bitfield_")
            .with_context(|| format!("{name}::{method}: unknown accessor: {body}"))?;
        let rest = &body[at + "self._bitfield_".len()..];
        let (unit, rest) = rest
            .split_once(".get_const::<")
            .with_context(|| format!("{name}::{method}: {body}"))?;
        let (args, _) = rest
            .split_once('>')
            .with_context(|| format!("{name}::{method}: {body}"))?;
        let (offset, width) = args
            .split_once(',')
            .with_context(|| format!("{name}::{method}: {body}"))?;
        let offset = offset.trim_end_matches("usize");
        let width = width.trim_end_matches("u8");
        let ty = ty.to_token_stream();
        let set = format!("set_{}", method.trim_end_matches('_'));
        lines += &format!("    bits_{unit} {offset} {width}: {method} {set} {ty};\n");
    }
    Ok((!lines.is_empty()).then(|| format!("bits! {{ {name}:\n{lines}}}")))
}
