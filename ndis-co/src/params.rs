//! Call parameters: `CO_CALL_PARAMETERS`, read with bounds and built with
//! true lengths.

use crate::{
    Status,
    address::MAX_VARIABLE,
    mem::{Arc, Tag, Vec},
};
use core::{fmt, marker::PhantomData, mem::offset_of, ptr};
use ndis_sys::{
    CO_CALL_MANAGER_PARAMETERS, CO_CALL_PARAMETERS, CO_MEDIA_PARAMETERS, CO_SPECIFIC_PARAMETERS,
    FLOWSPEC,
};

bitflags::bitflags! {
    /// What `CO_CALL_PARAMETERS` says of the call as a whole.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
    pub struct CallFlags: u32 {
        /// The VC is permanent, set up by an operator (rule CALL-73).
        const PERMANENT_VC = ndis_sys::PERMANENT_VC as u32;
        /// The one who answers changed the parameters (rules CALL-17, CALL-31).
        #[doc(alias = "CALL_PARAMETERS_CHANGED")]
        const CHANGED = ndis_sys::CALL_PARAMETERS_CHANGED as u32;
        /// Ask for Quality of Service information.
        #[doc(alias = "QUERY_CALL_PARAMETERS")]
        const QUERY = ndis_sys::QUERY_CALL_PARAMETERS as u32;
        /// The broadcast VC.
        const BROADCAST_VC = ndis_sys::BROADCAST_VC as u32;
        /// The VC has several parties (rule CALL-73).
        const MULTIPOINT_VC = ndis_sys::MULTIPOINT_VC as u32;
        /// Flags of other versions stay visible.
        const _ = !0;
    }
}

/// Traffic in one direction, a `FLOWSPEC`: rates in bytes a second, sizes in
/// bytes, delays in microseconds; [`FlowSpec::UNSPECIFIED`] where nothing is
/// asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[doc(alias = "FLOWSPEC")]
pub struct FlowSpec {
    /// The rate that is kept up in the long run, in bytes a second.
    pub token_rate: u32,
    /// How far a burst may run ahead of that rate, in bytes.
    pub token_bucket_size: u32,
    /// The highest rate of a burst, in bytes a second.
    pub peak_bandwidth: u32,
    /// How long data may be under way, in microseconds.
    pub latency: u32,
    /// How much that time may vary, in microseconds.
    pub delay_variation: u32,
    /// The class of service, a `SERVICETYPE_*` number of `qos.h`; 1 is best
    /// effort.
    pub service_type: u32,
    /// The largest frame, in bytes.
    pub max_sdu_size: u32,
    /// The smallest size that a frame counts with, in bytes.
    pub minimum_policed_size: u32,
}

impl FlowSpec {
    /// The value of a member of which nothing is said.
    pub const UNSPECIFIED: u32 = u32::MAX;

    /// Best effort with frames of at most `max_sdu_size` bytes.
    #[must_use]
    pub const fn best_effort(max_sdu_size: u32) -> Self {
        Self {
            token_rate: Self::UNSPECIFIED,
            token_bucket_size: Self::UNSPECIFIED,
            peak_bandwidth: Self::UNSPECIFIED,
            latency: Self::UNSPECIFIED,
            delay_variation: Self::UNSPECIFIED,
            service_type: 1,
            max_sdu_size,
            minimum_policed_size: Self::UNSPECIFIED,
        }
    }

    fn to_raw(self) -> FLOWSPEC {
        FLOWSPEC {
            TokenRate: self.token_rate,
            TokenBucketSize: self.token_bucket_size,
            PeakBandwidth: self.peak_bandwidth,
            Latency: self.latency,
            DelayVariation: self.delay_variation,
            ServiceType: self.service_type,
            MaxSduSize: self.max_sdu_size,
            MinimumPolicedSize: self.minimum_policed_size,
        }
    }

    fn from_raw(raw: &FLOWSPEC) -> Self {
        Self {
            token_rate: raw.TokenRate,
            token_bucket_size: raw.TokenBucketSize,
            peak_bandwidth: raw.PeakBandwidth,
            latency: raw.Latency,
            delay_variation: raw.DelayVariation,
            service_type: raw.ServiceType,
            max_sdu_size: raw.MaxSduSize,
            minimum_policed_size: raw.MinimumPolicedSize,
        }
    }
}

/// The part that only one medium or call manager understands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[doc(alias = "CO_SPECIFIC_PARAMETERS")]
pub struct Specific<'a> {
    /// What kind of parameters these are, as the medium or family defines it.
    pub param_type: u32,
    /// The parameters themselves.
    pub bytes: &'a [u8],
}

/// Call parameters, borrowed.
///
/// Every pointer and length inside is checked on the way: a null pointer is
/// `None`, a length beyond [`MAX_VARIABLE`] is an error (rule QOS-16).
///
/// # Invariants
///
/// PARAMS: `raw` is valid for `'a`, and so is what its non-null pointers point
/// at, with the lengths stated there. Whoever makes a view names the owner of
/// that memory: a value on its own stack, an object that it holds, or the peer,
/// by a rule that says until when.
#[derive(Clone, Copy)]
#[doc(alias = "CO_CALL_PARAMETERS")]
pub struct CallParameters<'a> {
    raw: *const CO_CALL_PARAMETERS,
    _life: PhantomData<&'a CO_CALL_PARAMETERS>,
}

// SAFETY: by PARAMS everything is only read.
unsafe impl Send for CallParameters<'_> {}
// SAFETY: as above.
unsafe impl Sync for CallParameters<'_> {}

impl<'a> CallParameters<'a> {
    /// Looks at call parameters.
    ///
    /// # Errors
    ///
    /// [`Status::INVALID_DATA`] for a null pointer.
    ///
    /// # Safety
    ///
    /// A non-null `raw` is as PARAMS says.
    pub unsafe fn from_raw(raw: *const CO_CALL_PARAMETERS) -> Result<Self, Status> {
        if raw.is_null() {
            Err(Status::INVALID_DATA)
        } else {
            Ok(Self {
                raw,
                _life: PhantomData,
            })
        }
    }

    /// The C form.
    #[must_use]
    pub fn as_raw(self) -> *mut CO_CALL_PARAMETERS {
        self.raw.cast_mut()
    }

    /// The flags of the call.
    #[must_use]
    pub fn flags(self) -> CallFlags {
        // SAFETY: by PARAMS the structure is valid.
        CallFlags::from_bits_retain(unsafe { (*self.raw).Flags })
    }

    /// What the call manager is to know: traffic and its specific part.
    #[must_use]
    #[doc(alias = "CO_CALL_MANAGER_PARAMETERS")]
    pub fn call_manager(self) -> Option<CallManagerParameters<'a>> {
        // SAFETY: by PARAMS the structure is valid.
        let raw = unsafe { (*self.raw).CallMgrParameters };
        (!raw.is_null()).then_some(CallManagerParameters {
            raw,
            _life: PhantomData,
        })
    }

    /// What the miniport is to know of the VC.
    #[must_use]
    #[doc(alias = "CO_MEDIA_PARAMETERS")]
    pub fn media(self) -> Option<MediaParameters<'a>> {
        // SAFETY: by PARAMS the structure is valid.
        let raw = unsafe { (*self.raw).MediaParameters };
        (!raw.is_null()).then_some(MediaParameters {
            raw,
            _life: PhantomData,
        })
    }
}

impl fmt::Debug for CallParameters<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallParameters")
            .field("flags", &self.flags())
            .field("call_manager", &self.call_manager())
            .field("media", &self.media())
            .finish()
    }
}

/// Reads the specific part at the end of a structure.
///
/// # Safety
///
/// `raw` is valid for `'a` with the bytes that it states.
unsafe fn specific<'a>(raw: *const CO_SPECIFIC_PARAMETERS) -> Result<Specific<'a>, Status> {
    // SAFETY: the caller vouches for the structure.
    let param_type = unsafe { (*raw).ParamType };
    // SAFETY: as above.
    let len = unsafe { (*raw).Length };
    if len > MAX_VARIABLE {
        return Err(Status::INVALID_DATA);
    }
    // SAFETY: the address of the trailing array.
    let start = unsafe { &raw const (*raw).Parameters }.cast::<u8>();
    // SAFETY: the caller vouches for the bytes.
    let bytes = unsafe { core::slice::from_raw_parts(start, len as usize) };
    Ok(Specific { param_type, bytes })
}

/// The call manager's half of [`CallParameters`], under PARAMS.
#[derive(Clone, Copy)]
pub struct CallManagerParameters<'a> {
    raw: *const CO_CALL_MANAGER_PARAMETERS,
    _life: PhantomData<&'a CO_CALL_MANAGER_PARAMETERS>,
}

impl<'a> CallManagerParameters<'a> {
    /// Traffic from the caller to the callee.
    #[must_use]
    pub fn transmit(self) -> FlowSpec {
        // SAFETY: by PARAMS the structure is valid.
        FlowSpec::from_raw(unsafe { &(*self.raw).Transmit })
    }

    /// Traffic from the callee to the caller.
    #[must_use]
    pub fn receive(self) -> FlowSpec {
        // SAFETY: by PARAMS the structure is valid.
        FlowSpec::from_raw(unsafe { &(*self.raw).Receive })
    }

    /// The part that the address family defines, such as the number dialled.
    ///
    /// # Errors
    ///
    /// [`Status::INVALID_DATA`] for a length beyond [`MAX_VARIABLE`].
    pub fn specific(self) -> Result<Specific<'a>, Status> {
        // SAFETY: the address of a field of a valid structure.
        let raw = unsafe { &raw const (*self.raw).CallMgrSpecific };
        // SAFETY: PARAMS.
        unsafe { specific(raw) }
    }
}

impl fmt::Debug for CallManagerParameters<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallManagerParameters")
            .field("specific", &self.specific())
            .finish_non_exhaustive()
    }
}

/// The miniport's half of [`CallParameters`], under PARAMS.
#[derive(Clone, Copy)]
pub struct MediaParameters<'a> {
    raw: *const CO_MEDIA_PARAMETERS,
    _life: PhantomData<&'a CO_MEDIA_PARAMETERS>,
}

impl<'a> MediaParameters<'a> {
    /// The flags: which directions the VC carries, and rounding.
    #[must_use]
    pub fn flags(self) -> u32 {
        // SAFETY: by PARAMS the structure is valid.
        unsafe { (*self.raw).Flags }
    }

    /// The part that the medium defines.
    ///
    /// # Errors
    ///
    /// [`Status::INVALID_DATA`] for a length beyond [`MAX_VARIABLE`].
    pub fn specific(self) -> Result<Specific<'a>, Status> {
        // SAFETY: the address of a field of a valid structure.
        let raw = unsafe { &raw const (*self.raw).MediaSpecific };
        // SAFETY: PARAMS.
        unsafe { specific(raw) }
    }
}

impl fmt::Debug for MediaParameters<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MediaParameters")
            .field("flags", &self.flags())
            .finish_non_exhaustive()
    }
}

/// Call parameters of one's own, in resident memory, that stay where they are
/// until NDIS has done with them (rules CALL-02, VC-35).
///
/// ```
/// # use ndis_co::params::{CallParametersBuf, FlowSpec, Specific};
/// # fn build() -> Result<CallParametersBuf, ndis_co::Status> {
/// CallParametersBuf::builder()
///     .transmit(FlowSpec::best_effort(1500))
///     .receive(FlowSpec::best_effort(1500))
///     .call_manager_specific(Specific { param_type: 1, bytes: &42_u32.to_le_bytes() })
///     .build()
/// # }
/// ```
///
/// # Invariants
///
/// BUF: this is the only reference to the memory, until
/// [`into_shared`](Self::into_shared) gives it away.
pub struct CallParametersBuf(SharedCallParameters);

/// Call parameters that do not change any more, with any number of owners.
///
/// NDIS and the handlers of both sides look at parameters while a call that one
/// of them ends may let go of them. So whoever shows them holds a reference of
/// its own for that time.
#[derive(Clone)]
pub struct SharedCallParameters {
    /// The structure at the front, then both halves; in 64-bit words, so that
    /// each is aligned.
    memory: Arc<Vec<u64>>,
}

impl SharedCallParameters {
    /// The parameters, to look at.
    #[must_use]
    pub fn view(&self) -> CallParameters<'_> {
        CallParameters {
            raw: self.as_raw(),
            _life: PhantomData,
        }
    }

    /// The C form; it stays where it is as long as there is an owner.
    #[must_use]
    pub fn as_raw(&self) -> *mut CO_CALL_PARAMETERS {
        self.memory.base().cast()
    }
}

impl fmt::Debug for SharedCallParameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.view().fmt(f)
    }
}

impl CallParametersBuf {
    /// Starts with best effort both ways and no specific part.
    pub fn builder<'a>() -> Builder<'a> {
        Builder {
            flags: CallFlags::empty(),
            transmit: FlowSpec::best_effort(FlowSpec::UNSPECIFIED),
            receive: FlowSpec::best_effort(FlowSpec::UNSPECIFIED),
            call_manager: Specific {
                param_type: 0,
                bytes: &[],
            },
            media_flags: (ndis_sys::TRANSMIT_VC | ndis_sys::RECEIVE_VC) as u32,
            media: Specific {
                param_type: 0,
                bytes: &[],
            },
        }
    }

    /// Adds flags, such as [`CallFlags::CHANGED`].
    pub fn insert_flags(&mut self, flags: CallFlags) {
        let raw = self.as_raw();
        // SAFETY: the structure at the front of our own memory, which by BUF
        // nobody else looks at.
        unsafe { (*raw).Flags = (self.view().flags() | flags).bits() };
    }

    /// The parameters, to look at.
    #[must_use]
    pub fn view(&self) -> CallParameters<'_> {
        self.0.view()
    }

    /// The C form; it stays where it is as long as `self` lives.
    #[must_use]
    pub fn as_raw(&self) -> *mut CO_CALL_PARAMETERS {
        self.0.as_raw()
    }

    /// The parameters as they are, for several owners.
    #[must_use]
    pub fn into_shared(self) -> SharedCallParameters {
        self.0
    }
}

impl fmt::Debug for CallParametersBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.view().fmt(f)
    }
}

/// Builds [`CallParametersBuf`].
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct Builder<'a> {
    flags: CallFlags,
    transmit: FlowSpec,
    receive: FlowSpec,
    call_manager: Specific<'a>,
    media_flags: u32,
    media: Specific<'a>,
}

impl<'a> Builder<'a> {
    /// Sets the flags of the call.
    pub fn flags(self, flags: CallFlags) -> Self {
        Self { flags, ..self }
    }

    /// Sets the traffic from caller to callee.
    pub fn transmit(self, transmit: FlowSpec) -> Self {
        Self { transmit, ..self }
    }

    /// Sets the traffic from callee to caller.
    pub fn receive(self, receive: FlowSpec) -> Self {
        Self { receive, ..self }
    }

    /// Sets what the address family defines.
    pub fn call_manager_specific(self, call_manager: Specific<'a>) -> Self {
        Self {
            call_manager,
            ..self
        }
    }

    /// Sets what the medium defines.
    pub fn media_specific(self, media: Specific<'a>) -> Self {
        Self { media, ..self }
    }

    /// Puts everything into resident memory.
    ///
    /// # Errors
    ///
    /// [`Status::RESOURCES`], also when a specific part has more than
    /// [`MAX_VARIABLE`] bytes.
    pub fn build(self) -> Result<CallParametersBuf, Status> {
        const WORD: usize = size_of::<u64>();
        const HEAD: usize = size_of::<CO_CALL_PARAMETERS>().div_ceil(WORD);
        const MANAGER: usize = offset_of!(CO_CALL_MANAGER_PARAMETERS, CallMgrSpecific)
            + offset_of!(CO_SPECIFIC_PARAMETERS, Parameters);
        const MEDIA: usize = offset_of!(CO_MEDIA_PARAMETERS, MediaSpecific)
            + offset_of!(CO_SPECIFIC_PARAMETERS, Parameters);
        let words = |fixed: usize, whole: usize, bytes: &[u8]| {
            fixed.saturating_add(bytes.len()).max(whole).div_ceil(WORD)
        };
        let manager_words = words(
            MANAGER,
            size_of::<CO_CALL_MANAGER_PARAMETERS>(),
            self.call_manager.bytes,
        );
        let media_words = words(MEDIA, size_of::<CO_MEDIA_PARAMETERS>(), self.media.bytes);
        let manager_len = checked_len(self.call_manager.bytes)?;
        let media_len = checked_len(self.media.bytes)?;

        let memory = Vec::<u64>::try_zeroed(HEAD + manager_words + media_words, Tag::NDIS)?;
        let head: *mut CO_CALL_PARAMETERS = memory.base().cast();
        // SAFETY: HEAD words are within the `total` words.
        let manager: *mut CO_CALL_MANAGER_PARAMETERS = unsafe { memory.base().add(HEAD) }.cast();
        // SAFETY: as above.
        let media: *mut CO_MEDIA_PARAMETERS =
            unsafe { memory.base().add(HEAD + manager_words) }.cast();
        // Field by field: a whole structure would bring its padding along,
        // which is not initialised.
        // SAFETY: the memory is aligned, zeroed and large enough.
        unsafe { (*head).Flags = self.flags.bits() };
        // SAFETY: as above.
        unsafe { (*head).CallMgrParameters = manager };
        // SAFETY: as above.
        unsafe { (*head).MediaParameters = media };
        // SAFETY: as above.
        unsafe { (*manager).Transmit = self.transmit.to_raw() };
        // SAFETY: as above.
        unsafe { (*manager).Receive = self.receive.to_raw() };
        // SAFETY: as above.
        unsafe { (*media).Flags = self.media_flags };
        // SAFETY: the address of a field.
        let specific = unsafe { &raw mut (*manager).CallMgrSpecific };
        // SAFETY: `manager_words` leave room for the bytes behind it.
        unsafe { write_specific(specific, &self.call_manager, manager_len) };
        // SAFETY: the address of a field.
        let specific = unsafe { &raw mut (*media).MediaSpecific };
        // SAFETY: `media_words` leave room for the bytes behind it.
        unsafe { write_specific(specific, &self.media, media_len) };
        let memory = Arc::try_new(memory, Tag::NDIS)?;
        Ok(CallParametersBuf(SharedCallParameters { memory }))
    }
}

fn checked_len(bytes: &[u8]) -> Result<u32, Status> {
    match u32::try_from(bytes.len()) {
        Ok(len) if len <= MAX_VARIABLE => Ok(len),
        _ => Err(Status::RESOURCES),
    }
}

/// # Safety
///
/// `to` is a writable specific part with room for the bytes; its provenance
/// covers them.
unsafe fn write_specific(to: *mut CO_SPECIFIC_PARAMETERS, from: &Specific<'_>, len: u32) {
    // SAFETY: the caller vouches for the structure.
    unsafe { (*to).ParamType = from.param_type };
    // SAFETY: as above.
    unsafe { (*to).Length = len };
    // SAFETY: as above.
    let start = unsafe { &raw mut (*to).Parameters }.cast::<u8>();
    // SAFETY: as above; the bytes are another allocation.
    unsafe { ptr::copy_nonoverlapping(from.bytes.as_ptr(), start, from.bytes.len()) };
}
