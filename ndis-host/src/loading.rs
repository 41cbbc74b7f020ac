//! A driver is loaded and unloaded, and what it leaves behind is reported.

use crate::callback::{Callback, Ptr};
use crate::cx::Cx;
use crate::handle::{Kind, ObjectId};
use crate::io;
use crate::ke::registry::SERVICES;
use crate::model::driver::{Driver as Record, Unload};
use crate::pnp;
use crate::rules;
use crate::state::State;
use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use ndis_sys as n;
use ndis_sys::{DRIVER_OBJECT, NTSTATUS, UNICODE_STRING};

pub(crate) fn all_left(state: &State, driver: Option<u32>) -> Vec<crate::report::ObjectLeft> {
    if state.down {
        // The system has stopped as it was.
        return Vec::new();
    }
    let mut left = state.world.left(driver, &state.histories);
    left.extend(state.timers.left(driver));
    left.extend(state.work_items.left(driver));
    left.extend(state.buffers.left(driver));
    left.extend(state.memory.left(driver));
    left.extend(state.registry.left(driver));
    left.extend(state.configurations.left(driver));
    left.extend(state.threads.left(driver));
    left.extend(state.io.left(driver));
    left
}

pub(crate) type Entry = Box<dyn FnOnce(*mut DRIVER_OBJECT, *mut UNICODE_STRING) -> NTSTATUS + Send>;

/// Runs a driver's entry point.
pub(crate) fn enter_driver(
    cx: &Cx,
    who: Arc<str>,
    entry: Entry,
    loader: Option<Unload>,
) -> (u32, NTSTATUS) {
    let (number, object) = cx.with(|s| {
        let number = s.number(Kind::Driver);
        // SAFETY: pointers and numbers, for which zeroes are valid.
        let object: DRIVER_OBJECT = unsafe { core::mem::MaybeUninit::zeroed().assume_init() };
        let object = Ptr(Box::into_raw(Box::new(object)));
        s.world.drivers.insert(
            number,
            Record {
                name: who.clone(),
                object,
                miniport: None,
                loader,
            },
        );
        (number, object)
    });
    let path: String = alloc::format!("{SERVICES}{who}");
    let mut units: Vec<u16> = path.encode_utf16().chain([0]).collect();
    let length = ((units.len() - 1) * 2) as u16;
    let mut string = UNICODE_STRING {
        Length: length,
        MaximumLength: length + 2,
        Buffer: units.as_mut_ptr(),
    };
    let callback = Callback {
        name: "DriverEntry",
        driver: number,
        who,
        passive: Some("REG-32"),
        objects: [Some(ObjectId::new(Kind::Driver, number)), None, None],
    };
    let status = cx.call(&callback, || entry(object.0, &raw mut string));
    cx.with(|s| {
        if status == n::NDIS_STATUS_PENDING {
            let message = "DriverEntry returned PENDING".to_string();
            s.violate_by(callback.who.clone(), "REG-32", callback.objects[0], message);
        }
    });
    if status < 0 {
        retire_driver(cx, number, "a failed DriverEntry");
    }
    (number, status)
}

/// What a loader says of an unload; the driver's routine itself has no answer,
/// so the log shows none.
struct Unloaded(NTSTATUS);

impl crate::callback::Outcome for Unloaded {}

/// Unloads a driver.
pub(crate) fn unload(cx: &Cx, number: u32) {
    if cx.with(|s| s.down) {
        return;
    }
    let adapters: Vec<u32> = cx.with(|s| {
        s.world
            .adapters
            .iter()
            .filter(|(_, a)| a.driver == number)
            .map(|(adapter, _)| *adapter)
            .collect()
    });
    for adapter in adapters {
        pnp::remove(cx, adapter, false);
    }
    cx.with(|s| s.check_devices_before_unload(number));
    io::close_all_of(cx, number);
    let prepared = cx.with(|s| {
        let driver = s.world.drivers.get_mut(&number)?;
        let loader = driver.loader.take();
        Some((
            driver.object,
            driver.name.clone(),
            driver.miniport.is_some(),
            loader,
        ))
    });
    let Some((object, who, miniport, loader)) = prepared else {
        return;
    };
    // SAFETY: the driver object is the host's until the driver is retired.
    let own = unsafe { (*object.0).DriverUnload };
    let name = if miniport {
        "MiniportDriverUnload"
    } else {
        "DriverUnload"
    };
    let callback = Callback {
        name,
        driver: number,
        who: who.clone(),
        passive: Some("IRQL-138"),
        objects: [Some(ObjectId::new(Kind::Driver, number)), None, None],
    };
    if let Some(loader) = loader {
        let status = cx.call(&callback, || Unloaded(loader()));
        if status.0 < 0 {
            let message = alloc::format!(
                "the loader cannot unload the image: {}",
                crate::status::Name(status.0)
            );
            cx.with(|s| s.violate_by(who.clone(), rules::LOADER, callback.objects[0], message));
        }
    } else if let Some(own) = own {
        cx.call(&callback, || {
            // SAFETY: the driver's routine with its driver object.
            unsafe { own(object.0) };
        });
    } else {
        cx.with(|s| s.note(callback.objects[0], "the driver has no unload routine"));
    }
    retire_driver(cx, number, "unload");
}

/// The driver is gone: whatever it left is reported.
fn retire_driver(cx: &Cx, number: u32, when: &str) {
    let protocols: Vec<u32> = cx.with(|s| {
        let Some(driver) = s.world.drivers.get(&number) else {
            return Vec::new();
        };
        let who = driver.name.clone();
        let object = ObjectId::new(Kind::Driver, number);
        if let Some(miniport) = driver.miniport {
            let message = alloc::format!("{when} without NdisMDeregisterMiniportDriver");
            s.violate_by(who.clone(), "REG-28", Some(object), message);
            if let Some(record) = s.world.miniports.remove(&miniport) {
                s.handles.kill(record.raw);
            }
        }
        let mut protocols = Vec::new();
        for (protocol, record) in &s.world.protocols {
            if record.driver == number {
                protocols.push(*protocol);
            }
        }
        for _ in &protocols {
            let message = alloc::format!("{when} without NdisDeregisterProtocolDriver");
            s.violate_by(who.clone(), "REG-31", Some(object), message);
        }
        protocols
    });
    for protocol in protocols {
        pnp::unbind_protocol(cx, protocol);
        cx.with(|s| {
            if let Some(record) = s.world.protocols.remove(&protocol) {
                s.handles.kill(record.raw);
            }
        });
    }
    let who = cx.with(|s| {
        s.world
            .drivers
            .get(&number)
            .map(|driver| driver.name.clone())
    });
    if let Some(who) = who {
        crate::ke::dpc::flush(cx, number, &who);
    }
    cx.with(|s| {
        let Some(driver) = s.world.drivers.remove(&number) else {
            return;
        };
        s.locks.order.forget_driver(number);
        let object = ObjectId::new(Kind::Driver, number);
        s.threads_of_gone(number, when);
        s.dpcs_of_gone(number, when);
        s.forget_devices(number);
        let left = all_left(s, Some(number));
        if !left.is_empty() {
            let mut text = String::new();
            for item in left.iter().take(8) {
                if !text.is_empty() {
                    text.push_str(", ");
                }
                text.push_str(&item.name);
                if !item.tag.is_empty() {
                    text.push_str(&alloc::format!(" (tag {})", item.tag));
                }
            }
            let message = alloc::format!("{when} left {} objects: {text}", left.len());
            s.violate_by(driver.name.clone(), rules::LEAK, Some(object), message);
        }
        s.world
            .extensions
            .retain(|extension| extension.driver != Some(number));
        // SAFETY: made by `Box::into_raw` in `enter_driver`; the record that
        // held it has just been removed.
        drop(unsafe { Box::from_raw(driver.object.0) });
        s.histories.end(object);
    });
}
