//! A request of a program's that is pended and answered before the driver's function has returned: its
//! memory is given back while that still has the request's token among its arguments.

use ndis_host::Host;
use ndis_mcm::{
    Entry,
    device::{Access, Control, ControlCode, ControlDevice, Device, DeviceAttributes},
    prelude::*,
};

const RING: ControlCode = ControlCode::new::<0x800>(Access::Any);

struct Bell;

impl ControlDevice for Bell {
    type File = ();
    fn open(&self, _irql: &mut Passive) -> Result<(), Status> {
        Ok(())
    }
    fn device_control<'r>(
        &self,
        _file: &(),
        request: Control<'r>,
        irql: &mut Passive,
    ) -> Answer<'r> {
        match request.pend(irql) {
            Ok((answer, request)) => {
                assert!(request.reply(&[7], irql));
                answer
            }
            Err(request) => request.refuse(Status::RESOURCES),
        }
    }
}

struct Driver;

impl Miniport for Driver {
    type Adapter = Device<Bell>;
    type Role = Connectionless;
    fn initialize<'i>(
        &self,
        init: Initialize<'i, Self, New>,
        irql: &mut Passive,
    ) -> Result<Initialized<'i>, Status> {
        let init = init.attributes(&Attributes::wan(), irql)?;
        let device = Device::register(&init, &DeviceAttributes::new("Bell"), Bell, irql)?;
        Ok(init.adapter(device)?.finish())
    }
}

#[test]
fn answered_before_the_dispatch_routine_returns() {
    let host = Host::builder().no_events_under_miri().build();
    let entry = Entry::new(Driver);
    let driver = host
        .load_with("bell", |object, path| {
            // SAFETY: the host calls this as Windows calls a DriverEntry.
            unsafe { entry.run(object, path) }
        })
        .expect("the driver loads");
    let card = host.add_adapter(&driver).expect("the adapter starts");
    let file = host.open(r"\\.\Bell").expect("it is there");
    let told = host.device_control(&file, RING.raw(), &[1, 2], 4);
    assert_eq!(told.as_deref(), Ok(&[7][..]));
    host.close(file);
    host.remove_adapter(&card);
    host.unload(&driver);
    assert!(host.finish().is_clean());
}
