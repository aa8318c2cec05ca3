//! One case for each Rust type that a client may use, with the bytes of it.

use crate::tree::Tree;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;
use std::collections::{BTreeMap, HashMap};

#[derive(Debug, Serialize, Deserialize)]
struct Point {
    x: i32,
    y: i32,
}
/// Fields out of the alphabet's order: their names are written in this order.
#[derive(Debug, Serialize, Deserialize)]
struct Sample {
    name: String,
    count: u64,
    ratio: f64,
    tags: Vec<String>,
    at: Option<Point>,
    kind: Shape,
    raw: ByteBuf,
    ok: bool,
}
#[derive(Debug, Serialize, Deserialize)]
enum Shape {
    Unit,
    Newtype(u32),
    Tuple(i32, String),
    Struct { w: f64, h: f32 },
}
#[derive(Debug, Serialize, Deserialize)]
struct Meters(f64);
#[derive(Debug, Serialize, Deserialize)]
struct Nothing;
#[derive(Debug, Serialize, Deserialize)]
struct Empty {}
#[derive(Debug, Serialize, Deserialize)]
struct Nested {
    points: Vec<Point>,
    inner: BTreeMap<String, Vec<Option<u8>>>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Named(String, u32);
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "kind")]
enum Tagged {
    Circle { r: f64 },
}
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum Untagged {
    Text(String),
}
#[derive(Debug, Serialize, Deserialize)]
struct Flat {
    z: i32,
    #[serde(flatten)]
    point: Point,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    note: Option<String>,
}

type Pair = (i32, i32);
type Mixed = (i32, f64, String, bool);

fn text(from: &str) -> String {
    from.to_owned()
}
fn point(x: i32, y: i32) -> Point {
    Point { x, y }
}
fn shape_struct() -> Shape {
    Shape::Struct { w: 0.1, h: 0.1 }
}
fn sample() -> Sample {
    Sample {
        name: text("größe"),
        count: u64::MAX,
        ratio: 0.1,
        tags: vec![text("a"), text("b"), text("a")],
        at: Some(point(1, -1)),
        kind: Shape::Newtype(7),
        raw: ByteBuf::from(vec![0, 255]),
        ok: true,
    }
}
fn nested() -> Nested {
    Nested {
        points: vec![point(1, 2), point(300, 4)],
        inner: BTreeMap::from([(text("x"), vec![Some(1), None]), (text("é"), vec![])]),
    }
}
fn named<const N: usize>(pairs: [(&str, i32); N]) -> BTreeMap<String, i32> {
    pairs.into_iter().map(|(key, x)| (text(key), x)).collect()
}

macro_rules! cases {
    ($($name:literal: $type:ty = $value:expr;)*) => {
        /// The cases as JSON: name, Rust type and value, Rust's notation of the
        /// value, bytes.
        pub fn print() {
            let mut lines = Vec::new();
            $(
                let value: $type = $value;
                lines.push(serde_json::json!({
                    "name": $name,
                    "type": stringify!($type),
                    "value": stringify!($value),
                    "debug": format!("{value:?}"),
                    "hex": crate::hex(&flexbuffers::to_vec(&value).expect("it can be written")),
                }).to_string());
            )*
            println!("[\n{}\n]", lines.join(",\n"));
        }

        /// Reads `bytes` as the type of the case `name` (or as any tree), and
        /// writes it again.
        pub fn read(name: &str, bytes: &[u8]) -> Result<(String, Vec<u8>), String> {
            match name {
                $($name => read_as::<$type>(bytes),)*
                "any" => read_as::<Tree>(bytes),
                _ => Err(format!("no case is called {name}")),
            }
        }
    };
}

fn read_as<T>(bytes: &[u8]) -> Result<(String, Vec<u8>), String>
where
    T: std::fmt::Debug + Serialize + for<'de> Deserialize<'de>,
{
    let value: T = flexbuffers::from_slice(bytes).map_err(|error| error.to_string())?;
    let again = flexbuffers::to_vec(&value).map_err(|error| error.to_string())?;
    Ok((format!("{value:?}"), again))
}

cases! {
    "unit": () = ();
    "unit struct": Nothing = Nothing;
    "bool": bool = true;
    "i8": i8 = -128;
    "i32 small": i32 = 5;
    "i32": i32 = -70_000;
    "i64 min": i64 = i64::MIN;
    "i64 2^53": i64 = 9_007_199_254_740_993;
    "u8": u8 = 200;
    "u32 small": u32 = 5;
    "u64 max": u64 = u64::MAX;
    "f32 one": f32 = 1.0;
    "f32": f32 = 0.1;
    "f64 half": f64 = 0.5;
    "f64": f64 = 0.1;
    "f64 minus zero": f64 = -0.0;
    "f64 infinity": f64 = f64::INFINITY;
    "char": char = 'é';
    "String": String = text("héllo \u{1f602} wörld");
    "String empty": String = String::new();
    "String with NUL": String = text("a\0b");
    "bytes": ByteBuf = ByteBuf::from(vec![1, 2, 0, 255]);
    "bytes empty": ByteBuf = ByteBuf::new();
    "Option None": Option<i32> = None;
    "Option Some": Option<i32> = Some(5);
    "newtype struct": Meters = Meters(2.5);
    "Vec<i32>": Vec<i32> = vec![1, -2, 300, 4, 5];
    "Vec<i32> of one": Vec<i32> = vec![1];
    "Vec<i32> of three": Vec<i32> = vec![1, 2, 3];
    "Vec<i64>": Vec<i64> = vec![1, i64::MIN];
    "Vec<u8>": Vec<u8> = vec![1, 2, 3, 4, 255];
    "Vec<u64>": Vec<u64> = vec![1, u64::MAX];
    "Vec<f32>": Vec<f32> = vec![0.1, 1.0];
    "Vec<f64>": Vec<f64> = vec![0.5, 0.1, 1.0, 0.0, -2.0];
    "Vec<bool>": Vec<bool> = vec![true, false, true];
    "Vec<String>": Vec<String> = vec![text("a"), text(""), text("a")];
    "Vec<Option<f64>>": Vec<Option<f64>> = vec![Some(0.1), None, Some(0.5)];
    "Vec<()>": Vec<()> = vec![(), ()];
    "Vec<Vec<u8>>": Vec<Vec<u8>> = vec![vec![], vec![1], vec![1, 2]];
    "Vec<bytes>": Vec<ByteBuf> = vec![ByteBuf::from(vec![1]), ByteBuf::new()];
    "Vec empty": Vec<i32> = vec![];
    "array": [u16; 4] = [1, 2, 3, 400];
    "tuple of one kind": Pair = (1, -2);
    "tuple": Mixed = (1, 0.1, text("x"), true);
    "tuple struct": Named = Named(text("x"), 5);
    "struct": Point = point(1, -2);
    "struct empty": Empty = Empty {};
    "struct of many": Sample = sample();
    "struct nested": Nested = nested();
    "enum unit": Shape = Shape::Unit;
    "enum newtype": Shape = Shape::Newtype(7);
    "enum tuple": Shape = Shape::Tuple(-1, text("x"));
    "enum struct": Shape = shape_struct();
    "enum tagged": Tagged = Tagged::Circle { r: 0.5 };
    "enum untagged": Untagged = Untagged::Text(text("x"));
    "struct flattened": Flat = Flat { z: 1, point: point(1, -2), note: None };
    "Vec<enum>": Vec<Shape> = vec![Shape::Unit, Shape::Newtype(1), shape_struct(), shape_struct()];
    "Vec<struct>": Vec<Point> = vec![point(1, 2), point(3, 4), point(300, 70_000)];
    "BTreeMap": BTreeMap<String, i32> = named([("b", 1), ("a", 2), ("\u{fb33}", 3), ("\u{1f602}", 4)]);
    "BTreeMap empty": BTreeMap<String, i32> = named([]);
    "HashMap of one": HashMap<String, bool> = HashMap::from([(text("__proto__"), true)]);
}
