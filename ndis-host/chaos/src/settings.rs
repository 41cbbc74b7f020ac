//! The settings of adapters and bindings, read and written from wherever there may be a wait.
#![forbid(unsafe_code)]

use crate::world::World;
use ndis_co::{Status, configuration::Configuration};
use std::ops::Deref;

/// What any of them is called.
const NAMES: [&str; 3] = ["Number", "Lines", "*Speed"];

/// Looks at settings and changes them, if they could be opened.
pub(crate) fn look<'c, C: Borrowed<'c>>(world: &World, opened: Result<C, Status>) {
    let settings = match opened {
        Ok(settings) => settings,
        Err(status) => return world.failure("the settings", status),
    };
    for _ in 0..=world.below(3) {
        let name = world.among(&NAMES);
        let settings = settings.plain();
        // Whoever else is there writes as well, a number each.
        let result = match world.below(4) {
            0 => settings.set_u32(name, world.below(100)),
            1 => settings.get_str(name).map(|_| ()),
            2 => settings.get_bytes(name).map(|_| ()),
            _ => settings.get_u32(name).map(|number| {
                if number.is_some_and(|number| number >= 100) {
                    world.found(format!("the setting {name} reads {number:?}"));
                }
            }),
        };
        if let Err(status) = result {
            world.failure("a setting", status);
        }
    }
}

/// Settings of a binding, or of an adapter.
pub(crate) trait Borrowed<'c> {
    fn plain(&self) -> &Configuration<'c>;
}

impl<'c> Borrowed<'c> for Configuration<'c> {
    fn plain(&self) -> &Self {
        self
    }
}

impl<'c> Borrowed<'c> for ndis_co::configuration::AdapterConfiguration<'c> {
    fn plain(&self) -> &Configuration<'c> {
        self.deref()
    }
}
