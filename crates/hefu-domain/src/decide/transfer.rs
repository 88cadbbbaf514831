//! Commands of the ordered movement (measure 4): tiers, proposals, answers, confirmation of claims.

use super::{Context, acts_for, county, held, in_role, living, optional_text, project, region, text};
use crate::{
    authority::Role,
    command::{
        AcceptTransfer, ConfirmClaim, DeclineTransfer, ExhaustTier, ProposeTransfer, RejectClaim, Subject,
        WaiveTier, WithdrawTransfer,
    },
    counting,
    event::{
        ClaimConfirmed, ClaimRejected, Event, TierExhausted, TierWaived, TransferAccepted, TransferConsented,
        TransferDeclined, TransferProposed, TransferWithdrawn,
    },
    id::Digest,
    policy::ClaimConfirmation,
    redaction::MARK,
    region::{Level, RegionId},
    rejection::Rejection,
    state::{Actor, ClaimStatus, Outcome, Project, State, Transfer},
    tax::schedule,
    terms::{MultiHop, TaxTerms},
    tier::{Tier, tier_of},
    time::Timestamp,
};
use uuid::Uuid;

pub(super) fn exhaust_tier(
    state: &State,
    context: &Context<'_>,
    actor: &Actor,
    c: &ExhaustTier,
) -> Result<Vec<Event>, Rejection> {
    let project = held(state, actor, c.project)?;
    still_closable(project, c.tier)?;
    let shortest = state.policy.tier_min_open_workdays;
    if shortest > 0 {
        let opened = project.round.opened_at(c.tier).map(Timestamp::date);
        let until = opened.map(|day| state.policy.calendar.add_workdays(day, shortest));
        if until.is_none_or(|until| context.ts.date() <= until) {
            let until = until.map_or_else(|| "once it is open".to_owned(), |day| format!("after {day}"));
            return Err(Rejection::TierOpenTooShort { tier: c.tier, until });
        }
    }
    if state.policy.exhaustion_needs_evidence && c.evidence.is_empty() {
        return Err(Rejection::EvidenceMissing {});
    }
    let ExhaustTier { evidence, project, reason, tier } = c.clone();
    Ok(vec![TierExhausted { evidence, project, reason, tier }.into()])
}

pub(super) fn waive_tier(state: &State, actor: &Actor, c: &WaiveTier) -> Result<Vec<Event>, Rejection> {
    let holder = project(state, c.project)?.holder();
    let direct = state.regions.get(holder).parent.unwrap_or(holder);
    let province = state.regions.at_level(holder, Level::Province).unwrap_or(direct);
    let needed = match c.tier {
        Tier::OriginalSite | Tier::Local => direct,
        Tier::Neighbouring | Tier::Wider => province,
    };
    acts_for(state, actor, needed, &[Role::Office, Role::Coordinator])?;
    still_closable(living(state, c.project)?, c.tier)?;
    text("reason", &c.reason)?;
    let WaiveTier { project, reason, tier } = c.clone();
    Ok(vec![TierWaived { by: state.code(needed), project, reason, tier }.into()])
}

/// Tiers may be exhausted or waived at any time, each once a round.
fn still_closable(project: &Project, tier: Tier) -> Result<(), Rejection> {
    if project.round.closed[tier.index()].is_some() {
        return Err(Rejection::TierAlreadyClosed { tier });
    }
    Ok(())
}

pub(super) fn propose(
    state: &State,
    context: &Context<'_>,
    actor: &Actor,
    c: &ProposeTransfer,
) -> Result<Vec<Event>, Rejection> {
    let project = held(state, actor, c.project)?;
    let destination = county(state, c.destination)?;
    c.site.iter().try_for_each(|site| text("site", site))?;
    if let Some((_, transfer)) = project.pending() {
        return Err(Rejection::ProposalPending { destination: state.code(transfer.destination) });
    }
    let (here, holder) = (project.current(), project.holder());
    // A site that was withheld is not known any more.
    let known = here.site.as_deref().is_some_and(|site| site != MARK);
    let same_site = known && here.site == c.site;
    let tier = tier_of(&state.regions, &state.policy.tier_rule, holder, destination, same_site);
    let open = project.round.open();
    if tier > open {
        return Err(Rejection::TierNotOpen { tier, open });
    }
    let defaults = state.policy.default_terms();
    let mut terms = c.terms.as_ref().map_or_else(|| defaults.clone(), |terms| terms.resolve(&defaults));
    if let Some(tax) = c.terms.as_ref().and_then(|terms| terms.tax.as_ref()) {
        terms.tax = Some(tax_terms(state, tax)?);
    }
    if let Some(field) = terms.out_of_range() {
        return Err(Rejection::TermsOutOfRange { field });
    }
    for other in terms.tax.iter().flat_map(|tax| &tax.others) {
        super::region(state, other.region)?;
    }
    let moves_county = holder != destination;
    let reduces = moves_county && terms.multi_hop == MultiHop::LastHop;
    let consents = if reduces { reduced_origins(project) } else { Vec::new() };
    let others = consents.into_iter().filter(|region| *region != holder && *region != destination);
    let limit = state.policy.proposal_expires_workdays;
    let expires = (limit > 0).then(|| state.policy.calendar.add_workdays(context.ts.date(), limit));
    let arbiter = c.terms.as_ref().and_then(|terms| terms.arbiter);
    arbiter.map_or(Ok(()), |code| region(state, code).map(|_| ()))?;
    let event = TransferProposed {
        arbiter,
        consents: others.map(|region| state.code(region)).collect(),
        destination: state.code(destination),
        expires,
        origin: state.code(holder),
        project: c.project,
        site: c.site.clone(),
        terms,
        tier,
        transfer: u32::try_from(project.transfers.len()).unwrap_or(u32::MAX),
    };
    Ok(vec![event.into()])
}

/// Tax terms in full: those of the template they name, with what is stated beside it.
fn tax_terms(state: &State, stated: &TaxTerms) -> Result<TaxTerms, Rejection> {
    let Some(name) = &stated.template else { return Ok(stated.clone()) };
    let template = state.policy.tax_templates.get(name);
    let template = template.ok_or_else(|| Rejection::UnknownTemplate { template: name.clone() })?;
    stated.from_template(template).ok_or(Rejection::TermsOutOfRange { field: "tax.template" })
}

/// Earlier origins whose claim a `last_hop` transfer would end before its window does: nobody's live claim changes
/// without their signature. The landing may be dated back to the project's latest milestone.
fn reduced_origins(project: &Project) -> Vec<RegionId> {
    let mut origins: Vec<RegionId> = Vec::new();
    for transfer in counting::surviving(project, None) {
        let counts = counting::latest_end(project, transfer).is_none_or(|end| project.latest < end);
        let running = counts || schedule::runs_on(project, transfer, project.latest);
        let claimed = transfer.claim != ClaimStatus::Rejected && transfer.terms.multi_hop == MultiHop::Chain;
        let origin = project.now(transfer.origin);
        if running && claimed && !origins.contains(&origin) {
            origins.push(origin);
        }
    }
    origins
}

pub(super) fn accept(
    state: &State,
    context: &Context<'_>,
    actor: &Actor,
    c: &AcceptTransfer,
) -> Result<Vec<Event>, Rejection> {
    let (number, transfer) = open_proposal(living(state, c.project)?)?;
    let by = counterparty(state, actor, transfer)?;
    answers(c.subject.as_ref(), transfer)?;
    in_time(context, transfer)?;
    let (project, code) = (c.project, state.code(by));
    if transfer.awaiting.len() > 1 {
        return Ok(vec![TransferConsented { by: code, project, transfer: number }.into()]);
    }
    let claims = transfer.origin != transfer.destination;
    let claim_pending = claims && state.policy.claim_confirmation == ClaimConfirmation::Superior;
    Ok(vec![TransferAccepted { by: code, claim_pending, project, transfer: number }.into()])
}

pub(super) fn decline(
    state: &State,
    context: &Context<'_>,
    actor: &Actor,
    c: &DeclineTransfer,
) -> Result<Vec<Event>, Rejection> {
    let (number, transfer) = open_proposal(living(state, c.project)?)?;
    let by = counterparty(state, actor, transfer)?;
    answers(c.subject.as_ref(), transfer)?;
    in_time(context, transfer)?;
    optional_text("reason", &c.reason)?;
    let (project, reason) = (c.project, c.reason.clone());
    Ok(vec![TransferDeclined { by: state.code(by), project, reason, transfer: number }.into()])
}

pub(super) fn withdraw(state: &State, actor: &Actor, c: &WithdrawTransfer) -> Result<Vec<Event>, Rejection> {
    let project = held(state, actor, c.project)?;
    let (number, transfer) = open_proposal(project)?;
    answers(c.subject.as_ref(), transfer)?;
    optional_text("reason", &c.reason)?;
    let (project, reason) = (c.project, c.reason.clone());
    Ok(vec![TransferWithdrawn { project, reason, transfer: number }.into()])
}

pub(super) fn confirm_claim(state: &State, actor: &Actor, c: &ConfirmClaim) -> Result<Vec<Event>, Rejection> {
    let by = confirming(state, actor, c.project, c.transfer, c.subject.as_ref())?;
    Ok(vec![ClaimConfirmed { by: state.code(by), project: c.project, transfer: c.transfer }.into()])
}

pub(super) fn reject_claim(state: &State, actor: &Actor, c: &RejectClaim) -> Result<Vec<Event>, Rejection> {
    let by = confirming(state, actor, c.project, c.transfer, c.subject.as_ref())?;
    text("reason", &c.reason)?;
    let RejectClaim { project, reason, transfer, .. } = c.clone();
    Ok(vec![ClaimRejected { by: state.code(by), project, reason, transfer }.into()])
}

/// The lowest common superior of origin and destination, when the claim waits for it.
fn confirming(
    state: &State,
    actor: &Actor,
    id: crate::id::ProjectId,
    number: u32,
    subject: Option<&Subject>,
) -> Result<RegionId, Rejection> {
    let project = project(state, id)?;
    let transfer = project.transfers.get(number as usize);
    let transfer = transfer.ok_or(Rejection::NoSuchTransfer { transfer: number })?;
    let superior = state.regions.common_superior(transfer.origin, transfer.destination);
    acts_for(state, actor, superior, &[Role::Office, Role::Coordinator])?;
    let accepted = matches!(transfer.outcome, Outcome::Accepted | Outcome::Landed { .. });
    if !accepted || transfer.claim != ClaimStatus::Pending {
        return Err(Rejection::ClaimNotPending { transfer: number });
    }
    answers(subject, transfer)?;
    Ok(superior)
}

fn open_proposal(project: &Project) -> Result<(u32, &Transfer), Rejection> {
    let open = project.pending().filter(|(_, transfer)| transfer.outcome == Outcome::Open);
    open.ok_or(Rejection::NoOpenProposal {})
}

/// The signer's region, if the proposal still needs its acceptance.
fn counterparty(state: &State, actor: &Actor, transfer: &Transfer) -> Result<RegionId, Rejection> {
    let signer = in_role(actor, &[Role::Office])?;
    if transfer.awaiting.contains(&signer) {
        return Ok(signer);
    }
    let needed = state.code(transfer.destination);
    Err(Rejection::ForeignOffice { signer: state.code(signer), needed })
}

fn answers(subject: Option<&Subject>, transfer: &Transfer) -> Result<(), Rejection> {
    names(subject, transfer.command, transfer.command_sha256)
}

/// Whoever answers a command names it by id and digest.
pub(super) fn names(subject: Option<&Subject>, command: Uuid, sha256: Digest) -> Result<(), Rejection> {
    let Some(subject) = subject else { return Err(Rejection::SubjectMissing {}) };
    if subject.id == command && subject.sha256 == sha256 {
        return Ok(());
    }
    Err(Rejection::SubjectMismatch {})
}

fn in_time(context: &Context<'_>, transfer: &Transfer) -> Result<(), Rejection> {
    match transfer.expires {
        Some(expires) if context.ts.date() > expires => Err(Rejection::ProposalExpired { expires }),
        Some(_) | None => Ok(()),
    }
}
