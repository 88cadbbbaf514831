//! Payments to and from clearing houses: which a statement counts, which came after it, and which is known already.
//!
//! A payment recorded before a run began is in that run's statement (`paid`); one recorded later lowers what is outstanding
//! at once, and is `paid` in the next. Nothing here decides who may pay.

use serde::{Deserialize, Serialize};

use super::{Balances, Settlement};
use crate::{decide::same_voucher, period::Period, region::RegionId, time::Date};

/// Money that went to or from a clearing house.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// The clearing house.
    pub clearing: RegionId,
    /// The region.
    pub region: RegionId,
    /// Amount in fen; positive: paid by the region, negative: paid to it.
    pub amount: i64,
    /// The day it was paid.
    pub date: Date,
    /// Number of the bank voucher.
    pub voucher: Option<String>,
    /// Position of the record.
    pub position: u64,
}

impl Settlement {
    /// The payments that a run's statements count as `paid`: recorded since the run before began.
    pub fn paid_in(&self, run: u32) -> impl Iterator<Item = &Payment> {
        let end = self.began(run).unwrap_or(u64::MAX);
        let start = run.checked_sub(1).and_then(|before| self.began(before)).unwrap_or(0);
        self.payments.iter().filter(move |payment| (start..end).contains(&payment.position))
    }

    /// The payments recorded since a run began, up to the next run: the next one's statements count them.
    pub fn paid_since(&self, run: u32) -> impl Iterator<Item = &Payment> {
        self.paid_in(run.saturating_add(1))
    }

    /// Position of a run's first record.
    fn began(&self, run: u32) -> Option<u64> {
        let place = (run as usize).checked_sub(1)?;
        self.runs.get(place).map(|run| run.position)
    }

    /// Whether a payment is on record: the same sides and day, and the same voucher; where none is named, the same amount.
    pub fn knows(&self, payment: &Payment) -> bool {
        self.payments.iter().any(|known| {
            let sides = (known.clearing, known.region, known.amount > 0);
            sides == (payment.clearing, payment.region, payment.amount > 0)
                && known.date == payment.date
                && same_voucher(known.voucher.as_ref(), payment.voucher.as_ref())
                && (known.voucher.is_some() || known.amount == payment.amount)
        })
    }

    /// The oldest run that an account's present balance may come from: since then something was always left unpaid.
    pub fn oldest_unpaid(&self, account: (RegionId, RegionId)) -> Option<Period> {
        let mut finalised = self.runs.iter().rev().filter(|run| run.closing.is_some());
        let mut oldest = finalised.next()?;
        for before in finalised {
            let of = |balances: &Balances| balances.get(&account).copied().unwrap_or(0);
            if of(&oldest.opening).saturating_add(of(&oldest.paid)) == 0 {
                break;
            }
            oldest = before;
        }
        Some(oldest.period)
    }
}
