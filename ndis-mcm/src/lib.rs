//! Safe Rust for miniport call managers (MCM) of Connection-Oriented NDIS, and for
//! connection-oriented miniports that are none.
//!
//! An MCM is one Windows kernel driver in two roles. As a *miniport* it drives
//! a network adapter, which may be a piece of hardware or only software. As a
//! *call manager* it speaks the signaling protocol of that network: it takes
//! calls from clients and brings calls to them. WAN miniports, ATM adapters
//! and telephony drivers are built this way.
//!
//! This page leads from nothing to such a driver that runs. What clients,
//! address families, SAPs, VCs and calls are is on the page of [`ndis_co`],
//! which also holds what both sides share: levels, locks, memory, buffers,
//! call parameters. This crate adds the MCM's side:
//!
//! ```text
//! Adapter ── Af ─┬─ Sap ── CreatedVc   a call that the driver brings to a client
//!                └─ Vc                 a call that a client places
//! ```
//!
//! A driver that only moves data, under a call manager of somebody else, is on a page of its
//! own: [`co`]. And so is one that Windows dials with, a VPN for example, which need not know of most
//! of this: [`wan`]. (The guide leads from an empty folder to such a driver, dialled in a test:
//! `docs/guide/a-wan-miniport.md`.)
//!
//! An [`Adapter`] is one network card; an [`Af`] is one client that has opened
//! an address family on it; a [`Sap`] is an address under which that client
//! takes calls; a [`Vc`] is one end of one call.
//!
//! # What it does for you
//!
//! - Registration as connection-oriented miniport and as call manager, with
//!   every table, header and size filled in.
//! - The steps of initialization in their one legal order, checked by the
//!   compiler ([`Initialize`]).
//! - One token for each request of a client: answered at once or later, from
//!   any thread, and never twice.
//! - The order of things on a VC: it is activated before a call is reported
//!   up, deactivated when the last list is back, then the close is
//!   completed, then it is deleted.
//! - Pause and halt: data flow stops, held lists are waited for, clients are
//!   asked to close their families, nothing is freed while it is in use.
//! - Both directions of data, with the lists as owned values.
//! - OID requests of the adapter and of its VCs: what every adapter must answer is answered from
//!   its [`Attributes`] and its [`Statistics`], the rest is the driver's
//!   ([`Miniport::oid_request`]).
//! - A control device by which programs reach the driver ([`device`]).
//!
//! # What it does not do yet
//!
//! Multipoint calls and their parties, and changes of the
//! quality of service during a call (which are answered with [`Status::NOT_SUPPORTED`]). (Call managers that stand alone
//! above someone else's miniport are in [`ndis_co::cm`].) `docs/api-map.md` in the repository lists
//! every CoNDIS function and callback with the safe item that wraps it, or
//! where that will live. The raw functions are all in `ndis-sys`.
//!
//! # A driver, step by step
//!
//! The driver is a mirror: it takes every call and sends every frame back to
//! the client that sent it. That is all that an MCM needs to be one.
//!
//! ```toml
//! [package]
//! name = "mirror"
//! version = "0.1.0"
//! edition = "2024"
//!
//! [lib]
//! crate-type = ["rlib", "cdylib"]   # rlib: for tests; cdylib: the driver
//!
//! [dependencies]
//! ndis-co = "0.1"
//! ndis-mcm = "0.1"
//!
//! [dev-dependencies]
//! ndis-host = "0.1"
//! ```
//!
//! That is enough to test the driver. To make an image of it for Windows, the
//! package also has `ndis-build` as a build-dependency, a build script that
//! calls it, `panic = "abort"` in its profiles, and the metadata for its INF
//! file: the guide in the repository, `docs/guide/a-driver-of-your-own.md`,
//! shows all of that for this same driver.
//!
//! Its `lib.rs` begins with `#![no_std]` and `#![forbid(unsafe_code)]`. There
//! is no `unsafe` in the driver.
//!
//! ## 1. An adapter
//!
//! A driver is a type that implements [`Miniport`]. It names what is kept for
//! one adapter and the [`Role`] it registers in; [`Mcm`] asks for a
//! [`CallManager`] as well, which is the next step.
//!
//! [`Miniport::initialize`] gets an [`Initialize`] and must return an
//! [`Initialized`], which can be made in one way only: set the attributes, make
//! the adapter's context, finish. Each step consumes the value before it.
//! Address families are registered between the last two, on a value that no
//! other place in the driver can have.
//!
//! ```
#![doc = include_str!("../doc/mirror/driver.rs")]
//! #
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/mirror/calls.rs"));
//! # use ndis_host as _;
//! # fn main() {}
//! ```
//!
//! [`driver_entry!`] defines the entry point that Windows calls: it makes the
//! driver's value with [`Load`] and registers it.
//!
//! ## 2. Calls
//!
//! [`CallManager`] has one method for each thing that a client may ask for. A
//! request arrives as a value (here [`OpenAf`], [`RegisterSap`], [`MakeCall`],
//! [`CloseCall`]) and the method returns an [`Answer`], which only that value
//! can make: by accepting, by refusing, or by pending. Pending gives a second
//! value, which may be stored and answered from anywhere; `request.pend()` is
//! what a driver does whose network needs time.
//!
//! ```
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/mirror/driver.rs"));
#![doc = include_str!("../doc/mirror/calls.rs")]
//! # use ndis_host as _;
//! # fn main() {}
//! ```
//!
//! Sent data is in [`SendLists`], which belong to the client: the driver holds
//! them until it completes them, and dropping them completes them with a
//! failure. Each list may carry several packets. What goes up must be the
//! driver's own, with one packet a list, so `reflect` copies packet by packet.
//! Those lists come back through [`Carry::returned`], whose default frees
//! them. The page of [`nbl`](ndis_co::nbl) has a table of what else can be done
//! with packets: headers in front, several in one list, and, with
//! [`Parent`](ndis_co::nbl::Parent), handing them on without copying.
//!
//! ## 3. Bringing a call to a client
//!
//! A mirror never calls anybody. A driver that does keeps the [`Sap`] that
//! [`RegisterSap::accept`] gives it, and when its network brings a call:
//!
//! ```
//! # use ndis_co::{irql::Passive, params::CallParametersBuf};
//! # use ndis_host as _;
//! # use ndis_mcm::{CallManager, Sap, Status, Vc};
//! fn ring<M: CallManager<Vc = ()>>(sap: &Sap<M>, irql: &mut Passive) -> Result<Vc<M>, Status> {
//!     let vc = sap.create_vc((), irql)?; // a VC to this SAP's client, inactive
//!     let parameters = CallParametersBuf::builder().build()?;
//!     let vc = vc.activate(parameters, irql)?;
//!     let parameters = CallParametersBuf::builder().build()?;
//!     Ok(vc.dispatch_incoming_call(parameters, irql))
//! }
//! ```
//!
//! The client's answer comes as [`CallManager::incoming_call_accepted`], with
//! an [`AcceptedCall`] to connect, or as [`CallManager::incoming_call_refused`].
//! A VC that is dropped on the way is deactivated and deleted. The example
//! `loopback-mcm` does this and everything else: it is a switch that connects
//! clients to each other by number.
//!
//! ## 4. A client to call it
//!
//! A test needs somebody who calls. This is a whole client, made as the page of
//! [`ndis_co`] shows: it opens the mirror's family and keeps it; `place_call`
//! calls; when the call is up it sends `hello`; it notes what comes back and
//! hangs up. It runs in the test only, so it may use the standard library.
//!
//! ```
#![doc = include_str!("../doc/mirror/caller.rs")]
//! # use ndis_host as _;
//! # fn main() {}
//! ```
//!
//! ## 5. Running it
//!
//! [`ndis_host`](https://docs.rs/ndis-host) is an NDIS for tests. It loads
//! drivers into the process of the test, starts and stops adapters, runs every
//! callback on virtual processors in an order that a seed decides, and checks
//! each call against the documented rules. With the mirror and the client
//! above, this is a whole test:
//!
//! ```
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/mirror/driver.rs"));
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/mirror/calls.rs"));
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/mirror/caller.rs"));
//! use ndis_co::client;
//! use ndis_host::Host;
//!
//! fn main() {
//!     let host = Host::builder().seed(7).build();
//!     // SAFETY: the entry point of a driver, which the host calls as Windows does.
//!     let mirror = unsafe { host.load("mirror", driver_entry) }.expect("the driver loads");
//!     let caller = phone::Caller::default();
//!     let entry = client::Entry::new(caller.clone());
//!     let phone = host
//!         .load_with("caller", |object, path| {
//!             // SAFETY: the host calls this as Windows calls a DriverEntry.
//!             unsafe { entry.run(object, path) }
//!         })
//!         .expect("the client loads");
//!     let adapter = host.add_adapter(&mirror).expect("the adapter starts");
//!
//!     let heard = caller.heard.clone();
//!     host.spawn("user", move || caller.place_call().expect("a call is placed"));
//!     host.run();
//!     assert_eq!(*heard.lock().unwrap(), b"hello");
//!
//!     host.remove_adapter(&adapter);
//!     host.unload(&phone);
//!     host.unload(&mirror);
//!     let report = host.finish();
//!     assert!(report.is_clean(), "{report}");
//! }
//! ```
//!
//! (In a package of your own that is a file under `tests`: the client, and this
//! `main` as a `#[test]` that loads `mirror::driver_entry`.)
//!
//! The report names every broken rule with the history of the object that it
//! happened to, every object left behind, and the seed that repeats the run.
//!
//! For Windows the same crate is built as a `cdylib` for
//! `x86_64-pc-windows-msvc` (or `aarch64-`) and linked with `rust-lld`,
//! without a WDK. The guide in the repository,
//! `docs/guide/a-driver-of-your-own.md`, has what that takes, and goes on to a
//! Windows machine.
//!
//! # What the types say
//!
//! **Ownership.** NDIS knows objects by handles and drivers by context
//! pointers. Neither is visible here. [`Adapter`], [`Af`], [`Sap`] and [`Vc`]
//! are counted references that deref to what the driver keeps for the object;
//! that is made when the request is accepted and dropped when NDIS and the
//! driver have both let go. A parent outlives its children: a client's close of
//! its family waits for the SAPs and VCs beneath it, and a halt waits until
//! the last reference to the adapter is gone. So let go of stored references in
//! [`Miniport::halt`] and when a SAP or VC ends, or store
//! [weak](ndis_co::reference::Weak) ones, which hold nothing up.
//!
//! **Exactly once.** A token is consumed by its answer and its lifetime is
//! that of its request, so a second answer, no answer, and the answer to
//! another request do not compile. A pending token that is dropped answers
//! with a failure (an open, a registration, a call) or with success (a close).
//! A completion may run the client's callback, and through it this driver
//! again, before it returns.
//!
//! **At which level.** Every method receives a zero-sized proof of its IRQL, and every
//! call that needs one demands it: [`Passive`](ndis_co::irql::Passive) for
//! what may wait, [`NoLock`](ndis_co::irql::NoLock) for what may re-enter the
//! driver. A spin lock borrows the proof while it is held, so neither can be
//! called then.
//!
//! **In which state.** A [`CreatedVc`] is [`Inactive`] or [`Active`], and a
//! call can be offered on an active one only. States that both sides change at
//! once (a call that both ends hang up) are checked at run time and answered
//! with [`Status::CLOSING`].
//!
//! # How to read these pages
//!
//! As those of [`ndis_co`](ndis_co#how-to-read-these-pages): the `irql` argument
//! says which level an item needs, a *source page* is Microsoft's page on the
//! wrapped function or callback, an id such as [CALL-10] is a row of the rule
//! book, `docs/rules.md` in the repository, and the search box knows the C
//! names.
//!
//! # Soundness
//!
//! A driver without `unsafe` cannot cause undefined behaviour through this
//! crate, provided that
//!
//! - NDIS keeps its documented contract: it calls with the contexts and at the
//!   levels that it documents, hands over valid structures, and does not use a
//!   context after the callback that ends it;
//! - lengths stated by a client in call parameters (TAPI's descriptors among them), SAPs and close data are
//!   true up to [`MAX_VARIABLE`](ndis_co::address::MAX_VARIABLE): C gives
//!   nothing to check them against, and longer ones are refused (longer close data count as none);
//! - an MDL's memory is as long as it says, and chains of lists and packets
//!   have an end: C gives no means to check it. All else that a packet says is
//!   checked against its MDLs;
//! - the entry point is called once, as Windows does.
//!
//! These are promises of Windows and of other drivers. There is nothing that the
//! driver itself must refrain from: what it leaks (`mem::forget`), drops in
//! another order, calls from a destructor, from another thread or from within
//! another handler costs memory, an answer or the end of a wait at worst.
//! `cargo xtask chaos` in the repository does such things at random.
//!
//! This crate itself does not panic, and a panic of the driver ends at the
//! callback's border: it aborts there and never unwinds into C. In a kernel image it stops
//! the system at once. In a test a handler may run within a call of the driver's own, into
//! which its panic then unwinds: a driver that catches it there loses an answer or the end
//! of a wait, as with a token that it leaks.
//!
//! Each module with `unsafe` code states its invariants (FLOW, STATE, CO-VC),
//! and each `unsafe` block names the one it rests on. The examples run on `ndis-host` under many schedules and under Miri. **Nothing
//! of this has run on Windows yet.** Where the documentation is silent or
//! contradicts itself, the crate does what satisfies every reading of it; the
//! open questions are named in `ndis_host::Readings`.
//!
//! # Features
//!
//! - `rt`, `panic-handler` (default): those of `ndis_co`.
//!
//! # Supported Rust
//!
//! Stable Rust 1.95 or newer, `no_std`, no build script, no WDK.
//!
//! [CALL-10]: ndis_sys::rules#CALL-10

#![no_std]
#![deny(missing_docs)]
#![warn(rustdoc::broken_intra_doc_links)]

mod attributes;
mod carry;
pub mod co;
pub mod device;
mod indications;
mod key;
mod lock;
mod mcm;
mod miniport;
pub mod prelude;
pub mod wan;

pub use attributes::{Attributes, Medium};
pub use carry::Carry;
pub use co::CoMiniport;
pub use mcm::{Mcm, MiniportCallManager};
pub use miniport::{
    Adapter, Attributed, ConnectionOriented, Connectionless, Entry, HasAdapter, Initialize,
    Initialized, Miniport, New, OidRequest, PendingOidRequest, PendingReset, PowerSource, Ready,
    RegistersFamilies, Reset, Resets, Resettable, Role, Settings, Statistics,
};
#[doc(inline)]
pub use ndis_co::channel::{Channel, IndicateError};
#[doc(inline)]
pub use ndis_co::cm::{
    AcceptedCall, ActivateError, Active, Af, CallManager, CanActivate, CanDispatch, CloseAf,
    CloseCall, CreatedVc, DeregisterSap, Inactive, MakeCall, OpenAf, PendingCloseAf,
    PendingCloseCall, PendingDeregisterSap, PendingMakeCall, PendingOpenAf, PendingRegisterSap,
    RegisterSap, Sap, Vc, WeakVc,
};
pub use ndis_co::configuration::{AdapterConfiguration, Configuration};
pub use ndis_co::{Answer, Load, ServiceKey, Status};

/// Lists that a client sends on a VC of an MCM, see
/// [`SendLists`](ndis_co::channel::SendLists).
pub type SendLists<M> = ndis_co::channel::SendLists<Vc<M>>;

#[doc(hidden)]
pub use ndis_co as __co;
