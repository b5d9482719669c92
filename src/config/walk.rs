//! How decoding walks a tree: over the elements of a list, and over the entries of a map, whose keys may be numbers, too.
//! Every mistake learns on its way up which step led to it.

use super::decode::Mistake;
use super::tree::{Entry, Node, Step, Value};
use serde::de::{self, DeserializeSeed, IntoDeserializer, MapAccess, SeqAccess, Visitor};

/// The elements of a list, but for those that were reported wrong.
pub(super) struct Items<'a> {
    nodes: std::iter::Enumerate<std::slice::Iter<'a, Node>>,
}

impl<'a> Items<'a> {
    /// Over these.
    pub fn of(nodes: &'a [Node]) -> Self {
        Items { nodes: nodes.iter().enumerate() }
    }
}

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = Mistake;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Mistake> {
        let Some((index, node)) = self.nodes.find(|(_, node)| !matches!(node.value, Value::Skipped)) else {
            return Ok(None);
        };
        seed.deserialize(node).map(Some).map_err(|mistake| mistake.under(Step::Index(index), node))
    }
}

/// The entries of a map.
pub(super) struct Entries<'a> {
    entries: std::slice::Iter<'a, Entry>,
    value: Option<&'a Entry>,
}

impl<'a> Entries<'a> {
    /// Over these.
    pub fn of(entries: &'a [Entry]) -> Self {
        Entries { entries: entries.iter(), value: None }
    }
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = Mistake;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Mistake> {
        let Some(entry) = self.entries.next() else { return Ok(None) };
        self.value = Some(entry);
        let key = seed.deserialize(Key(&entry.key));
        key.map(Some).map_err(|mistake: Mistake| mistake.under(Step::Key(entry.key.clone()), &entry.node))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Mistake> {
        let entry = self.value.take().ok_or_else(|| Mistake::wrong("a value was asked for before its key"))?;
        seed.deserialize(&entry.node).map_err(|mistake| mistake.under(Step::Key(entry.key.clone()), &entry.node))
    }
}

/// A key of a map: text, a word of an enumeration, or a whole number.
struct Key<'a>(&'a str);

impl<'de> de::Deserializer<'de> for Key<'_> {
    type Error = Mistake;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        visitor.visit_str(self.0)
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        let number = self.0.parse();
        visitor.visit_u32(number.map_err(|_| Mistake::wrong("a key here is a whole number, 0 or more"))?)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mistake> {
        self.0.into_deserializer().deserialize_enum(name, variants, visitor)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}
