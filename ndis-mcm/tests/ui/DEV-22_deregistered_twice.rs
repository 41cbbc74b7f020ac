//! Taking a device away uses it up.

use ndis_co::irql::Passive;
use ndis_mcm::device::{ControlDevice, Device};

fn close_down<D: ControlDevice>(device: Device<D>, irql: &mut Passive) {
    device.deregister(irql);
    device.deregister(irql);
}

fn main() {}
