//! A proof file: one record, and the way from it to a signed checkpoint (section 7, c2sp.org/tlog-proof).

use crate::hash::{self, Hash};
use crate::note::{self, Checkpoint, LogKey};
use crate::record::Leaf;
use crate::{Place, Report, Verdict};

/// How a proof file begins.
pub const MAGIC: &[u8] = b"c2sp.org/tlog-proof@v1\n";

/// Checks a proof file.
pub fn verify(bytes: &[u8], key: Option<&LogKey>, report: &mut Report) {
    let Some((leaf, index, path, note)) = read(bytes) else {
        return report.bad(Place::file("proof"), "not a proof file in its one spelling");
    };
    let place = Place::record("proof", index);
    let checkpoint = match note::read(note.as_bytes()) {
        Err((_, why)) => return report.bad(place, why),
        Ok((checkpoint, _)) => checkpoint,
    };
    match key.map(|key| note::open(note.as_bytes(), key)) {
        Some(Ok(_)) => {}
        Some(Err((Verdict::ProvenBad, why))) => return report.bad(place, why),
        Some(Err((_, why))) => return report.absent(place, why),
        None => report.absent(place, "no key of the log was given: nobody knows who signed this"),
    }
    let Some(leaf) = leaf else {
        return report.absent(place, "the file holds no record");
    };
    let Checkpoint { origin, size, root } = checkpoint;
    if hash::climb(index, size, hash::leaf_hash(&leaf), &path) != Some(root) {
        return report.bad(place, "the path does not lead from the record to the signed root");
    }
    (report.origin, report.size, report.records) = (Some(origin), size, 1);
    match Leaf::parse(&leaf) {
        Some(leaf) if leaf.seq == index => {
            report.notes.push(format!("record {index}: {} {} {}", leaf.kind, leaf.stream, leaf.ts));
        }
        Some(_) => report.bad(place, "the leaf says that it is another record"),
        None => report.bad(place, "the record is not a leaf in its one spelling"),
    }
}

/// Record, position, path and checkpoint of a proof file.
type Parts<'a> = (Option<Vec<u8>>, u64, Vec<Hash>, &'a str);

fn read(bytes: &[u8]) -> Option<Parts<'_>> {
    let text = std::str::from_utf8(bytes.strip_prefix(MAGIC)?).ok()?;
    let (head, note) = text.split_once("\n\n")?;
    let mut lines = head.split('\n').peekable();
    let extra = lines.next_if(|line| line.starts_with("extra "));
    let leaf = match extra {
        Some(line) => Some(hash::from_base64(&line[6..]).filter(|leaf| (1..=1 << 20).contains(&leaf.len()))?),
        None => None,
    };
    let index = note::decimal(lines.next()?.strip_prefix("index ")?)?;
    let path: Option<Vec<Hash>> = lines.map(|line| hash::from_base64(line)?.try_into().ok()).collect();
    Some((leaf, index, path.filter(|path| path.len() <= 63)?, note))
}
