//! Every record of a project, oldest first.

use hefu_domain::{event::Event, id::KeyId, state::State};
use hefu_engine::RecordView;
use serde_json::Value;

use super::One;
use crate::{
    context::Context,
    error::Result,
    find,
    lang::Lang,
    render::{self, Column, Json, Page, Table, plain},
};

/// Runs it.
pub(crate) fn run(context: &Context, args: &One) -> Result<u8> {
    let (reader, position) = find::reader(context, args.as_of)?;
    let state = &reader.views.state;
    let (id, _) = find::project(state, &args.project)?;
    let mut table = Table::new(vec![
        Column::number("position", "位置", "position"),
        Column::text("ts", "入账时间", "recorded at"),
        Column::text("type", "事件", "event"),
        Column::text("by", "经办", "by"),
        Column::text("summary", "摘要", "summary"),
        Column::text("command", "命令编号", "command"),
    ]);
    for RecordView { leaf, event, redacted_by, .. } in reader.history(id)? {
        table.rows.push(vec![
            plain(leaf.seq),
            plain(leaf.ts.clone()),
            plain(event.kind()),
            plain(signer(state, KeyId(leaf.actor.0), context.lang)),
            plain(match redacted_by {
                Some(by) => format!("{} redacted_by={by}", summary(&event)),
                None => summary(&event),
            }),
            plain(leaf.command.to_string()),
        ]);
    }
    let json = Json::Object(vec![
        ("position", position.into()),
        ("checkpoint", reader.head.to_string().into()),
        ("project", id.to_string().into()),
        ("rows", Json::List(table.objects())),
    ]);
    render::print(context, &Page { tables: vec![table], data: None, notes: Vec::new(), json })?;
    Ok(0)
}

/// Whose key it is: region and role, or the log's or a root's.
pub(crate) fn signer(state: &State, key: KeyId, lang: Lang) -> String {
    let ring = &state.keyring;
    if let Some(entry) = ring.keys.get(&key) {
        let region = state.regions.get(entry.region);
        return format!("{} {} {}", region.code(), lang.region(region), entry.role.name());
    }
    if ring.log == Some(key) {
        return lang.pick("账本", "log").to_owned();
    }
    ring.root(key).map_or_else(|| key.to_string(), |root| root.person.clone())
}

/// The event's own words: its plain fields, without the project that all of them share.
pub(crate) fn summary(event: &Event) -> String {
    let Ok(Value::Object(fields)) = event.to_value() else { return String::new() };
    let word = |(name, value): (&String, &Value)| match value {
        Value::String(text) if name != "project" && !text.is_empty() => Some(format!("{name}={text}")),
        Value::Number(number) => Some(format!("{name}={number}")),
        Value::Bool(true) => Some(name.clone()),
        Value::Array(items) if !items.is_empty() => {
            let items: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
            (!items.is_empty()).then(|| format!("{name}={}", items.join(",")))
        }
        Value::Object(inner) => {
            let inner = inner.iter().filter_map(|(name, value)| Some(format!("{name}={}", value.as_str()?)));
            let inner: Vec<String> = inner.collect();
            (!inner.is_empty()).then(|| format!("{name}({})", inner.join(" ")))
        }
        _ => None,
    };
    fields.iter().filter_map(word).collect::<Vec<_>>().join(" ")
}
