//! Who runs the tasks of a host.
//!
//! Only one task runs at a time, and which one changes all the time. Where the system's threads
//! run them, each change is a wake-up: thousands of instructions, and a wait for a processor
//! where others want one, too. Strands (`strand.rs`) change within one thread.

use super::{Job, Join};
use alloc::boxed::Box;
use alloc::sync::Arc;

/// What a host has its tasks run by.
pub(crate) trait Crew: Send + Sync {
    /// Starts what runs tasks, one after the other.
    fn start(self: Arc<Self>, job: Job) -> Box<dyn Join>;
    /// Whoever of the crew calls never goes back to what it was doing.
    fn stay(self: Arc<Self>) -> !;
    /// The host is going. All who were started have ended, but for those who stay where they are:
    /// their stacks are drivers'.
    fn dismiss(&self);
}
