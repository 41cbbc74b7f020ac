//! The settings on the page of advanced properties.

use crate::broken::{Case, settings};
use ndis_build::inf::{Rule, Severity};

const LINES: &str = "HKR,Ndi\\params\\Lines";
const ROUTE: &str = "HKR,Ndi\\params\\Route";

/// One of the settings is wrong, at its line of this value.
fn wrong(old: &str, new: &str, line: &str) -> Case {
    settings()
        .replace(old, new)
        .breaks(Rule::AdvancedParameter, line)
}

pub fn cases() -> Vec<Case> {
    let of = |key: &str, name: &str, value: &str| format!("{key},{name},0x00000000,\"{value}\"");
    let line = |key: &str, name: &str| format!("{key},{name},");
    let desc = line(LINES, "ParamDesc");
    let mut cases = vec![
        wrong("0x84", "0x4", &desc),
        settings()
            .without(&desc)
            .breaks(Rule::AdvancedParameter, &line(LINES, "Type")),
        settings()
            .without(&line(LINES, "Type"))
            .breaks(Rule::AdvancedParameter, &desc),
        settings()
            .without(&line(LINES, "Default"))
            .breaks(Rule::AdvancedParameter, &desc),
        settings()
            .with("Install.Registry", "HKR,Ndi\\params,Lines,0,4")
            .breaks(Rule::AdvancedParameter, "HKR,Ndi\\params,Lines"),
        settings()
            .with("Install.Registry", "HKR,Ndi\\params\\lines,type,0,int")
            .breaks(Rule::RepeatedEntry, &line(LINES, "Type")),
        settings()
            .without(&format!("{ROUTE}\\enum,\"1\""))
            .without(&format!("{ROUTE}\\enum,\"0\""))
            .breaks(Rule::AdvancedParameter, &line(ROUTE, "Type")),
        settings()
            .replace("enum,\"1\"", "enum,\"one\"")
            .breaks(Rule::AdvancedParameter, &format!("{ROUTE}\\enum,\"one\"")),
        settings()
            .replace_all("params\\Lines", "params\\BusType")
            .breaks(Rule::AdvancedParameter, "HKR,Ndi\\params\\BusType"),
        settings()
            .replace_all("params\\Lines", "params\\*Lines")
            .breaks(Rule::AdvancedParameter, "HKR,Ndi\\params\\*Lines")
            .only(Severity::Warning),
    ];
    // Of a number it is the default's line that the limits are told at.
    let default = line(LINES, "Default");
    for (name, good, bad, at) in [
        ("Default", "4", "0", "Default"),
        ("Default", "4", "four", "Default"),
        ("Default", "4", "65", "Default"),
        ("Min", "1", "one", "Min"),
        ("Min", "1", "70", "Default"),
        ("Max", "64", "x", "Max"),
        ("Type", "int", "byte", "Type"),
        ("Optional", "0", "2", "Optional"),
    ] {
        let at = match at {
            "Default" => default.clone(),
            at => line(LINES, at),
        };
        cases.push(wrong(&of(LINES, name, good), &of(LINES, name, bad), &at));
    }
    let default = line(ROUTE, "Default");
    cases.push(wrong(
        &of(ROUTE, "Default", "0"),
        &of(ROUTE, "Default", "2"),
        &default,
    ));
    cases
}
