//! [`AddressList`]: the addresses at which a client can be reached.

use crate::{
    Status,
    tapi::{
        Flat,
        bytes::{put, word},
        flat::cleared,
    },
};
use core::mem::offset_of;
use ndis_sys::{CO_ADDRESS, CO_ADDRESS_LIST};

/// Where the first address begins.
const START: usize = offset_of!(CO_ADDRESS_LIST, AddressList);

/// The answer to `OID_CO_GET_ADDRESSES`, of a call manager whose addresses are `N` bytes long: those
/// that all clients have, and those that this one has added (rule [OID-38]).
///
/// Whatever there is, the list has room for as many as there can be, each of one size.
///
/// ```
/// # use ndis_host as _;
/// use ndis_co::{oid::AddressList, tapi::Flat};
///
/// let common = [*b"7001"];
/// let added = [*b"7005"];
/// let list = AddressList::new(4, &common, &added)?;
/// let mut room = [0; 64];
/// let len = list.write_to(&mut room)?;
/// let heard: Vec<[u8; 4]> = AddressList::parse(&room[..len])?.collect();
/// assert_eq!(heard, [*b"7001", *b"7005"]);
/// # Ok::<(), ndis_co::Status>(())
/// ```
///
/// Source page: [`OID_CO_GET_ADDRESSES`](https://learn.microsoft.com/windows-hardware/drivers/network/oid-co-get-addresses).
///
/// [OID-38]: ndis_sys::rules#OID-38
#[derive(Clone, Copy, Debug)]
#[doc(alias = "CO_ADDRESS_LIST")]
#[doc(alias = "CO_ADDRESS")]
pub struct AddressList<'a, const N: usize> {
    available: u32,
    common: &'a [[u8; N]],
    added: &'a [[u8; N]],
}

impl<'a, const N: usize> AddressList<'a, N> {
    /// What one address takes, with its size, up to the next one.
    const EACH: usize = (offset_of!(CO_ADDRESS, Address) + N).next_multiple_of(size_of::<u32>());

    /// The addresses of all clients, and those that the one who asks has added, of as many as there
    /// can be.
    ///
    /// # Errors
    ///
    /// [`Status::INVALID_LENGTH`] when there are more than that.
    pub fn new(
        available: u32,
        common: &'a [[u8; N]],
        added: &'a [[u8; N]],
    ) -> Result<Self, Status> {
        let list = Self {
            available,
            common,
            added,
        };
        if list.len() > available as usize {
            return Err(Status::INVALID_LENGTH);
        }
        Ok(list)
    }

    fn len(&self) -> usize {
        self.common.len().saturating_add(self.added.len())
    }

    /// Reads the addresses of a list.
    ///
    /// # Errors
    ///
    /// [`Status::INVALID_LENGTH`] when not all of them are there, [`Status::INVALID_DATA`] when one
    /// says that it has another size.
    pub fn parse(bytes: &[u8]) -> Result<impl Iterator<Item = [u8; N]>, Status> {
        let number = word::<u32>(bytes, offset_of!(CO_ADDRESS_LIST, NumberOfAddresses))? as usize;
        let all = bytes.get(START..).unwrap_or_default();
        let needed = number.saturating_mul(Self::EACH);
        let all = all.get(..needed).ok_or(Status::INVALID_LENGTH)?;
        let each = (0..number).filter_map(move |index| {
            let start = index.saturating_mul(Self::EACH);
            all.get(start..start.saturating_add(Self::EACH))
        });
        let right = |one: &[u8]| word::<u32>(one, 0).is_ok_and(|size| size as usize == N);
        if !each.clone().all(right) {
            return Err(Status::INVALID_DATA);
        }
        let start = offset_of!(CO_ADDRESS, Address);
        Ok(each.filter_map(move |one| one.get(start..)?.first_chunk().copied()))
    }
}

impl<const N: usize> Flat for AddressList<'_, N> {
    fn size(&self) -> usize {
        let all = (self.available as usize).saturating_mul(Self::EACH);
        START.saturating_add(all)
    }

    fn write_to(&self, room: &mut [u8]) -> Result<usize, Status> {
        let own = cleared(room, self.size())?;
        // No more than `available`, which has 32 bits.
        let number = u32::try_from(self.len()).unwrap_or(u32::MAX);
        put(own, 0, &self.available.to_ne_bytes());
        put(
            own,
            offset_of!(CO_ADDRESS_LIST, NumberOfAddresses),
            &number.to_ne_bytes(),
        );
        let size = u32::try_from(N).map_err(|_| Status::INVALID_LENGTH)?;
        let places = own
            .get_mut(START..)
            .unwrap_or_default()
            .chunks_exact_mut(Self::EACH);
        for (place, address) in places.zip(self.common.iter().chain(self.added)) {
            put(place, 0, &size.to_ne_bytes());
            put(place, offset_of!(CO_ADDRESS, Address), address);
        }
        Ok(self.size())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    // Defines what the crates import.
    use ndis_host as _;

    #[test]
    fn what_is_no_list_is_refused() {
        assert!(AddressList::new(1, &[[1; 3]], &[[2; 3]]).is_err());
        let list = AddressList::new(3, &[[1; 3]], &[[2; 3]]).unwrap();
        let mut room = [0xEE; 64];
        let len = list.write_to(&mut room).unwrap();
        assert_eq!(len, 8 + 3 * 8);
        assert!(list.write_to(&mut room[..len - 1]).is_err());
        let heard = |bytes: &[u8]| AddressList::<3>::parse(bytes).map(Iterator::count);
        assert_eq!(heard(&room[..len]), Ok(2));
        assert_eq!(heard(&room[..8 + 15]), Err(Status::INVALID_LENGTH));
        assert_eq!(heard(&room[..7]), Err(Status::INVALID_LENGTH));
        room[8] = 4;
        assert_eq!(heard(&room[..len]), Err(Status::INVALID_DATA));
    }
}
