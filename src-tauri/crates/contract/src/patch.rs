//! PATCH fields: absent keeps, `null` clears, a value sets.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// One field of a PATCH body. Declare it with `#[serde(default)]`, so that an absent key is `Keep`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Patch<T> {
    /// The key was absent: keep what is stored.
    #[default]
    Keep,
    /// The key was `null`: clear what is stored.
    Clear,
    /// The key had a value: store it.
    Set(T),
}

impl<T> Patch<T> {
    /// Whether the key was absent.
    pub const fn is_keep(&self) -> bool {
        matches!(self, Self::Keep)
    }

    /// What is stored afterwards, given what is stored now.
    pub fn apply(self, stored: Option<T>) -> Option<T> {
        match self {
            Self::Keep => stored,
            Self::Clear => None,
            Self::Set(value) => Some(value),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Patch<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::<T>::deserialize(deserializer)?.map_or(Self::Clear, Self::Set))
    }
}

impl<T: Serialize> Serialize for Patch<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Set(value) => serializer.serialize_some(value),
            Self::Keep | Self::Clear => serializer.serialize_none(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Body {
        #[serde(default)]
        tags: Patch<Vec<String>>,
    }

    #[test]
    fn absent_null_and_value_are_three_things() {
        let read = |text| serde_json::from_str::<Body>(text).expect("valid").tags;
        assert_eq!(read("{}"), Patch::Keep);
        assert_eq!(read(r#"{"tags":null}"#), Patch::Clear);
        assert_eq!(read(r#"{"tags":["a"]}"#), Patch::Set(vec!["a".to_owned()]));
    }
}
