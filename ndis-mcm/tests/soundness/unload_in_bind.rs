//! A client is unloaded while NDIS binds it. Nothing keeps the two apart on Windows: the
//! bind goes on with a driver that is still registered, and the deregistration waits for
//! it.

use super::*;
use ndis_sys::DRIVER_OBJECT;
use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering::SeqCst};

/// A phone that takes its time to bind.
#[derive(Default)]
struct Slow {
    binding: AtomicBool,
    unloading: AtomicBool,
    /// Whether the unload had begun when the bind went on.
    overlapped: AtomicBool,
}

impl Phone for Slow {
    fn bind(&self, _adapter: &NewBinding<'_>) -> Result<Context, Status> {
        self.binding.store(true, SeqCst);
        let_others_run(|| self.unloading.load(SeqCst));
        // The unloading thread gets as far as it can.
        let_others_run(|| false);
        self.overlapped.store(self.unloading.load(SeqCst), SeqCst);
        Ok(None)
    }
}

#[test]
fn a_bind_is_finished_while_the_driver_is_unloaded() {
    for seed in seeds(20) {
        let _alone = alone();
        let host = Host::builder().seed(seed).build();
        let exchange = Exchange(Arc::new(Office {
            switch: PlainSwitch,
            sap: Place::default(),
            vc: Place::default(),
        }));
        let handset = Handset(Arc::new(Household {
            phone: Slow::default(),
            af: Place::default(),
            sap: Place::default(),
            vc: Place::default(),
        }));
        static OBJECT: AtomicPtr<DRIVER_OBJECT> = AtomicPtr::new(std::ptr::null_mut());
        let entry = Entry::new(exchange.clone());
        // SAFETY: the host calls this once, as DriverEntry.
        let mcm = host.load_with("switch", move |o, p| unsafe { entry.run(o, p) });
        let entry = ndis_co::client::Entry::new(handset.clone());
        let _client = host.load_with("phone", move |o, p| {
            OBJECT.store(o, SeqCst);
            // SAFETY: as above.
            unsafe { entry.run(o, p) }
        });
        let phone = handset.clone();
        // The system unloads the driver, as `net stop` does, whatever NDIS is doing.
        thread(&host, "service control manager", move |irql| {
            spin_or_wait(|| phone.phone.binding.load(SeqCst), irql);
            phone.phone.unloading.store(true, SeqCst);
            let object = OBJECT.load(SeqCst);
            // SAFETY: the driver's own object, which is there until this has returned.
            let unload = unsafe { (*object).DriverUnload }.unwrap();
            // SAFETY: its routine, called once at PASSIVE_LEVEL.
            unsafe { unload(object) };
        });
        let adapter = host.add_adapter(&mcm.unwrap());
        host.run();
        assert!(handset.phone.overlapped.load(SeqCst));
        if let Ok(adapter) = &adapter {
            host.remove_adapter(adapter);
        }
        let report = host.finish();
        assert!(report.violations.is_empty(), "{report}");
    }
}
