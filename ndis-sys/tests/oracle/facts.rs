//! Reads the facts: what clang says about Microsoft's headers, reduced to
//! tables (see `tests/facts/README.md`).

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// An architecture that the facts speak of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Arch {
    X86_64,
    Aarch64,
    X86,
}

impl Arch {
    pub const ALL: [Arch; 3] = [Arch::X86_64, Arch::Aarch64, Arch::X86];

    /// As Rust's `target_arch` spells it.
    pub fn name(self) -> &'static str {
        match self {
            Arch::X86_64 => "x86_64",
            Arch::Aarch64 => "aarch64",
            Arch::X86 => "x86",
        }
    }

    /// The Windows target that kernel drivers of it are built for.
    pub fn target(self) -> &'static str {
        match self {
            Arch::X86_64 => "x86_64-pc-windows-msvc",
            Arch::Aarch64 => "aarch64-pc-windows-msvc",
            Arch::X86 => "i686-pc-windows-msvc",
        }
    }

    /// That of the machine that the tests run on.
    pub fn host() -> Arch {
        Arch::ALL
            .into_iter()
            .find(|a| a.name() == std::env::consts::ARCH)
            .expect("ndis-sys builds on no other architecture")
    }

    /// Whether a row marked so is about this architecture.
    pub fn is(self, mark: &str) -> bool {
        mark == "all" || mark == self.name() || (mark == "64" && self != Arch::X86)
    }
}

/// A member, by the path that also names the unnamed levels.
pub struct Field {
    pub full: String,
    pub offset: u64,
    /// `None` for an array without a length.
    pub size: Option<u64>,
    pub align: u64,
}

pub struct BitField {
    pub full: String,
    pub offset: u64,
    pub width: u64,
}

pub struct Record {
    pub tag: String,
    pub size: u64,
    pub align: u64,
    pub fields: Vec<Field>,
    pub bits: Vec<BitField>,
}

pub struct Constant {
    pub name: String,
    /// `i32`, `u64`, ...: signedness and width.
    pub ty: String,
    pub value: i128,
    /// The typedef that the header casts to, if it does.
    pub typedef: Option<String>,
}

pub struct Prototype {
    pub name: String,
    /// For handlers: whether the name is a pointer to the function type.
    pub pointer: bool,
    pub variadic: bool,
    pub result: u64,
    pub params: Vec<u64>,
}

/// Everything about one architecture.
pub struct Facts {
    pub records: Vec<Record>,
    pub opaque: Vec<String>,
    pub enums: Vec<(String, u64)>,
    pub enumerators: Vec<(String, i128)>,
    pub constants: Vec<Constant>,
    /// The constants that are as wide as a pointer.
    pub pointer_wide: Vec<String>,
    pub functions: Vec<Prototype>,
    pub inline_functions: Vec<Prototype>,
    pub callbacks: Vec<Prototype>,
    /// Name and size; `None` where the header leaves the type incomplete.
    pub typedefs: Vec<(String, Option<u64>)>,
    pub function_like_macros: Vec<String>,
    pub other_macros: Vec<String>,
}

pub fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/facts"))
}

pub fn lines(file: &str) -> Vec<String> {
    let path = folder().join(file);
    let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    text.lines().map(str::to_owned).collect()
}

fn rows(file: &str) -> Vec<Vec<String>> {
    lines(file)
        .iter()
        .map(|l| l.split('\t').map(str::to_owned).collect())
        .collect()
}

fn number<T: std::str::FromStr>(text: &str) -> T {
    text.parse()
        .unwrap_or_else(|_| panic!("not a number: {text}"))
}

impl Facts {
    pub fn read(arch: Arch) -> Facts {
        let names = |file: &str| -> Vec<String> {
            rows(file)
                .into_iter()
                .filter(|r| arch.is(&r[1]))
                .map(|r| r[0].clone())
                .collect()
        };
        let mut widths: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut constants = Vec::new();
        for row in rows("constants.tsv") {
            let all = widths.entry(row[0].clone()).or_default();
            if !all.contains(&row[2]) {
                all.push(row[2].clone());
            }
            if arch.is(&row[1]) {
                constants.push(Constant {
                    name: row[0].clone(),
                    ty: row[2].clone(),
                    value: number(&row[3]),
                    typedef: row.get(4).cloned(),
                });
            }
        }
        let pointer_wide = widths
            .into_iter()
            .filter(|(_, tys)| tys.len() > 1)
            .map(|(n, _)| n)
            .collect();
        let (enums, enumerators) = enumerations(arch);
        Facts {
            records: records(arch),
            opaque: names("opaque.tsv"),
            enums,
            enumerators,
            constants,
            pointer_wide,
            functions: prototypes(arch, "functions.tsv", false),
            inline_functions: prototypes(arch, "inline_functions.tsv", false),
            callbacks: prototypes(arch, "callbacks.tsv", true),
            typedefs: rows("typedefs.tsv")
                .into_iter()
                .filter(|r| arch.is(&r[1]))
                .map(|r| (r[0].clone(), r[2].parse().ok()))
                .collect(),
            function_like_macros: names("function_like_macros.tsv"),
            other_macros: names("other_macros.tsv"),
        }
    }
}

fn records(arch: Arch) -> Vec<Record> {
    let mut records = Vec::new();
    let mut mine = false;
    for row in rows("records.tsv") {
        match row[0].as_str() {
            "R" => {
                mine = arch.is(&row[2]);
                if mine {
                    records.push(Record {
                        tag: row[1].clone(),
                        size: number(&row[3]),
                        align: number(&row[4]),
                        fields: Vec::new(),
                        bits: Vec::new(),
                    });
                }
            }
            kind if mine => {
                let record = records.last_mut().expect("a field before its record");
                match kind {
                    "F" => record.fields.push(Field {
                        full: row[1].clone(),
                        offset: number(&row[2]),
                        size: row[3].parse().ok(),
                        align: number(&row[4]),
                    }),
                    "B" => record.bits.push(BitField {
                        full: row[1].clone(),
                        offset: number(&row[2]),
                        width: number(&row[3]),
                    }),
                    other => panic!("records.tsv: unknown row {other}"),
                }
            }
            _ => {}
        }
    }
    records
}

#[allow(clippy::type_complexity)]
fn enumerations(arch: Arch) -> (Vec<(String, u64)>, Vec<(String, i128)>) {
    let (mut enums, mut enumerators) = (Vec::new(), Vec::new());
    let mut mine = false;
    for row in rows("enumerators.tsv") {
        if row[0] == "T" {
            mine = arch.is(&row[2]);
            if mine {
                enums.push((row[1].clone(), number(&row[3])));
            }
        } else if mine {
            enumerators.push((row[1].clone(), number(&row[2])));
        }
    }
    (enums, enumerators)
}

fn prototypes(arch: Arch, file: &str, handlers: bool) -> Vec<Prototype> {
    rows(file)
        .into_iter()
        .filter(|r| arch.is(&r[1]))
        .map(|row| {
            let at = if handlers { 3 } else { 2 };
            Prototype {
                name: row[0].clone(),
                pointer: handlers && row[2] == "pointer",
                variadic: row.get(at + 2).is_some_and(|v| v == "variadic"),
                result: number(&row[at]),
                params: row[at + 1]
                    .split(',')
                    .filter(|p| !p.is_empty())
                    .map(number)
                    .collect(),
            }
        })
        .collect()
}
