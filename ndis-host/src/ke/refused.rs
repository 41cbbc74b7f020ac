//! Functions of the kernel that the host does not have, and that nobody else may
//! answer for it.
//!
//! A driver in an image gets the imports that the host lacks from the loader. For
//! what only computes, strings and memory, that is as good. But what waits, and
//! what has to do with threads, objects, the IRQL or DPCs, knows nothing of the
//! host's threads and time: it would wait for what never comes, or let two tasks
//! run at once. Such a function is refused instead, with its name.

use crate::cx::Cx;
use crate::export::Call;
use crate::exported::exported;
use crate::platform::Lock;
use crate::rules;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

/// How names begin that are the scheduler's, the executive's, or the object manager's.
const BEGINS: [&str; 6] = ["Ke", "Kf", "Kz", "Ex", "Ob", "Ps"];
/// System services and functions of the I/O manager are refused when they have to
/// do with one of these.
const SERVICES: [&str; 10] = [
    "Event",
    "Timer",
    "Thread",
    "Wait",
    "Delay",
    "Yield",
    "Semaphore",
    "Mutant",
    "RemoveLock",
    "WorkItem",
];

/// What begins like that and only computes, or asks the machine.
const HARMLESS: [&str; 29] = [
    "ExGetPreviousMode",
    "ExInterlockedFlushSList",
    "ExInterlockedPopEntrySList",
    "ExInterlockedPushEntrySList",
    "ExIsProcessorFeaturePresent",
    "ExLocalTimeToSystemTime",
    "ExQueryDepthSList",
    "ExRaiseAccessViolation",
    "ExRaiseDatatypeMisalignment",
    "ExRaiseStatus",
    "ExSystemTimeToLocalTime",
    "ExUuidCreate",
    "ExVerifySuite",
    "ExpInterlockedFlushSList",
    "ExpInterlockedPopEntrySList",
    "ExpInterlockedPushEntrySList",
    "KeBugCheck",
    "KeFlushIoBuffers",
    "KeFlushWriteBuffer",
    "KeGetRecommendedSharedDataAlignment",
    "KeRestoreExtendedProcessorState",
    "KeRestoreFloatingPointState",
    "KeSaveExtendedProcessorState",
    "KeSaveFloatingPointState",
    "PsGetCurrentProcess",
    "PsGetCurrentProcessId",
    "PsGetProcessId",
    "PsGetVersion",
    "PsIsSystemThread",
];
/// Variables. A reference to one cannot be refused.
const VARIABLES: [&str; 8] = [
    "KeI386MachineType",
    "KeLastBranchMSR",
    "KeLoaderBlock",
    "KeNumberProcessors",
    "KeServiceDescriptorTable",
    "KeTickCount",
    "PsInitialSystemProcess",
    "PsJobType",
];

fn is_refused(name: &str) -> bool {
    if HARMLESS.contains(&name)
        || VARIABLES.contains(&name)
        || name.ends_with("ObjectType")
        || name.ends_with("ProcessType")
        || name.ends_with("ThreadType")
    {
        return false;
    }
    if BEGINS.iter().any(|begin| name.starts_with(begin)) {
        return true;
    }
    let service = ["Zw", "Nt", "Io"]
        .iter()
        .any(|begin| name.starts_with(begin));
    service && SERVICES.iter().any(|word| name.contains(word))
}

const NOT_IMPLEMENTED: usize = 0xC000_0002;

/// What a refused function gives: a failure where it gives a status, and else
/// nothing.
fn answer(name: &str) -> usize {
    const STATUS: [&str; 9] = [
        "Zw",
        "Nt",
        "Ob",
        "Ps",
        "KeWaitFor",
        "ExInitializeResource",
        "ExDeleteResource",
        "ExCreateCallback",
        "IoAcquireRemoveLock",
    ];
    let value = name.starts_with("PsGet") || name.starts_with("PsIs");
    if !value && STATUS.iter().any(|begin| name.starts_with(begin)) {
        NOT_IMPLEMENTED
    } else {
        0
    }
}

/// The functions that were asked for, each at the place of its stub.
static NAMES: Lock<Vec<&'static str>> = Lock::new(Vec::new());

extern "system" fn stub<const PLACE: usize>() -> usize {
    let name = NAMES.lock().get(PLACE).copied().unwrap_or("?");
    let cx = Cx::enter(Call::new(name).silent(), &[]);
    cx.with(|s| {
        let message = alloc::format!("{name} is not simulated");
        s.violate(rules::NOT_SIMULATED, None, message);
    });
    answer(name)
}

macro_rules! stubs {
    ($($place:literal)*) => { [$(stub::<$place>),*] };
}

static STUBS: [extern "system" fn() -> usize; 64] = stubs! {
    0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31
    32 33 34 35 36 37 38 39 40 41 42 43 44 45 46 47 48 49 50 51 52 53 54 55 56 57 58 59 60 61 62 63
};

/// What an import of this name from the kernel is set to when the host lacks it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// It only computes: whoever loads the image may answer it.
    Harmless,
    /// A function at this address, which reports `HOST-NOT-SIMULATED` with the name.
    Refused(usize),
    /// It should be refused, and the host has no functions left for that.
    TooMany,
}

/// How an import from the kernel is answered that is none of
/// [`exported`](crate::exported).
///
/// On x86, where the one that is called takes its parameters off the stack, no
/// function can stand for others.
#[must_use]
pub fn refusal(name: &str) -> Refusal {
    if !is_refused(name) || exported().any(|(own, _)| own == name) {
        return Refusal::Harmless;
    }
    if cfg!(target_arch = "x86") {
        return Refusal::TooMany;
    }
    let mut names = NAMES.lock();
    let place = names.iter().position(|known| *known == name);
    let place = place.unwrap_or(names.len());
    if place == names.len() && place < STUBS.len() {
        // It stays: an import may be called as long as the process lives.
        names.push(Box::leak(String::from(name).into_boxed_str()));
    }
    match STUBS.get(place) {
        Some(stub) => Refusal::Refused((*stub as *const ()).addr()),
        None => Refusal::TooMany,
    }
}
