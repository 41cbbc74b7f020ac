//! From the bytes of an INF to its text. Windows takes UTF-16 with a mark, and
//! everything else in the code page of the system
//! (general-guidelines-for-inf-files.md); so no file is refused here because
//! of its encoding: what is doubtful is one finding, and the rest is checked.

use super::finding::{Finding, Rule, Severity};

/// The text, and what is to say of how it was encoded.
pub(super) fn decode(bytes: &[u8]) -> (String, Option<Finding>) {
    match bytes {
        [0xFF, 0xFE, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xFE, 0xFF, rest @ ..] => {
            let message = "UTF-16 with the high byte first: Windows reads the low byte first";
            let finding = Finding::new(1, Rule::Encoding, message).with(Severity::Error);
            (utf16(rest, u16::from_be_bytes).0, Some(finding))
        }
        [0xEF, 0xBB, 0xBF, rest @ ..] => {
            let message = "UTF-8 with a mark: InfVerif takes UTF-16 and code pages only";
            let finding = Finding::new(1, Rule::Encoding, message);
            (String::from_utf8_lossy(rest).into_owned(), Some(finding))
        }
        // A code page has one byte for each of its letters, mostly; which ones is of no account
        // here, for nothing that is checked depends on them.
        _ => {
            let text = match std::str::from_utf8(bytes) {
                Ok(text) => text.to_owned(),
                Err(_) => bytes.iter().map(|byte| char::from(*byte)).collect(),
            };
            let finding = first_letter(&text);
            (text, finding)
        }
    }
}

/// Of a text without a mark: the first line with a letter that depends on the
/// system's code page. In a comment it does no harm.
pub(super) fn first_letter(text: &str) -> Option<Finding> {
    let foreign = |part: &str| part.chars().find(|letter| !letter.is_ascii());
    let mut comment = None;
    for (line, number) in text.lines().zip(1..) {
        let Some(letter) = foreign(line) else {
            continue;
        };
        let message = format!(
            "{letter:?} is not ASCII: without a mark of UTF-16 the system's code page says what it is"
        );
        let finding = Finding::new(number, Rule::Encoding, message);
        if !line.trim_start().starts_with(';') {
            return Some(finding);
        }
        comment.get_or_insert(finding.with(Severity::Hint));
    }
    comment
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> (String, Option<Finding>) {
    let (pairs, rest) = bytes.as_chunks();
    let units: Vec<_> = pairs.iter().map(|pair| unit(*pair)).collect();
    let whole = String::from_utf16(&units).is_ok() && rest.is_empty();
    let text = String::from_utf16_lossy(&units);
    let finding = (!whole).then(|| {
        let broken = text.lines().position(|line| line.contains('\u{FFFD}'));
        let line = 1 + broken.unwrap_or(text.lines().count().saturating_sub(1));
        Finding::new(line, Rule::Encoding, "not sound UTF-16")
    });
    (text, finding)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(bytes: &[u8]) -> Option<(usize, Severity)> {
        decode(bytes).1.map(|finding| {
            assert_eq!(finding.rule(), Rule::Encoding);
            (finding.line(), finding.severity())
        })
    }

    fn utf16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(bytes).collect()
    }

    #[test]
    fn what_every_system_reads_alike_is_fine() {
        assert_eq!(found(b"[A]\r\nb = c\r\n"), None);
        let marked = utf16("\u{FEFF}[A]\nb = \"ü\"\n", u16::to_le_bytes);
        assert_eq!(found(&marked), None);
        assert_eq!(decode(&marked).0, "[A]\nb = \"ü\"\n");
    }

    #[test]
    fn what_depends_on_the_code_page_is_one_finding() {
        assert_eq!(found(b"; \xA9\n; \xA9\n"), Some((1, Severity::Hint)));
        let entry = b"; \xA9 M\n[A]\nb = \xFC\nc = \xFC\n";
        assert_eq!(found(entry), Some((3, Severity::Warning)));
        assert_eq!(decode(entry).0.lines().nth(2), Some("b = \u{FC}"));
        assert_eq!(
            found("[A]\nb = ü\n".as_bytes()),
            Some((2, Severity::Warning))
        );
        assert_eq!(found(b"\xEF\xBB\xBF[A]\n"), Some((1, Severity::Warning)));
        assert_eq!(decode(b"\xEF\xBB\xBF[A]\n").0, "[A]\n");
    }

    #[test]
    fn what_windows_cannot_read_is_read_nevertheless() {
        let swapped = utf16("\u{FEFF}[A]\n", u16::to_be_bytes);
        assert_eq!(found(&swapped), Some((1, Severity::Error)));
        assert_eq!(decode(&swapped).0, "[A]\n");
        let mut cut = utf16("\u{FEFF}[A]\nb", u16::to_le_bytes);
        cut.push(b'=');
        assert_eq!(found(&cut), Some((2, Severity::Warning)));
        let mut half = utf16("\u{FEFF}[A]\nb=", u16::to_le_bytes);
        half.extend([0, 0xD8]);
        half.extend(utf16("\nc\n", u16::to_le_bytes));
        assert_eq!(found(&half), Some((2, Severity::Warning)));
    }
}
