//! `Debug` of a hostile value: it reads all that can be read.

use std::fmt::{self, Debug, Write as _};

/// Takes text and forgets it; refuses to go on when there is too much.
struct Sink {
    left: usize,
}

impl fmt::Write for Sink {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.left = self.left.checked_sub(text.len()).ok_or(fmt::Error)?;
        Ok(())
    }
}

/// Formats `value` both ways, as far as `most` bytes of text go. A writer that
/// refuses is no more than an error.
pub fn show(value: &dyn Debug, most: usize) {
    let plain = write!(Sink { left: most }, "{value:?}");
    let pretty = write!(Sink { left: most }, "{value:#?}");
    assert!(plain.is_ok() || pretty.is_err(), "pretty text is longer");
}
