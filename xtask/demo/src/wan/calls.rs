//! Calls through a WAN miniport: dialled, answered, filled with frames both ways, looked into, hung up.
//!
//! At most as many calls are up at a time as the lines can have; more are placed one lot after the
//! other.

use std::collections::BTreeMap;

use ndis_co::{
    oid::{Counter, Oid, ToAdapter, known},
    tapi::Disconnect,
};
use ndis_host::Host;
use ndis_wan_models::{
    CallId, CallView, State, Windows,
    ndiswan::frame::{Header, IP},
};

use super::{FAR, Figures, NEAR, World, number};
use crate::{
    progress::Progress,
    traffic::{Ledger, Traffic},
};

/// How many frames of a call are sent before somebody looks.
const LOT: u32 = 16;

/// Frames, and their bytes with what PPP puts in front.
#[derive(Clone, Copy, Default)]
struct Flow {
    frames: u32,
    bytes: u32,
}

impl Flow {
    fn add(&mut self, payload: usize, header: u32) {
        self.frames = self.frames.wrapping_add(1);
        // The counters of a link have 32 bits, too.
        let bytes = (payload as u32).wrapping_add(header);
        self.bytes = self.bytes.wrapping_add(bytes);
    }
}

/// One end of a call.
struct End {
    id: CallId,
    sent: Flow,
    received: Flow,
    /// How long the header of its frames is.
    header: u32,
}

impl End {
    fn new(view: &CallView) -> Self {
        let framing = view.link.and_then(|link| link.set.ok());
        let header = framing.map_or(0, |set| {
            Header::new(IP, set.send_framing).bytes().len() as u32
        });
        Self {
            id: view.id,
            sent: Flow::default(),
            received: Flow::default(),
            header,
        }
    }
}

/// The end that was dialled from.
struct Near {
    /// Which call of the traffic's.
    call: u32,
    end: End,
}

/// The end that was called. Which call it is, the first frame says.
struct Far {
    call: Option<u32>,
    end: End,
    /// Frames that are to go back.
    back: Vec<Vec<u8>>,
}

/// Carries the traffic from one adapter to the other and back; gives its figures, or the status that a
/// driver failed with.
pub fn carry(
    host: &Host,
    traffic: &Traffic,
    ledger: &Ledger,
    progress: &Progress,
) -> Result<Figures, i32> {
    progress.stage("loading the drivers");
    let mut world = World::load(host)?;
    progress.stage("starting the adapters");
    world.start()?;
    let mut run = Run {
        host,
        windows: &world.windows,
        traffic,
        ledger,
        figures: Figures::default(),
        flowed: [Flow::default(); 2],
    };
    let slots = run.slots();
    if slots.is_empty() {
        let why = "the lines take no calls".to_owned();
        run.figures.troubles.push(why);
    } else {
        let calls: Vec<u32> = (0..traffic.calls()).collect();
        for lot in calls.chunks(slots.len()) {
            progress.stage("calling");
            let (mut near, mut far) = run.place(lot, &slots)?;
            progress.stage("carrying");
            run.fill(&mut near, &mut far);
            run.look(&near, &far);
            progress.stage("hanging up");
            run.hang_up(&near, &far);
        }
    }
    run.count();
    let faults = world.windows.faults();
    let mut figures = run.figures;
    figures.troubles.extend(faults);
    progress.stage("taking down");
    world.end();
    Ok(figures)
}

struct Run<'r, 'h> {
    host: &'r Host,
    windows: &'r Windows<'h>,
    traffic: &'r Traffic,
    ledger: &'r Ledger,
    figures: Figures,
    /// What has left each adapter.
    flowed: [Flow; 2],
}

impl Run<'_, '_> {
    /// The lines, each as often as it can have a call at both adapters.
    fn slots(&self) -> Vec<u32> {
        let [near, far] = [NEAR, FAR].map(|adapter| self.windows.lines(adapter));
        let lines = near.iter().zip(&far);
        lines
            .flat_map(|(near, far)| {
                let calls = near.max_active_calls.min(far.max_active_calls);
                (0..calls).map(|_| near.line)
            })
            .collect()
    }

    /// Places calls, all at once, and lets them be answered. The first of all comes alone, so that
    /// there is no doubt whose life is told: which calls belong together, a log has to guess.
    fn place(&mut self, lot: &[u32], slots: &[u32]) -> Result<(Vec<Near>, Vec<Far>), i32> {
        let before = self.windows.calls().len();
        let mut placed = BTreeMap::new();
        for (call, line) in lot.iter().zip(slots) {
            let id = self.windows.dial(NEAR, *line, &number(*line)?);
            placed.insert(id, *call);
            self.ledger.placed();
            if *call == 0 {
                self.host.run();
            }
        }
        self.host.run();
        let (mut near, mut far) = (Vec::new(), Vec::new());
        for view in self.windows.calls().into_iter().skip(before) {
            if view.state != State::Connected || view.carried != Some(Ok(())) || !view.is_up {
                let (state, carried) = (view.state, view.carried);
                let trouble = format!("a call has not come up: {state:?}, NDISWAN: {carried:?}");
                self.figures.troubles.push(trouble);
                continue;
            }
            let end = End::new(&view);
            match placed.get(&view.id) {
                Some(call) => {
                    self.ledger.begun();
                    near.push(Near { call: *call, end });
                }
                None => far.push(Far {
                    call: None,
                    end,
                    back: Vec::new(),
                }),
            }
        }
        near.sort_by_key(|near| near.call);
        Ok((near, far))
    }

    /// Sends all frames of these calls there, and each back that has arrived.
    fn fill(&mut self, near: &mut [Near], far: &mut [Far]) {
        let mut next = 0_u32;
        loop {
            let until = next.saturating_add(LOT).min(self.traffic.frames());
            let mut sends = false;
            for index in next..until {
                for near in &mut *near {
                    if let Some(frame) = self.traffic.frame(near.call, index) {
                        self.ledger.sent();
                        self.send(&mut near.end, &frame);
                        sends = true;
                    }
                }
            }
            next = until;
            for far in &mut *far {
                for frame in std::mem::take(&mut far.back) {
                    self.send(&mut far.end, &frame);
                    sends = true;
                }
            }
            if !sends {
                return;
            }
            self.host.run();
            self.take(near, far);
        }
    }

    fn send(&self, end: &mut End, frame: &[u8]) {
        end.sent.add(frame.len(), end.header);
        self.windows.send(end.id, frame);
    }

    /// Compares what has arrived at both ends.
    fn take(&self, near: &mut [Near], far: &mut [Far]) {
        for far in far {
            for frame in self.windows.take_received(far.end.id) {
                let index = far.end.received.frames;
                self.ledger.received(self.traffic, index, &frame.payload);
                far.end.received.add(frame.payload.len(), far.end.header);
                let call = frame.payload.first_chunk().copied();
                far.call = far.call.or(call.map(u32::from_le_bytes));
                far.back.push(frame.payload);
            }
        }
        for near in near {
            for frame in self.windows.take_received(near.end.id) {
                let index = near.end.received.frames;
                self.ledger
                    .echoed(self.traffic, near.call, index, &frame.payload);
                near.end.received.add(frame.payload.len(), near.end.header);
            }
        }
    }

    /// Compares what NDISWAN was told of the links, and what their counters are.
    fn look(&mut self, near: &[Near], far: &[Far]) {
        let ends: Vec<(u32, &End)> = near
            .iter()
            .map(|near| (NEAR, &near.end))
            .chain(far.iter().map(|far| (FAR, &far.end)))
            .collect();
        for (_, end) in &ends {
            self.windows.ask_statistics(end.id);
        }
        self.host.run();
        for (adapter, end) in ends {
            self.flowed[adapter as usize].frames += end.sent.frames;
            let bytes = &mut self.flowed[adapter as usize].bytes;
            *bytes = bytes.wrapping_add(end.sent.bytes);
            self.figures.ends += 1;
            let Some(view) = self.windows.call(end.id) else {
                continue;
            };
            self.look_at_link(adapter, &view);
            self.look_at_counters(end, &view);
        }
    }

    fn look_at_link(&mut self, adapter: u32, view: &CallView) {
        let told = view
            .link
            .and_then(|link| Some((link, link.parameters?)))
            .zip(self.windows.info(adapter).and_then(Result::ok));
        let Some(((link, told), info)) = told else {
            self.figures
                .troubles
                .push("NDISWAN was told nothing of a link".to_owned());
            return;
        };
        let speeds = (told.transmit_speed, told.receive_speed);
        let due = (link.transmit_bandwidth, link.receive_bandwidth);
        if (speeds, told.send_window) == (due, info.max_send_window) {
            self.figures.told += 1;
            self.figures.link = (told.transmit_speed, told.send_window);
        } else {
            let trouble = format!("NDISWAN was told {told:?} of a link of {due:?} bytes/s");
            self.figures.troubles.push(trouble);
        }
    }

    fn look_at_counters(&mut self, end: &End, view: &CallView) {
        self.figures.statistics += 1;
        let counters = match view.statistics {
            Some(Ok(counters)) => counters,
            other => {
                let trouble = format!("no statistics of a link: {other:?}");
                self.figures.troubles.push(trouble);
                return;
            }
        };
        let due = ndis_co::wan::Statistics {
            bytes_sent: end.sent.bytes,
            frames_sent: end.sent.frames,
            bytes_received: end.received.bytes,
            frames_received: end.received.frames,
            ..Default::default()
        };
        if counters == due {
            self.figures.equal += 1;
        } else {
            let trouble = format!("statistics {counters:?}, of what was {due:?}");
            self.figures.troubles.push(trouble);
        }
    }

    /// Hangs up, one call after the other by another one: the caller, the callee, NDISWAN.
    fn hang_up(&mut self, near: &[Near], far: &[Far]) {
        for near in near {
            let far = far.iter().find(|far| far.call == Some(near.call));
            let far = far.map_or(near.end.id, |far| far.end.id);
            let how = near.call as usize % self.figures.hung_up.len();
            self.figures.hung_up[how] += 1;
            match how {
                0 => self.windows.drop_call(near.end.id),
                1 => self.windows.drop_call(far),
                // At either end in turn.
                _ if near.call % 2 == 0 => self.windows.terminate(near.end.id),
                _ => self.windows.terminate(far),
            }
        }
        self.host.run();
        for near in near {
            let far = far.iter().find(|far| far.call == Some(near.call));
            let ends = [Some(near.end.id), far.map(|far| far.end.id)];
            let ended = ends.map(|end| end.is_some_and(|end| self.has_ended(end)));
            self.figures.completed += u32::from(ended == [true; 2]);
            self.ledger.ended();
        }
    }

    /// Whether an end is over as it should be, with all that was sent.
    fn has_ended(&mut self, id: CallId) -> bool {
        let Some(view) = self.windows.call(id) else {
            return false;
        };
        let counts = view.link.map(|link| link.counts).unwrap_or_default();
        let lost = counts.failed + counts.damaged + counts.under_way;
        let normal = Some(Disconnect::Normal.status());
        if view.ended() == normal && !view.is_up && lost == 0 && view.refused.is_empty() {
            return true;
        }
        let (state, refused) = (view.state, view.refused);
        let trouble = format!("a call has not ended well: {state:?}, {counts:?}, {refused:?}");
        self.figures.troubles.push(trouble);
        false
    }

    /// Compares the counters of the adapters with what has flowed on all calls.
    fn count(&mut self) {
        const COUNTERS: [Oid<u64, Counter, ToAdapter>; 4] = [
            known::GEN_CO_XMIT_PDUS_OK,
            known::GEN_CO_RCV_PDUS_OK,
            known::GEN_CO_BYTES_XMIT,
            known::GEN_CO_BYTES_RCV,
        ];
        for oid in COUNTERS {
            self.windows.ask_counter(NEAR, oid);
            self.windows.ask_counter(FAR, oid);
        }
        self.host.run();
        let [there, back] = self.flowed;
        for (adapter, sent, received) in [(NEAR, there, back), (FAR, back, there)] {
            let due = [sent.frames, received.frames, sent.bytes, received.bytes];
            for (oid, due) in COUNTERS.into_iter().zip(due) {
                self.figures.statistics += 1;
                let answer = self.windows.counter(adapter, oid);
                // Those of all links have 64 bits.
                if answer.is_some_and(|answer| answer.is_ok_and(|count| count as u32 == due)) {
                    self.figures.equal += 1;
                } else {
                    let oid = oid.number();
                    let trouble =
                        format!("adapter {adapter}, {oid:#010x}: {answer:?}, of what was {due}");
                    self.figures.troubles.push(trouble);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use ndis_host::{EventMode, McmDisplaces, Readings};

    use super::*;

    /// Carries a few calls; gives the figures, whether all frames arrived, and whether the host found
    /// nothing.
    fn run(calls: u32, readings: Readings) -> (Figures, bool, bool) {
        let traffic = Traffic::pattern(calls, 20, 1500, 7);
        let ledger = Arc::new(Ledger::default());
        let progress = Progress::new(&traffic, &ledger);
        let host = Host::builder()
            .seed(7)
            .readings(readings)
            .events(EventMode::Off)
            .build();
        let figures = carry(&host, &traffic, &ledger, &progress).expect("the drivers load");
        let report = host.finish();
        (figures, ledger.complete(&traffic), report.is_clean())
    }

    #[test]
    fn more_calls_than_lines_come_in_lots() {
        let (figures, complete, clean) = run(11, Readings::default());
        assert!(figures.is_good(), "{}", figures.troubles());
        assert!(complete && clean);
        assert_eq!((figures.completed, figures.ends), (11, 22));
        assert_eq!(figures.statistics, 22 + 8);
        assert_eq!(figures.hung_up, [4, 4, 3]);
    }

    #[test]
    fn where_nobody_carries_nothing_is_good() {
        // Under this reading NDPROXY can register nothing above the miniport.
        let readings = Readings {
            mcm_displaces: McmDisplaces::TheDevice,
            ..Readings::default()
        };
        let (figures, complete, _) = run(2, readings);
        assert_eq!(figures.completed, 0);
        assert!(!complete && !figures.is_good());
        assert!(figures.troubles().contains("has not come up"));
    }

    #[test]
    fn a_header_is_counted_as_its_framing_has_it() {
        let mut flow = Flow::default();
        flow.add(100, 4);
        flow.add(1, 4);
        assert_eq!((flow.frames, flow.bytes), (2, 109));
    }
}
