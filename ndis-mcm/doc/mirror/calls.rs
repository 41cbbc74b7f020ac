impl CallManager for Mirror {
    // What the driver keeps for a client, a SAP and a VC: nothing.
    type Base = Adapter<Self>;
    type Af = ();
    type Sap = ();
    type Vc = ();

    fn open_af<'r>(
        &self,
        _nic: &Adapter<Self>,
        request: OpenAf<'r, Self>,
        _irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        if request.family() == MIRROR {
            request.accept(())
        } else {
            request.refuse(Status::BAD_VERSION)
        }
    }

    fn register_sap<'r>(
        &self,
        _af: &Af<Self>,
        request: RegisterSap<'r, Self>,
        _irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        // A mirror calls nobody, so there is nothing to listen for.
        request.refuse(Status::NOT_SUPPORTED)
    }

    fn create_vc(&self, _af: &Af<Self>, _irql: &mut UpToDispatch) -> Result<(), Status> {
        Ok(())
    }

    fn make_call<'r>(
        &self,
        _vc: &Vc<Self>,
        request: MakeCall<'r, Self>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        request.accept(irql)
    }

    fn incoming_call_accepted(
        &self,
        call: AcceptedCall<Self>,
        _parameters: Option<CallParameters<'_>>,
        irql: &mut UpToDispatch,
    ) {
        // The driver offers no call, so none is accepted.
        call.close(Status::FAILURE, irql);
    }

    fn close_call<'r>(
        &self,
        _vc: &Vc<Self>,
        request: CloseCall<'r, Self>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        request.finish(irql)
    }
}

impl Carry for Mirror {
    type Vc = Vc<Self>;

    fn send(&self, vc: &Vc<Self>, lists: SendLists<Self>, irql: &mut UpToDispatch) {
        let status = match reflect(vc, &lists, irql) {
            Ok(()) => Status::SUCCESS,
            Err(failure) => failure,
        };
        lists.complete(status, irql);
    }
}

/// Copies each packet into a list of the driver's own and hands that up. A
/// client may send several packets in one list; received lists carry one each.
fn reflect(
    vc: &Vc<Mirror>,
    lists: &SendLists<Mirror>,
    irql: &mut UpToDispatch,
) -> Result<(), Status> {
    for packet in lists.buffers() {
        let mut copy = vc.base().pool.allocate(packet.len())?;
        copy.fill(packet.len(), |to| packet.copy_to(to).map(drop))?;
        vc.indicate_receive(copy.into(), irql)?;
    }
    Ok(())
}
