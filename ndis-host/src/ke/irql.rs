//! The IRQL that drivers raise and lower by themselves.

use crate::cx::Cx;
use crate::export::{Call, exports};
use crate::rules;
use crate::sched::DISPATCH;
use crate::state::State;

impl State {
    /// Raises the IRQL of the running task; what it was.
    fn raise_irql(&mut self, call: &str, level: u8) -> u8 {
        let before = self.irql();
        if level < before {
            let message = alloc::format!("{call} from {before} to {level}, which is lower");
            self.violate("KE-64", None, message);
        }
        if level > DISPATCH {
            let message = alloc::format!("{call} to {level}, above DISPATCH_LEVEL");
            self.violate(rules::NOT_SIMULATED, None, message);
        }
        if let Some(task) = self.sched.current_mut() {
            task.raises.push((task.frames.len(), before));
            task.irql = level.clamp(before, DISPATCH.max(before));
        }
        before
    }

    /// Lowers the IRQL of the running task to what it was at its last raise.
    fn lower_irql(&mut self, call: &str, level: u8) {
        let Some(task) = self.sched.current_mut() else {
            return;
        };
        let depth = task.frames.len();
        // Those of callbacks that have returned meanwhile.
        while task.raises.last().is_some_and(|(frame, _)| *frame > depth) {
            task.raises.pop();
        }
        // A caller undoes no raise of the code that called it.
        let raised = task.raises.pop_if(|(frame, _)| *frame == depth);
        let (now, held) = (task.irql, task.locks.len());
        task.irql = level.min(now);
        let message = match raised {
            _ if level > now => alloc::format!("{call} from {now} to {level}, which is higher"),
            Some((_, before)) if before == level => {
                if held > 0 && level < DISPATCH {
                    let message =
                        alloc::format!("{call} to {level} while {held} spin locks are held");
                    self.violate(rules::LOCK_BALANCE, None, message);
                }
                return;
            }
            Some((_, before)) => {
                alloc::format!("{call} to {level}; before the last raise it was {before}")
            }
            None => alloc::format!("{call} to {level} without a raise before it"),
        };
        self.violate("KE-64", None, message);
    }
}

fn raise(name: &'static str, level: u8) -> u8 {
    let cx = Cx::enter(Call::new(name).silent(), &[]);
    cx.with(|s| s.raise_irql(name, level))
}

fn lower(name: &'static str, level: u8) {
    let cx = Cx::enter(Call::new(name).silent(), &[]);
    cx.with(|s| s.lower_irql(name, level));
}

exports! { EXPORTS {
    /// Raises the IRQL to DISPATCH_LEVEL; what it was.
    fn KeRaiseIrqlToDpcLevel() -> u8 {
        raise("KeRaiseIrqlToDpcLevel", DISPATCH)
    }

    /// Raises the IRQL, and stores what it was.
    fn KeRaiseIrql(level: u8, before: *mut u8) {
        let was = raise("KeRaiseIrql", level);
        if !before.is_null() {
            // SAFETY: the caller's variable for the result.
            unsafe { before.write(was) };
        }
    }

    /// Lowers the IRQL to what it was before it was raised.
    fn KeLowerIrql(level: u8) {
        lower("KeLowerIrql", level);
    }
}}

/// On x86 these take their parameters in registers.
#[cfg(not(target_arch = "x86"))]
pub(crate) mod in_registers {
    use super::{lower, raise};
    use crate::export::exports;

    exports! { EXPORTS {
        /// Raises the IRQL; what it was. `KeRaiseIrql` is a macro of this.
        fn KfRaiseIrql(level: u8) -> u8 {
            raise("KfRaiseIrql", level)
        }

        /// Lowers the IRQL to what it was before it was raised.
        fn KfLowerIrql(level: u8) {
            lower("KfLowerIrql", level);
        }
    }}
}
