//! The lower half of the functions is Microsoft's.

use ndis_mcm::device::{Access, ControlCode};

const LAMP: ControlCode = ControlCode::new::<0x7FF>(Access::Any);

fn main() {
    let _ = LAMP;
}
