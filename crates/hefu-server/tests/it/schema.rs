//! Whether an answer is what the OpenAPI document says: as much of JSON Schema as the document uses.

use hefu_api::openapi;
use serde_json::Value;

/// What is wrong with a value under the schema of this name.
pub(crate) fn faults(name: &str, value: &Value) -> Vec<String> {
    let document = openapi::document();
    let mut faults = Vec::new();
    let schema = &document["components"]["schemas"][name];
    assert!(schema.is_object(), "there is no schema {name}");
    check(&document, schema, value, name, &mut faults);
    faults
}

fn check(document: &Value, schema: &Value, value: &Value, place: &str, faults: &mut Vec<String>) {
    let mut wrong = |what: String| faults.push(format!("{place}: {what}"));
    for (word, rule) in schema.as_object().unwrap() {
        match word.as_str() {
            "$ref" => {
                let name = rule.as_str().unwrap().strip_prefix("#/components/schemas/").unwrap();
                let inner = &document["components"]["schemas"][name];
                check(document, inner, value, &format!("{place}:{name}"), faults);
                return;
            }
            "type" => {
                let fits = match rule.as_str().unwrap() {
                    "object" => value.is_object(),
                    "array" => value.is_array(),
                    "string" => value.is_string(),
                    "boolean" => value.is_boolean(),
                    "integer" => value.is_u64(),
                    other => panic!("type {other}"),
                };
                if !fits {
                    wrong(format!("{value} is no {rule}"));
                }
            }
            "required" => {
                for name in rule.as_array().unwrap() {
                    if value.get(name.as_str().unwrap()).is_none() {
                        wrong(format!("{name} is missing"));
                    }
                }
            }
            "pattern" => {
                let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
                if !value.as_str().is_some_and(digits) {
                    wrong(format!("{value} is no number"));
                }
            }
            "maximum" => {
                if value.as_u64() > rule.as_u64() {
                    wrong(format!("{value} is above {rule}"));
                }
            }
            "properties"
            | "items"
            | "additionalProperties"
            | "description"
            | "minimum"
            | "contentEncoding" => {}
            other => panic!("the test does not know {other}"),
        }
    }
    if let (Some(items), Some(list)) = (schema.get("items"), value.as_array()) {
        for (nth, item) in list.iter().enumerate() {
            check(document, items, item, &format!("{place}[{nth}]"), faults);
        }
    }
    if let (Some(properties), Some(object)) = (schema.get("properties"), value.as_object()) {
        for (name, inner) in object {
            match properties.get(name) {
                Some(schema) => check(document, schema, inner, &format!("{place}.{name}"), faults),
                None if schema.get("additionalProperties") == Some(&Value::Bool(false)) => {
                    faults.push(format!("{place}: {name} is not in the schema"));
                }
                None => {}
            }
        }
    }
}
