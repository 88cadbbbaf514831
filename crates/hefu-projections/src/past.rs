//! What did a sum show at an earlier position?
//!
//! Beside the sums stands how they came about: for each of them its changes, oldest first, a few bytes each. So a figure
//! as of any past position is the sum of the changes up to there; no record is read and nothing is folded again
//! (decision 0014). What counts at its location alone and in full, as most observations do, is kept once, at its county,
//! for all areas above. Changes of one record to one sum are one change, and none if they cancel.

use std::collections::BTreeMap;

use hefu_domain::{
    period::Period,
    region::{RegionId, RegionTree},
    state::IndicatorId,
    time::Date,
};
use serde::{Deserialize, Serialize};

use crate::counting::Cell;

/// The changes of one sum.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Run {
    /// For each change: position (less that of the change before), then the amounts. Zigzag varints.
    #[serde(with = "as_bytes")]
    bytes: Vec<u8>,
    /// Where the last change begins, if that is known.
    tail: Option<u32>,
    /// Position of the last change, and of the one before it.
    last: [u64; 2],
}

/// Which amounts a change has.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// One: territorial and as destination alike.
    Plain,
    /// Three.
    Full,
}

impl Run {
    fn note(&mut self, form: Form, position: u64, change: &Cell) {
        let mut change = *change;
        if let Some(tail) = self.tail.filter(|_| self.last[0] == position) {
            let tail = tail as usize;
            let mut rest = &self.bytes[tail..];
            if read(&mut rest).is_some() {
                change.merge(&read_cell(&mut rest, form));
            }
            self.bytes.truncate(tail);
            (self.tail, self.last) = (None, [self.last[1], self.last[1]]);
        }
        if change == Cell::default() {
            return;
        }
        self.tail = u32::try_from(self.bytes.len()).ok();
        // Positions rise; a fold in another order is summed up all the same.
        write(&mut self.bytes, i128::from(position) - i128::from(self.last[0]));
        write(&mut self.bytes, change.observations.into());
        write(&mut self.bytes, change.territorial);
        if form == Form::Full {
            write(&mut self.bytes, change.as_destination);
            write(&mut self.bytes, change.as_origin);
        }
        self.last = [position, self.last[0]];
    }

    /// Adds up what the first `size` records changed.
    fn sum(&self, form: Form, size: u64, sum: &mut Cell) {
        let (mut rest, mut position) = (&self.bytes[..], 0i128);
        while let Some(step) = read(&mut rest) {
            position += step;
            let change = read_cell(&mut rest, form);
            if position < i128::from(size) {
                sum.merge(&change);
            }
        }
    }
}

fn read_cell(rest: &mut &[u8], form: Form) -> Cell {
    let mut next = || read(rest).unwrap_or_default();
    let observations = i64::try_from(next()).unwrap_or_default();
    let territorial = next();
    let (as_destination, as_origin) = match form {
        Form::Plain => (territorial, 0),
        Form::Full => (next(), next()),
    };
    Cell { territorial, as_destination, as_origin, observations }
}

fn write(bytes: &mut Vec<u8>, value: i128) {
    let mut left = ((value << 1) ^ (value >> 127)).cast_unsigned();
    while left >= 0x80 {
        bytes.push(u8::try_from(left & 0x7f).unwrap_or_default() | 0x80);
        left >>= 7;
    }
    bytes.push(u8::try_from(left).unwrap_or_default());
}

fn read(rest: &mut &[u8]) -> Option<i128> {
    let (mut value, mut shift) = (0u128, 0u32);
    loop {
        let (first, after) = rest.split_first()?;
        *rest = after;
        value |= u128::from(first & 0x7f).checked_shl(shift).unwrap_or_default();
        if first & 0x80 == 0 {
            return Some((value >> 1).cast_signed() ^ -(value & 1).cast_signed());
        }
        shift += 7;
    }
}

type Runs = BTreeMap<(IndicatorId, Period), Run>;

/// The changes of all sums.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Past {
    /// By county: observations that count at their location alone.
    plain: Vec<Runs>,
    /// By area: all others.
    shared: Vec<Runs>,
    /// By area: projects, and large projects, by day.
    counts: Vec<[BTreeMap<Date, Run>; 2]>,
}

impl Past {
    /// An observation came or went that only its location counts, in full.
    pub(crate) fn plain(
        &mut self,
        county: RegionId,
        key: (IndicatorId, Period),
        at: u64,
        (value, sign): (i64, i64),
    ) {
        let whole = i128::from(sign) * i128::from(value);
        let change = Cell { territorial: whole, as_destination: whole, as_origin: 0, observations: sign };
        slot(&mut self.plain, county).entry(key).or_default().note(Form::Plain, at, &change);
    }

    /// What an area shows of any other observation came or went.
    pub(crate) fn shared(&mut self, area: RegionId, key: (IndicatorId, Period), at: u64, change: &Cell) {
        slot(&mut self.shared, area).entry(key).or_default().note(Form::Full, at, change);
    }

    /// A count of an area changed on a day.
    pub(crate) fn count(&mut self, area: RegionId, large: bool, day: Date, at: u64, change: &Cell) {
        let days = &mut slot(&mut self.counts, area)[usize::from(large)];
        days.entry(day).or_default().note(Form::Full, at, change);
    }

    /// The sum over the reported periods inside `period` that are `wanted`, after the first `size` records.
    pub(crate) fn sum(
        &self,
        tree: &RegionTree,
        area: RegionId,
        (indicator, period): (IndicatorId, Period),
        size: u64,
        wanted: impl Fn(Period) -> bool,
    ) -> Cell {
        let mut sum = Cell::default();
        let (first, last) = period.range();
        let bound = |first, last| Period::months(period.year(), first, last).unwrap_or(period);
        let keys = (indicator, bound(first, first))..=(indicator, bound(last, 12));
        let mut add = |runs: Option<&Runs>, form: Form, there: &dyn Fn(Period) -> bool| {
            let inside = runs.into_iter().flat_map(|runs| runs.range(keys.clone()));
            for ((_, reported), run) in inside.filter(|((_, reported), _)| period.contains(*reported)) {
                if wanted(*reported) && there(*reported) {
                    run.sum(form, size, &mut sum);
                }
            }
        };
        if tree.is_undated() {
            for below in tree.subtree(area) {
                add(self.plain.get(usize::from(below.0)), Form::Plain, &|_| true);
            }
        } else {
            // A county counts for what it lay under on the period's last day, as was known then.
            for (county, runs) in (0..).map(RegionId).zip(&self.plain) {
                let there =
                    |part: Period| tree.upward_known(county, part.end(), size).any(|above| above == area);
                add(Some(runs), Form::Plain, &there);
            }
        }
        add(self.shared.get(usize::from(area.0)), Form::Full, &|_| true);
        sum
    }

    /// A count of an area on a day, after the first `size` records.
    pub(crate) fn counted(&self, area: RegionId, large: bool, day: Date, size: u64) -> Cell {
        let mut sum = Cell::default();
        if let Some(days) = self.counts.get(usize::from(area.0)) {
            days[usize::from(large)].range(..=day).for_each(|(_, run)| run.sum(Form::Full, size, &mut sum));
        }
        sum
    }
}

fn slot<T: Default>(list: &mut Vec<T>, region: RegionId) -> &mut T {
    let index = usize::from(region.0);
    if list.len() <= index {
        list.resize_with(index + 1, T::default);
    }
    &mut list[index]
}

/// Bytes in one piece, not one by one.
mod as_bytes {
    use serde::{Deserializer, Serializer, de::Visitor};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(bytes)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        struct Bytes;

        impl Visitor<'_> for Bytes {
            type Value = Vec<u8>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("bytes")
            }

            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
                Ok(bytes.to_vec())
            }

            fn visit_byte_buf<E>(self, bytes: Vec<u8>) -> Result<Vec<u8>, E> {
                Ok(bytes)
            }
        }

        deserializer.deserialize_byte_buf(Bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(amount: i128, observations: i64) -> Cell {
        Cell { territorial: amount, as_destination: amount, as_origin: 0, observations }
    }

    #[test]
    fn numbers_of_every_size_read_back() {
        for value in [0, 1, -1, 63, 64, -65, i128::from(i64::MAX), i128::from(i64::MIN) * 4] {
            let mut bytes = Vec::new();
            write(&mut bytes, value);
            assert_eq!(read(&mut &bytes[..]), Some(value));
        }
        assert_eq!(read(&mut &[0x80u8][..]), None, "cut short");
    }

    #[test]
    fn what_one_record_takes_out_and_puts_back_leaves_no_trace() {
        let mut run = Run::default();
        run.note(Form::Plain, 7, &change(100, 1));
        let before = run.bytes.clone();
        run.note(Form::Plain, 9, &change(-100, -1));
        run.note(Form::Plain, 9, &change(100, 1));
        assert_eq!(run.bytes, before);
        run.note(Form::Plain, 9, &change(-100, -1));
        run.note(Form::Plain, 9, &change(130, 1));
        let at = |size| {
            let mut sum = Cell::default();
            run.sum(Form::Plain, size, &mut sum);
            (sum.territorial, sum.observations)
        };
        assert_eq!([at(7), at(8), at(9), at(10)], [(0, 0), (100, 1), (100, 1), (130, 1)]);
    }
}
