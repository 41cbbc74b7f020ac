//! A driver's own lists and packets: room in front, queues, clones. Everything
//! is given back, whatever fails.

use ndis_co::{
    Status,
    irql::Passive,
    mem::Tag,
    nbl::{NetBuffer, NetBufferList, NetBufferListPool, NetBufferLists, Parent, Side},
    scope::Scope,
};
use ndis_host::Host;
use ndis_mcm::{Attributes, Connectionless, Initialize, Initialized, Miniport, New};
use std::sync::Mutex;

type Experiment = Box<dyn FnOnce(&Pools) + Send>;

/// A pool for each direction.
struct Pools {
    sends: NetBufferListPool,
    receives: NetBufferListPool,
    /// With a size: of 16 bytes.
    whole: NetBufferListPool,
}

/// A driver in whose initialization the test takes place.
struct Lab(Mutex<Option<Experiment>>);

impl Miniport for Lab {
    type Adapter = ();
    type Role = Connectionless;

    fn initialize<'i>(
        &self,
        init: Initialize<'i, Self, New>,
        irql: &mut Passive,
    ) -> Result<Initialized<'i>, Status> {
        let init = init.attributes(&Attributes::wan(), irql)?;
        let pools = pools(init.scope())?;
        if let Some(experiment) = self.0.lock().unwrap().take() {
            experiment(&pools);
        }
        Ok(init.adapter(())?.finish())
    }
}

fn pools(scope: &Scope) -> Result<Pools, Status> {
    let tag = Tag::new(*b"Test");
    Ok(Pools {
        sends: NetBufferListPool::for_sends(scope, tag)?,
        receives: NetBufferListPool::for_receives(scope, tag)?,
        whole: NetBufferListPool::for_sends_of_size(scope, 16, tag)?,
    })
}

/// Runs an experiment; nothing may be left of it, and no rule broken. With
/// `failing`, the allocation of that number fails.
fn run(failing: Option<u64>, experiment: impl FnOnce(&Pools) + Send + 'static) {
    let host = Host::builder().seed(3).build();
    let lab = ndis_mcm::Entry::new(Lab(Mutex::new(Some(Box::new(experiment)))));
    let lab = host
        .load_with("lab", move |object, path| {
            // SAFETY: the host calls this once, as DriverEntry.
            unsafe { lab.run(object, path) }
        })
        .unwrap();
    if let Some(nth) = failing {
        host.fail_allocation(nth);
    }
    if let Ok(adapter) = host.add_adapter(&lab) {
        host.remove_adapter(&adapter);
    }
    host.unload(&lab);
    let report = host.finish();
    assert!(report.is_clean(), "{failing:?}: {report}");
}

fn packet(pool: &NetBufferListPool, bytes: &[u8]) -> Result<NetBuffer, Status> {
    let mut packet = pool.allocate_buffer(4, bytes.len())?;
    packet.set_data(bytes)?;
    Ok(packet)
}

fn list(pool: &NetBufferListPool, packets: &[&[u8]]) -> Result<NetBufferList, Status> {
    let mut list = pool.allocate_list()?;
    for bytes in packets {
        list.push_back(packet(pool, bytes)?).unwrap();
    }
    Ok(list)
}

/// The packets' bytes.
fn bytes<'a>(packets: impl IntoIterator<Item = ndis_co::nbl::BufferView<'a>>) -> Vec<Vec<u8>> {
    packets
        .into_iter()
        .map(|packet| {
            let mut bytes = vec![0; packet.len()];
            packet.copy_to(&mut bytes).unwrap();
            bytes
        })
        .collect()
}

#[test]
fn a_header_is_put_in_front_and_taken_off() {
    run(None, |pools| {
        let mut list = pools.sends.allocate_with_headroom(6, 10).unwrap();
        let mut packet = list.single_mut().unwrap();
        assert_eq!((packet.headroom(), packet.tailroom()), (6, 10));
        packet.set_data(b"payload").unwrap();
        assert_eq!((packet.headroom(), packet.tailroom()), (6, 3));
        packet.retreat(4).unwrap().copy_from_slice(b"head");
        assert_eq!(packet.headroom(), 2);
        assert_eq!(bytes([packet.view()]), [b"headpayload"]);
        packet.data_mut().unwrap()[0] = b'H';

        // More than there is: nothing changes.
        assert_eq!(packet.retreat(3).err(), Some(Status::BUFFER_OVERFLOW));
        assert_eq!(
            packet.retreat(usize::MAX).err(),
            Some(Status::BUFFER_OVERFLOW)
        );
        assert_eq!(packet.advance(12), Err(Status::INVALID_LENGTH));
        assert_eq!(packet.advance(usize::MAX), Err(Status::INVALID_LENGTH));
        assert_eq!(packet.truncate(12), Err(Status::INVALID_LENGTH));
        assert_eq!(packet.set_data(&[0; 15]), Err(Status::BUFFER_OVERFLOW));
        assert_eq!(bytes([packet.view()]), [b"Headpayload"]);

        packet.advance(4).unwrap();
        assert_eq!(bytes([packet.view()]), [b"payload"]);
        // What is unused keeps its bytes.
        assert_eq!(packet.retreat(4).unwrap(), b"Head");
        packet.truncate(6).unwrap();
        assert_eq!(bytes([packet.view()]), [b"Headpa"]);

        // All of it gone, and back.
        packet.advance(6).unwrap();
        assert!(packet.view().is_empty());
        assert_eq!(packet.data_mut().unwrap(), b"");
        assert_eq!(packet.retreat(6).unwrap(), b"Headpa");
        packet.retreat(2).unwrap();
        assert_eq!(packet.headroom(), 0);
        assert_eq!(packet.retreat(0).unwrap(), b"");
        assert_eq!(packet.retreat(1).err(), Some(Status::BUFFER_OVERFLOW));
        packet.set_data(&[7; 16]).unwrap();
        assert_eq!(packet.data_mut().unwrap(), [7; 16]);
    });
}

/// A list in one piece is written as any other, and keeps its packet.
#[test]
fn a_list_in_one_piece() {
    run(None, |pools| {
        let mut list = pools.whole.allocate_with_headroom(4, 10).unwrap();
        assert!(list.is_in_one_piece() && !list.is_clone());
        assert_eq!(list.view().total_len(), 0);
        let mut packet = list.single_mut().unwrap();
        assert_eq!((packet.headroom(), packet.capacity()), (4, 16));
        packet.set_data(b"payload").unwrap();
        packet.retreat(4).unwrap().copy_from_slice(b"head");
        assert_eq!(bytes([packet.view()]), [b"headpayload"]);
        packet.advance(4).unwrap();
        packet.data_mut().unwrap()[0] = b'P';
        assert_eq!(packet.retreat(5).err(), Some(Status::BUFFER_OVERFLOW));
        packet.truncate(3).unwrap();
        assert_eq!(bytes(list.buffers()), [b"Pay"]);
        assert_eq!(list.set_data(&[0; 13]), Err(Status::BUFFER_OVERFLOW));
        list.set_data(&[7; 12]).unwrap();

        let other = packet_of(&pools.sends);
        assert!(list.push_back(other).is_err());
        assert!(list.pop_front().is_none());
        assert_eq!(
            list.split_front(1, &pools.whole).err(),
            Some(Status::INVALID_PARAMETER)
        );
        let mut pieces = pools.whole.allocate_list().unwrap();
        pieces.push_back(packet_of(&pools.whole)).unwrap();
        assert_eq!(list.append(&mut pieces), Err(Status::INVALID_PARAMETER));
        assert_eq!(pieces.append(&mut list), Err(Status::INVALID_PARAMETER));
        assert_eq!(bytes(list.buffers()), [[7; 12]]);

        // More than the pool's lists have room for.
        let mut large = pools.whole.allocate_with_headroom(8, 9).unwrap();
        assert!(!large.is_in_one_piece());
        large.set_data(&[8; 9]).unwrap();
        assert!(pools.whole.allocate_with_headroom(usize::MAX, 1).is_err());

        let mut lists = NetBufferLists::from(list);
        lists.push_back(large).unwrap();
        assert_eq!(lists.len(), 2);
        let parent = Parent::try_new(lists).unwrap();
        let clones = parent.allocate_clones(&pools.sends).unwrap();
        assert_eq!(bytes(clones.buffers()), [&[7; 12][..], &[8; 9]]);
    });
}

/// What nobody has written of a list in one piece is zero where a driver can see it: the memory held
/// other drivers' data before.
#[test]
fn a_list_in_one_piece_shows_nothing_of_before() {
    run(None, |pools| {
        let mut list = pools.whole.allocate_with_headroom(6, 10).unwrap();
        let mut packet = list.single_mut().unwrap();
        packet
            .fill(5, |data| {
                assert_eq!(data, [0; 5]);
                data[1] = 1;
                Ok(())
            })
            .unwrap();
        assert_eq!(packet.retreat(2).unwrap(), [0; 2]);
        assert_eq!(packet.data_mut().unwrap(), [0, 0, 0, 1, 0, 0, 0]);
        assert_eq!(packet.retreat(4).unwrap(), [0; 4]);
        // What was written stays, also when it is not in use.
        packet.set_data(&[2; 3]).unwrap();
        let seen = packet.fill(16, |data| {
            assert_eq!(data, [2, 2, 2, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
            Ok(())
        });
        assert_eq!(seen, Ok(()));

        // A header in front of nothing, and data behind a gap.
        let mut list = pools.whole.allocate_with_headroom(12, 4).unwrap();
        let mut packet = list.single_mut().unwrap();
        assert_eq!(packet.retreat(8).unwrap(), [0; 8]);
        packet.advance(8).unwrap();
        packet.set_data(&[3; 4]).unwrap();
        assert_eq!(packet.retreat(12).unwrap(), [0; 12]);
        assert_eq!(bytes([packet.view()])[0][12..], [3; 4]);

        // What a writer leaves that has failed.
        let mut list = pools.whole.allocate(16).unwrap();
        let failed = list.fill(16, |_| Err(Status::FAILURE));
        assert_eq!(failed, Err(Status::FAILURE));
        list.fill(16, |_| Ok(())).unwrap();
        assert_eq!(bytes(list.buffers()), [[0; 16]]);
    });
}

/// However many lists are left of a pool of which nobody has a reference.
#[test]
fn a_list_in_one_piece_keeps_its_pool() {
    run(None, |pools| {
        let pool = pools.whole.clone();
        let mut lists = NetBufferLists::new(Side::Protocol);
        for _ in 0..3 {
            lists.push_back(pool.allocate(16).unwrap()).unwrap();
        }
        drop(pool);
        drop(lists.pop_front());
        assert_eq!(lists.len(), 2);
    });
}

fn packet_of(pool: &NetBufferListPool) -> NetBuffer {
    packet(pool, b"other").unwrap()
}

#[test]
fn what_the_writer_refuses_is_no_data() {
    run(None, |pools| {
        let mut list = pools.receives.allocate(4).unwrap();
        let refused = list.fill(3, |to| {
            to.fill(1);
            Err(Status::INVALID_DATA)
        });
        assert_eq!(refused, Err(Status::INVALID_DATA));
        assert_eq!(list.view().total_len(), 0);
        assert_eq!(list.fill(5, |_| Ok(())), Err(Status::BUFFER_OVERFLOW));
        list.fill(2, |_| Ok(())).unwrap();
        assert_eq!(bytes(list.buffers()), [[1, 1]]);
    });
}

#[test]
fn packets_move_between_lists() {
    run(None, |pools| {
        let mut all = list(&pools.sends, &[b"a", b"bc", b"", b"def"]).unwrap();
        let mut front = all.split_front(2, &pools.sends).unwrap();
        assert_eq!(bytes(front.buffers()), [&b"a"[..], b"bc"]);
        assert_eq!(bytes(all.buffers()), [&b""[..], b"def"]);
        all.append(&mut front).unwrap();
        assert_eq!(bytes(front.view()), Vec::<Vec<u8>>::new());
        assert_eq!(bytes(all.buffers()), [&b""[..], b"def", b"a", b"bc"]);
        // To the last one, and on from an empty list.
        while let Some(packet) = all.pop_front() {
            front.push_back(packet).unwrap();
        }
        assert!(all.pop_front().is_none());
        all.push_back(packet(&pools.sends, b"new").unwrap())
            .unwrap();
        assert_eq!(bytes(all.buffers()), [b"new"]);
        assert_eq!(bytes(front.buffers()), [&b""[..], b"def", b"a", b"bc"]);
        let rest = front.split_front(9, &pools.sends).unwrap();
        assert_eq!((rest.buffers().count(), front.buffers().count()), (4, 0));
        for mut packet in all.buffers_mut() {
            packet.set_data(b"x").unwrap();
        }
        assert_eq!(bytes(all.buffers()), [b"x"]);

        // Several packets are never taken for one.
        let mut two = list(&pools.sends, &[b"1", b"2"]).unwrap();
        assert!(two.single_mut().is_none());
        assert_eq!(two.set_data(b"3"), Err(Status::INVALID_PARAMETER));
        let mut none = pools.sends.allocate_list().unwrap();
        assert_eq!(none.set_data(b"3"), Err(Status::INVALID_PARAMETER));
    });
}

#[test]
fn directions_do_not_mix() {
    run(None, |pools| {
        let mut up = list(&pools.receives, &[b"up"]).unwrap();
        let mut down = list(&pools.sends, &[b"down"]).unwrap();
        let packet = packet(&pools.sends, b"!").unwrap();
        assert_eq!(packet.side(), Side::Protocol);
        assert!(up.push_back(packet).is_err());
        assert_eq!(up.append(&mut down), Err(Status::INVALID_PARAMETER));
        let split = up.split_front(1, &pools.sends);
        assert_eq!(split.err(), Some(Status::INVALID_PARAMETER));
        let mut lists = NetBufferLists::new(Side::Miniport);
        let down = lists.push_back(down).unwrap_err();
        let down = lists.append(down.into()).unwrap_err();
        assert_eq!(bytes(down.buffers()), [b"down"]);
        lists.push_back(up).unwrap();
        assert_eq!(bytes(lists.buffers()), [b"up"]);
    });
}

#[test]
fn lists_move_between_chains() {
    run(None, |pools| {
        let mut lists = NetBufferLists::new(Side::Protocol);
        for packets in [&[&b"a"[..], b"b"][..], &[], &[b"c"], &[b"d"]] {
            lists
                .push_back(list(&pools.sends, packets).unwrap())
                .unwrap();
        }
        let front = lists.split_front(2);
        assert_eq!((front.len(), lists.len()), (2, 2));
        assert_eq!(bytes(front.buffers()), [b"a", b"b"]);
        lists.append(front).unwrap();
        assert_eq!(bytes(lists.buffers()), [b"c", b"d", b"a", b"b"]);
        assert_eq!(lists.split_front(9).len(), 4);
        assert!(lists.is_empty());
    });
}

#[test]
fn a_clone_shows_the_data_and_gives_it_back_last() {
    run(None, |pools| {
        let mut original = NetBufferLists::new(Side::Protocol);
        for packets in [&[&b"one"[..], b"", b"three"][..], &[b"four"]] {
            original
                .push_back(list(&pools.sends, packets).unwrap())
                .unwrap();
        }
        let parent = Parent::try_new(original).unwrap();
        let clones = parent.allocate_clones(&pools.sends).unwrap();
        let packets = parent.allocate_packet_clones(&pools.receives).unwrap();
        assert_eq!((clones.len(), packets.len()), (2, 4));
        assert_eq!(packets.side(), Side::Miniport);
        let all = [&b"one"[..], b"", b"three", b"four"];
        assert_eq!(bytes(clones.buffers()), all);
        assert_eq!(bytes(packets.buffers()), all);
        assert_eq!(bytes(parent.buffers()), all);
        for clone in &packets {
            assert_eq!(clone.buffers().count(), 1);
        }
        // Nothing is copied: the bytes are the same memory.
        let place = |packet: ndis_co::nbl::BufferView<'_>| {
            packet.segments().next().unwrap().unwrap().as_ptr()
        };
        let at = place(parent.buffers().next().unwrap());
        assert_eq!(place(clones.buffers().next().unwrap()), at);
        assert_eq!(place(packets.buffers().next().unwrap()), at);

        // The parent is kept as long as there is a clone of it.
        let parent = parent.into_original().unwrap_err();
        drop(parent);
        drop(clones);
        assert_eq!(bytes(packets.buffers()), all);
    });
}

#[test]
fn a_clone_is_not_written() {
    run(None, |pools| {
        let original = list(&pools.sends, &[b"data"]).unwrap();
        let parent = Parent::try_new(NetBufferLists::from(original)).unwrap();
        let below = parent.allocate_packet_clones(&pools.sends);
        assert_eq!(below.err(), Some(Status::INVALID_PARAMETER));
        for (clones, pool) in [
            (parent.allocate_clones(&pools.sends).unwrap(), &pools.sends),
            (
                parent.allocate_packet_clones(&pools.receives).unwrap(),
                &pools.receives,
            ),
        ] {
            for mut clone in clones {
                assert!(clone.is_clone());
                assert!(clone.single_mut().is_none());
                assert!(clone.buffers_mut().next().is_none());
                assert!(clone.pop_front().is_none());
                assert_eq!(clone.set_data(b"x"), Err(Status::INVALID_PARAMETER));
                let own = packet(pool, b"x").unwrap();
                assert!(clone.push_back(own).is_err());
                let mut other = list(pool, &[b"x"]).unwrap();
                assert_eq!(clone.append(&mut other), Err(Status::INVALID_PARAMETER));
                assert_eq!(other.append(&mut clone), Err(Status::INVALID_PARAMETER));
                let split = clone.split_front(1, pool);
                assert_eq!(split.err(), Some(Status::INVALID_PARAMETER));
                // Generations of clones have no end.
                let refused = Parent::try_new(NetBufferLists::from(clone)).unwrap_err();
                assert_eq!(refused.status, Status::INVALID_PARAMETER);
                assert_eq!(bytes(refused.original.buffers()), [b"data"]);
            }
        }
        // All of them are gone: the original is whole again.
        let mut lists = parent.into_original().unwrap();
        let mut first = lists.pop_front().unwrap();
        first.set_data(b"more").unwrap();
        assert_eq!(bytes(first.buffers()), [b"more"]);
    });
}

/// Whichever allocation fails, nothing is lost.
#[test]
fn every_allocation_may_fail() {
    for nth in 1..if cfg!(miri) { 40 } else { 90 } {
        run(Some(nth), |pools| {
            let attempt = || -> Result<(), Status> {
                let mut lists = NetBufferLists::new(Side::Protocol);
                for packets in [&[&b"one"[..], b""][..], &[b"three"]] {
                    lists.push_back(list(&pools.sends, packets)?).unwrap();
                }
                let parent = match Parent::try_new(lists) {
                    Ok(parent) => parent,
                    Err(refused) => {
                        assert_eq!(refused.original.buffers().count(), 3);
                        return Err(refused.status);
                    }
                };
                let first = parent.allocate_clones(&pools.sends);
                let second = parent.allocate_packet_clones(&pools.receives);
                assert_eq!(parent.buffers().count(), 3);
                let failed = first.is_err() || second.is_err();
                drop((first, second));
                let mut lists = parent.into_original().unwrap();
                let mut first = lists.pop_front().unwrap();
                first.split_front(1, &pools.sends)?;
                if failed {
                    Err(Status::RESOURCES)
                } else {
                    Ok(())
                }
            };
            assert!(matches!(attempt(), Ok(()) | Err(Status::RESOURCES)));
        });
    }
}
