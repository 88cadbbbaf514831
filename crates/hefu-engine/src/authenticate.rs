//! Is this the bytes of a command that its key really signed? Everything about a command that needs no state but the
//! public keys, so that it can run on any thread, in batches, before the writer looks at it.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use hefu_chain::{
    command::{self, SignedCommand},
    key::{Batch, PublicKey as ChainKey},
    origin::Origin,
};
use hefu_domain::{
    command::Command,
    id::{KeyId, PublicKey},
    time::Timestamp,
};

use crate::answer::Refused;

/// Public keys by id. An id is derived from its key, so an entry never changes; whether a key may still sign is a
/// rule, decided later.
pub(crate) type KeyDirectory = Arc<RwLock<HashMap<KeyId, PublicKey>>>;

/// A command whose bytes and form are right, and its signature as far as it was looked at.
#[derive(Debug)]
pub struct Authentic {
    pub(crate) signed: SignedCommand,
    pub(crate) command: Command,
    pub(crate) endorsers: Vec<PublicKey>,
    pub(crate) at: Timestamp,
    pub(crate) not_after: Timestamp,
    pub(crate) signature: SignatureCheck,
}

/// How far the envelope's signature was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SignatureCheck {
    /// It is right.
    Right,
    /// Not yet, or its key was not on record yet.
    Open,
}

/// What came in, looked at without the state.
pub(crate) type Checked = Result<Authentic, Box<Unauthentic>>;

/// A command that failed the checks that need no state.
#[derive(Debug)]
pub(crate) struct Unauthentic {
    pub(crate) refused: Refused,
    /// The command, where the envelope could be read.
    pub(crate) signed: Option<SignedCommand>,
}

/// Checks commands for one ledger.
#[derive(Clone, Debug)]
pub struct Authenticator {
    origin: Origin,
    keys: KeyDirectory,
}

impl Authenticator {
    pub(crate) fn new(origin: Origin, keys: KeyDirectory) -> Authenticator {
        Authenticator { origin, keys }
    }

    /// Looks at everything but the signatures.
    pub(crate) fn read(&self, inputs: Vec<Vec<u8>>) -> Vec<Checked> {
        inputs.into_iter().map(|bytes| self.read_one(bytes)).collect()
    }

    /// Checks the signatures that are still open and whose keys are known, in one batch.
    pub(crate) fn verify<'a>(&self, commands: impl IntoIterator<Item = &'a mut Checked>) {
        let mut batch = Batch::default();
        let mut queued = Vec::new();
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        for command in commands {
            let Ok(Authentic { signed, command: opened, signature: SignatureCheck::Open, .. }) = command
            else {
                continue;
            };
            let known = keys.get(&KeyId(signed.key().0)).copied();
            if let Some(public) = known.or_else(|| genesis_key(opened)) {
                batch.queue(&ChainKey(public.0), &signed.signing_message(), &signed.signature());
                queued.push(command);
            }
        }
        drop(keys);
        for (command, right) in queued.into_iter().zip(batch.verify()) {
            let Ok(authentic) = command else { continue };
            if right {
                authentic.signature = SignatureCheck::Right;
            } else {
                let signed = Some(authentic.signed.clone());
                *command = Err(Box::new(Unauthentic { refused: Refused::Signature, signed }));
            }
        }
    }

    fn read_one(&self, bytes: Vec<u8>) -> Checked {
        let signed = SignedCommand::parse(bytes)
            .map_err(|error| Box::new(Unauthentic { refused: error.into(), signed: None }))?;
        match self.open(&signed) {
            Ok((command, endorsers, at, not_after)) => {
                Ok(Authentic { signed, command, endorsers, at, not_after, signature: SignatureCheck::Open })
            }
            Err(refused) => Err(Box::new(Unauthentic { refused, signed: Some(signed) })),
        }
    }

    fn open(
        &self,
        signed: &SignedCommand,
    ) -> Result<(Command, Vec<PublicKey>, Timestamp, Timestamp), Refused> {
        if signed.ledger() != self.origin.as_str() {
            return Err(Refused::WrongLedger(signed.ledger().to_owned()));
        }
        let command = Command::parse(signed.command_json())?;
        new_keys(&command).try_for_each(|(id, public)| usable(id, public))?;
        let endorsers = endorsers(&self.origin, &command, signed.command_json())?;
        let instant = |text: &str| text.parse().unwrap_or_default();
        Ok((command, endorsers, instant(signed.at()), instant(signed.not_after())))
    }
}

/// The public keys whose endorsements inside `command` are right; the first wrong one refuses it.
pub(crate) fn endorsers(origin: &Origin, command: &Command, json: &[u8]) -> Result<Vec<PublicKey>, Refused> {
    let endorsements = command.endorsements();
    if endorsements.is_empty() {
        return Ok(Vec::new());
    }
    let message = command::endorsement_message(origin, json)?;
    let mut endorsers = Vec::with_capacity(endorsements.len());
    for endorsement in endorsements {
        let public = endorsement.public;
        let right = endorsement.sig.parse().is_ok_and(|sig| ChainKey(public.0).verify(&message, &sig));
        if !right {
            return Err(Refused::Endorsement(public.to_string()));
        }
        endorsers.push(public);
    }
    Ok(endorsers)
}

/// The log's key, which `create_ledger` itself brings.
pub(crate) fn genesis_key(command: &Command) -> Option<PublicKey> {
    match command {
        Command::CreateLedger(c) => Some(c.log_public),
        _ => None,
    }
}

/// The keys a command puts on record.
pub(crate) fn new_keys(command: &Command) -> impl Iterator<Item = (KeyId, PublicKey)> + '_ {
    let one = match command {
        Command::CreateLedger(c) => Some((c.log_key, c.log_public)),
        Command::RotateKey(c) => Some((c.key, c.public)),
        Command::RotateLogKey(c) => Some((c.key, c.public)),
        Command::RecoverKey(c) => Some((c.key, c.public)),
        _ => None,
    };
    let roots = match command {
        Command::CreateLedger(c) => c.roots.keys.as_slice(),
        _ => &[],
    };
    let entries = match command {
        Command::RegisterKeys(c) => c.keys.as_slice(),
        _ => &[],
    };
    let roots = roots.iter().map(|root| (root.key, root.public));
    one.into_iter().chain(roots).chain(entries.iter().map(|entry| (entry.key, entry.public)))
}

fn usable(id: KeyId, public: PublicKey) -> Result<(), Refused> {
    let key = ChainKey(public.0);
    if key.is_weak() || key.id().0 != id.0 { Err(Refused::BadKey(id)) } else { Ok(()) }
}
