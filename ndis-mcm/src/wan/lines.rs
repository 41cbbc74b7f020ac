//! [`Lines`]: the lines and addresses of an adapter, as TAPI sees them.

use super::Speeds;
use core::ops::Range;
use ndis_co::{
    Status,
    mem::{Tag, Vec},
    tapi::{
        ANY_ADDRESS, ANY_LINE, AddressCaps, AddressTypes, BearerModes, CmCaps, LineAddressCaps,
        LineCaps, LineDevCaps, LineSap, MediaModes, NDIS_CLASS, TextBuf,
    },
};

/// One line: what TAPI calls a device, with one address or several.
///
/// An address carries one call at a time. A line for sixteen calls has sixteen addresses.
///
/// ```
/// # use ndis_host as _;
/// # let _host = ndis_host::Host::builder().build();
/// use ndis_mcm::{Status, wan::{Line, Lines, Speeds}};
///
/// fn lines() -> Result<Lines, Status> {
///     // A line of two channels, each with a number of its own.
///     let basic = Line::new("ISDN", Speeds::both(64_000))?
///         .address("555-1230")?
///         .address("555-1231")?;
///     Lines::one(basic)
/// }
/// # assert!(lines().is_ok());
/// ```
#[derive(Debug)]
#[must_use]
#[doc(alias = "LINE_DEV_CAPS")]
pub struct Line {
    name: TextBuf,
    classes: TextBuf,
    /// The number of each address, or nothing.
    numbers: Vec<TextBuf>,
    /// TAPI has to ask about each address.
    differ: bool,
    /// How many addresses the lines before it have.
    before: usize,
    max_rate: u32,
    bearer: BearerModes,
    media: MediaModes,
    address_types: AddressTypes,
}

impl Line {
    /// A line for digital data of this name and speed, without an address: add them.
    ///
    /// # Errors
    ///
    /// [`Status::RESOURCES`].
    pub fn new(name: &str, speeds: Speeds) -> Result<Self, Status> {
        Ok(Self {
            name: TextBuf::utf16(name)?,
            classes: TextBuf::utf16_list(&[NDIS_CLASS])?,
            numbers: Vec::new(Tag::NDIS),
            differ: false,
            before: 0,
            max_rate: speeds.tapi_rate(),
            bearer: BearerModes::DATA,
            media: MediaModes::DIGITALDATA,
            address_types: AddressTypes::PHONENUMBER,
        })
    }

    /// One more address, which others reach by this number; an empty one says nothing of it.
    ///
    /// # Errors
    ///
    /// [`Status::RESOURCES`].
    pub fn address(mut self, number: &str) -> Result<Self, Status> {
        let number = TextBuf::utf16(number)?;
        self.differ |= self.numbers.first().is_some_and(|first| **first != *number);
        self.numbers.try_push(number)?;
        Ok(self)
    }

    /// So many more addresses, which are alike.
    ///
    /// # Errors
    ///
    /// [`Status::RESOURCES`].
    pub fn addresses(mut self, count: u32) -> Result<Self, Status> {
        for _ in 0..count {
            self = self.address("")?;
        }
        Ok(self)
    }

    /// What the network promises; data without this.
    pub fn bearer_modes(self, bearer: BearerModes) -> Self {
        Self { bearer, ..self }
    }

    /// What calls carry; digital data without this.
    pub fn media_modes(self, media: MediaModes) -> Self {
        Self { media, ..self }
    }

    /// How one calls from it; by phone numbers without this.
    pub fn address_types(self, address_types: AddressTypes) -> Self {
        Self {
            address_types,
            ..self
        }
    }

    fn count(&self) -> u32 {
        // Checked when it became one of several.
        u32::try_from(self.numbers.len()).unwrap_or(u32::MAX)
    }

    fn is_like(&self, other: &Self) -> bool {
        *self.name == *other.name
            && self.numbers.len() == other.numbers.len()
            && (self.max_rate, self.bearer, self.media, self.address_types)
                == (
                    other.max_rate,
                    other.bearer,
                    other.media,
                    other.address_types,
                )
            && self
                .numbers
                .iter()
                .zip(&other.numbers)
                .all(|(one, other)| **one == **other)
    }
}

/// The numbers that one stands for, of so many.
fn one_or_all(one: u32, all: u32, count: u32) -> Range<u32> {
    if one == all {
        0..count
    } else {
        one.min(count)..one.saturating_add(1).min(count)
    }
}

/// A place for a call: an address of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) line: u32,
    pub(super) address: u32,
    /// Among all addresses of all lines.
    pub(super) index: usize,
}

/// The lines of an adapter: from this the module answers the OIDs of TAPI (rules [TAPI-02],
/// [TAPI-03]) and accepts SAPs.
///
/// Lines are numbered from zero, in the order in which they were added, and so are the addresses
/// of each. Whether TAPI asks about each line or takes them to be alike follows from what they
/// are.
///
/// ```
/// # use ndis_host as _;
/// # let _host = ndis_host::Host::builder().build();
/// use ndis_mcm::wan::{Line, Lines, Speeds};
///
/// let mut lines = Lines::new();
/// for name in ["DSL 1", "DSL 2"] {
///     lines.add(Line::new(name, Speeds::both(16_000_000))?.addresses(1)?)?;
/// }
/// assert_eq!(lines.len(), 2);
/// # Ok::<(), ndis_mcm::Status>(())
/// ```
///
/// [TAPI-02]: ndis_sys::rules#TAPI-02
/// [TAPI-03]: ndis_sys::rules#TAPI-03
#[derive(Debug)]
#[doc(alias = "OID_CO_TAPI_CM_CAPS")]
pub struct Lines {
    all: Vec<Line>,
    /// How many addresses there are on all lines.
    addresses: usize,
    /// TAPI has to ask about each line: they differ, or addresses of any do (rule TAPI-02).
    differ: bool,
}

impl Lines {
    /// The most addresses of all lines together.
    pub const MAX_ADDRESSES: usize = 0x1_0000;

    /// None yet.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            all: Vec::new(Tag::NDIS),
            addresses: 0,
            differ: false,
        }
    }

    /// One line.
    ///
    /// # Errors
    ///
    /// As [`add`](Self::add).
    pub fn one(line: Line) -> Result<Self, Status> {
        let mut lines = Self::new();
        lines.add(line)?;
        Ok(lines)
    }

    /// One more line.
    ///
    /// # Errors
    ///
    /// [`Status::INVALID_DATA`] for a line without an address, or when there are more than
    /// [`MAX_ADDRESSES`](Self::MAX_ADDRESSES) then; [`Status::RESOURCES`].
    pub fn add(&mut self, mut line: Line) -> Result<(), Status> {
        let addresses = self.addresses.saturating_add(line.numbers.len());
        if line.numbers.is_empty() || addresses > Self::MAX_ADDRESSES {
            return Err(Status::INVALID_DATA);
        }
        // Now, and not for each that TAPI asks about.
        let first = self.all.first();
        let differ = line.differ || first.is_some_and(|first| !line.is_like(first));
        line.before = self.addresses;
        self.all.try_push(line)?;
        self.differ |= differ;
        self.addresses = addresses;
        Ok(())
    }

    /// How many lines there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// How many addresses there are on all lines.
    pub(super) fn addresses(&self) -> usize {
        self.addresses
    }

    /// The line of a number; of lines that are alike, any number of one stands for all.
    fn line(&self, line: u32) -> Option<&Line> {
        if line == ANY_LINE && !self.differ {
            return self.all.first();
        }
        self.all.get(usize::try_from(line).ok()?)
    }

    /// Each place that a line and an address stand for, wildcards among them.
    pub(super) fn places(&self, line: u32, address: u32) -> impl Iterator<Item = Place> {
        let lines = u32::try_from(self.all.len()).unwrap_or(u32::MAX);
        let lines = one_or_all(line, ANY_LINE, lines);
        lines
            .filter_map(|line| Some((line, self.all.get(line as usize)?)))
            .flat_map(move |(line, one)| {
                let addresses = one_or_all(address, ANY_ADDRESS, one.count());
                addresses.map(move |address| Place {
                    line,
                    address,
                    index: one.before.saturating_add(address as usize),
                })
            })
    }

    /// Whether there is such a line.
    pub(super) fn has_line(&self, line: u32) -> bool {
        self.places(line, ANY_ADDRESS).next().is_some()
    }

    /// Whether a SAP is for calls that may come here.
    pub(super) fn fits(&self, sap: &LineSap) -> bool {
        let places = self.places(sap.line, sap.address);
        let mut media = places.filter_map(|place| self.all.get(place.line as usize));
        media.any(|line| sap.media_modes.intersects(line.media))
    }

    /// What calls on a line carry, and what the network promises them.
    pub(super) fn modes(&self, line: u32) -> (MediaModes, BearerModes) {
        self.all
            .get(line as usize)
            .map(|line| (line.media, line.bearer))
            .unwrap_or_default()
    }

    /// Rule TAPI-02.
    pub(super) fn cm_caps(&self) -> CmCaps {
        let lines = u32::try_from(self.all.len()).unwrap_or(u32::MAX);
        CmCaps {
            per_line: self.differ,
            ..CmCaps::new(lines)
        }
    }

    /// Rule TAPI-03.
    pub(super) fn line_caps(&self, line: u32) -> Result<LineCaps<'_>, Status> {
        let one = self.line(line).ok_or(Status::TAPI_NODEVICE)?;
        Ok(LineCaps {
            line,
            per_address: one.differ,
            device: LineDevCaps {
                permanent_line: if self.differ { line } else { 0 },
                line_name: &one.name,
                device_classes: &one.classes,
                bearer_modes: one.bearer,
                media_modes: one.media,
                address_types: one.address_types,
                ..LineDevCaps::data(one.count(), one.max_rate)
            },
        })
    }

    pub(super) fn address_caps(&self, line: u32, address: u32) -> Result<AddressCaps<'_>, Status> {
        let one = self.line(line).ok_or(Status::TAPI_NODEVICE)?;
        let any = address == ANY_ADDRESS && !one.differ;
        let index = if any { 0 } else { address as usize };
        let number = one.numbers.get(index).ok_or(Status::TAPI_INVALADDRESSID)?;
        let nothing = number.iter().all(|byte| *byte == 0);
        Ok(AddressCaps {
            line,
            address,
            caps: LineAddressCaps {
                line,
                // One that nobody has named.
                address: if nothing { &[] } else { number },
                device_classes: &one.classes,
                available_media_modes: one.media,
                // One call an address: so a call is known by its address.
                ..LineAddressCaps::data(1)
            },
        })
    }
}

impl Default for Lines {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use ndis_co::tapi::Text;
    use ndis_host::Host;

    fn line(name: &str, numbers: &[&str]) -> Line {
        let mut line = Line::new(name, Speeds::both(64_000)).unwrap();
        for number in numbers {
            line = line.address(number).unwrap();
        }
        line
    }

    fn lines(all: impl IntoIterator<Item = Line>) -> Lines {
        let mut lines = Lines::new();
        for line in all {
            lines.add(line).unwrap();
        }
        lines
    }

    /// Rules TAPI-02, TAPI-03: what differs is said to, and nothing else.
    #[test]
    fn what_differs() {
        let _host = Host::builder().build();
        for (all, per_line, per_address) in [
            (lines([line("A", &["", ""])]), false, false),
            (lines([line("A", &[""]), line("A", &[""])]), false, false),
            (lines([line("A", &[""]), line("B", &[""])]), true, false),
            (lines([line("A", &["1", "2"])]), true, true),
            (lines([line("A", &["1", "1"])]), false, false),
            (lines([line("A", &["1", "2", "1"])]), true, true),
        ] {
            assert_eq!(all.cm_caps().per_line, per_line);
            assert_eq!(all.line_caps(0).unwrap().per_address, per_address);
            assert_eq!(all.line_caps(ANY_LINE).is_ok(), !per_line);
            assert_eq!(all.line_caps(9), Err(Status::TAPI_NODEVICE));
            let any = all.address_caps(0, ANY_ADDRESS);
            assert_eq!(any.is_ok(), !per_address);
            let other = all.address_caps(0, 9);
            assert_eq!(other, Err(Status::TAPI_INVALADDRESSID));
        }
    }

    #[test]
    fn each_address_has_its_number() {
        let _host = Host::builder().build();
        let all = lines([line("A", &["1", ""]), line("B", &["3"])]);
        let caps = all.address_caps(1, 0).unwrap();
        assert!(Text::guess(caps.caps.address).is("3"));
        assert!(all.address_caps(0, 1).unwrap().caps.address.is_empty());
        let caps = all.line_caps(1).unwrap();
        assert!(caps.device.text(caps.device.line_name).is("B"));
        assert_eq!(
            (caps.device.permanent_line, caps.device.max_rate),
            (1, 64_000)
        );
    }

    #[test]
    fn places_and_wildcards() {
        let _host = Host::builder().build();
        let all = lines([line("A", &["", ""]), line("B", &[""])]);
        let places = |line, address| -> std::vec::Vec<usize> {
            all.places(line, address).map(|place| place.index).collect()
        };
        assert_eq!(places(ANY_LINE, ANY_ADDRESS), [0, 1, 2]);
        assert_eq!(places(0, ANY_ADDRESS), [0, 1]);
        assert_eq!(places(ANY_LINE, 0), [0, 2]);
        assert_eq!(places(1, 0), [2]);
        assert!(places(1, 1).is_empty() && places(2, 0).is_empty());
        assert!(all.has_line(ANY_LINE) && all.has_line(1) && !all.has_line(2));
    }

    #[test]
    fn which_saps_fit() {
        let _host = Host::builder().build();
        let all = lines([line("A", &[""])]);
        for (line, address, media_modes, fits) in [
            (ANY_LINE, ANY_ADDRESS, MediaModes::DIGITALDATA, true),
            (0, 0, MediaModes::all(), true),
            (1, ANY_ADDRESS, MediaModes::DIGITALDATA, false),
            (0, 1, MediaModes::DIGITALDATA, false),
            (0, 0, MediaModes::G3FAX, false),
        ] {
            let sap = LineSap {
                line,
                address,
                media_modes,
            };
            assert_eq!(all.fits(&sap), fits, "{sap:?}");
        }
    }

    #[test]
    fn a_line_has_an_address() {
        let _host = Host::builder().build();
        assert_eq!(
            Lines::one(line("A", &[])).map(drop),
            Err(Status::INVALID_DATA)
        );
        let many = u32::try_from(Lines::MAX_ADDRESSES).unwrap() + 1;
        let many = Line::new("A", Speeds::both(1)).unwrap().addresses(many);
        assert_eq!(
            Lines::one(many.unwrap()).map(drop),
            Err(Status::INVALID_DATA)
        );
    }
}
