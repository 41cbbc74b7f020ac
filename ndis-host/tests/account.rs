//! The two ways to look at a run: the story and the chart of one call.

mod common;

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
