//! The leaves of a site: what can be read of a bundle, which place each leaf belongs to, and whether it is the one that
//! was signed (section 7).

use std::collections::{BTreeMap, HashMap};

use crate::hash::{self, Hash};
use crate::record::{Leaf, Link, Streams, broken_links};
use crate::site::{Chunk, WIDE};
use crate::tiles::path;
use crate::{Place, Report};

/// How a leaf begins, and nothing inside one.
const BEGIN: &[u8] = b"{\"actor\":\"";

/// An entry: where it stands, its leaf, and whether the length before it is right.
pub(crate) type Entry<'a> = (usize, &'a [u8], bool);

/// The entries of a bundle, each after its length in 16 bits, and where that ends. Where a length is wrong an entry goes
/// up to where the next begins.
pub(crate) fn bundle(bytes: &[u8]) -> (Vec<Entry<'_>>, usize) {
    let begins = |at: usize| bytes.get(at + 2..).is_some_and(|rest| rest.starts_with(BEGIN));
    let (mut found, mut at) = (Vec::new(), 0);
    while let Some(&[high, low]) = bytes.get(at..at + 2) {
        let told = at + 2 + usize::from(u16::from_be_bytes([high, low]));
        let sound = bytes.get(at + 2..told).is_some_and(|leaf| {
            leaf.ends_with(b"}") && (told == bytes.len() || begins(told) || Leaf::parse(leaf).is_some())
        });
        let end = match (at + 3..bytes.len()).find(|next| !sound && begins(*next)) {
            _ if sound => told,
            Some(next) => next,
            None if begins(at) && bytes.ends_with(b"}") => bytes.len(),
            None => break,
        };
        found.push((at, &bytes[at + 2..end], sound));
        at = end;
    }
    (found, at)
}

/// Gives each leaf its place: the one the tree has it in, or the one it names, or the one it stands in. Says which are
/// missing, moved or surplus.
pub(crate) fn arrange<'a>(chunks: &'a [Chunk], report: &mut Report) -> Vec<Option<&'a [u8]>> {
    let sound = |chunk: &&Chunk| chunk.found.iter().copied().map(Some).eq(chunk.truth.iter().copied());
    let strange = || chunks.iter().filter(|chunk| !sound(chunk));
    let known = strange().flat_map(|chunk| (chunk.first..).zip(&chunk.truth));
    let places: HashMap<Hash, u64> = known.filter_map(|(at, hash)| Some(((*hash)?, at))).collect();
    // Of each leaf that is not where it should be: its place, and where it stands.
    let mut placed: BTreeMap<u64, (u64, &[u8])> = BTreeMap::new();
    let mut rest = Vec::new();
    for chunk in strange() {
        for (stands, (leaf, hash)) in (chunk.first..).zip(chunk.leaves.iter().zip(&chunk.found)) {
            match places.get(hash).filter(|at| !placed.contains_key(at)) {
                Some(at) => _ = placed.insert(*at, (stands, leaf)),
                None => rest.push((chunk, stands, leaf)),
            }
        }
    }
    for (chunk, stands, leaf) in rest {
        let named = Leaf::parse(leaf).map(|leaf| leaf.seq);
        let free = |at: &u64| !placed.contains_key(at) && strange().any(|chunk| chunk.has(*at));
        // In a bundle of the right number of entries an altered leaf stands where it belongs.
        let [first, then] =
            if chunk.found.len() == chunk.width { [Some(stands), named] } else { [named, Some(stands)] };
        if let Some(at) = [first, then].into_iter().flatten().find(free) {
            placed.insert(at, (stands, leaf));
        } else {
            let file = path("entries", chunk.first / WIDE as u64);
            let place = Place::record(&file, named.unwrap_or(stands));
            report.bad(place, "a record that stands here twice, or that the log does not have");
        }
    }
    let mut in_file: Vec<u64> = placed.values().map(|(stands, _)| *stands).collect();
    in_file.sort_unstable();
    for ((at, (stands, _)), in_file) in placed.iter().zip(in_file) {
        if *stands != in_file {
            let file = path("entries", at / WIDE as u64);
            report.bad(Place::record(&file, *at), "this record stands in another's place");
        }
    }
    let mut leaves: Vec<Option<&[u8]>> = Vec::new();
    for chunk in chunks {
        if sound(&chunk) {
            leaves.extend(chunk.leaves.iter().map(|leaf| Some(leaf.as_slice())));
            continue;
        }
        let end = chunk.first + chunk.width as u64;
        leaves.extend((chunk.first..end).map(|at| placed.get(&at).map(|(_, leaf)| *leaf)));
        let mut at = chunk.first;
        while at < end {
            let gap = (at..end).take_while(|at| !placed.contains_key(at)).count() as u64;
            if gap > 0 {
                let file = path("entries", chunk.first / WIDE as u64);
                let what = format!("records {at} to {} are missing", at + gap - 1);
                report.absent(Place::record(&file, at), what);
            }
            at += gap + 1;
        }
    }
    leaves
}

/// Every record: what the tree says of it, what it says of itself, and whether it continues those before.
pub(crate) fn records(origin: &str, chunks: &[Chunk], leaves: &[Option<&[u8]>], report: &mut Report) {
    let truth: Vec<Option<Hash>> = chunks.iter().flat_map(|chunk| chunk.truth.iter().copied()).collect();
    let vouched = |at: usize| Some(hash::leaf_hash(leaves[at]?) == truth[at]?);
    let link = |(position, leaf): (u64, Option<&[u8]>)| {
        let prev = Leaf::parse(leaf?).map(|leaf| leaf.prev);
        Some(Link { position, value: hash::chain(origin, leaf?), prev })
    };
    let links: Vec<Link> = (0..).zip(leaves.iter().copied()).filter_map(link).collect();
    let start = leaves.first().copied().flatten().map(|_| hash::chain(origin, origin.as_bytes()));
    let known = |link: &Link| usize::try_from(link.position).ok().and_then(vouched);
    let broken: BTreeMap<u64, &str> = broken_links(&links, start, &known).into_iter().collect();

    let mut streams = Streams::default();
    for (position, leaf) in (0..).zip(leaves) {
        let Some(leaf) = leaf else {
            streams.lose(position);
            continue;
        };
        report.records += 1;
        let file = path("entries", position / WIDE as u64);
        let place = Place::record(&file, position);
        let altered = usize::try_from(position).ok().and_then(vouched) == Some(false);
        if altered {
            report.bad(place, "the entry is altered: its hash is not the one in the signed tree");
        } else if let Some(why) = broken.get(&position) {
            report.bad(place, *why);
        }
        match Leaf::parse(leaf) {
            Some(leaf) if !altered => {
                if leaf.seq != position {
                    report.bad(place, format!("the leaf says that it is record {}", leaf.seq));
                }
                streams.take(&leaf, place, report);
            }
            None if !altered => report.bad(place, "the entry is not a leaf in its one spelling"),
            _ => streams.lose(position),
        }
    }
}
