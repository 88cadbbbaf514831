//! Records that replace the log's own key (section 3): who put the new key in force?

use serde_json::{Map, Value};

use crate::hash::{self, Hash};
use crate::record::Leaf;
use crate::segments::records;

const TYPE: &str = "log_key.rotated";

/// The root keys of record 0, and how many must sign together.
#[derive(Default)]
pub(crate) struct Roots {
    keys: Vec<Hash>,
    threshold: u64,
}

impl Roots {
    pub(crate) fn of(roots: &Value) -> Self {
        let keys = roots["keys"].as_array().into_iter().flatten();
        let keys = keys.filter_map(|root| hash::from_hex(root["public"].as_str()?)).collect();
        Self { keys, threshold: roots["threshold"].as_u64().unwrap_or(0) }
    }
}

/// One such record whose body is true to its leaf.
pub(crate) struct Rotation {
    pub(crate) file: String,
    pub(crate) position: u64,
    pub(crate) public: Hash,
    /// The command, if it is the one that the leaf names.
    command: Option<Value>,
}

/// All in the bytes of a segment file.
pub(crate) fn find(file: &str, bytes: &[u8]) -> Vec<Rotation> {
    if !bytes.windows(TYPE.len()).any(|window| window == TYPE.as_bytes()) {
        return Vec::new();
    }
    let rotation = |(leaf, body, command): (&[u8], &[u8], &[u8])| {
        let leaf = Leaf::parse(leaf).filter(|leaf| leaf.kind == TYPE)?;
        let digest = |bytes: &[u8]| hash::to_hex(&hash::sha256(&[bytes]));
        let body: Value = serde_json::from_slice(body).ok().filter(|_| digest(body) == leaf.body_sha256)?;
        let public = hash::from_hex(body["data"]["public"].as_str()?)?;
        let command = Some(command).filter(|command| digest(command) == leaf.command_sha256);
        let command = command.and_then(|command| serde_json::from_slice(command).ok());
        Some(Rotation { file: file.to_owned(), position: leaf.seq, public, command })
    };
    records(bytes).into_iter().filter_map(rotation).collect()
}

impl Rotation {
    /// The key before signed the command, or enough roots did; and the new key agreed.
    pub(crate) fn is_proven(&self, before: Option<Hash>, roots: &Roots, origin: &str) -> bool {
        self.proof(before, roots, origin).unwrap_or(false)
    }

    fn proof(&self, before: Option<Hash>, roots: &Roots, origin: &str) -> Option<bool> {
        let command = self.command.as_ref()?;
        let envelope = &command["envelope"];
        let says = |field: &str| envelope["command"][field].as_str();
        if says("type")? != "rotate_log_key"
            || hash::from_hex(says("public")?)? != self.public
            || envelope["ledger"].as_str()? != origin
        {
            return Some(false);
        }
        // What an endorsement signs: the command without the endorsements.
        let fields = envelope["command"].as_object()?.iter().filter(|(name, _)| *name != "endorsements");
        let bare: Map<String, Value> = fields.map(|(name, value)| (name.clone(), value.clone())).collect();
        let endorsements = &envelope["command"]["endorsements"];
        let mut consent = format!("hefu-endorsement-v1\n{origin}\n").into_bytes();
        consent.extend(serde_json::to_vec(&bare).ok()?);
        let endorser = |one: &Value| {
            let public = hash::from_hex(one["public"].as_str()?)?;
            let signature = hash::from_base64(one["sig"].as_str()?)?;
            hash::signed(&public, &consent, &signature).then_some(public)
        };
        let endorsers: Vec<Hash> = endorsements.as_array()?.iter().filter_map(endorser).collect();
        if !endorsers.contains(&self.public) {
            return Some(false);
        }
        let mut message = b"hefu-command-v1\n".to_vec();
        message.extend(serde_json::to_vec(envelope).ok()?);
        let signature = hash::from_base64(command["sig"].as_str()?)?;
        let by = |key: &Hash| hash::signed(key, &message, &signature);
        if before.is_some_and(|key| by(&key)) {
            return Some(true);
        }
        // A root signs the envelope; it and those that endorse are k of n together.
        let first = roots.keys.iter().find(|root| by(root))?;
        let agreed = roots.keys.iter().filter(|root| *root == first || endorsers.contains(root));
        Some(roots.threshold > 0 && agreed.count() as u64 >= roots.threshold)
    }
}
