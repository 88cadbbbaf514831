//! What the ledger says to a command: a signed receipt, a signed refusal, or that it could not work.

use std::path::PathBuf;

use hefu_chain::{
    command::BadCommand as BadEnvelope,
    receipt::{Receipt, Refusal},
};
use hefu_domain::{
    command::BadCommand, event::UnknownEvent, evolve::Inconsistent, id::KeyId, rejection::Rejection,
    time::Timestamp,
};
use hefu_store::StoreError;
use uuid::Uuid;

use crate::publish::Unheld;

/// Why a command was refused: envelope first, then key, time, identity, and the rules.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Not the bytes of a signed command.
    #[error(transparent)]
    Envelope(#[from] BadEnvelope),
    /// For another ledger.
    #[error("the command is for ledger `{0}`")]
    WrongLedger(String),
    /// The command inside cannot be read.
    #[error("command {0}")]
    Malformed(#[from] BadCommand),
    /// The key is not on record.
    #[error("key {0} is not registered")]
    UnknownKey(KeyId),
    /// The signature does not fit key and content.
    #[error("the signature is wrong")]
    Signature,
    /// A second signature inside the command is wrong.
    #[error("the endorsement by {0} is wrong")]
    Endorsement(String),
    /// A key named in the command is unusable, or its id does not follow from it.
    #[error("key {0}: the public key is weak, or the id is not the first half of its SHA-256")]
    BadKey(KeyId),
    /// The command lost its force before it arrived.
    #[error("the command was valid until {not_after}; it is {now}")]
    Expired {
        /// Its limit.
        not_after: Timestamp,
        /// The ledger's time.
        now: Timestamp,
    },
    /// Signed too long ago, or in the future.
    #[error("signed at {at}; the ledger's time is {now}, beyond what policy tolerates")]
    Clock {
        /// The signer's time.
        at: Timestamp,
        /// The ledger's time.
        now: Timestamp,
    },
    /// The id belongs to another command.
    #[error("command id {id} was used before for another command, recorded at {position}")]
    IdReused {
        /// The id.
        id: Uuid,
        /// Where the other command is.
        position: u64,
    },
    /// A rule.
    #[error(transparent)]
    Rule(#[from] Rejection),
    /// This log keeps old versions of what it holds.
    #[error("the log of this ledger cannot forget: redaction needs a log in segments")]
    CannotForget,
    /// The new key of the log must be in the key store before it comes into force.
    #[error("the new log key {0} is not in this ledger's key store")]
    LogKeyElsewhere(KeyId),
    /// The record that a redaction names cannot be read.
    #[error("record {position} cannot be read: {why}")]
    Unreadable {
        /// The record.
        position: u64,
        /// What is wrong.
        why: String,
    },
    /// An earlier command of the same submission was refused, so this one was not looked at.
    #[error("not looked at: an earlier command of this submission was refused")]
    Skipped,
}

impl Refused {
    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Refused::Envelope(_) => "bad_envelope",
            Refused::WrongLedger(_) => "wrong_ledger",
            Refused::Malformed(bad) => bad.fault.code,
            Refused::UnknownKey(_) => "unknown_key",
            Refused::Signature => "bad_signature",
            Refused::Endorsement(_) => "bad_endorsement",
            Refused::BadKey(_) => "bad_key",
            Refused::Expired { .. } => "command_expired",
            Refused::Clock { .. } => "clock_skew",
            Refused::IdReused { .. } => "id_reused",
            Refused::Rule(rejection) => rejection.code(),
            Refused::CannotForget => "log_cannot_forget",
            Refused::LogKeyElsewhere(_) => "log_key_elsewhere",
            Refused::Unreadable { .. } => "record_unreadable",
            Refused::Skipped => "skipped",
        }
    }

    /// The field that is wrong, if one is.
    pub fn field(&self) -> Option<&str> {
        match self {
            Refused::Malformed(bad) if !bad.field.is_empty() => Some(&bad.field),
            Refused::Envelope(BadEnvelope::Field(field)) => Some(field),
            _ => None,
        }
    }

    /// The refusal in Chinese.
    pub fn zh(&self) -> String {
        match self {
            Refused::Envelope(bad) => format!("不是有效的已签名命令:{bad}"),
            Refused::WrongLedger(origin) => format!("该命令属于另一账本 `{origin}`"),
            Refused::Malformed(bad) => format!("命令无法读取:`{}` {}", bad.field, bad.fault.zh),
            Refused::UnknownKey(key) => format!("密钥 {key} 未登记"),
            Refused::Signature => "签名无效".to_owned(),
            Refused::Endorsement(key) => format!("{key} 的附签无效"),
            Refused::BadKey(key) => format!("密钥 {key} 不可用:公钥弱,或编号与公钥不符"),
            Refused::Expired { not_after, now } => format!("命令有效期至 {not_after},现在是 {now}"),
            Refused::Clock { at, now } => format!("签署时间 {at} 与账本时间 {now} 相差超出政策允许"),
            Refused::IdReused { id, position } => format!("命令编号 {id} 已用于位置 {position} 的另一命令"),
            Refused::Rule(rejection) => rejection.zh(),
            Refused::CannotForget => "本账本的存储方式无法移除内容:遮盖需用 segments 存储".to_owned(),
            Refused::LogKeyElsewhere(key) => format!("新的账本密钥 {key} 不在本账本的密钥库中"),
            Refused::Unreadable { position, why } => format!("第 {position} 号记录无法读取:{why}"),
            Refused::Skipped => "未处理:同一批中较早的命令被拒绝".to_owned(),
        }
    }
}

/// A command that is on record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// The command.
    pub id: Uuid,
    /// Position of its first record.
    pub position: u64,
    /// How many records it caused.
    pub records: u32,
    /// The first record's leaf, exactly as stored.
    pub leaf: Vec<u8>,
    /// The log's signature over the head of the commit it is in; `None` in a dry run.
    pub receipt: Option<Receipt>,
    /// It was on record before; this is the first receipt again.
    pub repeated: bool,
}

/// The answer to one command.
#[derive(Clone, Debug)]
pub enum Answer {
    /// On record.
    Accepted(Accepted),
    /// Refused, with the signed refusal where the command could be identified.
    Refused(Refused, Option<Box<Refusal>>),
}

impl Answer {
    /// The acceptance, if it is one.
    pub fn accepted(&self) -> Option<&Accepted> {
        match self {
            Answer::Accepted(accepted) => Some(accepted),
            Answer::Refused(..) => None,
        }
    }
}

/// Of commands that go together or not at all, if one was refused: the others are as good as not looked at. What was on
/// record before stays so.
pub fn undone(answers: &mut [Answer]) {
    if answers.iter().all(|answer| answer.accepted().is_some()) {
        return;
    }
    for answer in answers {
        if answer.accepted().is_some_and(|accepted| !accepted.repeated) {
            *answer = Answer::Refused(Refused::Skipped, None);
        }
    }
}

/// How a log can contradict a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disagreement {
    /// It has fewer records.
    Shorter,
    /// Its first records make another tree.
    Root,
}

impl std::fmt::Display for Disagreement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Shorter => "records are missing",
            Self::Root => "its records make another tree",
        })
    }
}

/// Why the engine could not work. Nothing here is the command's fault.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The store failed or refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file beside the log failed.
    #[error("cannot {op} {}: {source}", path.display())]
    File {
        /// What was tried.
        op: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A file beside the log does not hold what it should.
    #[error("{}: {why}", path.display())]
    BadFile {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// The log does not continue what its key signed before: records were lost or changed since. It is not opened for
    /// writing and nothing is signed.
    #[error(
        "the log of {size} records does not continue {}, which stands for {old}: {why}; find out what happened (`hefu audit verify`), then bring back the newest copy of the log",
        path.display()
    )]
    Checkpoint {
        /// The checkpoint.
        path: PathBuf,
        /// How many records it stands for.
        old: u64,
        /// How many records the log has.
        size: u64,
        /// In what.
        why: Disagreement,
    },
    /// The witnesses saw what the log does not continue, or too few of them can be asked.
    #[error(transparent)]
    Witnesses(#[from] Unheld),
    /// The key is not in the key store.
    #[error("no key `{name}` in {}", path.display())]
    NoKey {
        /// The name asked for.
        name: String,
        /// The key store.
        path: PathBuf,
    },
    /// The key store's log key is not this ledger's.
    #[error("the log key in {} is not this ledger's", path.display())]
    ForeignLogKey {
        /// The key store.
        path: PathBuf,
    },
    /// A record does not follow from the ones before it.
    #[error(
        "record {position} of the log does not follow from the ones before it ({why}); run `hefu audit verify` and `hefu audit replay`"
    )]
    BadRecord {
        /// Its position.
        position: u64,
        /// What is wrong.
        why: String,
    },
    /// Something that must be canonical is not: a defect of this program.
    #[error("internal: {0}")]
    Internal(String),
    /// A command could not be signed.
    #[error("cannot sign: {0}")]
    Sign(String),
    /// The system gave no randomness.
    #[error("the system gives no random bytes: {0}")]
    Random(String),
    /// The writer has stopped after a failure it could not recover from.
    #[error("the ledger has stopped: {0}")]
    Stopped(String),
}

impl EngineError {
    pub(crate) fn file(
        op: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(std::io::Error) -> EngineError {
        let path = path.into();
        move |source| EngineError::File { op, path, source }
    }

    pub(crate) fn bad_record(position: u64) -> impl Fn(String) -> EngineError {
        move |why| EngineError::BadRecord { position, why }
    }
}

/// What decoding a stored record can find wrong, as text for [`EngineError::BadRecord`].
pub(crate) fn unknown_event(error: &UnknownEvent) -> String {
    error.to_string()
}

/// See [`unknown_event`].
pub(crate) fn inconsistent(error: &Inconsistent) -> String {
    error.to_string()
}
