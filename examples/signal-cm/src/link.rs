//! [`Link`]: who is at the other end, and whether it is still the same one.
//!
//! Each end has a number for itself and counts its beginnings; both together are its session,
//! which is in every message beside the session that it is meant for. So an end notices that
//! the other one has begun anew and knows of no call; that a message is an old one; and, where
//! a link with one end gives back what it is sent, that it hears itself.
//!
//! The two numbers differ, and say who takes which of the channels: so that two calls that are
//! placed at the same time, one from each end, never want the same.

use crate::message::{Kind, Message};

/// So many ticks without a word, and the other end is gone.
pub(crate) const PATIENCE: u32 = 3;

/// One end's view of the link.
#[derive(Debug)]
pub(crate) struct Link {
    number: u16,
    /// How often this end has begun.
    beginnings: u16,
    /// The session of the other end.
    peer: Option<u32>,
    /// Ticks without a word from there.
    silence: u32,
}

/// What a message is to this end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Heard {
    /// Its own voice.
    Itself,
    /// About a call, from who is known and knows this end.
    Word,
    /// A greeting. `fresh`: whoever was there before is gone. `answer`: it does not know this
    /// end.
    Greeting { fresh: bool, answer: bool },
    /// From somebody who is not known, or for who was here before: greet.
    Stranger,
}

impl Link {
    /// `number` is another one than the other end's.
    pub(crate) const fn new(number: u16) -> Self {
        Self {
            number,
            beginnings: 1,
            peer: None,
            silence: 0,
        }
    }

    pub(crate) fn session(&self) -> u32 {
        u32::from(self.beginnings) << 16 | u32::from(self.number)
    }

    /// The other end's session, once it is known.
    pub(crate) fn peer(&self) -> Option<u32> {
        self.peer
    }

    /// Stamps a message that is about to be sent.
    pub(crate) fn sign(&self, mut message: Message) -> Message {
        message.session = self.session();
        message.peer = self.peer.unwrap_or(0);
        message
    }

    /// The channel for a call that is placed at this end under `reference`.
    pub(crate) fn channel(&self, reference: u32) -> Option<u32> {
        let peer = self.peer?;
        Some(reference << 1 | u32::from(self.number > peer as u16))
    }

    /// Whether the other end may place a call on `channel`.
    pub(crate) fn may_be_theirs(&self, channel: u32) -> bool {
        let parity = |peer| u32::from(self.number <= peer as u16);
        channel > 1 && self.peer.is_some_and(|peer| channel & 1 == parity(peer))
    }

    /// A message has arrived.
    pub(crate) fn hear(&mut self, message: &Message) -> Heard {
        if message.session as u16 == self.number {
            return Heard::Itself;
        }
        let known = self.peer == Some(message.session);
        let knows = message.peer == self.session();
        if message.kind != Kind::Hello {
            if !known || !knows {
                return Heard::Stranger;
            }
            self.silence = 0;
            return Heard::Word;
        }
        self.silence = 0;
        self.peer = Some(message.session);
        Heard::Greeting {
            fresh: !known,
            answer: !knows,
        }
    }

    /// A tick has passed in which the other end should have said something; `true` when it is
    /// gone. Should it be back it finds another session here.
    pub(crate) fn is_lost(&mut self) -> bool {
        if self.peer.is_none() {
            return false;
        }
        self.silence = self.silence.saturating_add(1);
        let lost = self.silence > PATIENCE;
        if lost {
            self.peer = None;
            self.beginnings = self.beginnings.checked_add(1).unwrap_or(1);
            self.silence = 0;
        }
        lost
    }

    /// This end could not hear for a while.
    pub(crate) fn forgive(&mut self) {
        self.silence = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    // Defines what the crates import.
    use ndis_host as _;

    fn hello(link: &Link) -> Message {
        link.sign(Message::new(Kind::Hello, 0, 0))
    }

    fn greeting(fresh: bool, answer: bool) -> Heard {
        Heard::Greeting { fresh, answer }
    }

    /// Two ends that know each other.
    fn joined() -> (Link, Link) {
        let (mut a, mut b) = (Link::new(1), Link::new(2));
        assert_eq!(b.hear(&hello(&a)), greeting(true, true));
        assert_eq!(a.hear(&hello(&b)), greeting(true, false));
        // The answer's answer would be the last one.
        assert_eq!(b.hear(&hello(&a)), greeting(false, false));
        (a, b)
    }

    #[test]
    fn two_ends_get_to_know_each_other() {
        let (mut a, mut b) = joined();
        let word = Message::new(Kind::SetUp, 0, 7);
        assert_eq!(b.hear(&a.sign(word)), Heard::Word);
        assert_eq!(a.hear(&b.sign(word)), Heard::Word);
    }

    #[test]
    fn an_end_does_not_listen_to_itself() {
        let mut alone = Link::new(1);
        let own = hello(&alone);
        assert_eq!(alone.hear(&own), Heard::Itself);
        assert_eq!(alone.peer(), None);
    }

    #[test]
    fn channels_do_not_collide() {
        let (a, b) = joined();
        assert_eq!(Link::new(1).channel(4096), None, "nobody is there");
        let (one, other) = (a.channel(4096).unwrap(), b.channel(4096).unwrap());
        assert_ne!(one, other);
        assert!(b.may_be_theirs(one) && !a.may_be_theirs(one));
        assert!(a.may_be_theirs(other) && !b.may_be_theirs(other));
        assert!(!a.may_be_theirs(0) && !b.may_be_theirs(0), "for signaling");
        assert!(!a.may_be_theirs(1) && !b.may_be_theirs(1));
        assert!(!Link::new(1).may_be_theirs(4096));
    }

    /// The other end's driver was loaded anew.
    #[test]
    fn a_new_session_is_noticed_from_both_sides() {
        let (mut a, _) = joined();
        let mut b = Link::new(2);
        b.beginnings = 7;
        let old = Message::new(Kind::Release, 1, 2);
        assert_eq!(b.hear(&a.sign(old)), Heard::Stranger);
        assert_eq!(a.hear(&b.sign(old)), Heard::Stranger);
        assert_eq!(a.hear(&hello(&b)), greeting(true, true));
        assert_eq!(b.hear(&hello(&a)), greeting(true, false));
        assert_eq!(b.hear(&a.sign(old)), Heard::Word);
    }

    #[test]
    fn whoever_is_silent_for_long_is_gone() {
        let (mut a, mut b) = joined();
        let session = a.session();
        for _ in 0..PATIENCE {
            assert!(!a.is_lost());
        }
        assert_eq!(a.hear(&hello(&b)), greeting(false, false), "still there");
        for _ in 0..PATIENCE {
            assert!(!a.is_lost());
        }
        a.forgive();
        for _ in 0..PATIENCE {
            assert!(!a.is_lost());
        }
        assert!(a.is_lost());
        assert!(!a.is_lost(), "once");
        assert_ne!(a.session(), session);
        // It was not: what it says is for who was here before.
        let word = b.sign(Message::new(Kind::Connect, 1, 2));
        assert_eq!(a.hear(&word), Heard::Stranger);
        assert_eq!(b.hear(&hello(&a)), greeting(true, true));
        assert_eq!(a.hear(&hello(&b)), greeting(true, false));
    }

    #[test]
    fn beginnings_go_round() {
        let (mut a, _) = joined();
        a.beginnings = u16::MAX;
        while !a.is_lost() {}
        assert_eq!(a.session(), 1 << 16 | 1);
    }
}
