//! Rules: REG-08
//!
//! A protocol that is bound as a call manager has a call manager's handlers.

use ndis_co::{
    AsCallManager, NewBinding, Protocol, Status,
    irql::Passive,
};

struct Mute;

impl Protocol for Mute {
    const NAME: &'static str = "MUTE";
    type Binding = ();
    type Role = AsCallManager;

    fn bind(&self, _: &NewBinding<'_>, _: &mut Passive) -> Result<(), Status> {
        Ok(())
    }
}

fn main() {}
