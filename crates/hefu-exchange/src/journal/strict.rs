//! JSON that every reader understands alike: no key twice, integers only, at most 32 levels.

use std::{cell::RefCell, fmt};

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::{Problem, Wrong};

/// An object at the top is level 1.
const MAX_DEPTH: usize = 32;
/// Integers below this are exact in every reader.
const INTEGER_LIMIT: u64 = 1 << 53;

/// Reads one value, and says where it goes wrong.
pub(super) fn value(json: &[u8]) -> Result<Value, Wrong> {
    let text = std::str::from_utf8(json).map_err(|error| Wrong {
        column: Some(error.valid_up_to() + 1),
        field: None,
        problem: Problem::NotUtf8 {},
    })?;
    let fault = RefCell::new(Fault::default());
    let mut reader = serde_json::Deserializer::from_str(text);
    let read = Strict { depth: 0, fault: &fault }.deserialize(&mut reader);
    read.and_then(|value| reader.end().map(|()| value)).map_err(|error| {
        let Fault { problem, mut path } = fault.take();
        path.reverse();
        let field = (!path.is_empty()).then(|| path.join(".").replace(".[", "["));
        let column = (error.column() > 0).then_some(error.column());
        // serde_json names the place in its text; it stands in `column` here.
        let why = error.to_string();
        let why = why.rsplit_once(" at line ").map_or(why.as_str(), |(why, _)| why).to_owned();
        Wrong { column, field, problem: problem.unwrap_or_else(|| Problem::json(why)) }
    })
}

/// What went wrong, gathered on the way out.
#[derive(Default)]
struct Fault {
    problem: Option<Problem>,
    /// Innermost first.
    path: Vec<String>,
}

#[derive(Clone, Copy)]
struct Strict<'f> {
    depth: usize,
    fault: &'f RefCell<Fault>,
}

impl Strict<'_> {
    fn refuse<E: serde::de::Error>(self, problem: Problem) -> E {
        let error = E::custom(problem.code());
        self.fault.borrow_mut().problem = Some(problem);
        error
    }

    fn enter<E: serde::de::Error>(self) -> Result<Self, E> {
        if self.depth == MAX_DEPTH {
            return Err(self.refuse(Problem::TooDeep {}));
        }
        Ok(Strict { depth: self.depth + 1, ..self })
    }

    fn name(self, step: &str) {
        self.fault.borrow_mut().path.push(step.to_owned());
    }

    fn integer<E: serde::de::Error>(self, magnitude: u64, number: Number) -> Result<Value, E> {
        if magnitude < INTEGER_LIMIT {
            Ok(Value::Number(number))
        } else {
            Err(self.refuse(Problem::NumberForm {}))
        }
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Value, E> {
        self.integer(value, value.into())
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Value, E> {
        self.integer(value.unsigned_abs(), value.into())
    }

    fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<Value, E> {
        Err(self.refuse(Problem::NumberForm {}))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let inner = self.enter()?;
        let mut list = Vec::new();
        loop {
            match items.next_element_seed(inner) {
                Ok(Some(item)) => list.push(item),
                Ok(None) => return Ok(Value::Array(list)),
                Err(error) => {
                    self.name(&format!("[{}]", list.len()));
                    return Err(error);
                }
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let inner = self.enter()?;
        let mut object = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            if object.contains_key(&key) {
                self.name(&key);
                return Err(self.refuse(Problem::DuplicateKey {}));
            }
            match entries.next_value_seed(inner) {
                Ok(value) => object.insert(key, value),
                Err(error) => {
                    self.name(&key);
                    return Err(error);
                }
            };
        }
        Ok(Value::Object(object))
    }
}
