//! The documents of the commands follow from the types: the JSON Schema, and the tables in COMMANDS.md.

use std::{fmt::Write as _, fs};

use hefu_domain::command::Command;
use schemars::SchemaGenerator;
use serde_json::Value;

use crate::docs;

/// What stands around the part of COMMANDS.md that is made here.
const BEGIN: &str = "<!-- begin: made from the types -->\n";
const END: &str = "<!-- end: made from the types -->\n";

fn schema() -> Value {
    let mut schema = SchemaGenerator::default().into_root_schema_for::<Command>().to_value();
    schema["title"] = "A command of a Hefu ledger".into();
    schema
}

#[test]
fn the_schema_is_the_one_of_the_types() {
    let text = serde_json::to_string_pretty(&schema()).unwrap() + "\n";
    docs::same("commands.schema.json", &text);
}

#[test]
fn the_tables_name_every_command_and_field() {
    let schema = schema();
    let mut made = String::new();
    let commands = schema["oneOf"].as_array().unwrap();
    let names: Vec<&str> =
        commands.iter().map(|one| one["properties"]["type"]["const"].as_str().unwrap()).collect();
    assert_eq!(names, Command::NAMES);
    for (name, command) in names.iter().zip(commands) {
        let _ = write!(made, "\n### `{name}`\n\n{}\n", words(command));
        fields(&mut made, command);
    }
    made.push_str("\n## Parts of commands\n");
    for (name, part) in schema["$defs"].as_object().unwrap() {
        let _ = write!(made, "\n### {name}\n\n{}\n", words(part));
        if part["type"] == "object" {
            fields(&mut made, part);
        } else if let Some(words_of_it) = part["oneOf"].as_array() {
            made.push('\n');
            for word in words_of_it {
                let _ = writeln!(made, "- {}", form(word));
            }
        } else {
            let _ = writeln!(made, "\n{}", form(part));
        }
    }
    let kept = fs::read_to_string(docs::path("COMMANDS.md")).unwrap();
    let (head, rest) = kept.split_once(BEGIN).expect("COMMANDS.md says where the tables begin");
    let (_, tail) = rest.split_once(END).expect("COMMANDS.md says where the tables end");
    docs::same("COMMANDS.md", &format!("{head}{BEGIN}{made}\n{END}{tail}"));
}

fn words(schema: &Value) -> String {
    schema["description"].as_str().unwrap_or_default().replace('\n', " ").replace('|', "\\|")
}

/// A table of an object's fields, without the `type` that every command has.
fn fields(made: &mut String, object: &Value) {
    let needed = object["required"].as_array().cloned().unwrap_or_default();
    let fields = object["properties"].as_object().into_iter().flatten();
    let mut rows = fields.filter(|(name, _)| *name != "type").peekable();
    if rows.peek().is_none() {
        return;
    }
    made.push_str("\n| field | form | needed | meaning |\n|---|---|---|---|\n");
    for (name, field) in rows {
        let is_needed = if needed.iter().any(|one| one == name) { "yes" } else { "" };
        let _ = writeln!(made, "| `{name}` | {} | {is_needed} | {} |", form(field), words(field));
    }
}

/// The form of a value in a few words.
fn form(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str() {
        let name = name.rsplit('/').next().unwrap_or_default();
        return format!("[{name}](#{})", name.to_lowercase());
    }
    if let Some(choices) = schema["anyOf"].as_array().or(schema["oneOf"].as_array()) {
        let forms = choices.iter().filter(|one| one["type"] != "null").map(form);
        return forms.collect::<Vec<_>>().join(" or ");
    }
    if let Some(words) = schema["enum"].as_array() {
        return words
            .iter()
            .map(|word| format!("`{}`", word.as_str().unwrap_or_default()))
            .collect::<Vec<_>>()
            .join(", ");
    }
    if let Some(word) = schema["const"].as_str() {
        return format!("`{word}`: {}", words(schema));
    }
    let kind = match &schema["type"] {
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).find(|kind| *kind != "null"),
        kind => kind.as_str(),
    };
    match (kind, schema["examples"][0].as_str()) {
        (Some("array"), _) => format!("list of {}", form(&schema["items"])),
        (Some("string"), Some(example)) => format!("text like `{example}`"),
        (Some("string"), None) => "text".to_owned(),
        (Some(kind), _) => kind.to_owned(),
        (None, _) => "any".to_owned(),
    }
}
