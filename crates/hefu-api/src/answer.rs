//! Answers to the questions of the query service: pure functions of what is known at one position.
//!
//! Each finds what the question names, asks [`crate::access`] whether the caller may see it, and puts the projections'
//! answer into the message. One file per question.

mod circulation;
mod disputes;
mod explain;
mod indicators;
mod page;
mod project;
mod projects;
mod statements;
mod suggest;
mod vintages;

use hefu_domain::{period::Period, region::RegionId, state::State, time::Date, vintage::Vintage};
use hefu_projections::{Then, Views, as_of::AsOf, find};

pub use page::Token;

use crate::{access::Reach, problem::Problem, v1};

/// What is known, and where.
#[derive(Clone, Copy)]
pub struct Known<'v> {
    /// Everything known.
    pub views: &'v Views,
    /// Position of the last record.
    pub position: u64,
    /// Chain head after it, hexadecimal.
    pub head: &'v str,
    /// The day that "now" means for the answer.
    pub today: Date,
    /// The vintage that is answered from, its digest compared.
    pub frozen: Option<&'v Vintage>,
}

impl<'v> Known<'v> {
    /// The views on the regions that a question asks for, if those are others than as filed.
    fn restated(&self, geography: &str) -> Result<Option<Views>, Problem> {
        match geography {
            "" | "filed" => Ok(None),
            "current" if self.frozen.is_some() => {
                let (zh, en) = ("版次只按填报时的区划", "a vintage has figures as filed only");
                Err(Problem::usage("geography", zh, en))
            }
            "current" => Ok(self.views.restated()),
            other => Err(Problem::usage(
                "geography",
                format!("`{other}` 不是区划口径:写 filed 或 current"),
                format!("`{other}` is not a geography: write filed or current"),
            )),
        }
    }

    fn state(&self) -> &'v State {
        &self.views.state
    }

    fn checkpoint(&self) -> String {
        self.head.to_owned()
    }
}

/// A question of the query service.
pub trait Question: Default + Send + 'static {
    /// What operation it is.
    const OPERATION: crate::operation::Operation;
    /// Its answer.
    type Answer: Send + 'static;

    /// When the answer is to be true.
    fn moment(&self) -> Option<&v1::Moment>;

    /// The page that goes on from an earlier one.
    #[allow(clippy::unnecessary_literal_bound, reason = "questions with pages give one of their own")]
    fn page_token(&self) -> &str {
        ""
    }

    /// The answer, to a caller with this reach.
    fn answer(&self, known: &Known<'_>, reach: Reach) -> Result<Self::Answer, Problem>;

    /// The answer as it was known then, told from what is known now; `None` where the ledger must be folded up to there.
    /// `known` is what is known now, with the position and the head of then.
    fn answer_then(
        &self,
        known: &Known<'_>,
        then: Then,
        reach: Reach,
    ) -> Result<Option<Self::Answer>, Problem> {
        let _ = (known, then, reach);
        Ok(None)
    }

    /// The position that the question wants, if it wants a certain one: that of the page before, or the one named.
    fn as_of(&self) -> Result<Option<AsOf>, Problem> {
        if !self.page_token().is_empty() {
            return Ok(Some(AsOf::Position(Token::parse(self.page_token())?.position)));
        }
        let text = self.moment().map_or("", |moment| &moment.as_of);
        if text.is_empty() {
            return Ok(None);
        }
        if self.moment().is_some_and(|moment| !moment.vintage.is_empty()) {
            let (zh, en) = ("as_of 与 vintage 只能二选一", "either as_of or vintage, not both");
            return Err(Problem::usage("moment.vintage", zh, en));
        }
        let wrong = |_| {
            Problem::usage(
                "moment.as_of",
                "写一个位置、如 2026-01-01 的日期,或如 2026-01-01T00:00:00Z 的时刻",
                "write a position, a date like 2026-01-01 or an instant like 2026-01-01T00:00:00Z",
            )
        };
        text.parse().map(Some).map_err(wrong)
    }
}

/// The region of a question; if it may be left out, the caller's own or the nation.
fn region(state: &State, name: &str, reach: Reach) -> Result<RegionId, Problem> {
    if name.is_empty() {
        return match reach.area(state)? {
            Some(own) => Ok(own),
            None => Ok(find::region(state, &hefu_domain::region::RegionCode::NATION.to_string())?.id),
        };
    }
    named_region(state, name)
}

fn named_region(state: &State, name: &str) -> Result<RegionId, Problem> {
    if name.is_empty() {
        return Err(Problem::usage("region", "请指明地区", "name a region"));
    }
    Ok(find::region(state, name).map_err(|error| Problem::from(error).at("region"))?.id)
}

fn period(text: &str) -> Result<Period, Problem> {
    let wrong = |_| {
        Problem::usage(
            "period",
            format!("`{text}` 不是报告期:写 2023、2023-Q3、2023-07 或 2023-01..02"),
            format!("`{text}` is not a period: write 2023, 2023-Q3, 2023-07 or 2023-01..02"),
        )
    };
    text.parse().map_err(wrong)
}
