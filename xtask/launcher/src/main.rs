//! `cargo xtask`: builds the package that has the command, in sight, and runs it.
//!
//! The alias in `.cargo/config.toml` has to say `--quiet`, or every command would begin with cargo's
//! own lines. Quiet, cargo does not show that it compiles either, and the commands need a minute of
//! that on a fresh clone. So what the alias runs is this: a program of the standard library alone,
//! there in half a second, that says what is going on and lets cargo show the rest.
//!
//! It also keeps what the demo needs apart from what the other commands need: `cargo xtask demo` builds
//! the host, the examples and nothing else.

#![forbid(unsafe_code)]

use std::{
    env,
    ffi::OsString,
    process::{Command, ExitCode},
};

/// The command that has a package and a profile of its own.
const DEMO: &str = "demo";

/// Topologies of the demo whose drivers are built for those alone who name them.
const MORE: [&str; 2] = ["switch", "alone"];

fn main() -> ExitCode {
    let args: Vec<OsString> = env::args_os().skip(1).collect();
    let (what, args) = match args.split_first() {
        Some((first, rest)) if first == DEMO => {
            eprintln!("demo: building what is not built yet of the host and the example drivers");
            let mut what = vec!["--profile", DEMO, "--package", "xtask-demo"];
            if !rest.iter().any(names_more) {
                what.push("--no-default-features");
            }
            (what, rest)
        }
        _ => (vec!["--package", "xtask"], &args[..]),
    };
    // Seen, and apart from the run: what a command prints comes after what cargo prints.
    let built = cargo(&[&["build"], &what[..]].concat(), &[]);
    if built != Some(0) {
        return exit(built);
    }
    exit(cargo(
        &[&["run", "--quiet"], &what[..], &["--"]].concat(),
        args,
    ))
}

/// Whether a word of the demo's names one of them. (Another word that ends so has more built than it needs.)
fn names_more(word: &OsString) -> bool {
    let word = word.to_string_lossy();
    MORE.iter().any(|name| word.ends_with(name))
}

/// Runs the cargo that started this program; gives its exit code.
fn cargo(words: &[&str], args: &[OsString]) -> Option<i32> {
    let program = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    match Command::new(&program).args(words).args(args).status() {
        Ok(status) => status.code(),
        Err(error) => {
            eprintln!("error: cannot start {}: {error}", program.display());
            None
        }
    }
}

/// The same exit code. (None: the command could not be started, or a signal ended it.)
fn exit(code: Option<i32>) -> ExitCode {
    code.and_then(|code| u8::try_from(code).ok())
        .map_or(ExitCode::FAILURE, ExitCode::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_names_another_topology_gets_its_drivers() {
        let names = |word: &str| names_more(&OsString::from(word));
        assert!(names("switch") && names("--topology=alone"));
        assert!(!names("wan") && !names("--topology"));
    }
}
