//! Asks clang itself what bindgen cannot say: the value and type of every
//! object-like macro, which typedefs are function types, and the size and
//! offsets of every record.
//!
//! Each question becomes an enumerator of its own enumeration in one C++ file;
//! clang's syntax tree then carries the answers. A question that is no integer
//! constant expression is an error on its own line and is dropped.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::headers::{Arch, Headers};

/// The answer to one question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Two's complement, 64 bits.
    pub value: u64,
    /// The type as written (a typedef's name where there is one).
    pub written: String,
    /// The type behind all typedefs.
    pub canonical: String,
}

/// The macros that the wanted files define.
pub struct Macros {
    pub object_like: Vec<String>,
    pub function_like: Vec<String>,
}

pub struct Clang {
    path: PathBuf,
}

impl Clang {
    /// The clang that belongs to `LIBCLANG_PATH`, else one of the usual names.
    pub fn find() -> Result<Clang> {
        let mut candidates = Vec::new();
        if let Some(lib) = std::env::var_os("LIBCLANG_PATH") {
            let lib = PathBuf::from(lib);
            candidates.extend(lib.parent().map(|p| p.join("bin/clang")));
            candidates.push(lib.join("clang"));
        }
        candidates.extend(["clang-19", "clang"].map(PathBuf::from));
        for path in candidates {
            if Command::new(&path)
                .arg("--version")
                .output()
                .is_ok_and(|o| o.status.success())
            {
                return Ok(Clang { path });
            }
        }
        bail!("no clang found: set LIBCLANG_PATH to the lib folder of an LLVM installation")
    }

    fn run(&self, args: &[String]) -> Result<(String, String)> {
        let out = Command::new(&self.path)
            .args(args)
            .output()
            .context("clang")?;
        Ok((
            String::from_utf8_lossy(&out.stdout).into_owned(),
            String::from_utf8_lossy(&out.stderr).into_owned(),
        ))
    }

    /// Lists the macros that are still defined at the end of the wrapper and
    /// whose definition stands in a wanted file; `extra` are wanted wherever
    /// they stand.
    pub fn macros(&self, headers: &Headers, arch: Arch) -> Result<Macros> {
        let mut args = headers.args(arch);
        args.extend(["-E", "-dD"].map(String::from));
        args.push(headers.wrapper.to_string_lossy().into_owned());
        let (text, errors) = self.run(&args)?;
        if errors.contains("error:") {
            bail!("clang cannot read the headers:\n{errors}");
        }
        let mut wanted = false;
        // In order of first definition.
        let mut order = Vec::new();
        let mut live: BTreeMap<String, (bool, bool)> = BTreeMap::new();
        for line in text.lines() {
            if let Some(marker) = line
                .strip_prefix("# ")
                .or_else(|| line.strip_prefix("#line "))
            {
                if let Some(file) = marker.split('"').nth(1) {
                    wanted = headers.is_wanted(&file.replace("\\\\", "/"));
                }
            } else if let Some(rest) = line.strip_prefix("#define ") {
                let end = rest
                    .find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$'))
                    .unwrap_or(rest.len());
                let (name, tail) = rest.split_at(end);
                if !live.contains_key(name) {
                    order.push(name.to_string());
                }
                live.insert(name.to_string(), (wanted, tail.starts_with('(')));
            } else if let Some(name) = line.strip_prefix("#undef ") {
                live.remove(name.trim());
            }
        }
        let mut macros = Macros {
            object_like: Vec::new(),
            function_like: Vec::new(),
        };
        let mut seen = BTreeSet::new();
        for name in order {
            match live.get(&name) {
                Some((true, function)) if seen.insert(name.clone()) => {
                    if *function {
                        macros.function_like.push(name);
                    } else {
                        macros.object_like.push(name);
                    }
                }
                _ => {}
            }
        }
        Ok(macros)
    }

    /// Answers each question (a C++ expression); those that are no integer
    /// constants are `None`.
    pub fn ask(
        &self,
        headers: &Headers,
        arch: Arch,
        questions: &[String],
        scratch: &Path,
    ) -> Result<Vec<Option<Answer>>> {
        let file = scratch.join(format!("probe-{}.cpp", arch.name()));
        let mut keep = vec![true; questions.len()];
        let wrapper = headers.wrapper.to_string_lossy().replace('\\', "/");
        let write = |keep: &[bool]| -> Result<()> {
            // Question n stands on line n + 2.
            let mut text = format!("#include \"{wrapper}\"\n");
            for (n, q) in questions.iter().enumerate() {
                if keep.get(n).copied().unwrap_or(false) {
                    text += &format!(
                        "enum : unsigned long long {{ ndis_probe_{n} = (unsigned long long)({q}) }};"
                    );
                }
                text.push('\n');
            }
            fs::write(&file, text)?;
            Ok(())
        };
        let mut args = headers.args(arch);
        args.extend(
            ["-fsyntax-only", "-ferror-limit=0", "-fno-caret-diagnostics"].map(String::from),
        );
        args.push(file.to_string_lossy().into_owned());
        let prefix = format!("{}:", file.to_string_lossy());
        // A broken line can hide the next one, so repeat until nothing changes.
        loop {
            write(&keep)?;
            let (_, errors) = self.run(&args)?;
            let mut dropped = false;
            for line in errors.lines().filter(|l| l.contains("error:")) {
                let number = line
                    .strip_prefix(&prefix)
                    .and_then(|l| l.split(':').next())
                    .and_then(|l| l.parse::<usize>().ok())
                    .with_context(|| format!("clang complains elsewhere: {line}"))?;
                if let Some(k) = number.checked_sub(2).and_then(|n| keep.get_mut(n)) {
                    dropped |= std::mem::replace(k, false);
                }
            }
            if !dropped {
                break;
            }
        }
        args.extend(
            [
                "-Xclang",
                "-ast-dump=json",
                "-Xclang",
                "-ast-dump-filter=ndis_probe_",
            ]
            .map(String::from),
        );
        let (text, _) = self.run(&args)?;
        let mut answers = vec![None; questions.len()];
        for doc in serde_json::Deserializer::from_str(&text).into_iter::<Value>() {
            let doc = doc.context("clang's syntax tree")?;
            let Some(n) = doc["name"]
                .as_str()
                .and_then(|n| n.strip_prefix("ndis_probe_"))
                .and_then(|n| n.parse::<usize>().ok())
            else {
                continue;
            };
            let constant = &doc["inner"][0];
            let value = constant["value"]
                .as_str()
                .and_then(|v| v.parse::<u64>().ok());
            if let (Some(value), Some(slot)) = (value, answers.get_mut(n)) {
                let (written, canonical) = type_of(constant)
                    .with_context(|| format!("no type for {:?}", questions.get(n)))?;
                *slot = Some(Answer {
                    value,
                    written,
                    canonical,
                });
            }
        }
        for (n, keep) in keep.iter().enumerate() {
            if *keep && answers.get(n).is_none_or(Option::is_none) {
                bail!("no answer to {:?}", questions.get(n));
            }
        }
        Ok(answers)
    }
}

/// The type of the parenthesised question inside the cast.
fn type_of(node: &Value) -> Option<(String, String)> {
    let mut node = node;
    loop {
        if node["kind"] == "ParenExpr" {
            let ty = &node["type"];
            let written = ty["qualType"].as_str()?;
            let canonical = ty["desugaredQualType"].as_str().unwrap_or(written);
            return Some((written.to_string(), canonical.to_string()));
        }
        node = node["inner"].as_array()?.last()?;
    }
}
