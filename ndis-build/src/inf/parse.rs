//! The syntax of INF files (general-syntax-rules-for-inf-files.md): from text
//! to sections, entries and fields, each with its line.
//!
//! What cannot be read is reported and left out; the rest is still read, so
//! that one slip does not hide the others.

use super::finding::{Finding, Rule};

/// A file's sections. Those of one name are one, as Windows has it.
#[derive(Debug, Default)]
pub(super) struct Document {
    pub(super) sections: Vec<Section>,
}

#[derive(Debug)]
pub(super) struct Section {
    /// As it is written first.
    pub(super) name: String,
    pub(super) line: usize,
    /// Where it is written again.
    pub(super) again: Vec<usize>,
    pub(super) entries: Vec<Entry>,
}

/// `key = field, field` or `field, field`.
#[derive(Debug, Default)]
pub(super) struct Entry {
    pub(super) line: usize,
    pub(super) key: Option<String>,
    /// Without quotes and blanks around them. Percent signs are as written.
    pub(super) fields: Vec<String>,
}

impl Document {
    /// The section of that name, in any case.
    pub(super) fn section(&self, name: &str) -> Option<&Section> {
        self.sections
            .iter()
            .find(|section| section.name.eq_ignore_ascii_case(name))
    }

    pub(super) fn parse(text: &str, findings: &mut Vec<Finding>) -> Self {
        let mut parser = Parser {
            document: Self::default(),
            findings,
            section: None,
        };
        let mut lines = text.lines().zip(1..);
        while let Some((line, number)) = lines.next() {
            let mut entry = Lexer::new(number);
            let mut next = Some(line);
            while let Some(line) = next {
                next = match entry.line(line) {
                    Ended::Whole => None,
                    Ended::Continued => match lines.next() {
                        Some((line, _)) => Some(line),
                        None => {
                            parser.syntax(number, "the last line is continued by none");
                            None
                        }
                    },
                    Ended::InQuotes => {
                        parser.syntax(number, "a quote is not closed on its line");
                        None
                    }
                };
            }
            parser.accept(entry.finish());
        }
        parser.document
    }
}

impl Section {
    /// The entries with that key, in any case.
    pub(super) fn all<'s>(&'s self, key: &'s str) -> impl Iterator<Item = &'s Entry> {
        self.entries.iter().filter(move |entry| entry.is(key))
    }

    /// The first entry with that key.
    pub(super) fn get(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.is(key))
    }
}

impl Entry {
    pub(super) fn is(&self, key: &str) -> bool {
        self.key
            .as_ref()
            .is_some_and(|own| own.eq_ignore_ascii_case(key))
    }

    /// A field, empty where there is none: trailing commas can be left out.
    pub(super) fn field(&self, index: usize) -> &str {
        self.fields.get(index).map_or("", String::as_str)
    }
}

/// Assembles entries to sections.
struct Parser<'f> {
    document: Document,
    findings: &'f mut Vec<Finding>,
    /// The current section's place in the document.
    section: Option<usize>,
}

impl Parser<'_> {
    fn syntax(&mut self, line: usize, message: &str) {
        self.findings
            .push(Finding::new(line, Rule::Syntax, message));
    }

    fn accept(&mut self, parsed: Parsed) {
        match parsed {
            Parsed::Nothing => {}
            Parsed::BadHeader(line) => {
                self.syntax(
                    line,
                    "a section's name is not closed by `]`, or something follows it",
                );
            }
            Parsed::Header(line, name) => {
                let known = &mut self.document.sections;
                let place = known
                    .iter()
                    .position(|section| section.name.eq_ignore_ascii_case(&name));
                self.section = Some(match place {
                    Some(place) => {
                        known[place].again.push(line);
                        place
                    }
                    None => {
                        known.push(Section {
                            name,
                            line,
                            again: Vec::new(),
                            entries: Vec::new(),
                        });
                        known.len() - 1
                    }
                });
            }
            Parsed::Entry(entry) => {
                if entry.key.as_ref().is_some_and(String::is_empty) {
                    self.syntax(entry.line, "nothing is before the `=`");
                    return;
                }
                let section = self
                    .section
                    .and_then(|at| self.document.sections.get_mut(at));
                match section {
                    Some(section) => section.entries.push(entry),
                    None => self.syntax(entry.line, "something is before the first section"),
                }
            }
        }
    }
}

/// What a line, with those that continue it, turned out to be.
enum Parsed {
    Nothing,
    Header(usize, String),
    BadHeader(usize),
    Entry(Entry),
}

/// How a physical line ended.
enum Ended {
    Whole,
    Continued,
    InQuotes,
}

/// Reads one entry, from as many physical lines as it has.
struct Lexer {
    entry: Entry,
    field: String,
    /// How much of `field` was in quotes, so that its blanks stay.
    quoted_to: usize,
    anything: bool,
    header: Option<Parsed>,
}

impl Lexer {
    fn new(line: usize) -> Self {
        Self {
            entry: Entry {
                line,
                ..Entry::default()
            },
            field: String::new(),
            quoted_to: 0,
            anything: false,
            header: None,
        }
    }

    fn line(&mut self, line: &str) -> Ended {
        if !self.anything && line.trim_start().starts_with('[') {
            self.header = Some(self.header(line));
            return Ended::Whole;
        }
        let mut letters = line.chars().peekable();
        let mut quotes = false;
        while let Some(letter) = letters.next() {
            match letter {
                '"' if quotes && letters.peek() == Some(&'"') => {
                    letters.next();
                    self.field.push('"');
                }
                '"' => {
                    quotes = !quotes;
                    self.anything = true;
                    self.quoted_to = self.field.len();
                }
                _ if quotes => self.field.push(letter),
                ';' => break,
                '\\' if only_comment(letters.clone()) => return Ended::Continued,
                ',' => self.end_field(),
                // The first one, if it is before the first comma.
                '=' if self.entry.key.is_none() && self.entry.fields.is_empty() => {
                    self.anything = true;
                    self.entry.key = Some(self.take_field());
                }
                _ if letter.is_whitespace() && self.field.is_empty() => {}
                _ => {
                    self.anything = true;
                    self.field.push(letter);
                }
            }
        }
        if quotes {
            Ended::InQuotes
        } else {
            Ended::Whole
        }
    }

    fn header(&self, line: &str) -> Parsed {
        let number = self.entry.line;
        let Some((name, rest)) = line
            .trim_start()
            .strip_prefix('[')
            .and_then(|rest| rest.split_once(']'))
        else {
            return Parsed::BadHeader(number);
        };
        let name = name.trim();
        if name.is_empty() || !only_comment(rest.chars()) {
            return Parsed::BadHeader(number);
        }
        Parsed::Header(number, name.to_owned())
    }

    fn take_field(&mut self) -> String {
        let mut field = std::mem::take(&mut self.field);
        let kept = field.trim_end().len().max(self.quoted_to);
        field.truncate(kept);
        self.quoted_to = 0;
        field
    }

    fn end_field(&mut self) {
        self.anything = true;
        let field = self.take_field();
        self.entry.fields.push(field);
    }

    fn finish(mut self) -> Parsed {
        if let Some(header) = self.header {
            return header;
        }
        if !self.anything {
            return Parsed::Nothing;
        }
        self.end_field();
        Parsed::Entry(self.entry)
    }
}

/// Whether nothing that counts is left of a line.
fn only_comment(letters: impl Iterator<Item = char>) -> bool {
    for letter in letters {
        match letter {
            ';' => return true,
            _ if letter.is_whitespace() => {}
            _ => return false,
        }
    }
    true
}

/// A piece of a text with tokens.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece<'t> {
    Plain(&'t str),
    /// `%name%`, without its percent signs.
    Token(&'t str),
    /// A percent sign without another one.
    Stray,
}

/// Takes a text apart at its tokens. A doubled percent sign is a plain one.
pub(super) fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((plain, after)) = rest.split_once('%') {
        if !plain.is_empty() {
            pieces.push(Piece::Plain(plain));
        }
        rest = match after.split_once('%') {
            Some(("", after)) => {
                pieces.push(Piece::Plain("%"));
                after
            }
            Some((token, after)) => {
                pieces.push(Piece::Token(token));
                after
            }
            None => {
                pieces.push(Piece::Stray);
                after
            }
        };
    }
    if !rest.is_empty() {
        pieces.push(Piece::Plain(rest));
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> (Document, Vec<(usize, Rule)>) {
        let mut findings = Vec::new();
        let document = Document::parse(text, &mut findings);
        let findings = findings.iter().map(|f| (f.line(), f.rule())).collect();
        (document, findings)
    }

    /// The entries of the one section of `[S]` and these lines.
    fn entries(lines: &str) -> Vec<Entry> {
        let (mut document, findings) = parse(&format!("[S]\n{lines}"));
        assert_eq!(findings, []);
        document.sections.remove(0).entries
    }

    fn fields(line: &str) -> Vec<String> {
        entries(line).remove(0).fields
    }

    #[test]
    fn keys_and_fields() {
        let entry = &entries("  Copy Files =  a b , ,c  ; not, this\r\n")[0];
        assert!(entry.is("copy files"));
        assert_eq!(entry.fields, ["a b", "", "c"]);
        assert_eq!(entry.field(7), "");
        assert_eq!(fields("HKR,,x,0,a=b"), ["HKR", "", "x", "0", "a=b"]);
        assert_eq!(fields("k = a=b"), ["a=b"]);
        assert_eq!(fields("k ="), [""]);
    }

    #[test]
    fn quotes_keep_what_is_in_them() {
        assert_eq!(fields(r#"k = " a;b,c=d\ " , e"#), [r" a;b,c=d\ ", "e"]);
        assert_eq!(
            fields(r#"k = "say ""hi""", "" , x"#),
            [r#"say "hi""#, "", "x"]
        );
        assert_eq!(fields(r#"k = "a"b "c" "#), ["ab c"]);
    }

    #[test]
    fn a_backslash_continues_a_line_only_at_its_end() {
        let entries = entries("k = a,\\\n  b \\ ; why\n , c\nl = \\d\\e, f\n");
        assert_eq!(entries[0].fields, ["a", "b", "c"]);
        assert_eq!(entries[1].fields, ["\\d\\e", "f"]);
        assert_eq!(entries[1].line, 5);
        assert_eq!(fields("k = \"Some\\\"\\\n,File"), ["Some\\", "File"]);
    }

    #[test]
    fn sections_of_one_name_are_one() {
        let (document, findings) = parse("[A] ; first\na\n[B]\nb\n[a]\nc\n");
        assert_eq!(findings, []);
        let a = document.section("A").unwrap();
        assert_eq!(a.entries.iter().map(|e| e.line).collect::<Vec<_>>(), [2, 6]);
        assert_eq!(document.sections.len(), 2);
    }

    #[test]
    fn what_cannot_be_read_is_reported_where_it_is() {
        let (document, findings) =
            parse("a = 1\n[S\n[T] x\n[]\n[U]\nk = \"open\n= v\nl = m\nlast = \\");
        let lines: Vec<_> = findings.iter().map(|(line, _)| *line).collect();
        assert_eq!(lines, [1, 2, 3, 4, 6, 7, 9]);
        assert!(findings.iter().all(|(_, rule)| *rule == Rule::Syntax));
        assert!(document.section("u").unwrap().get("L").is_some());
    }

    #[test]
    fn tokens() {
        assert_eq!(
            pieces(r"%13%\a%%b%c%"),
            [
                Piece::Token("13"),
                Piece::Plain(r"\a"),
                Piece::Plain("%"),
                Piece::Plain("b"),
                Piece::Token("c"),
            ]
        );
        assert_eq!(pieces("50%"), [Piece::Plain("50"), Piece::Stray]);
    }
}
