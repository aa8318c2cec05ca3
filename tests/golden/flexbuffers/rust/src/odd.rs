//! What the crate refuses, or does not give back as it was: where a TypeScript
//! program has to know more than which type is which.

use crate::tree::Tree;
use serde::ser::SerializeSeq;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::json;
use std::collections::BTreeMap;
use std::fmt::Debug;

#[derive(Debug, Serialize, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
enum Color {
    Red,
}
/// serde takes the first that fits.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum Number {
    Whole(i64),
    Real(f64),
}

/// So many vectors, one within the other.
#[derive(Debug)]
struct Deep(usize);

impl Serialize for Deep {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        if self.0 == 0 {
            return to.serialize_unit();
        }
        let mut seq = to.serialize_seq(Some(1))?;
        seq.serialize_element(&Deep(self.0 - 1))?;
        seq.end()
    }
}

impl<'de> Deserialize<'de> for Deep {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Deep, D::Error> {
        let mut tree = Tree::deserialize(from)?;
        let mut depth = 0;
        while let Tree::Seq(mut within) = tree {
            tree = within.pop().expect("one value");
            depth += 1;
        }
        Ok(Deep(depth))
    }
}

fn one<K: Ord>(key: K) -> BTreeMap<K, i32> {
    BTreeMap::from([(key, 1)])
}

/// What the crate makes of bytes: the value, or why it is none.
fn read<T: Debug + for<'de> Deserialize<'de>>(bytes: &[u8]) -> serde_json::Value {
    match flexbuffers::from_slice::<T>(bytes) {
        Ok(value) => json!({ "read": format!("{value:?}") }),
        Err(error) => json!({ "readError": error.to_string() }),
    }
}

/// A value that the crate writes, or refuses to, and what it reads of it.
fn written<T>(value: &T) -> serde_json::Value
where
    T: Debug + Serialize + for<'de> Deserialize<'de>,
{
    match flexbuffers::to_vec(value) {
        Err(error) => json!({ "writeError": error.to_string() }),
        Ok(bytes) => {
            let mut answer = read::<T>(&bytes);
            answer["hex"] = json!(crate::hex(&bytes));
            answer
        }
    }
}

macro_rules! cases {
    (written { $($name:literal: $type:ty = $value:expr;)* }
     foreign { $($other:literal: $as:ty = $hex:literal;)* }) => {
        /// The cases as JSON: what Rust writes, and what others write that Rust
        /// is to read as a type.
        pub fn print() {
            let mut lines = Vec::new();
            $(
                let value: $type = $value;
                let mut case = written(&value);
                case["name"] = json!($name);
                case["type"] = json!(stringify!($type));
                case["debug"] = json!(format!("{value:?}"));
                lines.push(case.to_string());
            )*
            $(
                let mut case = read::<$as>(&crate::unhex($hex));
                case["name"] = json!($other);
                case["type"] = json!(stringify!($as));
                case["hex"] = json!($hex);
                lines.push(case.to_string());
            )*
            println!("[\n{}\n]", lines.join(",\n"));
        }
    };
}

cases! {
    written {
        "i128": i128 = 5;
        "u128": u128 = 5;
        "char beyond U+00FF": char = '\u{142}';
        "map of i32": BTreeMap<i32, i32> = one(7);
        "map of bool": BTreeMap<bool, i32> = one(true);
        "map of char": BTreeMap<char, i32> = one('x');
        "map of enum": BTreeMap<Color, i32> = one(Color::Red);
        "map of Option": BTreeMap<Option<String>, i32> = one(Some("x".to_owned()));
        "untagged whole": Number = Number::Whole(2);
        "untagged float": Number = Number::Real(2.0);
        "f64 0": f64 = 0.0;
        "f64 -0": f64 = -0.0;
        "nested 500 deep": Deep = Deep(500);
        "nested 501 deep": Deep = Deep(501);
        "Ok": Result<u32, String> = Ok(7);
        "Err": Result<u32, String> = Err("no".to_owned());
        "bare": u32 = 7;
    }
    foreign {
        "2 ** 53 as u64": u64 = "0000005a0e04";
        "2 ** 53 as i64": i64 = "0000005a0e04";
        "2 ** 53 - 1 as u64": u64 = "ffffffffffff1f000708";
        "uint(2n ** 53n) as u64": u64 = "00000000000020000b08";
        "2 as f64": f64 = "020401";
        "2 as an untagged float": Number = "020401";
        "float(2) as an untagged float": Number = "000000400e04";
        "-0 as f64": f64 = "000401";
        "float(-0) as f64": f64 = "000000800e04";
        "a char key": BTreeMap<char, i32> = "780001030101010104022401";
        "an enum key": BTreeMap<Color, i32> = "5265640001050101010104022401";
        "an int key": BTreeMap<i32, i32> = "370001030101010104022401";
        "a kept error": Tree = "006c6172646572219d3af0175bc482ee610da97f34d816b2cb45902ef76813ad7b226e616d65223a2252616e67654572726f72222c226d657373616765223a226e6f227d";
        "JSON": Tree = "7b2261223a377d";
        "MessagePack": u32 = "81a16107";
        "MessagePack, by chance": u32 = "93050801";
        "bytes": u32 = "010203";
        "bytes, by chance": u32 = "050801";
        "Ok as bare": u32 = "4f6b0001040101010708022401";
        "bare as Ok": Result<u32, String> = "070801";
    }
}
