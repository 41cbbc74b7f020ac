//! The values that are read from C and built for it, and the memory they live
//! in.

use ndis_co::{
    Status,
    address::{MAX_VARIABLE, SapAddress, SapAddressBuf},
    mem::{Arc, Box, Lent, Tag, Vec},
    params::{CallFlags, CallParameters, CallParametersBuf, FlowSpec, Specific},
    stack,
};
use ndis_host::Host;
use ndis_sys::{CO_CALL_MANAGER_PARAMETERS, CO_CALL_PARAMETERS, CO_MEDIA_PARAMETERS, CO_SAP};
use std::{cell::Cell, rc::Rc};

const TAG: Tag = Tag::new(*b"Test");

#[test]
fn call_parameters_come_back_as_they_were_built() {
    let _host = Host::builder().build();
    for len in [0, 1, 3, 4, 5, 63, 64, 65, MAX_VARIABLE as usize] {
        let bytes: std::vec::Vec<u8> = (0..len).map(|n| n as u8).collect();
        let mut built = CallParametersBuf::builder()
            .flags(CallFlags::PERMANENT_VC)
            .transmit(FlowSpec::best_effort(1))
            .receive(FlowSpec::best_effort(2))
            .call_manager_specific(Specific {
                param_type: 3,
                bytes: &bytes,
            })
            .media_specific(Specific {
                param_type: 4,
                bytes: &bytes,
            })
            .build()
            .unwrap();
        built.insert_flags(CallFlags::CHANGED);
        let view = built.view();
        assert_eq!(view.flags(), CallFlags::PERMANENT_VC | CallFlags::CHANGED);
        let manager = view.call_manager().unwrap();
        assert_eq!(manager.transmit(), FlowSpec::best_effort(1));
        assert_eq!(manager.receive(), FlowSpec::best_effort(2));
        assert_eq!(
            manager.specific(),
            Ok(Specific {
                param_type: 3,
                bytes: &bytes
            })
        );
        let media = view.media().unwrap();
        assert_eq!(
            media.specific(),
            Ok(Specific {
                param_type: 4,
                bytes: &bytes
            })
        );
    }
    let long = vec![0; MAX_VARIABLE as usize + 1];
    let too_long = CallParametersBuf::builder()
        .media_specific(Specific {
            param_type: 0,
            bytes: &long,
        })
        .build();
    assert_eq!(too_long.err(), Some(Status::RESOURCES));
}

/// Null pointers are absent halves, and a lying length is refused before a
/// byte behind it is read (rule QOS-16).
#[test]
fn what_call_parameters_claim_is_checked() {
    // SAFETY: null is allowed.
    let refused = unsafe { CallParameters::from_raw(std::ptr::null()) }.err();
    assert_eq!(refused, Some(Status::INVALID_DATA));
    let mut raw: CO_CALL_PARAMETERS = ndis_sys::zeroed();
    // SAFETY: valid, with null pointers only.
    let view = unsafe { CallParameters::from_raw(&raw) }.unwrap();
    assert!(view.call_manager().is_none() && view.media().is_none());

    let mut manager: CO_CALL_MANAGER_PARAMETERS = ndis_sys::zeroed();
    let mut media: CO_MEDIA_PARAMETERS = ndis_sys::zeroed();
    manager.CallMgrSpecific.Length = u32::MAX;
    media.MediaSpecific.Length = MAX_VARIABLE + 1;
    raw.CallMgrParameters = &mut manager;
    raw.MediaParameters = &mut media;
    // SAFETY: valid but for the lengths, which are refused before they are used.
    let view = unsafe { CallParameters::from_raw(&raw) }.unwrap();
    assert_eq!(
        view.call_manager().unwrap().specific().err(),
        Some(Status::INVALID_DATA)
    );
    assert_eq!(
        view.media().unwrap().specific().err(),
        Some(Status::INVALID_DATA)
    );
}

#[test]
fn addresses_come_back_as_they_were_built() {
    let _host = Host::builder().build();
    for len in [0, 1, 3, 4, 5, 4096] {
        let bytes: std::vec::Vec<u8> = (0..len).map(|n| n as u8).collect();
        let built = SapAddressBuf::try_new(7, &bytes).unwrap();
        assert_eq!(
            (built.view().sap_type(), built.view().bytes()),
            (7, &bytes[..])
        );
    }
    // SAFETY: null is allowed.
    let refused = unsafe { SapAddress::from_raw(std::ptr::null()) }.err();
    assert_eq!(refused, Some(Status::INVALID_DATA));
    let mut lying: CO_SAP = ndis_sys::zeroed();
    lying.SapLength = u32::MAX;
    // SAFETY: valid but for the length, which is refused before it is used.
    let refused = unsafe { SapAddress::from_raw(&lying) }.err();
    assert_eq!(refused, Some(Status::INVALID_DATA));
}

/// Counts drops.
struct Counted(Rc<Cell<u32>>);
impl Drop for Counted {
    fn drop(&mut self) {
        self.0.set(self.0.get() + 1);
    }
}

#[test]
fn memory_drops_what_it_holds_once() {
    let host = Host::builder().build();
    let drops = Rc::new(Cell::new(0));
    let new = || Counted(drops.clone());
    drop(Box::try_new(new(), TAG).unwrap());
    assert_eq!(drops.get(), 1);
    drop(Box::into_inner(Box::try_new(new(), TAG).unwrap()));
    assert_eq!(drops.get(), 2);

    let first = Arc::try_new(new(), TAG).unwrap();
    let second = first.clone();
    let raw = Arc::into_raw(second);
    drop(first);
    assert_eq!(drops.get(), 2);
    // SAFETY: the share that `into_raw` gave.
    drop(unsafe { Arc::<Counted>::from_raw(raw) });
    assert_eq!(drops.get(), 3);

    let mut vec = Vec::new(TAG);
    for _ in 0..10 {
        vec.try_push(new()).unwrap();
    }
    drop(vec.swap_remove(3));
    drop(vec.remove(0));
    assert!(vec.remove(8).is_none() && vec.swap_remove(8).is_none());
    assert_eq!((vec.len(), drops.get()), (8, 5));
    let mut rest = vec.into_iter();
    drop(rest.next());
    drop(rest);
    assert_eq!(drops.get(), 13);
    assert!(host.finish().is_clean());
}

#[test]
fn a_vector_keeps_its_order() {
    let host = Host::builder().build();
    let mut vec = Vec::try_from_slice(&[1, 2, 3, 4, 5], TAG).unwrap();
    assert_eq!(vec.remove(1), Some(2));
    assert_eq!(&vec[..], [1, 3, 4, 5]);
    assert_eq!(vec.swap_remove(0), Some(1));
    assert_eq!(&vec[..], [5, 3, 4]);
    assert_eq!(vec.take_first(|n| *n == 3), Some(3));
    assert_eq!(vec.take().into_iter().collect::<std::vec::Vec<_>>(), [5, 4]);
    assert!(vec.is_empty() && vec.remove(0).is_none());
    drop(vec);
    assert!(host.finish().is_clean());
}

/// Every allocation can fail and is refused as [`Status::RESOURCES`].
#[test]
fn no_memory_is_an_error() {
    let host = Host::builder().build();
    host.fail_allocation(1);
    assert!(Box::try_new(1, TAG).is_err());
    host.fail_allocation(1);
    assert!(Vec::try_from_slice(&[1], TAG).is_err());
    host.fail_allocation(1);
    let built = CallParametersBuf::builder().build();
    assert_eq!(built.err(), Some(Status::RESOURCES));
    assert!(host.finish().is_clean());
}

#[test]
fn statuses_have_their_names() {
    assert_eq!(
        format!("{:?}", Status::NO_ROUTE_TO_DESTINATION),
        "NO_ROUTE_TO_DESTINATION"
    );
    assert_eq!(Status::RESOURCES.to_string(), "NDIS_STATUS_RESOURCES");
    assert_eq!(Status::PENDING.as_failure(), Status::FAILURE);
    assert_eq!(Status::SUCCESS.as_failure(), Status::FAILURE);
    assert_eq!(Status::PENDING.result(), Err(Status::FAILURE));
    assert_eq!(Status::from_raw(0x1234_5678).name(), None);
}

/// The reference that NDIS has to an object comes back once.
#[test]
fn what_is_lent_comes_back_once() {
    let _host = Host::builder().build();
    let object = Arc::try_new(7, TAG).unwrap();
    let lent = Lent::new();
    assert_eq!(lent.lend(&object), Arc::as_raw(&object));
    assert_eq!(Arc::count(&object), 2);
    assert!(lent.end().is_some_and(|back| Arc::ptr_eq(&back, &object)));
    assert!(lent.end().is_none());
    assert_eq!(Arc::count(&object), 1);
}

/// A context that has no room on its way into the pool is not made.
#[test]
fn a_large_context_finds_too_little_stack() {
    let _host = Host::builder().build();
    assert!(!stack::is_low_for::<u8>());
    assert!(stack::is_low_for::<[u8; 1 << 26]>());
}
