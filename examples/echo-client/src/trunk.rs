//! [`Trunk`]: what the client keeps for an open address family.

use crate::TAG;
use core::sync::atomic::AtomicBool;
use ndis_co::{
    Status,
    irql::UpToDispatch,
    mem::Arc,
    scope::Scope,
    timer::{Expire, Timer},
};

/// The way through one adapter, on which calls of the address family come and go.
///
/// There is one for each family that is opened, so the desk `D` tells families
/// apart by it.
#[derive(Debug)]
pub struct Trunk<D: Redials> {
    desk: Arc<D>,
    /// When it expires, failed calls are placed once more.
    pub(crate) redial: Timer<Self>,
    /// The family is closed, or about to be. The desk's lock guards it.
    pub(crate) closed: AtomicBool,
}

/// Who knows the calls that wait on a trunk: the [`Desk`](crate::Desk).
pub trait Redials: Send + Sync + Sized + 'static {
    /// The time has come: places the calls that wait on `trunk`.
    fn redial(&self, trunk: &Arc<Trunk<Self>>, irql: &mut UpToDispatch);
}

impl<D: Redials> Trunk<D> {
    pub(crate) fn try_new(desk: &Arc<D>, scope: &Scope) -> Result<Arc<Self>, Status> {
        let trunk = Self {
            desk: desk.clone(),
            redial: Timer::try_new(scope)?,
            closed: AtomicBool::new(false),
        };
        Ok(Arc::try_new(trunk, TAG)?)
    }
}

impl<D: Redials> Expire for Trunk<D> {
    fn expired(this: &Arc<Self>, irql: &mut UpToDispatch) {
        this.desk.redial(this, irql);
    }
}
