//! What Wine's log says of modules: who loaded them, and that they went.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Result, bail};

/// A driver's module, over all that happened to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Module {
    /// `native` when the file was ours, `builtin` when Wine took its own.
    pub kind: String,
    pub loaded: usize,
    pub unloaded: usize,
}

/// The modules of these services.
pub fn modules(log: &Path, services: &[&str]) -> Result<BTreeMap<String, Module>> {
    let text = String::from_utf8_lossy(&fs::read(log)?).into_owned();
    read(&text, services)
}

fn read(text: &str, services: &[&str]) -> Result<BTreeMap<String, Module>> {
    let mut found: BTreeMap<String, Module> = BTreeMap::new();
    for line in text.lines().filter(|line| line.contains(":loaddll:")) {
        // `... Loaded L"C:\\...\\ndis.sys" at 0000000180000000: native`
        let unloaded = line.contains("Unloaded module L\"");
        let (Some((_, rest)), Some((_, kind))) =
            (line.split_once("oaded "), line.rsplit_once(": "))
        else {
            continue;
        };
        let Some(path) = rest.split('"').nth(1) else {
            continue;
        };
        let name = path.rsplit('\\').next().unwrap_or(path).to_lowercase();
        let service = name.strip_suffix(".sys").unwrap_or(&name);
        if !services.contains(&service) {
            continue;
        }
        let module = found.entry(name.clone()).or_default();
        let kind = kind.trim();
        if !module.kind.is_empty() && module.kind != kind {
            bail!("{name} was loaded as {} and as {kind}", module.kind);
        }
        kind.clone_into(&mut module.kind);
        if unloaded {
            module.unloaded += 1;
        } else {
            module.loaded += 1;
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_comes_and_goes() {
        let log = "005c:trace:loaddll:build_module Loaded L\"C:\\\\windows\\\\system32\\\\drivers\\\\ndis.sys\" at 0000000180000000: native\n\
                   005c:trace:loaddll:build_module Loaded L\"C:\\\\windows\\\\system32\\\\user32.dll\" at 1: builtin\n\
                   005c:trace:loaddll:free_modref Unloaded module L\"C:\\\\windows\\\\system32\\\\drivers\\\\ndis.sys\" : native\n";
        let modules = read(log, &["ndis"]).unwrap();
        let ndis = Module {
            kind: "native".to_owned(),
            loaded: 1,
            unloaded: 1,
        };
        assert_eq!(modules, BTreeMap::from([("ndis.sys".to_owned(), ndis)]));
    }
}
