//! What the world around the drivers may do, and which of their calls it may refuse: by cast.
//!
//! A seed chooses from these lists by place, so each cast has its own things at fixed places among
//! those of all.
#![forbid(unsafe_code)]

use crate::{Cast, act::Act};

/// Allocations that NDIS may refuse, and that are refused at random.
const ALLOCATIONS: &[&str] = &[
    "NdisAllocateIoWorkItem",
    "NdisAllocateTimerObject",
    "NdisAllocateNetBufferListPool",
    "NdisAllocateNetBufferAndNetBufferList",
    "NdisAllocateMdl",
];

/// The same of registrations and bindings.
const BEGINNINGS: &[&str] = &[
    "NdisMSetMiniportAttributes",
    "NdisSetOptionalHandlers",
    "NdisMRegisterMiniportDriver",
    "NdisRegisterProtocolDriver",
    "IoAllocateDriverObjectExtension",
    "NdisOpenAdapterEx",
];

/// The same of what a call manager that stands alone does.
const OF_MANAGER: &[&str] = &[
    "NdisCmRegisterAddressFamilyEx",
    "NdisCmNotifyCloseAddressFamily",
    "NdisCmActivateVc",
];

/// The same of what a client does.
const OF_CLIENT: &[&str] = &[
    "NdisClOpenAddressFamilyEx",
    "NdisCoCreateVc",
    "NdisClMakeCall",
    "NdisClRegisterSap",
];

/// What happens around every cast, by weight.
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
    (2, Act::HostAsk),
    (1, Act::Program),
    (1, Act::Reset),
    (1, Act::LookForHang),
];

/// What happens besides around a call manager that stands alone.
const TURNS_ALONE: &[(u32, Act)] = &[(1, Act::UnloadManager), (2, Act::LoadManagerAgain)];

/// What happens besides around drivers of both roles.
const TURNS_BOTH: &[(u32, Act)] = &[(1, Act::SendWithoutVc)];

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
    let (before, after) = match cast {
        Cast::Mcm | Cast::Joined => (&[][..], &[][..]),
        Cast::Alone => (TURNS_ALONE, &[][..]),
        Cast::Both => (&[][..], TURNS_BOTH),
    };
    let fault = &[(1, Act::FaultCall)];
    let otherwise = &[(0, Act::RunForAWhile)];
    [besides, TURNS, before, fault, after, otherwise].concat()
}

/// The calls of this cast that are refused at random.
pub(crate) fn refusable(cast: Cast) -> Vec<&'static str> {
    let (before, after) = match cast {
        Cast::Mcm => (&["NdisMCmRegisterAddressFamilyEx"][..], &[][..]),
        Cast::Joined => (&["NdisMCmRegisterAddressFamilyEx"][..], OF_MANAGER),
        Cast::Alone | Cast::Both => (&[][..], OF_MANAGER),
    };
    [ALLOCATIONS, before, BEGINNINGS, after, OF_CLIENT].concat()
}
