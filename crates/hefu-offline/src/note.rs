//! The log's public key, and the checkpoint it signs (c2sp.org/signed-note, c2sp.org/tlog-checkpoint).

use crate::Verdict;
use crate::hash::{self, Hash};

const MAX_NOTE: usize = 1 << 20;
const MAX_SIGNATURES: usize = 128;

/// The log's public key as the auditor got it, from somewhere else than the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogKey {
    /// The ledger it is for; a bare key is for whichever.
    pub name: Option<String>,
    /// The key itself.
    pub public: Hash,
}

impl LogKey {
    /// Reads 64 hex digits, or a verifier key `name+id+base64` whose id fits.
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(public) = hash::from_hex(text) {
            return Some(Self { name: None, public });
        }
        let mut parts = text.splitn(3, '+');
        let (name, id, key) = (parts.next()?, parts.next()?, hash::from_base64(parts.next()?)?);
        let (1, public) = key.split_first().map(|(kind, rest)| (*kind, rest))? else { return None };
        let key = Self { name: Some(name.to_owned()), public: public.try_into().ok()? };
        (is_origin(name) && hash::to_hex(&key.id(name)) == id).then_some(key)
    }

    /// Four bytes that tell keys of one name apart.
    fn id(&self, name: &str) -> [u8; 4] {
        let digest = hash::sha256(&[name.as_bytes(), b"\n\x01", &self.public]);
        [digest[0], digest[1], digest[2], digest[3]]
    }
}

/// What the log says of its tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which ledger.
    pub origin: String,
    /// How many records.
    pub size: u64,
    /// The root over their leaves.
    pub root: Hash,
}

/// Why a note is not, or not yet, the log's word.
pub type Doubt = (Verdict, String);

/// Reads a signed checkpoint without asking who signed it. Any other spelling than the one is refused.
pub fn read(note: &[u8]) -> Result<(Checkpoint, Vec<SignatureLine>), Doubt> {
    let bad = |why: &str| (Verdict::ProvenBad, format!("checkpoint: {why}"));
    let note = std::str::from_utf8(note).map_err(|_| bad("not UTF-8"))?;
    if note.len() > MAX_NOTE || note.bytes().any(|byte| byte < b' ' && byte != b'\n') {
        return Err(bad("too long, or with control characters"));
    }
    let blank = note.rfind("\n\n").ok_or_else(|| bad("no signatures"))?;
    let (text, lines) = (&note[..=blank], &note[blank + 2..]);
    let lines = lines.strip_suffix('\n').ok_or_else(|| bad("the last line is not ended"))?;
    let lines: Option<Vec<_>> = lines.split('\n').map(SignatureLine::parse).collect();
    let lines = lines.filter(|lines| lines.len() <= MAX_SIGNATURES);
    let lines = lines.ok_or_else(|| bad("a signature line is not `— name base64`"))?;

    let three = || {
        let [origin, size, root] =
            text.strip_suffix('\n')?.split('\n').collect::<Vec<_>>().try_into().ok()?;
        let checkpoint = Checkpoint {
            origin: Some(origin).filter(|origin| is_origin(origin))?.to_owned(),
            size: decimal(size)?,
            root: hash::from_base64(root)?.try_into().ok()?,
        };
        (checkpoint.size > 0 || checkpoint.root == hash::root(&[])).then_some(checkpoint)
    };
    let checkpoint = three().ok_or_else(|| bad("not the three lines origin, size, root"))?;
    Ok((checkpoint, lines))
}

/// Reads a signed checkpoint and makes sure that the log signed it.
pub fn open(note: &[u8], key: &LogKey) -> Result<Checkpoint, Doubt> {
    let (checkpoint, lines) = read(note)?;
    let name = key.name.as_ref().unwrap_or(&checkpoint.origin);
    let mine: Vec<_> = lines.iter().filter(|line| line.name == *name && line.id == key.id(name)).collect();
    let text = format!("{}\n{}\n{}\n", checkpoint.origin, checkpoint.size, hash::to_base64(&checkpoint.root));
    match mine.as_slice() {
        [] => Err((Verdict::NotProven, "checkpoint: not signed by the given key".to_owned())),
        [one] if hash::signed(&key.public, text.as_bytes(), &one.signature) => {
            if *name == checkpoint.origin {
                Ok(checkpoint)
            } else {
                Err((Verdict::NotProven, format!("checkpoint: of another ledger, {}", checkpoint.origin)))
            }
        }
        _ => Err((Verdict::ProvenBad, "checkpoint: the signature of the given key is wrong".to_owned())),
    }
}

/// A line under a note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureLine {
    name: String,
    id: [u8; 4],
    signature: Vec<u8>,
}

impl SignatureLine {
    fn parse(line: &str) -> Option<Self> {
        let (name, base64) = line.strip_prefix("— ")?.split_once(' ')?;
        let bytes = hash::from_base64(base64)?;
        let (id, signature) = bytes.split_first_chunk()?;
        let fits = !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c == '+');
        (fits && !signature.is_empty()).then(|| Self {
            name: name.to_owned(),
            id: *id,
            signature: signature.to_vec(),
        })
    }
}

/// A whole number without sign and leading zeros, at most 2^63 - 1.
pub fn decimal(text: &str) -> Option<u64> {
    let number: u64 = text.parse().ok()?;
    (number < 1 << 63 && number.to_string() == text).then_some(number)
}

/// The name of a ledger: visible ASCII without `+`, quote, backslash and `://`.
pub fn is_origin(text: &str) -> bool {
    let plain = text.bytes().all(|byte| byte.is_ascii_graphic() && !b"+\"\\".contains(&byte));
    (1..=255).contains(&text.len()) && plain && !text.contains("://")
}
