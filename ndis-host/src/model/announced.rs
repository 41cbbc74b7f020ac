//! What a call manager has told one of its clients that it tells all of them.

/// How often a client was told of each, since it opened its family.
#[derive(Clone, Copy, Default)]
pub(crate) struct Announced {
    pub(crate) address: u32,
    pub(crate) signaling: u32,
}
