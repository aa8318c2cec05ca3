//! Random trees from a seed, biased to where layouts change: the edges of the
//! widths, shared keys, vectors of one kind and of mixed kinds.

use crate::tree::Tree;
use std::collections::HashSet;

struct Random(u64);

impl Random {
    /// SplitMix64: no crate, and the same on every machine.
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    }
    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u64) as usize]
    }

    fn uint(&mut self) -> u64 {
        let edge = self.pick(&[0, 1, 1 << 7, 1 << 8, 1 << 15, 1 << 16, 1 << 31, 1 << 32, 1 << 63]);
        match self.below(3) {
            0 => edge,
            1 => edge.wrapping_sub(1),
            _ => {
                let shift = self.below(64);
                self.next() >> shift
            }
        }
    }
    fn int(&mut self) -> i64 {
        let size = self.uint() as i64;
        if self.below(2) == 0 { size } else { size.wrapping_neg() }
    }
    fn float(&mut self) -> f64 {
        match self.below(5) {
            0 => self.pick(&[0.0, -0.0, 1.0, -1.5, 0.1, 1e300, f64::INFINITY, f64::NEG_INFINITY, f64::NAN]),
            1 => self.pick(&[f64::MIN_POSITIVE, f64::MAX, f32::MAX as f64, f32::MIN_POSITIVE as f64, 5e-324]),
            2 => self.int() as f32 as f64,
            3 => (self.below(1000) as f64) / 8.0,
            _ => (self.next() as i64 as f64) / 1e9,
        }
    }
    fn text(&mut self, longest: u64) -> String {
        let length = match self.below(80) {
            0 => self.pick(&[255, 256, 300]),
            _ => self.below(longest),
        };
        let plain = self.below(2) == 0;
        (0..length)
            .map(|_| match plain {
                true => (b'a' + self.below(26) as u8) as char,
                false => self.pick(&['z', 'é', 'e', '\u{301}', 'ß', '€', '漢', '\u{fb33}', '\u{ffff}', '😂', '𝄞', ' ', '"', '\u{1}']),
            })
            .collect()
    }
    fn key(&mut self) -> String {
        match self.below(4) {
            0 => self.text(6),
            1 => self.pick(&["", "__proto__", "10", "9", "\u{fb33}", "😂", "length"]).to_owned(),
            _ => self.pick(&["a", "b", "id", "name", "value", "x", "y"]).to_owned(),
        }
    }
    fn length(&mut self) -> u64 {
        match self.below(60) {
            0 => self.pick(&[255, 256]),
            _ => self.below(7),
        }
    }
    fn scalar(&mut self, kind: u64) -> Tree {
        match kind {
            0 => Tree::Null,
            1 => Tree::Bool(self.below(2) == 0),
            2 => Tree::Int(self.int()),
            3 => Tree::UInt(self.uint()),
            4 => Tree::Float(self.float()),
            5 => Tree::Text(self.text(20)),
            _ => {
                let length = self.length();
                Tree::Bytes((0..length).map(|_| self.next() as u8).collect())
            }
        }
    }
    fn tree(&mut self, depth: u64) -> Tree {
        match self.below(if depth == 0 { 7 } else { 16 }) {
            kind @ 0..=6 => self.scalar(kind),
            7..=8 => {
                // One kind: a typed vector, where the kind has one.
                let (kind, length) = (self.below(7), self.length());
                Tree::Seq((0..length).map(|_| self.scalar(kind)).collect())
            }
            9..=11 => {
                let length = self.below(6);
                Tree::Seq((0..length).map(|_| self.tree(depth - 1)).collect())
            }
            _ => {
                let length = if self.below(20) == 0 { 40 } else { self.below(6) };
                let mut seen = HashSet::new();
                let keys: Vec<_> = (0..length).map(|_| self.key()).filter(|key| seen.insert(key.clone())).collect();
                Tree::Map(keys.into_iter().map(|key| (key, self.tree(depth - 1))).collect())
            }
        }
    }
}

/// Offsets and lengths beyond what random trees of bearable size have.
fn large() -> Vec<Tree> {
    let text = |length| Tree::Text("x".repeat(length));
    vec![
        Tree::Seq(vec![text(65_535), text(65_536), Tree::Int(-1), text(0)]),
        Tree::Map(vec![
            ("b".to_owned(), text(70_000)),
            ("a".to_owned(), Tree::Seq(vec![Tree::Float(0.1), text(3)])),
        ]),
        Tree::Seq((0..70_000).map(|at| Tree::Int(at % 3)).collect()),
        Tree::Bytes(vec![7; 65_536]),
    ]
}

pub fn print(seed: u64, count: u64) {
    let mut random = Random(seed);
    let trees = (0..count).map(|at| random.tree(at % 5));
    for tree in trees.chain(large()) {
        let bytes = flexbuffers::to_vec(&tree).expect("any tree can be written");
        println!("{}", serde_json::json!([tree.tagged(), crate::hex(&bytes)]));
    }
}
