//! What NDIS calls report: [`Status`].
//!
//! NDIS hands out one 32-bit code for success, "later", and every failure.
//! Safe Rust keeps the three apart: a call returns `Result<T, Status>`, a
//! pended request is a token, and a `Status` that stands for a refusal is
//! never success and never pending (see [`Status::as_failure`]).

mod codes;

use core::fmt;

/// An `NDIS_STATUS`.
///
/// The codes are associated constants without their prefix, for example
/// [`Status::RESOURCES`]. Any other value can be carried as well: NDIS passes
/// on codes of other drivers unchanged.
///
/// ```
/// # use ndis_co::Status;
/// # use ndis_host as _;
/// fn check(len: usize) -> Result<(), Status> {
///     if len > 1500 { Err(Status::INVALID_LENGTH) } else { Ok(()) }
/// }
///
/// assert_eq!(check(1501), Err(Status::INVALID_LENGTH));
/// assert_eq!(Status::from_raw(0), Status::SUCCESS);
/// assert_eq!(Status::CLOSING.name(), Some("CLOSING"));
/// ```
///
/// It is to be looked at (rule [GEN-07]), as is the `Result` that a fallible call of these crates has.
///
/// [GEN-07]: ndis_sys::rules#GEN-07
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(transparent)]
#[must_use]
#[doc(alias = "NDIS_STATUS")]
pub struct Status(i32);

impl Status {
    /// Wraps a raw code.
    #[inline]
    pub const fn from_raw(raw: ndis_sys::NDIS_STATUS) -> Self {
        Self(raw)
    }

    /// The raw code.
    #[inline]
    #[must_use]
    pub const fn raw(self) -> ndis_sys::NDIS_STATUS {
        self.0
    }

    /// Whether the code is exactly `NDIS_STATUS_SUCCESS`.
    ///
    /// NDIS calls document success as this one value; the informational and
    /// warning codes of other drivers do not mean that a request was done.
    #[inline]
    #[must_use]
    pub const fn is_success(self) -> bool {
        self.0 == Self::SUCCESS.0
    }

    /// Whether the code says that the answer comes later.
    #[inline]
    #[must_use]
    pub const fn is_pending(self) -> bool {
        self.0 == Self::PENDING.0
    }

    /// The code as the final answer of a request that failed.
    ///
    /// Only a negative code is a failure to everybody: success and pending
    /// (rule [GEN-05]: pending is never a final status) are none, and to much of
    /// Windows neither are informational codes, such as
    /// [`NOT_ACCEPTED`](Self::NOT_ACCEPTED). They become [`Status::FAILURE`].
    /// Whatever a driver gives as a failure goes through here on its way out.
    ///
    /// [GEN-05]: ndis_sys::rules#GEN-05
    #[inline]
    pub const fn as_failure(self) -> Self {
        if self.0 >= 0 { Self::FAILURE } else { self }
    }

    /// The code as the final one of a request: a success stays one, everything
    /// else is a failure, see [`as_failure`](Self::as_failure).
    #[inline]
    pub const fn as_final(self) -> Self {
        if self.is_success() {
            self
        } else {
            self.as_failure()
        }
    }

    /// `Ok` for success, otherwise what NDIS says.
    ///
    /// # Errors
    ///
    /// The code itself when it is not [`Status::SUCCESS`]; pending becomes
    /// [`Status::FAILURE`].
    #[inline]
    pub const fn result(self) -> Result<(), Self> {
        if self.is_success() {
            Ok(())
        } else if self.is_pending() {
            Err(Self::FAILURE)
        } else {
            Err(self)
        }
    }

    /// The name of the code without its prefix, if it is one of NDIS's own.
    ///
    /// `Debug` and `Display` look it up as well. Only a driver that does one of the three has the table
    /// of names in its image, eleven thousand bytes. Printed as a number (`{status:#010x}`) a code needs
    /// none.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        let mut start = 0;
        for (code, len) in codes::CODES.iter().zip(codes::LENGTHS) {
            let end = start + usize::from(*len);
            if *code == self.0 {
                return codes::NAMES.get(start..end);
            }
            start = end;
        }
        None
    }
}

impl fmt::Debug for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "Status({self:#010x})"),
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "NDIS_STATUS_{name}"),
            None => write!(f, "NDIS_STATUS {self:#010x}"),
        }
    }
}

/// The code itself: `{status:#010x}`.
impl fmt::LowerHex for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::LowerHex::fmt(&self.0, f)
    }
}

impl core::error::Error for Status {}

impl From<crate::mem::OutOfMemory> for Status {
    fn from(_: crate::mem::OutOfMemory) -> Self {
        Self::RESOURCES
    }
}
