//! [`Trunk`]: what the client keeps for an open address family.

use crate::{Application, Desk, TAG};
use core::sync::atomic::AtomicBool;
use ndis_co::{
    Status,
    irql::UpToDispatch,
    mem::Arc,
    owner::Owner,
    timer::{Expire, Timer},
};

/// The way through one adapter, on which calls of the address family come and go.
///
/// There is one for each family that is opened, so the [`Desk`] tells families
/// apart by it.
#[derive(Debug)]
pub struct Trunk<A: Application> {
    desk: Arc<Desk<A>>,
    /// When it expires, failed calls are placed once more.
    pub(crate) redial: Timer<Self>,
    /// The family is closed, or about to be. The desk's lock guards it.
    pub(crate) closed: AtomicBool,
}

impl<A: Application> Trunk<A> {
    pub(crate) fn try_new(desk: &Arc<Desk<A>>, owner: &Owner) -> Result<Arc<Self>, Status> {
        let trunk = Self {
            desk: desk.clone(),
            redial: Timer::try_new(owner)?,
            closed: AtomicBool::new(false),
        };
        Ok(Arc::try_new(trunk, TAG)?)
    }
}

impl<A: Application> Expire for Trunk<A> {
    fn expired(this: &Arc<Self>, irql: &mut UpToDispatch) {
        this.desk.redial(this, irql);
    }
}
