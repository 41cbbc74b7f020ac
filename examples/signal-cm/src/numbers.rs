//! [`Numbers`]: who takes calls for which number.

use ndis_co::{
    Status,
    mem::{Tag, Vec},
};

/// The numbers of one binding; `S` is a SAP.
#[derive(Debug)]
pub(crate) struct Numbers<S>(Vec<Number<S>>);

#[derive(Debug)]
struct Number<S> {
    number: u32,
    /// `None` while the registration is being answered.
    sap: Option<S>,
}

impl<S: Clone> Numbers<S> {
    pub(crate) const fn new(tag: Tag) -> Self {
        Self(Vec::new(tag))
    }

    /// Keeps a number for a SAP that is about to be accepted.
    pub(crate) fn reserve(&mut self, number: u32) -> Result<(), Status> {
        if self.0.iter().any(|entry| entry.number == number) {
            // Taken by another client (rule SAP-16).
            return Err(Status::INVALID_DATA);
        }
        self.0.try_push(Number { number, sap: None })?;
        Ok(())
    }

    /// The SAP of a reserved number is accepted; gives it back when the number is not
    /// reserved any more.
    pub(crate) fn publish(&mut self, number: u32, sap: S) -> Option<S> {
        match self.0.iter_mut().find(|entry| entry.number == number) {
            Some(entry) => entry.sap.replace(sap),
            None => Some(sap),
        }
    }

    /// The number is free again.
    pub(crate) fn withdraw(&mut self, number: u32) -> Option<S> {
        self.0.take_first(|entry| entry.number == number)?.sap
    }

    pub(crate) fn find(&self, number: u32) -> Option<S> {
        let entry = self.0.iter().find(|entry| entry.number == number)?;
        entry.sap.clone()
    }

    /// All of them, to be dropped elsewhere.
    pub(crate) fn take(&mut self) -> Self {
        Self(self.0.take())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::on_host;

    #[test]
    fn a_number_has_one_sap_at_a_time() {
        on_host(|| {
            let mut numbers = Numbers::new(Tag::new(*b"Test"));
            assert_eq!(numbers.reserve(7), Ok(()));
            assert_eq!(numbers.reserve(7), Err(Status::INVALID_DATA));
            assert_eq!(numbers.find(7), None, "not answered yet");
            assert_eq!(numbers.publish(7, "seven"), None);
            assert_eq!(numbers.find(7), Some("seven"));
            assert_eq!(numbers.find(8), None);
            assert_eq!(numbers.publish(8, "eight"), Some("eight"));
            assert_eq!(numbers.withdraw(7), Some("seven"));
            assert_eq!((numbers.withdraw(7), numbers.find(7)), (None, None));
            assert_eq!(numbers.reserve(7), Ok(()));
            drop(numbers.take());
            assert_eq!(numbers.reserve(7), Ok(()));
        });
    }
}
