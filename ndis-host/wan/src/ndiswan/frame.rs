//! PPP frames as an adapter carries them: no flags, no checksum, no stuffing.
//!
//! ```text
//! | 0xFF | 0x03 | protocol, 2 bytes | payload |      in full
//!               | protocol, 1 byte  | payload |      as short as it can be
//! ```
//!
//! The first two bytes are left out when that was negotiated ([`Framing::COMPRESS_ADDRESS_CONTROL`]), and
//! of a protocol whose first byte is zero that byte ([`Framing::COMPRESS_PROTOCOL`]). The control
//! protocol of the link is always in full, so that both ends understand it whatever they have
//! negotiated.
//!
//! Source page: [wan-packet-framing](https://learn.microsoft.com/windows-hardware/drivers/network/wan-packet-framing).

use ndis_co::wan::Framing;

/// The protocol of IPv4.
pub const IP: u16 = 0x0021;

/// The control protocol of the link.
pub const LCP: u16 = 0xC021;

const ADDRESS: u8 = 0xFF;
const CONTROL: u8 = 0x03;

/// What is in front of a payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    bytes: [u8; 4],
    len: usize,
}

impl Header {
    /// That of a protocol in this framing.
    #[must_use]
    pub fn new(protocol: u16, framing: Framing) -> Self {
        let full = protocol == LCP;
        let [high, low] = protocol.to_be_bytes();
        let mut header = Self {
            bytes: [0; 4],
            len: 0,
        };
        if full || !framing.contains(Framing::COMPRESS_ADDRESS_CONTROL) {
            header.push(ADDRESS);
            header.push(CONTROL);
        }
        // An odd first byte says that there is no second one.
        let short = high == 0 && low % 2 == 1;
        if full || !short || !framing.contains(Framing::COMPRESS_PROTOCOL) {
            header.push(high);
        }
        header.push(low);
        header
    }

    fn push(&mut self, byte: u8) {
        if let Some(place) = self.bytes.get_mut(self.len) {
            *place = byte;
            self.len += 1;
        }
    }

    /// Its bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

/// The protocol and the payload of a frame, however short its header is; `None` when it has not
/// even a protocol.
#[must_use]
pub fn parse(frame: &[u8]) -> Option<(u16, &[u8])> {
    let rest = match frame {
        [ADDRESS, CONTROL, rest @ ..] => rest,
        rest => rest,
    };
    match rest {
        [low, payload @ ..] if low % 2 == 1 => Some((u16::from(*low), payload)),
        [high, low, payload @ ..] => Some((u16::from_be_bytes([*high, *low]), payload)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORT: Framing = Framing::COMPRESS_ADDRESS_CONTROL.union(Framing::COMPRESS_PROTOCOL);

    #[test]
    fn a_header_is_as_long_as_was_negotiated() {
        for (protocol, framing, header) in [
            (IP, Framing::PPP, &[0xFF, 3, 0, 0x21][..]),
            (IP, Framing::COMPRESS_ADDRESS_CONTROL, &[0, 0x21]),
            (IP, Framing::COMPRESS_PROTOCOL, &[0xFF, 3, 0x21]),
            (IP, SHORT, &[0x21]),
            (0x8021, SHORT, &[0x80, 0x21]),
            (LCP, SHORT, &[0xFF, 3, 0xC0, 0x21]),
        ] {
            assert_eq!(Header::new(protocol, framing).bytes(), header);
            let mut frame = [0; 6];
            frame[..header.len()].copy_from_slice(header);
            let whole = &frame[..header.len() + 2];
            assert_eq!(parse(whole), Some((protocol, &[0, 0][..])));
        }
    }

    #[test]
    fn what_is_no_frame_has_no_protocol() {
        for frame in [&[][..], &[0xFF, 3], &[0xFF, 3, 0], &[0x80]] {
            assert_eq!(parse(frame), None);
        }
        assert_eq!(parse(&[0x21]), Some((IP, &[][..])));
    }
}
