//! The random driver as a client and nothing else.
#![forbid(unsafe_code)]

use crate::{
    bound::Bound,
    client::{Calls, Exchange},
    driver::{Driver, Part},
};
use ndis_co::{
    AsClient,
    irql::{Passive, UpToDispatch},
    protocol::{Binding, OpenedBinding},
};
use std::sync::Arc;

/// A client and nothing else; `N` tells them apart.
pub(crate) enum Phone<const N: usize> {}

impl<const N: usize> Part for Phone<N> {
    type Shared = Exchange<Self>;
    const WHAT: &'static str = "client";
}

impl<const N: usize> Bound for Phone<N> {
    const NAME: &'static str = ["CHAOS0", "CHAOS1"][N];
    const BINDING: &'static str = "binding";
    type Role = AsClient;

    fn opened(_: &Arc<Exchange<Self>>, _: &OpenedBinding<'_, Driver<Self>>, _: &mut Passive) {}

    fn restarted(_: &Arc<Exchange<Self>>, _: &Binding<Driver<Self>>, _: &mut UpToDispatch) {}

    fn pause(_: &Arc<Exchange<Self>>, _: &mut Passive) {}

    fn wait_for_end(x: &Arc<Exchange<Self>>, irql: &mut Passive) {
        x.wait_for_any_end("unbind", irql);
    }

    fn let_go(x: &Arc<Exchange<Self>>, place: u32, irql: &mut UpToDispatch) {
        x.let_go(place, irql);
    }
}

impl<const N: usize> Calls for Phone<N> {
    fn client(shared: &Arc<Exchange<Self>>) -> &Arc<Exchange<Self>> {
        shared
    }
}
