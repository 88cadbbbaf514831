//! Folds one fact into the state. A fact is not judged twice: it only has to fit the ones before.

mod area;
mod restructure;
mod settlement;

use std::collections::BTreeMap;

use crate::{
    amount::Decimal,
    authority::{Key, KeyEntry, LogKey, Recovery},
    dispute::{Before, Dispute, DisputeId, EvidenceItem, Joined, Matter, Proposal, RemedyKind, Stage},
    event::{CreditRuled, DisputeOpened, Event, VintageFrozen},
    id::{KeyId, ProjectId},
    indicator::IndicatorCode,
    period::Period,
    policy::Policy,
    region::{Designation, RegionCode, RegionId},
    state::{
        Alias, ClaimStatus, Enterprise, IndicatorId, Meta, Outcome, Project, Reported, Round, State, Stay,
        Transfer,
    },
    tax::TaxEntry,
    time::{Date, Timestamp},
    vintage::Vintage,
};

/// A record that cannot follow from the ones before: the log was not written by these rules.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an event names {0}, which the records before it do not know")]
pub struct Inconsistent(pub String);

impl State {
    /// Folds `event`, recorded as `meta` says, into this state.
    pub fn evolve(&mut self, meta: &Meta, event: &Event) -> Result<(), Inconsistent> {
        self.size = meta.position + 1;
        match event {
            Event::LedgerCreated(e) => {
                self.origin.clone_from(&e.origin);
                self.host = e.host;
                self.keyring.log = Some(e.log_key);
                self.keyring.log_public = Some(e.log_public);
                self.keyring.roots = e.roots.clone();
            }
            Event::RegionsRegistered(e) => {
                let tree = self.regions.with(&e.regions, &e.adjacency);
                self.regions = tree.map_err(|why| Inconsistent(why.to_string()))?;
                self.vintages.geographies.push(meta.position);
            }
            Event::RegionRenamed(e) => {
                let code = e.region;
                let name = (e.name_zh.clone(), e.name_en.clone());
                self.redesignate(
                    e.region,
                    |from| Designation { code, name_zh: name.0, name_en: name.1, ..from },
                    e.date,
                )?;
                self.vintages.geographies.push(meta.position);
            }
            Event::RegionRecoded(e) => {
                let code = e.code;
                self.redesignate(e.region, |from| Designation { code, ..from }, e.date)?;
                self.vintages.geographies.push(meta.position);
            }
            Event::RegionMerged(e) => self.merge_region(meta, e)?,
            Event::RegionSplit(e) => self.split_region(meta, e)?,
            Event::RegionReparented(e) => {
                let (region, parent) = (self.region_id(e.region)?, self.region_id(e.parent)?);
                self.regions.put_under(region, parent, e.date, meta.position);
                self.vintages.geographies.push(meta.position);
            }
            Event::PolicyAdopted(e) => {
                self.adopt(&e.policy, e.version);
                self.vintages.policies.push(meta.position);
            }
            Event::KeysRegistered(e) => e.keys.iter().try_for_each(|key| self.add_key(key))?,
            Event::KeyRotated(e) => {
                // Who can sign with a key has not lost it.
                self.keyring.recoveries.remove(&e.old);
                self.end_key(e.old, meta.ts, None);
                self.add_key(&e.new)?;
            }
            Event::LogKeyRotated(e) => {
                let before = self.keyring.log.zip(self.keyring.log_public);
                let (key, public) = before.ok_or_else(|| Inconsistent(format!("the log's key {}", e.old)))?;
                if key != e.old {
                    return Err(Inconsistent(format!("the log's key {}", e.old)));
                }
                let from = std::mem::replace(&mut self.keyring.log_from, meta.position);
                self.keyring.log_before.push(LogKey { key, public, from });
                self.keyring.log = Some(e.key);
                self.keyring.log_public = Some(e.public);
            }
            Event::KeyRevoked(e) => self.end_key(e.key, meta.ts, e.compromised_since),
            Event::KeyRecoveryAnnounced(e) => {
                let recovery = Recovery { new: e.new.clone(), effective_at: e.effective_at };
                self.keyring.recoveries.insert(e.lost, recovery);
            }
            Event::KeyRecoveryCancelled(e) => {
                self.keyring.recoveries.remove(&e.lost);
            }
            Event::KeyRecovered(e) => {
                self.keyring.recoveries.remove(&e.lost);
                self.end_key(e.lost, meta.ts, None);
                self.add_key(&e.new)?;
            }
            Event::RecordRedacted(e) => {
                self.redactions.insert(e.position, meta.position);
                self.forget(e.position, &e.residue.0)?;
            }
            Event::EnterpriseRegistered(e) => {
                let region = self.region_id(e.region)?;
                self.enterprises.insert(e.enterprise, Enterprise { name: e.name.clone(), region });
            }
            Event::ProjectRegistered(e) => {
                let stay = Stay {
                    region: self.region_id(e.origin)?,
                    site: e.site.clone(),
                    from: e.date,
                    transfer: None,
                    construction: None,
                    production: None,
                };
                let project = Project {
                    enterprise: e.enterprise,
                    name: e.name.clone(),
                    named_at: meta.position,
                    industry: e.industry.clone(),
                    codes: Vec::new(),
                    registered: e.date,
                    closed: None,
                    suspended: false,
                    latest: e.date,
                    planned: vec![(e.date, e.planned_investment)],
                    stays: vec![stay],
                    transfers: Vec::new(),
                    round: Round::new(meta.ts),
                    reported: BTreeMap::new(),
                    ruled_values: BTreeMap::new(),
                    ruled_credits: BTreeMap::new(),
                    came_of: None,
                    handed_on: None,
                    successions: Vec::new(),
                    taxes: BTreeMap::new(),
                };
                self.projects.insert(e.project, project);
                self.add_codes(e.project, meta.position, &e.codes)?;
            }
            Event::ProjectAmended(e) => {
                self.add_codes(e.project, meta.position, &e.codes)?;
                let project = self.project_mut(e.project)?;
                if let Some(name) = &e.name {
                    project.name.clone_from(name);
                    project.named_at = meta.position;
                }
                if let Some(amount) = e.planned_investment {
                    project.planned.push((e.date, amount));
                }
            }
            Event::TierExhausted(e) => {
                self.project_mut(e.project)?.round.closed[e.tier.index()] = Some(meta.ts);
            }
            Event::TierWaived(e) => {
                self.project_mut(e.project)?.round.closed[e.tier.index()] = Some(meta.ts);
            }
            Event::TransferProposed(e) => {
                let destination = self.region_id(e.destination)?;
                let awaiting = e.consents.iter().map(|code| self.region_id(*code)).chain([Ok(destination)]);
                let awaiting = awaiting.collect::<Result<_, _>>()?;
                let transfer = Transfer {
                    arbiter: e.arbiter.map(|code| self.region_id(code)).transpose()?,
                    origin: self.region_id(e.origin)?,
                    destination,
                    site: e.site.clone(),
                    tier: e.tier,
                    terms: e.terms.clone(),
                    outcome: Outcome::Open,
                    claim: ClaimStatus::Pending,
                    awaiting,
                    expires: e.expires,
                    command: meta.command,
                    command_sha256: meta.command_sha256,
                    proposed_at: meta.position,
                    accepted_at: None,
                };
                if let Some(expires) = e.expires {
                    self.deadlines.insert((expires, e.project));
                }
                self.project_mut(e.project)?.transfers.push(transfer);
            }
            Event::TransferConsented(e) => {
                let by = self.region_id(e.by)?;
                self.transfer_mut(e.project, e.transfer)?.awaiting.remove(&by);
            }
            Event::TransferAccepted(e) => {
                self.settle(e.project, e.transfer, Outcome::Accepted)?;
                let transfer = self.transfer_mut(e.project, e.transfer)?;
                transfer.accepted_at = Some(meta.position);
                if e.claim_pending {
                    self.waiting_claims.insert((e.project, e.transfer));
                } else {
                    transfer.claim = ClaimStatus::Confirmed;
                }
            }
            Event::TransferDeclined(e) => self.settle(e.project, e.transfer, Outcome::Declined)?,
            Event::TransferWithdrawn(e) => self.settle(e.project, e.transfer, Outcome::Withdrawn)?,
            Event::TransferExpired(e) => self.settle(e.project, e.transfer, Outcome::Expired)?,
            Event::ClaimConfirmed(e) => {
                self.decide_claim((e.project, e.transfer), ClaimStatus::Confirmed)?;
            }
            Event::ClaimRejected(e) => {
                self.decide_claim((e.project, e.transfer), ClaimStatus::Rejected)?;
            }
            Event::ProjectLanded(e) => {
                let region = self.region_id(e.region)?;
                let project = self.project_mut(e.project)?;
                let stay = u32::try_from(project.stays.len()).unwrap_or(u32::MAX);
                project.stays.push(Stay {
                    region,
                    site: e.site.clone(),
                    from: e.date,
                    transfer: Some(e.transfer),
                    construction: None,
                    production: None,
                });
                let transfer = project.transfers.get_mut(e.transfer as usize);
                let transfer = transfer.ok_or_else(|| Inconsistent(format!("transfer {}", e.transfer)))?;
                transfer.outcome = Outcome::Landed { stay };
                project.latest = e.date;
                project.round = Round::new(meta.ts);
            }
            Event::ConstructionStarted(e) => {
                let project = self.project_mut(e.project)?;
                project.latest = e.date;
                current_mut(project).construction = Some(e.date);
            }
            Event::ProductionStarted(e) => {
                let project = self.project_mut(e.project)?;
                project.latest = e.date;
                current_mut(project).production = Some(e.date);
            }
            Event::ProjectSuspended(e) => {
                let project = self.project_mut(e.project)?;
                (project.latest, project.suspended) = (e.date, true);
            }
            Event::ProjectResumed(e) => {
                let project = self.project_mut(e.project)?;
                (project.latest, project.suspended) = (e.date, false);
            }
            Event::ProjectClosed(e) => {
                let project = self.project_mut(e.project)?;
                (project.latest, project.closed) = (e.date, Some(e.date));
            }
            Event::ProjectSplit(e) => self.hand_on(e.project, e.date)?,
            Event::ProjectMerged(e) => self.hand_on(e.project, e.date)?,
            Event::ProjectFormed(e) => self.form(meta, e)?,
            Event::TaxReceived(e) => {
                let (amount, county, incentives) = (e.amount.fen(), e.county.fen(), e.incentives.fen());
                let (date, position, voucher) = (e.date, meta.position, e.voucher.clone());
                let entry = TaxEntry { date, amount, county, incentives, voucher, position };
                self.project_mut(e.project)?.taxes.entry((e.date, e.kind)).or_default().push(entry);
            }
            Event::TaxRefunded(e) => {
                let (amount, county, incentives) = (e.amount.fen(), e.county.fen(), e.incentives.fen());
                let (date, position, voucher) = (e.date, meta.position, e.voucher.clone());
                let entry = TaxEntry { date, amount, county, incentives, voucher, position };
                self.project_mut(e.project)?.taxes.entry((e.refund_of, e.kind)).or_default().push(entry);
            }
            Event::PeriodClosed(e) => self.closed.push(e.period),
            Event::VintageFrozen(e) => {
                let VintageFrozen { digest, geography, kind, policy_version, position, .. } = *e;
                let (indicators, periods) = (e.indicators.clone(), e.periods.clone());
                let (frozen_at, ts) = (meta.position, meta.ts);
                let vintage = Vintage {
                    kind,
                    indicators,
                    periods,
                    position,
                    digest,
                    policy_version,
                    geography,
                    frozen_at,
                    ts,
                };
                self.vintages.frozen.insert(e.name.clone(), vintage);
            }
            Event::SettlementOpened(e) => self.open_run(meta, e)?,
            Event::SettlementAccrued(e) => self.accrue(e)?,
            Event::StatementConfirmed(e) => {
                let region = self.region_id(e.region)?;
                self.run_mut(e.run)?.confirmed.insert(region);
            }
            Event::SettlementFinalised(e) => self.finalise(meta, e)?,
            Event::PaymentRecorded(e) => self.pay(meta, e)?,
            Event::ObservationReported(e) => self.note_value(e.project, e.indicator, e.period, &e.value)?,
            Event::ObservationCorrected(e) => self.note_value(e.project, e.indicator, e.period, &e.value)?,
            Event::ObservationRuled(e) => {
                self.note_value(e.project, e.indicator, e.period, &e.value)?;
                let indicator = self.indicator_id(e.indicator)?;
                self.project_mut(e.project)?.ruled_values.insert((indicator, e.period), e.dispute);
            }
            Event::CreditRuled(e) => self.note_credit(e)?,
            Event::LineRuled(e) => self.compensate(e)?,
            Event::DisputeOpened(e) => self.open_dispute(meta, e)?,
            Event::DisputeJoined(e) => {
                let by = self.region_id(e.by)?;
                self.joined.insert(e.dispute, Joined { into: e.into, by, amount: e.amount.clone() });
                let into = self.add_evidence(e.into, &e.evidence)?;
                if !into.is_party(by) {
                    into.others.push(by);
                }
            }
            Event::DisputeAnswered(e) => {
                self.add_evidence(e.dispute, &e.evidence)?;
                self.enter(e.dispute, Stage::Argued, e.due)?;
            }
            Event::DisputeEscalated(e) => {
                let ruler = self.region_id(e.ruler)?;
                let dispute = self.enter(e.dispute, Stage::Argued, e.due)?;
                (dispute.ruler, dispute.proposal) = (ruler, None);
            }
            Event::EvidenceAdded(e) => {
                self.add_evidence(e.dispute, &e.evidence)?;
            }
            Event::EvidenceWithdrawn(e) => {
                self.dispute_mut(e.dispute)?.evidence.retain(|(digest, _)| *digest != e.sha256);
            }
            Event::DisputeSettled(e) => {
                self.remember(e.dispute)?;
                let dispute = self.enter(e.dispute, Stage::Settled, None)?;
                (dispute.remedy, dispute.proposal) = (Some(e.remedy.clone()), None);
            }
            Event::DisputeWithdrawn(e) => {
                self.enter(e.dispute, Stage::Withdrawn, None)?.proposal = None;
            }
            Event::RulingProposed(e) => {
                let key = meta.actor;
                let person = self.keyring.keys.get(&key).map(|known| known.person.clone());
                let person = person.ok_or_else(|| Inconsistent(format!("key {key}")))?;
                let (command, command_sha256) = (meta.command, meta.command_sha256);
                let proposal = Proposal { person, key, remedy: e.remedy.clone(), command, command_sha256 };
                self.dispute_mut(e.dispute)?.proposal = Some(proposal);
            }
            Event::RulingDeclined(e) => self.dispute_mut(e.dispute)?.proposal = None,
            Event::RulingApproved(e) => {
                let stage = self.dispute_mut(e.dispute)?.stage;
                let by = self.region_id(e.by)?;
                // A ruling that supersedes one in force is final at once; `ruling.final` follows.
                let next = if stage == Stage::Final { Stage::Final } else { Stage::Ruled };
                let dispute = self.enter(e.dispute, next, e.due)?;
                dispute.ruler = by;
                (dispute.remedy, dispute.proposal) = (Some(e.remedy.clone()), None);
            }
            Event::RulingAppealed(e) => {
                let ruler = self.region_id(e.ruler)?;
                self.add_evidence(e.dispute, &e.evidence)?;
                let dispute = self.enter(e.dispute, Stage::Argued, e.due)?;
                (dispute.ruler, dispute.appealed) = (ruler, true);
            }
            Event::AppealWaived(e) => {
                let by = self.region_id(e.by)?;
                self.dispute_mut(e.dispute)?.waived.insert(by);
            }
            Event::RulingFinal(e) => {
                self.remember(e.dispute)?;
                self.enter(e.dispute, Stage::Final, None)?;
            }
        }
        Ok(())
    }

    fn open_dispute(&mut self, meta: &Meta, e: &DisputeOpened) -> Result<(), Inconsistent> {
        let others = e.against.iter().map(|code| self.region_id(*code)).collect::<Result<_, _>>()?;
        let dispute = Dispute {
            matter: e.matter,
            by: self.region_id(e.by)?,
            others,
            reason: e.reason,
            amount: e.amount.clone(),
            opened: meta.ts.date(),
            stage: Stage::Opened,
            due: None,
            ruler: self.region_id(e.ruler)?,
            appealed: false,
            waived: std::collections::BTreeSet::new(),
            evidence: Vec::new(),
            proposal: None,
            remedy: None,
            before: Before::default(),
            credited: Vec::new(),
        };
        self.disputes.insert(e.dispute, dispute);
        self.add_evidence(e.dispute, &e.evidence)?;
        self.enter(e.dispute, Stage::Opened, e.due)?;
        Ok(())
    }

    fn dispute_mut(&mut self, id: DisputeId) -> Result<&mut Dispute, Inconsistent> {
        self.disputes.get_mut(&id).ok_or_else(|| Inconsistent(format!("dispute {id}")))
    }

    /// A dispute comes to a stage, with the limit that runs from there.
    fn enter(
        &mut self,
        id: DisputeId,
        stage: Stage,
        due: Option<Date>,
    ) -> Result<&mut Dispute, Inconsistent> {
        let State { disputes, open_disputes, dispute_deadlines, settlement, .. } = self;
        let dispute = disputes.get_mut(&id).ok_or_else(|| Inconsistent(format!("dispute {id}")))?;
        if let Some(old) = dispute.due {
            dispute_deadlines.remove(&(old, id));
        }
        if let Some(due) = due {
            dispute_deadlines.insert((due, id));
        }
        if stage.is_open() {
            open_disputes.insert(dispute.matter, id);
        } else if open_disputes.get(&dispute.matter) == Some(&id) {
            open_disputes.remove(&dispute.matter);
        }
        (dispute.stage, dispute.due) = (stage, due);
        if let Some(line) = dispute.matter.line {
            settlement.dispute(line, stage.is_open().then_some(dispute.opened));
        }
        Ok(dispute)
    }

    fn add_evidence(&mut self, id: DisputeId, items: &[EvidenceItem]) -> Result<&mut Dispute, Inconsistent> {
        for item in items {
            let holder = self.region_id(item.holder)?;
            let evidence = &mut self.dispute_mut(id)?.evidence;
            if evidence.iter().all(|(known, _)| *known != item.sha256) {
                evidence.push((item.sha256, holder));
            }
        }
        self.dispute_mut(id)
    }

    /// Keeps how things stood before the first outcome in force.
    fn remember(&mut self, id: DisputeId) -> Result<(), Inconsistent> {
        let dispute = self.dispute_mut(id)?;
        if !dispute.stage.is_open() {
            return Ok(());
        }
        let Matter { indicator, line, period, project, transfer, .. } = dispute.matter;
        let kind = dispute.remedy.as_ref().map(|remedy| remedy.kind);
        let about_claim = matches!(kind, Some(RemedyKind::ConfirmClaim | RemedyKind::RejectClaim));
        let known = self.projects.get(&project).ok_or_else(|| Inconsistent(format!("project {project}")))?;
        let claim = transfer.and_then(|number| known.transfers.get(number as usize)).map(|t| t.claim);
        let value = indicator.zip(period).and_then(|(code, period)| {
            let (indicator, _) = self.indicator(code)?;
            known.value(indicator, period)
        });
        let value = value.or_else(|| self.settlement.says(line?));
        self.dispute_mut(id)?.before = Before { claim: claim.filter(|_| about_claim), value };
        Ok(())
    }

    fn note_credit(&mut self, e: &CreditRuled) -> Result<(), Inconsistent> {
        let region = self.region_id(e.region)?;
        let indicator = self.indicator_id(e.indicator)?;
        let amount = self.minor(e.indicator, &e.amount)?;
        let credits = self.project_mut(e.project)?.ruled_credits.entry((indicator, e.period)).or_default();
        match credits.iter_mut().find(|(known, _)| *known == region) {
            Some((_, known)) => *known = known.saturating_add(amount),
            None => credits.push((region, amount)),
        }
        let credited = &mut self.dispute_mut(e.dispute)?.credited;
        let key = (indicator, e.period, region);
        match credited.iter_mut().find(|c| (c.0, c.1, c.2) == key) {
            Some((.., known)) => *known = known.saturating_add(amount),
            None => credited.push((indicator, e.period, region, amount)),
        }
        Ok(())
    }

    pub(crate) fn project_mut(&mut self, id: ProjectId) -> Result<&mut Project, Inconsistent> {
        self.projects.get_mut(&id).ok_or_else(|| Inconsistent(format!("project {id}")))
    }

    pub(crate) fn transfer_mut(
        &mut self,
        project: ProjectId,
        number: u32,
    ) -> Result<&mut Transfer, Inconsistent> {
        let transfer = self.project_mut(project)?.transfers.get_mut(number as usize);
        transfer.ok_or_else(|| Inconsistent(format!("transfer {number} of project {project}")))
    }

    fn decide_claim(&mut self, claim: (ProjectId, u32), status: ClaimStatus) -> Result<(), Inconsistent> {
        self.transfer_mut(claim.0, claim.1)?.claim = status;
        self.waiting_claims.remove(&claim);
        Ok(())
    }

    pub(crate) fn region_id(&self, code: RegionCode) -> Result<RegionId, Inconsistent> {
        let region = self.regions.find(code).map(|region| region.id);
        region.ok_or_else(|| Inconsistent(format!("region {code}")))
    }

    fn redesignate(
        &mut self,
        region: RegionCode,
        change: impl FnOnce(Designation) -> Designation,
        date: Date,
    ) -> Result<(), Inconsistent> {
        let id = self.region_id(region)?;
        let before = self.regions.get(id).now().clone();
        self.regions.redesignate(id, Designation { from: Some(date), ..change(before) });
        Ok(())
    }

    fn adopt(&mut self, policy: &Policy, version: u32) {
        for indicator in &policy.indicators {
            let next = IndicatorId(u16::try_from(self.indicators.len()).unwrap_or(u16::MAX));
            if let Some(id) = self.indicator_ids.get(&indicator.code) {
                self.indicators[usize::from(id.0)] = indicator.clone();
            } else {
                self.indicator_ids.insert(indicator.code, next);
                self.indicators.push(indicator.clone());
            }
        }
        (self.policy, self.policy_version) = (policy.clone(), version);
    }

    fn add_key(&mut self, entry: &KeyEntry) -> Result<(), Inconsistent> {
        let region = self.region_id(entry.region)?;
        let KeyEntry { key, person, public, role, .. } = entry.clone();
        let key_on_record = Key { public, person, region, role, ended: None, compromised_since: None };
        self.keyring.keys.insert(key, key_on_record);
        Ok(())
    }

    fn end_key(&mut self, id: KeyId, ts: Timestamp, compromised_since: Option<u64>) {
        if let Some(key) = self.keyring.keys.get_mut(&id) {
            // Ended once is ended; what was said of its being compromised stays until something else is said.
            key.ended = key.ended.or(Some(ts));
            key.compromised_since = compromised_since.or(key.compromised_since);
        }
    }

    fn add_codes(&mut self, project: ProjectId, at: u64, codes: &[String]) -> Result<(), Inconsistent> {
        for code in codes {
            self.project_codes.insert(code.clone(), project);
            self.project_mut(project)?.codes.push(Alias { code: code.clone(), at });
        }
        Ok(())
    }

    fn settle(&mut self, project: ProjectId, number: u32, outcome: Outcome) -> Result<(), Inconsistent> {
        let transfer = self.transfer_mut(project, number)?;
        transfer.awaiting.clear();
        transfer.outcome = outcome;
        if let Some(expires) = transfer.expires {
            self.deadlines.remove(&(expires, project));
        }
        Ok(())
    }

    fn note_value(
        &mut self,
        project: ProjectId,
        code: IndicatorCode,
        period: Period,
        value: &Decimal,
    ) -> Result<(), Inconsistent> {
        let (first, last) = period.range();
        let reported = Reported { first, last, value: self.minor(code, value)? };
        let indicator = self.indicator_id(code)?;
        let known = self.project_mut(project)?.reported.entry((indicator, period.year())).or_default();
        match known.binary_search_by_key(&(first, last), |known| (known.first, known.last)) {
            Ok(place) => known[place] = reported,
            Err(place) => known.insert(place, reported),
        }
        Ok(())
    }

    fn indicator_id(&self, code: IndicatorCode) -> Result<IndicatorId, Inconsistent> {
        let known = self.indicator(code).map(|(id, _)| id);
        known.ok_or_else(|| Inconsistent(format!("indicator {code}")))
    }

    /// An amount of an indicator in minor units.
    fn minor(&self, code: IndicatorCode, amount: &Decimal) -> Result<i64, Inconsistent> {
        let (_, entry) = self.indicator(code).ok_or_else(|| Inconsistent(format!("indicator {code}")))?;
        amount.minor(entry.unit.scale()).map_err(|_| Inconsistent(format!("an amount of {code}")))
    }
}

fn current_mut(project: &mut Project) -> &mut Stay {
    project.stays.last_mut().unwrap_or_else(|| unreachable!("a project is registered with a stay"))
}
