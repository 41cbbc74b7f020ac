//! [`Wire`]: the cable, and which adapters are on it.

use crate::{NullModem, number::Prefix, settings::Settings};
use ndis_co::{Status, irql::Irql, lock::SpinLock, mem::Vec, tapi::Text};
use ndis_mcm::wan::Adapter;

/// The cable that all adapters of the driver share: whoever knows a line's number reaches it.
#[derive(Debug)]
pub(crate) struct Wire {
    ends: SpinLock<Vec<End>>,
}

/// An adapter on the cable. No two have the same prefix.
#[derive(Debug)]
struct End {
    prefix: Prefix,
    lines: u32,
    /// `None` while the adapter is being initialized.
    adapter: Option<Adapter<NullModem>>,
}

impl Wire {
    pub(crate) const fn new() -> Self {
        Self {
            ends: SpinLock::new(Vec::new(crate::TAG)),
        }
    }

    /// Keeps numbers for an adapter that is being initialized: with the prefix that it is to have,
    /// or one that is free.
    pub(crate) fn reserve(
        &self,
        settings: &Settings,
        irql: &mut impl Irql,
    ) -> Result<Prefix, Status> {
        self.ends.with(irql, |ends, _| {
            let is_free = |prefix: &Prefix| ends.iter().all(|end| end.prefix != *prefix);
            let prefix = match settings.prefix {
                Some(prefix) => Some(prefix).filter(is_free),
                None => (1..=9).filter_map(Prefix::digit).find(is_free),
            };
            let prefix = prefix.ok_or(Status::INVALID_DATA)?;
            ends.try_push(End {
                prefix,
                lines: settings.lines,
                adapter: None,
            })?;
            Ok(prefix)
        })
    }

    /// The adapter can be called.
    pub(crate) fn join(&self, adapter: &Adapter<NullModem>, irql: &mut impl Irql) {
        let (prefix, adapter) = (adapter.prefix(), adapter.clone());
        let before = self.ends.with(irql, move |ends, _| {
            let end = ends.iter_mut().find(|end| end.prefix == prefix)?;
            end.adapter.replace(adapter)
        });
        drop(before);
    }

    /// The adapter goes, or did not come about: its numbers are free.
    pub(crate) fn leave(&self, prefix: Prefix, irql: &mut impl Irql) {
        let gone = self
            .ends
            .with(irql, |ends, _| ends.take_first(|end| end.prefix == prefix));
        drop(gone);
    }

    /// Whose line has this number, and which line it is.
    pub(crate) fn find(
        &self,
        number: Text<'_>,
        irql: &mut impl Irql,
    ) -> Option<(Adapter<NullModem>, u32)> {
        self.ends.with(irql, |ends, _| {
            ends.iter().find_map(|end| {
                let mut lines = 0..end.lines;
                let line = lines.find(|line| number.is(end.prefix.line(*line).as_str()))?;
                Some((end.adapter.clone()?, line))
            })
        })
    }
}
