//! The settings on the page of advanced properties
//! (specifying-configuration-parameters-for-the-advanced-properties-page.md).

use super::{
    super::{
        driver::ncf,
        keyword,
        param::{Number, limits},
        parse::Entry,
    },
    Checker, Rule, Severity,
};
use std::collections::BTreeMap;

/// The lines of one setting.
#[derive(Default)]
struct Lines<'d> {
    /// By the values' names in lower case.
    values: BTreeMap<String, &'d Entry>,
    /// What an `enum` can be.
    choices: BTreeMap<String, &'d Entry>,
}

impl<'d> Checker<'d> {
    /// Checks the lines that an adapter's install section adds below `Ndi\params`.
    pub(super) fn params(&mut self, lines: &[&'d Entry], characteristics: Option<u32>) {
        let mut params: BTreeMap<String, (&'d Entry, Lines<'d>)> = BTreeMap::new();
        for entry in lines {
            let mut parts = entry.field(1).split('\\').filter(|part| !part.is_empty());
            let mut is = |name: &str| parts.next().is_some_and(|p| p.eq_ignore_ascii_case(name));
            if !(entry.field(0).eq_ignore_ascii_case("HKR") && is("Ndi") && is("params")) {
                continue;
            }
            let Some(name) = parts.next() else {
                let message = "below Ndi\\params each setting has a key of its own";
                self.report(entry.line, Rule::AdvancedParameter, message);
                continue;
            };
            let (_, lines) = params
                .entry(name.to_ascii_lowercase())
                .or_insert((entry, Lines::default()));
            let place = match parts.next() {
                Some(below) if below.eq_ignore_ascii_case("enum") => &mut lines.choices,
                Some(_) => continue,
                None => &mut lines.values,
            };
            let value = entry.field(2);
            if place.insert(value.to_ascii_lowercase(), entry).is_some() {
                let message = format!("`{value}` of this key is said before");
                self.report(entry.line, Rule::RepeatedEntry, message);
            }
        }
        if let Some((first, _)) = params.values().next()
            && characteristics.is_some_and(|bits| bits & ncf::HAS_UI == 0)
        {
            let message = "`Characteristics` needs 0x80, NCF_HAS_UI, for the page to be shown";
            self.report(first.line, Rule::AdvancedParameter, message);
        }
        for (first, lines) in params.values() {
            self.param(first, lines);
        }
    }

    fn param(&mut self, first: &Entry, lines: &Lines<'d>) {
        let name = first.field(1).split('\\').filter(|part| !part.is_empty());
        let name = name.clone().nth(2).unwrap_or_default();
        let rule = Rule::AdvancedParameter;
        if keyword::is_reserved(name) {
            let message = format!("`{name}` is reserved: no setting has that name");
            self.report(first.line, rule, message);
        } else if name.starts_with('*') && keyword::standard(name).is_none() {
            let message = format!("`{name}` begins as standardized names do, and is none");
            self.report_as(Severity::Warning, first.line, rule, message);
        }
        for wanted in ["ParamDesc", "Type"] {
            if !lines.values.contains_key(&wanted.to_ascii_lowercase()) {
                let message = format!("the setting `{name}` has no `{wanted}`");
                self.report(first.line, rule, message);
            }
        }
        let optional = lines.values.get("optional");
        if let Some(entry) = optional
            && !["0", "1"].contains(&entry.field(4))
        {
            self.report(entry.line, rule, "`Optional` is 0 or 1");
        }
        let Some(kind) = lines.values.get("type") else {
            return;
        };
        let default = lines.values.get("default");
        if default.is_none() && optional.is_none_or(|entry| entry.field(4) != "1") {
            let message = format!("the setting `{name}` needs a `Default`: it is not optional");
            self.report(first.line, rule, message);
        }
        match kind.field(4).to_ascii_lowercase().as_str() {
            "edit" => {}
            "enum" => self.choice(name, kind, default.copied(), lines),
            number => match Number::of(number) {
                Some(kind) => self.number(kind, lines),
                None => {
                    let message = format!("`{number}` is no type of setting");
                    self.report(kind.line, rule, message);
                }
            },
        }
    }

    fn choice(&mut self, name: &str, kind: &Entry, default: Option<&Entry>, lines: &Lines<'d>) {
        let rule = Rule::AdvancedParameter;
        if lines.choices.is_empty() {
            let message = format!("the setting `{name}` has no values below its key `enum`");
            self.report(kind.line, rule, message);
            return;
        }
        for entry in lines.choices.values() {
            if entry.field(2).parse::<u32>().is_err() {
                let message = format!("the value `{}` is no number", entry.field(2));
                self.report(entry.line, rule, message);
            }
        }
        if let Some(entry) = default
            && !lines
                .choices
                .contains_key(&entry.field(4).to_ascii_lowercase())
        {
            let message = format!("the default `{}` is none of the values", entry.field(4));
            self.report(entry.line, rule, message);
        }
    }

    fn number(&mut self, kind: Number, lines: &Lines<'d>) {
        let rule = Rule::AdvancedParameter;
        let mut numbers = [None; 4];
        let mut last = None;
        for (place, name) in numbers.iter_mut().zip(["default", "min", "max", "step"]) {
            let Some(entry) = lines.values.get(name) else {
                continue;
            };
            let text = entry.field(4);
            last = last.or(Some(entry.line));
            *place = text.parse::<i64>().ok();
            if place.is_none() && !(text.is_empty() && name == "default") {
                let message = format!("`{}` is `{text}`, which is no number", entry.field(2));
                self.report(entry.line, rule, message);
                return;
            }
        }
        let [default, min, max, step] = numbers;
        if let (Some(why), Some(line)) = (limits(kind, default, min, max, step), last) {
            self.report(line, rule, why);
        }
    }
}
