//! The event log as a person reads it: calls paired with their returns, the
//! bulk of a data transfer folded.

use crate::export::is_managers;
use crate::log::{Event, EventKind};
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

/// One call or callback, or a note.
pub(crate) struct Step<'a> {
    pub(crate) event: &'a Event,
    /// The event of its return, if that is in the selection.
    pub(crate) end: Option<&'a Event>,
    /// Whether anything in the selection happened inside it.
    pub(crate) leaf: bool,
    /// How many selected calls it is inside of.
    pub(crate) level: usize,
}

/// A line of an account: a step begins, or one that has others inside ends.
pub(crate) enum Line {
    Begin(usize),
    End(usize),
    /// So many steps of data transfer are left out.
    Folded(usize),
}

pub(crate) struct View<'a> {
    pub(crate) steps: Vec<Step<'a>>,
    pub(crate) lines: Vec<Line>,
}

/// Functions that move data rather than calls.
pub(crate) fn is_data(name: &str) -> bool {
    matches!(
        name,
        "NdisCoSendNetBufferLists"
            | "MiniportCoSendNetBufferLists"
            | "NdisMCoSendNetBufferListsComplete"
            | "ProtocolCoSendNetBufferListsComplete"
            | "NdisMCoIndicateReceiveNetBufferLists"
            | "ProtocolCoReceiveNetBufferLists"
            | "NdisReturnNetBufferLists"
            | "MiniportReturnNetBufferLists"
    )
}

/// A run of data lines longer than this is folded.
const RUN: usize = 20;
/// So many lines of it stay.
const KEPT: usize = 12;

impl<'a> View<'a> {
    pub(crate) fn new(events: &'a [Event], filter: impl Fn(&Event) -> bool) -> Self {
        let mut steps: Vec<Step<'a>> = Vec::new();
        let mut order: Vec<(usize, bool)> = Vec::new();
        let mut open: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
        for event in events.iter().filter(|event| filter(event)) {
            let stack = open.entry(event.task).or_default();
            match event.kind {
                EventKind::Call | EventKind::Callback => {
                    for outer in stack.iter() {
                        steps[*outer].leaf = false;
                    }
                    let index = steps.len();
                    steps.push(Step {
                        event,
                        end: None,
                        leaf: true,
                        level: stack.len(),
                    });
                    stack.push(index);
                    order.push((index, true));
                }
                EventKind::Return | EventKind::CallbackReturn => {
                    let place = stack.iter().rposition(|index| {
                        let step = &steps[*index];
                        step.event.name == event.name && step.event.depth + 1 >= event.depth
                    });
                    if let Some(place) = place {
                        let index = stack[place];
                        stack.truncate(place);
                        steps[index].end = Some(event);
                        order.push((index, false));
                    }
                }
                EventKind::Note => {
                    let index = steps.len();
                    steps.push(Step {
                        event,
                        end: None,
                        leaf: true,
                        level: stack.len(),
                    });
                    order.push((index, true));
                }
            }
        }
        // A call during which another task went on is no leaf either.
        let mut last_begin: BTreeMap<usize, usize> = BTreeMap::new();
        for (position, (index, begin)) in order.iter().enumerate() {
            if *begin {
                last_begin.insert(*index, position);
            } else if last_begin.get(index).is_some_and(|at| at + 1 != position) {
                steps[*index].leaf = false;
            }
        }
        let mut lines: Vec<Line> = Vec::new();
        let mut run: Vec<Line> = Vec::new();
        for (index, begin) in order {
            if !begin && steps[index].leaf {
                continue;
            }
            let line = if begin {
                Line::Begin(index)
            } else {
                Line::End(index)
            };
            if is_data(steps[index].event.name) {
                run.push(line);
            } else {
                fold(&mut lines, &mut run);
                lines.push(line);
            }
        }
        fold(&mut lines, &mut run);
        // What began in a folded part does not end outside of it.
        let begun: alloc::collections::BTreeSet<usize> = lines
            .iter()
            .filter_map(|line| match line {
                Line::Begin(index) => Some(*index),
                _ => None,
            })
            .collect();
        lines.retain(|line| match line {
            Line::End(index) => begun.contains(index),
            _ => true,
        });
        Self { steps, lines }
    }

    /// The participants in the order of columns: the first client, NDIS, the
    /// call manager, the others as they come.
    pub(crate) fn participants(&self) -> Vec<String> {
        let mut clients: Vec<String> = Vec::new();
        let mut managers: Vec<String> = Vec::new();
        let mut ndis = String::from("NDIS");
        for step in &self.steps {
            let event = step.event;
            let other = match event.kind {
                EventKind::Call => {
                    ndis = event.to.as_ref().into();
                    &event.from
                }
                EventKind::Callback => {
                    ndis = event.from.as_ref().into();
                    &event.to
                }
                _ => continue,
            };
            let name: String = other.as_ref().into();
            if clients.contains(&name) || managers.contains(&name) {
                continue;
            }
            let manager = is_managers(event.name)
                || event.name.contains("ProtocolCm")
                || event.name.starts_with("Miniport")
                || self.manages(&name);
            if manager {
                managers.push(name);
            } else {
                clients.push(name);
            }
        }
        let mut all = Vec::new();
        let mut clients = clients.into_iter();
        all.extend(clients.next());
        all.push(ndis);
        all.extend(managers);
        all.extend(clients);
        all
    }

    /// Whether `name` does what only a call manager does, anywhere.
    fn manages(&self, name: &str) -> bool {
        self.steps.iter().any(|step| {
            let event = step.event;
            match event.kind {
                EventKind::Call => event.from.as_ref() == name && is_managers(event.name),
                EventKind::Callback => {
                    event.to.as_ref() == name
                        && (event.name.starts_with("ProtocolCm")
                            || event.name.starts_with("Miniport"))
                }
                _ => false,
            }
        })
    }
}

fn fold(lines: &mut Vec<Line>, run: &mut Vec<Line>) {
    if run.len() > RUN {
        let rest = run.split_off(KEPT);
        lines.append(run);
        let begun = rest
            .iter()
            .filter(|line| matches!(line, Line::Begin(_)))
            .count();
        lines.push(Line::Folded(begun));
        // Steps that began before the fold still end after it.
        lines.extend(rest.into_iter().filter(|line| matches!(line, Line::End(_))));
    } else {
        lines.append(run);
    }
}
