//! Control devices of the random miniports: made and taken away at any time, with files open.
#![forbid(unsafe_code)]

use crate::{
    act::Act,
    driver::Shared,
    stash::Stash,
    world::{Context, World, look},
};
use ndis_co::{
    Answer, Status,
    irql::{NoLock, Passive, UpToDispatch},
};
use ndis_mcm::device::{
    Access, Control, ControlCode, ControlDevice, Device, DeviceAttributes, DeviceParent,
    PendingControl,
};
use std::sync::{Arc, Mutex};

/// The names of devices: so few that one may be taken.
pub(crate) const NAMES: [&str; 2] = ["Chaos0", "Chaos1"];
/// What comes in goes back, in the other order.
pub(crate) const TURN: ControlCode = ControlCode::new::<0x801>(Access::Any);
/// As [`TURN`], later.
pub(crate) const WAIT: ControlCode = ControlCode::new::<0x802>(Access::Any);

/// A device, whoever's.
pub(crate) struct Board {
    world: Arc<World>,
    file: Box<dyn Fn() -> Context + Send + Sync>,
    act: Box<dyn Fn(&mut UpToDispatch) + Send + Sync>,
    /// What programs wait for, with what they get.
    waits: Mutex<Vec<(PendingControl, Vec<u8>)>>,
    context: Context,
}

impl Board {
    /// Answers what a program waits for, if one does.
    fn answer(&self, irql: &mut impl NoLock) {
        let world = &self.world;
        let draw = world.draw() as usize;
        let (request, turned) = {
            let waits = &mut *look(&self.waits);
            if waits.is_empty() {
                return;
            }
            waits.swap_remove(draw % waits.len())
        };
        let was_over = request.is_cancelled();
        if was_over {
            world.did(Act::ControlOver);
        }
        let told = match world.decide(&[
            (4, Act::ControlPendReply),
            (1, Act::ControlPendDone),
            (1, Act::ControlPendRefuse),
            (1, Act::ControlPendDrop),
        ]) {
            Act::ControlPendReply => request.reply(&turned, irql),
            Act::ControlPendDone => request.done(irql),
            Act::ControlPendRefuse => {
                request.refuse(world.status(), irql);
                false
            }
            _ => {
                drop(request);
                false
            }
        };
        world.promise(told);
        if was_over && told {
            world.found("the answer to a request that was over is said to have come");
        }
    }
}

impl ControlDevice for Board {
    type File = Context;

    fn open(&self, irql: &mut Passive) -> Result<Context, Status> {
        (self.act)(irql.up_to_dispatch());
        self.world.linger(irql);
        let file = (self.file)();
        if self.world.dares(Act::FileErr, 1, 8) {
            return Err(self.world.status());
        }
        self.world.did(Act::FileOpen);
        Ok(file)
    }

    fn device_control<'r>(
        &self,
        _file: &Context,
        request: Control<'r>,
        irql: &mut Passive,
    ) -> Answer<'r> {
        let world = &self.world;
        let before = request.input().to_vec();
        (self.act)(irql.up_to_dispatch());
        world.linger(irql);
        if request.input() != before {
            world.found("the input of a control request has changed");
        }
        if world.chance(1, 4) {
            self.answer(irql);
        }
        if request.code() == WAIT {
            let turned = before.into_iter().rev().collect();
            return match request.pend(irql) {
                Ok((answer, token)) => {
                    world.did(Act::ControlPend);
                    look(&self.waits).push((token, turned));
                    world.linger(irql);
                    answer
                }
                Err(request) => request.refuse(Status::RESOURCES),
            };
        }
        if request.code() != TURN {
            return request.not_supported();
        }
        match world.decide(&[
            (1, Act::ControlRefuse),
            (4, Act::ControlInPlace),
            (4, Act::ControlReply),
        ]) {
            Act::ControlRefuse => request.refuse(world.status()),
            Act::ControlInPlace => request.reply_in_place(|bytes| {
                let len = before.len();
                if let Some(bytes) = bytes.get_mut(..len) {
                    bytes.reverse();
                }
                Ok(len)
            }),
            _ => {
                let turned: Vec<u8> = before.into_iter().rev().collect();
                request.reply(&turned)
            }
        }
    }

    fn closed(&self, _file: &Context, irql: &mut Passive) {
        self.world.did(Act::FileClosed);
        self.answer(irql);
        (self.act)(irql.up_to_dispatch());
    }
}

/// Makes a device, which is kept for its adapter.
pub(crate) fn register<S: Shared>(
    x: &Arc<S>,
    devices: &Stash<Device<Board>>,
    place: u32,
    parent: &impl DeviceParent,
    irql: &mut Passive,
) {
    let world = x.world();
    let (acting, filing) = (x.clone(), x.clone());
    let board = Board {
        world: world.clone(),
        file: Box::new(move || Context::new(filing.world(), filing.life(), "file", 0, None)),
        act: Box::new(move |irql| S::mischief(&acting, irql)),
        waits: Mutex::default(),
        context: Context::new(world, x.life(), "device", 0, None),
    };
    let attributes = DeviceAttributes::new(world.among(&NAMES));
    match Device::register(parent, &attributes, board, irql) {
        Ok(device) => {
            world.did(Act::DeviceRegister);
            let _ = devices.put(place, device);
        }
        Err(status) => world.failure("a device", status),
    }
}

/// Makes a device, or takes one away, now and then.
pub(crate) fn disturb<S: Shared>(
    x: &Arc<S>,
    devices: &Stash<Device<Board>>,
    place: u32,
    parent: &impl DeviceParent,
    irql: &mut Passive,
) {
    let world = x.world();
    match world.below(6) {
        0 | 1 if world.allows(Act::DeviceRegister) => {
            register(x, devices, place, parent, irql);
        }
        2 => {
            if let Some((_, device)) = devices.take_any(world) {
                world.did(Act::DeviceDeregister);
                device.deregister(irql);
            }
        }
        3 => {
            // The other way round it would be taken out while it is looked at.
            if let Some((place, device)) = devices.take_any(world) {
                world.did(Act::DeviceLook);
                let number = device.with(|board| {
                    board.answer(irql);
                    board.context.number
                });
                if number.is_none() {
                    world.found("a device that is there has no value");
                }
                let _ = devices.put(place, device);
            }
        }
        _ => {}
    }
}
