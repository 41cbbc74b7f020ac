//! What nearly every protocol driver names: `use ndis_co::prelude::*`.
//!
//! The names of one role, such as [`client::Vc`](crate::client::Vc), are not here: another
//! role has its own of the same name.

pub use crate::{
    Answer, AsBoth, AsCallManager, AsClient, Binding, Configuration, Load, NewBinding,
    OpenedBinding, Protocol, ServiceKey, Status,
    irql::{NoLock, Passive, UpToDispatch},
};
