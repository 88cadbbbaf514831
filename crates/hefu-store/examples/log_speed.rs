//! How fast the segment log is, beside a bare loop of the same writes and syncs. Usage: `log_speed DIR`.
#![allow(clippy::unwrap_used, clippy::cast_precision_loss)]

use std::fs::File;
use std::ops::ControlFlow;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::Instant;

use hefu_store::segments::SegmentLog;
use hefu_store::{CommitInfo, Log, OpenOptions, Record};

/// Sizes of one record of the probe in the project's budget: 1,127 bytes.
fn batch(first: u64, count: u64) -> Vec<Record> {
    let fill = |len, position: u64| vec![position.to_le_bytes()[0] | 1; len];
    (first..first + count)
        .map(|position| Record {
            position,
            leaf: fill(460, position),
            body: fill(199, position),
            command: fill(468, position),
            redacted_by: None,
        })
        .collect()
}

const COMMIT: CommitInfo = CommitInfo { head: [1; 32], signature: [2; 64] };

fn microseconds(mut each: Vec<f64>) -> String {
    each.sort_by(f64::total_cmp);
    let at = |percent: usize| each[(each.len() - 1) * percent / 100] * 1e6;
    format!("p50 {:.0} µs, p99 {:.0} µs, max {:.0} µs", at(50), at(99), at(100))
}

fn timed(rounds: u64, mut call: impl FnMut(u64)) -> Vec<f64> {
    (0..rounds)
        .map(|round| {
            let start = Instant::now();
            call(round);
            start.elapsed().as_secs_f64()
        })
        .collect()
}

fn bare(path: &Path, bytes: usize, rounds: u64) -> Vec<f64> {
    let file = File::create(path).unwrap();
    let len = bytes as u64 * rounds;
    file.write_all_at(&vec![0; usize::try_from(len).unwrap()], 0).unwrap();
    file.sync_all().unwrap();
    let data = vec![7; bytes];
    timed(rounds, |round| {
        file.write_all_at(&data, round * bytes as u64).unwrap();
        file.sync_data().unwrap();
    })
}

fn main() {
    let dir = PathBuf::from(std::env::args().nth(1).expect("a directory that does not exist yet"));
    let mut log = SegmentLog::create(&dir, [0; 32], &OpenOptions::default()).unwrap();

    for round in 0..2 {
        let single = timed(5000, |_| log.append(&batch(log.size(), 1), &COMMIT).unwrap());
        println!("{round}: append of 1 record:      {}", microseconds(single));
        println!("{round}: bare pwrite + fdatasync: {}", microseconds(bare(&dir.join("bare"), 1312, 5000)));
    }
    for count in [10, 100, 1000] {
        let rounds = 200_000 / count;
        let batches: Vec<_> = (0..rounds).map(|round| batch(log.size() + round * count, count)).collect();
        let each = timed(rounds, |round| {
            log.append(&batches[usize::try_from(round).unwrap()], &COMMIT).unwrap();
        });
        let speed = 200_000.0 / each.iter().sum::<f64>();
        println!("append of {count} records: {speed:.0} records/s, {}", microseconds(each));
        let bytes = usize::try_from(count).unwrap() * 1168 + 136;
        let each = bare(&dir.join("bare"), bytes, rounds);
        let speed = 200_000.0 / each.iter().sum::<f64>();
        println!("  bare pwrite + fdatasync: {speed:.0} records/s, {}", microseconds(each));
    }
    let reader = log.reader();
    for _ in 0..3 {
        let (mut bytes, start) = (0, Instant::now());
        reader
            .scan(0, &mut |record| {
                bytes += record.leaf.len() + record.body.len() + record.command.len();
                ControlFlow::Continue(())
            })
            .unwrap();
        let seconds = start.elapsed().as_secs_f64();
        println!(
            "scan: {:.2} GB/s, {:.0} records/s",
            bytes as f64 / seconds / 1e9,
            log.size() as f64 / seconds
        );
    }
    let size = log.size();
    for pass in ["first", "second"] {
        let each = timed(10_000, |n| {
            reader.get(n.wrapping_mul(0x9E37_79B9_7F4A_7C15) % size).unwrap().unwrap();
        });
        println!("get, {pass} pass: {}", microseconds(each));
    }
    Box::new(log).close().unwrap();
    let start = Instant::now();
    SegmentLog::open(&dir, &OpenOptions::default()).unwrap();
    println!("open of {size} records: {:.1} ms", start.elapsed().as_secs_f64() * 1e3);
}
