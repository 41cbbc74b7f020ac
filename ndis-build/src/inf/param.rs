//! A setting on the page of advanced properties
//! (specifying-configuration-parameters-for-the-advanced-properties-page.md).

use std::collections::BTreeMap;

/// A setting of an adapter that its users see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Param {
    /// What the page calls it.
    pub(super) desc: String,
    /// It may be absent.
    pub(super) optional: bool,
    pub(super) what: What,
}

/// What a setting is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum What {
    Number {
        kind: Number,
        default: Option<i64>,
        min: Option<i64>,
        max: Option<i64>,
        step: Option<i64>,
    },
    /// One of these values, each with what the page calls it.
    Choice {
        values: BTreeMap<u32, String>,
        default: Option<u32>,
    },
    Text {
        default: Option<String>,
        /// So many characters at most.
        limit: Option<u32>,
        upper_case: bool,
    },
}

impl What {
    /// The value of `Type`.
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Number { kind, .. } => kind.name(),
            Self::Choice { .. } => "enum",
            Self::Text { .. } => "edit",
        }
    }

    /// The value of `Default`, as text.
    pub(super) fn default(&self) -> Option<String> {
        match self {
            Self::Number { default, .. } => default.map(|number| number.to_string()),
            Self::Choice { default, .. } => default.map(|number| number.to_string()),
            Self::Text { default, .. } => default.clone(),
        }
    }
}

/// A type of number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Number {
    Int,
    Long,
    Word,
    Dword,
}

impl Number {
    pub(super) const ALL: [Self; 4] = [Self::Int, Self::Long, Self::Word, Self::Dword];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Int => "int",
            Self::Long => "long",
            Self::Word => "word",
            Self::Dword => "dword",
        }
    }

    /// The type of this name, in any case.
    pub(super) fn of(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.name().eq_ignore_ascii_case(name))
    }

    /// What a number of the type can be. No page says how wide the types are; they are taken to
    /// be what they are in C for Windows.
    pub(super) const fn range(self) -> (i64, i64) {
        match self {
            Self::Int | Self::Long => (i32::MIN as i64, i32::MAX as i64),
            Self::Word => (0, u16::MAX as i64),
            Self::Dword => (0, u32::MAX as i64),
        }
    }
}

/// What is wrong with a number's default and its limits; None for nothing.
pub(super) fn limits(
    kind: Number,
    default: Option<i64>,
    min: Option<i64>,
    max: Option<i64>,
    step: Option<i64>,
) -> Option<String> {
    let (least, most) = kind.range();
    let name = kind.name();
    let all = [
        ("default", default),
        ("min", min),
        ("max", max),
        ("step", step),
    ];
    for (what, number) in all {
        if let Some(number) = number
            && !(least..=most).contains(&number)
        {
            return Some(format!("the {what} {number} is no `{name}`"));
        }
    }
    if let (Some(min), Some(max)) = (min, max)
        && min > max
    {
        return Some(format!("the min {min} is above the max {max}"));
    }
    if let Some(step) = step.filter(|step| *step < 1) {
        return Some(format!("the step {step} leads nowhere"));
    }
    let number = default?;
    if min.is_some_and(|min| number < min) || max.is_some_and(|max| number > max) {
        return Some(format!("the default {number} is outside of min and max"));
    }
    // The minimum is where the steps begin.
    if let Some(step) = step
        && (number - min.unwrap_or(0)) % step != 0
    {
        return Some(format!("no step of {step} leads to the default {number}"));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_kept() {
        let check = |default, min, max, step| limits(Number::Word, default, min, max, step);
        assert_eq!(check(Some(4), Some(0), Some(8), Some(2)), None);
        assert_eq!(check(None, None, None, None), None);
        assert_eq!(check(Some(7), Some(1), Some(9), Some(3)), None);
        for (default, min, max, step) in [
            (Some(-1), None, None, None),
            (Some(65536), None, None, None),
            (None, Some(-1), None, None),
            (None, None, Some(65536), None),
            (None, Some(2), Some(1), None),
            (None, None, None, Some(0)),
            (Some(0), Some(1), None, None),
            (Some(9), None, Some(8), None),
            (Some(6), Some(1), Some(9), Some(3)),
        ] {
            assert!(
                check(default, min, max, step).is_some(),
                "{default:?} {min:?} {max:?}"
            );
        }
        assert_eq!(limits(Number::Int, Some(-3), Some(-4), None, None), None);
    }
}
