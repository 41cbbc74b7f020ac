//! Net buffers: pools, lists, buffers, MDLs, and who owns which of them now.
//!
//! The structures themselves are driver memory in every respect, except that
//! the host allocates them; so it knows each by its address, and a pointer from
//! a driver is looked up before anything behind it is touched.

pub(crate) mod clone;
pub(crate) mod data;
pub(crate) mod pool;
mod table;
mod travel;

pub(crate) use table::{Buffers, Groups, ListState};

/// The name of a list.
pub(crate) fn list_id(list: &table::List) -> crate::handle::ObjectId {
    list.id()
}
