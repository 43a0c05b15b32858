//! What a person may change while the product runs, as data: the form, the API and the check of a
//! change are views of one table. A setting is here only when something obeys it.

mod table;
mod texts;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::FieldError;

pub use table::SETTINGS;

/// A setting: where it is, what it takes and what it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// Its group.
    pub group: &'static str,
    /// Its key in the group.
    pub key: &'static str,
    /// What it takes.
    pub kind: Kind,
    /// What it is until somebody changes it.
    pub default: Preset,
    /// What it does, for people.
    pub text: &'static str,
    /// Whether a change takes effect at the next start only.
    pub needs_restart: bool,
}

/// What a setting takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// true or false.
    Flag,
    /// A whole number, both bounds included.
    Number {
        /// The least.
        min: i64,
        /// The greatest.
        max: i64,
    },
    /// A text, trimmed, of so many characters; control characters are refused.
    Text {
        /// The fewest.
        min_chars: i64,
        /// The most.
        max_chars: i64,
    },
    /// One of these words.
    Word(&'static [&'static str]),
    /// `system`, or an IANA name such as `Europe/Berlin`.
    TimeZone,
}

/// A default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preset {
    /// true or false.
    Flag(bool),
    /// A whole number.
    Number(i64),
    /// A text.
    Text(&'static str),
}

/// The word for the time zone of the machine.
pub const SYSTEM_ZONE: &str = "system";
/// The longest name of a time zone, in characters.
const MAX_ZONE_CHARS: i64 = 64;
impl Setting {
    /// The setting's place as one word: `ingest.paused`.
    pub fn name(&self) -> String {
        format!("{}.{}", self.group, self.key)
    }

    /// The JSON type of its values: `boolean`, `integer` or `string`.
    pub const fn json_type(&self) -> &'static str {
        match self.kind {
            Kind::Flag => "boolean",
            Kind::Number { .. } => "integer",
            Kind::Text { .. } | Kind::Word(_) | Kind::TimeZone => "string",
        }
    }

    /// The least number or the fewest characters, and the greatest or the most.
    pub const fn range(&self) -> Option<(i64, i64)> {
        match self.kind {
            Kind::Number { min, max } => Some((min, max)),
            Kind::Text {
                min_chars,
                max_chars,
            } => Some((min_chars, max_chars)),
            Kind::TimeZone => Some((1, MAX_ZONE_CHARS)),
            Kind::Flag | Kind::Word(_) => None,
        }
    }

    /// The only words it takes.
    pub const fn allowed(&self) -> Option<&'static [&'static str]> {
        match self.kind {
            Kind::Word(words) => Some(words),
            Kind::Flag | Kind::Number { .. } | Kind::Text { .. } | Kind::TimeZone => None,
        }
    }

    /// What it is until somebody changes it.
    pub fn default_value(&self) -> Value {
        match self.default {
            Preset::Flag(flag) => Value::Bool(flag),
            Preset::Number(number) => Value::from(number),
            Preset::Text(text) => Value::from(text),
        }
    }

    /// The value as it is kept; null is the default again. The error says what is taken.
    pub fn validate(&self, value: &Value) -> Result<Value, FieldError> {
        let refuse = |message: String| Err(FieldError::new(self.name(), message));
        if value.is_null() {
            return Ok(self.default_value());
        }
        match self.kind {
            Kind::Flag => match value {
                Value::Bool(_) => Ok(value.clone()),
                _ => refuse("must be true or false".to_owned()),
            },
            Kind::Number { min, max } => match value.as_i64() {
                Some(number) if (min..=max).contains(&number) => Ok(Value::from(number)),
                _ => refuse(format!("must be a whole number from {min} to {max}")),
            },
            Kind::Text {
                min_chars,
                max_chars,
            } => {
                let text = value.as_str().map(str::trim).filter(|text| {
                    let chars = i64::try_from(text.chars().count()).unwrap_or(i64::MAX);
                    (min_chars..=max_chars).contains(&chars) && !text.contains(char::is_control)
                });
                let Some(text) = text else {
                    return refuse(format!(
                        "must be a text of {min_chars} to {max_chars} characters"
                    ));
                };
                texts::check(&self.name(), text)
                    .map_or_else(|why| refuse(why.to_owned()), |()| Ok(Value::from(text)))
            }
            Kind::Word(words) => match value.as_str() {
                Some(word) if words.contains(&word) => Ok(Value::from(word)),
                given => Err(FieldError::unknown_word(
                    self.name(),
                    self.key,
                    given.unwrap_or_default(),
                    words,
                )),
            },
            Kind::TimeZone => match value.as_str().map(str::trim) {
                Some(name) if is_time_zone(name) => Ok(Value::from(name)),
                _ => refuse(
                    "must be system or the IANA name of a time zone, like Europe/Berlin".to_owned(),
                ),
            },
        }
    }
}

/// The setting at a place; an unknown group or key is an error with the nearest known one.
pub fn setting(group: &str, key: &str) -> Result<&'static Setting, FieldError> {
    let groups = groups();
    if !groups.contains(&group) {
        return Err(FieldError::unknown_word(
            group,
            "group of settings",
            group,
            &groups,
        ));
    }
    let of_group = || SETTINGS.iter().filter(|setting| setting.group == group);
    of_group()
        .find(|setting| setting.key == key)
        .ok_or_else(|| {
            let keys: Vec<_> = of_group().map(|setting| setting.key).collect();
            FieldError::unknown_word(format!("{group}.{key}"), "setting", key, &keys)
        })
}

/// Checks a change and gives the value to keep; null is the default again. The error's path is
/// `group.key`, and it says what is taken.
pub fn validate(group: &str, key: &str, value: &Value) -> Result<Value, FieldError> {
    setting(group, key)?.validate(value)
}

/// Every group with its keys at their defaults, in the order of the form within a group.
pub fn defaults() -> BTreeMap<String, Map<String, Value>> {
    let mut groups: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
    for setting in SETTINGS {
        let group = groups.entry(setting.group.to_owned()).or_default();
        group.insert(setting.key.to_owned(), setting.default_value());
    }
    groups
}

/// The names that a text such as `network.extra_hosts` lists.
pub fn names(text: &str) -> impl Iterator<Item = &str> {
    texts::hosts(text)
}

/// The groups, in the order of the form.
pub fn groups() -> Vec<&'static str> {
    let mut groups: Vec<&'static str> = Vec::new();
    for setting in SETTINGS {
        if !groups.contains(&setting.group) {
            groups.push(setting.group);
        }
    }
    groups
}

/// Whether it is `system` or the name of a time zone. The window, which does not carry the names,
/// judges the spelling only; the backend looks the name up.
pub fn is_time_zone(name: &str) -> bool {
    let is_spelled_well = (1..=MAX_ZONE_CHARS).contains(&i64::try_from(name.len()).unwrap_or(0))
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'_' | b'-' | b'+'));
    name == SYSTEM_ZONE || is_spelled_well && is_known_zone(name)
}

#[cfg(feature = "zones")]
fn is_known_zone(name: &str) -> bool {
    jiff::tz::TimeZoneDatabase::bundled().get(name).is_ok()
}

#[cfg(not(feature = "zones"))]
fn is_known_zone(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_default_is_a_value_that_is_taken() {
        for setting in SETTINGS {
            let default = setting.default_value();
            assert_eq!(
                setting.validate(&default),
                Ok(default),
                "{}",
                setting.name()
            );
            assert_eq!(setting.validate(&Value::Null), Ok(setting.default_value()));
            assert!(setting.text.len() > 20, "{} is explained", setting.name());
        }
        let names: std::collections::BTreeSet<_> = SETTINGS.iter().map(Setting::name).collect();
        assert_eq!(names.len(), SETTINGS.len(), "no setting is there twice");
        let count: usize = defaults().values().map(Map::len).sum();
        assert_eq!(count, SETTINGS.len());
    }

    #[test]
    fn bounds_are_in_and_what_is_past_them_is_refused_with_the_range() {
        for setting in SETTINGS {
            let Kind::Number { min, max } = setting.kind else {
                continue;
            };
            for good in [min, max] {
                assert_eq!(setting.validate(&json!(good)), Ok(json!(good)));
            }
            for bad in [
                json!(min - 1),
                json!(max + 1),
                json!(1.5),
                json!("60"),
                json!(true),
            ] {
                let error = setting.validate(&bad).expect_err("out of range");
                assert!(error.message.contains(&max.to_string()), "{error:?}");
                assert_eq!(error.path, setting.name());
            }
        }
        assert_eq!(
            validate("general", "analyst_name", &json!(" Ada ")),
            Ok(json!("Ada"))
        );
        for bad in [
            json!(""),
            json!("  "),
            json!("a\nb"),
            json!("x".repeat(101)),
            json!(1),
        ] {
            assert!(validate("general", "analyst_name", &bad).is_err(), "{bad}");
        }
        assert!(validate("ingest", "paused", &json!("yes")).is_err());
        let word = validate("approvals", "notifier", &json!("nome")).expect_err("no such word");
        assert_eq!(word.did_you_mean.as_deref(), Some("none"));
    }

    #[test]
    fn time_zones_are_named_as_the_iana_names_them() {
        for good in [
            "system",
            "UTC",
            "Europe/Berlin",
            "America/Argentina/Buenos_Aires",
        ] {
            assert!(
                validate("general", "time_zone", &json!(good)).is_ok(),
                "{good}"
            );
        }
        for bad in [
            "",
            "europe berlin",
            "../../etc/passwd",
            "+02:00",
            &"A".repeat(65),
        ] {
            assert!(
                validate("general", "time_zone", &json!(bad)).is_err(),
                "{bad}"
            );
        }
    }

    #[cfg(feature = "zones")]
    #[test]
    fn the_backend_knows_which_time_zones_there_are() {
        assert!(is_time_zone("Asia/Tokyo"));
        assert!(!is_time_zone("Europe/Atlantis"));
    }

    #[test]
    fn an_unknown_setting_is_refused_with_the_nearest() {
        let error = validate("limits", "ingest_per_minut", &json!(1)).expect_err("unknown");
        assert_eq!(error.did_you_mean.as_deref(), Some("ingest_per_minute"));
        assert_eq!(error.path, "limits.ingest_per_minut");
        let error = validate("limit", "ingest_burst", &json!(1)).expect_err("unknown");
        assert_eq!(error.did_you_mean.as_deref(), Some("limits"));
    }
}
