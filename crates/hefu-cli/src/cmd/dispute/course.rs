//! The course of a dispute as it is on record: what was said, which evidence came and went, who acts next.

use hefu_domain::{
    dispute::{Dispute, DisputeId, EvidenceItem, Stage},
    event::Event,
    state::State,
    time::Date,
};
use hefu_engine::Reader;

use crate::{
    context::Context,
    error::Result,
    lang::{Text, text},
};

/// A piece of evidence on record.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub(super) file: EvidenceItem,
    /// The record that brought it.
    pub(super) position: u64,
    /// The record that withdrew it.
    pub(super) withdrawn: Option<u64>,
}

/// All evidence of a dispute, in the order it came, withdrawn pieces included.
pub(super) fn evidence(reader: &Reader, id: DisputeId) -> Result<Vec<Item>> {
    let mut all: Vec<Item> = Vec::new();
    for view in reader.dispute(id)? {
        let items: &[EvidenceItem] = match &view.event {
            Event::DisputeOpened(e) => &e.evidence,
            Event::DisputeJoined(e) => &e.evidence,
            Event::DisputeAnswered(e) => &e.evidence,
            Event::EvidenceAdded(e) => &e.evidence,
            Event::RulingAppealed(e) => &e.evidence,
            Event::EvidenceWithdrawn(e) => {
                let gone = all.iter_mut().filter(|known| known.file.sha256 == e.sha256);
                gone.for_each(|known| known.withdrawn = Some(view.leaf.seq));
                &[]
            }
            _ => &[],
        };
        for item in items {
            // Brought again, it stands again.
            all.retain(|known| known.file.sha256 != item.sha256);
            all.push(Item { file: item.clone(), position: view.leaf.seq, withdrawn: None });
        }
    }
    Ok(all)
}

/// Says, once, if a limit that runs ends in a year of which the policy has no holidays.
pub(super) fn warn<'a>(context: &Context, state: &State, disputes: impl Iterator<Item = &'a Dispute>) {
    let last = disputes.filter_map(|dispute| dispute.due).max();
    if let Some(day) = last.filter(|day| state.policy.calendar.is_beyond(*day)) {
        let year = day.year();
        context.say(&text(
            format!("政策中没有 {year} 年的放假安排:至 {day} 的期限只按周末计;载入放假安排(adopt_policy)后新起的期限按其计算"),
            format!(
                "the policy has no holidays of {year}: of limits up to {day} only weekends were taken off; limits that \
                 begin after the holidays were adopted (adopt_policy) are counted by them"
            ),
        ));
    }
}

/// Who acts next, what they can do, until when; and what happens if they do not.
pub(crate) struct Next {
    pub(super) regions: Vec<String>,
    pub(super) act: &'static str,
    pub(super) until: Option<Date>,
    pub(super) words: Text,
}

/// Who acts next; `None` once a dispute is over.
pub(crate) fn next(state: &State, dispute: &Dispute) -> Option<Next> {
    let code = |id| state.code(id).to_string();
    let until = dispute.due;
    let by = |zh: &str, en: &str| {
        let day = until.map(|day| (format!(",期限至 {day}"), format!(" until {day}"))).unwrap_or_default();
        text(format!("{zh}{}", day.0), format!("{en}{}", day.1))
    };
    let ruler = code(dispute.ruler);
    let (regions, act, words) = match (dispute.stage, &dispute.proposal) {
        (Stage::Opened, _) => {
            let other = dispute.others.first().map(|id| code(*id)).unwrap_or_default();
            let words = by(&format!("{other} 应答复"), &format!("{other} answers"));
            (vec![other], "answer", words)
        }
        (Stage::Argued, None) => {
            let words = by(&format!("{ruler} 应裁定"), &format!("{ruler} rules"));
            (vec![ruler], "rule", words)
        }
        (Stage::Argued | Stage::Final, Some(proposal)) => {
            let person = &proposal.person;
            let ruler = match (dispute.stage, state.regions.get(dispute.ruler).parent) {
                (Stage::Final, Some(above)) => code(above),
                _ => ruler,
            };
            let words = by(
                &format!("{ruler} 除 {person} 外另一人应核准或退回裁定"),
                &format!("another person of {ruler} than {person} approves or declines the ruling"),
            );
            (vec![ruler], "approve", words)
        }
        (Stage::Ruled, _) => {
            let parties = dispute.parties().filter(|party| !dispute.waived.contains(party));
            let parties: Vec<String> = parties.map(code).collect();
            let all = parties.join(", ");
            let words = by(&format!("{all} 可申请复核"), &format!("{all} may appeal"));
            (parties, "appeal", words)
        }
        (Stage::Final, None) | (Stage::Settled | Stage::Withdrawn, _) => return None,
    };
    Some(Next { regions, act, until, words })
}
