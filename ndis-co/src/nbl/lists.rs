//! [`NetBufferLists`]: any number of lists that this driver allocated, and where they go.

use super::{Chain, ListView, Lists, NetBufferList, Packets, fields::Side};
use crate::irql::NoLock;
use core::{fmt, mem::ManuallyDrop};

/// Any number of [`NetBufferList`]s in order, linked without memory of its
/// own.
///
/// ```
/// # use ndis_co::{Status, nbl::{NetBufferListPool, NetBufferLists}};
/// # use ndis_host as _;
/// /// A list for each frame.
/// fn batch(pool: &NetBufferListPool, frames: &[&[u8]]) -> Result<NetBufferLists, Status> {
///     let mut lists = NetBufferLists::new(pool.side());
///     for bytes in frames {
///         let mut frame = pool.allocate(bytes.len())?;
///         frame.set_data(bytes)?;
///         lists.push_back(frame).map_err(|_| Status::FAILURE)?;
///     }
///     Ok(lists)
/// }
/// ```
///
/// # Invariants
///
/// OWN-ALL: every list of the chain is as OWN says, for the side that `going` is.
pub struct NetBufferLists {
    chain: Chain,
    going: Going,
}

/// Where lists go, and whether each is known to be fit for that: one that is sent has packets, one
/// that is indicated has one (rule NBL-35). A word, so that it is moved and compared as one.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
enum Going {
    Down,
    Up,
    DownPerhaps,
    UpPerhaps,
}

impl Going {
    #[inline]
    const fn new(side: Side, fit: bool) -> Self {
        match (side, fit) {
            (Side::Protocol, true) => Self::Down,
            (Side::Miniport, true) => Self::Up,
            (Side::Protocol, false) => Self::DownPerhaps,
            (Side::Miniport, false) => Self::UpPerhaps,
        }
    }

    #[inline]
    const fn side(self) -> Side {
        match self {
            Self::Down | Self::DownPerhaps => Side::Protocol,
            Self::Up | Self::UpPerhaps => Side::Miniport,
        }
    }

    #[inline]
    const fn is_fit(self) -> bool {
        matches!(self, Self::Down | Self::Up)
    }

    /// Where both go, which is the same.
    const fn and(self, fit: bool) -> Self {
        Self::new(self.side(), self.is_fit() && fit)
    }
}

impl NetBufferLists {
    /// No list at all, for one direction.
    #[must_use]
    pub const fn new(side: Side) -> Self {
        Self {
            chain: Chain::new(),
            going: Going::new(side, true),
        }
    }

    /// Takes over a chain that comes back from NDIS.
    ///
    /// # Safety
    ///
    /// Every list is one of this driver's own, as OWN says.
    #[must_use]
    #[inline]
    pub unsafe fn from_chain(chain: Chain, side: Side) -> Self {
        // What was sent or indicated was looked at then, and keeps its packets (rule NBL-13).
        let going = Going::new(side, true);
        Self { chain, going }
    }

    /// Whether they are for this direction, and each is fit for it.
    #[inline]
    pub(crate) fn may_go(&self, side: Side) -> bool {
        self.going == Going::new(side, true) || self.look(side)
    }

    #[cold]
    fn look(&self, side: Side) -> bool {
        self.side() == side
            && match side {
                Side::Protocol => self.chain.all_have_packets(),
                Side::Miniport => self.chain.all_have_one_packet(),
            }
    }

    /// Gives the lists away; they are to come back through
    /// [`NetBufferLists::from_chain`].
    #[must_use]
    #[inline]
    pub fn into_chain(self) -> Chain {
        let mut this = ManuallyDrop::new(self);
        core::mem::take(&mut this.chain)
    }

    /// The lists as a chain, still in this value.
    #[must_use]
    pub fn chain(&self) -> &Chain {
        &self.chain
    }

    /// How many lists there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.chain.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.chain.is_empty()
    }

    /// Which driver's lists these are.
    #[must_use]
    pub fn side(&self) -> Side {
        self.going.side()
    }

    /// Takes the first list.
    pub fn pop_front(&mut self) -> Option<NetBufferList> {
        let list = self.chain.pop()?;
        // SAFETY: by OWN-ALL, and just unlinked.
        Some(unsafe { NetBufferList::from_raw(list, self.side()) })
    }

    /// Appends a list.
    ///
    /// # Errors
    ///
    /// Gives the list back when it is for the other direction: receive lists
    /// are a miniport's, send lists a protocol's.
    pub fn push_back(&mut self, list: NetBufferList) -> Result<(), NetBufferList> {
        if list.side() != self.side() {
            return Err(list);
        }
        self.going = self.going.and(list.is_fit());
        self.chain.push(list.into_raw());
        Ok(())
    }

    /// Takes the first `count` lists, or all when there are fewer.
    #[must_use]
    pub fn split_front(&mut self, count: usize) -> Self {
        Self {
            chain: self.chain.split_front(count),
            going: self.going,
        }
    }

    /// Appends other lists, in order.
    ///
    /// # Errors
    ///
    /// Gives lists for the other direction back.
    pub fn append(&mut self, mut later: Self) -> Result<(), Self> {
        if later.side() != self.side() {
            return Err(later);
        }
        self.going = self.going.and(later.going.is_fit());
        self.chain.append(core::mem::take(&mut later.chain));
        Ok(())
    }

    /// Looks at each list.
    #[must_use]
    pub fn iter(&self) -> Lists<'_> {
        self.chain.views()
    }

    /// Looks at each packet of each list, in order.
    #[must_use]
    pub fn buffers(&self) -> Packets<'_> {
        self.iter().buffers()
    }

    /// Frees the lists at once, and with the last clone gives back what they
    /// were made from, which may run the callback of the driver that gets it
    /// before this returns.
    ///
    /// Dropping does the same, but leaves what needs to know the level to a
    /// work item. That is the better way where data may go from driver to
    /// driver several times: each hop would be one more level of calls.
    pub fn free(mut self, irql: &mut impl NoLock) {
        while let Some(list) = self.pop_front() {
            list.free(Some(irql.up_to_dispatch()));
        }
    }
}

/// The lists one by one, by move.
#[derive(Debug)]
pub struct IntoIter(NetBufferLists);

impl Iterator for IntoIter {
    type Item = NetBufferList;
    fn next(&mut self) -> Option<NetBufferList> {
        self.0.pop_front()
    }
}

impl IntoIterator for NetBufferLists {
    type Item = NetBufferList;
    type IntoIter = IntoIter;
    fn into_iter(self) -> IntoIter {
        IntoIter(self)
    }
}

impl<'a> IntoIterator for &'a NetBufferLists {
    type Item = ListView<'a>;
    type IntoIter = Lists<'a>;
    fn into_iter(self) -> Lists<'a> {
        self.iter()
    }
}

impl From<NetBufferList> for NetBufferLists {
    fn from(list: NetBufferList) -> Self {
        let going = Going::new(list.side(), list.is_fit());
        let mut chain = Chain::new();
        chain.push(list.into_raw());
        Self { chain, going }
    }
}

impl Drop for NetBufferLists {
    fn drop(&mut self) {
        while self.pop_front().is_some() {}
    }
}

impl fmt::Debug for NetBufferLists {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}
