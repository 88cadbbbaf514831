//! What a break is disputed as; and which breaks are corrected instead, or are another region's to dispute.

use hefu_domain::{
    amount::Decimal,
    dispute::{DisputeReason, Matter, MatterKind},
    id::ProjectId,
    period::Period,
    region::RegionId,
    settlement::LineId,
    state::Project,
};
use hefu_exchange::matching::{Class, Group, Key};

use super::{BookBasis, Found, page};
use crate::{
    error::{CliError, Result, exit},
    lang::text,
};

/// What a break is disputed as.
pub(super) struct Subject {
    pub(super) matter: Matter,
    pub(super) reason: DisputeReason,
    /// What the opener says it should be.
    pub(super) amount: Option<Decimal>,
}

/// A break that is nobody's wrong, or not this region's to dispute.
fn refuse(code: &str, why: (String, String), hint: (&str, &str)) -> CliError {
    let message = text("该差异不能提出争议", "this break cannot be disputed");
    CliError::new(code, exit::REFUSED, message)
        .why(text(why.0, why.1))
        .hint(text(hint.0.to_owned(), hint.1.to_owned()))
}

/// What a break is disputed as; refused where there is nothing to dispute, or not by this region.
pub(super) fn subject(found: &Found<'_>, group: &Group) -> Result<Subject> {
    let Key::Known(id) = group.project else {
        return Err(refuse(
            "unknown_project",
            ("账本上没有该项目".to_owned(), "the ledger knows no such project".to_owned()),
            (
                "先更正账册中的项目代码,或登记项目",
                "correct the project's code in the book, or register the project",
            ),
        ));
    };
    if group.class == Class::Duplicate {
        return Err(refuse(
            "book_duplicate",
            (
                "账册中同一行出现两次,账本无误".to_owned(),
                "the book has the line twice; the ledger is not concerned".to_owned(),
            ),
            ("在账册中删除重复的行", "take the repeated line out of the book"),
        ));
    }
    if found.args.basis == BookBasis::Settlement {
        return line(found, id, group);
    }
    let project = &found.state().projects[&id];
    let period = period(group)?;
    let here = found.state().regions.heir(project.located(period.end()));
    let (as_destination, as_origin) = transfers(project, found.region, period);
    let reported = observed(found, project, group, period);
    let whole = match (found.region == here, as_origin, as_destination) {
        // What the region reports itself is its own to correct, unless terms take a part of it.
        (true, _, destination) => match destination.filter(|_| weighed(found, group, reported)) {
            Some(transfer) => return Ok(claim(found, id, transfer, group, period)),
            None => return Err(own_report(found, group)),
        },
        (false, Some(transfer), _) => transfer,
        (false, None, _) => return Err(stranger(found, project)),
    };
    let asked = found.args.challenge.kind.as_deref();
    let Some(reported) = reported else {
        // Nothing is reported for just this period: a claim may cover several reports.
        if group.ledger.is_empty() {
            let place = found.state().code(here).to_string();
            return Err(refuse(
                "not_reported",
                (
                    format!("{place} 未上报该期数值,无可争议"),
                    format!("{place} has reported nothing for the period: there is nothing to dispute"),
                ),
                ("请其上报,再对账", "ask it to report, then reconcile again"),
            ));
        }
        return Ok(claim(found, id, whole, group, period));
    };
    let shared = group.ledger.iter().map(|at| i128::from(found.ledger[*at].minor)).sum::<i128>();
    let full = shared == i128::from(reported) || found.args.basis == BookBasis::Territorial;
    match asked {
        Some("claim") => Ok(claim(found, id, whole, group, period)),
        Some(_) => Ok(observation(found, id, group, period, full)),
        None if full => Ok(observation(found, id, group, period, full)),
        None => Ok(claim(found, id, whole, group, period)),
    }
}

/// A break with a statement is a dispute of its line; a break that several lines make is disputed line by line.
fn line(found: &Found<'_>, project: ProjectId, group: &Group) -> Result<Subject> {
    let one = match group.ledger.as_slice() {
        [one] => found.statement[*one],
        [] => {
            return Err(refuse(
                "no_statement_line",
                (
                    "结算单上没有该项目的明细".to_owned(),
                    "the statement has no line of the project for the period".to_owned(),
                ),
                (
                    "核对税收上报和转移条款;对认领本身有异议的,以 --kind claim 对共享口径的账册提出",
                    "check the tax reports and the transfer's terms; who disputes the claim itself does so from a book on \
                     the shared basis",
                ),
            ));
        }
        several => {
            let mut ids: Vec<LineId> = several.iter().map(|at| found.statement[*at]).collect();
            ids.sort_unstable();
            let ids = ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            return Err(refuse(
                "several_lines",
                (format!("该差异涉及多条明细:{ids}"), format!("the break is about several lines: {ids}")),
                (
                    "按编号分别提出:hefu dispute open --line 编号",
                    "dispute each by its own number: hefu dispute open --line LINE",
                ),
            ));
        }
    };
    let owed =
        found.state().settlement.lines.get(&one).is_some_and(|line| line.account.creditor == found.region);
    let matter = Matter {
        indicator: None,
        kind: MatterKind::Line,
        line: Some(one),
        period: None,
        project,
        transfer: None,
    };
    let reason = if group.class == Class::PeriodDiffers {
        DisputeReason::PeriodWrong
    } else {
        DisputeReason::ValueWrong
    };
    // The book has what its region owes below zero; a line says what the creditor gets.
    Ok(Subject { matter, reason, amount: said(found, group, if owed { 1 } else { -1 }) })
}

/// The one period a dispute can be about: the ledger's, or that which spans them all.
fn period(group: &Group) -> Result<Period> {
    let periods = if group.ledger_periods.is_empty() { &group.book_periods } else { &group.ledger_periods };
    let first = periods.iter().min_by_key(|period| period.start());
    let last = periods.iter().max_by_key(|period| period.end());
    let one = first.zip(last).and_then(|(first, last)| {
        let months = (first.range().0, last.range().1);
        Period::months(first.year(), months.0, months.1).filter(|_| first.year() == last.year())
    });
    one.ok_or_else(|| {
        refuse(
            "several_years",
            ("该差异跨越年度".to_owned(), "the break spans several years".to_owned()),
            ("用 --period 分年对账", "reconcile one year at a time with --period"),
        )
    })
}

/// The last landed transfers, by the end of a period, of which a region is the destination and the origin.
fn transfers(project: &Project, region: RegionId, period: Period) -> (Option<u32>, Option<u32>) {
    let (mut destination, mut origin) = (None, None);
    for (number, transfer) in (0u32..).zip(&project.transfers) {
        let landed = project.landed(transfer).is_some_and(|day| day <= period.end());
        let (from, to) = (project.now(transfer.origin), project.now(transfer.destination));
        if landed && from != to {
            destination = if to == region { Some(number) } else { destination };
            origin = if from == region { Some(number) } else { origin };
        }
    }
    (destination, origin)
}

/// The value on record for exactly this period.
fn observed(found: &Found<'_>, project: &Project, group: &Group, period: Period) -> Option<i64> {
    let (indicator, _) = found.state().indicator(group.indicator)?;
    project.value(indicator, period)
}

/// Whether terms give the region less than what it reported.
fn weighed(found: &Found<'_>, group: &Group, reported: Option<i64>) -> bool {
    let counted: i128 = group.ledger.iter().map(|at| i128::from(found.ledger[*at].minor)).sum();
    let shared = matches!(found.args.basis, BookBasis::Shared | BookBasis::AsDestination);
    let terms = group.ledger.iter().any(|at| found.ledger[*at].records.len() > 1);
    shared && terms && reported.is_none_or(|reported| counted != i128::from(reported))
}

fn own_report(found: &Found<'_>, group: &Group) -> CliError {
    let code = found.state().code(found.region);
    let why = if group.ledger.is_empty() {
        (
            format!("该数值应由 {code} 自己上报,尚未上报"),
            format!("the value is {code}'s own to report, and it has not"),
        )
    } else {
        (format!("该数值由 {code} 自己上报"), format!("{code} reports this value itself"))
    };
    refuse(
        "own_report",
        why,
        (
            "用 `hefu import observations` 重新上报即可更正",
            "report it again with `hefu import observations`: a later report corrects it",
        ),
    )
}

fn stranger(found: &Found<'_>, project: &Project) -> CliError {
    let code = found.state().code(found.region);
    let mut origins: Vec<String> = project
        .transfers
        .iter()
        .filter(|transfer| project.landed(transfer).is_some())
        .map(|transfer| found.state().code(project.now(transfer.origin)).to_string())
        .collect();
    origins.dedup();
    let origins = if origins.is_empty() { "-".to_owned() } else { origins.join(", ") };
    refuse(
        "not_a_party",
        (
            format!("{code} 在该期不是该项目的迁出地;迁出地:{origins}"),
            format!("{code} is no origin of the project in this period; its origins: {origins}"),
        ),
        ("由迁出的县提出", "the county that gave the project away may dispute it"),
    )
}

fn matter(
    kind: MatterKind,
    project: ProjectId,
    group: &Group,
    period: Period,
    transfer: Option<u32>,
) -> Matter {
    Matter { indicator: Some(group.indicator), kind, line: None, period: Some(period), project, transfer }
}

fn claim(found: &Found<'_>, project: ProjectId, transfer: u32, group: &Group, period: Period) -> Subject {
    let matter = matter(MatterKind::Claim, project, group, period, Some(transfer));
    let nothing = group.ledger.iter().all(|at| found.ledger[*at].minor == 0);
    let differs = if nothing { DisputeReason::ClaimMissing } else { DisputeReason::TermsMisapplied };
    let reason = match group.class {
        Class::PeriodDiffers => DisputeReason::PeriodWrong,
        Class::MissingInBook => DisputeReason::ClaimUnfounded,
        Class::Duplicate => DisputeReason::Duplicate,
        Class::Matched | Class::WithinTolerance | Class::ValueDiffers | Class::MissingInLedger => differs,
    };
    Subject { matter, reason, amount: said(found, group, 1) }
}

/// `full`: the book's amount is comparable with the reported value.
fn observation(found: &Found<'_>, project: ProjectId, group: &Group, period: Period, full: bool) -> Subject {
    let matter = matter(MatterKind::Observation, project, group, period, None);
    let reason = if group.class == Class::PeriodDiffers {
        DisputeReason::PeriodWrong
    } else if found.args.basis == BookBasis::Territorial {
        DisputeReason::LocationWrong
    } else {
        DisputeReason::ValueWrong
    };
    let own = found.args.challenge.amount.clone();
    Subject { matter, reason, amount: if full { said(found, group, 1) } else { own } }
}

/// What the book says, times the sign; nothing where it says nothing of this period.
fn said(found: &Found<'_>, group: &Group, sign: i128) -> Option<Decimal> {
    if let Some(asked) = &found.args.challenge.amount {
        return Some(asked.clone());
    }
    let scale = page::scale(found, group.indicator);
    let minor = i64::try_from(sign * group.book_minor).ok();
    let speaks = !group.book.is_empty() && group.class != Class::PeriodDiffers;
    minor.filter(|_| speaks).map(|minor| Decimal::from_minor(minor, scale))
}
