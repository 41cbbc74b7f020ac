//! What miniports write into the system's error log.

use crate::cx::Cx;
use crate::export::{Call, Export};
use crate::handle::{Kind, ObjectId};
use crate::report::ErrorEntry;
use ndis_sys::NDIS_HANDLE;

const WRITE: Call = Call::new("NdisWriteErrorLogEntry");

/// Writes an entry. In C it takes any number of values; of these the first is looked at.
///
/// # Safety
///
/// None: handles may be anything, and a first value is there in a register or on the stack, which
/// is not looked at when there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn NdisWriteErrorLogEntry(
    adapter: NDIS_HANDLE,
    code: u32,
    values: u32,
    first: u32,
) {
    let cx = Cx::enter(WRITE, &[adapter]);
    cx.with(|s| {
        let Some(number) = s.take(WRITE.name, adapter.addr(), Kind::Adapter) else {
            return;
        };
        let object = ObjectId::new(Kind::Adapter, number);
        let Some(record) = s.world.adapters.get(&number) else {
            return;
        };
        let who = record.who.clone();
        let text = alloc::format!("error log: {code:#010x}");
        s.note(Some(object), &text);
        s.ledger.errors.push(ErrorEntry {
            who,
            code,
            value: (values > 0).then_some(first),
        });
    });
}

pub(crate) static EXPORTS: &[Export] = &[Export {
    name: "NdisWriteErrorLogEntry",
    address: NdisWriteErrorLogEntry as *const (),
}];
