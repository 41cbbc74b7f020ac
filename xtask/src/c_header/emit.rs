//! Writes the closure as C11.
//!
//! What C and Rust say differently: levels that C leaves unnamed are unnamed again (`nbl->Next`,
//! not `nbl->u.s.Next`), a handler type is a function type again, so that a driver can declare its
//! handlers with it, and enumerators are enumerators. Bit-fields stay what they are in Rust, bytes
//! with numbered bits, because compilers do not agree where a bit-field lies.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use anyhow::{Context, Result};

use super::{
    Arch,
    closure::Closure,
    facts::{Facts, join, unnamed},
    model::{Constant, Model, Record, Signature, Ty},
};

/// Lines longer than this get a line for each parameter.
const WIDTH: usize = 100;

/// The helpers that the headers have as inline functions; ours, and C already.
const HELPERS: &str = include_str!("../../data/c-header-helpers.h");

pub struct Emitter<'a> {
    model: &'a Model,
    closure: &'a Closure,
    facts: &'a Facts,
    out: String,
    /// Names that can be used now.
    named: BTreeSet<String>,
    /// Records whose members are known now.
    complete: BTreeSet<String>,
    /// Enumerators by their type.
    enumerators: BTreeMap<&'a str, Vec<&'a str>>,
    /// Levels of records that are written inside their record.
    inner: BTreeSet<String>,
}

impl<'a> Emitter<'a> {
    pub fn new(model: &'a Model, closure: &'a Closure, facts: &'a Facts) -> Self {
        let mut enumerators: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for name in &model.constant_order {
            if let Some(Constant {
                enumerator: true,
                ty: Ty::Name(of),
                ..
            }) = model.constants.get(name)
            {
                enumerators.entry(of).or_default().push(name);
            }
        }
        let mut inner = BTreeSet::new();
        for (owner, record) in &model.records {
            for (field, ty) in &record.fields {
                if let Some(level) = Model::level(owner, field, ty) {
                    inner.insert(level.to_owned());
                }
            }
        }
        Self {
            model,
            closure,
            facts,
            out: String::new(),
            named: BTreeSet::new(),
            complete: BTreeSet::new(),
            enumerators,
            inner,
        }
    }

    /// The records that the header defines under a name of their own.
    pub fn records(&self) -> impl Iterator<Item = &'a str> {
        let (model, closure) = (self.model, self.closure);
        let inner = self.inner.clone();
        model
            .order
            .iter()
            .filter(move |name| {
                model.records.contains_key(*name)
                    && closure.types.contains(*name)
                    && !closure.opaque.contains(*name)
                    && !inner.contains(*name)
            })
            .map(String::as_str)
    }

    pub fn header(mut self, arch: Arch) -> Result<String> {
        self.out += &prelude(arch);
        self.forward();
        self.out += "\n/* Types. */\n\n";
        for name in &self.model.order {
            if self.closure.types.contains(name) && !self.inner.contains(name) {
                self.visit(name, true)?;
            }
        }
        self.constants();
        self.functions();
        self.places();
        self.out += "\n";
        self.out += HELPERS;
        self.out += "\n#endif /* CONDIS_H */\n";
        Ok(self.out)
    }

    fn forward(&mut self) {
        self.out +=
            "\n/* Every record by name; those that are not defined below are NDIS's own. */\n\n";
        for name in &self.model.order {
            let Some(record) = self.model.records.get(name) else {
                continue;
            };
            if self.closure.types.contains(name) && !self.inner.contains(name) {
                let kind = kind(record);
                let tag = self.model.tag(name);
                let _ = writeln!(self.out, "typedef {kind} {tag} {name};");
                self.named.insert(name.clone());
            }
        }
    }

    /// Writes what `name` needs, and then `name`; its members too if it has to be complete.
    fn visit(&mut self, name: &str, complete: bool) -> Result<()> {
        if let Some(ty) = self.model.aliases.get(name) {
            if self.model.is_tag(name) {
                return Ok(());
            }
            if self.named.insert(name.to_owned()) {
                self.visit_type(ty, false)?;
                let typedef = match ty {
                    Ty::Function(signature) => {
                        self.prototype(signature, |convention| format!("({convention} {name})"))
                    }
                    ty => self.declare(ty, name),
                };
                let _ = writeln!(self.out, "typedef {typedef};");
                if let Some(members) = self.enumerators.get(name) {
                    self.out += "enum {\n";
                    for member in members {
                        let constant = &self.model.constants[*member];
                        let _ = writeln!(self.out, "    {member} = {},", constant.digits);
                    }
                    self.out += "};\n";
                }
            }
            if complete && !matches!(ty, Ty::Function(_)) {
                self.visit_type(ty, true)?;
            }
            return Ok(());
        }
        let record = (self.model.records.get(name)).with_context(|| format!("no type {name}"))?;
        if !complete || self.closure.opaque.contains(name) || self.complete.contains(name) {
            return Ok(());
        }
        self.complete.insert(name.to_owned());
        for (_, ty) in &record.fields {
            self.visit_type(ty, true)?;
        }
        if self.inner.contains(name) {
            return Ok(());
        }
        let tag = self.model.tag(name);
        let unnamed = unnamed(self.facts, self.model, name);
        if let Some(bytes) = record.pack {
            let _ = writeln!(self.out, "#pragma pack(push, {bytes})");
        }
        let mut numbers = Vec::new();
        let head = head(record, &format!(" {tag}"));
        let body = self.members(name, record, "", &unnamed, 1, &mut numbers)?;
        let _ = writeln!(self.out, "{head} {{\n{body}}};");
        if record.pack.is_some() {
            self.out += "#pragma pack(pop)\n";
        }
        for line in numbers {
            self.out += &line;
        }
        Ok(())
    }

    fn visit_type(&mut self, ty: &Ty, complete: bool) -> Result<()> {
        match ty {
            Ty::Void | Ty::Plain(_) => Ok(()),
            Ty::Name(name) => self.visit(name, complete),
            Ty::Pointer { to, .. } => self.visit_type(to, false),
            Ty::Array(of, _) => self.visit_type(of, complete),
            Ty::Function(signature) => {
                self.visit_type(&signature.result, false)?;
                for (_, ty) in &signature.parameters {
                    self.visit_type(ty, false)?;
                }
                Ok(())
            }
        }
    }

    /// The members of a record; `path` leads to this level of it.
    fn members(
        &self,
        owner: &str,
        record: &Record,
        path: &str,
        unnamed: &BTreeSet<String>,
        depth: usize,
        numbers: &mut Vec<String>,
    ) -> Result<String> {
        let indent = "    ".repeat(depth);
        let mut out = String::new();
        let mut align = None;
        for (field, ty) in &record.fields {
            let here = join(path, field);
            if let ("_align", Ty::Array(of, 0)) = (field.as_str(), ty) {
                align = Some(self.width(of)?);
                continue;
            }
            let align = align
                .take()
                .map(|bytes| format!("CONDIS_ALIGN({bytes}) "))
                .unwrap_or_default();
            let level = Model::level(owner, field, ty);
            let nameless = unnamed.contains(&here);
            let inlined = match ty {
                Ty::Name(name) if nameless && level.is_none() => Some(name.as_str()),
                _ => level,
            };
            let Some(inlined) = inlined else {
                let stored = bits_in(self.model, owner, field);
                let member = self.declare(ty, stored.as_deref().unwrap_or(c_name(field)));
                let _ = writeln!(out, "{indent}{align}{member};");
                continue;
            };
            let inner = &self.model.records[inlined];
            let body = self.members(inlined, inner, &here, unnamed, depth + 1, numbers)?;
            let name = match ty {
                _ if nameless => String::new(),
                Ty::Array(_, count) => format!(" {}[{count}]", c_name(field)),
                _ => format!(" {}", c_name(field)),
            };
            let head = head(inner, "");
            let pack = inner.pack.filter(|_| record.pack != inner.pack);
            if let Some(bytes) = pack {
                let _ = writeln!(out, "#pragma pack(push, {bytes})");
            }
            let _ = writeln!(out, "{indent}{align}{head} {{\n{body}{indent}}}{name};");
            if pack.is_some() {
                out += "#pragma pack(pop)\n";
            }
        }
        for bits in self.model.bits.get(owner).into_iter().flatten() {
            numbers.push(format!(
                "#define {owner}_{0}_BIT {1}u\n#define {owner}_{0}_WIDTH {2}u\n",
                bits.name, bits.offset, bits.width
            ));
        }
        Ok(out)
    }

    fn width(&self, ty: &Ty) -> Result<u64> {
        Ok(match ty {
            Ty::Plain("char" | "uint8_t") => 1,
            Ty::Plain("int16_t" | "uint16_t") => 2,
            Ty::Plain("int32_t" | "uint32_t") => 4,
            Ty::Plain("int64_t" | "uint64_t") => 8,
            other => anyhow::bail!("no width known of {other:?}"),
        })
    }

    /// `name` declared as a member or a parameter of the type.
    fn declare(&self, ty: &Ty, name: &str) -> String {
        match ty {
            Ty::Void => format!("void {name}").trim_end().to_owned(),
            Ty::Plain(plain) => format!("{plain} {name}").trim_end().to_owned(),
            Ty::Name(of) => format!("{of} {name}").trim_end().to_owned(),
            Ty::Array(of, 0) => self.declare(of, &format!("{name}[]")),
            Ty::Array(of, count) => self.declare(of, &format!("{name}[{count}]")),
            Ty::Function(signature) => {
                self.prototype(signature, |convention| format!("({convention} *{name})"))
            }
            Ty::Pointer { constant, to } => match &**to {
                Ty::Function(_) => self.declare(to, name),
                Ty::Array(..) => self.declare(to, &format!("(*{name})")),
                Ty::Pointer { .. } if *constant => self.declare(to, &format!("const *{name}")),
                _ if *constant => format!("const {}", self.declare(to, &format!("*{name}"))),
                _ => self.declare(to, &format!("*{name}")),
            },
        }
    }

    /// A declaration with parameters; `name` gets the calling convention.
    fn prototype(&self, signature: &Signature, name: impl Fn(&str) -> String) -> String {
        let mut parameters: Vec<String> = (signature.parameters.iter())
            .map(|(parameter, ty)| match ty {
                // A handler as a parameter is a pointer to one.
                Ty::Name(of) if self.model.is_function(of) => {
                    format!("{of} *{}", c_name(parameter))
                }
                ty => self.declare(ty, c_name(parameter)),
            })
            .collect();
        if signature.variadic {
            parameters.push("...".to_owned());
        }
        if parameters.is_empty() {
            parameters.push("void".to_owned());
        }
        let name = name(signature.convention);
        let short = format!("{name}({})", parameters.join(", "));
        let line = self.declare(&signature.result, &short);
        if line.len() <= WIDTH - 20 {
            return line;
        }
        let long = format!("{name}(\n    {})", parameters.join(",\n    "));
        self.declare(&signature.result, &long)
    }

    fn constants(&mut self) {
        self.out += "\n/* Constants. */\n\n";
        for name in &self.model.constant_order {
            let constant = &self.model.constants[name];
            if !self.closure.constants.contains(name) || constant.enumerator {
                continue;
            }
            let digits = &constant.digits;
            let value = match &constant.ty {
                Ty::Plain("int32_t") if digits.starts_with('-') => format!("({digits})"),
                Ty::Plain("int32_t") if fits_int(digits) => digits.clone(),
                Ty::Plain("uint32_t") => format!("{digits}u"),
                ty => {
                    let ty = self.declare(ty, "");
                    let suffix = if digits.starts_with('-') { "ll" } else { "ull" };
                    let suffix = if fits_int(digits) { "" } else { suffix };
                    format!("(({ty}){digits}{suffix})")
                }
            };
            let _ = writeln!(self.out, "#define {name} {value}");
        }
    }

    fn functions(&mut self) {
        let mut image = "";
        for name in &self.model.function_order {
            if !self.closure.functions.contains(name) {
                continue;
            }
            let function = &self.model.functions[name];
            if function.image != image {
                image = &function.image;
                let _ = writeln!(self.out, "\n/* Functions of {image}. */\n");
            }
            let prototype = self.prototype(&function.signature, |convention| {
                format!("{convention} {name}")
            });
            let _ = writeln!(self.out, "CONDIS_IMPORT {prototype};");
        }
        if !self.closure.same.is_empty() {
            self.out +=
                "\n/* The same functions under the names that a miniport call manager uses. */\n\n";
        }
        for name in &self.closure.same {
            let _ = writeln!(self.out, "#define {name} {}", self.model.same[name]);
        }
    }

    fn places(&mut self) {
        self.out +=
            "\n/* Places in records; they can stand on either side of an assignment. */\n\n";
        for name in &self.closure.places {
            let place = &self.model.places[name];
            let unnamed = unnamed(self.facts, self.model, &place.record);
            let path = in_c(&place.path.join("."), &unnamed);
            let pointer = Ty::Pointer {
                constant: false,
                to: Box::new(place.ty.clone()),
            };
            let pointer = self.declare(&pointer, "");
            let _ = writeln!(self.out, "#define {name}(of) (*({pointer})&(of)->{path})");
        }
    }
}

fn kind(record: &Record) -> &'static str {
    if record.union { "union" } else { "struct" }
}

/// `struct CONDIS_ALIGN(16) _NAME`
fn head(record: &Record, tag: &str) -> String {
    let align = record
        .align
        .map(|bytes| format!(" CONDIS_ALIGN({bytes})"))
        .unwrap_or_default();
    format!("{}{align}{tag}", kind(record))
}

/// The name of a member that stores bit-fields, after the first of them: it must be the only one
/// of that name among all levels that have none.
pub fn bits_in(model: &Model, owner: &str, unit: &str) -> Option<String> {
    let mut bits = model.bits.get(owner)?.iter();
    let first = bits.find(|bits| bits.unit == unit)?;
    Some(format!("{}_bits", first.name))
}

/// A path of the crate as C has it.
pub fn in_c(path: &str, unnamed: &BTreeSet<String>) -> String {
    let mut here = String::new();
    let mut named = Vec::new();
    for field in path.split('.') {
        here = join(&here, field);
        if !unnamed.contains(&here) {
            named.push(c_name(field));
        }
    }
    named.join(".")
}

/// The name that a member or a parameter has in C: Rust's keywords carry a mark in Rust.
fn c_name(rust: &str) -> &str {
    let rust = rust.strip_prefix("r#").unwrap_or(rust);
    match rust.strip_suffix('_') {
        Some(word @ ("type" | "self" | "match" | "ref" | "move" | "mod")) => word,
        _ => rust,
    }
}

/// Is the number an `int` as it stands?
fn fits_int(digits: &str) -> bool {
    let (digits, radix) = match digits.strip_prefix("0x") {
        Some(digits) => (digits, 16),
        None => (digits, 10),
    };
    i32::from_str_radix(&digits.replace('_', ""), radix).is_ok()
}

/// The beginning of the header.
fn prelude(arch: Arch) -> String {
    let name = arch.name();
    let test = super::test(arch);
    format!(
        "\
/*
 * Connection-oriented NDIS for C, {name}: names and layouts, generated from the Rust crate
 * ndis-sys by `cargo xtask c-header --arch {name}`. Do not edit.
 *
 * It needs nothing of a WDK. The names are Microsoft's, so a driver that keeps to them compiles
 * with ndis.h as well.
 */
#ifndef CONDIS_H
#define CONDIS_H

#include <stddef.h>
#include <stdint.h>

#if !({test})
#error \"this condis.h is the one for {name}\"
#endif

/* On Windows the functions are imported; elsewhere whoever links the program provides them. */
#ifdef _WIN32
#define CONDIS_IMPORT __declspec(dllimport)
#else
#define CONDIS_IMPORT
#endif

#if defined(_WIN32) && defined(_M_IX86)
#define NTAPI __stdcall
#define FASTCALL __fastcall
#define CONDIS_CDECL __cdecl
#else
#define NTAPI
#define FASTCALL
#define CONDIS_CDECL
#endif

#ifdef __GNUC__
#define CONDIS_ALIGN(bytes) __attribute__((aligned(bytes)))
#else
#define CONDIS_ALIGN(bytes) __declspec(align(bytes))
#endif
"
    )
}
