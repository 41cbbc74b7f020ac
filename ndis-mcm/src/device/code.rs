//! [`ControlCode`]: what a program asks a control device to do.

use core::fmt;

/// A control code: 32 bits that a program and a driver have agreed on.
///
/// Compare whole codes: the function alone does not say what access the I/O manager has checked
/// (rule [DEV-16]).
///
/// ```
/// # use ndis_mcm::device::{Access, ControlCode, Method};
/// # use ndis_host as _;
/// const COUNT: ControlCode = ControlCode::new::<0x801>(Access::Read);
///
/// // The number for the program: CTL_CODE(FILE_DEVICE_NETWORK, 0x801, METHOD_BUFFERED, FILE_READ_DATA).
/// assert_eq!(COUNT.raw(), 0x0012_6004);
/// assert_eq!(COUNT.method(), Method::Buffered);
/// ```
///
/// Source page: [defining-i-o-control-codes](https://learn.microsoft.com/windows-hardware/drivers/kernel/defining-i-o-control-codes).
///
/// [DEV-16]: ndis_sys::rules#DEV-16
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[doc(alias = "CTL_CODE")]
#[doc(alias = "IoControlCode")]
pub struct ControlCode(u32);

/// What a program must have opened the device for: the I/O manager lets nobody else ask.
///
/// ```
/// # use ndis_mcm::device::{Access, ControlCode};
/// # use ndis_host as _;
/// /// What changes something is for those who may write.
/// const RESET: ControlCode = ControlCode::new::<0x802>(Access::Write);
/// assert_eq!(RESET.access(), Access::Write);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Access {
    /// Whoever has the device open, for whatever.
    Any,
    /// Who may read.
    Read,
    /// Who may write.
    Write,
    /// Who may do both.
    ReadWrite,
}

/// How the data of a request come and go. Drivers of this crate have the first kind.
///
/// ```
/// # use ndis_mcm::device::{ControlCode, Method};
/// # use ndis_host as _;
/// // What a program sends may be anything.
/// assert_eq!(ControlCode::from_raw(0x0012_6007).method(), Method::Neither);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Method {
    /// `METHOD_BUFFERED`: through a copy in the system's memory.
    Buffered,
    /// `METHOD_IN_DIRECT`: the second buffer is locked, and read.
    InDirect,
    /// `METHOD_OUT_DIRECT`: the second buffer is locked, and written.
    OutDirect,
    /// `METHOD_NEITHER`: by addresses of the program's that nobody has looked at.
    Neither,
}

impl ControlCode {
    /// A code of the driver's own, for a network device, with buffered data. Functions below
    /// 0x800 are Microsoft's, and there are none above 0xFFF (rule [DEV-15]).
    ///
    /// [DEV-15]: ndis_sys::rules#DEV-15
    #[must_use]
    pub const fn new<const FUNCTION: u32>(access: Access) -> Self {
        const {
            assert!(
                FUNCTION >= 0x800 && FUNCTION <= 0xFFF,
                "rule DEV-15: the function of a driver's own code is one of 0x800 to 0xFFF"
            );
        };
        let access = match access {
            Access::Any => 0,
            Access::Read => 1,
            Access::Write => 2,
            Access::ReadWrite => 3,
        };
        Self((ndis_sys::FILE_DEVICE_NETWORK << 16) | (access << 14) | (FUNCTION << 2))
    }

    /// Any code, as a program sends it.
    #[must_use]
    pub const fn from_raw(raw: u32) -> Self {
        Self(raw)
    }

    /// The number.
    #[must_use]
    pub const fn raw(self) -> u32 {
        self.0
    }

    /// What kind of device it is for.
    #[must_use]
    pub const fn device_type(self) -> u16 {
        (self.0 >> 16) as u16
    }

    /// Which function of the device.
    #[must_use]
    pub const fn function(self) -> u16 {
        ((self.0 >> 2) & 0xFFF) as u16
    }

    /// What the I/O manager has checked.
    #[must_use]
    pub const fn access(self) -> Access {
        match (self.0 >> 14) & 3 {
            0 => Access::Any,
            1 => Access::Read,
            2 => Access::Write,
            _ => Access::ReadWrite,
        }
    }

    /// How data come and go.
    #[must_use]
    pub const fn method(self) -> Method {
        match self.0 & 3 {
            0 => Method::Buffered,
            1 => Method::InDirect,
            2 => Method::OutDirect,
            _ => Method::Neither,
        }
    }
}

impl fmt::Debug for ControlCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ControlCode({:#010x})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    // Defines what the crates import.
    use ndis_host as _;

    #[test]
    fn parts_of_a_code() {
        let code = ControlCode::new::<0xFFF>(Access::ReadWrite);
        assert_eq!(code.raw(), 0x0012_FFFC);
        assert_eq!(code.device_type(), 0x12);
        assert_eq!(code.function(), 0xFFF);
        assert_eq!(code.access(), Access::ReadWrite);
        for (raw, method) in [
            (0, Method::Buffered),
            (1, Method::InDirect),
            (2, Method::OutDirect),
            (3, Method::Neither),
        ] {
            assert_eq!(ControlCode::from_raw(raw).method(), method);
        }
        for access in [Access::Any, Access::Read, Access::Write] {
            assert_eq!(ControlCode::new::<0x800>(access).access(), access);
        }
    }
}
