//! What `ndis-sys` declares for one architecture, read from its sources.
//!
//! The sources are plain: the generated files, the hand-made imports, and among the macros the two
//! kinds that are no more than names for something (`place!`, `same!`). Conditional compilation is
//! decided here, so that what follows sees one architecture only.

use std::{collections::BTreeMap, path::Path};

use anyhow::{Context, Result, bail};
use syn::{
    Attribute, Expr, Fields, ForeignItem, Ident, Item, Lit, LitInt, Meta, Token, Type,
    parse::{Parse, ParseStream},
    punctuated::Punctuated,
};

use super::Arch;
use crate::workspace;

/// A type, as far as C needs to know it.
#[derive(Clone, Debug, PartialEq)]
pub enum Ty {
    Void,
    /// A type of the C language or of `stdint.h`.
    Plain(&'static str),
    Name(String),
    Pointer {
        constant: bool,
        to: Box<Ty>,
    },
    Array(Box<Ty>, u64),
    Function(Box<Signature>),
}

/// The parameters and the result of a function or a handler.
#[derive(Clone, Debug, PartialEq)]
pub struct Signature {
    pub convention: &'static str,
    pub parameters: Vec<(String, Ty)>,
    pub variadic: bool,
    pub result: Ty,
}

/// A structure or a union.
#[derive(Clone, Debug)]
pub struct Record {
    pub union: bool,
    pub align: Option<u64>,
    pub pack: Option<u64>,
    pub fields: Vec<(String, Ty)>,
    pub opaque: bool,
}

/// One bit-field: the member that stores it, where in it, and how wide.
#[derive(Clone, Debug)]
pub struct Bits {
    pub unit: String,
    pub offset: u64,
    pub width: u64,
    pub name: String,
}

#[derive(Clone, Debug)]
pub struct Constant {
    pub ty: Ty,
    /// The digits as the source has them, without a suffix.
    pub digits: String,
    /// Is it declared next to the enumeration that is its type?
    pub enumerator: bool,
}

#[derive(Clone, Debug)]
pub struct Function {
    pub image: String,
    pub signature: Signature,
}

/// A macro that names a place in a record.
#[derive(Clone, Debug)]
pub struct Place {
    pub record: String,
    pub ty: Ty,
    pub path: Vec<String>,
}

/// What the generator recorded of a record's layout: the size, the alignment, and the offset of
/// each member by its path.
#[derive(Clone, Debug)]
pub struct Layout {
    pub size: u64,
    pub align: u64,
    pub offsets: Vec<(String, u64)>,
}

/// Everything, by name, and the names of the types in the order of the sources.
#[derive(Default)]
pub struct Model {
    pub order: Vec<String>,
    pub records: BTreeMap<String, Record>,
    pub aliases: BTreeMap<String, Ty>,
    pub bits: BTreeMap<String, Vec<Bits>>,
    pub layouts: BTreeMap<String, Layout>,
    pub constants: BTreeMap<String, Constant>,
    pub constant_order: Vec<String>,
    pub functions: BTreeMap<String, Function>,
    pub function_order: Vec<String>,
    pub places: BTreeMap<String, Place>,
    /// Functions that are another function under a second name.
    pub same: BTreeMap<String, String>,
}

impl Model {
    /// Reads the crate in `folder` as it is for `arch`.
    pub fn read(folder: &Path, arch: Arch) -> Result<Self> {
        let mut model = Self::default();
        let native = format!("generated/{}.rs", arch.rust());
        let native_nt = format!("generated/nt/{}.rs", arch.rust());
        let mut files = vec![
            "generated/nt/common.rs",
            &native_nt,
            "generated/nt/layout.rs",
            "generated/common.rs",
            &native,
            "generated/constants.rs",
            "generated/functions.rs",
            "generated/layout.rs",
            "imports.rs",
            "nt.rs",
        ];
        if arch != Arch::X86 {
            files.extend(["generated/nt/layout_64.rs", "generated/layout_64.rs"]);
        }
        for name in files {
            let path = folder.join("src").join(name);
            model
                .take(
                    &path,
                    arch,
                    name != "generated/constants.rs" && name != "nt.rs",
                )
                .with_context(|| format!("in {}", path.display()))?;
        }
        for path in workspace::rust_files(&folder.join("src/macros"))? {
            model
                .take_macros(&path)
                .with_context(|| format!("in {}", path.display()))?;
        }
        Ok(model)
    }

    /// The tag of a record in C: `_NAME` where the headers have a typedef for that.
    pub fn tag<'a>(&'a self, record: &'a str) -> &'a str {
        let with_alias = self
            .aliases
            .get_key_value(&format!("_{record}"))
            .filter(|(_, ty)| matches!(ty, Ty::Name(name) if name == record));
        with_alias.map_or(record, |(alias, _)| alias)
    }

    /// Is this another name for the tag of a record?
    pub fn is_tag(&self, alias: &str) -> bool {
        alias
            .strip_prefix('_')
            .is_some_and(|record| self.records.contains_key(record) && self.tag(record) == alias)
    }

    /// Does the name stand for a function type (not a pointer to one)?
    pub fn is_function(&self, name: &str) -> bool {
        match self.aliases.get(name) {
            Some(Ty::Function(_)) => true,
            Some(Ty::Name(next)) => self.is_function(next),
            _ => false,
        }
    }

    /// The level that a field opens, if it is one that only its owner has.
    pub fn level<'t>(owner: &str, field: &str, ty: &'t Ty) -> Option<&'t str> {
        match ty {
            Ty::Name(name) if *name == format!("{owner}_{field}") => Some(name),
            Ty::Array(of, _) => Self::level(owner, field, of),
            _ => None,
        }
    }

    fn take(&mut self, path: &Path, arch: Arch, enumerators: bool) -> Result<()> {
        let file = syn::parse_file(&workspace::read(path)?)?;
        for item in file.items {
            match item {
                Item::Struct(item) if enabled(&item.attrs, arch)? => {
                    let Fields::Named(fields) = &item.fields else {
                        bail!("{} is no C structure", item.ident);
                    };
                    self.record(&item.ident, false, &item.attrs, &fields.named)?;
                }
                Item::Union(item) if enabled(&item.attrs, arch)? => {
                    self.record(&item.ident, true, &item.attrs, &item.fields.named)?;
                }
                Item::Type(item) if enabled(&item.attrs, arch)? => {
                    let name = item.ident.to_string();
                    self.aliases.insert(name.clone(), ty(&item.ty)?);
                    self.order.push(name);
                }
                Item::Const(item) if enabled(&item.attrs, arch)? => {
                    let name = item.ident.to_string();
                    let ty = ty(&item.ty)?;
                    let constant = Constant {
                        enumerator: enumerators && matches!(ty, Ty::Name(_)),
                        ty,
                        digits: digits(&item.expr).with_context(|| name.clone())?,
                    };
                    self.constants.insert(name.clone(), constant);
                    self.constant_order.push(name);
                }
                Item::ForeignMod(block) if enabled(&block.attrs, arch)? => {
                    let abi = block.abi.name.as_ref().map(syn::LitStr::value);
                    let image = image(&block.attrs, arch)?;
                    for item in block.items {
                        if let ForeignItem::Fn(function) = item
                            && enabled(&function.attrs, arch)?
                        {
                            self.function(&function, abi.as_deref(), &image)?;
                        }
                    }
                }
                Item::Macro(item) if item.mac.path.is_ident("bits") => {
                    let BitsOf { record, bits } = item.mac.parse_body()?;
                    self.bits.insert(record, bits);
                }
                Item::Macro(item) if item.mac.path.is_ident("layout") => {
                    let LayoutOf { record, layout } = item.mac.parse_body()?;
                    self.layouts.insert(record, layout);
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn record(
        &mut self,
        ident: &Ident,
        union: bool,
        attrs: &[Attribute],
        fields: &Punctuated<syn::Field, Token![,]>,
    ) -> Result<()> {
        let mut record = Record {
            union,
            align: None,
            pack: None,
            fields: Vec::new(),
            opaque: false,
        };
        for attr in attrs.iter().filter(|attr| attr.path().is_ident("repr")) {
            attr.parse_nested_meta(|meta| {
                if meta.path.is_ident("align") {
                    let number;
                    syn::parenthesized!(number in meta.input);
                    record.align = Some(number.parse::<LitInt>()?.base10_parse()?);
                } else if meta.path.is_ident("packed") {
                    let mut bytes = 1;
                    if meta.input.peek(syn::token::Paren) {
                        let number;
                        syn::parenthesized!(number in meta.input);
                        bytes = number.parse::<LitInt>()?.base10_parse()?;
                    }
                    record.pack = Some(bytes);
                }
                Ok(())
            })?;
        }
        for field in fields {
            let name = field
                .ident
                .as_ref()
                .context("a field without a name")?
                .to_string();
            record.fields.push((name, ty(&field.ty)?));
        }
        record.opaque = matches!(record.fields.as_slice(), [(name, _)] if name == "_opaque");
        self.order.push(ident.to_string());
        self.records.insert(ident.to_string(), record);
        Ok(())
    }

    fn function(
        &mut self,
        item: &syn::ForeignItemFn,
        abi: Option<&str>,
        image: &str,
    ) -> Result<()> {
        let mut parameters = Vec::new();
        for input in &item.sig.inputs {
            let syn::FnArg::Typed(input) = input else {
                bail!("a receiver");
            };
            let syn::Pat::Ident(name) = &*input.pat else {
                bail!("a pattern");
            };
            parameters.push((name.ident.to_string(), ty(&input.ty)?));
        }
        let name = item.sig.ident.to_string();
        let function = Function {
            image: image.to_owned(),
            signature: Signature {
                convention: convention(abi)?,
                parameters,
                variadic: item.sig.variadic.is_some(),
                result: result(&item.sig.output)?,
            },
        };
        self.functions.insert(name.clone(), function);
        self.function_order.push(name);
        Ok(())
    }

    fn take_macros(&mut self, path: &Path) -> Result<()> {
        for item in syn::parse_file(&workspace::read(path)?)?.items {
            let Item::Macro(item) = item else { continue };
            if item.mac.path.is_ident("place") {
                let Places(places) = item.mac.parse_body()?;
                self.places.extend(places);
            } else if item.mac.path.is_ident("same") {
                let Same(same) = item.mac.parse_body()?;
                self.same.extend(same);
            }
        }
        Ok(())
    }
}

/// Decides the `#[cfg]`s of an item.
fn enabled(attrs: &[Attribute], arch: Arch) -> Result<bool> {
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("cfg")) {
        if !holds(&attr.parse_args()?, arch)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Decides one condition, for a driver on Windows.
fn holds(meta: &Meta, arch: Arch) -> Result<bool> {
    let nested = |list: &syn::MetaList| {
        list.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated)
            .map_err(anyhow::Error::from)
    };
    let all = |list: &syn::MetaList| -> Result<Vec<bool>> {
        nested(list)?.iter().map(|meta| holds(meta, arch)).collect()
    };
    let word = meta.path().get_ident().map(Ident::to_string);
    Ok(match (word.as_deref(), meta) {
        (Some("all"), Meta::List(list)) => all(list)?.iter().all(|held| *held),
        (Some("any"), Meta::List(list)) => all(list)?.iter().any(|held| *held),
        (Some("not"), Meta::List(list)) => !all(list)?.iter().any(|held| *held),
        (Some("windows"), Meta::Path(_)) => true,
        (Some("feature"), Meta::NameValue(_)) => false,
        (Some("target_arch"), Meta::NameValue(pair)) => text(&pair.value)? == arch.rust(),
        _ => bail!("cannot decide a condition on {word:?}"),
    })
}

fn text(expr: &Expr) -> Result<String> {
    match expr {
        Expr::Lit(syn::ExprLit {
            lit: Lit::Str(text),
            ..
        }) => Ok(text.value()),
        _ => bail!("a string was expected"),
    }
}

/// The image that a block of functions is imported from.
fn image(attrs: &[Attribute], arch: Arch) -> Result<String> {
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("cfg_attr")) {
        let parts = attr.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated)?;
        let mut parts = parts.iter();
        let condition = parts.next().context("an empty cfg_attr")?;
        if !holds(condition, arch)? {
            continue;
        }
        for part in parts {
            let Meta::List(list) = part else { continue };
            for pair in
                list.parse_args_with(Punctuated::<syn::MetaNameValue, Token![,]>::parse_terminated)?
            {
                if pair.path.is_ident("name") {
                    return text(&pair.value);
                }
            }
        }
    }
    bail!("a block of functions without an image to import them from")
}

/// The macro of the header that stands for an ABI.
fn convention(abi: Option<&str>) -> Result<&'static str> {
    Ok(match abi {
        Some("system") => "NTAPI",
        Some("C") => "CONDIS_CDECL",
        Some("fastcall") => "FASTCALL",
        other => bail!("no C name for the ABI {other:?}"),
    })
}

fn result(output: &syn::ReturnType) -> Result<Ty> {
    match output {
        syn::ReturnType::Default => Ok(Ty::Void),
        syn::ReturnType::Type(_, result) => ty(result),
    }
}

fn ty(from: &Type) -> Result<Ty> {
    Ok(match from {
        Type::Ptr(pointer) => Ty::Pointer {
            constant: pointer.const_token.is_some(),
            to: Box::new(ty(&pointer.elem)?),
        },
        Type::Array(array) => {
            let Expr::Lit(syn::ExprLit {
                lit: Lit::Int(count),
                ..
            }) = &array.len
            else {
                bail!("an array whose length is no number");
            };
            Ty::Array(Box::new(ty(&array.elem)?), count.base10_parse()?)
        }
        Type::BareFn(function) => {
            let mut parameters = Vec::new();
            for (number, input) in function.inputs.iter().enumerate() {
                let name = match &input.name {
                    Some((name, _)) => name.to_string(),
                    None => format!("Argument{}", number + 1),
                };
                parameters.push((name, ty(&input.ty)?));
            }
            let abi = function.abi.as_ref().and_then(|abi| abi.name.as_ref());
            Ty::Function(Box::new(Signature {
                convention: convention(abi.map(syn::LitStr::value).as_deref())?,
                parameters,
                variadic: function.variadic.is_some(),
                result: result(&function.output)?,
            }))
        }
        Type::Path(path) => {
            let last = path.path.segments.last().context("an empty path")?;
            match last.ident.to_string().as_str() {
                "Option" => {
                    let syn::PathArguments::AngleBracketed(of) = &last.arguments else {
                        bail!("an Option of nothing");
                    };
                    let Some(syn::GenericArgument::Type(of)) = of.args.first() else {
                        bail!("an Option of no type");
                    };
                    Ty::Pointer {
                        constant: false,
                        to: Box::new(ty(of)?),
                    }
                }
                "c_void" => Ty::Void,
                // Wherever the headers say `char`, and nowhere else, the crate has this one.
                "i8" => Ty::Plain("char"),
                "u8" => Ty::Plain("uint8_t"),
                "i16" => Ty::Plain("int16_t"),
                "u16" => Ty::Plain("uint16_t"),
                "i32" => Ty::Plain("int32_t"),
                "u32" => Ty::Plain("uint32_t"),
                "i64" => Ty::Plain("int64_t"),
                "u64" => Ty::Plain("uint64_t"),
                "isize" => Ty::Plain("intptr_t"),
                "usize" => Ty::Plain("uintptr_t"),
                name => Ty::Name(name.to_owned()),
            }
        }
        Type::Never(_) => Ty::Void,
        _ => bail!("a type that C does not have"),
    })
}

/// The digits of a constant, with its sign.
fn digits(expr: &Expr) -> Result<String> {
    Ok(match expr {
        Expr::Lit(syn::ExprLit {
            lit: Lit::Int(number),
            ..
        }) => number
            .to_string()
            .trim_end_matches(number.suffix())
            .trim_end_matches('_')
            .to_owned(),
        Expr::Unary(syn::ExprUnary {
            op: syn::UnOp::Neg(_),
            expr,
            ..
        }) => format!("-{}", digits(expr)?),
        Expr::Cast(cast) => digits(&cast.expr)?,
        _ => bail!("a constant that is no number"),
    })
}

/// The body of `bits!`.
struct BitsOf {
    record: String,
    bits: Vec<Bits>,
}

impl Parse for BitsOf {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let record = input.parse::<Ident>()?.to_string();
        input.parse::<Token![:]>()?;
        let mut bits = Vec::new();
        while !input.is_empty() {
            let unit = input.parse::<Ident>()?.to_string();
            let offset = input.parse::<LitInt>()?.base10_parse()?;
            let width = input.parse::<LitInt>()?.base10_parse()?;
            input.parse::<Token![:]>()?;
            let name = input.parse::<Ident>()?.to_string();
            input.parse::<Ident>()?;
            input.parse::<Type>()?;
            input.parse::<Token![;]>()?;
            bits.push(Bits {
                unit,
                offset,
                width,
                name,
            });
        }
        Ok(Self { record, bits })
    }
}

/// The body of `layout!`.
struct LayoutOf {
    record: String,
    layout: Layout,
}

impl Parse for LayoutOf {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let record = input.parse::<Ident>()?.to_string();
        input.parse::<Token![:]>()?;
        let size = input.parse::<LitInt>()?.base10_parse()?;
        let align = input.parse::<LitInt>()?.base10_parse()?;
        let mut offsets = Vec::new();
        while !input.is_empty() {
            input.parse::<Token![,]>()?;
            let path = Punctuated::<Ident, Token![.]>::parse_separated_nonempty(input)?;
            let path: Vec<_> = path.iter().map(Ident::to_string).collect();
            offsets.push((path.join("."), input.parse::<LitInt>()?.base10_parse()?));
        }
        Ok(Self {
            record,
            layout: Layout {
                size,
                align,
                offsets,
            },
        })
    }
}

/// The body of `place!`.
struct Places(Vec<(String, Place)>);

impl Parse for Places {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut places = Vec::new();
        while !input.is_empty() {
            input.call(Attribute::parse_outer)?;
            let name = input.parse::<Ident>()?.to_string();
            let record;
            syn::parenthesized!(record in input);
            let record = record.parse::<Ident>()?.to_string();
            input.parse::<Token![->]>()?;
            let of: Type = input.parse()?;
            let of = ty(&of).map_err(|error| input.error(error))?;
            input.parse::<Token![,]>()?;
            let path = Punctuated::<Ident, Token![.]>::parse_separated_nonempty(input)?;
            input.parse::<Token![;]>()?;
            let path = path.iter().map(Ident::to_string).collect();
            places.push((
                name,
                Place {
                    record,
                    ty: of,
                    path,
                },
            ));
        }
        Ok(Self(places))
    }
}

/// The body of `same!`.
struct Same(Vec<(String, String)>);

impl Parse for Same {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut same = Vec::new();
        while !input.is_empty() {
            input.call(Attribute::parse_outer)?;
            let name = input.parse::<Ident>()?.to_string();
            input.parse::<Token![=]>()?;
            let target = input.parse::<Ident>()?.to_string();
            let arguments;
            syn::parenthesized!(arguments in input);
            arguments.parse::<proc_macro2::TokenStream>()?;
            input.parse::<syn::ReturnType>()?;
            input.parse::<Token![;]>()?;
            same.push((name, target));
        }
        Ok(Self(same))
    }
}
