//! Network data: lists of `NET_BUFFER_LIST`s, owned and borrowed.
//!
//! NDIS passes data as chains of C structures whose owner changes with each
//! call. Here every chain is a value that says who owns it:
//!
//! - [`NetBufferList`] and [`NetBufferLists`] were allocated by this driver
//!   from its [`NetBufferListPool`]. Sending or indicating them moves them
//!   away; they come back through the documented callback, or are freed when
//!   dropped.
//! - [`ListView`] and [`BufferView`] look at a list that is in our hands for
//!   the moment, whoever owns it. They cannot outlive the callback.
//!
//! Lists that other drivers own are wrapped where they arrive: by the client's
//! [`Received`](crate::client::Received) and by `ndis_mcm::SendLists`.

mod chain;
pub mod fields;
mod list;
mod pool;
mod view;

pub use chain::Chain;
pub use list::{IntoIter, NetBufferList, NetBufferLists};
pub use pool::NetBufferListPool;
pub use view::{BufferView, Buffers, ListView, Lists, Segments};
