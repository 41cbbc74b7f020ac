//! The random driver as a miniport call manager.
#![forbid(unsafe_code)]

use crate::{
    act::Act,
    agents::Desk,
    asked::{self, Asked},
    carrier::{Carrier, Wire},
    device,
    driver::{Driver, Part},
    frame::End,
    indications,
    manager::{Exchange, FAMILIES, Kind},
    settings,
    stash::Stash,
    world::{Context, Job, TAG, World},
};
use ndis_co::{
    Answer,
    cm::PendingMakeCall,
    irql::{NoLock, Passive, UpToDispatch},
    nbl::{NetBufferListPool, NetBufferLists},
    oid::RequestId,
    power::PowerState,
    scope::Scope,
    wan::LinkParameters,
};
use ndis_mcm::{
    Adapter, Attributes, Carry, Channel, IndicateError, Initialize, Initialized, Mcm, Miniport,
    New, OidRequest, Reset, Resets, Resettable, SendLists, Status, Vc,
};
use std::sync::{Arc, atomic::Ordering::SeqCst};

/// A call manager that is the miniport.
pub(crate) enum Integrated {}

/// What is kept for an adapter.
pub(crate) struct Nic {
    desk: Desk,
    pool: NetBufferListPool,
    _context: Context,
}

impl Part for Integrated {
    type Shared = Exchange<Self>;
    const WHAT: &str = "manager";
}

impl Kind for Integrated {
    type Base = Adapter<Driver<Self>>;
    type Own = Arc<Carrier<Vc<Driver<Self>>>>;

    const ALONE: bool = false;
    const ACTS: &[(u32, Act)] = &[
        (4, Act::ManagerHangUp),
        (6, Act::ManagerIndicate),
        (6, Act::RingCreate),
        (3, Act::RingActivate),
        (3, Act::RingDispatch),
        (3, Act::RingConnect),
        (4, Act::SendNow),
        (3, Act::AskClient),
        (1, Act::IndicateAdapter),
        (2, Act::IndicateVc),
        (1, Act::OidHeld),
        (1, Act::DeviceDrop),
        (2, Act::ReturnedAgain),
        (4, Act::LaterHandler),
        (2, Act::DropVc),
        (1, Act::DropSap),
        (1, Act::DropAf),
        (1, Act::DropAdapter),
        (2, Act::StashVc),
        (1, Act::TimerNew),
        (1, Act::TimerSet),
        (1, Act::TimerCancel),
        (1, Act::TimerDrop),
        (1, Act::WorkNew),
        (1, Act::WorkQueue),
        (1, Act::WorkDrop),
        (2, Act::Look),
    ];
    const ACCEPTS: [&[(u32, Act)]; 2] = [
        &[(1, Act::MakeAcceptWith), (1, Act::MakeAccept)],
        &[(1, Act::MakePendAcceptWith), (1, Act::MakePendAccept)],
    ];

    fn manager(shared: &Arc<Exchange<Self>>) -> &Arc<Exchange<Self>> {
        shared
    }

    fn own(world: &Arc<World>, vcs: &Arc<Stash<Vc<Driver<Self>>>>) -> Self::Own {
        Carrier::new(world, vcs)
    }

    fn desk(adapter: &Self::Base) -> &Desk {
        &adapter.desk
    }

    fn scope(adapter: &Self::Base) -> &Scope {
        adapter.scope()
    }

    fn act(x: &Arc<Exchange<Self>>, act: Act, irql: &mut UpToDispatch) {
        if act != Act::IndicateAdapter {
            x.own.act(act, irql);
        } else if let Some(adapter) = x.bases.any(&x.world) {
            indications::of_adapter(&x.world, &adapter, irql);
        }
    }

    fn hold_on(x: &Arc<Exchange<Self>>, adapter: &Self::Base, irql: &mut Passive) {
        if x.world.dares(Act::SettingsThread, 1, 3) {
            settings::look(&x.world, adapter.configuration(irql));
        }
        device::disturb(x, &x.own.devices, adapter.desk.place, adapter, irql);
    }

    fn handle(vc: &Vc<Driver<Self>>) -> usize {
        Channel::handle(vc) as usize
    }

    fn let_go_first(x: &Arc<Exchange<Self>>, place: u32, irql: &mut UpToDispatch) {
        x.own.let_go_first(place, irql);
    }

    fn let_go_then(x: &Arc<Exchange<Self>>, place: u32) {
        x.own.let_go_then(place);
    }

    fn is_up(x: &Arc<Exchange<Self>>, vc: &Vc<Driver<Self>>, irql: &mut UpToDispatch) {
        if x.world.chance(x.world.temper.data, 16) {
            x.own.indicate(vc, irql);
        }
    }

    // Its calls are not joined.

    fn is_refused(_: &Arc<Exchange<Self>>, _: &Vc<Driver<Self>>, _: &mut UpToDispatch) {}

    fn is_closed(_: &Arc<Exchange<Self>>, _: &Vc<Driver<Self>>, _: &mut UpToDispatch) {}

    fn join(
        _: &Arc<Exchange<Self>>,
        token: PendingMakeCall<Driver<Self>>,
        irql: &mut UpToDispatch,
    ) {
        token.accept(irql);
    }
}

impl Wire for Vc<Driver<Integrated>> {
    type Miniport = Driver<Integrated>;
    const OVER: &str = "CALL-63: data is indicated after the end of its call was announced";

    fn end(&self) -> &End {
        &self.end
    }

    fn place(&self) -> u32 {
        self.place
    }

    fn pool(&self) -> &NetBufferListPool {
        &self.base().pool
    }

    fn indicate(
        &self,
        lists: NetBufferLists,
        irql: &mut UpToDispatch,
    ) -> Result<(), IndicateError> {
        self.indicate_receive(lists, irql)
    }

    fn over(&self) -> Option<u32> {
        self.announced.load(SeqCst).then_some(0)
    }

    fn say(&self, code: Status, data: &[u8], irql: &mut UpToDispatch) -> Result<(), Status> {
        self.indicate_status(code, data, irql)
    }

    fn say_line(&self, line: &LinkParameters, irql: &mut UpToDispatch) -> Result<(), Status> {
        self.indicate(line, irql)
    }

    fn joined(&self, _: &Stash<Self>) -> Option<Self> {
        None
    }
}

impl Driver<Integrated> {
    fn try_initialize<'i>(
        &self,
        place: u32,
        init: Initialize<'i, Self, New>,
        irql: &mut Passive,
    ) -> Result<Initialized<'i>, Status> {
        let exchange = &self.shared;
        let world = &exchange.world;
        world.may_fail(Act::InitErrFirst)?;
        if world.dares(Act::SettingsInit, 1, 3) {
            settings::look(world, init.configuration(irql));
        }
        let init = init.attributes(&Attributes::wan(), irql)?;
        world.may_fail(Act::InitErrAttributed)?;
        if world.dares(Act::DeviceInit, 1, 4) {
            device::register(exchange, &exchange.own.devices, place, &init, irql);
        }
        let nic = Nic {
            desk: Desk::try_new(place, init.scope())?,
            pool: NetBufferListPool::for_receives_of_size(init.scope(), 128, TAG)?,
            _context: Context::of_place(world, &exchange.life, "adapter", place),
        };
        exchange.store_resources(place, init.scope());
        let mut init = init.adapter(nic)?;
        world.may_fail(Act::InitErrAdapter)?;
        let families = match world.decide(&[
            (6, Act::InitOneFamily),
            (4, Act::InitTwoFamilies),
            (1, Act::InitNoFamily),
        ]) {
            Act::InitNoFamily => 0,
            Act::InitTwoFamilies => 2,
            _ => 1,
        };
        for family in &FAMILIES[..families] {
            let registered = init.register_address_family(*family, irql);
            if world.chance(1, 2) {
                registered?;
            }
        }
        world.may_fail(Act::InitErrRegistered)?;
        Ok(init.finish())
    }
}

impl Miniport for Driver<Integrated> {
    type Adapter = Nic;
    type Role = Mcm;
    const RESETS: Resets<Self> = Resets::of_hardware();

    fn initialize<'i>(
        &self,
        init: Initialize<'i, Self, New>,
        irql: &mut Passive,
    ) -> Result<Initialized<'i>, Status> {
        let place = self.shared.world.number();
        let result = self.try_initialize(place, init, irql);
        if result.is_err() {
            // No other callback will ask for it back.
            self.shared.let_go(place, irql.up_to_dispatch());
        }
        self.shared.mischief(irql.up_to_dispatch());
        result
    }

    fn initialized(&self, adapter: &Adapter<Self>, irql: &mut Passive) {
        let x = &self.shared;
        if x.world.chance(1, 2) {
            x.world.did(Act::StashAdapter);
            let _ = x.bases.put(adapter.desk.place, adapter.clone());
        }
        x.world.linger(irql);
        x.mischief(irql.up_to_dispatch());
        indications::of_link(&self.shared.world, adapter, irql.up_to_dispatch());
    }

    fn pause(&self, adapter: &Adapter<Self>, irql: &mut Passive) {
        let _ = self.shared.bases.put(adapter.desk.place, adapter.clone());
        self.shared.world.linger(irql);
        self.shared.wait_for_end(irql);
        self.shared.mischief(irql.up_to_dispatch());
        indications::of_link(&self.shared.world, adapter, irql.up_to_dispatch());
    }

    fn restart(&self, adapter: &Adapter<Self>, irql: &mut Passive) -> Result<(), Status> {
        let world = &self.shared.world;
        let _ = self.shared.bases.put(adapter.desk.place, adapter.clone());
        self.shared.mischief(irql.up_to_dispatch());
        indications::of_link(&self.shared.world, adapter, irql.up_to_dispatch());
        world.may_fail(Act::RestartErr)?;
        world.did(Act::RestartOk);
        Ok(())
    }

    fn set_power(&self, adapter: &Adapter<Self>, state: PowerState, irql: &mut UpToDispatch) {
        let x = &self.shared;
        x.mischief(irql);
        if state == PowerState::D0 {
            x.wake(adapter, irql);
        } else {
            x.sleep(adapter, irql);
        }
        x.mischief(irql);
    }

    fn oid_request<'r>(
        &self,
        adapter: &Adapter<Self>,
        request: OidRequest<'r, Self>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        asked::oid_request(&self.shared, adapter, request, irql)
    }

    fn oid_cancelled(&self, _: &Adapter<Self>, id: RequestId, irql: &mut UpToDispatch) {
        asked::oid_cancelled(&self.shared, id, irql);
    }

    fn halt(&self, adapter: &Adapter<Self>, irql: &mut Passive) {
        self.shared.world.linger(irql);
        self.shared.mischief(irql.up_to_dispatch());
        indications::of_link(&self.shared.world, adapter, irql.up_to_dispatch());
        self.shared
            .let_go(adapter.desk.place, irql.up_to_dispatch());
        self.shared.world.linger(irql);
    }
}

impl Asked for Exchange<Integrated> {
    type Wire = Vc<Driver<Integrated>>;

    fn carrier(x: &Arc<Self>) -> &Arc<Carrier<Self::Wire>> {
        &x.own
    }

    fn place(adapter: &Adapter<Driver<Integrated>>) -> u32 {
        adapter.desk.place
    }

    fn later(
        x: &Arc<Self>,
        adapter: &Adapter<Driver<Integrated>>,
        irql: &mut UpToDispatch,
        job: Job,
    ) {
        x.later(adapter, irql, job);
    }
}

impl Resettable for Driver<Integrated> {
    fn is_hung(&self, _: &Adapter<Self>, _: &mut Passive) -> bool {
        asked::is_hung(&self.shared)
    }

    fn reset<'r>(
        &self,
        adapter: &Adapter<Self>,
        reset: Reset<'r, Self>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        asked::reset(&self.shared, adapter, reset, irql)
    }
}

impl Carry for Driver<Integrated> {
    type Vc = Vc<Self>;

    fn send(&self, vc: &Vc<Self>, lists: SendLists<Self>, irql: &mut UpToDispatch) {
        let x = &self.shared;
        x.own.arrived(vc, &lists);
        x.mischief(irql);
        x.own
            .carry(lists, irql, |job, irql| x.later(vc.base(), irql, job));
        x.mischief(irql);
    }

    fn vc_oid_request<'r>(
        &self,
        vc: &Vc<Self>,
        request: OidRequest<'r, Self>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        let x = &self.shared;
        x.keep_vc(vc);
        asked::oid_request(x, vc.base(), request, irql)
    }

    fn returned(&self, adapter: &Adapter<Self>, lists: NetBufferLists, irql: &mut UpToDispatch) {
        let x = &self.shared;
        x.own.returned(adapter.desk.place, lists, irql);
        x.mischief(irql);
    }
}
