//! Safe Rust for miniport call managers (MCM) of Connection-Oriented NDIS.

#![no_std]
#![deny(missing_docs)]
#![warn(rustdoc::broken_intra_doc_links)]

mod adapter;
mod af;
mod attributes;
mod call;
mod call_manager;
mod data;
mod driver;
mod handlers;
mod init;
mod mcm;
mod miniport;
mod sap;
mod state;
mod vc;

pub use adapter::Adapter;
pub use af::{Af, CloseAf, OpenAf, PendingCloseAf, PendingOpenAf};
pub use attributes::{Attributes, Medium};
pub use call::{Accepted, CloseCall, MakeCall, PendingCloseCall, PendingMakeCall};
pub use call_manager::CallManager;
pub use data::{NotIndicated, SendLists};
pub use driver::Entry;
pub use init::{Attributed, HasAdapter, Initialize, Initialized, New, Ready};
pub use miniport::{Mcm, Miniport, Plain, RegistersFamilies, Role};
pub use ndis_co::{Answer, Load, Status};
pub use sap::{DeregisterSap, PendingDeregisterSap, PendingRegisterSap, RegisterSap, Sap};
pub use vc::{Active, CanActivate, CanDispatch, CreatedVc, Inactive, NotActivated, Vc};

#[doc(hidden)]
pub use ndis_co as __co;
