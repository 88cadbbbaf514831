//! Who may ask what (semantics section 8): decided here, for every wire.
//!
//! A signed command needs no other credential. A question is answered to a caller by role and region: everything; what
//! concerns the caller's region; or nothing. What concerns a region is its own subtree, the projects that a region of
//! it is or was a party to, and of its superiors only their consolidated totals.

use std::{fmt, str::FromStr};

use hefu_domain::{
    dispute::Dispute,
    region::{RegionCode, RegionId},
    state::{Project, State},
};

use crate::{
    operation::Operation,
    problem::{Kind, Problem},
};

/// What a caller is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Anybody: who brings no token is this.
    Public,
    /// A region's office.
    Region,
    /// A statistics bureau.
    Statistics,
    /// A treasury.
    Treasury,
    /// A coordinator.
    Coordinator,
    /// An auditor: reads everything.
    Auditor,
    /// Who runs the server: no figures.
    Admin,
}

impl Role {
    /// All of them.
    pub const ALL: [Role; 7] = [
        Role::Public,
        Role::Region,
        Role::Statistics,
        Role::Treasury,
        Role::Coordinator,
        Role::Auditor,
        Role::Admin,
    ];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Role::Public => "public",
            Role::Region => "region",
            Role::Statistics => "statistics",
            Role::Treasury => "treasury",
            Role::Coordinator => "coordinator",
            Role::Auditor => "auditor",
            Role::Admin => "admin",
        }
    }

    /// Whether what it may see depends on its region, so that it must have one.
    pub const fn needs_region(self) -> bool {
        match self {
            Role::Region | Role::Treasury | Role::Coordinator => true,
            Role::Public | Role::Statistics | Role::Auditor | Role::Admin => false,
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A text that is no role.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a role: public, region, statistics, treasury, coordinator, auditor, admin")]
pub struct BadRole(pub String);

impl FromStr for Role {
    type Err = BadRole;

    fn from_str(text: &str) -> Result<Role, BadRole> {
        Role::ALL.into_iter().find(|role| role.name() == text).ok_or_else(|| BadRole(text.to_owned()))
    }
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Id of the token; empty without one.
    pub token: String,
    /// The role.
    pub role: Role,
    /// The region; `None` where the role has none.
    pub region: Option<RegionCode>,
}

impl Caller {
    /// Somebody without a token.
    pub const fn anybody() -> Caller {
        Caller { token: String::new(), role: Role::Public, region: None }
    }

    /// What of an operation's answers the caller may see.
    pub fn reach(&self, operation: Operation) -> Result<Reach, Problem> {
        match rule(operation, self.role) {
            Rule::Everything => Ok(Reach::Everything),
            Rule::Own => match self.region {
                Some(region) => Ok(Reach::Own(region)),
                None => Err(denied(operation, self.role)),
            },
            Rule::Nothing => Err(denied(operation, self.role)),
        }
    }
}

/// One cell of the table of rights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// All answers.
    Everything,
    /// What concerns the caller's region.
    Own,
    /// Nothing.
    Nothing,
}

/// The table of rights (`docs/ACCESS.md` is written from it).
pub const fn rule(operation: Operation, role: Role) -> Rule {
    match operation {
        // The signature is the credential; who knows a command's id has its receipt; what is signed for everybody.
        Operation::Submit
        | Operation::SubmitBatch
        | Operation::GetReceipt
        | Operation::Checkpoint
        | Operation::ConsistencyProof => Rule::Everything,
        Operation::Indicators
        | Operation::Explain
        | Operation::Project
        | Operation::Projects
        | Operation::Circulation
        | Operation::Disputes
        | Operation::Suggest
        | Operation::InclusionProof
        | Operation::ReadRecords
        | Operation::GetCursor
        | Operation::SetCursor => match role {
            Role::Statistics | Role::Auditor => Rule::Everything,
            Role::Region | Role::Coordinator => Rule::Own,
            // Public tables come with disclosure control, or not at all.
            Role::Public | Role::Treasury | Role::Admin => Rule::Nothing,
        },
        // Names, positions and digests: no figure.
        Operation::Vintages => match role {
            Role::Statistics | Role::Auditor | Role::Region | Role::Coordinator => Rule::Everything,
            Role::Public | Role::Treasury | Role::Admin => Rule::Nothing,
        },
        Operation::Statements => match role {
            Role::Statistics | Role::Auditor => Rule::Everything,
            Role::Region | Role::Treasury | Role::Coordinator => Rule::Own,
            Role::Public | Role::Admin => Rule::Nothing,
        },
    }
}

fn denied(operation: Operation, role: Role) -> Problem {
    let name = operation.name();
    if role == Role::Public {
        return Problem::new(
            Kind::Unauthenticated,
            "token_needed",
            format!("{name} 需要访问令牌"),
            format!("{name} needs a token"),
        );
    }
    Problem::new(
        Kind::Denied,
        "role_may_not",
        format!("{role} 角色不能使用 {name}"),
        format!("the role {role} may not use {name}"),
    )
}

fn elsewhere(what: &str) -> Problem {
    Problem::new(
        Kind::Denied,
        "foreign_region",
        format!("{what} 不属于本令牌的地区"),
        format!("{what} does not concern the region of the token"),
    )
}

/// What of an answer a caller may see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Everything.
    Everything,
    /// What concerns this region.
    Own(RegionCode),
}

impl Reach {
    /// The region it is narrowed to, as the state knows it; `None` if it is not.
    pub fn area(self, state: &State) -> Result<Option<RegionId>, Problem> {
        match self {
            Reach::Everything => Ok(None),
            Reach::Own(code) => match state.regions.find(code) {
                Some(region) => Ok(Some(region.id)),
                None => Err(elsewhere(&code.to_string())),
            },
        }
    }

    /// Fails unless the region lies in the caller's own.
    pub fn inside(self, state: &State, region: RegionId) -> Result<(), Problem> {
        match self.area(state)? {
            Some(own) if !state.regions.is_within(region, own) => {
                Err(elsewhere(&state.code(region).to_string()))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Fails unless the caller may see these areas of a region: its own subtree, or a superior alone.
    pub fn totals(self, state: &State, region: RegionId, below: bool) -> Result<(), Problem> {
        match self.area(state)? {
            Some(own) if !below && state.regions.is_within(own, region) => Ok(()),
            Some(_) | None => self.inside(state, region),
        }
    }

    /// Whether a region of the caller's own is or was a party to the project.
    pub fn party(self, state: &State, project: &Project) -> Result<bool, Problem> {
        let Some(own) = self.area(state)? else { return Ok(true) };
        Ok(project.regions().any(|region| state.regions.is_within(region, own)))
    }

    /// Fails unless a region of the caller's own is or was a party to the project.
    pub fn project(self, state: &State, project: &Project, name: &str) -> Result<(), Problem> {
        if self.party(state, project)? { Ok(()) } else { Err(elsewhere(name)) }
    }

    /// Whether a region of the caller's own is a party to the dispute, or rules on it.
    pub fn dispute(self, state: &State, dispute: &Dispute) -> Result<bool, Problem> {
        let Some(own) = self.area(state)? else { return Ok(true) };
        let mut concerned = dispute.parties().chain([dispute.ruler]);
        Ok(concerned.any(|region| state.regions.is_within(region, own)))
    }
}
