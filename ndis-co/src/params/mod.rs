//! Call parameters: `CO_CALL_PARAMETERS`, read with bounds and built with
//! true lengths.

mod flow;
mod memory;

pub use flow::FlowSpec;

use flow::FLOW;
use memory::{Memory, SMALL};

use crate::{
    Status,
    address::{MAX_VARIABLE, put_bytes, words_of},
    mem::{Arc, Tag, Vec},
    raw::Token,
};
use core::{ffi::c_void, fmt, marker::PhantomData, mem::offset_of, sync::atomic::Ordering};
use ndis_sys::{
    CO_CALL_MANAGER_PARAMETERS, CO_CALL_PARAMETERS, CO_MEDIA_PARAMETERS, CO_SPECIFIC_PARAMETERS,
    FLOWSPEC,
};

bitflags::bitflags! {
    /// What `CO_CALL_PARAMETERS` says of the call as a whole.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
    pub struct CallFlags: u32 {
        /// The VC is permanent, set up by an operator (rule [CALL-73]).
        ///
        /// [CALL-73]: ndis_sys::rules#CALL-73
        const PERMANENT_VC = ndis_sys::PERMANENT_VC as u32;
        /// The one who answers changed the parameters (rules [CALL-17], [CALL-31]).
        ///
        /// [CALL-17]: ndis_sys::rules#CALL-17
        /// [CALL-31]: ndis_sys::rules#CALL-31
        #[doc(alias = "CALL_PARAMETERS_CHANGED")]
        const CHANGED = ndis_sys::CALL_PARAMETERS_CHANGED as u32;
        /// Ask for Quality of Service information.
        #[doc(alias = "QUERY_CALL_PARAMETERS")]
        const QUERY = ndis_sys::QUERY_CALL_PARAMETERS as u32;
        /// The broadcast VC.
        const BROADCAST_VC = ndis_sys::BROADCAST_VC as u32;
        /// The VC has several parties (rule [CALL-73]). Calls have one party here, so it is taken
        /// out of what is asked for.
        ///
        /// [CALL-73]: ndis_sys::rules#CALL-73
        const MULTIPOINT_VC = ndis_sys::MULTIPOINT_VC as u32;
        /// Flags of other versions stay visible.
        const _ = !0;
    }
}

/// The part that only one medium or call manager understands.
///
/// ```
/// # use ndis_co::params::Specific;
/// # use ndis_host as _;
/// /// What this medium takes: the number of a channel.
/// fn channel(specific: Specific<'_>) -> Option<u32> {
///     let bytes = specific.bytes.try_into().ok()?;
///     (specific.param_type == 1).then(|| u32::from_le_bytes(bytes))
/// }
///
/// let bytes = 7_u32.to_le_bytes();
/// assert_eq!(channel(Specific { param_type: 1, bytes: &bytes }), Some(7));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[doc(alias = "CO_SPECIFIC_PARAMETERS")]
pub struct Specific<'a> {
    /// What kind of parameters these are, as the medium or family defines it.
    pub param_type: u32,
    /// The parameters themselves.
    pub bytes: &'a [u8],
}

/// A structure of the parameters, to be read.
///
/// # Invariants
///
/// PARAMS: for `'a` the structure is valid, and so is what its non-null pointers point at,
/// with the lengths stated there; whoever reads it meanwhile, nobody writes it. Whoever
/// makes a view names the owner of that memory: a value on its own stack, an object that it
/// holds, or the peer, by a rule that says until when.
struct Read<'a, T> {
    place: Token<T>,
    _life: PhantomData<&'a ()>,
}

impl<T> Clone for Read<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Read<'_, T> {}

impl<T> Read<'_, T> {
    /// The pointer.
    fn as_raw(self) -> *mut T {
        self.place.0
    }

    /// What begins `offset` bytes behind the start.
    fn behind<U>(self, offset: usize) -> *mut U {
        self.as_raw().wrapping_byte_add(offset).cast()
    }
}

crate::raw::fields! { Read:
    CO_CALL_PARAMETERS {
        call_flags: u32 = at => &raw mut (*at).Flags;
        call_manager: *mut CO_CALL_MANAGER_PARAMETERS = at => &raw mut (*at).CallMgrParameters;
        media: *mut CO_MEDIA_PARAMETERS = at => &raw mut (*at).MediaParameters;
    }

    CO_CALL_MANAGER_PARAMETERS {
        transmit: FLOWSPEC = at => &raw mut (*at).Transmit;
        receive: FLOWSPEC = at => &raw mut (*at).Receive;
    }

    CO_MEDIA_PARAMETERS {
        media_flags: u32 = at => &raw mut (*at).Flags;
    }

    CO_SPECIFIC_PARAMETERS {
        param_type: u32 = at => &raw mut (*at).ParamType;
        length: u32 = at => &raw mut (*at).Length;
    }
}

impl<'a> Read<'a, CO_SPECIFIC_PARAMETERS> {
    /// The part itself, and the bytes at its end.
    fn specific(self) -> Result<Specific<'a>, Status> {
        let (param_type, len) = (self.param_type(), self.length());
        if len > MAX_VARIABLE {
            return Err(Status::INVALID_DATA);
        }
        let start: *mut u8 = self.behind(offset_of!(CO_SPECIFIC_PARAMETERS, Parameters));
        // SAFETY: by PARAMS the trailing array has so many bytes, which nobody writes.
        let bytes = unsafe { core::slice::from_raw_parts(start, len as usize) };
        Ok(Specific { param_type, bytes })
    }
}

/// Call parameters, borrowed.
///
/// Every pointer and length inside is checked on the way: a null pointer is
/// `None`, a length beyond [`MAX_VARIABLE`] is an error (rule [QOS-16]).
///
/// ```
/// # use ndis_co::{Status, params::CallParameters};
/// # use ndis_host as _;
/// /// The longest frame that a caller means to send, in bytes.
/// fn longest(parameters: Option<CallParameters<'_>>) -> Result<u32, Status> {
///     let manager = parameters.and_then(|all| all.call_manager());
///     Ok(manager.ok_or(Status::INVALID_DATA)?.transmit().max_sdu_size)
/// }
/// ```
///
/// [QOS-16]: ndis_sys::rules#QOS-16
#[derive(Clone, Copy)]
#[doc(alias = "CO_CALL_PARAMETERS")]
pub struct CallParameters<'a> {
    raw: Read<'a, CO_CALL_PARAMETERS>,
}

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
            return Err(Status::INVALID_DATA);
        }
        let (place, _life) = (Token(raw.cast_mut()), PhantomData);
        Ok(Self {
            raw: Read { place, _life },
        })
    }

    /// The C form.
    #[must_use]
    pub fn as_raw(self) -> *mut CO_CALL_PARAMETERS {
        self.raw.as_raw()
    }

    /// The flags of the call.
    #[must_use]
    pub fn flags(self) -> CallFlags {
        CallFlags::from_bits_retain(self.raw.call_flags())
    }

    /// What the call manager is to know: traffic and its specific part.
    #[must_use]
    #[doc(alias = "CO_CALL_MANAGER_PARAMETERS")]
    pub fn call_manager(self) -> Option<CallManagerParameters<'a>> {
        let (place, _life) = (Token(self.raw.call_manager()), PhantomData);
        (!place.0.is_null()).then_some(CallManagerParameters {
            raw: Read { place, _life },
        })
    }

    /// What the miniport is to know of the VC.
    #[must_use]
    #[doc(alias = "CO_MEDIA_PARAMETERS")]
    pub fn media(self) -> Option<MediaParameters<'a>> {
        let (place, _life) = (Token(self.raw.media()), PhantomData);
        (!place.0.is_null()).then_some(MediaParameters {
            raw: Read { place, _life },
        })
    }
}

impl CallParameters<'_> {
    /// Writes the traffic that is in use into the call manager's half; `false` when there is
    /// none.
    ///
    /// # Safety
    ///
    /// The owner of the structure has asked for that, and nobody else looks at it meanwhile.
    #[doc(hidden)]
    #[must_use]
    pub unsafe fn write_flows(self, transmit: FlowSpec, receive: FlowSpec) -> bool {
        let half = self.raw.call_manager();
        if half.is_null() {
            return false;
        }
        for (offset, flow) in [
            (offset_of!(CO_CALL_MANAGER_PARAMETERS, Transmit), transmit),
            (offset_of!(CO_CALL_MANAGER_PARAMETERS, Receive), receive),
        ] {
            let place: *mut [u32; FLOW] = half.wrapping_byte_add(offset).cast();
            // SAFETY: by PARAMS a `FLOWSPEC` of the structure, which is so many words; by the
            // caller it may be written.
            unsafe { place.write(flow.to_words()) };
        }
        true
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

/// The call manager's half of [`CallParameters`], under PARAMS.
///
/// ```
/// # use ndis_co::{Status, params::CallManagerParameters};
/// # use ndis_host as _;
/// /// The number that is called.
/// fn number(manager: CallManagerParameters<'_>) -> Result<u32, Status> {
///     let bytes = manager.specific()?.bytes.try_into();
///     Ok(u32::from_le_bytes(bytes.map_err(|_| Status::INVALID_DATA)?))
/// }
/// ```
#[derive(Clone, Copy)]
pub struct CallManagerParameters<'a> {
    raw: Read<'a, CO_CALL_MANAGER_PARAMETERS>,
}

impl<'a> CallManagerParameters<'a> {
    /// Traffic from the caller to the callee.
    #[must_use]
    pub fn transmit(self) -> FlowSpec {
        FlowSpec::from_raw(self.raw.transmit())
    }

    /// Traffic from the callee to the caller.
    #[must_use]
    pub fn receive(self) -> FlowSpec {
        FlowSpec::from_raw(self.raw.receive())
    }

    /// The part that the address family defines, such as the number dialled.
    ///
    /// # Errors
    ///
    /// [`Status::INVALID_DATA`] for a length beyond [`MAX_VARIABLE`].
    pub fn specific(self) -> Result<Specific<'a>, Status> {
        let part = self
            .raw
            .behind(offset_of!(CO_CALL_MANAGER_PARAMETERS, CallMgrSpecific));
        let (place, _life) = (Token(part), PhantomData);
        Read::<CO_SPECIFIC_PARAMETERS> { place, _life }.specific()
    }
}

impl fmt::Debug for CallManagerParameters<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallManagerParameters")
            .field("specific", &self.specific())
            .finish_non_exhaustive()
    }
}

/// How a miniport may round the flow rates that it is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    /// Down to a rate that it has.
    #[doc(alias = "ROUND_DOWN_FLOW")]
    Down,
    /// Up to a rate that it has.
    #[doc(alias = "ROUND_UP_FLOW")]
    Up,
    /// Either way.
    Either,
}

/// The miniport's half of [`CallParameters`], under PARAMS.
///
/// ```
/// # use ndis_co::params::{CallParameters, MediaParameters, Rounding};
/// # use ndis_host as _;
/// /// Whether a miniport may give the VC more than was asked for.
/// fn may_round_up(parameters: CallParameters<'_>) -> bool {
///     let rounding = parameters.media().and_then(MediaParameters::rounding);
///     matches!(rounding, Some(Rounding::Up | Rounding::Either))
/// }
/// ```
#[derive(Clone, Copy)]
pub struct MediaParameters<'a> {
    raw: Read<'a, CO_MEDIA_PARAMETERS>,
}

impl<'a> MediaParameters<'a> {
    /// The flags: which directions the VC carries, and rounding.
    #[must_use]
    pub fn flags(self) -> u32 {
        self.raw.media_flags()
    }

    /// Whether the flow rates may be rounded, and how (rule [VC-42]); `None` when they are to
    /// be met as they are.
    ///
    /// [VC-42]: ndis_sys::rules#VC-42
    #[must_use]
    pub fn rounding(self) -> Option<Rounding> {
        let asked = |flag: i32| self.flags() & flag as u32 != 0;
        match (
            asked(ndis_sys::ROUND_DOWN_FLOW),
            asked(ndis_sys::ROUND_UP_FLOW),
        ) {
            (true, true) => Some(Rounding::Either),
            (true, false) => Some(Rounding::Down),
            (false, true) => Some(Rounding::Up),
            (false, false) => None,
        }
    }

    /// The part that the medium defines.
    ///
    /// # Errors
    ///
    /// [`Status::INVALID_DATA`] for a length beyond [`MAX_VARIABLE`].
    pub fn specific(self) -> Result<Specific<'a>, Status> {
        let part = self
            .raw
            .behind(offset_of!(CO_MEDIA_PARAMETERS, MediaSpecific));
        let (place, _life) = (Token(part), PhantomData);
        Read::<CO_SPECIFIC_PARAMETERS> { place, _life }.specific()
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
/// until NDIS has done with them (rules [CALL-02], [VC-35]).
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
///
/// [CALL-02]: ndis_sys::rules#CALL-02
/// [VC-35]: ndis_sys::rules#VC-35
pub struct CallParametersBuf(SharedCallParameters);

/// Call parameters that do not change any more, with any number of owners.
///
/// NDIS and the handlers of both sides look at parameters while a call that one
/// of them ends may let go of them. So whoever shows them holds a reference of
/// its own for that time.
///
/// ```
/// # use ndis_co::{Status, params::{CallParametersBuf, FlowSpec}};
/// # use ndis_host::Host;
/// # let host = Host::builder().build();
/// let built = CallParametersBuf::builder()
///     .transmit(FlowSpec::best_effort(1500))
///     .build()?;
/// let one = built.into_shared();
/// let other = one.clone();
/// assert_eq!(one.as_raw(), other.as_raw());
/// # drop((one, other));
/// # assert!(host.finish().is_clean());
/// # Ok::<(), Status>(())
/// ```
#[derive(Clone)]
pub struct SharedCallParameters {
    memory: Arc<Memory>,
}

impl SharedCallParameters {
    /// The parameters, to look at.
    #[must_use]
    pub fn view(&self) -> CallParameters<'_> {
        CallParameters {
            // The memory lives as long as this owner, and is written no more.
            raw: Read {
                place: Token(self.as_raw()),
                _life: PhantomData,
            },
        }
    }

    /// The C form; it stays where it is as long as there is an owner.
    #[must_use]
    pub fn as_raw(&self) -> *mut CO_CALL_PARAMETERS {
        self.memory.base()
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
        self.change_flags(|bits| bits | flags.bits());
    }

    /// As they are for a call that is asked for: it has no party, so it is no multipoint call, and
    /// nobody has changed them yet (rules [CALL-17], [CALL-73]).
    ///
    /// [CALL-17]: ndis_sys::rules#CALL-17
    /// [CALL-73]: ndis_sys::rules#CALL-73
    pub(crate) fn asked(mut self) -> Self {
        let others = !(CallFlags::MULTIPOINT_VC | CallFlags::CHANGED).bits();
        self.change_flags(|bits| bits & others);
        self
    }

    /// Changes the flags, which are the first word.
    fn change_flags(&mut self, change: impl FnOnce(u32) -> u32) {
        match &*self.0.memory {
            // By BUF nobody else looks at it.
            Memory::Small(small) => {
                let flags = small.first();
                flags.store(change(flags.load(Ordering::Relaxed)), Ordering::Relaxed);
            }
            Memory::Large(_) => {
                // By BUF there is no other reference.
                if let Some(Memory::Large(words)) = Arc::get_mut(&mut self.0.memory)
                    && let Some(flags) = words.first_mut()
                {
                    *flags = change(*flags);
                }
            }
        }
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
///
/// ```
/// # use ndis_co::{Status, params::{CallParametersBuf, FlowSpec, Specific}};
/// # use ndis_host as _;
/// fn call(number: u32) -> Result<CallParametersBuf, Status> {
///     CallParametersBuf::builder()
///         .transmit(FlowSpec::best_effort(1500))
///         .receive(FlowSpec::best_effort(1500))
///         .call_manager_specific(Specific { param_type: 1, bytes: &number.to_le_bytes() })
///         .build()
/// }
/// ```
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
        let manager_len = checked_len(self.call_manager.bytes)?;
        let media_len = checked_len(self.media.bytes)?;
        // Each ends where a pointer may begin: so the halves are aligned, and whole.
        let manager_size = (MANAGER + words_of(self.call_manager.bytes)).div_ceil(2) * 2;
        let media_size = (MEDIA + words_of(self.media.bytes)).div_ceil(2) * 2;

        let total = HEAD + manager_size + media_size;
        let lengths = [manager_len, media_len];
        let memory = if total <= SMALL {
            let mut memory = Arc::try_new(Memory::small(), Tag::NDIS)?;
            if let Some(Memory::Small(small)) = Arc::get_mut(&mut memory) {
                self.write(small.words(), manager_size, lengths);
            }
            memory
        } else {
            self.build_large(total, manager_size, lengths)?
        };

        let base: *mut u32 = memory.base().cast();
        let pointers = [
            (offset_of!(CO_CALL_PARAMETERS, CallMgrParameters), HEAD),
            (
                offset_of!(CO_CALL_PARAMETERS, MediaParameters),
                HEAD + manager_size,
            ),
        ];
        for (offset, start) in pointers {
            let pointer: *mut c_void = base.wrapping_add(start).cast();
            let place: *mut *mut c_void = base.wrapping_byte_add(offset).cast();
            // SAFETY: a field of the head, which the memory begins with, aligned as that is. By
            // BUF nobody else looks at it.
            unsafe { place.write(pointer) };
        }
        Ok(CallParametersBuf(SharedCallParameters { memory }))
    }

    /// In memory of their own.
    #[cold]
    fn build_large(
        &self,
        total: usize,
        manager_size: usize,
        lengths: [u32; 2],
    ) -> Result<Arc<Memory>, Status> {
        let mut words = Vec::<u32>::try_zeroed(total, Tag::NDIS)?;
        self.write(&mut words, manager_size, lengths);
        Ok(Arc::try_new(Memory::Large(words), Tag::NDIS)?)
    }

    /// Writes all words, but for the pointers.
    #[inline]
    fn write(&self, memory: &mut [u32], manager_size: usize, [manager_len, media_len]: [u32; 2]) {
        if let Some(first) = memory.first_mut() {
            *first = self.flags.bits();
        }
        let manager = memory
            .get_mut(HEAD..)
            .and_then(<[u32]>::split_first_chunk_mut);
        if let Some((fixed, variable)) = manager {
            let fixed: &mut [u32; MANAGER] = fixed;
            if let Some((transmit, rest)) = fixed.split_first_chunk_mut() {
                *transmit = self.transmit.to_words();
                if let Some((receive, rest)) = rest.split_first_chunk_mut() {
                    *receive = self.receive.to_words();
                    if let [kind, len] = rest {
                        (*kind, *len) = (self.call_manager.param_type, manager_len);
                    }
                }
            }
            put_bytes(&mut variable.iter_mut(), self.call_manager.bytes);
        }
        let media = memory
            .get_mut(HEAD + manager_size..)
            .and_then(<[u32]>::split_first_chunk_mut);
        if let Some((fixed, variable)) = media {
            let [flags, .., kind, len]: &mut [u32; MEDIA] = fixed;
            (*flags, *kind, *len) = (self.media_flags, self.media.param_type, media_len);
            put_bytes(&mut variable.iter_mut(), self.media.bytes);
        }
    }
}

const HEAD: usize = words(size_of::<CO_CALL_PARAMETERS>());
const MANAGER: usize = words(
    offset_of!(CO_CALL_MANAGER_PARAMETERS, CallMgrSpecific)
        + offset_of!(CO_SPECIFIC_PARAMETERS, Parameters),
);
const MEDIA_SPECIFIC: usize = words(offset_of!(CO_MEDIA_PARAMETERS, MediaSpecific));
const MEDIA: usize = MEDIA_SPECIFIC + words(offset_of!(CO_SPECIFIC_PARAMETERS, Parameters));

const fn words(bytes: usize) -> usize {
    bytes / size_of::<u32>()
}

fn checked_len(bytes: &[u8]) -> Result<u32, Status> {
    match u32::try_from(bytes.len()) {
        Ok(len) if len <= MAX_VARIABLE => Ok(len),
        _ => Err(Status::RESOURCES),
    }
}
