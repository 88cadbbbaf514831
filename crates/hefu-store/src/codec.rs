//! The one codec of disposable bytes: what sled and snapshots hold and what can be rebuilt from the log.
//!
//! A version byte, then bincode in its legacy (fixed-width, little-endian) layout. Reading is bounded and refuses
//! another version and trailing bytes. Nothing that is hashed, signed or kept goes through here.

use bincode::config::{Configuration, Fixint, Limit, LittleEndian};
use bincode::{Decode, Encode};

/// Raised whenever a type that is encoded here changes; older bytes are then rebuilt, not converted.
pub const VERSION: u8 = 1;

/// Nothing disposable is larger; a length read from damaged bytes must not allocate more.
const LIMIT: usize = 64 << 20;
const CONFIG: Configuration<LittleEndian, Fixint, Limit<LIMIT>> = bincode::config::legacy().with_limit();

/// Why bytes could not be read or made.
#[derive(Debug, thiserror::Error)]
pub enum CodecError {
    /// They are of another version, or empty.
    #[error("encoded by another version")]
    Version,
    /// They go on after the value.
    #[error("{0} bytes after the value")]
    Trailing(usize),
    /// They are not the value.
    #[error("not what was encoded: {0}")]
    Decode(#[from] bincode::error::DecodeError),
    /// The value is too large to be encoded.
    #[error("cannot be encoded: {0}")]
    Encode(#[from] bincode::error::EncodeError),
}

/// Encodes `value`.
pub fn encode<T: Encode>(value: &T) -> Result<Vec<u8>, CodecError> {
    let mut bytes = vec![VERSION];
    bincode::encode_into_std_write(value, &mut bytes, CONFIG)?;
    Ok(bytes)
}

/// Decodes exactly what `encode` made.
pub fn decode<T: Decode<()>>(bytes: &[u8]) -> Result<T, CodecError> {
    let bytes = bytes.strip_prefix(&[VERSION]).ok_or(CodecError::Version)?;
    let (value, used) = bincode::decode_from_slice(bytes, CONFIG)?;
    if used == bytes.len() { Ok(value) } else { Err(CodecError::Trailing(bytes.len() - used)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Sample = (u64, [u8; 4], Vec<u8>, String, Option<u32>);

    const GOLDEN: &str = "01\
        0800000000000000\
        01020304\
        0200000000000000090a\
        03000000000000006c6f67\
        0107000000";

    fn sample() -> Sample {
        (8, [1, 2, 3, 4], vec![9, 10], "log".to_owned(), Some(7))
    }

    fn golden() -> Vec<u8> {
        (0..GOLDEN.len()).step_by(2).map(|at| u8::from_str_radix(&GOLDEN[at..at + 2], 16).unwrap()).collect()
    }

    #[test]
    fn bytes_are_golden() {
        assert_eq!(encode(&sample()).unwrap(), golden());
        assert_eq!(decode::<Sample>(&golden()).unwrap(), sample());
    }

    #[test]
    fn anything_else_is_refused() {
        let mut longer = golden();
        longer.push(0);
        assert!(matches!(decode::<Sample>(&longer), Err(CodecError::Trailing(1))));
        let mut newer = golden();
        newer[0] = 2;
        assert!(matches!(decode::<Sample>(&newer), Err(CodecError::Version)));
        assert!(matches!(decode::<Sample>(&[]), Err(CodecError::Version)));
        for cut in 1..golden().len() {
            assert!(decode::<Sample>(&golden()[..cut]).is_err());
        }
        let mut huge = golden();
        huge[13..21].fill(0xff);
        assert!(matches!(decode::<Sample>(&huge), Err(CodecError::Decode(_))));
    }
}
