//! The proof of the header: assertions for clang, made from the facts.

use std::{collections::BTreeMap, fmt::Write as _, fs, process::Command};

use anyhow::{Context, Result, bail};

use super::{Arch, Header, Roots, emit, facts};
use crate::{
    steps::{self, Outcome},
    workspace,
};

/// What the header must compile as, without a word from the compiler.
const FLAGS: [&str; 7] = [
    "-std=c11",
    "-ffreestanding",
    "-fsyntax-only",
    "-Wall",
    "-Wextra",
    "-Wpedantic",
    "-Werror",
];

/// On this machine's architecture the header has the same layouts under Linux, where a driver's
/// tests run.
const LINUX: &str = "x86_64-unknown-linux-gnu";

/// How many facts of each kind a header was held against.
type Counts = BTreeMap<&'static str, usize>;

/// The command of a clang: `$CLANG`, `clang-19` or `clang`; nothing where there is none.
pub fn clang() -> Option<String> {
    let named = std::env::var("CLANG").ok();
    let known = ["clang-19", "clang"].map(str::to_owned);
    named
        .into_iter()
        .chain(known)
        .find(|name| steps::output(Command::new(name).arg("--version")).is_some())
}

/// Proves the header of every architecture.
pub fn all() -> Result<Outcome> {
    let headers = Arch::ALL
        .into_iter()
        .map(|arch| Ok((arch, Header::new(arch)?)))
        .collect::<Result<Vec<_>>>()?;
    let models: Vec<_> = headers.iter().map(|(_, header)| &header.model).collect();
    Roots::read()?.check(&models)?;
    let Some(clang) = clang() else {
        return Ok(Outcome::Missing(
            "no clang to prove the C header with: install clang-19, or set CLANG".to_owned(),
        ));
    };
    let mut remarks = Vec::new();
    for (arch, header) in &headers {
        let (source, counts) = assertions(header)?;
        let mut targets = vec![arch.target()];
        if *arch == Arch::X64 {
            targets.push(LINUX);
        }
        for target in &targets {
            if let Err(said) = compile(&clang, *arch, target, header, &source)? {
                bail!("condis.h does not hold for {target}:\n{said}");
            }
        }
        let counts: Vec<_> = counts
            .iter()
            .map(|(what, count)| format!("{count} {what}"))
            .collect();
        remarks.push(format!("{}: {}", targets.join(", "), counts.join(", ")));
    }
    Ok(Outcome::Passed(remarks.join("\n")))
}

/// Compiles the header and the assertions; what clang says if it refuses.
fn compile(
    clang: &str,
    arch: Arch,
    target: &str,
    header: &Header,
    source: &str,
) -> Result<Result<(), String>> {
    let folder = workspace::target().join("c-header").join(arch.name());
    header.write(&folder.join("condis.h"))?;
    let file = folder.join("proof.c");
    fs::write(&file, source).with_context(|| format!("cannot write {}", file.display()))?;
    let output = Command::new(clang)
        .args(FLAGS)
        .arg(format!("--target={target}"))
        .arg(&file)
        .output()
        .with_context(|| format!("cannot start {clang}"))?;
    if output.status.success() {
        return Ok(Ok(()));
    }
    Ok(Err(String::from_utf8_lossy(&output.stderr).into_owned()))
}

/// The header included, and an assertion for each fact about what it declares.
fn assertions(header: &Header) -> Result<(String, Counts)> {
    let mut out = String::from("#include \"condis.h\"\n");
    let mut counts = Counts::new();
    let mut unknown = 0;
    let mut claim = |what: &'static str, claim: String| {
        let _ = writeln!(out, "_Static_assert({claim}, \"\");");
        *counts.entry(what).or_default() += 1;
    };
    for record in &header.records {
        let Some(known) = header.facts.records.get(header.model.tag(record)) else {
            recorded(header, record, &mut claim)?;
            continue;
        };
        claim("records", size(record, known.size, known.align));
        for field in &known.fields {
            if facts::ends_unnamed(&field.path) {
                continue;
            }
            let path = facts::in_c(&field.path);
            let offset = format!("offsetof({record}, {path}) == {}", field.offset);
            let size = match field.size {
                // An array without a length is incomplete in C.
                Some(size) if size > 0 => format!(" && sizeof((({record} *)0)->{path}) == {size}"),
                _ => String::new(),
            };
            claim("members", offset + &size);
        }
        for bits in &known.bits {
            let (unit, numbers) = storage(header, record, known, &bits.path)?;
            claim(
                "bit-fields",
                format!(
                    "offsetof({record}, {unit}) * 8 + {numbers}_BIT == {} && {numbers}_WIDTH == {}",
                    bits.offset, bits.width
                ),
            );
        }
    }
    for name in &header.closure.constants {
        let Some(value) = header.facts.values.get(name) else {
            unknown += 1;
            continue;
        };
        let suffix = if *value > i128::from(i64::MAX) {
            "ull"
        } else {
            "ll"
        };
        claim("constants", format!("({name}) == {value}{suffix}"));
    }
    // Enumerators of the NT headers: nothing but the generator knows them.
    counts.insert("constants not checked, for want of facts", unknown);
    Ok((out, counts))
}

fn size(record: &str, size: u64, align: u64) -> String {
    format!("sizeof({record}) == {size} && _Alignof({record}) == {align}")
}

/// The facts do not have the records of the NT headers. For those there is what the generator
/// recorded when libclang laid them out.
fn recorded(
    header: &Header,
    record: &str,
    claim: &mut impl FnMut(&'static str, String),
) -> Result<()> {
    let layout = (header.model.layouts.get(record))
        .with_context(|| format!("neither facts nor a layout of {record}"))?;
    claim(
        "records of NT by the generator's layouts",
        size(record, layout.size, layout.align),
    );
    let unnamed = facts::unnamed(&header.facts, &header.model, record);
    for (path, offset) in &layout.offsets {
        if unnamed.contains(path) {
            continue;
        }
        let path = emit::in_c(path, &unnamed);
        claim(
            "members of those",
            format!("offsetof({record}, {path}) == {offset}"),
        );
    }
    Ok(())
}

/// Where a bit-field is stored: the path of the bytes in C, and the stem of its numbers' names.
fn storage(
    header: &Header,
    record: &str,
    facts: &facts::Record,
    path: &str,
) -> Result<(String, String)> {
    let (unnamed, levels) = (facts.unnamed(), facts.spelled(path));
    let mut owner = record.to_owned();
    let mut here = String::new();
    let mut named = Vec::new();
    let mut words: Vec<&str> = levels.split('.').collect();
    let field = words.pop().context("an empty path")?;
    for word in words {
        here = facts::join(&here, word);
        if !unnamed.contains(&here) {
            named.push(word.to_owned());
        }
        owner = format!("{owner}_{word}");
    }
    let bits = (header.model.bits.get(&owner))
        .and_then(|all| all.iter().find(|bits| bits.name == field))
        .with_context(|| format!("no bit-field {owner}.{field}"))?;
    named.extend(emit::bits_in(&header.model, &owner, &bits.unit));
    Ok((named.join("."), format!("{owner}_{field}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The proof is worth something only if it can fail.
    #[test]
    fn a_wrong_fact_is_refused() {
        let Some(clang) = clang() else {
            println!("skipped: no clang");
            return;
        };
        let mut header = Header::new(Arch::X64).unwrap();
        let verdict = |header: &Header| {
            let (source, _) = assertions(header).unwrap();
            let folder = tempfile::tempdir().unwrap();
            header.write(&folder.path().join("condis.h")).unwrap();
            let file = folder.path().join("proof.c");
            fs::write(&file, source).unwrap();
            let mut command = Command::new(&clang);
            command
                .args(FLAGS)
                .arg(format!("--target={}", Arch::X64.target()));
            command.arg(file).output().unwrap().status.success()
        };
        assert!(verdict(&header));
        let list = header.facts.records.get_mut("_NET_BUFFER_LIST").unwrap();
        list.fields[0].offset += 8;
        list.fields.last_mut().unwrap().offset += 8;
        assert!(!verdict(&header), "a wrong offset");
        let list = header.facts.records.get_mut("_NET_BUFFER_LIST").unwrap();
        list.fields[0].offset -= 8;
        list.fields.last_mut().unwrap().offset -= 8;
        assert!(verdict(&header));
        *(header.facts.values)
            .get_mut("NDIS_STATUS_PENDING")
            .unwrap() += 1;
        assert!(!verdict(&header), "a wrong value");
    }
}
