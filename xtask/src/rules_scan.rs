//! Finds where the tree names rules: in the names and first lines of compile-fail cases, in the
//! host's verifier, in the safe layer's comments, and in the tests.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use anyhow::Result;
use syn::{punctuated::Punctuated, visit::Visit};

use crate::{
    rule_book::{Rule, SENTENCES},
    sources,
    workspace::{self, SAFE_CRATES},
};

/// The files that name a rule, by the kind of cover they give it.
#[derive(Default, Clone)]
pub struct Cover {
    /// Cases that must not compile.
    pub compile_fail: BTreeSet<String>,
    /// Checks in the host, which name the rule in a report.
    pub host: BTreeSet<String>,
    /// Documentation and proofs in the safe layer.
    pub safe: BTreeSet<String>,
    /// Tests that name it.
    pub tests: BTreeSet<String>,
    /// Tests that break it, and expect it to be named.
    pub broken: BTreeSet<String>,
}

impl Cover {
    pub fn is_empty(&self) -> bool {
        self.compile_fail.is_empty()
            && self.host.is_empty()
            && self.safe.is_empty()
            && self.tests.is_empty()
    }
}

impl Cover {
    /// Takes in a file that the book names.
    fn guarded_by(&mut self, file: &str) {
        let files = if file.contains("/tests/ui/") {
            &mut self.compile_fail
        } else if file.contains("/tests/") {
            &mut self.tests
        } else if file.starts_with("ndis-host/") {
            &mut self.host
        } else {
            &mut self.safe
        };
        files.insert(file.to_owned());
    }
}

/// Links to the files, from the table's place; a long list is cut, its length told.
pub fn links(files: &BTreeSet<String>) -> String {
    const SHOWN: usize = 2;
    let mut cell: Vec<_> = files
        .iter()
        .take(SHOWN)
        .map(|file| {
            let name = file
                .rsplit('/')
                .next()
                .unwrap_or(file)
                .trim_end_matches(".rs");
            format!("[{name}](../{file})")
        })
        .collect();
    if files.len() > SHOWN {
        cell.push(format!("and {} more", files.len() - SHOWN));
    }
    cell.join(", ")
}

/// What a scan of the tree found.
#[derive(Default)]
pub struct Found {
    pub cover: BTreeMap<String, Cover>,
    /// Cases that are named by a rule but have no expected message beside them.
    pub without_message: Vec<String>,
    /// Files that the book says keep a rule, and that are not there.
    pub without_file: Vec<String>,
}

/// Scans the tree at `root` for what keeps the rules of the `book`.
pub fn scan(root: &Path, book: &[Rule]) -> Result<Found> {
    let mut found = Found::default();
    for krate in workspace::crate_folders(root)? {
        for path in workspace::rust_files(&krate.join("tests"))? {
            let shown = workspace::shown(root, &path);
            let text = workspace::read(&path)?;
            if !shown.contains("/tests/ui/") {
                for id in ids(&text) {
                    found.of(id).tests.insert(shown.clone());
                }
                for id in Literals::of(&sources::parse(&path)?) {
                    found.of(id).broken.insert(shown.clone());
                }
                continue;
            }
            let named = case_ids(&path, &text);
            if named.is_empty() {
                continue;
            }
            if !path.with_extension("stderr").exists() {
                found.without_message.push(shown);
                continue;
            }
            for id in named {
                found.of(id).compile_fail.insert(shown.clone());
            }
        }
    }
    for path in workspace::rust_files(&root.join("ndis-host/src"))? {
        let shown = workspace::shown(root, &path);
        if shown == SENTENCES {
            continue;
        }
        for id in Literals::of(&sources::parse(&path)?) {
            found.of(id).host.insert(shown.clone());
        }
    }
    for krate in SAFE_CRATES {
        for path in workspace::rust_files(&root.join(krate).join("src"))? {
            let shown = workspace::shown(root, &path);
            for id in workspace::read(&path)?
                .lines()
                .filter_map(comment)
                .flat_map(ids)
            {
                found.of(id).safe.insert(shown.clone());
            }
        }
    }
    for rule in book {
        for file in &rule.guards {
            if root.join(file).is_file() {
                found.of(rule.id.clone()).guarded_by(file);
            } else {
                found.without_file.push(format!("{} ({file})", rule.id));
            }
        }
    }
    Ok(found)
}

impl Found {
    fn of(&mut self, id: String) -> &mut Cover {
        self.cover.entry(id).or_default()
    }
}

/// The rules of a compile-fail case: the id that its file's name starts with, and those of a first
/// line `//! Rules: A-1, B-2`.
fn case_ids(path: &Path, text: &str) -> BTreeSet<String> {
    let stem = path
        .file_stem()
        .map(|stem| stem.to_string_lossy().to_uppercase())
        .unwrap_or_default();
    let name = stem.split('_').next().unwrap_or_default();
    let listed = text
        .lines()
        .next()
        .and_then(|line| line.strip_prefix("//! Rules:"))
        .unwrap_or_default();
    ids(name)
        .into_iter()
        .filter(|id| id == name)
        .chain(ids(listed))
        .collect()
}

/// Every word of the form `ABC-12` in `text`.
fn ids(text: &str) -> BTreeSet<String> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    text.split(|c| !is_part(c))
        .filter(|word| is_id(word))
        .map(str::to_owned)
        .collect()
}

/// A section's name in capitals, a dash, and at least two digits.
pub fn is_id(word: &str) -> bool {
    word.split_once('-').is_some_and(|(section, number)| {
        section.len() >= 2
            && section.chars().all(|c| c.is_ascii_uppercase())
            && number.len() >= 2
            && number.chars().all(|c| c.is_ascii_digit())
    })
}

/// The comment on a line, if there is one. (`//` in a string, as in an address, does no harm:
/// no rule id follows it.)
fn comment(line: &str) -> Option<&str> {
    line.find("//").and_then(|at| line.get(at..))
}

/// Collects the string literals that are a rule's id and nothing else, also inside macro calls,
/// and leaves out documentation, the messages of assertions, and what is compiled for unit tests
/// only.
#[derive(Default)]
struct Literals {
    ids: BTreeSet<String>,
}

impl Literals {
    fn of(file: &syn::File) -> BTreeSet<String> {
        let mut literals = Self::default();
        literals.visit_file(file);
        literals.ids
    }

    fn take(&mut self, text: &str) {
        if is_id(text) {
            self.ids.insert(text.to_owned());
        }
    }
}

impl<'ast> Visit<'ast> for Literals {
    fn visit_lit_str(&mut self, literal: &'ast syn::LitStr) {
        self.take(&literal.value());
    }

    fn visit_attribute(&mut self, _: &'ast syn::Attribute) {}

    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        if module.ident != "tests" {
            syn::visit::visit_item_mod(self, module);
        }
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        // A rule that is the message of an assertion is not expected to be broken there.
        if let Some(before) = message_of(call) {
            let list = Punctuated::<syn::Expr, syn::Token![,]>::parse_terminated;
            if let Ok(arguments) = call.parse_body_with(list) {
                for argument in arguments.iter().take(before) {
                    let mut inside = Self::default();
                    inside.visit_expr(argument);
                    self.ids.extend(inside.ids);
                }
                return;
            }
        }
        let all = |input: syn::parse::ParseStream<'_>| {
            let mut literals = Vec::new();
            take_literals(input, &mut literals)?;
            Ok(literals)
        };
        if let Ok(literals) = call.parse_body_with(all) {
            literals.iter().for_each(|text| self.take(text));
        }
    }
}

/// The place of the message among the arguments of an assertion.
fn message_of(call: &syn::Macro) -> Option<usize> {
    let name = call.path.segments.last()?.ident.to_string();
    match name.as_str() {
        "assert" | "debug_assert" => Some(1),
        "assert_eq" | "assert_ne" | "debug_assert_eq" | "debug_assert_ne" => Some(2),
        _ => None,
    }
}

fn take_literals(input: syn::parse::ParseStream<'_>, out: &mut Vec<String>) -> syn::Result<()> {
    while !input.is_empty() {
        if input.peek(syn::LitStr) {
            out.push(input.parse::<syn::LitStr>()?.value());
        } else if input.peek(syn::token::Paren) {
            let inside;
            syn::parenthesized!(inside in input);
            take_literals(&inside, out)?;
        } else if input.peek(syn::token::Brace) {
            let inside;
            syn::braced!(inside in input);
            take_literals(&inside, out)?;
        } else if input.peek(syn::token::Bracket) {
            let inside;
            syn::bracketed!(inside in input);
            take_literals(&inside, out)?;
        } else {
            input.step(|cursor| match cursor.token_tree() {
                Some((_, rest)) => Ok(((), rest)),
                None => Err(cursor.error("no token")),
            })?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(ids: &BTreeSet<String>) -> Vec<&str> {
        ids.iter().map(String::as_str).collect()
    }

    #[test]
    fn ids_are_whole_words() {
        assert_eq!(
            list(&ids(
                "see VC-23, (IRQL-101) and X-1, vc-23, AVC-2a, NDIS-6_8"
            )),
            ["IRQL-101", "VC-23"]
        );
    }

    #[test]
    fn a_case_is_named_by_its_file_and_its_first_line() {
        let case = |name: &str, text: &str| case_ids(Path::new(name), text);
        assert_eq!(
            list(&case("init-03_outside.rs", "//! Rules: AF-49, INIT-03\n")),
            ["AF-49", "INIT-03"]
        );
        assert_eq!(
            list(&case("pass_all.rs", "// VC-01 is elsewhere\n")),
            Vec::<&str>::new()
        );
    }

    #[test]
    fn a_guard_counts_by_where_it_is() {
        let mut cover = Cover::default();
        for file in [
            "ndis-co/src/lock.rs",
            "ndis-host/src/ke/sync.rs",
            "ndis-co/tests/locks.rs",
            "ndis-co/tests/ui/x.rs",
        ] {
            cover.guarded_by(file);
        }
        let one = |files: &BTreeSet<String>| files.len() == 1;
        assert!(one(&cover.safe) && one(&cover.host) && one(&cover.tests));
        assert!(one(&cover.compile_fail));
    }

    #[test]
    fn the_verifier_is_read_by_its_literals() {
        let file = syn::parse_file(
            "/// AF-01 in documentation\n\
             const TABLE: &[(&str, u8)] = &[(\"IRQL-10\", 2)];\n\
             fn check() { violation!(host, \"VC-23\", [\"AF-02\"]); say(\"see CALL-10\"); }\n\
             mod tests { fn t() { expect(\"CALL-11\") } }",
        )
        .expect("it parses");
        assert_eq!(list(&Literals::of(&file)), ["AF-02", "IRQL-10", "VC-23"]);
    }

    #[test]
    fn a_message_of_an_assertion_is_no_expectation() {
        let file = syn::parse_file(
            "fn t() {\n\
                 assert!(works(), \"VC-01\");\n\
                 assert_eq!(report.rules(), [\"VC-02\"], \"VC-03\");\n\
                 assert!(has(&report, &[\"VC-04\"]));\n\
             }",
        )
        .expect("it parses");
        assert_eq!(list(&Literals::of(&file)), ["VC-02", "VC-04"]);
    }
}
