//! A client sends two lists whose packets lie in one MDL, as a transport does that cuts a
//! large buffer into packets; nothing says that it may not, and the pages of a user's buffer
//! have no address until somebody asks for it. The call manager looks at the lists on two
//! threads, of which one at a time asks (rule KE-38).

use super::{trunk::*, *};
use ndis_co::irql::UpToDispatch;
use ndis_mcm::*;

/// Takes what is sent apart, one list for each of two threads.
#[derive(Default)]
struct Parts(Mutex<Vec<SendLists<Trunk<Self>>>>);

impl Switch for Parts {
    fn send(&self, mut lists: SendLists<Trunk<Self>>, _: &mut UpToDispatch) {
        let first = lists.split_front(1);
        self.0.lock().unwrap().extend([first, lists]);
    }
}

#[test]
fn two_threads_do_not_map_one_mdl_at_once() {
    for seed in seeds(100) {
        let world = World::new(seed, Parts::default());
        world.client(|client| client.call());
        world.host.run();
        world.client(|client| client.send_two_of_one_buffer());
        world.host.run();
        for _ in 0..2 {
            let switch = world.switch.clone();
            thread(&world.host, "device", move |irql| {
                let lists = switch.0.lock().unwrap().pop().unwrap();
                for packet in lists.buffers() {
                    packet.copy_to(&mut [0; 4]).unwrap();
                }
                lists.complete(Status::SUCCESS, irql);
            });
        }
        world.host.run();
        world.client(|client| client.hang_up());
        world.host.run();
        world.end_clean();
    }
}
