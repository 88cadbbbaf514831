//! A request from the path and the query of a URL, by the fields that the proto files give it.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::{
    describe::{Field, Holds, PROTO},
    problem::Problem,
};

/// Reads the message of this name from the names and values of a URL. A list is written by saying its name again.
pub fn read<M: DeserializeOwned>(message: &str, pairs: &[(String, String)]) -> Result<M, Problem> {
    let mut object = Map::new();
    for (name, text) in pairs {
        let (place, field) = place(&mut object, message, name).ok_or_else(|| unknown(message, name))?;
        let value = value(field, text)?;
        if field.many {
            let list = place.entry(name.as_str()).or_insert_with(|| Value::Array(Vec::new()));
            if let Value::Array(list) = list {
                list.push(value);
            }
        } else if place.insert(name.clone(), value).is_some() {
            let (zh, en) = (format!("`{name}` 只能写一次"), format!("`{name}` is there twice"));
            return Err(Problem::usage(name, zh, en));
        }
    }
    from_json(Value::Object(object))
}

/// Reads a message from JSON.
pub fn from_json<M: DeserializeOwned>(value: Value) -> Result<M, Problem> {
    serde_json::from_value(value).map_err(|error| {
        Problem::usage("", format!("请求无法读取:{error}"), format!("the request cannot be read: {error}"))
    })
}

/// The field of this name, and the object that it belongs in: the message's own, or that of its moment.
fn place<'o>(
    object: &'o mut Map<String, Value>,
    message: &str,
    name: &str,
) -> Option<(&'o mut Map<String, Value>, &'static Field)> {
    let find = |message| PROTO.fields(message).iter().find(|field| field.name == name);
    let plain = |field: &&Field| !matches!(field.holds, Holds::Message(_));
    if let Some(field) = find(message).filter(plain) {
        return Some((object, field));
    }
    PROTO.fields(message).iter().find(|field| field.name == MOMENT)?;
    let field = find("Moment")?;
    match object.entry(MOMENT).or_insert_with(|| Value::Object(Map::new())) {
        Value::Object(moment) => Some((moment, field)),
        _ => None,
    }
}

const MOMENT: &str = "moment";

fn value(field: &Field, text: &str) -> Result<Value, Problem> {
    let name = &field.name;
    match field.holds {
        Holds::Text | Holds::Message(_) | Holds::Bytes => Ok(Value::String(text.to_owned())),
        Holds::Flag => match text {
            "true" => Ok(Value::Bool(true)),
            "false" => Ok(Value::Bool(false)),
            _ => {
                let zh = format!("`{name}` 应为 true 或 false");
                Err(Problem::usage(name, zh, format!("`{name}` is true or false")))
            }
        },
        Holds::Number(bits) => {
            let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            let number =
                text.parse::<u64>().ok().filter(|number| digits && (bits == 64 || number >> bits == 0));
            let wrong = || {
                let zh = format!("`{name}` 应为小于 2 的 {bits} 次方的整数");
                Problem::usage(name, zh, format!("`{name}` is a whole number below 2 to the power of {bits}"))
            };
            number.map(Value::from).ok_or_else(wrong)
        }
    }
}

fn unknown(message: &str, name: &str) -> Problem {
    let mut names = Vec::new();
    for field in PROTO.fields(message) {
        match &field.holds {
            Holds::Message(inner) => {
                names.extend(PROTO.fields(inner).iter().map(|field| field.name.as_str()));
            }
            Holds::Text | Holds::Flag | Holds::Number(_) | Holds::Bytes => names.push(&field.name),
        }
    }
    let names = names.join(", ");
    Problem::usage(
        name,
        format!("没有参数 `{name}`;有 {names}"),
        format!("there is no `{name}`; there is {names}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::v1;

    fn ask(query: &[(&str, &str)]) -> Result<v1::IndicatorsRequest, Problem> {
        let pairs: Vec<_> =
            query.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        read("IndicatorsRequest", &pairs)
    }

    #[test]
    fn a_query_is_the_message() {
        let query = [
            ("region", "330000"),
            ("indicators", "INV_FAI"),
            ("indicators", "N_PRJ"),
            ("children", "true"),
            ("as_of", "2026-01-01"),
            ("min_position", "18446744073709551615"),
        ];
        let read = ask(&query).unwrap();
        let moment =
            v1::Moment { as_of: "2026-01-01".to_owned(), min_position: u64::MAX, ..Default::default() };
        assert_eq!(
            read,
            v1::IndicatorsRequest {
                region: "330000".to_owned(),
                indicators: vec!["INV_FAI".to_owned(), "N_PRJ".to_owned()],
                children: true,
                moment: Some(moment),
                ..Default::default()
            }
        );
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let wrong = [
            (&[("regoin", "330000")][..], "regoin"),
            (&[("moment", "now")], "moment"),
            (&[("children", "1")], "children"),
            (&[("page_size", "4294967296")], "page_size"),
            (&[("page_size", "+1")], "page_size"),
            (&[("page_size", "")], "page_size"),
            (&[("min_position", "18446744073709551616")], "min_position"),
            (&[("region", "a"), ("region", "b")], "region"),
        ];
        for (query, field) in wrong {
            let problem = ask(query).unwrap_err();
            assert_eq!((problem.code, problem.field.as_str()), ("usage", field), "{query:?}");
        }
    }
}
