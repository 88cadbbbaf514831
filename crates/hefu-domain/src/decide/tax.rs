//! Reporting tax: only by the county that received it. The local and county-retained parts follow from the policy's
//! rates of that day and are recorded with it.

use super::{Context, acts_for, project, same_voucher, text};
use crate::{
    amount::Money,
    authority::Role,
    command::ReportTax,
    event::{Event, TaxReceived, TaxRefunded},
    rejection::Rejection,
    state::{Actor, State},
    tax::{TaxEntry, TaxRate},
};

pub(super) fn report(
    state: &State,
    context: &Context<'_>,
    actor: &Actor,
    c: &ReportTax,
) -> Result<Vec<Event>, Rejection> {
    let ReportTax { amount, date, incentives, kind, project: id, refund_of, voucher } = c.clone();
    let known = project(state, id)?;
    let paid = refund_of.unwrap_or(date);
    let host = state.regions.heir(known.located(paid));
    acts_for(state, actor, host, &[Role::Treasury, Role::Office])?;
    voucher.iter().try_for_each(|voucher| text("voucher", voucher))?;
    let rate = TaxRate::on(&state.policy.tax_rates, kind, paid).ok_or(Rejection::UnknownTaxKind { kind })?;
    let today = context.ts.date();
    if date > today {
        return Err(Rejection::DateInFuture { date, today });
    }
    let fen = amount.fen();
    let zero = Money::default();
    let right = match refund_of {
        None => (fen > 0 && incentives >= zero) || (fen == 0 && incentives > zero),
        Some(_) => fen < 0 && incentives <= zero,
    };
    if !right {
        return Err(Rejection::TaxSign {});
    }
    let entries = known.taxes.get(&(paid, kind)).map_or(&[][..], Vec::as_slice);
    // A voucher lists several kinds, but each once; what has none is told apart by day and amount.
    let again = |entry: &&TaxEntry| match &voucher {
        Some(_) => same_voucher(entry.voucher.as_ref(), voucher.as_ref()) && (entry.amount < 0) == (fen < 0),
        None => entry.voucher.is_none() && entry.date == date && entry.amount == fen,
    };
    let of_kind =
        known.taxes.iter().filter(|((day, known), _)| *known == kind && (voucher.is_some() || *day == paid));
    if let Some(entry) = of_kind.flat_map(|(_, entries)| entries).find(again) {
        return Err(Rejection::TaxKnown { date: entry.date });
    }
    if let Some(day) = known.handed_on.filter(|day| refund_of.is_none() && date >= *day) {
        return Err(Rejection::ProjectHandedOn { date: day });
    }
    let region = state.code(host);
    let Some(refund_of) = refund_of else {
        let (local, county) = rate.parts(fen);
        let (local, county) = (Money::from_fen(local), Money::from_fen(county));
        return Ok(vec![
            TaxReceived { amount, county, date, incentives, kind, local, project: id, region, voucher }
                .into(),
        ]);
    };
    if date < refund_of {
        return Err(Rejection::DateOutOfOrder { date, earliest: refund_of });
    }
    let sum = |of: fn(&TaxEntry) -> i64| entries.iter().map(of).fold(0, i64::saturating_add);
    let (left, granted) = (sum(|e| e.amount), sum(|e| e.incentives));
    if left.saturating_add(fen) < 0 || granted.saturating_add(incentives.fen()) < 0 {
        return Err(Rejection::RefundExceeds { paid: Money::from_fen(left), date: refund_of });
    }
    // Whoever gives everything back gives back exactly what was counted.
    let (local, county) = rate.parts(fen);
    let county = if left == fen.saturating_neg() {
        sum(|e| e.county).saturating_neg()
    } else {
        county.max(sum(|e| e.county).saturating_neg())
    };
    let (local, county) = (Money::from_fen(local), Money::from_fen(county));
    let event = TaxRefunded {
        amount,
        county,
        date,
        incentives,
        kind,
        local,
        project: id,
        refund_of,
        region,
        voucher,
    };
    Ok(vec![event.into()])
}
