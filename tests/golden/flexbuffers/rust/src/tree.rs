//! Any flexbuffer, as a value: written through serde as a client's types are.

use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{json, Value};

#[derive(Debug)]
pub enum Tree {
    Null,
    Bool(bool),
    Int(i64),
    UInt(u64),
    Float(f64),
    Text(String),
    Bytes(Vec<u8>),
    Seq(Vec<Tree>),
    Map(Vec<(String, Tree)>),
}

impl Tree {
    /// JSON that loses nothing: `["i","-5"]`, floats as the hex of their bits.
    pub fn tagged(&self) -> Value {
        match self {
            Tree::Null => json!(["n"]),
            Tree::Bool(x) => json!(["t", x]),
            Tree::Int(x) => json!(["i", x.to_string()]),
            Tree::UInt(x) => json!(["u", x.to_string()]),
            Tree::Float(x) => json!(["f", format!("{:016x}", x.to_bits())]),
            Tree::Text(x) => json!(["s", x]),
            Tree::Bytes(x) => json!(["b", crate::hex(x)]),
            Tree::Seq(xs) => json!(["l", xs.iter().map(Tree::tagged).collect::<Vec<_>>()]),
            Tree::Map(xs) => {
                let pairs: Vec<_> = xs.iter().map(|(key, x)| json!([key, x.tagged()])).collect();
                json!(["m", pairs])
            }
        }
    }
}

impl Serialize for Tree {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Tree::Null => to.serialize_unit(),
            Tree::Bool(x) => to.serialize_bool(*x),
            Tree::Int(x) => to.serialize_i64(*x),
            Tree::UInt(x) => to.serialize_u64(*x),
            Tree::Float(x) => to.serialize_f64(*x),
            Tree::Text(x) => to.serialize_str(x),
            Tree::Bytes(x) => to.serialize_bytes(x),
            Tree::Seq(xs) => {
                let mut seq = to.serialize_seq(Some(xs.len()))?;
                for x in xs {
                    seq.serialize_element(x)?;
                }
                seq.end()
            }
            Tree::Map(xs) => {
                let mut map = to.serialize_map(Some(xs.len()))?;
                for (key, x) in xs {
                    map.serialize_entry(key, x)?;
                }
                map.end()
            }
        }
    }
}

struct Reads;

impl<'de> Visitor<'de> for Reads {
    type Value = Tree;

    fn expecting(&self, to: &mut std::fmt::Formatter) -> std::fmt::Result {
        to.write_str("any flexbuffer")
    }
    fn visit_unit<E>(self) -> Result<Tree, E> {
        Ok(Tree::Null)
    }
    fn visit_bool<E>(self, x: bool) -> Result<Tree, E> {
        Ok(Tree::Bool(x))
    }
    fn visit_i64<E>(self, x: i64) -> Result<Tree, E> {
        Ok(Tree::Int(x))
    }
    fn visit_u64<E>(self, x: u64) -> Result<Tree, E> {
        Ok(Tree::UInt(x))
    }
    fn visit_f64<E>(self, x: f64) -> Result<Tree, E> {
        Ok(Tree::Float(x))
    }
    fn visit_str<E>(self, x: &str) -> Result<Tree, E> {
        Ok(Tree::Text(x.to_owned()))
    }
    fn visit_bytes<E>(self, x: &[u8]) -> Result<Tree, E> {
        Ok(Tree::Bytes(x.to_vec()))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Tree, A::Error> {
        let mut xs = Vec::new();
        while let Some(x) = from.next_element()? {
            xs.push(x);
        }
        Ok(Tree::Seq(xs))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Tree, A::Error> {
        let mut xs = Vec::new();
        while let Some(x) = from.next_entry()? {
            xs.push(x);
        }
        Ok(Tree::Map(xs))
    }
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Tree, D::Error> {
        from.deserialize_any(Reads)
    }
}
