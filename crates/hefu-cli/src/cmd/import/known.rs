//! Rows of a tax list that are on record already.
//!
//! A county's list grows during the year and is sent whole each time. What stands on record exactly as written is left out
//! and counted. A row that says another amount of a payment on record is refused, each with its row; nothing is guessed.

use hefu_domain::{
    amount::Money,
    id::ProjectId,
    rejection::Rejection,
    state::State,
    tax::{TaxEntry, TaxKind},
    time::Date,
};
use hefu_engine::Refused;
use serde_json::{Map, Value};

use crate::error::CliError;

/// A row and the command it stands for.
type Row = (u64, Map<String, Value>);

/// The rows of a table, by what the ledger knows of them.
#[derive(Default)]
pub(super) struct Sorted {
    /// Not on record.
    pub(super) new: Vec<Row>,
    /// On record exactly as written.
    pub(super) known: Vec<u64>,
    /// On record with another amount.
    pub(super) differing: Vec<(u64, CliError)>,
}

/// Sorts the rows of a tax list. Rows that are no tax are new.
pub(super) fn sorted(state: &State, rows: Vec<Row>) -> Sorted {
    let mut sorted = Sorted::default();
    for (row, fields) in rows {
        match receipt(&fields).and_then(|receipt| receipt.on_record(state)) {
            Some(Found { same: true, .. }) => sorted.known.push(row),
            Some(Found { date, .. }) => {
                let refused = Refused::Rule(Rejection::TaxKnown { date });
                sorted.differing.push((row, CliError::refused(&refused)));
            }
            None => sorted.new.push((row, fields)),
        }
    }
    sorted
}

struct Receipt {
    project: ProjectId,
    kind: TaxKind,
    date: Date,
    /// The day of the receipt: of a refund, that of what it refunds.
    paid: Date,
    amount: i64,
    incentives: i64,
    voucher: Option<String>,
}

struct Found {
    date: Date,
    same: bool,
}

fn receipt(fields: &Map<String, Value>) -> Option<Receipt> {
    fn read<T: std::str::FromStr>(fields: &Map<String, Value>, key: &str) -> Option<T> {
        fields.get(key)?.as_str()?.parse().ok()
    }
    (fields.get("type")? == "report_tax").then_some(())?;
    let date = read(fields, "date")?;
    Some(Receipt {
        project: read(fields, "project")?,
        kind: read(fields, "kind")?,
        date,
        paid: read(fields, "refund_of").unwrap_or(date),
        amount: read::<Money>(fields, "amount")?.fen(),
        incentives: read::<Money>(fields, "incentives").unwrap_or_default().fen(),
        voucher: read(fields, "voucher"),
    })
}

impl Receipt {
    /// The entry that the ledger takes for the same payment: the same days and voucher; without a voucher, the same amount.
    fn on_record(&self, state: &State) -> Option<Found> {
        let entries = state.projects.get(&self.project)?.taxes.get(&(self.paid, self.kind))?;
        let alike = |entry: &&TaxEntry| {
            entry.date == self.date
                && entry.voucher == self.voucher
                && (self.voucher.is_some() || entry.amount == self.amount)
        };
        let found: Vec<&TaxEntry> = entries.iter().filter(alike).collect();
        let as_written =
            |entry: &&TaxEntry| (entry.amount, entry.incentives) == (self.amount, self.incentives);
        let date = found.first()?.date;
        Some(Found { date, same: found.iter().any(as_written) })
    }
}
