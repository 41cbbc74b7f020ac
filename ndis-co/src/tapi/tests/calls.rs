//! The structures in the parameters of calls.

use super::*;
use crate::{
    family::{AddressFamily, Family},
    params::{CallParametersBuf, Specific},
    tapi::{
        bytes::{Descriptor, Field},
        call::{DESTINATION, MAKE, MAKE_FLAGS, PARAMS},
    },
};

#[test]
fn parameters_of_calls_carry_them() {
    let _host = Host::builder().build();
    let (there, back) = (flow(1_000_000, 1500), flow(500_000, 1400));
    let mut built = make_call().to_parameters(there, back).unwrap();
    built.insert_flags(CallFlags::CHANGED);
    let view = built.view();
    assert_eq!(MakeCall::from_parameters(view), Ok(make_call()));
    assert_eq!(Call::from_parameters(view), Ok(Call::Outgoing(make_call())));
    assert_eq!(
        IncomingCall::from_parameters(view),
        Err(Status::INVALID_DATA)
    );
    let manager = view.call_manager().unwrap();
    assert_eq!(manager.transmit().peak_bandwidth, 1_000_000);
    assert_eq!(manager.receive().max_sdu_size, 1400);

    let incoming = IncomingCall { info: info() };
    let built = incoming.to_parameters(there, back).unwrap();
    assert_eq!(IncomingCall::from_parameters(built.view()), Ok(incoming));
    assert_eq!(
        Call::from_parameters(built.view()),
        Ok(Call::Incoming(incoming))
    );
    assert_eq!(
        MakeCall::from_parameters(built.view()),
        Err(Status::INVALID_DATA)
    );
    // SAFETY: all of it is within the length that is stated.
    let described = unsafe { IncomingCall::from_parameters_described(built.view()) };
    assert_eq!(described, Ok(incoming));

    // Neither way, and numbers that are not equal.
    let mut bytes = written(&incoming);
    let flags = offset_of!(CO_AF_TAPI_INCOMING_CALL_PARAMETERS, ulFlags);
    bytes[flags] = 0;
    assert_eq!(Call::parse(&bytes), Err(Status::INVALID_DATA));
    assert_eq!(IncomingCall::parse(&bytes), Ok(incoming));
    bytes[flags] = 3;
    assert_eq!(Call::parse(&bytes), Err(Status::INVALID_DATA));
    bytes[0] = 9;
    assert_eq!(IncomingCall::parse(&bytes), Err(Status::INVALID_DATA));

    // What a descriptor cannot say.
    let long = vec![1; 0x1_0000];
    let call = MakeCall {
        destination: &long,
        ..make_call()
    };
    assert_eq!(
        call.to_parameters(there, back).err(),
        Some(Status::INVALID_LENGTH)
    );
    let call = MakeCall {
        params: Some(CallParams {
            comment: &long,
            ..params()
        }),
        ..make_call()
    };
    assert_eq!(call.to_vec().err(), Some(Status::INVALID_LENGTH));
    let call = IncomingCall {
        info: CallInfo {
            comment: &long,
            ..info()
        },
    };
    assert_eq!(call.to_vec().err(), Some(Status::INVALID_LENGTH));
    // With defaults the parameters do not count.
    let call = MakeCall {
        default_params: true,
        ..make_call()
    };
    let bytes = written(&call);
    let read = MakeCall::parse(&bytes).map(|it| it.params);
    assert_eq!(read, Ok(None));
}

/// The other reading of the pages: the length is that of the fixed structure.
#[test]
fn parameters_may_lie_behind_the_length() {
    let bytes = written(&make_call());
    let specific = offset_of!(CO_MEDIA_PARAMETERS, MediaSpecific);
    let start = specific + 8;
    let fixed = size_of::<CO_AF_TAPI_MAKE_CALL_PARAMETERS>();
    // Not a byte more than there is, as a sanitizer sees.
    let mut media = vec![0_u64; (start + bytes.len()).div_ceil(8)];
    let place = media.as_mut_ptr().cast::<u8>();
    for (at, byte) in bytes.iter().enumerate() {
        // SAFETY: the memory has so many bytes.
        unsafe { place.wrapping_add(start + at).write(*byte) };
    }
    let len_place = place.wrapping_add(specific + 4).cast::<u32>();
    // SAFETY: a word of the structure.
    unsafe { len_place.write(fixed as u32) };
    let raw = CO_CALL_PARAMETERS {
        Flags: 0,
        CallMgrParameters: core::ptr::null_mut(),
        MediaParameters: place.cast(),
    };
    // SAFETY: the structure and the media's part are valid.
    let view = unsafe { CallParameters::from_raw(&raw) }.unwrap();
    assert_eq!(MakeCall::from_parameters(view), Err(Status::INVALID_DATA));
    // SAFETY: what the descriptors say is there.
    let described = unsafe { MakeCall::from_parameters_described(view) };
    assert_eq!(described, Ok(make_call()));

    // An offset that no structure has is not followed.
    let far = place.wrapping_add(
        start
            + offset_of!(CO_AF_TAPI_MAKE_CALL_PARAMETERS, DestAddress)
            + size_of::<usize>().max(4),
    );
    // SAFETY: the offset of the descriptor.
    unsafe { far.cast::<usize>().write(0x1_0001) };
    // SAFETY: the other descriptor is as it was, and this one is beyond what is followed.
    let described = unsafe { MakeCall::from_parameters_described(view) };
    assert_eq!(described, Err(Status::INVALID_DATA));
    // SAFETY: a word of the structure; now there is less than the fixed structure.
    unsafe { len_place.write(fixed as u32 - 1) };
    // SAFETY: as above.
    let described = unsafe { MakeCall::from_parameters_described(view) };
    assert_eq!(described, Err(Status::INVALID_LENGTH));

    let none = CO_CALL_PARAMETERS {
        MediaParameters: core::ptr::null_mut(),
        ..raw
    };
    // SAFETY: valid, with null pointers only.
    let view = unsafe { CallParameters::from_raw(&none) }.unwrap();
    assert_eq!(MakeCall::from_parameters(view), Err(Status::INVALID_DATA));
    // SAFETY: there is no structure.
    let described = unsafe { MakeCall::from_parameters_described(view) };
    assert_eq!(described, Err(Status::INVALID_DATA));
}

/// A client of safe code cannot describe what is not there, in a family of telephony.
#[test]
fn what_a_client_may_place() {
    let _host = Host::builder().build();
    let family = |family| AddressFamily::new(family, 1, 0);
    let bytes = make_call().to_vec().unwrap();
    let fixed = size_of::<ndis_sys::CO_AF_TAPI_MAKE_CALL_PARAMETERS>();
    let nothing = MakeCall::default().to_vec().unwrap();
    for (family, bytes, checked) in [
        (family(Family::TAPI_PROXY), &bytes[..], Ok(())),
        (
            family(Family::TAPI_PROXY),
            &bytes[..fixed],
            Err(Status::INVALID_DATA),
        ),
        (
            family(Family::TAPI),
            &bytes[..fixed],
            Err(Status::INVALID_DATA),
        ),
        (family(Family::TAPI_PROXY), &nothing[..], Ok(())),
        // Less than the structure, a call manager refuses.
        (family(Family::TAPI_PROXY), &bytes[..fixed - 1], Ok(())),
        // What it is in another family, nobody knows.
        (family(Family::L2TP), &bytes[..fixed], Ok(())),
    ] {
        let (param_type, len) = (0, bytes.len());
        let specific = Specific { param_type, bytes };
        let built = CallParametersBuf::builder().media_specific(specific);
        let built = built.build().unwrap();
        let placed = crate::tapi::check_placed(family, built.view());
        assert_eq!(placed, checked, "{family:?}, {len}");
    }
}

/// With nothing behind the structure, the short look at it finds what reading it finds.
#[test]
fn a_structure_alone_is_looked_at_as_it_is_read() {
    let mut refused = 0;
    // Under Miri the first and the last of them, and what is between.
    let step = if cfg!(miri) { 3 } else { 1 };
    for flags in [0, 1, 2, 3, 4, 5, u32::MAX].into_iter().step_by(step) {
        for len in [0u16, 1, 4, u16::MAX].into_iter().step_by(step) {
            for offset in [0, 1, 8, MAKE - 8, MAKE, MAKE + 8, usize::MAX] {
                for at in [DESTINATION, PARAMS] {
                    let mut bytes = [0; MAKE];
                    bytes[MAKE_FLAGS..][..4].copy_from_slice(&flags.to_ne_bytes());
                    let room = len;
                    Descriptor { len, room, offset }.write(&mut bytes, at);
                    let looked = MakeCall::check_alone(&bytes);
                    assert_eq!(looked, MakeCall::parse(&bytes).map(drop), "{bytes:?}");
                    refused += usize::from(looked.is_err());
                }
            }
        }
    }
    assert!(refused > if cfg!(miri) { 20 } else { 100 }, "{refused}");
}
