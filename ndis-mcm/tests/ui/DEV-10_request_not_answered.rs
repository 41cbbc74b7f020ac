//! A handler that returns has answered: there is no other way to have an answer.

use ndis_mcm::{
    Answer,
    device::{Access, Control, ControlCode},
};

const LAMP: ControlCode = ControlCode::new::<0x800>(Access::Any);

fn control<'r>(request: Control<'r>) -> Answer<'r> {
    if request.code() == LAMP {
        return request.done();
    }
}

fn main() {}
