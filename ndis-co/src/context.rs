//! [`Context`]: what a driver may keep with an object.

/// A driver's own value that goes with an adapter, address family, SAP or VC.
///
/// NDIS calls a driver on several processors at once (rule REG-43), and every
/// callback is lent the same context. So contexts are `Sync`, and what changes
/// in one is in a [`SpinLock`](crate::lock::SpinLock) or an atomic. They live
/// until NDIS has no more use for the object, so they borrow nothing.
///
/// Every such type is a context; nothing is to be implemented.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a context: several processors use it at once",
    label = "not `Send + Sync + 'static`",
    note = "rule REG-43: put what changes into a `ndis_co::lock::SpinLock`"
)]
pub trait Context: Send + Sync + 'static {}
#[diagnostic::do_not_recommend]
impl<T: Send + Sync + 'static> Context for T {}
