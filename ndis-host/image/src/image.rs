//! A mapped image and its import table.
//!
//! Nothing that the image says of itself is believed: every offset is looked at
//! before it is followed, and an image that makes no sense has no imports.

use alloc::string::String;
use alloc::vec::Vec;

/// A mapped image.
///
/// # Invariants
///
/// IMAGE: `size` bytes from `base` on are readable, and nobody writes them as
/// long as this lives.
pub struct Image {
    base: *mut u8,
    size: usize,
}

/// A named import.
pub struct Import {
    pub module: String,
    pub name: String,
    /// Where the address of the function stands, inside the image.
    pub slot: *mut usize,
}

const SIGNATURE: u32 = u32::from_le_bytes(*b"PE\0\0");
/// The optional header's first word, and where the directories are in it.
const FORMAT: (u16, usize) = if usize::BITS == 64 {
    (0x20B, 112)
} else {
    (0x10B, 96)
};
/// The import directory is the second one.
const IMPORTS: usize = 1;
/// The number of bytes of an entry in the import directory.
const DESCRIPTOR: usize = 20;
/// Set in an entry that names no function but has its number.
const BY_ORDINAL: usize = 1 << (usize::BITS - 1);

impl Image {
    /// # Safety
    ///
    /// IMAGE.
    pub unsafe fn new(base: *mut u8, size: usize) -> Self {
        Self { base, size }
    }

    /// Reads `N` bytes at an offset; None outside of the image.
    fn bytes<const N: usize>(&self, at: usize) -> Option<[u8; N]> {
        if at.checked_add(N)? > self.size {
            return None;
        }
        // SAFETY: inside the image (IMAGE); bytes have no alignment.
        Some(unsafe { self.base.wrapping_add(at).cast::<[u8; N]>().read() })
    }

    fn half(&self, at: usize) -> Option<u16> {
        Some(u16::from_le_bytes(self.bytes(at)?))
    }

    /// A 32-bit number; offsets and sizes are such.
    fn word(&self, at: usize) -> Option<usize> {
        usize::try_from(u32::from_le_bytes(self.bytes(at)?)).ok()
    }

    fn pointer(&self, at: usize) -> Option<usize> {
        Some(usize::from_le_bytes(self.bytes(at)?))
    }

    /// A text that ends with a zero.
    fn text(&self, at: usize) -> Option<String> {
        let mut bytes = Vec::new();
        for place in at.. {
            match self.bytes::<1>(place)? {
                [0] => break,
                [byte] => bytes.push(byte),
            }
        }
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// How many bytes the image takes; None when the headers make no sense.
    pub fn whole_size(&self) -> Option<usize> {
        let headers = self.word(0x3C)?;
        self.word(headers.checked_add(24 + 56)?)
    }

    /// The named imports; None when the headers make no sense.
    pub fn imports(&self) -> Option<Vec<Import>> {
        let headers = self.word(0x3C)?;
        let signature = u32::from_le_bytes(self.bytes(headers)?);
        let optional = headers.checked_add(24)?;
        if signature != SIGNATURE || self.half(optional)? != FORMAT.0 {
            return None;
        }
        let directories = optional.checked_add(FORMAT.1)?;
        let mut found = Vec::new();
        // Their number stands in front of them.
        if self.word(directories.checked_sub(4)?)? <= IMPORTS {
            return Some(found);
        }
        let mut descriptor = self.word(directories.checked_add(IMPORTS * 8)?)?;
        if descriptor == 0 {
            return Some(found);
        }
        loop {
            let names = self.word(descriptor)?;
            let module = self.word(descriptor.checked_add(12)?)?;
            let slots = self.word(descriptor.checked_add(16)?)?;
            if module == 0 {
                return Some(found);
            }
            // Without a table of names that of the addresses had them, which
            // are gone by now.
            if names == 0 {
                return None;
            }
            let module = self.text(module)?;
            self.module(&module, names, slots, &mut found)?;
            descriptor = descriptor.checked_add(DESCRIPTOR)?;
        }
    }

    fn module(
        &self,
        module: &str,
        names: usize,
        slots: usize,
        found: &mut Vec<Import>,
    ) -> Option<()> {
        for offset in (0..).step_by(size_of::<usize>()) {
            let entry = self.pointer(names.checked_add(offset)?)?;
            if entry == 0 {
                return Some(());
            }
            if entry & BY_ORDINAL != 0 {
                continue;
            }
            let slot = slots.checked_add(offset)?;
            // It is inside the image.
            self.pointer(slot)?;
            found.push(Import {
                module: module.into(),
                // A hint of two bytes comes before the name.
                name: self.text(entry.checked_add(2)?)?,
                slot: self.base.wrapping_add(slot).cast(),
            });
        }
        None
    }
}
