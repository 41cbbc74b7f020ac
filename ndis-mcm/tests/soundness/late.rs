//! The last word on an address family comes last: whatever the driver stores while it is
//! told that the family is open, it can drop when it is told that it is closed.

use super::*;

#[derive(Default)]
struct Late {
    kept: Mutex<Vec<ndis_co::client::Af<Handset<Self>>>>,
    order: Notes<&'static str>,
}

impl Late {
    fn let_go(&self) {
        let kept = std::mem::take(&mut *self.kept.lock().unwrap());
        drop(kept);
    }
}

impl Phone for Late {
    fn unbind(&self, _binding: &Binding<Handset<Self>>, _irql: &mut Passive) {
        self.order.add("unbind");
        self.let_go();
    }

    fn af_opened(
        &self,
        af: Opened<Handset<Self>>,
        irql: &mut Passive,
    ) -> Option<Opened<Handset<Self>>> {
        self.order.add("opened");
        sleep(5, irql);
        self.kept.lock().unwrap().push(af.keep());
        self.order.add("stored");
        None
    }

    fn af_closed(&self) {
        self.order.add("closed");
        self.let_go();
    }
}

/// A switch that lets the client wait for its family.
#[derive(Default)]
struct Slow {
    open: Place<PendingOpenAf<Exchange<Self>>>,
}

impl Switch for Slow {
    fn open_af<'r>(
        &self,
        _adapter: &Adapter<Exchange<Self>>,
        request: OpenAf<'r, Exchange<Self>>,
        _irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        let (answer, token) = request.pend();
        self.open.put(token);
        answer
    }
}

/// A removal that comes while the driver is told.
#[test]
fn a_family_is_closed_after_its_driver_was_told_that_it_is_open() {
    let mut overtaken = 0;
    for seed in seeds(40) {
        let world = World::load(Host::builder().seed(seed), Slow::default(), Late::default());
        let adapter = world.host.add_adapter(&world.mcm).unwrap();
        let exchange = world.exchange.clone();
        world.thread("line", move |irql| {
            let open = &exchange.switch.open;
            wait_until(|| !open.is_empty(), irql);
            open.take().unwrap().accept(None, irql);
        });
        world.host.run_for(2);
        world.host.remove_adapter(&adapter);
        let order = world.handset.phone.order.all();
        let place = |word| order.iter().position(|found| *found == word);
        if let Some(stored) = place("stored") {
            assert!(place("closed").unwrap() > stored, "seed {seed}: {order:?}");
            overtaken += u32::from(place("unbind").unwrap() < stored);
        }
        world.end_clean();
    }
    if !cfg!(miri) {
        assert!(overtaken > 0, "no unbind came while the driver was told");
    }
}
