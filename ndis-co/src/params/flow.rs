//! [`FlowSpec`]: traffic in one direction.

use super::words;
use ndis_sys::FLOWSPEC;

/// The words of the structures, without what is variable.
pub(super) const FLOW: usize = words(size_of::<FLOWSPEC>());

/// Traffic in one direction, a `FLOWSPEC`: rates in bytes a second, sizes in
/// bytes, delays in microseconds; [`FlowSpec::UNSPECIFIED`] where nothing is
/// asked for.
///
/// ```
/// # use ndis_co::params::FlowSpec;
/// # use ndis_host as _;
/// /// 64 kbit/s, in frames of up to 1500 bytes; of the rest nothing is said.
/// const CHANNEL: FlowSpec = FlowSpec {
///     token_rate: 8_000,
///     peak_bandwidth: 8_000,
///     ..FlowSpec::best_effort(1500)
/// };
/// ```
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

    /// The words of a `FLOWSPEC`.
    pub(super) const fn to_words(self) -> [u32; FLOW] {
        [
            self.token_rate,
            self.token_bucket_size,
            self.peak_bandwidth,
            self.latency,
            self.delay_variation,
            self.service_type,
            self.max_sdu_size,
            self.minimum_policed_size,
        ]
    }

    pub(super) fn from_raw(raw: FLOWSPEC) -> Self {
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
