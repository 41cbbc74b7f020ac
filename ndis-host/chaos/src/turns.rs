//! What the world around the drivers may do, and which of their calls it may refuse: by cast.
#![forbid(unsafe_code)]

use crate::{Cast, act::Act};

/// Calls that NDIS may refuse, and that are refused at random.
const REFUSABLE: &[&str] = &[
    "NdisAllocateIoWorkItem",
    "NdisAllocateTimerObject",
    "NdisAllocateNetBufferListPool",
    "NdisAllocateNetBufferAndNetBufferList",
    "NdisAllocateMdl",
    "NdisMCmRegisterAddressFamilyEx",
    "NdisMSetMiniportAttributes",
    "NdisSetOptionalHandlers",
    "NdisMRegisterMiniportDriver",
    "NdisRegisterProtocolDriver",
    "IoAllocateDriverObjectExtension",
    "NdisOpenAdapterEx",
    "NdisClOpenAddressFamilyEx",
    "NdisCoCreateVc",
    "NdisClMakeCall",
    "NdisClRegisterSap",
];

/// The same, with a call manager that stands alone.
const REFUSABLE_ALONE: &[&str] = &[
    "NdisAllocateIoWorkItem",
    "NdisAllocateTimerObject",
    "NdisAllocateNetBufferListPool",
    "NdisAllocateNetBufferAndNetBufferList",
    "NdisAllocateMdl",
    "NdisMSetMiniportAttributes",
    "NdisSetOptionalHandlers",
    "NdisMRegisterMiniportDriver",
    "NdisRegisterProtocolDriver",
    "IoAllocateDriverObjectExtension",
    "NdisOpenAdapterEx",
    "NdisCmRegisterAddressFamilyEx",
    "NdisCmNotifyCloseAddressFamily",
    "NdisCmActivateVc",
    "NdisClOpenAddressFamilyEx",
    "NdisCoCreateVc",
    "NdisClMakeCall",
    "NdisClRegisterSap",
];

/// What happens around a miniport call manager, by weight.
const TURNS: &[(u32, Act)] = &[
    (6, Act::RunForAWhile),
    (2, Act::RunToIdle),
    (2, Act::Pause),
    (2, Act::Restart),
    (1, Act::Remove),
    (1, Act::SurpriseRemove),
    (1, Act::AddAdapter),
    (1, Act::UnloadClient),
    (2, Act::LoadClientAgain),
    (1, Act::FaultCall),
    (0, Act::RunForAWhile),
];

/// What happens around a call manager that stands alone.
const TURNS_ALONE: &[(u32, Act)] = &[
    (6, Act::RunForAWhile),
    (2, Act::RunToIdle),
    (2, Act::Pause),
    (2, Act::Restart),
    (1, Act::Remove),
    (1, Act::SurpriseRemove),
    (1, Act::AddAdapter),
    (1, Act::UnloadClient),
    (2, Act::LoadClientAgain),
    (1, Act::UnloadManager),
    (2, Act::LoadManagerAgain),
    (1, Act::FaultCall),
    (0, Act::RunForAWhile),
];

/// What happens around drivers of both roles.
const TURNS_BOTH: &[(u32, Act)] = &[
    (6, Act::RunForAWhile),
    (2, Act::RunToIdle),
    (2, Act::Pause),
    (2, Act::Restart),
    (1, Act::Remove),
    (1, Act::SurpriseRemove),
    (1, Act::AddAdapter),
    (1, Act::UnloadClient),
    (2, Act::LoadClientAgain),
    (1, Act::FaultCall),
    (1, Act::AskOid),
    (1, Act::SendWithoutVc),
    (0, Act::RunForAWhile),
];

/// What happens besides when devices lose their power.
const TURNS_POWER: &[(u32, Act)] = &[
    (3, Act::PowerDown),
    (2, Act::PowerUp),
    (1, Act::RemoveAsleep),
    (2, Act::FaultDelete),
];

/// What happens around this cast, by weight; with what happens when devices lose their power.
pub(crate) fn of(cast: Cast, power: bool) -> Vec<(u32, Act)> {
    let besides = if power { TURNS_POWER } else { &[] };
    let turns = match cast {
        Cast::Mcm => TURNS,
        Cast::Alone => TURNS_ALONE,
        Cast::Both => TURNS_BOTH,
    };
    [besides, turns].concat()
}

/// The calls of this cast that are refused at random.
pub(crate) fn refusable(cast: Cast) -> &'static [&'static str] {
    match cast {
        Cast::Mcm => REFUSABLE,
        Cast::Alone | Cast::Both => REFUSABLE_ALONE,
    }
}
