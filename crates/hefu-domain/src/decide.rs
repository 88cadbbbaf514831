//! Decides what a command means, given everything that happened before.
//!
//! The only place where a rule says no. Pure: the same state, command and instant give the same answer on every
//! machine, for ever. Not here: storage, signatures, identity of commands (the engine). Every function checks in the
//! same order: the key, its right, the things named, the rule. So a command that breaks two rules is always refused
//! for the same one.

mod area;
mod dispute;
mod ledger;
mod observation;
mod period;
mod project;
mod redaction;
mod restructure;
mod settlement;
mod tax;
mod transfer;
mod vintage;

pub(crate) use restructure::leaving;

use crate::{
    authority::Role,
    command::Command,
    event::Event,
    id::{KeyId, ProjectId, PublicKey},
    region::{Level, Region, RegionCode, RegionId},
    rejection::Rejection,
    state::{Actor, Project, State},
    time::{Date, Timestamp},
};

/// What surrounds a command when it is decided.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The instant the record will carry: the only time the rules know.
    pub ts: Timestamp,
    /// The key that signed the envelope; its signature is valid.
    pub key: KeyId,
    /// Public keys whose endorsements inside the command are valid.
    pub endorsers: &'a [PublicKey],
    /// The record that a redaction names, if the log has it.
    pub original: Option<Original<'a>>,
}

/// A record as a redaction finds it.
#[derive(Clone, Copy, Debug)]
pub struct Original<'a> {
    /// The key that signed its command.
    pub actor: KeyId,
    /// Its event; `None` once it is withheld, when only what remains can be judged.
    pub event: Option<&'a Event>,
}

/// The events that follow from `command`, or why nothing does.
pub fn decide(state: &State, context: &Context<'_>, command: &Command) -> Result<Vec<Event>, Rejection> {
    if let Command::CreateLedger(c) = command {
        return ledger::create(state, context, c);
    }
    let actor = actor(state, context)?;
    let actor = &actor;
    match command {
        Command::CreateLedger(_) => Err(Rejection::LedgerExists {}),
        Command::RegisterRegions(c) => ledger::register_regions(state, actor, c),
        Command::RenameRegion(c) => ledger::rename_region(state, context, actor, c),
        Command::RecodeRegion(c) => ledger::recode_region(state, context, actor, c),
        Command::MergeRegion(c) => area::merge(state, context, actor, c),
        Command::SplitRegion(c) => area::split(state, context, actor, c),
        Command::ReparentRegion(c) => area::reparent(state, context, actor, c),
        Command::AdoptPolicy(c) => ledger::adopt_policy(state, actor, c),
        Command::RegisterKeys(c) => ledger::register_keys(state, context, actor, c),
        Command::RotateKey(c) => ledger::rotate_key(state, context, actor, c),
        Command::RotateLogKey(c) => ledger::rotate_log_key(state, context, actor, c),
        Command::RevokeKey(c) => ledger::revoke_key(state, actor, c),
        Command::RecoverKey(c) => ledger::recover_key(state, context, actor, c),
        Command::CancelKeyRecovery(c) => ledger::cancel_key_recovery(state, actor, c),
        Command::RedactRecord(c) => redaction::redact_record(state, context, actor, c),
        Command::Tick(_) => ledger::tick(state, context, actor),
        Command::RegisterEnterprise(c) => project::register_enterprise(state, actor, c),
        Command::RegisterProject(c) => project::register(state, context, actor, c),
        Command::AmendProject(c) => project::amend(state, context, actor, c),
        Command::ExhaustTier(c) => transfer::exhaust_tier(state, context, actor, c),
        Command::WaiveTier(c) => transfer::waive_tier(state, actor, c),
        Command::ProposeTransfer(c) => transfer::propose(state, context, actor, c),
        Command::AcceptTransfer(c) => transfer::accept(state, context, actor, c),
        Command::DeclineTransfer(c) => transfer::decline(state, context, actor, c),
        Command::WithdrawTransfer(c) => transfer::withdraw(state, actor, c),
        Command::ConfirmClaim(c) => transfer::confirm_claim(state, actor, c),
        Command::RejectClaim(c) => transfer::reject_claim(state, actor, c),
        Command::LandProject(c) => project::land(state, context, actor, c),
        Command::StartConstruction(c) => project::start_construction(state, context, actor, c),
        Command::StartProduction(c) => project::start_production(state, context, actor, c),
        Command::SuspendProject(c) => project::suspend(state, context, actor, c),
        Command::ResumeProject(c) => project::resume(state, context, actor, c),
        Command::CloseProject(c) => project::close(state, context, actor, c),
        Command::SplitProject(c) => restructure::split(state, context, actor, c),
        Command::MergeProjects(c) => restructure::merge(state, context, actor, c),
        Command::ReportObservation(c) => observation::report(state, context, actor, c),
        Command::OpenDispute(c) => dispute::open(state, context, actor, c),
        Command::AnswerDispute(c) => dispute::answer(state, context, actor, c),
        Command::AddEvidence(c) => dispute::add_evidence(state, actor, c),
        Command::WithdrawEvidence(c) => dispute::withdraw_evidence(state, actor, c),
        Command::SettleDispute(c) => dispute::settle(state, context, actor, c),
        Command::WithdrawDispute(c) => dispute::withdraw(state, actor, c),
        Command::ProposeRuling(c) => dispute::propose_ruling(state, actor, c),
        Command::ApproveRuling(c) => dispute::approve_ruling(state, context, actor, c),
        Command::DeclineRuling(c) => dispute::decline_ruling(state, actor, c),
        Command::AppealRuling(c) => dispute::appeal(state, context, actor, c),
        Command::WaiveAppeal(c) => dispute::waive_appeal(state, actor, c),
        Command::ReportTax(c) => tax::report(state, context, actor, c),
        Command::ClosePeriod(c) => period::close(state, context, actor, c),
        Command::FreezeVintage(c) => vintage::freeze(state, context, actor, c),
        Command::RunSettlement(c) => settlement::run(state, context, actor, c),
        Command::ConfirmStatement(c) => settlement::confirm(state, actor, c),
        Command::FinaliseSettlement(c) => settlement::finalise(state, context, actor, c),
        Command::RecordPayment(c) => settlement::pay(state, context, actor, c),
    }
}

/// Who the signing key stands for.
fn actor(state: &State, context: &Context<'_>) -> Result<Actor, Rejection> {
    let Context { key, .. } = *context;
    let Some(log) = state.keyring.log else { return Err(Rejection::LedgerMissing {}) };
    if key == log {
        return Ok(Actor::Log);
    }
    if state.keyring.root(key).is_some() {
        return Ok(Actor::Root(key));
    }
    if state.keyring.log_before.iter().any(|before| before.key == key) {
        return Err(Rejection::KeyEnded { key });
    }
    let entry = state.keyring.keys.get(&key).ok_or(Rejection::UnknownKey { key })?;
    if entry.ended.is_some() {
        return Err(Rejection::KeyEnded { key });
    }
    let (person, region, role) = (entry.person.clone(), entry.region, entry.role);
    Ok(Actor::Authority { key, person, region, role })
}

/// The signer must act for `region` in one of `roles`.
fn acts_for(state: &State, actor: &Actor, region: RegionId, roles: &[Role]) -> Result<(), Rejection> {
    let signer = in_role(actor, roles)?;
    if signer == region {
        return Ok(());
    }
    Err(Rejection::ForeignOffice { signer: state.code(signer), needed: state.code(region) })
}

/// The signer's region, if it signs in one of `roles`.
fn in_role(actor: &Actor, roles: &[Role]) -> Result<RegionId, Rejection> {
    match actor {
        Actor::Authority { region, role, .. } if roles.contains(role) => Ok(*region),
        Actor::Authority { .. } | Actor::Log | Actor::Root(_) => {
            let needed = match roles {
                [Role::Coordinator] => "the host's coordinator",
                [Role::Office] => "a region's office",
                [Role::Office, Role::Statistics] => "a region's office or statistics bureau",
                [Role::Office, Role::Statistics, Role::Treasury] => {
                    "a region's office, statistics bureau or treasury"
                }
                [Role::Statistics] => "the host's statistics bureau",
                [Role::Treasury, Role::Office] => "a region's treasury or office",
                [Role::Treasury, Role::Coordinator] => "a region's treasury or coordinator",
                _ => "a region's office or coordinator",
            };
            Err(Rejection::WrongRole { needed })
        }
    }
}

/// A region that there is now.
fn region(state: &State, code: RegionCode) -> Result<&Region, Rejection> {
    let region = state.regions.find(code).ok_or(Rejection::UnknownRegion { region: code })?;
    if region.ended.is_some() {
        let into = state.code(state.regions.heir(region.id));
        return Err(Rejection::RegionEnded { region: code, into });
    }
    Ok(region)
}

fn county(state: &State, code: RegionCode) -> Result<RegionId, Rejection> {
    let region = region(state, code)?;
    if region.level == Level::County { Ok(region.id) } else { Err(Rejection::NotACounty { region: code }) }
}

fn project(state: &State, id: ProjectId) -> Result<&Project, Rejection> {
    state.projects.get(&id).ok_or(Rejection::UnknownProject { project: id })
}

/// A registered project that has not ended.
fn living(state: &State, id: ProjectId) -> Result<&Project, Rejection> {
    let project = project(state, id)?;
    match project.closed {
        Some(date) => Err(Rejection::ProjectClosed { date }),
        None => Ok(project),
    }
}

/// A living project that the signer's office holds.
fn held<'s>(state: &'s State, actor: &Actor, id: ProjectId) -> Result<&'s Project, Rejection> {
    let project = project(state, id)?;
    acts_for(state, actor, project.holder(), &[Role::Office])?;
    living(state, id)
}

/// A business date: not after the day of recording, not before what it must follow.
fn business_date(context: &Context<'_>, date: Date, earliest: Date) -> Result<(), Rejection> {
    let today = context.ts.date();
    if date > today {
        return Err(Rejection::DateInFuture { date, today });
    }
    if date < earliest {
        return Err(Rejection::DateOutOfOrder { date, earliest });
    }
    Ok(())
}

/// A text for people: 1 to 500 characters, no control characters.
fn text(field: &'static str, text: &str) -> Result<(), Rejection> {
    let fits = (1..=500).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    if fits && !text.trim().is_empty() { Ok(()) } else { Err(Rejection::BadText { field }) }
}

/// Whether two voucher numbers are one: blanks around them and the case of letters tell nothing apart.
pub(crate) fn same_voucher(one: Option<&String>, other: Option<&String>) -> bool {
    let bare = |voucher: &String| voucher.trim().to_uppercase();
    one.map(bare) == other.map(bare)
}

/// A text that may be left empty.
fn optional_text(field: &'static str, value: &str) -> Result<(), Rejection> {
    if value.is_empty() { Ok(()) } else { text(field, value) }
}
