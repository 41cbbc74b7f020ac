//! Programs that use the drivers' devices, and what the host asks the miniports.
#![forbid(unsafe_code)]

use crate::{
    act::Act,
    device::{NAMES, TURN, WAIT},
    oids,
    world::World,
};
use ndis_co::{Status, sys::OID_GEN_CO_XMIT_PDUS_OK};
use ndis_host::{Adapter, Host, OidAsk, OpenFile};
use std::{ptr, sync::Arc};

/// Starts a program.
pub(crate) fn start(world: &Arc<World>) {
    world.did(Act::Program);
    let world_of = world.clone();
    world.spawn("program", move |irql| {
        for _ in 0..1 + world_of.below(6) {
            visit(&world_of);
            world_of.linger(irql);
        }
    });
}

/// Opens a device, if it is there, and asks it something.
fn visit(world: &Arc<World>) {
    let path = format!(r"\\.\{}", world.among(&NAMES));
    let file = match OpenFile::open(&path) {
        Ok(file) => Arc::new(file),
        Err(status) => return world.failure("an open", Status::from_raw(status)),
    };
    for _ in 0..world.below(4) {
        let len = world.below(9) as usize;
        let input: Vec<u8> = (0..len).map(|_| world.draw() as u8).collect();
        let room = world.below(12) as usize;
        let code = match world.below(8) {
            0 => 7,
            1..3 => WAIT.raw(),
            _ => TURN.raw(),
        };
        if code == WAIT.raw() {
            world.did(Act::ProgramWaits);
            if world.chance(1, 2) {
                cancel_later(world, &file);
            }
        }
        world.did(Act::ProgramControl);
        match file.device_control(code, &input, room) {
            Ok(output) => {
                if code == WAIT.raw() {
                    world.kept_promise();
                    if output.is_empty() {
                        continue;
                    }
                }
                if !output.iter().eq(input.iter().rev()) {
                    world.found(format!("{input:?} comes back as {output:?}"));
                }
            }
            Err(status) => world.failure("a control request", Status::from_raw(status)),
        }
    }
    if world.chance(3, 4) {
        world.did(Act::ProgramCloses);
        file.close_handle();
    } else {
        // It stays open to the end of the program, which is that of the run, or of the driver.
        world.did(Act::ProgramLeaves);
    }
}

/// Cancels what is asked of a file, some time later.
fn cancel_later(world: &Arc<World>, file: &Arc<OpenFile>) {
    let (world_of, file) = (world.clone(), file.clone());
    world.spawn("impatient program", move |irql| {
        world_of.linger(irql);
        world_of.did(Act::ProgramCancels);
        file.cancel();
    });
}

/// The host asks a miniport, perhaps about a VC.
pub(crate) fn ask(world: &World, host: &Host, adapter: &Adapter, vc: usize) {
    let len = world.below(12) as usize;
    let oid = match world.below(5) {
        0 => OID_GEN_CO_XMIT_PDUS_OK as u32,
        _ => oids::any(world),
    };
    let mut ask = match world.below(4) {
        0 => OidAsk::set(oid, oids::bytes_of(oid, len)),
        1 => OidAsk::method(oid, 0, oids::bytes_of(oid, len), world.below(12) as usize),
        2 => OidAsk::statistics(oid, len),
        _ => OidAsk::query(oid, len),
    };
    if vc != 0 && world.dares(Act::HostAskOfVc, 2, 3) {
        ask = ask.of_vc(ptr::without_provenance_mut(vc));
    } else {
        world.did(Act::HostAsk);
    }
    if world.dares(Act::HostAskBriefly, 1, 4) {
        ask = ask.timeout(1).id(world.number() as usize);
    }
    let answer = host.ask(adapter, ask);
    let status = Status::from_raw(answer.status);
    let written = answer.data.get(..answer.written as usize);
    oids::check_answer(world, oid, status, written.unwrap_or_default());
}
