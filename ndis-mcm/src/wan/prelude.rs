//! What nearly every WAN miniport names: `use ndis_mcm::wan::prelude::*`.
//!
//! It is the [prelude of miniports](crate::prelude), with the adapter of a WAN driver in the place
//! of the general one, and the names of this module.

pub use super::{
    Adapter, Answered, Call, Dial, Dialing, Direction, Frames, HangUp, Line, Lines, Link,
    LinkParams, NewWan, Offer, Speeds, Subtype, Wan, WanMiniport, WeakCall,
};
pub use crate::prelude::*;
pub use ndis_co::tapi::Disconnect;
