//! `cargo xtask size`: what an image is made of, from the linker's map.
//!
//! For one of the examples, which is built for it, or for the map of any driver, which its author gets
//! with `cargo rustc --release --lib --target x86_64-pc-windows-msvc -- -Clink-arg=/MAP:driver.map`.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use crate::{
    arch::Arch,
    say::say,
    sys::{
        Artifacts,
        map::{Map, Piece, readable},
    },
    workspace,
};

/// What to look at.
#[derive(clap::Args)]
pub struct SizeArgs {
    /// An example (`loopback-mcm`), or the linker's map of any driver.
    what: PathBuf,
    /// How many modules, and how many functions, are shown.
    #[arg(long, default_value_t = 25)]
    top: usize,
}

/// Runs the command.
pub fn run(args: &SizeArgs) -> Result<()> {
    let example = workspace::root()
        .join("examples")
        .join(&args.what)
        .join("Cargo.toml");
    let map = if args.what.is_file() {
        args.what.clone()
    } else {
        let built = Artifacts::build(&example, Arch::X64, true)?;
        let bytes = fs::metadata(&built.dynamic)?.len();
        say!("{}: {bytes} bytes\n", built.dynamic.display());
        built.map.context("an optimised image has a map")?
    };
    report(&map, args.top)
}

fn report(path: &Path, top: usize) -> Result<()> {
    let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let map = Map::parse(&String::from_utf8_lossy(&bytes))?;
    for part in &map.parts {
        say!("{:>8}        {}", part.len, part.name);
    }
    let pieces = map.pieces();
    for (title, name_of) in [
        ("by module", module as fn(&Piece<'_>) -> String),
        ("by function, all copies together", function),
    ] {
        say!("\n{title}:");
        for (name, sum) in largest(&pieces, name_of).iter().take(top) {
            say!("{:>8} {:>4}x  {name}", sum.bytes, sum.pieces);
        }
    }
    Ok(())
}

#[derive(Default)]
struct Sum {
    bytes: u64,
    pieces: usize,
}

/// Sums by name, the largest first.
fn largest(pieces: &[Piece<'_>], name_of: fn(&Piece<'_>) -> String) -> Vec<(String, Sum)> {
    let mut sums = BTreeMap::<String, Sum>::new();
    for piece in pieces {
        let sum = sums.entry(name_of(piece)).or_default();
        sum.bytes += piece.len;
        sum.pieces += 1;
    }
    let mut sums: Vec<_> = sums.into_iter().collect();
    sums.sort_by_key(|(_, sum)| std::cmp::Reverse(sum.bytes));
    sums
}

/// A function's path. The compiler's copies of one generic function differ in their hashes alone.
fn function(piece: &Piece<'_>) -> String {
    let name = readable(piece.name);
    let plain = [
        ("..", "::"),
        ("$LT$", "<"),
        ("$GT$", ">"),
        ("$u20$", " "),
        ("$RF$", "&"),
        ("$C$", ","),
    ];
    let name = plain
        .iter()
        .fold(name, |name, (from, to)| name.replace(from, to));
    // A constant without a name of its own.
    let name = if name.starts_with("anon.") {
        "constants"
    } else {
        &name
    };
    match piece.is_code {
        true => name.to_owned(),
        false => format!("(data) {name}"),
    }
}

/// The crate and the module in it that a function is of: a method of a trait is of the type that has it.
fn module(piece: &Piece<'_>) -> String {
    if !piece.is_code {
        return "(data)".to_owned();
    }
    let name = function(piece);
    if name.contains("drop_in_place") {
        return "(dropping of fields)".to_owned();
    }
    if piece.name.starts_with("_R") {
        return "core".to_owned();
    }
    let path = name.trim_start_matches(|letter: char| !letter.is_alphabetic());
    let path = path.strip_prefix("impl ").unwrap_or(path);
    let path = path.split(|letter: char| !(letter.is_alphanumeric() || "_:".contains(letter)));
    let path = path.into_iter().find(|path| path.contains("::"));
    let Some(path) = path else {
        return "(no path)".to_owned();
    };
    path.split("::").take(2).collect::<Vec<_>>().join("::")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(name: &str, is_code: bool) -> Piece<'_> {
        let len = 16;
        Piece { name, len, is_code }
    }

    #[test]
    fn a_function_is_of_its_module() {
        let of = |name| module(&piece(name, true));
        assert_eq!(
            of("_ZN7ndis_co2cm2vc11Vc$LT$M$GT$5close17h35a41c65e0f4f26aE"),
            "ndis_co::cm"
        );
        assert_eq!(
            of(
                "_ZN73_$LT$ndis_co..mem..vec..Vec$LT$T$GT$$u20$as$u20$core..ops..drop..Drop$GT$4drop17hd9222f065a7fcd81E"
            ),
            "ndis_co::mem"
        );
        assert_eq!(of("DriverEntry"), "(no path)");
        assert_eq!(module(&piece("anon.0a.1", false)), "(data)");
    }

    #[test]
    fn copies_of_a_generic_function_are_one_line() {
        let pieces = [
            piece("_ZN7ndis_co4lock6locked17h0000000000000001E", true),
            piece("_ZN7ndis_co4lock6locked17h0000000000000002E", true),
            piece("DriverEntry", true),
        ];
        let found = largest(&pieces, function);
        assert_eq!(found[0].0, "ndis_co::lock::locked");
        assert_eq!((found[0].1.bytes, found[0].1.pieces), (32, 2));
    }
}
