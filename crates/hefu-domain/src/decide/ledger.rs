//! Commands about the ledger itself: genesis, regions, policy, keys, the passing of time.

use std::collections::BTreeSet;

use super::{Context, acts_for, business_date, in_role, optional_text, region, text};
use crate::{
    authority::{Key, KeyEntry, Role, Roots},
    command::{
        AdoptPolicy, CancelKeyRecovery, Continues, CreateLedger, RecodeRegion, RecoverKey, RegisterKeys,
        RegisterRegions, RenameRegion, RevokeKey, RotateKey, RotateLogKey,
    },
    event::{
        Event, KeyRecovered, KeyRecoveryAnnounced, KeyRecoveryCancelled, KeyRevoked, KeyRotated,
        KeysRegistered, LedgerCreated, LogKeyRotated, PolicyAdopted, RegionRecoded, RegionRenamed,
        RegionsRegistered, TransferExpired,
    },
    id::{KeyId, PublicKey},
    policy::Policy,
    rejection::Rejection,
    state::{Actor, State},
    time::Date,
};

/// The suite this version of the rules is written for.
pub(super) const SUITE: &str = "blake3-sha256-ed25519";

pub(super) fn create(
    state: &State,
    context: &Context<'_>,
    c: &CreateLedger,
) -> Result<Vec<Event>, Rejection> {
    let field = |field| Rejection::BadGenesis { field };
    if state.keyring.log.is_some() {
        return Err(Rejection::LedgerExists {});
    }
    if context.key != c.log_key {
        return Err(field("log_key"));
    }
    if c.format != 1 {
        return Err(field("format"));
    }
    if c.suite != SUITE {
        return Err(field("suite"));
    }
    let names_itself = |old: &Continues| old.origin.is_empty() || old.origin == c.origin || old.size == 0;
    if c.continues.as_ref().is_some_and(names_itself) {
        return Err(field("continues"));
    }
    let persons: BTreeSet<&str> = c.roots.keys.iter().map(|root| root.person.as_str()).collect();
    let ids: BTreeSet<KeyId> = c.roots.keys.iter().map(|root| root.key).collect();
    let operator_is_root = ids.contains(&c.log_key);
    let distinct = persons.len() == c.roots.keys.len() && ids.len() == c.roots.keys.len();
    let threshold = c.roots.threshold as usize;
    if !distinct || operator_is_root || threshold < 1 || threshold > c.roots.keys.len() {
        return Err(field("roots"));
    }
    roots_signed(&c.roots, None, context.endorsers)?;
    let regions = state.regions.with(&c.regions, &c.adjacency).map_err(|why| Rejection::BadRegion { why })?;
    if regions.find(c.host).is_none() {
        return Err(Rejection::UnknownRegion { region: c.host });
    }
    check_policy(state, &c.policy)?;
    let created = LedgerCreated {
        continues: c.continues.clone(),
        format: c.format,
        host: c.host,
        log_key: c.log_key,
        log_public: c.log_public,
        origin: c.origin.clone(),
        roots: c.roots.clone(),
        suite: c.suite.clone(),
    };
    let regions = RegionsRegistered { adjacency: c.adjacency.clone(), regions: c.regions.clone() };
    let policy = PolicyAdopted { policy: c.policy.clone(), version: 1 };
    Ok(vec![created.into(), regions.into(), policy.into()])
}

pub(super) fn register_regions(
    state: &State,
    actor: &Actor,
    c: &RegisterRegions,
) -> Result<Vec<Event>, Rejection> {
    host_coordinator(state, actor)?;
    state.regions.with(&c.regions, &c.adjacency).map_err(|why| Rejection::BadRegion { why })?;
    let RegisterRegions { adjacency, regions } = c.clone();
    Ok(vec![RegionsRegistered { adjacency, regions }.into()])
}

pub(super) fn rename_region(
    state: &State,
    context: &Context<'_>,
    actor: &Actor,
    c: &RenameRegion,
) -> Result<Vec<Event>, Rejection> {
    host_coordinator(state, actor)?;
    redesignation_date(state, context, c.region, c.date)?;
    text("name_zh", &c.name_zh)?;
    optional_text("name_en", &c.name_en)?;
    let RenameRegion { date, name_en, name_zh, region } = c.clone();
    Ok(vec![RegionRenamed { date, name_en, name_zh, region }.into()])
}

pub(super) fn recode_region(
    state: &State,
    context: &Context<'_>,
    actor: &Actor,
    c: &RecodeRegion,
) -> Result<Vec<Event>, Rejection> {
    host_coordinator(state, actor)?;
    redesignation_date(state, context, c.region, c.date)?;
    // A code that any other region bears or bore would make old reports ambiguous.
    if state.regions.find(c.code).is_some() {
        return Err(Rejection::RegionCodeTaken { code: c.code });
    }
    let RecodeRegion { code, date, region } = c.clone();
    Ok(vec![RegionRecoded { code, date, region }.into()])
}

fn redesignation_date(
    state: &State,
    context: &Context<'_>,
    code: crate::region::RegionCode,
    date: Date,
) -> Result<(), Rejection> {
    let region = region(state, code)?;
    if region.code() != code || region.parent.is_none() {
        return Err(Rejection::UnknownRegion { region: code });
    }
    business_date(context, date, region.now().from.unwrap_or(date))
}

pub(super) fn adopt_policy(state: &State, actor: &Actor, c: &AdoptPolicy) -> Result<Vec<Event>, Rejection> {
    host_coordinator(state, actor)?;
    check_policy(state, &c.policy)?;
    Ok(vec![PolicyAdopted { policy: c.policy.clone(), version: state.policy_version + 1 }.into()])
}

fn check_policy(state: &State, policy: &Policy) -> Result<(), Rejection> {
    if let Some(field) = policy.defect() {
        return Err(Rejection::BadPolicy { field });
    }
    for new in &policy.indicators {
        let meaning =
            |i: &crate::indicator::Indicator| (i.class, i.kind, i.unit, i.count, i.numerator, i.denominator);
        let known = state.indicator(new.code).map(|(_, old)| meaning(old));
        if known.is_some_and(|old| old != meaning(new)) {
            return Err(Rejection::IndicatorRedefined { indicator: new.code });
        }
    }
    Ok(())
}

pub(super) fn register_keys(
    state: &State,
    context: &Context<'_>,
    actor: &Actor,
    c: &RegisterKeys,
) -> Result<Vec<Event>, Rejection> {
    let Actor::Root(signer) = actor else { return Err(Rejection::WrongRole { needed: "root keys" }) };
    roots_signed(&state.keyring.roots, Some(*signer), context.endorsers)?;
    let mut seen = BTreeSet::new();
    for entry in &c.keys {
        region(state, entry.region)?;
        text("person", &entry.person)?;
        if !seen.insert(entry.key) {
            return Err(Rejection::KeyKnown { key: entry.key });
        }
        unknown_key(state, entry.key)?;
    }
    Ok(vec![KeysRegistered { keys: c.keys.clone() }.into()])
}

pub(super) fn rotate_key(
    state: &State,
    context: &Context<'_>,
    actor: &Actor,
    c: &RotateKey,
) -> Result<Vec<Event>, Rejection> {
    let Actor::Authority { key: old, person, region, role } = actor else {
        return Err(Rejection::WrongRole { needed: "a key of an authority" });
    };
    unknown_key(state, c.key)?;
    endorsed(context, c.public, "the new key")?;
    let (person, region, role) = (person.clone(), state.code(*region), *role);
    let new = KeyEntry { key: c.key, person, public: c.public, region, role };
    Ok(vec![KeyRotated { new, old: *old }.into()])
}

pub(super) fn rotate_log_key(
    state: &State,
    context: &Context<'_>,
    actor: &Actor,
    c: &RotateLogKey,
) -> Result<Vec<Event>, Rejection> {
    let old = state.keyring.log.ok_or(Rejection::LedgerMissing {})?;
    let both_until = match actor {
        Actor::Log => {
            let seconds = i64::from(state.policy.log_key_window_days) * 86_400;
            (seconds > 0).then(|| context.ts.plus_seconds(seconds))
        }
        // Lost, or in wrong hands: nothing that the old key signs from here on counts.
        Actor::Root(signer) => {
            roots_signed(&state.keyring.roots, Some(*signer), context.endorsers)?;
            None
        }
        Actor::Authority { .. } => return Err(Rejection::WrongRole { needed: "the log's key or root keys" }),
    };
    unknown_key(state, c.key)?;
    endorsed(context, c.public, "the new key")?;
    Ok(vec![LogKeyRotated { both_until, key: c.key, old, public: c.public }.into()])
}

pub(super) fn revoke_key(state: &State, actor: &Actor, c: &RevokeKey) -> Result<Vec<Event>, Rejection> {
    let key = known_key(state, c.key)?;
    // A key that has ended already can still be found to have been compromised before.
    if key.ended.is_some() && c.compromised_since.is_none() {
        return Err(Rejection::KeyEnded { key: c.key });
    }
    let allowed = match actor {
        Actor::Log => false,
        Actor::Root(_) => true,
        Actor::Authority { key: signer, person, region, role } => {
            let own = *signer == c.key || (*person == key.person && *region == key.region);
            let superior = *role == Role::Coordinator && state.regions.is_within(key.region, *region);
            own || superior
        }
    };
    if !allowed {
        return Err(Rejection::WrongRole { needed: "its holder, a superior coordinator or a root key" });
    }
    text("reason", &c.reason)?;
    let RevokeKey { compromised_since, key, reason } = c.clone();
    Ok(vec![KeyRevoked { compromised_since, key, reason }.into()])
}

pub(super) fn recover_key(
    state: &State,
    context: &Context<'_>,
    actor: &Actor,
    c: &RecoverKey,
) -> Result<Vec<Event>, Rejection> {
    let lost = living_key(state, c.lost)?;
    let superior = state.regions.get(lost.region).parent.unwrap_or(lost.region);
    let Actor::Authority { person: first, .. } = actor else {
        return Err(Rejection::WrongRole { needed: "the superior authority" });
    };
    acts_for(state, actor, superior, &[Role::Coordinator, Role::Office])?;
    let second = state.keyring.keys.iter().find(|(_, key)| {
        let entitled = matches!(key.role, Role::Coordinator | Role::Office);
        let other_person = key.person != *first && key.person != lost.person;
        let signed = context.endorsers.contains(&key.public);
        signed && entitled && other_person && key.region == superior && key.ended.is_none()
    });
    let needed = || "two other persons of the superior authority".to_owned();
    if *first == lost.person {
        return Err(Rejection::EndorsementMissing { needed: needed() });
    }
    let (second, _) = second.ok_or_else(|| Rejection::EndorsementMissing { needed: needed() })?;
    endorsed(context, c.public, "the new key")?;
    unknown_key(state, c.key)?;
    if state.keyring.recoveries.contains_key(&c.lost) {
        return Err(Rejection::RecoveryAnnounced { key: c.lost });
    }
    text("person", &c.person)?;
    let delay = i64::from(state.policy.key_recovery_delay_hours) * 3600;
    let (region, role) = (state.code(lost.region), lost.role);
    let new = KeyEntry { key: c.key, person: c.person.clone(), public: c.public, region, role };
    let effective_at = context.ts.plus_seconds(delay);
    Ok(vec![KeyRecoveryAnnounced { effective_at, lost: c.lost, new, second: *second }.into()])
}

pub(super) fn cancel_key_recovery(
    state: &State,
    actor: &Actor,
    c: &CancelKeyRecovery,
) -> Result<Vec<Event>, Rejection> {
    let by_holder = matches!(actor, Actor::Authority { key, .. } if *key == c.lost);
    if !by_holder {
        return Err(Rejection::WrongRole { needed: "the key said to be lost" });
    }
    if !state.keyring.recoveries.contains_key(&c.lost) {
        return Err(Rejection::NoRecovery { key: c.lost });
    }
    Ok(vec![KeyRecoveryCancelled { lost: c.lost }.into()])
}

pub(super) fn tick(state: &State, context: &Context<'_>, actor: &Actor) -> Result<Vec<Event>, Rejection> {
    if *actor != Actor::Log {
        return Err(Rejection::WrongRole { needed: "the log's key" });
    }
    let today = context.ts.date();
    let mut events: Vec<Event> = Vec::new();
    for (_, project) in state.deadlines.iter().take_while(|(expires, _)| *expires < today) {
        let pending = state.projects.get(project).and_then(|p| p.pending());
        if let Some((transfer, _)) = pending {
            events.push(TransferExpired { project: *project, transfer }.into());
        }
    }
    for (lost, recovery) in &state.keyring.recoveries {
        if recovery.effective_at <= context.ts {
            events.push(KeyRecovered { lost: *lost, new: recovery.new.clone() }.into());
        }
    }
    events.extend(super::dispute::due(state, today, context));
    if events.is_empty() { Err(Rejection::NothingDue {}) } else { Ok(events) }
}

fn host_coordinator(state: &State, actor: &Actor) -> Result<(), Rejection> {
    in_role(actor, &[Role::Coordinator])?;
    let host = region(state, state.host)?.id;
    acts_for(state, actor, host, &[Role::Coordinator])
}

/// At least k distinct root keys: the signer, if it is one, and endorsers.
fn roots_signed(roots: &Roots, signer: Option<KeyId>, endorsers: &[PublicKey]) -> Result<(), Rejection> {
    let signed =
        roots.keys.iter().filter(|root| signer == Some(root.key) || endorsers.contains(&root.public));
    if signed.count() >= roots.threshold as usize {
        return Ok(());
    }
    Err(Rejection::EndorsementMissing { needed: format!("{} root keys", roots.threshold) })
}

fn endorsed(context: &Context<'_>, public: PublicKey, whose: &str) -> Result<(), Rejection> {
    if context.endorsers.contains(&public) {
        return Ok(());
    }
    Err(Rejection::EndorsementMissing { needed: whose.to_owned() })
}

fn unknown_key(state: &State, key: KeyId) -> Result<(), Rejection> {
    let ring = &state.keyring;
    let announced = ring.recoveries.values().any(|recovery| recovery.new.key == key);
    let was_log = ring.log_before.iter().any(|before| before.key == key);
    if was_log
        || ring.log == Some(key)
        || ring.root(key).is_some()
        || ring.keys.contains_key(&key)
        || announced
    {
        return Err(Rejection::KeyKnown { key });
    }
    Ok(())
}

fn known_key(state: &State, id: KeyId) -> Result<&Key, Rejection> {
    state.keyring.keys.get(&id).ok_or(Rejection::UnknownKey { key: id })
}

fn living_key(state: &State, id: KeyId) -> Result<&Key, Rejection> {
    let key = known_key(state, id)?;
    if key.ended.is_some() { Err(Rejection::KeyEnded { key: id }) } else { Ok(key) }
}
