//! Lists, packets, clones and data starts: what they do when they are used
//! right, and which rule is named when they are not.

use crate::common;

use common::{Bench, P, SUCCESS, TAG, Twist, get, header, only, put, zeroed};
use ndis_host::{Host, Report};
use ndis_sys as n;
use ndis_sys::{MDL, NDIS_HANDLE, NET_BUFFER, NET_BUFFER_LIST};
use std::ptr::{null, null_mut};
use std::sync::atomic::Ordering::SeqCst;

/// A whole life with one frame and a twist in one of the drivers; the rules
/// that it broke, and nothing else.
fn broken(mcm: Twist, client: Twist, rules: &[&str]) -> (u32, Report) {
    let bench = Bench::new(mcm, client);
    for rule in rules {
        bench.host.expect(rule);
    }
    bench.life(1);
    assert_eq!(bench.a.shared.sent.load(SeqCst), 1, "the send came back");
    let received = bench.b.shared.received.load(SeqCst);
    let report = bench.down();
    only(&report, rules);
    assert!(report.is_clean(), "{report}");
    (received, report)
}

#[test]
fn nbl_35_two_packets_in_a_received_list() {
    let (received, report) = broken(Twist::IndicateTwoPackets, Twist::None, &["NBL-35"]);
    assert_eq!(received, 1);
    let violation = &report.expected[0];
    assert!(violation.message.contains("2 net buffers"), "{violation}");
}

#[test]
fn nbl_40_a_length_that_lies_travels_nowhere() {
    let (received, _) = broken(Twist::IndicateLyingLength, Twist::None, &["NBL-40"]);
    assert_eq!(received, 0);
    let (received, report) = broken(Twist::None, Twist::SendLyingLength, &["NBL-40"]);
    assert_eq!(received, 0);
    let message = &report.expected[0].message;
    assert!(
        message.contains("length 9 are more than the 8 bytes"),
        "{message}"
    );
}

#[test]
fn nbl_13_packets_taken_out_of_a_list() {
    assert_eq!(broken(Twist::SendRepacked, Twist::None, &["NBL-13"]).0, 1);
}

#[test]
fn nbl_41_a_start_that_was_moved_and_not_moved_back() {
    assert_eq!(broken(Twist::SendAdvanced, Twist::None, &["NBL-41"]).0, 1);
}

#[test]
fn nbl_42_the_mdls_of_received_data_freed() {
    assert_eq!(
        broken(Twist::None, Twist::ReceivedMdlsFreed, &["NBL-42"]).0,
        1
    );
}

#[test]
fn nbl_43_another_parent_in_a_list_that_comes_back() {
    assert_eq!(
        broken(Twist::SendParentChanged, Twist::None, &["NBL-43"]).0,
        1
    );
}

#[test]
fn nbl_36_a_parent_given_away_under_its_clone() {
    let rule = &["NBL-36"];
    assert_eq!(
        broken(Twist::SendCompletedUnderClone, Twist::None, rule).0,
        1
    );
    assert_eq!(broken(Twist::None, Twist::ReturnUnderClone, rule).0, 1);
    assert_eq!(broken(Twist::None, Twist::SendUnderClone, rule).0, 1);
}

/// Memory with an MDL.
struct Piece {
    mdl: *mut MDL,
    memory: *mut [u8],
}

/// What the tests below work with: pools on the adapter of a driver that is
/// up.
struct Lab {
    /// Lists with a buffer and without data; without buffers; with both.
    with_buffers: NDIS_HANDLE,
    without_buffers: NDIS_HANDLE,
    with_data: NDIS_HANDLE,
    /// Buffers without and with data.
    buffers: NDIS_HANDLE,
    full_buffers: NDIS_HANDLE,
    handle: NDIS_HANDLE,
}

impl Lab {
    fn new(handle: NDIS_HANDLE) -> Self {
        let lists = |buffers: bool, data: u32| {
            let mut pool: n::NET_BUFFER_LIST_POOL_PARAMETERS = zeroed();
            pool.Header = header(n::NDIS_OBJECT_TYPE_DEFAULT, 1, 16);
            pool.fAllocateNetBuffer = buffers.into();
            pool.DataSize = data;
            pool.PoolTag = TAG;
            // SAFETY: complete parameters.
            unsafe { n::NdisAllocateNetBufferListPool(handle, &raw const pool) }
        };
        let buffers = |data: u32| {
            let mut pool: n::NET_BUFFER_POOL_PARAMETERS = zeroed();
            pool.Header = header(n::NDIS_OBJECT_TYPE_DEFAULT, 1, 12);
            pool.DataSize = data;
            pool.PoolTag = TAG;
            // SAFETY: complete parameters.
            unsafe { n::NdisAllocateNetBufferPool(handle, &raw mut pool) }
        };
        Self {
            with_buffers: lists(true, 0),
            without_buffers: lists(false, 0),
            with_data: lists(true, 8),
            buffers: buffers(0),
            full_buffers: buffers(8),
            handle,
        }
    }

    fn close(self) {
        for pool in [self.with_buffers, self.without_buffers, self.with_data] {
            // SAFETY: made in `new`.
            unsafe { n::NdisFreeNetBufferListPool(pool) };
        }
        for pool in [self.buffers, self.full_buffers] {
            // SAFETY: as above.
            unsafe { n::NdisFreeNetBufferPool(pool) };
        }
    }

    fn piece(&self, bytes: &[u8]) -> Piece {
        let memory = Box::into_raw(bytes.to_vec().into_boxed_slice());
        let size = u32::try_from(bytes.len()).unwrap();
        // SAFETY: the memory outlives the MDL.
        let mdl = unsafe { n::NdisAllocateMdl(self.handle, memory.cast(), size) };
        Piece { mdl, memory }
    }

    /// A chain of pieces.
    fn pieces(&self, all: &[&[u8]]) -> Vec<Piece> {
        let pieces: Vec<Piece> = all.iter().map(|bytes| self.piece(bytes)).collect();
        for pair in pieces.windows(2) {
            // SAFETY: made here.
            unsafe { (*pair[0].mdl).Next = pair[1].mdl };
        }
        pieces
    }

    fn free(&self, pieces: Vec<Piece>) {
        for piece in pieces {
            // SAFETY: made in `piece`.
            unsafe { n::NdisFreeMdl(piece.mdl) };
            // SAFETY: as above.
            drop(unsafe { Box::from_raw(piece.memory) });
        }
    }

    fn buffer(&self, mdl: *mut MDL, offset: u32, length: usize) -> *mut NET_BUFFER {
        // SAFETY: a pool of this driver; what does not fit is refused.
        unsafe { n::NdisAllocateNetBuffer(self.buffers, mdl, offset, length) }
    }

    fn list(&self, mdl: *mut MDL, offset: u32, length: usize) -> *mut NET_BUFFER_LIST {
        // SAFETY: as above.
        unsafe {
            n::NdisAllocateNetBufferAndNetBufferList(
                self.with_buffers,
                0,
                0,
                mdl,
                offset,
                length as _,
            )
        }
    }

    fn clone(&self, list: *mut NET_BUFFER_LIST, flags: i32) -> *mut NET_BUFFER_LIST {
        // SAFETY: pools of this driver; the pointer is looked up.
        unsafe {
            n::NdisAllocateCloneNetBufferList(
                list,
                self.without_buffers,
                self.buffers,
                flags as u32,
            )
        }
    }
}

fn free_list(list: *mut NET_BUFFER_LIST) {
    // SAFETY: the pointer is looked up.
    unsafe { n::NdisFreeNetBufferList(list) };
}

fn free_clone(list: *mut NET_BUFFER_LIST, flags: i32) {
    // SAFETY: the pointer is looked up.
    unsafe { n::NdisFreeCloneNetBufferList(list, flags as u32) };
}

fn first(list: *mut NET_BUFFER_LIST) -> *mut NET_BUFFER {
    // SAFETY: a live list.
    get(unsafe { n::NET_BUFFER_LIST_FIRST_NB(list) })
}

/// Offset, length, and the offset in the current MDL.
fn start(buffer: *mut NET_BUFFER) -> (u32, u32, u32) {
    // SAFETY: a live buffer.
    let offset = get(unsafe { n::NET_BUFFER_DATA_OFFSET(buffer) });
    // SAFETY: as above.
    let length = get(unsafe { n::NET_BUFFER_DATA_LENGTH(buffer) });
    // SAFETY: as above.
    let current = get(unsafe { n::NET_BUFFER_CURRENT_MDL_OFFSET(buffer) });
    (offset, length, current)
}

/// The data of a buffer, by `NdisGetDataBuffer`.
fn data(buffer: *mut NET_BUFFER) -> Vec<u8> {
    let length = start(buffer).1;
    let mut storage = vec![0_u8; length as usize];
    // SAFETY: the storage has room.
    let found = unsafe { n::NdisGetDataBuffer(buffer, length, storage.as_mut_ptr().cast(), 1, 0) };
    assert!(!found.is_null());
    // SAFETY: as many bytes are there.
    unsafe { std::slice::from_raw_parts(found.cast::<u8>(), length as usize) }.to_vec()
}

fn retreat(buffer: *mut NET_BUFFER, by: u32, handler: bool) -> i32 {
    let handler = handler.then_some(allocate as unsafe extern "system" fn(_) -> _);
    // SAFETY: a live buffer.
    unsafe { n::NdisRetreatNetBufferDataStart(buffer, by, 0, handler) }
}

fn advance(buffer: *mut NET_BUFFER, by: u32, free_mdls: bool, handler: bool) {
    let handler = handler.then_some(free as unsafe extern "system" fn(_));
    // SAFETY: a live buffer.
    unsafe { n::NdisAdvanceNetBufferDataStart(buffer, by, free_mdls.into(), handler) };
}

/// `NetAllocateMdl`.
unsafe extern "system" fn allocate(size: *mut u32) -> *mut MDL {
    // SAFETY: the caller's variable.
    let size = unsafe { *size };
    let memory = Box::into_raw(vec![0_u8; size as usize].into_boxed_slice());
    // SAFETY: the memory lives until `free`. The host asks for no handle.
    unsafe { n::NdisAllocateMdl(null_mut(), memory.cast(), size) }
}

/// `NetFreeMdl`.
unsafe extern "system" fn free(mdl: *mut MDL) {
    // SAFETY: made in `allocate`.
    let memory = unsafe { (*mdl).MappedSystemVa }.cast::<u8>();
    // SAFETY: as above.
    let size = unsafe { (*mdl).ByteCount } as usize;
    // SAFETY: as above.
    unsafe { n::NdisFreeMdl(mdl) };
    // SAFETY: as above.
    drop(unsafe { Box::from_raw(std::ptr::slice_from_raw_parts_mut(memory, size)) });
}

/// Runs an experiment on an adapter that is up; it breaks these rules, each as
/// often as it is named, and leaves nothing.
fn lab(rules: &[&str], experiment: impl FnOnce(&Lab) + Send + 'static) {
    let bench = Bench::new(Twist::None, Twist::None);
    let adapter = bench.up();
    for rule in rules {
        bench.host.expect(rule);
    }
    // SAFETY: the adapter is up.
    let handle = P(unsafe { &*bench.mcm.shared.nic.load(SeqCst) }.handle);
    bench.host.spawn("lab", move || {
        let handle = handle;
        let lab = Lab::new(handle.0);
        experiment(&lab);
        lab.close();
    });
    bench.host.run();
    bench.host.remove_adapter(&adapter);
    bench.host.run();
    let report = bench.down();
    let mut found: Vec<&str> = report.expected.iter().map(|v| v.rule).collect();
    let mut wanted = rules.to_vec();
    found.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(found, wanted, "{report}");
    assert!(report.is_clean(), "{report}");
}

#[test]
fn a_clone_shows_what_its_parent_shows() {
    lab(&[], |lab| {
        for flags in [0, n::NDIS_CLONE_FLAGS_USE_ORIGINAL_MDLS] {
            let pieces = lab.pieces(&[b"ab", b"", b"cde", b"fgh"]);
            let list = lab.list(pieces[0].mdl, 1, 5);
            let second = lab.buffer(pieces[2].mdl, 3, 2);
            let empty = lab.buffer(null_mut(), 0, 0);
            // SAFETY: live buffers of this driver.
            put(unsafe { n::NET_BUFFER_NEXT_NB(first(list)) }, second);
            // SAFETY: as above.
            put(unsafe { n::NET_BUFFER_NEXT_NB(second) }, empty);
            let clone = lab.clone(list, flags);
            let mut shown = Vec::new();
            let mut at = first(clone);
            while !at.is_null() {
                assert!(![first(list), second, empty].contains(&at));
                shown.push(if start(at).1 == 0 { vec![] } else { data(at) });
                // SAFETY: a live buffer.
                at = get(unsafe { n::NET_BUFFER_NEXT_NB(at) });
            }
            assert_eq!(shown, [&b"bcdef"[..], b"fg", b""]);
            // SAFETY: a live buffer.
            let mdl = get(unsafe { n::NET_BUFFER_CURRENT_MDL(first(clone)) });
            assert_eq!(mdl == pieces[0].mdl, flags != 0);
            // A clone of a clone is a clone.
            let again = lab.clone(clone, flags);
            assert_eq!(data(first(again)), b"bcdef");
            free_clone(again, flags);
            free_clone(clone, flags);
            free_list(list);
            for buffer in [second, empty] {
                // SAFETY: in no list any more.
                unsafe { n::NdisFreeNetBuffer(buffer) };
            }
            lab.free(pieces);
        }
    });
}

#[test]
fn the_start_of_the_data_moves_over_mdls() {
    lab(&[], |lab| {
        let pieces = lab.pieces(&[b"ab", b"cd", b"ef"]);
        let buffer = lab.buffer(pieces[0].mdl, 3, 3);
        assert_eq!((start(buffer), data(buffer)), ((3, 3, 1), b"def".to_vec()));
        assert_eq!(retreat(buffer, 2, false), SUCCESS);
        assert_eq!(
            (start(buffer), data(buffer)),
            ((1, 5, 1), b"bcdef".to_vec())
        );
        // The MDLs are the driver's: nothing frees them.
        advance(buffer, 4, true, false);
        assert_eq!((start(buffer), data(buffer)), ((5, 1, 1), b"f".to_vec()));
        // SAFETY: a live buffer.
        let chain = get(unsafe { n::NET_BUFFER_FIRST_MDL(buffer) });
        assert_eq!(chain, pieces[0].mdl);
        assert_eq!(retreat(buffer, u32::MAX, false), n::NDIS_STATUS_RESOURCES);
        // SAFETY: in no list.
        unsafe { n::NdisFreeNetBuffer(buffer) };
        lab.free(pieces);
    });
}

#[test]
fn a_retreat_allocates_and_the_advance_frees() {
    for handler in [false, true] {
        lab(&[], move |lab| {
            let pieces = lab.pieces(&[b"abc"]);
            let buffer = lab.buffer(pieces[0].mdl, 1, 2);
            assert_eq!(retreat(buffer, 5, handler), SUCCESS);
            assert_eq!(start(buffer).1, 7);
            assert_eq!(data(buffer)[4..], *b"abc");
            advance(buffer, 5, true, handler);
            assert_eq!((start(buffer), data(buffer)), ((1, 2, 1), b"bc".to_vec()));
            // SAFETY: in no list.
            unsafe { n::NdisFreeNetBuffer(buffer) };
            lab.free(pieces);
        });
    }
}

#[test]
fn nbl_41_moves_that_do_not_fit_together() {
    // More than there is.
    lab(&["NBL-41"], |lab| {
        let pieces = lab.pieces(&[b"abc"]);
        let buffer = lab.buffer(pieces[0].mdl, 1, 2);
        advance(buffer, 3, false, false);
        assert_eq!(start(buffer), (1, 2, 1));
        // SAFETY: in no list.
        unsafe { n::NdisFreeNetBuffer(buffer) };
        lab.free(pieces);
    });
    // Freed with what the retreat made.
    lab(&["NBL-41"], |lab| {
        let pieces = lab.pieces(&[b"abc"]);
        let buffer = lab.buffer(pieces[0].mdl, 0, 3);
        assert_eq!(retreat(buffer, 2, false), SUCCESS);
        // SAFETY: in no list.
        unsafe { n::NdisFreeNetBuffer(buffer) };
        lab.free(pieces);
    });
    // Allocated by the one, to be freed by the other.
    for handler in [false, true] {
        lab(&["NBL-41"], move |lab| {
            let pieces = lab.pieces(&[b"abc"]);
            let buffer = lab.buffer(pieces[0].mdl, 0, 3);
            assert_eq!(retreat(buffer, 2, handler), SUCCESS);
            advance(buffer, 2, true, !handler);
            assert_eq!(retreat(buffer, 2, handler), SUCCESS);
            advance(buffer, 2, true, handler);
            // SAFETY: in no list.
            unsafe { n::NdisFreeNetBuffer(buffer) };
            lab.free(pieces);
        });
    }
}

#[test]
fn nbl_36_a_parent_freed_before_its_clones() {
    lab(&["NBL-36"], |lab| {
        let pieces = lab.pieces(&[b"abc"]);
        let list = lab.list(pieces[0].mdl, 0, 3);
        let clones = [lab.clone(list, 0), lab.clone(list, 0)];
        free_list(list);
        for clone in clones {
            assert_eq!(data(first(clone)), b"abc", "it is still there");
            free_clone(clone, 0);
        }
        lab.free(pieces);
    });
    // By the count that the driver keeps.
    lab(&["NBL-36"], |lab| {
        let list = lab.list(null_mut(), 0, 0);
        // SAFETY: a live list.
        unsafe { (*list).ChildRefCount = 1 };
        free_list(list);
    });
    // A clone that is itself a parent.
    lab(&["NBL-36"], |lab| {
        let list = lab.list(null_mut(), 0, 0);
        let clone = lab.clone(list, 0);
        let child = lab.clone(clone, 0);
        free_clone(clone, 0);
        free_clone(child, 0);
        free_clone(clone, 0);
        free_list(list);
    });
}

#[test]
fn nbl_37_clones_and_others_freed_by_the_wrong_function() {
    let original_mdls = n::NDIS_CLONE_FLAGS_USE_ORIGINAL_MDLS;
    lab(&["NBL-37", "NBL-37", "NBL-37"], move |lab| {
        let list = lab.list(null_mut(), 0, 0);
        let clone = lab.clone(list, 0);
        free_list(clone);
        free_clone(clone, original_mdls);
        free_clone(list, 0);
        free_list(list);
    });
}

#[test]
fn memory_freed_twice_or_never_allocated() {
    let memory = "HOST-MEMORY";
    lab(&[memory; 9], move |lab| {
        let pieces = lab.pieces(&[b"abc"]);
        let list = lab.list(pieces[0].mdl, 0, 3);
        let clone = lab.clone(list, 0);
        free_clone(clone, 0);
        free_clone(clone, 0);
        free_list(list);
        free_list(list);
        assert!(lab.clone(list, 0).is_null());
        assert!(lab.clone(null_mut(), 0).is_null());
        let buffer = lab.buffer(pieces[0].mdl, 0, 3);
        // SAFETY: pointers are looked up.
        unsafe { n::NdisFreeNetBuffer(buffer) };
        // SAFETY: as above.
        unsafe { n::NdisFreeNetBuffer(buffer) };
        // SAFETY: as above.
        unsafe { n::NdisAdjustNetBufferCurrentMdl(buffer) };
        assert_eq!(retreat(buffer, 1, false), n::NDIS_STATUS_INVALID_PARAMETER);
        // Allocated with its list, and goes with it.
        let list = lab.list(pieces[0].mdl, 0, 3);
        // SAFETY: as above.
        unsafe { n::NdisFreeNetBuffer(first(list)) };
        free_list(list);
        let mdl = pieces[0].mdl;
        lab.free(pieces);
        // SAFETY: as above.
        unsafe { n::NdisFreeMdl(mdl) };
    });
}

#[test]
fn nbl_39_pools_of_the_wrong_sort() {
    lab(&["NBL-39"; 4], |lab| {
        let pieces = lab.pieces(&[b"abc"]);
        let mdl = pieces[0].mdl;
        for pool in [lab.without_buffers, lab.with_data] {
            // SAFETY: pools and an MDL of this driver.
            let list = unsafe { n::NdisAllocateNetBufferAndNetBufferList(pool, 0, 0, mdl, 0, 3) };
            assert!(list.is_null());
        }
        // SAFETY: as above.
        assert!(unsafe { n::NdisAllocateNetBuffer(lab.full_buffers, mdl, 0, 3) }.is_null());
        // SAFETY: as above.
        assert!(unsafe { n::NdisAllocateNetBufferMdlAndData(lab.buffers) }.is_null());
        lab.free(pieces);
        // The right ones, for contrast.
        // SAFETY: pools of this driver.
        let list = unsafe { n::NdisAllocateNetBufferList(lab.with_data, 0, 0) };
        assert_eq!(start(first(list)), (0, 8, 0));
        free_list(list);
        // SAFETY: as above.
        let list = unsafe { n::NdisAllocateNetBufferList(lab.with_buffers, 0, 0) };
        assert_eq!(start(first(list)), (0, 0, 0));
        free_list(list);
        // SAFETY: as above.
        let list = unsafe { n::NdisAllocateNetBufferList(lab.without_buffers, 0, 0) };
        assert!(first(list).is_null());
        free_list(list);
        // SAFETY: as above.
        let buffer = unsafe { n::NdisAllocateNetBufferMdlAndData(lab.full_buffers) };
        assert_eq!(start(buffer), (0, 8, 0));
        // SAFETY: as above.
        unsafe { n::NdisFreeNetBuffer(buffer) };
    });
    // Handles that are no pools are another matter.
    lab(&["AF-27", "AF-27"], |lab| {
        let list = lab.list(null_mut(), 0, 0);
        // SAFETY: handles may be anything.
        let clone = unsafe { n::NdisAllocateCloneNetBufferList(list, lab.buffers, null_mut(), 0) };
        assert!(clone.is_null());
        // SAFETY: as above.
        let clone =
            unsafe { n::NdisAllocateCloneNetBufferList(list, null_mut(), lab.with_buffers, 0) };
        assert!(clone.is_null());
        // Without any, NDIS's own are used.
        // SAFETY: as above.
        let clone = unsafe { n::NdisAllocateCloneNetBufferList(list, null_mut(), null_mut(), 0) };
        free_clone(clone, 0);
        free_list(list);
    });
}

#[test]
fn nbl_40_data_that_is_not_there() {
    // At once.
    lab(&["NBL-40"; 4], |lab| {
        let pieces = lab.pieces(&[b"abc", b"de"]);
        let mdl = pieces[0].mdl;
        assert!(lab.buffer(mdl, 0, 6).is_null());
        assert!(lab.buffer(mdl, 6, 0).is_null());
        assert!(lab.buffer(null_mut(), 0, 1).is_null());
        assert!(lab.list(mdl, 4, 2).is_null());
        let whole = lab.buffer(mdl, 0, 5);
        assert_eq!(data(whole), b"abcde");
        // SAFETY: in no list.
        unsafe { n::NdisFreeNetBuffer(whole) };
        lab.free(pieces);
    });
    // Written later.
    let flaws: [fn(&[Piece], *mut NET_BUFFER); 6] = [
        |_, buffer| {
            // SAFETY: a live buffer, as in the others.
            put(unsafe { n::NET_BUFFER_DATA_LENGTH(buffer) }, 6);
        },
        |_, buffer| {
            // SAFETY: as above.
            put(unsafe { n::NET_BUFFER_CURRENT_MDL_OFFSET(buffer) }, 4);
        },
        |_, buffer| {
            // SAFETY: as above.
            put(unsafe { n::NET_BUFFER_DATA_OFFSET(buffer) }, 1);
        },
        |_, buffer| {
            // SAFETY: as above.
            put(unsafe { n::NET_BUFFER_CURRENT_MDL(buffer) }, null_mut());
        },
        |pieces, buffer| {
            // An MDL that is in another chain.
            // SAFETY: as above.
            put(unsafe { n::NET_BUFFER_CURRENT_MDL(buffer) }, pieces[2].mdl);
        },
        |pieces, _| {
            // In a circle.
            // SAFETY: live MDLs.
            unsafe { (*pieces[1].mdl).Next = pieces[0].mdl };
        },
    ];
    for flaw in flaws {
        lab(&["NBL-40"], move |lab| {
            let mut pieces = lab.pieces(&[b"abc", b"de"]);
            pieces.push(lab.piece(b"xyz"));
            let list = lab.list(pieces[0].mdl, 0, 4);
            flaw(&pieces, first(list));
            assert!(lab.clone(list, 0).is_null(), "it is named, not followed");
            free_list(list);
            lab.free(pieces);
        });
    }
    // A packet that is none.
    lab(&["NBL-40"], |lab| {
        let list = lab.list(null_mut(), 0, 0);
        let buffer = first(list);
        // SAFETY: a live buffer.
        put(
            unsafe { n::NET_BUFFER_NEXT_NB(buffer) },
            null::<NET_BUFFER>().wrapping_add(9).cast_mut(),
        );
        assert!(lab.clone(list, 0).is_null());
        // SAFETY: as above.
        put(unsafe { n::NET_BUFFER_NEXT_NB(buffer) }, null_mut());
        free_list(list);
    });
}

/// Clones without memory: nothing is left of the attempt.
#[test]
fn a_clone_may_fail() {
    let bench = Bench::new(Twist::None, Twist::None);
    let adapter = bench.up();
    // SAFETY: the adapter is up.
    let handle = P(unsafe { &*bench.mcm.shared.nic.load(SeqCst) }.handle);
    bench.host.spawn("lab", move || {
        let handle = handle;
        let lab = Lab::new(handle.0);
        let list = lab.list(null_mut(), 0, 0);
        free_clone(lab.clone(list, 0), 0);
        free_list(list);
        lab.close();
    });
    // The five pools, the list, and then the clone.
    bench.host.fail_allocation(7);
    bench.host.expect("HOST-MEMORY");
    bench.host.run();
    bench.host.remove_adapter(&adapter);
    let report = bench.down();
    // What it frees then is the null pointer.
    only(&report, &["HOST-MEMORY"]);
    assert!(report.is_clean(), "{report}");
}

/// An MDL whose pages are locked and have no address, as those of a user's buffer: two
/// threads that ask for it at once break KE-38, and two that ask in turn do not.
#[test]
fn ke_38_two_threads_that_map_one_mdl() {
    for (at_once, rules) in [(true, &["KE-38"][..]), (false, &[])] {
        let mut found = std::collections::BTreeSet::new();
        for seed in 0..if cfg!(miri) { 3 } else { 50 } {
            let bench = Bench::on(
                Host::builder().seed(seed).preemption(1, 2).build(),
                Twist::None,
                Twist::None,
            );
            let adapter = bench.up();
            let mdl = P(bench.a.shared.mdl.load(SeqCst));
            // SAFETY: the client's MDL, which nothing uses meanwhile.
            let flags = unsafe { &raw mut (*mdl.0).MdlFlags };
            let before = get(flags);
            put(flags, n::MDL_PAGES_LOCKED as i16);
            for _ in 0..2 {
                bench.host.spawn("mapper", move || {
                    let mdl = mdl;
                    // SAFETY: an MDL whose pages are locked.
                    let address = unsafe { n::MmGetSystemAddressForMdlSafe(mdl.0, 0) };
                    assert!(!address.is_null());
                });
                if !at_once {
                    bench.host.run();
                }
            }
            bench.host.run();
            put(flags, before);
            bench.host.remove_adapter(&adapter);
            let report = bench.down();
            found.extend(report.rules());
        }
        assert!(
            found.iter().copied().eq(rules.iter().copied()) || cfg!(miri),
            "{found:?}"
        );
    }
}
