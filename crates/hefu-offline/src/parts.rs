//! Bodies and commands: is each the one its leaf commits to, is the command signed, and was what is absent redacted?
//! (Sections 2 to 4.)

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::hash;
use crate::record::{Keys, Leaf, read_command};
use crate::{Finding, Place, Report, Verdict};

/// Id and key of a command.
pub(crate) type Order = (String, String);

impl Leaf {
    /// The id and the key of its command, as it says.
    pub(crate) fn order(&self) -> Order {
        (self.command.clone(), self.actor.clone())
    }

    /// Does it commit to this body?
    pub(crate) fn has_body(&self, body: &[u8]) -> bool {
        hash::to_hex(&hash::sha256(&[body])) == self.body_sha256
    }

    /// Does it commit to this command?
    pub(crate) fn has_command(&self, command: &[u8]) -> bool {
        hash::to_hex(&hash::sha256(&[command])) == self.command_sha256
    }
}

/// Does the command that a leaf names stand with another record?
pub(crate) enum Elsewhere {
    No,
    /// Yes, but what that record says of it is not to be believed.
    Doubtful,
    /// Yes, with this id and key.
    Yes(Order),
}

/// A record's parts. An empty body is withheld; an empty command stands with another record.
pub(crate) struct Parts<'a> {
    pub(crate) leaf: &'a Leaf,
    pub(crate) body: &'a [u8],
    pub(crate) command: &'a [u8],
    /// The record that is said to have redacted this one.
    pub(crate) claimed: Option<u64>,
    /// Whether chain or tree vouch for the leaf, so that what it redacts is redacted.
    pub(crate) sure: bool,
    pub(crate) elsewhere: Elsewhere,
}

/// A record that lacks something or says that it was redacted, with what would be wrong if nobody redacted it.
struct Lacking<'a> {
    place: Place<'a>,
    position: u64,
    command: String,
    body: bool,
    lacks_command: bool,
    claimed: Option<u64>,
    findings: Vec<Finding>,
}

/// What is known of bodies and commands so far.
#[derive(Default)]
pub(crate) struct Contents<'a> {
    pub(crate) origin: String,
    pub(crate) keys: Keys,
    lacking: Vec<Lacking<'a>>,
    /// Which record redacted which.
    redacted: BTreeMap<u64, u64>,
}

impl<'a> Contents<'a> {
    pub(crate) fn new(origin: String, keys: Keys) -> Self {
        Self { origin, keys, ..Self::default() }
    }

    /// Checks the parts of the record at `position`.
    pub(crate) fn check(&mut self, parts: &Parts<'_>, position: u64, place: Place<'a>, report: &mut Report) {
        let Parts { leaf, body, command, claimed, sure, .. } = *parts;
        let mut found = Report::default();
        if body.is_empty() {
            found.absent(place, "the body is withheld");
        } else if !leaf.has_body(body) {
            found.bad(place, "the body is not the one the leaf commits to");
        } else if leaf.kind == "record.redacted" && sure {
            let body: Value = serde_json::from_slice(body).unwrap_or_default();
            if let Some(named) = body["data"]["position"].as_u64().filter(|named| *named < position) {
                self.redacted.entry(named).or_insert(position);
            }
        }
        let lacks_command = command.is_empty() && matches!(parts.elsewhere, Elsewhere::No);
        match &parts.elsewhere {
            _ if !command.is_empty() => self.command(leaf, command, place, &mut found),
            Elsewhere::No => found.absent(place, "the command is missing"),
            Elsewhere::Yes(order) if *order != leaf.order() => {
                found.bad(place, "id or key of the command are not those of the record that has it");
            }
            Elsewhere::Yes(_) | Elsewhere::Doubtful => {}
        }
        report.signatures += found.signatures;
        if !body.is_empty() && !lacks_command && claimed.is_none() {
            return report.take(found.findings);
        }
        self.lacking.push(Lacking {
            place,
            position,
            command: leaf.command_sha256.clone(),
            body: body.is_empty(),
            lacks_command,
            claimed,
            findings: found.findings,
        });
    }

    fn command(&self, leaf: &Leaf, command: &[u8], place: Place<'_>, report: &mut Report) {
        if !leaf.has_command(command) {
            return report.bad(place, "the command is not the one the leaf commits to");
        }
        let Some(signed) = read_command(command) else {
            return report.bad(place, "the command is not a signed command in its one spelling");
        };
        let envelope = &signed.envelope;
        if envelope.ledger != self.origin {
            let what = format!("the command was signed for another ledger, {}", envelope.ledger);
            return report.bad(place, what);
        }
        if envelope.id != leaf.command || envelope.key != leaf.actor {
            report.bad(place, "id or key of the command are not those of the leaf");
        }
        let Some(public) = self.keys.get(&envelope.key) else {
            let what = format!("the public key of {} is nowhere in the log", envelope.key);
            return report.absent(place, what);
        };
        report.signatures += 1;
        if !signed.is_signed_by(public) {
            report.bad(place, format!("the command is not signed by the key it names, {}", envelope.key));
        }
    }

    /// What is absent is as it should be if a record redacted it: the body of the one it names, and the command of all
    /// records of that one's command.
    pub(crate) fn settle(&self, report: &mut Report) {
        let redacted = |one: &Lacking<'_>| self.redacted.get(&one.position).filter(|_| one.body);
        let mut commands: BTreeMap<&str, BTreeSet<u64>> = BTreeMap::new();
        for one in &self.lacking {
            if let Some(by) = redacted(one) {
                commands.entry(&one.command).or_default().insert(*by);
            }
        }
        for one in &self.lacking {
            let of_command = commands.get(one.command.as_str());
            let allowed = if one.body { redacted(one).is_some() } else { of_command.is_some() };
            // A frame must name the record that redacted it; that nobody did is said below.
            let nobody = !allowed && (one.body || one.lacks_command);
            let named = |by: &u64| match redacted(one) {
                Some(redactor) => redactor == by,
                None => of_command.is_some_and(|all| all.contains(by)),
            };
            if let Some(by) = one.claimed.filter(|by| !nobody && !named(by)) {
                report.bad(one.place, format!("the frame names record {by}, which did not redact it"));
            }
            let left = one.findings.iter().filter(|found| !allowed || found.weight == Verdict::ProvenBad);
            report.take(left.cloned().collect());
            if let Some(by) = redacted(one) {
                report.notes.push(format!("record {}: withheld (redacted by record {by})", one.position));
            }
        }
    }
}
