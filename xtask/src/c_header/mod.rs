//! `cargo xtask c-header`: the CoNDIS part of `ndis-sys` as a C header.
//!
//! A driver in C can be built against it without a WDK, and run on `ndis-host` like one in Rust:
//! `examples/c-client` does both. The header holds names and layouts, so it can be shared freely.
//!
//! It is written from the sources of the crate by an emitter of our own. cbindgen leaves out every
//! function whose ABI is not "C", has no calling conventions on function pointers, does not know
//! that a level of a record has no name in C, and would take the arrays that stand for bit-fields
//! and alignment as members.
//!
//! The proof does not go through Rust: clang compiles the header for each Windows target with an
//! assertion for each size, alignment, offset and value that clang had read from Microsoft's
//! headers (`ndis-sys/tests/facts`).

mod closure;
mod emit;
mod facts;
mod model;
mod proof;

use std::{fs, path::PathBuf};

use anyhow::{Context, Result};

use closure::{Closure, Roots};
use emit::Emitter;
use facts::Facts;
use model::Model;

use crate::{
    arch::Arch,
    say::say,
    steps::Outcome,
    workspace::{self, CheckArgs},
};

pub use proof::clang;

/// The copy in the tree, for whoever has a C compiler and no Rust toolchain at hand.
const CHECKED_IN: &str = "examples/c-client/condis.h";

/// How a C compiler is asked whether it compiles for an architecture.
fn test(arch: Arch) -> &'static str {
    match arch {
        Arch::X64 => "defined(__x86_64__) || defined(_M_X64)",
        Arch::Arm64 => "defined(__aarch64__) || defined(_M_ARM64)",
        Arch::X86 => "defined(__i386__) || defined(_M_IX86)",
    }
}

/// Is a row of the facts with this mark about an architecture?
fn is_about(mark: &str, arch: Arch) -> bool {
    mark == "all" || mark == arch.rust() || (mark == "64" && arch != Arch::X86)
}

/// What to write, and where.
#[derive(clap::Args)]
pub struct CHeaderArgs {
    /// The architecture.
    #[arg(long, value_enum, default_value = "x64")]
    arch: Arch,
    /// The file to write [default: `target/include/ARCH/condis.h`].
    #[arg(long)]
    out: Option<PathBuf>,
    /// Write nothing: compare the copy in the tree, and prove the header for every architecture.
    #[arg(long, conflicts_with_all = ["arch", "out"])]
    check: bool,
    /// Write the copy in the tree.
    #[arg(long, conflicts_with_all = ["arch", "out", "check"])]
    update: bool,
}

/// Runs the command.
pub fn run(args: &CHeaderArgs) -> Result<()> {
    if args.check {
        return prove()?.said().context("not proven");
    }
    if args.update {
        return tree(CheckArgs { check: false });
    }
    let header = Header::new(args.arch)?;
    let out = (args.out.clone()).unwrap_or_else(|| {
        workspace::target()
            .join("include")
            .join(args.arch.name())
            .join("condis.h")
    });
    header.write(&out)?;
    say!("{}: {}", out.display(), header.counts());
    Ok(())
}

/// The copy in the tree is what the sources give, and the header of each architecture has the
/// layouts and the values of Microsoft's.
pub fn prove() -> Result<Outcome> {
    tree(CheckArgs { check: true })?;
    proof::all()
}

fn tree(args: CheckArgs) -> Result<()> {
    let header = Header::new(Arch::X64)?;
    workspace::write_or_check(&workspace::root(), CHECKED_IN, &header.text, args)
}

/// The header for one architecture.
pub struct Header {
    pub text: String,
    model: Model,
    closure: Closure,
    facts: Facts,
    /// The records that it defines.
    records: Vec<String>,
}

impl Header {
    pub fn new(arch: Arch) -> Result<Self> {
        let folder = workspace::root().join("ndis-sys");
        let model = Model::read(&folder, arch)?;
        let facts = Facts::read(&folder, arch)?;
        let roots = Roots::read()?;
        let closure = Closure::of(&model, &roots);
        let emitter = Emitter::new(&model, &closure, &facts);
        let records = emitter.records().map(str::to_owned).collect();
        let text = emitter.header(arch)?;
        Ok(Self {
            text,
            model,
            closure,
            facts,
            records,
        })
    }

    pub fn write(&self, path: &std::path::Path) -> Result<()> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(path, &self.text).with_context(|| format!("cannot write {}", path.display()))
    }

    /// The image that a function is imported from.
    pub fn image(&self, function: &str) -> Option<&str> {
        let function = self.model.functions.get(function)?;
        Some(&function.image)
    }

    fn counts(&self) -> String {
        format!(
            "{} functions, {} records, {} types in all, {} constants",
            self.closure.functions.len(),
            self.records.len(),
            self.closure.types.len(),
            self.closure.constants.len()
        )
    }
}
