//! [`Conversation`]: what the client keeps for one call, and how it goes.

use crate::{Application, At, EchoClient, MAX_FRAME};
use ndis_co::{
    Status,
    client::{Received, Vc},
    irql::{Irql, UpToDispatch},
    lock::SpinLock,
    nbl::{NetBufferList, NetBufferLists},
};

/// How many frames are on their way at the same time.
const WINDOW: u32 = 4;

/// One call.
#[derive(Debug)]
pub struct Conversation {
    /// The application's number of a placed call.
    placed: Option<u32>,
    progress: SpinLock<Progress>,
}

#[derive(Debug)]
struct Progress {
    /// Frames handed out, by the application's counting.
    next: u32,
    /// How many more may be on their way.
    credits: u32,
    /// Somebody is sending: frames leave one by one, in order.
    sending: bool,
    /// Frames that arrived, each counted before it is handled.
    arrived: u32,
    /// Frames that came back and were handled.
    echoed: u32,
    /// There are no more frames.
    exhausted: bool,
    failure: Option<Status>,
}

impl Conversation {
    fn new(placed: Option<u32>) -> Self {
        let progress = Progress {
            next: 0,
            credits: 0,
            sending: false,
            arrived: 0,
            echoed: 0,
            exhausted: false,
            failure: None,
        };
        Self {
            placed,
            progress: SpinLock::new(progress),
        }
    }

    /// A call that comes in.
    pub(crate) fn taken() -> Self {
        Self::new(None)
    }

    /// A call that goes out.
    pub(crate) fn dialled(call: u32) -> Self {
        Self::new(Some(call))
    }

    /// The application's number of the call, if this client placed it.
    #[must_use]
    pub fn placed(&self) -> Option<u32> {
        self.placed
    }

    /// The number of the frame that is taken up next. Received lists of one VC
    /// may be indicated on several processors at once: each frame gets a number
    /// of its own.
    fn number_arrival(&self, irql: &mut impl Irql) -> u32 {
        self.progress.with(irql, |progress, _| {
            let index = progress.arrived;
            progress.arrived = index.saturating_add(1);
            index
        })
    }

    /// What came of the call.
    pub(crate) fn outcome(&self, irql: &mut impl Irql) -> Result<(), Status> {
        self.progress
            .with(irql, |progress, _| match progress.failure {
                Some(status) => Err(status),
                None if progress.exhausted && progress.echoed == progress.next => Ok(()),
                None => Err(Status::REQUEST_ABORTED),
            })
    }

    /// The call is up: the one who placed it begins.
    pub(crate) fn begin<A: Application>(
        vc: &Vc<EchoClient<A>>,
        application: &A,
        irql: &mut UpToDispatch,
    ) {
        if let Some(call) = vc.placed {
            Self::send_more(vc, call, WINDOW, application, irql);
            Self::finish_if_done(vc, irql);
        }
    }

    /// Lets `credits` more frames of a placed call go, unless somebody is at it
    /// already, who then sends them.
    fn send_more<A: Application>(
        vc: &Vc<EchoClient<A>>,
        call: u32,
        credits: u32,
        application: &A,
        irql: &mut UpToDispatch,
    ) {
        let busy = vc.progress.with(irql, |progress, _| {
            progress.credits = progress.credits.saturating_add(credits);
            core::mem::replace(&mut progress.sending, true)
        });
        if busy {
            return;
        }
        loop {
            let index = vc.progress.with(irql, |progress, _| {
                let over = progress.exhausted || progress.failure.is_some();
                if over || progress.credits == 0 {
                    progress.sending = false;
                    return None;
                }
                progress.credits -= 1;
                Some(progress.next)
            });
            let Some(index) = index else { return };
            let result = match Self::next_frame(vc, call, index, application) {
                Ok(Some(frame)) => {
                    // Counted before it goes: its echo may be back at once.
                    vc.progress
                        .with(irql, |progress, _| progress.next = index.saturating_add(1));
                    vc.send(frame.into(), irql).map_err(Status::from)
                }
                Ok(None) => {
                    vc.progress
                        .with(irql, |progress, _| progress.exhausted = true);
                    Ok(())
                }
                Err(status) => Err(status),
            };
            if let Err(status) = result {
                vc.progress.with(irql, |progress, _| {
                    progress.failure.get_or_insert(status);
                });
                // The call is over then; without data there is nothing to fail.
                let _ = vc.hang_up(&[], irql);
            }
        }
    }

    /// Gets a frame from the application.
    fn next_frame<A: Application>(
        vc: &Vc<EchoClient<A>>,
        call: u32,
        index: u32,
        application: &A,
    ) -> Result<Option<NetBufferList>, Status> {
        let mut frame = vc.af().binding().pool.allocate(MAX_FRAME)?;
        let mut len = None;
        frame.fill(MAX_FRAME, |to| {
            len = application.frame(call, index, to);
            Ok(())
        })?;
        match len {
            None => Ok(None),
            Some(len) => {
                let mut packet = frame.single_mut().ok_or(Status::INVALID_PARAMETER)?;
                packet.truncate(len)?;
                Ok(Some(frame))
            }
        }
    }

    /// Frames have come back.
    pub(crate) fn echoed<A: Application>(
        vc: &Vc<EchoClient<A>>,
        lists: &Received<'_, EchoClient<A>>,
        application: &A,
        irql: &mut UpToDispatch,
    ) {
        let Some(call) = vc.placed else { return };
        for frame in lists.buffers() {
            let index = vc.number_arrival(irql);
            application.arrived(At::Near { call, index }, frame);
            // Only now: the last echo ends the call.
            vc.progress.with(irql, |progress, _| {
                progress.echoed = progress.echoed.saturating_add(1);
            });
            Self::send_more(vc, call, 1, application, irql);
        }
        Self::finish_if_done(vc, irql);
    }

    /// Hangs up after the last echo.
    fn finish_if_done<A: Application>(vc: &Vc<EchoClient<A>>, irql: &mut UpToDispatch) {
        let done = vc.progress.with(irql, |progress, _| {
            progress.exhausted && progress.echoed == progress.next
        });
        if done {
            // Without data there is nothing to fail.
            let _ = vc.hang_up(&[], irql);
        }
    }

    /// Frames have arrived on a taken call: they go back.
    pub(crate) fn echo<A: Application>(
        vc: &Vc<EchoClient<A>>,
        lists: &Received<'_, EchoClient<A>>,
        application: &A,
        irql: &mut UpToDispatch,
    ) {
        let port = vc.af().binding();
        for frame in lists.buffers() {
            let index = vc.number_arrival(irql);
            application.arrived(At::Far { index }, frame);
            let len = frame.len();
            let copy = port.pool.allocate(len).and_then(|mut copy| {
                copy.fill(len, |to| frame.copy_to(to).map(drop))?;
                Ok(NetBufferLists::from(copy))
            });
            // An echo that cannot be sent is lost, as on any network; when the
            // call is over nobody waits for it.
            let sent = copy.and_then(|copy| vc.send(copy, irql).map_err(Status::from));
            if let Err(status) = sent {
                vc.progress.with(irql, |progress, _| {
                    progress.failure.get_or_insert(status);
                });
            }
        }
    }
}
