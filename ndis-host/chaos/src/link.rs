//! The random driver as a connection-oriented miniport that is no call manager: it carries the data
//! of VCs that are set up above it.
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
    manager::CHANNEL,
    settings,
    stash::Stash,
    world::{Context, Job, Life, Reference, TAG, World},
};
use ndis_co::{
    Answer, Status,
    irql::{NoLock, Passive, UpToDispatch},
    nbl::{NetBufferListPool, NetBufferLists},
    oid::RequestId,
    params::{CallParameters, FlowSpec},
    power::PowerState,
    wan::LinkParameters,
};
use ndis_mcm::{
    Adapter, Attributes, Carry, Channel, CoMiniport, IndicateError, Initialize, Initialized,
    Miniport, New, OidRequest, Reset, Resets, Resettable,
    co::{ActivateVc, DeactivateVc, SendLists, Vc, VcMiniport},
};
use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU32, Ordering::SeqCst},
};

/// A miniport that is no call manager.
pub(crate) enum Link {}

type Wired = Driver<Link>;

impl Part for Link {
    type Shared = Exchange;
    const WHAT: &'static str = "link";
}

/// What the driver's threads reach of it.
pub(crate) struct Exchange {
    pub(crate) world: Arc<World>,
    pub(crate) life: Arc<Life>,
    vcs: Arc<Stash<Vc<Wired>>>,
    adapters: Stash<Adapter<Wired>>,
    carrier: Arc<Carrier<Vc<Wired>>>,
    jobs: Arc<Stash<Job>>,
}

/// What is kept for an adapter.
pub(crate) struct Nic {
    desk: Desk,
    pool: NetBufferListPool,
    _context: Context,
}

/// What is kept for a VC.
pub(crate) struct Strand {
    place: u32,
    end: End,
    /// What the call manager names it by; zero for no name.
    channel: AtomicU32,
    /// How often its data began and ended: odd while they are over.
    turns: AtomicU32,
    deleted: AtomicBool,
    _context: Context,
}

impl Wire for Vc<Wired> {
    type Miniport = Wired;
    const OVER: &str = "VC-50: data is indicated on a VC after its deactivation was asked for";

    fn end(&self) -> &End {
        &self.end
    }

    fn place(&self) -> u32 {
        self.place
    }

    fn pool(&self) -> &NetBufferListPool {
        &self.adapter().pool
    }

    fn indicate(
        &self,
        lists: NetBufferLists,
        irql: &mut UpToDispatch,
    ) -> Result<(), IndicateError> {
        self.indicate_receive(lists, irql)
    }

    fn over(&self) -> Option<u32> {
        let turns = self.turns.load(SeqCst);
        (turns % 2 == 1).then_some(turns)
    }

    fn say(&self, code: Status, data: &[u8], irql: &mut UpToDispatch) -> Result<(), Status> {
        self.indicate_status(code, data, irql)
    }

    fn say_line(&self, line: &LinkParameters, irql: &mut UpToDispatch) -> Result<(), Status> {
        self.indicate(line, irql)
    }

    fn joined(&self, vcs: &Stash<Self>) -> Option<Self> {
        let channel = self.channel.load(SeqCst);
        if channel == 0 {
            return None;
        }
        vcs.find(|vc| !vc.is(self) && vc.channel.load(SeqCst) == channel)
    }
}

crate::driver::shared!(Exchange);

impl Exchange {
    pub(crate) fn new(world: &Arc<World>, life: &Arc<Life>) -> Arc<Self> {
        let vcs = Arc::new(Stash::new());
        Arc::new(Self {
            world: world.clone(),
            life: life.clone(),
            carrier: Carrier::new(world, &vcs),
            vcs,
            adapters: Stash::new(),
            jobs: Arc::new(Stash::new()),
        })
    }

    fn context(&self, kind: &'static str, place: u32, parent: Option<Reference>) -> Context {
        Context::new(&self.world, &self.life, kind, place, parent)
    }

    fn let_go(&self, place: u32, irql: &mut UpToDispatch) {
        drop(self.vcs.close(place));
        self.carrier.let_go_first(place, irql);
        for job in self.jobs.close(place) {
            if self.world.chance(1, 2) {
                job(irql);
            }
        }
        self.carrier.let_go_then(place);
        drop(self.adapters.close(place));
    }

    fn later(
        &self,
        adapter: &Adapter<Wired>,
        irql: &mut UpToDispatch,
        job: impl FnOnce(&mut UpToDispatch) + Send + 'static,
    ) {
        let Desk { place, agents } = &adapter.desk;
        agents.later(&self.world, &self.jobs, *place, irql, Box::new(job));
    }

    fn keep_vc(&self, vc: &Vc<Wired>) {
        if self.world.chance(3, 4) {
            self.world.did(Act::StashVc);
            let _ = self.vcs.put(vc.place, vc.clone());
        }
    }

    pub(crate) fn mischief(&self, irql: &mut UpToDispatch) {
        for _ in 0..self.world.opportunities() {
            self.act(irql);
        }
    }

    pub(crate) fn act(&self, irql: &mut UpToDispatch) {
        self.world.further(|| self.act_now(irql));
    }

    fn act_now(&self, irql: &mut UpToDispatch) {
        let world = &self.world;
        match world.choose(&[
            (6, Act::ManagerIndicate),
            (4, Act::SendNow),
            (1, Act::IndicateAdapter),
            (2, Act::IndicateVc),
            (1, Act::OidHeld),
            (1, Act::DeviceDrop),
            (2, Act::ReturnedAgain),
            (4, Act::LaterHandler),
            (2, Act::DropVc),
            (1, Act::DropAdapter),
            (1, Act::StashAdapter),
            (1, Act::Look),
        ]) {
            Act::IndicateAdapter => {
                if let Some(adapter) = self.adapters.any(world) {
                    indications::of_adapter(world, &adapter, irql);
                }
            }
            Act::LaterHandler => {
                if let Some((_, job)) = self.jobs.take_any(world) {
                    job(irql);
                }
            }
            Act::DropVc => self.drop_one(&self.vcs, Act::DropVc, irql),
            Act::DropAdapter => self.drop_one(&self.adapters, Act::DropAdapter, irql),
            Act::StashAdapter => {
                if let Some(vc) = self.vcs.any(world) {
                    world.did(Act::StashAdapter);
                    let _ = self.adapters.put(vc.place, vc.adapter().clone());
                }
            }
            Act::Look => {
                world.did(Act::Look);
                if let Some(vc) = self.vcs.any(world) {
                    let _ = format!("{vc:?} {:?}", vc.adapter());
                    if !vc.is(&vc.clone()) {
                        world.found("a VC is not itself");
                    }
                    // It may go meanwhile: this was perhaps the last reference.
                    if let Ok(weak) = vc.downgrade() {
                        let place = vc.place;
                        drop(vc);
                        if weak.upgrade().is_some_and(|vc| vc.place != place) {
                            world.found("a weak reference has led to another VC");
                        }
                    }
                }
            }
            act => self.carrier.act(act, irql),
        }
    }

    fn drop_one<T>(&self, stash: &Stash<T>, act: Act, irql: &mut UpToDispatch) {
        let Some((_, thing)) = stash.take_any(&self.world) else {
            return;
        };
        self.world.did(act);
        if self.world.dares(Act::DropUnderLock, 1, 3) {
            self.life.drop_under_lock(thing, irql);
        } else {
            drop(thing);
        }
    }

    /// Keeps references on this thread's stack for a while.
    pub(crate) fn hold_on(self: &Arc<Self>, irql: &mut Passive) {
        let world = &self.world;
        world.did(Act::Hold);
        let held = (self.vcs.any(world), self.adapters.any(world));
        world.wait(irql);
        if let Some(adapter) = &held.1 {
            if world.dares(Act::SettingsThread, 1, 3) {
                settings::look(world, adapter.configuration(irql));
            }
            device::disturb(
                self,
                &self.carrier.devices,
                adapter.desk.place,
                adapter,
                irql,
            );
        }
        drop(held);
    }

    /// The host's handle of some VC; zero for none.
    pub(crate) fn vc_handle(&self) -> usize {
        let vc = self.vcs.any(&self.world);
        vc.map_or(0, |vc| Channel::handle(&vc) as usize)
    }
}

impl Miniport for Wired {
    type Adapter = Nic;
    type Role = CoMiniport;
    const RESETS: Resets<Self> = Resets::of_hardware();

    fn initialize<'i>(
        &self,
        init: Initialize<'i, Self, New>,
        irql: &mut Passive,
    ) -> Result<Initialized<'i>, Status> {
        let x = &self.shared;
        let world = &x.world;
        world.may_fail(Act::InitErrFirst)?;
        if world.dares(Act::SettingsInit, 1, 3) {
            settings::look(world, init.configuration(irql));
        }
        let init = init.attributes(&Attributes::wan(), irql)?;
        world.may_fail(Act::InitErrAttributed)?;
        let place = world.number();
        let nic = Nic {
            desk: Desk::try_new(place, init.scope())?,
            pool: NetBufferListPool::for_receives(init.scope(), TAG)?,
            _context: Context::of_place(world, &x.life, "link's adapter", place),
        };
        let init = init.adapter(nic)?;
        world.may_fail(Act::InitErrAdapter)?;
        x.mischief(irql.up_to_dispatch());
        Ok(init.finish())
    }

    fn initialized(&self, adapter: &Adapter<Self>, irql: &mut Passive) {
        let x = &self.shared;
        if x.world.chance(1, 2) {
            x.world.did(Act::StashAdapter);
            let _ = x.adapters.put(adapter.desk.place, adapter.clone());
        }
        x.world.linger(irql);
        x.mischief(irql.up_to_dispatch());
        indications::of_link(&self.shared.world, adapter, irql.up_to_dispatch());
    }

    fn pause(&self, adapter: &Adapter<Self>, irql: &mut Passive) {
        let x = &self.shared;
        let _ = x.adapters.put(adapter.desk.place, adapter.clone());
        x.world.linger(irql);
        x.mischief(irql.up_to_dispatch());
        indications::of_link(&self.shared.world, adapter, irql.up_to_dispatch());
    }

    fn restart(&self, adapter: &Adapter<Self>, irql: &mut Passive) -> Result<(), Status> {
        let x = &self.shared;
        x.mischief(irql.up_to_dispatch());
        indications::of_link(&self.shared.world, adapter, irql.up_to_dispatch());
        x.world.may_fail(Act::RestartErr)?;
        x.world.did(Act::RestartOk);
        Ok(())
    }

    fn set_power(&self, adapter: &Adapter<Self>, state: PowerState, irql: &mut UpToDispatch) {
        let x = &self.shared;
        let (world, Desk { place, agents }) = (&x.world, &adapter.desk);
        x.mischief(irql);
        if state == PowerState::D0 {
            world
                .power
                .wake(*place, irql, || agents.wake(world, &x.jobs));
        } else {
            world
                .power
                .sleep(*place, irql, || agents.sleep(world, &x.jobs, *place));
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
        let x = &self.shared;
        x.world.linger(irql);
        x.mischief(irql.up_to_dispatch());
        indications::of_link(&x.world, adapter, irql.up_to_dispatch());
        x.let_go(adapter.desk.place, irql.up_to_dispatch());
        x.world.linger(irql);
    }
}

impl Asked for Exchange {
    type Wire = Vc<Wired>;

    fn carrier(x: &Arc<Self>) -> &Arc<Carrier<Vc<Wired>>> {
        &x.carrier
    }

    fn place(adapter: &Adapter<Wired>) -> u32 {
        adapter.desk.place
    }

    fn later(x: &Arc<Self>, adapter: &Adapter<Wired>, irql: &mut UpToDispatch, job: Job) {
        x.later(adapter, irql, job);
    }
}

impl Resettable for Wired {
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

/// The channel that the media's parameters name, or zero.
fn channel(parameters: Option<CallParameters<'_>>) -> u32 {
    let media = parameters.and_then(CallParameters::media);
    let specific = media.and_then(|media| media.specific().ok());
    let named = specific.filter(|specific| specific.param_type == CHANNEL);
    let bytes = named.and_then(|specific| specific.bytes.try_into().ok());
    bytes.map_or(0, u32::from_le_bytes)
}

impl VcMiniport for Wired {
    type VcContext = Strand;

    fn create_vc(
        &self,
        adapter: &Adapter<Self>,
        irql: &mut UpToDispatch,
    ) -> Result<Strand, Status> {
        let x = &self.shared;
        let world = &x.world;
        x.mischief(irql);
        let parent = world
            .dares(Act::StoreParent, 1, 3)
            .then(|| -> Reference { Box::new(adapter.clone()) });
        let context = x.context("link's VC", adapter.desk.place, parent);
        let strand = Strand {
            place: adapter.desk.place,
            end: End::new(context.number),
            channel: AtomicU32::new(0),
            turns: AtomicU32::new(1),
            deleted: AtomicBool::new(false),
            _context: context,
        };
        world.may_fail(Act::LinkVcErr)?;
        world.did(Act::LinkVcOk);
        Ok(strand)
    }

    fn vc_deleted(&self, vc: &Vc<Self>, irql: &mut UpToDispatch) {
        let x = &self.shared;
        if vc.deleted.swap(true, SeqCst) {
            x.world.found("the miniport's VC is deleted twice");
        }
        if vc.is_active() {
            x.world.found("the miniport's VC is deleted while active");
        }
        x.mischief(irql);
    }

    fn activate_vc<'r>(
        &self,
        vc: &Vc<Self>,
        mut request: ActivateVc<'r, Self>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        let x = &self.shared;
        let world = &x.world;
        vc.channel.store(channel(request.parameters()), SeqCst);
        if !request.is_change() {
            vc.turns.fetch_add(1, SeqCst);
        }
        x.keep_vc(vc);
        x.mischief(irql);
        if world.dares(Act::LinkRound, 1, 4) {
            let flow = FlowSpec::best_effort(world.below(9000));
            // Nobody has asked for it, or there is room.
            let _ = request.round(flow, flow);
        }
        let act = if world.chance(world.temper.refuse, 64) {
            world.choose(&[
                (2, Act::LinkUpRefuse),
                (2, Act::LinkUpPendRefuse),
                (1, Act::LinkUpPendDrop),
            ])
        } else if world.chance(world.temper.pend, 16) {
            Act::LinkUpPendAccept
        } else {
            Act::LinkUpAccept
        };
        world.did(act);
        let answer = match act {
            Act::LinkUpRefuse => {
                vc.turns.fetch_add(1, SeqCst);
                request.refuse(world.status())
            }
            Act::LinkUpAccept => request.accept(),
            _ => {
                let (answer, token) = request.pend();
                let exchange = x.clone();
                x.later(vc.adapter(), irql, move |irql| {
                    let vc = token.vc().clone();
                    let now = channel(token.parameters());
                    if now != vc.channel.load(SeqCst) {
                        exchange
                            .world
                            .found("an activation's parameters have changed");
                    }
                    if act != Act::LinkUpPendAccept {
                        vc.turns.fetch_add(1, SeqCst);
                    }
                    match act {
                        Act::LinkUpPendAccept => token.accept(irql),
                        Act::LinkUpPendRefuse => token.refuse(exchange.world.status(), irql),
                        _ => drop(token),
                    }
                    exchange.mischief(irql);
                });
                answer
            }
        };
        x.mischief(irql);
        answer
    }

    fn deactivate_vc<'r>(
        &self,
        vc: &Vc<Self>,
        request: DeactivateVc<'r, Self>,
        irql: &mut UpToDispatch,
    ) -> Answer<'r> {
        let x = &self.shared;
        let world = &x.world;
        vc.turns.fetch_add(1, SeqCst);
        x.mischief(irql);
        let answer = if world.chance(world.temper.pend, 16) {
            let act = world.decide(&[(1, Act::LinkDownPendDrop), (3, Act::LinkDownPendFinish)]);
            let (answer, token) = request.pend();
            x.later(vc.adapter(), irql, move |irql| {
                if act == Act::LinkDownPendDrop {
                    drop(token);
                } else {
                    token.finish(irql);
                }
            });
            answer
        } else {
            world.did(Act::LinkDownFinish);
            request.finish()
        };
        x.mischief(irql);
        answer
    }
}

impl Carry for Wired {
    type Vc = Vc<Self>;

    fn send(&self, vc: &Vc<Self>, lists: SendLists<Self>, irql: &mut UpToDispatch) {
        let x = &self.shared;
        x.carrier.arrived(vc, &lists);
        x.mischief(irql);
        x.carrier
            .carry(lists, irql, |job, irql| x.later(vc.adapter(), irql, job));
        if x.world.pong() {
            x.carrier.indicate(vc, irql);
        }
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
        asked::oid_request(x, vc.adapter(), request, irql)
    }

    fn returned(&self, adapter: &Adapter<Self>, lists: NetBufferLists, irql: &mut UpToDispatch) {
        let x = &self.shared;
        x.carrier.returned(adapter.desk.place, lists, irql);
        x.mischief(irql);
    }
}
