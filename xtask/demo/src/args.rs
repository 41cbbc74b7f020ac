//! What is asked of the demo.
//!
//! Read with a small crate: one that derives a parser takes longer to build than the demo itself.

use std::{ffi::OsString, path::PathBuf};

use lexopt::{Arg, Parser, ValueExt as _};

/// What `--help` says.
pub const HELP: &str = "\
Run the example drivers: calls, real bytes, an account of it all.

A call manager and two clients are loaded into this process. One client calls the
other, frames go there and come back and are compared at both ends, everything is
taken down. The life of one call is told, then the figures of the whole run. The exit
code is not 0 when a rule was broken, a byte differs or an object is left over.

Usage: cargo xtask demo [OPTIONS]

Options:
      --calls <NUMBER>   How many calls are up at the same time [default: 2]
      --frames <NUMBER>  How many frames each call carries [default: 4]
      --send <FILE>      Carry this file's bytes over one call, in place of made-up frames
      --topology <NAME>  What is beneath the clients [default: switch]
                           switch  one adapter, whose miniport sets calls up itself
                           alone   two adapters joined by a link, and a stand-alone
                                   call manager that sets calls up over it
      --seed <NUMBER>    Decides the order of everything: the same seed gives the same
                         run [default: 1]
      --json <FILE>      Write the figures as JSON
      --svg <FILE>       Draw one call as a sequence chart
  -h, --help             Say this
";

/// What to carry, and where to put the accounts.
#[derive(Debug, PartialEq, Eq)]
pub struct Args {
    pub load: Load,
    pub topology: Topology,
    pub seed: u64,
    pub json: Option<PathBuf>,
    pub svg: Option<PathBuf>,
}

/// What the calls carry.
#[derive(Debug, PartialEq, Eq)]
pub enum Load {
    Made { calls: u32, frames: u32 },
    File(PathBuf),
}

/// What is beneath the clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topology {
    /// A miniport call manager, on one adapter.
    Switch,
    /// A stand-alone call manager, on two adapters of a miniport that is none.
    Alone,
}

impl Topology {
    fn read(name: &str) -> Result<Self, lexopt::Error> {
        match name {
            "switch" => Ok(Self::Switch),
            "alone" => Ok(Self::Alone),
            other => Err(format!("--topology {other}: it is `switch` or `alone`").into()),
        }
    }
}

impl Args {
    /// Reads the words of a command line; `None` asks for help.
    pub fn read(words: impl IntoIterator<Item = OsString>) -> Result<Option<Self>, lexopt::Error> {
        let (mut calls, mut frames, mut send) = (None, None, None);
        let (mut seed, mut json, mut svg) = (1, None, None);
        let mut topology = Topology::Switch;
        let mut parser = Parser::from_args(words);
        while let Some(arg) = parser.next()? {
            match arg {
                Arg::Short('h') | Arg::Long("help") => return Ok(None),
                Arg::Long("calls") => calls = Some(at_least_one("--calls", &mut parser)?),
                Arg::Long("frames") => frames = Some(at_least_one("--frames", &mut parser)?),
                Arg::Long("send") => send = Some(PathBuf::from(parser.value()?)),
                Arg::Long("topology") => topology = Topology::read(&parser.value()?.string()?)?,
                Arg::Long("seed") => seed = parser.value()?.parse()?,
                Arg::Long("json") => json = Some(PathBuf::from(parser.value()?)),
                Arg::Long("svg") => svg = Some(PathBuf::from(parser.value()?)),
                other => return Err(other.unexpected()),
            }
        }
        let load = match send {
            Some(_) if calls.is_some() || frames.is_some() => {
                return Err(
                    "--send says what is carried: it cannot be used with --calls or --frames"
                        .into(),
                );
            }
            Some(file) => Load::File(file),
            None => Load::Made {
                calls: calls.unwrap_or(2),
                frames: frames.unwrap_or(4),
            },
        };
        if json.is_some() && json == svg {
            return Err("--json and --svg name the same file".into());
        }
        Ok(Some(Self {
            load,
            topology,
            seed,
            json,
            svg,
        }))
    }
}

fn at_least_one(option: &str, parser: &mut Parser) -> Result<u32, lexopt::Error> {
    match parser.value()?.parse()? {
        0 => Err(format!("{option} 0: there must be one at least").into()),
        number => Ok(number),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Option<Args>, String> {
        Args::read(line.split_whitespace().map(OsString::from)).map_err(|error| error.to_string())
    }

    #[test]
    fn without_options_two_calls_of_four_frames() {
        let args = read("").unwrap().unwrap();
        let load = Load::Made {
            calls: 2,
            frames: 4,
        };
        assert_eq!((args.load, args.seed), (load, 1));
        assert_eq!(args.topology, Topology::Switch);
    }

    #[test]
    fn every_option_is_heard() {
        let args = read("--calls 3 --frames=5 --topology alone --seed 9 --json a --svg b");
        let load = Load::Made {
            calls: 3,
            frames: 5,
        };
        let expected = Args {
            load,
            topology: Topology::Alone,
            seed: 9,
            json: Some("a".into()),
            svg: Some("b".into()),
        };
        assert_eq!(args.unwrap().unwrap(), expected);
        let file = read("--send x").unwrap().unwrap().load;
        assert_eq!(file, Load::File("x".into()));
        assert_eq!(read("--calls 3 -h").unwrap(), None);
    }

    #[test]
    fn every_option_is_in_the_help() {
        for option in [
            "calls", "frames", "send", "topology", "seed", "json", "svg", "help",
        ] {
            assert!(HELP.contains(&format!(" --{option} ")), "{option}");
        }
    }

    #[test]
    fn what_cannot_be_is_refused() {
        for line in [
            "--calls 0",
            "--frames 0",
            "--frames many",
            "--calls 4294967296",
            "--seed -1",
            "--seed",
            "--send x --calls 2",
            "--json a --svg a",
            "--topology",
            "--topology star",
            "--no-such-option x",
            "x",
        ] {
            assert!(read(line).is_err(), "{line}");
        }
    }
}
