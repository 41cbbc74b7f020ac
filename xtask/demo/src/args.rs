//! What is asked of the demo.
//!
//! Read with a small crate: one that derives a parser takes longer to build than the demo itself.

use std::{ffi::OsString, path::PathBuf};

use lexopt::{Arg, Parser, ValueExt as _};

/// What `--help` says.
pub const HELP: &str = "\
Run the example drivers: calls, real bytes, an account of it all.

A WAN miniport with two adapters is loaded into this process, beneath models of
Windows' NDPROXY and NDISWAN. Calls are dialled at one adapter and answered at the
other, frames go there and come back and are compared at both ends, the links' status
and counters are compared with what flowed, calls are hung up by the caller, the callee
and NDISWAN in turn, everything is taken down. The life of one call is told, then the
figures of the whole run. The exit code is not 0 when a rule was broken, a byte or a
counter differs or an object is left over.

Usage: cargo xtask demo [OPTIONS]

Options:
      --calls <NUMBER>   How many calls are made; with `wan` those that the lines have no
                         room for come after the others, with `switch` and `alone` all are
                         up at the same time [default: 3]
      --frames <NUMBER>  How many frames each call carries [default: 4]
      --send <FILE>      Carry this file's bytes over one call, in place of made-up frames
      --topology <NAME>  Which drivers [default: wan]
                           wan     a WAN miniport, NDPROXY and NDISWAN
                           switch  two clients above one adapter, whose miniport sets
                                   calls up itself
                           alone   two clients above two adapters joined by a link, and
                                   a stand-alone call manager that sets calls up over it
      --oids             Print what the WAN miniport answers for each OID, in place of the
                         above: by which door it was asked, the value decoded, the page
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
    /// The answers to OIDs, in place of a run.
    pub oids: bool,
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

/// Which drivers are loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topology {
    /// A WAN miniport, and models of what Windows has above one.
    Wan,
    /// Two clients.
    #[cfg(feature = "clients")]
    Clients(Below),
}

/// What is beneath the clients.
#[cfg(feature = "clients")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Below {
    /// A miniport call manager, on one adapter.
    Switch,
    /// A stand-alone call manager, on two adapters of a miniport that is none.
    Alone,
}

impl Topology {
    fn read(name: &str) -> Result<Self, lexopt::Error> {
        match name {
            "wan" => Ok(Self::Wan),
            #[cfg(feature = "clients")]
            "switch" => Ok(Self::Clients(Below::Switch)),
            #[cfg(feature = "clients")]
            "alone" => Ok(Self::Clients(Below::Alone)),
            #[cfg(not(feature = "clients"))]
            "switch" | "alone" => {
                Err(format!("--topology {name}: this program was built without its drivers").into())
            }
            other => Err(format!("--topology {other}: it is `wan`, `switch` or `alone`").into()),
        }
    }
}

impl Args {
    /// Reads the words of a command line; `None` asks for help.
    pub fn read(words: impl IntoIterator<Item = OsString>) -> Result<Option<Self>, lexopt::Error> {
        let (mut calls, mut frames, mut send) = (None, None, None);
        let (mut seed, mut json, mut svg) = (1, None, None);
        let (mut topology, mut oids) = (Topology::Wan, false);
        let mut parser = Parser::from_args(words);
        while let Some(arg) = parser.next()? {
            match arg {
                Arg::Short('h') | Arg::Long("help") => return Ok(None),
                Arg::Long("calls") => calls = Some(at_least_one("--calls", &mut parser)?),
                Arg::Long("frames") => frames = Some(at_least_one("--frames", &mut parser)?),
                Arg::Long("send") => send = Some(PathBuf::from(parser.value()?)),
                Arg::Long("topology") => topology = Topology::read(&parser.value()?.string()?)?,
                Arg::Long("oids") => oids = true,
                Arg::Long("seed") => seed = parser.value()?.parse()?,
                Arg::Long("json") => json = Some(PathBuf::from(parser.value()?)),
                Arg::Long("svg") => svg = Some(PathBuf::from(parser.value()?)),
                other => return Err(other.unexpected()),
            }
        }
        let carries = send.is_some() || calls.is_some() || frames.is_some();
        if oids && (topology != Topology::Wan || carries || json.is_some() || svg.is_some()) {
            return Err(
                "--oids asks the WAN miniport, and goes with --topology wan and --seed only".into(),
            );
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
                calls: calls.unwrap_or(3),
                frames: frames.unwrap_or(4),
            },
        };
        if json.is_some() && json == svg {
            return Err("--json and --svg name the same file".into());
        }
        Ok(Some(Self {
            load,
            topology,
            oids,
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

#[cfg(all(test, feature = "clients"))]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Option<Args>, String> {
        Args::read(line.split_whitespace().map(OsString::from)).map_err(|error| error.to_string())
    }

    #[test]
    fn without_options_three_calls_of_four_frames() {
        let args = read("").unwrap().unwrap();
        let load = Load::Made {
            calls: 3,
            frames: 4,
        };
        assert_eq!((args.load, args.seed), (load, 1));
        assert_eq!((args.topology, args.oids), (Topology::Wan, false));
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
            topology: Topology::Clients(Below::Alone),
            oids: false,
            seed: 9,
            json: Some("a".into()),
            svg: Some("b".into()),
        };
        assert_eq!(args.unwrap().unwrap(), expected);
        let file = read("--send x").unwrap().unwrap().load;
        assert_eq!(file, Load::File("x".into()));
        let topology = |line| read(line).unwrap().unwrap().topology;
        assert_eq!(
            topology("--topology switch"),
            Topology::Clients(Below::Switch)
        );
        assert!(
            read("--topology wan --oids --seed 3")
                .unwrap()
                .unwrap()
                .oids
        );
        assert_eq!(read("--calls 3 -h").unwrap(), None);
    }

    #[test]
    fn every_option_is_in_the_help() {
        for option in [
            "calls", "frames", "send", "topology", "oids", "seed", "json", "svg", "help",
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
            "--oids --topology alone",
            "--oids --calls 2",
            "--oids --svg a",
            "--no-such-option x",
            "x",
        ] {
            assert!(read(line).is_err(), "{line}");
        }
    }
}
