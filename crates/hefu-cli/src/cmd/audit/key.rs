//! The log's public key as an auditor has it from elsewhere.

use std::path::Path;

use hefu_chain::{
    key::PublicKey,
    note::{KeyKind, VerifierKey},
    origin::Origin,
};
use serde_json::Value;

use crate::{
    context::read_file,
    error::{CliError, Result, exit},
    lang::text,
};

/// A public key, with or without the name of its log.
#[derive(Clone, Debug)]
pub(crate) enum LogKey {
    /// For whichever log.
    Bare(PublicKey),
    /// A C2SP verifier key: for the log of this name only.
    Named(VerifierKey),
}

impl LogKey {
    /// Hex or a verifier key; or a file that holds one, or the `public` of a key file.
    pub(crate) fn read(given: &str) -> Result<LogKey> {
        if let Some(key) = LogKey::parse(given) {
            return Ok(key);
        }
        let bytes = read_file(Path::new(given))?;
        let words = String::from_utf8_lossy(&bytes);
        let public = serde_json::from_slice::<Value>(&bytes).ok();
        let public = public.as_ref().and_then(|file| file.get("public")?.as_str());
        LogKey::parse(public.unwrap_or(words.trim())).ok_or_else(|| {
            let message = text(format!("{given} 不是公钥"), format!("{given} holds no public key"));
            let hint = text(
                "公钥为 64 位十六进制数字,或 `名称+编号+base64` 形式的日志验证密钥",
                "a public key is 64 hex digits, or a log's verifier key: `name+id+base64`",
            );
            CliError::new("bad_key", exit::BAD_INPUT, message).hint(hint)
        })
    }

    fn parse(given: &str) -> Option<LogKey> {
        let named = || given.parse().ok().filter(|key: &VerifierKey| key.kind() == KeyKind::Ed25519);
        given.parse().ok().map(LogKey::Bare).or_else(|| named().map(LogKey::Named))
    }

    /// The key itself.
    pub(crate) fn public(&self) -> PublicKey {
        match self {
            LogKey::Bare(public) => *public,
            LogKey::Named(key) => key.public(),
        }
    }

    /// The log it is for, if it says so.
    pub(super) fn origin(&self) -> Option<Origin> {
        match self {
            LogKey::Bare(_) => None,
            LogKey::Named(key) => key.name().as_str().parse().ok(),
        }
    }

    /// The key that notes of this log are checked with; nothing if the key is too weak for that.
    pub(super) fn verifier(&self, origin: &Origin) -> Option<VerifierKey> {
        match self {
            LogKey::Bare(public) => VerifierKey::of_log(origin, *public).ok(),
            LogKey::Named(key) => Some(key.clone()),
        }
    }
}
