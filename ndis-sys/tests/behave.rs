//! What the hand-made macros do, on memory that looks like NDIS' own. The
//! expected words are worked out from the bit positions in the header.
//!
//! What they call is defined here, so it must not be imported from Windows.

#![cfg(any(not(windows), feature = "host"))]

use core::mem::MaybeUninit;
use core::ptr::{self, null_mut};

use ndis_sys::*;

fn nbl() -> NET_BUFFER_LIST {
    zeroed()
}

fn word(list: *mut NET_BUFFER_LIST, id: i32) -> usize {
    // SAFETY: the list is a local of the caller.
    let place = unsafe { NET_BUFFER_LIST_INFO(list, id) };
    // SAFETY: the place is inside of it.
    unsafe { place.read() }.addr()
}

#[test]
fn accessors_reach_the_members() {
    let mut list = nbl();
    let mut other = nbl();
    let mut buffer: NET_BUFFER = zeroed();
    let (l, o, b) = (&raw mut list, &raw mut other, &raw mut buffer);
    // SAFETY: all three are locals, used through these pointers only.
    #[allow(clippy::multiple_unsafe_ops_per_block)]
    unsafe {
        *NET_BUFFER_LIST_NEXT_NBL(l) = o;
        *NET_BUFFER_LIST_FIRST_NB(l) = b;
        *NET_BUFFER_LIST_STATUS(l) = NDIS_STATUS_RESOURCES;
        *NET_BUFFER_LIST_MINIPORT_RESERVED(l).add(1) = b.cast();
        *NET_BUFFER_DATA_LENGTH(b) = 1500;
        *NET_BUFFER_DATA_OFFSET(b) = 40;
        *NET_BUFFER_CURRENT_MDL_OFFSET(b) = 8;
        assert_eq!((*l).u.s.Next, o);
        assert_eq!((*l).u.s.FirstNetBuffer, b);
        assert_eq!((*l).u2.Status, NDIS_STATUS_RESOURCES);
        assert_eq!((*l).MiniportReserved, [null_mut(), b.cast()]);
        assert_eq!((*b).u.s.u.stDataLength, 1500);
        assert_eq!((*b).u.s.DataOffset, 40);
        assert_eq!((*b).u.s.CurrentMdlOffset, 8);
    }
}

#[test]
fn flags_of_a_list() {
    let mut list = nbl();
    let l = &raw mut list;
    // SAFETY: a local, used through this pointer only.
    #[allow(clippy::multiple_unsafe_ops_per_block)]
    unsafe {
        NBL_SET_FLAG(l, 0b1010);
        assert!(NBL_TEST_FLAG(l, 0b0110));
        assert!(!NBL_TEST_FLAG(l, 0b0101));
        NBL_CLEAR_FLAG(l, 0b1000);
        assert_eq!((*l).Flags, 0b0010);
        // Only the bits that are a protocol's can be set this way.
        NBL_SET_PROTOCOL_RSVD_FLAG(l, !0);
        assert_eq!((*l).Flags, 0b0010 | NBL_FLAGS_PROTOCOL_RESERVED);
        NBL_CLEAR_PROTOCOL_RSVD_FLAG(l, !0);
        assert_eq!((*l).Flags, 0b0010 & !NBL_FLAGS_PROTOCOL_RESERVED);
        NdisSetNblFlag(l, 0b11);
        assert!(NdisTestNblFlag(l, 0b101));
        assert!(!NdisTestNblFlags(l, 0b101));
        NdisClearNblFlag(l, 0b01);
        assert_eq!((*l).NblFlags, 0b10);
    }
}

#[test]
fn flags_of_calls() {
    let mut flags = 0;
    NDIS_SET_RECEIVE_FLAG(&mut flags, NDIS_RECEIVE_FLAGS_DISPATCH_LEVEL as u32);
    assert!(NDIS_TEST_RECEIVE_AT_DISPATCH_LEVEL(flags));
    assert!(NDIS_TEST_RECEIVE_CAN_PEND(flags) && !NDIS_TEST_RECEIVE_CANNOT_PEND(flags));
    NDIS_SET_RECEIVE_FLAG(&mut flags, NDIS_RECEIVE_FLAGS_RESOURCES as u32);
    assert!(!NDIS_TEST_RECEIVE_CAN_PEND(flags) && NDIS_TEST_RECEIVE_CANNOT_PEND(flags));
    assert!(!NDIS_TEST_SEND_FLAG(0b001, 0b011));
}

#[test]
fn out_of_band_words() {
    let mut list = nbl();
    let l = &raw mut list;
    // SAFETY: a local, used through this pointer only.
    #[allow(clippy::multiple_unsafe_ops_per_block)]
    unsafe {
        *NET_BUFFER_LIST_INFO(l, Ieee8021QNetBufferListInfo) = ptr::without_provenance_mut(0b101);
        NDIS_SET_NET_BUFFER_LIST_VLAN_ID(l, 0xABC);
        // Priority in bits 0 to 2, the VLAN in bits 4 to 15.
        assert_eq!(word(l, Ieee8021QNetBufferListInfo), 0xABC5);
        assert_eq!(NDIS_GET_NET_BUFFER_LIST_VLAN_ID(l), 0xABC);

        NET_BUFFER_LIST_SET_HASH_TYPE(l, NDIS_HASH_IPV4 as u32);
        NET_BUFFER_LIST_SET_HASH_FUNCTION(l, NdisHashFunctionToeplitz as u32);
        NET_BUFFER_LIST_SET_HASH_VALUE(l, 0xDEAD_BEEF);
        assert_eq!(NET_BUFFER_LIST_GET_HASH_TYPE(l), NDIS_HASH_IPV4 as u32);
        assert_eq!(
            NET_BUFFER_LIST_GET_HASH_FUNCTION(l),
            NdisHashFunctionToeplitz as u32
        );
        assert_eq!(NET_BUFFER_LIST_GET_HASH_VALUE(l), 0xDEAD_BEEF);

        NDIS_SET_NET_BUFFER_LIST_CANCEL_ID(l, ptr::without_provenance_mut(77));
        assert_eq!((*NDIS_GET_NET_BUFFER_LIST_CANCEL_ID(l)).addr(), 77);
        assert_eq!(word(l, NetBufferListCancelId), 77);

        NdisSetNetBufferListProtocolId(l, 6);
        assert_eq!(word(l, NetBufferListProtocolId), 6);

        let stamp = NET_BUFFER_LIST_TIMESTAMP {
            Timestamp: 0x1122_3344_5566_7788,
        };
        NdisSetNblTimestampInfo(l, &stamp);
        let mut copy = nbl();
        NdisCopyNblTimestampInfo(&mut copy, l);
        let mut read = NET_BUFFER_LIST_TIMESTAMP { Timestamp: 0 };
        NdisGetNblTimestampInfo(&copy, &mut read);
        assert_eq!(read.Timestamp, stamp.Timestamp);
    }
}

#[test]
fn media_specific_information_is_a_list() {
    let mut list = nbl();
    let l = &raw mut list;
    let mut first: NDIS_NBL_MEDIA_SPECIFIC_INFORMATION_EX = zeroed();
    let mut second: NDIS_NBL_MEDIA_SPECIFIC_INFORMATION_EX = zeroed();
    first.Tag = 1;
    second.Tag = 2;
    let (a, b) = (&raw mut first, &raw mut second);
    // SAFETY: locals, used through these pointers only.
    #[allow(clippy::multiple_unsafe_ops_per_block)]
    unsafe {
        NDIS_NBL_ADD_MEDIA_SPECIFIC_INFO_EX(l, a);
        NDIS_NBL_ADD_MEDIA_SPECIFIC_INFO_EX(l, b);
        assert_eq!(NDIS_NBL_GET_MEDIA_SPECIFIC_INFO_EX(l, 1), a);
        assert_eq!(NDIS_NBL_GET_MEDIA_SPECIFIC_INFO_EX(l, 3), null_mut());
        NDIS_NBL_REMOVE_MEDIA_SPECIFIC_INFO_EX(l, a);
        assert_eq!(NDIS_NBL_GET_MEDIA_SPECIFIC_INFO_EX(l, 1), null_mut());
        assert_eq!(NDIS_NBL_GET_MEDIA_SPECIFIC_INFO_EX(l, 2), b);
        NDIS_NBL_REMOVE_MEDIA_SPECIFIC_INFO_EX(l, b);
        assert_eq!(word(l, MediaSpecificInformationEx), 0);
    }
}

#[test]
fn mdl_spans() {
    let pages = |offset: u32, bytes: u32| {
        let mut mdl: MDL = zeroed();
        mdl.StartVa = ptr::without_provenance_mut(0x10000);
        mdl.ByteOffset = offset;
        mdl.ByteCount = bytes;
        // SAFETY: a local; the memory that it describes is not touched.
        unsafe { NDIS_MDL_TO_SPAN_PAGES(&mdl) }
    };
    assert_eq!(pages(0, 0), 1);
    assert_eq!(pages(0, 4096), 1);
    assert_eq!(pages(1, 4096), 2);
    assert_eq!(pages(4095, 2), 2);
    assert_eq!(pages(100, 3 * 4096), 4);
}

#[test]
fn mapped_memory_is_found_without_a_call() {
    let mut mdl: MDL = zeroed();
    let mut bytes = [0u8; 4];
    mdl.MdlFlags = MDL_SOURCE_IS_NONPAGED_POOL as i16;
    mdl.MappedSystemVa = bytes.as_mut_ptr().cast();
    mdl.ByteCount = 4;
    let (mut address, mut length) = (null_mut(), 0);
    // SAFETY: the MDL says that the memory is mapped.
    unsafe { NdisQueryMdl(&mut mdl, &mut address, &mut length, 0) };
    assert_eq!((address, length), (bytes.as_mut_ptr().cast(), 4));
}

#[test]
fn what_follows_a_structure() {
    #[repr(C)]
    struct Buffer {
        info: NDIS_SWITCH_PORT_PROPERTY_ENUM_INFO,
        property: [u8; 16],
        next: NDIS_SWITCH_PORT_PROPERTY_ENUM_INFO,
    }
    let mut buffer = MaybeUninit::<Buffer>::zeroed();
    let b = buffer.as_mut_ptr();
    // SAFETY: a local of integers, used through this pointer only.
    #[allow(clippy::multiple_unsafe_ops_per_block)]
    unsafe {
        let info = &raw mut (*b).info;
        (*info).QwordAlignedPropertyBufferLength = 16;
        (*info).PropertyBufferOffset = core::mem::offset_of!(Buffer, property) as u32;
        let info = b.cast::<NDIS_SWITCH_PORT_PROPERTY_ENUM_INFO>();
        assert_eq!(
            NDIS_SWITCH_PORT_PROPERTY_ENUM_INFO_GET_PROPERTY(info).cast(),
            &raw mut (*b).property
        );
        assert_eq!(
            NDIS_SWITCH_PORT_PROPERTY_ENUM_INFO_GET_NEXT(info),
            &raw mut (*b).next
        );
    }
}

#[test]
fn numbers() {
    assert_eq!(
        _NDIS_CONTROL_CODE(0, METHOD_OUT_DIRECT as u32),
        IOCTL_NDIS_QUERY_GLOBAL_STATS as u32
    );
    assert_eq!(NDIS_MAKE_RID(1, 2, 3), 0x0001_0203);
    assert_eq!(AFFINITY_MASK(5), 32);
    assert_eq!(NDIS_NDK_PERFORMANCE_COUNTER_MASK!(ConnectFailure), 4);
    assert_eq!(NDIS_SWITCH_CREATE_PROPERTY_VERSION(1, 2), 0x102);
    assert!(NT_SUCCESS(NDIS_STATUS_PENDING) && NT_ERROR(NDIS_STATUS_FAILURE));
    let mut luid: NET_LUID = zeroed();
    NDIS_MAKE_NET_LUID(&mut luid, 6, 0x8001);
    // SAFETY: every pattern is a value of the integer.
    assert_eq!(unsafe { luid.Value }, 6 << 48 | 0x8001 << 24);
    let address = NDIS_PHYSICAL_ADDRESS_CONST(0x9000_0000, 1);
    // SAFETY: every pattern is a value of the integer.
    assert_eq!(unsafe { address.QuadPart }, 0x1_9000_0000);
    assert_eq!(DD_NDIS_DEVICE_NAME.len(), 13);
    assert_eq!(
        String::from_utf16_lossy(DD_NDIS_DEVICE_NAME),
        "\\Device\\NDIS\0"
    );
}

#[test]
fn memory() {
    let mut bytes = [0u8; 8];
    let p = bytes.as_mut_ptr();
    let mut word = 0;
    // SAFETY: a local, used through this pointer only.
    #[allow(clippy::multiple_unsafe_ops_per_block)]
    unsafe {
        NdisFillMemory(p.cast(), 8, 0xEE);
        NdisStoreUlong(p.add(1).cast(), 0x0403_0201);
        NdisRetrieveUlong(&mut word, p.add(1).cast());
        NdisZeroMemory(p.add(6).cast(), 2);
        assert!(NdisEqualMemory(
            p.cast(),
            [0xEEu8, 1, 2, 3, 4, 0xEE, 0, 0].as_ptr().cast(),
            8
        ));
        NdisMoveMemory(p.cast(), p.add(4).cast(), 4);
    }
    assert_eq!(word, 0x0403_0201);
    assert_eq!(bytes, [4, 0xEE, 0, 0, 4, 0xEE, 0, 0]);
}

/// The functions that some macros call: this program is their kernel.
mod kernel {
    use std::sync::Mutex;

    use super::*;

    static LOG: Mutex<Vec<String>> = Mutex::new(Vec::new());

    fn log(line: String) {
        LOG.lock().unwrap().push(line);
    }

    #[unsafe(no_mangle)]
    extern "system" fn KeAcquireSpinLockRaiseToDpc(_lock: PKSPIN_LOCK) -> KIRQL {
        log("acquire".into());
        1
    }

    #[unsafe(no_mangle)]
    extern "system" fn KeReleaseSpinLock(_lock: PKSPIN_LOCK, irql: KIRQL) {
        log(format!("release to {irql}"));
    }

    #[unsafe(no_mangle)]
    extern "system" fn NdisCmMakeCallComplete(
        status: NDIS_STATUS,
        vc: NDIS_HANDLE,
        party: NDIS_HANDLE,
        context: NDIS_HANDLE,
        parameters: PCO_CALL_PARAMETERS,
    ) {
        let [vc, party, context] = [vc, party, context].map(|h| h.addr());
        log(format!(
            "{status} {vc} {party} {context} {}",
            parameters.addr()
        ));
    }

    #[unsafe(no_mangle)]
    extern "system" fn ExpInterlockedPopEntrySList(_list: PSLIST_HEADER) -> PSLIST_ENTRY {
        null_mut()
    }

    #[unsafe(no_mangle)]
    extern "system" fn ExpInterlockedPushEntrySList(
        _list: PSLIST_HEADER,
        _entry: PSLIST_ENTRY,
    ) -> PSLIST_ENTRY {
        log("push".into());
        null_mut()
    }

    #[unsafe(no_mangle)]
    extern "system" fn MmMapLockedPagesSpecifyCache(
        _mdl: PMDL,
        mode: KPROCESSOR_MODE,
        cache: MEMORY_CACHING_TYPE,
        _address: PVOID,
        stop: ULONG,
        priority: ULONG,
    ) -> PVOID {
        log(format!("map {mode} {cache} {stop} {priority:#x}"));
        null_mut()
    }

    unsafe extern "system" fn allocate(ty: POOL_TYPE, size: SIZE_T, tag: ULONG) -> PVOID {
        log(format!("allocate {ty} {size} {tag}"));
        ptr::without_provenance_mut(0x4000)
    }

    unsafe extern "system" fn free(entry: PVOID) {
        log(format!("free {}", entry.addr()));
    }

    #[test]
    fn calls_reach_the_kernel_with_their_arguments() {
        let mut lock: NDIS_SPIN_LOCK = zeroed();
        let mut list: NPAGED_LOOKASIDE_LIST = zeroed();
        let handle = ptr::without_provenance_mut::<c_void>;
        // SAFETY: locals, and the functions above take anything.
        #[allow(clippy::multiple_unsafe_ops_per_block)]
        unsafe {
            NdisAllocateSpinLock(&mut lock);
            NdisAcquireSpinLock(&mut lock);
            NdisReleaseSpinLock(&mut lock);
            NdisMCmMakeCallComplete(
                5,
                handle(1),
                handle(2),
                handle(3),
                ptr::without_provenance_mut(4),
            );
            let general = (&raw mut list).cast::<GENERAL_LOOKASIDE>();
            (*general).Type = NonPagedPoolNx;
            (*general).Size = 48;
            (*general).Tag = 7;
            (*general).u4.Allocate = Some(allocate);
            (*general).u5.Free = Some(free);
            let entry = NdisAllocateFromNPagedLookasideList(&mut list);
            // It keeps none (its depth is 0), so the entry is freed.
            NdisFreeToNPagedLookasideList(&mut list, entry);
            assert_eq!((*general).TotalAllocates, 1);
            assert_eq!((*general).u3.FreeMisses, 1);
            (*general).Depth = 1;
            NdisFreeToNPagedLookasideList(&mut list, entry);
            let mut mdl: MDL = zeroed();
            let (mut address, mut length) = (entry, 0);
            NdisQueryMdl(
                &mut mdl,
                &mut address,
                &mut length,
                NormalPagePriority as ULONG,
            );
            assert!(address.is_null());
            // What only reads: no right to write, and guard pages around.
            let flags = MdlMappingNoWrite | MdlMappingWithGuardPtes as ULONG;
            let mapped = MmGetSystemAddressForMdlSafe(
                &mut mdl,
                NormalPagePriority as ULONG | MdlMappingNoExecute as ULONG | flags,
            );
            assert!(mapped.is_null());
        }
        assert_eq!(
            *LOG.lock().unwrap(),
            [
                "acquire",
                "release to 1",
                "5 1 2 3 4",
                "allocate 512 48 7",
                "free 16384",
                "push",
                // Kernel mode, cached, no bug check, not executable.
                "map 0 1 0 0x40000010",
                "map 0 1 0 0xe0000010"
            ]
        );
    }
}
