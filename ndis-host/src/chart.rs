//! A sequence chart of one call, as SVG.
//!
//! Participants are columns; time runs down. A full arrow is a call or a
//! callback, a broken one its return; a bar on a lifeline says that the
//! participant is inside of something. The number at the left is the event's
//! place in the run.

use crate::log::{Event, EventKind};
use crate::status;
use crate::view::{Line, View, is_data};
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write as _;

const LEFT: usize = 130;
const RIGHT: usize = 130;
const COLUMN: usize = 370;
const TOP: usize = 84;
const ROW: usize = 30;
const BAR: usize = 10;

/// The events of one call of the run (see [`Event::call`]).
pub fn call(number: u32) -> impl Fn(&Event) -> bool {
    move |event| event.call == Some(number)
}

/// Draws the events that `filter` selects.
pub fn svg(events: &[Event], filter: impl Fn(&Event) -> bool) -> String {
    let view = View::new(events, filter);
    let columns = view.participants();
    let ndis = columns.iter().position(|name| name == "NDIS").unwrap_or(0);
    let width = LEFT + RIGHT + columns.len().saturating_sub(1) * COLUMN;
    let height = TOP + (view.lines.len() + 2) * ROW;
    let mut chart = Chart {
        out: String::new(),
        columns,
        ndis,
        width,
        nested: Vec::new(),
        bars: String::new(),
    };
    chart.nested.resize(chart.columns.len(), 0);
    chart.head(&view, height);
    chart.rows(&view);
    let mut out = chart.out;
    out.push_str("</svg>\n");
    out
}

struct Chart {
    out: String,
    columns: Vec<String>,
    ndis: usize,
    width: usize,
    /// How many bars are open on each column.
    nested: Vec<usize>,
    bars: String,
}

/// Where a step's bar stands.
struct Open {
    column: usize,
    level: usize,
    top: usize,
}

fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            other => safe.push(other),
        }
    }
    safe
}

fn colour(status: i32) -> &'static str {
    if status == ndis_sys::NDIS_STATUS_SUCCESS {
        "#1a7f37"
    } else if status == ndis_sys::NDIS_STATUS_PENDING {
        "#9a6700"
    } else {
        "#cf222e"
    }
}

impl Chart {
    fn x(&self, column: usize) -> usize {
        LEFT + column * COLUMN
    }

    fn column_of(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column == name)
    }

    fn head(&mut self, view: &View<'_>, height: usize) {
        let width = self.width;
        let _ = writeln!(
            self.out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"0 0 {width} {height}\" font-family=\"'DejaVu Sans', Verdana, sans-serif\">\n\
             <rect width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>\n\
             <defs><marker id=\"a\" viewBox=\"0 0 10 10\" refX=\"9\" refY=\"5\" markerWidth=\"8\" \
             markerHeight=\"8\" orient=\"auto-start-reverse\"><path d=\"M0 1 L9 5 L0 9 z\" \
             fill=\"#24292f\"/></marker><marker id=\"r\" viewBox=\"0 0 10 10\" refX=\"9\" refY=\"5\" \
             markerWidth=\"8\" markerHeight=\"8\" orient=\"auto-start-reverse\"><path \
             d=\"M1 1 L9 5 L1 9\" fill=\"none\" stroke=\"#57606a\"/></marker></defs>"
        );
        let call = view.steps.iter().find_map(|step| step.event.call);
        let title = match call {
            Some(number) => alloc::format!("The life of call {number}"),
            None => String::from("Events"),
        };
        let _ = writeln!(
            self.out,
            "<text x=\"16\" y=\"24\" font-size=\"15\" font-weight=\"bold\" fill=\"#24292f\">\
             {title}</text>"
        );
        for (index, name) in self.columns.iter().enumerate() {
            let x = self.x(index);
            let fill = if index == self.ndis {
                "#eaeef2"
            } else {
                [
                    "#ddf4ff", "#ddf4ff", "#fff8c5", "#dafbe1", "#fbefff", "#ffebe9",
                ][index.min(5)]
            };
            let bottom = height - ROW / 2;
            let _ = writeln!(
                self.out,
                "<line x1=\"{x}\" y1=\"{TOP}\" x2=\"{x}\" y2=\"{bottom}\" stroke=\"#afb8c1\" \
                 stroke-dasharray=\"4 4\"/>\n<rect x=\"{}\" y=\"{}\" width=\"190\" height=\"32\" \
                 rx=\"5\" fill=\"{fill}\" stroke=\"#57606a\"/>\n<text x=\"{x}\" y=\"{}\" \
                 font-size=\"14\" font-weight=\"bold\" text-anchor=\"middle\" \
                 fill=\"#24292f\">{}</text>",
                x - 95,
                TOP - 44,
                TOP - 23,
                escape(name)
            );
        }
    }

    /// The edge of a column's open bars, on the side of the other column.
    fn edge(&self, column: usize, towards: usize) -> usize {
        let x = self.x(column);
        let bars = self.nested.get(column).copied().unwrap_or(0);
        if bars == 0 {
            return x;
        }
        let right = x + BAR / 2 + (bars - 1) * 6;
        if towards > column { right } else { x - BAR / 2 }
    }

    /// An arrow with its label in the gap next to the driver's column.
    fn arrow(&mut self, from: usize, to: usize, y: usize, label: &str, back: bool) {
        let (x1, x2) = (self.edge(from, to), self.edge(to, from));
        let style = if back {
            "stroke=\"#57606a\" stroke-dasharray=\"5 3\" marker-end=\"url(#r)\""
        } else {
            "stroke=\"#24292f\" marker-end=\"url(#a)\""
        };
        let _ = writeln!(
            self.out,
            "<line x1=\"{x1}\" y1=\"{y}\" x2=\"{x2}\" y2=\"{y}\" {style}/>"
        );
        let driver = if from == self.ndis { to } else { from };
        let near = if driver > self.ndis {
            driver - 1
        } else {
            driver + 1
        };
        let middle = usize::midpoint(self.x(driver), self.x(near)) + 10;
        let _ = writeln!(
            self.out,
            "<text x=\"{middle}\" y=\"{}\" font-size=\"11.5\" text-anchor=\"middle\" \
             fill=\"#24292f\">{label}</text>",
            y - 5
        );
    }

    fn margin(&mut self, event: &Event, y: usize) {
        let _ = writeln!(
            self.out,
            "<text x=\"12\" y=\"{}\" font-size=\"10\" fill=\"#8c959f\">#{} cpu{}{}</text>",
            y + 3,
            event.seq,
            event.cpu,
            if event.irql == 0 { "" } else { " DISPATCH" }
        );
    }

    fn close_bar(&mut self, open: &Open, bottom: usize) {
        if let Some(count) = self.nested.get_mut(open.column) {
            *count = count.saturating_sub(1);
        }
        let _ = writeln!(
            self.bars,
            "<rect x=\"{}\" y=\"{}\" width=\"{BAR}\" height=\"{}\" fill=\"#ffffff\" \
             stroke=\"#57606a\"/>",
            self.x(open.column) - BAR / 2 + open.level * 6,
            open.top,
            bottom.saturating_sub(open.top).max(4)
        );
    }

    fn rows(&mut self, view: &View<'_>) {
        // Bars are drawn after the lifelines and before the arrows, so arrows
        // are collected first.
        let head = core::mem::take(&mut self.out);
        let mut open: BTreeMap<usize, Open> = BTreeMap::new();
        let mut y = TOP + ROW;
        for line in &view.lines {
            match line {
                Line::Folded(count) => {
                    let _ = writeln!(
                        self.out,
                        "<rect x=\"{LEFT}\" y=\"{}\" width=\"{}\" height=\"20\" rx=\"4\" \
                         fill=\"#f6f8fa\" stroke=\"#d0d7de\"/><text x=\"{}\" y=\"{}\" \
                         font-size=\"11.5\" font-style=\"italic\" text-anchor=\"middle\" \
                         fill=\"#57606a\">{count} more steps of data transfer</text>",
                        y - 14,
                        self.width - LEFT - RIGHT,
                        self.width / 2,
                        y
                    );
                }
                Line::Begin(index) => self.begin(view, *index, y, &mut open),
                Line::End(index) => {
                    let step = &view.steps[*index];
                    if let Some(bar) = open.remove(index) {
                        self.close_bar(&bar, y);
                    }
                    if let Some(end) = step.end {
                        self.margin(end, y);
                        let from = self.column_of(&end.from).unwrap_or(self.ndis);
                        let to = self.column_of(&end.to).unwrap_or(self.ndis);
                        let label = match end.status {
                            Some(code) => alloc::format!(
                                "<tspan fill=\"{}\">{}</tspan>",
                                colour(code),
                                status::Name(code)
                            ),
                            None => String::from("<tspan fill=\"#8c959f\">returns</tspan>"),
                        };
                        self.arrow(from, to, y, &label, true);
                    }
                }
            }
            y += ROW;
        }
        for (_, bar) in open {
            self.close_bar(&bar, y);
        }
        let rows = core::mem::replace(&mut self.out, head);
        self.out.push_str(&self.bars);
        self.out.push_str(&rows);
    }

    fn begin(&mut self, view: &View<'_>, index: usize, y: usize, open: &mut BTreeMap<usize, Open>) {
        let step = &view.steps[index];
        let event = step.event;
        if event.kind == EventKind::Note {
            self.margin(event, y);
            let _ = writeln!(
                self.out,
                "<text x=\"{}\" y=\"{}\" font-size=\"11.5\" font-style=\"italic\" \
                 fill=\"#cf222e\">{}</text>",
                LEFT,
                y + 3,
                escape(&event.note)
            );
            return;
        }
        self.margin(event, y);
        let from = self.column_of(&event.from).unwrap_or(self.ndis);
        let to = self.column_of(&event.to).unwrap_or(self.ndis);
        let mut label = String::from(event.name);
        let named = event
            .objects
            .iter()
            .find(|object| is_data(event.name) && object.kind == crate::Kind::NetBufferList)
            .or_else(|| {
                event
                    .objects
                    .iter()
                    .find(|object| object.kind == crate::Kind::ClientVc)
            })
            .or(event.objects.first());
        if let Some(object) = named {
            let _ = write!(label, " <tspan fill=\"#57606a\">({object})</tspan>");
        }
        if step.leaf
            && let Some(code) = step.end.and_then(|end| end.status)
        {
            let _ = write!(
                label,
                " <tspan fill=\"{}\">= {}</tspan>",
                colour(code),
                status::Name(code)
            );
        }
        self.arrow(from, to, y, &label, false);
        let level = self.nested.get(to).copied().unwrap_or(0);
        let bar = Open {
            column: to,
            level,
            top: y,
        };
        if step.leaf || step.end.is_none() {
            if let Some(count) = self.nested.get_mut(to) {
                *count += 1;
            }
            self.close_bar(&bar, y + 9);
        } else {
            if let Some(count) = self.nested.get_mut(to) {
                *count += 1;
            }
            open.insert(index, bar);
        }
    }
}
