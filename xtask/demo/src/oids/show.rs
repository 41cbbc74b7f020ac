//! The table.

use std::{collections::BTreeMap, fmt::Write as _};

use super::{
    Row,
    ask::{Reply, Request},
    decode::decode,
    notes,
};

/// How wide the column of answers may be.
const WIDE: usize = 60;

const HEADS: [&str; 7] = [
    "OID_", "request", "asked by", "bytes", "answer", "unit", "page",
];

/// The replies as a table: a row for each answer, with the doors that give it.
pub fn table(replies: &[Reply]) -> String {
    let mut answers: BTreeMap<_, Vec<&str>> = BTreeMap::new();
    for reply in replies {
        let result = match &reply.result {
            Ok(bytes) => Ok(bytes.as_slice()),
            Err(status) => Err(status.raw()),
        };
        let doors = answers
            .entry((reply.oid, reply.request, result))
            .or_default();
        if !doors.contains(&reply.door.as_str()) {
            doors.push(&reply.door);
        }
    }
    let mut rows: Vec<[Vec<String>; HEADS.len()]> = vec![HEADS.map(|head| vec![head.to_owned()])];
    for ((oid, request, result), doors) in &answers {
        let row = Row::of(*oid);
        let name = row.map_or_else(|| format!("{oid:#010x}"), |row| row.name.to_owned());
        let answer = match (result, row) {
            (Ok(bytes), Some(row)) => decode(row, bytes),
            (Ok(bytes), None) => vec![format!("{bytes:02x?}")],
            (Err(status), _) => vec![format!("refused: {:?}", ndis_co::Status::from_raw(*status))],
        };
        let length = result.map_or_else(|_| String::new(), |bytes| bytes.len().to_string());
        let note = notes::of(*oid).map(|note| format!("note: {note}"));
        let request = match request {
            Request::Query => "query",
            Request::Set => "set",
        };
        let unit = row.map_or("", |row| row.unit);
        let page = row.map_or("", |row| row.page);
        rows.push([
            vec![name],
            vec![request.to_owned()],
            doors.iter().map(|door| (*door).to_owned()).collect(),
            vec![length],
            answer
                .iter()
                .chain(&note)
                .flat_map(|line| wrap(line))
                .collect(),
            vec![unit.to_owned()],
            vec![page.to_owned()],
        ]);
    }
    let mut text = "What wan-mcm answers. A page is \
        https://learn.microsoft.com/windows-hardware/drivers/network/ and its name; \
        fields are those of the C structures.\n\n"
        .to_owned();
    text += &aligned(&rows);
    let _ = writeln!(text, "\n{} answers", answers.len());
    text
}

/// The OIDs that no query and no set of which was answered well at one of the doors.
pub fn unanswered(replies: &[Reply]) -> Vec<String> {
    let mut well: BTreeMap<(u32, &str), bool> = BTreeMap::new();
    for reply in replies {
        *well.entry((reply.oid, &reply.door)).or_default() |= reply.result.is_ok();
    }
    let failed = well.iter().filter(|(_, is_well)| !**is_well);
    failed
        .map(|((oid, door), _)| {
            let name = Row::of(*oid).map_or("an OID without a row", |row| row.name);
            format!("{name} ({oid:#010x}) at {door}")
        })
        .collect()
}

/// A line in pieces that are not too wide.
fn wrap(line: &str) -> Vec<String> {
    let mut pieces = vec![String::new()];
    for word in line.split_inclusive(' ') {
        let piece = pieces.last().map_or(0, String::len);
        if piece > 0 && piece + word.trim_end().len() > WIDE {
            pieces.push("   ".to_owned());
        }
        if let Some(piece) = pieces.last_mut() {
            piece.push_str(word);
        }
    }
    pieces
}

/// Columns side by side.
fn aligned<const N: usize>(rows: &[[Vec<String>; N]]) -> String {
    let mut widths = [0; N];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            let widest = cell.iter().map(|line| line.trim_end().len()).max();
            *width = widest.unwrap_or(0).max(*width);
        }
    }
    let mut text = String::new();
    for row in rows {
        let height = row.iter().map(Vec::len).max().unwrap_or(0);
        for index in 0..height {
            let mut line = String::new();
            for (width, cell) in widths.iter().zip(row) {
                let part = cell.get(index).map_or("", |part| part.trim_end());
                let _ = write!(line, "{part:<width$}  ");
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndis_co::{Status, oid::number};

    fn reply(door: &str, result: Result<Vec<u8>, Status>) -> Reply {
        Reply {
            oid: number::GEN_CO_DRIVER_VERSION,
            request: Request::Query,
            door: door.to_owned(),
            result,
        }
    }

    #[test]
    fn doors_that_answer_alike_share_a_row() {
        let replies = [
            reply("A", Ok(vec![85, 6])),
            reply("B", Ok(vec![85, 6])),
            reply("C", Ok(vec![0, 7])),
        ];
        let table = table(&replies);
        assert!(table.ends_with("\n2 answers\n"), "{table}");
        assert_eq!(table.matches("6.85").count(), 1);
        assert!(table.contains("  2      6.85  "), "{table}");
        assert_eq!(table.matches("oid-gen-co-driver-version").count(), 2);
        assert!(unanswered(&replies).is_empty());
    }

    #[test]
    fn what_is_refused_everywhere_at_a_door_is_named() {
        let replies = [
            reply("A", Ok(vec![85, 6])),
            reply("B", Err(Status::NOT_SUPPORTED)),
        ];
        let named = unanswered(&replies);
        assert_eq!(named.len(), 1);
        assert!(named[0].contains("GEN_CO_DRIVER_VERSION") && named[0].ends_with("at B"));
        assert!(table(&replies).contains("refused: "));
    }

    #[test]
    fn a_long_line_is_wrapped_between_words() {
        let line = "0: ".to_owned() + &"ulField, ".repeat(20);
        let pieces = wrap(&line);
        assert!(pieces.len() > 1);
        assert!(pieces.iter().all(|piece| piece.trim_end().len() <= WIDE));
    }
}
