//! What `debug_print!` prints arrives at the debugger as it was written, in
//! however many pieces.

use ndis_co::{debug::PIECE, debug_print};
use ndis_host::Host;

/// The pieces that arrive when `text` is printed.
fn pieces(text: &str) -> Vec<String> {
    let host = Host::builder().build();
    debug_print!("{text}");
    let printed = host.printed();
    assert!(host.finish().is_clean());
    printed.into_iter().map(|printed| printed.text).collect()
}

/// The bytes that a piece takes: the debugger is handed a `%` twice.
fn size(piece: &str) -> usize {
    piece.len() + piece.matches('%').count()
}

#[test]
fn a_line_is_formatted() {
    let host = Host::builder().build();
    let calls = 3;
    host.spawn("printer", move || {
        debug_print!("{calls} calls, {:?}", Some("one"));
        debug_print!("");
    });
    host.run();
    let printed = host.printed();
    let texts: Vec<_> = printed.iter().map(|printed| &*printed.text).collect();
    assert_eq!(texts, ["3 calls, Some(\"one\")\n", "\n"]);
    assert!(printed.iter().all(|printed| &*printed.who == "printer"));
    assert!(host.finish().is_clean());
}

/// No `%` is taken for a directive, and none is lost.
#[test]
fn a_percent_sign_is_a_percent_sign() {
    for text in ["%", "%%", "%%%", "%s%n", "100 %, 50%%"] {
        assert_eq!(pieces(text), [format!("{text}\n")]);
    }
}

#[test]
fn zeroes_are_dropped() {
    assert_eq!(pieces("\0a\0\0b\0"), ["ab\n"]);
    assert_eq!(pieces("\0"), ["\n"]);
}

#[test]
fn a_long_text_arrives_whole() {
    // The line feed is the last byte of a full piece, or alone in the next one.
    for len in [PIECE - 2, PIECE - 1, PIECE, 2 * PIECE - 1, 2 * PIECE, 1000] {
        let text: String = (b'a'..=b'z').cycle().take(len).map(char::from).collect();
        let pieces = pieces(&text);
        assert_eq!(pieces.len(), (len + 1).div_ceil(PIECE), "{len}");
        let (_, full) = pieces.split_last().unwrap();
        assert!(full.iter().all(|piece| piece.len() == PIECE), "{len}");
        assert_eq!(pieces.concat(), format!("{text}\n"));
    }
}

/// A piece ends before what does not fit as a whole: a `%`, which takes two
/// bytes, or a character of several.
#[test]
fn nothing_is_cut_at_the_edge_of_a_piece() {
    for wide in ["%", "%%", "ä", "€", "𝄞"] {
        for before in PIECE - 5..PIECE + 1 {
            let text = format!("{}{wide}{}", "x".repeat(before), "y".repeat(5));
            let pieces = pieces(&text);
            assert_eq!(pieces.concat(), format!("{text}\n"), "{wide} at {before}");
            assert!(
                pieces.iter().all(|piece| size(piece) <= PIECE),
                "{pieces:?}"
            );
            assert_eq!(pieces.len(), 2);
        }
    }
    // The two bytes of the sign are the last ones that fit, or do not fit.
    assert_eq!(pieces(&format!("{:238}%", ""))[0].len(), 239);
    assert_eq!(pieces(&format!("{:239}%", ""))[0].len(), 239);
    assert_eq!(pieces(&format!("{:239}%", ""))[1], "%\n");
}
