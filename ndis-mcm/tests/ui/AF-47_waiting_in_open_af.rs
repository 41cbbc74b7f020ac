//! Rules: AF-47, IRQL-81
//!
//! A family may be opened at DISPATCH_LEVEL as the call manager sees it. What
//! takes time is pended, not waited for.

use ndis_co::{Answer, event::Event, irql::UpToDispatch};
use ndis_mcm::{Adapter, MiniportCallManager, Miniport, OpenAf};

fn open_af<'r, M: MiniportCallManager<Af = ()> + Miniport<Adapter = Event>>(
    adapter: &Adapter<M>,
    request: OpenAf<'r, M>,
    irql: &mut UpToDispatch,
) -> Answer<'r> {
    adapter.wait(irql);
    request.accept(())
}

fn main() {}
