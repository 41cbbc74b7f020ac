//! Plug and play: an adapter's life from initialize to halt, and the protocols
//! that come and go meanwhile. Each step is a task of the host; one at a time.

mod adapter;
mod bind;
mod event;
mod offer;
mod power;
mod reset;
mod restart;
mod shutdown;

pub(crate) use adapter::{add_adapter, fail_in_halt, remove, remove_asking};
pub(crate) use bind::{unbind, unbind_protocol};
pub(crate) use power::set_power;
pub(crate) use reset::{check_for_hang, reset};
pub(crate) use restart::{pause, restart};
pub(crate) use shutdown::{bug_check, shut_down};

use bind::bind;
use event::restart_bindings;

use crate::cx::{Cx, job};
use crate::handle::{Kind, ObjectId};
use crate::model::adapter::AdapterPhase;
use crate::net::ListState;
use crate::sched::{HostWait, TaskId, Wait, Work};
use crate::state::State;
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::mem::MaybeUninit;
use ndis_sys::{NDIS_OBJECT_HEADER, UNICODE_STRING};

/// A structure of zeroes.
///
/// # Safety
///
/// Zeroes are a valid `T`.
unsafe fn zeroed<T>() -> T {
    // SAFETY: by contract.
    unsafe { MaybeUninit::<T>::zeroed().assume_init() }
}

const fn header(kind: i32, revision: i32, size: usize) -> NDIS_OBJECT_HEADER {
    NDIS_OBJECT_HEADER {
        Type: kind as u8,
        Revision: revision as u8,
        Size: size as u16,
    }
}

/// A string for the time of a call.
struct Text {
    units: Vec<u16>,
}

impl Text {
    fn new(text: &str) -> Self {
        Self {
            units: text.encode_utf16().chain([0]).collect(),
        }
    }

    fn unicode(&mut self) -> UNICODE_STRING {
        let length = ((self.units.len() - 1) * 2) as u16;
        UNICODE_STRING {
            Length: length,
            MaximumLength: length + 2,
            Buffer: self.units.as_mut_ptr(),
        }
    }
}

/// Waits for the end of another step of plug and play, and keeps others out.
pub(crate) fn lock(cx: &Cx) {
    let who = cx.with(|s| s.ndis.clone());
    let locked = cx.core.wait(cx.task, None, |s| {
        if !s.world.plug_and_play {
            s.world.plug_and_play = true;
            return Ok(());
        }
        Err(Wait::Host(HostWait {
            what: "another step of plug and play".into(),
            rule: "",
            object: None,
            who: who.clone(),
            condition: Box::new(|s| !s.world.plug_and_play),
        }))
    });
    let _ = locked;
}

pub(crate) fn unlock(cx: &Cx) {
    cx.with(|s| s.world.plug_and_play = false);
}

impl State {
    /// Queues a step of plug and play.
    pub(crate) fn queue_step(
        &mut self,
        name: &str,
        run: impl FnOnce(&Cx) + Send + 'static,
    ) -> TaskId {
        self.sched.queue(Work {
            id: 0,
            name: name.into(),
            irql: 0,
            frame: None,
            system: false,
            plug_and_play: true,
            run: job(run),
        })
    }

    /// A new protocol: bind it to every adapter.
    pub(crate) fn queue_binding_of(&mut self, protocol: u32) {
        self.queue_step("bind a protocol", move |cx| {
            lock(cx);
            let adapters: Vec<u32> = cx.with(|s| {
                let mut all: Vec<u32> = s
                    .world
                    .adapters
                    .iter()
                    .filter(|(_, a)| {
                        matches!(a.phase, AdapterPhase::Running | AdapterPhase::Paused)
                    })
                    .map(|(number, _)| *number)
                    .collect();
                s.rng.shuffle(&mut all);
                all
            });
            for adapter in adapters {
                bind(cx, adapter, protocol);
                let running = cx.with(|s| {
                    s.world
                        .adapters
                        .get(&adapter)
                        .is_some_and(|a| a.phase == AdapterPhase::Running)
                });
                if running {
                    restart_bindings(cx, adapter);
                }
            }
            unlock(cx);
        });
    }

    /// Reports that what a step of plug and play waited for never came: by `who` is asked
    /// or, for the end of a pause, by the clients that keep the miniport from it.
    pub(crate) fn never_came(
        &mut self,
        who: Arc<str>,
        rule: &'static str,
        object: Option<ObjectId>,
        message: String,
    ) {
        let mut holders: BTreeMap<Arc<str>, u32> = BTreeMap::new();
        if rule == "PAUSE-02" {
            for list in self.buffers.lists.values() {
                if let ListState::Indicated {
                    binding, adapter, ..
                } = list.state
                    && object == Some(ObjectId::new(Kind::Adapter, adapter))
                    && let Some(binding) = self.world.bindings.get(&binding)
                {
                    *holders.entry(binding.who.clone()).or_default() += 1;
                }
            }
        }
        if holders.is_empty() {
            self.violate_by(who, rule, object, message);
            return;
        }
        for (holder, lists) in holders {
            let message = alloc::format!(
                "{message}: {holder} has {lists} indicated lists that it has not returned"
            );
            self.violate_by(holder, "PAUSE-12", object, message);
        }
    }

    /// Checks that nothing is in the air when a miniport says it has paused.
    pub(crate) fn check_drained(&mut self, adapter: u32, call: &str) {
        let object = ObjectId::new(Kind::Adapter, adapter);
        let (mut sends, mut receives) = (0, 0);
        for list in self.buffers.lists.values() {
            match list.state {
                ListState::Sent { vc, .. } if self.world.adapter_of_vc(vc) == Some(adapter) => {
                    sends += 1
                }
                ListState::Indicated { adapter: a, .. } if a == adapter => receives += 1,
                _ => {}
            }
        }
        if sends + receives > 0 {
            let message = alloc::format!(
                "{call}: the pause of {object} is reported complete with {sends} sends not \
                 completed and {receives} indicated lists not returned"
            );
            self.violate("PAUSE-03", Some(object), message);
        }
        let running = self
            .world
            .adapters
            .get(&adapter)
            .map_or(0, |a| a.indicating);
        if running > 0 {
            let message = alloc::format!(
                "{call}: the pause of {object} is reported complete while {running} calls of \
                 NdisMCoIndicateReceiveNetBufferLists have not returned"
            );
            self.violate("PAUSE-15", Some(object), message);
        }
    }
}
