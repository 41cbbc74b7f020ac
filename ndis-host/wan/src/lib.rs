//! Models of Windows' NDPROXY and NDISWAN.
//!
//! A WAN miniport is a call manager that Windows dials: an application asks TAPI for a call,
//! NDPROXY places it, and NDISWAN sends PPP frames over it. Without these two nobody can say
//! whether such a miniport works. This crate has models of both, in safe Rust on `ndis-co`, which
//! do what Microsoft's pages say that they do, and nothing more: they ask for the capabilities,
//! open lines, place, take and drop calls, set the link up, send and receive frames.
//!
//! | | |
//! |---|---|
//! | `Windows` | both drivers on an `ndis-host`, and what a test does with them (feature `host`, on by default) |
//! | [`ndproxy`] | the driver NDPROXY, beneath a trait for the application |
//! | [`ndiswan`] | the driver NDISWAN, beneath a trait for PPP |
//!
//! What they do not do: PPP itself is not negotiated, nothing is compressed or encrypted, and no
//! network is shown to protocols above. That NDPROXY would carry data itself is not modelled.
//!
//! Where the pages leave open what NDIS does between the two, the host's readings decide
//! (`ndis_host::Readings`); what the two drivers themselves may do one way or the other is a
//! setting here.
#![cfg_attr(
    feature = "host",
    doc = "
With [`Windows`]:

```
use ndis_host::Host;
use ndis_wan_models::Windows;

let host = Host::builder().build();
let windows = Windows::load(&host).expect(\"both drivers load\");
// The miniport is loaded, and its adapters started. Then, on a line of adapter 0:
let call = windows.dial(0, 0, \"10.0.0.1\");
host.run();
// There is no adapter here.
assert!(windows.call(call).unwrap().ended().is_some());
windows.unload();
assert!(host.finish().is_clean());
```
"
)]
#![no_std]
#![deny(missing_docs, unsafe_code)]
// What may go to another thread has many layers here.
#![recursion_limit = "256"]

#[cfg(feature = "host")]
extern crate std;

pub mod ndiswan;
pub mod ndproxy;
#[cfg(feature = "host")]
mod windows;

#[cfg(feature = "host")]
pub use windows::*;
