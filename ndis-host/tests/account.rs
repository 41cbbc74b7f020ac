//! The two ways to look at a run: the story and the chart of one call.

use crate::common;

use common::{Bench, Twist};
use ndis_host::{Event, EventMode, Host, Readings, chart, text};

fn events(frames: u32) -> Vec<Event> {
    let host = Host::builder()
        .seed(3)
        .preemption(0, 1)
        .raise(0, 1)
        .events(EventMode::All)
        .readings(Readings {
            activate_complete: ndis_host::ActivateComplete::Never,
            deactivate_complete: ndis_host::DeactivateComplete::Never,
            ..Readings::default()
        })
        .build();
    let bench = Bench::on(host, Twist::None, Twist::None);
    bench.life(frames);
    let events = bench.host.events();
    assert!(bench.down().is_clean());
    events
}

#[test]
fn the_story_of_a_call_has_its_chapters_in_order() {
    let story = text::story(&events(1), chart::call(1));
    let mut rest = story.as_str();
    for part in [
        "The life of call 1",
        "The call is placed",
        "NdisClMakeCall (VC 1) -> PENDING",
        "It rings",
        "raw-mcm offers the call: NdisMCmDispatchIncomingCall",
        "It is answered",
        "client-b learns that the call is connected",
        "Data flows",
        "It is hung up",
        "client-a hangs up: NdisClCloseCall (VC 1)",
        "The VCs are deleted",
        "In all: 2 VCs, 1 sends, 1 receive indications.",
    ] {
        let place = rest.find(part);
        assert!(
            place.is_some(),
            "{part:?} is missing or too early:\n{story}"
        );
        rest = &rest[place.unwrap_or(0)..];
    }
}

#[test]
fn a_long_transfer_is_folded() {
    let all = events(if cfg!(miri) { 12 } else { 50 });
    let story = text::story(&all, chart::call(1));
    assert!(story.contains("more steps of data transfer"), "{story}");
    assert!(story.lines().count() < 80, "{story}");
}

/// Where what a line of a step says begins, without the steps that are inside others.
fn columns(story: &str) -> Vec<usize> {
    let outermost = |line: &&str| line.starts_with("  #");
    story
        .lines()
        .filter(outermost)
        .filter_map(|line| {
            let number = line.trim_start().split(' ').next()?;
            let rest = &line[2 + number.len()..];
            assert!(rest.starts_with(' '), "no gap: {line:?}");
            Some(line.len() - rest.trim_start().len())
        })
        .collect()
}

#[test]
fn the_columns_of_a_story_stay_in_a_long_run() {
    let all = events(if cfg!(miri) { 12 } else { 50 });
    let story = |offset: u64| {
        let later = |event: &Event| Event {
            seq: event.seq + offset,
            ..event.clone()
        };
        let all: Vec<Event> = all.iter().map(later).collect();
        text::story(&all, chart::call(1))
    };
    let early = story(0);
    // The numbers become longer in the middle of the story.
    let middle = all.len() as u64 / 2;
    for (last, more) in [(99_999, 1), (999_999, 2)] {
        let late = story(last - middle);
        assert!(
            late.contains("\n  #99") && late.contains("\n  #100"),
            "{late}"
        );
        let moved: Vec<_> = columns(&early).iter().map(|at| at + more).collect();
        assert_eq!(columns(&late), moved, "{late}");
        let fold = |story: &str| {
            story
                .find("... ")
                .map(|at| at - story[..at].rfind('\n').unwrap())
        };
        assert_eq!(fold(&late), fold(&early).map(|at| at + more));
    }
}

#[test]
fn a_report_says_what_the_rule_demands() {
    let host = Host::builder().seed(1).build();
    let driver = host
        .load_with("forgetful", |_, _| {
            // SAFETY: sixteen bytes of pool memory.
            let memory = unsafe {
                ndis_sys::ExAllocatePoolWithTag(ndis_sys::NonPagedPoolNx, 16, 0x3147_6154)
            };
            if memory.is_null() { -1 } else { 0 }
        })
        .expect("the driver loads");
    host.unload(&driver);
    let report = host.finish();
    let sentence = ndis_host::rules::sentence("DV-17").expect("a rule of the book");
    assert_eq!(report.violations[0].sentence, sentence);
    let text = report.to_string();
    assert!(
        text.contains(&format!("    the rule: {sentence}\n")),
        "{text}"
    );
}

#[test]
fn the_chart_is_well_formed_and_complete() {
    let svg = chart::svg(&events(2), chart::call(1));
    assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
    for name in [
        "client-a",
        "NDIS",
        "raw-mcm",
        "client-b",
        "NdisClMakeCall",
        "ProtocolClCallConnected",
        "ProtocolCmCloseCall",
    ] {
        assert!(svg.contains(name), "{name}");
    }
    let opened = svg.matches("<text").count() + svg.matches("<tspan").count();
    let closed = svg.matches("</text>").count() + svg.matches("</tspan>").count();
    assert_eq!(opened, closed);
    if let Some(path) = std::env::var_os("NDIS_HOST_CHART") {
        std::fs::write(path, svg).expect("the chart is written");
    }
}
