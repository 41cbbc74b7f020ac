//! Turns facts into a Rust program that compiles if and only if they hold.
//!
//! Every claim is a constant expression, so `cargo check` for a target decides
//! it, and no machine of that architecture is needed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::facts::{BitField, Constant, Facts, Prototype, Record};

/// How many facts the program claims, by kind.
pub type Counts = BTreeMap<&'static str, usize>;

pub struct Program {
    pub source: String,
    pub counts: Counts,
}

const HEAD: &str = r#"
#![no_std]
#![allow(unused, non_camel_case_types, clippy::all)]
use core::marker::PhantomData;
use core::mem::{MaybeUninit, align_of, size_of};

const fn record<T>(size: usize, align: usize) {
    assert!(size_of::<T>() == size, "size");
    assert!(align_of::<T>() == align, "alignment");
}

const fn field<R, F>(base: *const R, at: *const F, offset: isize, size: usize, align: usize) {
    let distance = unsafe { at.cast::<u8>().offset_from(base.cast::<u8>()) };
    assert!(distance == offset, "offset");
    assert!(size == usize::MAX || size_of::<F>() == size, "size of the field");
    assert!(align_of::<F>() == align, "alignment of the field");
}

#[repr(C, align(16))]
struct Bytes<const N: usize>([u8; N]);

const fn only<const N: usize>(bytes: &Bytes<N>, offset: usize, width: usize) {
    let mut bit = 0;
    while bit < N * 8 {
        let set = bytes.0[bit / 8] & (1 << (bit % 8)) != 0;
        assert!(set == (bit >= offset && bit < offset + width), "a bit");
        bit += 1;
    }
}

const fn typed<T>(size: usize) { assert!(size_of::<T>() == size, "size of the type"); }
const fn c_i32(is: i32, want: i32) { assert!(is == want, "value"); }
const fn c_u8(is: u8, want: u8) { assert!(is == want, "value"); }
const fn c_u16(is: u16, want: u16) { assert!(is == want, "value"); }
const fn c_u32(is: u32, want: u32) { assert!(is == want, "value"); }
const fn c_u64(is: u64, want: u64) { assert!(is == want, "value"); }
const fn c_usize(is: usize, want: usize) { assert!(is == want, "value"); }

const fn same<const N: usize>(is: [usize; N], want: [usize; N]) {
    let mut n = 0;
    while n < N { assert!(is[n] == want[n], "width of a parameter"); n += 1; }
}
"#;

/// The whole program for one architecture's facts.
pub fn of(facts: &Facts) -> Program {
    let mut out = String::from(HEAD);
    let mut counts = Counts::new();
    signatures(&mut out, facts);
    for record in &facts.records {
        layout(&mut out, record);
        *counts.entry("records").or_default() += 1;
        *counts.entry("fields").or_default() += record.fields.len();
        *counts.entry("bit-fields").or_default() += record.bits.len();
    }
    for tag in &facts.opaque {
        writeln!(out, "const _: Option<*const ndis_sys::{tag}> = None;").unwrap();
        *counts.entry("opaque records").or_default() += 1;
    }
    for (name, size) in &facts.enums {
        writeln!(out, "const _: () = typed::<ndis_sys::{name}>({size});").unwrap();
        *counts.entry("enumerations").or_default() += 1;
    }
    for (name, value) in &facts.enumerators {
        writeln!(out, "const _: () = c_i32(ndis_sys::{name}, {value});").unwrap();
        *counts.entry("enumerators").or_default() += 1;
    }
    for constant in &facts.constants {
        value(&mut out, facts, constant);
        *counts.entry("constants").or_default() += 1;
    }
    let functions: BTreeSet<&str> = facts
        .callbacks
        .iter()
        .filter(|c| !c.pointer)
        .map(|c| c.name.as_str())
        .collect();
    for (name, size) in &facts.typedefs {
        match size {
            // A function type has no size; as a handler it is checked below.
            _ if functions.contains(name.as_str()) => {}
            Some(size) => {
                writeln!(out, "const _: () = typed::<ndis_sys::{name}>({size});").unwrap();
            }
            None => writeln!(out, "const _: Option<*const ndis_sys::{name}> = None;").unwrap(),
        }
        *counts.entry("typedefs").or_default() += 1;
    }
    for function in &facts.functions {
        call(&mut out, function);
        *counts.entry("prototypes").or_default() += 1;
    }
    for function in &facts.inline_functions {
        inline(&mut out, function);
        *counts.entry("inline functions").or_default() += 1;
    }
    for handler in &facts.callbacks {
        callback(&mut out, handler);
        *counts.entry("callbacks").or_default() += 1;
    }
    Program {
        source: out,
        counts,
    }
}

/// One helper for each number of parameters: it takes the function, and so
/// learns the types of its parameters.
fn signatures(out: &mut String, facts: &Facts) {
    let all = facts
        .functions
        .iter()
        .chain(&facts.inline_functions)
        .chain(&facts.callbacks);
    let counts: BTreeSet<usize> = all.map(|p| p.params.len()).collect();
    for n in counts {
        let names: Vec<String> = (0..n).map(|i| format!("P{i}")).collect();
        let list = names.join(", ");
        let generics = if n == 0 {
            "R".into()
        } else {
            format!("{list}, R")
        };
        let mut sizes: Vec<String> = names.iter().map(|p| format!("size_of::<{p}>()")).collect();
        sizes.push("size_of::<R>()".into());
        let body = format!("{{ same([{}], want) }}", sizes.join(", "));
        let want = format!("want: [usize; {}]", n + 1);
        writeln!(
            out,
            "const fn f{n}<{generics}>(_: unsafe extern \"system\" fn({list}) -> R, {want}) {body}\n\
             const fn i{n}<{generics}>(_: unsafe fn({list}) -> R, {want}) {body}\n\
             const fn h{n}<{generics}>(_: PhantomData<unsafe extern \"system\" fn({list}) -> R>, {want}) {body}\n\
             const fn p{n}<{generics}>(_: PhantomData<Option<unsafe extern \"system\" fn({list}) -> R>>, {want}) {body}"
        )
        .unwrap();
        if n > 0 {
            writeln!(
                out,
                "const fn v{n}<{generics}>(_: unsafe extern \"C\" fn({list}, ...) -> R, {want}) {body}"
            )
            .unwrap();
        }
    }
}

fn want(p: &Prototype) -> String {
    let widths: Vec<String> = p
        .params
        .iter()
        .chain([&p.result])
        .map(u64::to_string)
        .collect();
    format!("[{}]", widths.join(", "))
}

fn call(out: &mut String, p: &Prototype) {
    let letter = if p.variadic { 'v' } else { 'f' };
    let n = p.params.len();
    writeln!(
        out,
        "const _: () = {letter}{n}(ndis_sys::{}, {});",
        p.name,
        want(p)
    )
    .unwrap();
}

fn inline(out: &mut String, p: &Prototype) {
    let n = p.params.len();
    writeln!(
        out,
        "const _: () = i{n}(ndis_sys::{}, {});",
        p.name,
        want(p)
    )
    .unwrap();
}

fn callback(out: &mut String, p: &Prototype) {
    let letter = if p.pointer { 'p' } else { 'h' };
    let n = p.params.len();
    writeln!(
        out,
        "const _: () = {letter}{n}(PhantomData::<ndis_sys::{}>, {});",
        p.name,
        want(p)
    )
    .unwrap();
}

fn value(out: &mut String, facts: &Facts, constant: &Constant) {
    let ty = if facts.pointer_wide.contains(&constant.name) {
        "usize"
    } else {
        &constant.ty
    };
    writeln!(
        out,
        "const _: () = c_{ty}(ndis_sys::{}, {});",
        constant.name, constant.value
    )
    .unwrap();
}

/// A record: its size, and each member's offset, size and alignment.
pub fn layout(out: &mut String, record: &Record) {
    let tag = &record.tag;
    let paths = Paths::of(record);
    writeln!(
        out,
        "const _: () = {{ // {tag}\n    record::<ndis_sys::{tag}>({}, {});",
        record.size, record.align
    )
    .unwrap();
    if !record.fields.is_empty() {
        writeln!(
            out,
            "    let memory = MaybeUninit::<ndis_sys::{tag}>::uninit();\n    let p = memory.as_ptr();"
        )
        .unwrap();
        for f in &record.fields {
            let size = f
                .size
                .map_or_else(|| "usize::MAX".to_string(), |s| s.to_string());
            writeln!(
                out,
                "    field(p, unsafe {{ &raw const (*p).{} }}, {}, {size}, {});",
                paths.rust(&f.full),
                f.offset,
                f.align
            )
            .unwrap();
        }
    }
    for BitField {
        full,
        offset,
        width,
    } in &record.bits
    {
        let path = paths.rust(full);
        let (owner, name) = match path.rsplit_once('.') {
            Some((owner, name)) => (format!("(*p).{owner}"), name),
            None => ("(*p)".to_string(), path.as_str()),
        };
        let all = u64::MAX >> (64 - width);
        writeln!(
            out,
            "    {{ let mut m = Bytes([0; {}]); let p = (&raw mut m).cast::<ndis_sys::{tag}>();\n      \
             unsafe {{ {owner}.set_{name}(!0); assert!({owner}.{name}() as u64 == {all}, \"bits\"); }}\n      \
             only(&m, {offset}, {width}); }}",
            record.size
        )
        .unwrap();
    }
    out.push_str("};\n");
}

/// How Rust reaches the members: unnamed unions are `u`, `u2`, ..., unnamed
/// structures `s`, `s2`, ..., leaving out what a named member has taken.
struct Paths(BTreeMap<String, String>);

impl Paths {
    fn of(record: &Record) -> Paths {
        let mut levels: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let all = record.fields.iter().map(|f| &f.full);
        for full in all.chain(record.bits.iter().map(|b| &b.full)) {
            let (owner, name) = full.rsplit_once('.').unwrap_or(("", full));
            levels
                .entry(owner.to_string())
                .or_default()
                .push(name.to_string());
        }
        let mut names = BTreeMap::new();
        for (owner, members) in &levels {
            for (kind, letter) in [("<union#", "u"), ("<struct#", "s")] {
                let mut n = 0;
                for member in members.iter().filter(|m| m.starts_with(kind)) {
                    let name = loop {
                        n += 1;
                        let name = if n == 1 {
                            letter.to_string()
                        } else {
                            format!("{letter}{n}")
                        };
                        if !members.contains(&name) {
                            break name;
                        }
                    };
                    names.insert(join(owner, member), name);
                }
            }
        }
        Paths(names)
    }

    fn rust(&self, full: &str) -> String {
        let mut path = String::new();
        let mut out = String::new();
        for word in full.split('.') {
            path = join(&path, word);
            let name = self.0.get(&path).map_or(word, String::as_str);
            out = join(&out, name);
        }
        out
    }
}

fn join(owner: &str, name: &str) -> String {
    if owner.is_empty() {
        name.to_string()
    } else {
        format!("{owner}.{name}")
    }
}
