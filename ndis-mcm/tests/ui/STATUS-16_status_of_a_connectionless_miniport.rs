//! The function that indicates a status is one of connection-oriented miniports. A driver can
//! have the handlers for the data of VCs and be none all the same.

use ndis_co::{indication::LinkState, irql::NoLock};
use ndis_mcm::prelude::*;

fn cut<M>(adapter: &Adapter<M>, irql: &mut impl NoLock) -> Result<(), Status>
where
    M: Carry<Role = Connectionless>,
{
    adapter.indicate(&LinkState::disconnected(), irql)
}

fn main() {}
