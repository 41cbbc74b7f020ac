//! What protocols call.

pub(crate) mod binding;
pub(crate) mod register;
