//! `cargo xtask api-map`: writes docs/api-map.md, the table that says which safe item wraps which
//! CoNDIS call or callback, and where those that have none yet are planned to live.
//!
//! A safe item says what it wraps with `#[doc(alias = "NdisClMakeCall")]`; `data/planned.toml`
//! says where the rest will go. Each of the 66 calls and 43 callbacks must be in exactly one of
//! the two. A plan that has been carried out is taken out of the file when the table is written.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::{
    api::{self, Entry, Kind},
    public_path::PublicPaths,
    say::say,
    sources,
    workspace::{self, CheckArgs, SAFE_CRATES},
};

const FILE: &str = "docs/api-map.md";
const PLAN: &str = "xtask/data/planned.toml";

#[derive(Deserialize)]
struct Plan {
    /// C name to the module that will hold its wrapper.
    planned: BTreeMap<String, String>,
}

/// C name to the paths of the items that wrap it.
type Wrapped = BTreeMap<String, BTreeSet<String>>;

/// Runs the command.
pub fn run(args: CheckArgs) -> Result<()> {
    let root = workspace::root();
    let surface = api::surface()?;
    let mut faults = Vec::new();
    let mut wrapped = Wrapped::new();
    for name in SAFE_CRATES {
        let source = sources::read_crate(&root.join(name))?;
        let paths = PublicPaths::of(&source);
        for alias in &source.aliases {
            match paths.path_of(alias) {
                Some(path) => {
                    wrapped
                        .entry(alias.c_name.clone())
                        .or_default()
                        .insert(path);
                }
                None => faults.push(format!(
                    "{}: its alias stands on {}::{}, which users cannot reach",
                    alias.c_name,
                    source.name,
                    alias
                        .module
                        .iter()
                        .chain([&alias.owner])
                        .chain(&alias.member)
                        .cloned()
                        .collect::<Vec<_>>()
                        .join("::"),
                )),
            }
        }
    }

    let plan_path = root.join(PLAN);
    let plan_text = workspace::read(&plan_path)?;
    let mut plan: Plan = toml::from_str(&plan_text).context(PLAN)?;
    let stale: BTreeSet<String> = plan
        .planned
        .keys()
        .filter(|name| wrapped.contains_key(*name))
        .cloned()
        .collect();
    if !stale.is_empty() && !args.check {
        fs::write(&plan_path, without(&plan_text, &stale))?;
        plan.planned.retain(|name, _| !stale.contains(name));
        for name in &stale {
            say!("{name} is wrapped now: taken out of {PLAN}");
        }
    }
    faults.extend(account(&surface, &wrapped, &plan.planned));
    if !faults.is_empty() {
        bail!("the api map does not add up:\n  {}", faults.join("\n  "));
    }
    let text = render(&surface, &wrapped, &plan.planned);
    if let Some(totals) = text.lines().find(|line| line.starts_with("Wrapped: ")) {
        say!("{totals}");
    }
    workspace::write_or_check(&root, FILE, &text, args)
}

/// The plan's text without the lines of the names in `stale`.
fn without(text: &str, stale: &BTreeSet<String>) -> String {
    let is_stale = |line: &&str| {
        line.split_once('=')
            .is_some_and(|(name, _)| stale.contains(name.trim()))
    };
    text.lines()
        .filter(|line| !is_stale(line))
        .fold(String::new(), |text, line| text + line + "\n")
}

/// What is in neither table, in both, or named wrongly.
fn account(
    surface: &[Entry],
    wrapped: &Wrapped,
    planned: &BTreeMap<String, String>,
) -> Vec<String> {
    let mut faults = Vec::new();
    for entry in surface {
        let name = &entry.name;
        match (
            wrapped.contains_key(name),
            planned.contains_key(name),
            &entry.superseded_by,
        ) {
            (true, true, _) => faults.push(format!("{name}: wrapped, but {PLAN} still plans it")),
            (false, false, None) => faults.push(format!(
                "{name}: no safe item has its alias, and {PLAN} lacks it"
            )),
            (_, true, Some(newer)) => {
                faults.push(format!("{name}: planned, though {newer} took its place"))
            }
            _ => {}
        }
    }
    let known: BTreeSet<&str> = surface.iter().map(|entry| entry.name.as_str()).collect();
    for name in planned.keys().filter(|name| !known.contains(name.as_str())) {
        faults.push(format!(
            "{name}: {PLAN} plans it, but CoNDIS has no such name"
        ));
    }
    for name in wrapped
        .keys()
        .filter(|name| api::is_condis_name(name) && !known.contains(name.as_str()))
    {
        faults.push(format!(
            "{name}: an alias names it, but CoNDIS has no such name"
        ));
    }
    faults
}

fn render(surface: &[Entry], wrapped: &Wrapped, planned: &BTreeMap<String, String>) -> String {
    let mut text = String::from(
        "<!-- Generated by `cargo xtask api-map` from the `#[doc(alias)]` attributes of ndis-co and ndis-mcm. -->\n\
         # From the C names to the safe items\n\n\
         Every CoNDIS call and callback, the IRQL and the status codes that are documented for it, and the safe item\n\
         that wraps it. A call manager that stands alone uses the `NdisCm` exports; a miniport call manager uses the\n\
         `NdisMCm` macros over the same exports, so one safe item may answer for two C names.\n\n",
    );
    let count = |calls: bool, test: &dyn Fn(&&Entry) -> bool| {
        surface
            .iter()
            .filter(|entry| entry.is_call() == calls)
            .filter(test)
            .count()
    };
    let is_wrapped = |entry: &&Entry| wrapped.contains_key(&entry.name);
    let is_planned = |entry: &&Entry| planned.contains_key(&entry.name);
    let is_left = |entry: &&Entry| !is_wrapped(entry) && entry.superseded_by.is_some();
    let _ = writeln!(
        text,
        "Wrapped: {} of {} calls, {} of {} callbacks. Planned: {} and {}. NDIS 5 forms with an NDIS 6 form in their place: {} and {}.",
        count(true, &is_wrapped),
        count(true, &|_| true),
        count(false, &is_wrapped),
        count(false, &|_| true),
        count(true, &is_planned),
        count(false, &is_planned),
        count(true, &is_left),
        count(false, &is_left),
    );
    for (heading, calls) in [("Calls", true), ("Callbacks", false)] {
        let _ = write!(text, "\n## {heading}\n");
        let mut group = "";
        for entry in surface.iter().filter(|entry| entry.is_call() == calls) {
            if entry.group != group {
                group = &entry.group;
                let _ = write!(
                    text,
                    "\n### {group}\n\n| C name | what for | IRQL | returns | safe item |\n|---|---|---|---|---|\n"
                );
            }
            let _ = writeln!(text, "{}", row(entry, wrapped, planned));
        }
    }
    let known: BTreeSet<&str> = surface.iter().map(|entry| entry.name.as_str()).collect();
    let others: Vec<_> = wrapped
        .iter()
        .filter(|(name, _)| !known.contains(name.as_str()))
        .collect();
    if !others.is_empty() {
        text.push_str(
            "\n## The rest of NDIS and the kernel\n\nNot CoNDIS, but a CoNDIS driver needs them.\n\n\
             | C name | safe item |\n|---|---|\n",
        );
        for (name, items) in others {
            let _ = writeln!(text, "| `{name}` | {} |", code_list(items));
        }
    }
    text
}

fn row(entry: &Entry, wrapped: &Wrapped, planned: &BTreeMap<String, String>) -> String {
    let item = match (
        wrapped.get(&entry.name),
        planned.get(&entry.name),
        &entry.superseded_by,
    ) {
        (Some(items), _, _) => code_list(items),
        (None, Some(place), _) => format!("planned: `{place}`"),
        (None, None, Some(newer)) => format!("not needed: `{newer}` took its place"),
        (None, None, None) => "missing".to_owned(),
    };
    let kind = if entry.kind == Kind::Macro {
        " (macro)"
    } else {
        ""
    };
    let returns: Vec<_> = entry
        .returns
        .iter()
        .map(|code| code.trim_start_matches("NDIS_STATUS_"))
        .collect();
    let returns = if returns.is_empty() {
        "-".to_owned()
    } else {
        returns.join(", ")
    };
    let irql = entry.irql.as_deref().unwrap_or("-");
    format!(
        "| `{}`{kind} | {} | {irql} | {returns} | {item} |",
        entry.name, entry.purpose
    )
}

fn code_list(items: &BTreeSet<String>) -> String {
    items
        .iter()
        .map(|item| format!("`{item}`"))
        .collect::<Vec<_>>()
        .join("<br>")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrapped(names: &[&str]) -> Wrapped {
        names
            .iter()
            .map(|name| {
                (
                    (*name).to_owned(),
                    BTreeSet::from(["ndis_co::X".to_owned()]),
                )
            })
            .collect()
    }

    #[test]
    fn everything_must_be_wrapped_or_planned_but_not_both() {
        let surface: Vec<_> = api::surface()
            .expect("the data parses")
            .into_iter()
            .take(3)
            .collect();
        let [a, b, c] = [0, 1, 2].map(|i: usize| surface[i].name.clone());
        let plan = BTreeMap::from([
            (b.clone(), "m".to_owned()),
            ("NdisClNoSuch".to_owned(), "m".to_owned()),
        ]);
        let faults = account(
            &surface,
            &wrapped(&[&a, &b, "NdisCmTypo", "NdisAllocateMdl"]),
            &plan,
        );
        assert_eq!(faults.len(), 4, "{faults:?}");
        for name in [&b, &c, "NdisClNoSuch", "NdisCmTypo"] {
            assert!(
                faults.iter().any(|fault| fault.starts_with(name)),
                "{name}: {faults:?}"
            );
        }
        assert!(
            account(
                &surface[..2],
                &wrapped(&[&a]),
                &BTreeMap::from([(b, "m".to_owned())])
            )
            .is_empty()
        );
    }

    #[test]
    fn a_carried_out_plan_is_taken_out() {
        let text = "# why\n[planned]\nA = \"x\"\nB = \"y\"\n";
        assert_eq!(
            without(text, &BTreeSet::from(["A".to_owned()])),
            "# why\n[planned]\nB = \"y\"\n"
        );
    }
}
