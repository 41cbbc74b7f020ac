//! [`Control`]: what a program asks of a device.

use super::{
    code::ControlCode,
    irp::{Asked, TOO_SMALL, put},
    pending::{OfFile, PendingControl, Slot, Waiting},
};
use core::fmt;
use ndis_co::{Answer, Status, irql::NoLock, mem::Arc};

/// A request of a program's: a code, and data in and out.
///
/// The data are a copy that the I/O manager has made, so the program cannot change them
/// meanwhile, and they may be anything. Input and answer are in the same memory: read first, then
/// answer.
///
/// ```
/// # use ndis_host as _;
/// # use ndis_mcm::{Answer, Status, device::{Access, Control, ControlCode}};
/// const ADD: ControlCode = ControlCode::new::<0x800>(Access::Any);
///
/// /// Two bytes in, their sum out.
/// fn add<'r>(request: Control<'r>) -> Answer<'r> {
///     match (request.code(), request.input()) {
///         (ADD, [one, other]) => {
///             let sum = u16::from(*one) + u16::from(*other);
///             request.reply(&sum.to_le_bytes())
///         }
///         (ADD, _) => request.refuse(Status::INVALID_PARAMETER),
///         _ => request.not_supported(),
///     }
/// }
/// ```
///
/// Source pages: [irp-mj-device-control](https://learn.microsoft.com/windows-hardware/drivers/kernel/irp-mj-device-control), [buffer-descriptions-for-i-o-control-codes](https://learn.microsoft.com/windows-hardware/drivers/kernel/buffer-descriptions-for-i-o-control-codes).
#[must_use = "a request is answered"]
#[doc(alias = "IRP_MJ_DEVICE_CONTROL")]
#[doc(alias = "IRP")]
#[doc(alias = "METHOD_BUFFERED")]
pub struct Control<'r>(Asked<'r>, Origin);

/// Where a request belongs that is pended.
pub(super) struct Origin {
    pub(super) waiting: Arc<Waiting>,
    pub(super) file: Arc<OfFile>,
}

impl<'r> Control<'r> {
    pub(super) const fn new(asked: Asked<'r>, origin: Origin) -> Self {
        Self(asked, origin)
    }

    /// What is asked for; its method is [`Buffered`](super::Method::Buffered).
    #[must_use]
    pub fn code(&self) -> ControlCode {
        self.0.code
    }

    /// What the program has sent along.
    #[must_use]
    #[doc(alias = "InputBufferLength")]
    pub fn input(&self) -> &[u8] {
        self.0.data.bytes().get(..self.0.input).unwrap_or_default()
    }

    /// How many bytes the program has room for.
    #[must_use]
    #[doc(alias = "OutputBufferLength")]
    pub fn room(&self) -> usize {
        self.0.room()
    }

    /// It is done, and there is nothing to be told.
    pub fn done(self) -> Answer<'r> {
        self.0.answer(Ok(0))
    }

    /// It is done, and this is what the program gets. When it has less room, it gets
    /// `STATUS_BUFFER_TOO_SMALL` and no data.
    #[doc(alias = "Information")]
    pub fn reply(self, data: &[u8]) -> Answer<'r> {
        self.reply_in_place(|buffer| put(buffer, data))
    }

    /// As [`reply`](Self::reply), for what is made where it is to be: `make` is lent the memory, as
    /// much as the program has [room](Self::room) for, and answers how many bytes it gets.
    ///
    /// The input is at its beginning, as much of it as has room there, and zeros are behind it.
    ///
    /// ```
    /// # use ndis_host as _;
    /// # use ndis_mcm::{Answer, device::Control};
    /// /// Sends the input back, in capitals.
    /// fn shout<'r>(request: Control<'r>) -> Answer<'r> {
    ///     let len = request.input().len();
    ///     request.reply_in_place(|text| {
    ///         text.make_ascii_uppercase();
    ///         Ok(len)
    ///     })
    /// }
    /// ```
    ///
    /// A number that is greater than the room is answered with `STATUS_BUFFER_TOO_SMALL`, and so
    /// is a failure with itself: the program gets no data then.
    pub fn reply_in_place(
        self,
        make: impl FnOnce(&mut [u8]) -> Result<usize, Status>,
    ) -> Answer<'r> {
        let room = self.room();
        let mut asked = self.0;
        let made = make(asked.data.bytes_mut().get_mut(..room).unwrap_or_default());
        asked.answer(made.and_then(|length| (length <= room).then_some(length).ok_or(TOO_SMALL)))
    }

    /// It is answered later: with the token, or by itself when the program cancels it (see
    /// [`PendingControl`]).
    ///
    /// ```
    /// # use ndis_host as _;
    /// use ndis_co::lock::SpinLock;
    /// use ndis_mcm::{device::{Control, PendingControl}, prelude::*};
    ///
    /// /// Keeps the request until there is something to be told; who waited before, waits no more.
    /// fn wait<'r>(
    ///     waits: &SpinLock<Option<PendingControl>>,
    ///     request: Control<'r>,
    ///     irql: &mut Passive,
    /// ) -> Answer<'r> {
    ///     match request.pend(irql) {
    ///         Ok((answer, request)) => {
    ///             drop(waits.replace(Some(request)));
    ///             answer
    ///         }
    ///         Err(request) => request.refuse(Status::RESOURCES),
    ///     }
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// The request, when there is no memory, or its file or its device has gone.
    #[doc(alias = "IoMarkIrpPending")]
    pub fn pend(self, irql: &mut impl NoLock) -> Result<(Answer<'r>, PendingControl), Self> {
        let Self(asked, origin) = self;
        match Slot::try_new(&origin.waiting, &origin.file) {
            Some(slot) => {
                let (answer, pended) = asked.pend();
                let token = PendingControl::begin(slot, pended, irql.up_to_dispatch());
                Ok((answer, token))
            }
            None => Err(Self(asked, origin)),
        }
    }

    /// It is not done. The program gets this status, and no data.
    pub fn refuse(self, status: Status) -> Answer<'r> {
        self.0.answer(Err(status))
    }

    /// The device knows no such code.
    pub fn not_supported(self) -> Answer<'r> {
        self.refuse(Status::INVALID_DEVICE_REQUEST)
    }
}

impl fmt::Debug for Control<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Control")
            .field("code", &self.code())
            .field("input", &self.input())
            .field("room", &self.room())
            .finish_non_exhaustive()
    }
}
