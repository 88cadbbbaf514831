//! Alters the seeds with numbers that are the same in every run. `FUZZ_ROUNDS=1000000 cargo test --release -p hefu-fuzz`
//! does it longer.

#![allow(clippy::unwrap_used, reason = "a test stops where something is missing")]

use std::fs;
use std::panic::catch_unwind;
use std::path::Path;

use hefu_fuzz::TARGETS;

const ROUNDS: u64 = 3000;

/// Numbers that look random (xorshift64*).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() >> 33).unwrap() % limit.max(1)
    }
}

/// What trips parsers: limits, signs, separators, escapes, text of several bytes.
const WORDS: [&[u8]; 30] = [
    b"0",
    b"-0",
    b"-1",
    b"255",
    b"256",
    b"65535",
    b"9007199254740992",
    b"9223372036854775808",
    b"1e3",
    b"0.5",
    b"\n",
    b"\n\n",
    b"\r\n",
    b"\0",
    b"=",
    b"==",
    b"\\u0000",
    b"\\/",
    b"\"",
    b"{}",
    b"x000/",
    b".p/",
    "合".as_bytes(),
    "万元".as_bytes(),
    "合计".as_bytes(),
    "，".as_bytes(),
    b",",
    b"(",
    b"</c>",
    b"\xff\xff\xff\xff",
];

/// One to four small changes.
fn alter(bytes: &mut Vec<u8>, other: &[u8], numbers: &mut Numbers) {
    for _ in 0..=numbers.below(4) {
        let at = numbers.below(bytes.len() + 1);
        let end = at + numbers.below(bytes.len() - at + 1).min(40);
        match numbers.below(9) {
            0 | 1 if at < bytes.len() => bytes[at] ^= 1 << numbers.below(8),
            2 if at < bytes.len() => bytes[at] = u8::try_from(numbers.below(256)).unwrap(),
            // A digit or letter of the same kind: text stays text.
            3 if at < bytes.len() && bytes[at].is_ascii_alphanumeric() => {
                bytes[at] = b"0123456789abcdefABCXYZ"[numbers.below(22)];
            }
            4 => drop(bytes.drain(at..end)),
            5 => {
                let piece = bytes[at..end].to_vec();
                let to = numbers.below(bytes.len() + 1);
                bytes.splice(to..to, piece);
            }
            6 => {
                let word = WORDS[numbers.below(WORDS.len())];
                bytes.splice(at..at, word.iter().copied());
            }
            7 => {
                let word = WORDS[numbers.below(WORDS.len())];
                let end = (at + word.len()).min(bytes.len());
                bytes.splice(at..end, word.iter().copied());
            }
            8 => {
                let from = numbers.below(other.len() + 1);
                bytes.truncate(at);
                bytes.extend_from_slice(&other[from..]);
            }
            _ => bytes.truncate(at),
        }
    }
}

#[test]
fn whatever_the_bytes_are_the_properties_hold() {
    let rounds = std::env::var("FUZZ_ROUNDS").ok().map_or(ROUNDS, |rounds| rounds.parse().unwrap());
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds");
    for (name, target) in TARGETS {
        let mut files: Vec<_> =
            fs::read_dir(folder.join(name)).unwrap().map(|file| file.unwrap().path()).collect();
        files.sort();
        let seeds: Vec<Vec<u8>> = files.iter().map(|file| fs::read(file).unwrap()).collect();
        let mut numbers = Numbers(0x9E37_79B9_7F4A_7C15);
        let mut accepted = 0;
        for round in 0..rounds {
            let mut bytes = seeds[numbers.below(seeds.len())].clone();
            let other = seeds[numbers.below(seeds.len())].clone();
            alter(&mut bytes, &other, &mut numbers);
            let outcome = catch_unwind(|| target(&bytes));
            let Ok(yes) = outcome else {
                panic!("{name}, round {round}: {:?}", String::from_utf8_lossy(&bytes))
            };
            accepted += u64::from(yes);
        }
        // Only some of what is altered is refused: the properties of what is accepted were put to the test.
        assert!(accepted > 0 && accepted < rounds, "{name}: {accepted} of {rounds} accepted");
    }
}
