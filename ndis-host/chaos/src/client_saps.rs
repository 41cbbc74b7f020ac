//! The SAPs of the random driver that is a client.
#![forbid(unsafe_code)]

use crate::{
    act::Act,
    client::{Calls, Exchange},
    driver::Driver,
    told::{Office, Told},
};
use ndis_co::{
    address::SapAddressBuf,
    client::{Af, RegisteredSap},
    irql::UpToDispatch,
};
use std::sync::Arc;

impl<K: Calls> Exchange<K> {
    pub(crate) fn register(self: &Arc<Self>, af: &Af<Driver<K>>, irql: &mut UpToDispatch) {
        let world = &self.world;
        world.did(Act::SapRegister);
        let bytes = vec![0x5A; world.below(20) as usize];
        let Ok(address) = SapAddressBuf::try_new(bytes.len() as u32, &bytes) else {
            return;
        };
        let (place, parent) = (
            af.binding().desk.place,
            self.parent(|| Box::new(af.clone())),
        );
        let office = Office {
            told: Told::default(),
            context: self.context("client's SAP", place, parent),
        };
        match af.register_sap(office, address, irql) {
            Ok(sap) => self.go_on_sap(sap, irql),
            Err(status) => self.world.failure("register_sap", status),
        }
    }

    fn go_on_sap(
        self: &Arc<Self>,
        sap: RegisteredSap<'static, Driver<K>>,
        irql: &mut UpToDispatch,
    ) {
        let place = sap.af().binding().desk.place;
        match self.world.decide(&[
            (8, Act::SapRegister),
            (1, Act::SapRegisterDrop),
            (1, Act::SapRegisterDeregister),
            (2, Act::SapRegisterStash),
        ]) {
            Act::SapRegisterDrop => drop(sap),
            Act::SapRegisterDeregister => sap.deregister(irql),
            Act::SapRegisterStash => {
                let _ = self.registered.put(place, sap);
            }
            _ => {
                let _ = self.saps.put(place, sap.keep());
            }
        }
    }
}
