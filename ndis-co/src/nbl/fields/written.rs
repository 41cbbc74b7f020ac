//! What a packet that NDIS has made in one piece with its list notes of its data space: how much
//! memory that is, and which part of it has been written since. NDIS does not clear it, and what it
//! held before is nobody's business.
//!
//! Three words behind the mark of its allocator's have it: the MDL is shared with the drivers that the
//! packet comes to, the words are not.

use super::{At, Side};
use core::{ffi::c_void, ops::Range, ptr};
use ndis_sys::NET_BUFFER;

/// A number as the word of an allocator.
fn word(number: usize) -> *mut c_void {
    ptr::without_provenance_mut(number)
}

impl At<'_, NET_BUFFER> {
    /// How much memory the data space is, in bytes.
    #[inline]
    pub(in crate::nbl) fn space(self, side: Side) -> usize {
        match side {
            Side::Miniport => self.miniport_1(),
            Side::Protocol => self.protocol_1(),
        }
        .addr()
    }

    /// Which part of the data space has been written.
    #[inline]
    pub(in crate::nbl) fn written(self, side: Side) -> Range<usize> {
        let (start, end) = match side {
            Side::Miniport => (self.miniport_2(), self.miniport_3()),
            Side::Protocol => (self.protocol_2(), self.protocol_3()),
        };
        start.addr()..end.addr()
    }

    /// Notes how much memory there is.
    #[inline]
    pub(in crate::nbl) fn set_space(self, side: Side, size: usize) {
        match side {
            Side::Miniport => self.set_miniport_1(word(size)),
            Side::Protocol => self.set_protocol_1(word(size)),
        }
    }

    /// Notes up to where it is written.
    #[inline]
    pub(in crate::nbl) fn set_written_end(self, side: Side, end: usize) {
        match side {
            Side::Miniport => self.set_miniport_3(word(end)),
            Side::Protocol => self.set_protocol_3(word(end)),
        }
    }

    /// Notes which part of it is written.
    #[inline]
    pub(in crate::nbl) fn set_written(self, side: Side, part: &Range<usize>) {
        let (start, end) = (word(part.start), word(part.end));
        match side {
            Side::Miniport => {
                self.set_miniport_2(start);
                self.set_miniport_3(end);
            }
            Side::Protocol => {
                self.set_protocol_2(start);
                self.set_protocol_3(end);
            }
        }
    }
}
