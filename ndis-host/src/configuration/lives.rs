//! Configuration handles come and go: what they are opened with, what ends them, and what
//! should have been closed before.

use crate::configuration::table::{Open, Place};
use crate::handle::{Kind, Lookup, ObjectId};
use crate::state::State;
use alloc::string::String;
use alloc::vec::Vec;
use ndis_sys as n;

impl State {
    /// Opens the configuration that belongs to a handle of a driver's.
    pub(super) fn open_configuration(&mut self, call: &str, raw: usize) -> Result<usize, i32> {
        let found = match self.handles.look(raw) {
            // A pointer to the parameters of a bind stands for it.
            Lookup::Forged => self
                .bind_with(raw)
                .map_or(Lookup::Forged, |bind| Lookup::Live(Kind::Bind, bind)),
            found => found,
        };
        let owner = match found {
            Lookup::Live(kind, number) => self.base_of(kind, number),
            _ => None,
        };
        let running = self.driver();
        let Some((base, place, driver)) = owner else {
            let message = alloc::format!(
                "{call} wants the handle of a registration, an adapter or a binding, or the \
                 parameters of a bind, and got {found}"
            );
            self.violate("CFG-03", found.object(), message);
            return Err(n::NDIS_STATUS_FAILURE);
        };
        if running.is_some_and(|running| running != driver) {
            let message = alloc::format!("{call} with {base}, which is another driver's");
            self.violate("CFG-03", Some(base), message);
            return Err(n::NDIS_STATUS_FAILURE);
        }
        if self.faults.allocation() {
            return Err(n::NDIS_STATUS_RESOURCES);
        }
        Ok(self.new_configuration(place, String::new(), base))
    }

    /// The bind whose parameters are at this address.
    fn bind_with(&self, address: usize) -> Option<u32> {
        let mut binds = self.world.binds.iter();
        let bind = binds.find(|(_, bind)| bind.parameters == address && bind.request.open());
        bind.map(|(number, _)| *number)
    }

    /// What the configuration of an object is, and the driver that may open it.
    fn base_of(&self, kind: Kind, number: u32) -> Option<(ObjectId, Place, u32)> {
        let name = |driver| self.world.drivers.get(&driver).map(|d| d.name.clone());
        let base = ObjectId::new(kind, number);
        let (place, driver) = match kind {
            Kind::Adapter => {
                let adapter = self.world.adapters.get(&number).filter(|a| !a.halted)?;
                (Place::Adapter(number), adapter.driver)
            }
            Kind::Binding => {
                let binding = self.world.bindings.get(&number)?;
                let place = Place::Binding(binding.adapter, name(binding.driver)?);
                (place, binding.driver)
            }
            Kind::Bind => {
                let bind = self.world.binds.get(&number)?;
                let driver = self.world.protocols.get(&bind.protocol)?.driver;
                (Place::Binding(bind.adapter, name(driver)?), driver)
            }
            Kind::MiniportDriver => {
                let driver = self.world.miniports.get(&number)?.driver;
                (Place::Service(name(driver)?), driver)
            }
            Kind::ProtocolDriver => {
                let driver = self.world.protocols.get(&number)?.driver;
                (Place::Service(name(driver)?), driver)
            }
            _ => return None,
        };
        Some((base, place, driver))
    }

    pub(super) fn new_configuration(
        &mut self,
        place: Place,
        path: String,
        base: ObjectId,
    ) -> usize {
        let number = self.number(Kind::Configuration);
        let raw = self.handles.make(Kind::Configuration, number);
        let open = Open {
            place,
            path,
            base,
            raw,
            driver: self.driver(),
            who: self.who(),
            origin: self.origin(),
            busy: 0,
            shown: Vec::new(),
        };
        self.configurations.open.insert(number, open);
        raw
    }

    /// A driver closes its handle, or the end of what it was opened with does.
    pub(super) fn close_configuration(&mut self, number: u32) {
        if let Some(open) = self.configurations.open.get(&number) {
            self.handles.kill(open.raw);
        }
        self.configurations.close(number);
        self.histories
            .end(ObjectId::new(Kind::Configuration, number));
    }

    /// The object is gone, or its driver has to be through with it: handles that were opened
    /// with it and not closed are reported, and end.
    pub(crate) fn end_configurations(
        &mut self,
        kind: Kind,
        number: u32,
        rule: &'static str,
        when: &str,
    ) {
        let base = ObjectId::new(kind, number);
        let open = self.configurations.open.iter();
        let left: Vec<_> = open
            .filter(|(_, open)| open.base == base)
            .map(|(number, open)| (*number, open.who.clone(), open.origin))
            .collect();
        for (number, who, origin) in left {
            let object = ObjectId::new(Kind::Configuration, number);
            let message = alloc::format!("{when} and {object} of {base}{origin} is not closed");
            self.violate_by(who, rule, Some(object), message);
            self.close_configuration(number);
        }
    }
}
