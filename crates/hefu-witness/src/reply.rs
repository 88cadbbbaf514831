//! What a witness answers, with the statuses of c2sp.org/tlog-witness.

use hefu_chain::{add_checkpoint::BadRequest, note::NoteSignature, origin::Origin, tree::BadProof};

use crate::error::WitnessError;

/// The answer to a request.
#[derive(Debug)]
pub enum Reply {
    /// 200: the checkpoint is on the witness's disk, and here is its cosignature.
    Cosigned(NoteSignature),
    /// 400: not a request.
    Malformed(BadRequest),
    /// 400: the signed text is no checkpoint of three lines.
    NoCheckpoint,
    /// 400: the old size exceeds the checkpoint's.
    OldTooLarge,
    /// 403: no key of the log that the witness knows has signed, or one did wrongly.
    NotSigned,
    /// 404: the witness does not watch this log.
    UnknownLog,
    /// 409: the old size is not the one the witness cosigned last, which is told.
    Conflict(u64),
    /// 422: the checkpoint does not grow from the one cosigned last.
    Inconsistent(BadProof),
    /// 500: the witness cannot vouch for its memory.
    Failed(WitnessError),
}

impl Reply {
    /// The HTTP status.
    pub fn status(&self) -> u16 {
        match self {
            Reply::Cosigned(_) => 200,
            Reply::Malformed(_) | Reply::NoCheckpoint | Reply::OldTooLarge => 400,
            Reply::NotSigned => 403,
            Reply::UnknownLog => 404,
            Reply::Conflict(_) => 409,
            Reply::Inconsistent(_) => 422,
            Reply::Failed(_) => 500,
        }
    }

    /// The content type of the body.
    pub fn content_type(&self) -> &'static str {
        match self {
            Reply::Conflict(_) => "text/x.tlog.size",
            Reply::Cosigned(_)
            | Reply::Malformed(_)
            | Reply::NoCheckpoint
            | Reply::OldTooLarge
            | Reply::NotSigned
            | Reply::UnknownLog
            | Reply::Inconsistent(_)
            | Reply::Failed(_) => "text/plain; charset=utf-8",
        }
    }

    /// The body.
    pub fn body(&self) -> String {
        match self {
            Reply::Cosigned(line) => format!("{line}\n"),
            Reply::Malformed(why) => format!("{why}\n"),
            Reply::NoCheckpoint => "the note is no checkpoint of exactly three lines\n".to_owned(),
            Reply::OldTooLarge => "the old size exceeds the checkpoint's\n".to_owned(),
            Reply::NotSigned => "no valid signature of a trusted key of this log\n".to_owned(),
            Reply::UnknownLog => "this log is not watched here\n".to_owned(),
            Reply::Conflict(size) => format!("{size}\n"),
            Reply::Inconsistent(why) => format!("{why}\n"),
            // What the disk said is for the operator of the witness.
            Reply::Failed(_) => "the witness cannot cosign now\n".to_owned(),
        }
    }
}

impl From<WitnessError> for Reply {
    fn from(error: WitnessError) -> Reply {
        Reply::Failed(error)
    }
}

/// The name of the log a note is about: its first line.
pub(crate) fn origin_of(text: &str) -> Option<Origin> {
    text.split('\n').next()?.parse().ok()
}
