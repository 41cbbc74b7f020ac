//! Lines for a person to read, on the standard output.
//!
//! `println!` panics when the reader has seen enough, as in `cargo xtask chaos | head -1`. That is no
//! fault of anybody's: a command that says its lines with [`say!`] unwinds without a word then, so that
//! what it has started is ended, and [`reader_may_go`] makes a status of it.

use std::{
    fmt,
    io::{ErrorKind, Write, stdout},
    panic::{self, UnwindSafe},
    process::ExitCode,
};

/// Says a line, with the arguments of `println!`.
macro_rules! say {
    ($($words:tt)*) => {
        $crate::say::line(format_args!($($words)*))
    };
}
pub(crate) use say;

/// The status of a shell for a program whose reader has gone: 128 and the number of SIGPIPE.
pub const READER_GONE: u8 = 141;

/// What unwinds when the reader has gone.
struct ReaderGone;

/// Writes a line.
pub fn line(words: fmt::Arguments<'_>) {
    write(&mut stdout().lock(), words);
}

fn write(to: &mut impl Write, words: fmt::Arguments<'_>) {
    match writeln!(to, "{words}").and_then(|()| to.flush()) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::BrokenPipe => reader_gone(),
        Err(error) => panic!("cannot write to the standard output: {error}"),
    }
}

/// Ends the command: nobody reads it any more.
pub fn reader_gone() -> ! {
    // Not a panic: no message.
    panic::resume_unwind(Box::new(ReaderGone))
}

/// Runs a command whose reader may go before its end.
pub fn reader_may_go(command: impl FnOnce() -> ExitCode + UnwindSafe) -> ExitCode {
    panic::catch_unwind(command).unwrap_or_else(|cause| {
        if cause.is::<ReaderGone>() {
            return ExitCode::from(READER_GONE);
        }
        panic::resume_unwind(cause)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A pipe that nobody reads.
    struct Broken;

    impl Write for Broken {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_reader_that_has_gone_ends_the_command() {
        let status = reader_may_go(|| {
            write(&mut Broken, format_args!("a line"));
            ExitCode::SUCCESS
        });
        assert_eq!(status, ExitCode::from(READER_GONE));
    }

    #[test]
    fn a_line_is_written_whole() {
        let mut text = Vec::new();
        write(&mut text, format_args!("{} runs", 3));
        assert_eq!(text, b"3 runs\n");
    }

    #[test]
    fn another_panic_stays_one() {
        let panicked = panic::catch_unwind(|| {
            reader_may_go(|| panic::resume_unwind(Box::new("of another kind")))
        });
        assert_eq!(
            panicked.unwrap_err().downcast_ref::<&str>(),
            Some(&"of another kind")
        );
    }
}
