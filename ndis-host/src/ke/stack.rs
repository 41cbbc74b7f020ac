//! The kernel stack that drivers see: how much of it a task has left.

use crate::sched::Task;

/// The stack of a kernel thread of a 64-bit Windows, in bytes. Real stacks here
/// are larger; drivers see this one, so that a run is the same on every machine
/// and in every build.
pub(super) const STACK: usize = 24 * 1024;
/// What each callback within a callback takes of it, with NDIS's own share.
const STACK_PER_CALLBACK: usize = 2 * 1024;
/// So much of a real stack is never used without an endless recursion, in bytes:
/// little is left from there on.
const REAL_STACK: usize = 384 * 1024;
/// What is left then.
pub(super) const LITTLE: usize = 7 * 1024;
/// What is left when it is next to nothing.
pub(super) const NEXT_TO_NOTHING: usize = 3 * 1024;
/// And from here on nothing is.
const REAL_STACK_END: usize = 512 * 1024;

/// How much of its stack a task has left, in bytes.
#[inline(never)]
pub(crate) fn stack_left<C>(task: &Task<C>) -> usize {
    let depth = task.frames.len();
    let left = STACK.saturating_sub(depth.saturating_mul(STACK_PER_CALLBACK));
    if cfg!(miri) || task.stack_base == 0 {
        return left;
    }
    // Recursion between two callbacks does not show above. The thread's real stack
    // is looked at only far beyond what any other run needs.
    match task.stack_base.saturating_sub((&raw const depth).addr()) {
        0..=REAL_STACK => left,
        used if used <= REAL_STACK_END => left.min(LITTLE),
        _ => 0,
    }
}
