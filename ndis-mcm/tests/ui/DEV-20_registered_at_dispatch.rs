//! A device is registered at PASSIVE_LEVEL.

use ndis_co::irql::UpToDispatch;
use ndis_mcm::{
    Status,
    device::{ControlDevice, Device, DeviceAttributes, DeviceParent},
};

fn lamp<D: ControlDevice>(
    parent: &impl DeviceParent,
    lamp: D,
    irql: &mut UpToDispatch,
) -> Result<Device<D>, Status> {
    Device::register(parent, &DeviceAttributes::new("Lamp"), lamp, irql)
}

fn main() {}
