//! The end of a structure of variable length: a type, a length, and bytes, as
//! `CO_SPECIFIC_PARAMETERS` and `CO_SAP` have it.

use crate::{input::Input, memory::Exact};
use ndis_co::address::MAX_VARIABLE;

/// What such a part claims and has.
#[derive(Debug)]
pub struct Variable {
    /// `ParamType` or `SapType`.
    pub kind: u32,
    /// `Length` or `SapLength`.
    pub claimed: u32,
    /// The bytes that are there: as many as claimed, or none where the claim is
    /// over-long.
    pub bytes: Vec<u8>,
}

impl Variable {
    /// Mostly short; now and then as long as may be, or longer.
    pub fn read(input: &mut Input<'_>) -> Self {
        let kind = input.word();
        let size = input.byte();
        let claimed = match size {
            0..=223 => u32::from(size) % 48,
            224..=231 => MAX_VARIABLE,
            232..=235 => MAX_VARIABLE - 1 - u32::from(input.byte()),
            236..=239 => input.word() % MAX_VARIABLE,
            240..=243 => MAX_VARIABLE + 1,
            244..=247 => u32::MAX - u32::from(input.byte()),
            248..=251 => i32::MAX as u32 + u32::from(input.byte()),
            252..=255 => input.word().max(MAX_VARIABLE + 1),
        };
        let there = if claimed > MAX_VARIABLE { 0 } else { claimed };
        Self {
            kind,
            claimed,
            bytes: input.bytes(there as usize),
        }
    }

    /// Whether the claim is one to be refused.
    #[must_use]
    pub fn is_over_long(&self) -> bool {
        self.claimed > MAX_VARIABLE
    }

    /// Writes it to the end of `memory`, its type at `kind_at`, its length at
    /// `length_at`, its bytes from `bytes_at` on.
    pub fn put(&self, memory: &mut Exact, kind_at: usize, length_at: usize, bytes_at: usize) {
        memory.put(kind_at, self.kind);
        memory.put(length_at, self.claimed);
        memory.put_bytes(bytes_at, &self.bytes);
    }
}
