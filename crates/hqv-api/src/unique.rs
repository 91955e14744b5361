//! Deserialisers that refuse what serde would let pass.
//!
//! Derived structs refuse a doubled key; a map keeps the last one silently. Two readers that disagree on which of two
//! values counts are a hole, so open maps are read here. [`given`] tells `null` from absent.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

struct UniqueMap<V>(PhantomData<V>);

impl<'de, V: Deserialize<'de>> Visitor<'de> for UniqueMap<V> {
    type Value = BTreeMap<String, V>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        let mut map = BTreeMap::new();
        while let Some((key, value)) = access.next_entry()? {
            if map.insert(key, value).is_some() {
                return Err(A::Error::custom("a key stands twice in one object"));
            }
        }
        Ok(map)
    }
}

/// Reads an object, refusing a doubled key.
///
/// # Errors
/// The deserialiser's.
pub fn deserialize<'de, D: Deserializer<'de>, V: Deserialize<'de>>(
    d: D,
) -> Result<BTreeMap<String, V>, D::Error> {
    d.deserialize_map(UniqueMap(PhantomData))
}

/// Writes it as any map.
///
/// # Errors
/// The serialiser's.
pub fn serialize<S: Serializer, V: Serialize>(map: &BTreeMap<String, V>, s: S) -> Result<S::Ok, S::Error> {
    map.serialize(s)
}

/// The same where the object may be absent. `null` is no object.
pub mod optional {
    use super::*;

    /// Reads an object that is there.
    ///
    /// # Errors
    /// The deserialiser's.
    pub fn deserialize<'de, D: Deserializer<'de>, V: Deserialize<'de>>(
        d: D,
    ) -> Result<Option<BTreeMap<String, V>>, D::Error> {
        super::deserialize(d).map(Some)
    }

    /// Writes it as any map.
    ///
    /// # Errors
    /// The serialiser's.
    pub fn serialize<S: Serializer, V: Serialize>(
        map: &Option<BTreeMap<String, V>>,
        s: S,
    ) -> Result<S::Ok, S::Error> {
        map.serialize(s)
    }
}

/// A field whose `null` means "take it away", while absent means "keep it".
pub mod given {
    use super::*;

    /// Reads a field that is there.
    ///
    /// # Errors
    /// The deserialiser's.
    pub fn deserialize<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
        d: D,
    ) -> Result<Option<Option<T>>, D::Error> {
        Option::<T>::deserialize(d).map(Some)
    }

    /// Writes the inner value or `null`.
    ///
    /// # Errors
    /// The serialiser's.
    pub fn serialize<S: Serializer, T: Serialize>(
        value: &Option<Option<T>>,
        s: S,
    ) -> Result<S::Ok, S::Error> {
        value.as_ref().and_then(Option::as_ref).serialize(s)
    }
}

struct DurationText;

impl Visitor<'_> for DurationText {
    type Value = Option<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a duration with its unit, such as \"1h\" or \"30m\"")
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Some(text.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }
}

/// Reads a duration's text; a bare number is refused with a sentence that names the unit. `null` is absent.
///
/// # Errors
/// The deserialiser's.
pub fn duration<'de, D: Deserializer<'de>>(d: D) -> Result<Option<String>, D::Error> {
    d.deserialize_any(DurationText)
}
