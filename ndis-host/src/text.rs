//! A readable account of the life of one call.

use crate::log::{Event, EventKind};
use crate::status;
use crate::view::{Line, View, is_data};
use alloc::string::String;
use core::fmt::Write as _;

/// What a call or callback means, in words: who does it, and what.
fn meaning(name: &str) -> &'static str {
    match name {
        "NdisCoCreateVc" => "makes a VC",
        "NdisMCmCreateVc" => "makes a VC for an incoming call",
        "ProtocolCoCreateVc" => "is shown the new VC",
        "NdisClMakeCall" => "places the call",
        "ProtocolCmMakeCall" => "is asked to set the call up",
        "NdisMCmActivateVc" | "NdisCmActivateVc" => "activates the VC for data",
        "ProtocolCmActivateVcComplete" => "learns that the VC is active",
        "NdisMCmDispatchIncomingCall" | "NdisCmDispatchIncomingCall" => "offers the call",
        "ProtocolClIncomingCall" => "is rung",
        "NdisClIncomingCallComplete" => "answers the call",
        "ProtocolCmIncomingCallComplete" => "learns how the call was answered",
        "NdisMCmMakeCallComplete" | "NdisCmMakeCallComplete" => "reports how the call went",
        "ProtocolClMakeCallComplete" => "learns how its call went",
        "NdisMCmDispatchCallConnected" | "NdisCmDispatchCallConnected" => {
            "reports that the call is connected"
        }
        "ProtocolClCallConnected" => "learns that the call is connected",
        "NdisCoSendNetBufferLists" => "sends",
        "MiniportCoSendNetBufferLists" => "is given lists to send",
        "NdisMCoSendNetBufferListsComplete" => "gives sent lists back",
        "ProtocolCoSendNetBufferListsComplete" => "gets its sent lists back",
        "NdisMCoIndicateReceiveNetBufferLists" => "delivers received lists",
        "ProtocolCoReceiveNetBufferLists" => "receives",
        "NdisReturnNetBufferLists" => "returns received lists",
        "MiniportReturnNetBufferLists" => "gets its receive lists back",
        "MiniportCoOidRequest" => "answers for an OID",
        "NdisMCoIndicateStatusEx" => "says how the link is",
        "ProtocolCoStatusEx" => "hears how the link is",
        "NdisClCloseCall" => "hangs up",
        "ProtocolCmCloseCall" => "is asked to close the call",
        "NdisMCmDispatchIncomingCloseCall" | "NdisCmDispatchIncomingCloseCall" => {
            "reports that the other end hung up"
        }
        "ProtocolClIncomingCloseCall" => "learns that the other end hung up",
        "NdisMCmDeactivateVc" | "NdisCmDeactivateVc" => "deactivates the VC",
        "ProtocolCmDeactivateVcComplete" => "learns that the VC is inactive",
        "NdisMCmCloseCallComplete" | "NdisCmCloseCallComplete" => "reports the call closed",
        "ProtocolClCloseCallComplete" => "learns that the call is closed",
        "NdisCoDeleteVc" | "NdisMCmDeleteVc" => "deletes the VC",
        "ProtocolCoDeleteVc" => "is told to forget the VC",
        _ => "",
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Chapter {
    Placing,
    Ringing,
    Answering,
    Data,
    Closing,
    Deleting,
}

impl Chapter {
    fn of(name: &str) -> Option<Self> {
        if is_data(name) {
            return Some(Self::Data);
        }
        Some(match name {
            "NdisCoCreateVc" | "NdisClMakeCall" => Self::Placing,
            "NdisMCmCreateVc" | "NdisMCmDispatchIncomingCall" | "NdisCmDispatchIncomingCall" => {
                Self::Ringing
            }
            "NdisClIncomingCallComplete"
            | "ProtocolCmIncomingCallComplete"
            | "NdisMCmMakeCallComplete"
            | "NdisCmMakeCallComplete"
            | "NdisMCmDispatchCallConnected"
            | "NdisCmDispatchCallConnected" => Self::Answering,
            "NdisClCloseCall"
            | "NdisMCmDispatchIncomingCloseCall"
            | "NdisCmDispatchIncomingCloseCall"
            | "NdisMCmCloseCallComplete"
            | "NdisCmCloseCallComplete" => Self::Closing,
            "NdisCoDeleteVc" | "NdisMCmDeleteVc" => Self::Deleting,
            _ => return None,
        })
    }

    const fn title(self) -> &'static str {
        match self {
            Self::Placing => "The call is placed",
            Self::Ringing => "It rings",
            Self::Answering => "It is answered",
            Self::Data => "Data flows",
            Self::Closing => "It is hung up",
            Self::Deleting => "The VCs are deleted",
        }
    }
}

/// The width of the column of event numbers, a blank included; more when a number needs it.
const LEAST_WIDTH: usize = 6;

/// Tells the events that `filter` selects.
pub fn story(events: &[Event], filter: impl Fn(&Event) -> bool) -> String {
    let view = View::new(events, filter);
    let mut out = String::new();
    let call = view.steps.iter().find_map(|step| step.event.call);
    if let Some(number) = call {
        let _ = writeln!(out, "The life of call {number}");
    }
    let participants = view.participants();
    if participants.len() > 1 {
        let mut names = String::new();
        for name in participants.iter().filter(|name| *name != "NDIS") {
            if !names.is_empty() {
                names.push_str(", ");
            }
            names.push_str(name);
        }
        let _ = writeln!(
            out,
            "between {names}; #n is the place of an event in the run."
        );
    }
    // One width for the whole story: past 99,999 events its columns stay where they are.
    let last = view.steps.iter().map(|step| step.event.seq).max();
    let width = last.unwrap_or(0).max(1).ilog10() as usize + 2;
    let width = width.max(LEAST_WIDTH);
    let mut chapter = None;
    let mut sums = Sums::default();
    for line in &view.lines {
        match line {
            Line::Folded(count) => {
                let _ = writeln!(
                    out,
                    "{:1$}... {count} more steps of data transfer",
                    "",
                    width + 4
                );
            }
            Line::End(_) => {}
            Line::Begin(index) => {
                let step = &view.steps[*index];
                let event = step.event;
                // A chapter begins where the story turns, not at every echo of it.
                if let Some(next) = Chapter::of(event.name)
                    && chapter.is_none_or(|now| next > now)
                {
                    let _ = writeln!(out, "\n{}", next.title());
                    chapter = Some(next);
                }
                write_step(&mut out, width, step.event, step.end, step.level);
            }
        }
    }
    for step in &view.steps {
        sums.count(step.event);
    }
    sums.write(&mut out);
    out
}

fn write_step(out: &mut String, width: usize, event: &Event, end: Option<&Event>, level: usize) {
    let _ = write!(out, "  #{:<width$}", event.seq);
    for _ in 0..level.min(12) {
        out.push_str("  ");
    }
    if event.kind == EventKind::Note {
        let _ = writeln!(out, "note: {}", event.note);
        return;
    }
    let who = if event.kind == EventKind::Call {
        &event.from
    } else {
        &event.to
    };
    let meaning = meaning(event.name);
    if meaning.is_empty() {
        let _ = write!(out, "{who}: {}", event.name);
    } else {
        let _ = write!(out, "{who} {meaning}: {}", event.name);
    }
    if !event.object.is_empty() {
        let _ = write!(out, " ({})", event.object);
    }
    if let Some(code) = end.and_then(|end| end.status).or(event.status) {
        let _ = write!(out, " -> {}", status::Name(code));
    }
    if event.irql > 0 {
        out.push_str(" [DISPATCH_LEVEL]");
    }
    out.push('\n');
}

#[derive(Default)]
struct Sums {
    sent: usize,
    received: usize,
    vcs: alloc::collections::BTreeSet<u32>,
}

impl Sums {
    fn count(&mut self, event: &Event) {
        match (event.kind, event.name) {
            (EventKind::Call, "NdisCoSendNetBufferLists") => self.sent += 1,
            (EventKind::Callback, "ProtocolCoReceiveNetBufferLists") => self.received += 1,
            _ => {}
        }
        for object in &event.objects {
            if object.kind == crate::Kind::ClientVc {
                self.vcs.insert(object.number);
            }
        }
    }

    fn write(&self, out: &mut String) {
        let _ = writeln!(
            out,
            "\nIn all: {} VCs, {} sends, {} receive indications.",
            self.vcs.len(),
            self.sent,
            self.received
        );
    }
}
