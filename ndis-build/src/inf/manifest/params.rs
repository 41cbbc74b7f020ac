//! The settings of an adapter that its users see, from the manifest.

use super::super::{
    error::Error,
    keyword::{self, NETWORK_ADDRESS, Standard},
    param::{Number, Param, What, limits},
};
use super::{NDIS, Reader};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// `[package.metadata.ndis.miniport.params]`: one of its keys.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Written {
    desc: String,
    #[serde(rename = "type")]
    kind: Kind,
    default: Option<Value>,
    min: Option<i64>,
    max: Option<i64>,
    step: Option<i64>,
    values: Option<Values>,
    limit: Option<u32>,
    #[serde(default)]
    upper_case: bool,
    #[serde(default)]
    optional: bool,
}

#[derive(Clone, Copy, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Int,
    Long,
    Word,
    Dword,
    Enum,
    Edit,
}

impl Kind {
    fn number(self) -> Option<Number> {
        match self {
            Self::Int => Some(Number::Int),
            Self::Long => Some(Number::Long),
            Self::Word => Some(Number::Word),
            Self::Dword => Some(Number::Dword),
            Self::Enum | Self::Edit => None,
        }
    }
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a number, or a text for an `edit`")]
enum Value {
    Number(i64),
    Text(String),
}

#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "expected a list of texts, or a table of them by their numbers"
)]
enum Values {
    List(Vec<String>),
    Table(BTreeMap<String, String>),
}

impl Reader<'_> {
    pub(super) fn params(
        &self,
        written: BTreeMap<String, Written>,
    ) -> Result<BTreeMap<String, Param>, Error> {
        let mut names = BTreeSet::new();
        let mut params = BTreeMap::new();
        for (name, written) in written {
            let key = format!("miniport.params.{name}");
            self.word(&key, name.strip_prefix('*').unwrap_or(&name))?;
            let invalid = |why: String| Err(self.invalid(&key, why));
            if !names.insert(name.to_ascii_lowercase()) {
                return invalid("is there in another case: names have none".to_owned());
            }
            if keyword::is_reserved(&name) {
                return invalid("is what Windows or the INF itself puts there".to_owned());
            }
            let what = self.what(&key, &written)?;
            if let Some(why) = against_standard(&name, &what) {
                return invalid(why);
            }
            if !written.optional && what.default().is_none() {
                return invalid("needs a default: it is not optional".to_owned());
            }
            self.text(&format!("{key}.desc"), &written.desc)?;
            let param = Param {
                desc: written.desc,
                optional: written.optional,
                what,
            };
            params.insert(name, param);
        }
        Ok(params)
    }

    fn what(&self, key: &str, written: &Written) -> Result<What, Error> {
        let invalid = |why: String| self.invalid(key, why);
        let of = |what: &str, there: bool, kinds: &str| match there {
            true => Err(invalid(format!("only {kinds} has a `{what}`"))),
            false => Ok(()),
        };
        let kind = written.kind;
        if kind.number().is_none() {
            of("min", written.min.is_some(), "a number")?;
            of("max", written.max.is_some(), "a number")?;
            of("step", written.step.is_some(), "a number")?;
        }
        if kind != Kind::Enum {
            of("values", written.values.is_some(), "an `enum`")?;
        }
        if kind != Kind::Edit {
            of("limit", written.limit.is_some(), "an `edit`")?;
            of("upper-case", written.upper_case, "an `edit`")?;
        }
        let number = match &written.default {
            None => None,
            Some(Value::Number(number)) => Some(*number),
            Some(Value::Text(_)) if kind == Kind::Edit => None,
            Some(Value::Text(text)) => {
                return Err(invalid(format!("the default `{text}` is no number")));
            }
        };
        if let Some(kind) = kind.number() {
            let (min, max, step) = (written.min, written.max, written.step);
            if let Some(why) = limits(kind, number, min, max, step) {
                return Err(invalid(why));
            }
            return Ok(What::Number {
                kind,
                default: number,
                min,
                max,
                step,
            });
        }
        if kind == Kind::Enum {
            let values = self.values(key, written.values.as_ref())?;
            let default = match number {
                None => None,
                Some(number) => {
                    let known = u32::try_from(number).ok();
                    let known = known.filter(|number| values.contains_key(number));
                    let why = || invalid(format!("the default {number} is none of the values"));
                    Some(known.ok_or_else(why)?)
                }
            };
            return Ok(What::Choice { values, default });
        }
        let default = match &written.default {
            None => None,
            Some(Value::Text(text)) => Some(text.clone()),
            Some(Value::Number(number)) => {
                return Err(invalid(format!("the default {number} is no text")));
            }
        };
        if let Some(text) = &default {
            self.phrase(&format!("{NDIS}.{key}.default"), text, 255)?;
            if written
                .limit
                .is_some_and(|limit| text.len() > limit as usize)
            {
                return Err(invalid("the default is longer than its limit".to_owned()));
            }
        }
        Ok(What::Text {
            default,
            limit: written.limit,
            upper_case: written.upper_case,
        })
    }

    fn values(&self, key: &str, written: Option<&Values>) -> Result<BTreeMap<u32, String>, Error> {
        let invalid = |why: String| self.invalid(key, why);
        let mut values = BTreeMap::new();
        match written {
            None => {}
            Some(Values::List(texts)) => values.extend((0..).zip(texts.iter().cloned())),
            Some(Values::Table(texts)) => {
                for (number, text) in texts {
                    // As it is written: `01` is another name than `1`.
                    let plain = number.parse::<u32>().ok();
                    let plain = plain.filter(|plain| plain.to_string() == *number);
                    let why = || invalid(format!("the value `{number}` is no number"));
                    values.insert(plain.ok_or_else(why)?, text.clone());
                }
            }
        }
        if values.is_empty() {
            return Err(invalid("needs `values` to choose from".to_owned()));
        }
        for text in values.values() {
            self.text(&format!("{key}.values"), text)?;
        }
        Ok(values)
    }
}

/// What is wrong with a setting that is standardized, or says that it is.
fn against_standard(name: &str, what: &What) -> Option<String> {
    if name.eq_ignore_ascii_case(NETWORK_ADDRESS) && !matches!(what, What::Text { .. }) {
        return Some("is an `edit`: the standard says so".to_owned());
    }
    if !name.starts_with('*') {
        return None;
    }
    match (keyword::standard(name), what) {
        (None, _) => Some("is not standardized: only names that are begin with `*`".to_owned()),
        (Some(Standard::Number), What::Number { .. }) | (Some(Standard::Other), _) => None,
        (Some(Standard::Number), _) => Some("is an `int`: the standard says so".to_owned()),
        (Some(Standard::Choice(count)), What::Choice { values, .. }) => {
            let beyond = values.keys().find(|value| **value >= count)?;
            Some(format!("has no value {beyond} in the standard"))
        }
        (Some(Standard::Choice(_)), _) => Some("is an `enum`: the standard says so".to_owned()),
    }
}
