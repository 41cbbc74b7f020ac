//! [`End`]: one adapter, an end of a link, and the numbers that are in use there.

use crate::Link;
use ndis_co::{
    Status,
    irql::{Irql, UpToDispatch},
    lock::SpinLock,
    mem::{Arc, Tag, Vec},
    nbl::NetBufferListPool,
    scope::Scope,
    timer::{Expire, Timer},
};
use ndis_mcm::co::{PendingActivateVc, Vc};

/// The tag of the link's memory.
pub(crate) const TAG: Tag = Tag::new(*b"Link");

/// How long a slow activation takes, in milliseconds.
const MOMENT: u32 = 1;

/// One end of a link.
#[derive(Debug)]
pub struct End {
    pool: NetBufferListPool,
    /// The VCs that have a number.
    vcs: SpinLock<Vec<Vc<Link>>>,
    slow: SpinLock<bool>,
    setup: Arc<Setup>,
    timer: Timer<Setup>,
}

/// Activations that take a moment.
#[derive(Debug)]
struct Setup {
    waiting: SpinLock<Vec<PendingActivateVc<Link>>>,
}

impl End {
    pub(crate) fn try_new(scope: &Scope) -> Result<Self, Status> {
        let setup = Setup {
            waiting: SpinLock::new(Vec::new(TAG)),
        };
        Ok(Self {
            pool: NetBufferListPool::for_receives(scope, TAG)?,
            vcs: SpinLock::new(Vec::new(TAG)),
            slow: SpinLock::new(false),
            setup: Arc::try_new(setup, TAG)?,
            timer: Timer::try_new(scope)?,
        })
    }

    /// Where the frames that come out here come from.
    pub(crate) fn pool(&self) -> &NetBufferListPool {
        &self.pool
    }

    /// Gives the VC a number, or another one.
    pub(crate) fn take(
        &self,
        vc: &Vc<Link>,
        number: u32,
        irql: &mut impl Irql,
    ) -> Result<(), Status> {
        let known = vc.clone();
        self.vcs.with(irql, move |vcs, _| {
            let mut has = vcs.iter().filter(|one| one.get() == Some(number));
            if has.any(|other| !other.is(&known)) {
                return Err(Status::INVALID_DATA);
            }
            if !vcs.iter().any(|one| one.is(&known)) {
                vcs.try_push(known.clone())?;
            }
            known.set(Some(number));
            Ok(())
        })
    }

    /// The VC with this number.
    pub(crate) fn find(&self, number: u32, irql: &mut impl Irql) -> Option<Vc<Link>> {
        self.vcs.with(irql, |vcs, _| {
            vcs.iter().find(|vc| vc.get() == Some(number)).cloned()
        })
    }

    /// Frees the VC's number.
    pub(crate) fn forget(&self, vc: &Vc<Link>, irql: &mut impl Irql) {
        let gone = self
            .vcs
            .with(irql, |vcs, _| vcs.take_first(|one| one.is(vc)));
        vc.set(None);
        drop(gone);
    }

    /// Whether this activation takes a moment: every second one does.
    pub(crate) fn is_slow(&self, irql: &mut impl Irql) -> bool {
        self.slow.with(irql, |slow, _| {
            *slow = !*slow;
            !*slow
        })
    }

    /// Completes the activation in a moment.
    pub(crate) fn activate_later(&self, request: PendingActivateVc<Link>, irql: &mut UpToDispatch) {
        let vc = request.vc().clone();
        let pushed = self
            .setup
            .waiting
            .with(irql, |waiting, _| waiting.try_push(request).is_ok());
        if pushed {
            self.timer.set(&self.setup, MOMENT);
        } else {
            // Dropped, and so refused.
            self.forget(&vc, irql);
        }
    }
}

impl Expire for Setup {
    fn expired(this: &Arc<Self>, irql: &mut UpToDispatch) {
        // Outside of the lock: the call manager above goes on within the completion.
        while let Some(request) = this.waiting.with(irql, |waiting, _| waiting.pop()) {
            request.accept(irql);
        }
    }
}
