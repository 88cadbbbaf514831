//! JSON inside snapshots: for types whose JSON leaves out what is usual, which a format without names cannot do.
//!
//! In a format for people and the wire the value stands as it is; in a snapshot it is its JSON text.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de, de::DeserializeOwned, ser};

pub(crate) fn serialize<T: Serialize, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    if serializer.is_human_readable() {
        return value.serialize(serializer);
    }
    serde_json::to_string(value).map_err(ser::Error::custom)?.serialize(serializer)
}

pub(crate) fn deserialize<'de, T: DeserializeOwned, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    if deserializer.is_human_readable() {
        return T::deserialize(deserializer);
    }
    serde_json::from_str(&String::deserialize(deserializer)?).map_err(de::Error::custom)
}
