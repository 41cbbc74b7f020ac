//! What the safe layer builds for C: call parameters and SAPs of any content,
//! with allocations that fail. What is built reads back as it was meant, through
//! the views and as a C driver reads it, and leaves nothing behind.

use crate::{failure::Failure, input::Input, show::show};
use ndis_co::{
    Status,
    address::{MAX_VARIABLE, SapAddressBuf},
    params::{CallFlags, CallParametersBuf, FlowSpec, Specific},
};
use ndis_host::Host;
use ndis_sys::{CO_SAP, CO_SPECIFIC_PARAMETERS};

/// The bytes of a part: mostly few, now and then as many as are allowed, or one
/// more.
fn bytes(input: &mut Input<'_>) -> Vec<u8> {
    let most = MAX_VARIABLE as usize;
    let len = match input.byte() {
        size @ 0..=239 => usize::from(size) % 80,
        240..=245 => most,
        246..=249 => most - usize::from(input.byte()),
        250..=252 => most + 1,
        253..=255 => most + input.word() as usize % most,
    };
    input.bytes(len)
}

fn flow(input: &mut Input<'_>) -> FlowSpec {
    FlowSpec {
        token_rate: input.word(),
        token_bucket_size: input.word(),
        peak_bandwidth: input.word(),
        latency: input.word(),
        delay_variation: input.word(),
        service_type: input.word(),
        max_sdu_size: input.word(),
        minimum_policed_size: input.word(),
    }
}

/// Reads one input as orders for the builders and compares what they make.
///
/// # Panics
///
/// When it is something else, or not made for no reason, or memory is left.
pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let host = Host::builder().build();
    if input.flag() {
        call_parameters(&host, &mut input);
    } else {
        sap(&host, &mut input);
    }
    let report = host.finish();
    assert!(report.is_clean(), "{report}");
}

fn call_parameters(host: &Host, input: &mut Input<'_>) {
    let (flags, later) = (input.word(), input.word());
    let (transmit, receive) = (flow(input), flow(input));
    let (manager_type, media_type) = (input.word(), input.word());
    let failure = Failure::order(host, input);
    let (manager, media) = (bytes(input), bytes(input));
    let builder = CallParametersBuf::builder()
        .flags(CallFlags::from_bits_retain(flags))
        .transmit(transmit)
        .receive(receive)
        .call_manager_specific(Specific {
            param_type: manager_type,
            bytes: &manager,
        })
        .media_specific(Specific {
            param_type: media_type,
            bytes: &media,
        });
    show(&builder, 1024);
    let built = builder.build();
    let too_long = [&manager, &media].map(|bytes| bytes.len() > MAX_VARIABLE as usize);
    let failed = failure.has_come() || too_long.contains(&true);
    let mut built = match built {
        Err(status) => {
            assert!(failed && status == Status::RESOURCES, "{status}");
            return;
        }
        Ok(built) => built,
    };
    assert!(!failed);
    assert_eq!(built.view().flags().bits(), flags);
    built.insert_flags(CallFlags::from_bits_retain(later));
    let view = built.view();
    assert_eq!(view.flags().bits(), flags | later);
    let seen = view.call_manager().expect("both halves are built");
    assert_eq!((seen.transmit(), seen.receive()), (transmit, receive));
    let specific = seen.specific().expect("a length that was checked");
    assert_eq!(specific.param_type, manager_type);
    assert!(specific.bytes == manager);
    let seen = view.media().expect("both halves are built");
    let specific = seen.specific().expect("a length that was checked");
    assert_eq!(specific.param_type, media_type);
    assert!(specific.bytes == media);
    show(&built, 1024);

    // As a driver in C finds it.
    let raw = built.as_raw();
    // SAFETY: the structure lives as long as `built`.
    let half = unsafe { (*raw).CallMgrParameters };
    // SAFETY: the half that the structure points at.
    let part = unsafe { &raw const (*half).CallMgrSpecific };
    // SAFETY: a part of the living structure, with its bytes behind it.
    assert!(unsafe { as_in_c(part) } == manager);
    // SAFETY: the structure lives as long as `built`.
    let half = unsafe { (*raw).MediaParameters };
    // SAFETY: the half that the structure points at.
    let part = unsafe { &raw const (*half).MediaSpecific };
    // SAFETY: a part of the living structure, with its bytes behind it.
    assert!(unsafe { as_in_c(part) } == media);
}

/// The bytes of a specific part.
///
/// # Safety
///
/// `part` is valid, with as many bytes behind it as it says.
unsafe fn as_in_c(part: *const CO_SPECIFIC_PARAMETERS) -> Vec<u8> {
    // SAFETY: the caller vouches for the part.
    let len = unsafe { (*part).Length };
    // SAFETY: as above.
    let start = unsafe { &raw const (*part).Parameters }.cast::<u8>();
    // SAFETY: as above, for its bytes.
    unsafe { std::slice::from_raw_parts(start, len as usize) }.to_vec()
}

fn sap(host: &Host, input: &mut Input<'_>) {
    let kind = input.word();
    let failure = Failure::order(host, input);
    let bytes = bytes(input);
    let built = SapAddressBuf::try_new(kind, &bytes);
    let failed = failure.has_come() || bytes.len() > MAX_VARIABLE as usize;
    let built = match built {
        Err(status) => {
            assert!(failed && status == Status::RESOURCES, "{status}");
            return;
        }
        Ok(built) => built,
    };
    assert!(!failed);
    assert_eq!(built.view().sap_type(), kind);
    assert!(built.view().bytes() == bytes);
    show(&built, 1024);

    // As a driver in C finds it.
    let raw: *const CO_SAP = built.as_raw();
    // SAFETY: the structure lives as long as `built`.
    assert_eq!(unsafe { (*raw).SapType }, kind);
    // SAFETY: as above.
    let len = unsafe { (*raw).SapLength };
    assert_eq!(len as usize, bytes.len());
    // SAFETY: as above.
    let start = unsafe { &raw const (*raw).Sap }.cast::<u8>();
    // SAFETY: as above, with as many bytes behind it as it says.
    assert!(unsafe { std::slice::from_raw_parts(start, len as usize) } == bytes);
}
