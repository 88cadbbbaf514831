//! Every write and sync of a scenario fails in every way; whatever was acknowledged must be there afterwards.

use hefu_store::segments::SegmentLog;
use hefu_store::sim::{Fault, SimDisk};
use hefu_store::{DurablePoint, Log, OpenOptions, StoreError};

use crate::support::{START, append, arc, check, dir, small, with_head};

/// Batches of the scenario; with segments of 4 KiB they roll several times and one is larger than a segment.
const SIZES: [u64; 9] = [1, 3, 2, 20, 1, 4, 6, 2, 3];
/// After this many batches the log is closed and opened again.
const REOPEN_AFTER: usize = 5;

/// What happens between the failure and the next opening.
#[derive(Debug, Clone, Copy)]
enum Recovery {
    /// The process drops the log and reopens it with the durable point.
    InProcess,
    /// The process dies; the cache stays.
    Killed,
    /// The process dies and clean pages are dropped from the cache.
    KilledAndEvicted,
    /// The power goes, with some of what was not synced kept by the seed.
    PowerCut(Option<u64>),
}

#[derive(Debug)]
struct Failed {
    error: StoreError,
    /// Set if the log was open; without it the failure was in creating or opening.
    point: Option<DurablePoint>,
}

/// Runs the scenario from wherever the disk is until the end or a failure. `acked` counts acknowledged records.
fn run(disk: &SimDisk, options: &OpenOptions, acked: &mut u64) -> Result<(), Failed> {
    let opening = |error| Failed { error, point: None };
    let open = |acked: u64| SegmentLog::open_on(arc(disk), &dir(), &with_head(options, acked));
    let mut log = match open(*acked) {
        Ok((log, _)) => log,
        Err(StoreError::Missing { .. }) => {
            SegmentLog::create_on(arc(disk), &dir(), START, options).map_err(opening)?
        }
        Err(error) => return Err(opening(error)),
    };
    *acked = log.size();
    let mut at = 0;
    for (n, count) in SIZES.into_iter().enumerate() {
        if at == log.size() {
            if n == REOPEN_AFTER {
                Box::new(log).close().map_err(opening)?;
                log = open(*acked).map_err(opening)?.0;
            }
            append(&mut log, count)
                .map_err(|error| Failed { error, point: Some(log.durable_point()) })
                .inspect_err(|_| {
                    let again = append(&mut log, count);
                    assert!(matches!(again, Err(StoreError::Poisoned)), "a failed log refuses to go on");
                })?;
            *acked = log.size();
        }
        at += count;
    }
    check(log.reader().as_ref(), &SIZES);
    Ok(())
}

/// Opens after a failure; the log must hold what was acknowledged, or that and the whole batch that failed.
fn recover(
    disk: &SimDisk,
    options: &OpenOptions,
    how: Recovery,
    failed: &Failed,
    acked: u64,
) -> Result<(), StoreError> {
    match how {
        Recovery::InProcess | Recovery::Killed => {}
        Recovery::KilledAndEvicted => disk.drop_caches(),
        Recovery::PowerCut(seed) => disk.power_on(seed),
    }
    let options = with_head(options, acked);
    let (log, report) = match (how, failed.point) {
        (Recovery::InProcess, Some(point)) => {
            SegmentLog::reopen_after_failure_on(arc(disk), &dir(), &options, &point)?
        }
        _ => match SegmentLog::open_on(arc(disk), &dir(), &options) {
            Err(StoreError::Missing { .. }) if acked == 0 => return Ok(()),
            other => other?,
        },
    };
    let at = SIZES.iter().scan(0, |at, count| Some(std::mem::replace(at, *at + count)));
    let attempted = at.zip(SIZES).find(|(first, _)| *first == acked).map_or(0, |(_, count)| count);
    assert!([acked, acked + attempted].contains(&log.size()), "{acked} acknowledged, {} found", log.size());
    assert_eq!(report.recovered, if report.recovered == 0 { 0 } else { log.size() - acked });
    check(log.reader().as_ref(), &SIZES);

    // Whatever is shown now is durable, or it would be a fact that can vanish.
    let size = log.size();
    let later = disk.fork();
    later.clear_plan();
    later.power_on(None);
    let (log, report) = SegmentLog::open_on(arc(&later), &dir(), &with_head(&options, size)).unwrap();
    assert_eq!(log.size(), size);
    assert!(report.torn.is_empty());
    check(log.reader().as_ref(), &SIZES);
    Ok(())
}

/// Goes on to the end of the scenario and checks that it is all there after a power cut.
fn finish(disk: &SimDisk, options: &OpenOptions, mut acked: u64) {
    disk.clear_plan();
    run(disk, options, &mut acked).unwrap();
    disk.power_on(None);
    let total = SIZES.iter().sum();
    let (log, _) = SegmentLog::open_on(arc(disk), &dir(), &with_head(options, total)).unwrap();
    assert_eq!(log.size(), total);
    check(log.reader().as_ref(), &SIZES);
}

/// The names of the operations of a run without faults.
fn operations() -> Vec<&'static str> {
    let disk = SimDisk::new();
    run(&disk, &small(4096), &mut 0).unwrap();
    disk.trace()
}

#[test]
fn every_failing_operation_loses_nothing_acknowledged() {
    let operations = operations();
    for name in ["create", "write", "sync_data", "sync_all", "set_len", "rename", "sync_dir"] {
        assert!(operations.contains(&name), "the scenario never does {name}");
    }
    let recoveries = [
        Recovery::InProcess,
        Recovery::Killed,
        Recovery::KilledAndEvicted,
        Recovery::PowerCut(None),
        Recovery::PowerCut(Some(5)),
    ];
    for (op, name) in (0u64..).zip(operations) {
        for fault in [Fault::NotStored, Fault::Stored, Fault::Torn(1), Fault::Torn(2)] {
            let options = small(4096);
            let failing = SimDisk::new();
            failing.plan(op, fault);
            let mut acked = 0;
            let failed = run(&failing, &options, &mut acked).unwrap_err();
            for how in recoveries {
                // Shown by the test harness only when an assertion below fails.
                println!(
                    "operation {op} ({name}), {fault:?}, {how:?}, {acked} acknowledged, {}",
                    failed.error
                );
                let disk = failing.fork();
                recover(&disk, &options, how, &failed, acked).unwrap();
                finish(&disk, &options, acked);
            }
        }
    }
}

#[test]
fn power_cut_at_every_operation_loses_nothing_acknowledged() {
    for op in 0..operations().len() as u64 {
        let options = small(4096);
        let failing = SimDisk::new();
        failing.plan(op, Fault::PowerCut);
        let mut acked = 0;
        let failed = run(&failing, &options, &mut acked).unwrap_err();
        for seed in [None, Some(1), Some(2), Some(3), Some(4)] {
            println!("power cut at {op}, seed {seed:?}, {acked} acknowledged");
            let disk = failing.fork();
            recover(&disk, &options, Recovery::PowerCut(seed), &failed, acked).unwrap();
            finish(&disk, &options, acked);
        }
    }
}

/// The repair itself fails or loses power at every operation, and is tried again.
#[test]
fn recovery_may_fail_at_every_operation_too() {
    let options = small(4096);
    for (op, name) in (0u64..).zip(operations()) {
        let failing = SimDisk::new();
        failing.plan(op, Fault::Stored);
        let mut acked = 0;
        let failed = run(&failing, &options, &mut acked).unwrap_err();
        for how in [Recovery::InProcess, Recovery::Killed] {
            for fault in [Fault::NotStored, Fault::Stored, Fault::Torn(3), Fault::PowerCut] {
                let start = failing.ops();
                // Every second operation, the odd ones after odd first failures: together they are all hit.
                for second in (start + op % 2..).step_by(2) {
                    let disk = failing.fork();
                    disk.plan(second, fault);
                    if recover(&disk, &options, how, &failed, acked).is_ok() {
                        assert!(disk.ops() <= second, "a fault went unnoticed");
                        break;
                    }
                    println!("{op} ({name}), then {second} {fault:?}, {how:?}, {acked} acknowledged");
                    let again = if fault == Fault::PowerCut { Recovery::PowerCut(Some(second)) } else { how };
                    recover(&disk, &options, again, &failed, acked).unwrap();
                    finish(&disk, &options, acked);
                }
            }
        }
    }
}

#[test]
fn a_full_disk_is_said_and_loses_nothing() {
    let options = small(4096);
    let mut full = 0;
    for space in (0..400 << 10).step_by(5000) {
        let disk = SimDisk::new();
        disk.set_space(Some(space));
        let mut acked = 0;
        if let Err(failed) = run(&disk, &options, &mut acked) {
            full += 1;
            assert!(matches!(failed.error, StoreError::Full { .. }), "{}", failed.error);
            // While there is no space reopening may fail too, and then it says the same.
            if let Err(error) = recover(&disk, &options, Recovery::InProcess, &failed, acked) {
                assert!(matches!(error, StoreError::Full { .. }), "{error}");
            }
            disk.set_space(None);
            recover(&disk, &options, Recovery::Killed, &failed, acked).unwrap();
        }
        disk.set_space(None);
        finish(&disk, &options, acked);
    }
    assert!(full > 10, "the disk was hardly ever full");
}

/// A disk that drops syncs can lose what was acknowledged; the head tells.
#[test]
fn a_disk_that_drops_syncs_is_found_out() {
    let options = small(64 << 20);
    let disk = SimDisk::new();
    let mut log = SegmentLog::create_on(arc(&disk), &dir(), START, &options).unwrap();
    append(&mut log, 3).unwrap();
    disk.set_lying(true);
    append(&mut log, 4).unwrap();
    disk.power_on(None);
    let opened = SegmentLog::open_on(arc(&disk), &dir(), &with_head(&options, 7));
    assert!(matches!(opened, Err(StoreError::Behind { found: 3, expected: 7 })));
}
