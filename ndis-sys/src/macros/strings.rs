//! Counted strings.

use crate::*;

/// A counted UTF-16 string of a literal, for ASCII characters only.
///
/// ```
/// use ndis_sys::{NDIS_STRING, NDIS_STRING_CONST};
/// let name: NDIS_STRING = NDIS_STRING_CONST!("Upper");
/// assert_eq!((name.Length, name.MaximumLength), (10, 12));
/// ```
#[macro_export]
macro_rules! NDIS_STRING_CONST {
    ($text:literal) => {{
        const TEXT: &str = $text;
        const _: () = assert!(TEXT.is_ascii() && TEXT.len() < 0x7FFF, "short ASCII only");
        static WIDE: [u16; TEXT.len() + 1] = $crate::wide(TEXT);
        $crate::NDIS_STRING {
            Length: (TEXT.len() * 2) as u16,
            MaximumLength: (TEXT.len() * 2 + 2) as u16,
            // What NDIS only reads; C's string literals are no different.
            Buffer: WIDE.as_ptr().cast_mut(),
        }
    }};
}

/// The UTF-16 units of an ASCII text, and zeros behind it.
#[doc(hidden)]
#[must_use]
pub const fn wide<const N: usize>(text: &str) -> [u16; N] {
    let mut wide = [0; N];
    let mut from = text.as_bytes();
    let mut to: &mut [u16] = &mut wide;
    while let ([byte, more @ ..], [unit, rest @ ..]) = (from, to) {
        *unit = *byte as u16;
        from = more;
        to = rest;
    }
    wide
}

/// `forward! { /// doc; NdisX = RtlX(args; fixed) -> Result; ... }`
macro_rules! forward {
    ($($(#[$doc:meta])* $name:ident = $target:ident($($arg:ident: $ty:ty),* $(; $last:expr)?) $(-> $ret:ty)?;)*) => {
        $(
            $(#[$doc])*
            ///
            /// # Safety
            #[doc = concat!("As for [`", stringify!($target), "`].")]
            #[inline]
            pub unsafe fn $name($($arg: $ty),*) $(-> $ret)? {
                // SAFETY: the caller's promise is the callee's.
                unsafe { $target($($arg,)* $($last)?) }
            }
        )*
    };
}

forward! {
    /// Makes a counted string of a zero-terminated one, which it borrows.
    NdisInitAnsiString = RtlInitString(string: PANSI_STRING, text: PCSZ);
    /// Makes a counted string of a zero-terminated one, which it borrows.
    NdisInitUnicodeString = RtlInitUnicodeString(string: PUNICODE_STRING, text: PCWSTR);
    /// Whether two strings are equal.
    NdisEqualString = RtlEqualUnicodeString(a: PCUNICODE_STRING, b: PCUNICODE_STRING, ignore_case: BOOLEAN) -> BOOLEAN;
    /// Whether two strings are equal.
    NdisEqualUnicodeString = RtlEqualUnicodeString(a: PCUNICODE_STRING, b: PCUNICODE_STRING, ignore_case: BOOLEAN) -> BOOLEAN;
    /// Converts into the buffer of `to`.
    NdisAnsiStringToUnicodeString = RtlAnsiStringToUnicodeString(to: PUNICODE_STRING, from: PCANSI_STRING; FALSE as BOOLEAN) -> NTSTATUS;
    /// Converts into the buffer of `to`.
    NdisUnicodeStringToAnsiString = RtlUnicodeStringToAnsiString(to: PANSI_STRING, from: PCUNICODE_STRING; FALSE as BOOLEAN) -> NTSTATUS;
    /// Converts to upper case into the buffer of `to`.
    NdisUpcaseUnicodeString = RtlUpcaseUnicodeString(to: PUNICODE_STRING, from: PCUNICODE_STRING; FALSE as BOOLEAN) -> NTSTATUS;
}

/// Frees the buffer of a string that NDIS allocated.
///
/// # Safety
/// NDIS allocated the buffer, and nobody uses it any more.
#[inline]
pub unsafe fn NdisFreeString(string: NDIS_STRING) {
    let length = UINT::from(string.MaximumLength);
    // SAFETY: the caller's promise.
    unsafe { NdisFreeMemory(string.Buffer.cast(), length, 0) }
}

/// Prints a string to the debugger.
///
/// # Safety
/// The buffer is terminated by zero.
#[inline]
pub unsafe fn NdisPrintString(string: NDIS_STRING) {
    // SAFETY: the format takes one zero-terminated wide string.
    unsafe { DbgPrint(c"%ls".as_ptr().cast(), string.Buffer) };
}
