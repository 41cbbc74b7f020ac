//! A random driver, whatever it is: its value, and how it is loaded. What it does is in the modules
//! of its roles: [`crate::client`], [`crate::manager`] and [`crate::handlers`], [`crate::alone`].
#![forbid(unsafe_code)]

use crate::{
    act::Act,
    loading,
    world::{Context, Life, World},
};
use ndis_co::{
    Load, ServiceKey, Status,
    irql::{Passive, UpToDispatch},
};
use std::sync::Arc;

/// What a driver's threads reach of it.
pub(crate) trait Shared: Send + Sync + 'static {
    fn world(&self) -> &Arc<World>;
    fn life(&self) -> &Arc<Life>;
    /// Does something, now.
    fn act(x: &Arc<Self>, irql: &mut UpToDispatch);
    /// Does what comes to mind, in a handler.
    fn mischief(x: &Arc<Self>, irql: &mut UpToDispatch);
    /// Keeps references on this thread's stack for a while, and does what needs a wait.
    fn hold_on(x: &Arc<Self>, irql: &mut Passive);
    /// The host's handle of some VC; zero for none.
    fn vc_handle(x: &Arc<Self>) -> usize;
}

/// Makes an exchange what the driver's threads reach: with its world and its life as fields, and the
/// methods of the trait's names.
macro_rules! shared {
    ($exchange:ty $(, of $kind:ident: $bound:path)?) => {
        impl $(<$kind: $bound>)? $crate::driver::Shared for $exchange {
            fn world(&self) -> &Arc<World> {
                &self.world
            }

            fn life(&self) -> &Arc<Life> {
                &self.life
            }

            fn act(x: &Arc<Self>, irql: &mut UpToDispatch) {
                x.act(irql);
            }

            fn mischief(x: &Arc<Self>, irql: &mut UpToDispatch) {
                x.mischief(irql);
            }

            fn hold_on(x: &Arc<Self>, irql: &mut Passive) {
                x.hold_on(irql);
            }

            fn vc_handle(x: &Arc<Self>) -> usize {
                x.vc_handle()
            }
        }
    };
}
pub(crate) use shared;

/// What a random driver is.
pub(crate) trait Part: Sized + Send + Sync + 'static {
    type Shared: Shared;
    /// What its context is called.
    const WHAT: &'static str;
}

/// The driver's value.
pub(crate) struct Driver<K: Part> {
    pub(crate) shared: Arc<K::Shared>,
    _context: Context,
}

impl<K: Part> Load for Driver<K> {
    fn load(key: &ServiceKey<'_>, _irql: &mut Passive) -> Result<Self, Status> {
        let shared = loading::found::<K::Shared>(key).ok_or(Status::FAILURE)?;
        shared.life().may_load(shared.world())?;
        shared.world().did(Act::LoadOk);
        let _context = Context::new(shared.world(), shared.life(), K::WHAT, 0, None);
        Ok(Self { shared, _context })
    }
}
