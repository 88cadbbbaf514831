//! Commands of disputes (semantics section 6): opened by a party, answered, settled between the parties or ruled on by
//! the lowest common superior with four eyes, appealed once, final.
//!
//! A dispute changes no figure until its outcome is final; then the facts that make the difference follow in the same
//! record batch. Their sum is the ruled difference exactly.

mod remedy;

use remedy::{effects, minor_of, reported, scale_of};

use super::{Context, acts_for, in_role, optional_text, project, text};
use crate::{
    authority::Role,
    command::{
        AddEvidence, AnswerDispute, AppealRuling, ApproveRuling, DeclineRuling, OpenDispute, ProposeRuling,
        SettleDispute, Subject, WaiveAppeal, WithdrawDispute, WithdrawEvidence,
    },
    dispute::{Dispute, DisputeId, EvidenceItem, Matter, MatterKind, Proposal, Remedy, RemedyKind, Stage},
    event::{
        AppealWaived, DisputeAnswered, DisputeEscalated, DisputeJoined, DisputeOpened, DisputeSettled,
        DisputeWithdrawn, Event, EvidenceAdded, EvidenceWithdrawn, RulingAppealed, RulingApproved,
        RulingDeclined, RulingFinal, RulingProposed,
    },
    id::Evidence,
    region::RegionId,
    rejection::Rejection,
    settlement::Account,
    state::{Actor, Outcome, State},
    time::Date,
};

/// In which roles a party speaks, and a superior rules.
const PARTY: [Role; 3] = [Role::Office, Role::Statistics, Role::Treasury];
const RULER: [Role; 2] = [Role::Office, Role::Coordinator];

pub(super) fn open(
    state: &State,
    context: &Context<'_>,
    actor: &Actor,
    c: &OpenDispute,
) -> Result<Vec<Event>, Rejection> {
    let by = in_role(actor, &PARTY)?;
    let against = counterparties(state, &c.matter, by)?;
    if state.disputes.contains_key(&c.dispute) || state.joined.contains_key(&c.dispute) {
        return Err(Rejection::DisputeKnown { dispute: c.dispute });
    }
    optional_text("statement", &c.statement)?;
    evidence(state, &c.evidence)?;
    if let Some(amount) = &c.amount {
        minor_of(state, &c.matter, amount)?;
    }
    let OpenDispute { amount, dispute, evidence, reason, statement, matter } = c.clone();
    let code = state.code(by);
    if let Some(into) = state.open_disputes.get(&matter).copied() {
        let open = &state.disputes[&into];
        let spoken = open.by == by || state.joined.values().any(|known| known.into == into && known.by == by);
        if spoken {
            return Err(Rejection::AlreadyDisputed { dispute: into });
        }
        return Ok(vec![
            DisputeJoined { amount, by: code, dispute, evidence, into, reason, statement }.into(),
        ]);
    }
    let ruler = ruler(state, &matter, by, &against)?;
    let due = workdays(state, context, state.policy.dispute_answer_workdays);
    let against = against.into_iter().map(|region| state.code(region)).collect();
    let opened = DisputeOpened {
        against,
        amount,
        by: code,
        dispute,
        due,
        evidence,
        reason,
        ruler: state.code(ruler),
        statement,
        matter,
    };
    Ok(vec![opened.into()])
}

pub(super) fn answer(
    state: &State,
    context: &Context<'_>,
    actor: &Actor,
    c: &AnswerDispute,
) -> Result<Vec<Event>, Rejection> {
    let dispute = dispute(state, c.dispute)?;
    let must = dispute.others[0];
    acts_for(state, actor, must, &PARTY)?;
    at_stage(dispute, &[Stage::Opened])?;
    if let Some(due) = dispute.due.filter(|due| context.ts.date() > *due) {
        return Err(Rejection::LimitPassed { due });
    }
    text("statement", &c.statement)?;
    evidence(state, &c.evidence)?;
    let due = workdays(state, context, state.policy.dispute_ruling_workdays);
    let AnswerDispute { dispute, evidence, statement } = c.clone();
    Ok(vec![DisputeAnswered { by: state.code(must), dispute, due, evidence, statement }.into()])
}

pub(super) fn add_evidence(state: &State, actor: &Actor, c: &AddEvidence) -> Result<Vec<Event>, Rejection> {
    let dispute = dispute(state, c.dispute)?;
    let by = party(state, actor, dispute)?;
    at_stage(dispute, &[Stage::Opened, Stage::Argued, Stage::Ruled])?;
    evidence(state, &c.evidence)?;
    if c.evidence.is_empty() {
        return Err(Rejection::EvidenceMissing {});
    }
    let AddEvidence { dispute, evidence } = c.clone();
    Ok(vec![EvidenceAdded { by: state.code(by), dispute, evidence }.into()])
}

pub(super) fn withdraw_evidence(
    state: &State,
    actor: &Actor,
    c: &WithdrawEvidence,
) -> Result<Vec<Event>, Rejection> {
    let dispute = dispute(state, c.dispute)?;
    let known = dispute.evidence.iter().find(|(digest, _)| *digest == c.sha256);
    let (_, holder) = known.ok_or(Rejection::UnknownEvidence { sha256: c.sha256 })?;
    acts_for(state, actor, *holder, &PARTY)?;
    text("reason", &c.reason)?;
    let WithdrawEvidence { dispute, reason, sha256 } = c.clone();
    Ok(vec![EvidenceWithdrawn { by: state.code(*holder), dispute, reason, sha256 }.into()])
}

pub(super) fn settle(
    state: &State,
    context: &Context<'_>,
    actor: &Actor,
    c: &SettleDispute,
) -> Result<Vec<Event>, Rejection> {
    let id = c.dispute;
    let dispute = dispute(state, id)?;
    let by = party(state, actor, dispute)?;
    at_stage(dispute, &[Stage::Opened, Stage::Argued, Stage::Ruled])?;
    // Nobody is bound to what they did not sign.
    for other in dispute.parties().filter(|other| *other != by) {
        let signed = context.endorsers.iter().any(|public| {
            state.keyring.keys.values().any(|key| {
                let speaks = key.region == other && PARTY.contains(&key.role);
                speaks && key.ended.is_none() && key.public == *public
            })
        });
        if !signed {
            return Err(Rejection::EndorsementMissing { needed: state.code(other).to_string() });
        }
    }
    optional_text("statement", &c.statement)?;
    let (difference, effects) = effects(state, id, dispute, &c.remedy, by)?;
    let SettleDispute { dispute, remedy, statement, .. } = c.clone();
    let settled = DisputeSettled { by: state.code(by), difference, dispute, remedy, statement };
    Ok(std::iter::once(settled.into()).chain(effects).collect())
}

pub(super) fn withdraw(state: &State, actor: &Actor, c: &WithdrawDispute) -> Result<Vec<Event>, Rejection> {
    let dispute = dispute(state, c.dispute)?;
    acts_for(state, actor, dispute.by, &PARTY)?;
    at_stage(dispute, &[Stage::Opened, Stage::Argued])?;
    let mut joined = state.joined.values().filter(|joined| joined.into == c.dispute);
    if let Some(other) = joined.find(|joined| joined.by != dispute.by) {
        return Err(Rejection::OthersJoined { region: state.code(other.by) });
    }
    optional_text("reason", &c.reason)?;
    let by = state.code(dispute.by);
    let WithdrawDispute { dispute, reason } = c.clone();
    Ok(vec![DisputeWithdrawn { by, dispute, reason }.into()])
}

pub(super) fn propose_ruling(
    state: &State,
    actor: &Actor,
    c: &ProposeRuling,
) -> Result<Vec<Event>, Rejection> {
    let dispute = dispute(state, c.dispute)?;
    let ruler = competent(state, dispute);
    acts_for(state, actor, ruler, &RULER)?;
    // A ruling in force may be superseded, by the next level only.
    at_stage(dispute, &[Stage::Argued, Stage::Final])?;
    text("reasons", &c.reasons)?;
    if c.evidence.is_empty() && !dispute.evidence.is_empty() {
        return Err(Rejection::EvidenceMissing {});
    }
    for cited in &c.evidence {
        if !dispute.evidence.iter().any(|(known, _)| known == cited) {
            return Err(Rejection::UnknownEvidence { sha256: *cited });
        }
    }
    effects(state, c.dispute, dispute, &c.remedy, ruler)?;
    let ProposeRuling { dispute, evidence, reasons, remedy } = c.clone();
    let policy_version = state.policy_version;
    let by = state.code(ruler);
    Ok(vec![RulingProposed { by, dispute, evidence, policy_version, reasons, remedy }.into()])
}

pub(super) fn approve_ruling(
    state: &State,
    context: &Context<'_>,
    actor: &Actor,
    c: &ApproveRuling,
) -> Result<Vec<Event>, Rejection> {
    let dispute = dispute(state, c.dispute)?;
    let ruler = competent(state, dispute);
    acts_for(state, actor, ruler, &RULER)?;
    let proposal = dispute.proposal.as_ref().ok_or(Rejection::NoRulingProposed {})?;
    answers(c.subject.as_ref(), proposal)?;
    if matches!(actor, Actor::Authority { person, .. } if *person == proposal.person) {
        return Err(Rejection::SamePerson { person: proposal.person.clone() });
    }
    // The facts may have moved since the proposal.
    let (difference, effects) = effects(state, c.dispute, dispute, &proposal.remedy, ruler)?;
    let superior = above(state, dispute);
    let appealable = dispute.stage == Stage::Argued && !dispute.appealed && superior.is_some();
    let due = workdays(state, context, state.policy.dispute_appeal_workdays).filter(|_| appealable);
    let by = state.code(ruler);
    let id = c.dispute;
    let approved = RulingApproved { by, dispute: id, due, remedy: proposal.remedy.clone() };
    let mut events: Vec<Event> = vec![approved.into()];
    if due.is_none() {
        events.push(RulingFinal { difference, dispute: id, lapsed: None }.into());
        events.extend(effects);
    }
    Ok(events)
}

pub(super) fn decline_ruling(
    state: &State,
    actor: &Actor,
    c: &DeclineRuling,
) -> Result<Vec<Event>, Rejection> {
    let dispute = dispute(state, c.dispute)?;
    let ruler = competent(state, dispute);
    acts_for(state, actor, ruler, &RULER)?;
    let proposal = dispute.proposal.as_ref().ok_or(Rejection::NoRulingProposed {})?;
    answers(c.subject.as_ref(), proposal)?;
    text("reason", &c.reason)?;
    let (by, reason) = (state.code(ruler), c.reason.clone());
    Ok(vec![RulingDeclined { by, dispute: c.dispute, reason }.into()])
}

pub(super) fn appeal(
    state: &State,
    context: &Context<'_>,
    actor: &Actor,
    c: &AppealRuling,
) -> Result<Vec<Event>, Rejection> {
    let dispute = dispute(state, c.dispute)?;
    let by = party(state, actor, dispute)?;
    at_stage(dispute, &[Stage::Ruled])?;
    if dispute.waived.contains(&by) {
        return Err(Rejection::AppealWaived {});
    }
    if let Some(due) = dispute.due.filter(|due| context.ts.date() > *due) {
        return Err(Rejection::LimitPassed { due });
    }
    text("statement", &c.statement)?;
    evidence(state, &c.evidence)?;
    let ruler = above(state, dispute).ok_or(Rejection::DisputeStage { stage: "ruled" })?;
    let due = workdays(state, context, state.policy.dispute_ruling_workdays);
    let AppealRuling { dispute, evidence, statement } = c.clone();
    let (by, ruler) = (state.code(by), state.code(ruler));
    Ok(vec![RulingAppealed { by, dispute, due, evidence, ruler, statement }.into()])
}

pub(super) fn waive_appeal(state: &State, actor: &Actor, c: &WaiveAppeal) -> Result<Vec<Event>, Rejection> {
    let dispute = dispute(state, c.dispute)?;
    let by = party(state, actor, dispute)?;
    at_stage(dispute, &[Stage::Ruled])?;
    if dispute.waived.contains(&by) {
        return Err(Rejection::AppealWaived {});
    }
    let mut events: Vec<Event> = vec![AppealWaived { by: state.code(by), dispute: c.dispute }.into()];
    if dispute.parties().all(|party| party == by || dispute.waived.contains(&party)) {
        events.extend(finalise(state, c.dispute, dispute));
    }
    Ok(events)
}

/// What time brings: an answer that did not come, a ruler who did not rule, an appeal that was not made.
pub(super) fn due(state: &State, today: Date, context: &Context<'_>) -> Vec<Event> {
    let mut events: Vec<Event> = Vec::new();
    // Two rulings that come into force together must see each other: the second may find less room.
    let mut ahead: Option<State> = None;
    for (_, id) in state.dispute_deadlines.iter().take_while(|(due, _)| *due < today) {
        let state = ahead.as_ref().unwrap_or(state);
        let Some(dispute) = state.disputes.get(id) else { continue };
        let next = match dispute.stage {
            Stage::Opened => vec![escalated(state, context, *id, dispute.ruler)],
            // Nobody above is left to rule: what is on record stands, so that nothing is held up for ever.
            Stage::Argued => match above(state, dispute) {
                Some(ruler) => vec![escalated(state, context, *id, ruler)],
                None => vec![RulingFinal { difference: None, dispute: *id, lapsed: None }.into()],
            },
            Stage::Ruled => {
                let next = finalise(state, *id, dispute);
                ahead = Some(foreseen(state, context, &next));
                next
            }
            Stage::Final | Stage::Settled | Stage::Withdrawn => Vec::new(),
        };
        events.extend(next);
    }
    events
}

/// The state once these events are on record.
fn foreseen(state: &State, context: &Context<'_>, events: &[Event]) -> State {
    let mut ahead = state.clone();
    let meta = crate::state::Meta {
        position: 0,
        ts: context.ts,
        command: uuid::Uuid::nil(),
        command_sha256: crate::id::Digest([0; 32]),
        actor: context.key,
    };
    for event in events {
        // They follow from the state they are folded into.
        let _ = ahead.evolve(&meta, event);
    }
    ahead
}

fn escalated(state: &State, context: &Context<'_>, dispute: DisputeId, ruler: RegionId) -> Event {
    let due = workdays(state, context, state.policy.dispute_ruling_workdays);
    DisputeEscalated { dispute, due, ruler: state.code(ruler) }.into()
}

/// The approved ruling comes into force. If the room became smaller meanwhile, what fits is booked, and the difference
/// says so. If nothing of it can be booked any more, it is final all the same, for a limit cannot be refused; the record
/// says why it lapsed.
fn finalise(state: &State, id: DisputeId, dispute: &Dispute) -> Vec<Event> {
    let ruling = dispute.remedy.clone().unwrap_or(Remedy {
        amount: None,
        kind: RemedyKind::Dismiss,
        region: None,
        value: None,
    });
    let booked = match effects(state, id, dispute, &ruling, dispute.ruler) {
        Err(Rejection::RulingTooLarge { largest }) => {
            let fits = match ruling.kind {
                RemedyKind::CorrectValue => Remedy { value: Some(largest), ..ruling },
                RemedyKind::ConfirmClaim
                | RemedyKind::Credit
                | RemedyKind::Dismiss
                | RemedyKind::RejectClaim => Remedy { amount: Some(largest), ..ruling },
            };
            effects(state, id, dispute, &fits, dispute.ruler)
        }
        known => known,
    };
    let (difference, effects, lapsed) = match booked {
        Ok((difference, effects)) => (difference, effects, None),
        Err(refused) => (None, Vec::new(), Some(refused.code().to_owned())),
    };
    std::iter::once(RulingFinal { difference, dispute: id, lapsed }.into()).chain(effects).collect()
}

/// The other parties of a matter, first the one that must answer; refused if the signer is no party.
fn counterparties(state: &State, matter: &Matter, by: RegionId) -> Result<Vec<RegionId>, Rejection> {
    let project = project(state, matter.project)?;
    let stranger = Rejection::NotAParty { region: state.code(by) };
    if matter.line.is_some() && matter.kind != MatterKind::Line {
        return Err(Rejection::BadMatter { field: "line" });
    }
    match matter.kind {
        MatterKind::Claim | MatterKind::Transfer => {
            let number = matter.transfer.ok_or(Rejection::BadMatter { field: "transfer" })?;
            let transfer = project.transfers.get(number as usize);
            let transfer = transfer.ok_or(Rejection::NoSuchTransfer { transfer: number })?;
            let (origin, destination) = (project.now(transfer.origin), project.now(transfer.destination));
            let other = match by {
                _ if by == origin => destination,
                _ if by == destination => origin,
                _ => return Err(stranger),
            };
            let accepted = matches!(transfer.outcome, Outcome::Accepted | Outcome::Landed { .. });
            if !accepted || origin == destination {
                return Err(Rejection::NothingToDispute {});
            }
            match (matter.kind, matter.indicator, matter.period) {
                (_, None, None) => {}
                (MatterKind::Claim, Some(_), Some(_)) => {
                    scale_of(state, matter)?;
                }
                _ => return Err(Rejection::BadMatter { field: "indicator, period" }),
            }
            Ok(vec![other])
        }
        MatterKind::Line => {
            let (Some(id), None, None, None) =
                (matter.line, matter.indicator, matter.period, matter.transfer)
            else {
                return Err(Rejection::BadMatter { field: "line" });
            };
            let line = state.settlement.lines.get(&id).ok_or(Rejection::NoSuchLine { line: id })?;
            if line.project != matter.project {
                return Err(Rejection::BadMatter { field: "project" });
            }
            let Account { debtor, creditor, .. } = line.account;
            let (debtor, creditor) = (project.now(debtor), project.now(creditor));
            if debtor == creditor {
                return Err(Rejection::NothingToDispute {});
            }
            let other = match by {
                _ if by == debtor => creditor,
                _ if by == creditor => debtor,
                _ => return Err(stranger),
            };
            // What was decided is not held up again, nor is a ruling's own line.
            let decided = state.disputes.iter().find(|(_, known)| {
                let same = known.matter.line.is_some_and(|known| known == id || Some(known) == line.of);
                let over = match known.stage {
                    Stage::Final | Stage::Settled => true,
                    Stage::Withdrawn => known.by == by,
                    Stage::Opened | Stage::Argued | Stage::Ruled => false,
                };
                same && over
            });
            match decided {
                Some((dispute, _)) => Err(Rejection::LineDecided { dispute: *dispute }),
                None => Ok(vec![other]),
            }
        }
        MatterKind::Observation => {
            let (Some(_), Some(period), None) = (matter.indicator, matter.period, matter.transfer) else {
                return Err(Rejection::BadMatter { field: "indicator, period" });
            };
            let location = state.regions.heir(project.located(period.end()));
            let origins = project.transfers.iter().filter(|transfer| project.landed(transfer).is_some());
            let mut origins = origins.map(|transfer| project.now(transfer.origin));
            if by == location || !origins.any(|origin| origin == by) {
                return Err(stranger);
            }
            reported(state, matter)?;
            Ok(vec![location])
        }
    }
}

/// The lowest common superior of the parties, or the arbiter named in the terms; who holds a share yields upward.
fn ruler(state: &State, matter: &Matter, by: RegionId, against: &[RegionId]) -> Result<RegionId, Rejection> {
    let common = against.iter().fold(by, |common, other| state.regions.common_superior(common, *other));
    let project = project(state, matter.project)?;
    let nation = state.regions.get(common).parent.is_none();
    let line = matter.line.and_then(|line| state.settlement.lines.get(&line));
    let transfer = matter.transfer.or(line.map(|line| line.account.transfer));
    let transfer = transfer.and_then(|number| project.transfers.get(number as usize));
    let named = transfer.and_then(|transfer| transfer.arbiter);
    let arbiter = named.filter(|_| nation);
    let shares =
        |region: RegionId| has_share(state, matter, region) || by == region || against.contains(&region);
    let first = arbiter.unwrap_or(common);
    Ok(state.regions.upward(first).find(|region| !shares(*region)).unwrap_or(first))
}

/// Whether a region holds a share in what is disputed, or held the project: it does not rule on it.
fn has_share(state: &State, matter: &Matter, region: RegionId) -> bool {
    let Some(project) = state.projects.get(&matter.project) else { return false };
    let line = matter.line.and_then(|line| state.settlement.lines.get(&line));
    let transfer = line.and_then(|line| project.transfers.get(line.account.transfer as usize));
    let tax = transfer.and_then(|transfer| transfer.terms.tax.as_ref());
    let code = state.code(region);
    project.stays.iter().any(|stay| project.now(stay.region) == region)
        || tax.is_some_and(|tax| tax.others.iter().any(|other| other.region == code))
}

/// Who may rule now: on a ruling in force only the next level.
fn competent(state: &State, dispute: &Dispute) -> RegionId {
    match dispute.stage {
        Stage::Final => above(state, dispute).unwrap_or(dispute.ruler),
        Stage::Opened | Stage::Argued | Stage::Ruled | Stage::Settled | Stage::Withdrawn => dispute.ruler,
    }
}

/// The next level that has no share in what is disputed; `None` above the last.
fn above(state: &State, dispute: &Dispute) -> Option<RegionId> {
    let next = state.regions.get(dispute.ruler).parent?;
    let apart = |region: &RegionId| !has_share(state, &dispute.matter, *region) && !dispute.is_party(*region);
    state.regions.upward(next).find(apart)
}

fn dispute(state: &State, id: DisputeId) -> Result<&Dispute, Rejection> {
    if let Some(joined) = state.joined.get(&id) {
        return Err(Rejection::DisputeIsJoined { into: joined.into });
    }
    state.disputes.get(&id).ok_or(Rejection::UnknownDispute { dispute: id })
}

/// The signer's region, if it is a party.
fn party(state: &State, actor: &Actor, dispute: &Dispute) -> Result<RegionId, Rejection> {
    let signer = in_role(actor, &PARTY)?;
    if dispute.is_party(signer) {
        return Ok(signer);
    }
    Err(Rejection::ForeignOffice { signer: state.code(signer), needed: state.code(dispute.by) })
}

fn at_stage(dispute: &Dispute, stages: &[Stage]) -> Result<(), Rejection> {
    if stages.contains(&dispute.stage) {
        return Ok(());
    }
    Err(Rejection::DisputeStage { stage: dispute.stage.name() })
}

fn answers(subject: Option<&Subject>, proposal: &Proposal) -> Result<(), Rejection> {
    let Some(subject) = subject else { return Err(Rejection::SubjectMissing {}) };
    if subject.id == proposal.command && subject.sha256 == proposal.command_sha256 {
        return Ok(());
    }
    Err(Rejection::SubjectMismatch {})
}

fn evidence(state: &State, items: &[EvidenceItem]) -> Result<(), Rejection> {
    for item in items {
        super::region(state, item.holder)?;
        text("description", &item.description)?;
        let (kind, subtype) = item.media_type.split_once('/').unwrap_or_default();
        let plain = |part: &str| {
            !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$&^_.+-".contains(&b))
        };
        if !plain(kind) || !plain(subtype) || item.media_type.len() > 100 {
            return Err(Rejection::BadText { field: "media_type" });
        }
    }
    let mut digests: Vec<Evidence> = items.iter().map(|item| item.sha256).collect();
    digests.sort_unstable();
    digests.dedup();
    if digests.len() < items.len() {
        return Err(Rejection::EvidenceTwice {});
    }
    Ok(())
}

fn workdays(state: &State, context: &Context<'_>, days: u32) -> Option<Date> {
    (days > 0).then(|| state.policy.calendar.add_workdays(context.ts.date(), days))
}
