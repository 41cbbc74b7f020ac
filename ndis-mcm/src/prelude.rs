//! What nearly every miniport driver names: `use ndis_mcm::prelude::*`.
//!
//! The names of one role, such as [`Vc`](crate::Vc) and [`co::Vc`](crate::co::Vc), are not
//! here: another role has its own of the same name.

pub use crate::{
    Adapter, AdapterConfiguration, Answer, Attributes, Carry, CoMiniport, Connectionless,
    Initialize, Initialized, Load, Mcm, Miniport, New, ServiceKey, Status,
};
pub use ndis_co::irql::{NoLock, Passive, UpToDispatch};
