//! JSON Schema of the types whose JSON form is a text of their own. The others derive theirs.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use crate::{
    amount::{Decimal, Money},
    dispute::DisputeId,
    id::{ChainHead, Digest, EnterpriseCode, Evidence, KeyId, ProjectId, PublicKey},
    indicator::IndicatorCode,
    period::Period,
    region::RegionCode,
    settlement::LineId,
    tax::TaxKind,
    terms::{Credit, Credits},
    time::Date,
};

/// Texts with a pattern: what they are, what they look like, one that is right.
macro_rules! texts {
    ($($name:ident $pattern:literal $example:literal $what:literal)*) => {
        $(
            impl JsonSchema for $name {
                fn schema_name() -> Cow<'static, str> {
                    stringify!($name).into()
                }

                fn json_schema(_: &mut SchemaGenerator) -> Schema {
                    json_schema!({
                        "type": "string", "pattern": $pattern, "examples": [$example], "description": $what,
                    })
                }
            }
        )*

        #[cfg(test)]
        /// Name, pattern and example of each.
        const TEXTS: &[(&str, &str, fn(&str) -> bool)] =
            &[$((stringify!($name), $example, |text| text.parse::<$name>().is_ok())),*];
    };
}

texts! {
    Date "^[0-9]{4}-[0-9]{2}-[0-9]{2}$" "2023-06-01" "A day of the calendar."
    Decimal "^-?[0-9]+(\\.[0-9]{1,6})?$" "35000000.50" "A decimal number, exact, at most six decimals."
    Money "^-?[0-9]+(\\.[0-9]{1,2}0*)?$" "1200000000.00" "An amount in yuan, exact to the fen."
    Period "^[0-9]{4}(-Q[1-4]|-[0-9]{2}(\\.\\.[0-9]{2})?)?$" "2023-07" "A year, quarter, month or run of months of one year: 2023, 2023-Q3, 2023-07, 2023-01..02."
    RegionCode "^[0-9]{6}$" "330881" "A GB/T 2260 code."
    EnterpriseCode "^[0-9A-HJ-NPQRTUWXY]{18}$" "91330100799655058B" "A unified social credit code (GB 32100-2015) with a right check character."
    ProjectId "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$" "0198b2c4-7d3e-7000-8000-0123456789ab" "A UUID, in lower case with hyphens."
    DisputeId "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$" "0198b2c4-7d3e-7000-8000-0123456789ab" "A UUID, in lower case with hyphens."
    IndicatorCode "^[A-Z][A-Z0-9_]{0,23}$" "INV_FAI" "The code of an indicator of the catalogue."
    KeyId "^[0-9a-f]{32}$" "66687aadf862bd776c8fc18b8e9f8e20" "The first half of the SHA-256 of a public key, in hex."
    LineId "^[1-9][0-9]*-[1-9][0-9]*$" "2-17" "A settlement line: the number of its run and its own."
    TaxKind "^[a-z][a-z0-9_]{0,15}$" "vat" "A kind of tax the policy has a rate for."
    PublicKey "^[0-9a-f]{64}$" "3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29" "An Ed25519 public key, in hex."
    Digest "^[0-9a-f]{64}$" "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" "A SHA-256, in hex."
    ChainHead "^[0-9a-f]{64}$" "d88b27e3135a9ff495888f8411e3fd9d2891aa3cbede97a2b6526ae46edb88b9" "A chain value (BLAKE3), in hex."
    Evidence "^sha256:[0-9a-f]{64}$" "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" "The digest of an evidence file."
}

impl JsonSchema for Credits {
    fn schema_name() -> Cow<'static, str> {
        "Credits".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let credit = generator.subschema_for::<Credit>();
        json_schema!({
            "type": "object",
            "description": "Credits for all four classes.",
            "properties": { "attraction": credit, "investment": credit, "research": credit, "value_added": credit },
            "additionalProperties": false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_example_is_right() {
        for (name, example, parses) in TEXTS {
            assert!(parses(example), "{name}: {example}");
        }
    }
}
