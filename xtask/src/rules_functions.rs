//! The table of pages that were read: for each function that an image of this tree imports and each
//! callback that it registers, the rules of the book that carry what its reference page demands.
//!
//! The rule book was made from the pages of CoNDIS. What a driver calls besides has pages, too, and
//! nobody misses a page that nobody has read: so a function or callback without a row is a fault.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::{
    pages::Pages,
    rule_book::{self, Rule},
    rules_calls::{Interface, Used},
};

/// The generated page.
pub const FILE: &str = "docs/functions.md";

/// The headers whose reference pages there are rows for.
const HEADERS: [&str; 5] = ["mdlapi", "nblapi", "ndis", "ntddk", "wdm"];

/// One function or callback.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    name: String,
    kind: Kind,
    /// Whose it is: `ndis`, `ntoskrnl`; who calls it, for a callback.
    module: String,
    /// The page that was read; none for what the C language defines.
    page: Option<String>,
    level: Demand,
    handles: Demand,
    order: Demand,
    lifetime: Demand,
    driver: Demand,
}

#[derive(Clone, Copy, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "lowercase")]
enum Kind {
    /// An import.
    Import,
    /// A macro or inline function of the headers.
    Inline,
    /// An import that the compiler's own calls make.
    Compiler,
    /// A function of the driver's.
    Callback,
}

impl Kind {
    const ALL: [(Self, &'static str, &'static str); 4] = [
        (Self::Import, "Imports", "calls it"),
        (
            Self::Inline,
            "Inline functions of the headers, whose imports are above",
            "calls it",
        ),
        (Self::Callback, "Callbacks", "registers it"),
        (Self::Compiler, "What the compiler calls", "declares it"),
    ];
}

/// What a page demands of one sort: the rules that carry it, or `"none"`.
#[derive(Deserialize)]
#[serde(untagged)]
enum Demand {
    Rules(Vec<String>),
    None(Nothing),
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Nothing {
    None,
}

impl Demand {
    fn ids(&self) -> &[String] {
        match self {
            Self::Rules(ids) => ids,
            Self::None(Nothing::None) => &[],
        }
    }
}

impl Row {
    fn demands(&self) -> [(&'static str, &Demand); 5] {
        [
            ("level", &self.level),
            ("handles", &self.handles),
            ("order", &self.order),
            ("lifetime", &self.lifetime),
            ("driver", &self.driver),
        ]
    }
}

/// The table.
pub fn rows() -> Result<Vec<Row>> {
    serde_json::from_str(include_str!("../data/functions.json"))
        .context("xtask/data/functions.json")
}

/// What is wrong with the table.
pub fn faults(
    rows: &[Row],
    book: &[Rule],
    interface: &Interface,
    used: &Used,
    pages: &Pages,
) -> Vec<String> {
    let mut faults = Vec::new();
    let mut there = BTreeSet::new();
    let ids = rule_book::ids(book);
    for row in rows {
        let name = &row.name;
        if !there.insert((row.kind == Kind::Callback, name.as_str())) {
            faults.push(format!("functions.json: {name} is there twice"));
        }
        for (sort, demand) in row.demands() {
            if matches!(demand, Demand::Rules(ids) if ids.is_empty()) {
                faults.push(format!("functions.json: {name} says nothing about {sort}"));
            }
            for id in demand.ids().iter().filter(|id| !ids.contains(id.as_str())) {
                faults.push(format!(
                    "functions.json: {name} names {id} ({sort}), which the rule book does not have"
                ));
            }
        }
        if row.kind == Kind::Import {
            let module = interface.imports.get(name).map(|import| &*import.module);
            let stem = module.and_then(|module| module.split('.').next());
            if stem.is_some_and(|stem| stem != row.module) {
                faults.push(format!(
                    "functions.json: {name} is an import from {}, not from {}",
                    module.unwrap_or_default(),
                    row.module
                ));
            }
        }
        match &row.page {
            Some(page) if !is_known(page, row, interface, pages) => faults.push(format!(
                "functions.json: {name} names the page {page}, which is none of a declared function \
                 and not in pages.json"
            )),
            None if row.kind != Kind::Compiler => {
                faults.push(format!("functions.json: {name} has no page"));
            }
            _ => {}
        }
    }
    let missing = |what: &str, callback: bool, all: &BTreeMap<String, BTreeSet<String>>| {
        all.iter()
            .filter(|(name, _)| !there.contains(&(callback, name.as_str())))
            .map(|(name, files)| {
                let files: Vec<_> = files.iter().map(String::as_str).collect();
                format!(
                    "{name}: {what} by {}, and xtask/data/functions.json has no row for it: read its \
                     page, and give its demands rows in the rule book",
                    files.join(", ")
                )
            })
            .collect::<Vec<_>>()
    };
    faults.extend(missing("called", false, &used.functions));
    faults.extend(missing("registered", true, &used.callbacks));
    faults
}

/// Is there such a page, as far as names tell?
fn is_known(page: &str, row: &Row, interface: &Interface, pages: &Pages) -> bool {
    let Some((header, item)) = crate::pages::reference_of(page) else {
        return pages.address(page).is_some();
    };
    HEADERS.contains(&header) && (item.eq_ignore_ascii_case(&row.name) || interface.declares(item))
}

/// The page docs/functions.md.
pub fn render(rows: &[Row], used: &Used, pages: &Pages) -> String {
    let mut text = String::from(
        "<!-- Generated by `cargo xtask rules` from xtask/data/functions.json and the sources. -->\n\
         # Functions and callbacks, and the pages that were read for them\n\n\
         Each function that an image made with these crates imports, and each callback that it registers, has a\n\
         reference page of Microsoft's, which was read. What the page demands is in the [rule book](rules.md); these\n\
         tables say where: what it demands of the **level** (IRQL), of **handles** and other arguments and results, of\n\
         **order** (with once, state, concurrency), of the **lifetime** and ownership of memory and objects, and which\n\
         **kind of driver** may call it. A dash says that the page demands nothing of the sort. `cargo xtask explain ID`\n\
         tells about a rule. A function that is called and has no row fails `cargo xtask rules`.\n",
    );
    for (kind, title, by) in Kind::ALL {
        let mut chosen: Vec<_> = rows.iter().filter(|row| row.kind == kind).collect();
        chosen.sort_by_key(|row| &row.name);
        let _ = write!(
            text,
            "\n## {title}\n\n| name | module | page | level | handles | order | lifetime | kind of driver | {by} |\n\
             |---|---|---|---|---|---|---|---|---|\n"
        );
        for row in chosen {
            let users = match kind {
                Kind::Callback => used.callbacks.get(&row.name),
                _ => used.functions.get(&row.name),
            };
            let users = users.map_or_else(|| "nobody today".to_owned(), crate::rules_scan::links);
            let demands = row.demands().map(|(_, demand)| match demand.ids() {
                [] => "–".to_owned(),
                ids => ids.join(" "),
            });
            let _ = writeln!(
                text,
                "| {} | {} | {} | {} | {users} |",
                row.name,
                row.module,
                page(row.page.as_deref(), pages),
                demands.join(" | ")
            );
        }
    }
    let count = |kind| rows.iter().filter(|row| row.kind == kind).count();
    let read: BTreeSet<_> = rows.iter().filter_map(|row| row.page.as_ref()).collect();
    let cited: BTreeSet<_> = rows
        .iter()
        .flat_map(|row| row.demands())
        .flat_map(|(_, demand)| demand.ids())
        .collect();
    let _ = write!(
        text,
        "\n## Totals\n\n| imports | inline functions | callbacks | pages | rules that they lead to |\n\
         |---|---|---|---|---|\n| {} | {} | {} | {} | {} |\n",
        count(Kind::Import) + count(Kind::Compiler),
        count(Kind::Inline),
        count(Kind::Callback),
        read.len(),
        cited.len()
    );
    text
}

/// A link to a page, by its file's name.
pub fn page(file: Option<&str>, pages: &Pages) -> String {
    let Some(file) = file else {
        return "none: C defines it".to_owned();
    };
    let stem = file.trim_end_matches(".md");
    pages
        .address(file)
        .map_or_else(|| stem.to_owned(), |address| format!("[{stem}]({address})"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{rules_calls, workspace};
    use std::sync::LazyLock;

    /// The tree and the data, read once for all tests.
    struct Tree {
        book: Vec<Rule>,
        interface: Interface,
        used: Used,
        pages: Pages,
    }

    static TREE: LazyLock<Tree> = LazyLock::new(|| {
        let interface = Interface::read(&workspace::root()).expect("it is read");
        let used = rules_calls::scan(&workspace::root(), &interface).expect("it is scanned");
        Tree {
            book: rule_book::book().expect("the book parses"),
            interface,
            used,
            pages: Pages::new([]).expect("the pages parse"),
        }
    });

    fn faults_of(rows: &[Row]) -> Vec<String> {
        let tree = &*TREE;
        faults(rows, &tree.book, &tree.interface, &tree.used, &tree.pages)
    }

    fn row(name: &str, page: &str, id: &str) -> Row {
        let row = format!(
            "{{\"name\": \"{name}\", \"kind\": \"import\", \"module\": \"ndis\", \"page\": \"{page}\", \
             \"level\": [\"{id}\"], \"handles\": \"none\", \"order\": \"none\", \"lifetime\": \"none\", \
             \"driver\": \"none\"}}"
        );
        serde_json::from_str(&row).expect("a row")
    }

    #[test]
    fn the_table_is_whole() {
        assert_eq!(
            faults_of(&rows().expect("the table parses")),
            Vec::<String>::new()
        );
    }

    #[test]
    fn a_missing_row_is_found() {
        let all = rows().expect("the table parses");
        for gone in [
            "NdisMSleep",
            "NdisCmMakeCallComplete",
            "NDIS_TIMER_FUNCTION",
            "memcpy",
        ] {
            let mut rows: Vec<Row> = rows().expect("the table parses");
            rows.retain(|row| row.name != gone);
            assert_eq!(rows.len() + 1, all.len());
            let faults = faults_of(&rows);
            assert!(
                faults.len() == 1 && faults[0].starts_with(gone),
                "{faults:?}"
            );
        }
    }

    #[test]
    fn a_row_is_held_to_what_it_names() {
        let with = |row: Row| {
            let mut rows = rows().expect("the table parses");
            rows.push(row);
            faults_of(&rows)
        };
        let sole = |row: Row, wanted: &str| {
            let faults = with(row);
            assert!(
                faults.len() == 1 && faults[0].contains(wanted),
                "{faults:?}"
            );
        };
        assert_eq!(
            with(row(
                "NdisSendNetBufferLists",
                "nf-ndis-ndissendnetbufferlists.md",
                "AF-01"
            )),
            Vec::<String>::new()
        );
        sole(
            row(
                "NdisSendNetBufferLists",
                "nf-ndis-ndissendnetbufferlists.md",
                "AF-999",
            ),
            "AF-999",
        );
        sole(
            row(
                "NdisSendNetBufferLists",
                "nf-ndis-nosuchfunction.md",
                "AF-01",
            ),
            "nosuchfunction",
        );
        sole(
            row("NdisSendNetBufferLists", "no-such-page.md", "AF-01"),
            "no-such-page",
        );
        sole(row("NdisMSleep", "nf-ndis-ndismsleep.md", "AF-01"), "twice");
        sole(
            row("KeInitializeEvent", "nf-wdm-keinitializeevent.md", "AF-01"),
            "ntoskrnl.exe",
        );
        let wrong = "{\"name\": \"X\", \"level\": \"nothing\"}";
        assert!(serde_json::from_str::<Row>(wrong).is_err());
    }
}
