//! What `proto/hefu/v1` says of itself: messages, fields, methods, and the words beside them. HTTP reads its queries by
//! it, and the OpenAPI document is written from it, so that no wire can say anything else than the proto files do.

use std::{collections::BTreeMap, sync::LazyLock};

use prost::Message as _;
use prost_types::{
    FileDescriptorSet,
    field_descriptor_proto::{Label, Type},
    source_code_info::Location,
};

/// What a field holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holds {
    /// A text.
    Text,
    /// Yes or no.
    Flag,
    /// A whole number below 2 to the power of this many bits.
    Number(u32),
    /// Bytes; Base64 in JSON.
    Bytes,
    /// The message of this name.
    Message(String),
}

/// A field of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// The words beside it.
    pub words: String,
    /// What it holds.
    pub holds: Holds,
    /// Whether it holds a list.
    pub many: bool,
    /// Whether it may be absent.
    pub absent: bool,
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The words beside it.
    pub words: String,
    /// Its fields, in order.
    pub fields: Vec<Field>,
}

/// A method of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Method {
    /// The service.
    pub service: String,
    /// The words beside it.
    pub words: String,
    /// The message it takes.
    pub takes: String,
    /// The message it gives.
    pub gives: String,
}

/// Everything, by name.
#[derive(Clone, Debug, Default)]
pub struct Described {
    /// The messages.
    pub messages: BTreeMap<String, Message>,
    /// The methods of all services: no two have one name.
    pub methods: BTreeMap<String, Method>,
}

/// Of `proto/hefu/v1`.
pub static PROTO: LazyLock<Described> = LazyLock::new(|| {
    // The build made the bytes; that they can be read is tested.
    FileDescriptorSet::decode(crate::DESCRIPTION).map(|set| described(&set)).unwrap_or_default()
});

impl Described {
    /// The fields of a message; none if there is no such message.
    pub fn fields(&self, message: &str) -> &[Field] {
        self.messages.get(message).map_or(&[], |message| &message.fields)
    }
}

fn described(set: &FileDescriptorSet) -> Described {
    let mut all = Described::default();
    for file in set.file.iter().filter(|file| file.package() == "hefu.v1") {
        let locations = file.source_code_info.as_ref().map_or(&[][..], |info| &info.location);
        for (at, message) in (0i32..).zip(&file.message_type) {
            let fields = (0i32..).zip(&message.field).map(|(nth, field)| Field {
                name: field.name().to_owned(),
                words: words(locations, &[4, at, 2, nth]),
                holds: holds(field.r#type(), field.type_name()),
                many: field.label() == Label::Repeated,
                absent: field.proto3_optional() || field.oneof_index.is_some(),
            });
            let message_words = words(locations, &[4, at]);
            let described = Message { words: message_words, fields: fields.collect() };
            all.messages.insert(message.name().to_owned(), described);
        }
        for (at, service) in (0i32..).zip(&file.service) {
            for (nth, method) in (0i32..).zip(&service.method) {
                let described = Method {
                    service: service.name().to_owned(),
                    words: words(locations, &[6, at, 2, nth]),
                    takes: short(method.input_type()),
                    gives: short(method.output_type()),
                };
                all.methods.insert(method.name().to_owned(), described);
            }
        }
    }
    all
}

fn words(locations: &[Location], path: &[i32]) -> String {
    let found = locations.iter().find(|location| location.path == path);
    let text = found.map_or("", |location| location.leading_comments());
    text.lines().map(str::trim).collect::<Vec<_>>().join(" ").trim().to_owned()
}

fn holds(kind: Type, name: &str) -> Holds {
    match kind {
        Type::Bool => Holds::Flag,
        Type::Uint32 => Holds::Number(32),
        Type::Uint64 => Holds::Number(64),
        Type::Bytes => Holds::Bytes,
        Type::Message => Holds::Message(short(name)),
        Type::String
        | Type::Double
        | Type::Float
        | Type::Int64
        | Type::Int32
        | Type::Fixed64
        | Type::Fixed32
        | Type::Group
        | Type::Enum
        | Type::Sfixed32
        | Type::Sfixed64
        | Type::Sint32
        | Type::Sint64 => Holds::Text,
    }
}

fn short(name: &str) -> String {
    name.rsplit('.').next().unwrap_or(name).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_method_and_field_has_words() {
        assert!(PROTO.methods.len() >= 17, "the bytes are read");
        assert!(PROTO.methods.values().all(|method| !method.words.is_empty()));
        for (name, message) in &PROTO.messages {
            assert!(!message.words.is_empty(), "{name}");
            assert!(message.fields.iter().all(|field| !field.words.is_empty()), "{name}");
        }
        let moment = PROTO.fields("Moment");
        assert_eq!(moment[1].holds, Holds::Number(64));
        assert!(PROTO.fields("Figures").iter().all(|field| field.absent));
    }

    #[test]
    fn no_field_is_of_a_kind_that_the_wires_do_not_know() {
        let set = FileDescriptorSet::decode(crate::DESCRIPTION).unwrap();
        let known = [Type::String, Type::Bool, Type::Uint32, Type::Uint64, Type::Bytes, Type::Message];
        let files = set.file.iter().filter(|file| file.package() == "hefu.v1");
        for field in files.flat_map(|file| &file.message_type).flat_map(|message| &message.field) {
            assert!(known.contains(&field.r#type()), "{}", field.name());
        }
    }
}
