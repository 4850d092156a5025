//! The members of a JSON object, each still as text.

use std::borrow::Cow;

use serde::de::{Deserializer as _, MapAccess, Visitor};
use serde::{Deserialize, de};
use serde_json::value::RawValue;

/// An object split into the fields the schema names and the others.
#[derive(Debug, Clone)]
pub(crate) struct Object<'a, const N: usize> {
    /// The named fields, in the order of their names; `null` counts as absent.
    pub known: [Option<&'a RawValue>; N],
    /// The other members, in their own order.
    pub unknown: Vec<(Cow<'a, str>, &'a RawValue)>,
}

impl<const N: usize> Default for Object<'_, N> {
    fn default() -> Self {
        Self {
            known: [None; N],
            unknown: Vec::new(),
        }
    }
}

/// Why a text is no object of the schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It is no JSON.
    Syntax,
    /// It is another JSON value.
    NotAnObject,
    /// The field of this index stands there twice.
    Repeated(usize),
}

impl<'a, const N: usize> Object<'a, N> {
    /// Splits the object `json`. The names are the last parts of `pointers`, from `prefix` bytes on.
    pub(crate) fn split(json: &'a str, pointers: &[&'static str; N], prefix: usize) -> Result<Self, Fault> {
        let mut object = Self::default();
        let mut seen = [false; N];
        let mut repeated = None;
        let is_object = json.trim_ascii_start().starts_with('{');
        if !is_object {
            let valid = serde_json::from_str::<de::IgnoredAny>(json).is_ok();
            return Err(if valid { Fault::NotAnObject } else { Fault::Syntax });
        }
        for_each_member(json, |name, value| {
            let named = pointers
                .iter()
                .position(|pointer| pointer.get(prefix..) == Some(&*name));
            match named {
                None => object.unknown.push((name, value)),
                Some(index) => {
                    if std::mem::replace(&mut seen[index], true) {
                        repeated.get_or_insert(index);
                    }
                    object.known[index] = Some(value).filter(|value| value.get() != "null");
                }
            }
        })
        .map_err(|_| Fault::Syntax)?;
        repeated.map_or(Ok(object), |index| Err(Fault::Repeated(index)))
    }
}

/// Calls `member` for each member of the object `json`, in its order.
pub(crate) fn for_each_member<'a>(
    json: &'a str,
    member: impl FnMut(Cow<'a, str>, &'a RawValue),
) -> serde_json::Result<()> {
    let mut deserializer = serde_json::Deserializer::from_str(json);
    deserializer.deserialize_map(Members(member))?;
    deserializer.end()
}

struct Members<F>(F);

impl<'de, F: FnMut(Cow<'de, str>, &'de RawValue)> Visitor<'de> for Members<F> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some(Name(name)) = map.next_key()? {
            (self.0)(name, map.next_value()?);
        }
        Ok(())
    }
}

#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);
