//! The links in one file's comments.

use std::collections::BTreeSet;

use crate::{pages::Pages, rules_scan::is_id};

/// Where the documentation of Windows drivers is.
const MICROSOFT: &str = "https://learn.microsoft.com/windows-hardware/drivers/";

/// What can be linked to.
pub struct Linker<'a> {
    pub ids: BTreeSet<&'a str>,
    pub sections: Vec<&'a str>,
    pub pages: &'a Pages,
    /// The module that has the rules, as a path in the crate.
    pub target: &'static str,
}

/// A line, counted from one, and what is wrong there.
pub type Fault = (usize, String);

/// What is open at the end of a part of a comment.
#[derive(Default)]
struct Open {
    /// Is it in a block of code?
    fenced: bool,
    /// Rules that are named and not yet defined.
    rules: BTreeSet<String>,
}

impl Linker<'_> {
    /// The file `text` with links in those of its comments that are on `lines`, and its faults.
    pub fn file(&self, text: &str, lines: &BTreeSet<usize>) -> (String, Vec<Fault>) {
        let all: Vec<&str> = text.lines().collect();
        let mut out: Vec<String> = Vec::with_capacity(all.len());
        let mut faults = Vec::new();
        let mut open = Open::default();
        let mut at = 0;
        while let Some(line) = all.get(at) {
            let Some(mark) = mark(line).filter(|_| lines.contains(&(at + 1))) else {
                // Over an attribute the comment goes on: it may be the code of an example.
                if !line.trim_start().starts_with('#') {
                    open = Open::default();
                }
                out.push((*line).to_owned());
                at += 1;
                continue;
            };
            let rest = all.get(at..).unwrap_or_default();
            let comment: Vec<&str> = rest
                .iter()
                .map_while(|line| line.strip_prefix(mark))
                .collect();
            let (linked, wrong) = self.comment(&comment, &mut open);
            faults.extend(wrong.into_iter().map(|(line, fault)| (at + line, fault)));
            out.extend(linked.iter().map(|line| format!("{mark}{line}")));
            at += comment.len();
        }
        let mut linked = out.join("\n");
        if text.ends_with('\n') {
            linked.push('\n');
        }
        (linked, faults)
    }

    /// A comment, without its marks.
    fn comment(&self, lines: &[&str], open: &mut Open) -> (Vec<String>, Vec<Fault>) {
        let mut faults = Vec::new();
        let mut text: Vec<String> = Vec::new();
        let mut removed = false;
        for (number, line) in (1..).zip(lines) {
            if line.trim_start().starts_with("```") {
                open.fenced = !open.fenced;
            }
            if open.fenced {
                text.push((*line).to_owned());
            } else if self.is_own_definition(line) {
                removed = true;
            } else {
                let start = text.last().is_none_or(|line| line.trim().is_empty());
                let mut wrong = self.wrong_address(line);
                if names_a_flow(line) {
                    wrong.push("a flow is named, and no page tells about flows".to_owned());
                }
                let linked = self.line(line, start, &mut open.rules, &mut wrong);
                text.extend(one_page_a_line(&linked));
                faults.extend(wrong.into_iter().map(|fault| (number, fault)));
            }
        }
        while removed && text.len() > 1 && text.last().is_some_and(|line| line.trim().is_empty()) {
            text.pop();
        }
        if !open.rules.is_empty() && !open.fenced {
            if text.last().is_none_or(|line| definition(line).is_none()) {
                text.push(String::new());
            }
            let rules = std::mem::take(&mut open.rules);
            text.extend(
                rules
                    .iter()
                    .map(|id| format!(" [{id}]: {}#{id}", self.target)),
            );
        }
        (text, faults)
    }

    /// Does the line say where a rule is? They are all made anew.
    fn is_own_definition(&self, line: &str) -> bool {
        definition(line)
            .is_some_and(|(label, target)| self.ids.contains(label) && target.contains("rules#"))
    }

    /// Addresses in Microsoft's documentation that are none of a page that is known here.
    fn wrong_address(&self, line: &str) -> Vec<String> {
        let addresses = line.match_indices(MICROSOFT).filter_map(|(at, _)| {
            let rest = line.get(at..)?;
            let end = rest.find([')', '>', ' ']).unwrap_or(rest.len());
            rest.get(..end)
        });
        addresses
            .filter(|address| {
                let name = address.rsplit('/').next().unwrap_or_default();
                self.pages.address(&format!("{name}.md")).as_deref() != Some(address)
            })
            .map(|address| format!("{address}: no page that xtask/data/pages.json knows"))
            .collect()
    }

    /// One line of text with its references. `start`: is it the first of a paragraph?
    fn line(
        &self,
        line: &str,
        start: bool,
        rules: &mut BTreeSet<String>,
        faults: &mut Vec<String>,
    ) -> String {
        let mut out = String::with_capacity(line.len());
        let mut depth = 0_usize;
        let mut rest = line;
        while let Some(c) = rest.chars().next() {
            if c == '`' {
                let (code, after) = code_span(rest);
                let content = code.trim_matches('`');
                match self.pages.link(&format!("{content}.md")) {
                    Some((label, address)) if depth == 0 => {
                        out.push_str(&format!("[{label}]({address})"));
                    }
                    _ => out.push_str(code),
                }
                rest = after;
            } else if is_part(c) {
                let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
                let (word, after) = rest.split_at(end);
                if !is_id(word) {
                    out.push_str(word);
                } else if self.ids.contains(word) {
                    self.id(word, (line, after, start), depth, &mut out, rules);
                } else {
                    let section = word.split('-').next().unwrap_or_default();
                    if self.sections.contains(&section) {
                        faults.push(format!("{word}: there is no such rule"));
                    }
                    out.push_str(word);
                }
                rest = after;
            } else {
                match c {
                    '[' => depth += 1,
                    ']' => depth = depth.saturating_sub(1),
                    _ => {}
                }
                out.push(c);
                rest = rest.get(c.len_utf8()..).unwrap_or_default();
            }
        }
        out
    }

    /// Puts the rule `id` into `out`, where the text goes on with `after`.
    fn id(
        &self,
        id: &str,
        (line, after, start): (&str, &str, bool),
        depth: usize,
        out: &mut String,
        rules: &mut BTreeSet<String>,
    ) {
        // In an address it is the place, and needs no link.
        if out.ends_with('#') || out.ends_with("](") {
            out.push_str(id);
        } else if depth > 0 {
            if out.ends_with('[') && after.starts_with(']') && !after.starts_with("](") {
                rules.insert(id.to_owned());
            }
            out.push_str(id);
        } else {
            out.push_str(&format!("[{id}]"));
            // At the head of a paragraph this would be a definition.
            if start && line.trim_start().starts_with(id) && after.starts_with(':') {
                out.push('\\');
            }
            rules.insert(id.to_owned());
        }
    }
}

/// What a line of a documentation comment begins with, its indentation too.
fn mark(line: &str) -> Option<&str> {
    let text = line.trim_start();
    let indent = line.len() - text.len();
    let outer = text.starts_with("///") && !text.starts_with("////");
    (outer || text.starts_with("//!")).then(|| line.get(..indent + 3))?
}

/// The span of code that `text` begins with, and what follows.
fn code_span(text: &str) -> (&str, &str) {
    let ticks = text.find(|c| c != '`').unwrap_or(text.len());
    let (fence, inside) = text.split_at(ticks);
    match inside.find(fence) {
        Some(end) => text.split_at(ticks + end + ticks),
        // It goes on in the next line, or is none.
        None => (text, ""),
    }
}

/// A line with several links to pages, as a line for each.
fn one_page_a_line(line: &str) -> Vec<String> {
    const BETWEEN: &str = "), [`";
    let indent: String = line.chars().take_while(|c| *c == ' ').collect();
    let mut lines = Vec::new();
    let mut rest = line;
    while let Some(at) = rest.find(BETWEEN) {
        let (head, tail) = rest.split_at(at + 2);
        if !head.contains(MICROSOFT) {
            break;
        }
        lines.push(format!("{indent}{}", head.trim()));
        rest = tail;
    }
    if lines.is_empty() {
        return vec![line.to_owned()];
    }
    lines.push(format!("{indent}{}", rest.trim()));
    lines
}

/// Is there `flow l5`, as the project's own notes once had it?
fn names_a_flow(line: &str) -> bool {
    let after = line
        .match_indices("flow l")
        .filter_map(|(at, _)| line.get(at + 6..));
    after
        .into_iter()
        .any(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

/// The label and the target of a line that is a definition. (A sentence goes on with several words.)
fn definition(line: &str) -> Option<(&str, &str)> {
    let (label, target) = line.trim().strip_prefix('[')?.split_once("]: ")?;
    (!target.contains(' ')).then_some((label, target))
}

fn is_part(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '-' || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule_book;

    fn linked(text: &str) -> (String, Vec<Fault>) {
        let book = rule_book::book().expect("the data parses");
        let pages = Pages::new(["NdisClMakeCall"]).expect("the pages");
        let linker = Linker {
            ids: rule_book::ids(&book),
            sections: rule_book::sections(&book),
            pages: &pages,
            target: "ndis_sys::rules",
        };
        let lines = (1..=text.lines().count()).collect();
        let (once, faults) = linker.file(text, &lines);
        let (twice, _) = linker.file(&once, &lines);
        assert_eq!(once, twice, "a second run changes something");
        (once, faults)
    }

    const PAGE: &str =
        "https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndisclmakecall";

    #[test]
    fn ids_and_pages_become_links() {
        let (text, faults) = linked(
            "    /// Places a call (rules CALL-07 to\n    /// CALL-10, or `CALL-11` in code).\n    ///\n    \
             /// Source pages: `nf-ndis-ndisclmakecall`, `making-a-call`.\n    fn f();\n",
        );
        let concepts = "https://learn.microsoft.com/windows-hardware/drivers/network/making-a-call";
        assert_eq!(
            text,
            format!(
                "    /// Places a call (rules [CALL-07] to\n    /// [CALL-10], or `CALL-11` in code).\n    ///\n    \
                 /// Source pages: [`NdisClMakeCall`]({PAGE}), [making-a-call]({concepts}).\n    ///\n    \
                 /// [CALL-07]: ndis_sys::rules#CALL-07\n    /// [CALL-10]: ndis_sys::rules#CALL-10\n    \
                 fn f();\n"
            )
        );
        assert!(faults.is_empty());
    }

    #[test]
    fn a_definition_that_nothing_needs_goes_and_one_that_is_not_ours_stays() {
        let (text, _) = linked(
            "//! See [there].\n//!\n//! [there]: crate::there\n//! [CALL-10]: ndis_sys::rules#CALL-10\n",
        );
        assert_eq!(text, "//! See [there].\n//!\n//! [there]: crate::there\n");
    }

    #[test]
    fn an_address_is_held_to_the_page_that_it_names() {
        let (_, faults) = linked(&format!("/// See [it]({PAGE}).\n"));
        assert!(faults.is_empty(), "{faults:?}");
        let (_, faults) = linked(
            "/// See [it](https://learn.microsoft.com/windows-hardware/drivers/no-such-page).\n",
        );
        assert_eq!(faults.len(), 1);
    }

    #[test]
    fn a_comment_goes_on_over_an_attribute() {
        let text =
            "//! As CALL-10.\n//! ```\n#![doc = include_str!(\"x\")]\n//! ```\n//! As CALL-11.\n";
        assert_eq!(
            linked(text).0,
            "//! As [CALL-10].\n//! ```\n#![doc = include_str!(\"x\")]\n//! ```\n//! As [CALL-11].\n//!\n\
             //! [CALL-10]: ndis_sys::rules#CALL-10\n//! [CALL-11]: ndis_sys::rules#CALL-11\n"
        );
    }

    #[test]
    fn a_target_that_is_wrong_is_made_right() {
        let (text, _) =
            linked("/// As [CALL-10] says.\n///\n/// [CALL-10]: crate::rules#CALL-11\n");
        assert!(
            text.ends_with("\n/// [CALL-10]: ndis_sys::rules#CALL-10\n")
                && !text.contains("CALL-11"),
            "{text}"
        );
    }

    #[test]
    fn text_is_not_taken_for_a_definition_nor_code_for_text() {
        let (text, _) = linked("/// CALL-10: so it is.\n///\n/// ```\n/// // CALL-11\n/// ```\n");
        assert_eq!(
            text,
            "/// [CALL-10]\\: so it is.\n///\n/// ```\n/// // CALL-11\n/// ```\n///\n\
             /// [CALL-10]: ndis_sys::rules#CALL-10\n"
        );
    }

    #[test]
    fn a_line_that_begins_with_a_rule_and_a_colon_is_no_definition() {
        let (text, _) = linked("/// An answer? (CALL-39,\n/// CALL-61: one page says so.)\n");
        assert_eq!(
            text,
            "/// An answer? ([CALL-39],\n/// [CALL-61]: one page says so.)\n///\n\
             /// [CALL-39]: ndis_sys::rules#CALL-39\n/// [CALL-61]: ndis_sys::rules#CALL-61\n"
        );
    }

    #[test]
    fn what_is_not_there_is_a_fault() {
        let (_, faults) = linked("/// So goes flow l5, and the flow likewise.\n");
        assert!(faults.len() == 1, "{faults:?}");
        let (text, faults) = linked("/// CALL-999 and UTF-16.\n");
        assert_eq!(text, "/// CALL-999 and UTF-16.\n");
        assert!(faults.len() == 1 && faults[0].0 == 1, "{faults:?}");
    }
}
