mod phone {
    use ndis_co::{
        Status,
        client::{AsClient, Protocol, Af, AfOffer, Binding, Client, NewBinding, OpenAf, Received, Vc},
        family::{AddressFamily, Family},
        irql::{Passive, UpToDispatch},
        mem::Tag,
        nbl::NetBufferListPool,
        params::{CallParameters, CallParametersBuf},
    };
    use std::sync::{Arc, Mutex};

    /// The family that the mirror offers.
    const MIRROR: AddressFamily = AddressFamily::new(Family::new(0x4D69_7272), 1, 0);

    /// A client that calls when it is told to, says one word, and notes what
    /// it hears.
    #[derive(Clone, Default)]
    pub struct Caller {
        /// The mirror's family, while it is open.
        af: Arc<Mutex<Option<Af<Caller>>>>,
        pub heard: Arc<Mutex<Vec<u8>>>,
    }

    impl Caller {
        /// Places a call; what comes of it is told to the methods below.
        pub fn place_call(&self) -> Result<(), Status> {
            // SAFETY: a thread of the test: PASSIVE_LEVEL, no lock held.
            let mut irql = unsafe { Passive::assume() };
            let af = self.af.lock().unwrap().clone().ok_or(Status::CLOSING)?;
            let parameters = CallParametersBuf::builder().build()?;
            let vc = af.create_vc((), &mut irql)?;
            // Kept: the call ends by the hang-up in `receive`.
            let _ = vc.make_call(parameters, &mut irql).keep();
            Ok(())
        }
    }

    impl Protocol for Caller {
        const NAME: &'static str = "CALLER";
        type Binding = NetBufferListPool;
        type Role = AsClient;

        fn bind(
            &self,
            adapter: &NewBinding<'_>,
            _irql: &mut Passive,
        ) -> Result<NetBufferListPool, Status> {
            NetBufferListPool::for_sends(adapter.scope(), Tag::new(*b"Call"))
        }

        fn unbind(&self, _binding: &Binding<Self>, _irql: &mut Passive) {
            // A reference that is kept holds the unbind up.
            self.af.lock().unwrap().take();
        }
    }

    impl Client for Caller {
        type Af = ();
        type Sap = ();
        type Vc = ();

        fn address_family(
            &self,
            _binding: &Binding<Self>,
            offer: AfOffer<'_, Self>,
            irql: &mut Passive,
        ) {
            if offer.family() == MIRROR {
                offer.open((), irql).unwrap();
            }
        }

        fn af_opened(&self, af: OpenAf<Self>, _irql: &mut Passive) {
            *self.af.lock().unwrap() = Some(af.keep());
        }

        fn call_connected(
            &self,
            vc: &Vc<Self>,
            _parameters: Option<CallParameters<'_>>,
            irql: &mut UpToDispatch,
        ) {
            let mut frame = vc.af().binding().allocate(5).unwrap();
            frame.set_data(b"hello").unwrap();
            vc.send(frame.into(), irql).unwrap();
        }

        fn receive(&self, vc: &Vc<Self>, lists: Received<'_, Self>, irql: &mut UpToDispatch) {
            for packet in lists.buffers() {
                let mut bytes = vec![0; packet.len()];
                packet.copy_to(&mut bytes).unwrap();
                self.heard.lock().unwrap().extend(bytes);
            }
            vc.hang_up(&[], irql).unwrap();
        }
    }
}
