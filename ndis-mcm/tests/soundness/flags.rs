//! The flags of a call, as the one sees them who is asked for it.

use super::*;

/// Notes the flags of the call that is placed.
#[derive(Default)]
struct Flags {
    seen: Notes<u32>,
}

impl Switch for Flags {
    fn make_call<'r>(
        &self,
        _vc: &Vc<Exchange<Self>>,
        request: MakeCall<'r, Exchange<Self>>,
        _irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        self.seen.add(request.parameters().unwrap().flags().bits());
        request.refuse(Status::FAILURE)
    }
}

/// A call without a party does not say that it is a multipoint call, nor one who asks that the
/// parameters are changed already (rules CALL-17, CALL-73).
#[test]
fn flags_of_a_call_that_is_asked_for() {
    use ndis_co::params::{CallFlags, CallParametersBuf};
    let world = World::seed(1, Flags::default(), PlainPhone);
    let handset = world.handset.clone();
    world.thread("caller", move |irql| {
        let af = handset.af.get().unwrap();
        let vc = insist(|| af.create_vc(None, irql));
        let flags = CallFlags::MULTIPOINT_VC | CallFlags::PERMANENT_VC | CallFlags::CHANGED;
        let parameters = CallParametersBuf::builder().flags(flags).build().unwrap();
        let _ = vc.make_call(parameters, irql).keep();
    });
    world.host.run();
    let seen = world.exchange.switch.seen.all();
    world.end_clean();
    assert_eq!(seen, [CallFlags::PERMANENT_VC.bits()]);
}
