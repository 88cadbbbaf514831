//! Which cells a question asks for: the key, the filters `c[…]`, and the time.
//!
//! In a key dimensions are joined by dots, nothing or `*` stands for all, `+` for or, and `,` for another key. In
//! `c[DIM]=` a comma is or, `+` is and, and an operator stands before a colon: `c[TIME_PERIOD]=ge:2025+le:2026`.

use hefu_domain::time::Date;

use super::{Refusal, model, refusal::Code, time};

/// A comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// Equal.
    Eq,
    /// Not equal.
    Ne,
    /// Less than.
    Lt,
    /// Less or equal.
    Le,
    /// Greater than.
    Gt,
    /// Greater or equal.
    Ge,
    /// Contains.
    Co,
    /// Does not contain.
    Nc,
    /// Starts with.
    Sw,
    /// Ends with.
    Ew,
}

const OPERATORS: [(&str, Operator); 10] = [
    ("eq", Operator::Eq),
    ("ne", Operator::Ne),
    ("lt", Operator::Lt),
    ("le", Operator::Le),
    ("gt", Operator::Gt),
    ("ge", Operator::Ge),
    ("co", Operator::Co),
    ("nc", Operator::Nc),
    ("sw", Operator::Sw),
    ("ew", Operator::Ew),
];

/// An operator and what is compared with.
pub type Term = (Operator, String);

/// What a component must satisfy: one of these, all terms of which hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Component {
    /// Dimension, `TIME_PERIOD` or attribute.
    pub id: String,
    /// Alternatives.
    pub any: Vec<Vec<Term>>,
}

/// The cells asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Keys, one of which must fit; each with the codes of every dimension, none for all.
    pub keys: Vec<Vec<Vec<String>>>,
    /// All of which must hold.
    pub components: Vec<Component>,
    /// Nothing before this day.
    pub from: Option<Date>,
    /// Nothing after this day.
    pub to: Option<Date>,
}

/// Six digits alone are an area's code as well.
fn area_alias(dimension: &str, code: &str) -> String {
    let bare = dimension == "REF_AREA" && code.len() == 6 && code.bytes().all(|b| b.is_ascii_digit());
    if bare { format!("CN{code}") } else { code.to_owned() }
}

impl Filter {
    /// Adds the keys of a path.
    pub fn key(&mut self, text: &str) -> Result<(), Refusal> {
        if matches!(text, "" | "all" | "*") {
            return Ok(());
        }
        for key in text.split(',') {
            let parts: Vec<&str> = key.split('.').collect();
            if parts.len() > model::DIMENSIONS.len() {
                let dimensions = model::DIMENSIONS.map(|(id, _)| id).join(".");
                let why = format!("a key has at most the dimensions {dimensions}");
                return Err(Refusal::new(
                    Code::BadSyntax,
                    ("key", key),
                    why,
                    format!("键的维度依次为 {dimensions}"),
                ));
            }
            let codes = model::DIMENSIONS.iter().enumerate().map(|(place, (dimension, _))| {
                let part = parts.get(place).copied().unwrap_or_default();
                let codes = part.split('+').filter(|code| !matches!(*code, "" | "*"));
                codes.map(|code| area_alias(dimension, code)).collect()
            });
            self.keys.push(codes.collect());
        }
        Ok(())
    }

    /// Adds a filter `c[…]=`.
    pub fn component(&mut self, id: &str, text: &str) -> Result<(), Refusal> {
        let place = format!("c[{id}]");
        if !model::is_component(id) {
            let why = "no dimension or attribute of this data structure";
            return Err(Refusal::new(Code::BadSyntax, (&place, id), why, "数据结构中没有此维度或属性"));
        }
        let term = |text: &str| -> Result<Term, Refusal> {
            let known =
                |name: &str| OPERATORS.iter().find(|(operator, _)| *operator == name).map(|(_, o)| *o);
            let (operator, value) = match text.split_once(':') {
                Some((name, value)) if known(name).is_some() => (known(name).unwrap_or(Operator::Eq), value),
                _ => (Operator::Eq, text),
            };
            if value.is_empty() {
                return Err(Refusal::new(
                    Code::BadSyntax,
                    (&place, text),
                    "nothing to compare with",
                    "缺少比较的值",
                ));
            }
            if id == "TIME_PERIOD" {
                time::span(&place, value)?;
            }
            Ok((operator, area_alias(id, value)))
        };
        let any = text.split(',').map(|all| all.split('+').map(term).collect::<Result<Vec<Term>, _>>());
        let any = any.collect::<Result<_, _>>()?;
        self.components.push(Component { id: id.to_owned(), any });
        Ok(())
    }

    /// Whether a series key is wanted, the filters of dimensions included.
    pub fn wants(&self, key: &[&str]) -> bool {
        let fits = |wanted: &Vec<Vec<String>>| {
            wanted.iter().zip(key).all(|(codes, code)| codes.is_empty() || codes.iter().any(|c| c == code))
        };
        let by_key = self.keys.is_empty() || self.keys.iter().any(fits);
        let holds = |(place, (dimension, _)): (usize, &(&str, &str))| self.holds(dimension, key[place]);
        by_key && model::DIMENSIONS.iter().enumerate().take(key.len()).all(holds)
    }

    /// Whether a value of one dimension can be part of any wanted key.
    pub fn may_want(&self, dimension: &str, code: &str) -> bool {
        let place = model::DIMENSIONS.iter().position(|(id, _)| *id == dimension);
        let in_key = |key: &Vec<Vec<String>>| {
            let codes = place.and_then(|place| key.get(place));
            codes.is_none_or(|codes| codes.is_empty() || codes.iter().any(|c| c == code))
        };
        (self.keys.is_empty() || self.keys.iter().any(in_key)) && self.holds(dimension, code)
    }

    /// Whether a component's value satisfies all filters on it.
    pub fn holds(&self, id: &str, value: &str) -> bool {
        let filters = self.components.iter().filter(|component| component.id == id);
        filters.into_iter().all(|component| {
            component
                .any
                .iter()
                .any(|all| all.iter().all(|(operator, other)| compare(id, *operator, value, other)))
        })
    }

    /// Whether a period is wanted.
    pub fn wants_period(&self, name: &str, (first, last): (Date, Date)) -> bool {
        self.from.is_none_or(|from| first >= from)
            && self.to.is_none_or(|to| last <= to)
            && self.holds("TIME_PERIOD", name)
    }
}

fn compare(id: &str, operator: Operator, value: &str, other: &str) -> bool {
    if id == "TIME_PERIOD"
        && let (Ok(own), Ok(wanted)) = (time::span(id, value), time::span(id, other))
    {
        return match operator {
            Operator::Eq => own == wanted,
            Operator::Ne => own != wanted,
            Operator::Lt => own.1 < wanted.0,
            Operator::Le => own.1 <= wanted.1,
            Operator::Gt => own.0 > wanted.1,
            Operator::Ge => own.0 >= wanted.0,
            Operator::Co => value.contains(other),
            Operator::Nc => !value.contains(other),
            Operator::Sw => value.starts_with(other),
            Operator::Ew => value.ends_with(other),
        };
    }
    match operator {
        Operator::Eq => value == other,
        Operator::Ne => value != other,
        Operator::Lt => value < other,
        Operator::Le => value <= other,
        Operator::Gt => value > other,
        Operator::Ge => value >= other,
        Operator::Co => value.contains(other),
        Operator::Nc => !value.contains(other),
        Operator::Sw => value.starts_with(other),
        Operator::Ew => value.ends_with(other),
    }
}
