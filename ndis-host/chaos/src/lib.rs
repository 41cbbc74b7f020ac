//! A random driver test, `cargo xtask chaos`.
//!
//! Drivers without a line of unsafe code do at every step one of the things that the
//! safe layer lets them do, whether it makes sense or not: accept, refuse, answer
//! later from anywhere or drop the token, hang up inside any handler, drop references
//! under locks, keep them, fail. There are four [casts](Cast) of them: clients above a
//! miniport call manager; clients above a call manager that stands alone, with signaling
//! VCs of its own, above a connection-oriented miniport that is none; and, above such a
//! miniport, drivers that are clients and call managers at once, each other's peers; and such a
//! driver between a miniport call manager and a client, with VCs that are joined.
//! Around them the host pauses, removes and unloads, under a random schedule, random
//! readings and with failures at random; in some runs devices lose their power.
//!
//! Whatever they do, these must hold:
//!
//! - the host's report is clean: no rule broken, nothing left over, nobody stuck;
//! - each context is dropped once, and before the unload of its driver returns;
//! - what a handler is lent stays what it is (freed memory shows a pattern);
//! - once the end of a call was announced, no second announcement and no data
//!   succeed (CALL-61, CALL-63), nor data once a VC's deactivation was asked for (VC-50);
//! - each signaling VC is told to be active at most once, and ends once;
//! - what one side gives as a failure, the other does not see as anything else;
//! - every frame arrives whole, in order, and comes home once, with its status;
//! - every request is answered once, and the run ends.
//!
//! All chance comes from one seed: the same seed is the same run.

#![deny(missing_docs, unsafe_code)]

mod act;
mod actor;
mod agents;
mod alone;
mod asked;
mod asking;
mod both;
mod bound;
mod carrier;
mod client;
mod client_handlers;
mod client_saps;
mod device;
mod driver;
mod frame;
mod handlers;
#[allow(unsafe_code)]
mod harness;
mod indications;
mod lent;
mod link;
mod loading;
mod manager;
mod mcm;
mod oids;
mod phone;
mod power;
mod program;
mod readings;
mod rng;
mod settings;
mod stash;
mod told;
mod turns;
mod world;

use std::io::Write as _;

pub use act::{ACTS, Act};

/// The status of a shell for a program whose reader has gone: 128 and the number of SIGPIPE.
const READER_GONE: i32 = 141;

/// Says a line on the standard output. When nobody reads any more the process ends: its runs are of
/// no use then, and a panic would be taken for a finding.
pub fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    if writeln!(out, "{text}").and_then(|()| out.flush()).is_err() {
        std::process::exit(READER_GONE);
    }
}

/// Which drivers are beneath the clients.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cast {
    /// A miniport call manager.
    Mcm,
    /// A call manager that stands alone, above a connection-oriented miniport.
    Alone,
    /// A miniport call manager, and a driver of both roles between it and a client: it joins the
    /// VCs of its own to those from beneath.
    Joined,
    /// No clients but the call managers: drivers of both roles, above a connection-oriented
    /// miniport.
    Both,
}

impl Cast {
    /// The cast of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "mcm" => Some(Self::Mcm),
            "alone" => Some(Self::Alone),
            "both" => Some(Self::Both),
            "joined" => Some(Self::Joined),
            _ => None,
        }
    }

    /// The cast of a seed: of eight seeds two have the call manager that stands alone, one has the
    /// drivers of both roles, and one the VCs that are joined.
    #[must_use]
    pub fn of(seed: u64) -> Self {
        match seed % 8 {
            3 | 7 => Self::Alone,
            5 => Self::Both,
            1 => Self::Joined,
            _ => Self::Mcm,
        }
    }
}

/// How a run is made.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The cast, whatever the seed's own is.
    pub cast: Option<Cast>,
    /// Acts that are left out.
    pub without: Vec<Act>,
    /// Print each step, and the host's events.
    pub verbose: bool,
    /// Take the fingerprint of the host's events.
    pub digest: bool,
}

/// What came of a run.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Its seed.
    pub seed: u64,
    /// What is wrong; nothing, for a good run.
    pub findings: Vec<String>,
    /// How often each act was done, in the order of [`Act::ALL`].
    pub counts: [u32; ACTS],
    /// How many events the host saw.
    pub events: u64,
    /// The fingerprint of these events, when [`Options::digest`] asks for it: two builds
    /// of the host that should behave the same have the same ones.
    pub digest: Option<u64>,
}

/// Makes the run of this seed.
#[must_use]
pub fn run(seed: u64, options: &Options) -> Outcome {
    harness::run(seed, options)
}
