//! Replay audit: decides every stored command again, with the recorded instant, and compares what follows with what
//! is recorded. So the computation is verified, not only the bytes.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::ControlFlow,
};

use hefu_chain::{
    command::SignedCommand,
    key::{Batch, PublicKey as ChainKey},
    origin::Origin,
};
use hefu_domain::{
    command::Command,
    decide::{Context, Original, decide},
    event::Event,
    id::{KeyId, ProjectId},
    redaction::MARK,
    rejection::Rejection,
    state::{Meta, State},
};
use hefu_store::LogReader;

use crate::{
    answer::EngineError,
    authenticate::{endorsers, genesis_key, new_keys},
    decode::Decoder,
    fold,
    ledger::{public_key, timely},
    redaction,
};

/// Something that does not follow from the rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplayFinding {
    /// The record.
    pub position: u64,
    /// Stable code: `signature_wrong`, `not_timely`, `refused`, `differs`, `missing_event`, `extra_event`, `unreadable`.
    pub code: &'static str,
    /// In words.
    pub why: String,
}

/// A record whose command is withheld.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WithheldRecord {
    /// The record.
    pub position: u64,
    /// The record that redacted it, or another of its command.
    pub redacted_by: u64,
}

/// The outcome of a replay audit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReplayReport {
    /// Records looked at.
    pub records: u64,
    /// Commands decided again.
    pub commands: u64,
    /// What does not follow. Empty: every event follows from the rules in force at its position.
    pub findings: Vec<ReplayFinding>,
    /// Records that cannot be decided again, because they or another record of their command were redacted.
    pub withheld: Vec<WithheldRecord>,
    /// Commands of keys that were later said to be compromised from an earlier position on.
    pub suspect: Vec<u64>,
}

/// Signatures checked together.
const BATCH: usize = 256;

/// Replays a whole log. `progress` hears how many records are done.
pub fn replay(log: &dyn LogReader, progress: &dyn Fn(u64)) -> Result<ReplayReport, EngineError> {
    let (origin, _) = fold::identity(log)?;
    let mut audit = Audit {
        log,
        origin,
        state: State::default(),
        report: ReplayReport::default(),
        group: Vec::new(),
        withheld: None,
        sites: BTreeMap::new(),
        command: Vec::new(),
        signatures: Batch::default(),
        signed_at: Vec::new(),
        signers: Vec::new(),
    };
    let mut decoder = Decoder::new(log);
    let mut broken = None;
    log.scan(0, &mut |record| {
        if let Err(error) = audit.record(&record, &mut decoder) {
            broken = Some(error);
            return ControlFlow::Break(());
        }
        if record.position.is_multiple_of(1024) {
            progress(record.position);
        }
        ControlFlow::Continue(())
    })?;
    if let Some(error) = broken {
        // From here on the state is not what it was: nothing later could be judged.
        let position = audit.report.records;
        audit.find(position, "unreadable", error.to_string());
    } else {
        audit.settle_group();
    }
    audit.settle_signatures();
    audit.settle_withheld();
    audit.list_suspects();
    progress(audit.report.records);
    Ok(audit.report)
}

struct Audit<'l> {
    log: &'l dyn LogReader,
    origin: Origin,
    state: State,
    report: ReplayReport,
    /// The recorded events of the command being read.
    group: Vec<(Meta, Event, KeyId)>,
    command: Vec<u8>,
    /// The record that redacted the command being read, by its own frames' word.
    withheld: Option<u64>,
    /// Projects whose site a later record withheld, with that record.
    sites: BTreeMap<ProjectId, u64>,
    signatures: Batch,
    signed_at: Vec<u64>,
    signers: Vec<(u64, KeyId)>,
}

impl Audit<'_> {
    fn record(
        &mut self,
        record: &hefu_chain::record::RecordRef<'_>,
        decoder: &mut Decoder<'_>,
    ) -> Result<(), EngineError> {
        let fact = decoder.fact(record)?;
        let actor = redaction::actor(record.leaf, record.position)?;
        let same = self.group.last().is_some_and(|(meta, ..)| meta.command == fact.meta.command);
        if !same || !record.command.is_empty() {
            self.settle_group();
            self.command = record.command.to_vec();
            self.withheld = None;
        }
        self.withheld = self.withheld.or(record.redacted_by);
        if let (Some(by), Event::ProjectRegistered(_) | Event::ProjectLanded(_)) =
            (fact.redacted_by, &fact.event)
        {
            self.sites.extend(fact.event.project().map(|project| (project, by)));
        }
        self.group.push((fact.meta, fact.event, actor));
        self.report.records = record.position + 1;
        Ok(())
    }

    fn find(&mut self, position: u64, code: &'static str, why: String) {
        self.report.findings.push(ReplayFinding { position, code, why });
    }

    /// Decides the command just read again, compares, and folds what is recorded.
    fn settle_group(&mut self) {
        let group = std::mem::take(&mut self.group);
        let Some((first, _, actor)) = group.first() else { return };
        let (position, actor) = (first.position, *actor);
        if let Some(redacted_by) = self.withheld {
            let records =
                group.iter().map(|(meta, ..)| WithheldRecord { position: meta.position, redacted_by });
            self.report.withheld.extend(records);
            self.signers.push((position, actor));
            self.fold(&group);
            return;
        }
        self.report.commands += 1;
        match self.decide_again(*first, actor, &group) {
            Ok(expected) => {
                for (index, (meta, recorded, _)) in group.iter().enumerate() {
                    match expected.get(index) {
                        Some(event) if event == recorded => {}
                        Some(event) => {
                            let why = format!("the rules give {event:?}, recorded is {recorded:?}");
                            self.find(meta.position, "differs", why);
                        }
                        None => {
                            self.find(meta.position, "extra_event", format!("{recorded:?} does not follow"));
                        }
                    }
                }
                for event in expected.iter().skip(group.len()) {
                    self.find(position, "missing_event", format!("{event:?} should have been recorded"));
                }
            }
            Err((code, why)) => self.find(position, code, why),
        }
        self.fold(&group);
    }

    fn fold(&mut self, group: &[(Meta, Event, KeyId)]) {
        for (meta, event, _) in group {
            if let Err(error) = self.state.evolve(meta, event) {
                self.find(meta.position, "unreadable", error.to_string());
            }
        }
    }

    fn decide_again(
        &mut self,
        meta: Meta,
        actor: KeyId,
        recorded: &[(Meta, Event, KeyId)],
    ) -> Result<Vec<Event>, (&'static str, String)> {
        let unreadable = |why: String| ("unreadable", why);
        let signed = SignedCommand::parse(std::mem::take(&mut self.command))
            .map_err(|error| unreadable(error.to_string()))?;
        let command = Command::parse(signed.command_json()).map_err(|error| unreadable(error.to_string()))?;
        let wrong = |why: &str| ("signature_wrong", why.to_owned());
        let key = KeyId(signed.key().0);
        if signed.digest().0 != meta.command_sha256.0 || signed.id() != meta.command || key != actor {
            return Err(wrong("the leaf names another command or signer"));
        }
        if signed.ledger() != self.origin.as_str() {
            return Err(wrong("the command is for another ledger"));
        }
        let public = public_key(&self.state, key).or_else(|| genesis_key(&command));
        let public = public.ok_or_else(|| wrong("its key is not on record"))?;
        self.signatures.queue(&ChainKey(public.0), &signed.signing_message(), &signed.signature());
        self.signed_at.push(meta.position);
        self.signers.push((meta.position, key));
        if self.signed_at.len() == BATCH {
            self.settle_signatures();
        }
        if let Some((id, _)) = new_keys(&command).find(|(id, public)| ChainKey(public.0).id().0 != id.0) {
            return Err(wrong(&format!("key {id} does not follow from its public key")));
        }
        let endorsers = endorsers(&self.origin, &command, signed.command_json())
            .map_err(|refused| ("signature_wrong", refused.to_string()))?;
        let instant = |text: &str| text.parse().unwrap_or_default();
        let (at, not_after) = (instant(signed.at()), instant(signed.not_after()));
        timely(&self.state.policy, at, not_after, meta.ts)
            .map_err(|refused| ("not_timely", refused.to_string()))?;
        // Of a redaction everything is decided again but that what remains is the original without its texts.
        let original = match &command {
            Command::RedactRecord(c) => redaction::original(self.log, c.position)
                .map_err(|error| unreadable(error.to_string()))?
                .filter(|_| c.position < meta.position),
            _ => None,
        };
        let original =
            original.as_ref().map(|(actor, event)| Original { actor: *actor, event: event.as_ref() });
        let context = Context { ts: meta.ts, key, endorsers: &endorsers, original };
        let decided = decide(&self.state, &context, &command);
        let as_recorded = |decided: &Result<Vec<Event>, Rejection>| {
            let events = decided.as_deref().unwrap_or_default();
            events.iter().eq(recorded.iter().map(|(_, event, _)| event))
        };
        if !as_recorded(&decided)
            && let Some(assumed) = self.with_site(&meta, &context, &command).filter(as_recorded)
        {
            return assumed.map_err(|rejection| ("refused", rejection.to_string()));
        }
        decided.map_err(|rejection| ("refused", rejection.to_string()))
    }

    /// Decides a proposal as if it were to the site that a record still to come withholds: it may have been the same.
    fn with_site(
        &mut self,
        meta: &Meta,
        context: &Context<'_>,
        command: &Command,
    ) -> Option<Result<Vec<Event>, Rejection>> {
        let Command::ProposeTransfer(c) = command else { return None };
        let open = self.sites.get(&c.project).is_some_and(|by| meta.position < *by);
        let stay = self.state.projects.get_mut(&c.project)?.stays.last_mut()?;
        if !open || stay.site.as_deref() != Some(MARK) {
            return None;
        }
        stay.site.clone_from(&c.site);
        let decided = decide(&self.state, context, command);
        let stay = self.state.projects.get_mut(&c.project)?.stays.last_mut()?;
        stay.site = Some(MARK.to_owned());
        Some(decided)
    }

    fn settle_signatures(&mut self) {
        let right = self.signatures.verify();
        for (position, right) in std::mem::take(&mut self.signed_at).into_iter().zip(right) {
            if !right {
                self.find(
                    position,
                    "signature_wrong",
                    "the signature does not fit key and content".to_owned(),
                );
            }
        }
    }

    /// A frame may say that it is withheld; only a redaction on record makes it so.
    fn settle_withheld(&mut self) {
        let groups: BTreeSet<u64> = self.report.withheld.iter().map(|one| one.redacted_by).collect();
        let targets: BTreeSet<u64> = self.report.withheld.iter().map(|one| one.position).collect();
        let said =
            |by: &u64| self.state.redactions.iter().any(|(at, known)| known == by && targets.contains(at));
        for by in groups.iter().filter(|by| !said(by)).copied().collect::<Vec<_>>() {
            let at =
                self.report.withheld.iter().find(|one| one.redacted_by == by).map_or(0, |one| one.position);
            self.find(
                at,
                "unreadable",
                format!("its command is withheld, and record {by} does not redact it"),
            );
        }
    }

    fn list_suspects(&mut self) {
        let since = |key: &KeyId| self.state.keyring.keys.get(key)?.compromised_since;
        let suspect =
            self.signers.iter().filter(|(position, key)| since(key).is_some_and(|s| s <= *position));
        self.report.suspect = suspect.map(|(position, _)| *position).collect();
        self.report.findings.sort_by_key(|finding| finding.position);
    }
}
