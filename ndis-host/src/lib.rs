//! An embedded NDIS: connection-oriented network drivers run in your process,
//! the same way every time, and every rule that they break has a name.
//!
//! A CoNDIS driver is hard to test where it lives. Its call manager, its clients
//! and NDIS call each other in circles, on several processors, at two IRQLs, and
//! a mistake shows up as a blue screen on somebody else's machine. This crate
//! takes the place of `ndis.sys`: it *defines* the functions that a driver
//! imports (`NdisMCmCreateVc`, `KeAcquireSpinLockRaiseToDpc`, ...), with NDIS's
//! meaning, so that the driver itself needs no change, no mock and no `cfg`. Link
//! it into a test next to the driver, and the linker joins the two.
//!
//! # From nothing to a running driver
//!
//! A [`Host`] is one such world. Drivers are [loaded](Host::load_with) into it,
//! an [adapter](Host::add_adapter) is started, [threads](Host::spawn) make
//! things happen, [`run`](Host::run) lets them. At the end the
//! [report](Host::finish) says which rules were broken and what was left over.
//!
//! ```
//! use ndis_host::Host;
//! use ndis_sys as n;
//!
//! let host = Host::builder().seed(7).build();
//! // A driver that allocates a little memory and forgets to free it.
//! let driver = host
//!     .load_with("forgetful", |_object, _registry_path| {
//!         // SAFETY: sixteen bytes of pool memory.
//!         let memory = unsafe { n::ExAllocatePoolWithTag(n::NonPagedPoolNx, 16, 0x3147_6154) };
//!         if memory.is_null() { -1 } else { 0 }
//!     })
//!     .expect("the driver loads");
//! host.expect("DV-17"); // this rule is going to be broken, and must be
//! host.unload(&driver);
//!
//! let report = host.finish();
//! assert_eq!(report.rules(), ["DV-17"]);
//! assert_eq!(report.objects_left[0].tag, "TaG1");
//! assert!(report.violations.is_empty()); // none that was not announced
//! println!("{report}");
//! ```
//!
//! A driver with a C entry point is loaded with [`Host::load`]; a miniport gets
//! adapters with [`Host::add_adapter`], which runs `MiniportInitializeEx`, binds
//! every protocol, announces the address families and restarts the stack.
//!
//! # One baton, one seed
//!
//! Every piece of driver code is a *task*; exactly one runs at a time. At each
//! call into NDIS the scheduler may hand the baton to another one, on one of
//! several virtual processors, and a generator with a [seed](Builder::seed)
//! decides. So tasks interleave as they would on a real machine, a run with the
//! same seed is the same run, and a failure is replayed by its seed. A task at
//! DISPATCH_LEVEL keeps its processor to itself; time is virtual, and passes when
//! nothing else can happen; a run in which nothing can go on ends with a report
//! of who waits for what.
//!
//! Threads of a test that the host did not start may call NDIS, too: such a
//! thread becomes a task for the time of the call. Their timing is the system's,
//! so only runs without them replay exactly.
//!
//! # What is checked
//!
//! The rule book of CoNDIS gives each rule an id; a [`Violation`] carries it and
//! its [sentence](rules::sentence), with the life of the object that it happened to and the call that broke it.
//! Handles are numbers with a generation, never pointers: a stale, foreign or
//! forged one is recognised and named, and the call fails as documented. The
//! same goes for net buffer lists, which are looked up before they are touched.
//! A rule that a test breaks on purpose is announced with [`Host::expect`].
//! What no rule of CoNDIS covers has an id of [`rules`].
//!
//! Where Microsoft's pages are silent or contradict each other, the host does
//! not guess: each open question is one of the [`Readings`], and a driver is
//! right when it is right under all of them.
//!
//! Failures come on order: [`Host::fail_allocation`], [`Host::fail_call`].
//!
//! # Looking at a run
//!
//! [`Host::events`] is the log; [`text::story`] tells the life of one call in
//! words and [`chart::svg`] draws it.
//!
//! # Without the standard library
//!
//! The core is `no_std` with `alloc`. Threads, parking and panics come from a
//! [`platform::Platform`]; the feature `std` (default) brings one. The feature
//! `serde` makes events and reports serialisable.

#![no_std]
#![deny(missing_docs)]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

mod callback;
mod calls;
mod characteristics;
pub mod chart;
mod client;
mod configuration;
mod core;
mod cx;
mod export;
mod exported;
mod extents;
mod fault;
mod handle;
mod history;
mod host;
mod io;
mod joined;
mod ke;
mod lives;
mod loading;
mod log;
mod manager;
mod map;
mod miniport;
mod model;
mod net;
mod not_simulated;
mod oid;
mod options;
pub mod platform;
mod pnp;
mod protocol;
mod readings;
mod report;
mod rng;
pub mod rules;
mod sched;
mod settle;
mod state;
mod status;
pub mod text;
mod vcs;
mod view;
mod whom;

pub use configuration::settings::{AdapterSettings, UnknownSetting};
pub use exported::exported;
pub use handle::{Kind, ObjectId, is_handle};
pub use history::Past;
pub use host::{Adapter, Builder, Driver, EntryPoint, Host};
pub use io::program::OpenFile;
pub use ke::refused::{Refusal, refusal};
pub use ke::registry::SERVICES;
pub use ke::table::registry::RegistryValue;
pub use log::{Event, EventKind, EventMode};
pub use oid::own::{OidAnswer, OidAsk};
pub use readings::*;
pub use report::{ErrorEntry, ObjectLeft, Printed, Report, Violation};
pub use status::Name as StatusName;
