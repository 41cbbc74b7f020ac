//! `CO_CALL_PARAMETERS` as a peer may hand them over: either half missing,
//! lengths true or over-long, each structure in memory that ends where its
//! claim does.

use crate::{input::Input, memory::Exact, show::show, variable::Variable};
use ndis_co::{
    Status,
    params::{CallFlags, CallParameters, FlowSpec, Specific},
};
use ndis_sys::{
    CO_CALL_MANAGER_PARAMETERS, CO_CALL_PARAMETERS, CO_MEDIA_PARAMETERS, CO_SPECIFIC_PARAMETERS,
    FLOWSPEC,
};
use std::{mem::offset_of, ptr};

/// The eight members of a `FLOWSPEC`, in order.
type Flow = [u32; 8];

/// The call manager's half.
struct Manager {
    transmit: Flow,
    receive: Flow,
    specific: Variable,
}

/// The miniport's half.
struct Media {
    flags: u32,
    specific: Variable,
}

fn flow(input: &mut Input<'_>) -> Flow {
    let pattern = input.word();
    std::array::from_fn(|at| pattern.rotate_left(4 * at as u32))
}

impl Manager {
    fn read(input: &mut Input<'_>) -> Self {
        Self {
            transmit: flow(input),
            receive: flow(input),
            specific: Variable::read(input),
        }
    }

    fn memory(&self) -> Exact {
        let specific = offset_of!(CO_CALL_MANAGER_PARAMETERS, CallMgrSpecific);
        let mut memory = specific_memory(specific, &self.specific);
        let flows = [
            (
                offset_of!(CO_CALL_MANAGER_PARAMETERS, Transmit),
                &self.transmit,
            ),
            (
                offset_of!(CO_CALL_MANAGER_PARAMETERS, Receive),
                &self.receive,
            ),
        ];
        for (start, flow) in flows {
            for (at, member) in MEMBERS.iter().zip(flow) {
                memory.put(start + at, *member);
            }
        }
        memory
    }
}

impl Media {
    fn read(input: &mut Input<'_>) -> Self {
        Self {
            flags: input.word(),
            specific: Variable::read(input),
        }
    }

    fn memory(&self) -> Exact {
        let specific = offset_of!(CO_MEDIA_PARAMETERS, MediaSpecific);
        let mut memory = specific_memory(specific, &self.specific);
        memory.put(offset_of!(CO_MEDIA_PARAMETERS, Flags), self.flags);
        memory
    }
}

/// Where the members of a `FLOWSPEC` are.
const MEMBERS: [usize; 8] = [
    offset_of!(FLOWSPEC, TokenRate),
    offset_of!(FLOWSPEC, TokenBucketSize),
    offset_of!(FLOWSPEC, PeakBandwidth),
    offset_of!(FLOWSPEC, Latency),
    offset_of!(FLOWSPEC, DelayVariation),
    offset_of!(FLOWSPEC, ServiceType),
    offset_of!(FLOWSPEC, MaxSduSize),
    offset_of!(FLOWSPEC, MinimumPolicedSize),
];

/// Memory for a structure whose last member is a specific part at `start`, with
/// that part written.
fn specific_memory(start: usize, specific: &Variable) -> Exact {
    let bytes = start + offset_of!(CO_SPECIFIC_PARAMETERS, Parameters);
    let mut memory = Exact::new(bytes + specific.bytes.len());
    specific.put(
        &mut memory,
        start + offset_of!(CO_SPECIFIC_PARAMETERS, ParamType),
        start + offset_of!(CO_SPECIFIC_PARAMETERS, Length),
        bytes,
    );
    memory
}

/// Compares what the view says with what was written.
fn same_flow(seen: FlowSpec, written: &Flow) {
    let seen = [
        seen.token_rate,
        seen.token_bucket_size,
        seen.peak_bandwidth,
        seen.latency,
        seen.delay_variation,
        seen.service_type,
        seen.max_sdu_size,
        seen.minimum_policed_size,
    ];
    assert_eq!(seen, *written);
}

/// Compares what the view says with what was written.
fn same_specific(seen: Result<Specific<'_>, Status>, written: &Variable) {
    if written.is_over_long() {
        assert_eq!(seen, Err(Status::INVALID_DATA));
    } else {
        let seen = seen.expect("an honest length is accepted");
        assert_eq!(seen.param_type, written.kind);
        assert!(seen.bytes == written.bytes, "the bytes of a specific part");
    }
}

/// Reads one input as call parameters and looks at them in every way.
///
/// # Panics
///
/// When a view says something else than what was written.
pub fn run(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let shape = input.byte();
    let most = usize::from(input.byte()) * 8;
    if shape == 0xFF {
        // SAFETY: null is allowed.
        let seen = unsafe { CallParameters::from_raw(ptr::null()) };
        assert_eq!(seen.err(), Some(Status::INVALID_DATA));
        return;
    }
    let flags = input.word();
    let manager = (shape & 1 == 0).then(|| Manager::read(&mut input));
    let media = (shape & 2 == 0).then(|| Media::read(&mut input));

    let manager_memory = manager.as_ref().map(Manager::memory);
    let media_memory = media.as_ref().map(Media::memory);
    let pointer = |memory: &Option<Exact>| memory.as_ref().map_or(ptr::null_mut(), Exact::pointer);
    let mut root = Exact::new(size_of::<CO_CALL_PARAMETERS>());
    root.put(offset_of!(CO_CALL_PARAMETERS, Flags), flags);
    root.put::<*mut u8>(
        offset_of!(CO_CALL_PARAMETERS, CallMgrParameters),
        pointer(&manager_memory),
    );
    root.put::<*mut u8>(
        offset_of!(CO_CALL_PARAMETERS, MediaParameters),
        pointer(&media_memory),
    );

    // SAFETY: the structures live until the end of this function, and their
    // lengths are true or over-long.
    let view = unsafe { CallParameters::from_raw(root.pointer()) }.expect("it is not null");
    assert_eq!(view.as_raw(), root.pointer());
    assert_eq!(view.flags(), CallFlags::from_bits_retain(flags));
    assert_eq!(view.call_manager().is_some(), manager.is_some());
    if let (Some(seen), Some(written)) = (view.call_manager(), &manager) {
        same_flow(seen.transmit(), &written.transmit);
        same_flow(seen.receive(), &written.receive);
        same_specific(seen.specific(), &written.specific);
        show(&seen, most);
    }
    assert_eq!(view.media().is_some(), media.is_some());
    if let (Some(seen), Some(written)) = (view.media(), &media) {
        assert_eq!(seen.flags(), written.flags);
        same_specific(seen.specific(), &written.specific);
        show(&seen, most);
    }
    show(&view, most);
}
