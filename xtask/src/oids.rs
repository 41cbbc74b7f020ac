//! `cargo xtask oids`: writes what the safe layer knows of OIDs from `data/oids.json`, and docs/oids.md.
//!
//! Every OID constant of the raw crate is accounted for there: with its type, with a number and a reason
//! why it has no type, or as one of a family that no connection-oriented driver meets. Two names of
//! one number are one OID; the table lists the name of the connection-oriented half, and the other is found
//! with it.

mod demo;
mod page;
mod source;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::{
    say::say,
    workspace::{self, CheckArgs},
};

const DATA: &str = "xtask/data/oids.json";
const FACTS: &str = "ndis-sys/tests/facts/constants.tsv";

/// The whole table.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    /// Why an OID has no type, by a word for it.
    reasons: BTreeMap<String, String>,
    typed: Vec<Typed>,
    raw: Vec<Raw>,
    families: Vec<Family>,
}

/// Who is asked, and with that by which door.
#[derive(Deserialize, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "lowercase")]
enum Asked {
    Adapter,
    Manager,
    Client,
}

/// Who must have an answer for it, by a page.
#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "lowercase")]
enum Must {
    Query,
    Set,
    Both,
}

/// An OID whose value has a type.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Typed {
    /// Without `OID_`, as in the rows below.
    name: String,
    asked: Asked,
    way: String,
    /// A type of the raw crate, or one of Rust's.
    #[serde(rename = "type")]
    value: String,
    what: String,
    unit: String,
    /// It may be asked of a VC as well as of the adapter, or of a VC only.
    #[serde(default)]
    vc: bool,
    page: Option<String>,
    /// What NDIS does of it itself.
    ndis: Option<String>,
    must: Option<Must>,
}

/// An OID that has a number only.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    name: String,
    why: String,
    page: Option<String>,
    /// How many bytes a query of it carries in, if any: what is `IN` at the front of its structure. 0
    /// where that has no fixed length, and all of the buffer counts.
    input: Option<u32>,
}

/// OIDs that have nothing here, by how their names begin.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Family {
    prefix: String,
    why: String,
}

/// The names of the raw crate, without `OID_`, with their values.
type Names = BTreeMap<String, u32>;

/// What became of each name.
struct Account<'a> {
    table: &'a Table,
    /// By a row's name, the other names of its number.
    twins: BTreeMap<&'a str, Vec<&'a str>>,
    /// By a prefix, how many names it accounts for.
    families: BTreeMap<&'a str, usize>,
}

/// Runs the command.
pub fn run(args: CheckArgs) -> Result<()> {
    let root = workspace::root();
    let table = workspace::read(&root.join(DATA))?;
    let table: Table = serde_json::from_str(&table).context(DATA)?;
    let names = names(&workspace::read(&root.join(FACTS))?)?;
    let account = account(&table, &names)?;
    say!("{}", account.totals());
    for (file, text) in [
        (source::KNOWN, source::known(&account)?),
        (source::INWARD, source::inward(&account)?),
        (demo::TABLE, demo::table(&account)?),
        (page::FILE, page::render(&account)?),
    ] {
        workspace::write_or_check(&root, file, &text, args)?;
    }
    Ok(())
}

/// Reads the OIDs out of the facts about the constants.
fn names(facts: &str) -> Result<Names> {
    let mut names = Names::new();
    for line in facts.lines() {
        let Some(name) = line.strip_prefix("OID_") else {
            continue;
        };
        let mut fields = name.split('\t');
        let (Some(name), Some(value)) = (fields.next(), fields.nth(2)) else {
            bail!("{FACTS}: a constant without a value: {line}");
        };
        let value: i64 = value.parse().with_context(|| line.to_owned())?;
        // Some are negative in C, where the type is one that has a sign.
        let value = u32::try_from(value & i64::from(u32::MAX)).context("32 bits")?;
        names.insert(name.to_owned(), value);
    }
    Ok(names)
}

/// Accounts for each name, or says what is wrong.
fn account<'a>(table: &'a Table, names: &'a Names) -> Result<Account<'a>> {
    let mut faults = Vec::new();
    let mut rows: BTreeMap<&str, u32> = BTreeMap::new();
    let mut owners: BTreeMap<u32, &str> = BTreeMap::new();
    let listed = table.typed.iter().map(|row| row.name.as_str());
    for name in listed.chain(table.raw.iter().map(|row| row.name.as_str())) {
        let Some(value) = names.get(name) else {
            faults.push(format!("{name}: the raw crate has no such OID"));
            continue;
        };
        if rows.insert(name, *value).is_some() {
            faults.push(format!("{name}: listed twice"));
        } else if let Some(other) = owners.insert(*value, name) {
            faults.push(format!("{name} and {other} are one number"));
        }
    }
    let whys = table.raw.iter().map(|row| &row.why);
    let whys: BTreeSet<_> = whys
        .chain(table.families.iter().map(|row| &row.why))
        .collect();
    for why in table.reasons.keys().collect::<BTreeSet<_>>() {
        if !whys.contains(why) {
            faults.push(format!("the reason {why:?} is none of an OID"));
        }
    }
    for why in whys.iter().filter(|why| !table.reasons.contains_key(**why)) {
        faults.push(format!("there is no reason {why:?}"));
    }
    let mut twins: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut families: BTreeMap<&str, usize> = table
        .families
        .iter()
        .map(|row| (row.prefix.as_str(), 0))
        .collect();
    for (name, value) in names {
        if rows.contains_key(name.as_str()) {
            continue;
        }
        if let Some(owner) = owners.get(value) {
            twins.entry(owner).or_default().push(name);
            continue;
        }
        let family = families
            .iter_mut()
            .filter(|(prefix, _)| name.starts_with(**prefix))
            .max_by_key(|(prefix, _)| prefix.len());
        match family {
            Some((_, count)) => *count += 1,
            None => faults.push(format!("{name}: no row of {DATA} accounts for it")),
        }
    }
    for (prefix, _) in families.iter().filter(|(_, count)| **count == 0) {
        faults.push(format!(
            "{prefix}: no OID begins so that is not accounted for"
        ));
    }
    if !faults.is_empty() {
        bail!(
            "the table of OIDs does not add up:\n  {}",
            faults.join("\n  ")
        );
    }
    Ok(Account {
        table,
        twins,
        families,
    })
}

impl Account<'_> {
    fn totals(&self) -> String {
        let twins: usize = self.twins.values().map(Vec::len).sum();
        let others: usize = self.families.values().sum();
        let [typed, raw] = [self.table.typed.len(), self.table.raw.len()];
        format!(
            "OIDs: {} names; {typed} with a type, {raw} with a number and a reason, {twins} second names of those, \
             {others} of families without either",
            typed + raw + twins + others
        )
    }

    /// The other names of a row's number.
    fn twins(&self, name: &str) -> &[&str] {
        self.twins.get(name).map_or(&[], Vec::as_slice)
    }

    fn reason(&self, why: &str) -> &str {
        self.table.reasons.get(why).map_or("", String::as_str)
    }
}

/// The name of a constant: no name begins with a digit.
fn constant(name: &str) -> String {
    if name.starts_with(|first: char| first.is_ascii_digit()) {
        format!("IEEE_{name}")
    } else {
        name.to_owned()
    }
}

/// Where a page is.
fn address(page: &str) -> String {
    format!("https://learn.microsoft.com/windows-hardware/drivers/network/{page}")
}

impl Typed {
    /// What is asked of the driver, in a few words.
    fn direction(&self) -> Result<&str> {
        Ok(match self.way.split(' ').next().unwrap_or_default() {
            "query" | "list" => "query",
            "counter" => "query of a counter",
            "set" => "set",
            "query-set" => "query, set",
            "query-with" => "query that carries something",
            "method" => "method",
            other => bail!("{}: no way {other:?}", self.name),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = r#"{
        "reasons": { "other": "of others" },
        "typed": [{ "name": "GEN_CO_A", "asked": "adapter", "way": "query", "type": "u32", "what": "A", "unit": "bytes" }],
        "raw": [{ "name": "B", "why": "other" }],
        "families": [{ "prefix": "F_", "why": "other" }, { "prefix": "F_G_", "why": "other" }]
    }"#;
    const NAMES: &str = "OID_GEN_CO_A\tall\ti32\t1\nOID_GEN_A\tall\ti32\t1\nOID_B\tall\tu32\t4261412865\n\
        OID_F_X\tall\ti32\t7\nOID_F_G_X\tall\ti32\t8\nNDIS_X\tall\ti32\t9\n";

    #[test]
    fn every_name_is_accounted_for_once() {
        let table: Table = serde_json::from_str(TABLE).unwrap();
        let names = names(NAMES).unwrap();
        assert_eq!(names.get("B"), Some(&0xFE00_0001));
        let account = account(&table, &names).unwrap();
        assert_eq!(account.twins("GEN_CO_A"), ["GEN_A"]);
        assert_eq!(account.families, BTreeMap::from([("F_", 1), ("F_G_", 1)]));
        assert!(account.totals().starts_with("OIDs: 5 names; 1 with a type"));
    }

    #[test]
    fn what_does_not_add_up_is_named() {
        let table: Table = serde_json::from_str(TABLE).unwrap();
        let names =
            names("OID_GEN_CO_A\tall\ti32\t1\nOID_Z\tall\ti32\t2\nOID_F_G_X\tall\ti32\t8\n");
        let names = names.unwrap();
        let faults = account(&table, &names).err().unwrap().to_string();
        for fault in ["B: the raw crate", "Z: no row", "F_: no OID begins so"] {
            assert!(faults.contains(fault), "{fault}: {faults}");
        }
    }

    #[test]
    fn a_name_is_an_identifier() {
        assert_eq!(constant("GEN_STATISTICS"), "GEN_STATISTICS");
        assert_eq!(
            constant("802_3_CURRENT_ADDRESS"),
            "IEEE_802_3_CURRENT_ADDRESS"
        );
    }
}
