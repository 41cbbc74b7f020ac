//! The data path of the raw connection-oriented miniport.

use super::super::mcm::next_of;
use super::super::{SUCCESS, get, put};
use super::{Flaw, MAX_FRAME, Nic, Shared, Vc, at, indicate, ndis, set_status};
use ndis_sys as n;
use ndis_sys::{NDIS_HANDLE, NET_BUFFER_LIST};
use std::ptr::null_mut;
use std::sync::atomic::Ordering::SeqCst;

/// Something of a VC's is over.
pub(super) fn release(nic: &Nic, vc: *mut Vc) {
    let (closed, paused) = {
        let vcs = nic.shared.vcs.lock().unwrap();
        if vcs.iter().all(|one| one.0 != vc) {
            // Deleted too early, which is what is tested.
            return;
        }
        let this = at(vc);
        let last = this.busy.fetch_sub(1, SeqCst) == 1;
        let closed = last && this.closing.swap(0, SeqCst) == 1;
        // A sender may be of another adapter.
        let nic = at(this.nic);
        let idle = vcs.iter().all(|vc| !nic.is_busy_with(vc.0));
        let paused = if idle {
            nic.pausing.swap(null_mut(), SeqCst)
        } else {
            null_mut()
        };
        (closed.then_some(this.handle), paused)
    };
    if let Some(handle) = closed {
        ndis!(NdisMCoDeactivateVcComplete(SUCCESS, handle));
    }
    if !paused.is_null() {
        ndis!(NdisMPauseComplete(paused));
    }
}

/// The other end of a VC, held.
fn other_end(shared: &Shared, vc: *mut Vc) -> Option<*mut Vc> {
    let vcs = shared.vcs.lock().unwrap();
    let channel = at(vc).channel.load(SeqCst);
    let mut ends = vcs.iter().map(|end| end.0).filter(|end| {
        let end = at(*end);
        let running = at(end.nic).running.load(SeqCst) == 1;
        running && end.active.load(SeqCst) == 1 && end.channel.load(SeqCst) == channel
    });
    let end = ends.clone().find(|end| *end != vc).or_else(|| ends.next());
    if let Some(end) = end {
        // The call that indicates, and the list.
        at(end).busy.fetch_add(2, SeqCst);
    }
    end
}

pub(super) unsafe extern "system" fn send(
    context: NDIS_HANDLE,
    lists: *mut NET_BUFFER_LIST,
    _: u32,
) {
    let vc: *mut Vc = context.cast();
    let this = at(vc);
    let nic = at(this.nic);
    let mut list = lists;
    while !list.is_null() {
        // SAFETY: a list that is this driver's until it completes it.
        let next = unsafe { next_of(list) };
        if nic.shared.flaw == Flaw::KeepsSends {
            list = next;
            continue;
        }
        this.busy.fetch_add(1, SeqCst);
        let copy = other_end(&nic.shared, vc).map(|end| (end, copy_of(at(at(end).nic), list)));
        set_status(list, SUCCESS);
        // SAFETY: as above; the link is the first field.
        unsafe { list.cast::<*mut NET_BUFFER_LIST>().write(null_mut()) };
        ndis!(NdisMCoSendNetBufferListsComplete(this.handle, list, 0));
        // The VC can be gone after this.
        release(nic, vc);
        match copy {
            Some((end, None)) => {
                // Lost for want of memory.
                release(nic, end);
                release(nic, end);
            }
            Some((end, Some(copy))) => {
                nic.shared.delivered.fetch_add(1, SeqCst);
                indicate(nic, end, copy);
            }
            None => {}
        }
        list = next;
    }
}

/// A list of its own with the data of another's first packet, if there is memory.
fn copy_of(nic: &Nic, list: *mut NET_BUFFER_LIST) -> Option<*mut NET_BUFFER_LIST> {
    let copy = ndis!(NdisAllocateNetBufferList(nic.pool, 0, 0));
    if copy.is_null() {
        return None;
    }
    let from = get(ndis!(NET_BUFFER_LIST_FIRST_NB(list)));
    let into = get(ndis!(NET_BUFFER_LIST_FIRST_NB(copy)));
    let length = get(ndis!(NET_BUFFER_DATA_LENGTH(from)));
    assert!(length <= MAX_FRAME, "a frame of {length} bytes");
    let mut storage = vec![0u8; length as usize];
    let source = ndis!(NdisGetDataBuffer(
        from,
        length,
        storage.as_mut_ptr().cast(),
        1,
        0
    ));
    let target = ndis!(NdisGetDataBuffer(into, length, null_mut(), 1, 0));
    assert!(length == 0 || (!source.is_null() && !target.is_null()));
    if length > 0 {
        // SAFETY: so many bytes each.
        unsafe {
            target
                .cast::<u8>()
                .copy_from(source.cast(), length as usize)
        };
    }
    put(ndis!(NET_BUFFER_DATA_LENGTH(into)), length);
    Some(copy)
}

pub(super) unsafe extern "system" fn return_lists(
    context: NDIS_HANDLE,
    lists: *mut NET_BUFFER_LIST,
    _: u32,
) {
    let nic = at(context.cast::<Nic>());
    let mut list = lists;
    while !list.is_null() {
        // SAFETY: a list of this driver's pool, which comes back.
        let next = unsafe { next_of(list) };
        // SAFETY: as above.
        let source = unsafe { (*list).SourceHandle };
        ndis!(NdisFreeNetBufferList(list));
        let vcs = nic.shared.vcs.lock().unwrap();
        let vc = vcs.iter().find(|vc| at(vc.0).handle == source).copied();
        drop(vcs);
        if let Some(vc) = vc {
            release(nic, vc.0);
        }
        list = next;
    }
}
