//! What the program and the drivers agree on: the rounds that a pair of drivers offers.

/// One round of an operation. The argument is a number of lists or of calls, where there is one.
pub type Round = unsafe extern "C" fn(usize);

/// A pair of drivers, a call manager and its client.
#[repr(C)]
pub struct Pair {
    /// Registers both.
    pub load: unsafe extern "C" fn(),
    /// A call is placed and stays up; everything that carries data needs one.
    pub up: Round,
    /// Makes that many lists for each direction.
    pub fill: Round,
    /// The client sends the lists, the call manager completes them, the client has them back.
    pub send: Round,
    /// The call manager indicates the lists, the client gives them back, the call manager has them back.
    pub receive: Round,
    /// As `receive`, and the client copies each frame.
    pub read: Round,
    /// A list with 64 bytes of data is allocated and freed.
    pub allocate: Round,
    /// A call is placed, accepted, connected and closed, its VC made and deleted.
    pub call: Round,
    /// The same, and the call manager's acceptance comes with a work item. (The raw pair has nothing that
    /// needs one: there it is `call`.)
    pub call_later: Round,
    /// The call manager brings a call; it is accepted, connected and closed.
    pub call_in: Round,
    /// That many calls are placed and stay up.
    pub crowd: Round,
    /// The client closes its family, with all calls that are up. (The raw pair does not.)
    pub close_family: Option<Round>,
    /// The same, and the call manager finishes no call before it was asked to close all of them.
    pub close_family_later: Option<Round>,
}
