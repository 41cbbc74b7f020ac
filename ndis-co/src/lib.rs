//! Safe Rust for Connection-Oriented NDIS (CoNDIS): what every CoNDIS driver
//! has in common, *clients*, the protocol drivers that place and take calls, and
//! *stand-alone call managers*, those that set them up over somebody else's adapter
//! (module [`cm`]; a driver may be both, see [`AsBoth`]).
//!
//! Miniport call managers and other connection-oriented miniports are in the sister crate
//! `ndis-mcm`, the raw bindings in [`ndis-sys`](sys); `ndis-host` runs drivers in a test.
//!
//! # CoNDIS in one page
//!
//! NDIS is the part of the Windows kernel that network drivers talk to each
//! other through. Most of it is connectionless: a frame is handed down and
//! goes out. Its connection-oriented half serves networks on which one side
//! *calls* the other first, and data flows on the connection that results:
//! telephony, WAN links, ATM.
//!
//! ```text
//!   client A                                   client B       protocol drivers
//!      │ calls                                    ▲ is called
//!      ▼                                          │
//!  ┌────────────────────── NDIS ──────────────────────┐
//!      │ make call            dispatch incoming call ▲
//!      ▼                                             │
//!   call manager, speaks the network's signaling     │  ┐ one driver in two
//!   miniport, carries the data of the connections ───┘  ┘ roles: an MCM
//! ```
//!
//! | word | what it is |
//! |---|---|
//! | miniport | the driver of a network adapter |
//! | call manager | the driver that sets connections up and takes them down |
//! | MCM | a miniport call manager: both in one driver |
//! | client | a protocol driver above: it places and takes calls |
//! | binding | a client's tie to one adapter |
//! | address family (AF) | a signaling protocol in one version; the call manager offers it on an adapter, a client opens it |
//! | SAP | service access point: an address under which a client takes calls |
//! | VC | virtual connection: one end of a connection. A client creates it to call, the call manager creates it to bring a call |
//! | call | what is agreed on a VC, from the request to the close. The VC is *active*, able to carry data, in between |
//! | call parameters | what a call asks for: whom, how fast, how large |
//! | party | one more far end of a call to several |
//!
//! A call that succeeds goes like this; each line is a function of NDIS and a
//! callback of the other side:
//!
//! ```text
//! client A            call manager                client B
//! create VC ─────────>
//! make call ─────────>
//!                     create VC ─────────────────>
//!                     activate VC
//!                     dispatch incoming call ────>
//!                     <──────────────────── accept
//!                     dispatch call connected ───>
//!                     activate VC
//! <── make call complete
//! ============== data flows both ways ==============
//! close call ────────>
//!                     dispatch incoming close ───>
//!                     <──────────────── close call
//!                     deactivate VC, complete close, delete VC
//! <─── close complete
//! delete VC ─────────>
//! ```
//!
//! Each request may be answered at once or later, on any processor, at a
//! raised interrupt level, while the other side is already doing the next
//! thing. Which order is right, who frees what and when, and what may be
//! called at which level is written down on some hundred pages and checked by
//! nobody. These crates put it into types.
//!
//! # What this crate does for you
//!
//! - For every protocol driver ([`protocol`]): registration, binding and
//!   unbinding, pause and restart, power.
//! - For clients ([`client`]), which are protocol drivers: address families,
//!   SAPs, VCs, calls and data in both directions. Whatever is dropped is ended
//!   in the documented way, and closing something first ends what is beneath it.
//! - For call managers ([`cm`]): address families, SAPs, VCs and calls of their
//!   clients, on an adapter (`ndis-mcm`) or on a binding to somebody else's.
//! - For every driver: proofs of the interrupt level ([`irql`]), spin locks
//!   ([`lock`]), memory that can run out ([`mem`]), network data with an owner,
//!   packet by packet, and handed on without copying ([`nbl`]), call parameters
//!   and addresses read with bounds ([`params`], [`address`]), the structures of
//!   telephony and of WAN links ([`tapi`], [`wan`]), requests that drivers answer
//!   each other ([`oid`]), what an adapter indicates ([`indication`]), a look at the stack that is
//!   left ([`stack`]), work items ([`work`]), timers ([`timer`]), events
//!   ([`event`]), settings from the registry ([`service`], [`configuration`]), output for a debugger
//!   ([`debug`]), and every status code by name ([`status`]).
//!
//! # What it does not do yet
//!
//! Multipoint calls and their parties, and changes of the quality of service during a
//! call. What a peer asks of these is answered with [`Status::NOT_SUPPORTED`].
//! `docs/api-map.md` in the repository lists every CoNDIS function and callback
//! with the safe item that wraps it, or where that will live. The raw functions
//! are all in [`sys`].
//!
//! # A client, step by step
//!
//! The driver takes calls to number 7, says good morning, and hangs up.
//!
//! ```toml
//! [package]
//! name = "greeter"
//! version = "0.1.0"
//! edition = "2024"
//!
//! [lib]
//! crate-type = ["rlib", "cdylib"]   # rlib: for tests; cdylib: the driver
//!
//! [dependencies]
//! ndis-co = "0.1"
//!
//! [dev-dependencies]
//! ndis-host = "0.1"
//! ```
//!
//! That is enough to test the driver. To make an image of it for Windows, the
//! package also has `ndis-build` as a build-dependency, a build script that
//! calls it, `panic = "abort"` in its profiles, and the metadata for its INF
//! file: the guide in the repository, `docs/guide/a-client-of-your-own.md`,
//! shows all of that for this same driver.
//!
//! Its `lib.rs` begins with `#![no_std]` and `#![forbid(unsafe_code)]`. A
//! client is a type that implements [`Protocol`], as every driver that is bound
//! to adapters does, and [`Client`](client::Client), the trait of its role. They
//! have a type for each thing that the driver keeps something for, and a method
//! for each thing that can happen.
//!
//! ```
#![doc = include_str!("../doc/greeter.rs")]
//! #
//! # use ndis_host as _;
//! # fn main() {}
//! ```
//!
//! [`driver_entry!`] defines the entry point that Windows calls: it makes the
//! driver's value with [`Load`] and registers it. Nothing else is needed: when
//! the adapter goes away, the calls are closed, the SAP is deregistered, the
//! family and the binding are closed, each after the other.
//!
//! ## Placing a call
//!
//! A call is placed on a VC that the client creates. What the address family
//! wants to know, such as the number, goes into the call parameters:
//!
//! ```
//! use ndis_co::{
//!     Status,
//!     client::{Af, Client, Vc},
//!     irql::NoLock,
//!     params::{CallParametersBuf, FlowSpec, Specific},
//! };
//! # use ndis_host as _;
//!
//! fn call<C: Client<Vc = ()>>(
//!     af: &Af<C>,
//!     number: u32,
//!     irql: &mut impl NoLock,
//! ) -> Result<Vc<C>, Status> {
//!     let parameters = CallParametersBuf::builder()
//!         .transmit(FlowSpec::best_effort(1500))
//!         .receive(FlowSpec::best_effort(1500))
//!         .call_manager_specific(Specific { param_type: 1, bytes: &number.to_le_bytes() })
//!         .build()?;
//!     let vc = af.create_vc((), irql)?;
//!     Ok(vc.make_call(parameters, irql).keep())
//! }
//! ```
//!
//! The outcome comes as [`call_connected`](client::Client::call_connected) or
//! [`call_failed`](client::Client::call_failed), possibly before `make_call`
//! returns.
//!
//! ## Running it
//!
//! [`ndis_host`](https://docs.rs/ndis-host) is an NDIS for tests: it loads
//! drivers into the process of the test, runs them on virtual processors in an
//! order that a seed decides, and checks each call against the documented
//! rules.
//!
//! ```
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/greeter.rs"));
//! use ndis_host::Host;
//!
//! fn main() {
//!     let host = Host::builder().seed(7).build();
//!     // SAFETY: the entry point of a driver, which the host calls as Windows does.
//!     let greeter = unsafe { host.load("greeter", driver_entry) }.expect("the driver loads");
//!     // Here a test loads a call manager as well, adds an adapter of it, and
//!     // lets somebody call: see the guide and the page of `ndis-mcm`.
//!     host.unload(&greeter);
//!     let report = host.finish();
//!     assert!(report.is_clean(), "{report}");
//! }
//! ```
//!
//! The page of `ndis-mcm` runs a call manager and a client against each other.
//! `examples/echo-client` in the repository is a client with all that a real
//! one has.
//!
//! # What the types say
//!
//! **Ownership.** NDIS knows objects by handles and drivers by context
//! pointers. Neither is in a signature that a driver uses. What the driver
//! keeps for an object is moved in once, lent to every callback as `&`, shared
//! between processors (so it is `Sync`), and dropped when NDIS and the driver
//! have both let go. See [`client`] for owners and references.
//!
//! **Who outlives whom.** What is made from an owner borrows it, so the owner
//! is not closed by mistake while a SAP or a call made from it is in use. Kept
//! references are counted and checked at run time, and closing a parent, through
//! whatever reference, ends its children first. A parent's memory outlives that
//! of its children. An unbind is completed when the last reference to its
//! binding is gone, so let go of stored ones in [`unbind`](Protocol::unbind), or store
//! [weak](reference::Weak) ones, which hold nothing up.
//!
//! **Exactly once.** A request of the other side is a token, consumed by its
//! answer; see [`answer`]. A pended token that is dropped refuses.
//!
//! **At which level.** Every callback receives a zero-sized proof of its IRQL,
//! and every call that needs a level demands one; see [`irql`]. A spin lock is
//! held for the time of a closure and borrows the proof for as long, so a call
//! that waits, or one that may come back into the driver, cannot be made under a
//! lock.
//!
//! **What a peer claims.** Addresses and call parameters of another driver are
//! read through views that check null pointers and lengths.
//!
//! # How to read these pages
//!
//! - An `irql` argument says which level an item needs. What takes none works
//!   at or below DISPATCH_LEVEL. Callbacks say at which level they run.
//! - Sizes are in bytes, times in milliseconds, link speeds in bits a second,
//!   unless an item says otherwise.
//! - A *source page* is the page of Microsoft's driver documentation that
//!   describes the wrapped function or callback, by its file name
//!   ([`NdisClMakeCall`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndisclmakecall) is the page of `NdisClMakeCall`).
//! - An id such as [CALL-10] is a row of the rule book, `docs/rules.md` in the
//!   repository: what the documentation demands, a sentence a rule, and what
//!   keeps it.
//! - Items are found by their C names in the search box.
//!
//! # Soundness
//!
//! A driver without `unsafe` cannot cause undefined behaviour through this
//! crate, provided that
//!
//! - NDIS keeps its documented contract: it calls with the contexts and at the
//!   levels that it documents, hands over valid structures, and does not use a
//!   context after the callback that ends it;
//! - lengths stated by a peer in call parameters (TAPI's descriptors among them), SAPs and close data are true
//!   up to [`MAX_VARIABLE`](address::MAX_VARIABLE): C gives nothing to check
//!   them against, and longer ones are refused (longer close data count as none);
//! - an MDL's memory is as long as it says, and chains of lists and packets
//!   have an end: C gives no means to check it. All else that a packet says is
//!   checked against its MDLs;
//! - nothing writes to data that was received while it is looked at;
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
//! The `unsafe` functions are for drivers that mix this crate with raw code. Each module with `unsafe` code states its invariants by name (ARC,
//! LOCK, PARAMS, VC and so on), and each `unsafe` block names the one it rests
//! on. **Nothing of this has run on Windows yet.** The drivers built on it run
//! on `ndis-host`, under many schedules, under every reading of what the
//! documentation leaves open (`ndis_host::Readings`), and under Miri.
//!
//! # Features
//!
//! - `rt` (default): what the linker of a driver image asks for although no
//!   source names it, from `ntoskrnl.exe`; see the README of `ndis-sys`.
//! - `panic-handler` (default): a panic stops the system with the bug check
//!   [`bugcheck::CODE`] and [`bugcheck::Reason::Panic`]. Without it the driver
//!   brings a handler of its own, such as `wdk-panic`.
//!
//! # Supported Rust
//!
//! Stable Rust 1.95 or newer, `no_std`, no build script, no WDK.
//!
//! [CALL-10]: ndis_sys::rules#CALL-10

#![no_std]
#![deny(missing_docs)]
#![warn(rustdoc::broken_intra_doc_links)]

/// For macros: a driver may have a crate of its own that it calls `core`.
#[doc(hidden)]
pub use ::core as __core;

pub mod address;
#[doc(hidden)]
pub mod advertised;
pub mod answer;
pub mod armed;
mod backlog;
mod both;
pub mod bugcheck;
#[doc(hidden)]
pub mod callback;
pub mod channel;
pub mod client;
pub mod cm;
pub mod configuration;
pub mod debug;
pub(crate) mod deferred;
pub mod delay;
pub mod event;
pub mod family;
pub mod indication;
pub mod instance_name;
pub mod irql;
mod kernel;
#[doc(hidden)]
pub mod key;
#[doc(hidden)]
pub mod later;
mod load;
pub mod lock;
mod mark;
pub mod mem;
mod members;
pub mod nbl;
pub mod oid;
pub mod once;
#[doc(hidden)]
pub mod options;
pub mod params;
pub mod power;
pub mod prelude;
pub mod protocol;
pub mod raw;
pub mod reference;
#[doc(hidden)]
pub mod registration;
pub mod scope;
pub mod service;
pub mod stack;
pub mod status;
pub mod tapi;
mod thread;
pub mod timer;
mod traffic;
pub mod wan;
pub mod wide;
pub mod work;

pub use answer::Answer;
pub use both::AsBoth;
pub use client::AsClient;
pub use cm::AsCallManager;
pub use configuration::Configuration;
pub use load::Load;
pub use ndis_sys as sys;
pub use protocol::{Binding, Entry, NewBinding, OpenedBinding, Protocol};
pub use service::ServiceKey;
pub use status::Status;
