//! [`Monitor`]: the control device of an adapter, by which programs see its calls.
//!
//! It is called `NullModem` and the adapter's prefix: `\\.\NullModem1`. [`LIST`] gives the number of
//! calls, four bytes, little-endian, and behind it a [record](CallRecord) of each, as many as there
//! is room for.

use crate::{
    NullModem,
    calls::Calls,
    number::{MAX_PREFIX, Prefix},
};
use ndis_co::{
    Answer, Status,
    irql::{NoLock, Passive, UpToDispatch},
};
use ndis_mcm::{
    device::{Access, Control, ControlCode, ControlDevice, Device, DeviceAttributes},
    wan::{Call, Declared, Direction},
};

/// Lists the calls of the adapter.
pub const LIST: ControlCode = ControlCode::new::<0x800>(Access::Read);

/// What the name of a device begins with.
const NAME: &str = "NullModem";

/// The bytes of the number in front of the records.
const COUNT: usize = 4;

/// What is known of one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallRecord {
    /// The number of its line.
    pub line: u32,
    /// The number of its address on the line.
    pub address: u32,
    /// Whether it was dialled on this adapter.
    pub is_outgoing: bool,
    /// Whether data may flow.
    pub is_connected: bool,
    /// Bits a second.
    pub speed: u32,
    /// Frames that were sent.
    pub frames_sent: u32,
    /// Frames that were received.
    pub frames_received: u32,
    /// Frames that came and could not be received.
    pub frames_lost: u32,
}

impl CallRecord {
    /// Its bytes.
    pub const LEN: usize = 32;

    /// The records that a program has got, and of how many calls there would be.
    #[must_use]
    pub fn list(reply: &[u8]) -> Option<(u32, impl Iterator<Item = Self> + '_)> {
        let (count, records) = reply.split_first_chunk()?;
        let records = records.chunks_exact(Self::LEN).filter_map(Self::read);
        Some((u32::from_le_bytes(*count), records))
    }

    fn of(call: &Call<NullModem>) -> Self {
        let (params, seen) = (call.params(), call.statistics());
        Self {
            line: call.line(),
            address: call.address(),
            is_outgoing: call.direction() == Direction::Outgoing,
            is_connected: call.is_connected(),
            speed: u32::try_from(params.speeds.transmit()).unwrap_or(u32::MAX),
            frames_sent: seen.frames_sent,
            frames_received: seen.frames_received,
            frames_lost: seen.buffer_overrun_errors,
        }
    }

    fn write(&self, bytes: &mut [u8]) {
        let members = [
            self.line,
            self.address,
            self.is_outgoing.into(),
            self.is_connected.into(),
            self.speed,
            self.frames_sent,
            self.frames_received,
            self.frames_lost,
        ];
        for (to, from) in bytes
            .iter_mut()
            .zip(members.map(u32::to_le_bytes).as_flattened())
        {
            *to = *from;
        }
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (members, []) = bytes.as_chunks() else {
            return None;
        };
        let mut members = members.iter().map(|member| u32::from_le_bytes(*member));
        Some(Self {
            line: members.next()?,
            address: members.next()?,
            is_outgoing: members.next()? != 0,
            is_connected: members.next()? != 0,
            speed: members.next()?,
            frames_sent: members.next()?,
            frames_received: members.next()?,
            frames_lost: members.next()?,
        })
    }
}

/// What programs open.
#[derive(Debug)]
pub struct Monitor {
    calls: Calls,
}

impl Monitor {
    /// The device of an adapter that is being initialized, with this prefix and these calls.
    pub(crate) fn register(
        adapter: &Declared<'_, NullModem>,
        prefix: Prefix,
        calls: Calls,
        irql: &mut Passive,
    ) -> Result<Device<Self>, Status> {
        let (bytes, len) = name(prefix);
        let name = core::str::from_utf8(bytes.get(..len).unwrap_or_default());
        let attributes = DeviceAttributes::new(name.unwrap_or_default());
        Device::register(adapter, &attributes, Self { calls }, irql)
    }

    /// Writes as many records as there is room for; answers how many bytes that is, and how many
    /// calls there are.
    fn write(&self, room: &mut [u8], irql: &mut UpToDispatch) -> (usize, u32) {
        let (mut used, mut count) = (0_usize, 0_u32);
        let mut records = room.chunks_exact_mut(CallRecord::LEN);
        self.calls.each(irql, |call, _| {
            count = count.saturating_add(1);
            if let Some(record) = records.next() {
                CallRecord::of(call).write(record);
                used = used.saturating_add(CallRecord::LEN);
            }
        });
        (used, count)
    }
}

impl ControlDevice for Monitor {
    type File = ();

    fn open(&self, _irql: &mut Passive) -> Result<(), Status> {
        Ok(())
    }

    fn device_control<'r>(
        &self,
        _file: &(),
        request: Control<'r>,
        irql: &mut Passive,
    ) -> Answer<'r> {
        if request.code() != LIST {
            return request.not_supported();
        }
        request.reply_in_place(|room| {
            let Some((number, records)) = room.split_first_chunk_mut() else {
                // More than there is room for: the program is told so.
                return Ok(COUNT);
            };
            let (used, count) = self.write(records, irql.up_to_dispatch());
            *number = count.to_le_bytes();
            Ok(used.saturating_add(COUNT))
        })
    }
}

/// The name of an adapter's device, and its length.
fn name(prefix: Prefix) -> ([u8; NAME.len() + MAX_PREFIX], usize) {
    let mut bytes = [0; NAME.len() + MAX_PREFIX];
    let name = NAME.bytes().chain(prefix.as_str().bytes());
    let mut len = 0_usize;
    for (to, from) in bytes.iter_mut().zip(name) {
        *to = from;
        len = len.saturating_add(1);
    }
    (bytes, len)
}
