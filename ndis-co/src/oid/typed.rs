//! [`Oid`]: the number of an OID with what belongs to it: what is moved, which way, and who is
//! asked.
//!
//! One number may mean two things: `0x0001_0107` is a speed of an adapter, one integer when
//! the adapter is connectionless and a pair when it is not. So an OID also says whom it is
//! asked of, and a request is only ever compared with the OIDs of whom it reached.

use super::{
    value::{self, Value},
    view::{Kind, View},
};
use crate::Status;
use core::{fmt, marker::PhantomData};

mod sealed {
    pub trait Sealed {}
}

/// Who is asked: [`ToAdapter`], [`ToManager`] or [`ToClient`].
pub trait Asked: sealed::Sealed + 'static {}

/// Asked of a connection-oriented adapter, that is, of the miniport or of the miniport half
/// of an MCM, by whichever of its two doors the request comes: `MiniportCoOidRequest` or
/// `MiniportOidRequest`.
#[derive(Debug)]
pub enum ToAdapter {}

/// Asked of a call manager by a client of one of its families.
#[derive(Debug)]
pub enum ToManager {}

/// Asked of a client by the call manager of a family that it has opened.
#[derive(Debug)]
pub enum ToClient {}

/// Which way a value goes; `V` is the one that the OID names.
pub trait Way: sealed::Sealed + 'static {
    #[doc(hidden)]
    fn allows(kind: Kind) -> bool;
}

/// A way on which the target answers with a `V`.
#[diagnostic::on_unimplemented(
    message = "an OID on the way `{Self}` is not answered with a `{V}`",
    label = "this OID has no such answer",
    note = "the type of the constant in `ndis_co::oid::known` says what is moved and which way: what is set is \
            accepted or refused, and a `Counter` is an `u64`"
)]
pub trait Answers<V: Value>: Way {
    #[doc(hidden)]
    fn asks(kind: Kind) -> bool;
    #[doc(hidden)]
    fn store(view: &mut View, value: &V) -> Status {
        view.store(value::bytes(core::slice::from_ref(value)))
    }
    #[doc(hidden)]
    fn load(bytes: &[u8]) -> Option<V> {
        value::read(bytes)
    }
}

/// A way on which something is carried to the target.
#[diagnostic::on_unimplemented(
    message = "an OID on the way `{Self}` carries nothing to its target",
    label = "this OID is only asked for",
    note = "the type of the constant in `ndis_co::oid::known` says what is moved and which way"
)]
pub trait Carries<V: Value>: Way {
    /// What is carried.
    type Input: Value;
    #[doc(hidden)]
    fn brings(kind: Kind) -> bool;
}

/// A way on which a value is asked for with nothing else than the number.
#[diagnostic::on_unimplemented(
    message = "an OID on the way `{Self}` is not asked with its number alone",
    label = "this OID is not a plain query",
    note = "the type of the constant in `ndis_co::oid::known` says what is moved and which way"
)]
pub trait Asks<V: Value>: Answers<V> {}

/// A way on which the named value itself is given to the target.
#[diagnostic::on_unimplemented(
    message = "an OID on the way `{Self}` is not set",
    label = "this OID cannot be set",
    note = "the type of the constant in `ndis_co::oid::known` says what is moved and which way"
)]
pub trait Gives<V: Value>: Carries<V, Input = V> {}

/// A value is asked for.
#[derive(Debug)]
pub enum Query {}

/// A value is given.
#[derive(Debug)]
pub enum Set {}

/// A value is asked for, or given.
///
/// ```
/// # use ndis_host as _;
/// use ndis_co::{Answer, oid::{Door, Oid, OidRequest, QuerySet, ToAdapter}};
///
/// /// How bright the lamp on the adapter is, in percent.
/// const LAMP: Oid<u32, QuerySet, ToAdapter> = Oid::new(0xFF01_0001);
///
/// fn lamp<'r, D: Door<Asked = ToAdapter>>(
///     request: OidRequest<'r, D>,
///     brightness: &mut u32,
/// ) -> Answer<'r> {
///     if request.kind().is_query() {
///         return request.reply_to(LAMP, brightness);
///     }
///     match request.read(LAMP) {
///         Ok((new, request)) => {
///             *brightness = new.min(100);
///             request.accept(size_of_val(&new))
///         }
///         Err(answer) => answer,
///     }
/// }
/// ```
#[derive(Debug)]
pub enum QuerySet {}

/// A counter is asked for: 64 bits, of which who asks may take the low half.
///
/// ```
/// # use ndis_host as _;
/// use ndis_co::{Answer, Status, oid::{Answered, Counter, Door, Oid, OidRequest, ToAdapter}};
///
/// /// How often the lamp has blinked.
/// const BLINKS: Oid<u64, Counter, ToAdapter> = Oid::new(0xFF01_0002);
///
/// fn answer<'r, D: Door<Asked = ToAdapter>>(
///     request: OidRequest<'r, D>,
///     so_far: u64,
/// ) -> Answer<'r> {
///     request.reply_to(BLINKS, &so_far)
/// }
///
/// // Who asked has 64 bits, also when the target has only 32.
/// fn blinks(answered: &Answered<ToAdapter>) -> Result<u64, Status> {
///     answered.value(BLINKS)
/// }
/// ```
#[derive(Debug)]
pub enum Counter {}

/// Values one behind the other are asked for, as many as there are.
///
/// ```
/// # use ndis_host as _;
/// use ndis_co::{Answer, Status, oid::{Answered, Door, OidRequest, ToAdapter, known, number}};
///
/// fn answer<'r, D: Door<Asked = ToAdapter>>(request: OidRequest<'r, D>) -> Answer<'r> {
///     let answered = [number::GEN_CO_SUPPORTED_LIST, number::GEN_CO_XMIT_PDUS_OK];
///     request.reply_list(known::GEN_CO_SUPPORTED_LIST, &answered)
/// }
///
/// fn counts_what_it_sends(answered: &Answered<ToAdapter>) -> Result<bool, Status> {
///     let mut all = answered.list(known::GEN_CO_SUPPORTED_LIST)?;
///     Ok(all.any(|oid| oid == number::GEN_CO_XMIT_PDUS_OK))
/// }
/// ```
#[derive(Debug)]
pub enum List {}

/// A value is asked for, and an `I` says of what.
///
/// ```
/// # use ndis_host as _;
/// use ndis_co::{Answer, Status, oid::{Door, Oid, OidRequest, QueryWith, ToAdapter}};
///
/// /// How bright the lamp of that number is, in percent.
/// const NTH_LAMP: Oid<u32, QueryWith<u16>, ToAdapter> = Oid::new(0xFF01_0003);
///
/// fn answer<'r, D: Door<Asked = ToAdapter>>(
///     request: OidRequest<'r, D>,
///     lamps: &[u32],
/// ) -> Answer<'r> {
///     match request.read(NTH_LAMP) {
///         Ok((number, request)) => match lamps.get(usize::from(number)) {
///             Some(brightness) => request.reply_to(NTH_LAMP, brightness),
///             None => request.refuse(Status::INVALID_DATA),
///         },
///         Err(answer) => answer,
///     }
/// }
/// ```
#[derive(Debug)]
pub struct QueryWith<I>(PhantomData<fn() -> I>);

/// A method: an `I` is given, and the value comes back.
///
/// ```
/// # use ndis_host as _;
/// use ndis_co::oid::{Kind, Method, Oid, OutgoingRequest, ToAdapter};
///
/// /// Lets the lamp blink so often; comes back with how many milliseconds that takes.
/// const BLINK: Oid<u32, Method<u16>, ToAdapter> = Oid::new(0xFF01_0004);
///
/// # let _host = ndis_host::Host::builder().build();
/// let request = OutgoingRequest::method(BLINK, 0, &3)?;
/// assert_eq!(request.kind(), Kind::Method { id: 0 });
/// # Ok::<(), ndis_co::Status>(())
/// ```
#[derive(Debug)]
pub struct Method<I>(PhantomData<fn() -> I>);

macro_rules! ways {
    ($($way:ident $(<$i:ident>)? on $kind:ident: $allowed:expr;)*) => { $(
        impl$(<$i: Value>)? sealed::Sealed for $way$(<$i>)? {}
        impl$(<$i: Value>)? Way for $way$(<$i>)? {
            fn allows($kind: Kind) -> bool {
                $allowed
            }
        }
    )* };
}
ways! {
    Query on kind: kind.is_query();
    Set on kind: kind == Kind::Set;
    QuerySet on kind: !kind.is_method();
    Counter on kind: kind.is_query();
    List on kind: kind.is_query();
    QueryWith<I> on kind: kind.is_query();
    Method<I> on kind: kind.is_method();
}

macro_rules! answered {
    ($($way:ident $(<$i:ident>)?)*) => { $(
        impl<V: Value $(, $i: Value)?> Answers<V> for $way$(<$i>)? {
            fn asks(kind: Kind) -> bool {
                kind != Kind::Set && Self::allows(kind)
            }
        }
    )* };
}
answered! { Query QuerySet QueryWith<I> Method<I> }

impl Answers<u64> for Counter {
    fn asks(kind: Kind) -> bool {
        Self::allows(kind)
    }
    fn store(view: &mut View, value: &u64) -> Status {
        view.store_counter(*value)
    }
    fn load(bytes: &[u8]) -> Option<u64> {
        // A target may have counters of 32 bits, and who asks room for the half of one.
        value::read(bytes).or_else(|| value::read::<u32>(bytes).map(u64::from))
    }
}

macro_rules! carried {
    ($($way:ident $(<$i:ident>)? as $input:ty;)*) => { $(
        impl<V: Value $(, $i: Value)?> Carries<V> for $way$(<$i>)? {
            type Input = $input;
            fn brings(kind: Kind) -> bool {
                // Of a value that is asked for and given, the set.
                Self::allows(kind) && (kind == Kind::Set) == Self::allows(Kind::Set)
            }
        }
    )* };
}
carried! {
    Set as V;
    QuerySet as V;
    QueryWith<I> as I;
    Method<I> as I;
}

impl<V: Value> Asks<V> for Query {}
impl<V: Value> Asks<V> for QuerySet {}
impl Asks<u64> for Counter {}
impl<V: Value> Gives<V> for Set {}
impl<V: Value> Gives<V> for QuerySet {}

macro_rules! asked {
    ($($who:ident)*) => { $(
        impl sealed::Sealed for $who {}
        impl Asked for $who {}
    )* };
}
asked! { ToAdapter ToManager ToClient }

/// Never made: which types belong to an OID.
type Of<V, W, A> = PhantomData<fn() -> (V, W, A)>;

/// An OID: a `V` is moved the way `W` when `A` is asked.
///
/// Those that CoNDIS drivers meet are in [`known`](super::known). One of your own:
///
/// ```
/// # use ndis_host as _;
/// use ndis_co::oid::{Oid, QuerySet, ToAdapter};
///
/// /// How bright the lamp on the adapter is, in percent.
/// const LAMP: Oid<u32, QuerySet, ToAdapter> = Oid::new(0xFF01_0001);
/// assert_eq!(LAMP.number(), 0xFF01_0001);
/// ```
#[doc(alias = "NDIS_OID")]
pub struct Oid<V, W = Query, A = ToAdapter> {
    number: u32,
    _of: Of<V, W, A>,
}

impl<V, W, A> Oid<V, W, A> {
    /// Says what belongs to a number.
    #[must_use]
    pub const fn new(number: u32) -> Self {
        let _of = PhantomData;
        Self { number, _of }
    }

    /// The number.
    #[must_use]
    pub const fn number(self) -> u32 {
        self.number
    }
}

impl<V, W, A> Clone for Oid<V, W, A> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<V, W, A> Copy for Oid<V, W, A> {}

impl<V, W, A> fmt::Debug for Oid<V, W, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Oid({:#010x})", self.number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    // Defines what the crates import.
    use ndis_host as _;

    const KINDS: [Kind; 4] = [
        Kind::Query,
        Kind::Statistics,
        Kind::Set,
        Kind::Method { id: 1 },
    ];

    fn answered<V: Value, W: Answers<V>>() -> [bool; 4] {
        KINDS.map(W::asks)
    }

    fn carried<V: Value, W: Carries<V>>() -> [bool; 4] {
        KINDS.map(W::brings)
    }

    #[test]
    fn each_way_is_that_of_its_requests() {
        assert_eq!(KINDS.map(QuerySet::allows), [true, true, true, false]);
        assert_eq!(KINDS.map(List::allows), [true, true, false, false]);
        assert_eq!(answered::<u32, Query>(), [true, true, false, false]);
        assert_eq!(answered::<u32, QuerySet>(), [true, true, false, false]);
        assert_eq!(answered::<u64, Counter>(), [true, true, false, false]);
        assert_eq!(answered::<(), QueryWith<u32>>(), [true, true, false, false]);
        assert_eq!(answered::<u8, Method<u32>>(), [false, false, false, true]);
        assert_eq!(carried::<u32, Set>(), [false, false, true, false]);
        assert_eq!(carried::<u32, QuerySet>(), [false, false, true, false]);
        assert_eq!(carried::<(), QueryWith<u32>>(), [true, true, false, false]);
        assert_eq!(carried::<u8, Method<u32>>(), [false, false, false, true]);
    }
}
