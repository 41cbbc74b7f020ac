//! [`Message`]: what the two ends of a link say to each other.
//!
//! Every message has the same 32 bytes, eight little-endian words, whatever its kind uses of
//! them. What arrives was written by somebody else: it is looked at here, once, and what is no
//! message goes no further.

/// The length of a message, in bytes.
pub(crate) const LEN: usize = 32;

/// Of the format.
const VERSION: u32 = 1;

/// What a message is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// This end is there: at its start, and while calls are up every now and then.
    Hello,
    /// A call is placed: `from`, `channel`, `number`.
    SetUp,
    /// It is answered: `to`, `from`.
    Connect,
    /// It is over, or not wanted at all: `to`, `from`, `status`. Said until it is answered.
    Release,
    /// The answer to that, always: `to`.
    Released,
}

/// A message. Each end has a reference of its own for each call, zero is none.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Message {
    pub(crate) kind: Kind,
    /// The sender's session.
    pub(crate) session: u32,
    /// The receiver's session, as far as the sender knows; else zero.
    pub(crate) peer: u32,
    /// The receiver's reference of the call.
    pub(crate) to: u32,
    /// The sender's.
    pub(crate) from: u32,
    /// Where the call's data will flow.
    pub(crate) channel: u32,
    /// Who is called.
    pub(crate) number: u32,
    /// An NDIS status.
    pub(crate) status: i32,
}

impl Kind {
    const ALL: [(u32, Self); 5] = [
        (1, Self::Hello),
        (2, Self::SetUp),
        (3, Self::Connect),
        (4, Self::Release),
        (5, Self::Released),
    ];

    fn code(self) -> u32 {
        let known = Self::ALL.iter().find(|(_, kind)| *kind == self);
        known.map_or(0, |(code, _)| *code)
    }

    fn from_code(code: u32) -> Option<Self> {
        let known = Self::ALL.iter().find(|(known, _)| *known == code);
        known.map(|(_, kind)| *kind)
    }
}

impl Message {
    /// One about a call; whoever sends it fills in the sessions.
    pub(crate) const fn new(kind: Kind, to: u32, from: u32) -> Self {
        Self {
            kind,
            session: 0,
            peer: 0,
            to,
            from,
            channel: 0,
            number: 0,
            status: 0,
        }
    }

    /// The end of a call, and why.
    pub(crate) const fn release(to: u32, from: u32, status: i32) -> Self {
        let mut release = Self::new(Kind::Release, to, from);
        release.status = status;
        release
    }

    pub(crate) fn encode(&self) -> [u8; LEN] {
        let words = [
            self.kind.code() | VERSION << 8,
            self.session,
            self.peer,
            self.to,
            self.from,
            self.channel,
            self.number,
            self.status.cast_unsigned(),
        ];
        let mut bytes = [0; LEN];
        for (to, word) in bytes.chunks_exact_mut(4).zip(words) {
            to.copy_from_slice(&word.to_le_bytes());
        }
        bytes
    }

    /// `None` for what is no message of this version.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; LEN] = bytes.try_into().ok()?;
        let mut words = [0; LEN / 4];
        for (word, from) in words.iter_mut().zip(bytes.chunks_exact(4)) {
            *word = u32::from_le_bytes(from.try_into().ok()?);
        }
        let [head, session, peer, to, from, channel, number, status] = words;
        if head >> 8 != VERSION {
            return None;
        }
        Some(Self {
            kind: Kind::from_code(head & 0xFF)?,
            session,
            peer,
            to,
            from,
            channel,
            number,
            status: status.cast_signed(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    // Defines what the crates import.
    use ndis_host as _;

    fn message(kind: Kind) -> Message {
        Message {
            kind,
            session: 0x0102_0304,
            peer: 2,
            to: 3,
            from: 4,
            channel: 5,
            number: 6,
            status: -1,
        }
    }

    #[test]
    fn what_is_written_can_be_read() {
        for (_, kind) in Kind::ALL {
            let message = message(kind);
            assert_eq!(Message::decode(&message.encode()), Some(message));
        }
    }

    /// The other end may be another build of the driver.
    #[test]
    fn every_byte_has_its_place() {
        let mut bytes = [0; LEN];
        bytes[0] = 2;
        bytes[1] = 1;
        bytes[4..8].copy_from_slice(&[4, 3, 2, 1]);
        for (place, value) in [(8, 2), (12, 3), (16, 4), (20, 5), (24, 6)] {
            bytes[place] = value;
        }
        bytes[28..].fill(0xFF);
        assert_eq!(message(Kind::SetUp).encode(), bytes);
    }

    #[test]
    fn what_is_no_message_is_not_read() {
        let good = message(Kind::Hello).encode();
        assert_eq!(Message::decode(&[]), None);
        assert_eq!(Message::decode(&good[..LEN - 1]), None);
        assert_eq!(Message::decode(&[good, good].concat()), None);
        for (place, value) in [(0, 0), (0, 6), (1, 0), (1, 2), (2, 1), (3, 1)] {
            let mut bad = good;
            bad[place] = value;
            assert_eq!(Message::decode(&bad), None, "{place}: {value}");
        }
    }
}
