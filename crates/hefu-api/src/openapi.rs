//! The OpenAPI document, written from the proto files, the routes and the table of failures. `docs/openapi.json` is a copy
//! that a test keeps equal; a running server answers with it at `/v1/openapi.json`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::{
    describe::{Field, Holds, Message, PROTO},
    operation::Operation,
    problem::Kind,
    routes::{Form, ROUTES, Route},
};

/// Where the document is.
pub const PATH: &str = "/v1/openapi.json";

/// The document.
pub fn document() -> Value {
    let mut paths: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    for route in &ROUTES {
        let method = match route.form {
            Form::Get | Form::Lines => "get",
            Form::Post | Form::Exchange => "post",
            Form::Put => "put",
        };
        paths.entry(route.path).or_default().insert(method.to_owned(), operation(route));
    }
    let mut schemas: Map<String, Value> =
        PROTO.messages.iter().map(|(name, message)| (name.clone(), schema(name, message))).collect();
    schemas.insert("Problem".to_owned(), problem());
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Hefu 合符",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "The services of proto/hefu/v1 as HTTP and JSON (proto3 JSON, names as in the proto files). \
                            Amounts are decimal texts; 64-bit numbers are texts; bytes are Base64. Errors are problems \
                            (RFC 9457) with stable codes: docs/ERRORS.md. Who may ask what: docs/ACCESS.md.",
            "license": {"name": "Apache-2.0 OR MIT", "identifier": "Apache-2.0 OR MIT"},
        },
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "token": {
                    "type": "http", "scheme": "bearer",
                    "description": "Made by `hefu token create`. Commands are signed and need none.",
                },
            },
        },
    })
}

/// As it is served and kept.
pub fn text() -> String {
    format!("{:#}\n", document())
}

fn operation(route: &Route) -> Value {
    let name = route.operation.name();
    let Some(method) = PROTO.methods.get(name) else { return Value::Null };
    let in_path: BTreeSet<&str> = route.in_path().collect();
    let mut parameters = Vec::new();
    let mut body = None;
    for field in PROTO.fields(&method.takes) {
        if in_path.contains(field.name.as_str()) {
            parameters.push(parameter(field, "path", required(route.operation, field)));
        }
    }
    match route.form {
        Form::Get | Form::Lines => {
            for field in PROTO.fields(&method.takes) {
                match &field.holds {
                    _ if in_path.contains(field.name.as_str()) => {}
                    // Pages know how far they go; streams are told.
                    _ if route.form == Form::Get && field.name == "follow" => {}
                    Holds::Message(inner) => {
                        parameters
                            .extend(PROTO.fields(inner).iter().map(|one| parameter(one, "query", false)));
                    }
                    Holds::Text | Holds::Flag | Holds::Number(_) | Holds::Bytes => {
                        parameters.push(parameter(field, "query", required(route.operation, field)));
                    }
                }
            }
        }
        Form::Exchange => {
            let lines = json!({"type": "string", "description": format!("Lines of {}.", method.takes)});
            body = Some(json!({"required": true, "content": {"application/x-ndjson": {"schema": lines}}}));
        }
        Form::Post | Form::Put => {
            let schema = json!({"$ref": format!("#/components/schemas/{}", method.takes)});
            body = Some(json!({"required": true, "content": {"application/json": {"schema": schema}}}));
        }
    }
    let lines = matches!(route.form, Form::Lines | Form::Exchange);
    let media = if lines { "application/x-ndjson" } else { "application/json" };
    let answer = json!({"$ref": format!("#/components/schemas/{}", method.gives)});
    let mut responses = Map::new();
    let content = if lines {
        // One object a line: no schema describes the whole.
        json!({media: {"schema": {"type": "string", "description": format!("Lines of {}.", method.gives)}}})
    } else {
        json!({media: {"schema": answer}})
    };
    let mut headers = json!({});
    if route.form == Form::Get {
        headers["ETag"] = json!({"description": "Of this answer; send it back in If-None-Match.", "schema": {"type": "string"}});
        responses.insert("304".to_owned(), json!({"description": "The answer is the one you have."}));
        if PROTO.fields(&method.gives).iter().any(|field| field.name == "next_page_token") {
            headers["Link"] = json!({"description": "The next page (rel=next), if there is one.", "schema": {"type": "string"}});
        }
    }
    responses.insert(
        "200".to_owned(),
        json!({"description": "The answer.", "headers": headers, "content": content}),
    );
    let statuses: BTreeSet<u16> = Kind::ALL.into_iter().map(Kind::http).collect();
    for status in statuses {
        let schema = json!({"$ref": "#/components/schemas/Problem"});
        let description = Kind::ALL.into_iter().filter(|kind| kind.http() == status).map(Kind::words);
        responses.insert(
            status.to_string(),
            json!({
                "description": description.collect::<Vec<_>>().join(" "),
                "content": {"application/problem+json": {"schema": schema}},
            }),
        );
    }
    let mut operation = json!({
        "operationId": if lines { format!("{name}Stream") } else { name.to_owned() },
        "tags": [method.service],
        "summary": method.words,
        "security": [{"token": []}, {}],
        "parameters": parameters,
        "responses": responses,
    });
    if let Some(body) = body {
        operation["requestBody"] = body;
    }
    operation
}

/// Whether a question is none without the field.
fn required(operation: Operation, field: &Field) -> bool {
    let needed: &[&str] = match operation {
        Operation::Submit => &["command"],
        Operation::GetReceipt => &["id"],
        Operation::Indicators => &["region", "period"],
        Operation::Explain => &["region", "period", "indicator"],
        Operation::Statements => &["period"],
        Operation::Project | Operation::Suggest => &["project"],
        Operation::GetCursor | Operation::SetCursor => &["name"],
        Operation::SubmitBatch
        | Operation::Projects
        | Operation::Circulation
        | Operation::Disputes
        | Operation::Vintages
        | Operation::Checkpoint
        | Operation::InclusionProof
        | Operation::ConsistencyProof
        | Operation::ReadRecords => &[],
    };
    needed.contains(&field.name.as_str())
}

fn parameter(field: &Field, place: &str, required: bool) -> Value {
    let one = match field.holds {
        Holds::Flag => json!({"type": "boolean"}),
        Holds::Number(bits) => json!({"type": "integer", "minimum": 0, "maximum": greatest(bits)}),
        Holds::Text | Holds::Bytes | Holds::Message(_) => json!({"type": "string"}),
    };
    let schema = if field.many { json!({"type": "array", "items": one}) } else { one };
    json!({"name": field.name, "in": place, "required": required, "description": field.words, "schema": schema})
}

const fn greatest(bits: u32) -> u64 {
    if bits >= 64 { u64::MAX } else { (1 << bits) - 1 }
}

fn schema(name: &str, message: &Message) -> Value {
    let mut properties = Map::new();
    for field in &message.fields {
        let one = match &field.holds {
            Holds::Text => json!({"type": "string"}),
            Holds::Flag => json!({"type": "boolean"}),
            Holds::Number(64) => json!({"type": "string", "pattern": "^(0|[1-9][0-9]{0,19})$"}),
            Holds::Number(bits) => json!({"type": "integer", "minimum": 0, "maximum": greatest(*bits)}),
            Holds::Bytes => json!({"type": "string", "contentEncoding": "base64"}),
            Holds::Message(inner) => json!({"$ref": format!("#/components/schemas/{inner}")}),
        };
        let mut schema = if field.many { json!({"type": "array", "items": one}) } else { one };
        schema["description"] = json!(field.words);
        properties.insert(field.name.clone(), schema);
    }
    let mut schema = json!({
        "type": "object",
        "description": message.words,
        "additionalProperties": false,
        "properties": properties,
    });
    // What is given is given in full; what is asked may leave out what it does not want.
    let asked = name.ends_with("Request") || name == "Moment";
    if !asked {
        let always =
            |field: &&Field| !field.absent && (field.many || !matches!(field.holds, Holds::Message(_)));
        let required: Vec<&str> =
            message.fields.iter().filter(always).map(|field| field.name.as_str()).collect();
        if !required.is_empty() {
            schema["required"] = json!(required);
        }
    }
    schema
}

fn problem() -> Value {
    json!({
        "type": "object",
        "description": "RFC 9457. The codes are in docs/ERRORS.md.",
        "required": ["type", "title", "status", "code"],
        "properties": {
            "type": {"type": "string", "description": "urn:hefu:error: and the code."},
            "title": {"type": "string", "description": "What is wrong, in Chinese or English as asked for."},
            "status": {"type": "integer", "description": "The HTTP status."},
            "code": {"type": "string", "description": "The stable code."},
            "field": {"type": "string", "description": "The field that is wrong, if a single one is."},
            "refusal": {"type": "object", "description": "The refusal as the log signed it."},
        },
    })
}
