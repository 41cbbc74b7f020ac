//! What NDIS is lent travels between threads as a reference to it does, and no further.

use ndis_co::mem::{Arc, Lent};
use std::{cell::RefCell, marker::PhantomData};

/// Whether a type is `Send`, by which of two methods the compiler finds.
struct Is<T>(PhantomData<T>);

impl<T: Send> Is<T> {
    fn send(&self) -> bool {
        true
    }
}

trait Otherwise {
    fn send(&self) -> bool {
        false
    }
}

impl<T> Otherwise for Is<T> {}

macro_rules! is_send {
    ($t:ty) => {
        Is::<$t>(PhantomData).send()
    };
}

#[test]
fn who_may_not_send_a_reference_may_not_send_what_is_lent() {
    assert!(is_send!(Lent<u32>));
    assert!(!is_send!(Arc<RefCell<u32>>));
    assert!(!is_send!(Lent<RefCell<u32>>));
    assert!(!is_send!(Lent<std::rc::Rc<u32>>));
}
