//! Commands about enterprises and the life of a project: registration, landing, construction, production, end.

use super::{Context, acts_for, business_date, county, held, optional_text, period::open_or_signed, text};
use crate::{
    amount::Money,
    authority::Role,
    command::{
        AmendProject, CloseProject, LandProject, RegisterEnterprise, RegisterProject, ResumeProject,
        StartConstruction, StartProduction, SuspendProject,
    },
    event::{
        ConstructionStarted, EnterpriseRegistered, Event, ProductionStarted, ProjectAmended, ProjectClosed,
        ProjectLanded, ProjectRegistered, ProjectResumed, ProjectSuspended,
    },
    region::RegionId,
    rejection::Rejection,
    state::{Actor, Outcome, Project, State},
};

pub(super) fn register_enterprise(
    state: &State,
    actor: &Actor,
    c: &RegisterEnterprise,
) -> Result<Vec<Event>, Rejection> {
    let region = county(state, c.region)?;
    acts_for(state, actor, region, &[Role::Office])?;
    text("name", &c.name)?;
    if state.enterprises.contains_key(&c.enterprise) {
        return Err(Rejection::EnterpriseKnown { enterprise: c.enterprise });
    }
    let RegisterEnterprise { enterprise, name, .. } = c.clone();
    Ok(vec![EnterpriseRegistered { enterprise, name, region: state.code(region) }.into()])
}

pub(super) fn register(
    state: &State,
    context: &Context<'_>,
    actor: &Actor,
    c: &RegisterProject,
) -> Result<Vec<Event>, Rejection> {
    let origin = county(state, c.origin)?;
    acts_for(state, actor, origin, &[Role::Office])?;
    text("name", &c.name)?;
    c.site.iter().try_for_each(|site| text("site", site))?;
    if !state.enterprises.contains_key(&c.enterprise) {
        return Err(Rejection::UnknownEnterprise { enterprise: c.enterprise });
    }
    if state.projects.contains_key(&c.project) {
        return Err(Rejection::ProjectKnown { project: c.project });
    }
    new_codes(state, &c.codes)?;
    if !is_industry(&c.industry) {
        return Err(Rejection::BadIndustry { industry: c.industry.clone() });
    }
    if c.planned_investment < Money::default() {
        return Err(Rejection::NegativeInvestment {});
    }
    let date = c.date.unwrap_or_else(|| context.ts.date());
    business_date(context, date, date)?;
    open_or_signed(state, context, date, &[origin])?;
    let RegisterProject { codes, enterprise, industry, name, planned_investment, project, site, .. } =
        c.clone();
    let origin = state.code(origin);
    let event = ProjectRegistered {
        codes,
        date,
        enterprise,
        industry,
        name,
        origin,
        planned_investment,
        project,
        site,
    };
    Ok(vec![event.into()])
}

pub(super) fn amend(
    state: &State,
    context: &Context<'_>,
    actor: &Actor,
    c: &AmendProject,
) -> Result<Vec<Event>, Rejection> {
    let project = held(state, actor, c.project)?;
    c.name.iter().try_for_each(|name| text("name", name))?;
    new_codes(state, &c.codes)?;
    if c.planned_investment.is_some_and(|amount| amount < Money::default()) {
        return Err(Rejection::NegativeInvestment {});
    }
    if c.name.is_none() && c.planned_investment.is_none() && c.codes.is_empty() {
        return Err(Rejection::NothingToAmend {});
    }
    let date = c.date.unwrap_or_else(|| context.ts.date());
    let earliest = project.planned.last().map_or(project.registered, |(from, _)| *from);
    business_date(context, date, earliest)?;
    open_or_signed(state, context, date, &parties(project))?;
    let AmendProject { codes, name, planned_investment, project, .. } = c.clone();
    Ok(vec![ProjectAmended { codes, date, name, planned_investment, project }.into()])
}

pub(super) fn land(
    state: &State,
    context: &Context<'_>,
    actor: &Actor,
    c: &LandProject,
) -> Result<Vec<Event>, Rejection> {
    let project = super::living(state, c.project)?;
    let accepted = project.pending().filter(|(_, transfer)| transfer.outcome == Outcome::Accepted);
    let (number, transfer) = accepted.ok_or(Rejection::NotAccepted {})?;
    acts_for(state, actor, transfer.destination, &[Role::Office])?;
    c.site.iter().try_for_each(|site| text("site", site))?;
    business_date(context, c.date, project.latest)?;
    open_or_signed(state, context, c.date, &[transfer.destination, transfer.origin])?;
    let event = ProjectLanded {
        date: c.date,
        project: c.project,
        region: state.code(transfer.destination),
        site: c.site.clone().or_else(|| transfer.site.clone()),
        transfer: number,
    };
    Ok(vec![event.into()])
}

pub(super) fn start_construction(
    state: &State,
    context: &Context<'_>,
    actor: &Actor,
    c: &StartConstruction,
) -> Result<Vec<Event>, Rejection> {
    let project = running(held(state, actor, c.project)?)?;
    if let Some(date) = project.current().construction {
        return Err(Rejection::AlreadyStarted { date });
    }
    business_date(context, c.date, project.latest)?;
    open_or_signed(state, context, c.date, &parties(project))?;
    Ok(vec![ConstructionStarted { date: c.date, project: c.project }.into()])
}

pub(super) fn start_production(
    state: &State,
    context: &Context<'_>,
    actor: &Actor,
    c: &StartProduction,
) -> Result<Vec<Event>, Rejection> {
    let project = running(held(state, actor, c.project)?)?;
    if let Some(date) = project.current().production {
        return Err(Rejection::AlreadyStarted { date });
    }
    // A project that moves with its plant need not build again.
    if project.stays.iter().all(|stay| stay.construction.is_none()) {
        return Err(Rejection::ConstructionNotStarted {});
    }
    business_date(context, c.date, project.latest)?;
    open_or_signed(state, context, c.date, &parties(project))?;
    Ok(vec![ProductionStarted { date: c.date, project: c.project }.into()])
}

pub(super) fn suspend(
    state: &State,
    context: &Context<'_>,
    actor: &Actor,
    c: &SuspendProject,
) -> Result<Vec<Event>, Rejection> {
    let project = running(held(state, actor, c.project)?)?;
    optional_text("reason", &c.reason)?;
    business_date(context, c.date, project.latest)?;
    open_or_signed(state, context, c.date, &parties(project))?;
    let SuspendProject { date, project, reason, .. } = c.clone();
    Ok(vec![ProjectSuspended { date, project, reason }.into()])
}

pub(super) fn resume(
    state: &State,
    context: &Context<'_>,
    actor: &Actor,
    c: &ResumeProject,
) -> Result<Vec<Event>, Rejection> {
    let project = held(state, actor, c.project)?;
    if !project.suspended {
        return Err(Rejection::NotSuspended {});
    }
    business_date(context, c.date, project.latest)?;
    open_or_signed(state, context, c.date, &parties(project))?;
    Ok(vec![ProjectResumed { date: c.date, project: c.project }.into()])
}

pub(super) fn close(
    state: &State,
    context: &Context<'_>,
    actor: &Actor,
    c: &CloseProject,
) -> Result<Vec<Event>, Rejection> {
    let project = held(state, actor, c.project)?;
    optional_text("reason", &c.reason)?;
    if let Some((_, transfer)) = project.pending() {
        return Err(Rejection::ProposalPending { destination: state.code(transfer.destination) });
    }
    business_date(context, c.date, project.latest)?;
    open_or_signed(state, context, c.date, &parties(project))?;
    let CloseProject { date, project, reason, .. } = c.clone();
    Ok(vec![ProjectClosed { date, project, reason }.into()])
}

/// The holder, and the origin of the transfer that brought the project here.
pub(super) fn parties(project: &Project) -> Vec<RegionId> {
    let here = project.current();
    let transfer = here.transfer.and_then(|number| project.transfers.get(number as usize));
    let origin = transfer.map(|transfer| project.now(transfer.origin));
    [project.holder()].into_iter().chain(origin).collect()
}

fn running(project: &Project) -> Result<&Project, Rejection> {
    if project.suspended { Err(Rejection::ProjectSuspended {}) } else { Ok(project) }
}

/// Government codes are kept opaque (the check digit of GB/T 40058 is not public), but each names one project.
pub(super) fn new_codes(state: &State, codes: &[String]) -> Result<(), Rejection> {
    for (place, code) in codes.iter().enumerate() {
        text("codes", code)?;
        if let Some(project) = state.project_codes.get(code) {
            return Err(Rejection::ProjectCodeTaken { code: code.clone(), project: *project });
        }
        if codes[..place].contains(code) {
            return Err(Rejection::BadText { field: "codes" });
        }
    }
    Ok(())
}

/// A section letter of GB/T 4754 and up to four digits.
fn is_industry(text: &str) -> bool {
    let Some((letter, digits)) = text.split_at_checked(1) else { return false };
    letter.bytes().all(|b| b.is_ascii_uppercase())
        && digits.len() <= 4
        && digits.bytes().all(|b| b.is_ascii_digit())
}
