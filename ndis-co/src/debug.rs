//! [`debug_print!`](crate::debug_print): a line for whoever debugs the driver.
//!
//! In the kernel that is a debugger, or a viewer of the debug output; under
//! `ndis-host` the lines are kept with the host's events.

use core::fmt::{self, Write};

/// Prints to the kernel debugger, like `format!` and with a line feed.
///
/// ```
/// # use ndis_host as _;
/// # fn answer(calls: u32, status: ndis_co::Status) {
/// ndis_co::debug_print!("{calls} calls, then {status:?}");
/// # }
/// ```
///
/// Any level up to DIRQL. Nothing is allocated; text goes out in pieces of
/// at most [`PIECE`] bytes, which a busy debugger may interleave with others. The
/// driver pays for the formatting in every build: guard what is called often
/// with `cfg!(debug_assertions)`. The first line brings some five kilobytes of formatting into the
/// image, a status by its name (`{status:?}`) eleven more; `{status:#010x}` is the number.
///
/// Source page: [`vDbgPrintEx`](https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-vdbgprintex). The component is
/// `DPFLTR_IHVNETWORK_ID`, the level `DPFLTR_ERROR_LEVEL`, which a debugger
/// shows without being asked.
#[macro_export]
#[doc(alias = "DbgPrint")]
#[doc(alias = "DbgPrintEx")]
#[doc(alias = "vDbgPrintEx")]
macro_rules! debug_print {
    ($($arguments:tt)*) => {
        $crate::debug::print($crate::__core::format_args!($($arguments)*))
    };
}

/// The longest piece of text that is handed to the debugger at once, in bytes.
pub const PIECE: usize = 240;

/// What [`debug_print!`](crate::debug_print) calls.
pub fn print(arguments: fmt::Arguments<'_>) {
    let mut line = Line {
        bytes: [0; PIECE + 1],
        len: 0,
    };
    // Only an argument's own `fmt` can fail; what it wrote is shown.
    let _ = line.write_fmt(arguments);
    line.push('\n');
    line.flush();
}

/// # Invariants
///
/// LINE: `len <= PIECE`; the byte behind the text is zero when it is flushed;
/// every `%` of the text is doubled, both in one piece, as all bytes of a
/// character are.
struct Line {
    bytes: [u8; PIECE + 1],
    len: usize,
}

impl Line {
    fn push(&mut self, char: char) {
        let mut utf8 = [0; 4];
        let text = match char {
            // A zero would end the text.
            '\0' => return,
            '%' => "%%",
            char => char.encode_utf8(&mut utf8),
        };
        if self.len + text.len() > PIECE {
            self.flush();
        }
        for byte in text.bytes() {
            if let Some(place) = self.bytes.get_mut(self.len) {
                *place = byte;
                self.len += 1;
            }
        }
    }

    fn flush(&mut self) {
        if let Some(end) = self.bytes.get_mut(self.len) {
            *end = 0;
        }
        // SAFETY: by LINE the text ends with a zero and has no directive, so
        // that no arguments are read; any level is right.
        unsafe {
            ndis_sys::vDbgPrintEx(
                ndis_sys::DPFLTR_IHVNETWORK_ID,
                ndis_sys::DPFLTR_ERROR_LEVEL,
                self.bytes.as_ptr().cast(),
                core::ptr::null_mut(),
            )
        };
        self.len = 0;
    }
}

impl Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.chars().for_each(|char| self.push(char));
        Ok(())
    }
}
