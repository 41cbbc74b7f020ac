//! [`DeviceAttributes`]: a device's name, and who may open it.

use ndis_co::{
    Status,
    mem::{Tag, Vec},
};

/// The name of a control device, and who may open it.
///
/// ```
/// # use ndis_mcm::device::{DeviceAttributes, Security};
/// # use ndis_host as _;
/// // A program opens `\\.\Lamp`.
/// let lamp = DeviceAttributes::new("Lamp").security(Security::System);
/// # let _ = lamp;
/// ```
///
/// Source page: [`NDIS_DEVICE_OBJECT_ATTRIBUTES`](https://learn.microsoft.com/windows-hardware/drivers/ddi/ndis/ns-ndis-_ndis_device_object_attributes).
#[derive(Clone, Copy, Debug)]
#[doc(alias = "NDIS_DEVICE_OBJECT_ATTRIBUTES")]
pub struct DeviceAttributes<'a> {
    name: &'a str,
    security: Security<'a>,
}

/// Who may open a device: its default security, which a program with the right to do so can
/// change.
///
/// ```
/// # use ndis_mcm::device::{DeviceAttributes, Security};
/// # use ndis_host as _;
/// // The system and the network services.
/// let security = Security::Sddl("D:P(A;;GA;;;SY)(A;;GRGW;;;NS)");
/// let lamp = DeviceAttributes::new("Lamp").security(security);
/// # let _ = lamp;
/// ```
///
/// Source page: [sddl-for-device-objects](https://learn.microsoft.com/windows-hardware/drivers/kernel/sddl-for-device-objects).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
#[doc(alias = "SDDL")]
#[doc(alias = "DefaultSDDLString")]
pub enum Security<'a> {
    /// No program at all: other drivers only.
    KernelOnly,
    /// Programs that run as the system.
    System,
    /// The system and the administrators: what a device has that nothing is said of.
    Administrators,
    /// As [`Administrators`](Self::Administrators), who may not change this; everybody may read.
    EverybodyReads,
    /// A descriptor in the part of the language that the source page describes. NDIS refuses what
    /// is none; one that is longer than a counted string, of 32766 characters, is refused before.
    Sddl(&'a str),
}

impl<'a> DeviceAttributes<'a> {
    /// A device of this name, for the system and the administrators.
    ///
    /// The name is ASCII, without a backslash, up to 200 characters: that of the device object
    /// `\Device\Name`, and of the link to it, `\DosDevices\Name`, by which programs open it (rule
    /// [DEV-03]).
    ///
    /// [DEV-03]: ndis_sys::rules#DEV-03
    #[must_use]
    pub const fn new(name: &'a str) -> Self {
        Self {
            name,
            security: Security::Administrators,
        }
    }

    /// Who may open it.
    #[must_use]
    pub const fn security(mut self, security: Security<'a>) -> Self {
        self.security = security;
        self
    }

    /// The full names of the device and of its link, and the security descriptor; each ends with a
    /// zero (rules [DEV-03], [DEV-05]).
    ///
    /// [DEV-03]: ndis_sys::rules#DEV-03
    /// [DEV-05]: ndis_sys::rules#DEV-05
    pub(super) fn strings(&self) -> Result<[Vec<u16>; 3], Status> {
        let plain = |unit: u8| unit.is_ascii_graphic() && unit != b'\\';
        if !(1..=200).contains(&self.name.len()) || !self.name.bytes().all(plain) {
            return Err(Status::INVALID_PARAMETER);
        }
        let security = wide(&[self.security.text()])?;
        // A part of a descriptor may be one that lets more programs in.
        if security.len() > LONGEST {
            return Err(Status::INVALID_PARAMETER);
        }
        Ok([
            wide(&["\\Device\\", self.name])?,
            wide(&["\\DosDevices\\", self.name])?,
            security,
        ])
    }
}

impl<'a> Security<'a> {
    const fn text(self) -> &'a str {
        match self {
            Self::KernelOnly => "D:P",
            Self::System => "D:P(A;;GA;;;SY)",
            Self::Administrators => "D:P(A;;GA;;;SY)(A;;GA;;;BA)",
            Self::EverybodyReads => "D:P(A;;GA;;;SY)(A;;GRGWGX;;;BA)(A;;GR;;;WD)",
            Self::Sddl(text) => text,
        }
    }
}

/// The most units of a counted string, with a zero behind them.
const LONGEST: usize = 0x7FFF;

/// UTF-16 with a zero at its end.
fn wide(parts: &[&str]) -> Result<Vec<u16>, Status> {
    let mut units = Vec::new(Tag::NDIS);
    for part in parts {
        for unit in part.encode_utf16() {
            units.try_push(unit)?;
        }
    }
    units.try_push(0)?;
    Ok(units)
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use ndis_host::Host;

    const LONG: &str = match core::str::from_utf8(&[b'x'; 201]) {
        Ok(text) => text,
        Err(_) => "",
    };

    #[test]
    fn names() {
        let host = Host::builder().build();
        for none in ["", "a\\b", "a b", "\u{e4}", "a\0", LONG] {
            let strings = DeviceAttributes::new(none).strings();
            assert_eq!(strings.err(), Some(Status::INVALID_PARAMETER), "{none}");
        }
        let [name, link, security] = DeviceAttributes::new("Lamp-1")
            .security(Security::KernelOnly)
            .strings()
            .expect("a name");
        assert!(name.iter().copied().eq("\\Device\\Lamp-1\0".encode_utf16()));
        assert!(
            link.iter()
                .copied()
                .eq("\\DosDevices\\Lamp-1\0".encode_utf16())
        );
        assert!(security.iter().copied().eq("D:P\0".encode_utf16()));
        drop((name, link, security));
        assert!(host.finish().is_clean());
    }
    /// What is cut off may be who is kept out.
    #[test]
    fn a_descriptor_that_does_not_fit_is_refused() {
        let host = Host::builder().build();
        let strings = |text: &str| {
            let attributes = DeviceAttributes::new("Lamp").security(Security::Sddl(text));
            attributes.strings().map(|[_, _, security]| security.len())
        };
        let longest = "x".repeat(LONGEST - 1);
        assert_eq!(strings(&longest), Ok(LONGEST));
        let longer = "x".repeat(LONGEST);
        assert_eq!(strings(&longer), Err(Status::INVALID_PARAMETER));
        assert!(host.finish().is_clean());
    }
}
