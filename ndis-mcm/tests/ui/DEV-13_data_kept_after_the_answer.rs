//! The data are the request's: they go with the answer.

use ndis_mcm::{Answer, device::Control};

fn control<'r>(request: Control<'r>) -> Answer<'r> {
    let input = request.input();
    let answer = request.done();
    assert!(input.is_empty());
    answer
}

fn main() {}
