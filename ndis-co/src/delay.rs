//! [`delay`]: waiting for time to pass.

use crate::irql::Passive;

/// Blocks the calling thread for at least so many microseconds.
///
/// For short waits of some milliseconds: a [`Timer`](crate::timer::Timer) keeps no thread.
///
/// ```
/// use ndis_co::{delay::delay, irql::Passive};
///
/// fn let_the_line_settle(irql: &mut Passive) {
///     delay(2_000, irql);
/// }
/// ```
///
/// Source page: [`NdisMSleep`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/nf-ndis-ndismsleep).
#[doc(alias = "NdisMSleep")]
pub fn delay(microseconds: u32, irql: &mut Passive) {
    let _ = irql;
    // SAFETY: legal at PASSIVE_LEVEL, which the proof says.
    unsafe { ndis_sys::NdisMSleep(microseconds) };
}
