//! What is kept for a file is lent for the time of a request.

use ndis_co::{irql::Passive, lock::SpinLock};
use ndis_mcm::{
    Answer, Status,
    device::{Control, ControlDevice},
};

struct Lamp {
    last: SpinLock<Option<&'static u32>>,
}

impl ControlDevice for Lamp {
    type File = u32;

    fn open(&self, _irql: &mut Passive) -> Result<u32, Status> {
        Ok(1)
    }

    fn device_control<'r>(
        &self,
        file: &u32,
        request: Control<'r>,
        _irql: &mut Passive,
    ) -> Answer<'r> {
        self.last.set(Some(file));
        request.done()
    }
}

fn main() {}
