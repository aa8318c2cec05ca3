//! Golden vectors for Larder's flexbuffers codec, from the crates that Rust
//! clients use: `flexbuffers::to_vec(&value)` of serde types.
//!
//!     flexbuffers-golden typed                # ../typed.json
//!     flexbuffers-golden random SEED COUNT    # ../random.jsonl.gz, unpacked
//!     flexbuffers-golden odd                  # ../odd.json
//!     flexbuffers-golden read < lines         # reads what others wrote

mod odd;
mod random;
mod tree;
mod typed;

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub fn unhex(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("hex"))
        .collect()
}

/// Each line is `TYPE<tab>HEX`; each answer is a line of JSON: what was read, in
/// Rust's own notation, and what Rust makes of it when it writes it again.
fn read() {
    // All of it first: who asks may not listen before it has said everything.
    let questions = std::io::read_to_string(std::io::stdin()).expect("text");
    for line in questions.lines() {
        let (name, bytes) = line.split_once('\t').expect("TYPE<tab>HEX");
        let bytes = unhex(bytes);
        let answer = match typed::read(name, &bytes) {
            Ok((debug, again)) => serde_json::json!({ "debug": debug, "again": hex(&again) }),
            Err(error) => serde_json::json!({ "error": error }),
        };
        println!("{answer}");
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["typed"] => typed::print(),
        ["odd"] => odd::print(),
        ["random", seed, count] => random::print(
            seed.parse().expect("a seed"),
            count.parse().expect("a count"),
        ),
        ["read"] => read(),
        _ => {
            eprintln!("typed | odd | random SEED COUNT | read");
            std::process::exit(2);
        }
    }
}
