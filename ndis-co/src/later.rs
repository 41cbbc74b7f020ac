//! [`Work`]: what objects of `ndis-mcm` leave to their adapter's work item.
//!
//! The same as `Deferred`, which is this crate's own. It takes a key here, of which a
//! driver has none: code of a driver's that waits there would hold up the very ends that it
//! waits for.

use crate::{
    deferred::{Deferred, Node},
    irql::Passive,
    key::Key,
    mem::Arc,
    scope::Scope,
};
use core::fmt;

/// An object with a place in its adapter's list.
pub trait Work: Sized + Send + Sync + 'static {
    /// The place: a field, always the same one.
    fn place(&self) -> &Place<Self>;

    /// Whose work item does the work.
    fn scope(&self) -> &Scope;

    /// Does the work.
    fn run(this: Arc<Self>, irql: &mut Passive);
}

/// Tells this work from what an object of this crate leaves.
#[derive(Debug)]
pub enum Keyed {}

/// The place of an object in its adapter's list.
pub struct Place<T: Work>(Node<T, Keyed>);

impl<T: Work> Place<T> {
    /// A place that is in no list.
    #[must_use]
    pub const fn new() -> Self {
        Self(Node::new())
    }
}

impl<T: Work> Default for Place<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Work> fmt::Debug for Place<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<T: Work> Deferred<Keyed> for T {
    fn node(&self) -> &Node<Self, Keyed> {
        &self.place().0
    }

    fn scope(&self) -> &Scope {
        Work::scope(self)
    }

    fn run(this: Arc<Self>, irql: &mut Passive) {
        Work::run(this, irql);
    }
}

/// Has the work done soon, once however often it was asked for before it begins.
pub fn leave<T: Work>(this: &Arc<T>, _: Key) {
    <T as Deferred<Keyed>>::defer(this);
}
